#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_neighbours.py [FOLDER [SCENE...]] - writes the neighbours*.pcap.gz captures beside it.

Ordinary life of a hosting network.  A learning switch forwards the frames; what is mirrored of it is
chosen at the end.  Each scene is a function below.  With FOLDER each scene is written there by
itself, in all views.  Who is who is written to neighbours.yaml and, without addresses and ports, to
neighbours-macs.yaml.  Frames are built by scapy (Debian: python3-scapy) with fixed times: the same
bytes each time.
"""
import gzip
import os
import random
import socket
import struct
import sys

from scapy.all import (ARP, BOOTP, DHCP, DNS, DNSQR, DNSRR, Dot1AD, Dot1Q, ESP, Ether, GRE, ICMP,
                       ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6MLReport2,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6NDOptDstLLAddr,
                       ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, IP, IPv6,
                       NBNS_ADD_ENTRY, NBNSHeader, NBNSQueryRequest, NBNSQueryResponse, Raw, TCP, UDP, VXLAN, raw)
from scapy.layers.hsrp import HSRP

HERE = os.path.dirname(os.path.abspath(__file__))
ALL, ALL6, MDNS = "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "01:00:5e:00:00:fb"
SHARED, ASPEN, BRIAR, CLOVER, TRANSIT = 410, 411, 412, 413, 419
FAR, FAR2, FAR6 = "198.51.100.33", "198.51.100.34", "2001:db8:ffff::33"
VIP, BYO, BYO6 = "192.0.2.80", "198.51.100.200", "2001:db8:beef::200"
# name: MAC, port, VLAN, addresses.  a* aspen, b* briar, c* clover, d* daisy; the rest the provider's.
HOSTS = {
    "core1": ("5c:5e:ab:00:00:01", "up1", SHARED, ["10.58.0.2", "fe80::5e5e:abff:fe00:1", "10.59.1.1", "10.59.2.1", "10.59.3.1"]),
    "core2": ("5c:5e:ab:00:00:02", "up2", SHARED, ["10.58.0.3", "fe80::5e5e:abff:fe00:2"]),
    "vgw": ("00:00:5e:00:01:0a", "up1", SHARED, ["10.58.0.1", "2001:db8:58::1"]),
    "lb": ("5c:5e:ab:00:00:05", "up5", SHARED, ["10.58.0.5", VIP]),
    "nat": ("5c:5e:ab:00:00:06", "up6", SHARED, ["10.58.0.6", "192.0.2.66"]),
    "dhcp1": ("5c:5e:ab:00:00:07", "up7", SHARED, ["10.58.0.7"]),
    "dhcp2": ("5c:5e:ab:00:00:08", "up8", SHARED, ["10.58.0.8"]),
    "dns": ("5c:5e:ab:00:00:09", "up9", SHARED, ["10.58.0.53"]),
    "store": ("5c:5e:ab:00:00:0a", "up10", SHARED, ["10.58.0.10"]),
    "mon": ("5c:5e:ab:00:00:0b", "up11", SHARED, ["10.58.0.12"]),
    "hv1": ("5c:5e:ab:00:00:0c", "up12", SHARED, ["10.58.0.13"]),
    "hv2": ("5c:5e:ab:00:00:0d", "up13", SHARED, ["10.58.0.14"]),
    "vtep1": ("5c:5e:ab:00:00:0e", "up14", TRANSIT, ["10.60.0.1"]),
    "vtep2": ("5c:5e:ab:00:00:0f", "up15", TRANSIT, ["10.60.0.2"]),
    "prox": ("5c:5e:ab:00:00:10", "up16", SHARED, ["10.58.0.15"]),
    "a1": ("fa:16:3e:a0:00:01", "h1", SHARED, ["10.58.1.11", "2001:db8:58::a1"]),
    "a2": ("fa:16:3e:a0:00:02", "h2", SHARED, ["10.58.1.12", "2001:db8:58::a2"]),
    "a3": ("fa:16:3e:a0:00:03", "h3", SHARED, ["10.58.1.13", "10.59.1.13"]),
    "a4": ("fa:16:3e:a0:00:04", "h3", ASPEN, ["10.59.1.14"]),
    "b1": ("fa:16:3e:b0:00:01", "h4", SHARED, ["10.58.1.21", "2001:db8:58::b1"]),
    "b2": ("fa:16:3e:b0:00:02", "h5", SHARED, ["10.58.1.22", "2001:db8:58::b2"]),
    "b3": ("fa:16:3e:b0:00:03", "h6", BRIAR, ["10.59.2.23"]),
    "c1": ("fa:16:3e:c0:00:01", "h7", SHARED, ["10.58.1.31", "2001:db8:58::c1"]),
    "c2": ("fa:16:3e:c0:00:02", "h8", SHARED, ["10.58.1.32"]),
    "d1": ("fa:16:3e:d0:00:01", "h9", SHARED, ["10.58.1.41", "2001:db8:58::d1"]),
}
M = {name: row[0] for name, row in HOSTS.items()}
M.update({"odd1": "02:99:00:00:00:01", "odd2": "02:99:00:00:00:02", "odd3": "02:99:00:00:00:03"})
A = {name: row[3][0] for name, row in HOSTS.items()}
SIX = {name: next(a for a in row[3] if ":" in a) for name, row in HOSTS.items() if any(":" in a for a in row[3])}
OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (0, 0)), ("NOP", None), ("WScale", 7)]


class Switch:
    """Learns where MACs are, by VLAN; floods what it does not know."""

    def __init__(self):
        self.now, self.ident, self.dice = 1767225600.0, 0, random.Random(58)
        self.port = {mac: HOSTS[name][1] if name in HOSTS else "h1" for name, mac in M.items()}
        self.ports = sorted({row[1] for row in HOSTS.values()} | {"h1b"})
        self.learnt, self.seen = {}, []  # seen: time, in, outs, frame

    def wait(self, seconds):
        self.now += seconds

    def noise(self, size):
        return bytes(self.dice.randrange(256) for _ in range(size))

    def send(self, src, dst, packet, delay=0.001, port=None, vlan=SHARED, tags=None, member=True):
        self.now += delay
        src, dst = M.get(src, src), M.get(dst, dst)
        frame = Ether(src=src, dst=dst)
        for tag in tags if tags is not None else [Dot1Q(vlan=vlan)] if vlan else []:
            frame = frame / tag
        data = raw(frame / packet)
        port = port or self.port[src]
        if not int(src[:2], 16) & 1:
            self.learnt[src, vlan] = port
        outs = [p for p in self.ports if p != port]
        if (dst, vlan) in self.learnt:
            outs = [self.learnt[dst, vlan]] if self.learnt[dst, vlan] != port else []
        self.seen.append((self.now, port, outs, data))

    def forget(self, mac=None):
        self.learnt = {k: v for k, v in self.learnt.items() if mac is not None and k[0] != M.get(mac, mac)}

    # ---- what hosts say ------------------------------------------------------------------------

    def ip(self, src, dst, ttl=64, **fields):
        if ":" in src:
            return IPv6(src=src, dst=dst, hlim=ttl)
        self.ident = self.ident % 65000 + 1
        return IP(src=src, dst=dst, ttl=ttl, **dict({"id": self.ident}, **fields))

    def arp(self, src, ip, wanted, dst=ALL, op=1, sha=None, **more):
        self.send(src, dst, ARP(op=op, hwsrc=M.get(sha, sha) or M.get(src, src), psrc=ip, hwdst=M.get(dst, dst) if op == 2 else None, pdst=wanted), **more)

    def asks(self, who, whom):
        """ARP and its answer."""
        self.arp(who, A[who], A[whom])
        self.arp(whom, A[whom], A[who], dst=who, op=2)

    def hop(self, way, n, packet, **more):
        vlan = way[n][1] if isinstance(way[n], tuple) else SHARED
        src = way[n][0] if isinstance(way[n], tuple) else way[n]
        dst = way[n + 1][0] if isinstance(way[n + 1], tuple) else way[n + 1]
        self.send(src, dst, packet, vlan=more.pop("vlan", vlan), **more)

    def udp(self, way, ends, ports, data, ttl=64, vlans=None, **more):
        fields = {} if ":" in ends[0] else {"id": self.ident + 1}
        for n in range(len(way) - 1):
            packet = self.ip(*ends, ttl=ttl - n, **fields) / UDP(sport=ports[0], dport=ports[1]) / Raw(data)
            self.send(way[n], way[n + 1], packet, delay=0.001 if n == 0 else 0.00003, vlan=(vlans or [SHARED] * 9)[n], **more)

    def tcp(self, way, ends, dport=443, turns=4, data=None, back=None, sport=None, vlans=None, quick=False, ports=None, cut=0):
        """A conversation over the NICs of `way`, the client's first, and of `back` (nearest the server
        first); routers take one off the TTL."""
        sport = sport or self.dice.randrange(32768, 61000)
        number = [self.dice.randrange(2**31), self.dice.randrange(2**31)]
        options = [("Timestamp", (self.dice.randrange(2**31), 0)) if o[0] == "Timestamp" else o for o in OPTIONS]
        talk = [(0, "S", b""), (1, "SA", b""), (0, "A", b"")]
        talk += [(n % 2, "PA", (data or {}).get(n) or self.noise(150)) for n in range(turns)]
        talk += [(0, "FA", b""), (1, "FA", b"")]
        for step, (answer, flags, body) in enumerate(talk):
            t = TCP(sport=(sport, dport)[answer], dport=(dport, sport)[answer], flags=flags,
                    seq=number[answer], ack=number[not answer] if "A" in flags else 0,
                    options=options if "S" in flags else [])
            hops = (back or list(reversed(way))) if answer else way
            lans = list(reversed(vlans)) if vlans and answer else vlans or [SHARED] * 9
            self.ident += 1
            for n in range(len(hops) - 1):
                fields = {} if ":" in ends[0] else {"id": self.ident}
                packet = self.ip(ends[answer], ends[not answer], ttl=64 - n, **fields) / t
                if step >= cut:
                    self.send(hops[n], hops[n + 1], packet / Raw(body) if body else packet,
                              delay=0.0003 if quick else 0.001 if n == 0 else 0.00003, vlan=lans[n], port=(ports or {}).get(hops[n]))
            number[answer] += len(body) + (flags in ("S", "SA", "FA"))

    def ping(self, way, ends, count=3, size=48, back=None, answered=True):
        for n in range(count):
            data = self.noise(size)
            for answer in (0, 1)[:1 + answered]:
                hops = (back or list(reversed(way))) if answer else way
                self.ident += 1
                for i in range(len(hops) - 1):
                    six = ":" in ends[0]
                    kind = (ICMPv6EchoReply if answer else ICMPv6EchoRequest)(id=77, seq=n, data=data) if six else ICMP(type=0 if answer else 8, id=77, seq=n) / Raw(data)
                    packet = self.ip(ends[answer], ends[not answer], ttl=64 - i, **({} if six else {"id": self.ident})) / kind
                    self.send(hops[i], hops[i + 1], packet, delay=0.2 if i == 0 and not answer else 0.0002)


def group6(address):
    """The solicited-node group of an address and its MAC (RFC 4291 2.7.1)."""
    low = struct.unpack("!I", socket.inet_pton(socket.AF_INET6, address)[-4:])[0] & 0xffffff
    return "ff02::1:ff%02x:%x" % (low >> 16, low & 0xffff), "33:33:ff:%02x:%02x:%02x" % (low >> 16, low >> 8 & 255, low & 255)


def get(path, host, agent, more=b""):
    return b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: */*\r\n%s\r\n" % (path, host, agent, more)


# ---- scenes -------------------------------------------------------------------------------------

def routers(s):
    """ECMP and MLAG: out by one router, back by the other; in by one MAC, out by another, also one
    that is in no inventory; a router that answers for everybody and redirects; redirected echoes."""
    for n in range(3):
        s.tcp(["a1", "core1", "b1"], (A["a1"], A["b1"]), back=["b1", "core2", "a1"])
        s.tcp(["a1", "vgw"], (A["a1"], FAR), back=["core%d" % (n % 2 + 1), "a1"])
        s.tcp(["a1", "vgw"], (A["a1"], FAR), back=["odd3", "a1"])
        for i, flags in enumerate(("S", "A")):  # in by the virtual MAC, out by a router port of its own
            t = TCP(sport=7000 + n, dport=443, flags=flags, seq=n * 1000 + i, ack=i, options=OPTIONS if flags == "S" else [])
            s.send("a1", "vgw", s.ip(A["a1"], A["c1"], id=n) / t)
            s.send("odd3", "c1", s.ip(A["a1"], A["c1"], ttl=63, id=n) / t, port="up1")
    for who in ("a1", "b1", "c1"):
        s.arp(who, A[who], A["d1"])
        s.arp("core1", A["d1"], A[who], dst=who, op=2)
        s.tcp([who, "core1", "d1"], (A[who], A["d1"]), back=["d1", "core1", who])
        probe = s.ip(A[who], A["d1"]) / UDP(sport=5000, dport=5001) / Raw(s.noise(30))
        s.send("core1", who, s.ip("10.58.0.2", A[who]) / ICMP(type=5, code=1, gw=A["d1"]) / raw(probe)[:28])


def virtual(s):
    """The gateway is an HSRP group whose MAC nobody entered; packets for it leave by it or a router."""
    mac = "00:00:0c:07:ac:05"
    for who, port in (("core1", "up1"), ("core2", "up2")):
        s.port[mac] = port
        for _ in range(2):
            s.send(mac, "01:00:5e:00:00:02", s.ip(A[who], "224.0.0.2", ttl=1) / UDP(sport=1985, dport=1985) / HSRP(group=5, priority=110, virtualIP="10.58.0.1"))
        s.arp(mac, "10.58.0.1", "10.58.0.1")
        s.arp("a1", A["a1"], "10.58.0.1")
        s.arp(mac, "10.58.0.1", A["a1"], dst="a1", op=2)
        s.tcp(["a1", mac], (A["a1"], FAR), back=[who, "a1"])
        s.tcp(["a1", mac, "b1"], (A["a1"], A["b1"]), back=["b1", mac, "a1"])
        s.ping(["a1", mac, "b1"], (A["a1"], A["b1"]), back=["b1", who, "a1"])
        s.wait(3)


def anycast(s):
    """One public address of aspen on two of its hosts, a flow that changes over; the provider's
    resolver answers by three NICs."""
    ip = "203.0.113.5"
    for n in range(3):
        s.tcp(["b1", "vgw", "a1"], (A["b1"], ip), back=["a1", "core1", "b1"], turns=6)
        s.tcp(["b1", "vgw", "a2"], (A["b1"], ip), back=["a2", "core2", "b1"], turns=6)
        s.tcp(["core1", "a%d" % (n % 2 + 1)], (FAR, ip), back=["a%d" % (n % 2 + 1), "core2"])
    t = {"sport": 40000, "dport": 443, "seq": 77}
    s.send("core1", "a1", s.ip(FAR, ip) / TCP(flags="PA", **t) / Raw(s.noise(90)))
    s.send("core1", "a2", s.ip(FAR, ip) / TCP(flags="PA", **t) / Raw(s.noise(90)))
    s.send("a2", "core1", s.ip(ip, FAR) / TCP(sport=443, dport=40000, flags="R", seq=1))
    for n, nic in enumerate(("core1", "core2", "dns", "core1", "odd3")):
        q = DNS(id=900 + n, rd=1, qd=DNSQR(qname="anycast%d.example" % n))
        s.send("b1", "vgw", s.ip(A["b1"], "192.0.2.53") / UDP(sport=5300 + n, dport=53) / q)
        s.send(nic, "b1", s.ip("192.0.2.53", A["b1"], ttl=60 + n) / UDP(sport=53, dport=5300 + n) /
               DNS(id=900 + n, qr=1, qd=q.qd, an=DNSRR(rrname="anycast%d.example" % n, rdata="203.0.113.%d" % n)))


def byo(s):
    """A public address and prefix of aspen's that the provider routes and nobody entered, visited by
    briar; errors about it, a resolver there, a tunnel to the office that owns them."""
    for n, (ip, six) in enumerate(((BYO, False), (BYO6, True))):
        me = SIX["b1"] if six else A["b1"]
        s.tcp(["b1", "core1", "a2"], (me, ip), back=["a2", "core1", "b1"], turns=8)
        s.tcp(["b1", "vgw", "a2"], (me, ip), back=["a2", "b1"], turns=4)
        s.ping(["b1", "core1", "a2"], (me, ip), back=["a2", "core1", "b1"])
        q = DNS(id=70 + n, rd=1, qd=DNSQR(qname="own.example"))
        for i in range(2):
            s.send(("b1", "core1")[i], ("core1", "a2")[i], s.ip(me, ip, ttl=64 - i) / UDP(sport=5400, dport=53) / q)
        for i in range(2):
            s.send(("a2", "core1")[i], ("core1", "b1")[i], s.ip(ip, me, ttl=64 - i) / UDP(sport=53, dport=5400) / DNS(id=70 + n, qr=1, qd=q.qd, an=DNSRR(rrname="own.example", rdata=BYO)))
        probe = s.ip(me, ip) / UDP(sport=5000, dport=33440) / Raw(s.noise(60))
        s.send("b1", "core1", probe)
        s.send("core1", "a2", probe)
        error = ICMPv6DestUnreach(code=4) / raw(probe)[:80] if six else ICMP(type=3, code=3) / raw(probe)[:28]
        for n, way in enumerate((("a2", "core1"), ("core1", "b1"))):
            s.send(*way, s.ip(ip, me, ttl=64 - n) / error)
    for n in range(12):  # b1 > gateway > a2 > tunnel > office, and back
        p = s.ip(A["b1"], "198.51.100.65", ttl=63) / TCP(sport=6100, dport=443, flags="PA", seq=n * 60, ack=1) / Raw(s.noise(60))
        q = s.ip("198.51.100.65", A["b1"], ttl=60) / TCP(sport=443, dport=6100, flags="PA", seq=n * 60, ack=1) / Raw(s.noise(60))
        s.send("b1", "core1", p)
        s.send("core1", "a2", p)
        s.send("a2", "core1", s.ip(A["a2"], FAR2) / GRE() / p)
        s.send("core1", "a2", s.ip(FAR2, A["a2"]) / GRE() / q)
        s.send("a2", "core1", q)
        s.send("core1", "b1", q)


def balanced(s):
    """Direct server return behind the provider's balancer, by MAC and in IP-in-IP; a server that
    refuses, and one that reports an error; a NAT-ing balancer; SYN proxy of the provider's."""
    for n, (server, client) in enumerate((("a1", "c1"), ("b1", "c1"), ("a2", "b2"), ("b1", "d1"))):
        s.tcp([client, "lb", server], (A[client], VIP), back=[server, client], turns=6)
        s.tcp(["core1", "lb", server], (FAR, VIP), back=[server, "core1"], turns=6)
        s.tcp([client, "vgw", "lb", server], (A[client], VIP), back=[server, "core1", client], turns=6)
        syn = s.ip(A[client], VIP) / TCP(sport=6200 + n, dport=81, flags="S", seq=s.dice.randrange(2**31), options=OPTIONS)
        s.send(client, "lb", syn)
        s.send("lb", server, syn)
        s.send(server, client, s.ip(VIP, A[client]) / TCP(sport=81, dport=6200 + n, flags="RA", seq=0, ack=syn[TCP].seq + 1))
        probe = s.ip(A[client], VIP) / UDP(sport=6300, dport=9) / Raw(s.noise(40))
        s.send(client, "lb", probe)
        s.send("lb", server, probe)
        s.send(server, client, s.ip(VIP, A[client]) / ICMP(type=3, code=3) / raw(probe)[:28])
        for i in range(4):
            p = s.ip(A[client], VIP) / TCP(sport=6400 + n, dport=443, flags="PA", seq=i * 50, ack=1) / Raw(s.noise(50))
            s.send(client, "lb", p)
            s.send("lb", server, s.ip(A["lb"], A[server]) / p)
            s.send(server, client, s.ip(VIP, A[client]) / TCP(sport=443, dport=6400 + n, flags="PA", seq=i * 50, ack=1) / Raw(s.noise(50)))


def pods(s):
    """Calico and MetalLB of aspen's: pods' addresses with and without tunnel, leaked private
    addresses that are somebody's elsewhere, a service address that moves."""
    for n in range(4):
        inner = s.ip("192.168.66.%d" % (3 + n), "192.168.67.4") / TCP(sport=7100, dport=80, flags="PA", seq=n, ack=1) / Raw(s.noise(80))
        s.send("a1", "a2", s.ip(A["a1"], A["a2"]) / inner)
        s.send("a1", "a2", inner)  # same subnet: no tunnel
        s.send("a2", "a1", s.ip("192.168.67.4", "192.168.66.3") / TCP(sport=80, dport=7100, flags="PA", seq=n, ack=1) / Raw(s.noise(80)))
        s.udp(["a1", "b1"], ("192.168.66.3", A["b1"]), (7200, 7201), s.noise(50))
        s.udp(["a1", "core1"], ("192.168.66.3", FAR), (7200, 7201), s.noise(50))
        # The tail of a connection that connection tracking has forgotten leaves untranslated; it is
        # an address of clover's own VLAN, too.
        for dst, nic in ((FAR, "core1"), (A["b1"], "b1")):
            s.send("a1", nic, s.ip("10.59.3.35", dst) / TCP(sport=7300 + n, dport=443, flags="FA" if n % 2 else "R", seq=n, ack=1))
    for who in ("a1", "a2", "a1"):
        s.arp(who, "10.58.1.200", "10.58.1.200")
        s.arp(who, "10.58.1.200", "10.58.1.200", op=2)
        s.arp("b1", A["b1"], "10.58.1.200")
        s.arp(who, "10.58.1.200", A["b1"], dst="b1", op=2)
        s.tcp(["b1", who], (A["b1"], "10.58.1.200"))
        s.tcp(["b1", "core1", who], (A["b1"], "10.58.1.200"), back=[who, "core1", "b1"])
        s.wait(2)
    for n in range(3):  # host port to a pod on the other node, without source NAT
        p = s.ip(A["b1"], A["a1"]) / TCP(sport=7400 + n, dport=30080, flags="S", seq=n * 9, options=OPTIONS)
        s.send("b1", "a1", p)
        q = s.ip(A["b1"], "192.168.67.4", ttl=63) / TCP(sport=7400 + n, dport=8080, flags="S", seq=n * 9, options=OPTIONS)
        s.send("a1", "a2", q)
        s.send("a2", "b1", s.ip("192.168.67.4", A["b1"]) / TCP(sport=8080, dport=7400 + n, flags="SA", seq=5, ack=n * 9 + 1))
        s.send("b1", "a2", s.ip(A["b1"], "192.168.67.4") / TCP(sport=7400 + n, dport=8080, flags="R", seq=n * 9 + 1))


def bond(s):
    """a1's bond fails over to another port, with packets still on their way to the old one; its MACs
    in both directions; learning frames; LACP."""
    for n in range(4):
        port = ("h1", "h1b")[n % 2]
        s.send("a1", M["a1"], s.ip(A["a1"], A["a1"]) / UDP(sport=9, dport=9) / Raw(b"loop"), port=port)
        s.arp("a1", A["a1"], A["a1"], port=port)
        s.tcp(["b1", "a1"], (A["b1"], A["a1"]), ports={"a1": port}, turns=8)
        s.tcp(["a1", "core1"], (A["a1"], FAR), ports={"a1": port}, turns=8)
        for i in range(4):  # balance-rr: by both
            s.send("a1", "b1", s.ip(A["a1"], A["b1"]) / UDP(sport=7500, dport=7501) / Raw(s.noise(40)), port=("h1", "h1b")[i % 2])
            s.send("b1", "a1", s.ip(A["b1"], A["a1"]) / UDP(sport=7501, dport=7500) / Raw(s.noise(40)))
    s.arp("a1", A["a1"], A["a1"], port="h1")


def ageing(s):
    """Forgotten MACs flood single frames; a topology change; a host that is off."""
    for n in range(6):
        s.forget("b1")
        s.send("c1", "b1", s.ip(A["c1"], A["b1"]) / TCP(sport=7600, dport=443, flags="A", seq=7, ack=9))
        s.send("b1", "c1", s.ip(A["b1"], A["c1"]) / TCP(sport=443, dport=7600, flags="A", seq=9, ack=7))
        s.wait(6)
    s.forget("b2")
    for n in range(6):
        s.send("c1", "b2", s.ip(A["c1"], A["b2"]) / TCP(sport=7700, dport=443, flags="S", seq=5, options=OPTIONS))
        s.wait(2 ** n * 0.5)
    for n in range(3):
        s.forget()
        for pair in (("a1", "b1"), ("c1", "d1"), ("b2", "a2")):
            s.tcp(list(pair), (A[pair[0]], A[pair[1]]), turns=2)
        s.wait(4)


def migrates(s):
    """b1 moves between hypervisors; the last packets still go to the old port; a storm of RARP."""
    for n in range(5):
        port = ("h4", "h6")[n % 2]
        for _ in range(5):
            s.send("b1", ALL, ARP(op=3, hwsrc=M["b1"], psrc="0.0.0.0", hwdst=M["b1"], pdst="0.0.0.0"), port=port, delay=0.05)
        s.arp("b1", A["b1"], A["b1"], port=port)
        s.send("b1", ALL6, s.ip(SIX["b1"], "ff02::1", ttl=255) / ICMPv6ND_NA(tgt=SIX["b1"], R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=M["b1"]), port=port)
        s.tcp(["c1", "b1"], (A["c1"], A["b1"]), ports={"b1": port}, turns=10)
        s.tcp(["hv1", "hv2"], (A["hv1"], A["hv2"]), dport=49152)
        s.wait(3)
    s.port[M["b1"]] = "h4"
    s.arp("b1", A["b1"], A["b1"])


def dhcp_message(s, who, kind, ends, nics, op=None, ports=None, vlan=SHARED, given=None, **fields):
    op = op or (2 if kind in ("offer", "ack", "nak") else 1)
    ports = ports or ((68, 67) if op == 1 else (67, 68))
    s.send(*nics, s.ip(*ends) / UDP(sport=ports[0], dport=ports[1]) / BOOTP(op=op, xid=fields.pop("xid", 7), chaddr=bytes.fromhex(M[who].replace(":", "")), **fields) /
           DHCP(options=[("message-type", kind)] + (given or []) + ["end"]), vlan=vlan)


def leased(s, who, ip, server="dhcp1", lost=(), announce=True, lease=3600):
    given = [("server_id", A[server]), ("lease_time", lease), ("router", "10.58.0.1")]
    nobody = ("0.0.0.0", "255.255.255.255")
    for kind in ("discover", "offer", "request", "ack"):
        if kind in lost:
            continue
        if kind in ("offer", "ack"):
            dhcp_message(s, who, kind, (A[server], ip), (server, who), yiaddr=ip, given=given)
        else:
            dhcp_message(s, who, kind, nobody, (who, ALL), given=[("requested_addr", ip), ("server_id", A[server])] if kind == "request" else [])
    if announce:
        s.arp(who, "0.0.0.0", ip)
        s.wait(1)
        s.arp(who, ip, ip)


def dhcp_life(s):
    """A relay agent, two servers that both offer, network boot, renewal, NAK, a client that moves."""
    given = [("server_id", A["dhcp1"]), ("lease_time", 3600), ("router", "10.58.0.1")]
    nobody = ("0.0.0.0", "255.255.255.255")
    ip = "10.58.3.10"
    for vlan, who, addr in ((SHARED, "b2", ip), (BRIAR, "b3", "10.59.2.77")):
        dhcp_message(s, who, "discover", nobody, (who, ALL), vlan=vlan)
        for server in ("dhcp1", "dhcp2"):
            dhcp_message(s, who, "discover", (A["core1"], A[server]), ("core1", server), ports=(67, 67), giaddr="10.59.2.1")
            dhcp_message(s, who, "offer", (A[server], "10.59.2.1"), (server, "core1"), ports=(67, 67), giaddr="10.59.2.1", yiaddr=addr[:-1] + ("1" if server == "dhcp1" else "2"), given=given)
            dhcp_message(s, who, "offer", ("10.59.2.1", "255.255.255.255"), ("core1", who), vlan=vlan, yiaddr=addr, given=given)
        dhcp_message(s, who, "request", nobody, (who, ALL), vlan=vlan, given=[("requested_addr", addr), ("server_id", A["dhcp1"])])
        dhcp_message(s, who, "ack", ("10.59.2.1", "255.255.255.255"), ("core1", ALL), vlan=vlan, yiaddr=addr, given=given)
        dhcp_message(s, who, "nak", ("10.59.2.1", "255.255.255.255"), ("core1", ALL), vlan=vlan, given=given[:1])
    dhcp_message(s, "b2", "ack", (A["dhcp1"], ip), ("dhcp1", "b2"), yiaddr=ip, given=given)
    s.arp("b2", ip, ip)
    s.tcp(["b2", "core1"], (ip, FAR))
    # network boot: another of the provider's machines answers beside the server, then TFTP
    leased(s, "c2", "10.58.3.11")
    dhcp_message(s, "c2", "offer", (A["store"], "255.255.255.255"), ("store", ALL), given=[("server_id", A["store"]), ("vendor_class_id", b"PXEClient")])
    dhcp_message(s, "c2", "ack", (A["store"], "10.58.3.11"), ("store", "c2"), ports=(4011, 68), given=[("server_id", A["store"])])
    block = s.noise(512)
    for who in ("c2", "d1"):
        for n in range(4):
            s.udp(["store", who], (A["store"], A[who]), (1069, 2070), b"\0\3" + struct.pack("!H", n) + block)
            s.udp([who, "store"], (A[who], A["store"]), (2070, 1069), b"\0\4" + struct.pack("!H", n))


def lost_lease(s):
    """An address of the pool goes from aspen to briar; neither OFFER nor ACK are in the mirror."""
    for n, lost in enumerate((("offer", "ack"), ("discover", "offer", "ack"))):
        ip = "10.58.3.%d" % (20 + n)
        leased(s, "a1", ip)
        s.tcp(["a1", "core1"], (ip, FAR))
        s.wait(120)
        leased(s, "b1", ip, lost=lost)
        s.arp("b1", ip, "10.58.0.1")
        s.tcp(["b1", "core1"], (ip, FAR))
        s.tcp(["b1", "c1"], (ip, A["c1"]))
        s.ping(["core1", "b1"], (FAR, ip))
        s.wait(10)


def six(s):
    """Two routers, privacy addresses, duplicate address detection, MLD, path MTU."""
    for router in ("core1", "core2", "core1"):
        link = HOSTS[router][3][1]
        s.send(router, ALL6, s.ip(link, "ff02::1", ttl=255) / ICMPv6ND_RA(routerlifetime=1800, prf=1 if router == "core1" else 0) / ICMPv6NDOptSrcLLAddr(lladdr=M[router]) / ICMPv6NDOptPrefixInfo(prefix="2001:db8:58::", prefixlen=64))
    for n, who in enumerate(("a1", "b1", "c1")):
        for i in range(3):
            ip = "2001:db8:58::%x:%x:%x" % (0x8000 + n, 0x77 + i, 0x99 * (n + 1))
            group, mac = group6(ip)
            s.send(who, mac, s.ip("::", group, ttl=255) / ICMPv6ND_NS(tgt=ip))
            s.send(who, "33:33:00:00:00:16", s.ip("::", "ff02::16", ttl=1) / ICMPv6MLReport2())
            s.send("core1", mac, s.ip(HOSTS["core1"][3][1], group, ttl=255) / ICMPv6ND_NS(tgt=ip) / ICMPv6NDOptSrcLLAddr(lladdr=M["core1"]))
            s.send(who, "core1", s.ip(ip, HOSTS["core1"][3][1], ttl=255) / ICMPv6ND_NA(tgt=ip, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=M[who]))
            s.tcp([who, "core1"], (ip, FAR6), back=["core2", who])
            s.tcp([who, "d1"], (ip, SIX["d1"]))
            probe = s.ip(ip, FAR6) / TCP(sport=7800, dport=443, flags="A", seq=1, ack=1) / Raw(s.noise(300))
            s.send("core1", who, s.ip("2001:db8:ff::9", ip) / ICMPv6PacketTooBig(mtu=1280) / raw(probe)[:200])


def errors(s):
    """Errors that quote: about translated, tunnelled and balanced packets, of routers and hosts,
    of aspen's router for its own machines; traceroute through it."""
    for n in range(3):
        probe = s.ip(A["a1"], FAR, ttl=1) / UDP(sport=7900, dport=33434 + n) / Raw(s.noise(32))
        s.send("core1", "a1", s.ip("10.58.0.2", A["a1"]) / ICMP(type=11) / raw(probe)[:28])
        s.send("core2", "a1", s.ip("100.64.9.%d" % n, A["a1"], ttl=60) / ICMP(type=11) / raw(probe)[:28])
        # a4 (own VLAN) > a3 > outside: a3 is its router, and says so of what came back
        inner = s.ip("10.59.1.14", FAR, ttl=1) / UDP(sport=7901, dport=33434 + n) / Raw(s.noise(32))
        s.send("a3", "a4", s.ip("10.59.1.13", "10.59.1.14") / ICMP(type=11) / raw(inner)[:28], vlan=ASPEN)
        back = s.ip(FAR, "10.59.1.14", ttl=1) / TCP(sport=443, dport=7902, flags="A", seq=n, ack=1)
        s.send("a3", "core1", s.ip(A["a3"], FAR) / ICMP(type=11) / raw(back)[:28])
        # to a container behind a3 whose address is nobody's, from briar
        lost = s.ip(A["b1"], "172.20.0.9", ttl=1) / TCP(sport=7903, dport=80, flags="S", seq=n)
        s.send("a3", "b1", s.ip(A["a3"], A["b1"]) / ICMP(type=3, code=1) / raw(lost)[:28])
        # of an address that aspen gave up, or never had entered: the router still sends it there
        gone = s.ip(A["b1"], "203.0.113.9", ttl=63) / TCP(sport=7904, dport=80, flags="S", seq=n)
        s.send("core1", "a1", gone)
        s.send("a1", "core1", s.ip(A["a1"], A["b1"]) / ICMP(type=3, code=10) / raw(gone)[:28])
        big = s.ip(FAR, A["b1"]) / TCP(sport=443, dport=7905, flags="A", seq=1, ack=1) / Raw(s.noise(60))
        s.send("b1", "core1", s.ip(A["b1"], FAR) / ICMP(type=3, code=4, nexthopmtu=1400) / raw(big)[:28])


def scans(s):
    """aspen scans its neighbours: ARP, SYN, UDP, odd flags; refusals come back; also to addresses that
    are off."""
    for n in range(120):
        s.arp("a1", A["a1"], "10.58.%d.%d" % (1 + n // 100, n % 100), delay=0.001)
    for who in ("b1", "c1", "d1", "core1", "a2"):
        s.asks("a1", who)
        for port in range(20, 40):
            s.send("a1", who, s.ip(A["a1"], A[who]) / TCP(sport=44444, dport=port, flags="S", seq=9, window=1024, options=[("MSS", 1460)]), delay=0.0002)
            s.send(who, "a1", s.ip(A[who], A["a1"]) / TCP(sport=port, dport=44444, flags="RA", ack=10), delay=0.0001)
        for flags in ("", "FPU", "SFPU", "A"):
            s.send("a1", who, s.ip(A["a1"], A[who]) / TCP(sport=44445, dport=1, flags=flags, seq=9, options=OPTIONS))
            s.send(who, "a1", s.ip(A[who], A["a1"]) / TCP(sport=1, dport=44445, flags="R", seq=9))
        probe = s.ip(A["a1"], A[who]) / UDP(sport=44446, dport=40125) / Raw(b"C" * 300)
        s.send("a1", who, probe)
        s.send(who, "a1", s.ip(A[who], A["a1"]) / ICMP(type=3, code=3) / raw(probe)[:28 + 300])
        s.ping(["a1", who], (A["a1"], A[who]), count=2)


def polls(s):
    """The same requests by many: checks in a ring, each a moment after the last, agents that poll the
    same paths at the same second, machines that boot together and ask for the same."""
    ring = ("a1", "b1", "c1")
    for n in range(4):
        for path in (b"/healthz", b"/metrics", b"/ready"):
            head = get(path, b"svc.internal.example", b"Prometheus/2.45.0")
            for i, who in enumerate(ring):
                to = ring[(i + 1) % 3]
                s.tcp([who, to], (A[who], A[to]), dport=9100, data={0: head, 1: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}, turns=2, quick=True)
        s.wait(10)
    for n in range(3):
        head = get(b"/latest/meta-data/instance-id", b"169.254.169.254", b"cloud-init/23.1")
        for who in ("a1", "b1", "c1", "a2"):
            s.tcp([who, "hv1"], (A[who], "169.254.169.254"), dport=80, data={0: head})
        head = get(b"/debian/dists/bookworm/InRelease", b"deb.example", b"Debian APT-HTTP/1.3 (2.6.1)")
        for who in ("a1", "b1", "c1", "a2"):
            s.tcp([who, "core1"], (A[who], FAR), dport=80, data={0: head})
        # and from a mirror that clover runs, which looks after its own master outside and at briar's
        for who, way, to in (("a1", ["a1", "c1"], A["c1"]), ("b1", ["b1", "c1"], A["c1"]), ("c1", ["c1", "core1"], FAR)):
            s.tcp(way, (A[who], to), dport=80, data={0: head, 1: b"HTTP/1.1 200 OK\r\n\r\n"}, turns=2)
        s.wait(3)


def overlapping(s):
    """Checks that are under way at the same time: the request of one comes before the answer to the
    other, once by chance."""
    head = get(b"/healthz", b"svc.internal.example", b"kube-probe/1.27")
    for n in range(6):
        ports = (8100 + n, 8200 + n)
        for src, dst, p in (("a1", "b1", ports[0]), ("b1", "c1", ports[1])):
            s.send(src, dst, s.ip(A[src], A[dst]) / TCP(sport=p, dport=80, flags="S", seq=n, options=OPTIONS))
            s.send(dst, src, s.ip(A[dst], A[src]) / TCP(sport=80, dport=p, flags="SA", seq=5, ack=n + 1, options=OPTIONS))
        order = ("a1", "b1", ports[0]), ("b1", "c1", ports[1])
        for src, dst, p in order if n in (2, 4) else reversed(order):
            s.send(src, dst, s.ip(A[src], A[dst]) / TCP(sport=p, dport=80, flags="PA", seq=n + 1, ack=6) / Raw(head))
        for src, dst, p in order if n % 2 else reversed(order):
            s.send(dst, src, s.ip(A[dst], A[src]) / TCP(sport=80, dport=p, flags="PA", seq=6, ack=n + 1 + len(head)) / Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        s.wait(10)


def names(s):
    """Windows: a cluster node with three names, each with an address of its own; a reflector; the same
    question by two tenants to the provider's resolver and their own."""
    for n, (name, ip) in enumerate(((b"NODE1", A["b1"]), (b"CLUSTER", "10.58.1.210"), (b"SQLCL", "10.58.1.211"))):
        s.send("a1", "01:00:5e:00:00:fc", s.ip(A["a1"], "224.0.0.252", ttl=1) / UDP(sport=5500 + n, dport=5355) / DNS(id=30 + n, qd=DNSQR(qname=name)))
        s.send("b1", "a1", s.ip(A["b1"], A["a1"]) / UDP(sport=5355, dport=5500 + n) / DNS(id=30 + n, qr=1, qd=DNSQR(qname=name), an=DNSRR(rrname=name, rdata=ip)))
        s.send("a1", ALL, s.ip(A["a1"], "10.58.3.255") / UDP(sport=137, dport=137) / NBNSHeader(NAME_TRN_ID=n) / NBNSQueryRequest(QUESTION_NAME=name))
        s.send("b1", "a1", s.ip(A["b1"], A["a1"]) / UDP(sport=137, dport=137) / NBNSHeader(NAME_TRN_ID=n, RESPONSE=1, QDCOUNT=0, ANCOUNT=1) / NBNSQueryResponse(RR_NAME=name, ADDR_ENTRY=[NBNS_ADD_ENTRY(NB_ADDRESS=ip)]))
    for name in (b"a1.local.", b"a2.local.", b"a4.local."):
        ip = A[name.decode()[:2]]
        s.send("b1", MDNS, s.ip(A["b1"], "224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) / DNS(id=0, qd=DNSQR(qname=name)))
        s.send("a3", MDNS, s.ip(A["a3"], "224.0.0.251", ttl=255) / UDP(sport=5353, dport=5353) / DNS(id=0, qr=1, aa=1, qd=None, an=DNSRR(rrname=name, rdata=ip, ttl=120)))
    for n in range(4):
        q = DNS(id=500, rd=1, qd=DNSQR(qname="www.example"))
        for way, ends in ((["a1", "a2"], (A["a1"], A["a2"])), (["b1", "dns"], (A["b1"], A["dns"])), (["a2", "dns"], (A["a2"], A["dns"])), (["c1", "a2"], (A["c1"], A["a2"]))):
            s.send(*way, s.ip(*ends) / UDP(sport=5600 + n, dport=53) / (q if way[0] != "a2" else DNS(id=501 + n, rd=1, qd=DNSQR(qname="www.example"))))
        s.wait(1)


def tunnels(s):
    """Between own hosts and outwards: GRE, IPIP, 6in4 by a broker through which aspen visits briar,
    IPsec with and without UDP, WireGuard, the provider's overlay seen inside and outside, its ERSPAN."""
    for n in range(12):
        p = s.ip("2001:db8:7777::a", SIX["b1"]) / TCP(sport=8300, dport=443, flags="PA", seq=n * 50, ack=1) / Raw(s.noise(50))
        q = s.ip(SIX["b1"], "2001:db8:7777::a") / TCP(sport=443, dport=8300, flags="PA", seq=n * 50, ack=1) / Raw(s.noise(50))
        s.send("a1", "core1", s.ip(A["a1"], FAR2, proto=41) / p)
        s.send("core1", "b1", p)
        s.send("b1", "core1", q)
        s.send("core1", "a1", s.ip(FAR2, A["a1"], proto=41) / q)
        s.send("b1", "b2", s.ip(A["b1"], A["b2"]) / GRE() / s.ip("10.58.1.11", "10.9.0.1") / UDP(sport=1, dport=2) / Raw(s.noise(40)))
        s.send("c1", "core1", s.ip(A["c1"], FAR) / UDP(sport=4500, dport=4500) / Raw(b"\0\0\7\7" + struct.pack("!I", n) + s.noise(120)))
        s.send("c1", "core1", s.ip(A["c1"], FAR) / ESP(spi=9, seq=n) / Raw(s.noise(120)))
    for n in range(4):  # provider's overlay: a frame at the access port, in the tunnel, at the far port
        frame = Ether(src=M["a1"], dst=M["b1"]) / s.ip(A["a1"], A["b1"]) / TCP(sport=8400, dport=443, flags="PA", seq=n * 50, ack=1) / Raw(s.noise(50))
        s.send("a1", "b1", frame.payload)
        for outer, tep in ((0, ("vtep1", "vtep2")), (1, ("odd1", "odd2"))):
            ends = (A["vtep1"], A["vtep2"]) if outer == 0 else ("10.61.0.1", "10.61.0.2")
            s.send(*tep, s.ip(*ends) / UDP(sport=50000 + n, dport=4789) / VXLAN(vni=7410, flags=8) / frame, vlan=TRANSIT, port="up14")
        # a switch of the provider's mirrors to the monitor; its address is in no inventory
        for src in ("core1", "odd3"):
            s.send(src, "mon", s.ip("10.62.0.9", A["mon"]) / GRE(proto=0x88be, seqnum_present=1, seqence_number=n) / Raw(struct.pack("!II", 0x1000 << 16 | SHARED << 16, 0)) / frame)


def groups(s):
    """Multicast without snooping, clusters in multicast and unicast mode, wake-up calls, storms."""
    for n in range(20):
        s.send("a1", "01:00:5e:7f:00:01", s.ip(A["a1"], "239.255.0.1", ttl=4) / UDP(sport=5004, dport=5004) / Raw(s.noise(100)))
        s.send("b1", "01:00:5e:01:02:03", s.ip(A["b1"], "239.1.2.3", ttl=4) / UDP(sport=5004, dport=5004) / Raw(s.noise(100)))
        for mac in ("02:bf:0a:3a:01:d2", "03:bf:0a:3a:01:d2", "01:00:5e:7f:01:d2"):
            s.send("a1", mac, s.ip(A["a1"], "10.58.1.210") / UDP(sport=5100, dport=5101) / Raw(s.noise(60)))
        s.send("b1", "a1", s.ip("10.58.1.210", A["a1"]) / UDP(sport=5101, dport=5100) / Raw(s.noise(60)))
        s.send("a1", ALL, s.ip(A["a1"], "10.58.3.255") / UDP(sport=138, dport=138) / Raw(s.noise(80)))
    s.arp("b1", "10.58.1.210", A["a1"], dst="a1", op=2, sha="02:bf:0a:3a:01:d2")
    for n in range(3):
        s.send("a2", M["a1"], Raw(b"\xff" * 6 + bytes.fromhex(M["a1"].replace(":", "")) * 16), tags=[Dot1Q(vlan=SHARED, type=0x0842)])


def relays(s):
    """Through the provider's proxy, balancer and NAT; a mail that goes on; time servers; files that
    two have; TURN that both bought is not here, for it looks like what it is."""
    for n in range(3):
        hello = b"\x16\x03\x01\x00\x90\x01\x00\x00\x8c\x03\x03" + s.noise(32) + b"\x00\x00\x04\xc0\x2f\xc0\x30\x01\x00\x00\x5f" + s.noise(95)
        s.tcp(["a1", "prox"], (A["a1"], A["prox"]), dport=3128, data={0: hello})
        s.tcp(["prox", "b1"], (A["prox"], A["b1"]), data={0: hello})
        s.tcp(["prox", "core1"], (A["prox"], FAR), data={0: hello})
        mail = b"Received: from x\r\nSubject: %d\r\n\r\n" % n + s.noise(300)
        s.tcp(["b1", "a1"], (A["b1"], A["a1"]), dport=25, data={2: mail, 4: mail[:200]}, turns=6)
        s.tcp(["a1", "c1"], (A["a1"], A["c1"]), dport=25, data={2: mail, 4: mail[:200]}, turns=6)
        for way, ends in ((["b1", "c1"], (A["b1"], A["c1"])), (["c1", "core1"], (A["c1"], FAR)), (["a1", "c1"], (A["a1"], A["c1"]))):
            s.udp(way, ends, (123, 123), b"\x23" + bytes(47))
            s.udp(way[::-1], ends[::-1], (123, 123), b"\x24\2\6\xe9" + bytes(12) + struct.pack("!Q", 0xed000000 << 32 | n) + bytes(24))
        file = s.noise(1200)
        s.tcp(["a1", "c1"], (A["a1"], A["c1"]), dport=80, data={1: file})
        s.tcp(["b1", "a1"], (A["b1"], A["a1"]), dport=80, data={1: file})
        s.tcp(["c1", "store"], (A["c1"], A["store"]), dport=873, data={0: file})
        for who in ("a1", "b1", "c1", "d1"):
            s.tcp(["store", who], (A["store"], A[who]), dport=10050, data={0: b"ZBXD\1" + bytes(8) + b"agent.ping and more of the same"})
        for i in range(2):  # hairpin NAT of the provider
            way = (("a1", "nat", A["a1"], "192.0.2.66"), ("nat", "b1", A["a1"], A["b1"]))[i]
            s.send(way[0], way[1], s.ip(way[2], way[3], ttl=64 - i) / TCP(sport=8500 + n, dport=80, flags="S", seq=n * 7, options=OPTIONS))


def hello(s, name, ciphers=b"\xc0\x2f\xc0\x30"):
    """A TLS 1.2 ClientHello (RFC 5246 7.4.1.2) with a server name."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = b"\x03\x03" + s.noise(32) + b"\x00" + struct.pack("!H", len(ciphers)) + ciphers
    body += b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    shake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


def sites(s):
    """aspen's sites, found by DNS or visited by the world, in front of an origin outside and of a
    platform of clover's, which are asked for the same names."""
    others = b"\xc0\x2b\xc0\x2c"
    q = DNS(id=40, rd=1, qd=DNSQR(qname=b"www.aspen.example"))
    s.send("b1", "core1", s.ip(A["b1"], "192.0.2.53") / UDP(sport=5900, dport=53) / q)
    s.send("core1", "b1", s.ip("192.0.2.53", A["b1"]) / UDP(sport=53, dport=5900) /
           DNS(id=40, qr=1, qd=q.qd, an=DNSRR(rrname=b"www.aspen.example", type="CNAME", rdata=b"lb.aspen.example") / DNSRR(rrname=b"lb.aspen.example", rdata=A["a1"])))
    s.tcp(["core1", "a2"], (FAR2, A["a2"]), data={0: hello(s, b"app.aspen.example")})
    for _ in range(5):
        s.tcp(["b1", "a1"], (A["b1"], A["a1"]), data={0: hello(s, b"www.aspen.example")})
        s.tcp(["a1", "core1"], (A["a1"], FAR), data={0: hello(s, b"www.aspen.example", others)})
        s.tcp(["d1", "a2"], (A["d1"], A["a2"]), data={0: hello(s, b"app.aspen.example")})
        s.tcp(["a2", "c1"], (A["a2"], A["c1"]), data={0: hello(s, b"app.aspen.example", others)})
        s.wait(2)


def odd_frames(s):
    """Super-frames, retransmission in other portions, provider tags, priority tags, untagged copies,
    fragments that are cut."""
    body = s.noise(20000)
    t = {"sport": 8600, "dport": 443, "flags": "A", "ack": 1}
    s.send("core1", "a1", s.ip(FAR, A["a1"]) / TCP(seq=1, **t) / Raw(body))
    for n in range(0, 20000, 1400):
        s.send("core1", "a1", s.ip(FAR, A["a1"]) / TCP(seq=1 + n, **t) / Raw(body[n:n + 1400]))
    s.send("core1", "a1", s.ip(FAR, A["a1"]) / TCP(seq=1, **t) / Raw(body[:700]))
    for tags in ([Dot1AD(vlan=2900), Dot1Q(vlan=SHARED)], [Dot1Q(vlan=0), Dot1Q(vlan=SHARED)], [], [Dot1Q(vlan=2901), Dot1Q(vlan=SHARED)]):
        for n in range(3):
            p = s.ip(A["a1"], A["b1"], id=n) / UDP(sport=8700, dport=8701) / Raw(b"shown %d more than once, in several ways" % n)
            s.send("a1", "b1", p, tags=tags)
            s.send("b1", "a1", s.ip(A["b1"], A["a1"], id=n) / UDP(sport=8701, dport=8700) / Raw(b"likewise %d and back again to him" % n), tags=tags)
    for n in range(3):
        s.tcp(["a1", "b1"], (A["a1"], A["b1"]), cut=5)
        s.tcp(["a1", "core1", "b1"], (A["a1"], A["b1"]), cut=6)


SCENES = [routers, virtual, anycast, byo, balanced, pods, bond, ageing, migrates, dhcp_life, lost_lease, six, errors,
          scans, polls, overlapping, names, tunnels, groups, relays, sites, odd_frames]


# ---- views --------------------------------------------------------------------------------------

def ingress(seen, without=()):
    return [(t, data) for t, port, _, data in seen if port not in without]


def both(seen):
    return [(t + 2e-6 * n, data) for t, port, outs, data in seen for n in range(1 + len(outs))]


def leaving(seen, port):
    return [(t, data) for t, _, outs, data in seen if port in outs]


def untagged(frames):
    """As a mirror shows them that takes all tags off."""
    for when, data in frames:
        while data[12:14] in (b"\x81\0", b"\x88\xa8"):
            data = data[:12] + data[16:]
        yield when, data


def again(frames, seconds=0.02):
    """As two sessions show them, one of which is late."""
    return sorted(list(frames) + [(when + seconds, data) for when, data in frames], key=lambda f: f[0])


def in_gap(frames):
    """In a provider's tag and a VLAN that nobody entered."""
    return [(when, data[:12] + b"\x88\xa8\x0b\x55\x81\0\x02\x88" + data[16:]) for when, data in frames if data[12:14] == b"\x81\0"]


def write(frames, name, folder=HERE):
    body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for when, data in frames:
        micros = int(round(when * 1e6))
        body += struct.pack("<IIII", micros // 1000000, micros % 1000000, len(data), len(data)) + data
    with open(os.path.join(folder, name), "wb") as f:
        f.write(gzip.compress(body, mtime=0))


def inventory(name, ips=True, ports=True, pool="10.58.3.0/24"):
    roles = {"core1": "router", "core2": "router", "lb": "load-balancer", "nat": "nat", "dhcp1": "dhcp", "dhcp2": "dhcp", "dns": "dns",
             "store": "dhcp", "mon": "monitor", "hv1": "hypervisor", "hv2": "hypervisor", "vtep1": "vtep", "vtep2": "vtep", "prox": "proxy"}
    lines = ["# Who is who in neighbours*.pcap.gz and led-*.pcap.gz.  Written by make_neighbours.py.", "version: 1", "segments:",
             '  - { name: shared, vlan: %d, prefixes: [10.58.0.0/22, "2001:db8:58::/64"], dynamic: [%s], domain: default }' % (SHARED, pool)]
    lines += ["  - { name: %s, vlan: %d, prefixes: [%s], domain: default }" % row for row in (("aspen", ASPEN, "10.59.1.0/24"), ("briar", BRIAR, "10.59.2.0/24"), ("clover", CLOVER, "10.59.3.0/24"))]
    lines += ["  - { name: transit, vlan: %d, prefixes: [10.60.0.0/24], domain: under }" % TRANSIT,
              "  - { name: management, prefixes: [10.99.0.0/24], domain: management }",
              "  - { name: over, vni: 7410, prefixes: [10.58.0.0/22], domain: default }", "tenants:"]
    owned = {"aspen": "203.0.113.0/28, 10.59.1.0/24", "briar": "203.0.113.16/28, 10.59.2.0/24", "clover": "10.59.3.0/24"}
    for tenant in ("aspen", "briar", "clover", "daisy"):
        lines += ["  - name: " + tenant, "    segments: [shared, over%s]" % (", " + tenant if tenant in owned else "")]
        lines += ["    prefixes: [%s]" % owned[tenant]] if tenant in owned else []
        lines.append("    hosts:")
        for host in sorted(n for n in HOSTS if n[0] == tenant[0] and n[1:].isdigit()):
            ip = ", ip: [%s]" % ", ".join('"%s"' % a for a in HOSTS[host][3]) if ips else ""
            lines.append('      - { name: %s, mac: "%s"%s%s }' % (host, M[host], ip, ", port: " + HOSTS[host][1] if ports else ""))
    lines.append("infrastructure:")
    for host, role in roles.items():
        virtual = host in ("core1", "core2")
        lines.append("  - { name: %s, mac: [%s], ip: [%s], port: %s, roles: [%s] }" % (
            host, ", ".join('"%s"' % m for m in [M[host]] + [M["vgw"]] * virtual),
            ", ".join('"%s"' % a for a in HOSTS[host][3] + HOSTS["vgw"][3] * virtual), HOSTS[host][1], role))
    lines += ["  - { name: resolver, ip: 192.0.2.53, roles: [dns] }", "taps:", "  - { name: span, view: ingress }", "  - { name: span-both, view: both }"]
    lines += ["  - { name: at-%s, view: port, port: %s }" % (p, p) for p in TAPPED]
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


TAPPED = ("h1", "h4", "h7", "h8", "h9")
HIDDEN = ("up1", "h1", "h4", "h7", "h9")


def warmed():
    s = Switch()
    for name in sorted(HOSTS):
        s.arp(name, A[name], A[name], vlan=HOSTS[name][2])
    s.wait(5)
    return s


def played(*scenes):
    s = warmed()
    for scene in scenes:
        scene(s)
        s.wait(15)
    for name in ("core1", "a1"):
        s.arp(name, A[name], A[name])
    return s.seen


def lab(folder, names, scenes):
    """Each scene by itself, in all views: to try the sensor with."""
    for scene in scenes:
        name = scene.__name__
        if names and name not in names:
            continue
        seen = played(scene)
        write(ingress(seen), name + ".ingress.pcap.gz", folder)
        write(both(seen), name + ".both.pcap.gz", folder)
        for port in TAPPED:
            write(leaving(seen, port), "%s.at-%s.pcap.gz" % (name, port), folder)
        for hidden in HIDDEN:
            write(ingress(seen, without=(hidden,)), "%s.no-%s.pcap.gz" % (name, hidden), folder)


def main():
    seen = played(*SCENES)
    write(ingress(seen), "neighbours.pcap.gz")
    write(both(seen), "neighbours-both.pcap.gz")
    for port in ("h1", "h4"):
        write(leaving(seen, port), "neighbours-%s.pcap.gz" % port)
    seen = played(byo, pods, dhcp_life, six)
    write(list(untagged(ingress(seen))) + in_gap(ingress(played(six))), "neighbours-untagged.pcap.gz")
    write(again(ingress(played(overlapping, polls, routers, relays))), "neighbours-twice.pcap.gz")
    inventory("neighbours.yaml")
    inventory("neighbours-macs.yaml", ips=False, ports=False, pool="10.58.1.0/24")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        lab(sys.argv[1], sys.argv[2:], SCENES)
    else:
        main()
