#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tcpdump without -n on a port that gets a neighbour's traffic asks for the names it sees.
# Twin: the same on a server, about its own visitors.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

resolver() {
	ip -n "$(lab_ns gate)" addr add 198.51.100.53/32 dev lo
	lab_start gate "$LAB_DIR/dns.log" dnsmasq -k -C /dev/null --pid-file= --no-resolv --no-hosts \
		--bind-interfaces --listen-address=198.51.100.53
	echo "nameserver 198.51.100.53" >"$LAB_DIR/resolv.conf"
	# "ip netns exec" gives the command a mount namespace of its own.
	# shellcheck disable=SC2016 # for the inner shell
	lab_start m1 "$LAB_DIR/tool.log" bash -c \
		'mount --bind "$0" /etc/resolv.conf && exec tcpdump -l -i eth0 ip and not port 53' \
		"$LAB_DIR/resolv.conf"
}

twin() {
	site_web m1 172.23.42.200
	resolver
	site_life k1 http://172.23.42.200/file l1 http://172.23.42.200/file
	sleep 5
}

attack() {
	site_web gate 198.51.100.80
	site_web l1 172.23.41.5
	resolver
	for way in ingress egress; do
		lab_in sw tc qdisc add dev p-k1 clsact 2>/dev/null || :
		lab_in sw tc filter add dev p-k1 $way protocol all u32 match u32 0 0 \
			action mirred egress mirror dev p-m1
	done
	site_life k1 http://198.51.100.80/file k1 http://172.23.41.5/file
	site_await 12 observe.ptr-lookup
}

site_run tcpdump_names harbor span dnsmasq
