#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [BINARY] [PART...] - the promises of docs/reliability.md that a capture or a fault proves.

Each part is a script of this folder that is run as PART.py BINARY and ends with "N passed, N failed[,
N skipped]"; the last line here adds them up.  Two at a time.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["flood", "config", "faults", "calls", "injection", "bury", "clock", "same", "shed", "dpi"]
TIMEOUT = 600


def run(binary, part):
    started = time.monotonic()
    try:
        done = subprocess.run([sys.executable, os.path.join(HERE, part + ".py"), binary],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        text, status = done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        text, status = (late.stdout or b"").decode("utf-8", "replace") + "\nno end", 1
    last = list(re.finditer(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.M))[-1:]
    good, bad, skipped = (int(n or 0) for n in last[0].groups()) if last else (0, 0, 0)
    if status != 0 and not bad:
        bad = 1
    print("-- %s, %.0f s\n%s" % (part, time.monotonic() - started, text), flush=True)
    return good, bad, skipped


def main():
    top = os.path.dirname(os.path.dirname(HERE))
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else
                             os.path.join(top, "build", "bulkhead"))
    parts = sys.argv[2:] or PARTS
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda part: run(binary, part), parts))
    good, bad, skipped = (sum(r[i] for r in results) for i in range(3))
    print("%d passed, %d failed%s" % (good, bad, ", %d skipped" % skipped if skipped else ""))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
