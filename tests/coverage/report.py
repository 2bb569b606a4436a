#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""report.py BUILD [FILE...] - what the tests reached, by room: lines and branches.

BUILD was compiled with --coverage and its tests have run; gcov, which comes with gcc, reads what they
left.  With FILEs (sensor/decode/arp.c): their lines and branches that no test reached.  Branches
of an assert() do not count: the one that fails is a bug.
"""
import collections
import gzip
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AIM = ("decode", "rule", "sink")  # every branch of what takes foreign bytes first


def gcov(build):
    """Source file -> {line: (count, [branch counts])}, over all programs."""
    data = []
    for folder, _, names in os.walk(os.path.join(build, "sensor")):
        data += [os.path.join(folder, n) for n in names if n.endswith(".gcda")]
    found = collections.defaultdict(dict)
    for at in range(0, len(data), 32):
        out = subprocess.run(["gcov", "--json-format", "--stdout", "-b", *data[at:at + 32]],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=TOP, check=True).stdout
        for document in out.splitlines():
            text = gzip.decompress(document) if document[:2] == b"\x1f\x8b" else document
            for file in json.loads(text)["files"]:
                if file["file"].startswith("sensor/") and file["file"].endswith(".c"):
                    add(found[file["file"]], file["lines"])
    return found


def add(lines, more):
    """A line may be in several functions or copies of one."""
    for line in more:
        count, branches = lines.get(line["line_number"], (0, []))
        new = [b["count"] for b in line["branches"]]
        if len(new) == len(branches):
            new = [a + b for a, b in zip(branches, new)]
        lines[line["line_number"]] = (count + line["count"], new)


def without_asserts(name, lines):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        source = f.read().splitlines()
    return {n: (count, [] if "assert(" in source[n - 1] else branches)
            for n, (count, branches) in lines.items()}, source


def share(part, whole):
    return "%5.1f %%" % (100.0 * part / whole) if whole else "    - "


def table(found):
    rooms = collections.defaultdict(lambda: [0, 0, 0, 0])
    for name, lines in found.items():
        room = name.split("/")[1] if name.count("/") > 1 else "(engine)"
        for count, branches in without_asserts(name, lines)[0].values():
            for key in (room, "(all)"):
                rooms[key][0] += count > 0
                rooms[key][1] += 1
                rooms[key][2] += sum(b > 0 for b in branches)
                rooms[key][3] += len(branches)
    print("%-10s %16s %18s" % ("room", "lines", "branches"))
    for room in sorted(rooms, key=lambda r: (r == "(all)", r not in AIM, r)):
        line, lines, branch, branches = rooms[room]
        print("%-10s %6d %s %8d %s" % (room, lines, share(line, lines), branches,
                                       share(branch, branches)))


def tell(name, lines):
    lines, source = without_asserts(name, lines)
    for n in sorted(lines):
        count, branches = lines[n]
        missed = [i for i, b in enumerate(branches) if b == 0]
        if count == 0 or missed:
            what = "never" if count == 0 else "branch %s of %d" % (
                ",".join(map(str, missed)), len(branches))
            print("%s:%d: %-16s %s" % (name, n, what, source[n - 1].strip()))


def main():
    found = gcov(os.path.abspath(sys.argv[1]))
    if not found:
        sys.exit("report.py: no coverage data in " + sys.argv[1])
    for name in sys.argv[2:]:
        for file in sorted(found):
            if file.startswith(name):
                tell(file, found[file])
    if not sys.argv[2:]:
        table(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
