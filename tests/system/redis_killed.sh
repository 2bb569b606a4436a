#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# redis_killed.sh - Redis is killed (SIGKILL) again and again under a live sensor, and each time
# comes back empty.  In the end the stream holds every state change once, in order, and capture
# has lost nothing.  What there should be is in the JSON lines of the same sensor.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

KILLS=4
# shellcheck disable=SC2034 # for write_config
UPDATE=1s

states_of_file() { # "id seq", a line a state change
	python3 -c "
import json
for line in open('$STATE/alerts.jsonl'):
    b = json.loads(line)['bulkhead']
    print(b['alert_id'], b['seq'])"
}

states_of_stream() {
	lab_cli XRANGE bulkhead:alerts - + | awk '
		!want && /^[0-9]+-[0-9]+$/ { next }
		!want { key = $0; want = 1; next }
		{ want = 0; if (key == "id") id = $0; if (key == "seq") print id, $0 }'
}


kill_redis() {
	kill -KILL "$LAB_REDIS_PID"
	wait "$LAB_REDIS_PID" 2>/dev/null
	rm -f "$LAB_REDIS"
	sleep 1
	lab_redis
	sleep 1.5
}

main() {
	local i
	lab_begin arpspoof ping
	tenants_begin || { lab_end; return; }
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	start_traffic
	poison
	sleep 4
	for ((i = 0; i < KILLS; i++)); do
		kill_redis
	done
	sleep 2
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends it with 0" test $? -eq 0
	states_of_file >"$LAB_DIR/should"
	states_of_stream >"$LAB_DIR/is"
	lab_check "there were state changes all the while" test "$(wc -l <"$LAB_DIR/should")" -ge 8
	lab_check "$(wc -l <"$LAB_DIR/should") state changes are in the stream once, in order" \
		cmp "$LAB_DIR/should" "$LAB_DIR/is"
	lab_check "capture has lost nothing" grep -Eq 'drops +0 by the kernel' "$LAB_DIR/sensor.log"
	[ "$LAB_FAILED" -eq 0 ] || {
		diff "$LAB_DIR/should" "$LAB_DIR/is"
		tail -n 30 "$LAB_DIR/sensor.log"
	}
	lab_end
}

main
