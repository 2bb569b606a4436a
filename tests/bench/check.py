#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check.py BULKHEAD [--update] - speed without noise, as part of `make check`.

1. Allocations: a run over twice the packets makes not one more, by workers or judge.  nDPI and
   the library it decrypts with are excepted, they allocate for each flow; so are the threads
   that deliver alerts.
2. Instructions a packet, counted by callgrind on a fixed input, against budget.txt with 5 %
   slack.  Start is taken off by a run over one packet.

About 20 seconds on two cores.  Without valgrind the second part is skipped.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # no cache beside the sources

import bench

WORKLOADS = {"mix": 4000, "imix": 400, "tiny": 4000, "flows": 6000}
PACKETS = 20000
HOSTS = 1000
SLACK = 1.05
LIMITS = ["limits: { flows: 16Ki, dpi_flows: 4Ki, tokens: 16Ki }"]
AGAIN = 2
BUDGET = os.path.join(bench.HERE, "budget.txt")
PACKET_THREADS = ("worker_main", "judge_main")
# nDPI, its allocator hook in our binary, and what it decrypts QUIC with.
EXCEPTED = re.compile(r"libndpi|libgcrypt|libgpg-error")
EXCEPTED_FUNCTION = "counted_malloc"


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, good, what):
        print("%s %s" % ("ok" if good else "FAILED", what))
        self.passed += good
        self.failed += not good


def function_at(module, offset):
    out = subprocess.run(["addr2line", "-f", "-e", module, offset], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    return out.split("\n")[0] or "?"


def allocations(place, preload, capture, name):
    """Caller -> number, for the threads of the packet path."""
    config, outbox = place.config("check-" + name, place.generate("inventory", hosts=HOSTS), LIMITS)
    listing = place.path("check-%s.allocations" % name)
    command, remove = place.replay(config, outbox, capture)
    bench.run(["env", "LD_PRELOAD=" + preload, "COUNT_MALLOC=" + listing] + command, remove)
    counts = {}
    with open(listing) as f:
        for line in f:
            words = line.split()
            if words[0] == "lost":
                if int(words[1]) != 0:
                    sys.exit("count_malloc: its table is full")
                continue
            thread = function_at(words[0], words[1])
            caller = function_at(words[2], words[3])
            if thread not in PACKET_THREADS or EXCEPTED.search(words[2]):
                continue
            if caller != EXCEPTED_FUNCTION:
                # By caller alone: what is set up once is so by the thread that comes first.
                key = "%s (%s)" % (caller, os.path.basename(words[2]))
                counts[key] = counts.get(key, 0) + int(words[4])
    return counts


def check_allocations(place, tally):
    preload = place.build("count_malloc.so", ["count_malloc.c"], ["-fPIC", "-shared", "-ldl"])
    for workload, flows in WORKLOADS.items():
        short, long = (allocations(place, preload,
                                   place.generate(workload, PACKETS * times, flows * times, HOSTS),
                                   workload) for times in (1, 2))
        grown = {key: n - short.get(key, 0) for key, n in long.items() if n > short.get(key, 0)}
        for key, more in grown.items():
            print("%s: %d allocations more by %s" % (workload, more, key))
        tally.check(not grown, "%s: no allocation on the packet path" % workload)


def instructions(place, name, capture):
    config, outbox = place.config("count-" + name, place.generate("inventory", hosts=HOSTS), LIMITS)
    profile = place.path("callgrind." + name)
    command, remove = place.replay(config, outbox, capture)
    bench.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + profile] + command, remove)
    with open(profile) as f:
        return int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M).group(1))


def count_all(place):
    """Workload -> instructions a packet."""
    captures = {name: place.generate(name, PACKETS, flows, HOSTS)
                for name, flows in WORKLOADS.items()}
    captures["start"] = place.generate("mix", 1, 1, HOSTS)
    place.generate("inventory", hosts=HOSTS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {name: pool.submit(instructions, place, name, capture)
                   for name, capture in captures.items()}
        total = {name: future.result() for name, future in futures.items()}
    return {name: (total[name] - total["start"]) / PACKETS for name in WORKLOADS}


def read_budget():
    with open(BUDGET) as f:
        lines = f.read().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    budget = dict(line.split() for line in lines if line and not line.startswith("#"))
    return comments, {name: int(value) for name, value in budget.items()}


def check_budget(place, tally, update):
    comments, budget = read_budget()
    if not bench.have("valgrind"):
        print("no valgrind: instructions are not counted")
        tally.skipped += len(WORKLOADS)
        return
    measured = count_all(place)
    # A busy machine can only add: threads that wait for each other look more often.
    for _ in range(AGAIN):
        if update or all(measured[name] <= budget.get(name, 0) * SLACK for name in measured):
            break
        measured = {name: min(value, measured[name]) for name, value in count_all(place).items()}
    if update:
        with open(BUDGET, "w") as f:
            f.write("\n".join(comments) + "\n")
            f.writelines("%-6s %d\n" % (name, round(value)) for name, value in measured.items())
        budget = read_budget()[1]
    for name, value in measured.items():
        limit = budget.get(name, 0)
        tally.check(value <= limit * SLACK, "%s: %d instructions a packet, budget %d (%+.1f %%)"
                    % (name, round(value), limit, (value / max(limit, 1) - 1) * 100))
        if value < limit / SLACK:
            print("%s: cheaper than its budget; --update keeps it so" % name)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    place = bench.Place(sys.argv[1])
    tally = Tally()
    check_allocations(place, tally)
    check_budget(place, tally, "--update" in sys.argv[2:])
    skipped = ", %d skipped" % tally.skipped if tally.skipped else ""
    print("%d passed, %d failed%s" % (tally.passed, tally.failed, skipped))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
