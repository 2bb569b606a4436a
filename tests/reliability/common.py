# SPDX-License-Identifier: Apache-2.0
"""common.py - what the reliability tests share: counting, running the sensor, making captures.

A test is a script BINARY [--all]; it states things with ok(), bad(), check() and ends with end(),
whose line run.py adds up.  Frames are plain bytes made here, so that a test says what is in them.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, "build/bulkhead"))
ALL = "--all" in sys.argv[2:]
START = 1767225600  # 2026-01-01T00:00:00Z
counts = {"passed": 0, "failed": 0, "skipped": 0}


def ok(text):
    counts["passed"] += 1
    print("ok   " + text, flush=True)


def bad(text, details=()):
    counts["failed"] += 1
    print("FAIL " + text)
    for line in details:
        print("     " + str(line))
    sys.stdout.flush()


def skip(text):
    counts["skipped"] += 1
    print("skip " + text, flush=True)


def check(good, text, details=()):
    if good:
        ok(text)
    else:
        bad(text, details)
    return good


def end():
    skipped = ", %d skipped" % counts["skipped"] if counts["skipped"] else ""
    print("%d passed, %d failed%s" % (counts["passed"], counts["failed"], skipped))
    sys.exit(1 if counts["failed"] else 0)


def folder():
    return tempfile.TemporaryDirectory(prefix="bulkhead-reliability-")


def write(path, text):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def build(place, source, *flags):
    """Compiles a C helper; source is relative to this folder."""
    out = os.path.join(place, os.path.splitext(os.path.basename(source))[0])
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", out,
                    os.path.join(HERE, source), *flags], check=True)
    return out


class Outcome:
    """How a run of the sensor ended, what it wrote, and what it took."""

    def __init__(self, status, err, alerts, stats, rss_kib=0, seconds=0.0, lines=b""):
        self.status, self.err, self.alerts, self.stats = status, err, alerts, stats
        self.rss_kib, self.seconds, self.lines = rss_kib, seconds, lines

    def kinds(self):
        return {a["bulkhead"]["kind"] for a in self.alerts}

    def opened(self, kind):
        return [a for a in self.alerts
                if a["bulkhead"]["kind"] == kind and a["bulkhead"]["op"] == "open"]


def replay(place, captures, inventory, *args, config=None, stdin=None, env=None, timeout=240,
           parse=True):
    """`bulkhead replay` in a process of its own, with its peak memory."""
    out, stats = os.path.join(place, "out.jsonl"), os.path.join(place, "stats.json")
    for path in (out, stats):
        if os.path.exists(path):
            os.unlink(path)
    words = [BINARY, "replay", "-q", "--inventory", inventory, "-o", out, "--stats", stats, *args]
    if config:
        words += ["-c", config]
    started = time.monotonic()
    with open(os.path.join(place, "err"), "w+b") as err:
        process = subprocess.Popen(words + list(captures), stdin=stdin or subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=err, env=env)
        status, rss = wait(process, timeout)
        err.seek(0)
        text = err.read().decode("utf-8", "replace")
    lines = read(out)
    try:
        numbers = json.loads(read(stats) or b"{}")
    except ValueError:
        numbers = {}
    return Outcome(status, text, [json.loads(line) for line in lines.splitlines()] if parse else [],
                   numbers, rss, time.monotonic() - started, lines)


def wait(process, timeout):
    """Exit status (negative: a signal, None: no end in time) and peak memory in KiB."""
    deadline = time.monotonic() + timeout
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return None, 0
        time.sleep(0.002)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


# ---- frames --------------------------------------------------------------------------------------

def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(src, dst, kind, payload, vlan=None):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan is not None else b""
    return mac(dst) + mac(src) + tag + struct.pack("!H", kind) + payload


def ipv4(src, dst, proto, payload, ttl=64, ident=1):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, 0, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def segment(src, dst, sport, dport, flags, seq, ack, data=b"", proto=6):
    """TCP, or UDP when proto is 17."""
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst)
    if proto == 17:
        head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
        check_sum = checksum(pseudo + struct.pack("!BBH", 0, 17, 8 + len(data)) + head + data)
        return head[:6] + struct.pack("!H", check_sum or 0xffff) + data
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 501, 0, 0)
    check_sum = checksum(pseudo + struct.pack("!BBH", 0, 6, 20 + len(data)) + head + data)
    return head[:16] + struct.pack("!H", check_sum) + head[18:] + data


class Capture:
    """Frames with times in microseconds since START."""

    def __init__(self):
        self.frames, self.now = [], 0

    def add(self, frame, after=100):
        self.now += after
        self.frames.append((START * 1000000 + self.now, frame))

    def bytes(self):
        out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
        for when, data in self.frames:
            out.append(struct.pack("<IIII", when // 1000000 & 0xffffffff, when % 1000000, len(data),
                                   len(data)) + data)
        return b"".join(out)

    def write(self, path):
        return write(path, self.bytes())


# Who is who in captures made here: many tenants that relay, many that are relayed.
ROUTER = "52:54:00:ff:00:01"
FAR = "198.51.100.80"


def party(kind, n):
    """Name, MAC and address of host n of a kind: "v" victims, "a" actors."""
    byte = {"v": 1, "a": 2}[kind]
    return ("%s%d" % (kind, n), "52:54:00:%02x:%02x:%02x" % (byte, n >> 8, n & 255),
            "10.%d.%d.%d" % (byte, n >> 8, n & 255 or 254 if n & 255 == 255 else n & 255))


def inventory(pairs, first=1, more_segments=""):
    text = "version: 1\nsegments:\n" \
           "  - { name: b, vlan: 20, prefixes: [10.1.0.0/16, 10.2.0.0/16], domain: default }\n" + \
           more_segments + "tenants:\n"
    for n in range(first, first + pairs):
        for kind in "va":
            name, address, ip = party(kind, n)
            text += "  - { name: t%s, segments: [b], hosts: [{ name: %s, mac: \"%s\", ip: %s }] }\n" \
                % (name, name, address, ip)
    return text + "infrastructure:\n  - { name: gw, mac: \"%s\", ip: 10.1.255.1, roles: [router] }\n" \
        "taps:\n  - { name: span, view: ingress }\n" % ROUTER


def poisoned(n, vlan=20):
    """Actor n tells the gateway that victim n's address is at its own NIC."""
    _, v_mac, v_ip = party("v", n)
    _, a_mac, _ = party("a", n)
    return [ethernet(m, ROUTER, 0x806, struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + mac(m) +
                     socket.inet_aton(v_ip) + mac(ROUTER) + socket.inet_aton("10.1.255.1"), vlan)
            for m in (v_mac, a_mac)]


def relayed(n, port=40000, vlan=20, host="shop.example"):
    """Frames of victim n's exchange with a far server, each diverted through actor n."""
    _, v_mac, v_ip = party("v", n)
    _, a_mac, _ = party("a", n)
    request = ("GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    out = []
    for i, (back, flags, data) in enumerate([(0, 2, b""), (1, 18, b""), (0, 16, b""),
                                             (0, 24, request), (1, 24, answer)]):
        ends = (FAR, v_ip) if back else (v_ip, FAR)
        ports = (80, port) if back else (port, 80)
        body = segment(*ends, *ports, flags, 1000 * (1 + back) + i, 5000 + i, data)
        hops = ((ROUTER, a_mac), (a_mac, v_mac)) if back else ((v_mac, a_mac), (a_mac, ROUTER))
        for leg, (src, dst) in enumerate(hops):
            out.append(ethernet(src, dst, 0x800, ipv4(*ends, 6, body, 64 - leg, 100 + i), vlan))
    return out


# ---- Redis ---------------------------------------------------------------------------------------

class Redis:
    """A redis-server of the test's own on a Unix socket."""

    patience = 20

    def __init__(self, place):
        self.socket = os.path.join(place, "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", place, "--save", "",
             "--appendonly", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self("PING")
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("redis-server does not start")

    @property
    def url(self):
        return "unix://" + self.socket

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(self.patience)
        client.connect(self.socket)
        return client.makefile("rwb")

    def __call__(self, *words):
        with self.connect() as file:
            return self.ask(file, *words)

    @staticmethod
    def ask(file, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        file.flush()
        return Redis.reply(file)

    @staticmethod
    def reply(file):
        line = file.readline()
        if not line:
            raise OSError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [Redis.reply(file) for _ in range(int(rest))]
        return rest

    def documents(self, prefix="bulkhead:"):
        """The JSON of each entry of the stream, as bytes."""
        entries = self("XRANGE", prefix + "alerts", "-", "+")
        return [dict(zip(fields[::2], fields[1::2]))[b"json"] for _, fields in entries]

    def stop(self):
        self.process.kill()
        self.process.wait()
