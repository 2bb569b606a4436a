#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shed.py BINARY - overloaded on purpose: what is left out is said, and attacks are found all the same.

A live sensor with a small kernel ring gets more than it can judge: flows with payload, as fast as they
can be sent, while it shares one core with the sender and DPI burdens it, so that every machine is
overloaded (with DPI in a process of its own it may keep up).  Meanwhile
tenants are relayed and forged, several times over, since the kernel drops frames before anybody can
choose.  Each attack must be found; the heartbeat, the counters and an alert
must say what was left out and what was dropped; a while after the flood nothing is left out.
"""
import json
import os
import signal
import subprocess
import time

import calls
import common

PAIRS = 5
REPEATS = 240
FLOOD = 1000000
FRAMES = 2500000


NICE = 5  # a quarter of the core; with half of it the sensor keeps up


def one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def less_of_it():
    one_core()
    os.nice(NICE)


def heartbeat(redis):
    flat = redis("HGETALL", "bulkhead:sensor:shed")
    return {k.decode(): v.decode() for k, v in zip(flat[::2], flat[1::2])}


def watch(redis, until, seen):
    """Notes what heartbeats say is left out, until a moment."""
    while time.time() < until:
        seen.add(heartbeat(redis).get("shedding", "no heartbeat"))
        time.sleep(0.2)


def found(redis, kind):
    return {json.loads(d)["bulkhead"]["actor"].get("host") for d in redis.documents()
            if ('"%s"' % kind).encode() in d}


def flooded(place, network):
    frames = common.build(place, "frames.c")
    sender = common.build(place, "../bench/send.c")
    flood = os.path.join(place, "flood.pcap")
    with open(flood, "wb") as f:
        subprocess.run([frames, "answered", "200000", "1"], stdout=f, check=True)
    process = subprocess.Popen(network.enter([sender, "v0", flood, str(FRAMES), str(FLOOD)]),
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               preexec_fn=one_core)
    time.sleep(0.5)
    # Spread over the flood: the sensor has fallen behind by then.
    for n in range(1, PAIRS + 1):
        batch = []
        for again in range(REPEATS):
            batch += common.poisoned(n) + common.relayed(n, 40000 + again)
        network.send(batch)
    return process.communicate()[0].decode().split()


def run(place, network, redis):
    log = os.path.join(place, "log")
    common.write(os.path.join(place, "who.yaml"), common.inventory(
        PAIRS, more_segments="  - { name: a, vlan: 10, prefixes: [10.4.0.0/14], domain: other }\n"))
    config = common.write(os.path.join(place, "live.yaml"), """version: 1
sensor: { name: shed }
inventory: [who.yaml]
capture: [{ interface: v1, buffer: 2MiB }]
redis: { url: "%s" }
""" % redis.url)
    with open(log, "wb") as f:
        sensor = subprocess.Popen(network.enter([common.BINARY, "run", "--keep-privileges", "-c", config]),
                                  stderr=f, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                  preexec_fn=less_of_it)
    try:
        if not calls.watching(log, sensor):
            common.bad("the sensor does not start", [common.read(log)])
            return
        sent = flooded(place, network)
        seen = set()
        watch(redis, time.time() + 11, seen)  # the next heartbeat
        beat = heartbeat(redis)
        text = common.read(log).decode()
        levels = [l for l in text.splitlines() if "leaves-out=" in l]
        common.check(int(beat.get("drop_kernel", 0)) > 0 and levels,
                     "%s frames at %s a second: %s dropped, then left out: %s" % (
                         sent[0], sent[-1], beat.get("drop_kernel"),
                         ", ".join(dict.fromkeys(l.split("leaves-out=")[1] for l in levels))),
                     [text[-900:]])
        common.check(int(beat.get("dpi_shed", 0)) > 0,
                     "the heartbeat tells: dpi_shed %s, matches_shed %s" % (
                         beat.get("dpi_shed"), beat.get("matches_shed")), [beat])
        for kind in ("relay.forward", "spoof.arp"):
            hosts = found(redis, kind)
            common.check(hosts >= {"a%d" % n for n in range(1, PAIRS + 1)},
                         "%s: %d of %d found during the flood" % (kind, len(hosts), PAIRS), [hosts])
        tables = {d.split(b'"table":"')[1].split(b'"')[0].decode() for d in redis.documents()
                  if b'"table":"' in d}
        drops = any(b'"health.drop"' in d for d in redis.documents())
        common.check(drops and "dpi_shed" in tables, "alerts tell of the drops and of what was left out: %s" %
                     ", ".join(sorted(tables)))
        common.check(beat.get("shedding") == "nothing", "afterwards nothing is left out",
                     [beat.get("shedding"), seen])
    finally:
        sensor.send_signal(signal.SIGTERM)
        try:
            sensor.wait(30)
        except subprocess.TimeoutExpired:
            sensor.kill()
            common.bad("the sensor does not end")


def main():
    if os.geteuid() != 0:
        common.skip("needs root for a network namespace")
        common.end()
    with common.folder() as place:
        redis, network = common.Redis(place), calls.Network()
        try:
            run(place, network, redis)
        finally:
            network.end()
            redis.stop()
    common.end()


if __name__ == "__main__":
    main()
