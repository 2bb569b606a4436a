#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""same.py BINARY - a replay gives the same bytes with 1, 2 and 4 workers, for every capture shipped."""
import glob
import os

import yaml

import common

WORKERS = (1, 2, 4)


def inventories():
    """Capture -> (inventory, tap), as its replay case says."""
    out = {}
    pcaps = os.path.join(common.TOP, "pcaps")
    for path in glob.glob(os.path.join(common.TOP, "tests/replay/*/case.yaml")):
        with open(path) as f:
            case = yaml.safe_load(f)
        names = case["capture"] if isinstance(case["capture"], list) else [case["capture"]]
        inventory = case.get("inventory", "inventory.yaml")
        for place in (os.path.dirname(path), pcaps):
            if os.path.exists(os.path.join(place, inventory)):
                inventory = os.path.join(place, inventory)
                break
        for name in names:
            out[name] = (inventory, case.get("tap"))
    return out


def main():
    case_of = inventories()
    captures = sorted(glob.glob(os.path.join(common.TOP, "pcaps/*.pcap*.gz")))
    different, lines = [], 0
    with common.folder() as place:
        for path in captures:
            inventory, tap = case_of.get(os.path.basename(path), (os.path.join(
                common.TOP, "pcaps/inventory.yaml"), None))
            told = {}
            for workers in WORKERS:
                args = ["--workers", str(workers)] + (["--tap", tap] if tap else [])
                run = common.replay(place, [path], inventory, *args, parse=False)
                told[workers] = (run.status, run.lines)
            lines += told[1][1].count(b"\n")
            if len(set(told.values())) != 1:
                different.append("%s: %s" % (path, {w: (t[0], len(t[1])) for w, t in told.items()}))
    common.check(captures and lines and not different,
                 "%d captures, %d documents: the same bytes with 1, 2 and 4 workers" %
                 (len(captures), lines), different)
    common.end()


if __name__ == "__main__":
    main()
