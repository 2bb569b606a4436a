# SPDX-License-Identifier: Apache-2.0
"""growth.py - what a packet costs as flows, hosts and rules grow: flat but for cache levels.

The cost of start and of new flows is taken off: a run is measured against one that lacks only the
packets in question.
"""
import os

import bench
import svg
from bench import say

FLOWS = (1000, 10000, 100000, 1000000, 4000000)
HOSTS = (10, 100, 1000, 10000, 100000)
RULES = (1, 10, 100, 1000)
PACKETS = 2000000
MIX_PACKETS = 500000
MIX_FLOWS = 34400
ROUNDS = 3
PICTURE = os.path.join(bench.HERE, "..", "..", "docs", "performance.svg")


def difference(place, config, outbox, short, long, packets, more=()):
    """Microseconds that a packet of LONG costs beyond SHORT."""
    runs = {short: [], long: []}
    for _ in range(ROUNDS):
        for capture, of_it in runs.items():
            of_it.append(bench.run(*place.replay(config, outbox, capture, *more)))
    return (min(r.cpu for r in runs[long]) - min(r.cpu for r in runs[short])) / packets * 1e6


def over_flows(place, inventory):
    config, outbox = place.config("growth-flows", inventory,
                                  ["dpi: { packets: 0 }", "limits: { flows: 4Mi }"])
    points = []
    for flows in FLOWS:
        say("growth: %d flows" % flows)
        short = place.generate("tiny", flows, flows)
        long = place.generate("tiny", flows + PACKETS, flows)
        points.append((flows, difference(place, config, outbox, short, long, PACKETS)))
        os.unlink(short)
        os.unlink(long)
    return points


def over_hosts(place):
    points = []
    for hosts in HOSTS:
        say("growth: %d hosts" % hosts)
        inventory = place.generate("inventory", hosts=hosts)
        config, outbox = place.config("growth-hosts", inventory)
        short = place.generate("mix", 1, 1, hosts)
        long = place.generate("mix", MIX_PACKETS, MIX_FLOWS, hosts)
        points.append((hosts, difference(place, config, outbox, short, long, MIX_PACKETS)))
    return points


def write_rules(path, count):
    with open(path, "w") as f:
        f.write("version: 1\nruleset: bench\nrules:\n")
        for i in range(count):
            f.write("  - rule: bench.rule%d\n    id: BH-%d\n    rev: 1\n"
                    "    on: [relay.forward, observe.misdelivery]\n    title: rule %d\n"
                    "    condition: actor.tenant != victim.tenant and victim.tenant = tenant%d\n"
                    "    group_by: [actor.host, victim.tenant]\n    severity: high\n"
                    "    output: \"{actor.host} {victim.tenant}\"\n"
                    % (i, 100000 + i, i, i % 100))


def over_rules(place, inventory):
    points = []
    config, outbox = place.config("growth-rules", inventory)
    short = place.generate("mix", 1, 1)
    long = place.generate("mix", MIX_PACKETS, MIX_FLOWS)
    for count in RULES:
        say("growth: %d rules" % count)
        rules = place.path("rules-%d.yaml" % count)
        write_rules(rules, count)
        points.append((count, difference(place, config, outbox, short, long, MIX_PACKETS,
                                         ("--rules", rules))))
    return points


def measure(place, report):
    inventory = place.generate("inventory", hosts=10000)
    curves = [("64-byte packets without DPI", "flows", over_flows(place, inventory)),
              ("MIX", "hosts in the inventory", over_hosts(place)),
              ("MIX", "rules", over_rules(place, inventory))]
    report.text()
    report.text("| µs of CPU a packet over | | | | | |")
    report.text("|---|---|---|---|---|---|")
    for title, axis, points in curves:
        cells = ["%s: %.2f" % (svg.short(x), y) for x, y in points]
        cells += [""] * (5 - len(cells))
        report.text("| %s (%s) | %s |" % (axis, title, " | ".join(cells)))
        report.record(kind="growth", over=axis, workload=title, points=points)
    svg.write(PICTURE, curves)
