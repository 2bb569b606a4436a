#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flood.py BINARY - bounded memory, and an attack in VLAN 20 found during a flood in VLAN 10.

Each flood of frames.c goes through the whole sensor twice, once four times as long: what is
remembered must not grow with it, and stays below what the limits come to.  All along, other tenants
are relayed and forged in a VLAN of their own; each must be found.
"""
import os
import subprocess

import common

FRAMES = 250000
LONGER = 4
PAIRS = 25
LIMITS = {"flows": 16384, "dpi_flows": 1024, "tokens": 16384, "fragments": 1024, "bindings": 16384,
          "open_alerts": 256, "evidence": 4 << 20}
# What an entry of each takes at most, with its index: measured by what a full table added.
BYTES = {"flows": 640, "dpi_flows": 8192, "tokens": 512, "fragments": 512, "bindings": 256,
         "open_alerts": 8192, "evidence": 1}
# Program, libraries, nDPI's tables, the ring to the judge, detectors' tables, the inventory.
BASE = 64 << 20
GROWTH = 0.02
FIRST_TOUCH = 2048  # KiB of tables that a shorter flood had not filled yet
ATTACKS = ("relay.forward", "spoof.arp")
# A flood, how many frames a microsecond, and what is said to be forgotten, if anything.
FLOODS = [("macs", 1, None), ("tuples", 1, "flows_evicted"), ("answered", 1, "flows_evicted"),
          ("vlans", 1, "flows_evicted"), ("arp", 1, "state_evicted"), ("dns", 1, "flows_evicted"),
          ("fragments", 1, None), ("tunnels", 1, "flows_evicted")]


def flood(place, tool, kind, step, count, attack):
    words = [tool, kind, str(count), str(step)] + ([attack] if attack else [])
    with subprocess.Popen(words, stdout=subprocess.PIPE) as maker:
        return common.replay(place, ["-"], os.path.join(place, "inventory.yaml"), config=os.path.join(
            place, "config.yaml"), stdin=maker.stdout, parse=True)


def attacked(run, kind):
    """Which pairs were found: actor and victim must be the right ones."""
    out = set()
    for alert in run.opened(kind):
        actor, victim = (alert["bulkhead"][who].get("host", "") for who in ("actor", "victim"))
        if actor[:1] == "a" and victim == "v" + actor[1:]:
            out.add(int(actor[1:]))
    return out


def main():
    bound = BASE + sum(LIMITS[k] * BYTES[k] for k in LIMITS)
    with common.folder() as place:
        tool = common.build(place, "frames.c")
        common.write(os.path.join(place, "inventory.yaml"), common.inventory(
            PAIRS, more_segments="  - { name: a, vlan: 10, prefixes: [10.4.0.0/14], domain: other }\n"))
        common.write(os.path.join(place, "config.yaml"), "version: 1\nlimits: { %s }\n" %
                     ", ".join("%s: %d" % item for item in LIMITS.items()))
        capture = common.Capture()
        for n in range(1, PAIRS + 1):
            for frame in common.poisoned(n) + common.relayed(n):
                capture.add(frame)
        attack = capture.write(os.path.join(place, "attack.pcap"))
        for kind, step, counter in FLOODS:
            short = flood(place, tool, kind, step, FRAMES, attack)
            long = flood(place, tool, kind, step, FRAMES * LONGER, attack)
            s = long.stats
            missed = [(run is long, a, n) for run in (short, long) for a in ATTACKS
                      for n in range(1, PAIRS + 1) if n not in attacked(run, a)]
            common.check(short.status == long.status == 0 and not missed,
                         "%s: %d relays and %d forgeries in another VLAN, each found among %d and "
                         "%d frames (%.0f a second)" %
                         (kind, PAIRS, PAIRS, short.stats.get("frames", 0), s.get("frames", 0),
                          s.get("frames", 0) / long.seconds),
                         [short.err, long.err, "missed: %s" % missed])
            common.check(long.rss_kib << 10 <= bound and
                         long.rss_kib - short.rss_kib <= short.rss_kib * GROWTH + FIRST_TOUCH,
                         "%s: %d MiB of at most %d MiB, %.1f %% more than for a quarter of it" %
                         (kind, long.rss_kib >> 10, bound >> 20,
                          (long.rss_kib / (short.rss_kib or 1) - 1) * 100))
            whole = sum(v for k, v in s.items() if k == "attributed" or k.startswith("unattributed_"))
            common.check(whole == s.get("frames") and (counter is None or s.get(counter, 0) > 0),
                         "%s: every frame is in the ledger%s" %
                         (kind, ", %s %d" % (counter, s.get(counter, 0)) if counter else ""),
                         [s])
    common.end()


if __name__ == "__main__":
    main()
