#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_hostile.py - writes the hostile-*.pcap.gz captures and hostile*.yaml beside it, the same each time.

What real tools did and the sensor did not tell, each played by a tenant that is called after it, against heron and
plover; and what looks like it.  Frames are built by scapy (Debian: python3-scapy) with fixed times.
"""
import base64
import gzip
import os
import struct

import make_relay
from make_relay import Capture, hello, noise
from make_trick import changed, tcp
from scapy.all import (ARP, BOOTP, DHCP, Dot3, Ether, ICMP, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, IP, IPv6, LLC,
                       Raw, SNAP, STP, TCP, UDP, raw)

VLAN = 845
GATE, HERON, PLOVER, VTEP = "02:d7:00:00:00:fe", "02:d7:00:00:0a:01", "02:d7:00:00:0b:01", "02:d7:00:00:00:09"
G4, H4, P4, V4 = "10.118.7.1", "10.118.7.10", "10.118.7.20", "10.118.7.9"
FAR, FAR2 = "198.51.100.90", "203.0.113.44"
ALL = "ff:ff:ff:ff:ff:ff"
LLDP_TO, CISCO, BRIDGES = "01:80:c2:00:00:0e", "01:00:0c:cc:cc:cc", "01:80:c2:00:00:00"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 60\r\n\r\n" + b"the same page for everybody who asks for it, like this one..."
CAST = []


def who(name):
    if name not in CAST:
        CAST.append(name)
    n = CAST.index(name) + 1
    return "02:d7:00:00:ee:%02x" % n, "10.118.8.%d" % n, "fe80::d7:ee%02x" % n


class Wire(Capture):
    def __init__(self, vlan=VLAN):
        super().__init__(vlan)

    def bare(self, src, dst, payload, delay=0.001):
        """Without a tag, as switches' own protocols are."""
        self.now += delay
        frame = raw((Dot3 if isinstance(payload, LLC) else Ether)(src=src, dst=dst) / payload) if not isinstance(payload, bytes) else \
            bytes.fromhex((dst + src).replace(":", "")) + payload
        self.frames.append((self.now, frame.ljust(60, b"\0")))

    def untag(self):
        tag = bytes.fromhex("8100") + struct.pack("!H", VLAN)
        self.frames = [(t, d[:12] + d[16:] if d[12:16] == tag else d) for t, d in self.frames]
        return self


def exchange(c, packets, client=HERON, server=GATE, delay=0.01):
    for back, p in packets:
        c.add(*((server, client) if back else (client, server)), p, delay=delay)


def forward(c, packets, mac, client=HERON, server=GATE):
    for back, p in packets:
        a, b = (server, client) if back else (client, server)
        c.add(a, mac, p, delay=0.01)
        c.add(mac, b, changed(p), delay=0.0002)


def fetch(host):
    return [(False, b"GET /news HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n" % host), (True, PAGE)]


def says(seed, turns=6):
    return [(n % 2 == 1, noise("%s-%d" % (seed, n), 90 + n)) for n in range(turns)]


def same_page():
    """A relay that fetches, from plover and from afar, the page that its victim fetches through it."""
    c = Wire()
    mac, own, _ = who("reader")
    for n in range(6):
        exchange(c, tcp(own, FAR, 40100 + n, 80, fetch(b"198.51.100.90"), "own%d" % n), client=mac)
        forward(c, tcp(H4, FAR, 40000 + n, 80, fetch(b"198.51.100.90"), "v%d" % n), mac)
        exchange(c, tcp(own, P4, 40200 + n, 80, fetch(b"10.118.7.20"), "pl%d" % n), client=mac, server=PLOVER)
        exchange(c, tcp(P4, FAR, 40300 + n, 80, fetch(b"198.51.100.90"), "p%d" % n), client=PLOVER)
        c.wait(0.1)
    return c


def lldp(mac, enabled, more=b""):
    return struct.pack("!HHB", 0x88cc, 1 << 9 | 7, 4) + bytes.fromhex(mac.replace(":", "")) + struct.pack("!H", 2 << 9 | 5) + b"\x05eth0" + \
        struct.pack("!HH", 3 << 9 | 2, 120) + struct.pack("!HHH", 7 << 9 | 4, 0x9c, enabled) + more + b"\0\0"


def cdp(can, more=b""):
    return LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(OUI=0x0c, code=0x2000) / Raw(b"\x02\xb4\0\0" + struct.pack("!HH", 1, 8) + b"box1" + struct.pack("!HHI", 4, 8, can) + more)


def babel(c, name):
    mac, _, ll = who(name)
    c.add(mac, "33:33:00:01:00:06", IPv6(src=ll, dst="ff02::1:6", hlim=1) / UDP(sport=6696, dport=6696) / Raw(bytes.fromhex("2a02000804060000012c0190")), delay=1)


def routers():
    """What only routers and switches say."""
    c = Wire()
    babel(c, "babel")
    mac, own, _ = who("ldp")
    c.add(mac, "01:00:5e:00:00:02", IP(src=own, dst="224.0.0.2", ttl=1) / UDP(sport=646, dport=646) / Raw(bytes.fromhex("0001001e0a7608020000010000140000000104000004000f0000040100040a760802")), delay=1)
    mac, _, ll = who("redirect")
    c.add(mac, "33:33:00:00:00:01", IPv6(src=ll, dst="ff02::1", hlim=255) / ICMPv6ND_Redirect(tgt=ll, dst="2001:db8:fa::9") / ICMPv6NDOptDstLLAddr(lladdr=mac), delay=1)
    c.bare(who("lldp-switch")[0], LLDP_TO, lldp(who("lldp-switch")[0], 0x04))
    c.bare(who("lldp-phone")[0], LLDP_TO, lldp(who("lldp-phone")[0], 0x80, struct.pack("!HIB", 127 << 9 | 8, 0x0012bb02, 1) + b"\x80\0\0"))
    c.bare(who("cdp-switch")[0], CISCO, cdp(0x28))
    c.bare(who("cdp-phone")[0], CISCO, cdp(0x10, struct.pack("!HHI", 0x0f, 8, 0x20020001)))
    mac = who("changes")[0]
    for _ in range(12):
        c.bare(mac, BRIDGES, LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(bpduflags=1, rootid=0x8000, rootmac=GATE, bridgeid=0x8000, bridgemac=mac), delay=0.2)
    return c


def macs():
    """A flood of made-up MACs, all towards plover's."""
    c = Wire()
    for n in range(400):
        mac = bytearray(noise("mac%d" % n, 6))
        mac[0] &= 0xfc
        c.add(":".join("%02x" % b for b in mac), PLOVER, IP(src="10.%d.%d.9" % (n // 256, n % 256), dst="192.0.2.%d" % (n % 250)) / TCP(sport=1000 + n, dport=80, flags="S"), delay=0.002)
    return c


def pcap_of(frames, start):
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
    for n, frame in enumerate(frames):
        out.append(struct.pack("<IIII", int(start), n * 1000, len(frame), len(frame)) + frame)
    return b"".join(out)


def exported(c, name, text, port=0):
    """heron's conversation goes through the box, and what the box saw goes out as text in segments of 700 bytes."""
    mac, own, _ = who(name)
    port = port or len(CAST)
    frames = []
    for back, p in tcp(H4, FAR, 41000 + port, 8443, says(name, 10), "%s%d" % (name, port)):
        a, b = (GATE, HERON) if back else (HERON, GATE)
        c.add(a, b, p, delay=0.01)
        frames.append(raw(Ether(src=a, dst=b) / p))
    data = text(pcap_of(frames, c.now))
    exchange(c, tcp(own, FAR2, 42000 + port, 9999, [(False, data[i:i + 700]) for i in range(0, len(data), 700)], "out%s%d" % (name, port)), client=mac)


def gzip_exports():
    """What gzip writes, several times; and files that hold no capture."""
    c = Wire()
    for n in range(4):
        exported(c, "gzip", lambda data: gzip.compress(data, mtime=0), 700 + n)
    mac, own, _ = who("archive")
    data = gzip.compress(noise("archive", 4000), mtime=0)
    exchange(c, tcp(own, FAR2, 42900, 9999, [(False, data[i:i + 700]) for i in range(0, len(data), 700)], "archive"), client=mac)
    data = gzip.compress(bytes(4000000), mtime=0)
    exchange(c, tcp(own, FAR2, 42901, 9999, [(False, data[i:i + 700]) for i in range(0, len(data), 700)], "bomb"), client=mac)
    return c


def text_exports():
    c = Wire()
    exported(c, "base64", base64.encodebytes)
    exported(c, "hex", lambda data: b"\n".join(data[i:i + 30].hex().encode() for i in range(0, len(data), 30)))
    exported(c, "post", lambda data: b"POST /up HTTP/1.1\r\nHost: drop.example\r\nTransfer-Encoding: identity\r\n\r\n" + base64.b64encode(data))
    return c


def headed(c, name, header, link):
    mac, own, _ = who(name)
    for n, (back, p) in enumerate(tcp(H4, FAR, 43000 + len(CAST), 8443, says(name, 10), name)):
        a, b = (GATE, HERON) if back else (HERON, GATE)
        c.add(a, b, p, delay=0.01)
        inner = raw(Ether(src=a, dst=b) / p)[0 if link else 14:]
        c.add(mac, GATE, IP(src=own, dst=FAR2) / UDP(sport=40404, dport=4341) / Raw(header(n, inner) + inner), delay=0.0004)


def headers():
    """Copies behind short headers of several kinds."""
    c = Wire()
    headed(c, "lisp", lambda n, inner: bytes.fromhex("c000000000000001"), False)
    headed(c, "length", lambda n, inner: struct.pack("!H", len(inner)), True)
    headed(c, "session-id", lambda n, inner: struct.pack("!III", 0x11223344, 7, n), True)
    return c


def pieces():
    """Proxies: a head that is written field by field; TLS that is ended behind a CONNECT; NAT of a few bytes."""
    c = Wire()
    mac, own, _ = who("field-by-field")
    for n in range(9):
        head = b"GET http://shop.example/cart?n=%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n" % n
        parts = [b"GET /cart?n=%d HTTP/1.1\r\nHost: shop.example\r\n" % n, b"Connection: close\r\n", b"Via: 1.1 box (tinyproxy/1.11.1)\r\n", b"User-Agent: curl/7.88.1\r\n", b"Accept: */*\r\n\r\n"]
        near = list(tcp(H4, own, 44000 + n, 8888, [(False, head), (True, b"HTTP/1.0 200 OK\r\nVia: 1.1 box\r\n\r\n" + PAGE[-60:])], "t%d" % n))
        exchange(c, near[:-1], server=mac)
        exchange(c, tcp(own, FAR, 44100 + n, 80, [(False, part) for part in parts] + [(True, PAGE)], "u%d" % n), client=mac, delay=0.0005)
        exchange(c, near[-1:], server=mac)
        c.wait(2)
    mac, own, _ = who("behind-connect")
    for n in range(4):
        exchange(c, tcp(H4, own, 45000 + n, 3128, [(False, b"CONNECT portal.example:443 HTTP/1.1\r\nHost: portal.example:443\r\n\r\n"), (True, b"HTTP/1.1 200 Connection established\r\n\r\n"), (False, hello("client%d" % n, b"portal.example"))], "m%d" % n), server=mac)
        exchange(c, tcp(own, FAR, 45100 + n, 443, [(False, hello("other%d" % n, b"portal.example").replace(b"\xc0\x2f\xc0\x30", b"\x13\x01\x13\x02"))], "n%d" % n), client=mac, delay=0.002)
        c.add(mac, GATE, IP(src=own, dst=FAR) / TCP(sport=45100 + n, dport=443, flags="FA", seq=5000, ack=1))
        c.wait(3)
    mac, own, _ = who("little")
    for n in range(3):
        near = IP(src=H4, dst=FAR, id=700 + n) / UDP(sport=5000, dport=27960) / Raw(b"ping%02d" % n)
        back = IP(src=FAR, dst=own, id=900 + n, ttl=55) / UDP(sport=27960, dport=6100) / Raw(b"pong%02d" % n)
        c.add(HERON, mac, near, delay=0.5)
        c.add(mac, GATE, changed(near, src=own, sport=6100), delay=0.0003)
        c.add(GATE, mac, back, delay=0.02)
        c.add(mac, HERON, changed(back, dst=H4, dport=5000), delay=0.0003)
    return c


def diverted(name="untagged"):
    """heron's gateway by ARP, and heron's conversation through the box."""
    c = Wire()
    mac = who(name)[0]
    c.add(mac, HERON, ARP(op=2, hwsrc=mac, psrc=G4, hwdst=HERON, pdst=H4))
    forward(c, tcp(H4, FAR, 46000, 443, says(name), name), mac)
    babel(c, name)
    return c.untag()


def position():
    """A stolen port by empty frames; a resolver in a forged acknowledgement; ARP in another's overlay."""
    c = Wire()
    mac, own, _ = who("empty")
    for _ in range(5):
        c.add(HERON, mac, Raw(b""), delay=0.02)
        c.frames[-1] = (c.now, c.frames[-1][1][:16] + b"\x90\0" + bytes(44))
    own = who("resolver")[1]
    c.add(GATE, ALL, IP(src=G4, dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="10.118.7.140", chaddr=bytes.fromhex(HERON.replace(":", "")), xid=77) /
          DHCP(options=[("message-type", "ack"), ("server_id", G4), ("router", G4), ("name_server", own), ("lease_time", 600), "end"]), delay=1)
    mac, own, _ = who("intruder")
    inner = raw(Ether(src=mac, dst=ALL) / ARP(op=1, hwsrc=mac, psrc="10.50.0.66", pdst="10.50.0.11"))
    c.add(mac, VTEP, IP(src=own, dst=V4) / UDP(sport=49999, dport=4789) / Raw(struct.pack("!II", 0x08000000, 7001 << 8) + inner), delay=1)
    return c


def sent_on():
    """Copies of heron's packets, in VXLAN and as a capture, to plover, who did not ask for them."""
    c = Wire()
    for name in ("to-plover", "to-plover-pcap"):
        mac, own, _ = who(name)
        for n, (back, p) in enumerate(tcp(H4, FAR, 48000 + len(CAST), 8443, says(name, 10), name)):
            a, b = (GATE, HERON) if back else (HERON, GATE)
            c.add(a, b, p, delay=0.01)
            frame = raw(Ether(src=a, dst=b) / p)
            if name == "to-plover":
                payload, port = struct.pack("!II", 0x08000000, 77 << 8) + frame, 4789
            else:
                head = pcap_of([], c.now) if n == 0 else b""
                payload, port = head + struct.pack("<IIII", int(c.now), n, len(frame), len(frame)) + frame, 5555
            c.add(mac, PLOVER, IP(src=own, dst=P4) / UDP(sport=40404, dport=port) / Raw(payload), delay=0.0004)
    return c


def steered(c, mac, there, out, back_in, seed):
    """heron's packets end at the box, which sends them on by a tunnel; so do the answers."""
    for back, p in tcp(H4, there, 49000 + len(seed), 8443, says(seed, 24), seed):
        if back:
            c.add(GATE, mac, back_in(p), delay=0.01)
            c.add(mac, HERON, changed(p), delay=0.0003)
        else:
            c.add(HERON, mac, p, delay=0.01)
            c.add(mac, GATE, out(p), delay=0.0003)


def steering():
    c = Wire()
    mac, own, _ = who("steer-vxlan")
    vxlan = UDP(sport=40404, dport=4789) / Raw(struct.pack("!II", 0x08000000, 77 << 8))
    steered(c, mac, FAR, lambda p: IP(src=own, dst=FAR2) / vxlan / Raw(raw(Ether(src=HERON, dst=mac) / p)),
            lambda p: IP(src=FAR2, dst=own, ttl=57) / vxlan / Raw(raw(Ether(src=mac, dst=HERON) / p)), "steer-vxlan")
    mac2, own2, _ = who("steer-ipip")
    steered(c, mac2, FAR, lambda p: IP(src=own2, dst=FAR2, proto=4) / Raw(raw(changed(p))),
            lambda p: IP(src=FAR2, dst=own2, ttl=57, proto=4) / Raw(raw(p)), "steer-ipip")
    c.wait(8)
    exchange(c, tcp(P4, FAR, 47901, 80, fetch(b"198.51.100.90"), "steer-end"), client=PLOVER)
    return c


def gateway_of(c, name):
    """A network of its own behind a tenant's gateway, which heron was given the way to."""
    mac, own, _ = who(name)
    steered(c, mac, "192.168.77.5", lambda p: IP(src=own, dst=FAR2, proto=4) / Raw(raw(changed(p))),
            lambda p: IP(src=FAR2, dst=own, ttl=57, proto=4) / Raw(raw(p)), "own-net")


def itself():
    """From a NIC to itself, with somebody else's address: nobody in particular says so."""
    c = Wire()
    for _ in range(4):
        c.add(HERON, HERON, ARP(op=1, hwsrc=HERON, psrc=P4, pdst=P4))
    return c


def ordinary():
    c = Wire()
    nobody = who("nobody")
    # LLDP and CDP of servers; a guest's bridge with a change; a loop-back test that says something.
    c.bare(nobody[0], LLDP_TO, lldp(nobody[0], 0x80))
    c.bare(nobody[0], CISCO, cdp(0x10))
    for _ in range(8):
        c.bare(nobody[0], BRIDGES, LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(bpduflags=1, rootid=0x8000, rootmac=GATE, bridgeid=0x8000, bridgemac=nobody[0]), delay=2)
    for n in range(4):
        c.bare(HERON, nobody[0], b"\x90\0" + noise("test%d" % n, 46))
    # Machines that nobody registered wake up and speak to the gateway; they are of three makers.
    for n in range(150):
        c.add("00:16:%02x:00:%02x:01" % (0x3e + n % 3, n), GATE, IP(src="10.118.7.%d" % (50 + n), dst=FAR) / UDP(sport=123, dport=123) / Raw(noise("ntp%d" % n, 48)), delay=0.002)
    # Everybody fetches the same page, nobody's proxy among them; a server that asks itself through the gateway.
    for n in range(4):
        exchange(c, tcp(H4, FAR, 47000 + n, 80, fetch(b"198.51.100.90"), "h%d" % n))
        exchange(c, tcp(nobody[1], FAR, 47100 + n, 80, fetch(b"198.51.100.90"), "n%d" % n), client=nobody[0])
        exchange(c, tcp(H4, nobody[1], 47200 + n, 80, fetch(b"10.118.8.99"), "c%d" % n), server=nobody[0])
    # A proxy's client that passes TLS through it, three times: told as relay.proxy where it is another's, here one's own.
    for n in range(4):
        wish = [(False, b"CONNECT portal.example:443 HTTP/1.1\r\nHost: portal.example:443\r\n\r\n"), (True, b"HTTP/1.1 200 OK\r\n\r\n"), (False, hello("mine%d" % n, b"portal.example"))]
        exchange(c, tcp("10.118.7.11", H4, 47300 + n, 3128, wish, "w%d" % n), client="02:d7:00:00:0a:02", server=HERON)
        exchange(c, tcp(H4, FAR, 47400 + n, 443, [(False, hello("mine%d" % n, b"portal.example"))], "x%d" % n))
        c.wait(1)
    # heron's own capture as base64, to its own analyser outside.
    frames = []
    for back, p in tcp(H4, FAR, 47500, 8443, says("own", 10), "own"):
        a, b = (GATE, HERON) if back else (HERON, GATE)
        c.add(a, b, p, delay=0.01)
        frames.append(raw(Ether(src=a, dst=b) / p))
    data = base64.encodebytes(pcap_of(frames, c.now))
    exchange(c, tcp(H4, FAR2, 47501, 9999, [(False, data[i:i + 700]) for i in range(0, len(data), 700)], "ownout"))
    # A leased client is given plover's and the world's name servers by the provider: one is plover's own, the other far.
    for dns, client in ((P4, PLOVER), ("192.0.2.53", HERON)):
        c.add(GATE, ALL, IP(src=G4, dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="10.118.7.%d" % (140 + len(dns)), chaddr=bytes.fromhex(client.replace(":", "")), xid=78) /
              DHCP(options=[("message-type", "ack"), ("server_id", G4), ("router", G4), ("name_server", dns), ("lease_time", 600), "end"]), delay=1)
    gateway_of(c, "nobody")
    # Small datagrams with the same bytes, on ways of their own.
    for n in range(3):
        c.add(HERON, GATE, IP(src=H4, dst=FAR, id=10 + n) / UDP(sport=5000, dport=27960) / Raw(b"ping%02d" % n), delay=0.3)
        c.add(nobody[0], GATE, IP(src=nobody[1], dst=FAR, id=10 + n) / UDP(sport=5000, dport=27960) / Raw(b"ping%02d" % n), delay=0.001)
    c.add(GATE, HERON, IP(src=G4, dst=H4) / ICMP() / Raw(noise("p", 56)))
    c.wait(8)
    exchange(c, tcp(P4, FAR, 47900, 80, fetch(b"198.51.100.90"), "end"), client=PLOVER)
    return c


def inventory(name, segments, home):
    lines = ["# Who is who in hostile-*.pcap.gz.  Written by make_hostile.py.", "version: 1", "segments:"] + segments + [
        "tenants:", "  - name: heron", "    segments: [%s]" % home, "    hosts:",
        '      - { name: h1, mac: "%s", ip: %s }' % (HERON, H4),
        '      - { name: h2, mac: "02:d7:00:00:0a:02", ip: 10.118.7.11 }',
        "  - name: plover", "    segments: [%s]" % home, "    hosts:",
        '      - { name: p1, mac: "%s", ip: %s }' % (PLOVER, P4)]
    for player in CAST:
        mac, ip, ip6 = who(player)
        lines += ["  - name: %s" % player, "    segments: [%s]" % home.split(",", maxsplit=1)[0], "    hosts:", '      - { name: box, mac: "%s", ip: [%s, "%s"] }' % (mac, ip, ip6)]
    lines += ["infrastructure:", '  - { name: gate, mac: "%s", ip: [%s, "fe80::1"], roles: [router, dhcp] }' % (GATE, G4),
              '  - { name: vtep, mac: "%s", ip: %s, roles: [vtep] }' % (VTEP, V4), "taps:", "  - { name: span, view: ingress }", ""]
    with open(os.path.join(make_relay.HERE, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    same_page().write("hostile-same-page.pcap.gz")
    routers().write("hostile-routers.pcap.gz")
    macs().write("hostile-macs.pcap.gz")
    text_exports().write("hostile-text.pcap.gz")
    gzip_exports().write("hostile-gzip.pcap.gz")
    headers().write("hostile-headers.pcap.gz")
    pieces().write("hostile-pieces.pcap.gz")
    diverted().write("hostile-untagged.pcap.gz")
    position().write("hostile-position.pcap.gz")
    sent_on().write("hostile-sent-on.pcap.gz")
    steering().write("hostile-steering.pcap.gz")
    itself().write("hostile-itself.pcap.gz")
    ordinary().write("hostile-ordinary.pcap.gz")
    MARSH = "  - { name: marsh, vlan: 845, prefixes: [10.118.7.0/24, 10.118.8.0/24], domain: default, dynamic: [10.118.7.128/25] }"
    inventory("hostile.yaml", [MARSH, "  - { name: reeds, vlan: 846, prefixes: [10.119.0.0/24], domain: default }",
                               "  - { name: nest, vni: 7001, prefixes: [10.50.0.0/24], domain: nest }"], "marsh, reeds, nest")
    inventory("hostile-one.yaml", [MARSH], "marsh")
