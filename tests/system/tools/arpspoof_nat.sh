#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# arpspoof draws a neighbour's traffic, the relay masquerades it: other addresses, same sequence numbers.
# Twin: a tenant's second host is the router and NAT of its first.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

masquerade() {
	site_router_on "$1"
	lab_in "$1" nft "add table ip n; add chain ip n p { type nat hook postrouting priority 100; };
		add rule ip n p oifname eth0 masquerade"
}

twin() {
	site_web rim 192.0.2.200
	masquerade r2
	ip -n "$(lab_ns r1)" route replace default via 203.0.113.72
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	sleep 5
}

attack() {
	site_web rim 192.0.2.200
	masquerade t1
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	lab_start t1 "$LAB_DIR/tool.log" arpspoof -i eth0 -t 203.0.113.71 203.0.113.65
	site_await 14 spoof.arp relay.rewrite
}

site_run arpspoof_nat tern span arpspoof nft
