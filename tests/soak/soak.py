#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py BINARY [--minutes N | --hours N] [--plot FILE] [--seed N] - everything at once, for long.

A live sensor on a cable in a namespace, a real Redis, ordinary traffic with attacks in it, and in
rounds:

    hard    workers are killed; the interface is deleted and made anew
    warm    floods fill the tables, reloads take their second and third generation
    rest    no traffic until a heartbeat: what all takes now is the measure
    soft    the same worker lives through floods, a killed nDPI, a killed and a frozen Redis, good and
            broken reloads, links that go down
    rest    and takes no more than half-way (memory) or before (descriptors, threads); every frame
            that arrived at the interface was read or counted as dropped; every frame read is in
            the ledger

Each second is sampled; a table is printed, and a plot written as SVG.  In the end the stream in Redis
must be the outbox, nothing lost and nothing twice.  5 minutes unless told otherwise, two at least.
Needs root.
"""
import argparse
import os
import random
import signal
import subprocess
import sys
import time

import lab
import svg
from lab import common

ROUND_S = 150
ROUNDS_MOST = 4  # a leak of hours shows in a worker that lives for hours
RATE = 12000
FLOOD_RATE = 60000
FAULT_EVERY_S = 3
REST_MOST_S = 45
GROWTH = 0.02  # of what it takes; the pages of a table are touched one by one
SLACK_KIB = 1024
TORN = 4096  # frames between two reads of counters of a running worker
LIMITS = "limits: { flows: 32Ki, dpi_flows: 2Ki, tokens: 16Ki, fragments: 1Ki, bindings: 16Ki, " \
    "open_alerts: 2Ki, evidence: 16MiB }\nwindows: { update: 5s, close: 20s, flow_idle: 20s }\n"


class Soak:
    def __init__(self, place, seconds, seed):
        self.place, self.seconds = place, seconds
        self.dice = random.Random(seed)
        self.found = lab.captures()
        self.space = lab.Space()
        self.redis = lab.Redis(place)
        self.outbox = lab.Outbox(os.path.join(place, "outbox.db"))
        self.log = os.path.join(place, "log")
        self.extra = os.path.join(place, "extra.yaml")
        self.ordinary = lab.Sender(self.space, self.found["send"], self.found["ordinary"], RATE)
        self.floods = [lab.Sender(self.space, self.found["send"], self.found[kind], FLOOD_RATE)
                       for kind in ("macs", "answered")]
        self.flowing = False
        self.later = []  # (when, what)
        self.done, self.samples, self.beat, self.cursor = {}, [], {}, 0
        self.reloads = 0
        self.change_inventory()
        config = common.write(os.path.join(place, "bulkhead.yaml"), """version: 1
sensor: { name: soak, user: "" }
inventory: [%s, extra.yaml]
capture: [{ interface: v1, buffer: 8MiB }]
evidence: { directory: %s, quota: 16MiB }
outbox: { file: %s, quota: 4GiB }
redis: { url: "%s", maxlen: 100000000 }
%s""" % (self.found["who"], os.path.join(place, "evidence"), self.outbox.path, self.redis.url, LIMITS))
        with open(self.log, "wb") as log:
            self.sensor = subprocess.Popen(self.space.enter([common.BINARY, "run", "-c", config]),
                                           stderr=log, stdout=subprocess.DEVNULL,
                                           stdin=subprocess.DEVNULL)
        self.start = time.monotonic()
        if not self.until(20, lambda: self.log_says("watching:")):
            raise RuntimeError("the sensor does not start: " + self.log_text()[-600:])

    # ---- looking -----------------------------------------------------------------------------

    def log_text(self):
        return common.read(self.log).decode("utf-8", "replace")

    def log_says(self, words):
        return self.log_text().count(words)

    def worker(self):
        return lab.child(self.sensor.pid, "bulkhead-worker")

    def dpi(self):
        return lab.child(self.sensor.pid, "bulkhead-dpi")

    def sample(self):
        beat = self.redis.heartbeat()
        if beat:
            self.beat = beat
        self.cursor = self.redis.cursor() or self.cursor
        number = lambda name: int(self.beat.get(name, 0))  # noqa: E731
        ledger = number("attributed") + sum(
            int(v) for k, v in self.beat.items() if k.startswith("unattributed_"))
        worker, supervisor = lab.Taken(self.worker()), lab.Taken(self.sensor.pid)
        dpi = lab.Taken(self.dpi())
        self.samples.append({
            "at": time.monotonic() - self.start, "rss": worker.rss, "supervisor": supervisor.rss,
            "dpi": dpi.rss,
            "descriptors": worker.descriptors + supervisor.descriptors + dpi.descriptors,
            "threads": worker.threads + supervisor.threads + dpi.threads, "frames": number("frames"),
            "ledger": ledger, "dropped": number("drop_kernel") + number("drop_interface"),
            "depth": max(0, self.outbox.last() - self.cursor), "beat": int(self.beat.get("ts_ms", 0)),
            "arrived": self.space.received(), "pid": self.worker()})
        return self.samples[-1]

    def pass_second(self):
        if self.flowing:
            self.ordinary.keep()
        for when, what in list(self.later):
            if time.monotonic() >= when:
                self.later.remove((when, what))
                what()
        time.sleep(max(0.0, 1 - time.monotonic() % 1))
        return self.sample()

    def until(self, seconds, true):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if true():
                return True
            time.sleep(0.05)
        return False

    def flow(self, flowing):
        self.flowing = flowing
        if not flowing:
            for sender in [self.ordinary] + self.floods:
                sender.stop()

    # ---- faults ------------------------------------------------------------------------------

    def soon(self, seconds, what):
        self.later.append((time.monotonic() + seconds, what))

    def change_inventory(self):
        self.reloads += 1
        common.write(self.extra, "version: 1\ntenants:\n  - { name: newcomer%d }\n" % self.reloads)

    def kill_worker(self):
        if self.worker():
            os.kill(self.worker(), signal.SIGKILL)

    def kill_dpi(self):
        if self.dpi():
            os.kill(self.dpi(), signal.SIGKILL)

    def delete_interface(self):
        self.space.sh("ip link del v0")
        self.soon(2, lambda: self.space.sh(lab.CABLE))

    def kill_redis(self):
        self.redis.process.kill()
        self.redis.process.wait()
        self.soon(2, self.redis.start)

    def freeze_redis(self):
        frozen = self.redis.process
        frozen.send_signal(signal.SIGSTOP)
        self.soon(3, lambda: frozen.send_signal(signal.SIGCONT))

    def reload_changed(self):
        self.change_inventory()
        self.sensor.send_signal(signal.SIGHUP)

    def reload_broken(self):
        common.write(self.extra, "version: 1\ntenants:\n  - { name: [}\n")
        self.sensor.send_signal(signal.SIGHUP)
        self.soon(2, self.change_inventory)

    def flood(self):
        sender = self.floods[self.done.get("flood", 0) % len(self.floods)]
        sender.keep()
        self.soon(3, sender.stop)

    def take_down(self, end):
        self.space.sh("ip link set %s down" % end)
        self.soon(2, lambda: self.space.sh("ip link set %s up" % end))

    def cable_out(self):
        self.take_down("v0")

    def link_down(self):
        self.take_down("v1")

    HARD = ("kill_worker", "delete_interface", "kill_worker", "flood")
    WARM = ("flood", "reload_changed", "reload_broken", "flood", "reload_changed")
    SOFT = ("flood", "kill_dpi", "kill_redis", "reload_changed", "cable_out", "reload_broken", "freeze_redis",
            "link_down")

    # ---- phases ------------------------------------------------------------------------------

    def do(self, name):
        getattr(self, name)()
        self.done[name] = self.done.get(name, 0) + 1

    def faults(self, seconds, names):
        end, names, due = time.monotonic() + seconds, list(names), 0
        left = []
        while time.monotonic() < end:
            if time.monotonic() >= due and time.monotonic() < end - 5:
                if not left:
                    left = list(names)
                    self.dice.shuffle(left)
                self.do(left.pop())
                due = time.monotonic() + FAULT_EVERY_S
            self.pass_second()
        while self.later:
            self.pass_second()

    def rest(self):
        """No traffic; the sample after the second heartbeat from now, the first may be older."""
        self.flow(False)
        beats = {self.sample()["beat"]}
        end = time.monotonic() + REST_MOST_S
        while len(beats) < 3 and time.monotonic() < end:
            beats.add(self.pass_second()["beat"])
        return self.samples[-1]

    def round(self, number, seconds):
        self.flow(True)
        self.faults(0.2 * seconds, self.HARD)
        if not self.until(20, self.worker):
            common.bad("round %d: no worker" % number)
        for name in self.WARM:
            self.do(name)
            self.faults(FAULT_EVERY_S, ())
        before = self.rest()
        self.flow(True)
        self.faults(0.25 * seconds, self.SOFT)
        half = self.samples[-1]
        self.faults(0.25 * seconds, self.SOFT)
        after = self.rest()
        judge(number, before, half, after)
        return after


def judge(number, before, half, after):
    """Memory: what is touched for the first time still grows after the floods, a leak grows on."""
    name = "round %d: " % number
    common.check(before["pid"] == after["pid"] != 0, name + "one worker lived through it",
                 [before, after])
    for what in ("rss", "supervisor", "dpi"):
        # One nDPI or another: by then it may have begun anew.
        most = max(before[what], half[what]) if what == "dpi" else half[what]
        common.check(0 < after[what] <= most * (1 + GROWTH) + SLACK_KIB,
                     name + "%s %d KiB, half-way %d, in the end %d" %
                     (what, before[what], half[what], after[what]))
    for what in ("descriptors", "threads"):
        common.check(after[what] <= before[what],
                     name + "%s %d, then %d" % (what, before[what], after[what]))
    arrived, read, dropped = (after[k] - before[k] for k in ("arrived", "frames", "dropped"))
    common.check(arrived == read + dropped > 0, name + "%d frames arrived, %d read, %d dropped" %
                 (arrived, read, dropped))
    common.check(after["ledger"] == after["frames"] > 0,
                 name + "%d frames in the ledger of %d" % (after["ledger"], after["frames"]))


def table(samples):
    columns = (("second", "at", 1), ("MiB", "rss", 1024), ("supervisor", "supervisor", 1024),
               ("nDPI", "dpi", 1024), ("descriptors", "descriptors", 1), ("threads", "threads", 1),
               ("frames", "frames", 1), ("ledger", "ledger", 1), ("dropped", "dropped", 1),
               ("outbox", "depth", 1))
    print("  ".join("%11s" % name for name, _, _ in columns))
    for s in samples[::max(1, len(samples) // 40)]:
        print("  ".join("%11s" % ("%.0f" % (s[key] / unit))
                        for _, key, unit in columns))


def plot(path, samples):
    def line(name, key, unit=1.0):
        return name, [(s["at"], s[key] / unit) for s in samples]

    svg.write_series(path, samples[-1]["at"], [
        ("memory, MiB (0: between two workers)", [line("worker", "rss", 1024.0),
                                                 line("supervisor", "supervisor", 1024.0),
                                                 line("nDPI", "dpi", 1024.0)]),
        ("of the system", [line("descriptors", "descriptors"), line("threads", "threads")]),
        ("frames of this worker, by the last heartbeat", [line("read", "frames"),
                                                          line("dropped", "dropped")]),
        ("alerts that wait in the outbox", [line("states", "depth")])])
    print("plot: " + path)


def finish(soak):
    """All is delivered, once and in order."""
    soak.until(30, lambda: soak.redis.cursor() == soak.outbox.last())
    soak.sensor.send_signal(signal.SIGTERM)
    try:
        status = soak.sensor.wait(60)
    except subprocess.TimeoutExpired:
        status = None
    common.check(status == 0, "SIGTERM ends it, status %s" % status, [soak.log_text()[-800:]])
    should, are = soak.outbox.states(), soak.redis.states()
    common.check(should == are and should, "%d state changes in the outbox, %d in the stream, alike" %
                 (len(should), len(are)))
    common.check(len(set(are)) == len(are), "none of them twice")


def told(soak):
    """What was done to it, and that it noticed."""
    print("done: " + ", ".join("%s %d" % pair for pair in sorted(soak.done.items())))
    common.check(set(soak.done) == set(soak.HARD + soak.SOFT), "each fault came at least once")
    refused = soak.log_says("reload refused")
    common.check(refused >= min(soak.done.get("reload_broken", 0), 1),
                 "%d reloads refused" % refused)
    torn = [s for s in soak.samples if abs(s["frames"] - s["ledger"]) > TORN]
    common.check(not torn, "the ledger adds up in %d samples" % len(soak.samples), torn[:5])
    gaps = soak.log_says("took over; unseen for")
    common.check(gaps >= soak.done.get("kill_worker", 0), "%d workers were replaced" % gaps)


def run(place, seconds, seed, path):
    soak = Soak(place, seconds, seed)
    try:
        rounds = max(1, min(ROUNDS_MOST, round(seconds / ROUND_S)))
        ends = [soak.round(n + 1, seconds / rounds) for n in range(rounds)]
        first, last = ends[0]["supervisor"], ends[-1]["supervisor"]
        common.check(last <= first * (1 + GROWTH) + SLACK_KIB,
                     "over %d rounds the supervisor took %d KiB, then %d" % (rounds, first, last))
        told(soak)
        finish(soak)
        table(soak.samples)
        plot(path, soak.samples)
    finally:
        soak.flow(False)
        if soak.sensor.poll() is None:
            soak.sensor.kill()
            soak.sensor.wait()
        soak.redis.process.kill()
        soak.redis.process.wait()
        soak.space.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--plot")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    seconds = max(120.0, args.hours * 3600 if args.hours else args.minutes * 60)
    if os.geteuid() != 0:
        common.skip("needs root for a network namespace")
        common.end()
    with common.folder() as place:
        run(place, seconds, args.seed,
            args.plot or os.path.join(os.path.dirname(common.BINARY), "soak.svg"))
    common.end()


if __name__ == "__main__":
    sys.exit(main())
