#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_carried.py - writes carried-*.pcap.gz and carried.yaml beside it, the same each time.

What is carried where nobody looks: packets in pings.  Each is played by a tenant that is called after what it does,
against teal.  Frames are built by scapy (Debian: python3-scapy) with fixed times.
"""
import os
import struct

import make_relay
from make_relay import Capture, noise
from make_trick import changed, tcp
from scapy.all import ARP, Ether, ICMP, ICMPv6EchoReply, ICMPv6EchoRequest, IP, IPv6, Raw, UDP, raw

VLAN = 2210
GATE, TEAL, TEAL2, GULL = "a6:00:5e:00:00:01", "a6:00:5e:00:0a:01", "a6:00:5e:00:0a:02", "a6:00:5e:00:0b:01"
G4, T4, T24, U4 = "100.64.12.1", "100.64.12.10", "100.64.12.11", "100.64.12.20"
FAR, FAR2, FAR6 = "198.51.100.21", "203.0.113.250", "2001:db8:fa::25"
CAST = []


def who(name):
    if name not in CAST:
        CAST.append(name)
    n = CAST.index(name) + 1
    return "a6:00:5e:00:ee:%02x" % n, "100.64.13.%d" % n, "2001:db8:64::13:%x" % n


def says(seed, turns=12):
    return [(n % 2 == 1, noise("%s-%d" % (seed, n), 60 + 5 * n)) for n in range(turns)]


def ping(own, to, inner, number, back=False, head=b""):
    """An echo whose data is a packet; a tunnel's client asks, its server answers."""
    if ":" in own:
        kind, ends = (ICMPv6EchoReply, IPv6(src=to, dst=own)) if back else (ICMPv6EchoRequest, IPv6(src=own, dst=to))
        return ends / kind(id=0x4d2, seq=number) / Raw(head + raw(inner))
    ends = IP(src=to, dst=own, ttl=52) if back else IP(src=own, dst=to)
    return ends / ICMP(type=0 if back else 8, id=0x4d2, seq=number) / Raw(head + raw(inner))


def alive(c, client, own, there):
    """Pings as they are: before, beside and after."""
    for n in range(3):
        c.add(client, GATE, IP(src=own, dst=there) / ICMP(id=77, seq=n) / Raw(struct.pack("<QQ", 1767225600, n) + bytes(range(16, 56))), delay=0.05)
        c.add(GATE, client, IP(src=there, dst=own, ttl=52) / ICMP(type=0, id=77, seq=n) / Raw(struct.pack("<QQ", 1767225600, n) + bytes(range(16, 56))), delay=0.01)


def pings():
    c = Capture(VLAN)
    # What teal sends ends at the box, by a forged ARP, and goes on in echoes to a server far away; so comes the answer.
    mac, own, _ = who("steers")
    alive(c, mac, own, FAR2)
    c.add(mac, TEAL, ARP(op=2, hwsrc=mac, psrc=G4, hwdst=TEAL, pdst=T4))
    for n, (back, p) in enumerate(tcp(T4, FAR, 52001, 8443, says("steers", 30), "steers")):
        if back:
            c.add(GATE, mac, ping(own, FAR2, p, n, back), delay=0.02)
            c.add(mac, TEAL, changed(p), delay=0.0004)
        else:
            c.add(TEAL, mac, p, delay=0.01)
            c.add(mac, GATE, ping(own, FAR2, changed(p), n), delay=0.0004)
    # Copies of what teal's server says to gull, behind five bytes of the tunnel's own; the same over IPv6.
    for name, head in (("copies", b"hans\x05"), ("copies6", b"")):
        mac, own, own6 = who(name)
        for n, (back, p) in enumerate(tcp(T4, U4, 52002 + len(CAST), 5432, says(name), name)):
            c.add(*((GULL, TEAL) if back else (TEAL, GULL)), p, delay=0.01)
            c.add(mac, GATE, ping(own6 if name == "copies6" else own, FAR6 if name == "copies6" else FAR2, p, n, head=head), delay=0.0004)
    c.wait(7)
    alive(c, TEAL, T4, FAR)
    return c


def own_pings():
    """Teal's machine goes out through pings; so does what is behind a box of its own, with anybody's private addresses."""
    c = Capture(VLAN)
    alive(c, TEAL, T4, FAR2)
    for name, inner in (("own", T4), ("lan", "192.168.44.9")):
        mac, own = (TEAL, T4) if name == "own" else who("office")[:2]
        for n, (back, p) in enumerate(tcp(inner, FAR, 53001, 443, says(name), name)):
            c.add(*((GATE, mac) if back else (mac, GATE)), ping(own, FAR2, p, n, back), delay=0.01)
    # An error quotes the packet that caused it; a router's answer to a trace likewise.
    mac, own, _ = who("closed")
    q = IP(src=T4, dst=own) / UDP(sport=40000, dport=33434) / Raw(b"trace")
    c.add(TEAL, mac, q)
    c.add(mac, TEAL, IP(src=own, dst=T4) / ICMP(type=3, code=3) / q)
    # A box that says back what it is told, as pings do: teal pings it with a packet of its own in it.
    mac, own, _ = who("echoes")
    for n, (_, p) in enumerate(tcp(T4, FAR, 53003, 443, says("told"), "told")):
        c.add(TEAL, mac, ping(T4, own, p, n))
        c.add(mac, TEAL, ping(T4, own, p, n, True))
    alive(c, TEAL, T4, FAR)
    return c


def inventory():
    lines = ["# Who is who in carried-*.pcap.gz.  Written by make_carried.py.", "version: 1", "segments:",
             '  - { name: weir, vlan: %d, prefixes: [100.64.12.0/23, "2001:db8:64::/64"] }' % VLAN, "tenants:",
             "  - name: teal", "    segments: [weir]", "    hosts:",
             '      - { name: t1, mac: "%s", ip: %s }' % (TEAL, T4), '      - { name: t2, mac: "%s", ip: %s }' % (TEAL2, T24),
             "  - name: gull", "    segments: [weir]", "    hosts:", '      - { name: u1, mac: "%s", ip: %s }' % (GULL, U4)]
    for player in CAST:
        mac, ip, ip6 = who(player)
        lines += ["  - name: %s" % player, "    segments: [weir]", "    hosts:", '      - { name: box, mac: "%s", ip: [%s, "%s"] }' % (mac, ip, ip6)]
    lines += ["infrastructure:", '  - { name: gate, mac: "%s", ip: [%s, "fe80::1"], roles: [router] }' % (GATE, G4), "taps:", "  - { name: span, view: ingress }", ""]
    with open(os.path.join(make_relay.HERE, "carried.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    pings().write("carried-pings.pcap.gz")
    own_pings().write("carried-own-pings.pcap.gz")
    inventory()
