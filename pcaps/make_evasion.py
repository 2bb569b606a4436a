#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_evasion.py [FOLDER] - writes the evade-*, frame-* captures beside it (or into FOLDER).

Tricks by which an attacker could try not to be named, each played by a tenant that is called
after its trick, all against one victim; and frames by which a tenant tries to have another one
accused.  Who is who is written to evasion.yaml.  Frames are built by scapy (Debian:
python3-scapy) with fixed times: the same bytes each time.
"""
import json
import os
import random
import struct
import sys

import make_relay
from make_relay import Capture, hello, noise
from scapy.all import (ARP, BOOTP, DHCP, Dot1AD, Dot1Q, ESP, Ether, GRE, ICMP, ICMPv6ND_NA,
                       ICMPv6ND_RA,
                       ICMPv6ND_NS, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IP,
                       IPOption, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, LLC, PadN, Raw,
                       SNAP, TCP, UDP, fragment, raw)
from scapy.contrib.mpls import MPLS

VLAN, PEN = 1201, 1202
FAR, FAR6 = "203.0.113.80", "2001:db8:ffff::80"
GATE = "52:54:00:ff:12:01"
LARK, LARK_IP, LARK_IP6 = "52:54:00:1a:00:01", "10.140.1.10", "2001:db8:140::110"
WREN, WREN_IP, WREN_IP6 = "52:54:00:1b:00:01", "10.140.1.20", "2001:db8:140::120"
NOBODY = "52:54:00:99:99:99"
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (991177, 0)), ("NOP", None), ("WScale", 7)]
TIME_OPTIONS = [("NOP", None), ("NOP", None), ("Timestamp", (991200, 551))]


class Cast:
    """Tenants that are called after their tricks, in the order they are first asked for."""

    def __init__(self):
        self.names = []

    def number(self, name):
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name) + 1

    def mac(self, name, nic=1):
        return "52:54:00:ac:%02x:%02x" % (self.number(name), nic)

    def ip(self, name, nic=1):
        return "10.140.%d.%d" % (1 + nic, self.number(name))

    def ip6(self, name):
        return "2001:db8:140::2:%x" % self.number(name)


CAST = Cast()


class Street(Capture):
    """A capture with tags and link headers of one's own."""

    def __init__(self):
        super().__init__(vlan=VLAN)

    def frame(self, src, dst, packet, delay=0.0007, link=None):
        """link: what stands between the addresses and the packet; default: one tag."""
        self.now += delay
        link = Dot1Q(vlan=VLAN) if link is None else link
        self.frames.append((self.now, raw(Ether(src=src, dst=dst) / link / packet)))

    def write(self, name, snap=262144):
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        for when, data in self.frames:
            micros = int(round(when * 1e6))
            kept = data[:snap]
            body += struct.pack("<iIII", micros // 1000000, micros % 1000000, len(kept), len(data)) + kept
        with open(os.path.join(make_relay.HERE, name), "wb") as f:
            f.write(make_relay.gzip.compress(body, mtime=0))


# ---- conversations ------------------------------------------------------------------------------

def talk(seed, turns=6, client=LARK_IP, server=FAR, sport=40000, dport=8080, options=TIME_OPTIONS):
    """(back?, packet) of a TCP conversation."""
    seq, ack = 1000 + sport, 5000 + sport
    yield False, IP(src=client, dst=server, id=1) / TCP(sport=sport, dport=dport, flags="S", seq=seq, options=SYN_OPTIONS)
    yield True, IP(src=server, dst=client, id=2, ttl=57) / TCP(sport=dport, dport=sport, flags="SA", seq=ack, ack=seq + 1, options=SYN_OPTIONS)
    seq, ack = seq + 1, ack + 1
    for n in range(turns):
        data = noise("%s-%d" % (seed, n), 32) + b"." * (58 + n % 7)
        if n % 2 == 0:
            yield False, IP(src=client, dst=server, id=10 + n) / TCP(sport=sport, dport=dport, flags="PA", seq=seq, ack=ack, options=options) / Raw(data)
            seq += len(data)
        else:
            yield True, IP(src=server, dst=client, id=10 + n, ttl=57) / TCP(sport=dport, dport=sport, flags="PA", seq=ack, ack=seq, options=options) / Raw(data)
            ack += len(data)


def datagrams(seed, layer, turns=5):
    for n in range(turns):
        yield False, IP(src=LARK_IP, dst=FAR, id=20 + n) / layer(n)


def hop(packet, ttl=None):
    """As a router sends it on."""
    packet = packet.copy()
    if packet.haslayer(IPv6):
        packet[IPv6].hlim = packet[IPv6].hlim - 1 if ttl is None else ttl
        return packet
    packet[IP].ttl = packet[IP].ttl - 1 if ttl is None else ttl
    del packet[IP].chksum
    return packet


def relay(c, name, packets, out=lambda p: [hop(p)], into=lambda p: [p], nics=(1, 1), link_in=None,
          link_out=None, delay=0.00004):
    """packets, through the box of the tenant called `name`."""
    box_in, box_out = CAST.mac(name, nics[0]), CAST.mac(name, nics[1])
    c.wait(0.5)
    for back, packet in packets:
        ends = (GATE, LARK) if back else (LARK, GATE)
        for p in into(packet):
            c.frame(ends[0], box_in, p, delay=0.01, link=link_in)
        for i, p in enumerate(out(packet)):
            c.frame(box_out, ends[1], p, delay=delay if i == 0 else 0.00001, link=link_out)


def without_options(packet):
    p = hop(packet)
    p[TCP].options = [o for o in p[TCP].options if o[0] == "MSS"]
    del p[TCP].dataofs, p[TCP].chksum, p[IP].len
    return [p]


def rewritten(field):
    def change(packet):
        p = hop(packet)
        field(p)
        del p[IP].chksum
        return [p]
    return change


# ---- relays -------------------------------------------------------------------------------------

EXPECT = []  # (capture, kind pattern, actor)


def expect(capture, name, *kinds):
    EXPECT.append((capture, name, kinds))


def tcp_relays():
    c, cap = Street(), "evade-tcp"
    dice = random.Random(7)

    def play(name, *kinds, **how):
        how.setdefault("packets", list(talk(name, sport=41000 + CAST.number(name))))
        relay(c, name, **how)
        expect(cap, name, *(kinds or ("relay.forward",)))

    def set_id(p):
        p[IP].id = dice.randrange(65536)

    def clamp(p):
        p[TCP].options = [("MSS", 1200) if o[0] == "MSS" else o for o in p[TCP].options]
        del p[TCP].chksum

    def stamps(p):
        p[TCP].options = [("Timestamp", (5, 6)) if o[0] == "Timestamp" else o for o in p[TCP].options]
        del p[TCP].chksum

    def flags(p):
        p[TCP].flags = str(p[TCP].flags).replace("P", "") + "E"
        p[TCP].window = 77
        del p[TCP].chksum

    def numbers(p):
        if p[TCP].sport == 8080:
            p[TCP].seq += 777
        else:
            p[TCP].ack += 777
        del p[TCP].chksum

    def ip_options(p):
        q = hop(p)
        q[IP].options = [IPOption(b"\x94\x04\x00\x00")]
        del q[IP].ihl, q[IP].len
        return [q]

    def split(p):
        q = hop(p)
        data = bytes(q[TCP].payload)
        if len(data) < 20:
            return [q]
        first, second = q.copy(), q.copy()
        first[TCP].remove_payload()
        second[TCP].remove_payload()
        second[TCP].seq += 20
        for part in (first, second):
            del part[IP].len, part[TCP].chksum
        return [first / Raw(data[:20]), second / Raw(data[20:])]

    def frags(p):
        return fragment(hop(p), fragsize=56)

    play("plain")
    play("ttl-equal", "relay.bridge", out=lambda p: [hop(p, p[IP].ttl)])
    play("ttl-more", "relay.bridge", out=lambda p: [hop(p, p[IP].ttl + 1)])
    play("ttl-max", "relay.bridge", out=lambda p: [hop(p, 255)])
    play("ttl-random", "relay.*", out=lambda p: [hop(p, dice.randrange(20, 255))])
    play("ip-id", out=rewritten(set_id))
    play("mss", out=rewritten(clamp))
    play("tcp-stamps", out=rewritten(stamps))
    play("tcp-options", out=without_options)
    play("tcp-flags", out=rewritten(flags))
    play("tcp-numbers", "relay.*", out=rewritten(numbers))
    play("ip-options", out=ip_options)
    play("tcp-split", out=split)
    play("fragments-out", "relay.*", out=frags)
    play("fragments-both", "relay.*", into=lambda p: fragment(p, fragsize=56), out=frags)
    play("syn-resend", packets=[t for t in talk("syn", sport=45001) for _ in range(3 if "S" in str(t[1][TCP].flags) else 1)])
    play("mid-flow", packets=list(talk("mid", sport=45002))[4:])
    play("one-way", packets=[t for t in talk("oneway", sport=45003) if not t[0]])
    play("back-only", packets=[t for t in talk("backonly", sport=45004) if t[0]])
    play("slow", "relay.*", delay=4.0)
    # links
    play("vlan0", link_out=Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))
    play("vlan0-inside", link_out=Dot1Q(vlan=VLAN) / Dot1Q(vlan=0))
    play("snap", link_out=Dot1Q(vlan=VLAN, type=0x400) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x800))
    play("four-tags", link_out=Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))
    play("eight-tags", link_out=Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))
    play("mpls", "relay.*", "observe.misdelivery", link_out=Dot1Q(vlan=VLAN, type=0x8847) / MPLS(label=16, s=1, ttl=64))
    play("provider-tag", link_out=Dot1AD(vlan=VLAN))
    # NICs and hosts
    play("two-nics", nics=(1, 2))
    play("two-vlans", "relay.*", nics=(1, 3), link_out=Dot1Q(vlan=PEN))
    play("two-hosts-hidden", "relay.*", nics=(1, 4))
    # a MAC that nobody registered on one leg
    for name, legs in (("no-mac-out", (0, 1)), ("no-mac-in", (1, 0))):
        c.wait(0.5)
        for back, p in talk(name, sport=45100 + CAST.number(name)):
            ends = (GATE, LARK) if back else (LARK, GATE)
            nics = (CAST.mac(name), NOBODY)
            c.frame(ends[0], nics[legs[0]], p, delay=0.01)
            c.frame(nics[legs[1]], ends[1], hop(p), delay=0.00004)
        expect(cap, name, "relay.forward")
    some = list(talk("every", turns=60, sport=45005))
    name = "every-tenth"
    c.wait(1)
    for i, (back, p) in enumerate(some):
        ends = (GATE, LARK) if back else (LARK, GATE)
        c.frame(ends[0], CAST.mac(name), p, delay=0.01)
        if i % 10 == 0:
            c.frame(CAST.mac(name), ends[1], hop(p), delay=0.00003)
    expect(cap, name, "relay.forward")
    name = "slow-busy"
    c.wait(1)
    burst = [(b, p) for b, p in talk("busy", turns=600, sport=45006)]
    for back, p in burst:
        c.frame(GATE if back else LARK, CAST.mac(name), p, delay=0.001)
    c.wait(1.5)
    for back, p in burst:
        c.frame(CAST.mac(name), LARK if back else GATE, hop(p), delay=0.001)
    expect(cap, name, "relay.*")
    name = "many-macs"  # the flow's packets from made-up MACs in between
    for n, (back, p) in enumerate(talk("many", turns=12, sport=45008)):
        ends = (GATE, LARK) if back else (LARK, GATE)
        c.frame(ends[0], CAST.mac(name), p, delay=0.01)
        for decoy in range(10):
            c.frame("52:54:00:de:c0:%02x" % decoy, CAST.mac(name), p, delay=0.0001)
        c.frame(CAST.mac(name), ends[1], hop(p), delay=0.003)
    expect(cap, name, "relay.forward")
    name = "two-hosts"
    for back, p in talk("twohosts", sport=45007):
        ends = (GATE, LARK) if back else (LARK, GATE)
        c.frame(ends[0], CAST.mac(name, 1), p, delay=0.01)
        c.frame(CAST.mac(name, 1), CAST.mac(name, 4), hop(p), delay=0.00003)
        c.frame(CAST.mac(name, 4), ends[1], hop(hop(p)), delay=0.00003)
    expect(cap, name, "relay.forward")
    return c


def other_relays():
    c, cap = Street(), "evade-other"

    def play(name, *kinds, **how):
        relay(c, name, **how)
        expect(cap, name, *(kinds or ("relay.forward",)))

    def udp(seed, size=200):
        return list(datagrams(seed, lambda n: UDP(sport=5000, dport=6000) / Raw(noise("%s%d" % (seed, n), size))))

    def no_checksum(p):
        q = hop(p)
        q[UDP].chksum = 0
        return [q]

    def new_id(p):
        q = hop(p)
        q[IP].id = 999 - q[IP].id
        return [q]

    play("udp", packets=udp("u"))
    play("udp-id", packets=udp("ui"), out=new_id)
    play("udp-sum", packets=udp("us"), out=no_checksum)
    play("udp-frag-out", packets=udp("uf", 600), out=lambda p: fragment(hop(p), fragsize=200))
    play("udp-frag-in", packets=udp("ug", 600), into=lambda p: fragment(p, fragsize=200))
    play("udp-frag-both", packets=udp("uh", 600), into=lambda p: fragment(p, fragsize=200),
         out=lambda p: fragment(hop(p), fragsize=200))
    play("udp-frag-id", packets=udp("uj", 600), into=lambda p: fragment(p, fragsize=200),
         out=lambda p: [new_id(q)[0] for q in fragment(p, fragsize=200)])
    play("udp-tiny", packets=udp("uk", 600), into=lambda p: fragment(p, fragsize=8)[:12],
         out=lambda p: fragment(hop(p), fragsize=8)[:12])
    play("udp-hole", packets=udp("ul", 600), into=lambda p: fragment(p, fragsize=200)[1:],
         out=lambda p: fragment(hop(p), fragsize=200)[1:])
    play("ping", packets=list(datagrams("p", lambda n: ICMP(id=7, seq=n) / Raw(noise("p%d" % n, 48)))))
    play("ping-id", packets=list(datagrams("q", lambda n: ICMP(id=8, seq=n) / Raw(noise("q%d" % n, 48)))), out=new_id)
    play("esp", packets=list(datagrams("e", lambda n: ESP(spi=0xabcd, seq=n) / Raw(noise("e%d" % n, 96)))))
    play("esp-id", packets=list(datagrams("f", lambda n: ESP(spi=0xabce, seq=n) / Raw(noise("f%d" % n, 96)))), out=new_id)
    play("quic", packets=list(datagrams("k", lambda n: UDP(sport=50443, dport=443) / Raw(
        (b"\xc3\x00\x00\x00\x01\x08" + noise("dcid", 8) + b"\x08" + noise("scid", 8) if n == 0 else b"\x43") + noise("k%d" % n, 300)))))
    six = [(False, IPv6(src=LARK_IP6, dst=FAR6, hlim=64) / UDP(sport=5001, dport=6001) / Raw(noise("v%d" % n, 120))) for n in range(5)]
    play("v6", packets=six)
    play("v6-equal", "relay.bridge", packets=six, out=lambda p: [hop(p, p.hlim)])

    def chain(p):
        q = hop(p)
        inner = q[IPv6].payload.copy()
        q[IPv6].remove_payload()
        del q[IPv6].plen, q[IPv6].nh
        return [q / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 12)]) / IPv6ExtHdrDestOpt(nh=17) / inner]

    play("v6-chain", packets=six, out=chain)

    def six_fragments(p):
        q = hop(p)
        body = raw(q[IPv6].payload)
        q[IPv6].remove_payload()
        out = []
        for at in range(0, len(body), 48):
            part = body[at:at + 48]
            out.append(IPv6(src=q.src, dst=q.dst, hlim=q.hlim) / IPv6ExtHdrFragment(nh=17, offset=at // 8, m=at + 48 < len(body), id=77) / Raw(part))
        return out

    play("v6-fragments", packets=six, out=six_fragments)
    return c


def with_snap():
    c, cap = Street(), "evade-cut"
    for name, link in (("cut-plain", None), ("cut-tag", Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))):
        relay(c, name, list(talk(name, sport=42000 + CAST.number(name))) + [
            (False, IP(src=LARK_IP, dst=FAR, id=20 + n) / UDP(sport=5000 + CAST.number(name), dport=6000) / Raw(noise("c%s%d" % (name, n), 200))) for n in range(4)], link_out=link)
    return c


# ---- false claims -------------------------------------------------------------------------------

EVERYBODY = "ff:ff:ff:ff:ff:ff"


def arp_claims():
    c, cap = Street(), "evade-arp"

    def play(name, dst=EVERYBODY, src=None, link=None, **fields):
        me = CAST.mac(name)
        arp = dict(op=2, hwsrc=me, psrc=WREN_IP, hwdst=LARK, pdst=LARK_IP)
        arp.update(fields)
        c.frame(src or me, dst, ARP(**arp), delay=0.3, link=link)
        expect(cap, name, "spoof.arp")

    play("arp-reply", dst=LARK)
    play("arp-reply-all")
    play("arp-request", op=1, hwdst="00:00:00:00:00:00")
    play("arp-request-one", dst=LARK, op=1, hwdst="00:00:00:00:00:00")
    play("arp-gratuitous", op=1, pdst=WREN_IP, hwdst="00:00:00:00:00:00")
    play("arp-announce", op=2, pdst=WREN_IP, hwdst=EVERYBODY)
    play("arp-other-mac", dst=LARK, hwsrc=NOBODY)
    play("arp-by-nobody", dst=LARK, src=NOBODY)
    play("arp-by-gate", dst=LARK, src=GATE)
    play("arp-group-mac", hwsrc="03:bf:0a:8c:01:14")
    play("arp-no-mac", hwsrc="00:00:00:00:00:00")
    play("arp-all-mac", hwsrc=EVERYBODY)
    play("arp-of-gate", dst=LARK, psrc="10.140.0.1")
    play("arp-true", dst=LARK, hwsrc=WREN, op=2)
    name = "arp-ieee802"  # Linux takes this hardware type as Ethernet's
    body = raw(ARP(op=2, hwsrc=CAST.mac(name), psrc=WREN_IP, hwdst=LARK, pdst=LARK_IP))
    c.frame(CAST.mac(name), LARK, Raw(b"\0\x06" + body[2:]), delay=0.3, link=Dot1Q(vlan=VLAN, type=0x806))
    expect(cap, name, "spoof.arp")
    play("arp-vlan0", dst=LARK, link=Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))
    play("arp-snap", dst=LARK, link=Dot1Q(vlan=VLAN, type=36) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x806))
    play("arp-provider-tag", dst=LARK, link=Dot1AD(vlan=VLAN))
    play("arp-group", dst="01:00:5e:00:00:01")
    play("arp-self-target", dst=LARK, op=1, hwdst=LARK, pdst=WREN_IP)
    play("arp-blind", dst=LARK, pdst="0.0.0.0", hwdst="00:00:00:00:00:00")
    return c


def nd_claims():
    c, cap = Street(), "evade-nd"
    lark_ll = "fe80::1a"

    def play(name, message, dst=LARK, ip=LARK_IP6, src=None, link=None, own=None, wrap=None):
        me = CAST.mac(name)
        body = message(me)
        head = IPv6(src=src or CAST.ip6(name), dst=ip, hlim=255)
        c.frame(own or me, dst, head / body if wrap is None else wrap(head, body), delay=0.3, link=link)
        expect(cap, name, "spoof.ndp")

    def na(flags, lladdr=True, mac=None):
        return lambda me: ICMPv6ND_NA(tgt=WREN_IP6, **flags) / (ICMPv6NDOptDstLLAddr(lladdr=mac or me) if lladdr else b"")

    play("na", na({"R": 0, "S": 1, "O": 1}))
    play("na-all", na({"R": 0, "S": 0, "O": 1}), dst="33:33:00:00:00:01", ip="ff02::1")
    play("na-bare", na({"R": 0, "S": 1, "O": 1}, lladdr=False))
    play("na-from-victim", na({"R": 0, "S": 1, "O": 1}), src=WREN_IP6)
    play("na-other-mac", na({"R": 0, "S": 1, "O": 1}, mac=NOBODY))
    play("na-by-nobody", na({"R": 0, "S": 1, "O": 1}), own=NOBODY)
    play("na-group-mac", na({"R": 0, "S": 1, "O": 1}, mac="33:33:00:00:00:07"))
    play("ns", lambda me: ICMPv6ND_NS(tgt=LARK_IP6) / ICMPv6NDOptSrcLLAddr(lladdr=me), src=WREN_IP6)
    play("rs", lambda me: ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=me), src=WREN_IP6, ip="ff02::2", dst="33:33:00:00:00:02")
    play("na-options", na({"R": 0, "S": 1, "O": 1}), wrap=lambda h, b: h / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / b)
    play("na-vlan0", na({"R": 0, "S": 1, "O": 1}), link=Dot1Q(vlan=0) / Dot1Q(vlan=VLAN))

    def in_fragments(h, b):
        body = raw(h / b)[40:]
        return [IPv6(src=h.src, dst=h.dst, hlim=255) / IPv6ExtHdrFragment(nh=58, offset=at // 8, m=at + 16 < len(body), id=78) / Raw(body[at:at + 16]) for at in range(0, len(body), 16)]

    name = "na-fragments"
    for part in in_fragments(IPv6(src=CAST.ip6(name), dst=LARK_IP6, hlim=255), na({"R": 0, "S": 1, "O": 1})(CAST.mac(name))):
        c.frame(CAST.mac(name), LARK, part)
    expect(cap, name, "spoof.ndp")
    return c


# ---- proxies ------------------------------------------------------------------------------------

def proxies():
    c, cap = Street(), "evade-proxy"

    def play(name, first, proto=TCP, out_first=None, before=(), out_before=(), answer=False, dport=4430, nic=1, kinds=("relay.proxy",)):
        """first: payload, or list of payloads, in; out_first: what leaves."""
        n = CAST.number(name)
        box, box_ip = CAST.mac(name), CAST.ip(name)
        out, out_ip = CAST.mac(name, nic), CAST.ip(name, nic if nic == 4 else 1)
        ways = (((LARK, box), (LARK_IP, box_ip), 46000 + n, list(before) + (first if isinstance(first, list) else [first])),
                ((out, GATE), (out_ip, FAR), 56000 + n, list(out_before) + (out_first if out_first is not None else first if isinstance(first, list) else [first])))
        c.wait(1)
        for macs, ips, sport, loads in reversed(ways) if answer else ways:
            seq, ack = 100 * n, 900 * n
            if proto is TCP:
                c.frame(*macs, IP(src=ips[0], dst=ips[1], id=n) / TCP(sport=sport, dport=dport, flags="S", seq=seq, options=[("MSS", 1460)]))
                c.frame(*macs[::-1], IP(src=ips[1], dst=ips[0], id=n) / TCP(sport=dport, dport=sport, flags="SA", seq=ack, ack=seq + 1))
            seq += 1
            for load in loads:
                back = isinstance(load, tuple) or answer
                data = load[0] if isinstance(load, tuple) else load
                if proto is TCP:
                    l4 = TCP(sport=dport, dport=sport, flags="PA", seq=ack + 1, ack=seq) if back else TCP(sport=sport, dport=dport, flags="PA", seq=seq, ack=ack + 1)
                    if back:
                        ack += len(data)
                    else:
                        seq += len(data)
                else:
                    l4 = UDP(sport=dport, dport=sport) if back else UDP(sport=sport, dport=dport)
                a, b = (1, 0) if back else (0, 1)
                c.frame(macs[a], macs[b], IP(src=ips[a], dst=ips[b], id=n) / l4 / Raw(data), delay=0.003)
        expect(cap, name, *kinds)

    kex = b"\x00\x00\x01\x2c\x06\x14" + noise("cookie", 16) + b"curve25519-sha256,ecdh-sha2-nistp256" + bytes(200)
    banner = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
    scramble = noise("scramble", 20).replace(b"\0", b"\1")
    mysql = b"\x0a8.0.33\0" + b"\x09\0\0\0" + scramble[:8] + b"\0\xff\xff\xff\x02\0\xff\xdf\x15" + bytes(10) + scramble[8:] + b"\0caching_sha2_password\0"
    mysql = struct.pack("<I", len(mysql))[:3] + b"\0" + mysql
    scram = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    postgres = b"R" + struct.pack("!II", 8 + len(scram), 11) + scram
    dtls = hello("dtls")[5:]
    dtls = b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(dtls) + 8) + dtls[:4] + b"\0\0\0\0\0" + dtls[1:4] + b"\xfe\xfd" + dtls[6:]
    quic = b"\xc3\x00\x00\x00\x01\x08" + noise("pdcid", 8) + b"\x08" + noise("pscid", 8) + noise("pquic", 1180)
    ike = noise("spi", 8) + bytes(8) + b"\x21\x20\x22\x08" + bytes(4) + struct.pack("!I", 28 + 100) + noise("ike", 100)
    sip = b"INVITE sip:bob@voice.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.140.1.10:5060;branch=z9hG4bK776asdhds8123\r\nMax-Forwards: 70\r\nFrom: Alice <sip:a@voice.example>;tag=1928301774\r\nCall-ID: a84b4c76e66710@pc33.voice.example\r\nCSeq: 314159 INVITE\r\n\r\n"
    http = b"GET /invoice/4711/print?session=98127389127 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11)\r\nAccept: text/html\r\nCookie: basket=81729387\r\n\r\n"
    dns = b"\x8f\x21\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0bcustomerdb7\x07example\x00\x00\x01\x00\x01"
    tls = hello("split")
    play("px-tls", hello("px"))
    play("px-ssh", [banner + kex])
    play("px-ssh-parts", [banner, kex], out_first=[banner + kex])
    play("px-mysql", mysql, answer=True)
    play("px-postgres", postgres, answer=True)
    play("px-dtls", dtls, proto=UDP)
    play("px-quic", quic, proto=UDP)
    play("px-ike", ike, proto=UDP, dport=500)
    play("px-ike-nat", b"\0\0\0\0" + noise("spi2", 8) + ike[8:], proto=UDP, dport=4500)
    play("px-sip", sip, proto=UDP, dport=5060)
    play("px-dns", dns, proto=UDP, dport=53)
    play("px-dns-tcp", struct.pack("!H", len(dns)) + b"\x77" + dns[1:], dport=53)
    play("px-http", http)
    play("px-http-via", http.replace(b"4711", b"4712"), out_first=[http.replace(b"4711", b"4712").replace(b"Accept", b"Via: 1.1 box\r\nX-Forwarded-For: 10.140.1.10\r\nAccept")])
    play("px-connect", hello("connect"), before=[b"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n", (b"HTTP/1.1 200 OK\r\n\r\n",)])
    play("px-socks", hello("socks"), before=[b"\x05\x01\x00", (b"\x05\x00",), b"\x05\x01\x00\x03\x0cshop.example\x01\xbb", (b"\x05\x00\x00\x01\x0a\x8c\x02\x01\x01\xbb",)])
    play("px-line", hello("line"), out_first=[b"PROXY TCP4 10.140.1.10 203.0.113.80 46000 443\r\n" + hello("line")])
    play("px-binary", hello("binary"), out_first=[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\x0a\x8c\x01\x0a\xcb\0\x71\x50\xb3\xb0\x01\xbb" + hello("binary")])
    play("px-other-nic", hello("othernic"), nic=4)
    for cut in (1, 5, 20, 43):
        play("px-split-%d" % cut, hello("split%d" % cut), out_first=[hello("split%d" % cut)[:cut], hello("split%d" % cut)[cut:]])
    play("px-bytes", hello("bytes"), out_first=[hello("bytes")[i:i + 1] for i in range(60)] + [hello("bytes")[60:]])
    play("px-records", hello("records"), out_first=[b"\x16\x03\x01\x00\x08" + hello("records")[5:13] + b"\x16\x03\x01" + struct.pack("!H", len(hello("records")) - 13) + hello("records")[13:]])
    return c


def many_flows():
    """More flows in wren's name than wait to be told, and lark's answers delivered with them."""
    c = Street()
    for n in range(9000):
        c.frame(CAST.mac("many-flows"), GATE, IP(src=WREN_IP, dst=FAR) / UDP(sport=1000 + n, dport=53), delay=0.0001)
        if n % 2:
            c.frame(GATE, CAST.mac("many-answers"), IP(src=FAR, dst=LARK_IP) / UDP(sport=53, dport=1000 + n), delay=0.0001)
    expect("evade-many", "many-flows", "spoof.source")
    expect("evade-many", "many-answers", "observe.misdelivery")
    for n in range(40):
        c.frame(WREN, GATE, IP(src=WREN_IP, dst=FAR) / UDP(sport=123, dport=123), delay=0.1)
    return c


# ---- in a flood ---------------------------------------------------------------------------------

def flood():
    """Made-up MACs and flows in the pen, four hundred times as many frames as of the relay in the street."""
    c, dice = Street(), random.Random(12)

    def some(count):
        for _ in range(count):
            mac = [":".join("%02x" % (dice.randrange(256) & (0xfe if i == 0 else 0xff)) for i in range(6)) for _ in range(2)]
            ends = ["10.%d.%d.%d" % tuple(dice.randrange(256) for _ in range(3)) for _ in range(2)]
            bad = dice.randrange(2)
            c.frame(mac[0], mac[1], IP(src=ends[0], dst=ends[1], len=20 if bad else None) / TCP(sport=dice.randrange(65536), dport=dice.randrange(65536), flags="S", seq=1), link=Dot1Q(vlan=PEN), delay=0.000003)
        # and from the NIC of one who is at home there, with others' addresses
        for _ in range(count // 4):
            c.frame(CAST.mac("flooder", 3), GATE, IP(src="10.140.%d.%d" % (dice.randrange(16), dice.randrange(256)), dst=FAR) / UDP(sport=dice.randrange(65536), dport=53), link=Dot1Q(vlan=PEN), delay=0.000003)

    name = "in-a-flood"
    for back, p in talk(name, sport=48000, turns=4):
        ends = (GATE, LARK) if back else (LARK, GATE)
        some(300)
        c.frame(ends[0], CAST.mac(name), p, delay=0.0001)
        some(300)
        c.frame(CAST.mac(name), ends[1], hop(p), delay=0.0001)
    c.frame(CAST.mac(name), LARK, ARP(op=2, hwsrc=CAST.mac(name), psrc=WREN_IP, hwdst=LARK, pdst=LARK_IP))
    expect("evade-flood", name, "relay.forward")
    return c


# ---- accusing a neighbour ------------------------------------------------------------------------

def framing():
    """rook does all of it in heron's name: heron's MAC and address, or an unregistered MAC."""
    c = Street()
    heron, heron_ip = CAST.mac("heron"), CAST.ip("heron")
    for n, (back, p) in enumerate(talk("framed", sport=47000)):
        ends = (GATE, LARK) if back else (LARK, GATE)
        c.frame(ends[0], heron, p, delay=0.01)
        c.frame(heron, ends[1], hop(p), delay=0.00005)
    c.frame(heron, LARK, ARP(op=2, hwsrc=heron, psrc=WREN_IP, hwdst=LARK, pdst=LARK_IP))
    c.frame(CAST.mac("rook"), LARK, ARP(op=2, hwsrc=heron, psrc="10.140.0.1", hwdst=LARK, pdst=LARK_IP))
    c.frame(heron, EVERYBODY, IP(src=heron_ip, dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr=LARK_IP, chaddr=bytes.fromhex(LARK.replace(":", "")), xid=9) / DHCP(options=[("message-type", "ack"), ("server_id", heron_ip), ("router", heron_ip), "end"]))
    c.frame(heron, LARK, IPv6(src=CAST.ip6("heron"), dst=LARK_IP6, hlim=255) / ICMPv6ND_NA(tgt=WREN_IP6, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=heron))
    data = hello("framed")
    c.frame(LARK, heron, IP(src=LARK_IP, dst=heron_ip) / TCP(sport=47100, dport=443, flags="PA", seq=1, ack=1) / Raw(data))
    c.frame(heron, GATE, IP(src=heron_ip, dst=FAR) / TCP(sport=47101, dport=443, flags="PA", seq=5, ack=5) / Raw(data))
    for n in range(12):
        c.frame(heron, GATE, IP(src=WREN_IP, dst=FAR, id=n) / UDP(sport=47200, dport=443) / Raw(noise("fs%d" % n, 50)), delay=0.1)
        c.frame(GATE, heron, IP(src=FAR, dst=WREN_IP, id=n) / UDP(sport=443, dport=47201) / Raw(noise("ft%d" % n, 50)), delay=0.1)
    return c


def slander():
    """More of it in heron's name: tunnels, errors, gateways, topology, VLANs, and floods to its port."""
    c = Street()
    heron, heron_ip = CAST.mac("heron"), CAST.ip("heron")
    inner = IP(src=LARK_IP, dst=FAR, id=7) / UDP(sport=5001, dport=53) / Raw(noise("slander", 40))
    for n in range(6):  # what was lark's, in a tunnel from heron, and to him
        c.frame(LARK, GATE, inner, delay=0.05)
        c.frame(heron, GATE, IP(src=heron_ip, dst="198.51.100.9", id=n) / GRE() / inner)
        c.frame(GATE, heron, IP(src="198.51.100.9", dst=heron_ip, id=n) / GRE() / inner)
    c.frame(heron, GATE, IP(src=heron_ip, dst=LARK_IP) / ICMP(type=11) / IP(src=LARK_IP, dst=FAR, ttl=1) / UDP(sport=5002, dport=53))
    for n in range(4):  # heron answers what was sent to wren
        c.frame(LARK, WREN, IP(src=LARK_IP, dst=heron_ip, id=n) / TCP(sport=5100 + n, dport=80, flags="S", seq=1), delay=0.2)
        c.frame(heron, LARK, IP(src=heron_ip, dst=LARK_IP, id=n) / TCP(sport=80, dport=5100 + n, flags="RA", ack=2))
    for n in range(3):
        c.frame(heron, "01:00:5e:00:00:12", IP(src=heron_ip, dst="224.0.0.18", ttl=255, proto=112) / Raw(bytes.fromhex("2107ff0100010000") + bytes([10, 140, 0, 1]) + bytes(8)), delay=1)
        c.frame(heron, "33:33:00:00:00:01", IPv6(src="fe80::66", dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=1800))
    redirect = IP(src="10.140.0.1", dst=LARK_IP) / ICMP(type=5, code=1, gw=heron_ip) / IP(src=LARK_IP, dst=FAR) / UDP(sport=5003, dport=53)
    c.frame(NOBODY, LARK, redirect)
    c.frame(NOBODY, LARK, ARP(op=2, hwsrc=heron, psrc=WREN_IP, hwdst=LARK, pdst=LARK_IP))  # the frame is not heron's
    c.frame(heron, EVERYBODY, ARP(op=1, hwsrc=heron, psrc=heron_ip, pdst="10.140.0.1"), link=Dot1Q(vlan=VLAN) / Dot1Q(vlan=PEN))
    for n in range(3):
        c.frame(GATE, heron, ARP(op=2, hwsrc=GATE, psrc="0.0.0.0", hwdst=heron, pdst="0.0.0.0"), delay=0.5)
    for n in range(3):  # in the gateway's name, who would not hear himself
        c.frame(GATE, EVERYBODY, IP(src="10.140.0.1", dst="255.255.255.255", id=n) / UDP(sport=9, dport=9) / Raw(b"x" * 20))
    for n in range(30):  # flooded to every port, heron's too: nobody has that MAC
        c.frame(LARK, "52:54:00:99:%02x:01" % n, IP(src=LARK_IP, dst=FAR, id=n) / UDP(sport=5300, dport=53) / Raw(b"x" * 40), delay=0.01)
        c.frame("52:54:00:98:%02x:01" % n, "52:54:00:99:%02x:01" % n, IP(src=FAR, dst=LARK_IP, id=n) / UDP(sport=53, dport=5300) / Raw(b"x" * 40))
    return c


def at_port(street, mac):
    """What of it a switch sends out by the port of this MAC: what is for it, for groups, for nobody."""
    known = {LARK, WREN, GATE} | {CAST.mac(name, n) for name in CAST.names for n in (1, 2, 3, 4)}
    out = Street()
    for when, data in street.frames:
        to = ":".join("%02x" % b for b in data[:6])
        if to == mac or data[0] & 1 or to not in known:
            out.frames.append((when, data))
    return out


def write_inventory():
    lines = ["# Who is who in evade-*.pcap.gz and frame-*.pcap.gz.  Written by make_evasion.py.",
             "version: 1", "segments:",
             "  - { name: street, vlan: %d, prefixes: [10.140.0.0/20, \"2001:db8:140::/64\"], domain: default }" % VLAN,
             "  - { name: pen, vlan: %d, prefixes: [10.140.16.0/24], domain: default }" % PEN,
             "tenants:",
             "  - name: lark", "    segments: [street]",
             "    hosts: [{ name: web, mac: \"%s\", ip: [%s, \"%s\"] }]" % (LARK, LARK_IP, LARK_IP6),
             "  - name: wren", "    segments: [street]",
             "    hosts: [{ name: app, mac: \"%s\", ip: [%s, \"%s\"] }]" % (WREN, WREN_IP, WREN_IP6)]
    for name in CAST.names:
        lines += ["  - name: %s" % name, "    segments: [street, pen]", "    hosts:",
                  "      - { name: box, mac: [%s], ip: [%s, \"%s\", %s]%s }" % (
                      ", ".join('"%s"' % CAST.mac(name, n) for n in ((1,) if name == "heron" else (1, 2, 3))), CAST.ip(name),
                      CAST.ip6(name), "10.140.16.%d" % CAST.number(name),
                      ", port: leaf3/1" if name == "heron" else ""),
                  "      - { name: second, mac: \"%s\", ip: %s }" % (CAST.mac(name, 4), CAST.ip(name, 4))]
    lines += ["infrastructure:",
              "  - { name: gate, mac: \"%s\", ip: [10.140.0.1, 10.140.16.254, \"2001:db8:140::1\"], port: leaf3/48, roles: [router, dns] }" % GATE,
              "taps:", "  - { name: span, view: ingress }", "  - { name: span-both, view: both }",
              "  - { name: at-heron, view: port, port: leaf3/1 }",
              "  - { name: at-gate, view: port, port: leaf3/48 }"]
    with open(os.path.join(make_relay.HERE, "evasion.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    lab = len(sys.argv) > 1
    if lab:
        make_relay.HERE = sys.argv[1]
    tcp_relays().write("evade-tcp.pcap.gz")
    other_relays().write("evade-other.pcap.gz")
    arp_claims().write("evade-arp.pcap.gz")
    nd_claims().write("evade-nd.pcap.gz")
    proxies().write("evade-proxy.pcap.gz")
    flood().write("evade-flood.pcap.gz")
    many_flows().write("evade-many.pcap.gz")
    framing().write("frame-neighbour.pcap.gz")
    slander().write("frame-slander.pcap.gz")
    at_port(slander(), CAST.mac("heron")).write("frame-slander-port.pcap.gz")
    at_port(slander(), GATE).write("frame-slander-gate.pcap.gz")
    at_port(framing(), CAST.mac("heron")).write("frame-neighbour-port.pcap.gz")
    cut = with_snap()
    for snap in list(range(34, 80, 2)) + [96, 128, 200] if lab else (46, 54, 64, 96):
        cut.write("evade-cut-%d.pcap.gz" % snap, snap)
    write_inventory()
    if lab:
        with open(os.path.join(make_relay.HERE, "expect.json"), "w", encoding="utf-8") as f:
            json.dump(EXPECT, f)
