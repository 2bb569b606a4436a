#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [BINARY [--regressions]] - every fuzz target once over its seeds and regression cases.
#
# The suite that `make check` runs: an input that once broke something, or is the first of its kind,
# may never break it again, and every function that consumes foreign bytes is reached.  Without
# clang there is nothing to run.  The last line reads "N passed, N failed".
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/build-fuzz
passed=0
failed=0

if ! command -v clang >/dev/null || ! command -v setarch >/dev/null; then
	echo "fuzz: needs clang and setarch"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
# Not the flags of the build that we are part of.
if ! env -u MAKEFLAGS -u MAKELEVEL make -s -C "$top" fuzz-build; then
	echo "0 passed, 1 failed"
	exit 1
fi
python3 "$here/seeds.py" "$build/seeds" || exit 1
. "$here/environment.sh"

for program in "$build"/fuzz/*; do
	target=$(basename "$program")
	set --
	for input in "$build/seeds/$target"/* "$here/regress/$target"/*; do
		[ ! -f "$input" ] || set -- "$@" "$input"
	done
	if fuzz_run "$program" -timeout=60 "$@" >"$build/run-$target.log" 2>&1; then
		passed=$((passed + $#))
		continue
	fi
	for input in "$@"; do # which of them
		if fuzz_run "$program" -timeout=60 "$input" >"$build/run-$target.log" 2>&1; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "$target: broken by $input"
			grep -v '^bulkhead: ' "$build/run-$target.log" | tail -n 30
		fi
	done
done
line=$("$here/coverage_check.py" "$build")
echo "$line" | sed '$d'
line=$(echo "$line" | tail -n 1)
passed=$((passed + $(echo "$line" | sed 's/ passed.*//')))
failed=$((failed + $(echo "$line" | sed 's/.*, \([0-9]*\) failed/\1/')))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
