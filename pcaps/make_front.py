#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_front.py - writes front-*.pcap.gz and front.yaml beside it, the same each time.

Reverse proxies, each played by a tenant that is called after what it does: they ask for another host or path, drop and
add fields, and cut the answer anew.  And what looks like them: own sites, mirrors, checks.  Frames are built by scapy
(Debian: python3-scapy) with fixed times.
"""
import os

import make_relay
from make_relay import Capture, noise
from make_trick import tcp
from scapy.all import DNS, DNSQR, DNSRR, IP, Raw, UDP

VLAN = 1203
GATE, WREN, FINCH, LARK = "4e:1c:00:00:00:01", "4e:1c:00:00:0a:01", "4e:1c:00:00:0b:01", "4e:1c:00:00:0c:01"
G4, W4, F4, L4 = "172.19.8.1", "172.19.8.10", "172.19.8.20", "172.19.8.30"
FAR, CLIENT = "198.51.100.140", "203.0.113.77"
CAST = []
DATED = b"Last-Modified: Mon, 05 Jan 2026 07:08:%02d GMT\r\n"


def who(name):
    if name not in CAST:
        CAST.append(name)
    n = CAST.index(name) + 1
    return "4e:1c:00:00:ee:%02x" % n, "172.19.9.%d" % n


def nic(ip):
    """Of who has the address, or the gateway's."""
    known = {W4: WREN, F4: FINCH, L4: LARK, "172.19.8.31": LARK[:-1] + "2"}
    for name in CAST:
        mac, own = who(name)
        known[own] = mac
    return known.get(ip, GATE)


def request(host, path=b"/", more=b"", version=b"1.1", method=b"GET", body=b""):
    return b"%s %s HTTP/%s\r\nHost: %s\r\n%sUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n%s" % (method, path, version, host, more, body)


def answer(body, more=b"", server=b"nginx", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nServer: %s\r\nContent-Type: text/html\r\n%s\r\n%s" % (status, server, more, body)


class Street(Capture):
    def __init__(self):
        super().__init__(VLAN)
        self.port = 41000

    def talk(self, client, server, says, dport=80, delay=0.001):
        self.port += 1
        for back, p in tcp(client, server, self.port, dport, says, "%d" % self.port):
            ends = (nic(server), nic(client)) if back else (nic(client), nic(server))
            self.add(*ends, p, delay=delay)

    def pass_on(self, client, relay, server, asked, asks, got, gives, dport=80):
        """client asks relay, which asks server, and answers with what it got; each a list of pieces."""
        self.port += 2
        near = list(tcp(client, relay, self.port - 1, dport, [(False, asked)] + [(True, p) for p in gives], "n%d" % self.port))
        far = list(tcp(relay, server, self.port, 80, [(False, asks)] + [(True, p) for p in got], "f%d" % self.port))
        for packets, a, b in ((near[:4], client, relay), (far, relay, server), (near[4:], client, relay)):
            for back, p in packets:
                self.add(*((nic(b), nic(a)) if back else (nic(a), nic(b))), p, delay=0.0006)
        self.wait(0.7)


def fronts():
    """wren's clients at the door of each; behind it finch's server, or one far away."""
    c = Street()
    page = b"<html><body>welcome</body></html>"
    for n in range(8):
        dated = DATED % n
        own = who("renames")[1]  # the way of nginx: Host, version, Connection; its own Server
        c.pass_on(W4, own, FAR, request(own.encode()), request(b"origin.example", more=b"Connection: close\r\n", version=b"1.0"),
                  [answer(page, b"ETag: \"6b07-21\"\r\n" + dated)], [answer(page, dated + b"ETag: \"6b07-21\"\r\n", b"front")])
        own = who("shortens")[1]  # a prefix off the path; the answer's head and body apart, then in chunks
        body = b"{\"order\":\"%s\",\"open\":%d}" % (noise("o%d" % n, 12).hex().encode(), n)
        c.pass_on(W4, own, FAR, request(own.encode(), b"/api/list"), request(b"origin.example", b"/list"),
                  [answer(b"", b"Content-Length: %d\r\n" % len(body)), body],
                  [answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), b"Transfer-Encoding: chunked\r\n", b"front")])
        own = who("session")[1]  # a cookie goes on; nothing comes back
        more = b"Cookie: sid=%s\r\n" % noise("c%d" % n, 10).hex().encode()
        c.pass_on(W4, own, FAR, request(own.encode(), b"/out", more), request(b"origin.example", b"/out", b"X-Forwarded-For: 172.19.8.10\r\n" + more),
                  [answer(b"", b"Location: /\r\n", status=b"302 Found")], [answer(b"", b"Location: /\r\n", status=b"302 Found")])
        own = who("posts")[1]  # a form that names nobody
        form = b"user=anna&password=letmein&go=on&try=%d" % n
        c.pass_on(W4, own, FAR, request(own.encode(), b"/a/login", method=b"POST", body=form), request(b"origin.example", b"/login", method=b"POST", body=form),
                  [answer(b"", b"Location: /\r\n", status=b"302 Found")], [answer(b"", b"Location: /\r\n", status=b"302 Found")])
        own = who("to-finch")[1]  # a neighbour's server behind it, a picture
        body = noise("picture%d" % n, 700)
        c.pass_on(W4, own, F4, request(own.encode(), b"/logo"), request(b"finch.example", b"/img/logo"), [answer(body, server=b"caddy")], [answer(body)], dport=8080)
    lines(c)
    # On its way to finch's own address, which finch's name leads to, it ends at the box, which asks for it.
    named(c, F4, "finch.example")
    mac, own = who("diverts")
    for n in range(8):
        c.port += 2
        near = list(tcp(W4, F4, c.port - 1, 80, [(False, request(b"finch.example", b"/x")), (True, answer(page, DATED % (20 + n)))], "dn%d" % n))
        far = list(tcp(own, F4, c.port, 80, [(False, request(F4.encode(), b"/")), (True, answer(page, DATED % (20 + n), b"apache"))], "df%d" % n))
        for packets, a in ((near[:4], WREN), (far, FINCH), (near[4:], WREN)):
            for back, p in packets:
                c.add(*((a, mac) if back == (a == FINCH) else (mac, a)), p, delay=0.0006)
        c.wait(0.5)
    return c


def chat(c, client, relay, server, near, far, dport=7000):
    """Two connections of the relay; near and far: [(back?, bytes)], the far one behind the near one's question."""
    c.port += 2
    one = list(tcp(client, relay, c.port - 1, dport, near, "n%d" % c.port))
    two = list(tcp(relay, server, c.port, dport, far, "f%d" % c.port))
    for n in range(max(len(one), len(two))):
        for back in (False, True):  # asked, asks on; is answered, answers
            for packets, a, b in ((one, client, relay), (two, relay, server))[::-1 if back else 1]:
                if n < len(packets) and packets[n][0] == back:
                    c.add(*((nic(b), nic(a)) if back else (nic(a), nic(b))), packets[n][1], delay=0.0005)
    c.wait(1)


def lines(c):
    """A protocol of plain lines, and one of bytes that look random."""
    for n in range(9):
        talk = [(True, b"220 warehouse terminal 7 ready, say who you are\r\n"), (False, b"USER anna of the harbour office\r\n"), (True, b"250 good morning anna, what will it be\r\n"),
                (False, b"TAKE %d crates of red apples\r\n" % n), (True, b"250 %d crates are on their way\r\n" % n)]
        chat(c, W4, who("lines")[1], F4, talk, talk)
        talk = [(k % 2 == 1, noise("masked%d-%d" % (n, k), 80)) for k in range(2)]
        chat(c, W4, who("masked")[1], FAR, talk, talk, 8388)


def chains(c):
    """Services that call others in the same protocol, and a mail exchanger."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000012040000000000000300000064000400100000000500100000")
    settings = bytes.fromhex("00001804000000000000050010000000030000006400060000400000040010000000")
    serving = bytes.fromhex("000000040100000000") + b"grpc-status-0 application/grpc SERVING"
    own = who("chain")[1]
    for n in range(4):
        near, far = [[(False, preface), (True, settings), (False, b"HEADERS :authority %s /grpc.health.v1.Health/Check" % host), (True, serving)] for host in (own.encode(), F4.encode())]
        chat(c, W4, own, F4, near, far, 50051)
    own = who("mail")[1]
    for n in range(4):
        letter = b"MAIL FROM:<anna@wren.example> SIZE=3%d\r\nRCPT TO:<finn@finch.example>\r\nDATA\r\n" % n
        took = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"
        near, far = [[(True, b"220 %s ESMTP Postfix\r\n" % host), (False, b"EHLO %s\r\n" % me), (True, b"250-%s\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n" % host), (False, letter), (True, took)]
                     for host, me in ((b"mx.mail.example", b"desk.wren.example"), (b"mx.finch.example", b"mx.mail.example"))]
        chat(c, W4, own, F4, near, far, 25)


def same_files(c):
    """All serve the same files and fetch them from each other, by the same program; once, one exchange falls into another."""
    own, path, file = who("serves")[1], b"/images/90317745120.iso", answer(noise("iso", 800), DATED % 44)
    for n in range(6):
        c.talk(W4, own, [(False, request(own.encode(), path)), (True, file)], delay=0.0002)
        c.talk(own, F4, [(False, request(F4.encode(), path)), (True, file)], delay=0.0002)
        c.talk(F4, W4, [(False, request(W4.encode(), path)), (True, file)], delay=0.0002)
        if n == 2:
            c.pass_on(W4, own, F4, request(own.encode(), path), request(F4.encode(), path), [file], [file])
        c.wait(1.7)


def named(c, ip, name="shop.example"):
    """The provider's resolver leads to it."""
    c.add(GATE, WREN, IP(src=G4, dst=W4) / UDP(sport=53, dport=5353 + len(CAST)) / DNS(id=7, qr=1, qd=DNSQR(qname=name), an=DNSRR(rrname=name, rdata=ip)), delay=0.1)


def quiet():
    c = Street()
    page = b"<html><body>welcome</body></html>"
    up = b"{\"status\":\"UP\",\"groups\":[\"liveness\",\"readiness\"]}"
    named(c, who("named-site")[1])
    for n in range(4):
        dated = DATED % n
        asked, asks = request(b"shop.example"), request(b"bucket.example", b"/shop/")
        own = who("named-site")[1]  # its own site, as the resolver says, in front of an origin far away
        c.pass_on(W4, own, FAR, asked, asks, [answer(page, dated)], [answer(page, dated, b"front")])
        own = who("visited-site")[1]  # its own site, to which the world comes
        for client in (CLIENT, W4):
            c.pass_on(client, own, FAR, asked, asks, [answer(page, dated)], [answer(page, dated, b"front")])
        back = L4  # in front of a machine of its own
        c.pass_on(W4, L4, "172.19.8.31", request(L4.encode()), request(b"origin.example", version=b"1.0"), [answer(page, dated)], [answer(page, dated, b"front")])
        c.pass_on(W4, who("elsewhere")[1], "10.200.0.9", asked, asks, [answer(page, dated)], [answer(page, dated, b"front")])  # private, behind the gateway
        own = who("health")[1]  # says how it is, and asks how what it needs is
        c.pass_on(W4, own, F4, request(own.encode(), b"/health"), request(F4.encode(), b"/actuator/health", b"X: y\r\n"), [answer(up)], [answer(up)], dport=8080)
        own = who("mirror")[1]  # holds what finch holds; fetches it when nobody asks, and while others do
        c.talk(own, F4, [(False, request(F4.encode(), b"/Release")), (True, answer(noise("release", 500), dated))])
        c.talk(W4, own, [(False, request(own.encode(), b"/Release")), (True, answer(noise("release", 500), dated))])
        c.talk(own, F4, [(False, request(F4.encode(), b"/Release")), (True, answer(noise("release", 500), dated))])
        for client in (W4, L4, back, own):  # everybody fetches one page
            c.talk(client, FAR, [(False, request(b"cdn.example", b"/lib.js")), (True, answer(noise("lib", 900), DATED % 59))])
        own = who("node")[1]  # two that ask the same of each other, and answer the same
        call, result = b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_blockNumber\",\"id\":1}", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1b4\"}"
        for a, b in ((W4, own), (own, F4), (F4, own), (own, W4)):
            c.talk(a, b, [(False, request(b.encode(), method=b"POST", body=call)), (True, answer(result))], dport=8545)
        c.wait(1)
    chains(c)
    same_files(c)
    return c


def inventory():
    lines = ["# Who is who in front-*.pcap.gz.  Written by make_front.py.", "version: 1", "segments:",
             "  - { name: street, vlan: %d, prefixes: [172.19.8.0/23] }" % VLAN, "tenants:"]
    hosts = [("wren", "w1", WREN, W4), ("finch", "f1", FINCH, F4), ("lark", "l1", LARK, L4)] + [(name, "box") + who(name) for name in CAST]
    for tenant, host, mac, ip in hosts:
        lines += ["  - name: %s" % tenant, "    segments: [street]", "    hosts:", '      - { name: %s, mac: "%s", ip: %s }' % (host, mac, ip)]
        if tenant == "lark":
            lines += ['      - { name: l2, mac: "%s", ip: 172.19.8.31 }' % (LARK[:-1] + "2")]
    lines += ["infrastructure:", '  - { name: gate, mac: "%s", ip: %s, roles: [router, dns] }' % (GATE, G4), "taps:", "  - { name: span, view: ingress }", ""]
    with open(os.path.join(make_relay.HERE, "front.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    fronts().write("front-others.pcap.gz")
    quiet().write("front-own.pcap.gz")
    inventory()
