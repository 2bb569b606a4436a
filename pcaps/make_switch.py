#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_switch.py - writes the switch-*.pcap.gz captures beside it, the same bytes each time.

What a switch is made to do, or does by itself: move a port, flood, elect another root, bridge two
VLANs; and what looks like it.  Frames are built by scapy (Debian: python3-scapy) with fixed times;
who is who is in switch.yaml.
"""
import gzip
import os
import random
import struct

from scapy.all import (ARP, BOOTP, DHCP, DNS, DNSQR, ICMP, IP, LLC, SNAP, STP, TCP, UDP, Dot1Q,
                       Dot3, Ether, Raw, raw)

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = "52:54:00:c0:00:01"
O1, O2 = "52:54:00:0a:00:01", "52:54:00:0a:00:02"
E1, E2 = "52:54:00:0e:00:01", "52:54:00:0e:00:02"
Y1, F1 = "52:54:00:19:00:01", "52:54:00:0f:00:01"
ALL = "ff:ff:ff:ff:ff:ff"
BRIDGES = "01:80:c2:00:00:00"
CISCO = "01:00:0c:cc:cc:cc"
LLDP_TO = "01:80:c2:00:00:0e"
SWITCH = "00:1c:73:00:00:10"  # the provider's bridge, in no inventory as switches are
FAR, FAR2, SHARED = "203.0.113.10", "203.0.113.20", "203.0.113.200"
RESOLVER = "192.0.2.53"


class Capture:
    def __init__(self, vlan=77):
        self.frames, self.now, self.vlan = [], 1767355200.0, vlan

    def wait(self, seconds):
        self.now += seconds

    def put(self, data, delay=0.0007):
        self.now += delay
        self.frames.append((self.now, data))

    def add(self, src, dst, packet, vlan=None, copies=1, delay=0.0007):
        vlan = self.vlan if vlan is None else vlan
        frame = Ether(src=src, dst=dst)
        data = raw(frame / Dot1Q(vlan=vlan) / packet if vlan else frame / packet)
        self.put(data, delay)
        for _ in range(copies - 1):
            self.put(data, 0.000002)

    def llc(self, src, dst, packet, delay=0.0007):
        self.put(raw(Dot3(src=src, dst=dst) / packet), delay)

    def write(self, name):
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        for when, data in self.frames:
            body += struct.pack("<IIII", int(when), int(round(when % 1 * 1e6)), len(data),
                                len(data)) + data
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(gzip.compress(body, mtime=0))


def talk(c, near, mac, far, port, dport=443, rounds=5, copies=1, back=None, vlan=None):
    """A TCP connection through the core: handshake and some rounds, both directions."""
    back = copies if back is None else back
    seq, ack = 1000 * port, 77 * port

    def send(out, flags, payload=b""):
        nonlocal seq, ack
        src, dst = (near, far) if out else (far, near)
        ends = (port, dport) if out else (dport, port)
        numbers = (seq, ack) if out else (ack, seq)
        packet = (IP(src=src, dst=dst, ttl=64 if out else 57, id=(seq + ack + len(payload)) & 0xffff) /
                  TCP(sport=ends[0], dport=ends[1], seq=numbers[0], ack=numbers[1], flags=flags) /
                  Raw(payload))
        macs = (mac, CORE) if out else (CORE, mac)
        c.add(*macs, packet, copies=copies if out else back, vlan=vlan)
        if out:
            seq += len(payload) + ("S" in flags)
        else:
            ack += len(payload) + ("S" in flags)

    send(True, "S")
    send(False, "SA")
    send(True, "A")
    for i in range(rounds):
        send(True, "PA", b"ask %06d " % (port * 100 + i) * 6)
        send(False, "PA", b"say %06d " % (port * 100 + i) * 40)


# ---- ports ---------------------------------------------------------------------------------------

def arp(op, sha, spa, tpa, tha="00:00:00:00:00:00"):
    return ARP(op=op, hwsrc=sha, psrc=spa, hwdst=tha, pdst=tpa)


def port_steal():
    c = Capture()
    talk(c, "10.77.0.11", O1, FAR, 40001)
    for _ in range(20):  # like scapy and other tools: the victim asks for itself, to the thief's MAC
        c.add(O1, F1, arp(1, O1, "10.77.0.11", "10.77.0.11"), delay=0.05)
    for _ in range(20):  # like ettercap: a reply that says nothing
        c.add(E1, F1, arp(2, "00:00:00:00:00:00", "0.0.0.0", "0.0.0.0"), delay=0.05)
    for i in range(20):  # the gateway's MAC, from the thief's address to itself
        c.add(CORE, F1, IP(src="10.77.0.66", dst="10.77.0.66", id=i) / UDP(sport=9, dport=9) / b"x",
              delay=0.05)
    c.write("switch-port-steal.pcap.gz")


# ---- spanning tree and its kin -------------------------------------------------------------------

def bpdu(root, root_mac, bridge, bridge_mac, flags=0):
    return LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(
        rootid=root, rootmac=root_mac, bridgeid=bridge, bridgemac=bridge_mac, bpduflags=flags,
        hellotime=2, maxage=20, fwddelay=15)


def lldp(chassis):
    mac = bytes.fromhex(chassis.replace(":", ""))
    return (struct.pack(">H", 1 << 9 | 7) + b"\x04" + mac + struct.pack(">H", 2 << 9 | 5) + b"\x05eth0" +
            struct.pack(">HH", 3 << 9 | 2, 120) + b"\x00\x00")


def lacp(system):
    mac = bytes.fromhex(system.replace(":", ""))
    return b"\x01\x01\x01\x14\xff\xff" + mac + bytes(100)


def topology():
    c = Capture()
    for i in range(5):
        c.llc(SWITCH, BRIDGES, bpdu(4096, SWITCH, 4096, SWITCH), delay=2)
        c.llc(F1, BRIDGES, bpdu(0, F1, 0, F1, flags=1))
    c.llc(F1, CISCO, LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0x0C, code=0x2004) /
          Raw(b"\x01\x00\x01\x00\x05\x00\x00\x02\x00\x05\x03"))
    c.put(raw(Ether(src=F1, dst=LLDP_TO, type=0x88CC) / Raw(lldp(CORE))))
    c.write("switch-topology.pcap.gz")


# ---- MACs ----------------------------------------------------------------------------------------

def mac_flood():
    c, dice = Capture(), random.Random(7)
    talk(c, "10.77.0.11", O1, FAR, 40002)

    def mac():
        return "%02x:" % (dice.getrandbits(8) & 0xFE) + ":".join(
            "%02x" % dice.getrandbits(8) for _ in range(5))

    def ip():
        return "%d.%d.%d.%d" % tuple(dice.randrange(1, 224) for _ in range(4))
    for _ in range(400):
        c.add(mac(), mac(), IP(src=ip(), dst=ip()) / TCP(sport=dice.getrandbits(16), flags="S"),
              delay=0.001)
    c.write("switch-mac-flood.pcap.gz")


# ---- floods --------------------------------------------------------------------------------------

def flood():
    c = Capture()
    talk(c, "10.77.0.11", O1, FAR, 40003, copies=5)
    talk(c, "10.77.0.21", E1, FAR2, 40004, copies=2)
    c.write("switch-flood.pcap.gz")


def flood_ordinary():
    """The table forgot one MAC: answers are flooded until its owner says something."""
    c = Capture()
    talk(c, "10.77.0.11", O1, FAR, 40005, copies=2)
    for i in range(5):
        c.add(CORE, O2, IP(src=FAR, dst="10.77.0.12", ttl=57, id=i) / UDP(sport=4500, dport=4500) /
              Raw(b"still there? %d" % i), copies=5, delay=0.2)
    talk(c, "10.77.0.12", O2, FAR, 40006, copies=2)
    c.write("switch-flood-ordinary.pcap.gz")


# ---- look-ups ------------------------------------------------------------------------------------

def ask(c, mac, ip, address, ident):
    name = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    c.add(mac, CORE, IP(src=ip, dst=RESOLVER) / UDP(sport=40000 + ident, dport=53) /
          DNS(id=ident, rd=1, qd=DNSQR(qname=name, qtype="PTR")), delay=0.5)


def ptr():
    c = Capture()
    talk(c, "10.77.0.11", O1, FAR, 40007)
    talk(c, "10.77.0.11", O1, FAR2, 40008)
    ask(c, F1, "10.77.0.66", FAR, 1)
    ask(c, F1, "10.77.0.66", "10.77.0.11", 2)
    ask(c, F1, "10.77.0.66", FAR2, 3)
    c.write("switch-ptr.pcap.gz")


# ---- answers -------------------------------------------------------------------------------------

def promiscuous():
    """elm's frames for fern's address go to oak's NIC; fern refuses them all the same."""
    c = Capture()
    for i in range(5):
        c.add(E1, O1, IP(src="10.77.0.21", dst="10.77.0.66", id=i) /
              TCP(sport=41000 + i, dport=22, seq=i, flags="S"), delay=0.3)
        c.add(F1, E1, IP(src="10.77.0.66", dst="10.77.0.21", id=i) /
              TCP(sport=22, dport=41000 + i, seq=0, ack=i + 1, flags="RA"))
    c.write("switch-promiscuous.pcap.gz")


# ---- two VLANs -----------------------------------------------------------------------------------

def bridge():
    c = Capture()
    talk(c, "10.77.0.21", E1, FAR, 40009)
    twice = Capture()
    twice.now = c.now
    for when, data in c.frames:
        twice.frames.append((when, data))
        twice.frames.append((when + 0.0002, data[:14] + struct.pack(">H", 78) + data[16:]))
    twice.write("switch-bridge.pcap.gz")


# ---- countries -----------------------------------------------------------------------------------

def residency():
    """geo.mmdb: 198.51.100.0/24 is US, 203.0.113.0/24 FR, 192.0.2.128/25 US in AS64500."""
    c = Capture()
    talk(c, "10.77.0.12", O2, "203.0.113.30", 40010)
    talk(c, "10.77.0.12", O2, "192.0.2.200", 40011)
    talk(c, "10.77.0.21", E1, "198.51.100.7", 40012)
    c.write("switch-residency-ordinary.pcap.gz")
    talk(c, "10.77.0.11", O1, "198.51.100.7", 40013)
    c.write("switch-residency.pcap.gz")
    for i in range(4):  # fern passes oak's packets on
        packet = IP(src="10.77.0.12", dst="198.51.100.8", ttl=64, id=900 + i) / TCP(
            sport=40014, dport=443, seq=50 + i, flags="A")
        c.add(O2, F1, packet)
        packet[IP].ttl = 63
        c.add(F1, CORE, packet)
    c.write("switch-residency-relay.pcap.gz")


# ---- nothing wrong -------------------------------------------------------------------------------

def ordinary():
    c, dice = Capture(), random.Random(8)
    c.vlan = 77
    talk(c, "10.77.0.11", O1, FAR, 40020)
    # Announcements, a refresh by unicast, a bond's learning frames, a machine that moved.
    c.add(O1, ALL, arp(1, O1, "10.77.0.11", "10.77.0.11"))
    for i in range(5):
        c.add(O1, F1, arp(1, O1, "10.77.0.11", "10.77.0.66", F1), delay=0.1)
        c.add(F1, O1, arp(2, F1, "10.77.0.66", "10.77.0.11", O1))
        c.add(O1, O1, Raw(bytes(46)), delay=0.1)
        c.add(E1, ALL, ARP(op=3, hwsrc=E1, hwdst=E1), delay=0.1)
    # From outside a packet that claims to come from its receiver; a hairpin between two of o1's.
    c.add(CORE, F1, IP(src="10.77.0.66", dst="10.77.0.66", ttl=49) / UDP(sport=9, dport=9) / b"land")
    c.add(O1, CORE, IP(src="10.77.0.11", dst="10.77.0.13", ttl=64, id=5) / ICMP())
    c.add(CORE, O1, IP(src="10.77.0.11", dst="10.77.0.13", ttl=63, id=5) / ICMP())
    # A guest's bridge, LLDP and LACP of one's own.
    for i in range(20):
        c.llc(O2, BRIDGES, bpdu(32768, O2, 32768, O2, flags=1), delay=2)
        if i < 3:
            c.llc(O2, BRIDGES, LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(b"\x00\x00\x00\x80"))
    c.put(raw(Ether(src=O1, dst=LLDP_TO, type=0x88CC) / Raw(lldp(O1))))
    c.put(raw(Ether(src=O1, dst="01:80:c2:00:00:02", type=0x8809) / Raw(lacp(O1))))
    # 150 machines wake within a second, of one maker, in no inventory.
    for i in range(150):
        mac = "52:54:00:b0:%02x:%02x" % (i >> 8, i & 255)
        c.add(mac, ALL, IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) /
              BOOTP(chaddr=bytes.fromhex(mac.replace(":", ""))) / DHCP(options=[
                  ("message-type", "discover"), "end"]), delay=0.004)
    for i in range(150):
        mac = "52:54:00:b0:%02x:%02x" % (i >> 8, i & 255)
        c.add(mac, CORE, IP(src="10.77.0.%d" % (100 + i), dst=FAR) / UDP(sport=1024 + i, dport=53) /
              Raw(bytes(dice.getrandbits(8) for _ in range(20))), delay=0.004)
    # Reverse names of one's own peers, of an address that everybody uses, of neighbours.
    talk(c, "10.77.0.21", E1, FAR2, 40021)
    for n, (ip, mac) in enumerate([("10.77.0.11", O1), ("10.77.0.21", E1), ("10.77.0.51", Y1)]):
        talk(c, ip, mac, SHARED, 40030 + n)
    for n, address in enumerate([FAR2, SHARED, "10.77.0.11", "10.77.0.12", RESOLVER]):
        ask(c, E1, "10.77.0.21", address, 10 + n)
    # Routed at the core, whose legs are not all shown: asked at the core, answered directly.
    for i in range(5):
        c.add(E1, CORE, IP(src="10.77.0.21", dst="10.77.0.66") /
              TCP(sport=42000 + i, dport=22, flags="S"), delay=0.3)
        c.add(F1, E1, IP(src="10.77.0.66", dst="10.77.0.21") /
              TCP(sport=22, dport=42000 + i, ack=1, flags="RA"))
    # The same frames without a tag and with a provider's tag: an access port and a trunk.
    start = len(c.frames)
    talk(c, "10.77.0.22", E2, FAR, 40040)
    for when, data in c.frames[start:]:
        c.put(data[:12] + b"\x88\xa8\x00\x4e" + data[12:])
        c.put(data[:12] + data[16:])
    c.write("switch-ordinary.pcap.gz")


if __name__ == "__main__":
    for make in (port_steal, topology, mac_flood, flood, flood_ordinary, ptr, promiscuous, bridge,
                 residency, ordinary):
        make()
