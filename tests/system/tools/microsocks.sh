#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# microsocks relays a neighbour's connections.
# Twin: a tenant's own SOCKS server.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

relay() { # SERVER CLIENT ADDRESS
	local i
	site_web core 192.0.2.80
	site_tls core 192.0.2.80:443
	lab_start "$1" "$LAB_DIR/tool.log" microsocks -i "$3" -p 1080
	sleep 0.7
	for i in 1 2 3 4 5; do
		lab_in "$2" curl -ks -m 3 -o /dev/null --socks5 "$3:1080" https://192.0.2.80/
		lab_in "$2" curl -s -m 3 -o /dev/null --socks5 "$3:1080" "http://192.0.2.80/file?$i-$RANDOM"
		sleep 0.2
	done
}

twin() {
	relay o2 o1 10.211.3.32
}

attack() {
	relay q1 p1 10.211.3.251
	site_await 5 relay.proxy
}

site_run microsocks mesa span microsocks openssl
