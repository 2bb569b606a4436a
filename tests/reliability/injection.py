#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""injection.py BINARY - strings of the wire cannot leave their place.

Every byte value at the beginning, in the middle and at the end of every string that can reach an
alert (TLS server name, HTTP host, DNS name, DHCP host and domain name, mDNS name), and strings that
are dangerous as a whole, go through the real binary into a file and Redis, under a rule that quotes
all it can.  Every line is printable ASCII and JSON in which three parsers read the same; Redis is
sent the same number of commands for each alert; its stream holds the lines of the file.
"""
import glob
import json
import os
import re
import socket
import sqlite3
import struct
import subprocess
import threading

import common

# What other programs take as commands: Redis, SQL, a shell, a terminal, a page, a format.
WHOLE = [b"\r\n*1\r\n$8\r\nFLUSHALL\r\n", b"'; DROP TABLE rows; --", b"$(reboot)`reboot`", b"\x1b]0;x\x07\x1b[2J",
         b"<script>alert(1)</script>", b"%s%n%n%n", b"\xe2\x80\xae\xe2\x81\xa6bidi", b"\xc0\xaf\xed\xa0\x80",
         b"a" * 60, b"{{7*7}}", b'","x":"y', b"\\u0000\\", b"\xff" * 40, b"../../etc/passwd"]


def strings():
    for value in range(256):
        byte = bytes([value])
        yield from (byte + b"bc.example", b"ab" + byte + b"cd.example", b"abc.exampl" + byte)
    yield from WHOLE


def labels(name):
    """A DNS name of one or two labels; a dot of the string stays within its label."""
    out = b""
    for at in range(0, min(len(name), 120), 60):
        part = name[at:at + 60]
        out += bytes([len(part)]) + part
    return out + b"\0"


def tls(name):
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack("!H", 4) + b"\xc0\x2f\xc0\x30"
    body += b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    shake = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\1" + struct.pack("!H", len(shake)) + shake


def http(name):
    return b"GET /" + name + b" HTTP/1.1\r\nHost: " + name + b"\r\nUser-Agent: " + name + \
        b"\r\nAuthorization: Basic YTpi\r\n\r\n"


def relay(n, sport, dport, payload, proto=6):
    """Packets of victim n that go through actor n; at the last one DPI has a label for them."""
    _, v_mac, v_ip = common.party("v", n)
    _, a_mac, _ = common.party("a", n)
    out = []
    for i in range(6):
        body = common.segment(v_ip, common.FAR, sport, dport, 24, 1000 + i * len(payload), 2000,
                              payload, proto)
        out += [common.ethernet(src, dst, 0x800, common.ipv4(v_ip, common.FAR, proto, body, ttl,
                                                             6 * n + i), 20)
                for src, dst, ttl in ((v_mac, a_mac, 64), (a_mac, common.ROUTER, 63))]
    return out


def dns(name, answer=None, ident=7, with_question=True):
    question = labels(name) + b"\0\1\0\1" if with_question else b""
    head = struct.pack("!HHHHHH", ident, 0x8400 if answer else 0x100, with_question, answer is not None,
                       0, 0)
    if answer is None:
        return head + question
    return head + question + (b"\xc0\x0c" if with_question else labels(name)) + b"\0\1\0\1" + \
        struct.pack("!IH", 60, 4) + socket.inet_aton(answer)


def datagram(src, dst, ends, ports, payload):
    return common.ethernet(src, dst, 0x800, common.ipv4(*ends, 17, common.segment(
        *ends, *ports, 0, 0, 0, payload, 17)), 20)


def dns_answer(n, name):
    """Actor n answers in the resolver's name what victim n asked."""
    _, a_mac, a_ip = common.party("a", n)
    _, v_mac, v_ip = common.party("v", n)
    resolver = "10.1.255.1"
    return [datagram(v_mac, common.ROUTER, (v_ip, resolver), (40000, 53), dns(name)),
            datagram(a_mac, v_mac, (resolver, v_ip), (53, 40000), dns(name, a_ip))]


def mdns_answer(n, name):
    """Actor n goes by every name that victim n asks all for."""
    _, a_mac, a_ip = common.party("a", n)
    _, v_mac, v_ip = common.party("v", n)
    group, to = "01:00:5e:00:00:fb", "224.0.0.251"
    out = []
    for each in (name[:50], b"o" + name[:50]):
        out += [datagram(v_mac, group, (v_ip, to), (5353, 5353), dns(each, ident=0)),
                datagram(a_mac, group, (a_ip, to), (5353, 5353), dns(each, a_ip, 0, False))]
    return out


def dhcp(n, name):
    """Actor n, who is no server, offers an address with names in its options."""
    _, a_mac, a_ip = common.party("a", n)
    _, v_mac, _ = common.party("v", n)
    option = b"".join(bytes([code, len(name[:200])]) + name[:200] for code in (12, 15, 43, 60, 66, 67))
    body = b"\2\1\6\0" + struct.pack("!IHH", n, 0, 0) + bytes(4) + socket.inet_aton("10.1.200.9") + \
        socket.inet_aton(a_ip) + bytes(4) + common.mac(v_mac) + bytes(10) + \
        name[:64].ljust(64, b"\0") + name[:128].ljust(128, b"\0") + b"\x63\x82\x53\x63" + \
        b"\x35\1\5\x36\4" + socket.inet_aton(a_ip) + b"\3\4" + socket.inet_aton(a_ip) + \
        b"\6\4" + socket.inet_aton(a_ip) + option + b"\xff"
    segment = common.segment(a_ip, "255.255.255.255", 67, 68, 0, 0, 0, body, 17)
    return [common.ethernet(a_mac, "ff:ff:ff:ff:ff:ff", 0x800, common.ipv4(
        a_ip, "255.255.255.255", 17, segment), 20)]


SOURCES = {
    "TLS server name": lambda n, s: relay(n, 40000 + n, 443, tls(s)),
    "HTTP host and path": lambda n, s: relay(n, 40000 + n, 80, http(s)),
    "DNS query": lambda n, s: relay(n, 40000 + n, 53, dns(s, ident=n), 17),
    "DNS answer": dns_answer,
    "mDNS answer": mdns_answer,
    "DHCP options": dhcp,
}
# The share of them that must be found again in an alert: of most, the letters around the byte.
QUOTED = {"TLS server name": 0.9, "HTTP host and path": 0.9, "DNS query": 0.9, "DNS answer": 0.9,
          "mDNS answer": 0.9, "DHCP options": 0}
RULE = """version: 1
ruleset: quotes
rules:
  - rule: quotes
    id: BH-7001
    rev: 1
    on: [%s]
    title: All that is said
    group_by: [actor.mac, victim.host, kind, app.host]
    severity: high
    output: "{app.proto} {app.host} {app.risk} {detail.name} {detail.sni} {detail.domain} {detail.hostname} {victim.host}"
"""


class Monitor(threading.Thread):
    """What the server was asked."""

    def __init__(self, redis):
        super().__init__(daemon=True)
        self.file, self.lines = redis.connect(), []
        redis.ask(self.file, "MONITOR")
        self.start()

    def run(self):
        try:
            for line in self.file:
                self.lines.append(line)
        except (OSError, ValueError):
            pass


def three_parsers(place, lines):
    """The texts of all documents by each parser, or the reason why not."""
    path = common.write(os.path.join(place, "lines"), b"\n".join(lines) + b"\n")
    texts = [json.dumps(json.loads(line), sort_keys=True) for line in lines]
    jq = subprocess.run(["jq", "-c", "-S", ".", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        check=False)
    if jq.returncode != 0:
        return "jq: %s" % jq.stderr.decode()
    if [json.dumps(json.loads(l), sort_keys=True) for l in jq.stdout.splitlines()] != texts:
        return "jq reads something else"
    db = sqlite3.connect(":memory:")
    for line in lines:
        valid, minified = db.execute("SELECT json_valid(?1), json(?1)", (line.decode(),)).fetchone()
        if not valid or json.dumps(json.loads(minified), sort_keys=True) != \
                json.dumps(json.loads(line), sort_keys=True):
            return "sqlite reads something else: %s" % line
        tree = {str(v) for (v,) in db.execute("SELECT atom FROM json_tree(?) WHERE type='text'",
                                              (line.decode(),))}
        if tree != set(text_values(json.loads(line))):
            return "sqlite's tree differs: %s" % line
    return None


def text_values(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from text_values(value)
    elif isinstance(node, list):
        for value in node:
            yield from text_values(value)
    elif isinstance(node, str):
        yield node


def main():
    names = set()
    for path in glob.glob(os.path.join(common.TOP, "rules/*.yaml")):
        for on in re.findall(r"^    on: \[(.*)\]", common.read(path).decode(), re.M):
            names |= {name.strip() for name in on.split(",")}
    names = sorted(name for name in names if not name.startswith("health."))
    with common.folder() as place:
        redis = common.Redis(place)
        try:
            common.write(os.path.join(place, "rules.yaml"), RULE % ", ".join(names))
            common.write(os.path.join(place, "who.yaml"), common.inventory(800).replace(
                "roles: [router]", "roles: [router, dns, dhcp]"))
            for source, make in SOURCES.items():
                inject(place, redis, source, make)
        finally:
            redis.stop()
    common.end()


def inject(place, redis, source, make):
    capture, all_strings = common.Capture(), list(strings())
    for n, text in enumerate(all_strings, 1):
        for frame in make(n, text):
            capture.add(frame, 1000)
    path = capture.write(os.path.join(place, "strings.pcap"))
    redis("FLUSHALL")
    monitor = Monitor(redis)
    run = common.replay(place, [path], os.path.join(place, "who.yaml"), "--rules", os.path.join(
        place, "rules.yaml"), "--redis", redis.url, parse=False)
    lines = run.lines.splitlines()
    wrong = [line for line in lines if any(byte < 0x20 or byte > 0x7e for byte in line)]
    parsed = None if wrong else three_parsers(place, lines)
    opened = [line for line in lines if b'"op":"open"' in line]
    quoting = sum(b"xampl" in line for line in opened)
    # Some strings are no names (empty, a dot), and two may differ by case alone.
    common.check(run.status == 0 and len(opened) >= len(all_strings) * 0.95 and not wrong and
                 parsed is None and quoting >= len(all_strings) * QUOTED[source],
                 "%s: %d strings, %d alerts, %d of them quote one, all printable ASCII, read alike by "
                 "three parsers" % (source, len(all_strings), len(opened), quoting),
                 [run.err, wrong[:2], parsed])
    stream = redis.documents()
    commands = [l for l in monitor.lines if b'"xadd" "bulkhead:alerts"' in l.lower()]
    other = {l.split(b'"')[1].lower() for l in monitor.lines if l.count(b'"') > 1}
    fields = {value for _, entry in redis("XRANGE", "bulkhead:alerts", "-", "+") for value in entry}
    raw = [value for value in fields if not all(0x20 <= byte <= 0x7e for byte in value)]
    common.check(stream == lines and len(commands) == len(lines) and not other - KNOWN and not raw,
                 "%s: %d documents in the stream by as many commands, none but %s" %
                 (source, len(stream), b" ".join(sorted(other)).decode()), [other - KNOWN, raw[:3]])


# All that a replay asks of a server.
KNOWN = {b"exec", b"expire", b"get", b"hincrby", b"hset", b"hsetnx", b"multi", b"ping", b"publish", b"set",
         b"watch", b"xadd", b"xrange", b"zadd", b"zrem"}


if __name__ == "__main__":
    main()
