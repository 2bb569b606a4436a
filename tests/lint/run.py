#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [ROOT] - the rules of the house that a compiler does not know.

Layers (who may include what), headers that compile alone, format, lengths of functions and files,
detectors that are listed and have their cases, counters that have names, calls that are
banned.  One line a mistake, then "N passed, N failed" over the checks.  Takes about a second.

Needs git and clang-format, gcc, and python3-yaml for the replay cases.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

# The nouns in reading order: a contract includes earlier ones only.
CONTRACTS = ("err clock addr stats options frame capture packet tenant flow dpi app finding detector "
             "rule alert sink").split()
# The last contract a room may know.
ROOMS = {"capture": "capture", "decode": "packet", "tenant": "tenant", "flow": "flow", "dpi": "app",
         "detect": "detector", "rule": "rule", "alert": "alert", "sink": "sink", "cli": "sink"}
BASE_CONTRACTS = {"err", "clock", "addr", "stats", "options"}
# Third-party headers and the only places that may see them.
THIRD = {"pcap.h": ["sensor/capture/"], "pcap/": ["sensor/capture/"], "zlib.h": ["sensor/capture/", "sensor/detect/gunzip"],
         "zstd.h": ["sensor/capture/"], "zstd_errors.h": ["sensor/capture/"],
         "ndpi": ["sensor/dpi/"], "hiredis": ["sensor/sink/"],
         "sqlite3.h": ["sensor/sink/"], "openssl/": ["sensor/sink/"],
         "maxminddb.h": ["sensor/tenant/", "sensor/detect/"], "yaml.h": ["sensor/base/yaml_"],
         "xxhash.h": ["sensor/base/hash"], "emmintrin.h": ["sensor/flow/table"]}
SYSTEM = re.compile(
    r"^(assert|ctype|dirent|dlfcn|elf|endian|errno|fcntl|fnmatch|getopt|glob|grp|ifaddrs|inttypes|"
    r"limits|locale|malloc|math|netdb|poll|pthread|pwd|sched|setjmp|signal|stdalign|stdarg|stdatomic|"
    r"stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|wchar)\.h$"
    r"|^(sys|linux|net|netinet|netpacket|arpa|bits|asm)/")
MAX_FUNCTION = 100
MAX_FILE = 700
BANNED = re.compile(r"(?<![\w.>])(system|strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|popen|"
                    r"atoi|atol)\s*\(")
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


class Tree:
    def __init__(self, root):
        self.root = root
        out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                             stdout=subprocess.PIPE, check=True, text=True).stdout
        self.files = sorted(f for f in out.splitlines() if os.path.isfile(os.path.join(root, f)))
        self.c = [f for f in self.files if f.endswith((".c", ".h"))]
        self.cache = {}

    def text(self, name):
        if name not in self.cache:
            with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as f:
                self.cache[name] = f.read()
        return self.cache[name]

    def code(self, name):
        """The text with comments and strings blanked, lines kept."""
        def blank(match):
            return re.sub(r"[^\n]", " ", match.group(0))
        return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, self.text(name), flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def includes(tree, name):
    for match in INCLUDE.finditer(tree.text(name)):
        yield line_of(tree.text(name), match.start()), match.group(1), match.group(2)


def contract_error(name, header):
    """Why NAME may not include bulkhead/HEADER.h, or None."""
    if header not in CONTRACTS:
        return "no such contract"
    parts = name.split("/")
    if name.startswith("include/"):
        own = parts[-1][:-2]
        if own not in CONTRACTS:
            return "%s is not in the order of contracts" % own
        if CONTRACTS.index(header) >= CONTRACTS.index(own):
            return "a contract includes earlier ones only"
    elif parts[1] == "base" and header not in BASE_CONTRACTS:
        return "base knows no domain words"
    elif parts[1] in ROOMS:
        if CONTRACTS.index(header) > CONTRACTS.index(ROOMS[parts[1]]):
            return "%s comes before it in the pipeline" % parts[1]
    return None


def include_error(tree, name, bracket, header):
    """Why NAME may not include HEADER, or None."""
    for third, places in THIRD.items():
        if header == third or (not third.endswith(".h") and header.startswith(third)):
            return None if name.startswith(tuple(places)) else "%s only in %s" % (third, places[0])
    if bracket == "<":
        return None if SYSTEM.match(header) else "unknown system or third-party header"
    if header.startswith("bulkhead/"):
        return contract_error(name, header[len("bulkhead/"):-2])
    if name.startswith("include/"):
        return "a contract includes contracts only"
    parts = name.split("/")
    if len(parts) == 2:  # sensor/*.c is the wiring and sees all
        return None
    if "/" in header:
        room = header.split("/")[0]
        return None if room in ("base", parts[1]) else "%s may not see inside %s" % (parts[1], room)
    beside = os.path.join(os.path.dirname(name), header) in tree.files
    allowed = {"cli": "engine.h", "rule": "core_rules.h"}.get(parts[1])
    return None if beside or header == allowed else "the wiring is not for rooms"


def check_layers(tree):
    for name in tree.c:
        if not name.startswith(("sensor/", "include/")):
            continue
        for line, bracket, header in includes(tree, name):
            why = include_error(tree, name, bracket, header)
            if why:
                yield "%s:%d: includes %s: %s" % (name, line, header, why)


def compile_alone(root, name):
    run = subprocess.run(
        ["gcc", "-std=gnu17", "-fsyntax-only", "-x", "c", "-D_GNU_SOURCE", "-Iinclude", "-Isensor",
         "-Itests", "-isystem", "/usr/include/ndpi", "-include", name, "/dev/null"],
        cwd=root, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode == 0:
        return None
    return "%s: does not compile alone: %s" % (name, run.stderr.strip().splitlines()[0])


def check_headers(tree):
    headers = [f for f in tree.c if f.endswith(".h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(lambda h: compile_alone(tree.root, h), headers))


def check_format(tree):
    run = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=1"] + tree.c, cwd=tree.root,
                         stderr=subprocess.PIPE, text=True, check=False)
    for line in run.stderr.splitlines():
        if "[-Wclang-format-violations]" in line:
            yield "%s: not formatted (make fmt)" % line.split(": ")[0]


def check_lengths(tree):
    for name in tree.c:
        if name.startswith("tests/"):
            continue
        lines = tree.text(name).splitlines()
        if len(lines) > MAX_FILE:
            yield "%s: %d lines, at most %d" % (name, len(lines), MAX_FILE)
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start - 1 > MAX_FUNCTION:
                    yield "%s:%d: function of %d lines, at most %d" % (
                        name, start, number - start - 1, MAX_FUNCTION)
                start = None


def check_words(tree):
    for name in tree.files:
        if name.endswith((".gz", ".pcap", ".pcapng", ".zst", ".png", ".db", ".mmdb")):
            continue
        for match in MARKS.finditer(tree.text(name)):
            yield "%s:%d: %s" % (name, line_of(tree.text(name), match.start()), match.group(0))


def check_calls(tree):
    for name in tree.c:
        if not name.startswith("sensor/"):
            continue
        code = tree.code(name)
        for match in BANNED.finditer(code):
            yield "%s:%d: %s() is banned" % (name, line_of(code, match.start()), match.group(1))
        if name != "sensor/main.c":
            for match in re.finditer(r"(?<![\w.>])exit\s*\(", code):
                yield "%s:%d: exit() only in main.c" % (name, line_of(code, match.start()))


def check_licence(tree):
    for name in tree.c:
        if not tree.text(name).startswith("/* SPDX-License-Identifier: Apache-2.0 */\n"):
            yield "%s:1: no SPDX line" % name


def check_counters(tree):
    header, table = "include/bulkhead/stats.h", "sensor/base/stats.c"
    if header not in tree.files:
        return
    body = re.search(r"enum stat \{(.*?)\};", tree.code(header), re.S).group(1)
    for stat in re.findall(r"\bSTAT_\w+", body):
        if stat != "STAT_MAX" and not re.search(
                r'\[%s\]\s*=\s*"%s"' % (stat, stat[5:].lower()), tree.text(table)):
            yield '%s: [%s] = "%s" is missing' % (table, stat, stat[5:].lower())


def detector_kinds(text):
    """The kinds a detector file states: .kind and the list that .also names."""
    kinds = re.findall(r'\.kind\s*=\s*"([^"]+)"', text)
    for also in re.findall(r"\.also\s*=\s*(\w+)", text):
        body = re.search(r"\b%s\[\]\s*=\s*\{(.*?)\}" % also, text, re.S)
        kinds += re.findall(r'"([^"]+)"', body.group(1)) if body else []
    return kinds


def cases(tree):
    import yaml
    for name in tree.files:
        if re.match(r"tests/replay/[^/]+/case\.yaml$", name):
            yield name, yaml.safe_load(tree.text(name)) or {}


def check_detectors(tree):
    listed = tree.text("sensor/detect/list.c") if "sensor/detect/list.c" in tree.files else ""
    fires, silent = set(), set()
    for _, case in cases(tree):
        fires.update(want.get("kind") for want in case.get("expect") or [])
        quiet = case.get("silent") or []
        silent.update(["*"] if quiet == "all" else [] if quiet == "others" else quiet)
    for name in tree.files:
        if not re.match(r"sensor/detect/\w+\.c$", name):
            continue
        for row in re.findall(r"^const struct detector (\w+)\s*=", tree.text(name), re.M):
            if not re.search(r"&%s\b" % row, listed):
                yield "%s: %s is not in list.c" % (name, row)
            for kind in detector_kinds(tree.text(name)):
                if kind.startswith("health.") or "." not in kind:  # a helper that states nothing
                    continue
                if kind not in fires:
                    yield "%s: no case in tests/replay expects %s" % (name, kind)
                if kind not in silent and "*" not in silent:
                    yield "%s: no case in tests/replay is silent about %s" % (name, kind)


CHECKS = [check_layers, check_headers, check_format, check_lengths, check_words, check_calls,
          check_licence, check_counters, check_detectors]


def main():
    args = [a for a in sys.argv[1:] if os.path.isdir(a)]  # the suite's runner names a binary
    root = args[0] if args else os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    tree = Tree(root)
    failed = 0
    for check in CHECKS:
        mistakes = list(check(tree))
        failed += bool(mistakes)
        for mistake in mistakes:
            print(mistake)
    print("%d passed, %d failed" % (len(CHECKS) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
