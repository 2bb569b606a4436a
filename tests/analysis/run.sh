#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BULKHEAD - every file of sensor/ is held to cppcheck and clang-tidy; a word of theirs fails.
#
# What is not asked, and why:
#
#   cppcheck	uninitvar	the compilers see it better (an error in each build); its own were wrong
#		readdir, getpw*	"not reentrant": called with one thread, or on a handle of our own
#		memleak		in segment.c: takes a mapping that is given back for lost
#   clang-tidy	swappable-parameters, assignment-in-if, reserved-identifier, unused-parameters,
#		macro-parentheses	matters of style; names of fields are no expressions
#		narrowing, widening	-Wconversion, an error in each build, asks more of the former; the
#				latter are products of constants and small indexes
#		sizeof-expression	arrays of pointers are meant
#		redundant-expression	readers move on: two equal calls are two bytes
#		not-null-terminated	memchr() over characters without their end is meant
#		err33, err34	checked returns are asked for in review ((void) elsewhere); what sscanf reads
#				is checked as a whole afterwards
#   The path-sensitive analyzer of clang takes minutes: by hand, ANALYZER=1 tests/analysis/run.sh.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
gen=$(dirname "$1")/gen
cd "$top" || exit 1
passed=0 failed=0 skipped=0

FLAGS=(-Iinclude -Isensor "-I$gen" -D_GNU_SOURCE '-DBULKHEAD_VERSION="x"')
CHECKS='-*,bugprone-*,cert-*,misc-*'
for check in bugprone-easily-swappable-parameters bugprone-assignment-in-if-condition \
	bugprone-reserved-identifier cert-dcl37-c cert-dcl51-cpp misc-unused-parameters \
	bugprone-macro-parentheses bugprone-narrowing-conversions \
	bugprone-implicit-widening-of-multiplication-result bugprone-sizeof-expression \
	misc-redundant-expression bugprone-not-null-terminated-result cert-err33-c cert-err34-c; do
	CHECKS+=",-$check"
done
[ "${ANALYZER:-}" = "" ] || CHECKS+=',clang-analyzer-*'

verdict() { # verdict WHAT OUTPUT
	if [ -z "$2" ]; then
		echo "ok   $1"
		passed=$((passed + 1))
	else
		echo "FAIL $1"
		printf '%s\n' "$2" | head -n 60
		failed=$((failed + 1))
	fi
}

skip() {
	echo "skip $1 is not installed"
	skipped=$((skipped + 1))
}

if command -v cppcheck >/dev/null; then
	verdict cppcheck "$(cppcheck --quiet --std=c17 --library=posix,gnu -j "$(nproc)" \
		--enable=warning,performance,portability --suppress=missingIncludeSystem \
		--suppress=uninitvar --suppress=readdirCalled --suppress=getpwnamCalled \
		--suppress=getpwuidCalled --suppress=memleak:sensor/dpi/segment.c \
		-D__x86_64__ -D__linux__ '-D__attribute__(x)=' "${FLAGS[@]}" sensor 2>&1)"
else
	skip cppcheck
fi
if command -v clang-tidy >/dev/null; then
	verdict clang-tidy "$(printf '%s\n' sensor/*.c sensor/*/*.c |
		xargs -P "$(nproc)" -n 8 sh -c 'clang-tidy --quiet -checks="$0" "$@" 2>/dev/null' "$CHECKS" \
			-extra-arg=-std=gnu17 -extra-arg=-isystem/usr/include/ndpi \
			-extra-arg=-Iinclude -extra-arg=-Isensor -extra-arg="-I$gen" \
			-extra-arg=-D_GNU_SOURCE -extra-arg='-DBULKHEAD_VERSION="x"' |
		grep -v '^$')"
else
	skip clang-tidy
fi
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
