#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds alert documents (JSON lines) to docs/alert.schema.json.

usage: check_schema.py [--every N] SCHEMA FILE

Every line must be printable ASCII and read alike by three parsers: Python's, jq's and SQLite's;
no object may hold a key twice, no null and no array of objects may occur.  Every Nth line
(default: each) is validated against the schema (Debian: python3-jsonschema, jq).
"""
import json
import sqlite3
import subprocess
import sys

import jsonschema


def no_twins(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice in {keys}")
    return dict(pairs)


def check_shape(value, where="$"):
    if value is None:
        raise ValueError(f"{where} is null")
    if isinstance(value, dict):
        for key, member in value.items():
            check_shape(member, f"{where}.{key}")
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, (dict, list)):
                raise ValueError(f"{where}: an array of more than scalars")
            check_shape(member, where)


def main(argv):
    every = 1
    if argv[:1] == ["--every"]:
        every, argv = int(argv[1]), argv[2:]
    schema_path, path = argv
    with open(schema_path, encoding="ascii") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    if lines.pop() != b"":
        sys.exit(f"{path}: the last line has no end")
    if not lines:
        sys.exit(f"{path}: no documents")
    jq = subprocess.run(["jq", "-c", ".", path], check=True, capture_output=True).stdout
    jq_lines = jq.decode("utf-8").split("\n")[:-1]
    if len(jq_lines) != len(lines):
        sys.exit(f"{path}: {len(lines)} lines, {len(jq_lines)} documents by jq")
    sqlite = sqlite3.connect(":memory:")
    failures = 0
    for number, (line, by_jq) in enumerate(zip(lines, jq_lines), 1):
        try:
            if any(byte < 0x20 or byte > 0x7E for byte in line):
                raise ValueError("not printable ASCII")
            document = json.loads(line, object_pairs_hook=no_twins)
            check_shape(document)
            if json.loads(by_jq) != document:
                raise ValueError("jq reads it otherwise")
            (by_sqlite,) = sqlite.execute("select json(?)", (line.decode("ascii"),)).fetchone()
            if json.loads(by_sqlite) != document:
                raise ValueError("SQLite reads it otherwise")
            if number % every == 0:
                validator.validate(document)
        except (ValueError, sqlite3.Error, jsonschema.ValidationError) as error:
            failures += 1
            text = str(error).splitlines()
            print(f"{path}:{number}: {text[0]}", file=sys.stderr)
            if isinstance(error, jsonschema.ValidationError):
                print(f"  at {error.json_path}", file=sys.stderr)
            if failures == 10:
                break
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
