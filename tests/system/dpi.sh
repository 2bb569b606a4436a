#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# dpi.sh - the DPI process: what the kernel says it is left with, that what is gone cannot be used,
# that it labels what takes files elsewhere (certificates, QUIC) when tenants are relayed, and that it
# lives as long as its worker and no longer.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

NOBODY=$(id -u nobody)
NONE=0000000000000000

dpi() {
	pgrep -P "$LAB_SENSOR" -x bulkhead-dpi
}

has() { # has FIELD VALUE
	awk -v name="$1:" -v want="$2" '
		$1 == name { $1 = ""; sub(/^ /, ""); found = ($0 == want) } END { exit !found }' \
		"/proc/$(dpi)/status"
}

limit_is_none() { # limit_is_none NAME
	grep -Eq "^$1 +0 +0 " "/proc/$(dpi)/limits"
}

memory_is_limited() {
	awk '/^Max address space/ { exit !($4 != "unlimited" && $4 < 1024 * 1048576) }' "/proc/$(dpi)/limits"
}

has_no_descriptor() {
	[ -z "$(ls "/proc/$(dpi)/fd")" ]
}

# By its environment and its words an intruder would know the way to Redis.
knows_nothing() {
	! tr '\0' '\n' <"/proc/$(dpi)/environ" | grep -Evq '^BULKHEAD_DPI=|^$' &&
		[ "$(tr '\0' ' ' <"/proc/$(dpi)/cmdline")" = "bulkhead run " ]
}

control_page_is_read_only() {
	awk '/memfd:bulkhead-dpi/ && $3 == "00000000" { print $2 }' "/proc/$(dpi)/maps" | grep -qx 'r--s'
}

is_confined() {
	[ -n "$(dpi)" ] && has Seccomp_filters 2 # the one of who made it and its own
}

another_than() {
	is_confined && [ "$(dpi)" != "$1" ]
}

check_status() {
	local cap
	lab_check "it runs, and is confined" lab_until 5 is_confined
	lab_check "it is not root" has Uid "$NOBODY $NOBODY $NOBODY $NOBODY"
	for cap in CapInh CapPrm CapEff CapBnd CapAmb; do
		lab_check "no capability: $cap" has $cap $NONE
	done
	lab_check "no_new_privs" has NoNewPrivs 1
	lab_check "one thread" has Threads 1
	lab_check "not dumpable" test "$(stat -c %u "/proc/$(dpi)/environ")" = 0
	lab_check "no descriptor" has_no_descriptor
	for cap in "Max open files" "Max file size" "Max processes" "Max core file size"; do
		lab_check "limited: $cap" limit_is_none "$cap"
	done
	lab_check "limited: memory" memory_is_limited
	lab_check "no word of the sensor's environment and arguments" knows_nothing
	lab_check "what the supervisor decides by it may read only" control_page_is_read_only
}

inject() {
	"$LAB_TOP/tests/system/inject.py" "$(dpi)" "$@"
}

dies_of() { # dies_of WHAT CALL...
	local what=$1 old out
	shift
	old=$(dpi)
	out=$(inject "$@")
	if [ "$out" = "killed SIGSYS" ]; then lab_ok "$what kills it"; else lab_bad "$what: $out"; fi
	lab_until 5 another_than "$old" || lab_bad "no DPI process after $what"
}

fails_with() { # fails_with WHAT NUMBER CALL...
	local what=$1 number=$2 out
	shift 2
	out=$(inject "$@")
	if [ "$out" = "returned -$number" ]; then lab_ok "$what fails"; else lab_bad "$what: $out"; fi
}

check_forbidden() {
	local w
	if [ "$(uname -m)" != x86_64 ]; then
		lab_skip "system calls are put into a process on x86-64 only"
		return
	fi
	w=$(lab_worker)
	dies_of "opening a file" open /etc/passwd 0
	dies_of "a socket" socket 1 1 0
	dies_of "executing a shell" execve /bin/sh 0 0
	dies_of "a new process" clone 17 0 0 0 0
	dies_of "a new thread" clone 3997440 0 0 0 0
	dies_of "executable memory" mprotect stack 4096 7
	dies_of "writable control" mprotect stack 4096 3
	dies_of "tracing others" ptrace 0 0 0 0
	dies_of "removing a file" unlink /tmp/nothing
	fails_with "a signal to the supervisor" 38 kill "$LAB_SENSOR" 9
	fails_with "mapping executable memory" 1 mmap 0 4096 5 34 -1 0
	lab_check "the worker has not noticed" test "$(lab_worker)" = "$w"
}

beat() {
	lab_cli HGET bulkhead:sensor:lab "$1"
}

beat_is() { # beat_is NAME TEST NUMBER
	test "$(beat "$1")" "$2" "$3"
}

connect() {
	local i
	for i in 1 2 3 4 5; do
		lab_in a timeout 2 openssl s_client -connect "$WEB_IP:443" -servername "v$i.example" \
			-tls1_2 </dev/null >/dev/null 2>&1
	done
}

# What DPI is asked about is a flow with a finding: evil passes them all through.
poisoned() {
	lab_in a ping -q -c 1 -W 1 $GW_IP >/dev/null # who knows nobody cannot be told otherwise
	lab_in a ip neigh show $GW_IP | grep -qi $C_MAC
}

# TLS 1.2, whose certificates can be read, and datagrams that look like QUIC.
talk() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$LAB_DIR/key" -out "$LAB_DIR/cert" -days 2 \
		-subj /CN=vault.example >/dev/null 2>&1 || return 1
	lab_start gw /dev/null openssl s_server -quiet -accept "$WEB_IP:443" -cert "$LAB_DIR/cert" \
		-key "$LAB_DIR/key" -tls1_2
	sleep 0.5
	connect
	lab_in a python3 -c "
import os, socket
for n in range(20):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(bytes([0xc0 | n & 3, 0, 0, 0, 1, 8]) + os.urandom(8) + b'\0\0' + b'\x44\x82' + os.urandom(1170),
             ('$WEB_IP', 443))"
}

check_labels() {
	local deaths labelled
	deaths=$(grep -c 'dpi process .* was killed' "$LAB_DIR/sensor.log")
	lab_until 12 beat_is dpi_deaths -ge "$deaths"
	labelled=$(beat dpi_labelled)
	poison
	lab_until 10 poisoned || lab_bad "arpspoof does not poison"
	talk || { lab_skip "openssl makes no certificate"; return; }
	lab_check "certificates and QUIC are labelled" lab_until 25 beat_is dpi_labelled -ge $((labelled + 5))
	lab_check "the alert of the relay is told again, with the application" lab_until 5 alert_names_it
	lab_check "and kill nobody: $deaths deaths, all of them ours" beat_is dpi_deaths -eq "$deaths"
}

# The relay was told of before its application was known.
alert_names_it() {
	entries | grep 'relay.forward' | grep update | grep -q '"proto":"TLS".*"host":"v[1-5].example"'
}

# Whoever has taken it over can write what it can: random bytes over all that it may write to.
garble() {
	python3 - "$(dpi)" <<'PY'
import os, sys
pid = sys.argv[1]
with open("/proc/%s/maps" % pid) as maps, open("/proc/%s/mem" % pid, "wb", buffering=0) as memory:
    for line in maps:
        if "memfd:bulkhead-dpi" in line and "rw-s" in line:
            start = int(line.split("-")[0], 16)
            memory.seek(start)
            memory.write(os.urandom(65536))
PY
}

rubbish_is_told() {
	[ "$(grep -c 'writes what cannot be' "$LAB_DIR/sensor.log")" -ge "$1" ]
}

check_garbage() {
	local w old i labelled
	w=$(lab_worker)
	for i in 1 2 3 4 5; do
		old=$(dpi)
		garble
		lab_until 5 rubbish_is_told "$i" || break
		lab_until 5 another_than "$old" || break
		sleep 1 # a worker takes the new one up between two batches, and begins with clean queues
	done
	lab_check "of $i that write rubbish each is found out and replaced" rubbish_is_told 5
	sleep 11 # what the heartbeat counts until now
	labelled=$(beat dpi_labelled)
	connect
	lab_check "then labels come again" lab_until 25 beat_is dpi_labelled -ge $((labelled + 5))
	lab_check "and the worker is the same" test "$(lab_worker)" = "$w"
}

# Whoever has to take note of its end may take his time.
gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*zombie' "/proc/$1/status"
}

check_lives() {
	local old w
	old=$(dpi)
	w=$(lab_worker)
	kill -KILL "$w"
	lab_check "it ends with its worker" lab_until 5 gone "$old"
	lab_check "the next worker gets one of its own" lab_until 5 another_than "$old"
	old=$(dpi)
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends them all with 0" test $? -eq 0
	lab_check "and leaves none behind" lab_until 2 gone "$old"
	lab_sensor "$LAB_DIR/bulkhead.yaml" || return
	lab_until 5 is_confined
	old=$(dpi)
	w=$(lab_worker)
	kill -KILL "$LAB_SENSOR"
	lab_check "without a supervisor it ends at once" lab_until 2 gone "$old"
	lab_until 12 gone "$w" || : # it holds the outbox until it has drained
}

check_shared() {
	sed '/^windows/a dpi: { own_process: false }' "$LAB_DIR/bulkhead.yaml" >"$LAB_DIR/shared.yaml"
	lab_sensor "$LAB_DIR/shared.yaml" || return
	lab_check "own_process: false does without" test -z "$(dpi)"
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
}

main() {
	lab_begin pgrep openssl arpspoof
	tenants_begin || { lab_end; return; }
	install -m 755 "$LAB_BIN" "$LAB_DIR/bulkhead"
	LAB_BIN=$LAB_DIR/bulkhead
	export BULKHEAD_REDIS_URL=unix://$LAB_REDIS
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	if lab_log_has 'seccomp=off'; then
		lab_skip "a sanitizer build is not confined"
		kill -TERM "$LAB_SENSOR"
		lab_end
		return
	fi
	check_status
	check_forbidden
	check_labels
	check_garbage
	check_lives
	check_shared
	[ "$LAB_FAILED" -eq 0 ] || tail -n 40 "$LAB_DIR/sensor.log"
	lab_end
}

main
