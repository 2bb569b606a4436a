#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# arpspoof between two neighbours of different tenants, both ways; the kernel forwards.
# Twin: the gateway answers for a neighbour (proxy ARP) and sends its packets on.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

twin() {
	site_web s1 203.0.113.90
	lab_in rim sysctl -qw net.ipv4.conf.eth0.proxy_arp_pvlan=1
	ip -n "$(lab_ns r1)" route add 203.0.113.90 via 203.0.113.65
	ip -n "$(lab_ns s1)" route add 203.0.113.71 via 203.0.113.65
	site_life r1 http://203.0.113.90/file
	sleep 5
}

attack() {
	site_web s1 203.0.113.90
	site_router_on t1
	site_life r1 http://203.0.113.90/file
	lab_start t1 "$LAB_DIR/tool.log" arpspoof -i eth0 -t 203.0.113.71 -r 203.0.113.90
	site_await 14 spoof.arp relay.forward
}

site_run arpspoof_forward tern span arpspoof
