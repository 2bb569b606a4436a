#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_loss.py - writes the loss-*.pcap.gz captures beside it, the same bytes each time.

Twelve seconds of TCP as it is on a network that loses, doubles and reorders packets itself, before
and after the place that is mirrored, with what else looks like holes.  loss-ordinary is all that
passed there; loss-mirror the same after a mirror session that lost one frame in a hundred.
loss-both-ordinary shows most frames twice, as they enter and as they leave, loss-both after one in a
hundred of these was lost; loss-port-ordinary and loss-port show what o2's port sends.
loss-one-way shows one direction of everything.  Frames are built by scapy (Debian: python3-scapy);
who is who is in switch.yaml.
"""
import gzip
import heapq
import os
import random
import struct

from scapy.all import IP, TCP, Dot1Q, Ether, Raw, fragment, raw

HERE = os.path.dirname(os.path.abspath(__file__))
O1, O2 = "52:54:00:0a:00:01", "52:54:00:0a:00:02"
A1, A2 = "10.77.0.11", "10.77.0.12"
START, SECONDS = 1767355200.0, 12.0


class Tap:
    """What passes the mirrored port."""

    def __init__(self):
        self.frames = []

    def show(self, when, client, packet, pieces=0, leaves=True):
        frame = Ether(src=O1 if client else O2, dst=O2 if client else O1) / Dot1Q(vlan=77)
        for part in fragment(packet, pieces) if pieces else [packet]:
            self.frames.append((when, raw(frame / part), leaves))
            when += 0.000005

    def twice(self):
        """As they enter and as they leave; a full queue holds some up."""
        dice = random.Random(2)
        for when, data, leaves in self.frames:
            yield when, data
            if leaves:
                yield when + (0.003 if dice.random() < 0.02 else dice.uniform(5e-6, 6e-5)), data

    def write(self, name, lost=0.0, view="ingress"):
        dice = random.Random(1)
        body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        frames = self.twice() if view == "both" else (f[:2] for f in self.frames)
        to = bytes.fromhex(O2.replace(":", ""))
        for when, data in sorted(frames, key=lambda f: f[0]):
            if view == "port" and data[:6] != to:
                continue
            if lost and dice.random() < lost:
                continue
            when += START
            body += struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(data),
                                len(data)) + data
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(gzip.compress(body, mtime=0))


class Talk:
    """One side sends, the other acknowledges; what is lost is repeated."""

    def __init__(self, tap, port, size, gap, joined=0.0, hide=(), pieces=0, trouble=0.01,
                 moves=99.0):
        self.tap, self.port, self.size, self.gap = tap, port, size, gap
        self.joined, self.hide, self.pieces, self.trouble = joined, hide, pieces, trouble
        self.moves = moves  # from then on to a port that is not mirrored
        self.dice = random.Random(port)
        self.isn, self.peer = self.dice.getrandbits(32), self.dice.getrandbits(32)
        self.events, self.serial = [], 0
        self.next, self.acked, self.asked = 0, 0, 0  # segments; what was repeated last
        self.got, self.want = set(), 0

    def at(self, when, what, number=0):
        self.serial += 1
        heapq.heappush(self.events, (when, self.serial, what, number))

    def show(self, when, client, flags, seq, ack, payload=0, leaves=True):
        if when < self.joined or when > SECONDS or ("data", "ack")[not client] in self.hide:
            return
        ends = (A1, A2, self.port, 443) if client else (A2, A1, 443, self.port)
        numbers = ((self.isn + seq, self.peer + ack) if client else
                   (self.peer + seq, self.isn + ack))
        self.tap.show(when, client, IP(src=ends[0], dst=ends[1], id=self.serial & 0xffff) /
                      TCP(sport=ends[2], dport=ends[3], flags=flags, seq=numbers[0] & 0xffffffff,
                          ack=numbers[1] & 0xffffffff) / Raw(b"d" * payload), self.pieces,
                      leaves and when < self.moves)

    def send(self, when, number):
        """One segment: lost before or after the tap, or late, or twice."""
        fate = self.dice.random() / self.trouble if self.trouble else 9
        if fate < 1:
            return
        passes = when + (0.004 if 1 <= fate < 4 else 0.0003)
        for copy in range(2 if 4 <= fate < 4.5 else 1):
            self.show(passes + copy * 0.002, True, "PA", 1 + number * self.size, 1, self.size,
                      not 5 <= fate < 5.5)  # lost in the switch
        if not 5 <= fate < 6:
            self.at(passes + 0.0007, "arrive", number)

    def arrive(self, when, number):
        self.got.add(number)
        while self.want in self.got:
            self.got.discard(self.want)
            self.want += 1
        self.show(when, False, "A", 1, 1 + self.want * self.size)
        self.at(when + 0.001, "acked", self.want)

    def run(self):
        self.show(0.0, True, "S", 0, 0)
        self.show(0.0005, False, "SA", 0, 1)
        self.show(0.001, True, "A", 1, 1)
        self.at(0.002, "tick")
        while self.events:
            when, _, what, number = heapq.heappop(self.events)
            if when > SECONDS:
                break
            if what == "arrive":
                self.arrive(when, number)
            elif what == "acked":
                self.acked = max(self.acked, number)
            elif what == "repeat" and self.acked <= number:
                self.send(when, number)
                self.at(when + 0.2, "repeat", number)
            elif what == "tick":
                if self.next - self.acked < 16:
                    self.send(when, self.next)
                    self.at(when + 0.03, "repeat", self.next)
                    self.next += 1
                self.at(when + self.gap * (0.5 + self.dice.random()), "tick")


def odd(tap):
    """A peer that keeps alive, one whose window is shut, and a port that is used again."""
    talk = Talk(tap, 50001, 100, 1, trouble=0)
    for t in range(1, 12):
        for client in (True, False):
            talk.show(t + client / 10, client, "A", 0, 1)  # one below what comes next
            talk.show(t + client / 10 + 0.001, not client, "A", 1, 1)
    talk = Talk(tap, 50002, 100, 1, trouble=0)
    for t in range(1, 12):
        talk.show(t, True, "A", 101, 1, 1)  # one byte into a window of none
        talk.show(t + 0.001, False, "A", 1, 101)
    for t in range(1, 12):
        talk = Talk(tap, 50003, 100, 1, trouble=0)
        talk.isn = (talk.isn + t * 250007) & 0xffffffff
        for i, (client, flags, seq, ack, size) in enumerate(
                ((1, "S", 0, 0, 0), (0, "SA", 0, 1, 0), (1, "A", 1, 1, 0), (1, "PA", 1, 1, 200),
                 (0, "FA", 1, 201, 0), (1, "FA", 201, 2, 0), (0, "A", 2, 202, 0),
                 (1, "R", 9000, 0, 0))):
            talk.show(t + i / 1000, bool(client), flags, seq, ack, size)


def main():
    tap = Tap()
    for port, size, gap, moves in ((40001, 200, 0.01, 99), (40002, 180, 0.015, 0),
                                   (40003, 1, 0.03, 99), (40004, 700, 0.02, 6.5)):
        Talk(tap, port, size, gap, moves=moves).run()
    Talk(tap, 40005, 150, 0.05, joined=3.3).run()             # begun before the sensor looked
    Talk(tap, 40006, 150, 0.1, hide=("ack",)).run()            # the answers go another way
    Talk(tap, 40007, 150, 0.1, hide=("data",)).run()
    Talk(tap, 40008, 4000, 0.2).run()                          # put together by the NIC
    Talk(tap, 40009, 600, 0.2, pieces=300).run()               # in fragments
    odd(tap)
    tap.write("loss-ordinary.pcap.gz")
    tap.write("loss-mirror.pcap.gz", 0.01)
    tap.write("loss-both-ordinary.pcap.gz", view="both")
    tap.write("loss-both.pcap.gz", 0.01, "both")
    tap.write("loss-port-ordinary.pcap.gz", view="port")
    tap.write("loss-port.pcap.gz", 0.01, "port")
    tap = Tap()
    for port in range(41001, 41025):
        Talk(tap, port, 100, 0.5, hide=("ack",), trouble=0).run()
    tap.write("loss-one-way.pcap.gz")


if __name__ == "__main__":
    main()
