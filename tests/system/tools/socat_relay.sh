#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# socat passes a neighbour's TLS through: it was told this address for a service elsewhere.
# Twin: a tenant passes its own traffic through.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

visit() { # HOST ADDRESS TIMES
	for ((i = 0; i < $3; i++)); do
		lab_in "$1" curl -ks -m 3 -o /dev/null --resolve "portal.example:443:$2" \
			https://portal.example/
		sleep 0.2
	done
}

relay() {
	site_tls gate 198.51.100.80:443
	lab_start "$1" "$LAB_DIR/tool.log" socat TCP-LISTEN:443,fork,reuseaddr TCP:198.51.100.80:443
	sleep 0.7
	visit l1 198.51.100.80 2
}

twin() {
	relay k2
	visit k1 172.23.40.18 6
}

attack() {
	relay m1
	visit k1 172.23.42.200 6
	site_await 5 relay.proxy
}

site_run socat_relay harbor span socat openssl
