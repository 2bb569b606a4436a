#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ettercap poisons a neighbour and the gateway and forwards in userland, TTL untouched.
# Twin: a tenant's second host takes over its first one's address, announced with arping.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

twin() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	sleep 2
	ip -n "$(lab_ns k1)" addr del 172.23.40.17/22 dev eth0
	ip -n "$(lab_ns k2)" addr add 172.23.40.17/22 dev eth0
	lab_in k2 arping -q -U -c 2 -I eth0 172.23.40.17
	lab_in l1 ping -q -c 4 -i 0.3 172.23.40.17 >/dev/null
	sleep 1
}

attack() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	lab_start m1 "$LAB_DIR/tool.log" ettercap -T -q -i eth0 -M arp:remote \
		/172.23.40.17// /172.23.40.1//
	site_await 14 spoof.arp relay.bridge
}

site_run ettercap_arp harbor span ettercap arping
