#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# arping as hosts use it: duplicate detection, announcements of own addresses, look-ups.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

twin() {
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	lab_in l1 arping -q -D -c 2 -w 2 -I eth0 172.23.41.77
	ip -n "$(lab_ns l1)" addr add 172.23.41.5/22 dev eth0 2>/dev/null
	lab_in l1 arping -q -D -c 1 -w 1 -I eth0 172.23.40.17
	lab_in l1 arping -q -A -c 2 -I eth0 172.23.41.5
	lab_in k1 arping -q -U -c 2 -I eth0 172.23.40.17
	lab_in m1 arping -q -c 3 -w 2 -I eth0 172.23.40.17
	sleep 1
}

site_run arping harbor span arping
