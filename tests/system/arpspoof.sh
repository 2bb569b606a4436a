#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# arpspoof.sh - the main promise, live: a tenant poisons its neighbour with arpspoof (dsniff) and
# forwards what it gets; the alert is in Redis within a second of the first relayed packet.
#
# The first relayed packet is found by tcpdump on the same SPAN, not by the sensor; the alert's
# arrival is the time in its stream entry's id, which Redis sets.  Both are this machine's clock.
set -u
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "$0")/lab.sh"

A_MAC=02:77:00:00:00:0a B_MAC=02:77:00:00:00:0b C_MAC=02:77:00:00:00:0c GW_MAC=02:77:00:00:00:01
A_IP=10.77.0.11 B_IP=10.77.0.21 C_IP=10.77.0.66 GW_IP=10.77.0.1 WEB_IP=198.51.100.10
LIMIT_MS=1000

write_config() {
	cat >"$LAB_DIR/inventory.yaml" <<YAML
version: 1
segments:
  - { name: lan, prefixes: [10.77.0.0/24] }
tenants:
  - { name: acme, segments: [lan], hosts: [{ name: a, mac: "$A_MAC", ip: $A_IP }] }
  - { name: globex, segments: [lan], hosts: [{ name: b, mac: "$B_MAC", ip: $B_IP }] }
  - { name: evil, segments: [lan], hosts: [{ name: c, mac: "$C_MAC", ip: $C_IP }] }
infrastructure:
  - { name: gw, mac: "$GW_MAC", ip: $GW_IP, roles: [router] }
taps:
  - { name: span, view: ingress }
YAML
	cat >"$LAB_DIR/bulkhead.yaml" <<YAML
version: 1
sensor: { name: lab, site: test, user: "" }
inventory: [inventory.yaml]
capture: [{ interface: span1, tap: span, buffer: 8MiB }]
outbox: { file: $LAB_DIR/outbox.db }
evidence: { directory: $LAB_DIR/evidence }
redis: { url: "unix://$LAB_REDIS" }
YAML
	mkdir -m 700 "$LAB_DIR/evidence"
}

# Ordinary life until it is killed: both tenants fetch a file from behind the gateway, and ping it.
start_traffic() {
	local name
	mkdir "$LAB_DIR/web"
	head -c 20000 /dev/zero >"$LAB_DIR/web/file"
	lab_start gw /dev/null python3 -m http.server 80 --bind "$WEB_IP" --directory "$LAB_DIR/web"
	for name in a b; do
		lab_start "$name" /dev/null ping -q -i 0.2 "$WEB_IP"
		lab_start "$name" /dev/null python3 -c "
import time, urllib.request
while True:
    try:
        urllib.request.urlopen('http://$WEB_IP/file', timeout=2).read()
    except OSError:
        pass
    time.sleep(0.1)"
	done
}

# "id op kind actor victim json", tab separated, a line a state change; health.* left out.
entries() {
	lab_cli XRANGE bulkhead:alerts - + | awk -v OFS='\t' '
		function flush() { if (f["op"] != "" && f["kind"] !~ /^health/)
			print id, f["op"], f["kind"], f["actor"] "/" f["actor_host"], f["victim"], f["json"]
			delete f }
		!want && /^[0-9]+-[0-9]+$/ { flush(); id = $0; next }
		!want { key = $0; want = 1; next }
		{ f[key] = $0; want = 0 }
		END { flush() }'
}

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

poison() {
	lab_in c sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.eth0.send_redirects=0
	lab_start c "$LAB_DIR/arpspoof.log" arpspoof -i eth0 -t "$A_IP" -r "$GW_IP"
}

only_evil_is_accused() {
	! entries | cut -f4 | grep -qvE '^evil/'
}

# The SOC's shell, from the outbox, with the sensor gone.
shell() {
	"$LAB_BIN" alerts "$@" --outbox "$LAB_DIR/outbox.db"
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
	lab_redis || { lab_bad "redis-server does not start"; lab_end; return; }
	lab_host gw $GW_MAC $GW_IP/24
	ip -n "$(lab_ns gw)" addr add $WEB_IP/32 dev lo
	lab_in gw sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0
	lab_host a $A_MAC $A_IP/24 $GW_IP
	lab_host b $B_MAC $B_IP/24 $GW_IP
	lab_host c $C_MAC $C_IP/24 $GW_IP
	lab_span
	write_config
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
	lab_check "evidence was kept" test -n "$(ls "$LAB_DIR/evidence")"

	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends it with 0" test $? -eq 0
	lab_check "\"bulkhead alerts\" tells the same" shell_tells_the_same
	[ "$LAB_FAILED" -eq 0 ] || { entries | cut -f1-5; tail -n 30 "$LAB_DIR/sensor.log"; }
	lab_end
}

main
