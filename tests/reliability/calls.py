#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""calls.py BINARY [--all] - every system call fails once: in a replay, and in a sensor that delivers.

strace makes the n-th call of a kind fail in each thread.  A replay into a file, a folder of evidence
and Redis ends by no signal, in time, with a status of the manual and a reason; when it ends well,
all is delivered, or a counter or a line says what is not.  The same of a live sensor with an outbox
on disk, whose calls fail while alerts are on their way.
"""
import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import common

# Kind of call -> what it fails with, and how many of them are tried at most.
REPLAY = [("openat", "EMFILE", 30), ("openat", "EIO", 12), ("mmap", "ENOMEM", 24),
          ("read", "EIO", 25), ("write", "ENOSPC", 6), ("writev", "ENOSPC", 3),
          ("socket", "EMFILE", 2), ("connect", "ECONNREFUSED", 2), ("sendto", "EPIPE", 6),
          ("recvfrom", "ECONNRESET", 6), ("poll", "EINTR", 6), ("fdatasync", "EIO", 2),
          ("mkdir", "EROFS", 2), ("clone3", "EAGAIN", 6), ("getrandom", "ENOSYS", 8),
          ("signalfd4", "EMFILE", 1), ("eventfd2", "EMFILE", 1), ("newfstatat", "EIO", 12),
          ("fcntl", "EINVAL", 7), ("lseek", "EIO", 3), ("getdents64", "EIO", 2), ("close", "EIO", 12)]
DELIVERY = [("pwrite64", "ENOSPC", 14), ("pwrite64", "EIO", 14), ("fdatasync", "EIO", 8),
            ("fsync", "EIO", 2), ("openat", "EMFILE", 6), ("ftruncate", "EIO", 1),
            ("write", "ENOSPC", 3), ("connect", "ECONNREFUSED", 2), ("sendto", "EPIPE", 3),
            ("recvfrom", "ECONNRESET", 3), ("mmap", "ENOMEM", 6)]
STATUSES = (0, 1, 65, 66, 69, 77, 78)
# Not ours: the dynamic loader (which also crashes when its first mmap fails), and libgcrypt, which
# nDPI brings along and which ends the process with a reason when it cannot read its FIPS switch.
LOADER = b"error while loading shared libraries|Inconsistency detected by ld.so|cannot allocate TLS"
GCRYPT = b"FATAL: .* libgcrypt"
COUNTERS = ("evidence_dropped", "outbox_dropped", "sink_errors", "dpi_full", "dpi_shed")
TIMEOUT = 15


def is_foreign(status, text, call, nth):
    return (status == 127 and re.search(LOADER, text)) or \
        (status == -signal.SIGABRT and re.search(GCRYPT, text)) or \
        (status == -signal.SIGSEGV and (call, nth) == ("mmap", 1))


def inject(call, error, nth):
    return ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=" + call, "-e",
            "inject=%s:error=%s:when=%d" % (call, error, nth)]


def counts_of(words, calls):
    """How many calls of each kind the busiest thread makes."""
    with common.folder() as place:
        log = os.path.join(place, "log")
        subprocess.run(["strace", "-ff", "-qq", "-o", log, "-e", "trace=" + ",".join(calls)] + words,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                       cwd=common.TOP, timeout=TIMEOUT)
        most = collections.Counter()
        for name in os.listdir(place):
            seen = collections.Counter(re.findall(rb"^(\w+)\(", common.read(os.path.join(place, name)),
                                                  re.M))
            for call, n in seen.items():
                most[call.decode()] = max(most[call.decode()], n)
    return most


def spread(count, most):
    if common.ALL or count <= most:
        return range(1, count + 1)
    # The last ones are ours: the loader's come first.
    return sorted({1 + i * (count - 1) // (most - 1) for i in range(most)})


def without_file(documents):
    """Frames that could not be written at an alert's opening are written at its next change."""
    return [re.sub(rb',"pcap":"[0-9a-f]+\.pcapng"', b"", d) for d in documents]


def replay_fails(place, redis):
    out, stats = os.path.join(place, "out"), os.path.join(place, "stats")
    words = [common.BINARY, "replay", "-q", "--inventory", "pcaps/relay.yaml", "--tap", "span", "-o", out,
             "--stats", stats, "--evidence", os.path.join(place, "evidence"), "--redis", redis.url,
             "pcaps/relay-forward.pcap.gz", "pcaps/relay-proxy.pcap.gz"]

    def outcome(prefix, nth, call):
        redis("FLUSHALL")
        for path in (out, stats):
            if os.path.exists(path):
                os.unlink(path)
        shutil.rmtree(os.path.join(place, "evidence"), ignore_errors=True)
        process = subprocess.Popen(prefix + words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, cwd=common.TOP,
                                   start_new_session=True)
        try:
            err = process.communicate(timeout=TIMEOUT)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, "%s %d: no end" % (call, nth)
        status, lines, stream = process.returncode, common.read(out).splitlines(), redis.documents()
        if is_foreign(status, err, call, nth):
            return "not ours", None
        if status not in STATUSES:
            return status, "%s %d: status %d: %s" % (call, nth, status, err[-200:])
        if status != 0:
            return status, None if err else "%s %d: status %d without a word" % (call, nth, status)
        numbers = json.loads(common.read(stats) or b"{}")
        told = err or any(numbers.get(c) for c in COUNTERS)
        if (without_file(lines) != calm or without_file(stream) != calm) and not told:
            return 0, "%s %d: %d lines, %d in the stream, %d are right; not a word" % (
                call, nth, len(lines), len(stream), len(calm))
        files = os.listdir(os.path.join(place, "evidence")) \
            if os.path.isdir(os.path.join(place, "evidence")) else []
        if len(files) != evidence and not told:
            return 0, "%s %d: evidence of %d alerts, not %d" % (call, nth, len(files), evidence)
        return 0, None

    calm, evidence = [], 0
    status, _ = outcome([], 0, "none")
    calm, evidence = without_file(common.read(out).splitlines()), len(os.listdir(os.path.join(place, "evidence")))
    status, why = outcome([], 0, "none")
    if not common.check(status == 0 and calm and evidence and not why,
                        "replay: %d documents in the file and in Redis" % len(calm), [why]):
        return
    count = counts_of(words, sorted({c for c, _, _ in REPLAY}))
    fail_each("replay", REPLAY, count, outcome)


def fail_each(what, table, count, outcome):
    for call, error, most in table:
        ends, wrong, tried = collections.Counter(), [], spread(count[call], most)
        for nth in tried:
            how, why = outcome(inject(call, error, nth), nth, call)
            ends[how] += 1
            if why:
                wrong.append(why)
        if count[call]:
            common.check(not wrong, "%s: %s fails with %s, %d of %d, one a run: ends %s" % (
                what, call, error, len(tried), count[call], dict(ends)), wrong[:12])


class Network:
    """A network namespace with two ends of a cable."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c",
                                        "ip link add v0 type veth peer name v1 && ip link set v0 up && "
                                        "ip link set v1 up && echo up && exec cat"],  # until we end
                                       stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.up = self.holder.stdout.readline() == b"up\n"

    def enter(self, words):
        return ["nsenter", "-t", str(self.holder.pid), "-n"] + words

    def send(self, frames):
        """By a child, which may move into the namespace."""
        pid = os.fork()
        if pid == 0:
            try:
                with open("/proc/%d/ns/net" % self.holder.pid) as ns:
                    os.setns(ns.fileno(), 0) if hasattr(os, "setns") else libc_setns(ns.fileno())
                out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                out.bind(("v0", 0))
                for frame in frames:
                    out.send(frame)
                    time.sleep(0.001)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def end(self):
        self.holder.kill()
        self.holder.wait()


def libc_setns(fd):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0) != 0:
        raise OSError("setns")


def watching(log, process):
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        if b"watching" in common.read(log):  # said twice: one line may be lost
            return True
        time.sleep(0.02)
    return False


def delivery_fails(place, redis, network):
    log, out = os.path.join(place, "log"), os.path.join(place, "live.jsonl")
    config = common.write(os.path.join(place, "live.yaml"), """version: 1
inventory: [who.yaml]
capture: [{ interface: v1, buffer: 2MiB }]
limits: { flows: 1Ki, dpi_flows: 64, tokens: 1Ki, bindings: 1Ki }
dpi: { packets: 0 }
outbox: { file: %s/outbox.db, quota: 1MiB }
redis: { url: "%s" }
output: [{ file: %s }]
""" % (place, redis.url, out))
    common.write(os.path.join(place, "who.yaml"), common.inventory(3))
    words = [common.BINARY, "run", "--keep-privileges", "-c", config]

    def outcome(prefix, nth, call):
        redis("FLUSHALL")
        for path in [out, log] + [os.path.join(place, "outbox.db" + s) for s in ("", "-wal", "-shm")]:
            if os.path.exists(path):
                os.unlink(path)
        with open(log, "wb") as f:
            process = subprocess.Popen(network.enter(prefix + words), stderr=f,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       start_new_session=True)
        try:
            if watching(log, process):
                for n in (1, 2, 3):
                    network.send(common.relayed(n))
                    time.sleep(0.1)
                for _ in range(40):
                    if found(redis) == {"a1", "a2", "a3"}:
                        break
                    time.sleep(0.05)
            traced = subprocess.run(["pgrep", "-P", str(process.pid)], stdout=subprocess.PIPE,
                                    check=False).stdout.split()
            for pid in (traced if prefix else [process.pid]) if process.poll() is None else []:
                os.kill(int(pid), signal.SIGTERM)
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None, "%s %d: no end" % (call, nth)
        status, text = process.returncode, common.read(log)
        if is_foreign(status, text, call, nth):
            return "not ours", None
        if status not in STATUSES:
            return status, "%s %d: status %s: %s" % (call, nth, status, text[-300:])
        if status != 0:
            return status, None if re.search(rb"bulkhead: ", text) else "not a word"
        missing = {"a1", "a2", "a3"} - found(redis)
        if missing and not re.search(rb"error|warning: (?!privileges)", text):
            return 0, "%s %d: %s not in Redis, not a word: %s" % (call, nth, missing, text[-300:])
        return "all delivered" if not missing else "told", None

    how, why = outcome([], 0, "none")
    if not common.check(how == "all delivered", "run: three relays are in Redis", [how, why,
                                                                                  common.read(log)]):
        return
    # Counted by what is known of a start: the worker's share cannot be told from here.
    count = {call: most for call, _, most in DELIVERY}
    fail_each("run", DELIVERY, collections.Counter(count), outcome)


def found(redis):
    return {json.loads(d)["bulkhead"]["actor"].get("host") for d in redis.documents()
            if b'"relay.forward"' in d}


def main():
    if shutil.which("strace") is None or shutil.which("redis-server") is None:
        common.skip("needs strace and redis-server")
        common.end()
    probe = subprocess.run(inject("getpid", "EPERM", 1) + ["true"], stderr=subprocess.PIPE, check=False)
    if probe.returncode != 0:
        common.skip("strace may not trace here: %s" % probe.stderr.decode().strip())
        common.end()
    with common.folder() as place:
        redis = common.Redis(place)
        try:
            if "delivery" not in sys.argv:
                replay_fails(place, redis)
            network = Network() if os.geteuid() == 0 else None
            if network is not None and network.up:
                delivery_fails(place, redis, network)
            else:
                common.skip("a live sensor: needs root for a network namespace")
            if network is not None:
                network.end()
        finally:
            redis.stop()
    common.end()


if __name__ == "__main__":
    main()
