#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_copy.py - writes the copy-*.pcap.gz captures beside it, byte for byte the same each time.

Frames are built by scapy (Debian: python3-scapy) with fixed times; who is who stands in copy.yaml.
"""
import base64
import gzip
import hashlib
import os
import struct

from scapy.all import Dot1Q, Ether, ICMP, IP, Raw, TCP, UDP, raw

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1767312000.0
CORE, HV1, HV2, SEE = ("52:54:00:aa:00:%02x" % n for n in (0x01, 0x11, 0x12, 0x21))
N1, N2 = "52:54:00:6e:00:01", "52:54:00:6e:00:02"
D1, D2 = "52:54:00:de:00:01", "52:54:00:de:00:02"
O1 = "52:54:00:0f:00:01"
POD1, POD2 = "7a:11:22:33:44:01", "7a:11:22:33:44:02"
FAR, FAR2 = "198.51.100.80", "192.0.2.44"


def noise(seed, size):
    out = b""
    while len(out) < size:
        out += hashlib.sha256(b"%s-%d" % (seed.encode(), len(out))).digest()
    return out[:size]


def number(seed):
    return struct.unpack("!I", noise(seed, 4))[0]


class Capture:
    def __init__(self):
        self.frames, self.now, self.seq = [], START, {}

    def wait(self, seconds):
        self.now += seconds

    def add(self, src, dst, packet, vlan=440, delay=0.0013):
        self.now += delay
        frame = Ether(src=src, dst=dst) / Dot1Q(vlan=vlan) / packet
        self.frames.append((self.now, raw(frame)))

    def tcp(self, a, b, sport, dport, flags, data=b"", via=None):
        """One segment from a=(mac, ip) to b; sequence numbers go on by themselves."""
        key, back = (a[1], sport, b[1], dport), (b[1], dport, a[1], sport)
        seq = self.seq.setdefault(key, number(str(key)))
        packet = IP(src=a[1], dst=b[1], ttl=64, id=seq & 0xffff) / TCP(
            sport=sport, dport=dport, flags=flags, seq=seq, ack=self.seq.get(back, 0), window=501,
            options=[("MSS", 1460), ("Timestamp", (seq >> 3, 0))] if "S" in flags else [])
        if data:
            packet = packet / Raw(data)
        self.add(a[0], b[0], packet)
        self.seq[key] = (seq + len(data) + ("S" in flags) + ("F" in flags)) & 0xffffffff
        return packet

    def connect(self, a, b, sport, dport):
        for x, y, p, q, flags in ((a, b, sport, dport, "S"), (b, a, dport, sport, "SA"),
                                  (a, b, sport, dport, "A")):
            self.tcp(x, y, p, q, flags)

    def stream(self, a, b, sport, dport, data, cut, lose=()):
        """data in segments of `cut` bytes; those in lose are not in the capture."""
        for i in range(0, len(data), cut):
            self.tcp(a, b, sport, dport, "PA", data[i:i + cut])
            if i // cut in lose:
                self.frames.pop()
            self.tcp(b, a, dport, sport, "A")

    def write(self, name):
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        for when, data in self.frames:
            body += struct.pack("<IIII", int(when), int(round(when % 1 * 1e6)), len(data), len(data))
            body += data
        with open(os.path.join(HERE, name + ".pcap.gz"), "wb") as f:
            f.write(gzip.compress(body, mtime=0))


class Sink(Capture):
    """Frames that are not on the wire themselves."""

    def add(self, src, dst, packet, vlan=440, delay=0.0013):
        self.now += delay
        self.frames.append((self.now, raw(Ether(src=src, dst=dst) / packet)))


def talk(c, a, b, sport, turns=3, size=60):
    """A small clear-text conversation; returns its frames without VLAN tags."""
    first = len(c.frames)
    c.connect(a, b, sport, 8080)
    for i in range(turns):
        c.tcp(a, b, sport, 8080, "PA", b"ask %d " % i + noise("ask%d%d" % (i, sport), 30))
        c.tcp(b, a, 8080, sport, "PA", b"say %d " % i + noise("say%d%d" % (i, sport), size))
    return [Ether(data) for _, data in c.frames[first:]]


def bare(frame):
    """Ethernet bytes without the tag, as a mirror at an access port has them."""
    ip = frame[IP].copy()
    return raw(Ether(src=frame.src, dst=frame.dst, type=0x0800) / ip)


VICTIM, OUT = (N1, "172.20.44.11"), (CORE, FAR)
PUBLIC = (N1, "203.0.113.17")


def vxlan(vni, inner, port=4789, sport=50001):
    return UDP(sport=sport, dport=port, chksum=0) / Raw(struct.pack("!II", 0x08000000, vni << 8) + inner)


def geneve(vni, inner, options=b""):
    head = struct.pack("!BBHI", len(options) // 4, 0, 0x6558, vni << 8)
    return UDP(sport=50002, dport=6081, chksum=0) / Raw(head + options + inner)


def gre(kind, body, seq=None, key=None):
    flags = (0x1000 if seq is not None else 0) | (0x2000 if key is not None else 0)
    head = struct.pack("!HH", flags, kind)
    head += struct.pack("!I", key) if key is not None else b""
    head += struct.pack("!I", seq) if seq is not None else b""
    return Raw(head + body)


def copies(name, src, dst, wrap, proto=None, native=True, pick=lambda f: bare(f), a=VICTIM, b=OUT):
    """Each frame of the victim's conversation, then its copy in a tunnel from src to dst."""
    c = Capture()
    side = c if native else Sink()
    for sport in (41001, 41002):
        for i, frame in enumerate(talk(side, a, b, sport)):
            ip = IP(src=src[1], dst=dst[1], ttl=64, id=i, proto=proto or 17)
            c.add(src[0], dst[0], ip / wrap(i, pick(frame)))
    c.write(name)


def tunnels():
    core, d1, d2 = (CORE, "172.20.44.1"), (D1, "172.20.44.66"), (D2, "172.20.44.67")
    erspan3 = struct.pack("!HHIHH", 0x2000, 0x0007, 99, 0, 0)
    copies("copy-erspan3", core, d1, lambda i, b: gre(0x22eb, erspan3 + b, seq=i), 47)
    copies("copy-geneve", core, d1, lambda i, b: geneve(4242, b, b"\x01\x02\x03\x00"))
    copies("copy-tzsp", core, d1, lambda i, b: UDP(sport=50003, dport=37008) / Raw(
        b"\x01\x00\x00\x01\x28\x04\x00\x00\x00\x01\x00\x01" + b))
    # No NICs inside, private addresses: only that the packets were seen natively proves it.
    copies("copy-gre", d1, (CORE, FAR2), lambda i, b: gre(0x0800, b), 47,
           pick=lambda f: raw(f[IP]))
    # Not seen natively, public addresses: both directions in one direction of the tunnel.
    copies("copy-ipip", d2, (CORE, FAR2), lambda i, b: Raw(b), 4, native=False,
           pick=lambda f: raw(f[IP]), a=PUBLIC)


def overlays():
    """Tunnels that are nobody's business."""
    c, side = Capture(), Sink()
    d1, d2, out = (D1, "172.20.44.66"), (D2, "172.20.44.67"), (CORE, FAR2)

    def ends(src, dst, number=17):
        return IP(src=src[1], dst=dst[1], id=len(c.frames) & 0xffff, proto=number)

    # flannel: pods that use the same private addresses as norma and the gateway
    for frame in talk(side, (POD1, "172.20.44.11"), (POD2, "172.20.44.12"), 42001, 6) + \
            talk(side, (POD1, "172.20.44.11"), (POD2, "172.20.44.1"), 42002, 6):
        src, dst = (d1, d2) if frame.src == POD1 else (d2, d1)
        c.add(src[0], dst[0], ends(src, dst) / vxlan(1, bare(frame), 8472))
        c.add(src[0], dst[0], ends(src, dst) / vxlan(70001, bare(frame)))  # an accident of numbers
        c.add(src[0], out[0], ends(src, out) / vxlan(70001, bare(frame)))  # to its other site
    # a tunnel to the office, whose private addresses are norma's here
    for frame in talk(side, (POD1, "172.20.44.11"), (POD2, "10.200.0.5"), 42003, 6):
        src, dst = (d1, out) if frame[IP].src == "10.200.0.5" else (out, d1)
        c.add(src[0], dst[0], ends(src, dst, 47) / gre(0x0800, raw(frame[IP]), key=7))
    # norma is a client of delta's: to the service's address, and behind it to a pod
    for peer in ("203.0.113.66", "10.244.3.9"):
        for frame in talk(side, PUBLIC, (POD2, peer), 42004, 6):
            src, dst = (d1, d2) if frame[IP].src == PUBLIC[1] else (d2, d1)
            c.add(src[0], dst[0], ends(src, dst, 4) / Raw(raw(frame[IP])))
    # delta mirrors its own port to its own analyser: norma's broadcasts and two flooded frames
    for i in range(12):
        inner = Ether(src=N1, dst="ff:ff:ff:ff:ff:ff") / IP(src="172.20.44.11", dst="172.20.44.255") / \
            UDP(sport=138, dport=138) / Raw(noise("cast%d" % i, 40))
        c.add(D1, D2, ends(d1, d2) / vxlan(9, raw(inner)))
    for frame in talk(side, (D1, "172.20.44.66"), (N1, "172.20.44.11"), 42005, 6):
        c.add(D1, D2, ends(d1, d2) / vxlan(9, bare(frame)))
    for frame in talk(side, VICTIM, (N2, "172.20.44.12"), 42006)[:1] + \
            talk(side, (N2, "172.20.44.12"), VICTIM, 42007)[:1]:
        c.add(D1, D2, ends(d1, d2) / vxlan(9, bare(frame)))
    # the provider's overlay, and a mirror session to the declared monitor
    hv1, hv2 = (HV1, "192.168.199.11"), (HV2, "192.168.199.12")
    for frame in talk(side, (N1, "10.70.0.11"), (N2, "10.70.0.12"), 42008):
        src, dst = (hv1, hv2) if frame.src == N1 else (hv2, hv1)
        c.add(src[0], dst[0], ends(src, dst) / vxlan(70001, bare(frame)), vlan=441)
    for frame in talk(c, VICTIM, OUT, 42009):
        c.add(CORE, SEE, ends((CORE, "172.20.44.1"), (SEE, "172.20.44.5"), 47) /
              gre(0x88be, struct.pack("!HHI", 0x1000, 3, 0) + bare(frame), seq=1))
    c.write("copy-own-tunnels")


def overlay_intrusion():
    c, side = Capture(), Sink()
    d1, hv1, hv2 = (D1, "172.20.44.66"), (HV1, "192.168.199.11"), (HV2, "192.168.199.12")
    for frame in talk(side, (POD1, "10.70.0.99"), (N1, "10.70.0.11"), 43001)[::2]:
        c.add(D1, CORE, IP(src=d1[1], dst=hv1[1]) / vxlan(70001, bare(frame)))
    # a NIC of orion's behind a hypervisor, in norma's overlay
    for frame in talk(side, (O1, "10.70.0.50"), (N2, "10.70.0.12"), 43002):
        src, dst = (hv1, hv2) if frame.src == O1 else (hv2, hv1)
        c.add(src[0], dst[0], IP(src=src[1], dst=dst[1]) / vxlan(70001, bare(frame)), vlan=441)
    c.write("copy-overlay-intrusion")


# ---- capture streams ---------------------------------------------------------------------------

def pcap_file(frames, order="<", nano=False, header=True):
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1) if header else b""
    for when, data in frames:
        fraction = int(round(when % 1 * (1e9 if nano else 1e6)))
        out += struct.pack(order + "IIII", int(when), fraction, len(data), len(data)) + data
    return out


def block(kind, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng_file(frames, order="<"):
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    out += block(1, struct.pack(order + "HHI", 1, 0, 262144), order)
    for when, data in frames:
        micro = int(round(when * 1e6))
        out += block(6, struct.pack(order + "IIIII", 0, micro >> 32, micro & 0xffffffff, len(data),
                                    len(data)) + data, order)
    return out


def rpcap_messages(frames):
    out = b""
    for n, (when, data) in enumerate(frames, 1):
        out += struct.pack("!BBHI", 0, 7, 0, len(data) + 20)
        out += struct.pack("!IIIII", int(when), int(round(when % 1 * 1e6)), len(data), len(data), n)
        out += data
    return out


def sflow_datagram(n, frames):
    out = struct.pack("!II4sIIII", 5, 1, bytes([172, 20, 44, 1]), 0, n, 1000 * n, len(frames))
    for _, data in frames:
        head = data[:128]
        record = struct.pack("!IIII", 1, len(data) + 4, 4, len(head)) + head + b"\0" * (-len(head) % 4)
        record = struct.pack("!II", 1, len(record)) + record
        sample = struct.pack("!IIIIIIII", n, 1, 1, n, 0, 1, 2, 1) + record
        out += struct.pack("!II", 1, len(sample)) + sample
    return out


def victim_frames(count=3, native=None, a=VICTIM, b=OUT, port=44000):
    side = native or Sink()
    out = []
    for sport in range(port, port + count):
        first = len(side.frames)
        talk(side, a, b, sport, size=900)
        out += [(when, bare(Ether(data))) for when, data in side.frames[first:]]
    return out


def captures():
    core, d1, d2, out = (CORE, "172.20.44.1"), (D1, "172.20.44.66"), (D2, "172.20.44.67"), (CORE, FAR2)
    for name, src, dst, make, cut, lose in (
            ("pcap-split", core, d1, lambda f: pcap_file(f), 333, ()),
            ("pcap-big-ns", core, d1, lambda f: pcap_file(f, ">", True), 1448, (2,)),
            ("pcapng-banner", d1, out, lambda f: b"hello, capture follows\r\n" + pcapng_file(f), 700, ()),
            ("pcapng-big", d2, out, lambda f: pcapng_file(f, ">"), 1001, (3, 4)),
            ("rpcap", core, d1, rpcap_messages, 512, ()),
            ("pcap-late", d1, out, lambda f: pcap_file(f, header=False)[40:], 1448, (5,))):
        c = Capture()
        c.connect(src, dst, 45001, 9999)
        c.stream(src, dst, 45001, 9999, make(victim_frames()), cut, lose)
        c.write("copy-" + name)
    c = Capture()
    frames = victim_frames(native=c)
    for n in range(0, len(frames), 4):
        c.add(CORE, D1, IP(src="172.20.44.1", dst="172.20.44.66") / UDP(sport=50100, dport=6343) /
              Raw(sflow_datagram(n + 1, frames[n:n + 4])))
    c.write("copy-sflow")
    c = Capture()
    for when, data in victim_frames():
        c.add(D1, CORE, IP(src="172.20.44.66", dst=FAR2) / UDP(sport=50101, dport=7777) /
              Raw(pcap_file([(when, data)], header=False)))
    c.write("copy-pcap-udp")


def own_captures():
    """delta sends a capture of its own port away and fetches a sample; norma archives its own."""
    c, side = Capture(), Sink()
    d1, n1, n2, out = (D1, "172.20.44.66"), VICTIM, (N2, "172.20.44.12"), (CORE, FAR2)
    talk(side, d1, OUT, 46001, 6)
    talk(side, (N1, "172.20.44.11"), d1, 46002, 6)
    own = [(w, bare(Ether(d))) for w, d in side.frames]
    flooded = victim_frames(1)[:1] + victim_frames(1, a=n2, b=OUT, port=44900)[:1]
    c.connect(d1, out, 45101, 9999)
    c.stream(d1, out, 45101, 9999, pcap_file(own[:5] + flooded + own[5:]), 1448)
    sample = victim_frames(4, a=(POD1, "172.20.44.11"), b=(POD2, "172.20.44.12"))
    sample += victim_frames(4, a=(POD1, "172.20.44.11"), b=(POD2, FAR), port=44800)
    c.connect(d1, out, 45102, 80)
    c.tcp(d1, out, 45102, 80, "PA", b"GET /sample.pcap HTTP/1.1\r\nHost: wiki.example\r\n\r\n")
    c.stream(out, d1, 80, 45102, b"HTTP/1.1 200 OK\r\nContent-Type: application/cap\r\n\r\n" +
             pcap_file(sample), 1448)
    c.connect(n1, n2, 45103, 9999)
    c.stream(n1, n2, 45103, 9999, pcap_file(victim_frames()), 1448)
    c.connect(n1, (SEE, "172.20.44.5"), 45104, 9999)
    c.stream(n1, (SEE, "172.20.44.5"), 45104, 9999, pcap_file(victim_frames()), 1448)
    c.write("copy-own-captures")


# ---- secrets -----------------------------------------------------------------------------------

def http(c, a, b, sport, lines, answer=b""):
    c.connect(a, b, sport, 80)
    c.tcp(a, b, sport, 80, "PA", b"GET /inbox HTTP/1.1\r\nHost: app.example\r\n" +
          b"".join(line + b"\r\n" for line in lines) + b"\r\n")
    c.tcp(b, a, 80, sport, "PA", b"HTTP/1.1 200 OK\r\n" + answer + b"Content-Length: 2\r\n\r\nok")


def secrets():
    n1, d1, d2, o1, web = VICTIM, (D1, "172.20.44.66"), (D2, "172.20.44.67"), (O1, "172.20.44.91"), OUT
    c = Capture()
    http(c, n1, web, 47001, [b"Authorization: Basic " + base64.b64encode(b"backup:Qm7-violet-Harbor")])
    c.wait(30)
    c.connect(d1, (N2, "172.20.44.12"), 47002, 21)
    c.tcp(d1, (N2, "172.20.44.12"), 47002, 21, "PA", b"USER norma\r\n")
    c.tcp(d1, (N2, "172.20.44.12"), 47002, 21, "PA", b"PASS otter-lamp-5521\r\n")
    for sport, user in ((47003, b"me"), (47004, b"you"), (47005, b"them")):
        http(c, o1, web, sport, [b"Authorization: Basic " + base64.b64encode(user + b":otter-lamp-5521")])
    c.write("copy-decoy")

    c = Capture()
    http(c, n1, web, 47101, [b"Authorization: Basic " + base64.b64encode(b"backup:Qm7-violet-Harbor")])
    c.connect(n1, (D1, "172.20.44.66"), 47102, 21)  # norma gives it to delta, who may know it then
    c.tcp(n1, d1, 47102, 21, "PA", b"PASS otter-lamp-5521\r\n")
    c.tcp(d1, n1, 21, 47102, "PA", b"530 otter-lamp-5521 is no password of ours\r\n")
    c.connect(d1, (CORE, FAR), 47103, 514)
    c.tcp(d1, (CORE, FAR), 47103, 514, "PA", b"log: refused otter-lamp-5521\r\n")
    c.tcp((CORE, FAR), n1, 9000, 47104, "PA", b"seen: otter-lamp-5521")
    c.write("copy-decoy-own")

    session = b"session_id=" + noise("session", 24).hex().encode()
    token = b"Authorization: Bearer " + base64.b64encode(noise("token", 30))
    c = Capture()
    http(c, n1, web, 48001, [b"Accept: */*"], b"Set-Cookie: " + session + b"; HttpOnly\r\n")
    http(c, n1, web, 48002, [b"Cookie: lang=en; " + session])
    http(c, n1, web, 48003, [token])
    http(c, n1, web, 48004, [token])
    c.wait(5)
    http(c, d1, web, 48005, [b"Cookie: " + session + b"; theme=dark"])
    c.wait(900)
    http(c, o1, web, 48006, [token])
    c.write("copy-reuse")

    shared = b"Authorization: Bearer " + base64.b64encode(noise("built in", 30))
    given = b"Authorization: Bearer " + base64.b64encode(noise("given", 30))
    c = Capture()
    http(c, n1, web, 48101, [shared])
    http(c, n1, web, 48102, [shared])
    c.wait(60)
    http(c, d1, web, 48103, [shared])  # rolled out to both by one hand
    c.wait(1200)
    http(c, d1, web, 48104, [shared])
    for sport, who in ((48105, n1), (48106, n1), (48107, d1)):
        http(c, who, web, sport, [b"Authorization: Basic " + base64.b64encode(b"admin:changeme"),
                                  b"Cookie: csrftoken=" + noise("csrf", 24).hex().encode()])
        c.wait(700)
    http(c, n1, d1, 48108, [given])  # norma calls delta's service, which calls on
    http(c, n1, d1, 48109, [given])
    c.wait(900)
    http(c, d1, web, 48110, [given])
    for sport, who in ((48111, n1), (48112, d1)):
        http(c, who, web, sport, [], b"Set-Cookie: session_id=" + noise("fixed", 24).hex().encode() + b"\r\n")
        http(c, who, web, sport + 10, [b"Cookie: session_id=" + noise("fixed", 24).hex().encode()])
    c.write("copy-reuse-shared")


def main():
    tunnels()
    overlays()
    overlay_intrusion()
    captures()
    own_captures()
    secrets()


if __name__ == "__main__":
    main()
