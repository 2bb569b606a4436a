#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fake_advertise6 announces a neighbour's address for its own MAC.
# Twin: the same tool, of a tenant that moves an address between its own hosts.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

life() {
	site_web core 2001:db8:ffff::80
	site_life o1 "http://[2001:db8:ffff::80]/file" p1 "http://[2001:db8:ffff::80]/file"
}

twin() {
	life
	lab_start o2 "$LAB_DIR/tool.log" atk6-fake_advertise6 -w 1 eth0 2001:db8:7a:3::31 ff02::1 \
		fa:16:3e:c1:00:32
	sleep 4
}

attack() {
	life
	lab_start q1 "$LAB_DIR/tool.log" atk6-fake_advertise6 -w 1 eth0 2001:db8:7a:3::31 ff02::1 \
		fa:16:3e:77:00:51
	site_await 10 spoof.ndp
	sleep 1
}

site_run fake_advertise6 mesa span atk6-fake_advertise6
