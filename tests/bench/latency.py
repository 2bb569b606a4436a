# SPDX-License-Identifier: Apache-2.0
"""latency.py - from the frame that proves a relay to the alert in Redis, live, at a moderate load.

Churn of short flows at a steady rate over a veth pair, a flow in a thousand of it relayed by a
stranger.  Redis gives each entry of the stream the time of its own clock as id; the alert says when
the kernel took the frame.  Both clocks are this machine's.
"""
import datetime
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import live
from bench import say

RATE = 100000
FRAMES = 1000000
KIND = "relay.forward"  # told with the frame that proves it, not when a window has passed


class Redis:
    """A server of our own on a Unix socket."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="bulkhead-bench-")
        self.socket = os.path.join(self.folder, "redis.sock")
        self.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir",
             self.folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + live.READY_S
        while not os.path.exists(self.socket) and time.monotonic() < end:
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder)

    def alerts(self):
        """(id, document) of each entry of the stream."""
        out = subprocess.run(["redis-cli", "-s", self.socket, "--json", "XRANGE", "bulkhead:alerts",
                              "-", "+"], capture_output=True, check=True).stdout
        for key, fields in json.loads(out):
            fields = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2]))
            yield key, json.loads(fields["json"])


def delay_ms(key, alert):
    seen = datetime.datetime.fromisoformat(alert["bulkhead"]["last_seen"].replace("Z", "+00:00"))
    return int(key.split("-")[0]) - seen.timestamp() * 1000


def configure(place, inventory, redis):
    lines = ["capture: [{ interface: %s, buffer: %dMiB }]" % (live.PAIR[1], live.BUFFER_MIB),
             'redis: { url: "unix://%s" }' % redis.socket]
    config, outbox = place.config("latency", inventory, lines)
    with open(config) as f:
        text = f.read().replace("site: bench }", 'site: bench, user: "" }')
    with open(config, "w") as f:
        f.write(text)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(outbox + end):
            os.unlink(outbox + end)
    return config


def run(place, space, config, sender, capture):
    child = subprocess.Popen(space.wrap + [place.bulkhead, "run", "-c", config],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    try:
        live.wait_for(child.stderr, b"rules")
        subprocess.run(space.wrap + [sender, live.PAIR[0], capture, str(FRAMES), str(RATE)],
                       stdout=subprocess.DEVNULL, check=True)
        time.sleep(live.SETTLE_S)
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)


def measure(place, report, inventory):
    """The 99th percentile in milliseconds; None without the rights."""
    if os.geteuid() != 0:
        return None
    sender = place.build("send", ["send.c"])
    capture = place.generate("flows", 1000000, 1500000)
    say("latency: %d frames at %d a second" % (FRAMES, RATE))
    with Redis() as redis, live.Namespace() as space:
        run(place, space, configure(place, inventory, redis), sender, capture)
        delays = sorted(delay_ms(key, alert) for key, alert in redis.alerts()
                        if alert["bulkhead"]["op"] == "open" and alert["bulkhead"]["kind"] == KIND)
    if not delays:
        raise RuntimeError("latency: no alert came")
    half, most = delays[len(delays) // 2], delays[min(len(delays) * 99 // 100, len(delays) - 1)]
    report.record(kind="latency", alerts=len(delays), median_ms=half, p99_ms=most, max_ms=delays[-1])
    report.text()
    report.text("Frame to alert in Redis, %d relays among %d frames a second: median %.0f ms, 99 of "
                "100 within %.0f ms, all within %.0f ms." % (len(delays), RATE, half, most, delays[-1]))
    return most
