#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_passing.py - writes passing-on.pcap.gz and passing.yaml beside it, the same each time.

Services that pass on what their clients say, to where these addressed it: chat, brokers, meeting points, hooks, collectors, caches.  Each is played by a tenant that is called after what it does.  Frames are built by scapy (Debian: python3-scapy)
with fixed times.
"""
import os

import make_relay
from make_front import CAST, DATED, FAR, FINCH, F4, G4, GATE, LARK, L4, VLAN, WREN, W4, Street, answer, nic, request, who
from make_relay import noise
from make_trick import tcp
from scapy.all import DNS, DNSQR, DNSRR, ICMP, IP, Raw, UDP, raw

L24, LB, LB4 = "172.19.8.31", "4e:1c:00:00:00:07", "172.19.8.7"


def meet(c, at, port, turns, ends=(W4, F4), delay=0.001):
    """All ends connect to it; turns: [(end's number, back?, bytes)] in the order in which they come."""
    flows = []
    for n, end in enumerate(ends):
        c.port += 1
        flows.append(list(tcp(end, at, c.port, port, [(b, data) for one, b, data in turns if one == n], "m%d" % c.port)))

    def put(n):
        back, p = flows[n].pop(0)
        c.add(*((nic(at), nic(ends[n])) if back else (nic(ends[n]), nic(at))), p, delay=delay)
    for n in range(len(ends)):
        for _ in range(3):
            put(n)
    for n, _, _ in turns:
        put(n)
    c.wait(1.3)


def talks(c):
    door, broker, point = (who(name)[1] for name in ("chat", "broker", "meeting-point"))
    for n in range(6):
        turns = []
        for k in range(3):
            for one in (0, 1):
                line = b"<%s> %d-%d have you seen the new price list of the harbour?\n" % ((b"anna", b"finn")[one], n, k)
                turns += [(one, False, line), (1 - one, True, line)]
        meet(c, door, 7000, turns)
        turns = []
        for one in (0, 1):
            turns += [(one, False, b"\x10\x1e\x00\x04MQTT\x04\x02\x00\x3c\x00\x12device-%d-of-%d-here" % (one, n)), (one, True, b"\x20\x02\x00\x00")]
        for one in (0, 1):
            data = b"\x30\x50\x00\x03a/%d" % one + noise("mqtt%d-%d" % (n, one), 74)
            turns += [(one, False, data), (1 - one, True, data)]
        meet(c, broker, 1883, turns)
        turns = []
        for k in range(2):
            for one in (0, 1):
                data = noise("piped%d-%d-%d" % (n, k, one), 90)
                turns += [(one, False, data), (1 - one, True, data)]
        meet(c, point, 22067, turns)


def nodes(c):
    """All that say the same when they begin: a network of equals, whose middle one wakes up."""
    own = who("node-of-many")[1]
    once = b"\xf9\xbe\xb4\xd9wtxidrelay\x00\x00\x00\x00\x00\x00\x5d\xf6\xe0\xe2\xf9\xbe\xb4\xd9verack\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x5d\xf6\xe0\xe2"
    twice = b"\xf9\xbe\xb4\xd9sendcmpct\x00\x00\x00\x09\x00\x00\x00\xe9\x2f\x5e\xf8\x00\x02\x00\x00\x00\x00\x00\x00\x00"
    for n in range(6):
        flows = []
        for end in (W4, F4):
            c.port += 1
            hi = [b"\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00\x66\x00\x00\x00" + noise("v%d-%s-%d" % (n, end, k), 60) for k in (0, 1)]
            flows.append((end, list(tcp(own, end, c.port, 8333, [(False, hi[0]), (True, hi[1]), (True, once), (False, once), (True, twice), (False, twice)], "b%d" % c.port))))
        for k in range(9):
            for end, packets in flows:
                back, p = packets[k]
                c.add(*((nic(end), nic(own)) if back else (nic(own), nic(end))), p, delay=0.0007)
        c.wait(2)


def post(host, path, body):
    return request(host, path, b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body), method=b"POST", body=body)


def hooks(c):
    deep = who("deep-health")[1]
    for n in range(8):
        check, up = b"{\"check\":\"deep\",\"services\":[\"all\"]}", answer(b"{\"status\":\"UP\"}", b"Content-Length: 15\r\n")
        c.pass_on(W4, deep, F4, post(deep.encode(), b"/rpc/health", check), post(F4.encode(), b"/rpc/health", check), [up], [up], dport=8080)
        c.wait(130)
    hub, echo, fan, asks = (who(name)[1] for name in ("hooks", "hooks-back", "hooks-many", "federated"))
    ok, none, queued = answer(b"{\"ok\":true}", b"Content-Length: 11\r\n"), answer(b"", status=b"204 No Content"), answer(b"{\"queued\":1}", status=b"202 Accepted")
    for n in range(8):
        event = b"{\"id\":\"evt_%s\",\"type\":\"invoice.paid\",\"amount\":%d}" % (noise("e%d" % n, 9).hex().encode(), n)
        c.pass_on(W4, hub, F4, post(hub.encode(), b"/publish/finch", event), post(b"finch.example", b"/hook", event), [none], [queued], dport=8080)
        c.pass_on(L4, echo, L24, post(echo.encode(), b"/v1/publish", event[::-1]), post(L24.encode(), b"/callback", event[::-1]), [none], [queued], dport=8080)
        act = b"{\"@context\":[\"https://www.w3.org/ns/activitystreams\",\"https://w3id.org/security/v1\",{\"toot\":\"http://joinmastodon.org/ns#\",\"featured\":{\"@id\":\"toot:featured\",\"@type\":\"@id\"},\"alsoKnownAs\":{\"@id\":\"as:alsoKnownAs\",\"@type\":\"@id\"},\"Emoji\":\"toot:Emoji\"}],\"id\":\"https://wren.example/n/%d\"}" % n
        c.pass_on(W4, asks, F4, post(b"federated.example", b"/inbox", act), post(b"finch.example", b"/inbox", act.replace(b"/n/", b"/boost/")), [queued], [queued])
        # To two that have asked for it
        c.port += 3
        near = list(tcp(W4, fan, c.port - 2, 8080, [(False, post(fan.encode(), b"/e", event[:30] + event)), (True, ok)], "n%d" % c.port))
        out = [(to, list(tcp(fan, to, c.port - k, 80, [(False, post(to.encode(), b"/hook", event[:30] + event)), (True, ok)], "f%d-%d" % (c.port, k)))) for k, to in enumerate((F4, FAR))]
        for packets, a, b in [(near[:4], W4, fan)] + [(p, fan, to) for to, p in out] + [(near[4:], W4, fan)]:
            for back, p in packets:
                c.add(*((nic(b), nic(a)) if back else (nic(a), nic(b))), p, delay=0.0006)
        c.wait(1)


def led(c, client, ip, name):
    c.add(GATE, nic(client), IP(src=G4, dst=client) / UDP(sport=53, dport=5400) / DNS(id=9, qr=1, qd=DNSQR(qname=name), an=DNSRR(rrname=name, rdata=ip)), delay=0.1)


def shops(c):
    """Where a name leads to, or the provider's balancer: what its owner does behind it is its own business."""
    metrics, cache, site = (who(name)[1] for name in ("collector", "pull-through", "published"))
    led(c, W4, metrics, "metrics.collector.example")
    led(c, W4, cache, "registry.cache.example")
    none = answer(b"", status=b"204 No Content")
    for n in range(8):
        rows = b"cpu,host=w1 usage=%d.5 17672256000000000%02d\nmem,host=w1 used=%d\n" % (n, n, n * 77)
        c.pass_on(W4, metrics, FAR, request(b"metrics.collector.example:8086", b"/write?db=w", method=b"POST", body=rows),
                  request(b"tsdb.example:8086", b"/write?db=w", method=b"POST", body=rows), [none], [none], dport=8086)
        layer, date = noise("layer%d" % n, 800), DATED % n
        c.pass_on(W4, cache, FAR, request(b"registry.cache.example:5000", b"/v2/library/x/blobs/%d" % n), request(b"registry.example", b"/v2/library/x/blobs/%d" % n),
                  [answer(layer, date)], [answer(layer, date, b"registry")], dport=5000)
        c.pass_on(LB4, site, F4, request(b"shop.example", b"/list"), request(b"api.finch.example", b"/v1/list"), [answer(b"[]", DATED % (30 + n))], [answer(b"[]", DATED % (30 + n), b"front")], dport=8080)


def framed(c):
    """Wren's packets as lark saw them, in pings to who answers pings."""
    own = who("answers-pings")[1]
    for n, (back, p) in enumerate(tcp(W4, F4, 52100, 5432, [(k % 2 == 1, noise("framed%d" % k, 80)) for k in range(24)], "framed")):
        c.add(*((FINCH, WREN) if back else (WREN, FINCH)), p, delay=0.01)
        data = Raw(raw(p))
        c.add(LARK, nic(own), IP(src=L4, dst=own) / ICMP(id=70, seq=n) / data, delay=0.0004)
        c.add(nic(own), LARK, IP(src=own, dst=L4) / ICMP(type=0, id=70, seq=n) / data, delay=0.0004)


def inventory():
    lines = ["# Who is who in passing-*.pcap.gz.  Written by make_passing.py.", "version: 1", "segments:",
             "  - { name: street, vlan: %d, prefixes: [172.19.8.0/23] }" % VLAN, "tenants:"]
    hosts = [("wren", "w1", WREN, W4), ("finch", "f1", FINCH, F4), ("lark", "l1", LARK, L4)] + [(name, "box") + who(name) for name in CAST]
    for tenant, host, mac, ip in hosts:
        lines += ["  - name: %s" % tenant, "    segments: [street]", "    hosts:", '      - { name: %s, mac: "%s", ip: %s }' % (host, mac, ip)]
        if tenant == "lark":
            lines += ['      - { name: l2, mac: "%s", ip: %s }' % (LARK[:-1] + "2", L24)]
    lines += ["infrastructure:", '  - { name: gate, mac: "%s", ip: %s, roles: [router, dns] }' % (GATE, G4),
              '  - { name: spread, mac: "%s", ip: %s, roles: [load-balancer] }' % (LB, LB4), "taps:", "  - { name: span, view: ingress }", ""]
    with open(os.path.join(make_relay.HERE, "passing.yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    street = Street()
    for scene in (talks, nodes, shops, framed, hooks):
        scene(street)
    street.write("passing-on.pcap.gz")
    inventory()
