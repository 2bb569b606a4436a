#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_trick.py - writes the trick-*.pcap.gz captures and trick.yaml beside it, the same each time.

Relays, copies and listeners that avoid what such things are usually known by, each played by a
tenant that is called after its trick, all against linnet.  Frames are built by scapy (Debian:
python3-scapy) with fixed times.
"""
import os
import socket
import struct

import make_relay
from make_relay import Capture, hello, noise
from scapy.all import (Ether, GRE, ICMP, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NS,
                       ICMPv6NDOptSrcLLAddr, IP, IPv6, Raw, TCP, UDP, raw)

GATE, SERVER = "02:c1:00:00:00:fe", "02:c1:00:00:00:fd"
LINNET, LINNET2, SISKIN = "02:c1:00:00:0a:01", "02:c1:00:00:0a:02", "02:c1:00:00:0b:01"
L4, L6, L24, S4 = "10.77.32.10", "2001:db8:77::10", "10.77.32.11", "10.77.32.20"
FAR, FAR2, FAR6, FAR26 = "198.51.100.61", "198.51.100.62", "2001:db8:fa::61", "2001:db8:fa::62"
CAST = []


def who(name):
    if name not in CAST:
        CAST.append(name)
    n = CAST.index(name) + 1
    return "02:c1:00:00:ee:%02x" % n, "10.77.33.%d" % n, "2001:db8:77::33:%x" % n


def ends(src, dst, ttl=64):
    return IPv6(src=src, dst=dst, hlim=ttl) if ":" in src else IP(src=src, dst=dst, ttl=ttl)


def tcp(client, server, sport, dport, says, seed):
    """(back?, packet); says: [(back?, bytes)]"""
    seq, ack = struct.unpack("!II", noise("isn" + seed, 8))
    options = [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (struct.unpack("!I", noise("ts" + seed, 4))[0] | 1, 0)), ("NOP", None), ("WScale", 7)]

    def packet(back, flags, data=b"", opts=()):
        if back:
            p = ends(server, client, 58) / TCP(sport=dport, dport=sport, flags=flags, seq=ack % 2**32, ack=seq % 2**32, options=list(opts))
        else:
            p = ends(client, server) / TCP(sport=sport, dport=dport, flags=flags, seq=seq % 2**32, ack=ack % 2**32 if "A" in flags else 0, options=list(opts))
        return back, p / Raw(data) if data else p
    yield packet(False, "S", opts=options)
    yield packet(True, "SA", opts=options)
    seq, ack = seq + 1, ack + 1
    yield packet(False, "A")
    for back, data in says:
        yield packet(back, "PA", data)
        if back:
            ack += len(data)
        else:
            seq += len(data)


def changed(packet, ttl=-1, **fields):
    """A copy with other src, dst, sport, dport or id."""
    p = packet.copy()
    ip = p[IPv6] if p.haslayer(IPv6) else p[IP]
    for name in ("src", "dst"):
        if name in fields:
            setattr(ip, name, fields[name])
    if p.haslayer(IPv6):
        ip.hlim += ttl
    else:
        ip.ttl += ttl
        del ip.chksum
    for layer in (TCP, UDP, ICMP, ICMPv6EchoRequest, ICMPv6EchoReply):
        if not p.haslayer(layer):
            continue
        for name in ("sport", "dport", "id"):
            if name in fields and hasattr(p[layer], name):
                setattr(p[layer], name, fields[name])
        for name in ("chksum", "cksum"):
            if hasattr(p[layer], name):
                delattr(p[layer], name)
    return p


def exchange(c, packets, client=LINNET, server=GATE):
    for back, p in packets:
        c.add(*((server, client) if back else (client, server)), p, delay=0.01)


def relay(c, name, packets, out, client=LINNET, server=GATE):
    """out(back, packet): the packets on the far side, as the server (or, back, the client) gets them; what the
    relay gets back is the same with the ends that out gave it."""
    mac = who(name)[0]
    for back, p in packets:
        far = out(back, p)
        if back:
            c.add(server, mac, far, delay=0.01)
            c.add(mac, client, changed(p), delay=0.0001)
        else:
            c.add(client, mac, p, delay=0.01)
            c.add(mac, server, far, delay=0.0001)


def pings(client, server, size=56, pattern=None, turns=4):
    for n in range(turns):
        data = pattern or noise("ping%s%d" % (client, n), 16) + bytes(range(16, size))
        if ":" in client:
            yield False, ends(client, server) / ICMPv6EchoRequest(id=700, seq=n, data=data)
            yield True, ends(server, client, 58) / ICMPv6EchoReply(id=700, seq=n, data=data)
        else:
            yield False, ends(client, server) / ICMP(type=8, id=700, seq=n) / Raw(data)
            yield True, ends(server, client, 58) / ICMP(type=0, id=700, seq=n) / Raw(data)


def says(seed, turns=6):
    return [(n % 2 == 1, noise("%s-%d" % (seed, n), 90 + n)) for n in range(turns)]


def records(seed, turns=6):
    return [(n % 2 == 1, b"\x17\x03\x03" + struct.pack("!H", 120 + n) + noise("%s-%d" % (seed, n), 120 + n)) for n in range(turns)]


def rewrite():
    c = Capture(vlan=770)
    for name, own, there, other in (("redirect-port", L4, FAR, FAR2), ("redirect-port-6", L6, FAR6, FAR26)):
        relay(c, name, tcp(own, there, 40001, 80, says(name), name), lambda back, p: changed(p, src=other, sport=8080, ttl=0) if back else changed(p, dst=other, dport=8080))
    for name, own, there, mine in (("ping-nat", L4, FAR, 1), ("ping-nat-6", L6, FAR6, 2)):
        relay(c, name, pings(own, there), lambda back, p: changed(p, dst=who(name)[mine], id=9001, ttl=0) if back else changed(p, src=who(name)[mine], id=9001))
    return c


def borrowed():
    """A proxy that ends connections and opens new ones from the client's own address."""
    c = Capture(vlan=770)
    mac = who("borrower")[0]
    says_tls = [(False, hello("borrowed")), (True, noise("sh", 120))]
    exchange(c, tcp(L4, FAR, 41001, 443, says_tls, "b1"), server=mac)
    exchange(c, tcp(L4, FAR, 41999, 443, says_tls, "b2"), client=mac)
    mac, own, _ = who("in-between")  # the peer is another tenant's
    says_tls = [(False, hello("between")), (True, noise("sh2", 120))]
    exchange(c, tcp(L4, S4, 41002, 443, says_tls, "b3"), server=mac)
    exchange(c, tcp(own, S4, 42002, 443, says_tls, "b4"), client=mac, server=SISKIN)
    return c


def session():
    """A proxy, seen from the middle of a session on: only enciphered records."""
    c = Capture(vlan=770)
    mac, own, own6 = who("late-proxy")
    for n, (client, mine, there) in enumerate(((L4, own, FAR), (L6, own6, FAR6))):
        near = list(tcp(client, mine, 43000 + n, 443, records("late%d" % n), "n%d" % n))[3:]
        far = list(tcp(mine, there, 43100 + n, 443, records("late%d" % n), "f%d" % n))[3:]
        for (back, p), (_, q) in zip(near, far):
            if back:
                c.add(GATE, mac, q, delay=0.02)
                c.add(mac, LINNET, p, delay=0.003)
            else:
                c.add(LINNET, mac, p, delay=0.02)
                c.add(mac, GATE, q, delay=0.003)
    return c


def copies(c, name, wrap, own=L4, there=FAR, out=FAR2):
    """linnet's conversation, and each frame of it once more in what the box sends out."""
    mac, mine, mine6 = who(name)
    for n, (back, p) in enumerate(tcp(own, there, 44000 + len(CAST), 8443, says(name, 10), name)):
        a, b = (GATE, LINNET) if back else (LINNET, GATE)
        c.add(a, b, p, delay=0.01)
        c.add(mac, GATE, wrap(raw(Ether(src=a, dst=b) / p), mine6 if ":" in out else mine, out, n), delay=0.0004)


def udp_copy(header=b"", cut=0, port=5555):
    return lambda frame, src, dst, n: ends(src, dst) / UDP(sport=40404, dport=port) / Raw(header + frame[cut:])


def tcp_copy():
    sent = [1000]

    def wrap(frame, src, dst, n):
        p = ends(src, dst) / TCP(sport=40405, dport=5556, flags="PA", seq=sent[0], ack=1) / Raw(frame)
        sent[0] += len(frame)
        return p
    return wrap


def bare():
    c = Capture(vlan=770)
    copies(c, "frames-udp", udp_copy())
    copies(c, "frames-udp-6", udp_copy(), L6, FAR6, FAR26)
    copies(c, "frames-tcp", tcp_copy())
    copies(c, "vxlan-port", udp_copy(struct.pack("!II", 0x08000000, 77 << 8), port=14789))
    copies(c, "ip-in-udp", udp_copy(cut=14))
    copies(c, "gue", udp_copy(struct.pack("!I", 0x00040000), cut=14, port=6080))
    copies(c, "gre", lambda frame, src, dst, n: ends(src, dst) / GRE(proto=0x0800) / IP(frame[14:]))
    return c


def listener():
    """Echoes and refusals by a host that was not asked."""
    c = Capture(vlan=770)
    mac, own, own6 = who("listener")
    for back, p in pings(S4, own):
        c.add(*((mac, SISKIN) if back else (SISKIN, LINNET)), p, delay=0.4)
    return c


def injected():
    """Packets in the midst of linnet's sessions that come alone: resets, and an answer before the server's own."""
    c = Capture(vlan=770)
    for name, own, there in (("killer", L4, FAR), ("killer-6", L6, FAR6)):
        mac = who(name)[0]
        session = list(tcp(own, there, 46000 + len(CAST), 443, records(name), name))
        exchange(c, session[:7])
        reset = session[1][1].copy()
        for n in range(3):
            reset[TCP].seq, reset[TCP].flags, reset[TCP].options = 99000 + n, "R", []
            del reset[TCP].dataofs
            c.add(mac, LINNET, changed(reset, ttl=6), delay=0.001)
    mac = who("answerer")[0]
    session = list(tcp(L4, FAR2, 46100, 80, [(False, b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n"), (True, b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\n\r\n")], "lone"))
    exchange(c, session[:-1])
    c.add(mac, LINNET, changed(session[-1][1], ttl=6), delay=0.001)
    c.wait(7)
    exchange(c, tcp(S4, FAR, 46200, 80, says("tail"), "tail"), client=SISKIN)
    return c


def copied_on():
    """A relay that sends each packet to siskin's NIC once more (iptables' TEE): siskin did not ask for it."""
    c = Capture(vlan=770)
    mac = who("copier")[0]
    for back, p in tcp(L4, FAR, 47000, 8443, says("tee", 8), "tee"):
        first, last = (GATE, LINNET) if back else (LINNET, GATE)
        c.add(first, mac, p, delay=0.02)
        c.add(mac, SISKIN, changed(p), delay=0.0001)
        c.add(mac, last, changed(p), delay=0.0001)
    c.wait(7)
    exchange(c, tcp(S4, FAR, 47001, 80, says("tail3"), "tail3"), client=SISKIN)
    return c


def sources():
    """To everybody, from another's address."""
    c = Capture(vlan=770)
    for name, src, dst, mac in (("shouter", L4, "239.255.255.250", "01:00:5e:7f:ff:fa"), ("smurf", L4, "10.77.35.255", "ff:ff:ff:ff:ff:ff"), ("shouter-6", L6, "ff02::1", "33:33:00:00:00:01")):
        for n in range(3):
            packet = ends(src, dst) / UDP(sport=50000, dport=1900) / Raw(noise("m%s%d" % (name, n), 80))
            if name == "smurf":
                packet = ends(src, dst) / ICMP(type=8, id=5, seq=n) / Raw(noise("smurf%d" % n, 56))
            c.add(who(name)[0], mac, packet, delay=0.3)
    c.wait(7)
    exchange(c, tcp(S4, FAR, 46300, 80, says("tail2"), "tail2"), client=SISKIN)
    return c


def ports():
    """Frames that move linnet's MAC to another port; a host that lives with the router's MAC."""
    c = Capture(vlan=770)
    for name in ("mover", "mover-6"):
        mac, own, own6 = who(name)
        for n in range(6):
            c.add(LINNET, mac, ends(own6 if name == "mover-6" else own, own6 if name == "mover-6" else own) / UDP(sport=9, dport=9) / Raw(b"to myself"), delay=0.2)
    own6 = who("cloner")[2]
    for n in range(3):
        c.add(GATE, "33:33:ff:00:00:10", IPv6(src=own6, dst="ff02::1:ff00:10", hlim=255) / ICMPv6ND_NS(tgt=L6) / ICMPv6NDOptSrcLLAddr(lladdr=GATE), delay=1)
    return c


def advertises(c, mac, address):
    """RFC 1256: one router of preference 0."""
    body = struct.pack("!BBHBBH", 9, 0, 0, 1, 2, 1800) + socket.inet_aton(address) + b"\0\0\0\0"
    total = sum(struct.unpack("!8H", body))
    total = (total & 0xffff) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + body[4:]
    c.add(mac, "01:00:5e:00:00:01", IP(src=address, dst="224.0.0.1", ttl=1, proto=1) / Raw(body))


def rips(c, mac, packet, sport, dport=520):
    c.add(mac, "01:00:5e:00:00:09" if packet.dst == "224.0.0.9" else LINNET, packet / UDP(sport=sport, dport=dport) / Raw(b"\2\2\0\0" + b"\0\2" + b"\0" * 17 + b"\1"))


def routers():
    c = Capture(vlan=770)
    mac, own, _ = who("irdp")
    advertises(c, mac, own)
    mac, own, _ = who("rip-port")
    rips(c, mac, IP(src=own, dst="224.0.0.9", ttl=1), 40520)
    return c


def ordinary():
    c = Capture(vlan=770)
    nobody = who("nobody")
    # The same page from two mirrors, from one port; the same ping pattern, as one system sends it.
    page = [(False, b"GET /same HTTP/1.0\r\n\r\n" + b"." * 60), (True, noise("page", 300))]
    exchange(c, tcp(L4, FAR, 45001, 80, page, "m1"))
    exchange(c, tcp(L4, FAR2, 45001, 8080, page, "m2"))
    pattern = b"abcdefghijklmnopqrstuvwabcdefghi"
    for client, mac in ((L4, LINNET), (S4, SISKIN), (nobody[1], nobody[0])):
        exchange(c, pings(client, FAR, pattern=pattern), client=mac)
    exchange(c, pings(L4, nobody[1], pattern=pattern), server=nobody[0])
    # TLS through the provider's balancer, and through a host to a back end of its own tenant.
    session_of = records("balanced")
    exchange(c, tcp(L4, "10.77.32.2", 45002, 443, session_of, "p1"), server=SERVER)
    exchange(c, tcp("10.77.32.2", S4, 45003, 443, session_of, "p2"), client=SERVER, server=SISKIN)
    session_of = records("own")
    exchange(c, tcp(S4, L4, 45004, 443, session_of, "o1"), client=SISKIN, server=LINNET)
    exchange(c, tcp(L4, L24, 45005, 8443, session_of, "o2"), server=LINNET2)
    # linnet's own overlay on a port of its own, and its own frames to its own analyser outside.
    for n, (back, p) in enumerate(tcp("172.16.9.1", "172.16.9.2", 45006, 22, says("overlay"), "v")):
        inner = raw(Ether(src="02:c1:77:00:00:01", dst="02:c1:77:00:00:02") / p)
        a, b = ((LINNET2, LINNET), (LINNET, LINNET2))[not back]
        c.add(a, b, ends(*((L24, L4) if back else (L4, L24))) / UDP(sport=40404, dport=14789) / Raw(struct.pack("!II", 0x08000000, 9 << 8) + inner), delay=0.01)
    for n, (back, p) in enumerate(tcp(L4, FAR, 45007, 8443, says("mine", 8), "own")):
        a, b = (GATE, LINNET) if back else (LINNET, GATE)
        c.add(a, b, p, delay=0.01)
        c.add(LINNET, GATE, ends(L4, FAR2) / UDP(sport=40404, dport=5555) / Raw(raw(Ether(src=a, dst=b) / p)), delay=0.0004)
    # A tunnel to an office whose addresses are siskin's here.
    for n, (back, p) in enumerate(tcp("10.77.32.20", "192.168.5.5", 45008, 22, says("office"), "off")):
        if not back:
            c.add(LINNET, GATE, ends(L4, FAR2) / UDP(sport=40404, dport=7000) / Raw(raw(p)), delay=0.01)
        else:
            c.add(GATE, LINNET, ends(FAR2, L4, 58) / UDP(sport=7000, dport=40404) / Raw(raw(p)), delay=0.01)
    # A server that gives up; everybody's own shouts; the router looks for its hosts.
    session_of = list(tcp(L4, FAR, 45010, 443, records("gave up"), "g"))
    exchange(c, session_of)
    reset = session_of[1][1].copy()
    reset[TCP].flags, reset[TCP].options = "RA", []
    del reset[TCP].dataofs
    c.add(GATE, LINNET, changed(reset, ttl=0))
    for mac, own in ((LINNET, L4), (SISKIN, S4), (nobody[0], nobody[1])):
        c.add(mac, "01:00:5e:7f:ff:fa", ends(own, "239.255.255.250") / UDP(sport=50000, dport=1900) / Raw(noise("ssdp" + own, 80)))
    for target in (L6, nobody[2]):
        for _ in range(3):
            c.add(GATE, "33:33:ff:00:00:10", IPv6(src="2001:db8:77::1", dst="ff02::1:ff00:10", hlim=255) / ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=GATE))
    advertises(c, GATE, "10.77.32.1")
    rips(c, nobody[0], IP(src=nobody[1], dst=L4), 520, 40521)  # the answer to a question
    # Pings answered by whom they were for.
    exchange(c, pings(S4, L4), client=SISKIN, server=LINNET)
    c.wait(8)
    exchange(c, tcp(S4, FAR, 45009, 80, page, "end"), client=SISKIN)
    return c


def inventory():
    lines = ["# Who is who in trick-*.pcap.gz.  Written by make_trick.py.", "version: 1", "segments:",
             '  - { name: aviary, vlan: 770, prefixes: [10.77.32.0/22, "2001:db8:77::/64"], domain: default }', "tenants:",
             "  - name: linnet", "    segments: [aviary]", "    hosts:",
             '      - { name: l1, mac: "%s", ip: [%s, "%s"] }' % (LINNET, L4, L6),
             '      - { name: l2, mac: "%s", ip: %s }' % (LINNET2, L24),
             "  - name: siskin", "    segments: [aviary]", "    hosts:",
             '      - { name: s1, mac: "%s", ip: %s }' % (SISKIN, S4)]
    for name in CAST:
        mac, ip, ip6 = who(name)
        lines += ["  - name: %s" % name, "    segments: [aviary]", "    hosts:", '      - { name: box, mac: "%s", ip: [%s, "%s"] }' % (mac, ip, ip6)]
    lines += ["infrastructure:", '  - { name: gate, mac: "%s", ip: [10.77.32.1, "2001:db8:77::1"], roles: [router] }' % GATE,
              '  - { name: balancer, mac: "%s", ip: 10.77.32.2, roles: [load-balancer] }' % SERVER,
              "taps:", "  - { name: span, view: ingress }", ""]
    with open(os.path.join(make_relay.HERE, "trick.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    rewrite().write("trick-rewrite.pcap.gz")
    borrowed().write("trick-borrowed.pcap.gz")
    session().write("trick-session.pcap.gz")
    bare().write("trick-bare.pcap.gz")
    listener().write("trick-listener.pcap.gz")
    injected().write("trick-injected.pcap.gz")
    copied_on().write("trick-copied-on.pcap.gz")
    sources().write("trick-sources.pcap.gz")
    ports().write("trick-ports.pcap.gz")
    routers().write("trick-routers.pcap.gz")
    ordinary().write("trick-ordinary.pcap.gz")
    inventory()
