#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A tenant's own WireGuard tunnel; nothing to tell.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

needs() {
	[ -c /dev/net/tun ] || echo "no /dev/net/tun for wireguard-go"
}

peer() { # HOST INNER OTHER-KEY OTHER-INNER ENDPOINT
	lab_start "$1" "$LAB_DIR/wg-$1.log" wireguard-go -f "wg-$1"
	lab_until 5 lab_in "$1" ip link show "wg-$1" >/dev/null
	lab_in "$1" wg set "wg-$1" listen-port 51820 private-key "$LAB_DIR/$1.key" \
		peer "$3" allowed-ips "$4/32" endpoint "$5"
	ip -n "$(lab_ns "$1")" addr add "$2/24" dev "wg-$1"
	ip -n "$(lab_ns "$1")" link set "wg-$1" up
}

twin() {
	(umask 077 && wg genkey >"$LAB_DIR/o1.key" && wg genkey >"$LAB_DIR/o2.key")
	site_web core 192.0.2.80
	site_life p1 http://192.0.2.80/file
	peer o1 192.168.77.1 "$(wg pubkey <"$LAB_DIR/o2.key")" 192.168.77.2 10.211.3.32:51820
	peer o2 192.168.77.2 "$(wg pubkey <"$LAB_DIR/o1.key")" 192.168.77.1 10.211.3.31:51820
	lab_in o1 ping -q -c 15 -i 0.2 192.168.77.2 >"$LAB_DIR/ping.log" ||
		lab_bad "nothing goes through the tunnel"
}

site_run wireguard mesa span wireguard-go wg
