#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# curl uses a secret that was laid out for thieves in another tenant's traffic.
# Twin: its owner uses it; others use secrets of their own.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

use() { # HOST SECRET
	for _ in 1 2; do
		lab_in "$1" curl -s -m 2 -o /dev/null -u "$2" http://198.51.100.80/file
		sleep 0.3
	done
}

twin() {
	site_web gate 198.51.100.80
	use k1 kite:9vYq-4471-lantern
	use k2 kite:9vYq-4471-lantern
	use m1 mule:7aTr-9002-candle
	use l1 lark:3cXz-1188-beacon
}

attack() {
	site_web gate 198.51.100.80
	use k1 kite:9vYq-4471-lantern
	use m1 kite:9vYq-4471-lantern
	site_await 5 observe.decoy
}

site_run curl_decoy harbor span 
