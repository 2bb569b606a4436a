#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# redir6 tells a neighbour, in the gateway's name, another next hop.
# Twin: the gateway's kernel redirects to a next hop of the segment, IPv4 and IPv6.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 2001:db8:ffff::80
	site_life o1 "http://[2001:db8:ffff::80]/file" p1 "http://[2001:db8:ffff::80]/file"
}

twin() {
	life
	lab_in core sysctl -qw net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.eth0.send_redirects=1
	ip -n "$(lab_ns core)" route add 192.0.2.128/25 via 10.211.3.141
	ip -n "$(lab_ns core)" route add 2001:db8:99::/64 via 2001:db8:7a:3::141
	ip -n "$(lab_ns p1)" addr add 192.0.2.129/32 dev lo
	ip -n "$(lab_ns p1)" addr add 2001:db8:99::1/128 dev lo nodad
	lab_in o1 ping -q -c 6 -i 0.3 192.0.2.129 >/dev/null
	lab_in o1 ping -q -c 6 -i 0.3 2001:db8:99::1 >/dev/null
	sleep 1
}

attack() {
	local i
	life
	for i in 1 2 3; do
		lab_in q1 timeout 5 atk6-redir6 eth0 2001:db8:7a:3::31 2001:db8:ffff::80 fe80::1 \
			fe80::f816:3eff:fe77:51 >"$LAB_DIR/tool.log" 2>&1
		sleep 0.5
	done
	site_await 6 spoof.redirect
}

site_run redir6 mesa span atk6-redir6
