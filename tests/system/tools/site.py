#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""site.py hosts INVENTORY   - the hosts of an inventory as words for site.sh, one a line
   site.py judge CASE ALERTS  - holds live alerts against the replay case of that name

A scenario and the replay case recorded from it share one inventory and one case.yaml: what the
recording has to give, the live network has to give too.
"""
import ipaddress
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
REPLAY = os.path.join(HERE, "..", "..", "replay")
sys.path.insert(0, REPLAY)
import run as replay  # noqa: E402  pylint: disable=wrong-import-position


def many(value):
    return value if isinstance(value, list) else [value]


def hosts(path):
    """tag VID; host NAME MAC ROUTER ADDRESS/LENGTH..."""
    with open(path, encoding="utf-8") as f:
        site = yaml.safe_load(f)
    segment = site["segments"][0]
    prefixes = [ipaddress.ip_network(p) for p in segment["prefixes"]]
    print("tag %d" % segment.get("vlan", 0))
    members = [h for t in site["tenants"] for h in t["hosts"]] + site["infrastructure"]
    for host in members:
        if "mac" not in host:
            continue
        words = []
        for text in many(host["ip"]):
            address = ipaddress.ip_address(text)
            home = [p for p in prefixes if address in p]
            if home:
                words.append("%s/%d" % (address, home[0].prefixlen))
            elif address.is_link_local:
                words.append("%s/64" % address)
            else:
                raise SystemExit("%s: %s is off the segment" % (path, address))
        print("host", host["name"], many(host["mac"])[0],
              "router" if "router" in host.get("roles", []) else "-", *words)


def judge(name, alerts):
    with open(os.path.join(REPLAY, name, "case.yaml"), encoding="utf-8") as f:
        case = yaml.safe_load(f)
    with open(alerts, "rb") as f:
        states = replay.incidents(f.read())
    wrong = list(replay.judge(case, states))
    for line in wrong:
        print("     %s" % line)
    if wrong or os.environ.get("TELL"):
        for alert in states:
            print("     was: %s" % replay.told(alert))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(hosts(sys.argv[2]) if sys.argv[1] == "hosts" else judge(*sys.argv[2:4]))
