#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults.py BINARY [--all] - every allocation fails once: in check, replay, start and reload.

failing.c, preloaded, makes the n-th one fail.  Then the sensor ends in time, by no signal, with a
status that the manual knows and a reason; or it ends well, and what it told is what it always tells,
or a counter says what was left out.  Without --all n runs through the first ones and then in steps.
"""
import collections
import json
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

import common

SLOT = struct.Struct("<4Q")  # count, fail_at, failed, pid
TIMEOUT = 12
STATUS_OF_FAILURE = (1, 78)
# What may be left out when nDPI or evidence found no memory.
DEGRADED = ("dpi_full", "dpi_shed", "evidence_dropped", "sink_errors", "outbox_dropped")


class Plan:
    def __init__(self, path):
        common.write(path, bytes(8 + 8 * SLOT.size))
        self.path = path
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 0)

    def reset(self, fail_at=0, slot=0):
        self.memory[:] = bytes(len(self.memory))
        self.arm(slot, fail_at)

    def arm(self, slot, fail_at):
        struct.pack_into("<Q", self.memory, 8 + slot * SLOT.size + 8, fail_at)

    def count(self, slot=0):
        return struct.unpack_from("<Q", self.memory, 8 + slot * SLOT.size)[0]

    def pid(self, slot=0):
        return struct.unpack_from("<Q", self.memory, 8 + slot * SLOT.size + 24)[0]

    def failed(self, slot=0):
        return struct.unpack_from("<Q", self.memory, 8 + slot * SLOT.size + 16)[0]


def chosen(count, most):
    """1..count, or of it the first and the last ones, and in between ever wider steps."""
    if common.ALL or count <= most:
        return list(range(1, count + 1))
    part = most // 3
    step = (count / part) ** (1 / part)
    out, at = list(range(1, part + 1)), float(part)
    while at < count - part:
        out.append(int(at))
        at = max(at + 1, at * step)
    return sorted(set(out + list(range(count - part, count + 1))))


def run(words, env):
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=env, cwd=common.TOP)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, b"", b""
    return process.returncode, out, err


def judge(status, out, err, calm, stats):
    """None, or what is wrong."""
    if status is None:
        return "no end within %d s" % TIMEOUT
    if status < 0:
        return "signal %d" % -status
    if status in STATUS_OF_FAILURE:
        return None if err else "status %d without a word" % status
    if status != 0:
        return "status %d" % status
    if out != calm and not any(stats.get(name) for name in DEGRADED):
        return "status 0, but the outcome differs (%d and %d bytes): %s" % (len(out), len(calm), err[-300:])
    return None


def each_fails(what, words, env, plan, most, stats_file=None):
    plan.reset()
    status, calm, err = run(words, env)
    count = plan.count()
    if not common.check(status == 0 and count > 0, "%s: %d allocations" % (what, count), [err]):
        return
    wrong, ends = [], collections.Counter()
    numbers = chosen(count, most)
    for n in numbers:
        plan.reset(n)
        status, out, err = run(words, env)
        stats = {}
        if stats_file and status == 0:
            stats = json.loads(common.read(stats_file) or b"{}")
        ends[status] += 1
        why = judge(status, out, err, calm, stats)
        if why:
            wrong.append("allocation %d: %s" % (n, why))
    common.check(not wrong, "%s: %d of them fail, one a run: ends %s" %
                 (what, len(numbers), dict(ends)), wrong[:30])


class Sensor:
    """`bulkhead run` on a loopback interface of its own, with the plan's slots 0 (supervisor) and 1."""

    def __init__(self, place, shim, plan):
        self.log = os.path.join(place, "sensor.log")
        # As systemd is told: a datagram READY=1 when it watches and after each reload.
        self.notify, self.ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), 0
        address = os.path.join(place, "notify")
        if os.path.exists(address):
            os.unlink(address)
        self.notify.bind(address)
        inner = "ip link set lo up; LD_PRELOAD=%s BULKHEAD_FAULTS=%s NOTIFY_SOCKET=%s exec %s run " \
            "--keep-privileges -c %s" % (shim, plan.path, address, common.BINARY,
                                         os.path.join(place, "live.yaml"))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", inner], stderr=log,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def says(self, *words, count=1, seconds=TIMEOUT):
        """True as soon as its log holds one of the words so many times; False when it ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            text = common.read(self.log).decode()
            if sum(text.count(word) for word in words) >= count:
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return False

    def gets_ready(self, count, seconds=4 * TIMEOUT):
        """True when it has been ready so many times."""
        until = time.monotonic() + seconds
        self.notify.settimeout(0.2)
        while self.ready < count and time.monotonic() < until and self.process.poll() is None:
            try:
                self.ready += b"READY=1" in self.notify.recv(4096).split(b"\n")
            except socket.timeout:
                pass
        return self.ready >= count

    def settles(self, plan):
        """Waits until its start is over: what threads allocate as they begin comes after READY=1."""
        seen, until = -1, time.monotonic() + TIMEOUT
        while seen != plan.count(1) and time.monotonic() < until:
            seen = plan.count(1)
            time.sleep(0.3)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


# A line of the log is told at most ten times in ten seconds: so many reloads a sensor.
RELOADS = 8


def reload_once(sensor):
    """"refused" or "accepted", or what is wrong."""
    before, ready = len(common.read(sensor.log)), sensor.ready
    sensor.process.send_signal(signal.SIGHUP)
    if not sensor.gets_ready(ready + 1):
        return "does not get ready again"
    text = common.read(sensor.log)[before:].decode()
    if "rules revision" in text or "inventory revision" in text:
        return "half a reload: " + text[-400:]
    if "reload refused" in text:
        return "refused"
    return "accepted" if "reload: rules unchanged" in text else "not a word: " + text[-400:]


def reload_fails(place, shim, plan, most):
    plan.reset()
    sensor = Sensor(place, shim, plan)
    sensor.gets_ready(1)
    sensor.settles(plan)
    before = plan.count(1)
    reload_once(sensor)
    count = plan.count(1) - before
    status = sensor.end()
    if not common.check(status == 0 and count > 0, "run: a reload takes %d allocations" % count,
                        [common.read(sensor.log)]):
        return
    numbers, wrong, ends = chosen(count, most), [], collections.Counter()
    for first in range(0, len(numbers), RELOADS):
        plan.reset()
        sensor = Sensor(place, shim, plan)
        sensor.gets_ready(1)
        sensor.settles(plan)
        part, pid = numbers[first:first + RELOADS], plan.pid(1)
        for n in part:
            plan.arm(1, plan.count(1) + n)
            how = reload_once(sensor)
            ends[how[:8]] += 1
            if how not in ("refused", "accepted"):
                wrong.append("allocation %d: %s" % (n, how))
        plan.arm(1, 0)
        how = reload_once(sensor)
        if how != "accepted" or plan.pid(1) != pid:
            wrong.append("after allocations %s: %s; worker %d, was %d" % (part, how, plan.pid(1), pid))
        if sensor.end() != 0:
            wrong.append("allocations %s: it does not end well" % part)
    common.check(not wrong and ends["refused"] > 0,
                 "reload: %d of them fail, one a time: %s; the next one is always accepted" %
                 (len(numbers), dict(ends)), wrong[:20])


def start_fails(place, shim, plan, slot, most):
    plan.reset()
    sensor = Sensor(place, shim, plan)
    sensor.says("watching:")
    count = plan.count(slot)
    sensor.end()
    wrong, ends = [], collections.Counter()
    for n in chosen(count, most):
        plan.reset(n, slot)
        sensor = Sensor(place, shim, plan)
        watching = sensor.says("watching:")
        status = sensor.end()
        ends["watching" if watching else status] += 1
        if status is None or status < 0 or (watching and status not in (0, 1)) or \
                (not watching and status not in STATUS_OF_FAILURE):
            wrong.append("allocation %d: watching %s, status %s: %s" % (
                n, watching, status, common.read(sensor.log)[-300:]))
    common.check(not wrong, "run: of %d allocations of the %s until it watches, some fail: %s" %
                 (count, ("supervisor", "worker")[slot], dict(ends)), wrong[:20])


def live(place, shim, plan):
    shutil.copy(os.path.join(common.TOP, "pcaps/relay.yaml"), os.path.join(place, "who.yaml"))
    rules = os.path.join(place, "rules")
    os.mkdir(rules)
    shutil.copy(os.path.join(common.TOP, "rules/boundary.yaml"), rules)
    common.write(os.path.join(place, "live.yaml"),
                 "version: 1\ninventory: [who.yaml]\nrules: [rules]\n"
                 "capture: [{ interface: lo, buffer: 1MiB }]\ndpi: { packets: 0 }\n" + SMALL)
    reload_fails(place, shim, plan, 100)
    start_fails(place, shim, plan, 0, 24)
    start_fails(place, shim, plan, 1, 36)


SMALL = "limits: { flows: 1Ki, dpi_flows: 64, tokens: 1Ki, bindings: 1Ki }\n"


def can_isolate():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-n", "ip", "link", "set", "lo", "up"], stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def main():
    with common.folder() as place:
        shim = common.build(place, "failing.c", "-shared", "-fPIC", "-fno-builtin", "-ldl")
        plan = Plan(os.path.join(place, "plan"))
        env = dict(os.environ, LD_PRELOAD=shim, BULKHEAD_FAULTS=plan.path)
        each_fails("check", [common.BINARY, "check", "-c", "dist/bulkhead.yaml"], env, plan, 240)
        stats = os.path.join(place, "stats.json")
        for name, dpi, most in (("replay", 0, 300), ("replay with DPI", 8, 300)):
            config = common.write(os.path.join(place, "replay.yaml"),
                                  "version: 1\ndpi: { packets: %d }\n" % dpi + SMALL)
            each_fails(name, [common.BINARY, "replay", "-q", "-c", config, "--inventory",
                              "pcaps/relay.yaml", "--tap", "span", "-o", "-", "--stats", stats,
                              "--evidence", os.path.join(place, "evidence"),
                              "pcaps/relay-forward.pcap.gz", "pcaps/relay-proxy.pcap.gz",
                              "pcaps/relay-intercept.pcap.gz", "pcaps/ordinary.pcap.gz"],
                       env, plan, most, stats)
        if can_isolate():
            live(place, shim, plan)
        else:
            common.skip("start and reload: needs root for a network namespace")
    common.end()


if __name__ == "__main__":
    main()
