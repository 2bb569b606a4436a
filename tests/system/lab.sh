# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# lab.sh - a small network in namespaces for tests to source: one switch with a SPAN port, hosts
# of tenants, a gateway, an attacker.
#
#	 a (acme)   b (globex)   c (evil)   gw
#	    |           |           |        |
#	  p-a         p-b         p-c      p-gw      ports of br0 in namespace "sw"; what enters
#	    '-----------'-----br0---'--------'       a port is copied (tc mirred) to the SPAN:
#	                                             span0 --> span1, where the sensor listens
#
# A test calls lab_begin, lab_host, lab_span, then lab_ok/lab_bad/lab_skip for each statement, and
# lab_end, which prints "N passed, N failed[, N skipped]" and returns the status.  Everything the
# lab starts is stopped by its pid, and every namespace carries this shell's pid in its name.

LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_BIN=${BULKHEAD:-$LAB_TOP/build/bulkhead}
LAB_PASSED=0 LAB_FAILED=0 LAB_SKIPPED=0
LAB_PIDS=() LAB_SPACES=() LAB_PORTS=()
LAB_DIR=

lab_ok() {
	LAB_PASSED=$((LAB_PASSED + 1))
	echo "ok   $*"
}

lab_bad() {
	LAB_FAILED=$((LAB_FAILED + 1))
	echo "FAIL $*"
}

lab_skip() {
	LAB_SKIPPED=$((LAB_SKIPPED + 1))
	echo "skip $*"
}

# lab_check WHAT COMMAND... - one statement.
lab_check() {
	local what=$1
	shift
	if "$@"; then lab_ok "$what"; else lab_bad "$what"; fi
}

lab_end() {
	printf '%d passed, %d failed' "$LAB_PASSED" "$LAB_FAILED"
	[ "$LAB_SKIPPED" -eq 0 ] || printf ', %d skipped' "$LAB_SKIPPED"
	echo
	[ "$LAB_FAILED" -eq 0 ]
}

lab_clean() {
	local i
	for ((i = ${#LAB_PIDS[@]} - 1; i >= 0; i--)); do
		kill "${LAB_PIDS[i]}" 2>/dev/null
	done
	for i in "${LAB_PIDS[@]}"; do
		wait "$i" 2>/dev/null
	done
	for i in "${LAB_SPACES[@]}"; do
		ip netns del "$i" 2>/dev/null
	done
	[ -z "$LAB_DIR" ] || rm -rf -- "$LAB_DIR"
}

lab_ns() {
	echo "bh$$-$1"
}

# lab_in NAME COMMAND... - in a host's namespace, in the foreground.
lab_in() {
	local name=$1
	shift
	ip netns exec "$(lab_ns "$name")" "$@"
}

# lab_start NAME LOG COMMAND... - the same in the background; LAB_PID is its pid.  "ip netns exec"
# replaces itself by the command, so the pid is the command's.
lab_start() {
	local name=$1 log=$2
	shift 2
	ip netns exec "$(lab_ns "$name")" "$@" >"$log" 2>&1 &
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
}

lab_space() {
	local ns
	ns=$(lab_ns "$1")
	ip netns add "$ns" && LAB_SPACES+=("$ns")
	ip -n "$ns" link set lo up
	lab_in "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || :
}

# What this kernel and machine lack, or nothing.
lab_missing() {
	local tool
	[ "$(id -u)" -eq 0 ] || { echo "needs root for network namespaces"; return; }
	for tool in ip tc redis-server redis-cli python3 "$@"; do
		command -v "$tool" >/dev/null || { echo "$tool is not installed"; return; }
	done
	[ -x "$LAB_BIN" ] || { echo "$LAB_BIN is not built"; return; }
	local ns="bh$$-probe" why=
	ip netns add "$ns" 2>/dev/null || { echo "this kernel has no network namespaces"; return; }
	if ! ip -n "$ns" link add x0 type veth peer name x1 2>/dev/null; then
		why="this kernel has no veth"
	elif ! ip -n "$ns" link add br0 type bridge 2>/dev/null; then
		why="this kernel has no bridge"
	elif ! ip netns exec "$ns" tc qdisc add dev x0 clsact 2>/dev/null; then
		why="this kernel has no clsact"
	elif ! ip netns exec "$ns" tc filter add dev x0 ingress protocol all u32 match u32 0 0 \
		action mirred egress mirror dev x1 2>/dev/null; then
		why="this kernel has no u32 classifier or no mirred action"
	fi
	ip netns del "$ns"
	echo "$why"
}

# lab_begin TOOL... - skips the whole test when something is missing.
lab_begin() {
	local why
	trap lab_clean EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	why=$(lab_missing "$@")
	if [ -n "$why" ]; then
		lab_skip "$why"
		lab_end
		exit
	fi
	LAB_DIR=$(mktemp -d)
	lab_space sw
	ip -n "$(lab_ns sw)" link add br0 type bridge
	ip -n "$(lab_ns sw)" link set br0 up
}

lab_plain_nic() { # offloads would make super-frames that no wire carries
	command -v ethtool >/dev/null || return 0
	lab_in "$1" ethtool -K "$2" tso off gso off gro off tx off >/dev/null 2>&1 || :
}

# lab_host NAME MAC ADDRESS/LENGTH [GATEWAY]
lab_host() {
	local name=$1 mac=$2 address=$3 gateway=${4:-} sw ns
	sw=$(lab_ns sw)
	ns=$(lab_ns "$name")
	lab_space "$name"
	ip -n "$sw" link add "p-$name" type veth peer name eth0 netns "$ns"
	ip -n "$ns" link set eth0 address "$mac"
	ip -n "$ns" addr add "$address" dev eth0
	ip -n "$sw" link set "p-$name" master br0
	ip -n "$sw" link set "p-$name" up
	ip -n "$ns" link set eth0 up
	lab_plain_nic sw "p-$name"
	lab_plain_nic "$name" eth0
	[ -z "$gateway" ] || ip -n "$ns" route add default via "$gateway"
	LAB_PORTS+=("p-$name")
}

# A SPAN of what enters every port made so far; the sensor listens on span1 in "sw".
lab_span() {
	local sw port
	sw=$(lab_ns sw)
	ip -n "$sw" link add span0 type veth peer name span1
	ip -n "$sw" link set span0 up
	ip -n "$sw" link set span1 up promisc on
	lab_plain_nic sw span0
	lab_plain_nic sw span1
	for port in "${LAB_PORTS[@]}"; do
		lab_in sw tc qdisc add dev "$port" clsact
		lab_in sw tc filter add dev "$port" ingress protocol all u32 match u32 0 0 \
			action mirred egress mirror dev span0
	done
}

# A Redis of our own; LAB_REDIS is its socket.  Files are shared by all namespaces.
lab_redis() {
	LAB_REDIS=$LAB_DIR/redis.sock
	redis-server --port 0 --unixsocket "$LAB_REDIS" --unixsocketperm 777 --dir "$LAB_DIR" --save '' --appendonly no \
		--daemonize no --logfile "$LAB_DIR/redis.log" &
	LAB_REDIS_PID=$!
	LAB_PIDS+=("$LAB_REDIS_PID")
	lab_until 10 redis-cli -s "$LAB_REDIS" ping >/dev/null
}

lab_cli() {
	redis-cli --raw -s "$LAB_REDIS" "$@"
}

# lab_until SECONDS COMMAND... - tries every 50 ms until it succeeds; 1 when it never does.
lab_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# Files and Redis within reach of the user that a sensor becomes.
lab_share() {
	chmod 711 "$LAB_DIR"
	mkdir -p "$LAB_DIR/state"
	chown "$1" "$LAB_DIR/state"
	chmod 700 "$LAB_DIR/state"
}

# The worker of LAB_SENSOR.
lab_worker() {
	pgrep -P "$LAB_SENSOR" -x bulkhead-worker
}

lab_log_has() {
	grep -Eq -- "$1" "$LAB_DIR/sensor.log"
}

# lab_launch COMMAND... - starts a sensor by its command and waits until it watches.
lab_launch() {
	rm -f "$LAB_DIR/sensor.log"
	lab_start sw "$LAB_DIR/sensor.log" "$@"
	LAB_SENSOR=$LAB_PID
	lab_until 15 lab_log_has 'watching:' || {
		lab_bad "the sensor does not start"
		sed 's/^/     /' "$LAB_DIR/sensor.log"
		return 1
	}
}

# lab_sensor CONFIG - bulkhead run on the SPAN.
lab_sensor() {
	lab_launch "$LAB_BIN" run -c "$1"
}
