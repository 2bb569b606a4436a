#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# dnsmasq as a rogue DHCP server that hands out itself as the router.
# Twin: dnsmasq on the gateway, by its role; a pool address is used by whom it was leased to.
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

twin() {
	life
	server
	client k1
	client l1
	ip -n "$(lab_ns l1)" addr add 172.23.43.21/22 dev eth0
	lab_in l1 arping -q -U -c 1 -I eth0 172.23.43.21
	lab_in k1 ping -q -c 4 -i 0.3 172.23.43.21 >/dev/null
	sleep 1
}

attack() {
	life
	lab_start m1 "$LAB_DIR/tool.log" dnsmasq -k -C /dev/null --pid-file= -p 0 -i eth0 \
		--dhcp-leasefile="$LAB_DIR/leases" --dhcp-authoritative --no-ping \
		--dhcp-range=172.23.43.10,172.23.43.90 --dhcp-option=3,172.23.42.200 \
		--dhcp-option=6,172.23.42.200
	sleep 1
	client k1
	client l1
	site_await 8 spoof.dhcp
}

site_run dnsmasq_dhcp harbor span dnsmasq busybox arping
