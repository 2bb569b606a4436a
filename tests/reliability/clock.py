#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clock.py BINARY - time stamps that lie: clamped, counted, and the attack is still found.

An attack stands among frames whose times go back, are shuffled, stand still, jump ahead by years and
back again, are at the ends of what a capture can say.  It must be found in each, and jumps are counted
where there are any and nowhere else.
"""
import os
import random
import struct

import common

ORDINARY = 2000
PAIRS = 5
YEAR = 365 * 86400 * 1000000


def frames():
    """Harmless ones, then the attacks, then harmless ones."""
    calm = [common.ethernet(common.party("v", 9)[1], common.ROUTER, 0x800, common.ipv4(
        common.party("v", 9)[2], common.FAR, 17, common.segment(
            common.party("v", 9)[2], common.FAR, 5000 + n % 50, 5001, 0, 0, 0, b"x" * 20, 17), 64, n), 20)
            for n in range(ORDINARY)]
    attack = [f for n in range(1, PAIRS + 1) for f in common.poisoned(n) + common.relayed(n)]
    return calm[:ORDINARY // 2], attack, calm[ORDINARY // 2:]


def pcapng(stamps_and_frames, resolution=6):
    """Stamps of 64 bits, as an old pcap cannot have them."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    option = struct.pack("<HHB3x", 9, 1, resolution) + struct.pack("<HH", 0, 0)
    out = [block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)),
           block(1, struct.pack("<HHI", 1, 0, 262144) + option)]
    for stamp, frame in stamps_and_frames:
        stamp &= (1 << 64) - 1
        out.append(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xffffffff, len(frame), len(frame)) +
                         frame))
    return b"".join(out)


def every(n, step, other):
    """A stamp that every n-th frame has instead of the steady one."""
    return lambda at, kind: other if at % n == 0 and kind == "calm" else at * step


RANDOM = random.Random(4)
BASE = common.START * 1000000
# Name -> time of the frame at a place, microseconds since BASE; whether jumps must be counted.
CASES = {
    "steady": (lambda at, kind: at * 1000, False),
    "standing still": (lambda at, kind: 0, False),
    "all backwards": (lambda at, kind: -at * 2000, True),
    "shuffled within a second": (lambda at, kind: at * 1000 + RANDOM.randrange(1000000), True),
    "calm ones from 1970": (every(3, 1000, -BASE), True),
    "calm ones far ahead, one at a time": (every(7, 1000, 10 * YEAR), True),
    "calm ones negative": (every(5, 1000, -BASE - 3600 * 1000000), True),
    "calm ones at the end of time": (every(11, 1000, (1 << 63) - 1 - BASE), True),
    "a jump ahead by a year, then on": (lambda at, kind: at * 1000 + (YEAR if at > 300 else 0), False),
    "ahead by an hour and back": (lambda at, kind: at * 1000 + (
        3600 * 1000000 if 300 < at < 600 else 0), True),
    "from 1970 on": (lambda at, kind: at * 1000 - BASE, False),
    "from the end of time on": (lambda at, kind: at * 1000 + (1 << 62), False),
}


def main():
    before, attack, after = frames()
    order = [("calm", f) for f in before] + [("attack", f) for f in attack] + [("calm", f) for f in after]
    with common.folder() as place:
        who = common.write(os.path.join(place, "who.yaml"), common.inventory(10))
        for name, (time_of, jumps) in CASES.items():
            stamps = [(BASE + time_of(at, kind), frame) for at, (kind, frame) in enumerate(order)]
            path = common.write(os.path.join(place, "lies.pcapng"), pcapng(stamps))
            run = common.replay(place, [path], who, timeout=60)
            found = {k: len({a["bulkhead"]["actor"].get("host") for a in run.opened(k)})
                     for k in ("relay.forward", "spoof.arp")}
            counted = run.stats.get("clock_back", 0)
            common.check(run.status == 0 and all(n == PAIRS for n in found.values()) and
                         run.stats.get("frames") == len(order) and (counted > 0) == jumps,
                         "%s: %d frames, %s found, %d jumps counted, %.1f s" %
                         (name, run.stats.get("frames", 0), found, counted, run.seconds),
                         [run.status, run.err])
    common.end()


if __name__ == "__main__":
    main()
