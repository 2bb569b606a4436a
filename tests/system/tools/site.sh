# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# site.sh - for the scenarios of this folder to source: builds the network that an inventory of
# pcaps/tool-*.yaml describes, runs the scenario's benign twin and then its attack on it, each
# under a live sensor, and holds the alerts against the replay cases of the same names.
#
# A scenario defines twin() or attack() or both, and ends with
#
#	site_run NAME SITE [TAP [TOOL...]]
#
# Both get the whole network anew.  CASE names the replay case when it is another scenario's.
# Optional: needs() prints what this machine lacks, or nothing.
# RECORD=FOLDER keeps what the sensor saw, KEEP=FOLDER all files of a phase; TELL=1 prints every alert;
# ONLY=twin or ONLY=attack runs that phase alone.
# shellcheck source-path=SCRIPTDIR source=../lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab.sh"

SITE_HERE=$(dirname "${BASH_SOURCE[0]}")

needs() { :; }

site_py() {
	python3 "$SITE_HERE/site.py" "$@"
}

# site_mirror NAME "ingress egress" - copies what enters, leaves, or both.
site_mirror() {
	local port=p-$1 way
	lab_in sw tc qdisc add dev "$port" clsact
	for way in $2; do
		lab_in sw tc filter add dev "$port" "$way" protocol all u32 match u32 0 0 \
			action mirred egress mirror dev span0
	done
}

# The SPAN keeps the tag of the access ports' VLAN, as on most switches.  This kernel may have no
# 802.1Q devices, so a small BPF program on the way out of the SPAN port puts the tag on.
site_tag() {
	cat >"$LAB_DIR/tag.c" <<C
struct __sk_buff;
static long (*push)(struct __sk_buff *, unsigned short, unsigned short) = (void *)18;
__attribute__((section("classifier"), used)) int tag(struct __sk_buff *skb)
{
	push(skb, __builtin_bswap16(0x8100), $1);
	return 0;
}
C
	clang -O2 -target bpf -c "$LAB_DIR/tag.c" -o "$LAB_DIR/tag.o" &&
		lab_in sw tc qdisc add dev span0 clsact &&
		lab_in sw tc filter add dev span0 egress bpf da obj "$LAB_DIR/tag.o" sec classifier
}

# site_host NAME MAC ROUTER ADDRESS/LENGTH...
site_host() {
	local name=$1 mac=$2 role=$3 ns a first=
	shift 3
	ns=$(lab_ns "$name")
	for a in "$@"; do
		case $a in *:*) ;; *) first=${first:-$a} ;; esac
	done
	lab_host "$name" "$mac" "$first"
	ip -n "$ns" link set eth0 mtu "$SITE_MTU"
	ip -n "$(lab_ns sw)" link set "p-$name" mtu "$SITE_MTU"
	case "$*" in *:*)
		lab_in "$name" sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.lo.disable_ipv6=0 \
			net.ipv6.conf.eth0.accept_ra=0 net.ipv6.conf.eth0.disable_ipv6=0
		;;
	esac
	for a in "$@"; do
		[ "$a" != "$first" ] || continue
		case $a in
		*:*) ip -n "$ns" addr add "$a" dev eth0 nodad ;;
		*) ip -n "$ns" addr add "${a%/*}/32" dev eth0 ;;
		esac
	done
	if [ "$role" = router ]; then
		lab_in "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
			net.ipv4.conf.eth0.send_redirects=0
		lab_in "$name" sysctl -qw net.ipv6.conf.all.forwarding=1 2>/dev/null || :
		for a in $SITE_WORLD; do # servers behind it, in nobody's inventory
			case $name,$a in
			gate2,*) ;;
			*:*) ip -n "$ns" addr add "$a/128" dev lo nodad ;;
			*) ip -n "$ns" addr add "$a/32" dev lo ;;
			esac
		done
	else
		[ -z "$SITE_GW" ] || ip -n "$ns" route add default via "$SITE_GW"
		case $SITE_GW6,$* in
		*,*:*) ip -n "$ns" -6 route add default via "$SITE_GW6" dev eth0 ;;
		esac
	fi
}

# site_up SITE TAP - the inventory's network with the SPAN of the tap's view.
site_up() {
	local words name way
	SITE_INVENTORY=$LAB_TOP/pcaps/tool-$1.yaml
	SITE_TAG=0 SITE_MTU=1500 SITE_GW='' SITE_GW6=''
	case $1 in
	harbor) SITE_GW=172.23.40.1 SITE_WORLD=198.51.100.80 ;;
	mesa)
		SITE_GW=10.211.3.1 SITE_GW6=2001:db8:7a:3::1 SITE_MTU=9000
		SITE_WORLD="192.0.2.80 2001:db8:ffff::80"
		;;
	tern) SITE_GW=203.0.113.65 SITE_WORLD=192.0.2.200 SITE_MTU=1400 ;;
	esac
	LAB_DIR=$(mktemp -d)
	lab_space sw
	ip -n "$(lab_ns sw)" link add br0 type bridge
	ip -n "$(lab_ns sw)" link set br0 up
	ip -n "$(lab_ns sw)" link add span0 mtu 9200 type veth peer name span1 mtu 9200
	ip -n "$(lab_ns sw)" link set span0 up
	ip -n "$(lab_ns sw)" link set span1 up promisc on
	lab_plain_nic sw span0
	lab_plain_nic sw span1
	while read -r -a words; do
		case ${words[0]} in
		tag) SITE_TAG=${words[1]} ;;
		host) site_host "${words[@]:1}" ;;
		esac
	done < <(site_py hosts "$SITE_INVENTORY")
	[ "$SITE_TAG" = 0 ] || site_tag "$SITE_TAG" || return
	for name in "${LAB_PORTS[@]#p-}"; do
		case $2 in
		both) way="ingress egress" ;;
		port-*) way=egress ;;
		*) way=ingress ;;
		esac
		case $2 in
		"port-$name" | span | both) site_mirror "$name" "$way" ;;
		esac
	done
}

site_down() {
	local record=${1:-}
	if [ -n "${RECORD:-}" ] && [ -n "$record" ]; then
		cp "$LAB_DIR/span.pcap" "$RECORD/$record.pcap"
	fi
	lab_clean
	LAB_PIDS=() LAB_SPACES=() LAB_PORTS=() LAB_DIR=
}

site_config() {
	cat >"$LAB_DIR/bulkhead.yaml" <<YAML
version: 1
sensor: { name: tools, site: $1, user: "" }
inventory: [$SITE_INVENTORY]
capture: [{ interface: span1, tap: $2, buffer: 8MiB }]
outbox: { file: $LAB_DIR/outbox.db }
evidence: { directory: $LAB_DIR/evidence }
output: [{ file: $LAB_DIR/alerts.jsonl }]
YAML
	mkdir -m 700 "$LAB_DIR/evidence"
	: >"$LAB_DIR/alerts.jsonl"
}

site_kind() { # is there an alert of this kind
	grep -q "\"kind\":\"$1\"" "$LAB_DIR/alerts.jsonl"
}

# site_await SECONDS KIND... - until all were told, and a moment longer.
site_await() {
	local end=$((SECONDS + $1)) kind
	shift
	for kind in "$@"; do
		lab_until $((end > SECONDS ? end - SECONDS : 1)) site_kind "$kind" || return 0
	done
	sleep 1
}

# site_life HOST URL [HOST URL]... - each host fetches and pings until the phase is over.
site_life() {
	local where
	while [ $# -ge 2 ]; do
		where=${2#*://}
		where=${where%%/*}
		# shellcheck disable=SC2016 # for the inner shell
		lab_start "$1" /dev/null bash -c \
			'while :; do curl -gs -m 2 -o /dev/null "$1"; sleep 0.4; done' life "$2"
		case $where in
		\[*) where=${where#\[} where=${where%%\]*} ;;
		*) where=${where%%:*} ;;
		esac
		lab_start "$1" /dev/null ping -q -i 0.5 "$where"
		shift 2
	done
}

# site_web HOST ADDRESS [PORT] - a small web server.
site_web() {
	mkdir -p "$LAB_DIR/web"
	[ -e "$LAB_DIR/web/file" ] || head -c 3000 /dev/urandom >"$LAB_DIR/web/file"
	lab_start "$1" /dev/null python3 -m http.server "${3:-80}" --bind "$2" \
		--directory "$LAB_DIR/web"
	lab_until 5 lab_in "$1" curl -gs -m 1 -o /dev/null \
		"http://$(case $2 in *:*) echo "[$2]" ;; *) echo "$2" ;; esac):${3:-80}/file"
}

# site_tls HOST ADDRESS:PORT - a TLS server with a certificate of its own.
site_tls() {
	[ -e "$LAB_DIR/tls.pem" ] ||
		openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=portal.example \
			-keyout "$LAB_DIR/tls.key" -out "$LAB_DIR/tls.pem" 2>/dev/null
	lab_start "$1" /dev/null openssl s_server -quiet -www -accept "$2" \
		-cert "$LAB_DIR/tls.pem" -key "$LAB_DIR/tls.key"
}

# site_router_on HOST - lets a host forward what it draws to itself.
site_router_on() {
	lab_in "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.eth0.send_redirects=0
	lab_in "$1" sysctl -qw net.ipv6.conf.all.forwarding=1 2>/dev/null || :
}

# site_console HOST LOG COMMAND... - for a tool that ends when its standard input does.
site_console() {
	local host=$1 log=$2
	shift 2
	[ -p "$LAB_DIR/console" ] || mkfifo "$LAB_DIR/console"
	# shellcheck disable=SC2016 # for the inner shell
	lab_start "$host" "$log" bash -c 'exec "$@" <>"$0"' "$LAB_DIR/console" "$@"
}

site_phase() { # PHASE CASE SITE TAP
	site_up "$3" "$4" || { lab_bad "$2: the network does not come up"; return; }
	site_config "$3" "$4"
	lab_start sw "$LAB_DIR/tcpdump.log" tcpdump -U -s 0 -i span1 -w "$LAB_DIR/span.pcap"
	SITE_TCPDUMP=$LAB_PID
	lab_until 5 test -s "$LAB_DIR/span.pcap"
	lab_sensor "$LAB_DIR/bulkhead.yaml" || return
	"$1"
	kill "$SITE_TCPDUMP"
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	if site_py judge "tool_${CASE:-$SITE_NAME}${2#tool_"$SITE_NAME"}" "$LAB_DIR/alerts.jsonl"; then
		lab_ok "$2"
	else
		lab_bad "$2"
		fi
	[ -z "${KEEP:-}" ] || cp -r "$LAB_DIR" "$KEEP/$2"
	site_down "$2"
}

site_run() {
	local name=$1 site=$2 tap=${3:-span} why
	SITE_NAME=$1
	shift $(($# < 3 ? $# : 3))
	lab_begin tcpdump ping curl clang "$@"
	site_down
	why=$(needs)
	if [ -n "$why" ]; then
		lab_skip "$name: $why"
		lab_end
		exit
	fi
	[ "$(type -t twin)" != function ] || [ "${ONLY:-twin}" != twin ] ||
		site_phase twin "tool_${name}_twin" "$site" "$tap"
	[ "$(type -t attack)" != function ] || [ "${ONLY:-attack}" != attack ] ||
		site_phase attack "tool_$name" "$site" "$tap"
	lab_end
}
