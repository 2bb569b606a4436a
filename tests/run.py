#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [BUILD [SUITE...]] - runs the test suites side by side and adds up what they say.

A suite is a folder of tests/, or one in it: `unit` is each program BUILD/tests/unit/*/test_*, any
other its executable run.sh or run.py, which gets the binary as argument.  Without SUITE all of them
run but `bench`, and `fuzz` only with what it once found.  A suite's last line reads
"N passed, N failed[, N skipped]"; one that ends badly without saying so counts as one failure.
Our last line is the sum.

One more runs at a time than there are processors, for many wait more than they compute; the output
of each comes in one piece at its end.
"""
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
TIMEOUT_UNIT = 300
TIMEOUT_SUITE = 1200
# What takes longest starts first.
FIRST = ("system/tools", "system", "scenario", "fuzz", "budget")
NOT_IN_CHECK = ("unit", "bench")
TARGETS_OF_THEIR_OWN = {"fuzz": ["--regressions"]}


class Job:
    """One program with its counts; runs in a session of its own, so that all of it can be ended."""

    running = set()
    lock = threading.Lock()

    def __init__(self, name, command, timeout, tap=False):
        self.name, self.command, self.timeout, self.tap = name, command, timeout, tap
        self.counts = (0, 0, 0)

    def run(self):
        started = time.monotonic()
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        process = subprocess.Popen(self.command, cwd=TOP, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        with Job.lock:
            Job.running.add(process.pid)
        late = False
        try:
            out = process.communicate(timeout=self.timeout)[0]
        except subprocess.TimeoutExpired:
            late = True
            self.end(process.pid, signal.SIGKILL)
            out = process.communicate()[0]
        with Job.lock:
            Job.running.discard(process.pid)
        text = out.decode("utf-8", "replace")
        status = "no end within %d s" % self.timeout if late else \
            "exit status %d" % process.returncode
        (self.count_tap if self.tap else self.count_closing)(text, process.returncode)
        self.tell(text, status, time.monotonic() - started)

    @staticmethod
    def end(pid, how):
        try:
            os.killpg(pid, how)
        except ProcessLookupError:
            pass

    def count_tap(self, text, status):
        good = len(re.findall(r"^ok ", text, re.M))
        skipped = len(re.findall(r"^not ok .*# SKIP", text, re.M))
        bad = len(re.findall(r"^not ok ", text, re.M)) - skipped
        # A program that died, or failed outside a test, fails once more.
        self.counts = (good, bad or int(status != 0), skipped)

    def count_closing(self, text, status):
        last = list(CLOSING.finditer(text))[-1:]
        if not last:
            self.counts = (0, 1, 0)
            return
        good, bad, skipped = (int(number or 0) for number in last[0].groups())
        self.counts = (good, bad or int(status != 0), skipped)

    def tell(self, text, status, seconds):
        good, bad, skipped = self.counts
        line = "%-30s %5.1f s  %d passed, %d failed%s" % (
            self.name, seconds, good, bad, ", %d skipped" % skipped if skipped else "")
        with Job.lock:
            if not self.tap or bad:
                print("== %s\n%s" % (self.name, re.sub("^", "    ", text.rstrip(), flags=re.M)))
            print(line + (" (%s)" % status if bad else ""), flush=True)


def unit_jobs(build):
    top = os.path.join(build, "tests", "unit")
    for room in sorted(os.listdir(top)) if os.path.isdir(top) else []:
        for name in sorted(os.listdir(os.path.join(top, room))):
            if name.startswith("test_") and "." not in name:
                yield Job("unit/%s/%s" % (room, name), [os.path.join(top, room, name)],
                          TIMEOUT_UNIT, tap=True)


def suite_jobs(build, suite):
    for name in ("run.sh", "run.py"):
        script = os.path.join(HERE, suite, name)
        if os.access(script, os.X_OK):
            yield Job(suite, [script, os.path.join(build, "bulkhead")] +
                      TARGETS_OF_THEIR_OWN.get(suite, []), TIMEOUT_SUITE)


def all_jobs(build, suites):
    if not suites:
        folders = sorted({os.path.relpath(os.path.dirname(script), HERE)
                          for depth in ("*", "*/*")
                          for script in glob.glob(os.path.join(HERE, depth, "run.*"))})
        suites = [s for s in FIRST if s in folders] + ["unit"] + \
            [s for s in folders if s not in FIRST + NOT_IN_CHECK]
    for suite in suites:
        yield from unit_jobs(build) if suite == "unit" else suite_jobs(build, suite)


def main():
    args = sys.argv[1:]
    build = os.path.abspath(args[0] if args else os.path.join(TOP, "build"))
    jobs = list(all_jobs(build, args[1:]))
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1)
    try:
        for done in [pool.submit(job.run) for job in jobs]:
            done.result()
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for pid in list(Job.running):
            Job.end(pid, signal.SIGTERM)
        pool.shutdown()
        sys.exit(130)
    good, bad, skipped = (sum(job.counts[i] for job in jobs) for i in range(3))
    print("%d passed, %d failed%s" % (good, bad, ", %d skipped" % skipped if skipped else ""))
    return 0 if good and not bad else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
