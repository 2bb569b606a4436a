#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# sight.sh - never silently blind: a link that goes down, an interface that vanishes and comes
# back, frames that the kernel dropped to the last one, a heartbeat that ends with the sensor.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

LIMIT_MS=2000
FRAMES=30000
# A second tap beside the SPAN, which can be taken away.
CAPTURE='[{ interface: span1, tap: span, buffer: 8MiB }, { interface: tap1, buffer: 1MiB }]'

make_tap() {
	local sw
	sw=$(lab_ns sw)
	ip -n "$sw" link add tap0 type veth peer name tap1
	ip -n "$sw" link set tap0 up
	ip -n "$sw" link set tap1 up
	lab_plain_nic sw tap0
	lab_plain_nic sw tap1
}

now_ms() {
	date +%s%3N
}

told_ms() { # told_ms LINK - when Redis took the newest health.silent-tap that says so of tap1
	lab_cli XRANGE bulkhead:alerts - + | python3 -c "
import json, re, sys
at = None
for line in sys.stdin:
    if re.match(r'^\d+-\d+$', line):
        key = int(line.split('-')[0])
    elif line.startswith('{'):
        b = json.loads(line)['bulkhead']
        d = b.get('detail', {})
        if b['kind'] == 'health.silent-tap' and d.get('interface') == 'tap1' and \
           d.get('link') == '$1':
            at = key
print(at or '')"
}

is_told_since() {
	local at
	at=$(told_ms "$2")
	[ -n "$at" ] && [ "$at" -ge "$1" ]
}

check_told() { # check_told WHAT LINK COMMAND... - the command, and how long until it is told
	local what=$1 link=$2 start took
	shift 2
	start=$(now_ms)
	"$@"
	if ! lab_until 10 is_told_since "$start" "$link"; then
		lab_bad "$what: no alert in Redis"
		return
	fi
	took=$(($(told_ms "$link") - start))
	if [ "$took" -le $LIMIT_MS ]; then
		lab_ok "$what: in Redis after $took ms"
	else
		lab_bad "$what: in Redis after $took ms; $LIMIT_MS promised"
	fi
}

# send N - frames of a strange machine on the tap.
send() {
	lab_in sw python3 -c "
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('tap0', 0))
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
frame = bytes.fromhex('020000000099' '020000000098' '88b5') + b'x' * 186
for i in range($1):
    s.send(frame)"
}

fact() {
	lab_cli HGET bulkhead:sensor:lab "$1"
}

fact_says() {
	fact "$1" | grep -Eq -- "$2"
}

frames_of_tap_are_read() {
	local before
	sleep 1.5 # a new worker counts from nothing; its first heartbeat comes after a second
	before=$(fact frames)
	send 2000
	lab_until 12 grew frames $((before + 2000))
}

grew() {
	[ "$(fact "$1")" -ge "$2" ]
}

check_links() {
	local sw took
	sw=$(lab_ns sw)
	check_told "the link goes down" down ip -n "$sw" link set tap0 down
	lab_check "the heartbeat tells it" lab_until 12 fact_says links 'span1 up, tap1 down'
	ip -n "$sw" link set tap0 up
	lab_check "its return is noticed" lab_until 3 lab_log_has 'interface tap1 is up'
	lab_check "and takes no new worker" test "$(grep -c 'took over' "$LAB_DIR/sensor.log")" -eq 0
	lab_check "the heartbeat tells that" lab_until 12 fact_says links 'span1 up, tap1 up'
	lab_check "its frames are read" frames_of_tap_are_read

	check_told "the interface vanishes" gone ip -n "$sw" link del tap0
	lab_check "the other one is still read" lab_until 12 grew frames $(($(fact frames) + 50))
	lab_check "by the same worker" test "$(grep -c 'took over' "$LAB_DIR/sensor.log")" -eq 0
	make_tap
	lab_check "back again, it is opened again" lab_until 3 lab_log_has 'took over; unseen for'
	took=$(sed -n 's/.*took over; unseen for \([0-9]*\) ms.*/\1/p' "$LAB_DIR/sensor.log" | tail -1)
	lab_check "nobody looked for ${took:-no} ms meanwhile" test "${took:-9999}" -lt 1000
	lab_check "its frames are read" frames_of_tap_are_read

	check_told "the interface is taken down" down ip -n "$sw" link set tap1 down
	ip -n "$sw" link set tap1 up
	sleep 3
	lab_check "taken up, its frames are read" frames_of_tap_are_read
}

restart_while_absent() {
	local sw
	sw=$(lab_ns sw)
	ip -n "$sw" link del tap0
	sleep 1.5
	kill -KILL "$(lab_worker)"
	lab_check "a worker starts although an interface is missing" \
		lab_until 5 lab_log_has 'interface=tap1 state=waited-for'
	lab_check "and watches the other" lab_until 12 fact_says links 'span1 up, tap1 gone'
	make_tap
	sleep 3
	lab_check "the missing one is opened when it comes" frames_of_tap_are_read
}

# Each frame is read or counted as dropped by the kernel; nothing else is on this wire.
check_drops() {
	local frames drops
	sed -e 's/^capture: .*/capture: [{ interface: tap1, tap: span, buffer: 1MiB }]/' \
		"$LAB_DIR/bulkhead.yaml" >"$LAB_DIR/drops.yaml"
	lab_sensor "$LAB_DIR/drops.yaml" || return
	sleep 1
	kill -STOP "$(lab_worker)"
	send $FRAMES
	kill -CONT "$(lab_worker)"
	sleep 11
	frames=$(fact frames)
	drops=$(fact drop_kernel)
	lab_check "of $FRAMES frames $frames were read and $drops dropped: none is missing" \
		test $((frames + drops)) -eq $FRAMES
	lab_check "some were dropped, or this shows nothing" test "${drops:-0}" -gt 0
	lab_check "which is an alert" lab_until 5 drop_is_told
	stop_sensor
}

drop_is_told() {
	lab_cli XRANGE bulkhead:alerts - + | grep -qx BH-9001
}

stop_sensor() {
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends it with 0" test $? -eq 0
}

beats() {
	lab_cli HGETALL bulkhead:sensor:lab | sha256sum
}

check_heartbeat() {
	local before ttl
	before=$(beats)
	lab_check "a heartbeat each ten seconds" lab_until 12 changed "$before"
	stop_sensor
	ttl=$(lab_cli PTTL bulkhead:sensor:lab)
	sleep 2
	lab_check "its absence shows: the key expires in $ttl ms" \
		test "$(lab_cli PTTL bulkhead:sensor:lab)" -le $((ttl - 1900)) -a "$ttl" -le 60000
}

changed() {
	[ "$(beats)" != "$1" ]
}

main() {
	lab_begin ping pgrep
	tenants_begin || { lab_end; return; }
	make_tap
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	start_traffic
	lab_check "the heartbeat is there" lab_until 12 fact_says links 'span1 up, tap1 up'
	check_links
	restart_while_absent
	check_heartbeat
	[ "$LAB_FAILED" -eq 0 ] || tail -n 60 "$LAB_DIR/sensor.log"
	check_drops
	lab_end
}

main
