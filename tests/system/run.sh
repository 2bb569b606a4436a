#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [BINARY] [TEST...] - the system tests (all, or those named), each in namespaces of its
# own; the last line sums up theirs.
set -u
BULKHEAD=${BULKHEAD:-}
case ${1:-} in
'' | *.sh) ;;
*)
	BULKHEAD=$(realpath "$1")
	shift
	;;
esac
[ -z "$BULKHEAD" ] || export BULKHEAD
cd "$(dirname "$0")" || exit 1
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- arpspoof.sh redis_killed.sh privileges.sh restart.sh sight.sh mirror.sh reload.sh hardening.sh dpi.sh
for t in "$@"; do
	echo "== $t"
	out=$(timeout -k 10 180 "./${t##*/}" 2>&1)
	status=$?
	echo "$out"
	if [[ ${out##*$'\n'} =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
	else
		echo "$t ended with $status and no result"
		failed=$((failed + 1))
	fi
done
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
