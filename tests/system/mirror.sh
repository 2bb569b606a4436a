#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# mirror.sh - frames that the mirror session lost, which no counter of this machine knows: told from
# one in a hundred within ten seconds, and not when it is the network that loses them.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

LIMIT_MS=10000
CAPTURE='[{ interface: tap1, tap: span, buffer: 8MiB }]'

make_tap() {
	local sw end
	sw=$(lab_ns sw)
	ip -n "$sw" link add tap0 type veth peer name tap1
	for end in tap0 tap1; do
		ip -n "$sw" link set $end mtu 9000 up
		lab_plain_nic sw $end
	done
}

now_ms() {
	date +%s%3N
}

# play CAPTURE - its frames on the tap, at the pace of the recording.
play() {
	lab_in sw python3 -c "
import gzip, socket, struct, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('tap0', 0))
data, at, first, start = gzip.open('$LAB_TOP/pcaps/$1').read(), 24, None, time.monotonic()
while at < len(data):
    sec, usec, caplen, _ = struct.unpack_from('<IIII', data, at)
    first = first or sec + usec / 1e6
    time.sleep(max(0, sec + usec / 1e6 - first - (time.monotonic() - start)))
    s.send(data[at + 16:at + 16 + caplen])
    at += 16 + caplen"
}

loss_is_told() {
	lab_cli XRANGE bulkhead:alerts - + | grep -qx BH-9014
}

nothing_is_told() {
	! loss_is_told
}

check_loss() {
	local start took
	start=$(now_ms)
	play loss-mirror.pcap.gz &
	if lab_until 14 loss_is_told; then
		took=$(($(now_ms) - start))
		lab_check "one frame in a hundred is lost by the mirror: in Redis after $took ms" \
			test $took -le $LIMIT_MS
	else
		lab_bad "one frame in a hundred is lost by the mirror: no alert in Redis"
	fi
	wait $!
}

main() {
	lab_begin python3
	tenants_begin || { lab_end; return; }
	make_tap
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	sleep 1
	lab_check "a mirror plays" play loss-ordinary.pcap.gz
	sleep 3
	lab_check "a network that loses and reorders, mirrored whole: nothing is told" nothing_is_told
	check_loss
	[ "$LAB_FAILED" -eq 0 ] || tail -n 60 "$LAB_DIR/sensor.log"
	lab_end
}

main
