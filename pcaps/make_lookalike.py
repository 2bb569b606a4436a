#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_lookalike.py [FOLDER] - writes the lookalike-*.pcap.gz captures beside it (or into FOLDER).

Ordinary life of hosting networks that resembles an attack.  Each scene is a function below; all
scenes are one capture, in three views: `ingress` (each frame once), `both` (a mirror of both
directions: twice, group frames more often) and one of what leaves the port of quay's busiest host.
Who is who stands in lookalike.yaml.  Frames are built by scapy (Debian: python3-scapy) with fixed
times: the same bytes each time.
"""
import os
import random
import struct
import sys

import make_relay
from make_relay import Capture, hello, noise
from scapy.all import (ARP, BOOTP, DHCP, DNS, DNSQR, DNSRR, Dot1AD, Dot1Q, ESP, Ether, GRE, ICMP,
                       ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IP, IPv6,
                       Raw, TCP, UDP, VRRP, VXLAN, fragment, raw)
from scapy.layers.hsrp import HSRP

QUAY, YARD = 640, 641
ALL = "ff:ff:ff:ff:ff:ff"
FAR, FAR2 = "198.51.100.33", "198.51.100.34"
M = {  # MACs
    "p1": "52:54:00:40:01:01", "p2": "52:54:00:40:01:02", "c1": "52:54:00:40:02:01", "c2": "52:54:00:40:02:02",
    "y1": "52:54:00:40:03:01", "y2": "52:54:00:40:03:02", "mail": "52:54:00:40:03:03",
    "l1a": "52:54:00:40:04:01", "l1b": "52:54:00:40:04:02",
    "core1": "52:54:00:4f:00:01", "core2": "52:54:00:4f:00:02", "lb": "52:54:00:4f:00:03", "nat": "52:54:00:4f:00:04",
    "hv1": "52:54:00:4f:00:05", "hv2": "52:54:00:4f:00:06", "dhcp": "52:54:00:4f:00:07",
    "vrrp": "00:00:5e:00:01:0a", "vrrp6": "00:00:5e:00:02:0a", "hsrp": "00:00:0c:07:ac:0b", "carp": "00:00:5e:00:01:33",
    "nest1": "52:54:00:9e:57:01", "nest2": "52:54:00:9e:57:02",
}
A = {"p1": "10.64.0.11", "p2": "10.64.0.12", "pvip": "10.64.0.50", "c1": "10.64.0.21", "c2": "10.64.0.22",
     "y1": "10.64.0.31", "y2": "10.64.0.32", "mail": "10.64.0.33", "l1": "10.64.0.41", "l1b": "10.64.0.42",
     "gate": "10.64.0.1", "core1": "10.64.0.2", "core2": "10.64.0.3", "lb": "10.64.0.5", "nat": "10.64.0.6",
     "dhcp": "10.64.0.7", "cloud": "10.64.8.10", "ygate": "10.64.8.1"}
SIX = {"p1": "2001:db8:64::11", "y1": "2001:db8:64::31", "c1": "2001:db8:64::21"}
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (331177, 0)), ("NOP", None), ("WScale", 7)]


class Scene(Capture):
    def __init__(self):
        super().__init__(vlan=QUAY)
        self.ident = 0

    def send(self, src, dst, packet, vlan=QUAY, delay=0.002, tags=None):
        self.now += delay
        frame = Ether(src=M.get(src, src), dst=M.get(dst, dst))
        for tag in tags if tags is not None else [vlan]:
            frame = frame / Dot1Q(vlan=tag)
        self.frames.append((self.now, raw(frame / packet)))

    def sequence(self, client, server, ends, seed, sport, dport=443, route=None, turns=4, first=None, answer=None, mid=None):
        """A TCP conversation.  client, server: NICs; ends: addresses; route: the router's NIC and the
        far VLAN, then each packet is there twice, the second time with a lower TTL."""
        seq, ack = random.Random(seed).randrange(2**31), random.Random(seed + "b").randrange(2**31)
        turn = [("S", b""), ("SA", b""), ("A", b"")]
        for n in range(turns):
            data = noise("%s%d" % (seed, n), 150 + n)
            if n == 0 and first:
                data = first
            if n == 1 and answer:
                data = answer
            turn.append(("PA", data))
        for n, (flags, data) in enumerate(turn):
            back = n == 1 or (n > 3 and n % 2 == 0)
            self.ident += 1
            s, d = (ends[1], ends[0]) if back else ends
            sp, dp = (dport, sport) if back else (sport, dport)
            t = TCP(sport=sp, dport=dp, flags=flags, seq=ack if back else seq, ack=seq if back else ack, options=SYN_OPTIONS if "S" in flags else [])
            p = IP(src=s, dst=d, id=self.ident, ttl=64) / t
            if data:
                p = p / Raw(data)
            frm, to = (server, client) if back else (client, server)
            hops = [frm] + (route or []) + [to]
            if back:
                hops = [frm] + list(reversed(route or [])) + [to]
            for i in range(len(hops) - 1):
                q = p.copy()
                q[IP].ttl = 64 - i
                self.send(hops[i], hops[i + 1], q, delay=0.002 if i == 0 else 0.00003)
            size = len(data) + (1 if "S" in flags else 0)
            if back:
                ack += size
            else:
                seq += size


# ---- scenes -------------------------------------------------------------------------------------

def failover(c):
    """VRRP 2 and 3, HSRP and CARP of the provider; a tenant's own cluster."""
    for router, prio in (("core1", 200), ("core2", 120)):
        for _ in range(2):
            c.send("vrrp", "01:00:5e:00:00:12", IP(src=A[router], dst="224.0.0.18", ttl=255) / VRRP(version=2, vrid=10, priority=prio, addrlist=[A["gate"]]))
            c.send("vrrp", "01:00:5e:00:00:12", IP(src=A[router], dst="224.0.0.18", ttl=255, proto=112) / Raw(b"\x31\x0a" + bytes([prio]) + b"\x01\x00\x64\x00\x00\x0a\x40\x00\x01"))
            c.send("hsrp", "01:00:5e:00:00:02", IP(src=A[router], dst="224.0.0.2", ttl=1) / UDP(sport=1985, dport=1985) / HSRP(group=11, priority=prio, virtualIP=A["gate"]))
            c.send("carp", "01:00:5e:00:00:12", IP(src=A[router], dst="224.0.0.18", ttl=255, proto=112) / Raw(b"\x21\x33\x00\x07\x00\x01\x00\x00" + noise("carp", 28)))
        for vmac in ("vrrp", "hsrp", "carp"):
            c.send(vmac, ALL, ARP(op=1, hwsrc=M[vmac], psrc=A["gate"], pdst=A["gate"]))
            c.send(vmac, ALL, ARP(op=2, hwsrc=M[vmac], psrc=A["gate"], hwdst=ALL, pdst=A["gate"]))
        c.wait(1)
    for host in ("p1", "p2", "p1", "p2"):
        c.send(host, "01:00:5e:00:00:12", IP(src=A[host], dst="224.0.0.18", ttl=255) / VRRP(version=2, vrid=77, priority=100, addrlist=[A["pvip"]]))
        for _ in range(3):
            c.send(host, ALL, ARP(op=1, hwsrc=M[host], psrc=A["pvip"], pdst=A["pvip"]))
        c.sequence("y1", host, (A["y1"], A["pvip"]), "fo" + host, 33000 + c.ident)
        c.wait(1)


def migration(c):
    """y1 moves between hypervisors six times; they announce it."""
    for n in range(6):
        c.send("y1", ALL, ARP(op=3, hwsrc=M["y1"], psrc="0.0.0.0", hwdst=M["y1"], pdst="0.0.0.0"))
        c.send("y1", ALL, ARP(op=1, hwsrc=M["y1"], psrc=A["y1"], pdst=A["y1"]))
        c.send("hv1" if n % 2 else "hv2", ALL, ARP(op=1, hwsrc=M["y1"], psrc=A["y1"], pdst=A["y1"]))
        c.send("y1", "33:33:00:00:00:01", IPv6(src=SIX["y1"], dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=SIX["y1"], R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=M["y1"]))
        c.sequence("p1", "y1", (A["p1"], A["y1"]), "mig%d" % n, 33500 + n)
        c.wait(2)


def proxy_arp(c):
    """The gateway answers for everybody; private VLANs do that."""
    for who in ("p1", "c1", "y1"):
        for n in ("p2", "c2", "y2", "l1"):
            c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc=A[who], pdst=A[n]))
            c.send("core1", who, ARP(op=2, hwsrc=M["core1"], psrc=A[n], hwdst=M[who], pdst=A[who]))
        c.send("core1", who, IPv6(src="fe80::1", dst=SIX[who], hlim=255) / ICMPv6ND_NA(tgt=SIX["y1"] if who != "y1" else SIX["p1"], R=1, S=1, O=0) / ICMPv6NDOptDstLLAddr(lladdr=M["core1"]))
        c.sequence(who, "y2", (A[who], A["y2"]), "pa" + who, 34000 + c.ident, route=["core1"])


def bonding(c):
    """Two NICs of one host: ARP flux, packets in by one and out by the other, balance-alb."""
    for n in range(6):
        nic = ("l1a", "l1b")[n % 2]
        c.send("p1", ALL, ARP(op=1, hwsrc=M["p1"], psrc=A["p1"], pdst=A["l1"]))
        for other in ("l1a", "l1b"):
            c.send(other, "p1", ARP(op=2, hwsrc=M[nic], psrc=A["l1"], hwdst=M["p1"], pdst=A["p1"]))
        p = IP(src=A["p1"], dst=A["l1"], id=n) / UDP(sport=700, dport=701) / Raw(noise("bond%d" % n, 64))
        c.send("p1", nic, p)
        q = IP(src=A["l1"], dst=A["p1"], id=n) / UDP(sport=701, dport=700) / Raw(noise("bonb%d" % n, 64))
        c.send("l1a" if n % 3 else "l1b", "p1", q)


def own_balancer(c):
    """cedar's balancer: NAT, direct return, TCP pass-through; back ends declared and not."""
    first = hello("lb1", b"cedar.example")
    # pass-through to a declared back end
    c.sequence("p1", "c1", (A["p1"], A["c1"]), "ptf", 35001, first=first)
    c.sequence("c1", "c2", (A["c1"], A["c2"]), "ptb", 45001, first=first)
    # to one that nobody entered, behind an unregistered NIC, in the segment and with an own private net
    for n, back in enumerate(("10.64.0.190", "172.18.0.9")):
        first = hello("lb2%d" % n, b"cedar.example")
        c.sequence("y1", "c1", (A["y1"], A["c1"]), "puf%d" % n, 35010 + n, first=first)
        c.sequence("c1", "nest1", (A["c1"], back), "pub%d" % n, 45010 + n, first=first)
    # NAT to a back end: same sequence numbers, the client's address kept
    for n, (back, nic) in enumerate(((A["c2"], "c2"), ("172.18.0.9", "nest1"), ("10.64.0.190", "nest1"))):
        data = noise("nat%d" % n, 120)
        for i, (flags, load) in enumerate((("S", b""), ("PA", data))):
            p = IP(src=A["p1"], dst=A["c1"], id=300 + i) / TCP(sport=35100 + n, dport=80, flags=flags, seq=7700 + 50 * n + i, ack=9 * i, options=SYN_OPTIONS if flags == "S" else []) / Raw(load)
            c.send("p1", "c1", p)
            q = p.copy()
            q[IP].dst, q[IP].ttl = back, 63
            del q[IP].chksum, q[TCP].chksum
            c.send("c1", nic, q, delay=0.0001)
            r = IP(src=back, dst=A["p1"], id=600 + i) / TCP(sport=80, dport=35100 + n, flags="A", seq=4400 + i, ack=1) / Raw(noise("na%d%d" % (n, i), 80))
            c.send(nic, "c1", r)
            s = r.copy()
            s[IP].src, s[IP].ttl = A["c1"], 63
            del s[IP].chksum, s[TCP].chksum
            c.send("c1", "p1", s, delay=0.0001)
    # direct return: the balancer hands the frame on with the address untouched
    for i in range(4):
        p = IP(src=A["y1"], dst=A["c1"], id=900 + i) / TCP(sport=35200, dport=80, flags="PA", seq=1 + i, ack=1) / Raw(noise("dsr%d" % i, 90))
        c.send("y1", "c1", p)
        c.send("c1", "c2", p, delay=0.0001)
        c.send("c2", "y1", IP(src=A["c1"], dst=A["y1"], id=950 + i) / TCP(sport=80, dport=35200, flags="PA", seq=900 + i, ack=1) / Raw(noise("dsb%d" % i, 90)))


def nested(c):
    """pine's p1 routes, with and without NAT, for machines behind it that nobody entered, whose
    frames the switch sees; they talk to other tenants and to the world."""
    for n, (inner, nat) in enumerate((("172.19.0.5", True), ("172.19.0.6", False), ("10.64.0.201", False), ("10.64.0.202", True))):
        far, nic, route = ((A["y1"], "y1", []), (FAR, "core1", []))[n % 2]
        for target, out_nic in ((A["y1"], "y1"), (FAR, "core1")):
            for i in range(3):
                data = noise("nest%d%s%d" % (n, target, i), 100)
                p = IP(src=inner, dst=target, id=i) / UDP(sport=4000 + n, dport=9000) / Raw(data)
                c.send("nest2", "p1", p)
                q = p.copy()
                q[IP].ttl = 63
                if nat:
                    q[IP].src = A["p1"]
                del q[IP].chksum, q[UDP].chksum
                c.send("p1", out_nic, q, delay=0.0001)
                back = IP(src=target, dst=A["p1"] if nat else inner, id=i, ttl=60) / UDP(sport=9000, dport=4000 + n) / Raw(noise("nesb%d%s%d" % (n, target, i), 100))
                c.send(out_nic, "p1", back)
                b = back.copy()
                b[IP].dst, b[IP].ttl = inner, 59
                del b[IP].chksum, b[UDP].chksum
                c.send("p1", "nest2", b, delay=0.0001)


def own_router(c):
    """pine's p1 is the way to p2's private network: other tenants were told to use it (a VPN
    concentrator); p1 hands on to p2 with the addresses untouched."""
    for i in range(4):
        p = IP(src=A["y1"], dst="172.20.5.9", id=i) / UDP(sport=5100, dport=5101) / Raw(noise("vpn%d" % i, 100))
        c.send("y1", "p1", p)
        q = p.copy()
        q[IP].ttl = 63
        del q[IP].chksum
        c.send("p1", "p2", q, delay=0.0001)
        r = IP(src="172.20.5.9", dst=A["y1"], id=i) / UDP(sport=5101, dport=5100) / Raw(noise("vpr%d" % i, 100))
        c.send("p2", "p1", r)
        s = r.copy()
        s[IP].ttl = 63
        del s[IP].chksum
        c.send("p1", "y1", s, delay=0.0001)


def provider(c):
    """The provider's routers, NAT and balancer, both sides mirrored."""
    for n, (a, b) in enumerate((("p1", "y1"), ("c1", "y2"), ("y1", "c2"))):
        c.sequence(a, b, (A[a], A[b]), "rt%d" % n, 36000 + n, route=["core1"])
        c.sequence(a, b, (A[a], A[b]), "r2%d" % n, 36100 + n, route=["vrrp", "core2"])
    first = hello("plb", b"yew.example")
    c.sequence("p1", "lb", (A["p1"], A["lb"]), "plf", 36200, first=first)
    c.sequence("lb", "y1", (A["lb"], A["y1"]), "plb", 46200, first=first)
    for i in range(3):
        p = IP(src=A["c1"], dst=FAR, id=i) / TCP(sport=36300, dport=443, flags="PA" if i else "S", seq=88800 + i, ack=i, options=[] if i else SYN_OPTIONS) / Raw(noise("pn%d" % i, 99) if i else b"")
        c.send("c1", "nat", p)
        q = p.copy()
        q[IP].src, q[IP].ttl, q[TCP].sport = "192.0.2.66", 63, 61000
        del q[IP].chksum, q[TCP].chksum
        c.send("nat", "core1", q, delay=0.0001)
    # out by one core, back by the other
    for i in range(4):
        c.send("y2", "core1", IP(src=A["y2"], dst=FAR2, id=i) / UDP(sport=36400, dport=443) / Raw(noise("as%d" % i, 70)))
        c.send("core2", "y2", IP(src=FAR2, dst=A["y2"], id=i, ttl=55) / UDP(sport=443, dport=36400) / Raw(noise("at%d" % i, 70)))


def addresses(c):
    """SLAAC, privacy and link-local addresses, DAD, several on a NIC."""
    for who in ("p1", "y1", "c1"):
        ll = "fe80::5054:ff:fe40:%x" % (0x100 + ord(who[0]))
        for n in range(4):
            ip = ll if n == 0 else "2001:db8:64:0:%x:%x:%x:%x" % (n + ord(who[0]), 7 * n, 99, 3 * n)
            group = "ff02::1:ff00:%x" % int(ip.split(":")[-1], 16)
            c.send(who, "33:33:ff:00:00:01", IPv6(src="::", dst=group, hlim=255) / ICMPv6ND_NS(tgt=ip))
            c.send(who, "33:33:00:00:00:01", IPv6(src=ip, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=ip, O=1) / ICMPv6NDOptDstLLAddr(lladdr=M[who]))
            for other in ("p1", "y1"):
                if other != who:
                    c.send(who, other, IPv6(src=ip, dst=SIX[other]) / UDP(sport=37000, dport=37001) / Raw(noise("sl" + who + str(n), 60)))
                    c.send(other, who, IPv6(src=SIX[other], dst=ip) / UDP(sport=37001, dport=37000) / Raw(noise("sb" + who + str(n), 60)))
            if n:
                c.send(who, "core1", IPv6(src=ip, dst="2001:db8:ffff::9") / UDP(sport=37000, dport=443) / Raw(noise("sg" + who + str(n), 60)))
        c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc="0.0.0.0", pdst=A[who]))
        c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc="169.254.7.9", pdst="169.254.7.9"))
        c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc="10.64.1.%d" % ord(who[0]), pdst=A["gate"]))
        c.send(who, "core1", IP(src="10.64.1.%d" % ord(who[0]), dst=FAR) / UDP(sport=37100, dport=123) / Raw(bytes(48)))
        c.send("core1", who, IP(src=FAR, dst="10.64.1.%d" % ord(who[0])) / UDP(sport=123, dport=37100) / Raw(bytes(48)))


def containers(c):
    """Overlays between a tenant's own hosts; inner addresses collide with other tenants'."""
    for n, (a, b, seg) in enumerate((("p1", "p2", "p"), ("c1", "c2", "c"), ("y1", "y2", "y"))):
        for i in range(3):
            inner = IP(src="10.64.0.%d" % (21 + 10 * ((n + 1) % 3)), dst="10.64.0.12", id=i) / UDP(sport=8000, dport=8001) / Raw(noise("in%d%d" % (n, i), 80))
            mac = Ether(src="02:42:ac:11:00:02", dst="02:42:ac:11:00:03")
            c.send(a, b, IP(src=A[a], dst=A[b], id=i) / UDP(sport=50000, dport=4789) / VXLAN(vni=42) / mac / inner)
            c.send(a, b, IP(src=A[a], dst=A[b], id=i) / UDP(sport=50001, dport=8472) / VXLAN(vni=43) / mac / ARP(op=2, hwsrc="02:42:ac:11:00:02", psrc="10.64.0.31", pdst="10.64.0.12"))
            c.send(a, b, IP(src=A[a], dst=A[b], id=i) / GRE() / inner)
            c.send(a, b, IP(src=A[a], dst=A[b], id=i, proto=4) / inner)
            c.send(a, b, IP(src=A[a], dst=A[b], id=i) / UDP(sport=51820, dport=51820) / Raw(b"\x04\0\0\0" + noise("wg%d%d" % (n, i), 120)))
            c.send(a, b, IP(src=A[a], dst=A[b], id=i) / ESP(spi=77, seq=i) / Raw(noise("es%d%d" % (n, i), 120)))
        # container bridges leak a frame or two
        c.send(a, "core1", IP(src="172.17.0.2", dst=FAR, id=9) / ICMP(id=1, seq=1) / Raw(noise("leak", 40)))
        c.send(a, "y1" if a != "y1" else "p1", IP(src="172.17.0.2", dst=A["y1" if a != "y1" else "p1"], id=9) / ICMP(id=1, seq=1) / Raw(noise("leak", 40)))


def groups(c):
    """Multicast, broadcast, a network load balancing cluster of cedar's, storms."""
    for n in range(30):
        c.send("p1", "01:00:5e:7f:00:01", IP(src=A["p1"], dst="239.255.0.1", ttl=1, id=n) / UDP(sport=5353, dport=5004) / Raw(noise("mc%d" % n, 100)))
        c.send("y1", ALL, IP(src=A["y1"], dst="10.64.3.255", id=n) / UDP(sport=137, dport=138) / Raw(noise("bc%d" % n, 60)))
        # NLB unicast: cluster MAC nobody sends from; multicast mode: 03:bf
        c.send("p1", "02:bf:0a:40:00:3c", IP(src=A["p1"], dst="10.64.0.60", id=n) / UDP(sport=6000, dport=6001) / Raw(noise("nlb%d" % n, 60)))
        c.send("p1", "03:bf:0a:40:00:3d", IP(src=A["p1"], dst="10.64.0.61", id=n) / UDP(sport=6000, dport=6001) / Raw(noise("nlm%d" % n, 60)))
        c.send("02:01:0a:40:00:3c", "p1", IP(src="10.64.0.60", dst=A["p1"], id=n) / UDP(sport=6001, dport=6000) / Raw(noise("nlc%d" % n, 60)))
    for n in range(200):
        c.send("c1", ALL, ARP(op=1, hwsrc=M["c1"], psrc=A["c1"], pdst="10.64.%d.%d" % (n // 100, n % 100 + 1)), delay=0.0002)


def traffic(c):
    """Retransmission, reordering, fragments, jumbo frames, GRO super-frames, errors, scans."""
    c.sequence("y1", "c1", (A["y1"], A["c1"]), "plain", 38000)
    p = IP(src=A["y1"], dst=A["c1"], id=7) / TCP(sport=38001, dport=443, flags="PA", seq=1000, ack=5) / Raw(noise("rtx", 300))
    for _ in range(4):
        c.send("y1", "c1", p, delay=0.2)
    c.send("y1", "c1", IP(src=A["y1"], dst=A["c1"], id=8) / TCP(sport=38001, dport=443, flags="PA", seq=1000, ack=5) / Raw(noise("rtx", 300)[:120]))
    for q in fragment(IP(src=A["y1"], dst=A["c1"], id=99) / UDP(sport=38002, dport=38003) / Raw(noise("frag", 80) * 50), fragsize=1400):
        c.send("y1", "c1", q)
    c.send("y1", "c1", IP(src=A["y1"], dst=A["c1"], id=98) / UDP(sport=38004, dport=38003) / Raw(noise("jumbo", 89) * 100))
    c.send("y1", "c1", IP(src=A["y1"], dst=A["c1"], id=97) / TCP(sport=38005, dport=443, flags="A", seq=1, ack=1) / Raw(noise("gro", 100) * 400))
    # traceroute: errors by the routers, port unreachable by the target
    for ttl in range(1, 4):
        probe = IP(src=A["p1"], dst=A["y1"], ttl=ttl, id=ttl) / UDP(sport=39000, dport=33434 + ttl) / Raw(b"trace" * 4)
        c.send("p1", "core1", probe)
        c.send("core1", "p1", IP(src=A["core1"], dst=A["p1"]) / ICMP(type=11) / raw(probe)[:28])
    probe = IP(src=A["p1"], dst=A["y1"], id=44) / UDP(sport=39000, dport=33440) / Raw(b"trace" * 4)
    c.send("p1", "y1", probe)
    c.send("y1", "p1", IP(src=A["y1"], dst=A["p1"]) / ICMP(type=3, code=3) / raw(probe)[:28])
    c.send("y1", "p1", IP(src=A["y1"], dst=A["p1"]) / ICMP(type=3, code=4) / raw(IP(src=A["p1"], dst=A["y1"]) / TCP(sport=1, dport=2))[:28])
    # nmap by cedar over everybody, also addresses that do not exist; RSTs and refusals come back
    for n, target in enumerate(("p1", "p2", "y1", "y2", "l1")):
        nic = "l1a" if target == "l1" else target
        for port in range(20, 60):
            c.send("c1", nic, IP(src=A["c1"], dst=A[target], id=port) / TCP(sport=55555, dport=port, flags="S", seq=123456, window=1024, options=[("MSS", 1460)]), delay=0.0005)
            c.send(nic, "c1", IP(src=A[target], dst=A["c1"], id=port) / TCP(sport=port, dport=55555, flags="RA", seq=0, ack=123457), delay=0.0001)
        c.send("c1", nic, IP(src=A["c1"], dst=A[target], id=5) / ICMP(id=9, seq=1))
        c.send(nic, "c1", IP(src=A[target], dst=A["c1"], id=5) / ICMP(type=0, id=9, seq=1))


def services(c):
    """Crawler, mail server, monitoring, NTP, DNS: yew's."""
    for n in range(8):
        for who in ("p1", "c1"):
            head = b"GET /robots.txt HTTP/1.1\r\nHost: www.example\r\nUser-Agent: Mozilla/5.0 (compatible; crawler/1.0; +http://crawler.example/about)\r\nAccept: */*\r\n\r\n"
            c.sequence("y2", who, (A["y2"], A[who]), "crawl%d%s" % (n, who), 40000 + 20 * n + ord(who[0]), dport=80, first=head, turns=2)
    for n, who in enumerate(("p1", "p2", "c1", "c2", "l1")):  # mail in, a reverse look-up each
        nic = "l1a" if who == "l1" else who
        c.sequence(nic, "mail", (A[who], A["mail"]), "smtp" + who, 41000 + n, dport=25, first=b"EHLO host.example\r\n")
        name = ".".join(reversed(A[who].split("."))) + ".in-addr.arpa"
        c.send("mail", "core1", IP(src=A["mail"], dst="192.0.2.53", id=n) / UDP(sport=53000 + n, dport=53) / DNS(id=900 + n, rd=1, qd=DNSQR(qname=name, qtype="PTR")))
        c.send("core1", "mail", IP(src="192.0.2.53", dst=A["mail"], id=n) / UDP(sport=53, dport=53000 + n) / DNS(id=900 + n, qr=1, qd=DNSQR(qname=name, qtype="PTR"), an=DNSRR(rrname=name, type="PTR", rdata="host.example")))
    for who in ("p1", "c1", "y1"):
        q = DNS(id=77, rd=1, qd=DNSQR(qname="www.example"))
        c.send(who, "core1", IP(src=A[who], dst="192.0.2.53") / UDP(sport=54000, dport=53) / q)
        c.send("core1", who, IP(src="192.0.2.53", dst=A[who]) / UDP(sport=53, dport=54000) / DNS(id=77, qr=1, qd=DNSQR(qname="www.example"), an=DNSRR(rrname="www.example", rdata="203.0.113.9")))
        c.send(who, "core1", IP(src=A[who], dst=FAR) / UDP(sport=123, dport=123) / Raw(b"\x23" + bytes(47)))
        c.send("core1", who, IP(src=FAR, dst=A[who]) / UDP(sport=123, dport=123) / Raw(b"\x24" + bytes(47)))
        for other in ("p2", "y2", "c2"):
            c.send("y2", other, IP(src=A["y2"], dst=A[other]) / ICMP(id=3, seq=c.ident)) if other != "y2" else None


def leases(c):
    """A pool address leased, renewed, and leased to the next tenant; a relay agent; and an address
    of the pool used by whom no DHCP message was seen."""
    for n, (who, ip) in enumerate((("p2", "10.64.2.20"), ("y2", "10.64.2.20"), ("c2", "10.64.2.21"))):
        mac = bytes.fromhex(M[who].replace(":", ""))
        base = IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr=mac, xid=100 + n)
        c.send(who, ALL, base / DHCP(options=[("message-type", "discover"), "end"]))
        for kind in ("offer", "ack"):
            if kind == "ack":
                c.send(who, ALL, base / DHCP(options=[("message-type", "request"), ("requested_addr", ip), ("server_id", A["dhcp"]), "end"]))
            c.send("dhcp", who, IP(src=A["dhcp"], dst=ip) / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr=ip, chaddr=mac, xid=100 + n) / DHCP(options=[("message-type", kind), ("server_id", A["dhcp"]), ("lease_time", 3600), ("router", A["gate"]), "end"]))
        c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc=ip, pdst=ip))
        c.sequence(who, "c1" if who != "c2" else "p1", (ip, A["c1" if who != "c2" else "p1"]), "lease%d" % n, 42000 + n)
        c.send(who, "dhcp", IP(src=ip, dst=A["dhcp"]) / UDP(sport=68, dport=67) / BOOTP(ciaddr=ip, chaddr=mac, xid=200 + n) / DHCP(options=[("message-type", "request"), "end"]))
        c.send("dhcp", who, IP(src=A["dhcp"], dst=ip) / UDP(sport=67, dport=68) / BOOTP(op=2, ciaddr=ip, yiaddr=ip, chaddr=mac, xid=200 + n) / DHCP(options=[("message-type", "ack"), ("server_id", A["dhcp"]), ("lease_time", 3600), "end"]))
        if n == 0:
            c.send(who, "dhcp", IP(src=ip, dst=A["dhcp"]) / UDP(sport=68, dport=67) / BOOTP(ciaddr=ip, chaddr=mac, xid=300) / DHCP(options=[("message-type", "release"), ("server_id", A["dhcp"]), "end"]))
        c.wait(5)
    for who in ("p1", "y1"):
        c.send(who, ALL, ARP(op=1, hwsrc=M[who], psrc="10.64.2.99", pdst="10.64.2.99"))
        c.sequence(who, "c1", ("10.64.2.99", A["c1"]), "unseen" + who, 42100, turns=6)
        c.sequence(who, "core1", ("10.64.2.99", FAR), "unseenf" + who, 42200, turns=6)
        c.wait(55)


def relet(c):
    """A pool address goes from pine to yew; the DHCP messages are not in the mirror after the first."""
    ip, mac = "10.64.2.40", bytes.fromhex(M["p2"].replace(":", ""))
    c.send("dhcp", "p2", IP(src=A["dhcp"], dst=ip) / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr=ip, chaddr=mac, xid=7) / DHCP(options=[("message-type", "ack"), ("server_id", A["dhcp"]), ("lease_time", 60), "end"]))
    c.sequence("p2", "c1", (ip, A["c1"]), "rel1", 42300)
    for _ in range(3):
        c.wait(30)
        c.send("p1", "core1", IP(src=A["p1"], dst=FAR) / UDP(sport=123, dport=123) / Raw(b"\x23" + bytes(47)))
    c.send("y2", ALL, ARP(op=1, hwsrc=M["y2"], psrc=ip, pdst=ip))
    c.sequence("y2", "c1", (ip, A["c1"]), "rel2", 42301)


def public_proxy(c):
    """yew uses pine's public forward proxy; the world uses it too.  (Declared: allow.)"""
    first = hello("pub", b"far.example")
    c.sequence("y1", "p1", (A["y1"], A["p1"]), "ppf", 43000, dport=3128, first=b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n")
    c.sequence("y1", "p1", (A["y1"], A["p1"]), "ppg", 43001, dport=3128, first=first)
    c.sequence("p1", "core1", (A["p1"], FAR), "pph", 43002, first=first)
    # public service of pine asked by the world through the core
    c.sequence("core1", "p1", (FAR2, A["p1"]), "pub1", 43100)


def copies(c):
    """A SPAN that shows frames two, three and four times."""
    frames = len(c.frames)
    for n, (a, b) in enumerate((("p1", "y1"), ("c1", "y2"))):
        c.sequence(a, b, (A[a], A[b]), "cp%d" % n, 44000 + n)
    fresh = c.frames[frames:]
    del c.frames[frames:]
    for i, (when, data) in enumerate(fresh):
        for k in range(2 + i % 3):
            c.frames.append((when + k * 0.00002, data))


def shown_twice(c):
    """One SPAN of access port and trunk: with and without the tag, with a provider's tag."""
    for n, tags in enumerate(([], [QUAY], [0, QUAY], [2900, QUAY])):
        for i in range(3):
            c.send("p1", "core1", IP(src=A["p1"], dst=FAR, id=700 + i) / UDP(sport=44500, dport=443) / Raw(noise("st%d" % i, 80)), tags=tags)
    # everything with a provider's tag in front, of either type
    for n, outer in enumerate((Dot1AD(vlan=2901), Dot1Q(vlan=2901))):
        for i in range(3):
            c.now += 0.002
            p = IP(src=A["y1"], dst=A["c1"], id=i) / UDP(sport=44510 + n, dport=44511) / Raw(noise("qq%d%d" % (n, i), 80))
            c.frames.append((c.now, raw(Ether(src=M["y1"], dst=M["c1"]) / outer / Dot1Q(vlan=QUAY) / p)))
    for i in range(3):  # routed into the other VLAN
        p = IP(src=A["p1"], dst=A["cloud"], id=800 + i) / UDP(sport=44600, dport=44601) / Raw(noise("rv%d" % i, 80))
        c.send("p1", "core1", p)
        q = p.copy()
        q[IP].ttl = 63
        del q[IP].chksum
        c.send("core1", "52:54:00:40:02:08", q, vlan=YARD, delay=0.00005)


# A mirror of both directions shows everything twice already.
ONCE = [copies]
SCENES = [failover, migration, proxy_arp, bonding, own_balancer, nested, own_router, provider, addresses,
          containers, groups, traffic, services, leases, relet, public_proxy, shown_twice]
PORTS = ("p1", "c1", "y1")


def write(frames, name):
    body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for when, data in sorted(frames, key=lambda f: f[0]):
        micros = int(round(when * 1e6))
        body += struct.pack("<IIII", micros // 1000000, micros % 1000000, len(data), len(data)) + data
    with open(os.path.join(make_relay.HERE, name), "wb") as f:
        f.write(make_relay.gzip.compress(body, mtime=0))


def in_both(frames):
    for when, data in frames:
        for k in range(4 if data[0] & 1 else 2):
            yield when + k * 0.000008, data


def at_port(frames, host):
    mac = bytes.fromhex(M[host].replace(":", ""))
    for when, data in frames:
        if (data[:6] == mac or data[0] & 1) and data[6:12] != mac:
            yield when, data


def views(frames, name):
    write(in_both(frames), "lookalike-%s-both.pcap.gz" % name)
    for host in PORTS:
        write(at_port(frames, host), "lookalike-%s-%s.pcap.gz" % (name, host))


if __name__ == "__main__":
    lab = len(sys.argv) > 1
    if lab:
        make_relay.HERE = sys.argv[1]
    c = Scene()
    for scene in SCENES:
        begin = len(c.frames)
        scene(c)
        c.wait(8)
        if lab:
            write(c.frames[begin:], "lookalike-%s.pcap.gz" % scene.__name__)
            views(c.frames[begin:], scene.__name__)
    views(c.frames, "all")
    for scene in ONCE:
        scene(c)
    write(c.frames, "lookalike-all.pcap.gz")
