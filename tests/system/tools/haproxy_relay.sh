#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# haproxy in TCP mode passes connections to another tenant's service through.
# Twin: the provider's load balancer does so by its role.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

relay() { # HOST ADDRESS
	site_tls s1 203.0.113.90:443
	cat >"$LAB_DIR/haproxy.cfg" <<CONF
global
	maxconn 50
defaults
	mode tcp
	timeout connect 2s
	timeout client 9s
	timeout server 9s
listen l
	bind $2:443
	server s 203.0.113.90:443
CONF
	lab_start "$1" "$LAB_DIR/tool.log" haproxy -db -f "$LAB_DIR/haproxy.cfg"
	sleep 1
	for _ in 1 2 3 4 5 6; do
		lab_in r1 curl -ks -m 3 -o /dev/null --resolve "shop.example:443:$2" \
			https://shop.example/
		sleep 0.3
	done
}

twin() {
	relay front 203.0.113.70
}

attack() {
	relay t1 203.0.113.120
	site_await 5 relay.proxy
}

site_run haproxy_relay tern span haproxy openssl
