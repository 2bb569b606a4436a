#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds.py FOLDER - writes the first inputs of every fuzz target to FOLDER/TARGET/.

Frames come from pcaps/ and from the list below, which has one of each protocol that some parser
reads; files come from dist/, rules/ and pcaps/.  Everything is made anew each time, so that no
binary file has to be kept.
"""

import gzip
import pathlib
import struct
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build-fuzz/seeds")

A1 = bytes.fromhex("525400000a01")
B1 = bytes.fromhex("525400000b01")
GW = bytes.fromhex("525400000001")
EVIL = bytes.fromhex("52540000cc01")
ALL = b"\xff" * 6


def put(target, name, data):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# ---- frames ---------------------------------------------------------------------------------


def ip4(text):
    return bytes(int(part) for part in text.split("."))


def ether(src, dst, kind, payload, vlan=100):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    return dst + src + tag + struct.pack("!H", kind) + payload


def ipv4(src, dst, proto, payload, ttl=64, ident=1):
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, 0x4000, ttl, proto, 0)
        + ip4(src) + ip4(dst) + payload
    )


def ipv6(src, dst, proto, payload, hops=255):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, hops) + src + dst + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport, dport, payload=b"", flags=0x18, seq=1000, options=b""):
    words = 5 + len(options) // 4
    return (
        struct.pack("!HHIIBBHHH", sport, dport, seq, 2000, words << 4, flags, 64240, 0, 0)
        + options + payload
    )


V6_A = bytes.fromhex("fd000010000000000000000000000011")
V6_B = bytes.fromhex("fd000010000000000000000000000021")
V6_LL = bytes.fromhex("fe800000000000000000000000000001")
V6_EVIL = bytes.fromhex("fe80000000000000505400fffe00cc01")
V6_ALL = bytes.fromhex("ff020000000000000000000000000001")


def four(src_mac, dst_mac, src, dst, proto, payload, **more):
    vlan = more.pop("vlan", 100)
    return ether(src_mac, dst_mac, 0x0800, ipv4(src, dst, proto, payload, **more), vlan)


def a_to_b(proto, payload, **more):
    return four(A1, B1, "10.0.0.11", "10.0.0.21", proto, payload, **more)


def evil(proto, payload, dst="10.0.0.21", src="10.0.0.66"):
    return four(EVIL, B1, src, dst, proto, payload)


def icmp6(kind, code, body, src=V6_EVIL, dst=V6_ALL):
    message = struct.pack("!BBH", kind, code, 0) + body
    return ether(EVIL, bytes.fromhex("333300000001"), 0x86DD, ipv6(src, dst, 58, message))


def arp(op, sha, spa, tha, tpa):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + sha + ip4(spa) + tha + ip4(tpa)
    return ether(sha, ALL if op == 1 else tha, 0x0806, body)


def dhcp(message, client, yours="0.0.0.0", server="10.0.0.66", options=b""):
    body = struct.pack("!BBBBIHH", 2 if message in (2, 5) else 1, 1, 6, 0, 7, 0, 0)
    body += bytes(4) + ip4(yours) + ip4(server) + bytes(4) + client + bytes(10) + bytes(192)
    body += b"\x63\x82\x53\x63\x35\x01" + bytes([message]) + b"\x36\x04" + ip4(server)
    body += b"\x33\x04\x00\x00\x0e\x10" + options + b"\xff"
    return body


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def dns(ident, flags, question, answers=()):
    body = struct.pack("!HHHHHH", ident, flags, 1, len(answers), 0, 0)
    body += name(question) + struct.pack("!HH", 1, 1)
    for answer in answers:
        body += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + ip4(answer)
    return body


def client_hello(host):
    sni = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + b"\x00\x04\x13\x01\x13\x02" + b"\x01\0"
    body += struct.pack("!H", len(sni)) + sni
    hello = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(hello)) + hello


INNER = ether(A1, B1, 0x0800, ipv4("10.50.0.1", "10.50.0.2", 17, udp(5000, 53, dns(9, 0x100, "x.y"))), 0)
INNER_IP = ipv4("10.0.0.11", "10.0.0.21", 6, tcp(40000, 80, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
PCAP_RECORD = struct.pack("<IIII", 1, 2, len(INNER), len(INNER)) + INNER
HTTP = b"GET /a/path/that/is/long?x=1 HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic aHVudGVyMi03ZjNh\r\nCookie: a=b\r\n\r\n"

PAYLOADS = {  # name: (tcp?, source port, destination port, bytes)
    "http": (1, 40000, 80, HTTP),
    "http_connect": (1, 40000, 3128, b"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n"),
    "http_answer": (1, 80, 40000, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
    "tls": (1, 40000, 443, client_hello(b"shop.example")),
    "tls_answer": (1, 443, 40000, b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(range(32, 64)) + b"\0\x13\x01\0"),
    "ssh": (1, 40000, 22, b"SSH-2.0-x\r\n\0\0\x00\x1c\x04\x14" + bytes(range(16)) + bytes(8)),
    "ssh_kexinit": (1, 40000, 22, b"\0\0\x00\x1c\x04\x14" + bytes(range(16)) + bytes(8)),
    "socks5": (1, 40000, 1080, b"\x05\x01\x00\x03\x0cshop.example\x01\xbb"),
    "mysql": (1, 3306, 40000, b"\x4a\0\0\0\x0a8.0.1\0\x01\0\0\0abcdefgh\0\xff\xf7\x21\x02\0\xff\x81\x15" + bytes(10) + b"ijklmnopqrst\0"),
    "postgres": (1, 5432, 40000, b"R\0\0\0\x0c\0\0\0\x05abcd"),
    "sip": (0, 5060, 5060, b"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKabcdefgh\r\nCall-ID: 1@x\r\n\r\n"),
    "ftp": (1, 40000, 21, b"USER x\r\nPASS hunter2-7f3a\r\n"),
    "quic": (0, 40000, 443, b"\xc3\x00\x00\x00\x01\x08" + bytes(range(8)) + b"\x08" + bytes(range(8, 16)) + b"\0\x41\x00" + bytes(260)),
    "dtls": (0, 40000, 4433, b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x40\x01\0\0\x34\0\0\0\0\0\0\x00\x34\xfe\xfd" + bytes(range(32)) + bytes(16)),
    "ike": (0, 500, 500, bytes(range(1, 9)) + bytes(8) + b"\x21\x20\x22\x08" + bytes(8) + bytes(32)),
    "ike_nat": (0, 4500, 4500, bytes(4) + bytes(range(1, 9)) + bytes(8) + b"\x21\x20\x22\x08" + bytes(40)),
    "dns": (0, 40000, 53, dns(7, 0x100, "shop.example")),
    "dns_answer": (0, 53, 40000, dns(7, 0x8180, "shop.example", ["10.0.0.66"])),
    "dns_tcp": (1, 40000, 53, struct.pack("!H", 30) + dns(7, 0x100, "shop.example")),
    "pcap": (1, 40000, 2002, PCAP + PCAP_RECORD),
    "syslog": (0, 514, 514, b"<13>Jan  1 00:00:00 host app: text that is longer than the least"),
    "sflow": (0, 40000, 6343, struct.pack("!IIIIIII", 5, 1, 0x0A000042, 0, 1, 1, 1)
              + struct.pack("!II", 1, 0x60) + struct.pack("!IIIIIIIII", 1, 1, 100, 100, 0, 1, 2, 1, 0)
              + struct.pack("!IIIIII", 1, 16 + len(INNER), 1, len(INNER), 0, len(INNER)) + INNER),
    "tzsp": (0, 40000, 37008, b"\x01\x00\x00\x01\x01" + INNER),
}


def frames():
    syn = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07"
    yield "arp_request", arp(1, A1, "10.0.0.11", bytes(6), "10.0.0.1")
    yield "arp_lie", arp(2, EVIL, "10.0.0.1", A1, "10.0.0.11")
    yield "arp_gratuitous", arp(1, EVIL, "10.0.0.21", bytes(6), "10.0.0.21")
    yield "syn", a_to_b(6, tcp(40000, 443, flags=2, options=syn))
    yield "syn_ack", four(B1, A1, "10.0.0.21", "10.0.0.11", 6, tcp(443, 40000, flags=0x12, options=syn))
    for key, (is_tcp, sport, dport, body) in PAYLOADS.items():
        transport = tcp(sport, dport, body) if is_tcp else udp(sport, dport, body)
        yield key, a_to_b(6 if is_tcp else 17, transport)
    yield "relayed_to", four(A1, EVIL, "10.0.0.11", "10.0.0.21", 6, tcp(40000, 80, HTTP))
    yield "relayed_on", four(EVIL, B1, "10.0.0.11", "10.0.0.21", 6, tcp(40000, 80, HTTP), ttl=63)
    yield "dhcp_discover", four(A1, ALL, "0.0.0.0", "255.255.255.255", 17, udp(68, 67, dhcp(1, A1)))
    yield "dhcp_offer", evil(17, udp(67, 68, dhcp(2, A1, "10.0.0.140", options=b"\x03\x04\x0a\0\0\x42\x06\x04\x0a\0\0\x42\xfc\x04http")), "255.255.255.255")
    yield "dhcp_ack", four(GW, ALL, "10.0.0.1", "255.255.255.255", 17, udp(67, 68, dhcp(5, B1, "10.0.0.150", "10.0.0.1")))
    yield "dhcp_cut", four(GW, ALL, "10.0.0.1", "255.255.255.255", 17, udp(67, 68, dhcp(5, B1, "10.0.0.150", "10.0.0.1")[:-5]))
    yield "dhcp6", ether(EVIL, A1, 0x86DD, ipv6(V6_EVIL, V6_A, 17, udp(547, 546, b"\x07\0\0\x01\0\x01\0\x0a\0\x03\0\x01" + A1 + b"\0\x02\0\x0a\0\x03\0\x01" + EVIL + b"\0\x17\0\x10" + V6_EVIL)))
    yield "router_advertisement", icmp6(134, 0, b"\x40\x00\x07\x08" + bytes(8) + b"\x01\x01" + EVIL + b"\x03\x04\x40\xc0" + bytes(12) + V6_B + b"\x19\x03\0\0\0\0\x0e\x10" + V6_EVIL)
    yield "neighbour_advertisement", icmp6(136, 0, b"\x20\0\0\0" + V6_LL + b"\x02\x01" + EVIL)
    yield "neighbour_solicitation", icmp6(135, 0, bytes(4) + V6_B + b"\x01\x01" + EVIL)
    yield "redirect6", icmp6(137, 0, bytes(4) + V6_EVIL + V6_B + b"\x02\x01" + EVIL + b"\x04\x0a\0\0\0\0\0\0" + ipv6(V6_A, V6_B, 17, udp(1, 2, bytes(24))))
    yield "redirect4", evil(1, b"\x05\x01\0\0" + ip4("10.0.0.66") + INNER_IP[:60], "10.0.0.11", "10.0.0.1")
    yield "unreachable", evil(1, b"\x03\x03\0\0\0\0\0\0" + INNER_IP[:28])
    yield "time_exceeded", evil(1, b"\x0b\0\0\0\0\0\0\0" + INNER_IP)
    yield "mdns", four(EVIL, bytes.fromhex("01005e0000fb"), "10.0.0.66", "224.0.0.251", 17, udp(5353, 5353, dns(0, 0x8400, "a1.local", ["10.0.0.66"])))
    yield "llmnr", evil(17, udp(5355, 40000, dns(5, 0x8000, "fileserver", ["10.0.0.66"])))
    yield "llmnr_question", four(A1, bytes.fromhex("01005e0000fc"), "10.0.0.11", "224.0.0.252", 17, udp(40000, 5355, dns(5, 0, "fileserver")))
    yield "nbns", evil(17, udp(137, 137, struct.pack("!HHHHHH", 9, 0x8500, 0, 1, 0, 0) + name("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") + struct.pack("!HHIHH", 0x20, 1, 60, 6, 0) + ip4("10.0.0.66")))
    yield "ptr", a_to_b(17, udp(40000, 53, dns(8, 0x100, "21.0.0.10.in-addr.arpa")))
    yield "vrrp", four(bytes.fromhex("00005e00010a"), bytes.fromhex("01005e000012"), "10.0.0.66", "224.0.0.18", 112, b"\x21\x0a\xff\x01\0\x01\0\0" + ip4("10.0.0.1"), ttl=255)
    yield "hsrp", evil(17, udp(1985, 1985, b"\0\0\x10\x03\x0a\xff\x01\0cisco\0\0\0" + ip4("10.0.0.1")), "224.0.0.2")
    stp = bytes.fromhex("424203000000000000000000525400000c010000000000000000525400000c0180010000140002000f00")
    yield "stp", bytes.fromhex("0180c2000000") + EVIL + struct.pack("!H", len(stp)) + stp
    lldp = b"\x02\x07\x04" + EVIL + b"\x04\x05\x05eth0" + b"\x06\x02\0\x78\0\0"
    # A lease at both ends, from one tenant's NIC to another's.
    yield "leased", four(A1, B1, "10.0.0.200", "10.0.0.201", 17, udp(4000, 4001, b"leased"))
    yield "lldp", bytes.fromhex("0180c200000e") + EVIL + b"\x88\xcc" + lldp
    cdp = b"\xaa\xaa\x03\0\0\x0c\x20\0\x02\xb4\0\0\0\x01\0\x06ab"
    yield "cdp", bytes.fromhex("01000ccccccc") + EVIL + struct.pack("!H", len(cdp)) + cdp
    dtp = b"\xaa\xaa\x03\0\0\x0c\x20\x04\x01\0\x01\0\x05x\0\x02\0\x05\x81"
    yield "dtp", bytes.fromhex("01000ccccccc") + EVIL + struct.pack("!H", len(dtp)) + dtp
    yield "igmp", evil(2, b"\x11\x64\0\0\0\0\0\0", "224.0.0.1")
    yield "ospf", evil(89, b"\x02\x01\0\x2c" + bytes(40), "224.0.0.5")
    yield "vxlan", four(A1, B1, "10.0.0.3", "10.0.0.21", 17, udp(5555, 4789, b"\x08\0\0\0\0\x13\x89\0" + INNER))
    yield "vxlan_gpe", a_to_b(17, udp(5555, 4790, b"\x0c\0\0\x01\0\x13\x89\0" + INNER_IP))
    yield "geneve", a_to_b(17, udp(5555, 6081, b"\x01\0\x65\x58\0\x13\x89\0\x01\x02\x03\0" + INNER))
    yield "gre", a_to_b(47, b"\x20\0\x08\0\0\0\0\x07" + INNER_IP)
    yield "nvgre", a_to_b(47, b"\x20\0\x65\x58\0\x13\x89\0" + INNER)
    yield "erspan1", a_to_b(47, b"\0\0\x88\xbe" + INNER)
    yield "erspan2", a_to_b(47, b"\x10\0\x88\xbe\0\0\0\x01\x10\x64\x18\x07\0\0\0\0" + INNER)
    yield "erspan3", a_to_b(47, b"\x10\0\x22\xeb\0\0\0\x01\x20\x64\x18\x07" + bytes(8) + INNER)
    copy = four(A1, GW, "10.0.0.11", "198.51.100.9", 6, tcp(40000, 80, HTTP))
    yield "copied", four(B1, GW, "10.0.0.21", "198.51.100.7", 47, b"\0\0\x65\x58" + copy)
    yield "ipip", a_to_b(4, INNER_IP)
    yield "6in4", a_to_b(41, ipv6(V6_A, V6_B, 17, udp(1, 53, dns(1, 0x100, "a.b"))))
    yield "gtpu", a_to_b(17, udp(2152, 2152, b"\x30\xff" + struct.pack("!HI", len(INNER_IP), 7) + INNER_IP))
    yield "l2tp", a_to_b(17, udp(1701, 1701, b"\0\x02\0\x01\0\x02\xff\x03\0\x21" + INNER_IP))
    yield "l2tpv3", a_to_b(115, b"\0\0\0\x07" + INNER)
    yield "etherip", a_to_b(97, b"\x30\0" + INNER)
    yield "mpls", ether(A1, B1, 0x8847, b"\0\x01\x01\x40" + INNER_IP)
    yield "mpls_ethernet", ether(A1, B1, 0x8847, b"\0\x01\x01\x40\0\0\0\0" + INNER)
    yield "mpls_udp", a_to_b(17, udp(5555, 6635, b"\0\x01\x01\x40" + INNER_IP))
    yield "pppoe", ether(A1, B1, 0x8864, b"\x11\0\0\x01" + struct.pack("!H", len(INNER_IP) + 2) + b"\0\x21" + INNER_IP)
    yield "qinq", A1 + B1 + b"\x88\xa8\0\xc8\x81\0\0\x64\x08\0" + INNER_IP
    yield "snap", A1 + B1 + struct.pack("!H", 8 + len(INNER_IP)) + b"\xaa\xaa\x03\0\0\0\x08\0" + INNER_IP
    yield "fragment", a_to_b(17, udp(5000, 53, bytes(24)))[:18 + 6] + b"\x20\x00" + a_to_b(17, udp(5000, 53, bytes(24)))[18 + 8:]
    yield "ipv6_chain", ether(A1, B1, 0x86DD, ipv6(V6_A, V6_B, 0, b"\x3c\0" + bytes(6) + b"\x2c\0" + bytes(6) + b"\x2b\0\0\0\0\0\0\x07" + b"\x33\x02\0\0\0\0\0\0" + bytes(0) + udp(1, 2, b"abc")))
    yield "sctp", a_to_b(132, struct.pack("!HHII", 1, 2, 3, 4) + bytes(16))


FRAMES = dict(frames())

LINKS = {  # index in targets/decode.c: how to wrap an IP packet
    1: struct.pack("<I", 2), 2: b"", 3: b"", 4: struct.pack(">I", 2),
    5: b"\0\0\0\x01\0\x06" + A1 + b"\0\0\x08\0", 6: b"",
    8: b"\x08\0\0\0\0\0\0\x02\0\x01\0\x06" + A1 + b"\0\0",
}


def captured(path):
    """The frames of a pcap file, with their times in ns."""
    data = gzip.decompress(path.read_bytes())
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1 if b"\x3c" in data[:4] else 1000
    at = 24
    while at + 16 <= len(data):
        sec, part, caplen, _ = struct.unpack(order + "IIII", data[at : at + 16])
        yield sec * 10**9 + part * unit, data[at + 16 : at + 16 + caplen]
        at += 16 + caplen


STEPS = [0, 10**3, 10**5, 10**6, 10**7, 10**8, 3 * 10**8, 10**9, 2 * 10**9, 6 * 10**9, 3 * 10**10]


def step_of(gap):
    return max(i for i, step in enumerate(STEPS) if step <= gap) if gap > 0 else 0


def sequence(inventory, bits, tap, timed):
    """An input of the pipeline target (targets/pipeline.h)."""
    out = bytes([inventory, bits, 2, 7])
    before = timed[0][0]
    for ts, frame in timed:
        frame = frame[:1500]
        out += bytes([step_of(ts - before), tap << 4]) + struct.pack("!H", len(frame)) + frame
        before = ts
    return out


def pipeline_seeds():
    for path in sorted((TOP / "pcaps").glob("*.pcap.gz")):
        which = 1 if path.name.startswith("relay") else 3 if path.name.startswith("hostile") else 0
        timed = list(captured(path))
        tap = 1 if "port-c" in path.name else 0
        for i, start in enumerate((0, len(timed) // 3, len(timed) * 2 // 3)):
            part = timed[start : start + 40]
            put("pipeline", f"{path.name}.{i}", sequence(which, (64, 2, 32)[i], tap, part))
    every = [(i * 10**8, frame) for i, frame in enumerate(FRAMES.values())]
    for bits in (0, 1, 2, 4, 8, 16, 32, 63, 64):
        put("pipeline", f"every.{bits}", sequence(2, bits, bits % 3, every))
    tunnels = ("vxlan", "vxlan_gpe", "geneve", "gre", "nvgre", "erspan1", "erspan2", "erspan3", "ipip", "6in4", "gtpu", "l2tp", "l2tpv3",
               "etherip", "mpls_ethernet", "mpls_udp", "tzsp")
    put("pipeline", "flat.2", sequence(2, 2, 0, [(i * 10**8, frame) for i, (key, frame) in enumerate(FRAMES.items()) if key not in tunnels]))
    for key, frame in FRAMES.items():
        put("pipeline", key, sequence(2, 0, 0, [(0, frame), (10**9, frame)]))


def desk_seeds():
    """targets/desk.c: ASK, TURN, ANSWER, BYTES, HEAD, TAIL, TAKE, EPOCH."""
    text = b"\x01\0\0\0\0\0\0\0" + b"\0" * 8 + b"TLS\0" + b"\0" * 20
    put("desk", "label", b"\0\6\2\1" + bytes([len(text)]) + text + b"\1")
    put("desk", "endless-text", b"\0\6\2\1\xf0" + b"A" * 240 + b"\1")
    put("desk", "nobody", b"\2\1\0\1\1")
    put("desk", "another", b"\0\5\0\6\2\2\0\1\1")
    put("desk", "twice", b"\0\6\0\7\2\1\0\1\2\0\0\1")
    put("desk", "packets", b"".join(bytes([0, i * 5 + 1]) for i in range(17)) + b"\6" * 17 + b"\1")
    put("desk", "head", b"\0\1\4\x7f\xff\xff\xff\1\1")
    put("desk", "length", b"\0\1\3\4\xff\xff\xff\xff\4\0\0\0\x40\1\1")
    put("desk", "tail", b"\5\xff\xff\xff\xff\x10" + b"\0\x4f\0\x4e" * 8 + b"\1")
    put("desk", "epoch", b"\0\6\7\0\7\2\1\0\1")


def frame_seeds():
    for key, frame in FRAMES.items():
        put("decode", key, b"\0\0\0" + frame)
        put("dpi", key, b"\0" + struct.pack("!H", len(frame)) + frame)
        if len(frame) > 18:
            put("dpi", key + "-packet", b"\x80" + struct.pack("!H", len(frame) - 18) + frame[18:])
    for link, head in LINKS.items():
        put("decode", f"link{link}", bytes([link]) + b"\0\0" + head + INNER_IP)
    put("decode", "link7", b"\x07\0\0" + ipv6(V6_A, V6_B, 17, udp(1, 2, b"abc")))
    put("decode", "ip", b"\x83\0\0" + INNER_IP)
    for key, (is_tcp, sport, dport, body) in PAYLOADS.items():
        put("token", key, bytes([is_tcp]) + struct.pack("!HH", sport, dport) + body)


# ---- files ----------------------------------------------------------------------------------


def pcapng(order, frames_):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    def option(code, value):
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "HHI", 1, 0, 65535) + option(2, b"eth1") + option(9, b"\x09") + option(14, bytes(8)) + option(0, b""))
    out += block(1, struct.pack(order + "HHI", 276, 0, 96) + option(9, b"\x86"))
    for frame in frames_:
        body = struct.pack(order + "IIIII", 0, 1, 2, len(frame), len(frame)) + frame + bytes(-len(frame) % 4)
        out += block(6, body + option(2, struct.pack(order + "I", 1)))
    out += block(3, struct.pack(order + "I", len(INNER)) + INNER)
    out += block(5, struct.pack(order + "III", 0, 0, 0)) + block(0x0BAD, b"comment ")
    return out


# An empty zstd frame, then one raw block that is last: no compressor is needed for these.
def zstd(data):
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


def file_seeds():
    some = list(FRAMES.values())[:6]
    for key, order, magic, part in (("us", "<", 0xA1B2C3D4, 2), ("ns", "<", 0xA1B23C4D, 3), ("big", ">", 0xA1B2C3D4, 4)):
        head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
        records = b"".join(struct.pack(order + "IIII", 1, part, len(f), len(f) + 9) + f for f in some)
        put("pcap", key, head + records)
        put("pcap", key + "_cut", head + records[:-9])
    put("pcapng", "cut", pcapng("<", some)[:-9])
    whole = pcapng("<", [])
    name_at = whole.index(b"eth1") - 2  # a name longer than its block, which ends the file
    put("pcapng", "long_name", whole[:name_at] + b"\xf0\xff" + whole[name_at + 2 : whole.index(b"\x01\0\0\0", name_at)])
    put("pcapng", "little", pcapng("<", some))
    put("pcapng", "big", pcapng(">", some))
    put("pcapng", "two", pcapng("<", some[:1]) + pcapng(">", some[1:2]))
    plain = PCAP + PCAP_RECORD * 3
    put("packed", "gz", gzip.compress(plain, mtime=0))
    put("packed", "gz_two", gzip.compress(plain[:50], mtime=0) + gzip.compress(plain[50:], mtime=0))
    put("packed", "zst", zstd(plain))
    put("packed", "zst_two", zstd(plain[:50]) + zstd(plain[50:]))
    put("packed", "gz_ng", gzip.compress(pcapng("<", some), mtime=0))
    put("packed", "plain", plain)
    # More than the window holds.
    put("packed", "gz_big", gzip.compress(PCAP + (struct.pack("<IIII", 1, 2, 60000, 60000) + bytes(60000)) * 20, mtime=0))
    for path in (TOP / "dist").glob("bulkhead*.yaml"):
        put("options", path.name, path.read_bytes())
    put("options", "all", ALL_OPTIONS.encode())
    full = "capture:\n" + "".join(f"  - {{ interface: e{i} }}\n" for i in range(16))
    full += "output:\n" + "  - { syslog: true }\n" * 8 + "rules: [" + ", ".join("a" * 64) + "]\n"
    put("options", "full", ("version: 1\n" + full).encode())
    for path in [*TOP.glob("pcaps/*.yaml"), TOP / "dist/inventory.yaml", TOP / "tests/fuzz/inventory.yaml"]:
        put("inventory", path.parent.name + path.name, path.read_bytes())
    for path in (TOP / "rules").glob("*.yaml"):
        text = path.read_bytes()
        put("rules", path.name, text[:16000] if len(text) < 16000 else text[: text.rfind(b"\n  - rule:", 0, 16000) + 1])
    put("rules", "all", ALL_RULES.encode())
    for i, text in enumerate(CONDITIONS):
        put("condition", str(i), text.encode())


ALL_OPTIONS = """version: 1
sensor: { name: leaf12, site: rbx }
inventory: [inventory.yaml]
rules: [rules/]
capture:
  - { interface: eth1, tap: span-leaf12, filter: "", snaplen: 65535, buffer: 256MiB, workers: 4 }
limits: { flows: 1Mi, dpi_flows: 64Ki, tokens: 256Ki, fragments: 16Ki, bindings: 256Ki, open_alerts: 16Ki, evidence: 256MiB }
dpi: { packets: 16 }
windows: { relay: 5s, token: 60s, flow_idle: 120s, update: 60s, close: 10m }
evidence: { directory: /var/lib/bulkhead/evidence, snap: 128, packets: 64, quota: 1GiB }
outbox: { file: /var/lib/bulkhead/outbox.db, quota: 256MiB }
redis: { url: "redis://127.0.0.1:6379/0", username: sensor, password_file: /etc/s, prefix: "bulkhead:", maxlen: 100000, queue: false, wait_replicas: 0 }
output: [{ file: /var/log/bulkhead/alerts.jsonl }, { syslog: true }]
geoip: { country: /usr/share/GeoIP/country.mmdb, asn: /usr/share/GeoIP/asn.mmdb }
"""

ALL_RULES = """version: 1
ruleset: all
lists:  [{ list: chatty, items: [NTP, ICMP] }]
macros: [{ macro: cross, condition: actor.tenant != victim.tenant }]
rules:
  - rule: relay.forward
    id: BH-1001
    rev: 1
    on: [relay.forward, relay.bridge]
    title: A tenant's host relays another tenant's traffic
    condition: cross and not app.proto in (chatty)
    group_by: [actor.host, victim.tenant]
    threshold: { count: 3, within: 10s }
    severity: critical
    attack: [T1557, T1040]
    output: "{actor.tenant}/{actor.host} relays {app.proto} of {victim.tenant} to {next.name}"
    evidence: { packets: 64 }
    exceptions: [{ name: fw, fields: [actor.tenant, victim.tenant], values: [[netops, "*"], [ac*me, gl*]], reason: t, until: 2027-01-31 }]
    enabled: true
    tests:
      - { name: fires, event: { kind: relay.forward, actor: { tenant: acme, host: a1 }, victim: { tenant: globex } }, times: 3, expect: { alerts: 1, severity: critical } }
override: [{ rule: BH-1001, set: { severity: low }, reason: "lab switch" }]
"""

CONDITIONS = [
    "cross and not app.proto in (chatty)\0{actor.tenant}/{actor.host} to {next.name}",
    "actor.host = acme/a1 or (victim.ip in within(10.0.0.0/8) and bytes > 1KiB)\0{bytes} {{x}}",
    "confidence >= strong and attribution != claimed\0{confidence}",
    "actor.mac = 52:54:00:00:00:03 and flow.proto in (TCP, UDP, 47)\0{actor.mac} {victim.ip}",
    "victim.ip within(fd00::/8) or vlan in (100, 200)\0{vlan}",
    "delay > 10ms and ttl_delta < 0 and count >= 3\0{delay} {count}",
    'detail.router = "fe80::1" or not (not actor.roles = router)\0{detail.router}{detail.dns}',
    "app.risks = 1 and app.cleartext_credentials = yes\0{app.host}",
    "kind in (relay.forward, relay.bridge)\0{kind}",
    "((((cross))))\0",
]


# ---- Redis, outbox, words -------------------------------------------------------------------


def answers(bits, *texts):
    return bytes([bits]) + b"".join(struct.pack("!H", len(t)) + t for t in texts)


def sink_seeds():
    ok, none, two = b"+OK\r\n", b"$-1\r\n", b"$1\r\n2\r\n"
    queued = b"+QUEUED\r\n"
    echo = b"$10\r\n1000000000\r\n"  # the target's clock stands
    words = b"*1\r\n*2\r\n$4\r\nacks\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*6\r\n$2\r\nid\r\n$4\r\nabcd\r\n$6\r\naction\r\n$8\r\nsuppress\r\n$5\r\nuntil\r\n$20\r\n2026-02-01T00:00:00Z\r\n"
    put("redis", "resume", answers(0, b"+PONG\r\n", ok + none + echo, none + words))
    put("redis", "long", answers(0, b"+PONG\r\n", ok + none + echo, none + words.replace(b"$4\r\nabcd", b"$99\r\n" + b"a" * 99)))
    put("redis", "cursor", answers(0, b"+PONG\r\n", ok + two + echo, two + words.replace(b"2026-02-01T00:00:00Z", b"00000000001769904000")))
    for commands in range(10, 40, 3):
        done = ok + queued * commands + b"*%d\r\n" % commands + b"$3\r\n1-1\r\n" * commands
        put("redis", f"deliver{commands}", answers(1, b"+PONG\r\n", ok + none + echo, done + ok + b"$1\r\n3\r\n", b"$1\r\n3\r\n*-1\r\n"))
    put("redis", "aborted", answers(5, b"+PONG\r\n", ok + none + echo, ok + b"-OOM command not allowed\r\n" * 30 + b"-EXECABORT x\r\n" + ok + none))
    put("redis", "heartbeat", answers(2, b"+PONG\r\n", ok + none + echo, b":1\r\n:1\r\n:1\r\n:0\r\n$3\r\n1-1\r\n", none + b"*-1\r\n"))
    put("redis", "refused", answers(0, b"-NOAUTH Authentication required.\r\n"))
    put("redis", "replicas", answers(9, b"+PONG\r\n", b":1\r\n" + ok + none + echo, ok + queued * 20 + b"*-1\r\n"))
    for i, text in enumerate((ok + two + none, words, b"*2\r\n:1\r\n*-1\r\n-ERR x\r\n", b"$1048576\r\n", b"*65536\r\n")):
        put("resp", str(i), bytes([1, 255, 3, 0, 9, 2, 200, 40]) + text)
    row = b"\x01\0\0" * 2
    columns = "idqqqqqssssssssssssssqqqs"
    kinds = {"i": "00112233445566778899aabbccddeeff", "s": "acme"}
    for c in columns:
        row += b"\x02" + struct.pack("!H", len(kinds[c])) + kinds[c].encode() if c in kinds else b"\x01\0\0"
    put("outbox", "row", b"\0" + row + b"\x02\0\x02{}")
    put("outbox", "nulls", b"\0" + bytes(90))
    put("outbox", "empty_file", b"\x01")
    put("outbox", "header", b"\x01SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20" + bytes(76))
    import sqlite3
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        base = sqlite3.connect(folder + "/x")
        base.execute("PRAGMA page_size=512")
        base.execute("CREATE TABLE records(sequence INTEGER PRIMARY KEY AUTOINCREMENT, written INTEGER NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL)")
        base.execute("INSERT INTO records VALUES(1, 1, 'x', '{}')")
        base.commit()
        base.close()
        put("outbox", "stranger", b"\x01" + pathlib.Path(folder + "/x").read_bytes())


def word_seeds():
    for i, words in enumerate(("a.pcap\0b.pcapng.gz\0udp\0port 53", "-\0tcp", "x\0y\0.", "missing.cap.zst")):
        put("words", f"words{i}", b"\0" + words.encode())
    for i, text in enumerate(("10.0.0.1", "fd00:10::21/64", "::ffff:1.2.3.4", "52:54:00:00:0b:01", "10.0.0.0/24", "1:2:3:4:5:6:7:8", "::", "::/0")):
        put("words", f"address{i}", b"\x01" + text.encode())
    for i, text in enumerate(("256MiB", "1Ki", "120ms", "30d", "2027-01-01", "2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59+02:00", "critical", "proof", "load-balancer", "42")):
        put("words", f"number{i}", b"\x02" + text.encode())
    for i, text in enumerate(("redis://user:p%40ss@[fd00::1]:6380/3", "unix:///run/redis.sock", "rediss://x", "redis://h")):
        put("words", f"url{i}", b"\x03" + text.encode())
    for i, text in enumerate(("udp port 53", "vlan 100 and tcp[13] & 2 != 0", "host 10.0.0.1 or net fd00::/8", "ether host 52:54:00:00:0b:01", "not (icmp or arp) and len > 60", "ip6 proto 58")):
        put("filter", str(i), text.encode())
    for i, text in enumerate((b"plain", b"\x00\x1b[31m\x7f", "é\u202e\u200b😀<&>'\"".encode(), b"\xc3\x28\xf0\x9f\xed\xa0\x80\xff", b"x" * 300)):
        put("json", str(i), b"\x10\x00" + text)
        put("json", f"{i}short", b"\x00\x20" + text)


# ---- MaxMind DB (maxmind.github.io/MaxMind-DB) ------------------------------------------------


def field(kind, size, body=b""):
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + body


def text(value):
    return field(2, len(value), value.encode())


def number(kind, value):
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    return field(kind, len(raw), raw)


def mapping(**members):
    return field(7, len(members)) + b"".join(text(k) + v for k, v in members.items())


def mmdb(version, data):
    """Half of all addresses (the upper one) has the data, the rest has none."""
    bits = 24
    node = (1).to_bytes(3, "big") + (1 + 16).to_bytes(3, "big")
    meta = mapping(
        node_count=number(6, 1), record_size=number(5, bits), ip_version=number(5, version),
        database_type=text("fuzz"), languages=field(11, 0), binary_format_major_version=number(5, 2),
        binary_format_minor_version=number(5, 0), build_epoch=number(9, 1767225600),
        description=mapping(en=text("fuzz")),
    )
    return node + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta


def mmdb_seeds():
    place = mapping(country=mapping(iso_code=text("FR")), autonomous_system_number=number(6, 64500))
    put("mmdb", "four", mmdb(4, place))
    put("mmdb", "six", mmdb(6, place))
    put("mmdb", "other", mmdb(6, mapping(country=text("FR"), autonomous_system_number=text("x"))))


pipeline_seeds()
mmdb_seeds()
frame_seeds()
desk_seeds()
file_seeds()
sink_seeds()
word_seeds()
