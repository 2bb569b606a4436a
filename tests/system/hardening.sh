#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# hardening.sh - what the compiler and the linker were asked for is in the binary, and the service
# unit takes away what systemd can take away.  Looks at files only.
set -u
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"

SCORE_LIMIT=1.7
UNIT=$LAB_TOP/dist/bulkhead.service

elf() { # elf OPTION PATTERN
	readelf "$1" -W "$LAB_BIN" 2>/dev/null | grep -Eq "$2"
}

no_elf() {
	! elf "$@"
}

no_executable_stack() {
	readelf -lW "$LAB_BIN" | awk '$1 == "GNU_STACK" { print $(NF-1) }' | grep -qx RW
}

# No segment is writable and executable.
write_xor_execute() {
	! readelf -lW "$LAB_BIN" | awk '$1 == "LOAD"' | grep -q 'RWE'
}

fortified() {
	[ "$(readelf -W --dyn-syms "$LAB_BIN" | grep -oE '__[a-z]+_chk@' | grep -v stack | sort -u |
		wc -l)" -ge 4 ]
}

# Every indirect call of ours lands on a mark; main() stands for all functions.
branch_marks() {
	objdump -d --no-show-raw-insn "$LAB_BIN" 2>/dev/null |
		awk '/<main>:$/ { found = 1; next } found { exit !/endbr64/ } END { if (!found) exit 1 }'
}

# Frames above a page are probed page by page.
# shellcheck disable=SC2016 # the $ is objdump's
stack_probes() {
	objdump -d --no-show-raw-insn "$LAB_BIN" | grep -Eq 'sub +\$0x1000,%rsp'
}

check_elf() {
	lab_check "position independent" elf -d 'Flags:.* PIE'
	lab_check "all relocations are done at start" elf -d 'BIND_NOW'
	lab_check "and then read-only" elf -l 'GNU_RELRO'
	lab_check "no relocation in code" no_elf -d 'TEXTREL'
	lab_check "no search path for libraries of its own" no_elf -d '(RPATH|RUNPATH)'
	lab_check "the stack is not executable" no_executable_stack
	lab_check "nothing is writable and executable" write_xor_execute
	lab_check "stack protector" elf -s '__stack_chk_fail'
	lab_check "FORTIFY: calls are checked" fortified
	if [ "$(uname -m)" != x86_64 ]; then
		lab_skip "CET is of x86"
		return
	fi
	lab_check "CET: shadow stack note" elf -n 'x86 feature:.*SHSTK'
	if command -v objdump >/dev/null; then
		lab_check "CET: functions begin with a branch mark" branch_marks
		lab_check "large stack frames are probed" stack_probes
	else
		lab_skip "objdump is not installed"
	fi
}

check_unit() {
	local score
	command -v systemd-analyze >/dev/null || { lab_skip "systemd-analyze is not installed"; return; }
	score=$(systemd-analyze security --offline=true --no-pager "$UNIT" 2>/dev/null |
		sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
	[ -n "$score" ] || { lab_skip "this systemd-analyze cannot judge a unit file offline"; return; }
	lab_check "the service unit is exposed by $score of 10; $SCORE_LIMIT is promised" \
		awk "BEGIN { exit !($score <= $SCORE_LIMIT) }"
}

main() {
	if [ ! -x "$LAB_BIN" ]; then
		lab_skip "$LAB_BIN is not built"
	elif ! command -v readelf >/dev/null; then
		lab_skip "readelf is not installed"
	elif elf -s '__(asan|tsan)_init'; then
		lab_skip "a sanitizer build is not hardened"
	else
		check_elf
	fi
	check_unit
	lab_end
}

main
