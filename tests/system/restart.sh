#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# restart.sh - the worker is killed (SIGKILL) again and again under live traffic and an attack,
# then frozen, and in the end the supervisor is killed.  Each time another one looks within a
# second and says for how long nobody did; Redis holds every state change once, in order.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

KILLS=8
LIMIT_MS=1000
# shellcheck disable=SC2034 # for write_config
UPDATE=1s

# "id seq", a line a state change.
states_of_outbox() {
	python3 -c "
import json, sqlite3
db = sqlite3.connect('file:$STATE/outbox.db?mode=ro', uri=True)
for (text,) in db.execute('SELECT json FROM records ORDER BY sequence'):
    b = json.loads(text)['bulkhead']
    print(b['alert_id'], b['seq'])"
}

states_of_stream() {
	lab_cli XRANGE bulkhead:alerts - + | awk '
		!want && /^[0-9]+-[0-9]+$/ { next }
		!want { key = $0; want = 1; next }
		{ want = 0; if (key == "id") id = $0; if (key == "seq") print id, $0 }'
}

took_over() { # how often
	grep -c 'took over; unseen for' "$LAB_DIR/sensor.log"
}

took_over_times() {
	[ "$(took_over)" -ge "$1" ]
}

longest_ms() {
	sed -n 's/.*took over; unseen for \([0-9]*\) ms.*/\1/p' "$LAB_DIR/sensor.log" | sort -n | tail -1
}

kill_workers() {
	local i seen=0
	for ((i = 1; i <= KILLS; i++)); do
		kill -KILL "$(lab_worker)"
		lab_until 5 took_over_times "$i" || break
		seen=$i
		sleep 1.5
	done
	lab_check "$seen of $KILLS killed workers were replaced" test "$seen" -eq "$KILLS"
	lab_check "within $(longest_ms) ms at most; $LIMIT_MS promised" \
		test "$(longest_ms)" -lt $LIMIT_MS
}

alerts_with() { # alerts_with EXPRESSION - of Python, over b, the bulkhead object
	lab_cli XRANGE bulkhead:alerts - + | grep '^{' | python3 -c "
import json, sys
n = 0
for line in sys.stdin:
    b = json.loads(line)['bulkhead']
    n += bool($1)
print(n)"
}

unseen_is_told() {
	[ "$(alerts_with "b['rule'] == 'BH-9012' and b['op'] == 'open' and int(b['detail']['unseen_ms']) > 0 if 'detail' in b else 0")" -ge "$1" ]
}

relay_is_found() {
	[ "$(alerts_with "b['kind'] == 'relay.forward' and b['op'] == 'open'")" -ge "$1" ]
}

heartbeat_counts() {
	[ "$(lab_cli HGET bulkhead:sensor:lab restarts)" -ge "$1" ] &&
		[ "$(lab_cli HGET bulkhead:sensor:lab unseen_ms)" -gt 0 ]
}

freeze_worker() {
	local before
	before=$(took_over)
	kill -STOP "$(lab_worker)"
	lab_check "a frozen worker is replaced" lab_until 20 took_over_times $((before + 1))
	lab_check "and named" lab_log_has 'has not moved for 1[0-9] s: killed'
}

all_is_delivered() {
	[ "$(states_of_outbox | wc -l)" -eq "$(states_of_stream | wc -l)" ]
}

check_delivery() {
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends supervisor and worker with 0" test $? -eq 0
	states_of_outbox >"$LAB_DIR/should"
	states_of_stream >"$LAB_DIR/is"
	lab_check "$(wc -l <"$LAB_DIR/should") state changes are in Redis once, in order" \
		cmp "$LAB_DIR/should" "$LAB_DIR/is"
	lab_check "no (id, seq) twice" test -z "$(sort "$LAB_DIR/is" | uniq -d)"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

check_orphan() {
	local w
	lab_sensor "$LAB_DIR/bulkhead.yaml" || return
	w=$(lab_worker)
	kill -KILL "$LAB_SENSOR"
	lab_check "without its supervisor a worker drains and ends" lab_until 12 gone "$w"
}

main() {
	lab_begin arpspoof ping pgrep
	tenants_begin || { lab_end; return; }
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	start_traffic
	poison
	lab_check "the relay is found" lab_until 15 relay_is_found 1
	kill_workers
	lab_check "each gap is an alert" lab_until 5 unseen_is_told "$KILLS"
	lab_check "each worker finds the relay anew" lab_until 15 relay_is_found $((KILLS + 1))
	lab_check "the heartbeat counts restarts" lab_until 12 heartbeat_counts "$KILLS"
	freeze_worker
	sleep 2
	check_delivery
	check_orphan
	[ "$LAB_FAILED" -eq 0 ] || tail -n 60 "$LAB_DIR/sensor.log"
	lab_end
}

main
