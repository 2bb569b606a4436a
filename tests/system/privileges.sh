#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# privileges.sh - what is left of root after the start, as the kernel tells it; that what is gone
# cannot be used, by system calls put into the running worker and supervisor; and when the sensor
# refuses to run.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

NOBODY=$(id -u nobody)
NONE=0000000000000000
RAW=0000000000002000	   # CAP_NET_RAW
RAW_SETPCAP=0000000000002100 # and what empties the bounding set

has_status() { # has_status FILE FIELD VALUE...
	awk -v name="$2:" -v want="${*:3}" '
		$1 == name { $1 = ""; sub(/^ /, ""); found = ($0 == want) } END { exit !found }' "$1"
}

every_thread_has() { # every_thread_has PID FIELD VALUE
	local file
	for file in /proc/"$1"/task/*/status; do
		has_status "$file" "$2" "$3" || return 1
	done
}

has_threads() {
	[ "$(find "/proc/$1/task" -maxdepth 1 -mindepth 1 | wc -l)" -gt 2 ]
}

# The kernel gives the files of a process that is not dumpable to root.
is_not_dumpable() {
	[ "$(stat -c %u "/proc/$1/environ")" = 0 ]
}

has_no_group_of_root() {
	! awk '$1 == "Groups:" { for (i = 2; i <= NF; i++) print $i }' "/proc/$1/status" | grep -qx 0
}

heartbeat_tells_level() {
	lab_cli HGET bulkhead:sensor:lab privileges | grep -Eq \
		'^user=nobody capabilities=none bounding=empty no_new_privs=yes landlock=([0-9]+|unsupported) seccomp=yes$'
}

check_worker() { # check_worker BOUNDING
	local w cap
	w=$(lab_worker)
	lab_check "no thread is root" every_thread_has "$w" Uid "$NOBODY $NOBODY $NOBODY $NOBODY"
	lab_check "nor of its group" has_no_group_of_root "$w"
	for cap in CapInh CapPrm CapEff CapAmb; do
		lab_check "no capability left: $cap" every_thread_has "$w" "$cap" $NONE
	done
	lab_check "bounding set $1" every_thread_has "$w" CapBnd "$1"
	lab_check "no_new_privs" every_thread_has "$w" NoNewPrivs 1
	lab_check "a system call filter of its own on every thread" every_thread_has "$w" Seccomp_filters 2
	lab_check "and there are several threads" has_threads "$w"
	lab_check "not dumpable" is_not_dumpable "$w"
}

check_supervisor() {
	local file=/proc/$LAB_SENSOR/status
	lab_check "the supervisor is not root" has_status "$file" Uid "$NOBODY $NOBODY $NOBODY $NOBODY"
	lab_check "no capability of it is in effect" has_status "$file" CapEff $NONE
	lab_check "it keeps what opens captures" has_status "$file" CapPrm $RAW_SETPCAP
	lab_check "and can get no more" has_status "$file" CapBnd $RAW_SETPCAP
	lab_check "it has one thread" has_status "$file" Threads 1
	lab_check "it can gain none by a program" has_status "$file" NoNewPrivs 1
	lab_check "it has a system call filter" has_status "$file" Seccomp 2
	lab_check "it is not dumpable" is_not_dumpable "$LAB_SENSOR"
}

inject() {
	"$LAB_TOP/tests/system/inject.py" "${TARGET:-$(lab_worker)}" "$@"
}

# Each time the worker is killed for it, another one takes over.
dies_of() { # dies_of WHAT CALL...
	local what=$1 old out
	shift
	old=$(lab_worker)
	out=$(inject "$@")
	if [ "$out" = "killed SIGSYS" ]; then lab_ok "$what kills it"; else lab_bad "$what: $out"; fi
	lab_until 5 another_worker_than "$old" || lab_bad "no worker after $what"
	sleep 0.3
}

another_worker_than() {
	local now
	now=$(lab_worker)
	[ -n "$now" ] && [ "$now" != "$1" ] && lab_until 3 has_status "/proc/$now/status" Seccomp_filters 2
}

fails_with() { # fails_with WHAT NUMBER CALL...
	local what=$1 number=$2 out
	shift 2
	out=$(inject "$@")
	if [ "$out" = "returned -$number" ]; then lab_ok "$what fails"; else lab_bad "$what: $out"; fi
}

check_forbidden() {
	if [ "$(uname -m)" != x86_64 ]; then
		lab_skip "system calls are put into a worker on x86-64 only"
		return
	fi
	dies_of "executing a shell" execve /bin/sh 0 0
	dies_of "a new process" clone 17 0 0 0 0
	dies_of "executable memory" mprotect stack 4096 7
	dies_of "tracing others" ptrace 0 0 0 0
	dies_of "becoming root" setuid 0
	dies_of "loading a BPF program" bpf 0 0 0
	dies_of "a listening socket" listen 3 1
	fails_with "a packet socket" 97 socket 17 3 0
	fails_with "a raw socket" 1 socket 2 3 255
	fails_with "a signal to the supervisor" 38 kill "$LAB_SENSOR" 9
	fails_with "mapping executable memory" 1 mmap 0 4096 5 34 -1 0
	fails_with "reading /etc/shadow" 13 open /etc/shadow 0
	if lab_log_has 'landlock=[0-9]'; then
		fails_with "reading what is readable by all" 13 open /usr/bin/env 0
		fails_with "writing where all may" 13 open /tmp/bulkhead-was-here 65 420
		fails_with "writing into the config" 13 open "$LAB_DIR/inventory.yaml" 1
	else
		lab_skip "this kernel has no Landlock"
	fi
}

is_gone() {
	! kill -0 "$1"
}

# A supervisor that is killed takes its worker along; each time the sensor is started anew.
supervisor_dies_of() { # supervisor_dies_of WHAT CALL...
	local what=$1 worker out
	shift
	worker=$(lab_worker)
	out=$(TARGET=$LAB_SENSOR inject "$@")
	if [ "$out" = "killed SIGSYS" ]; then
		lab_ok "$what kills the supervisor"
	else
		lab_bad "$what in the supervisor: $out"
	fi
	wait "$LAB_SENSOR" 2>/dev/null
	lab_until 10 is_gone "$worker" || lab_bad "its worker lives on after $what"
	lab_sensor "$LAB_DIR/bulkhead.yaml"
}

check_forbidden_to_supervisor() {
	local TARGET
	[ "$(uname -m)" = x86_64 ] || return
	supervisor_dies_of "tracing others" ptrace 0 0 0 0 || return
	supervisor_dies_of "loading a BPF program" bpf 0 0 0 || return
	supervisor_dies_of "mounting" mount 0 0 0 0 0 || return
	supervisor_dies_of "a kernel module" init_module 0 0 0 || return
	supervisor_dies_of "a name space" unshare 268435456 || return
	supervisor_dies_of "io_uring" io_uring_setup 1 0 || return
	TARGET=$LAB_SENSOR
	fails_with "the supervisor's executable memory" 1 mprotect stack 4096 7
	fails_with "a socket of another family in it" 97 socket 38 5 0
}

stop_sensor() {
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
}

refuses() { # refuses STATUS TEXT ARG...
	local status=$1 text=$2
	shift 2
	timeout 10 ip netns exec "$(lab_ns sw)" "$LAB_BIN" run "$@" >"$LAB_DIR/refused.log" 2>&1
	[ $? -eq "$status" ] && grep -q -- "$text" "$LAB_DIR/refused.log"
}

with_user() { # a config for another user
	sed "s/user: \"[a-z]*\"/user: \"$1\"/" "$LAB_DIR/bulkhead.yaml" >"$LAB_DIR/other.yaml"
	echo "$LAB_DIR/other.yaml"
}

check_refusals() {
	lab_check "no such user: refused, and says so" \
		refuses 1 'there is no user "nosuchuser"' -c "$(with_user nosuchuser)"
	chown root "$STATE/evidence"
	lab_check "evidence it could not keep: refused" \
		refuses 1 'evidence.directory .*ermission denied' -c "$LAB_DIR/bulkhead.yaml"
	chown nobody "$STATE/evidence"
	chown root "$STATE"
	lab_check "an outbox it could not write: refused" \
		refuses 1 'ermission denied' -c "$LAB_DIR/bulkhead.yaml"
	chown nobody "$STATE"
	chmod 600 "$LAB_DIR/inventory.yaml"
	lab_check "an inventory it could not read again: refused" \
		refuses 78 'inventory.yaml' -c "$LAB_DIR/bulkhead.yaml"
	chmod 644 "$LAB_DIR/inventory.yaml"
}

check_override() {
	lab_launch "$LAB_BIN" run --keep-privileges -c "$(with_user '')" || return
	lab_check "--keep-privileges keeps them" every_thread_has "$(lab_worker)" Uid "0 0 0 0"
	lab_check "and is warned of" lab_log_has 'privileges are kept'
	stop_sensor
}

# As the service unit starts it: not root, with one ambient capability.
check_as_unit() {
	command -v setpriv >/dev/null || { lab_skip "setpriv is not installed"; return; }
	lab_launch setpriv --reuid nobody --regid "$(id -g nobody)" \
		--clear-groups --bounding-set=-all,+net_raw --inh-caps=-all,+net_raw \
		--ambient-caps=-all,+net_raw "$LAB_BIN" run -c "$LAB_DIR/bulkhead.yaml" || return
	check_worker $RAW
	stop_sensor
}

main() {
	lab_begin pgrep
	tenants_begin || { lab_end; return; }
	# The binary must be within reach of nobody.
	install -m 755 "$LAB_BIN" "$LAB_DIR/bulkhead"
	LAB_BIN=$LAB_DIR/bulkhead
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	if lab_log_has 'seccomp=off'; then
		lab_skip "a sanitizer build has no system call filter"
		stop_sensor
	else
		check_worker $NONE
		check_supervisor
		lab_check "the heartbeat tells the level" lab_until 12 heartbeat_tells_level
		check_forbidden
		check_forbidden_to_supervisor
		stop_sensor
		lab_check "after all that SIGTERM ends it with 0" test $? -eq 0
		check_as_unit
	fi
	check_refusals
	check_override
	[ "$LAB_FAILED" -eq 0 ] || tail -n 40 "$LAB_DIR/sensor.log" "$LAB_DIR/refused.log"
	lab_end
}

main
