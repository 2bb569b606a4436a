#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [BINARY] [SCENARIO...] - attacks and their benign twins with real tools under a live
# sensor, each in namespaces of its own (site.sh).  They wait more than they compute: two run at a
# time.  The last line sums up theirs.
set -u
LIMIT=75 # seconds for a scenario, twin and attack
case ${1:-} in
'' | *.sh) ;;
*)
	BULKHEAD=$(realpath "$1")
	export BULKHEAD
	shift
	;;
esac
cd "$(dirname "$0")" || exit 1
if [ $# -eq 0 ]; then
	for t in *.sh; do
		case $t in run.sh | site.sh) ;; *) set -- "$@" "$t" ;; esac
	done
fi
logs=$(mktemp -d)
trap 'rm -rf -- "$logs"' EXIT
trap 'kill 0' INT TERM HUP
export logs LIMIT
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "${@##*/}" | xargs -P 2 -I '{}' bash -c \
	's=$SECONDS; timeout -k 10 "$LIMIT" "./$0" >"$logs/$0" 2>&1; echo $((SECONDS - s)) >"$logs/$0.s"' '{}'
passed=0 failed=0 skipped=0
for t in "${@##*/}"; do
	out=$(cat "$logs/$t")
	if [[ ${out##*$'\n'} =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
		out=${out%$'\n'*}
	else
		out+=$'\n'"FAIL $t gave no result"
		failed=$((failed + 1))
	fi
	echo "$out ($(cat "$logs/$t.s" 2>/dev/null) s)"
done
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
