#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh [BINARY] - the sensor at work in half a minute, on a Redis of its own.
#
# Starts a private redis-server (Unix socket in a temporary folder, no TCP port), replays an
# attack and ordinary traffic from pcaps/ into it, and shows the alerts as read back from Redis.
# Leaves nothing behind.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
bulkhead=${1:-$top/build/bulkhead}
folder=
redis_pid=

clean_up() {
	status=$?
	trap - EXIT INT TERM HUP
	if [ -n "$redis_pid" ]; then
		kill "$redis_pid" 2>/dev/null || :
		wait "$redis_pid" 2>/dev/null || :
	fi
	[ -z "$folder" ] || rm -rf -- "$folder"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	echo "demo: $*" >&2
	exit 1
}

say() {
	printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else
		sed 's/\x1b\[[0-9]*m//g'; fi
}

start_redis() {
	redis-server --port 0 --unixsocket "$folder/redis.sock" --unixsocketperm 700 \
		--dir "$folder" --save '' --appendonly no --daemonize no \
		--logfile "$folder/redis.log" &
	redis_pid=$!
	tries=0
	until redis-cli -s "$folder/redis.sock" ping >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || fail "redis-server does not answer; see its log: $(cat "$folder/redis.log")"
		kill -0 "$redis_pid" 2>/dev/null || fail "redis-server ended: $(cat "$folder/redis.log")"
		sleep 0.05
	done
}

replay() {
	"$bulkhead" replay --inventory "$top/pcaps/inventory.yaml" --tap span \
		--redis "unix://$folder/redis.sock" "$top/pcaps/$1"
}

# One line a state change, in the order of the stream.  redis-cli --raw prints id, then field and
# value in turn, a line each; no value holds a newline, the sensor sees to that.
show_alerts() {
	redis-cli --raw -s "$folder/redis.sock" XRANGE bulkhead:alerts - + | awk '
		function flush() {
			if (f["op"] == "") return
			printf "%-7s %-9s %-8s %-18s %s\n", f["op"], f["severity"], f["rule"], \
				f["kind"], f["message"]
			n[f["op"]]++
			delete f
		}
		/^[0-9]+-[0-9]+$/ && !want { flush(); next }
		!want { key = $0; want = 1; next }
		{ f[key] = $0; want = 0 }
		BEGIN { printf "%-7s %-9s %-8s %-18s %s\n", "OP", "SEVERITY", "RULE", "KIND", "MESSAGE" }
		END { flush(); printf "\n%d opened, %d updated, %d closed\n", n["open"], n["update"], n["close"] }'
}

command -v redis-server >/dev/null || fail "redis-server is not installed (apt install redis-server)"
command -v redis-cli >/dev/null || fail "redis-cli is not installed (apt install redis-tools)"
[ -x "$bulkhead" ] || fail "$bulkhead is not built; run make"
folder=$(mktemp -d)
start_redis

say "1. Ordinary traffic of two tenants (pcaps/ordinary.pcap.gz): nothing should be said"
replay ordinary.pcap.gz
quiet=$(redis-cli -s "$folder/redis.sock" XLEN bulkhead:alerts)

say "2. One tenant puts itself between another and the gateway (pcaps/attack-arpspoof.pcap.gz)"
replay attack-arpspoof.pcap.gz

say "3. The alerts, as read back from Redis (XRANGE bulkhead:alerts - +)"
show_alerts

say "4. Who saw how much of whose traffic (bulkhead:matrix:<day>, actor>victim, bytes)"
for key in $(redis-cli --raw -s "$folder/redis.sock" --scan --pattern 'bulkhead:matrix:*'); do
	redis-cli --raw -s "$folder/redis.sock" HGETALL "$key" | paste - -
done

[ "$quiet" = 0 ] || fail "ordinary traffic raised $quiet entries"
[ "$(redis-cli -s "$folder/redis.sock" XLEN bulkhead:alerts)" -gt 0 ] || fail "the attack raised nothing"
say "Next: bulkhead run -c bulkhead.yaml on a SPAN port; README.md, \"Deploying\"."
