#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nping sends with a neighbour's address.
# Twin: a host sends with a second address of its own tenant.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

ping_as() { # ADDRESS
	site_web rim 192.0.2.200
	site_life r1 http://192.0.2.200/file s1 http://192.0.2.200/file
	sleep 1
	lab_in t1 timeout 6 nping -q --icmp -c 20 --rate 10 -e eth0 -S "$1" 192.0.2.200 \
		>"$LAB_DIR/tool.log"
	lab_in t1 timeout 6 nping -q --udp -p 9000 -c 10 --rate 10 -e eth0 -S "$1" 192.0.2.200 \
		>>"$LAB_DIR/tool.log"
}

twin() {
	ping_as 203.0.113.121
}

attack() {
	ping_as 203.0.113.71
	site_await 8 spoof.source
}

site_run nping_spoof tern span nping
