#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh BUILD [TARGET...] - runs fuzz targets, each for FUZZ_SECONDS, and prints a table.
#
# What is worth keeping stays in BUILD/corpus/TARGET, so that the next run goes on from there; an
# input that breaks a target is left in BUILD/broken/TARGET and makes us fail.  To keep it from
# coming back, copy it to tests/fuzz/regress/TARGET (tests/fuzz/README.md).
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build-fuzz}
build=$(cd "$build" && pwd) || exit 1
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(cd "$build/fuzz" && ls)
seconds=${FUZZ_SECONDS:-10}
status=0

python3 "$here/seeds.py" "$build/seeds" || exit 1
. "$here/environment.sh"

# value NAME - of libFuzzer's closing statistics.
value() {
	sed -n "s/^stat::$1: *//p" "$log" | tail -n 1
}

printf '%-12s %10s %8s %7s %9s %8s\n' target inputs per_s edges features new
for target in "$@"; do
	corpus=$build/corpus/$target
	broken=$build/broken/$target
	log=$build/fuzz-$target.log
	dictionary=$here/dict/$target.dict
	options="-max_total_time=$seconds"
	mkdir -p "$corpus" "$broken" "$build/seeds/$target"
	[ ! -f "$dictionary" ] || options="$options -dict=$dictionary"
	[ -z "${FUZZ_SEED:-}" ] || options="$options -seed=$FUZZ_SEED"
	regress=$here/regress/$target
	[ -d "$regress" ] || regress=
	# $options and $regress are lists of words.
	# shellcheck disable=SC2086
	fuzz_run "$build/fuzz/$target" $options -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$broken/" \
		"$corpus" "$build/seeds/$target" $regress >"$log" 2>&1
	code=$?
	last=$(grep -E 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
	printf '%-12s %10s %8s %7s %9s %8s\n' "$target" "$(value number_of_executed_units)" \
		"$(value average_exec_per_sec)" \
		"$(echo "$last" | sed 's/.*cov: \([0-9]*\).*/\1/')" \
		"$(echo "$last" | sed 's/.*ft: \([0-9]*\).*/\1/')" "$(value new_units_added)"
	if [ $code -ne 0 ]; then
		status=1
		grep -v -E '^#[0-9]+|^(bulkhead: )?(warn|info)' "$log" | tail -n 60
		echo "$target: broken (exit status $code); the input is in $broken"
	fi
done
exit $status
