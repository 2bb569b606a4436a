#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# arpspoof.sh - the main promise, live: a tenant poisons its neighbour with arpspoof (dsniff) and
# forwards what it gets; the alert is in Redis within a second of the first relayed packet.
#
# The first relayed packet is found by tcpdump on the same SPAN, not by the sensor; the alert's
# arrival is the time in its stream entry's id, which Redis sets.  Both are this machine's clock.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

LIMIT_MS=1000

is_quiet() {
	[ -z "$(entries)" ]
}

has_heartbeat() {
	[ -n "$(lab_cli HGET bulkhead:sensor:lab version)" ]
}

has_kind() {
	entries | cut -f3 | grep -qx "$1"
}

first_id() { # ms since 1970 at which Redis took the first entry of a kind
	entries | awk -F'\t' -v kind="$1" '$3 == kind { split($1, id, "-"); print id[1]; exit }'
}

first_frame_ms() { # of the frames that match a filter
	tcpdump -tt -nr "$LAB_DIR/span.pcap" "$@" 2>/dev/null |
		awk '{ printf "%.0f\n", $1 * 1000; exit }'
}

judge_latency() {
	local kind=$1 what=$2 frame alert
	shift 2
	frame=$(first_frame_ms "$@")
	alert=$(first_id "$kind")
	if [ -z "$frame" ] || [ -z "$alert" ]; then
		lab_bad "$kind: no time (frame ${frame:-none}, alert ${alert:-none})"
	elif [ $((alert - frame)) -le $LIMIT_MS ]; then
		lab_ok "$kind in Redis $((alert - frame)) ms after $what"
	else
		lab_bad "$kind in Redis $((alert - frame)) ms after $what; $LIMIT_MS promised"
	fi
}

only_evil_is_accused() {
	! entries | cut -f4 | grep -qvE '^evil/'
}

# The SOC's shell, from the outbox, with the sensor gone.
shell() {
	"$LAB_BIN" alerts "$@" --outbox "$STATE/outbox.db"
}

shell_tells_the_same() {
	local id
	shell list | grep -q 'relay.forward.*evil/c -> acme' || return 1
	shell matrix | grep -Eq '^evil +acme +[1-9]' || return 1
	shell report | grep -q '^# ' || return 1
	id=$(shell list | awk '/relay.forward/ { print $NF; exit }')
	shell show "${id:0:8}" | python3 -c "
import json, sys
assert json.load(sys.stdin)['bulkhead']['alert_id'] == '$id'"
}

documents_are_json() {
	entries | cut -f6 | python3 -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert rows
for r in rows:
    assert r['event_type'] == 'alert' and r['in_iface'] == 'span1', r
    assert r['bulkhead']['sensor'] == 'lab', r"
}

main() {
	lab_begin arpspoof tcpdump ping
	tenants_begin || { lab_end; return; }
	lab_start sw "$LAB_DIR/tcpdump.log" tcpdump -U -s 128 -i span1 -w "$LAB_DIR/span.pcap"
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	start_traffic
	sleep 4
	lab_check "four seconds of ordinary traffic raise nothing" is_quiet
	lab_check "the heartbeat is there" lab_until 12 has_heartbeat

	poison
	lab_check "spoof.arp is in Redis" lab_until 10 has_kind spoof.arp
	lab_check "relay.forward is in Redis" lab_until 15 has_kind relay.forward
	sleep 1
	judge_latency spoof.arp "the first forged ARP" \
		"arp and ether src $C_MAC and (arp src host $GW_IP or arp src host $A_IP)"
	judge_latency relay.forward "the first relayed packet" \
		"ether src $C_MAC and ip and (src host $A_IP or (src host $WEB_IP and dst host $A_IP))"
	lab_check "nobody but evil/c is accused" only_evil_is_accused
	lab_check "the documents are JSON of this sensor" documents_are_json
	lab_check "evidence was kept" test -n "$(ls "$STATE/evidence")"

	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends it with 0" test $? -eq 0
	lab_check "\"bulkhead alerts\" tells the same" shell_tells_the_same
	[ "$LAB_FAILED" -eq 0 ] || { entries | cut -f1-5; tail -n 30 "$LAB_DIR/sensor.log"; }
	lab_end
}

main
