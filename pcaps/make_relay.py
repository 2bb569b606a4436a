#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_relay.py - writes the relay-*.pcap.gz captures beside it, byte for byte the same each time.

Frames are built by scapy (Debian: python3-scapy) with fixed times; who is who stands in relay.yaml.
"""
import gzip
import hashlib
import os
import struct

from scapy.all import ARP, Dot1Q, Ether, ICMP, IP, IPv6, Raw, TCP, UDP, raw

HERE = os.path.dirname(os.path.abspath(__file__))
CORE, LB = "52:54:00:ff:00:01", "52:54:00:ff:00:07"
WEB, DB = "52:54:00:4e:00:01", "52:54:00:4e:00:02"
APP = "52:54:00:50:00:01"
BOX, BACK = "52:54:00:5d:00:09", "52:54:00:5d:00:0a"
FAR = "198.51.100.80"


def noise(seed, size):
    """Bytes that look random and are the same in every run."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(b"%s-%d" % (seed.encode(), len(out))).digest()
    return out[:size]


class Capture:
    def __init__(self, vlan=310):
        self.frames, self.now, self.vlan = [], 1767225600.0, vlan

    def wait(self, seconds):
        self.now += seconds

    def add(self, src, dst, packet, vlan=None, delay=0.0007, tags=None):
        self.now += delay
        frame = Ether(src=src, dst=dst)
        for tag in tags if tags is not None else [vlan or self.vlan]:
            frame = frame / Dot1Q(vlan=tag)
        self.frames.append((self.now, raw(frame / packet)))

    def write(self, name):
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        for when, data in self.frames:
            body += struct.pack("<IIII", int(when), int(round(when % 1 * 1e6)), len(data), len(data))
            body += data
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(gzip.compress(body, mtime=0))


def tcp(src, dst, sport, dport, flags, seq, ack, data=b"", ttl=64, ident=1, options=None):
    packet = IP(src=src, dst=dst, ttl=ttl, id=ident) / TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack, window=501, options=options or [])
    return packet / Raw(data) if data else packet


def hello(seed, name=b"shop.example"):
    """A TLS 1.2 ClientHello (RFC 5246 7.4.1.2) with a server name."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = b"\x03\x03" + noise(seed, 32) + b"\x00" + struct.pack("!H", 4) + b"\xc0\x2f\xc0\x30"
    body += b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    shake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (778899, 0)), ("NOP", None), ("WScale", 7)]


def forwarded(equal_ttl):
    """web's connection to a far server, diverted through shade/box in both directions."""
    c = Capture()
    turns = [("S", b"", SYN_OPTIONS), ("SA", b"", SYN_OPTIONS), ("A", b"", None),
             ("PA", b"USER anna\r\n", None), ("PA", b"331 go on\r\n", None),
             ("PA", b"PASS secret\r\n", None), ("PA", b"230 hello\r\n", None)]
    for i, (flags, data, options) in enumerate(turns):
        back = flags == "SA" or data[:1].isdigit()
        ends = (FAR, "10.77.4.17", 21, 40021) if back else ("10.77.4.17", FAR, 40021, 21)
        seq, ack = (7000 + i, 3000 + i) if back else (3000 + i, 7000 + i)
        first = tcp(*ends, flags, seq, ack, data, ttl=57 if back else 64, ident=100 + i, options=options)
        second = first.copy()
        if not equal_ttl:
            second.ttl -= 1
            del second.chksum
        hops = ((CORE, BOX), (BOX, WEB)) if back else ((WEB, BOX), (BOX, CORE))
        c.add(*hops[0], first, delay=0.02)
        c.add(*hops[1], second, delay=0.00003)
    return c


def rewritten():
    """The same detour, but box puts its own address and port into the packets (source NAT)."""
    c = Capture()
    data = b"GET /orders?customer=4711 HTTP/1.1\r\nHost: api.example\r\n\r\n"
    for i, (flags, payload, options) in enumerate([("S", b"", SYN_OPTIONS), ("PA", data, None)]):
        c.add(WEB, BOX, tcp("10.77.4.17", FAR, 41000, 80, flags, 5000 + i, 9 * i, payload, 64, 7 + i, options),
              delay=0.03)
        c.add(BOX, CORE, tcp("10.77.5.90", FAR, 52077, 80, flags, 5000 + i, 9 * i, payload, 63, 7 + i, options),
              delay=0.0002)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"customer\":4711,\"open\":3}\n"
    c.add(CORE, BOX, tcp(FAR, "10.77.5.90", 80, 52077, "PA", 9000, 5100, answer, 57, 90), delay=0.02)
    c.add(BOX, WEB, tcp(FAR, "10.77.4.17", 80, 41000, "PA", 9000, 5100, answer, 56, 90), delay=0.0002)
    return c


def proxied(server, server_mac, client=("10.77.4.17", WEB), relay=("10.77.5.90", BOX)):
    """A client speaks TLS to the relay's own address, which passes it on over a connection of its own."""
    c = Capture()
    for n in range(3):
        data = hello("proxied-%d" % n)
        c.add(client[1], relay[1], tcp(client[0], relay[0], 42000 + n, 443, "PA", 10, 20, data), delay=0.4)
        c.add(relay[1], server_mac, tcp(relay[0], server, 53000 + n, 443, "PA", 600, 700, data, ident=9),
              delay=0.004)
    return c


def intercepted():
    """TLS ended at box and opened anew: same name, other random, other cipher list."""
    c = Capture()
    for n in range(7):
        mine = hello("victim-%d" % n)
        other = hello("actor-%d" % n).replace(b"\xc0\x2f\xc0\x30", b"\x13\x01\x13\x02")
        for i, data in enumerate((mine, other)):
            ends = ("10.77.4.17", "10.77.5.90", WEB, BOX) if i == 0 else ("10.77.5.90", FAR, BOX, CORE)
            sport = 43000 + n + 1000 * i
            c.add(ends[2], ends[3], tcp(ends[0], ends[1], sport, 443, "S", 1, 0), delay=0.01)
            c.add(ends[3], ends[2], tcp(ends[1], ends[0], 443, sport, "SA", 1, 2), delay=0.01)
            c.add(ends[2], ends[3], tcp(ends[0], ends[1], sport, 443, "PA", 2, 2, data), delay=0.01)
        c.wait(5)
    return c


def long_hello(seed, name, ciphers, front):
    """A hello as browsers send it now: the key share alone (ML-KEM-768 and X25519, 1,216 bytes) fills
    most of a segment, and the name stands where it happens to, in the second one unless `front`."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    share = struct.pack("!HHH", 1220, 0x11ec, 1216) + noise(seed + "-share", 1216)
    rest = [(43, b"\x04\x03\x04\x03\x03"), (10, b"\x00\x04\x11\xec\x00\x1d"), (51, share),
            (35, noise(seed + "-ticket", 200)), (0, sni)]
    if front:
        rest.reverse()
    extensions = b"".join(struct.pack("!HH", kind, len(e)) + e for kind, e in rest)
    body = b"\x03\x03" + noise(seed, 32) + b"\x20" + noise(seed + "-id", 32)
    body += struct.pack("!H", len(ciphers)) + ciphers + b"\x01\x00" + struct.pack("!H", len(extensions))
    return b"\x01" + struct.pack("!I", len(body) + len(extensions))[1:] + body + extensions


def records(shake, size):
    """A handshake message in records of `size` bytes."""
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(shake[at:at + size])) + shake[at:at + size]
                    for at in range(0, len(shake), size))


def intercepted_long(same):
    """The same with hellos of several segments.  The actor's come in small records and pieces of odd
    sizes, one of them twice.  same: one client program speaks on both sides."""
    c = Capture()
    for n in range(5):
        mine = records(long_hello("long-victim-%d" % n, b"shop.example", b"\x13\x01\x13\x02", n % 2), 16384)
        other = records(long_hello("long-actor-%d" % n, b"shop.example",
                                   b"\x13\x01\x13\x02" if same else b"\x13\x03\x13\x01", not n % 2),
                        700 if n % 2 else 16384)
        for i, (data, sizes) in enumerate(((mine, [1400]), (other, [1, 3, 2, 500, 130]))):
            ends = ("10.77.4.17", "10.77.5.90", WEB, BOX) if i == 0 else ("10.77.5.90", FAR, BOX, CORE)
            sport = 46000 + n + 1000 * i
            c.add(ends[2], ends[3], tcp(ends[0], ends[1], sport, 443, "S", 1, 0), delay=0.01)
            c.add(ends[3], ends[2], tcp(ends[1], ends[0], 443, sport, "SA", 1, 2), delay=0.01)
            at = 0
            for k in range(99):
                piece = data[at:at + sizes[k % len(sizes)]]
                if not piece:
                    break
                for _ in range(2 if k == 1 else 1):
                    c.add(ends[2], ends[3], tcp(ends[0], ends[1], sport, 443, "PA", 2 + at, 2, piece), delay=0.001)
                at += len(piece)
        c.wait(5)
    return c


def intercepted_twice():
    """Two connections, each with a second hello after HelloRetryRequest: chance, not a series."""
    c = Capture()
    for n in range(2):
        mine = hello("retry-victim-%d" % n)
        other = hello("retry-actor-%d" % n).replace(b"\xc0\x2f\xc0\x30", b"\x13\x01\x13\x02")
        for turn in range(2):
            for i, data in enumerate((mine, other)):
                ends = ("10.77.4.17", "10.77.5.90", WEB, BOX) if i == 0 else ("10.77.5.90", FAR, BOX, CORE)
                c.add(ends[2], ends[3], tcp(ends[0], ends[1], 48000 + n + 1000 * i, 443, "PA",
                                            2 + turn * len(data), 2 + turn * 99, data), delay=0.01)
        c.wait(5)
    return c


def misdelivered():
    """The core's ARP entry for web is wrong: answers end at shade/box, which keeps them."""
    c = Capture()
    for i in range(6):
        c.add(CORE, BOX, IP(src=FAR, dst="10.77.4.17", ttl=57, id=i) / UDP(sport=5004, dport=6000) /
              Raw(noise("rtp-%d" % i, 120)), delay=0.02)
    c.wait(8)
    c.add(APP, CORE, IP(src="10.77.5.33", dst=FAR) / UDP(sport=123, dport=123) / Raw(bytes(48)))
    return c


def spoofed():
    """shade/box sends in the name of south/app; nothing was sent to it."""
    c = Capture()
    for i in range(5):
        c.add(BOX, CORE, IP(src="10.77.5.33", dst=FAR, id=i) / UDP(sport=4000 + i, dport=53) /
              Raw(noise("q-%d" % i, 40)), delay=0.1)
    c.wait(8)
    c.add(APP, CORE, IP(src="10.77.5.33", dst=FAR) / UDP(sport=123, dport=123) / Raw(bytes(48)))
    return c


def wrong_vlan():
    """shade/box speaks in north's own VLAN, then tries to hop there with two tags."""
    c = Capture()
    c.add(BOX, DB, IP(src="10.77.8.200", dst="10.77.8.18") / ICMP(), vlan=311)
    c.add(BOX, "ff:ff:ff:ff:ff:ff", IP(src="10.77.5.90", dst="10.77.8.18") / ICMP(), tags=[310, 311])
    return c


def balanced():
    """Direct server return: the provider's balancer hands packets for its own address to a tenant's
    server, which answers the client (another tenant) in the balancer's name."""
    c = Capture()
    for i in range(4):
        c.add(APP, LB, tcp("10.77.5.33", "10.77.4.7", 44000, 443, "PA", 50 + i, 1, noise("d%d" % i, 60)))
        c.add(LB, WEB, tcp("10.77.5.33", "10.77.4.7", 44000, 443, "PA", 50 + i, 1, noise("d%d" % i, 60)))
        c.add(WEB, APP, tcp("10.77.4.7", "10.77.5.33", 443, 44000, "PA", 90 + i, 1, noise("e%d" % i, 60)))
    c.wait(8)
    c.add(APP, CORE, IP(src="10.77.5.33", dst=FAR) / UDP(sport=123, dport=123) / Raw(bytes(48)))
    return c


def routed():
    """Ordinary life: the core routes between tenants and VLANs (both sides seen), answers ARP for
    everybody, a host retransmits, a container with an address of its own talks."""
    c = Capture()
    for i in range(4):
        p = tcp("10.77.4.17", "10.77.5.33", 45000, 5432, "PA", 1 + i, 1, noise("r%d" % i, 80), 64, 50 + i)
        c.add(WEB, CORE, p)
        q = p.copy()
        q.ttl = 63
        del q.chksum
        c.add(CORE, APP, q)
        c.add(WEB, CORE, p, delay=0.25)  # retransmission
        c.add(DB, CORE, IP(src="10.77.8.18", dst="10.77.4.17", id=i) / ICMP(), vlan=311)
        c.add(CORE, WEB, IP(src="10.77.8.18", dst="10.77.4.17", id=i, ttl=63) / ICMP())
    c.add(CORE, WEB, ARP(op=2, hwsrc=CORE, psrc="10.77.5.33", hwdst=WEB, pdst="10.77.4.17"))
    c.add(BOX, CORE, IP(src="172.20.0.5", dst="10.77.4.17") / ICMP())
    c.add(APP, BOX, IP(src="10.77.5.33", dst="172.20.0.5") / ICMP(type=0))
    c.add(WEB, APP, IPv6(src="fe80::5054:ff:fe4e:1", dst="2001:db8:77::33") / UDP(sport=9, dport=9) / Raw(b"x" * 30))
    return c


if __name__ == "__main__":
    forwarded(False).write("relay-forward.pcap.gz")
    forwarded(True).write("relay-bridge.pcap.gz")
    rewritten().write("relay-rewrite.pcap.gz")
    proxied(FAR, CORE).write("relay-proxy.pcap.gz")
    proxied("10.77.5.91", BACK).write("relay-proxy-own-backend.pcap.gz")
    proxied(FAR, CORE, relay=("10.77.4.7", LB)).write("relay-proxy-managed.pcap.gz")
    intercepted().write("relay-intercept.pcap.gz")
    intercepted_long(False).write("relay-intercept-long.pcap.gz")
    intercepted_long(True).write("relay-intercept-same.pcap.gz")
    intercepted_twice().write("relay-intercept-retry.pcap.gz")
    misdelivered().write("relay-misdelivery.pcap.gz")
    spoofed().write("relay-spoof-source.pcap.gz")
    wrong_vlan().write("relay-wrong-vlan.pcap.gz")
    balanced().write("relay-direct-return.pcap.gz")
    routed().write("relay-routed.pcap.gz")
