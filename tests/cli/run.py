#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [BINARY] [NAME...] - what a person meets on the command line: exit codes, what goes to
stdout and what to stderr, and that nothing from outside reaches a terminal unescaped.

Every test is a function named test_*; it fails by assert and may raise Skip.  Needs Python's
standard library only.  Last line: "N passed, N failed[, N skipped]".
"""
import gzip
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.join(TOP, "build", "bulkhead")
PCAPS = os.path.join(TOP, "pcaps")
ATTACK = os.path.join(PCAPS, "attack-arpspoof.pcap.gz")
ORDINARY = os.path.join(PCAPS, "ordinary.pcap.gz")
INVENTORY = os.path.join(PCAPS, "inventory.yaml")
KNOWN = ["--inventory", INVENTORY, "--tap", "span"]
ATTACK_FRAMES = 900
TMP = None


class Skip(Exception):
    pass


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return "exit %s\nstdout: %s\nstderr: %s" % (self.code, self.out[:1500], self.err[:1500])


def run(*args, stdin=b"", env=None, timeout=60, **more):
    full = dict(os.environ, **(env or {}))
    p = subprocess.run([BINARY, *args], input=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, env=full, timeout=timeout, **more)
    return Result(p.returncode, p.stdout.decode("utf-8", "replace"),
                  p.stderr.decode("utf-8", "replace"))


def run_on_terminal(*args, env=None, timeout=60):
    """stderr is a terminal; returns (exit code, what it was shown)."""
    parent, child = pty.openpty()
    p = subprocess.Popen([BINARY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=child, env=dict(os.environ, **(env or {})))
    os.close(child)
    shown, end = b"", time.monotonic() + timeout
    while time.monotonic() < end:
        if select.select([parent], [], [], 0.2)[0]:
            try:
                data = os.read(parent, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        elif p.poll() is not None:
            break
    os.close(parent)
    return p.wait(timeout=10), shown


def path(name, content=None):
    full = os.path.join(TMP, name)
    if content is not None:
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(full, mode) as f:
            f.write(content)
    return full


def plain(capture, name="plain.pcap"):
    with gzip.open(capture, "rb") as f:
        return path(name, f.read())


def expect(result, code):
    assert result.code == code, "expected exit %d, got %r" % (code, result)
    return result


def alerts(text):
    return [json.loads(line) for line in text.splitlines()]


def stats(*args):
    r = expect(run("replay", "-q", *args, "--stats", "-"), 0)
    return json.loads(r.out)


# ---- usage ---------------------------------------------------------------------------------------

def test_no_arguments_is_usage():
    r = expect(run(), 2)
    assert r.out == "" and "usage: bulkhead" in r.err, r


def test_help_goes_to_stdout():
    r = expect(run("--help"), 0)
    assert "usage: bulkhead" in r.out and r.err == "", r
    for name in ("run", "replay", "check", "alerts", "rules", "list", "inventory"):
        assert re.search(r"^  %s " % name, r.out, re.M), r


def test_help_names_only_commands_that_exist():
    names = re.findall(r"^  (\w+) ", run("--help").out, re.M)
    assert names
    for name in names:
        r = expect(run(name, "--help"), 0)
        assert r.out.startswith("usage: bulkhead " + name), r


def test_version():
    r = expect(run("--version"), 0)
    assert re.match(r"bulkhead \d+\.\d+\.\d+\n", r.out) and "nDPI" in r.out, r
    assert re.search(r"libpcap\.so\.\d+\.\d+", r.out), r


def test_unknown_command():
    r = expect(run("replya"), 2)
    assert r.out == "" and "replya" in r.err, r


def test_unknown_options():
    for args in (["--nope"], ["-Z"]):
        r = expect(run("replay", *args), 2)
        assert args[0] in r.err and r.out == "", r


def test_option_without_value():
    expect(run("replay", "-o"), 2)
    expect(run("replay", "--stats"), 2)


def test_wrong_values():
    for option, value in (("--workers", "0"), ("--workers", "x"), ("--seed", "-1"),
                          ("--speed", "fast"), ("--speed", "0x"), ("--fail-on", "bad")):
        r = expect(run("replay", option, value, ORDINARY), 2)
        assert option in r.err, r


def test_replay_without_capture():
    expect(run("replay"), 2)
    expect(run("replay", "-q"), 2)


def test_run_without_anything():
    expect(run("run"), 2)


def test_dashes_end_options():
    shutil.copy(ORDINARY, path("-odd.pcap.gz"))
    expect(run("replay", "-q", *KNOWN, "--", "-odd.pcap.gz", cwd=TMP), 0)


# ---- replay: what it reads -----------------------------------------------------------------------

def test_ordinary_traffic_is_silent():
    r = expect(run("replay", *KNOWN, "-o", "-", ORDINARY), 0)
    assert r.out == "", r


def test_summary_goes_to_stderr():
    r = expect(run("replay", *KNOWN, ATTACK), 0)
    assert r.out == "", r
    for word in ("frames", "of traffic", "frames/s", "inventory", "drops", "SEVERITY", "evil/c",
                 "->", "acme", "FIRST FRAMES", "Next:"):
        assert word in r.err, (word, r)
    assert "\033" not in r.err and "\r" not in r.err, r


def test_quiet_is_quiet():
    r = expect(run("replay", "-q", *KNOWN, ATTACK), 0)
    assert r.out == "" and r.err == "", r


def test_alerts_as_json_lines():
    r = expect(run("replay", "-q", *KNOWN, "-o", "-", ATTACK), 0)
    rows = alerts(r.out)
    kinds = {a["bulkhead"]["kind"] for a in rows}
    assert "relay.forward" in kinds, kinds
    for a in rows:
        assert a["event_type"] == "alert" and a["bulkhead"]["actor"]["tenant"] == "evil", a
    last = {a["bulkhead"]["alert_id"]: a["bulkhead"]["op"] for a in rows}
    assert set(last.values()) == {"close"}, last


def test_output_file_equals_stdout():
    r = expect(run("replay", "-q", *KNOWN, "-o", "-", ATTACK), 0)
    expect(run("replay", "-q", *KNOWN, "-o", path("out.jsonl"), ATTACK), 0)
    with open(path("out.jsonl")) as f:
        assert f.read() == r.out


def test_same_bytes_every_time():
    first = expect(run("replay", "-q", *KNOWN, "-o", "-", ATTACK), 0)
    for args in ([], ["--workers", "2"], ["--workers", "4"]):
        again = expect(run("replay", "-q", *KNOWN, *args, "-o", "-", ATTACK), 0)
        assert again.out == first.out, args
    # The seed keys the hashes, and flow_id is one of them; nothing else may change.
    other = expect(run("replay", "-q", *KNOWN, "--seed", "7", "-o", "-", ATTACK), 0)
    strip = re.compile(r'"flow_id":\d+,')
    assert strip.sub("", other.out) == strip.sub("", first.out)


def test_inputs_of_every_sort():
    want = stats(*KNOWN, ATTACK)["frames"]
    assert want == ATTACK_FRAMES
    file = plain(ATTACK)
    assert stats(*KNOWN, file)["frames"] == want
    assert stats(*KNOWN, "-r", file)["frames"] == want
    assert stats(*KNOWN, "-r", file, file)["frames"] == 2 * want
    with open(file, "rb") as f:
        r = expect(run("replay", "-q", *KNOWN, "--stats", "-", "-", stdin=f.read()), 0)
    assert json.loads(r.out)["frames"] == want
    os.makedirs(path("folder"), exist_ok=True)
    shutil.copy(ATTACK, path("folder/a.pcap.gz"))
    shutil.copy(ORDINARY, path("folder/b.pcap.gz"))
    both = stats(*KNOWN, path("folder"))["frames"]
    assert both == want + stats(*KNOWN, ORDINARY)["frames"]


def test_bpf_words():
    arp = stats(*KNOWN, ATTACK, "arp")["frames"]
    rest = stats(*KNOWN, ATTACK, "not", "arp")["frames"]
    assert 0 < arp < ATTACK_FRAMES and arp + rest == ATTACK_FRAMES, (arp, rest)
    assert stats(*KNOWN, ATTACK, "not arp")["frames"] == rest
    assert stats(*KNOWN, "-F", path("filter", "arp\n"), ATTACK)["frames"] == arp


def test_bpf_mistake_is_usage():
    r = expect(run("replay", *KNOWN, ATTACK, "prot", "80"), 2)
    assert r.out == "", r


def test_ledger_sums():
    s = stats(*KNOWN, ATTACK)
    parts = [v for k, v in s.items() if k == "attributed" or k.startswith("unattributed_")]
    assert sum(parts) == s["frames"] == s["ledger_sum"], s
    for key in ("bytes", "traffic_seconds", "frames_per_second", "flows_new", "drop_kernel"):
        assert key in s, key


def test_stats_file():
    expect(run("replay", "-q", *KNOWN, "--stats", path("stats.json"), ORDINARY), 0)
    with open(path("stats.json")) as f:
        assert json.load(f)["frames"] > 0
    expect(run("replay", "-q", *KNOWN, "--stats", path("no/such/folder"), ORDINARY), 1)


def test_evidence():
    folder = path("evidence")
    r = expect(run("replay", "-q", *KNOWN, "--evidence", folder, "-o", "-", ATTACK), 0)
    kept = os.listdir(folder)
    ids = {a["bulkhead"]["alert_id"] for a in alerts(r.out)}
    assert kept and {k.split(".")[0] for k in kept} <= ids, (kept, ids)
    with open(os.path.join(folder, kept[0]), "rb") as f:
        assert f.read(4) == b"\x0a\x0d\x0d\x0a"  # pcapng section header


def test_speed():
    started = time.monotonic()
    expect(run("replay", "-q", *KNOWN, "--speed", "10x", ORDINARY), 0)
    assert time.monotonic() - started > 0.3  # 4.6 s of traffic


# ---- exit codes ----------------------------------------------------------------------------------

def test_10_fail_on():
    r = expect(run("replay", "-q", *KNOWN, "--fail-on", "high", ATTACK), 10)
    assert "high" in r.err, r
    expect(run("replay", "-q", *KNOWN, "--fail-on", "low", ORDINARY), 0)


def test_1_output_cannot_be_written():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    expect(run("replay", "-q", *KNOWN, "-o", "/dev/full", ATTACK), 1)
    expect(run("replay", "-q", *KNOWN, "-o", path("no/such/out"), ATTACK), 1)


def test_65_truncated_capture():
    file = plain(ATTACK)
    cut = path("cut.pcap")
    with open(file, "rb") as f, open(cut, "wb") as g:
        g.write(f.read()[:-7])
    r = expect(run("replay", *KNOWN, "-o", "-", cut), 65)
    assert "cut.pcap" in r.err, r
    assert "relay.forward" in r.out and "SEVERITY" in r.err, r  # what was readable is reported
    s = json.loads(expect(run("replay", "-q", *KNOWN, "--stats", "-", cut), 65).out)
    assert s["frames"] == ATTACK_FRAMES - 1, s["frames"]


def test_65_garbage():
    expect(run("replay", "-q", path("garbage.pcap", b"no capture at all" * 20)), 65)
    expect(run("replay", "-q", path("empty.pcap", b"")), 65)
    cut = path("cut.pcap.gz")
    with open(ATTACK, "rb") as f, open(cut, "wb") as g:
        g.write(f.read()[:200000])
    expect(run("replay", "-q", *KNOWN, cut), 65)


def test_66_missing():
    for args in ([path("missing.pcap")], [path("missing")], ["--inventory", path("no.yaml"), ORDINARY],
                 ["-c", path("no.yaml"), ORDINARY], ["--rules", path("no.yaml"), ORDINARY],
                 ["-F", path("no"), ORDINARY]):
        r = expect(run("replay", "-q", *args), 66)
        assert r.err != "" and r.out == "", r
    os.makedirs(path("nothing"), exist_ok=True)
    expect(run("replay", "-q", path("nothing")), 66)
    expect(run("check", "-c", path("no.yaml")), 66)


def test_69_redis_unavailable():
    r = expect(run("replay", "-q", *KNOWN, "--redis", "unix://" + path("no.sock"), ATTACK), 69)
    assert "edis" in r.err, r


class Redis:
    """A redis-server of our own on a Unix socket; use as a context."""

    def __enter__(self):
        if not shutil.which("redis-server"):
            raise Skip("no redis-server")
        self.socket = path("redis.sock")
        self.p = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket,
                                   "--dir", TMP, "--save", "", "--appendonly", "no"],
                                  stdout=subprocess.DEVNULL)
        for _ in range(200):
            if self.cli("ping") == "PONG":
                return self
            time.sleep(0.05)
        raise AssertionError("redis-server does not answer")

    def cli(self, *args):
        return subprocess.run(["redis-cli", "-s", self.socket, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode().strip()

    def __exit__(self, *exc):
        self.p.terminate()
        self.p.wait()


def test_replay_into_redis_twice_adds_nothing():
    with Redis() as redis:
        into = [*KNOWN, "--redis", "unix://" + redis.socket]
        r = expect(run("replay", "-q", *into, "-o", "-", ATTACK), 0)
        changes = len(alerts(r.out))
        assert redis.cli("XLEN", "bulkhead:alerts") == str(changes) != "0"
        expect(run("replay", "-q", *into, ATTACK), 0)
        expect(run("replay", "-q", "--workers", "2", *into, plain(ATTACK, "a.pcap")), 0)
        copy = shutil.copy(ATTACK, path("other-name.pcap.gz"))
        expect(run("replay", "-q", *into, copy), 0)
        # The unpacked one is other bytes, hence another replay: ids and seqs tell its entries.
        have = redis.cli("XLEN", "bulkhead:alerts")
        assert have == str(2 * changes), (have, changes, redis.cli("KEYS", "*cursor*"))
        env = {"BULKHEAD_REDIS_URL": "unix://" + redis.socket}
        expect(run("replay", "-q", *KNOWN, "--redis", "env", ATTACK, env=env), 0)
        expect(run("replay", "-q", *KNOWN, ATTACK, env=env), 0)  # nothing said so
        assert redis.cli("XLEN", "bulkhead:alerts") == str(2 * changes)
        assert redis.cli("ZCARD", "bulkhead:open") == "0"


def test_redis_url_wrong_is_usage():
    expect(run("replay", "-q", *KNOWN, "--redis", "env", ATTACK, env={"BULKHEAD_REDIS_URL": ""}), 2)
    for url in ("http://localhost", "redis://localhost:99999", "redis://"):
        expect(run("replay", "-q", *KNOWN, "--redis", url, ATTACK), 2)
        expect(run("run", "-c", path("no.yaml"), "--redis", url), 2)


def test_77_no_permission():
    if os.geteuid() != 0:
        raise Skip("needs root, to give it up")
    folder = tempfile.mkdtemp(prefix="bulkhead-cli-")
    try:
        os.chmod(folder, 0o755)
        copy = shutil.copy(BINARY, os.path.join(folder, "bulkhead"))
        os.chmod(copy, 0o755)
        p = subprocess.run([copy, "run", "-i", "lo"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=20, user=65534, group=65534,
                           extra_groups=[], cwd="/")
        r = Result(p.returncode, p.stdout.decode(), p.stderr.decode())
        expect(r, 77)
        assert "CAP_NET_RAW" in r.err or "ermission" in r.err, r
    finally:
        shutil.rmtree(folder)


BROKEN_INVENTORY = """version: 1
tenants:
  - name: acme
    hots: []
    hosts:
      - { name: a, mac: "02:00:00:00:00:zz", ip: [10.0.0.1] }
      - { name: b, mac: "02:00:00:00:00:02", ip: [10.0.0.300] }
"""


def test_78_inventory_lists_every_mistake():
    file = path("broken.yaml", BROKEN_INVENTORY)
    for args in (["replay", "--inventory", file, ORDINARY], ["check", "--inventory", file]):
        r = expect(run(*args), 78)
        for line in (4, 6, 7):
            assert re.search(r"broken\.yaml:%d:\d+: " % line, r.err), (line, r)
        assert r.out == "", r


BROKEN_RULES = """version: 1
ruleset: mine
rules:
  - rule: one
    id: BH-1901
    rev: 1
    on: [relay.forwrd]
    title: t
    condition: actor.tennant = acme
    severity: grave
    output: "x"
"""


def test_78_rules():
    file = path("rules.yaml", BROKEN_RULES)
    for args in (["replay", "--rules", file, ORDINARY], ["check", "--rules", file],
                 ["rules", "list", "--rules", file]):
        r = expect(run(*args), 78)
        for line in (7, 9, 10):
            assert re.search(r"rules\.yaml:%d:\d+: " % line, r.err), (line, r)


def test_78_config():
    file = path("config.yaml", "version: 1\nsensr: { name: x }\nlimits: { flows: many }\n"
                               "inventory: [broken.yaml]\n")
    path("broken.yaml", BROKEN_INVENTORY)
    for args in (["check", "-c", file], ["run", "-c", file, "-i", "lo"],
                 ["replay", "-c", file, ORDINARY]):
        r = expect(run(*args), 78)
        assert re.search(r"config\.yaml:2:\d+: ", r.err), r
        assert re.search(r"config\.yaml:3:\d+: ", r.err), r
        assert re.search(r"broken\.yaml:4:\d+: ", r.err), r


def test_78_config_names_what_is_not_there():
    file = path("config2.yaml", "version: 1\ninventory: [nowhere.yaml]\n")
    r = expect(run("check", "-c", file), 78)
    assert "nowhere.yaml" in r.err, r


def test_78_unknown_tap_in_config():
    file = path("config3.yaml", "version: 1\ncapture:\n  - { interface: lo, tap: nope }\n")
    for args in (["check", "-c", file], ["run", "-c", file]):
        r = expect(run(*args), 78)
        assert "nope" in r.err, r


def test_78_capture_entries_have_a_place():
    file = path("entry.yaml", "version: 1\ncapture:\n  - { interface: lo, filter: 'tcp prot' }\n"
                              "  - { interface: lo, tap: nope }\n")
    r = expect(run("check", "-c", file), 78)
    assert "entry.yaml:3:5: " in r.err and "entry.yaml:4:5: " in r.err, r


def test_who_left_is_a_warning():
    file = path("left.yaml", "version: 1\ntenants:\n  - name: a\n"
                             "    hosts: [{ name: h, ip: 10.0.0.1 }]\n"
                             "    shared_addresses: [{ ip: 10.0.0.9, hosts: [h, gone] }]\n"
                             "allow: [{ actor: away/x, victim: a, kinds: ['*'], reason: r }]\n")
    rules = path("left-rules.yaml", "version: 1\nruleset: x\nrules: []\n"
                                    "override: [{ rule: BH-6999, set: { severity: low } }]\n")
    r = expect(run("check", "--inventory", file, "--rules", rules), 0)
    for place in ("left.yaml:5:", "left.yaml:6:", "left-rules.yaml:4:"):
        assert re.search(re.escape(place) + r"\d+: warning: ", r.err), (place, r)


def test_unknown_tap_is_usage():
    r = expect(run("replay", "--inventory", INVENTORY, "--tap", "nope", ORDINARY), 2)
    assert "span" in r.err and "port-c" in r.err, r


# ---- the other commands --------------------------------------------------------------------------

def test_check_shipped_files():
    r = expect(run("check", "-c", os.path.join(TOP, "dist", "bulkhead.yaml")), 0)
    assert r.out.startswith("ok:"), r
    expect(run("check", "--inventory", INVENTORY), 0)
    expect(run("check", "--rules", os.path.join(TOP, "rules")), 0)
    expect(run("check"), 2)


def test_rules():
    r = expect(run("rules", "list"), 0)
    assert re.search(r"^BH-1001 +critical +relay\.forward", r.out, re.M), r
    by_id = expect(run("rules", "show", "BH-1001"), 0)
    assert "relay.forward" in by_id.out
    assert expect(run("rules", "show", "relay.forward"), 0).out == by_id.out
    expect(run("rules", "show", "BH-0000"), 2)
    expect(run("rules"), 2)
    r = expect(run("rules", "test"), 0)
    assert re.match(r"\d+ passed, 0 failed\n", r.out) and not r.out.startswith("0 "), r


def test_list():
    wanted = {"fields": "actor.tenant", "events": "relayed", "kinds": "relay.forward",
              "protocols": "TLS", "interfaces": "lo", "settings": "limits.flows",
              "counters": "unattributed_unmapped"}
    for what, word in wanted.items():
        r = expect(run("list", what), 0)
        assert word in r.out and r.err == "", (what, r)
    expect(run("list"), 2)
    expect(run("list", "nothing"), 2)


def test_manual_names_every_setting_option_and_exit():
    with open(os.path.join(TOP, "docs", "man", "bulkhead.yaml.5")) as f:
        text = f.read()
    for row in expect(run("list", "settings"), 0).out.splitlines()[1:]:
        assert ".It Ic %s\n" % row.split()[0] in text, row
    with open(os.path.join(TOP, "docs", "man", "bulkhead.8")) as f:
        text = f.read()
    for command in ("run", "replay", "check", "alerts", "rules", "list", "inventory"):
        for option in re.findall(r" --([a-z-]+)", run(command, "--help").out):
            assert re.search(r"(Fl|,) -%s\b" % option, text), (command, option)
    for status in (0, 1, 2, 10, 65, 66, 69, 77, 78):
        assert ".It %d\n" % status in text, status


def test_manual_is_clean():
    if not shutil.which("mandoc"):
        raise Skip("no mandoc")
    folder = os.path.join(TOP, "docs", "man")
    for name in sorted(os.listdir(folder)):
        p = subprocess.run(["mandoc", "-Tlint", os.path.join(folder, name)],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = [line for line in p.stdout.decode().splitlines() if "referenced manual" not in line]
        assert not found, found


def test_alerts_usage():
    expect(run("alerts"), 2)
    expect(run("alerts", "--outbox", path("none.db")), 66)
    expect(run("alerts", "ack", "x", "--outbox", path("none.db")), 2)


def test_whois():
    r = expect(run("inventory", "whois", "02:09:00:00:00:0c", "--inventory", INVENTORY), 0)
    assert "evil/c" in r.out and "10.9.0.66" in r.out, r
    r = expect(run("inventory", "whois", "10.9.0.11", "--inventory", INVENTORY), 0)
    assert "acme/a" in r.out and "domain other" in r.out, r
    expect(run("inventory", "whois", "02:09:00:00:00:ff", "--inventory", INVENTORY), 0)
    expect(run("inventory", "whois", "nonsense", "--inventory", INVENTORY), 2)


# ---- the terminal --------------------------------------------------------------------------------

def test_colours_only_on_a_terminal():
    code, shown = run_on_terminal("replay", *KNOWN, ATTACK, env={"NO_COLOR": ""})
    assert code == 0 and b"\033[1m" in shown, shown
    code, shown = run_on_terminal("replay", *KNOWN, ATTACK, env={"NO_COLOR": "1"})
    assert code == 0 and not re.search(rb"\033\[[0-9;]*m", shown), shown
    code, shown = run_on_terminal("replay", "-q", *KNOWN, ATTACK)
    assert code == 0 and shown == b"", shown


def test_progress_on_a_terminal():
    code, shown = run_on_terminal("replay", *KNOWN, "--speed", "5x", ORDINARY)
    assert code == 0 and b"%" in shown and b"\r" in shown, shown


def test_escape_sequences_do_not_reach_the_terminal():
    evil = path("\033]0;owned\007.pcap", b"garbage")
    for args in ([evil], [evil + ".none.pcap"], ["--tap", "\033[31m", ORDINARY]):
        r = run("replay", *args)
        assert r.code in (2, 65, 66), r
        assert "\033" not in r.err and "\007" not in r.err and "\\x1b" in r.err, r


def test_interrupt_ends_a_replay():
    p = subprocess.Popen([BINARY, "replay", *KNOWN, "--speed", "0.1x", ORDINARY],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.0)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=10)
    assert p.returncode == 1 and b"interrupted" in err and b"frames" in err, (p.returncode, err)


# ---- run -----------------------------------------------------------------------------------------

def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root for a raw socket")


def run_config(more=""):
    return path("run.yaml", "version: 1\nsensor: { name: test, user: \"\" }\ninventory: [%s]\n"
                "capture: [{ interface: lo, tap: span, buffer: 4MiB }]\n"
                "outbox: { file: %s }\nevidence: { directory: \"\" }\n%s"
                % (path("run-inventory.yaml"), path("outbox.db"), more))


class Sensor:
    """bulkhead run with a notify socket; use as a context."""

    def __init__(self, *args, env=None):
        self.notify = path("notify.sock")
        if os.path.exists(self.notify):
            os.unlink(self.notify)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.notify)
        self.log = open(path("run.log"), "w+")
        # The leak check of a sanitizer build wants /proc, which a sensor has given up.
        checks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.p = subprocess.Popen([BINARY, "run", *args], stdout=subprocess.PIPE, stderr=self.log,
                                  env=dict(os.environ, NOTIFY_SOCKET=self.notify,
                                           ASAN_OPTIONS=checks, **(env or {})))

    def wait_for(self, word, timeout=10.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.sock.settimeout(max(0.05, end - time.monotonic()))
            try:
                text = self.sock.recv(4096).decode()
            except socket.timeout:
                break
            if word in text:
                return text
        raise AssertionError("no %s from the sensor; its log:\n%s" % (word, self.text()))

    def wait_log(self, word, timeout=10.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if word in self.text():
                return
            time.sleep(0.05)
        raise AssertionError("no %r in the log:\n%s" % (word, self.text()))

    def text(self):
        with open(path("run.log")) as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        self.p.stdout.close()
        self.log.close()
        self.sock.close()


def test_run_tells_systemd_and_ends_on_term():
    need_root()
    shutil.copy(INVENTORY, path("run-inventory.yaml"))
    with Sensor("-c", run_config(), env={"WATCHDOG_USEC": "1000000"}) as s:
        s.wait_for("READY=1")
        s.wait_for("WATCHDOG=1")
        s.p.send_signal(signal.SIGTERM)
        s.wait_for("STOPPING=1")
        assert s.p.wait(timeout=15) == 0, s.text()


def test_run_reloads_all_or_nothing():
    need_root()
    shutil.copy(INVENTORY, path("run-inventory.yaml"))
    with Sensor("-c", run_config()) as s:
        s.wait_for("READY=1")
        path("run-inventory.yaml", BROKEN_INVENTORY)
        s.p.send_signal(signal.SIGHUP)
        s.wait_for("RELOADING=1")
        s.wait_log("refused")
        s.wait_log("run-inventory.yaml:4:")
        with open(INVENTORY) as f:
            path("run-inventory.yaml", f.read().replace("- name: globex", "- name: initech"))
        s.p.send_signal(signal.SIGHUP)
        s.wait_log("tenants added: initech")
        s.wait_log("tenants removed: globex")
        s.p.send_signal(signal.SIGINT)
        assert s.p.wait(timeout=15) == 0, s.text()


def test_run_on_no_interface():
    need_root()
    r = run("run", "-i", "nosuchif0", timeout=20)
    assert r.code in (1, 66) and "nosuchif0" in r.err, r


def main():
    global BINARY, TMP
    args = sys.argv[1:]
    if args and not args[0].startswith("test_"):
        BINARY = os.path.abspath(args.pop(0))
    passed = failed = skipped = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (args and name not in args):
            continue
        TMP = tempfile.mkdtemp(prefix="bulkhead-cli-")
        try:
            test()
            passed += 1
        except Skip as why:
            skipped += 1
            print("skip %s: %s" % (name, why))
        except Exception:
            failed += 1
            print("FAIL %s" % name)
            traceback.print_exc(file=sys.stdout)
        finally:
            shutil.rmtree(TMP, ignore_errors=True)
    print("%d passed, %d failed%s" % (passed, failed,
                                      ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
