#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_led.py [FOLDER [SCENE...]] - writes the led-*.pcap.gz captures beside it.

Attacks by daisy that lead to somebody who has nothing to do with them: who answers, who was misled,
whose port is not in the mirror.  Nobody else may be named.  On the network of make_neighbours.py,
whose neighbours.yaml says who is who; with FOLDER each scene is written there in all views.
"""
import sys

from scapy.all import (ARP, DNS, DNSQR, DNSRR, GRE, ICMP, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IPv6, Raw, TCP,
                       UDP, raw)

from make_neighbours import (A, ALL, ALL6, FAR, FAR2, FAR6, M, OPTIONS, SIX, dhcp_message, get,
                             group6, ingress, lab, played, write)


def told(s, whom, ip, mac="d1", dst=None):
    """A forged ARP answer: ip is at mac."""
    s.arp("d1", ip, A[whom], dst=dst or whom, op=2, sha=mac)


def x_oneway(s):
    """Only one direction goes by d1: clover's to aspen, then what the router has for briar."""
    s.asks("d1", "c1")
    s.asks("d1", "a1")
    s.tcp(["d1", "core1"], (A["d1"], FAR2), dport=22)
    told(s, "c1", A["a1"])
    for n in range(4):
        s.tcp(["c1", "d1", "a1"], (A["c1"], A["a1"]), back=["a1", "c1"], turns=8)
        s.ping(["c1", "d1", "a1"], (A["c1"], A["a1"]), back=["a1", "c1"])
        t = TCP(sport=9000 + n, dport=81, flags="S", seq=n * 77, options=OPTIONS)
        s.send("c1", "d1", s.ip(A["c1"], A["a1"], id=n) / t)
        s.send("d1", "a1", s.ip(A["c1"], A["a1"], ttl=63, id=n) / t)
        s.send("a1", "c1", s.ip(A["a1"], A["c1"]) / TCP(sport=81, dport=9000 + n, flags="RA", ack=n * 77 + 1))
        probe = s.ip(A["c1"], A["a1"], id=n) / UDP(sport=9100, dport=9) / Raw(s.noise(40))
        s.send("c1", "d1", probe)
        probe.ttl = 63
        s.send("d1", "a1", probe)
        s.send("a1", "c1", s.ip(A["a1"], A["c1"]) / ICMP(type=3, code=3) / raw(probe)[:28])
    told(s, "core1", A["b1"])
    for n in range(3):
        s.tcp(["core1", "d1", "b1"], (FAR, A["b1"]), back=["b1", "core1"], turns=8)


def x_between(s):
    """Between aspen and the router, with and without TTL, IPv4 and IPv6."""
    for who, ip in (("a1", "10.58.0.1"), ("core1", A["a1"])):
        told(s, who, ip)
    s.send("d1", "a1", s.ip(SIX["d1"], SIX["a1"], ttl=255) / ICMPv6ND_NA(tgt="2001:db8:58::1", R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=M["d1"]))
    for n in range(4):
        s.tcp(["a1", "d1", "vgw"], (A["a1"], FAR), back=["core1", "d1", "a1"], turns=6)
        s.tcp(["a1", "d1", "core1"], (SIX["a1"], FAR6), back=["core1", "a1"], turns=6)
        s.tcp(["a1", "d1", "vgw", "b1"], (A["a1"], A["b1"]), back=["b1", "core1", "d1", "a1"], turns=6)


def x_rogue_dhcp(s):
    """d1's DHCP server hands out addresses that others have, itself as router."""
    given = [("server_id", A["d1"]), ("lease_time", 3600), ("router", A["d1"])]
    for who, ip in (("a1", A["b2"]), ("c2", A["a2"])):
        dhcp_message(s, who, "discover", ("0.0.0.0", "255.255.255.255"), (who, ALL))
        dhcp_message(s, who, "offer", (A["d1"], ip), ("d1", who), yiaddr=ip, given=given)
        dhcp_message(s, who, "request", ("0.0.0.0", "255.255.255.255"), (who, ALL), given=[("requested_addr", ip), ("server_id", A["d1"])])
        dhcp_message(s, who, "ack", (A["d1"], ip), ("d1", who), yiaddr=ip, given=given)
        s.arp(who, "0.0.0.0", ip)
        s.wait(1)
        s.arp(who, ip, ip)
        s.arp(who, ip, A["d1"])
        s.arp("b1", A["b1"], ip)
        s.arp(who, ip, A["b1"], dst="b1", op=2)
        s.tcp([who, "d1", "core1"], (ip, FAR), back=["core1", who])
        s.tcp([who, "b1"], (ip, A["b1"]))
        s.tcp(["b1", who], (A["b1"], ip))
        s.ping(["core1", who], (FAR, ip))


def x_planted(s):
    """d1 tells clover that the router is at briar's NIC, and briar that aspen is at clover's."""
    for _ in range(3):
        told(s, "c1", "10.58.0.1", mac="b1")
        told(s, "b2", A["a1"], mac="c2")
        s.tcp(["c1", "b1"], (A["c1"], FAR), turns=0)
        s.udp(["c1", "b1"], (A["c1"], FAR), (5000, 53), s.noise(40))
        s.udp(["b2", "c2"], (A["b2"], A["a1"]), (5000, 53), s.noise(40))
        s.wait(2)


def x_reflected(s):
    """d1 sends in aspen's name: those who answer, and aspen that refuses, have done nothing."""
    for n in range(12):
        for who in ("b1", "c1"):
            s.send("d1", who, s.ip(A["a1"], A[who]) / TCP(sport=9200 + n, dport=443, flags="S", seq=n, options=OPTIONS), delay=0.05)
            s.send(who, "a1", s.ip(A[who], A["a1"]) / TCP(sport=443, dport=9200 + n, flags="SA", seq=5, ack=n + 1, options=OPTIONS))
            s.send("a1", who, s.ip(A["a1"], A[who]) / TCP(sport=9200 + n, dport=443, flags="R", seq=n + 1))
        s.send("d1", ALL, s.ip(A["a1"], "10.58.3.255") / ICMP(type=8, id=9, seq=n) / Raw(s.noise(48)))
        for who in ("b1", "c1", "c2"):
            s.send(who, "a1", s.ip(A[who], A["a1"]) / ICMP(type=0, id=9, seq=n) / Raw(s.noise(48)))
        q = DNS(id=n + 1, rd=1, qd=DNSQR(qname="any.example"))
        s.send("d1", "dns", s.ip(A["a1"], A["dns"]) / UDP(sport=9300, dport=53) / q)
        s.send("dns", "a1", s.ip(A["dns"], A["a1"]) / UDP(sport=53, dport=9300) / DNS(id=n + 1, qr=1, qd=q.qd))


def x_diverted(s):
    """By redirects in the router's name, by a router advertisement, by names that lead to briar."""
    link = IPv6(src="fe80::f816:3eff:fed0:1", dst="ff02::1", hlim=255)
    s.send("d1", ALL6, link / ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=M["d1"]) / ICMPv6NDOptPrefixInfo(prefix="2001:db8:bad::", prefixlen=64))
    for who in ("a1", "b1", "c1"):
        own = "2001:db8:bad::%s" % who
        group, mac = group6(own)
        s.send(who, mac, s.ip("::", group, ttl=255) / ICMPv6ND_NS(tgt=own))
        s.tcp([who, "d1", "core1"], (own, FAR6), back=["d1", who])
        probe = s.ip(A[who], FAR) / UDP(sport=5000, dport=5001) / Raw(s.noise(30))
        s.send("d1", who, s.ip("10.58.0.1", A[who]) / ICMP(type=5, code=1, gw=A["d1"]) / raw(probe)[:28])
        s.tcp([who, "d1", "core1"], (A[who], FAR), back=["core1", who])
        q = DNS(id=66, rd=1, qd=DNSQR(qname="bank.example"))
        s.send(who, "core1", s.ip(A[who], A["dns"]) / UDP(sport=5700, dport=53) / q)
        s.send("d1", who, s.ip(A["dns"], A[who]) / UDP(sport=53, dport=5700) / DNS(id=66, qr=1, qd=q.qd, an=DNSRR(rrname="bank.example", rdata=A["b2"])))
        if who != "b1":
            s.tcp([who, "b2"], (A[who], A["b2"]))


def x_proxy(s):
    """d1 is a proxy between clover and briar, for requests as everybody's agents send them."""
    for n in range(6):
        for path in (b"/", b"/status"):
            head = get(path, b"app.example", b"curl/7.88.1")
            near, far = s.dice.randrange(30000, 60000), s.dice.randrange(30000, 60000)
            page = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\nDate: today\r\n\r\n" + s.noise(300)
            for a, b, ends, ports, flags, data in (
                    ("c1", "d1", "c1 d1", (near, 80), "S", b""), ("d1", "c1", "d1 c1", (80, near), "SA", b""), ("c1", "d1", "c1 d1", (near, 80), "PA", head),
                    ("d1", "b1", "d1 b1", (far, 80), "S", b""), ("b1", "d1", "b1 d1", (80, far), "SA", b""), ("d1", "b1", "d1 b1", (far, 80), "PA", head),
                    ("b1", "d1", "b1 d1", (80, far), "PA", page), ("d1", "c1", "d1 c1", (80, near), "PA", page.replace(b"Date", b"Via: 1.1 x\r\nDate"))):
                src, dst = ends.split()
                s.send(a, b, s.ip(A[src], A[dst]) / TCP(sport=ports[0], dport=ports[1], flags=flags, seq=n + (flags == "PA"), ack=0 if flags == "S" else n + 1, options=OPTIONS if "S" in flags else []) / Raw(data))
        s.wait(3)


def x_copies(s):
    """d1 stands between and sends copies of what it gets outside, and to a neighbour's NIC."""
    told(s, "c1", A["a1"])
    for n in range(8):
        p = s.ip(A["c1"], A["a1"], id=n) / TCP(sport=9400, dport=443, flags="PA", seq=n * 60, ack=1) / Raw(s.noise(60))
        s.send("c1", "d1", p)
        q = p.copy()
        q.ttl = 63
        for to in ("a1", "b2"):
            s.send("d1", to, q)
        s.send("d1", "core1", s.ip(A["d1"], FAR2) / GRE() / p)
        s.send("a1", "c1", s.ip(A["a1"], A["c1"]) / TCP(sport=443, dport=9400, flags="A", seq=1, ack=n * 60 + 60))


def x_stolen(s):
    """d1 takes ports and addresses: briar's while it is there, then those of all."""
    for n in range(6):
        s.send("b1", "d1", ARP(op=2, hwsrc=M["b1"], psrc=A["b1"], hwdst=M["d1"], pdst=A["b1"]), port="h9", delay=0.01)
        s.send("core1", "b1", s.ip(FAR, A["b1"]) / UDP(sport=53, dport=9500) / Raw(s.noise(60)))
        s.arp("d1", A["d1"], A["b1"])
        s.arp("b1", A["b1"], A["d1"], dst="d1", op=2)
        s.send("d1", "b1", s.ip(FAR, A["b1"]) / UDP(sport=53, dport=9500) / Raw(s.noise(60)))
    s.arp("d1", A["b2"], A["b2"])
    s.arp("b2", A["b2"], A["b2"], op=2)  # it defends itself
    for n in range(4):
        s.tcp(["core1", "d1"], (FAR, A["b2"]), turns=2)
        s.tcp(["core1", "b2"], (FAR, A["b2"]), turns=2)
        s.send("b2", "core1", s.ip(A["b2"], FAR) / TCP(sport=443, dport=9600 + n, flags="R", seq=1))
    for who in ("a1", "c1"):
        for n in ("a2", "b1", "b2", "c2"):
            if n[0] == who[0]:
                continue
            s.arp(who, A[who], A[n])
            s.arp("d1", A[n], A[who], dst=who, op=2)
            s.arp(n, A[n], A[who], dst=who, op=2)
            s.udp([who, "d1"], (A[who], A[n]), (9700, 9701), s.noise(40))


ATTACKS = [x_oneway, x_between, x_rogue_dhcp, x_planted, x_reflected, x_diverted, x_proxy, x_copies, x_stolen]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        lab(sys.argv[1], sys.argv[2:], ATTACKS)
    else:
        for attack in ATTACKS:
            write(ingress(played(attack)), "led-%s.pcap.gz" % attack.__name__[2:].replace("_", "-"))
        write(ingress(played(x_oneway), without=("h9",)), "led-hidden.pcap.gz")
