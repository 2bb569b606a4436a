# SPDX-License-Identifier: Apache-2.0
"""live.py - the highest rate without loss over a veth pair, beside `tcpdump -w /dev/null`.

Two interfaces in a network namespace of our own.  A sender on the last core raises its rate step
by step; each program takes its turn at each step, with the same buffer and priority, until it
loses frames in every try.  What is sent must be what is seen plus what is told as dropped.
"""
import os
import re
import select
import signal
import subprocess
import time

import bench
from bench import say

STEP = 1.3
FIRST_RATE = 150000
SECONDS = 2
TRIES = 3
REACHED = 0.95  # of the rate asked for
BUFFER_MIB = 32  # some tenths of a second at the rates in question
READY_S = 20
SETTLE_S = 1.5  # tcpdump leaves the last block lie for up to a second
LAST_CORE = os.cpu_count() - 1
# What else runs on the machine must not decide who loses a frame; nor the sender, which has the
# last core for itself.
SENDER = ["nice", "-n", "-19", "taskset", "-c", str(LAST_CORE)]
RECEIVER = ["nice", "-n", "-19", "taskset", "-c", "0-%d" % max(LAST_CORE - 1, 0)]
PAIR = ("bench-out", "bench-in")


class Namespace:
    def __init__(self):
        self.name = "bulkhead-bench-%d" % os.getpid()
        self.wrap = ["ip", "netns", "exec", self.name]

    def __enter__(self):
        out, into = PAIR
        ip = ["ip", "-n", self.name, "link"]
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        # No frames of the kernel's own: they would be counted.
        subprocess.run(self.wrap + ["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"],
                       check=True)
        subprocess.run(ip + ["add", out, "type", "veth", "peer", "name", into], check=True)
        for interface in PAIR:
            subprocess.run(ip + ["set", interface, "arp", "off", "up"], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


def first_in_line(child):
    """Where the kernel groups tasks by session, nice counts within the group only."""
    try:
        with open("/proc/%d/autogroup" % child.pid, "w") as f:
            f.write("-19")
    except OSError:
        pass


def wait_for(stream, words):
    """Reads until these words come: the program listens."""
    seen = b""
    end = time.monotonic() + READY_S
    while words not in seen and time.monotonic() < end:
        if select.select([stream], [], [], 0.2)[0]:
            more = os.read(stream.fileno(), 4096)
            if not more:
                break
            seen += more
    if words not in seen:
        raise RuntimeError("did not start: " + seen.decode(errors="replace"))
    return seen


def number(pattern, text):
    match = re.search(pattern, text)
    return int(match.group(1).replace(",", "")) if match else -1


def tcpdump_counts(text):
    return (number(r"(\d+) packets captured", text),
            number(r"(\d+) packets dropped by kernel", text))


def bulkhead_counts(text):
    return (number(r"frames +([\d,]+)", text), number(r"drops +([\d,]+) by the kernel", text))


def trial(space, command, ready, counts, sender, capture, rate):
    """(rate reached, sent, seen, dropped)"""
    child = subprocess.Popen(RECEIVER + space.wrap + command, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             start_new_session=True)
    first_in_line(child)
    try:
        wait_for(child.stderr, ready)
        time.sleep(0.2)
        other = subprocess.Popen(
            SENDER + space.wrap + [sender, PAIR[0], capture, str(SECONDS * rate), str(rate)],
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        first_in_line(other)
        out = other.communicate()[0].split()
        if other.returncode != 0:
            raise RuntimeError("the sender failed")
        time.sleep(SETTLE_S)
    finally:
        child.send_signal(signal.SIGINT)  # nice, taskset and ip have become the program
        rest = child.communicate(timeout=60)[1].decode(errors="replace")
    seen, dropped = counts(rest)
    return float(out[1]), int(out[0]), seen, dropped


def passes(space, report, name, capture, program, how, sender, rate):
    """True: not a frame was lost; False: some were in every try; None: the sender is too slow."""
    verdict = None
    for _ in range(TRIES):
        say("live, %s: %d a second, %s" % (name, rate, program))
        reached, sent, seen, dropped = trial(space, *how, sender, capture, rate)
        report.record(kind="live", workload=name, program=program, asked=rate, rate=reached,
                      sent=sent, seen=seen, dropped=dropped, exact=sent == seen + dropped)
        if sent != seen + dropped:
            say("live, %s: %s: %d sent, %d seen, %d dropped: not exact"
                % (name, program, sent, seen, dropped))
        if reached < REACHED * rate and seen == sent:
            continue
        verdict = seen == sent
        if verdict:
            break
    return verdict


def climb(space, report, name, capture, programs, sender):
    """Program -> highest step of the rate without loss."""
    best = {program: 0 for program in programs}
    climbing = sorted(programs)
    rate = FIRST_RATE
    while climbing:
        verdicts = {program: passes(space, report, name, capture, program, programs[program],
                                    sender, rate) for program in climbing}
        for program, verdict in verdicts.items():
            if verdict:
                best[program] = rate
        if None in verdicts.values():
            report.text("At %d frames a second (%s) the sender was at its end." % (rate, name))
            break
        climbing = [program for program in climbing if verdicts[program]]
        rate = int(rate * STEP)
    return best


def measure(place, report, inventory):
    """Workload -> our rate over tcpdump's; None without the rights."""
    if os.geteuid() != 0:
        say("live: needs root, left out")
        return None
    sender = place.build("send", ["send.c"])
    captures = {"imix": place.generate("imix", 1000000, 4000),
                "tiny": place.generate("tiny", 1000000, 100000)}
    lines = ["capture: [{ interface: %s, buffer: %dMiB }]" % (PAIR[1], BUFFER_MIB)]
    config, outbox = place.config("live", inventory, lines)
    with open(config) as f:
        text = f.read().replace("site: bench }", 'site: bench, user: "" }')
    with open(config, "w") as f:
        f.write(text)
    programs = {
        "bulkhead": ([place.bulkhead, "run", "-c", config], b"rules", bulkhead_counts),
        "tcpdump": (["tcpdump", "-Z", "root", "-i", PAIR[1], "-B", str(BUFFER_MIB * 1024),
                     "-w", "/dev/null"],
                    b"listening on", tcpdump_counts),
    }
    ratios, rows = {}, []
    report.text()
    with Namespace() as space:
        for name, capture in captures.items():
            for end in ("", "-wal", "-shm"):
                if os.path.exists(outbox + end):
                    os.unlink(outbox + end)
            best = climb(space, report, name, capture, programs, sender)
            ratios[name] = best["bulkhead"] / max(best["tcpdump"], 1)
            rows.append("| %s | %d | %d | %.2f x |" % (name, best["bulkhead"], best["tcpdump"],
                                                      ratios[name]))
    report.text()
    report.text("| live over veth, frames a second without loss | bulkhead | tcpdump -w /dev/null "
                "| ratio |")
    report.text("|---|---|---|---|")
    for row in rows:
        report.text(row)
    return ratios
