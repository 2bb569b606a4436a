#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delivery under faults: a real redis-server, the real sink room, and every way to part them.

    redis_faults.py DRIVER [SCENARIO...]

DRIVER is the built delivery_driver.c.  Each scenario has a private folder, its own redis-server on
a Unix socket (port 0), and asks the same at the end: does the stream hold the records 1..N, each
once, in order?  Needs redis-server and python3; `enospc` needs root for a small tmpfs and is
skipped without.  Last line: "N passed, N failed[, N skipped]".
"""
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DRIVER = None


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


class Client:
    """RESP2 over a Unix socket; enough for a test."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        out = b"*%d\r\n" % len(words)
        for word in words:
            word = str(word).encode()
            out += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(out)
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            return self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return rest


class Server:
    def __init__(self, folder, name="redis", aof=True, extra=()):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.socket = os.path.join(self.folder, "s")
        self.aof, self.extra, self.process = aof, list(extra), None

    @property
    def url(self):
        return "unix://" + self.socket

    def repair(self):
        """Redis 7.0 (until valkey#4342) cuts a half-written command off its AOF but leaves the
        begun MULTI before it, so that the load after the next runs what was sent again twice.
        redis-check-aof cuts before MULTI, as docs/redis.md advises."""
        for manifest in glob.glob(os.path.join(self.folder, "appendonlydir", "*.manifest")):
            subprocess.run(["redis-check-aof", "--fix", manifest], input=b"y\n",
                           stdout=subprocess.DEVNULL, check=False)

    def start(self):
        self.repair()
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
             "--save", "", "--appendonly", "yes" if self.aof else "no",
             "--appendfsync", "always", "--dbfilename", "dump.rdb", *self.extra],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError, ConnectionError, RuntimeError):
                Client(self.socket)("PING")
                return self
            time.sleep(0.05)
        raise Failure("redis-server did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()

    def ask(self, *words):
        return Client(self.socket)(*words)

    def numbers(self, prefix="bulkhead:"):
        """The records' numbers in the stream, in order."""
        client, out, start = Client(self.socket), [], "-"
        while True:
            part = client("XRANGE", prefix + "alerts", start, "+", "COUNT", 1000)
            if not part:
                return out
            for entry in part:
                fields = entry[1]
                out.append(int(fields[fields.index(b"message") + 1]))
            start = "(" + part[-1][0].decode()

    def wait_for(self, count, seconds=30):
        until = time.time() + seconds
        while time.time() < until:
            with contextlib.suppress(OSError, ConnectionError, RuntimeError):
                if self.ask("XLEN", "bulkhead:alerts") >= count:
                    return
            time.sleep(0.02)
        raise Failure("the stream never reached %d entries" % count)

    def holds_exactly(self, count, prefix="bulkhead:"):
        got = self.numbers(prefix)
        want = list(range(1, count + 1))
        if got != want:
            twice = len(got) - len(set(got))
            missing = sorted(set(want) - set(got))
            raise Failure("stream: %d entries for %d records, %d twice, %d missing (first %s), "
                          "in order: %s" % (len(got), count, twice, len(missing), missing[:5],
                                            got == sorted(got)))


class Driver:
    running = []

    def __init__(self, *args, **kwargs):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([DRIVER, *map(str, args)], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, **kwargs)
        Driver.running.append(self)

    def end(self, seconds=60, code=0):
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("the driver did not end")
        self.log.seek(0)
        self.text = self.log.read()
        check(self.process.returncode == code,
              "driver ended with %d, not %d: %s" % (self.process.returncode, code,
                                                    self.text[-600:]))
        return json.loads(out.splitlines()[-1]) if out.strip() else {}

    def kill(self):
        self.process.kill()
        self.process.wait()

    @classmethod
    def end_all(cls):
        for driver in cls.running:
            if driver.process.poll() is None:
                driver.kill()
        cls.running.clear()


def run(*args, code=0, seconds=60):
    driver = Driver(*args)
    stats = driver.end(seconds, code)
    return stats, driver.text


# ---- scenarios: each takes its folder ----------------------------------------------------------

def redis_killed_ten_times(folder, extra=()):
    """Every other kill hits a server that is being written to, the others hit whenever."""
    server = Server(folder).start()
    try:
        driver = Driver("--redis", server.url, "--count", 10000, "--rate", 600, "--timeout", 30,
                        *extra)
        for kill in range(10):
            if kill % 2 == 0:
                server.wait_for(min(server.ask("XLEN", "bulkhead:alerts") + 50, 10000))
            time.sleep(random.uniform(0.0, 0.7))
            server.kill()
            time.sleep(random.uniform(0.0, 0.4))
            server.start()
        stats = driver.end()
        check(stats["dropped"] == 0, "dropped %s" % stats)
        check(stats["reconnects"] >= 4, "the kills were not noticed: %s" % stats)
        server.holds_exactly(10000)
        return stats
    finally:
        server.stop()


def kill_live(folder):
    return redis_killed_ten_times(folder, ["--outbox", folder + "/outbox.db"])


def kill_replay(folder):
    return redis_killed_ten_times(folder, ["--replay", "--cursor", "replay-1"])


def frozen(folder):
    """SIGSTOP for 5 s: submit must not wait for the server."""
    server = Server(folder).start()
    try:
        driver = Driver("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 4000,
                        "--rate", 800, "--timeout", 30)
        server.wait_for(500)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        server.process.send_signal(signal.SIGCONT)
        stats = driver.end()
        check(stats["dropped"] == 0 and stats["errors"] > 0, "%s" % stats)
        check(stats["submit_ns"] < 200000, "submit waited: %s" % stats)
        server.holds_exactly(4000)
        return stats
    finally:
        server.stop()


def flushed(folder):
    """FLUSHALL while delivering and again while idle: filled up from the outbox each time."""
    server = Server(folder).start()
    try:
        driver = Driver("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 5000,
                        "--rate", 2000, "--timeout", 30)
        server.wait_for(2000)
        server.ask("FLUSHALL")
        stats = driver.end()
        server.holds_exactly(5000)
        idle = Driver("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 5001,
                      "--rate", 1)
        idle.end()
        server.ask("FLUSHALL")
        run("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 0)
        server.holds_exactly(5001)
        check(int(server.ask("HGET", "bulkhead:matrix:20260101", "acme>globex")) == 5001,
              "the matrix does not add up")
        return stats
    finally:
        server.stop()


def old_snapshot(folder):
    """Killed and started from a copy made long before."""
    server = Server(folder, aof=False).start()
    outbox = ["--outbox", folder + "/outbox.db", "--redis", server.url]
    try:
        driver = Driver(*outbox, "--count", 6000, "--rate", 2000, "--timeout", 30)
        server.wait_for(1000)
        server.ask("SAVE")
        shutil.copy(server.folder + "/dump.rdb", server.folder + "/old.rdb")
        server.wait_for(3000)
        server.kill()
        shutil.copy(server.folder + "/old.rdb", server.folder + "/dump.rdb")
        server.start()
        stats = driver.end()
        check(stats["ahead"] == 0, "taken for tampering: %s" % stats)
        server.holds_exactly(6000)
        return stats
    finally:
        server.stop()


class Chaos(threading.Thread):
    """A proxy on a Unix socket that does each connection another harm."""

    GARBAGE = [b"*1073741824\r\n", b"$2000000000\r\n", b"$-7\r\n", b"HTTP/1.1 400 Bad\r\n\r\n",
               b"+OK\r\n+OK\r\n", b"\0" * 64, b"-LOADING later\r\n", b"-MOVED 1 10.0.0.1:1\r\n",
               b"*-1\r\n", b":99999999999999999999\r\n", b"%7\r\n", b"$5\nabcde\r\n"]

    def __init__(self, path, target):
        super().__init__(daemon=True)
        self.path, self.target, self.kind, self.calm = path, target, 0, False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            kind = 99 if self.calm else self.kind % 5
            self.kind += 1
            threading.Thread(target=self.up, args=(client, server), daemon=True).start()
            threading.Thread(target=self.down, args=(client, server, kind), daemon=True).start()

    @staticmethod
    def up(client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def down(self, client, server, kind):
        budget, life = random.randrange(20, 6000), time.time() + 1
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if kind == 2 and time.time() > life:
                    break
                if kind == 0 and budget < len(data):     # half a reply
                    client.sendall(data[:budget])
                    break
                if kind == 1 and budget < len(data):     # garbage in the middle
                    client.sendall(data[:budget] + random.choice(self.GARBAGE) + data[budget:])
                    time.sleep(0.2)
                    break
                if kind == 2:                            # slow, byte by byte for a while
                    for i in range(min(40, len(data))):
                        client.sendall(data[i:i + 1])
                        time.sleep(0.001)
                    data = data[min(40, len(data)):]
                if kind == 3 and budget < len(data):     # the reply never comes
                    time.sleep(1)
                    break
                if kind == 4 and random.random() < 0.2:  # garbage instead
                    client.sendall(random.choice(self.GARBAGE))
                    break
                budget -= len(data)
                client.sendall(data)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def chaos(folder):
    server = Server(folder).start()
    proxy = Chaos(folder + "/p", server.socket)
    proxy.start()
    try:
        driver = Driver("--outbox", folder + "/outbox.db", "--redis", "unix://" + proxy.path,
                        "--count", 12000, "--rate", 1200, "--timeout", 60)
        time.sleep(12)
        proxy.calm = True
        stats = driver.end()
        check(stats["errors"] > 5, "no chaos happened: %s" % stats)
        check(stats["ahead"] == 0, "garbage was taken for a forged cursor: %s" % stats)
        server.holds_exactly(12000)
        return stats
    finally:
        server.stop()


def hostile_header(folder):
    """A reply header that announces gigabytes costs nothing."""
    path = folder + "/h"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)

    def serve():
        while True:
            client, _ = listener.accept()
            with contextlib.suppress(OSError):
                client.recv(4096)
                client.sendall(random.choice([b"*1073741824\r\n", b"$1073741824\r\n"]))
                for _ in range(200):
                    client.sendall(b"x" * 65536)
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    _, text = run("--replay", "--redis", "unix://" + path, "--count", 1, code=69)
    check("makes no sense" in text, text)
    driver = Driver("--outbox", folder + "/outbox.db", "--redis", "unix://" + path, "--count", 10,
                    "--timeout", 2)
    time.sleep(1.5)
    with open("/proc/%d/status" % driver.process.pid) as status:
        peak = int([l for l in status if l.startswith("VmHWM")][0].split()[1])
    driver.end()
    check(peak < 64 * 1024, "%d KiB resident" % peak)
    return {"peak_kib": peak}


def credentials(folder):
    """Wrong password, no rights on a key: an outage that names itself, and heals."""
    server = Server(folder).start()
    secret = folder + "/secret"
    with open(secret, "w") as file:
        file.write("right\n")
    try:
        server.ask("CONFIG", "SET", "requirepass", "other")
        outbox = ["--outbox", folder + "/outbox.db", "--redis", server.url, "--password-file",
                  secret]
        _, text = run("--replay", "--redis", server.url, "--count", 3, code=69)
        check("NOAUTH" in text, text)
        _, text = run("--replay", "--redis", server.url, "--count", 3, "--password-file", secret,
                      code=69)
        check("WRONGPASS" in text and "right" not in text, text)
        driver = Driver(*outbox, "--count", 900, "--rate", 600, "--timeout", 20)
        time.sleep(0.7)
        client = Client(server.socket)
        client("AUTH", "other")
        client("ACL", "SETUSER", "default", "on", ">right", "resetkeys", "~nothing:*")
        time.sleep(1)
        client("ACL", "SETUSER", "default", "~*", "&*")
        stats = driver.end()
        check("WRONGPASS" in driver.text and "NOPERM" in driver.text, driver.text[-600:])
        client("ACL", "SETUSER", "default", "nopass")
        server.holds_exactly(900)
        return stats
    finally:
        server.stop()


def shipped_users(folder):
    """dist/redis/users.acl: each user can do its work, and nothing else."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(here + "/../../dist/redis/users.acl") as recipe, \
            open(folder + "/users.acl", "w") as file:
        file.writelines(line.replace("CHANGE-ME", "pw") for line in recipe
                        if line.startswith("user "))
    with open(folder + "/secret", "w") as file:
        file.write("pw\n")
    server = Server(folder, extra=["--aclfile", folder + "/users.acl"]).start()

    def user(name):
        client = Client(server.socket)
        client("AUTH", name, "pw")
        return client

    def refused(client, *words):
        try:
            client(*words)
        except RuntimeError as answer:
            return "NOPERM" in str(answer)
        return False

    try:
        stats, text = run("--outbox", folder + "/outbox.db", "--redis", server.url, "--queue",
                          "--username", "sensor", "--password-file", folder + "/secret", "--count",
                          300, "--heartbeat", 1)
        check(stats["errors"] == 0 and "NOPERM" not in text and "refused" not in text, text)
        server.holds_exactly(300)
        sensor, soc, board = user("sensor"), user("soc"), user("board")
        for words in (("XRANGE", "bulkhead:alerts", "-", "+"), ("HGETALL", "bulkhead:alert:1"),
                      ("XREAD", "STREAMS", "bulkhead:alerts", "0"), ("FLUSHALL",), ("KEYS", "*"),
                      ("DEL", "bulkhead:alerts"), ("EVAL", "return 1", "0"),
                      ("CONFIG", "GET", "*"), ("GET", "other")):
            check(refused(sensor, *words), "sensor may %s" % (words,))
        soc("XGROUP", "CREATE", "bulkhead:alerts", "g", "0")
        check(soc("XREADGROUP", "GROUP", "g", "me", "COUNT", 1, "STREAMS", "bulkhead:alerts", ">"),
              "soc reads")
        soc("HSET", "bulkhead:alert:1", "owner", "ann")
        soc("XADD", "bulkhead:acks", "*", "id", "1" * 32, "action", "ack")
        for words in (("XADD", "bulkhead:alerts", "*", "a", "b"), ("DEL", "bulkhead:alerts"),
                      ("SET", "bulkhead:cursor:leaf12", "1"), ("XTRIM", "bulkhead:alerts",
                                                               "MAXLEN", "0")):
            check(refused(soc, *words), "soc may %s" % (words,))
        check(board("XLEN", "bulkhead:alerts") == 300, "board reads")
        board("SUBSCRIBE", "bulkhead:live")
        for words in (("HSET", "bulkhead:alert:1", "owner", "x"),
                      ("XADD", "bulkhead:acks", "*", "a", "b"),
                      ("PUBLISH", "bulkhead:live", "x"), ("XRANGE", "bulkhead:acks", "-", "+")):
            check(refused(user("board"), *words), "board may %s" % (words,))
        return stats
    finally:
        server.stop()


def refusals(folder):
    """OOM, READONLY, NOREPLICAS, MISCONF-like refusals, another type under the stream's name."""
    server = Server(folder).start()
    try:
        driver = Driver("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 5000,
                        "--rate", 300, "--timeout", 30)
        for on, off, word in [
                (("CONFIG", "SET", "maxmemory", "1mb"), ("CONFIG", "SET", "maxmemory", "0"), "OOM"),
                (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "READONLY"),
                (("CONFIG", "SET", "min-replicas-to-write", "1"),
                 ("CONFIG", "SET", "min-replicas-to-write", "0"), "NOREPLICAS"),
                (("RENAME", "bulkhead:alerts", "aside"), None, None)]:
            server.wait_for(server.ask("XLEN", "bulkhead:alerts") + 100)   # it is up
            if word is None:
                client = Client(server.socket)
                client("MULTI")
                client(*on)
                client("SET", "bulkhead:alerts", "not a stream")
                client("EXEC")
                time.sleep(1.2)
                client("RENAME", "aside", "bulkhead:alerts")
                continue
            server.ask(*on)
            time.sleep(1)
            server.ask(*off)
        stats = driver.end()
        for word in ("OOM", "READONLY", "NOREPLICAS", "WRONGTYPE"):
            check(word in driver.text, "%s was not told: %s" % (word, driver.text[-600:]))
        server.holds_exactly(5000)
        return stats
    finally:
        server.stop()


def replicas(folder):
    """redis.wait_replicas: not delivered before a replica has it."""
    with socket.socket() as probe:      # replication needs TCP: a free port on loopback
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(folder, extra=["--port", str(port), "--bind", "127.0.0.1",
                                   "--repl-diskless-sync-delay", "0"]).start()
    replica = Server(folder, "replica", extra=["--replicaof", "127.0.0.1", str(port)])
    try:
        driver = Driver("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 900,
                        "--rate", 600, "--wait-replicas", 1, "--timeout", 20)
        time.sleep(1)
        check(server.ask("XLEN", "bulkhead:alerts") == 0, "delivered without a replica")
        replica.start()
        server.wait_for(300)
        replica.stop()
        time.sleep(1)
        replica.start()
        stats = driver.end()
        check("wait_replicas" in driver.text, driver.text[-600:])
        server.holds_exactly(900)
        replica.holds_exactly(900)
        return stats
    finally:
        server.stop()
        replica.stop()


def sensor_killed(folder):
    """kill -9 of the process twenty times, each time it goes on from its outbox."""
    server = Server(folder).start()
    args = ["--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 8000,
            "--rate", 2500, "--timeout", 30]
    try:
        for _ in range(20):
            driver = Driver(*args)
            time.sleep(random.uniform(0.05, 0.3))
            driver.kill()
        stats, _ = run(*args)
        check(stats["from"] > 1, "%s" % stats)
        server.holds_exactly(8000)
        return stats
    finally:
        server.stop()


def both_killed(folder):
    server = Server(folder).start()
    args = ["--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 6000,
            "--rate", 2000, "--timeout", 30]
    try:
        for i in range(10):
            driver = Driver(*args)
            time.sleep(random.uniform(0.05, 0.3))
            if i % 2 == 0:
                server.kill()
                time.sleep(0.1)
                driver.kill()
                server.start()
            else:
                driver.kill()
        stats, _ = run(*args)
        server.holds_exactly(6000)
        return stats
    finally:
        server.stop()


def cursor_forged(folder):
    """A cursor that claims more than was sent is told, and nothing is skipped for it."""
    server = Server(folder).start()
    args = ["--outbox", folder + "/outbox.db", "--redis", server.url]
    try:
        run(*args, "--count", 300)
        for value in ("999999999", "not a number", "99999999999999999999999"):
            server.ask("SET", "bulkhead:cursor:leaf12", value)
            stats, text = run(*args, "--count", 0)
            check(stats["ahead"] == 1 and "ahead of the outbox" in text, text)
        server.ask("SET", "bulkhead:cursor:leaf12", "999999999")
        stats, _ = run(*args, "--count", 600)
        check(stats["ahead"] == 1, "%s" % stats)
        server.holds_exactly(600)
        os.remove(folder + "/outbox.db")    # a lost disk: numbers start again, nothing is skipped
        stats, _ = run(*args, "--count", 900)
        check(stats["ahead"] == 1, "%s" % stats)
        check(server.numbers()[600:] == list(range(1, 901)), "the new outbox was skipped")
        return stats
    finally:
        server.stop()


def replay_twice(folder):
    server = Server(folder).start()
    args = ["--replay", "--redis", server.url, "--cursor", "replay-abc", "--count", 2000]
    try:
        run(*args)
        stats, _ = run(*args)
        check(stats["delivered"] == 0, "%s" % stats)
        server.holds_exactly(2000)
        server.kill()
        _, text = run(*args, code=69)
        check("Redis" in text, text)
        return stats
    finally:
        server.stop()


def enospc(folder):
    """The outbox's disk is full for a while: what was said waits in the queue."""
    if os.geteuid() != 0:
        raise Skip("needs root for a tmpfs")
    disk = folder + "/disk"
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk],
                      stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("may not mount a tmpfs")
    server = Server(folder).start()
    try:
        driver = Driver("--outbox", disk + "/outbox.db", "--redis", server.url, "--count", 3000,
                        "--rate", 400, "--timeout", 30)
        time.sleep(0.5)
        filler = os.open(disk + "/filler", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(filler, b"x" * 4096)
        os.close(filler)
        time.sleep(2)
        os.remove(disk + "/filler")
        stats = driver.end(code=0)
        check("disk is full" in driver.text or "disk I/O" in driver.text, driver.text[-600:])
        check(stats["dropped"] == 0, "%s" % stats)
        server.holds_exactly(3000)
        return stats
    finally:
        server.stop()
        Driver.end_all()
        subprocess.run(["umount", disk], check=False)


def over_quota(folder):
    """Redis away and the quota small: updates go, opens never, and it is counted."""
    server = Server(folder)
    args = ["--outbox", folder + "/outbox.db", "--redis", server.url, "--quota", 2 << 20]
    try:
        stats, _ = run(*args, "--count", 3000, "--timeout", 1)
        check(stats["dropped"] > 0, "%s" % stats)
        server.start()
        run(*args, "--count", 0)
        numbers = server.numbers()
        check(numbers == sorted(set(numbers)), "twice or out of order")
        gone = set(range(1, 3001)) - set(numbers)
        check(len(gone) == stats["dropped"], "%d gone, counted %s" % (len(gone), stats))
        check(not [n for n in gone if n % 3 == 1], "an open was dropped")
        return stats
    finally:
        server.stop()


def two_sensors(folder):
    """One outbox, two sensors: the second is told."""
    driver = Driver("--outbox", folder + "/outbox.db", "--count", 1000, "--rate", 500)
    time.sleep(0.5)
    _, text = run("--outbox", folder + "/outbox.db", "--count", 5, code=1)
    check("another sensor" in text, text)
    return driver.end()


def queue_mirror(folder):
    server = Server(folder).start()
    try:
        stats, _ = run("--outbox", folder + "/outbox.db", "--redis", server.url, "--count", 500,
                       "--queue", "--maxlen", 100)
        check(server.ask("LLEN", "bulkhead:queue") == 100, "LTRIM")
        check(b'"n":500' in server.ask("LINDEX", "bulkhead:queue", -1), "the newest is last")
        check(server.ask("ZCARD", "bulkhead:open") == 1, "one alert is open")
        return stats
    finally:
        server.stop()


def speed(folder):
    out = {}
    for aof in (True, False):
        server = Server(folder, "aof" if aof else "plain", aof=aof).start()
        try:
            stats, _ = run("--outbox", folder + "/o%d.db" % aof, "--redis", server.url,
                           "--count", 30000)
            out["aof-always" if aof else "no-aof"] = "%d alerts/s, submit %d ns" % (
                30000 * 1000 // stats["took_ms"], stats["submit_ns"])
        finally:
            server.stop()
    return out


SCENARIOS = [kill_live, kill_replay, frozen, flushed, old_snapshot, chaos, hostile_header,
             credentials, shipped_users, refusals, replicas,
             sensor_killed, both_killed, cursor_forged, replay_twice,
             enospc, over_quota, two_sensors, queue_mirror, speed]


def main():
    global DRIVER
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    DRIVER = os.path.abspath(sys.argv[1])
    wanted, passed, failed, skipped = sys.argv[2:], 0, 0, 0
    for scenario in SCENARIOS:
        if wanted and scenario.__name__ not in wanted:
            continue
        folder = tempfile.mkdtemp(prefix="bulkhead-")
        start = time.time()
        try:
            told = scenario(folder)
            passed += 1
            print("ok   %-16s %4.1f s  %s" % (scenario.__name__, time.time() - start,
                                              told), flush=True)
        except Skip as why:
            skipped += 1
            print("skip %-16s %s" % (scenario.__name__, why), flush=True)
        except (Failure, OSError, RuntimeError, subprocess.SubprocessError) as wrong:
            failed += 1
            print("FAIL %-16s %s" % (scenario.__name__, wrong), flush=True)
        finally:
            Driver.end_all()
            shutil.rmtree(folder, ignore_errors=True)
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
