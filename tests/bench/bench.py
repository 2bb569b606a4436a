# SPDX-License-Identifier: Apache-2.0
"""bench.py - what the benchmarks have in common: building, generating, running, measuring."""
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATOR = ["generate.c", "talk.c", "tls.c", "text.c", "binary.c", "wire.c"]
CFLAGS = ["-std=gnu17", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra"]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Place:
    """The folder beside the binary where captures, configs and helpers lie."""

    def __init__(self, bulkhead):
        self.bulkhead = os.path.abspath(bulkhead)
        self.folder = os.path.join(os.path.dirname(self.bulkhead), "bench")
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self, name, sources, more=()):
        """A helper in C, built anew when a source is newer."""
        target = self.path(name)
        sources = [os.path.join(HERE, source) for source in sources]
        headers = [os.path.join(HERE, h) for h in os.listdir(HERE) if h.endswith(".h")]
        newest = max(os.path.getmtime(f) for f in sources + headers)
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            subprocess.run([os.environ.get("CC", "gcc"), *CFLAGS, "-o", target, *sources, *more],
                           check=True)
        return target

    def generate(self, workload, packets=0, flows=0, hosts=0):
        """The capture (or inventory) of these sizes; kept for the next time."""
        generator = self.build("generate", GENERATOR)
        end = "yaml" if workload == "inventory" else "pcap"
        target = self.path("%s-%d-%d-%d.%s" % (workload, packets, flows, hosts, end))
        if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(generator):
            return target
        command = [generator, workload, "-o", target]
        for flag, value in (("-p", packets), ("-f", flows), ("-n", hosts)):
            if value:
                command += [flag, str(value)]
        subprocess.run(command, check=True)
        return target

    def config(self, name, inventory, lines=()):
        """A config with outbox and all rules; returns it and the outbox to remove before a run."""
        outbox = self.path(name + ".db")
        path = self.path(name + ".yaml")
        with open(path, "w") as f:
            f.write("version: 1\nsensor: { name: bench, site: bench }\n")
            f.write("inventory: [%s]\n" % inventory)
            f.write('outbox: { file: "%s", quota: 1GiB }\n' % outbox)
            f.writelines(line + "\n" for line in lines)
        return path, outbox

    def replay(self, config, outbox, capture, *more):
        """The command, and what to remove before it."""
        command = [self.bulkhead, "replay", "-q", "-c", config, *more, capture]
        return command, [outbox, outbox + "-wal", outbox + "-shm"]


def anonymous_memory(pid):
    """Bytes of memory that are not pages of the capture file; 0 when the process is gone."""
    try:
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def note_threads(pid, seconds):
    """Keeps the CPU time of each thread: what is to be read of it while it lives."""
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as f:
                seconds[thread] = int(f.read().split()[0]) / 1e9
    except (OSError, IndexError):
        pass


class Run:
    """CPU and wall seconds; RSS and what of it is no file, in bytes; CPU of the busiest thread."""

    def __init__(self, cpu, wall, rss, memory, busiest):
        self.cpu, self.wall, self.rss = cpu, wall, rss
        self.memory, self.busiest = memory, busiest


def one_core():
    """The last one: fewer interrupts, as a rule."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def run(command, remove=(), cwd=None, pinned=False):
    """Runs a program and measures it; stops everything when it fails."""
    for path in remove:
        if os.path.exists(path):
            os.unlink(path)
    peak = [0]
    threads_cpu = {}
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, cwd=cwd,
                             preexec_fn=one_core if pinned else None)
    errors = []
    done = threading.Event()

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous_memory(child.pid))
            note_threads(child.pid, threads_cpu)

    def drain():
        errors.append(child.stderr.read())

    threads = [threading.Thread(target=target) for target in (watch, drain)]
    for thread in threads:
        thread.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    for thread in threads:
        thread.join()
    child.stderr.close()
    if child.returncode != 0:
        sys.exit("%s: exit status %d\n%s" % (" ".join(command), child.returncode,
                                            errors[0].decode(errors="replace")[-2000:]))
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, peak[0],
               max(threads_cpu.values(), default=0.0))


def median(runs, what):
    return statistics.median(getattr(r, what) for r in runs)


def machine():
    """The machine in a line."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    release = os.uname().release
    return "%s, %d cores, %d GiB, Linux %s" % (model, os.cpu_count(), memory, release)


def have(program):
    return shutil.which(program) is not None


