#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py BULKHEAD [OPTION]... - measures speed beside other programs on the same captures.

Programs run in turn, round after round, so that a noisy minute hits all of them; figures are
medians of CPU time (user + system), of the whole process with start and end.  Ratios to other
programs travel between machines, absolute figures do not.

Results: JSON lines in BUILD/bench/results.jsonl, tables on standard output and, with --docs FILE,
between the marks of that file.  --strict fails when a target is missed.
"""
import argparse
import json
import os
import re
import sys

sys.dont_write_bytecode = True  # no cache beside the sources

import bench
import growth
import latency
import live
from bench import median, say

MIB = 1 << 20
NO_DPI = "dpi: { packets: 0 }"
WORKER_ROUNDS = 7  # two of our own runs are compared, which whoever else uses the cores moves one by one
EMPTY, TCPDUMP, READER, SURICATA, OURS = ("libpcap loop", "tcpdump", "ndpiReader", "suricata",
                                         "bulkhead")

# workload: generator, packets and flows by default and in full, lines of the config, peers
WORKLOADS = {
    "mix": ("mix", (1000000, 68800), (2500000, 172000), [], [EMPTY, TCPDUMP, READER, SURICATA]),
    "imix": ("imix", (1000000, 4000), (2900000, 4000), [], [EMPTY, TCPDUMP, READER, SURICATA]),
    "tiny": ("tiny", (1000000, 100000), (1000000, 100000), [], [READER, SURICATA]),
    "flows": ("flows", (1000000, 1500000), (1000000, 1500000), [], [READER, SURICATA]),
    "tiny-nodpi": ("tiny", (4000000, 100000), (10000000, 100000), [NO_DPI], [EMPTY, TCPDUMP]),
}
ONLY_FULL = {"flows-all": ("flows", None, (5800000, 1500000), [], [TCPDUMP, READER])}
# workload, peer, at least, stretch (times as fast as the peer)
TARGETS = [
    ("mix", READER, 4.0, 6.0), ("mix", SURICATA, 2.5, None),
    ("imix", READER, 2.6, None), ("imix", SURICATA, 5.0, None), ("imix", TCPDUMP, 0.7, 0.95),
    ("tiny", READER, 3.0, 7.0), ("tiny", SURICATA, 1.0, None),
    ("flows", READER, 4.0, 7.0), ("flows", SURICATA, 1.8, None),
    ("tiny-nodpi", TCPDUMP, 0.5, 0.75),
]
MEMORY_TARGET, MEMORY_STRETCH = 512 * MIB, 320 * MIB
WORKERS_TARGET, WORKERS_STRETCH = 1.7, 1.9


class Report:
    def __init__(self, path):
        self.file = open(path, "w")
        self.lines = []
        self.missed = []

    def record(self, **fields):
        self.file.write(json.dumps(fields) + "\n")
        self.file.flush()

    def text(self, line=""):
        self.lines.append(line)
        print(line, flush=True)

    def target(self, what, value, at_least, stretch, fmt="%.2f x", below=False):
        """A row of the table of targets."""
        good = value <= at_least if below else value >= at_least
        if not good:
            self.missed.append(what)
        self.text("| %s | %s | %s | %s | %s |" % (what, fmt % at_least,
                                                 fmt % stretch if stretch else "", fmt % value,
                                                 "yes" if good else "**no**"))
        self.record(kind="target", what=what, value=value, at_least=at_least, met=good)


def suricata_config(place):
    """No rules, no logs: the same as we ask of the others."""
    path = place.path("suricata.yaml")
    with open(path, "w") as f:
        f.write("%YAML 1.1\n---\nvars: { address-groups: { HOME_NET: any, EXTERNAL_NET: any } }\n"
                "outputs: []\nstats: { enabled: no }\nrule-files: []\n"
                "logging: { default-log-level: error, outputs: [{ console: { enabled: no } }] }\n"
                "flow: { memcap: 1gb, hash-size: 1048576, prealloc: 10000 }\n"
                "stream: { memcap: 1gb, reassembly: { memcap: 1gb } }\n"
                "app-layer: { protocols: { tls: { enabled: yes }, http: { enabled: yes }, "
                "dns: { udp: { enabled: yes }, tcp: { enabled: yes } }, ssh: { enabled: yes }, "
                "smtp: { enabled: yes } } }\n")
    return path


def commands(place, capture, config, outbox, peers):
    """Program -> command and what to remove before it."""
    table = {
        EMPTY: ([place.build("empty", ["empty.c"], ["-lpcap"]), capture], []),
        # As root it would give what it writes to, the device itself, to its own user.
        TCPDUMP: (["tcpdump", "-Z", "root", "-r", capture, "-w", "/dev/null"], []),
        READER: (["ndpiReader", "-q", "-i", capture], []),
        SURICATA: (["suricata", "-c", suricata_config(place), "--runmode", "single", "-S",
                    "/dev/null", "-l", place.folder, "-r", capture], []),
        OURS: place.replay(config, outbox, capture),
    }
    chosen = [p for p in peers if p == EMPTY or bench.have(p)] + [OURS]
    return {p: table[p] for p in chosen}


def compare(place, report, name, workload, full, rounds, inventory):
    generator, usual, whole, lines, peers = workload
    packets, flows = whole if full else usual
    capture = place.generate(generator, packets, flows)
    config, outbox = place.config(name, inventory, lines)
    programs = commands(place, capture, config, outbox, peers)
    runs = {p: [] for p in programs}
    for turn in range(rounds):
        for program, (command, remove) in programs.items():
            say("%s: round %d of %d, %s" % (name, turn + 1, rounds, program))
            runs[program].append(bench.run(command, remove, pinned=True))
    ours = median(runs[OURS], "cpu")
    result = {}
    for program, of_it in runs.items():
        cpu = median(of_it, "cpu")
        result[program] = cpu / ours
        report.record(kind="speed", workload=name, program=program, packets=packets,
                      cpu_s=cpu, kpps=packets / cpu / 1000, us_per_packet=cpu / packets * 1e6,
                      rss=median(of_it, "rss"), memory=median(of_it, "memory"),
                      wall_s=median(of_it, "wall"), ours_is_faster_by=cpu / ours,
                      cpu_all=[r.cpu for r in of_it])
        report.text("| %s | %s | %d | %.2f | %.0f | %s |" % (
            name, program, packets / cpu / 1000, cpu / packets * 1e6,
            median(of_it, "memory") / MIB, "" if program == OURS else "%.2f x" % (cpu / ours)))
    return result


def measure_memory(place, report, inventory, rounds):
    """All of the default million flows in use."""
    capture = place.generate("tiny", 1600000, 1 << 20)
    config, outbox = place.config("memory", inventory)
    command, remove = place.replay(config, outbox, capture)
    memory = max(bench.run(command, remove).memory for _ in range(min(rounds, 2)))
    report.record(kind="memory", flows=1 << 20, memory=memory)
    return memory


def measure_workers(place, report, name, full, rounds, inventory):
    """How much less the busiest thread has to do with two workers: what two cores gain.  By the
    clock too, which on a busy machine says nothing."""
    generator, usual, whole, lines, _ = WORKLOADS[name]
    packets, flows = whole if full else usual
    capture = place.generate(generator, packets, flows)
    config, outbox = place.config("workers", inventory, lines)
    runs = {1: [], 2: []}
    rounds = max(rounds, WORKER_ROUNDS)
    for turn in range(rounds):
        for workers, of_it in runs.items():
            say("%s: round %d of %d, %d workers" % (name, turn + 1, rounds, workers))
            of_it.append(bench.run(*place.replay(config, outbox, capture, "--workers",
                                                 str(workers))))
    one, two = median(runs[1], "busiest"), median(runs[2], "busiest")
    report.record(kind="workers", workload=name, busiest_of_one_s=one, busiest_of_two_s=two,
                  gain=one / two, gain_by_the_clock=median(runs[1], "wall") / median(runs[2], "wall"),
                  cpu_one_s=median(runs[1], "cpu"), cpu_two_s=median(runs[2], "cpu"))
    return one / two


def table_of_targets(report, results, memory, workers, rates, delay):
    report.text()
    report.text("| target | at least | stretch | measured | met |")
    report.text("|---|---|---|---|---|")
    for workload, peer, at_least, stretch in TARGETS:
        if peer in results.get(workload, {}):
            report.target("%s, against %s" % (workload, peer), results[workload][peer], at_least,
                          stretch)
    if memory:
        report.target("memory of 1 Mi flows, at most", memory / MIB, MEMORY_TARGET / MIB,
                      MEMORY_STRETCH / MIB, "%.0f MiB", below=True)
    for name, gain in workers.items():
        report.target("%s, two workers against one (busiest thread)" % name, gain, WORKERS_TARGET,
                      WORKERS_STRETCH)
    if rates:
        report.target("live, IMIX, loss-free rate against tcpdump", rates["imix"], 0.8, 1.0)
    if delay is not None:
        report.target("live, frame to alert in Redis, 99 of 100, at most", delay, 50, 10, "%.0f ms",
                      below=True)


def write_docs(path, lines):
    with open(path) as f:
        text = f.read()
    marked = re.compile(r"(<!-- bench: begin -->\n).*(<!-- bench: end -->)", re.S)
    if not marked.search(text):
        sys.exit("%s: no marks <!-- bench: begin --> and <!-- bench: end -->" % path)
    body = "\n".join(lines) + "\n"
    with open(path, "w") as f:
        f.write(marked.sub(lambda m: m.group(1) + body + m.group(2), text))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bulkhead")
    parser.add_argument("--full", action="store_true", help="the sizes of the targets")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="workloads, separated by commas")
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    parser.add_argument("--growth", action="store_true", help="curves over flows, hosts and rules")
    parser.add_argument("--live", action="store_true", help="over a veth; needs root")
    parser.add_argument("--docs", help="write the tables between this file's marks")
    return parser.parse_args()


def main():
    args = arguments()
    place = bench.Place(args.bulkhead)
    report = Report(place.path("results.jsonl"))
    table = dict(WORKLOADS, **(ONLY_FULL if args.full else {}))
    names = args.only.split(",") if args.only else list(table)
    inventory = place.generate("inventory", hosts=10000)
    results, workers, rates, delay = {}, {}, None, None
    report.text("%s; medians of %d rounds, %s sizes." % (bench.machine(), args.rounds,
                                                        "full" if args.full else "small"))
    report.text()
    report.text("| workload | program | kpps | µs a packet | MiB | we are faster by |")
    report.text("|---|---|---|---|---|---|")
    for name in names:
        results[name] = compare(place, report, name, table[name], args.full, args.rounds,
                                inventory)
    memory = None if args.only else measure_memory(place, report, inventory, args.rounds)
    if os.cpu_count() > 1:
        for name in ("imix", "mix"):
            if name in names:
                workers[name] = measure_workers(place, report, name, args.full, args.rounds,
                                                inventory)
    if args.live:
        rates = live.measure(place, report, inventory)
        delay = latency.measure(place, report, inventory)
    table_of_targets(report, results, memory, workers, rates, delay)
    if args.growth:
        growth.measure(place, report)
    if args.docs:
        write_docs(args.docs, report.lines)
    say("results: %s" % place.path("results.jsonl"))
    return 1 if args.strict and report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
