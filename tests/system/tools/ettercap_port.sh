#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ettercap steals switch ports: frames with the victims' MACs, sent to its own.
# Twin: live migration: a host's port moves to another switch and is announced, by RARP too.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

twin() {
	local sw
	sw=$(lab_ns sw)
	site_web rim 192.0.2.200
	ip -n "$sw" link add br1 type bridge
	ip -n "$sw" link set br1 up
	ip -n "$sw" link add p-up type veth peer name up1
	ip -n "$sw" link set p-up master br0
	ip -n "$sw" link set up1 master br1
	ip -n "$sw" link set p-up up
	ip -n "$sw" link set up1 up
	site_mirror up ingress
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	lab_start s1 /dev/null ping -q -i 0.2 203.0.113.71
	sleep 2
	lab_in sw tc qdisc del dev p-r1 clsact
	ip -n "$sw" link set p-r1 nomaster
	sleep 0.3
	ip -n "$sw" link set p-r1 master br1
	lab_in r1 python3 -c "
import socket, time
mac = bytes.fromhex('0cc47a3190a1')
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
for i in range(5):
    s.send(b'\xff' * 6 + mac + bytes.fromhex('8035 0001 0800 06 04 0003') + (mac + bytes(4)) * 2 + bytes(18))
    time.sleep(0.05 * (i + 1))"
	lab_in r1 arping -q -U -c 2 -I eth0 203.0.113.71
	sleep 1
}

attack() {
	site_web rim 192.0.2.200
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	lab_start t1 "$LAB_DIR/tool.log" ettercap -T -q -i eth0 -M port /203.0.113.71// /203.0.113.65//
	site_await 14 spoof.mac
	sleep 1
}

site_run ettercap_port tern span ettercap arping python3
