#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the jq programs of docs/mappings.md over alert documents.

usage: check_mappings.py MAPPINGS.md FILE

Every document must come out of every mapping, with the members that each schema requires and
without a null; scales and ids are compared with the document's.
"""
import json
import re
import subprocess
import sys

ECS = {"critical": 99, "high": 73, "medium": 47, "low": 21, "informational": 1}
OCSF = {"critical": 5, "high": 4, "medium": 3, "low": 2, "informational": 1}


def require(condition, text):
    if not condition:
        raise ValueError(text)


def has_null(value):
    if isinstance(value, dict):
        return any(has_null(member) for member in value.values())
    if isinstance(value, list):
        return any(has_null(member) for member in value)
    return value is None


def check_ecs(ours, ecs):
    own = ours["bulkhead"]
    require(ecs["event"]["severity"] == ECS[own["severity"]], "event.severity")
    require(ecs["event"]["id"] == f"{own['alert_id']}-{own['seq']}", "event.id")
    require(ecs["@timestamp"].endswith("Z"), "@timestamp")
    require(ecs["organization"]["name"] == own["victim"]["tenant"], "organization.name")
    require(ecs.get("source", {}).get("ip") == ours.get("src_ip"), "source.ip")
    if "ether" in ours:
        mac = ours["ether"]["src_mac"].upper().replace(":", "-")
        require(ecs["source"]["mac"] == mac, "source.mac")
    if "proto" in ours:
        require(ecs["network"]["transport"] == ours["proto"].lower(), "network.transport")


def check_ocsf(ours, ocsf):
    own = ours["bulkhead"]
    require(ocsf["severity_id"] == OCSF[own["severity"]], "severity_id")
    require(ocsf["type_uid"] == ocsf["class_uid"] * 100 + ocsf["activity_id"], "type_uid")
    require(ocsf["finding_info"]["uid"] == own["alert_id"], "finding_info.uid")
    require(ocsf["metadata"]["tenant_uid"] == own["victim"]["tenant"], "tenant_uid")
    require(ocsf["status_id"] == 4 or own["op"] != "close", "status_id")
    require(ocsf["time"] % 1000 == int(ours["timestamp"][20:23]), "time")
    source = ocsf["evidences"][0]["src_endpoint"]
    require(source["hostname"] == own["actor"]["host"], "src_endpoint.hostname")


def check_cim(ours, cim):
    own = ours["bulkhead"]
    for field in ("signature", "signature_id", "category", "severity", "src", "dest", "dvc"):
        require(field in cim, field)
    require(cim["src_bunit"] == own["actor"]["tenant"], "src_bunit")
    require(cim["dest"] == own["victim"]["host"], "dest")


def main(mappings_path, path):
    with open(mappings_path, encoding="utf-8") as file:
        programs = dict(re.findall(r"```jq name=(\w+)\n(.*?)```", file.read(), re.S))
    with open(path, encoding="ascii") as file:
        documents = [json.loads(line) for line in file]
    checks = {"ecs": check_ecs, "ocsf": check_ocsf, "cim": check_cim}
    require(set(programs) == set(checks), f"programs found: {sorted(programs)}")
    for name, check in checks.items():
        out = subprocess.run(["jq", "-c", programs[name], path], check=True, capture_output=True)
        mapped = [json.loads(line) for line in out.stdout.decode("utf-8").split("\n")[:-1]]
        require(len(mapped) == len(documents), f"{name}: {len(mapped)} of {len(documents)}")
        for number, (ours, theirs) in enumerate(zip(documents, mapped), 1):
            try:
                require(not has_null(theirs), "a null")
                check(ours, theirs)
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path}:{number}: {name}: {error}") from error


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (ValueError, subprocess.CalledProcessError) as failure:
        sys.exit(f"{failure}\n{getattr(failure, 'stderr', None) or ''}")
