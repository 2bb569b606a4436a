# SPDX-License-Identifier: Apache-2.0
"""lab.py - what the soak test runs on: a cable in a namespace, senders, a Redis that may be killed, and
what a process takes by /proc.

	senders --> v0 ===cable=== v1 --> bulkhead run --> redis-server on a Unix socket
"""
import os
import re
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "reliability"), os.path.join(TESTS, "bench")]
import bench  # noqa: E402  pylint: disable=wrong-import-position
import common  # noqa: E402  pylint: disable=wrong-import-position

CABLE = "ip link add v0 type veth peer name v1; for i in v0 v1; do " \
    "ip link set $i arp off; ip link set $i up; done"


class Space:
    """A network namespace with a cable; no frames of the kernel's own."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
             "net.ipv6.conf.default.disable_ipv6=1; " + CABLE + "; echo up; exec cat"],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.holder.stdout.readline()

    def enter(self, words):
        return ["nsenter", "-t", str(self.holder.pid), "-n"] + words

    def sh(self, script):
        subprocess.run(self.enter(["sh", "-c", script]), check=False, stderr=subprocess.DEVNULL)

    def received(self):
        """Frames that arrived at v1, as its driver counts them."""
        text = common.read("/proc/%d/net/dev" % self.holder.pid).decode()
        match = re.search(r"\bv1: *\d+ +(\d+)", text)
        return int(match.group(1)) if match else 0

    def end(self):
        self.holder.kill()
        self.holder.wait()


class Sender:
    """Sends a capture again and again; begins anew when its link went away."""

    def __init__(self, space, program, capture, rate):
        self.words = space.enter([program, "v0", capture, "1000000000000", str(rate)])
        self.process = None

    def keep(self):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Redis(common.Redis):
    """Keeps what it acknowledged over kill -9, as a Redis with an append-only file does."""

    def __init__(self, place):  # pylint: disable=super-init-not-called
        self.place = place
        self.socket = os.path.join(place, "redis.sock")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.place,
             "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--loglevel", "warning"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            if self.ask_quietly("PING") is not None:
                return
            time.sleep(0.05)
        raise RuntimeError("redis-server does not start")

    def ask_quietly(self, *words):
        """None when there is no answer within a blink: samples are taken each second."""
        self.patience = 0.2
        try:
            return self(*words)
        except (OSError, RuntimeError):
            return None
        finally:
            self.patience = 20

    def heartbeat(self):
        flat = self.ask_quietly("HGETALL", "bulkhead:sensor:soak") or []
        return {k.decode(): v.decode() for k, v in zip(flat[::2], flat[1::2])}

    def cursor(self):
        """The number of the newest alert that came here; None when there is no answer."""
        word = self.ask_quietly("GET", "bulkhead:cursor:soak")
        return None if word is None else int(word)

    def states(self):
        entries = self("XRANGE", "bulkhead:alerts", "-", "+")
        maps = (dict(zip(f[::2], f[1::2])) for _, f in entries)
        return [(m[b"id"].decode(), int(m[b"seq"])) for m in maps]


class Outbox:
    def __init__(self, path):
        self.path = path

    def ask(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.path, uri=True, timeout=5)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def last(self):
        """The newest one's number; 0 when it cannot be read now."""
        try:
            return self.ask("SELECT coalesce(max(sequence), 0) FROM records")[0][0]
        except sqlite3.Error:
            return 0

    def states(self):
        return self.ask("SELECT json_extract(json, '$.bulkhead.alert_id'), "
                        "json_extract(json, '$.bulkhead.seq') FROM records ORDER BY sequence")


class Taken:
    """What a process takes."""

    def __init__(self, pid):
        self.rss = self.threads = self.descriptors = 0
        text = common.read("/proc/%d/status" % pid).decode()
        for name, field in (("VmRSS", "rss"), ("Threads", "threads")):
            match = re.search(r"%s:\s+(\d+)" % name, text)
            if match:
                setattr(self, field, int(match.group(1)))
        try:
            self.descriptors = len(os.listdir("/proc/%d/fd" % pid))
        except OSError:
            pass


def child(pid, name):
    """Its child of this name, 0 when there is none or are several."""
    pids = common.read("/proc/%d/task/%d/children" % (pid, pid)).split()
    found = [int(p) for p in pids if common.read("/proc/%d/comm" % int(p)).decode().strip() == name]
    return found[0] if len(found) == 1 else 0


def captures():
    """Ordinary traffic, its inventory, floods and their sender, beside the binary for the next time."""
    place = bench.Place(common.BINARY)
    found = {"ordinary": place.generate("mix", 120000, 8000, 2000),
             "who": place.generate("inventory", 0, 0, 2000),
             "send": place.build("send", ["send.c"])}
    frames = common.build(place.folder, "frames.c")
    for kind in ("macs", "answered"):
        found[kind] = place.path("flood-%s.pcap" % kind)
        with open(found[kind], "wb") as f:
            subprocess.run([frames, kind, "200000", "1"], stdout=f, check=True)
    return found
