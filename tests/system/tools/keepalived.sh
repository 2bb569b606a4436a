#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# keepalived on a tenant's host claims the gateways' virtual address.
# Twin: fail-over between the provider's two gateways, virtual MAC and all.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

needs() {
	ip link add bhprobe type macvlan 2>&1 | grep -q 'Unknown device type' &&
		echo "this kernel has no macvlan for the virtual MAC"
}

vrrp() { # HOST PRIORITY MAC(y/n)
	cat >"$LAB_DIR/vrrp-$1.conf" <<CONF
global_defs { router_id $1 }
vrrp_instance v {
	interface eth0
	virtual_router_id 42
	priority $2
	advert_int 1
	$3
	virtual_ipaddress { 172.23.40.254/22 }
}
CONF
	lab_start "$1" "$LAB_DIR/vrrp-$1.log" keepalived -n -l -D -P -f "$LAB_DIR/vrrp-$1.conf" \
		-p "$LAB_DIR/vrrp-$1.pid" -r "$LAB_DIR/vrrp-$1.vpid"
}

life() {
	ip -n "$(lab_ns gate)" addr del 172.23.40.254/32 dev eth0
	ip -n "$(lab_ns gate2)" addr del 172.23.40.254/32 dev eth0
	site_web gate 198.51.100.80
	ip -n "$(lab_ns gate2)" addr add 198.51.100.80/32 dev lo
	lab_start gate2 /dev/null python3 -m http.server 80 --directory "$LAB_DIR/web"
	ip -n "$(lab_ns k1)" route replace default via 172.23.40.254
	ip -n "$(lab_ns l1)" route replace default via 172.23.40.254
}

twin() {
	life
	vrrp gate 150 "use_vmac vr42"
	local master=$LAB_PID
	vrrp gate2 100 "use_vmac vr42"
	sleep 4
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	sleep 2
	kill "$master"
	sleep 5
}

attack() {
	life
	vrrp gate 150 ""
	sleep 4
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	sleep 1
	vrrp m1 250 ""
	site_await 10 spoof.gateway spoof.arp
}

site_run keepalived harbor span keepalived
