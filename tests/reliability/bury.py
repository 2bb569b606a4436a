#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bury.py BINARY - a tenant that makes alerts without end cannot bury another's.

Tenant C forges the addresses of hundreds of tenants from hundreds of its hosts, a new alert with each
frame, 100,000 in a second and more; in the middle A is relayed, once.  A's alert has to be in the
file and in Redis within two seconds, and what had to make room is counted and told.
"""
import os
import signal
import socket
import struct
import subprocess
import time

import calls
import common

SECOND = 1000000
HOSTS, VICTIMS = 250, 400
RATE = HOSTS * VICTIMS
# What C may have told at once: its first alerts under each of the few rules that forgeries break,
# and what is told of the sensor itself.
AT_MOST_BEFORE = 1200
LIMIT_S = 2.0
LIVE_SECONDS = 4


def who():
    """C's hosts, the tenants it forges, and the first pairs of common.relayed()."""
    text = common.inventory(2).replace("10.1.0.0/16, 10.2.0.0/16]", "10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16]")
    tenants = ""
    for n in range(VICTIMS):
        tenants += "  - { name: m%d, segments: [b], hosts: [{ name: m, mac: \"52:54:00:03:%02x:%02x\", " \
            "ip: 10.3.%d.%d }] }\n" % (n, n >> 8, n & 255, n >> 8, n & 255)
    tenants += "  - name: c\n    segments: [b]\n    hosts:\n"
    for n in range(HOSTS):
        tenants += "      - { name: c%d, mac: \"52:54:00:04:00:%02x\", ip: 10.3.100.%d }\n" % (n, n, n)
    return text.replace("infrastructure:", tenants + "infrastructure:")


def forged(n):
    """Host n % HOSTS of C has the address of another tenant."""
    mac = "52:54:00:04:00:%02x" % (n % HOSTS)
    victim = n // HOSTS % VICTIMS
    ip = bytes([10, 3, victim >> 8, victim & 255])
    return common.ethernet(mac, common.ROUTER, 0x806, struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) +
                           common.mac(mac) + ip + common.mac(common.ROUTER) +
                           socket.inet_aton("10.1.255.1"), 20)


def capture(place, name, seconds, rate, at):
    """rate forgeries a second, and A's relay when `at` seconds have passed."""
    c, step = common.Capture(), SECOND // rate
    frames = common.relayed(1)
    for n in range(int(seconds * rate)):
        c.add(forged(n), step)
        if c.now >= at * SECOND and frames:
            c.add(frames.pop(0), 0)
    for frame in frames:
        c.add(frame)
    return c.write(os.path.join(place, name))


def told(run, kind, actor=None):
    """(place in the output, document) of every opening."""
    return [(i, a) for i, a in enumerate(run.alerts)
            if a["bulkhead"]["kind"] == kind and a["bulkhead"]["op"] == "open" and
            actor in (None, a["bulkhead"]["actor"].get("host"))]


def tables(run):
    return {a["bulkhead"]["detail"]["table"] for a in run.alerts
            if a["bulkhead"]["kind"] == "health.table-full"}


def replayed(place, inventory):
    path = capture(place, "c.pcap", 1, RATE, 0.5)
    config = common.write(os.path.join(place, "replay.yaml"), "version: 1\nlimits: { open_alerts: 1Ki }\n")
    run = common.replay(place, [path], inventory, config=config)
    mine = told(run, "relay.forward", "a1")
    before = mine[0][0] if mine else None
    common.check(run.status == 0 and len(mine) == 1 and before < AT_MOST_BEFORE,
                 "replay: among %d forgeries in a second A's alert is number %s" % (RATE, before),
                 [run.err])
    closes = [a["bulkhead"]["reason"] for a in run.alerts if a["bulkhead"]["op"] == "close" and
              mine and a["bulkhead"]["alert_id"] == mine[0][1]["bulkhead"]["alert_id"]]
    common.check(closes == ["end of capture"],
                 "replay: with 1,024 alerts open at most A's stays open to the end", [closes])
    held, evicted = run.stats.get("alerts_held", 0), run.stats.get("alerts_evicted", 0)
    common.check(held > 0 and evicted > 0 and {"alerts_of_one_actor", "open_alerts"} <= tables(run),
                 "replay: %d of C's held back, %d of them pushed out, both counted and told" %
                 (held, evicted), [tables(run)])


THRESHOLD_GROUPS = 16384  # of a rule, counted at a time
GROUPS_RULE = """version: 1
ruleset: mine
rules:
  - rule: mine
    id: BH-6001
    rev: 1
    on: [spoof.arp]
    title: Forgeries again and again
    threshold: { count: 1000, within: 10s }
    group_by: [actor.host, victim.tenant]
    severity: low
    output: "forged {count} times"
"""


def thresholds(place, inventory):
    """Groups beyond those that are counted push others out."""
    groups = THRESHOLD_GROUPS + 3616
    path = capture(place, "groups.pcap", 1, groups, 0.5)
    rules = common.write(os.path.join(place, "groups.yaml"), GROUPS_RULE)
    run = common.replay(place, [path], inventory, "--rules", rules)
    evicted = run.stats.get("state_evicted", 0)
    common.check(run.status == 0 and evicted == groups - THRESHOLD_GROUPS,
                 "thresholds: of %d groups %d make room for others, and are counted" %
                 (groups, evicted), [run.err])


def live(place, inventory):
    sender = common.build(place, "../bench/send.c")
    network = calls.Network()
    redis = common.Redis(place)
    log = os.path.join(place, "log")
    config = common.write(os.path.join(place, "live.yaml"), """version: 1
inventory: [%s]
capture: [{ interface: v1, buffer: 128MiB }]
outbox: { file: %s/outbox.db }
redis: { url: "%s" }
""" % (os.path.basename(inventory), place, redis.url))
    sensor = None
    try:
        with open(log, "wb") as f:
            sensor = subprocess.Popen(network.enter([common.BINARY, "run", "--keep-privileges", "-c",
                                                     config]), stderr=f, stdout=subprocess.DEVNULL,
                                      stdin=subprocess.DEVNULL)
        if not calls.watching(log, sensor):
            common.bad("live: the sensor does not start", [common.read(log)])
            return
        flood = subprocess.Popen(network.enter([sender, "v0", os.path.join(place, "c.pcap"),
                                                str(RATE * LIVE_SECONDS), str(RATE)]),
                                 stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        time.sleep(LIVE_SECONDS / 2)
        sent = time.time()
        network.send(common.relayed(2))
        took = None
        while took is None and time.time() < sent + 10:
            for key, fields in redis("XREVRANGE", "bulkhead:alerts", "+", "-", "COUNT", 500000):
                if b"ta2" in fields and b"relay.forward" in fields:
                    took = int(key.split(b"-")[0]) / 1000 - sent
            time.sleep(0.1)
        rate = flood.communicate()[0].decode().split()
        sensor.send_signal(signal.SIGTERM)
        sensor.wait(60)
        stats = common.read(log).decode()
        common.check(took is not None and took <= LIMIT_S,
                     "live: %s forgeries sent at %s a second; A's alert is in Redis after %s s" %
                     (rate[0], rate[-1], "%.2f" % took if took is not None else "no"), [stats[-900:]])
    finally:
        if sensor is not None and sensor.poll() is None:
            sensor.kill()
        redis.stop()
        network.end()


def main():
    with common.folder() as place:
        inventory = common.write(os.path.join(place, "who.yaml"), who())
        replayed(place, inventory)
        thresholds(place, inventory)
        if os.geteuid() == 0:
            live(place, inventory)
        else:
            common.skip("live: needs root for a network namespace")
    common.end()


if __name__ == "__main__":
    main()
