#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dpi.py BINARY - the DPI process dies 100 times under load, then hangs: only labels are lost.

A live sensor reads flows that DPI has a label for, while its DPI process is killed (SIGKILL) as soon
as the next one serves, and tenants are relayed and forged in every second.  Each attack must be found,
no frame dropped, every death counted and told by an alert, and labels must come again after the
last one.  Then the DPI process is stopped (SIGSTOP): it is killed for it and replaced.  The worker is
the same one all the time.
"""
import json
import os
import signal
import subprocess
import threading
import time

import calls
import common

KILLS = 100
PAIRS = 20
RATE = 8000
FLOWS = 100 * RATE  # longer than the kills take beside other tests; the rest is not sent


def processes(sensor, name):
    """The children of a process by that name."""
    out = subprocess.run(["pgrep", "-P", str(sensor.pid), "-x", name], stdout=subprocess.PIPE, check=False)
    return [int(pid) for pid in out.stdout.split()]


def until(seconds, ask, *args):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask(*args)
        if answer:
            return answer
        time.sleep(0.01)
    return ask(*args)


def filters(pid):
    """System call filters of a process, those it inherited included."""
    for line in common.read("/proc/%d/status" % pid).split(b"\n"):
        if line.startswith(b"Seccomp_filters:"):
            return int(line.split()[1])
    return 0


def serves(sensor, other_than):
    """The DPI process, when it is another one and confined: it has a filter more than who made it."""
    for pid in processes(sensor, "bulkhead-dpi"):
        if pid != other_than and filters(pid) > filters(sensor.pid):
            return pid
    return None


def heartbeat(redis):
    flat = redis("HGETALL", "bulkhead:sensor:dpi")
    return {k.decode(): v.decode() for k, v in zip(flat[::2], flat[1::2])}


def number(redis, name):
    return int(heartbeat(redis).get(name, 0))


def found(redis, kind):
    return {json.loads(d)["bulkhead"]["actor"].get("host") for d in redis.documents()
            if ('"%s"' % kind).encode() in d}


def tables(redis):
    return {d.split(b'"table":"')[1].split(b'"')[0].decode() for d in redis.documents() if b'"table":"' in d}


def attack(network, stop):
    """A pair after the other is poisoned and relayed, spread over the kills."""
    for n in range(1, PAIRS + 1):
        network.send(common.poisoned(n) + common.relayed(n))
        if stop.wait(1.2):
            return


def ask(network, stop):
    """What DPI is asked about: flows of another pair that are relayed, as fast as they can be sent."""
    port = 1024
    while not stop.wait(0.01):
        network.send(common.relayed(PAIRS + 1, port=port))
        port = port + 1 if port < 60000 else 1024


def kill_again_and_again(sensor):
    pid, killed = None, 0
    started = time.monotonic()
    for _ in range(KILLS):
        pid = until(10, serves, sensor, pid)
        if pid is None:
            break
        time.sleep(0.05)  # it is in the middle of something
        os.kill(pid, signal.SIGKILL)
        killed += 1
    return killed, time.monotonic() - started, pid


def under_load(place, network, redis, sensor, sender):
    frames = common.build(place, "frames.c")
    flood = os.path.join(place, "load.pcap")
    with open(flood, "wb") as f:
        subprocess.run([frames, "http", str(FLOWS), "1"], stdout=f, check=True)
    worker = processes(sensor, "bulkhead-worker")
    load = subprocess.Popen(network.enter([sender, "v0", flood, str(FLOWS), str(RATE)]),
                            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    stop = threading.Event()
    attacker = threading.Thread(target=attack, args=(network, stop))
    asker = threading.Thread(target=ask, args=(network, stop))
    attacker.start()
    asker.start()
    try:
        killed, seconds, last = kill_again_and_again(sensor)
        common.check(killed == KILLS, "%d of %d times the DPI process was killed and replaced, in %.0f s" % (
            killed, KILLS, seconds))
        attacker.join()
        labelled = number(redis, "dpi_labelled")
        common.check(until(25, lambda: number(redis, "dpi_labelled") > labelled),
                     "then labels come again: %s flows by now" % number(redis, "dpi_labelled"))
    finally:
        stop.set()
        attacker.join()
        asker.join()
        load.kill()
        load.wait()
    want = {"a%d" % n for n in range(1, PAIRS + 1)}
    for kind in ("relay.forward", "spoof.arp"):
        hosts = until(5, lambda kind=kind: found(redis, kind) if found(redis, kind) >= want else None) or \
            found(redis, kind)
        common.check(hosts >= want, "%s: %d of %d found meanwhile" % (kind, len(hosts & want), PAIRS))
    common.check(processes(sensor, "bulkhead-worker") == worker and number(redis, "drop_kernel") == 0,
                 "the worker lives on, and not a frame was dropped of %d" % number(redis, "frames"),
                 [heartbeat(redis)])
    common.check(number(redis, "dpi_deaths") == KILLS and number(redis, "dpi_shed") > 0,
                 "the heartbeat counts %d deaths, and %d labels left out" % (
                     number(redis, "dpi_deaths"), number(redis, "dpi_shed")))
    common.check("dpi_process" in tables(redis), "an alert tells of it", [tables(redis)])
    return last


def hung(sensor, redis, log, last):
    pid = until(10, serves, sensor, last)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    other = until(15, serves, sensor, pid)
    common.check(other is not None and b"has not moved for" in common.read(log),
                 "one that stands still is replaced after %.1f s" % (time.monotonic() - started))
    common.check(until(12, lambda: number(redis, "dpi_deaths") == KILLS + 1), "and counted")


def run(place, network, redis):
    log = os.path.join(place, "log")
    common.write(os.path.join(place, "who.yaml"), common.inventory(
        PAIRS + 1, more_segments="  - { name: a, vlan: 10, prefixes: [10.4.0.0/14], domain: other }\n"))
    config = common.write(os.path.join(place, "live.yaml"), """version: 1
sensor: { name: dpi, user: "" }
inventory: [who.yaml]
capture: [{ interface: v1, buffer: 64MiB, workers: 2 }]
redis: { url: "%s" }
""" % redis.url)
    with open(log, "wb") as f:
        sensor = subprocess.Popen(network.enter([common.BINARY, "run", "-c", config]),
                                  stderr=f, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        if not calls.watching(log, sensor) or not until(10, serves, sensor, None):
            common.bad("the sensor does not start, or without a DPI process", [common.read(log)])
            return
        hung(sensor, redis, log, under_load(place, network, redis, sensor,
                                            common.build(place, "../bench/send.c")))
    finally:
        sensor.send_signal(signal.SIGTERM)
        try:
            common.check(sensor.wait(30) == 0, "SIGTERM ends all of them with 0")
        except subprocess.TimeoutExpired:
            sensor.kill()
            common.bad("the sensor does not end")
        if common.counts["failed"]:
            print(common.read(log).decode("utf-8", "replace")[-3000:])


def main():
    if os.geteuid() != 0:
        common.skip("needs root for a network namespace")
        common.end()
    with common.folder() as place:
        redis, network = common.Redis(place), calls.Network()
        try:
            if network.up:
                run(place, network, redis)
            else:
                common.skip("this machine gives no network namespace")
        finally:
            network.end()
            redis.stop()
    common.end()


if __name__ == "__main__":
    main()
