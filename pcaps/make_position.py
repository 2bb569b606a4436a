#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_position.py - writes the position-*.pcap.gz captures beside it, the same bytes each time.

Who says "I am the router", "the server", "that name" without being it, and who says so lawfully.
Frames are built by scapy (Debian: python3-scapy) with fixed times; who is who is in position.yaml.
"""
import gzip
import os
import socket
import struct

from scapy.all import (ARP, BOOTP, DHCP, DNS, DNSQR, DNSRR, ICMP, IP, TCP, UDP, Dot1Q, Ether, IPv6,
                       Raw, raw)
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6OptClientId, DHCP6OptDNSServers,
                                DHCP6OptServerId, DUID_LL)
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_RA,
                                ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo,
                                ICMPv6NDOptRDNSS, ICMPv6NDOptRedirectedHdr,
                                ICMPv6NDOptSrcLLAddr, ICMPv6TimeExceeded, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN)

HERE = os.path.dirname(os.path.abspath(__file__))
EDGE, EDGE2, BALANCER = "52:54:00:ee:00:01", "52:54:00:ee:00:02", "52:54:00:ee:00:09"
T1, T2, T3, T4 = ("52:54:00:74:00:0%d" % i for i in (1, 2, 3, 4))
F1, M1, M2 = "52:54:00:66:00:01", "52:54:00:6d:00:01", "52:54:00:6d:00:02"
STRAY = "02:66:00:00:00:77"
ALL = "ff:ff:ff:ff:ff:ff"
NODES = "33:33:00:00:00:01"
FAR = "198.51.100.9"
RESOLVER = "192.0.2.53"


class Capture:
    def __init__(self, vlan=42):
        self.frames, self.now, self.vlan = [], 1767312000.0, vlan

    def wait(self, seconds):
        self.now += seconds

    def add(self, src, dst, packet, vlan=None, delay=0.0011):
        self.now += delay
        self.frames.append((self.now, raw(Ether(src=src, dst=dst) / Dot1Q(vlan=vlan or self.vlan) /
                                          packet)))

    def add_bytes(self, data, delay=0.0011):
        self.now += delay
        self.frames.append((self.now, data))

    def write(self, name, snap=65535):
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        for when, data in self.frames:
            body += struct.pack("<IIII", int(when), int(round(when % 1 * 1e6)),
                                min(len(data), snap), len(data)) + data[:snap]
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(gzip.compress(body, mtime=0))


# ---- router advertisements -----------------------------------------------------------------------

def advert(link, prefix="2001:db8:bad::", lifetime=1800, dns="2001:db8:42::66"):
    return (ICMPv6ND_RA(routerlifetime=lifetime, prf=1) / ICMPv6NDOptSrcLLAddr(lladdr=link) /
            ICMPv6NDOptPrefixInfo(prefix=prefix, prefixlen=64) /
            ICMPv6NDOptRDNSS(dns=[dns], lifetime=600))


def router(source, message, *extensions):
    packet = IPv6(src=source, dst="ff02::1", hlim=255)
    for extension in extensions:
        packet = packet / extension
    return packet / message


def fragments(whole, sizes, ident):
    """IPv6 fragments by hand: scapy cuts behind the transport header only."""
    header, rest = whole[:40], whole[40:]
    out, at = [], 0
    for size in sizes + [len(rest)]:
        part = rest[at:at + size]
        more = at + len(part) < len(rest)
        cut = struct.pack(">BBHI", header[6], 0, at | more, ident) + part
        out.append(header[:4] + struct.pack(">HB", len(cut), 44) + header[7:] + cut)
        at += len(part)
        if not more:
            return out
    return out


def make_advertisements():
    c = Capture()
    c.add(M1, NODES, router("fe80::66", advert(M1)))
    c.wait(1)
    pad = [PadN(optdata=b"\0" * 4)]
    c.add(M1, NODES, router("fe80::66", advert(M1), IPv6ExtHdrHopByHop(options=pad),
                            IPv6ExtHdrDestOpt(options=pad)))
    c.write("position-ra.pcap.gz")

    c = Capture()
    pad = [PadN(optdata=b"\0" * 60)]
    hidden = raw(router("fe80::66", advert(M1), IPv6ExtHdrDestOpt(options=pad)))
    for part in reversed(fragments(hidden, [64, 40], 0x5eed)):  # the message begins in the second
        c.add_bytes(raw(Ether(src=M1, dst=NODES) / Dot1Q(vlan=42, type=0x86DD) / Raw(part)))
    c.write("position-ra-fragments.pcap.gz")

    c = Capture()  # a harmless first part, overlapped by the true one (RFC 5722)
    ping = raw(IPv6(src="fe80::66", dst="ff02::1", hlim=255) /
               ICMPv6EchoRequest(data=b"p" * (len(raw(advert(M1))) - 8)))
    message = raw(router("fe80::66", advert(M1)))
    parts = [fragments(ping, [40], 9)[0]] + fragments(message, [40], 9)
    for part in parts:
        c.add_bytes(raw(Ether(src=M1, dst=NODES) / Dot1Q(vlan=42, type=0x86DD) / Raw(part)))
    c.write("position-ra-overlap.pcap.gz")

    c = Capture()  # an unregistered NIC ends the real router's life and offers itself
    c.add(STRAY, NODES, router("fe80::1", advert(M1, lifetime=0)))
    c.write("position-ra-forged.pcap.gz")


# ---- redirects and quotes ------------------------------------------------------------------------

def quoted(src, dst, dport=443):
    return IP(src=src, dst=dst, ttl=63, id=77) / TCP(sport=40100, dport=dport, seq=9000, flags="A")


def error(src, dst, kind, code, inner, gateway=None):
    icmp = ICMP(type=kind, code=code) if gateway is None else ICMP(type=kind, code=code, gw=gateway)
    return IP(src=src, dst=dst, id=5) / icmp / inner


def redirect6(source, target, destination, link, inner):
    return (IPv6(src=source, dst="2001:db8:42::10", hlim=255) /
            ICMPv6ND_Redirect(tgt=target, dst=destination) / ICMPv6NDOptDstLLAddr(lladdr=link) /
            ICMPv6NDOptRedirectedHdr(pkt=inner))


def quoted6(src, dst):
    return IPv6(src=src, dst=dst, hlim=63) / UDP(sport=40200, dport=123) / Raw(b"0123456789abcdef")


def make_redirects():
    c = Capture()
    for i in range(3):  # in the gateway's name and by its MAC: the next hop is who gains
        c.add(EDGE, T1, error("172.30.8.1", "172.30.8.10", 5, 1, quoted("172.30.8.10", FAR),
                              "172.30.8.66"))
        c.wait(1)
    c.write("position-redirect-forged.pcap.gz")

    c = Capture()
    inner = quoted6("2001:db8:42::10", "2001:db8:9::9")
    c.add(M1, T1, redirect6("fe80::1", "fe80::66", "2001:db8:9::9", M1, inner))
    c.write("position-redirect.pcap.gz")

    c = Capture()
    for i in range(2):
        c.add(M1, T1, error("172.30.8.66", "172.30.8.10", 11, 0, quoted("172.30.8.10", FAR)))
        c.add(M1, F1, IPv6(src="2001:db8:42::66", dst="2001:db8:42::20") /
              ICMPv6DestUnreach(code=0) / quoted6("2001:db8:42::20", "2001:db8:9::9"))
        c.wait(1)
    c.write("position-quote.pcap.gz")


# ---- DHCP ----------------------------------------------------------------------------------------

def offer(server, client, kind, router_ip, dns, lease="172.30.8.201", to="255.255.255.255"):
    mac = bytes.fromhex(client.replace(":", ""))
    return (IP(src=server, dst=to, id=9) / UDP(sport=67, dport=68) /
            BOOTP(op=2, chaddr=mac, yiaddr=lease, xid=0x1234) /
            DHCP(options=[("message-type", kind), ("server_id", server), ("lease_time", 600),
                          ("router", router_ip), ("name_server", dns), "end"]))


def advertise6(source, dst, client, dns):
    return (IPv6(src=source, dst=dst) / UDP(sport=547, dport=546) / DHCP6_Advertise(trid=0x77) /
            DHCP6OptClientId(duid=DUID_LL(lladdr=client)) /
            DHCP6OptServerId(duid=DUID_LL(lladdr=M1)) / DHCP6OptDNSServers(dnsservers=[dns]))


def make_dhcp():
    c = Capture()
    c.add(M1, ALL, offer("172.30.8.66", T1, "offer", "172.30.8.66", "172.30.8.66"))
    c.add(M1, T1, offer("172.30.8.66", T1, "ack", "172.30.8.66", "172.30.8.66", to="172.30.8.201"))
    c.write("position-dhcp.pcap.gz")
    c.write("position-dhcp-cut.pcap.gz", snap=128)

    c = Capture()
    c.add(M1, F1, advertise6("fe80::66", "fe80::20", F1, "2001:db8:42::66"))
    c.write("position-dhcp6.pcap.gz")

    c = Capture()  # by the gateway's MAC, with the actor as router
    c.add(EDGE, T1, offer("172.30.8.1", T1, "ack", "172.30.8.66", RESOLVER, to="172.30.8.201"))
    c.write("position-dhcp-forged.pcap.gz")


# ---- names ---------------------------------------------------------------------------------------

def dns(src, dst, ident, name, addresses, sport=53, dport=40053, ttl=64, response=True):
    records = None
    for address in addresses:
        record = DNSRR(rrname=name, type="A", ttl=60, rdata=address)
        records = record if records is None else records / record
    return (IP(src=src, dst=dst, ttl=ttl, id=3) / UDP(sport=sport, dport=dport) /
            DNS(id=ident, qr=1 if response else 0, qd=DNSQR(qname=name, qtype="A"), an=records,
                ancount=len(addresses)))


def netbios(src, dst, ident, name, suffix, address, flags=0):
    plain = name.upper().ljust(15).encode() + bytes([suffix])
    encoded = b"\x20" + bytes(b for p in plain for b in (0x41 + (p >> 4), 0x41 + (p & 15))) + b"\0"
    body = struct.pack(">HHHHHH", ident, 0x8500, 0, 1, 0, 0) + encoded
    body += struct.pack(">HHIHH", 0x20, 1, 60, 6, flags) + bytes(int(x) for x in address.split("."))
    return IP(src=src, dst=dst, id=4) / UDP(sport=137, dport=137) / Raw(body)


def make_names():
    c = Capture()
    for i in range(3):
        c.add(T1, EDGE, dns("172.30.8.10", RESOLVER, 700 + i, "bank.example", [], 40053, 53,
                            response=False))
        c.add(M1, T1, dns(RESOLVER, "172.30.8.10", 700 + i, "bank.example", ["172.30.8.66"]))
        c.add(EDGE, T1, dns(RESOLVER, "172.30.8.10", 700 + i, "bank.example", ["203.0.113.80"],
                            ttl=61))
        c.wait(1)
    c.write("position-dns.pcap.gz")

    c = Capture()  # answers every name it hears
    for i, name in enumerate(("filserver", "printsrv")):
        c.add(F1, "01:00:5e:00:00:fc", dns("172.30.8.20", "224.0.0.252", 50 + i, name, [], 50100,
                                           5355, response=False))
        c.add(M1, F1, dns("172.30.8.66", "172.30.8.20", 50 + i, name, ["172.30.8.66"], 5355, 50100))
        c.add(M1, T1, netbios("172.30.8.66", "172.30.8.10", 90 + i, name, 0x20, "172.30.8.66"))
        c.wait(4)
    c.write("position-llmnr.pcap.gz")

    c = Capture()
    c.add(F1, "01:00:5e:00:00:fb", dns("172.30.8.20", "224.0.0.251", 0, "wpad.local", [], 5353,
                                       5353, response=False))
    c.add(M1, "01:00:5e:00:00:fb", dns("172.30.8.66", "224.0.0.251", 0, "wpad.local",
                                       ["172.30.8.66"], 5353, 5353))
    c.write("position-wpad.pcap.gz")


# ---- ARP and gateways ----------------------------------------------------------------------------

def arp_reply(mac, ip, to_mac, to_ip):
    return ARP(op=2, hwsrc=mac, psrc=ip, hwdst=to_mac, pdst=to_ip)


def make_proxy_arp():
    c = Capture()
    for ip in ("172.30.8.20", "172.30.8.1", "172.30.8.11", "172.30.8.99", "172.30.8.98"):
        c.add(M1, T1, arp_reply(M1, ip, T1, "172.30.8.10"))
        c.wait(3)
    c.write("position-proxy-arp.pcap.gz")

    c = Capture()
    for host in ("10", "11", "20", "99"):
        c.add(M2, EDGE, IPv6(src="fe80::67", dst="fe80::1", hlim=255) /
              ICMPv6ND_NA(tgt="2001:db8:42::" + host, R=1, S=1, O=0) /
              ICMPv6NDOptDstLLAddr(lladdr=M2))
        c.wait(3)
    c.write("position-proxy-nd.pcap.gz")


def vrrp2(src, vrid, priority, address, ttl=255):
    body = struct.pack(">BBBBBBH", 0x21, vrid, priority, 1, 0, 1, 0)
    body += bytes(int(x) for x in address.split(".")) + b"\0" * 8
    return IP(src=src, dst="224.0.0.18", ttl=ttl, proto=112, id=6) / Raw(body)


def vrrp3(src, vrid, priority, address):
    body = struct.pack(">BBBBHH", 0x31, vrid, priority, 1, 100, 0)
    return (IPv6(src=src, dst="ff02::12", hlim=255, nh=112) /
            Raw(body + socket.inet_pton(socket.AF_INET6, address)))


def carp(src, vhid):
    body = struct.pack(">BBBBBBH", 0x21, vhid, 0, 7, 0, 1, 0) + bytes(range(28))
    return IP(src=src, dst="224.0.0.18", ttl=255, proto=112, id=6) / Raw(body)


def hsrp(src, group, address):
    body = struct.pack(">BBBBBBBB", 0, 0, 16, 3, 10, 255, group, 0) + b"cisco\0\0\0"
    return (IP(src=src, dst="224.0.0.2", ttl=1, id=6) / UDP(sport=1985, dport=1985) /
            Raw(body + bytes(int(x) for x in address.split("."))))


def ospf(src):
    return IP(src=src, dst="224.0.0.5", ttl=1, proto=89, id=6) / Raw(b"\x02\x01\0\x2c" + b"\0" * 40)


def rip(src, command):
    body = struct.pack(">BBH", command, 2, 0) + struct.pack(">HHIIII", 2, 0, 0, 0, 0, 1)
    return (IP(src=src, dst="224.0.0.9", ttl=1, id=6) / UDP(sport=520, dport=520) / Raw(body))


def bgp_open(src, dst, dport=179):
    body = b"\xff" * 16 + struct.pack(">HBBHHIB", 29, 1, 4, 65001, 90, 1, 0)
    tcp = TCP(sport=50179, dport=dport, flags="PA", seq=1, ack=1)
    return IP(src=src, dst=dst, id=6) / tcp / body


def isis(mac):
    return raw(Ether(src=mac, dst="01:80:c2:00:00:15", type=0x8100) /
               Raw(struct.pack(">HH", 42, 50) + b"\xfe\xfe\x03\x83" + b"\0" * 46))


def make_gateways():
    c = Capture()
    c.add(M1, "01:00:5e:00:00:12", vrrp2("172.30.8.66", 7, 255, "172.30.8.1"))
    c.write("position-vrrp.pcap.gz")

    c = Capture()  # by the group's own MAC: the source address is the sender's
    c.add("00:00:5e:00:01:07", "01:00:5e:00:00:12", vrrp2("172.30.8.66", 7, 255, "172.30.8.1"))
    c.write("position-vrrp-vmac.pcap.gz")

    c = Capture()
    c.add(M1, "01:00:5e:00:00:12", carp("172.30.8.66", 7))
    c.wait(1)
    c.add(M1, "01:00:5e:00:00:02", hsrp("172.30.8.66", 5, "172.30.8.1"))
    c.wait(1)
    c.add(M1, "33:33:00:00:00:12", vrrp3("fe80::66", 7, 255, "2001:db8:42::1"))
    c.wait(1)
    c.add(M2, "01:00:5e:00:00:05", ospf("172.30.8.67"))
    c.wait(1)
    c.add(M2, "01:00:5e:00:00:09", rip("172.30.8.67", 2))
    c.add(M2, EDGE, bgp_open("172.30.8.67", "172.30.8.1"))
    c.add_bytes(isis(M2))
    c.write("position-routing.pcap.gz")


# ---- injection -----------------------------------------------------------------------------------

def segment(src, dst, sport, dport, flags, seq, ack, data=b"", ttl=64):
    packet = IP(src=src, dst=dst, ttl=ttl, id=11) / TCP(sport=sport, dport=dport, flags=flags,
                                                        seq=seq, ack=ack, window=500)
    return packet / Raw(data) if data else packet


GET = b"GET /index.html HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n"
TRUE = b"HTTP/1.1 200 OK\r\nServer: shop\r\nContent-Type: text/html\r\n\r\n<html>welcome</html>"
FALSE = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n<script>bad()</script>"


def connect(c, sport, isn, answer_isn, first=None):
    """T1 opens a connection to FAR; first(c) may get ahead of its answer."""
    c.add(T1, EDGE, segment("172.30.8.10", FAR, sport, 80, "S", isn, 0))
    if first:
        first(c)
    c.add(EDGE, T1, segment(FAR, "172.30.8.10", 80, sport, "SA", answer_isn, isn + 1, ttl=52))
    c.add(T1, EDGE, segment("172.30.8.10", FAR, sport, 80, "A", isn + 1, answer_isn + 1))


def make_injection():
    c = Capture()
    connect(c, 41000, 1000, 5000)
    c.add(T1, EDGE, segment("172.30.8.10", FAR, 41000, 80, "PA", 1001, 5001, GET))
    c.add(M1, T1, segment(FAR, "172.30.8.10", 80, 41000, "PA", 5001, 1001 + len(GET), FALSE))
    c.add(EDGE, T1, segment(FAR, "172.30.8.10", 80, 41000, "PA", 5001, 1001 + len(GET), TRUE, 52),
          delay=0.02)
    c.write("position-injection.pcap.gz")

    c = Capture()
    connect(c, 41001, 2000, 6000, lambda c: c.add(
        M2, T1, segment(FAR, "172.30.8.10", 80, 41001, "SA", 777, 2001)))
    c.write("position-synack.pcap.gz")


# ---- ordinary life -------------------------------------------------------------------------------

def ordinary_routing(c):
    c.add(EDGE, NODES, router("fe80::1", advert(EDGE, "2001:db8:42::", dns="2001:db8:42::1")))
    c.add(T3, NODES, router("fe80::74", advert(T3, "2001:db8:43::")), vlan=43)
    ping = raw(IPv6(src="2001:db8:42::10", dst="2001:db8:42::20", hlim=255) /
               ICMPv6EchoRequest(data=b"p" * 1800))
    for part in fragments(ping, [1400], 7):
        c.add_bytes(raw(Ether(src=T1, dst=F1) / Dot1Q(vlan=42, type=0x86DD) / Raw(part)))
    # The gateway knows a better way: the other gateway, or the destination itself.
    c.add(EDGE, T1, error("172.30.8.2", "172.30.8.10", 5, 1, quoted("172.30.8.10", FAR),
                          "172.30.8.3"))
    c.add(EDGE, T1, error("172.30.8.2", "172.30.8.10", 5, 1, quoted("172.30.8.10", "172.30.8.20"),
                          "172.30.8.20"))
    c.add(EDGE, T1, redirect6("fe80::1", "2001:db8:42::20", "2001:db8:42::20", F1,
                              quoted6("2001:db8:42::10", "2001:db8:42::20")))
    c.add(T2, T1, error("172.30.8.11", "172.30.8.10", 5, 1, quoted("172.30.8.10", FAR),
                        "172.30.8.66"))  # a tenant's own affair


def ordinary_errors(c):
    c.add(EDGE, T1, error("172.30.8.1", "172.30.8.10", 11, 0, quoted("172.30.8.10", FAR)))
    c.add(EDGE, T1, IPv6(src="2001:db8:42::1", dst="2001:db8:42::10") / ICMPv6TimeExceeded() /
          quoted6("2001:db8:42::10", "2001:db8:9::9"))
    c.add(T1, F1, error("172.30.8.10", "172.30.8.20", 3, 3, quoted("172.30.8.20", "172.30.8.10")))
    # An alias nobody declared, a broadcast, a container, a real server behind the balancer.
    c.add(M1, F1, error("172.30.8.70", "172.30.8.20", 3, 3, quoted("172.30.8.20", "172.30.8.70")))
    c.add(M1, F1, error("172.30.8.66", "172.30.8.20", 3, 3, quoted("172.30.8.20", "172.30.8.71")))
    c.add(M1, F1, error("172.30.8.66", "172.30.8.20", 3, 3,
                        quoted("172.30.8.20", "255.255.255.255")))
    c.add(M1, F1, error("172.30.8.66", "172.30.8.20", 3, 3, quoted("172.17.0.4", "172.30.8.20")))
    c.add(M1, F1, error("172.30.8.66", "172.30.8.20", 3, 3, quoted("172.30.8.20", "172.30.8.9")))


def ordinary_servers(c):
    c.add(EDGE, ALL, offer("172.30.8.1", F1, "offer", "172.30.8.1", RESOLVER))
    c.add(T3, ALL, offer("172.30.9.5", STRAY, "offer", "172.30.9.5", "172.30.9.5"), vlan=43)
    c.add(T2, T1, offer("172.30.8.11", T1, "ack", "172.30.8.11", "172.30.8.11", to="172.30.8.10"))
    # One question answered twice, the addresses in another order; a tenant's own resolver.
    for addresses in (["203.0.113.1", "203.0.113.2"], ["203.0.113.2", "203.0.113.1"]):
        c.add(EDGE, F1, dns(RESOLVER, "172.30.8.20", 41, "www.example", addresses, ttl=61))
    c.add(T2, F1, dns("172.30.8.11", "172.30.8.20", 42, "tulip.example", ["172.30.8.10"]))
    # Own names: LLMNR, NetBIOS (with its domain), mDNS announcements of two hosts.
    c.add(T1, F1, dns("172.30.8.10", "172.30.8.20", 43, "t1", ["172.30.8.10"], 5355, 50101))
    c.add(T1, F1, netbios("172.30.8.10", "172.30.8.20", 44, "t1", 0x20, "172.30.8.10"))
    c.add(T1, F1, netbios("172.30.8.10", "172.30.8.20", 45, "t1", 0x00, "172.30.8.10"))
    c.add(T1, F1, netbios("172.30.8.10", "172.30.8.20", 46, "flowers", 0x1c, "172.30.8.10", 0x8000))
    c.add(T1, F1, netbios("172.30.8.10", "172.30.8.20", 47, "flowers", 0x1b, "172.30.8.10"))
    for name in ("t1.local", "printer.local"):
        c.add(T1, "01:00:5e:00:00:fb", dns("172.30.8.10", "224.0.0.251", 0, name, ["172.30.8.10"],
                                           5353, 5353))


def ordinary_groups(c):
    for ip in ("172.30.8.10", "172.30.8.20", "172.30.8.66", "172.30.8.11", "172.30.8.98"):
        c.add(EDGE, T1, arp_reply(EDGE, ip, T1, "172.30.8.10"))  # proxy ARP by the router
    for last in range(70, 76):
        c.add(M1, T1, arp_reply(M1, "172.30.8.%d" % last, T1, "172.30.8.10"))  # containers
    c.add("00:00:5e:00:01:07", "01:00:5e:00:00:12", vrrp2("172.30.8.2", 7, 100, "172.30.8.1"))
    c.add("00:00:5e:00:01:09", "01:00:5e:00:00:12", vrrp2("172.30.8.3", 9, 100, "172.30.8.1"))
    c.add(T1, "01:00:5e:00:00:12", vrrp2("172.30.8.10", 21, 100, "172.30.8.15"))
    c.add(M1, "01:00:5e:00:00:12", vrrp2("172.30.8.66", 22, 100, "172.30.8.77"))
    c.add(M1, "01:00:5e:00:00:12", carp("172.30.8.66", 23))
    c.add(T3, "01:00:5e:00:00:05", ospf("172.30.9.5"), vlan=43)
    c.add(M1, "01:00:5e:00:00:09", rip("172.30.8.66", 1))
    c.add(M1, EDGE, segment("172.30.8.66", "172.30.8.1", 40179, 179, "S", 5, 0))  # a scan
    c.add(M1, EDGE, bgp_open("172.30.8.66", FAR))


def ordinary_streams(c):
    connect(c, 42000, 3000, 7000)
    c.add(T1, EDGE, segment("172.30.8.10", FAR, 42000, 80, "PA", 3001, 7001, GET))
    c.add(EDGE, T1, segment(FAR, "172.30.8.10", 80, 42000, "PA", 7001, 3001 + len(GET), TRUE, 52))
    c.add(EDGE2, T1, segment(FAR, "172.30.8.10", 80, 42000, "PA", 7001, 3001 + len(GET), TRUE[:30],
                             51))  # again, in smaller portions, by the other gateway
    c.add(EDGE, T1, segment(FAR, "172.30.8.10", 80, 42000, "A", 7001, 3001 + len(GET), b"\0", 52))
    c.add(T1, EDGE, segment("172.30.8.10", FAR, 42000, 80, "R", 3001 + len(GET), 0))
    c.wait(5)  # the same ports again, and a SYN cookie that changed
    connect(c, 42000, 9000, 8000, lambda c: c.add(
        EDGE, T1, segment(FAR, "172.30.8.10", 80, 42000, "SA", 7999, 9001, ttl=52)))
    c.add(EDGE2, T1, segment(FAR, "172.30.8.10", 80, 42000, "PA", 8001, 9001,
                             TRUE.replace(b"welcome", b"again!!"), 51))


def make_ordinary():
    c = Capture()
    for part in (ordinary_routing, ordinary_errors, ordinary_servers, ordinary_groups,
                 ordinary_streams):
        part(c)
        c.wait(2)
    c.write("position-ordinary.pcap.gz")


if __name__ == "__main__":
    make_advertisements()
    make_redirects()
    make_dhcp()
    make_names()
    make_proxy_arp()
    make_gateways()
    make_injection()
    make_ordinary()
