#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [BINARY] [CASE...] - the replay cases again, seen by a worse or another mirror.

Each case of tests/replay is replayed through these views and has to give the same verdicts (kind,
actor, victim); whoever was not accused in the case must not be accused in a view of it:

    workers      1, 2 and 4 workers: the same bytes (but for full tables: several hold more)
    no-arp-dhcp  ARP, DHCP and DHCPv6 left out, as clouds and snooping switches do
    snap-128     128 bytes of each frame
    thin-1       1 % of the frames lost, three times with fixed seeds
    thin-5       5 % likewise
    cooked       as `tcpdump -i any` writes it: whose NIC received a frame is not shown
    both         each frame once more, as it leaves the switch; the tap's view is "both"
    thin-both    the same with 1 % of all copies lost

What a view has to show (LASTING): relays and exposure in all of them; kinds that live on one frame,
on ARP or DHCP, or on payload beyond 128 bytes, only where that is left.  Silence is demanded
always.  That frames are missing (BH-9014) may be said where they were taken out, nowhere else.  A
case whose tap is no ingress SPAN has no views "both", "thin-both" and "cooked".

Needs python3-yaml.  Last line: "N passed, N failed".
"""
import concurrent.futures
import gzip
import os
import random
import re
import struct
import sys
import tempfile

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
REPLAY = os.path.join(HERE, "..", "replay")
sys.path.insert(0, REPLAY)
import run as replay  # noqa: E402  pylint: disable=wrong-import-position

# Shown by many frames, whatever happens to some, and by IP alone.
LASTING = {"relay.forward", "relay.bridge", "relay.rewrite", "relay.proxy", "relay.tunnel",
           "relay.intercept", "relay.capture-export", "observe.misdelivery", "observe.exposure",
           "observe.tunnel", "observe.capture-export", "residency.relay"}
# What stands beyond the 128th byte: server names, captured packets in a stream, secrets.
NEEDS_PAYLOAD = {"relay.intercept", "relay.capture-export", "observe.capture-export",
                 "observe.decoy", "observe.secret-reuse"}
# What a view cannot show, and why; a view with all its seeds or with one.
BLIND = {
    ("spoof_dhcp_forged", "snap-128"): "the router it hands out stands behind byte 282",
    ("hostile_position", "snap-128"): "likewise the name server",
    ("hostile_itself", "cooked"): "that it goes to where it comes from is not shown",
    ("spoof_ra_overlay", "snap-128"): "cut fragments cannot be put together",
    ("spoof_source_leased", "no-arp-dhcp"): "the lease alone says whose the address is",
    ("evade_tcp", "cooked"): "an unregistered sender, and one that is told by two legs of many",
    ("relay_leased", "cooked"): "workers do not know leases, and no chain shows",
    ("tool_fake_dhcps6", "cooked"): "the NIC that is answered alone says who the client is",
    ("evade_not", "both"): "has the duplicates of a misconfigured mirror in it already",
    ("evade_not", "thin-both"): "likewise",
    ("spoof_ra_fragments", "snap-128"): "cut fragments cannot be put together",
    ("evade_proxy", "snap-128"): "what SIP, HTTP and lines say stands behind byte 128",
    ("front_others", "snap-128"): "likewise",
    ("tool_nginx_front", "snap-128"): "likewise",
    ("evade_proxy", "thin-1"): "each proxy of it passes on one hello only",
    ("evade_proxy", "thin-5"): "likewise",
    ("evade_flood", "workers"): "overflows tables, and each worker has its own",
    ("frame_neighbour", "thin-5/11"): "its one proxied hello is lost",
    ("everyday", "thin-5/11"): "that a leased address was refused is lost",
    ("led_planted", "no-arp-dhcp"): "the lie that led it there is left out",
    ("led_rogue_dhcp", "no-arp-dhcp"): "what the server handed out is left out",
}
# Has TCP enough that a mirror which loses one frame in a hundred is told of; the sensor may say so
# of all that is thinned, and of nothing else.
LOSSY = {"health_mirror_ordinary"}
# What one sender's frames show, whoever received them.
SENDERS = {"relay.forward", "spoof.arp", "spoof.ndp", "spoof.router-advertisement", "spoof.dhcp",
           "spoof.redirect", "spoof.gateway"}
TAGS = (0x8100, 0x88a8, 0x9100)
SEEDS = (11, 22, 33)
CAPTURE_NAME = re.compile(r"\.pcap(\.gz)?$")


# ---- captures ----------------------------------------------------------------------------------

def read_pcap(path):
    """Byte order, link type and [(seconds, fraction, original length, data)]; None for pcapng."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        data = f.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
             b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if order is None:
        return None
    frames, at = [], 24
    while at + 16 <= len(data):
        sec, part, cap, length = struct.unpack_from(order + "IIII", data, at)
        if at + 16 + cap > len(data):
            break
        frames.append((sec, part, length, data[at + 16:at + 16 + cap]))
        at += 16 + cap
    return order, data[:24], frames


def write_pcap(path, order, header, frames):
    with open(path, "wb") as f:
        f.write(header)
        for sec, part, length, data in frames:
            f.write(struct.pack(order + "IIII", sec, part, len(data), length) + data)


def is_arp_or_dhcp(data):
    at, proto = 12, 0
    while True:
        if at + 2 > len(data):
            return False
        ether = int.from_bytes(data[at:at + 2], "big")
        at += 2
        if ether not in TAGS:
            break
        at += 2
    if ether in (0x0806, 0x8035):
        return True
    if ether == 0x0800 and len(data) >= at + 20:
        proto, ports = data[at + 9], at + (data[at] & 15) * 4
    elif ether == 0x86dd and len(data) >= at + 40:
        proto, ports = data[at + 6], at + 40
    if proto != 17 or len(data) < ports + 4:
        return False
    return not {67, 68, 546, 547}.isdisjoint(struct.unpack_from(">HH", data, ports))


def no_control(frames):
    return [f for f in frames if not is_arp_or_dhcp(f[3])]


def snap(frames):
    return [(s, p, n, d[:128]) for s, p, n, d in frames]


def thin(share, seed):
    def view(frames):
        dice = random.Random(seed)
        return [f for f in frames if dice.random() >= share]
    return view


def twice(frames):
    """A group's frame leaves by several ports; two of them here."""
    out = []
    for frame in frames:
        out += [frame] * (3 if frame[3][0] & 1 else 2)
    return out


def cooked(frames):
    """Linux SLL: to everybody, to some, to another; Ethernet; the sender's address; EtherType."""
    out = []
    for sec, part, length, data in frames:
        if len(data) < 14:
            continue
        kind = 1 if data[:6] == b"\xff" * 6 else 2 if data[0] & 1 else 3
        rest = data[12:] if data[12] >= 6 else b"\0\4" + data[14:]
        out.append((sec, part, length + 2, struct.pack(">HHH", kind, 1, 6) + data[6:12] + b"\0\0" + rest))
    return out


def thin_twice(frames):
    return thin(0.01, SEEDS[0])(twice(frames))


VIEWS = [("no-arp-dhcp", no_control), ("snap-128", snap)] + \
    [("thin-1/%d" % s, thin(0.01, s)) for s in SEEDS] + \
    [("thin-5/%d" % s, thin(0.05, s)) for s in SEEDS] + [("both", twice), ("thin-both", thin_twice), ("cooked", cooked)]


def shown(view, kind):
    """Must this view still show a finding of this kind?"""
    if view == "both":
        return True
    if view == "snap-128":
        return kind not in NEEDS_PAYLOAD
    if view == "cooked":
        return kind in SENDERS
    return kind in LASTING


# ---- cases -------------------------------------------------------------------------------------

def tap_view(inventory, name):
    with open(inventory, encoding="utf-8") as f:
        taps = yaml.safe_load(f).get("taps") or []
    for tap in taps:
        if tap["name"] == name or (name is None and len(taps) == 1):
            return tap.get("view", "ingress")
    return "ingress" if not taps else None


def with_both(inventory, name, place):
    """The inventory with that tap's view changed."""
    with open(inventory, encoding="utf-8") as f:
        site = yaml.safe_load(f)
    for tap in site.setdefault("taps", [{"name": "default"}]):
        if name in (tap["name"], None):
            tap["view"] = "both"
    path = os.path.join(place, "both.yaml")
    with open(path, "w", encoding="utf-8") as f:
        yaml.safe_dump(site, f)
    return path


def plain(want):
    return {k: v for k, v in want.items() if k in ("kind", "actor", "victim")}


def judge(case, view, alerts):
    wants = [plain(w) for w in case.get("expect") or [] if w.get("number") != 0]
    for want in wants:
        if shown(view, want["kind"]) and not any(replay.meets(a, want) for a in alerts):
            yield "%s: no %s" % (view, want)
    # Another kind than usual may come of what is lost; another actor never.
    silent = case.get("silent")
    if silent in ("all", "others"):
        quiet = {"expect": wants, "silent": "others" if wants else "all"}
        # "unknown" accuses no tenant: what an attack leaves may look like another one's, too.
        named = [a for a in alerts if not wants or a["bulkhead"]["actor"]["tenant"] != "unknown"]
        for line in replay.judge(quiet, named):
            if line.startswith("not silent"):
                yield "%s: %s" % (view, line)
    else:
        kinds = {a["bulkhead"]["kind"] for a in alerts}.intersection(silent or [])
        if view.startswith("thin-"):
            kinds.discard("health.drop")  # judge_loss()
        if kinds:
            yield "%s: not silent: %s" % (view, sorted(kinds))


def judge_loss(name, case, view, alerts):
    told = any(a["alert"]["signature_id"] == 9014 for a in alerts)
    thinned = view.startswith("thin-")
    lost = any(w["kind"] == "health.drop" for w in case.get("expect") or [])
    if told and not thinned and not lost:
        yield "%s: BH-9014, and no frame was lost" % view
    if not told and thinned and name in LOSSY:
        yield "%s: no BH-9014" % view


def replay_view(binary, folder, case, place, frames_of):
    """frames_of: path -> (order, header, frames) after the view."""
    names = case["capture"] if isinstance(case["capture"], list) else [case["capture"]]
    captures = []
    for i, name in enumerate(names):
        captures.append(os.path.join(place, "%d.pcap" % i))
        write_pcap(captures[-1], *frames_of(replay.find(folder, name)))
    return replay.replay(binary, folder, dict(case, capture=captures))


def without_full_tables(lines):
    return [line for line in lines.splitlines() if b'"kind":"health.table-full"' not in line]


def run_workers(binary, folder, case):
    if any(str(a) == "--workers" for a in case.get("args", [])):
        return []
    results = [without_full_tables(
        replay.replay(binary, folder, dict(case, args=list(case.get("args", [])) +
                                           ["--workers", n]))[2]) for n in (1, 2, 4)]
    return ["workers: %d give other bytes than 1" % n
            for n, lines in zip((2, 4), results[1:]) if lines != results[0]]


def run_view(binary, folder, case, name, change):
    inventory = replay.find(folder, case.get("inventory", "inventory.yaml"))
    with tempfile.TemporaryDirectory(prefix="bulkhead-views-") as place:
        if name in ("both", "thin-both", "cooked") and tap_view(inventory, case.get("tap")) != "ingress":
            return []
        if name in ("both", "thin-both"):
            case = dict(case, inventory=with_both(inventory, case.get("tap"), place))

        def frames_of(path):
            order, header, frames = read_pcap(path)
            if name == "cooked":
                if header[20:24] != struct.pack(order + "I", 1):
                    return order, header, frames
                header = header[:20] + struct.pack(order + "I", 113)
            return order, header, change(frames)
        status, text, lines = replay_view(binary, folder, case, place, frames_of)
    if status != 0:
        return ["%s: exit status %d: %s" % (name, status, text.strip()[-200:])]
    alerts = replay.incidents(lines)
    return list(judge(case, name, alerts)) + \
        list(judge_loss(os.path.basename(folder), case, name, alerts))


def run_case(binary, name):
    folder = os.path.join(REPLAY, name)
    with open(os.path.join(folder, "case.yaml"), encoding="utf-8") as f:
        case = yaml.safe_load(f)
    wrong = [] if (name, "workers") in BLIND else run_workers(binary, folder, case)
    names = case["capture"] if isinstance(case["capture"], list) else [case["capture"]]
    if case.get("exit", 0) != 0 or not all(
            CAPTURE_NAME.search(n) and read_pcap(replay.find(folder, n)) for n in names):
        return wrong  # damaged on purpose, or no classic pcap
    for view, change in VIEWS:
        if not {(name, view), (name, view.partition("/")[0])}.isdisjoint(BLIND):
            continue
        wrong += run_view(binary, folder, case, view, change)
    return wrong


def attempt(binary, name):
    try:
        return run_case(binary, name)
    except (OSError, ValueError, KeyError, TypeError, struct.error, yaml.YAMLError) as error:
        return ["%s: %s" % (type(error).__name__, error)]


def main():
    args = sys.argv[1:]
    binary = os.path.join(replay.TOP, "build", "bulkhead")
    if args and os.path.isfile(args[0]):
        binary = os.path.abspath(args.pop(0))
    names = args or sorted(n for n in os.listdir(REPLAY)
                           if os.path.exists(os.path.join(REPLAY, n, "case.yaml")))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, wrong in zip(names, pool.map(lambda n: attempt(binary, n), names)):
            failed += bool(wrong)
            print("%s %s" % ("FAIL" if wrong else "ok  ", name))
            for line in wrong:
                print("     %s" % line)
    print("%d passed, %d failed" % (len(names) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
