#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fake_router26 advertises itself as the router, with a prefix and a name server of its own.
# Twin: the gateway's own advertisements, by dnsmasq.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 2001:db8:ffff::80
	site_life o1 "http://[2001:db8:ffff::80]/file" p1 "http://[2001:db8:ffff::80]/file"
}

twin() {
	life
	lab_start core "$LAB_DIR/tool.log" dnsmasq -k -C /dev/null --pid-file= -p 0 --enable-ra \
		-i eth0 --dhcp-range=2001:db8:7a:3::,ra-only,64 --ra-param=eth0,3
	for _ in 1 2 3 4 5; do
		lab_in p1 timeout 1 python3 -c "
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.sendto(b'\x85\0\0\0\0\0\0\0', ('ff02::2', 0, 0, socket.if_nametoindex('eth0')))"
		sleep 0.7
	done
}

attack() {
	life
	lab_start q1 "$LAB_DIR/tool.log" atk6-fake_router26 -A 2001:db8:bad::/64 \
		-D 2001:db8:bad::53 eth0
	site_await 10 spoof.router-advertisement
	sleep 1
}

site_run fake_router26 mesa span atk6-fake_router26 dnsmasq
