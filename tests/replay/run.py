#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [BINARY] [CASE...] - replays captures and compares selected fields of the alerts.

A case is a folder with case.yaml:

    version: 1
    about: ARP poisoning both ways, kernel forwarding      # one line
    capture: attack-arpspoof.pcap.gz     # one or a list; in the case's folder or in pcaps/
    inventory: inventory.yaml            # likewise; this is the default
    config: bulkhead.yaml                # optional, likewise
    tap: span                            # optional
    args: ["--workers", "2"]             # optional, further arguments
    exit: 0                              # optional
    expect:                              # each must be met by an incident's last state
      - { kind: relay.forward, actor: evil/c, victim: acme, severity: critical, count: ">= 3" }
    silent: all                          # or others, or a list of kinds

In `expect`, actor and victim are a tenant or tenant/host; `number` is how many incidents meet it
(otherwise: at least one); every other key is a field of the document's `bulkhead` object, or, with
a path ("alert.signature_id", "src_ip"), of the whole document.  A value is compared as it is; a
text may begin with >=, <=, >, < or != (numbers) or ~ (regular expression).

`silent: all`: no kind but the expected ones, and none of these from another tenant.  `silent:
others`: whatever the expected actors are accused of, nobody else is accused of anything.  As for
an analyst's board, alerts of severity informational and health.* do not count here.

Each capture is replayed twice and has to give the same bytes.  In the end the documents of all
cases are held to docs/alert.schema.json.  Needs python3-yaml, python3-jsonschema and jq.  Last
line: "N passed, N failed".
"""
import collections
import json
import operator
import os
import re
import subprocess
import sys
import tempfile

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
KEYS = {"version", "about", "capture", "inventory", "config", "tap", "args", "exit", "expect",
        "silent"}
COMPARE = [(">=", operator.ge), ("<=", operator.le), ("!=", operator.ne), (">", operator.gt),
           ("<", operator.lt)]


def find(folder, name):
    """A file of the case, or a shipped one."""
    for place in (folder, os.path.join(TOP, "pcaps")):
        path = os.path.join(place, name)
        if os.path.exists(path):
            return path
    raise ValueError("no %s in the case or in pcaps/" % name)


def command(binary, folder, case, out):
    captures = case["capture"] if isinstance(case["capture"], list) else [case["capture"]]
    words = [binary, "replay", "-q", "--inventory",
             find(folder, case.get("inventory", "inventory.yaml")), "-o", out]
    if "config" in case:
        words += ["-c", find(folder, case["config"])]
    if "tap" in case:
        words += ["--tap", case["tap"]]
    return words + [str(a) for a in case.get("args", [])] + [find(folder, c) for c in captures]


def replay(binary, folder, case):
    """Exit status, stderr and the bytes of the JSON lines."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-replay-") as place:
        out = os.path.join(place, "alerts.jsonl")
        run = subprocess.run(command(binary, folder, case, out), stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, timeout=300, check=False)
        lines = b""
        if os.path.exists(out):
            with open(out, "rb") as f:
                lines = f.read()
        return run.returncode, run.stderr.decode(errors="replace"), lines


def incidents(lines):
    """The last state of each incident, in the order they were opened."""
    states = collections.OrderedDict()
    for line in lines.splitlines():
        document = json.loads(line)
        if document.get("event_type") == "alert":
            states[document["bulkhead"]["alert_id"]] = document
    return list(states.values())


def field(document, name):
    for place in (document["bulkhead"], document):
        value = place
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def equal(value, want):
    if isinstance(want, str):
        if want.startswith("~"):
            return value is not None and re.search(want[1:].strip(), str(value)) is not None
        for mark, test in COMPARE:
            if want.startswith(mark):
                return isinstance(value, (int, float)) and test(value, float(want[len(mark):]))
    return value == want


def is_party(document, role, want):
    party = document["bulkhead"].get(role, {})
    tenant, _, host = want.partition("/")
    return party.get("tenant") == tenant and host in ("", party.get("host"))


def meets(document, want):
    for name, value in want.items():
        if name in ("actor", "victim"):
            if not is_party(document, name, value):
                return False
        elif name != "number" and not equal(field(document, name), value):
            return False
    return True


def told(document):
    b = document["bulkhead"]
    return "%s %s/%s > %s/%s %s" % (b["kind"], b["actor"]["tenant"], b["actor"].get("host", "-"),
                                    b["victim"]["tenant"], b["victim"].get("host", "-"),
                                    b["severity"])


def covers(want, alert, silent):
    """May this alert be, beside the one that is expected?"""
    actor = want.get("actor", "").partition("/")[0]
    return (silent == "others" or alert["bulkhead"]["kind"] == want.get("kind")) and \
        actor in ("", alert["bulkhead"]["actor"]["tenant"])


def judge(case, alerts):
    """What is wrong, one line each."""
    wants = case.get("expect") or []
    for want in wants:
        met = sum(meets(a, want) for a in alerts)
        if met != want["number"] if "number" in want else met == 0:
            yield "expected %s, %d incidents are so" % (want, met)
    silent = case.get("silent") or []
    for alert in alerts:
        kind = alert["bulkhead"]["kind"]
        if silent in ("all", "others"):
            counts = alert["bulkhead"]["severity"] != "informational" and \
                not kind.startswith("health.")
            if counts and not any(covers(want, alert, silent) for want in wants):
                yield "not silent: %s" % told(alert)
        elif kind in silent:
            yield "not silent: %s" % told(alert)


def run_case(binary, folder, documents):
    with open(os.path.join(folder, "case.yaml"), encoding="utf-8") as f:
        case = yaml.safe_load(f)
    unknown = set(case) - KEYS
    if unknown or case.get("version") != 1 or not (case.get("expect") or case.get("silent")):
        return ["case.yaml: version 1 with expect or silent; unknown: %s" % sorted(unknown)]
    status, text, lines = replay(binary, folder, case)
    if status != case.get("exit", 0):
        return ["exit status %d: %s" % (status, text.strip()[-300:])]
    if replay(binary, folder, case)[2] != lines:
        return ["a second replay gives other bytes"]
    documents.write(lines)
    alerts = incidents(lines)
    wrong = list(judge(case, alerts))
    return wrong + ["    was: %s" % told(a) for a in alerts] if wrong else []


def hold_to_schema(documents):
    """What is wrong, one line each."""
    documents.flush()
    if os.path.getsize(documents.name) == 0:
        return []
    check = os.path.join(TOP, "tests", "unit", "alert", "check_schema.py")
    run = subprocess.run([sys.executable, check, os.path.join(TOP, "docs", "alert.schema.json"),
                          documents.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, check=False)
    return run.stdout.splitlines()[-20:] or ["exit %d" % run.returncode] if run.returncode else []


def tell(name, wrong):
    print("%s %s" % ("FAIL" if wrong else "ok  ", name))
    for line in wrong:
        print("     %s" % line)
    return bool(wrong)


def main():
    args = sys.argv[1:]
    binary = os.path.join(TOP, "build", "bulkhead")
    if args and os.path.isfile(args[0]):
        binary = os.path.abspath(args.pop(0))
    names = args or sorted(n for n in os.listdir(HERE)
                           if os.path.exists(os.path.join(HERE, n, "case.yaml")))
    failed = 0
    with tempfile.NamedTemporaryFile(prefix="bulkhead-documents-") as documents:
        for name in names:
            try:
                wrong = run_case(binary, os.path.join(HERE, name), documents)
            except (OSError, ValueError, KeyError, AttributeError, TypeError, yaml.YAMLError,
                    subprocess.TimeoutExpired) as error:
                wrong = ["%s: %s" % (type(error).__name__, error)]
            failed += tell(name, wrong)
        failed += tell("(schema)", hold_to_schema(documents))
    print("%d passed, %d failed" % (len(names) + 1 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
