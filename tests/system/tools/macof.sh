#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# macof floods the switch with source MACs.
# Twin: a tenant's host with a dozen containers, each with a MAC of its own.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web rim 192.0.2.200
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
}

twin() {
	local i ns
	life
	ns=$(lab_ns r2)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		ip -n "$ns" link add "c$i" link eth0 type macvlan mode bridge || break
		ip -n "$ns" link set "c$i" up
		lab_in r2 arping -q -D -c 1 -w 1 -I "c$i" "203.0.113.$((100 + i))"
	done
	sleep 1
}

attack() {
	life
	lab_start t1 "$LAB_DIR/tool.log" macof -i eth0 -n 800
	site_await 8 observe.mac-exhaustion
	sleep 1
}

site_run macof tern span macof arping
