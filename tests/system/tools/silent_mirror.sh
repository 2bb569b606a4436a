#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tc copies a neighbour's port to the port of a host that only listens; seen on that port.
# Twin: a switch that forgot an address floods until the next frame from it.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 192.0.2.80
	site_life o1 http://192.0.2.80/file p1 http://192.0.2.80/file
}

twin() {
	life
	sleep 2
	for _ in 1 2; do
		lab_in sw bridge fdb flush dev br0 2>/dev/null ||
			ip -n "$(lab_ns sw)" link set br0 type bridge fdb_flush
		sleep 1.5
	done
}

attack() {
	life
	for way in ingress egress; do
		lab_in sw tc qdisc add dev p-o1 clsact 2>/dev/null || :
		lab_in sw tc filter add dev p-o1 $way protocol all u32 match u32 0 0 \
			action mirred egress mirror dev p-q1
	done
	site_await 10 observe.exposure
	sleep 1
}

site_run silent_mirror mesa port-q1 
