#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_everyday.py [SCENE...] - writes the everyday-*.pcap.gz captures beside it.

More ordinary life, that of protocols whose answers, repetitions and habits resemble an attack.  A
learning switch forwards the frames, and a mirror shows them as `span` (what enters), `span-both`
(what enters and what leaves every port), what leaves the ports of alder/a1 and of a firewall whose
port nobody registered, and `span-both` without destination MACs.  Each scene is a function below;
with names as arguments only these are in the captures.  Who is who stands in everyday.yaml.  Frames
are built by scapy (Debian: python3-scapy) with fixed times: the same bytes each time.
"""
import gzip
import os
import random
import struct
import sys

from scapy.all import (ARP, BOOTP, DHCP, DNS, DNSQR, DNSRR, Dot3, Ether, ICMP, IP, IPv6, Raw, TCP,
                       UDP, VRRP, VXLAN, raw)

HERE = os.path.dirname(os.path.abspath(__file__))
VLAN = 205
ALL = "ff:ff:ff:ff:ff:ff"
MDNS = "01:00:5e:00:00:fb"
FAR, RESOLVER, PUBLIC = "198.51.100.33", "192.0.2.53", "192.0.2.66"
NET = "10.33.0."
M = {
    "gw": "00:1b:17:00:01:30", "gw2": "00:1b:17:00:01:31", "lb": "00:1b:17:00:02:10",
    "vtep": "00:1b:17:00:03:01", "vtep2": "00:1b:17:00:03:02", "nat": "00:1b:17:00:02:20", "dhcp": "00:1b:17:00:02:30",
    "a1": "52:54:00:aa:00:01", "a2": "52:54:00:aa:00:02", "a3": "52:54:00:aa:00:03",
    "b1": "52:54:00:bb:00:01", "b2": "52:54:00:bb:00:02", "c1": "52:54:00:cc:00:01",
    "c2": "52:54:00:cc:00:02",
    # in no inventory: firewalls of alder, its virtual MAC, a container behind a1
    "fw": "00:0c:29:5a:00:01", "fw2": "00:0c:29:5a:00:02", "avmac": "00:00:5e:00:01:37",
    "box": "02:42:0a:21:00:50",
}
BEHIND = {"avmac": "a2", "box": "a1"}  # whose port
A = {name: NET + last for name, last in (
    ("gw", "1"), ("gw2", "2"), ("lb", "5"), ("nat", "6"), ("dhcp", "7"), ("a1", "11"), ("a2", "12"),
    ("a3", "13"), ("b1", "21"), ("b2", "22"), ("c1", "31"), ("c2", "32"), ("fw2", "99"),
    ("avip", "40"), ("nlb", "60"))}
TAPPED = ("a1", "fw2")


class Switch:
    """Learns where MACs are, floods what it does not know; mirrors."""

    def __init__(self):
        self.now = 1767225600.0
        self.ident = 0
        self.dice = random.Random(205)
        self.port = {mac: BEHIND.get(name, name) for name, mac in M.items()}
        self.learnt = {}
        self.views = {name: [] for name in ["", "-both"] + ["-" + port for port in TAPPED]}

    def wait(self, seconds):
        self.now += seconds

    def noise(self, size):
        return bytes(self.dice.randrange(256) for _ in range(size))

    def send(self, src, dst, packet, delay=0.001, port=None, tagged=True):
        self.now += delay
        src, dst = M.get(src, src), M.get(dst, dst)
        data = raw(packet if dst is None else Ether(src=src, dst=dst) / packet)
        if dst is None:
            dst = packet.dst
        if tagged:
            data = data[:12] + struct.pack("!HH", 0x8100, VLAN) + data[12:]
        port = port or self.port[src]
        self.port[src] = port
        self.learnt[src] = port
        ports = sorted(set(self.port.values()) - {port})
        if dst in self.learnt:
            ports = [self.learnt[dst]] if self.learnt[dst] != port else []
        self.views[""].append((self.now, data))
        self.views["-both"].append((self.now, data))
        for n, out in enumerate(ports):
            self.views["-both"].append((self.now + 2e-6 * (n + 1), data))
            if out in TAPPED:
                self.views["-" + out].append((self.now, data))

    # ---- what hosts say ------------------------------------------------------------------------

    def ip(self, src, dst, ttl=64, **fields):
        if ":" in src:
            return IPv6(src=src, dst=dst, hlim=ttl)
        self.ident = self.ident % 65000 + 1
        return IP(src=src, dst=dst, ttl=ttl, **dict({"id": self.ident}, **fields))

    def arp(self, src, ip, wanted, dst=ALL, op=1, sha=None):
        self.send(src, dst, ARP(op=op, hwsrc=sha or M[src], psrc=ip, pdst=wanted))

    def udp(self, way, ends, ports, data):
        for n in range(len(way) - 1):
            packet = self.ip(*ends, ttl=64 - n) / UDP(sport=ports[0], dport=ports[1]) / Raw(data)
            self.send(way[n], way[n + 1], packet, delay=0.001 if n == 0 else 0.00003)

    def tcp(self, way, ends, dport=443, turns=4, data=None):
        """A conversation over the NICs of `way`, the client's first; routers take one off the TTL."""
        sport = self.dice.randrange(32768, 61000)
        number = [self.dice.randrange(2**31), self.dice.randrange(2**31)]
        options = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (self.dice.randrange(2**31), 0)),
                   ("NOP", None), ("WScale", 7)]
        talk = [(0, "S", b""), (1, "SA", b""), (0, "A", b"")]
        talk += [(n % 2, "PA", (data or {}).get(n) or self.noise(150)) for n in range(turns)]
        talk += [(0, "FA", b""), (1, "FA", b"")]
        for back, flags, body in talk:
            t = TCP(sport=(sport, dport)[back], dport=(dport, sport)[back], flags=flags,
                    seq=number[back], ack=number[not back] if "A" in flags else 0,
                    options=options if "S" in flags else [])
            hops = list(reversed(way)) if back else way
            for n in range(len(hops) - 1):
                packet = self.ip(ends[back], ends[not back], ttl=64 - n) / t
                self.send(hops[n], hops[n + 1], packet / Raw(body) if body else packet,
                          delay=0.001 if n == 0 else 0.00003)
            number[back] += len(body) + (flags in ("S", "SA", "FA"))


# ---- scenes -------------------------------------------------------------------------------------

def opening_answers(s):
    """IKE and SIP between two tenants: answers bear what the request bore."""
    for n in range(3):
        spi, peer = s.noise(8), s.noise(8)
        for version, exchange in ((0x20, 34), (0x10, 2)):
            head = bytes([0x21, version, exchange])
            s.udp(["b1", "a1"], (A["b1"], A["a1"]), (500, 500),
                  spi + bytes(8) + head + b"\x08" + struct.pack("!II", 0, 128) + s.noise(100))
            s.udp(["a1", "b1"], (A["a1"], A["b1"]), (500, 500),
                  spi + peer + head + b"\x20" + struct.pack("!II", 0, 128) + s.noise(100))
        lines = "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s\r\nCall-ID: %d@b\r\nCSeq: 1 %s\r\n\r\n"
        branch = s.noise(12).hex()
        for sport, method in ((5060, "INVITE"), (40000 + n, "OPTIONS")):
            rest = lines % (A["b1"], branch + method, n, method)
            s.udp(["b1", "a1"], (A["b1"], A["a1"]), (sport, 5060),
                  ("%s sip:1@a SIP/2.0\r\n" % method + rest).encode())
            for status in ("100 Trying", "200 OK"):
                s.udp(["a1", "b1"], (A["a1"], A["b1"]), (5060, 5060),
                      ("SIP/2.0 %s\r\n" % status + rest).encode())


def said_again(s):
    """Counters without an IP id, several in the same bytes within a millisecond; duplicate ACKs."""
    for n in range(20):
        for _ in range(4):
            for name in (b"hits:1|c", b"hits.%d:1|c" % n):
                s.send("b1", "a2", s.ip(A["b1"], A["a2"], id=0, flags="DF") /
                       UDP(sport=40100, dport=8125) / Raw(name), delay=0.00005)
        s.send("c1", "a2", s.ip(A["c1"], A["a2"]) / TCP(sport=40101, dport=80, flags="A", seq=9 + n) /
               Raw(s.noise(60)))
        for _ in range(3):
            s.send("a2", "c1", s.ip(A["a2"], A["c1"]) /
                   TCP(sport=80, dport=40101, flags="A", seq=5, ack=9 + n), delay=0.00005)
        s.wait(0.1)


def container(s):
    """A container behind a1's port, with a MAC nobody registered, talks to another tenant."""
    for ip in (NET + "90", NET + "190", "172.17.0.5"):
        s.arp("box", ip, A["b1"])
        s.arp("b1", A["b1"], ip, dst=M["box"], op=2)
        s.tcp(["box", "b1"], (ip, A["b1"]), turns=12)
        s.tcp(["box", "gw"], (ip, FAR), turns=6)


def own_firewalls(s):
    """alder's firewalls: one in no inventory, with NAT; one with an address and no MAC; a pair with
    a virtual MAC."""
    s.arp("fw", NET + "98", A["gw"])
    for n in range(3):
        syn = {"sport": 41000 + n, "dport": 80, "flags": "S", "seq": 7000 * n,
               "options": [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (99 + n, 0))]}
        body = {"sport": 41000 + n, "dport": 80, "flags": "PA", "seq": 7000 * n + 1, "ack": 78}
        data = Raw(b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n" + s.noise(40))
        back = {"sport": 80, "dport": 41000 + n, "flags": "PA", "seq": 78, "ack": 7000 * n + 90}
        reply = Raw(s.noise(100))
        for t in (TCP(**syn), TCP(**body) / data):
            s.send("a1", "fw", s.ip(A["a1"], FAR) / t)
            s.send("fw", "gw", s.ip(NET + "98", FAR, ttl=63) / t)
        s.send("gw", "fw", s.ip(FAR, NET + "98", ttl=60) / TCP(**back) / reply)
        s.send("fw", "a1", s.ip(FAR, A["a1"], ttl=59) / TCP(**back) / reply)
    s.arp("fw2", A["fw2"], A["gw"])
    s.arp("fw2", A["fw2"], A["a1"], dst=M["a1"], op=2)
    s.tcp(["a1", "fw2", "gw"], (A["a1"], FAR))
    s.tcp(["a1", "fw2", "b1"], (A["a1"], A["b1"]))
    s.arp("avmac", A["avip"], A["avip"])
    for mac in ("avmac", "a2"):
        s.send(mac, "01:00:5e:00:00:12", s.ip(A["a2"], "224.0.0.18", ttl=255) /
               VRRP(version=2, vrid=0x37, priority=100, addrlist=[A["avip"]]))
    s.tcp(["a3", "avmac", "gw"], (A["a3"], FAR))
    s.tcp(["b1", "avmac"], (A["b1"], A["avip"]))


def cluster(s):
    """Network load balancing in unicast mode, its address in the hosts' lists."""
    s.arp("c1", A["nlb"], A["b1"], dst=M["b1"], op=2, sha="02:bf:0a:21:00:3c")
    for _ in range(15):
        s.send("b1", "02:bf:0a:21:00:3c", s.ip(A["b1"], A["nlb"]) /
               UDP(sport=5000, dport=5001) / Raw(s.noise(60)))
        s.send("02:01:0a:21:00:3c", "b1", s.ip(A["nlb"], A["b1"]) /
               UDP(sport=5001, dport=5000) / Raw(s.noise(60)), port="c1")


def to_itself(s):
    """A real server calls the balanced address that it serves; hairpins of the NAT."""
    for n in range(4):
        syn = TCP(sport=42000 + n, dport=80, flags="S", seq=n)
        for nic in ("a1", "lb"):
            s.send(nic, {"a1": "lb", "lb": "a1"}[nic], s.ip(A["a1"], A["lb"]) / syn)
        s.send("a1", "nat", s.ip(A["a1"], PUBLIC) / syn)
        s.send("nat", "a1", s.ip(A["a1"], A["a1"]) / syn)
        s.send("a1", "nat", s.ip(A["a1"], PUBLIC) / TCP(sport=42100 + n, dport=81, flags="S", seq=n))
        s.send("nat", "b1", s.ip(A["a1"], A["b1"], ttl=63) /
               TCP(sport=42100 + n, dport=81, flags="S", seq=n))
        s.send("b1", "a1", s.ip(A["b1"], A["a1"]) /
               TCP(sport=81, dport=42100 + n, flags="SA", seq=5, ack=n + 1))
        s.send("a1", "b1", s.ip(A["a1"], A["b1"]) /
               TCP(sport=42100 + n, dport=81, flags="R", seq=n + 1))


def dhcp(s, who, op, kind, ends, nics, **fields):
    options = [("message-type", kind)] + fields.pop("options", []) + ["end"]
    ports = (68, 67) if op == 1 else (67, 68)
    s.send(nics[0], nics[1], s.ip(*ends) / UDP(sport=ports[0], dport=ports[1]) /
           BOOTP(op=op, chaddr=bytes.fromhex(M[who].replace(":", "")), **fields) / DHCP(options=options))


def leased(s, who, ip, lost=()):
    given = [("server_id", A["dhcp"]), ("lease_time", 3600), ("router", A["gw"])]
    wish = [("requested_addr", ip), ("server_id", A["dhcp"])]
    everybody, server = ("0.0.0.0", "255.255.255.255"), (A["dhcp"], ip)
    if "discover" not in lost:
        dhcp(s, who, 1, "discover", everybody, (who, ALL))
    if "offer" not in lost:
        dhcp(s, who, 2, "offer", server, ("dhcp", who), yiaddr=ip, options=given)
    dhcp(s, who, 1, "request", everybody, (who, ALL), options=wish)
    if "ack" not in lost:
        dhcp(s, who, 2, "ack", server, ("dhcp", who), yiaddr=ip, options=given)
    for _ in range(2):
        s.arp(who, "0.0.0.0", ip)
        s.wait(1)
    s.arp(who, ip, ip)


def relet(s):
    """Pool addresses go from alder to birch: the mirror lost the acknowledgement; neighbours still
    know the old NIC; the old lessee gives the address back."""
    ip = NET + "140"
    leased(s, "a1", ip)
    s.tcp(["a1", "gw"], (ip, FAR))
    s.wait(5)
    leased(s, "b1", ip, lost=["ack"])
    s.arp("b1", ip, A["gw"])
    s.tcp(["b1", "gw"], (ip, FAR))
    s.tcp(["b1", "c1"], (ip, A["c1"]))
    ip = NET + "141"
    leased(s, "a1", ip)
    s.tcp(["a1", "gw"], (ip, FAR))
    dhcp(s, "a1", 1, "release", (ip, A["dhcp"]), ("a1", "dhcp"), ciaddr=ip)
    s.wait(2)
    leased(s, "b1", ip)
    for n in range(4):
        s.send("gw", "a1", s.ip(FAR, ip, ttl=58) / TCP(sport=60000 + n, dport=22, flags="S", seq=n))
        s.send("c1", "a1", s.ip(A["c1"], ip) / ICMP(id=n, seq=1) / Raw(s.noise(40)))
    s.tcp(["b1", "gw"], (ip, FAR))
    ip = NET + "142"
    leased(s, "a1", ip)
    dhcp(s, "a1", 1, "decline", ("0.0.0.0", "255.255.255.255"), ("a1", ALL),
         options=[("requested_addr", ip), ("server_id", A["dhcp"])])
    s.wait(70)
    s.arp("b2", ip, ip)
    s.tcp(["b2", "gw"], (ip, FAR))


def names(s):
    """Several mDNS names of one host, probed and announced; a resolver asks on; a list is read."""
    def say(who, **fields):
        s.send(who, MDNS, s.ip(A[who], "224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) /
               DNS(id=0, **fields))

    def record(who, name):
        return DNSRR(rrname=name, rdata=A[who], ttl=120, rclass=0x8001)

    aliases = (b"web.local.", b"cam.local.", b"db.local.")
    for name in aliases:
        say("a1", qd=DNSQR(qname=name, qtype=255), ns=record("a1", name))
        say("a1", qr=1, aa=1, qd=None, an=record("a1", name))
    s.wait(30)
    for name in aliases:
        say("b1", qd=DNSQR(qname=name))
        say("a1", qr=1, aa=1, qd=None, an=record("a1", name))
    for n in range(33, 36):
        s.tcp(["b1", "gw"], (A["b1"], "198.51.100.%d" % n), turns=2)

    def ask(who, nic, to, n, number):
        s.send(who, nic, s.ip(A[who], to) / UDP(sport=43000 + number, dport=53) /
               DNS(id=number, rd=1, qd=DNSQR(qname="%d.100.51.198.in-addr.arpa" % n, qtype="PTR")))

    for n in range(33, 36):
        ask("b1", "a1", A["a1"], n, n)
        ask("a1", "gw", RESOLVER, n, n + 100)
    for n in range(70, 72):
        for who in ("a1", "b2"):
            s.tcp([who, "gw"], (A[who], "198.51.100.%d" % n), turns=2)
        ask("b2", "a1", A["a1"], n, n)
    for n in range(64):
        ask("c1", "gw", RESOLVER, n, n + 200)


def boot_storm(s):
    """Three hundred machines nobody registered ask for the gateway within a second."""
    s.wait(90)
    for n in range(300):
        mac = "02:%02x:%02x:7a:00:01" % (s.dice.randrange(256), n & 255)
        s.port[mac] = "gw2"
        s.send(mac, ALL, ARP(op=1, hwsrc=mac, psrc=NET + str(60 + n % 60), pdst=A["gw"]), delay=0.002)


def forgetful(s):
    """The switch forgets its table: several times with a topology change told by BPDUs, once without
    a word, and between the keep-alives of an idle connection."""
    def flows(pairs, frames):
        for n, (src, dst) in enumerate(pairs):
            for i in range(frames):
                s.send(src, dst, s.ip(A[src], A[dst]) /
                       TCP(sport=44000, dport=44000, flags="PA", seq=i * 9, ack=1) / Raw(s.noise(9)))
            s.send(dst, src, s.ip(A[dst], A[src]) /
                   TCP(sport=44000, dport=44000, flags="A", seq=1, ack=n))

    root = struct.pack("!H6s", 0x1000, bytes.fromhex("001b17ff0001"))
    for n in range(6):
        bpdu = b"\x42\x42\x03" + struct.pack("!HBBB", 0, 2, 2, 0x3d) + root + bytes(4) + root
        bpdu += struct.pack("!HHHHHB", 0x8001, 0, 5120, 512, 3840, 0)
        s.send("gw2", None, Dot3(src="00:1b:17:ff:00:01", dst="01:80:c2:00:00:00") / Raw(bpdu),
               tagged=False)
        s.learnt.clear()
        flows([("b1", "c1"), ("c1", "b1")][n % 2:n % 2 + 1], 2)
        s.wait(2)
    s.wait(70)
    s.learnt.clear()
    flows([(a, b) for a in ("b1", "b2", "c1", "c2") for b in ("c1", "c2", "b1", "b2") if a[0] != b[0]], 2)
    for n in range(6):
        s.wait(100)
        s.learnt.clear()
        flows([("b1", "c1"), ("c1", "b1")][n % 2:n % 2 + 1], 1)


def untagged(s):
    """LLDP is never tagged; and a mirror that takes tags off.  (Another segment is untagged.)"""
    for who in ("a1", "b1"):
        mac = bytes.fromhex(M[who].replace(":", ""))
        frame = b"\x02\x07\x04" + mac + b"\x04\x07\x03" + mac + b"\x06\x02\x00\x78\x00\x00"
        s.send(who, "01:80:c2:00:00:0e", Raw(b"\x88\xcc" + frame), tagged=False)
        s.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc=A[who], pdst=A["gw"]), tagged=False)
        s.send(who, "gw", s.ip(A[who], FAR) / UDP(sport=45000, dport=123) / Raw(s.noise(48)),
               tagged=False)


def uplink(s):
    """A VTEP's uplink beside an access port: each frame in the VLAN and in the overlay."""
    for name, ip in (("vtep", "10.44.0.2"), ("vtep2", "10.44.0.3")):
        s.send(name, ALL, ARP(op=1, hwsrc=M[name], psrc=ip, pdst=ip), tagged=False)
    for n in range(12):
        for src, dst, sport in (("b1", "c1", 46000), ("c1", "b1", 46001)):
            packet = s.ip(A[src], A[dst]) / UDP(sport=sport, dport=46001) / Raw(s.noise(80 + n))
            outer = IP(src="10.44.0.2", dst="10.44.0.3", id=n) / UDP(sport=47000, dport=4789)
            s.send(src, dst, packet)
            s.send("vtep", "vtep2", outer / VXLAN(vni=7205, flags=8) /
                   Ether(src=M[src], dst=M[dst]) / packet, delay=0.00001, tagged=False)


def overlay(s):
    """Conversations between the provider's VTEPs, each way in a tunnel of its own."""
    for n in range(24):
        for i in range(5):
            for src, dst, out, back in (("b1", "c1", "vtep", "vtep2"), ("c1", "b1", "vtep2", "vtep")):
                ports = (48000 + n, 443) if src == "b1" else (443, 48000 + n)
                inner = s.ip(A[src], A[dst]) / TCP(sport=ports[0], dport=ports[1], flags="PA",
                                                   seq=1 + 20 * i, ack=1 + 20 * i) / Raw(s.noise(20))
                ends = {"vtep": "10.44.0.2", "vtep2": "10.44.0.3"}
                s.send(out, back, IP(src=ends[out], dst=ends[back], id=i) /
                       UDP(sport=47000 + n, dport=4789) / VXLAN(vni=7205, flags=8) /
                       Ether(src=M[src], dst=M[dst]) / inner, tagged=False)


def checks(s):
    """Everybody checks the health of the next with the same request, every two seconds."""
    head = b"GET /health HTTP/1.1\r\nHost: svc.mesh.example\r\nUser-Agent: mesh-probe/1.27\r\n\r\n"
    for _ in range(3):
        for src, dst in (("a1", "b1"), ("b1", "c1"), ("c1", "a1")):
            s.tcp([src, dst], (A[src], A[dst]), dport=8080, data={0: head})
            s.wait(0.7)


def hello(s, name, ciphers=b"\xc0\x2f\xc0\x30"):
    """A TLS 1.2 ClientHello (RFC 5246 7.4.1.2) with a server name."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = b"\x03\x03" + s.noise(32) + b"\x00" + struct.pack("!H", len(ciphers)) + ciphers
    body += b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    shake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


def sold(s):
    """alder's CDN in front of cherry, which bought it, visited by birch; alder's proxy and firewall,
    which birch bought, on the way to cherry; a balanced server that visits its own name."""
    other = b"\xc0\x2b\xc0\x2c"
    for _ in range(4):
        first = hello(s, b"www.cherry.example")
        s.tcp(["b1", "a2"], (A["b1"], A["a2"]), data={0: first})
        s.tcp(["a2", "c1"], (A["a2"], A["c1"]), data={0: first})
        s.tcp(["b1", "a2"], (A["b1"], A["a2"]), data={0: hello(s, b"shop.cherry.example")})
        s.tcp(["a2", "c1"], (A["a2"], A["c1"]), data={0: hello(s, b"shop.cherry.example", other)})
        first = hello(s, b"far.cherry.example")
        s.tcp(["b2", "a1"], (A["b2"], A["a1"]), dport=3128, data={0: first})
        s.tcp(["a1", "c2"], (A["a1"], A["c2"]), data={0: first})
        s.tcp(["b2", "a1", "c2"], (A["b2"], A["c2"]))
        s.tcp(["lb", "c1"], (A["b1"], A["c1"]), data={0: hello(s, b"own.cherry.example")})
        s.tcp(["c1", "lb"], (A["c1"], A["lb"]), data={0: hello(s, b"own.cherry.example", other)})


def misled(s):
    """No everyday life: cherry/c1 hands out an address to alder/a1 that birch/b1 has from the
    provider.  alder is misled, and takes nothing from anybody."""
    ip = NET + "150"
    leased(s, "b1", ip)
    s.tcp(["b1", "gw"], (ip, FAR))
    s.wait(5)
    dhcp(s, "a1", 1, "discover", ("0.0.0.0", "255.255.255.255"), ("a1", ALL))
    for kind in ("offer", "ack"):
        dhcp(s, "a1", 2, kind, (A["c1"], ip), ("c1", "a1"), yiaddr=ip,
             options=[("server_id", A["c1"]), ("router", A["c1"])])
    s.arp("a1", ip, ip)
    s.tcp(["a1", "c1", "gw"], (ip, FAR))
    s.tcp(["a1", "c2"], (ip, A["c2"]))
    s.wait(10)
    s.arp("b1", A["b1"], A["gw"])


SCENES = [opening_answers, said_again, container, own_firewalls, cluster, to_itself, relet, names,
          boot_storm, forgetful, untagged, uplink, overlay, checks, sold]


def cooked(frames):
    """As `tcpdump -i any` records it (Linux cooked): who sent, but not to whom."""
    for when, data in frames:
        if int.from_bytes(data[12:14], "big") >= 1536:
            kind = 1 if data[:6] == b"\xff" * 6 else 2 if data[0] & 1 else 0
            yield when, struct.pack("!HHH6sH", kind, 1, 6, data[6:12], 0) + data[12:]


def write(frames, name, link=1):
    body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for when, data in frames:
        micros = int(round(when * 1e6))
        body += struct.pack("<IIII", micros // 1000000, micros % 1000000, len(data), len(data)) + data
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(gzip.compress(body, mtime=0))


def known_switch():
    s = Switch()
    for name in sorted(A):
        if name in M:
            s.arp(name, A[name], A[name])
    return s


def main():
    s = known_switch()
    misled(s)
    write(s.views[""], "everyday-misled.pcap.gz")
    s = known_switch()
    for scene in SCENES:
        if len(sys.argv) > 1 and scene.__name__ not in sys.argv[1:]:
            continue
        s.wait(10)
        begin = len(s.views[""])
        scene(s)
        if scene is overlay:
            write(s.views[""][begin:], "everyday-overlay.pcap.gz")
    for view, frames in s.views.items():
        write(frames, "everyday%s.pcap.gz" % view)
    write(cooked(s.views["-both"]), "everyday-cooked.pcap.gz", link=113)


if __name__ == "__main__":
    main()
