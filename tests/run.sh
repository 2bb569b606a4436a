#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD [SUITE...] - runs the test suites and adds up what they say.
#
# A suite is a folder of tests/: `unit` runs BUILD/tests/unit/*/test_*, any other its executable
# run.sh or run.py with the binary as argument; without SUITE all of them.  A suite's last
# line reads "N passed, N failed[, N skipped]"; one that ends badly without saying so
# counts as one failure.  Our last line is the sum.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-build}
case $build in /*) ;; *) build=$top/$build ;; esac
[ $# -eq 0 ] || shift
passed=0
failed=0
skipped=0
log=$(mktemp "${TMPDIR:-/tmp}/bulkhead-tests.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP

# count PATTERN - lines of the log that match.
count() {
	grep -c -E "$1" "$log" || :
}

add() {
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

run_unit() {
	for program in "$build"/tests/unit/*/test_*; do
		case $program in *.d | *.o | *'*') continue ;; esac
		CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program" >"$log" 2>&1
		status=$?
		good=$(count '^ok ')
		omitted=$(count '^not ok .*# SKIP')
		bad=$(($(count '^not ok ') - omitted))
		# A program that died, or failed outside a test, fails once more.
		[ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
		name=${program#"$build"/tests/}
		printf '%-44s %d passed, %d failed\n' "$name" "$good" "$bad"
		[ "$bad" -eq 0 ] || cat "$log"
		add "$good" "$bad" "$omitted"
	done
}

run_script() {
	echo "== $1"
	timeout "${SUITE_TIMEOUT:-1200}" "$2" "$build/bulkhead" >"$log" 2>&1
	status=$?
	cat "$log"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	good=$(echo "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	bad=$(echo "$line" | sed -n 's/.* passed, \([0-9]*\) failed.*/\1/p')
	omitted=$(echo "$line" | sed -n 's/.*, \([0-9]*\) skipped.*/\1/p')
	if [ -z "$line" ]; then
		echo "$1: no closing line, exit status $status"
		add 0 1 0
		return
	fi
	[ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	add "$good" "$bad" "${omitted:-0}"
}

run_suite() {
	if [ "$1" = unit ]; then
		run_unit
		return
	fi
	for script in "$top/tests/$1/run.sh" "$top/tests/$1/run.py"; do
		[ ! -x "$script" ] || run_script "$1" "$script"
	done
}

if [ $# -gt 0 ]; then
	for suite in "$@"; do
		run_suite "$suite"
	done
else
	run_suite unit
	for folder in "$top"/tests/*/; do
		suite=$(basename "$folder")
		# bench and fuzz take their time: targets of their own.
		case $suite in unit | bench | fuzz) continue ;; esac
		run_suite "$suite"
	done
fi
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
