#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fake_dhcps6 answers DHCPv6 clients with a name server of its own.
# Twin: dnsmasq on the gateway does so by its role.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 2001:db8:ffff::80
	site_life o1 "http://[2001:db8:ffff::80]/file" p1 "http://[2001:db8:ffff::80]/file"
}

solicit() {
	local i
	for i in 1 2 3; do
		lab_in o1 timeout 3 atk6-dump_dhcp6 eth0 >"$LAB_DIR/client.log" 2>&1
	done
}

twin() {
	life
	lab_start core "$LAB_DIR/tool.log" dnsmasq -k -C /dev/null --pid-file= -p 0 -i eth0 \
		--dhcp-leasefile="$LAB_DIR/leases" \
		--dhcp-range=2001:db8:7a:3::1000,2001:db8:7a:3::1fff,64
	sleep 0.5
	solicit
}

attack() {
	life
	lab_start q1 "$LAB_DIR/tool.log" atk6-fake_dhcps6 eth0 2001:db8:7a:3::/64 2001:db8:bad::53
	sleep 0.5
	solicit
	site_await 6 spoof.dhcp
}

site_run fake_dhcps6 mesa span atk6-fake_dhcps6 atk6-dump_dhcp6 dnsmasq
