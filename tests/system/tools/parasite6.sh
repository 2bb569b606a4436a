#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# parasite6 answers every neighbour solicitation with its own MAC; the kernel forwards.
# Twin: addresses that come and go, duplicate address detection, a privacy address.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 2001:db8:ffff::80
	site_life o1 "http://[2001:db8:ffff::80]/file" p1 "http://[2001:db8:ffff::80]/file"
}

twin() {
	life
	lab_in p1 sysctl -qw net.ipv6.conf.eth0.accept_dad=1
	ip -n "$(lab_ns p1)" addr add 2001:db8:7a:3:8d11:20ff:fe3:7/64 dev eth0
	ip -n "$(lab_ns p1)" addr del 2001:db8:7a:3::141/64 dev eth0
	ip -n "$(lab_ns p1)" addr add 2001:db8:7a:3::141/64 dev eth0
	sleep 2
	lab_in o1 ping -q -c 3 -i 0.3 2001:db8:7a:3::141 >/dev/null
	lab_in p1 ping -q -c 3 -i 0.3 2001:db8:7a:3::32 >/dev/null
	sleep 1
}

attack() {
	life
	site_router_on q1
	lab_start q1 "$LAB_DIR/tool.log" atk6-parasite6 -l -R eth0
	sleep 1
	for _ in 1 2 3 4; do
		ip -n "$(lab_ns o1)" -6 neigh flush dev eth0
		sleep 1
	done
	site_await 10 spoof.ndp relay.forward
}

site_run parasite6 mesa span atk6-parasite6
