#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A host gives itself the gateway's MAC but keeps its address.
# Twin: a host takes over MAC and address of another host of its tenant.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	sleep 1
}

clone() { # HOST MAC
	ip -n "$(lab_ns "$1")" link set eth0 down
	ip -n "$(lab_ns "$1")" link set eth0 address "$2"
	ip -n "$(lab_ns "$1")" link set eth0 up
}

twin() {
	life
	ip -n "$(lab_ns k1)" link set eth0 down
	clone k2 00:16:3e:5a:10:01
	lab_in k2 ping -q -c 6 -i 0.3 172.23.41.5 >/dev/null
	ip -n "$(lab_ns k2)" addr add 172.23.40.17/22 dev eth0
	lab_in k2 ping -q -c 6 -i 0.3 -I 172.23.40.17 172.23.41.5 >/dev/null
}

attack() {
	life
	clone m1 00:16:3e:00:00:01
	lab_in m1 ping -q -c 4 -i 0.3 172.23.41.5 >/dev/null
	lab_in m1 ping -q -c 4 -i 0.3 172.23.40.17 >/dev/null
	site_await 6 spoof.mac
}

site_run mac_clone harbor span 
