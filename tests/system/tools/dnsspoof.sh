#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# dnsspoof answers before the resolver, from a position taken with arpspoof.
# Twin: the resolver answers, and a tenant's own caching resolver asks it.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

resolver() {
	ip -n "$(lab_ns gate)" addr add 198.51.100.53/32 dev lo
	lab_start gate "$LAB_DIR/dns.log" dnsmasq -k -C /dev/null --pid-file= --no-resolv --no-hosts \
		--bind-interfaces --listen-address=198.51.100.53 --address=/example/198.51.100.80
	site_web gate 198.51.100.80
	site_life l1 http://198.51.100.80/file
}

ask() { # HOST SERVER TIMES
	for ((i = 0; i < $3; i++)); do
		lab_in "$1" timeout 2 busybox nslookup "app$i.example" "$2" >/dev/null 2>&1
		sleep 0.3
	done
}

twin() {
	resolver
	lab_start k2 "$LAB_DIR/cache.log" dnsmasq -k -C /dev/null --pid-file= --no-resolv --no-hosts \
		--bind-interfaces --listen-address=172.23.40.18 --server=198.51.100.53
	ask k1 198.51.100.53 3
	ask k1 172.23.40.18 5
	ask l1 198.51.100.53 2
}

attack() {
	resolver
	site_life k1 http://198.51.100.80/file
	site_router_on m1
	echo "172.23.42.200 *.example" >"$LAB_DIR/names"
	lab_start m1 "$LAB_DIR/tool.log" arpspoof -i eth0 -t 172.23.40.17 -r 172.23.40.1
	lab_start m1 "$LAB_DIR/tool2.log" dnsspoof -i eth0 -f "$LAB_DIR/names"
	sleep 4
	ask k1 198.51.100.53 5
	site_await 8 spoof.arp spoof.name
}

site_run dnsspoof harbor span dnsmasq arpspoof dnsspoof busybox
