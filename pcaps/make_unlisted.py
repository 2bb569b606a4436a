#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_unlisted.py - writes the unlisted-*.pcap.gz captures beside it, the same bytes each time.

Addresses that stand in no inventory: made from the NIC (SLAAC, link-local), made up by the host
(privacy addresses), leased, or set by hand.  Frames are built by scapy (Debian: python3-scapy)
with fixed times; who is who stands in unlisted.yaml.
"""
from make_relay import Capture, noise
from scapy.all import (ARP, BOOTP, DHCP, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IP, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN, Raw, TCP, UDP, VXLAN,
                       fragment6, raw)
from scapy.layers.dhcp6 import (DHCP6_Reply, DHCP6OptClientId, DHCP6OptIA_NA, DHCP6OptIAAddress,
                                DHCP6OptServerId, DUID_LL)

MOLE, DORY, DORY2 = "02:64:00:00:00:fe", "02:64:00:00:0d:01", "02:64:00:00:0d:02"
GULL, BARB = "02:64:00:00:06:01", "02:64:00:00:0b:01"
FAR, FAR6 = "198.51.100.40", "2001:db8:ffff::40"
EVERYBODY, ALL_NODES = "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"


def by_nic(prefix, mac):
    """RFC 4291 appendix A."""
    b = bytes.fromhex(mac.replace(":", ""))
    return "%s%x:%xff:fe%02x:%x" % (prefix, (b[0] ^ 2) << 8 | b[1], b[2] << 8, b[3], b[4] << 8 | b[5])


DORY_AUTO = by_nic("2001:db8:640::", DORY)
DORY_LINK, MOLE_LINK, BARB_LINK = by_nic("fe80::", DORY), by_nic("fe80::", MOLE), by_nic("fe80::", BARB)
PRIVACY = "2001:db8:640::71c3:99ab:4f02:d6e8"


def ends(src, dst, ttl, **more):
    return IPv6(src=src, dst=dst, hlim=ttl) if ":" in src else IP(src=src, dst=dst, ttl=ttl, **more)


def talk(seed, client, server, sport, turns=6):
    """(back?, packet) of a TCP conversation."""
    seq, ack, options = 7000 + sport, 9000 + sport, [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (5500 + sport, 0))]
    yield False, ends(client, server, 64, id=1) / TCP(sport=sport, dport=8443, flags="S", seq=seq, options=options)
    yield True, ends(server, client, 55, id=2) / TCP(sport=8443, dport=sport, flags="SA", seq=ack, ack=seq + 1, options=options)
    seq, ack = seq + 1, ack + 1
    for n in range(turns):
        data = noise("%s-%d" % (seed, n), 70 + n)
        if n % 2 == 0:
            yield False, ends(client, server, 64, id=10 + n) / TCP(sport=sport, dport=8443, flags="PA", seq=seq, ack=ack) / Raw(data)
            seq += len(data)
        else:
            yield True, ends(server, client, 55, id=10 + n) / TCP(sport=8443, dport=sport, flags="PA", seq=ack, ack=seq) / Raw(data)
            ack += len(data)


def hop(packet):
    packet = packet.copy()
    if packet.haslayer(IPv6):
        packet[IPv6].hlim -= 1
    else:
        packet[IP].ttl -= 1
        del packet[IP].chksum
    return packet


def direct(c, packets, client, server=MOLE):
    for back, p in packets:
        c.add(*((server, client) if back else (client, server)), p, delay=0.01)


def through(c, packets, client, box=BARB, server=MOLE):
    for back, p in packets:
        first, last = (server, client) if back else (client, server)
        c.add(first, box, p, delay=0.01)
        c.add(box, last, hop(p), delay=0.00006)


def snooped(address):
    """The solicited-node group of an address and its MAC (RFC 4291 2.7.1)."""
    low = int(address.replace("::", ":").split(":")[-1] or "0", 16)
    high = int(address.split(":")[-2] or "0", 16) & 0xff
    return "ff02::1:ff%02x:%x" % (high, low), "33:33:ff:%02x:%02x:%02x" % (high, low >> 8, low & 0xff)


def claims(c, mac, to, target, address):
    c.add(mac, to, IPv6(src=target, dst=address, hlim=255) / ICMPv6ND_NA(tgt=target, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def probes(c, mac, target):
    group, group_mac = snooped(target)
    c.add(mac, group_mac, IPv6(src="::", dst=group, hlim=255) / ICMPv6ND_NS(tgt=target))


def acknowledges(c, mac, address, server=MOLE):
    c.add(server, mac, IP(src="10.64.0.1", dst=address) / UDP(sport=67, dport=68) /
          BOOTP(op=2, yiaddr=address, siaddr="10.64.0.1", chaddr=bytes.fromhex(mac.replace(":", "")), xid=61) /
          DHCP(options=[("message-type", "ack"), ("server_id", "10.64.0.1"), ("lease_time", 3600), ("router", "10.64.0.1"), "end"]))


def replies(c, mac, address):
    client = DHCP6OptClientId(duid=DUID_LL(lladdr="02:00:00:00:00:99"))  # of the image it was copied from
    c.add(MOLE, mac, IPv6(src=MOLE_LINK, dst=by_nic("fe80::", mac)) / UDP(sport=547, dport=546) / DHCP6_Reply(trid=62) /
          client / DHCP6OptServerId(duid=DUID_LL(lladdr=MOLE)) /
          DHCP6OptIA_NA(iaid=1, T1=300, T2=500, ianaopts=[DHCP6OptIAAddress(addr=address, preflft=600, validlft=900)]))


def relayed():
    """barb/b1 passes on what goes from and to dory's and gull's addresses."""
    c = Capture(vlan=640)
    through(c, talk("by-nic", DORY_AUTO, FAR6, 41000), DORY)
    through(c, talk("link", by_nic("fe80::", GULL), MOLE_LINK, 41001), GULL)
    through(c, talk("made-up", PRIVACY, FAR6, 41002), DORY)
    through(c, talk("by-hand", "10.64.0.31", FAR, 41003), DORY2)
    return c


def leased():
    """The same with leased addresses."""
    c = Capture(vlan=640)
    acknowledges(c, DORY, "10.64.2.7")
    replies(c, GULL, "2001:db8:640::d:7")
    c.wait(2)
    direct(c, talk("own", "10.64.2.7", FAR, 42000), DORY)
    c.wait(2)
    through(c, talk("leased", "10.64.2.7", FAR, 42001), DORY)
    through(c, talk("leased-6", "2001:db8:640::d:7", FAR6, 42002), GULL)
    c.add(BARB, MOLE, ARP(op=2, hwsrc=BARB, psrc="10.64.2.7", hwdst=MOLE, pdst="10.64.0.1"))
    return c


def stolen():
    """barb/b1 sends from leased addresses, and gets what is for them."""
    c = Capture(vlan=640)
    acknowledges(c, DORY, "10.64.2.8")
    for n in range(4):
        c.add(BARB, MOLE, IP(src="10.64.2.8", dst=FAR, id=n) / UDP(sport=43000, dport=514) / Raw(noise("s%d" % n, 40)), delay=0.2)
        c.add(MOLE, BARB, IP(src=FAR, dst="10.64.2.8", id=n) / UDP(sport=514, dport=43001) / Raw(noise("t%d" % n, 40)), delay=0.2)
    c.wait(8)
    c.add(GULL, MOLE, IP(src="10.64.0.20", dst=FAR) / UDP(sport=5, dport=9) / Raw(b"time goes on"))
    return c


def neighbours():
    """False claims to addresses made from the NIC."""
    c = Capture(vlan=640)
    claims(c, BARB, MOLE, DORY_AUTO, "2001:db8:640::1")
    claims(c, BARB, MOLE, by_nic("fe80::", GULL), MOLE_LINK)
    claims(c, BARB, DORY, MOLE_LINK, DORY_LINK)
    return c


def denied():
    """No address for dory/d2."""
    c = Capture(vlan=640)
    for n in range(3):
        target = "2001:db8:640::%x:%x:44d1:9c2" % (0x8101 + n, 0x5f3c)
        probes(c, DORY2, target)
        c.add(BARB, ALL_NODES, IPv6(src=target, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=target, O=1) / ICMPv6NDOptDstLLAddr(lladdr=BARB), delay=0.002)
        c.wait(1)
    return c


def hidden():
    """Advertisements by made-up NICs in barb's name, whole and in fragments inside an overlay."""
    c = Capture(vlan=640)
    message = ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptPrefixInfo(prefix="2001:db8:6666::", prefixlen=64)
    c.add("02:64:99:00:00:01", ALL_NODES, IPv6(src=BARB_LINK, dst="ff02::1", hlim=255) / message)
    return c


def overlay():
    c = Capture(vlan=641)
    chain = IPv6(src=by_nic("fe80::", "02:64:00:00:0b:09"), dst="ff02::1", hlim=255) / IPv6ExtHdrFragment(id=77) / \
        IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 180)]) / ICMPv6ND_RA(routerlifetime=1800) / \
        ICMPv6NDOptSrcLLAddr(lladdr="02:64:00:00:0b:09") / ICMPv6NDOptPrefixInfo(prefix="2001:db8:6666::", prefixlen=64)
    for part in fragment6(chain, 200):
        inner = Ether(src="02:64:00:00:0b:09", dst=ALL_NODES) / part
        c.add("02:64:00:00:aa:01", "02:64:00:00:aa:02", IP(src="10.65.0.1", dst="10.65.0.2") / UDP(sport=51234, dport=4789, chksum=0) / VXLAN(vni=6400, flags=8) / inner)
    return c


def ordinary():
    c = Capture(vlan=640)
    # Every address where it belongs.
    for mac in (DORY, GULL, BARB):
        probes(c, mac, by_nic("fe80::", mac))
        claims(c, mac, MOLE, by_nic("fe80::", mac), MOLE_LINK)
        claims(c, mac, MOLE, by_nic("2001:db8:640::", mac), MOLE_LINK)
        direct(c, talk("auto" + mac, by_nic("2001:db8:640::", mac), FAR6, 44000), mac)
    direct(c, talk("privacy", PRIVACY, FAR6, 44001), DORY)
    direct(c, talk("link", DORY_LINK, by_nic("fe80::", GULL), 44002), DORY, GULL)
    # A lease that goes from one tenant to another.
    acknowledges(c, DORY, "10.64.2.9")
    direct(c, talk("first", "10.64.2.9", FAR, 44003), DORY)
    c.add(DORY, MOLE, IP(src="10.64.2.9", dst="10.64.0.1") / UDP(sport=68, dport=67) / BOOTP(ciaddr="10.64.2.9", chaddr=bytes.fromhex(DORY.replace(":", "")), xid=63) / DHCP(options=[("message-type", "release"), ("server_id", "10.64.0.1"), "end"]))
    acknowledges(c, BARB, "10.64.2.9")
    c.add(BARB, EVERYBODY, ARP(op=1, hwsrc=BARB, psrc="10.64.2.9", pdst="10.64.2.9"))
    direct(c, talk("second", "10.64.2.9", FAR, 44004), BARB)
    # dory/d1 routes for dory/d2's addresses: set by hand, leased, made up.
    acknowledges(c, DORY2, "10.64.2.10")
    for n, address in enumerate(("10.64.0.35", "10.64.2.10", "192.168.77.5")):
        through(c, talk("own-%d" % n, address, FAR, 44010 + n), DORY2, box=DORY)
    # gull visits a machine behind barb's router: only barb's own NICs beyond it.
    through(c, talk("visit", "10.64.0.40", "10.64.0.41", 44020), GULL, server="02:64:99:00:00:07")
    # One address set twice by hand, and one host that gives up.
    probes(c, DORY2, "2001:db8:640::77")
    c.add(GULL, ALL_NODES, IPv6(src="2001:db8:640::77", dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt="2001:db8:640::77", O=1) / ICMPv6NDOptDstLLAddr(lladdr=GULL))
    # The router's own advertisement, with its NIC and without.
    for options in (ICMPv6NDOptSrcLLAddr(lladdr=MOLE) / ICMPv6NDOptPrefixInfo(prefix="2001:db8:640::", prefixlen=64), ICMPv6NDOptPrefixInfo(prefix="2001:db8:640::", prefixlen=64)):
        c.add(MOLE, ALL_NODES, IPv6(src=MOLE_LINK, dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=1800) / options)
    c.wait(8)
    direct(c, talk("end", "10.64.0.20", FAR, 44030), GULL)
    return c


if __name__ == "__main__":
    relayed().write("unlisted-relayed.pcap.gz")
    leased().write("unlisted-leased.pcap.gz")
    stolen().write("unlisted-stolen.pcap.gz")
    neighbours().write("unlisted-neighbours.pcap.gz")
    denied().write("unlisted-denied.pcap.gz")
    hidden().write("unlisted-router.pcap.gz")
    overlay().write("unlisted-overlay.pcap.gz")
    ordinary().write("unlisted-ordinary.pcap.gz")
