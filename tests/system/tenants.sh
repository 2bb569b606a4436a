# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# tenants.sh - for tests to source: the lab of lab.sh with acme/a, globex/b, evil/c and a gateway
# that has a web server behind it; their inventory, their traffic, and what evil does.
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

A_MAC=02:77:00:00:00:0a B_MAC=02:77:00:00:00:0b C_MAC=02:77:00:00:00:0c GW_MAC=02:77:00:00:00:01
A_IP=10.77.0.11 B_IP=10.77.0.21 C_IP=10.77.0.66 GW_IP=10.77.0.1 WEB_IP=198.51.100.10

# SENSOR_USER is whom the sensor becomes: nobody, unless the test needs it to stay root.
SENSOR_USER=${SENSOR_USER-nobody} STATE=
CAPTURE='[{ interface: span1, tap: span, buffer: 8MiB }]'

write_config() {
	STATE=$LAB_DIR/state
	cat >"$LAB_DIR/inventory.yaml" <<YAML
version: 1
segments:
  - { name: lan, prefixes: [10.77.0.0/24] }
tenants:
  - { name: acme, segments: [lan], hosts: [{ name: a, mac: "$A_MAC", ip: $A_IP }] }
  - { name: globex, segments: [lan], hosts: [{ name: b, mac: "$B_MAC", ip: $B_IP }] }
  - { name: evil, segments: [lan], hosts: [{ name: c, mac: "$C_MAC", ip: $C_IP }] }
infrastructure:
  - { name: gw, mac: "$GW_MAC", ip: $GW_IP, roles: [router] }
taps:
  - { name: span, view: ingress }
YAML
	cat >"$LAB_DIR/bulkhead.yaml" <<YAML
version: 1
sensor: { name: lab, site: test, user: "$SENSOR_USER" }
inventory: [inventory.yaml]
capture: $CAPTURE
outbox: { file: $STATE/outbox.db }
evidence: { directory: $STATE/evidence }
redis: { url: "unix://$LAB_REDIS" }
output: [{ file: $STATE/alerts.jsonl }]
windows: { update: ${UPDATE:-60s} }
YAML
	lab_share "${SENSOR_USER:-root}"
	install -d -m 700 -o "${SENSOR_USER:-root}" "$STATE/evidence"
}

# Ordinary life until it is killed: both tenants fetch a file from behind the gateway, and ping it.
start_traffic() {
	local name
	mkdir "$LAB_DIR/web"
	head -c 20000 /dev/zero >"$LAB_DIR/web/file"
	lab_start gw /dev/null python3 -m http.server 80 --bind "$WEB_IP" --directory "$LAB_DIR/web"
	for name in a b; do
		lab_start "$name" /dev/null ping -q -i 0.2 "$WEB_IP"
		lab_start "$name" /dev/null python3 -c "
import time, urllib.request
while True:
    try:
        urllib.request.urlopen('http://$WEB_IP/file', timeout=2).read()
    except OSError:
        pass
    time.sleep(0.1)"
	done
}

# "id op kind actor victim json", tab separated, a line a state change; health.* left out.
entries() {
	lab_cli XRANGE bulkhead:alerts - + | awk -v OFS='\t' '
		function flush() { if (f["op"] != "" && f["kind"] !~ /^health/)
			print id, f["op"], f["kind"], f["actor"] "/" f["actor_host"], f["victim"], f["json"]
			delete f }
		!want && /^[0-9]+-[0-9]+$/ { flush(); id = $0; next }
		!want { key = $0; want = 1; next }
		{ f[key] = $0; want = 0 }
		END { flush() }'
}

poison() {
	lab_in c sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.eth0.send_redirects=0
	lab_start c "$LAB_DIR/arpspoof.log" arpspoof -i eth0 -t "$A_IP" -r "$GW_IP"
}

# The network, its Redis and its files.  UPDATE is windows.update.
tenants_begin() {
	lab_redis || {
		lab_bad "redis-server does not start"
		return 1
	}
	lab_host gw $GW_MAC $GW_IP/24
	ip -n "$(lab_ns gw)" addr add $WEB_IP/32 dev lo
	lab_in gw sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0
	lab_host a $A_MAC $A_IP/24 $GW_IP
	lab_host b $B_MAC $B_IP/24 $GW_IP
	lab_host c $C_MAC $C_IP/24 $GW_IP
	lab_span
	write_config
}
