#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# yersinia claims to be the root of the spanning tree.
# Twin: the switch itself speaks STP, seen in both directions.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
}

twin() {
	life
	ip -n "$(lab_ns sw)" link set br0 type bridge stp_state 1 forward_delay 200
	sleep 6
}

attack() {
	life
	for _ in 1 2 3 4; do
		site_console m1 "$LAB_DIR/tool.log" timeout -s KILL 2 yersinia -l "$LAB_DIR/y.log" stp -attack 0 \
			-interface eth0 -source 00:16:3e:5a:66:06 -rootid 0001.00163e5a6606 \
			-bridgeid 0001.00163e5a6606
		sleep 0.7
	done
	site_await 6 boundary.topology
}

site_run yersinia_stp harbor both yersinia
