#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nmap scans the segment: rude, but nobody's traffic is seen or moved.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

twin() {
	site_web r1 203.0.113.71
	site_web rim 192.0.2.200
	site_life s1 http://192.0.2.200/file
	lab_in t1 nmap -n -sn -T4 203.0.113.64/26 >/dev/null
	lab_in t1 nmap -n -sS -T4 --top-ports 60 --traceroute 203.0.113.71 203.0.113.90 192.0.2.200 \
		>/dev/null
	lab_in t1 timeout 6 nmap -n -sU -T4 --max-retries 0 -p 53,123,161,4789 203.0.113.71 >/dev/null
}

site_run nmap tern span nmap
