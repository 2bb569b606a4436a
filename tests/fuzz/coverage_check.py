#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage_check.py BUILD - does every function that consumes foreign bytes have a fuzz target?

What consumes: a function declared in a header of ours with a parameter that points to bytes,
frames, packets, a file's path or text, a reply, or a row.  Each has a line in entries.txt that
names its targets, or says why it needs none; and each target named there really reaches it from
its seeds, regression cases and corpus.

Without BUILD only the table is checked.  The last line reads "N passed, N failed".
"""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
DECLARATION = re.compile(r"[\w\s*]+?[\s*]([a-z_]\w*)\s*\(([^;{}()]*(?:\([^;{}()]*\)[^;{}()]*)*)\)\s*(?:__attribute__\s*\(\(.*?\)\)\s*)*;", re.S)
FOREIGN = re.compile(
    r"const uint8_t\b|const char \*(?:const \*)?(?:text|paths?|url|data|filter|name_or_id)\b"
    r"|struct frame(?:_batch)? \*|const struct packet(?:_stack)? \*|const struct record \*"
    r"|sqlite3_stmt \*|struct input \*|argv\b"
)


def declared():
    """{function: header} of all that takes what a stranger may have written."""
    found = {}
    for header in sorted([*TOP.glob("include/bulkhead/*.h"), *TOP.glob("sensor/*.h"), *TOP.glob("sensor/*/*.h")]):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)
        text, bodies = re.subn(r"\{[^{}]*\}", "#", text)
        while bodies:
            text, bodies = re.subn(r"\{[^{}]*\}", "#", text)
        for match in DECLARATION.finditer(text):
            if FOREIGN.search(match[2]) and "typedef" not in match[0]:
                found[match[1]] = str(header.relative_to(TOP))
    return found


def table():
    """{function: (targets, reason)} as entries.txt says."""
    rows = {}
    for number, line in enumerate((HERE / "entries.txt").read_text().splitlines(), 1):
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or words[0] in rows or (words[1] == "-") != (len(words) == 3):
            sys.exit(f"entries.txt:{number}: FUNCTION TARGET[,TARGET] or FUNCTION - REASON, once each")
        rows[words[0]] = ([] if words[1] == "-" else words[1].split(","), words[2] if len(words) == 3 else "")
    return rows


def reached(build, target):
    """The functions that a target's inputs reach."""
    folders = [build / "corpus" / target, build / "seeds" / target, HERE / "regress" / target]
    command = ["sh", "-c", '. "$0"; fuzz_run "$@"', str(HERE / "environment.sh"), str(build / "fuzz" / target)]
    options = ["-runs=0", "-print_coverage=1", "-timeout=60", f"-artifact_prefix={build}/broken-"]
    run = subprocess.run(
        command + options + [str(f) for f in folders if f.is_dir()],
        capture_output=True, text=True, errors="replace", check=False, env=dict(os.environ),
    )
    return set(re.findall(r"^COVERED_FUNC: hits: \d+ edges: \d+/\d+ (\w+)", run.stderr, re.M))


def main():
    good, bad = 0, []
    rows, functions = table(), declared()
    targets = {p.stem for p in (HERE / "targets").glob("*.c") if "LLVMFuzzerTestOneInput" in p.read_text()}
    for name, header in functions.items():
        if name in rows:
            good += 1
        else:
            bad.append(f"{header}: {name}() takes foreign bytes and is not in entries.txt")
    text = "".join(p.read_text() for p in TOP.glob("sensor/**/*.[ch]"))
    for name, (wanted, _) in rows.items():
        if not re.search(rf"\b{name}\(", text):
            bad.append(f"entries.txt: there is no {name}()")
        bad += [f"entries.txt: {name}: there is no target {t}" for t in wanted if t not in targets]
    used = {t for wanted, _ in rows.values() for t in wanted}
    bad += [f"entries.txt: no function is there for target {t}" for t in sorted(targets - used)]
    if len(sys.argv) > 1:
        build = pathlib.Path(sys.argv[1]).resolve()
        subprocess.run([HERE / "seeds.py", build / "seeds"], check=True)
        for target in sorted(targets & used):
            seen = reached(build, target)
            for name, (wanted, _) in rows.items():
                if target not in wanted:
                    continue
                if name in seen:
                    good += 1
                else:
                    bad.append(f"{target} does not reach {name}()")
    for line in bad:
        print(line)
    print(f"{good} passed, {len(bad)} failed")
    return 1 if bad else 0


sys.exit(main())
