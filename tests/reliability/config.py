#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config.py BINARY [--all] - a mistake in a shipped file cannot pass in silence.

Every token of dist/bulkhead.yaml, dist/inventory.yaml and rules/*.yaml is deleted, misspelt, given
another type, put out of range and said twice; `bulkhead check` must name each mistake, or it is
harmless: YAML means the same as before, or the place is one where any text of the right form is
right (FREE, with the reason).  Rules are tokens within tokens: their conditions are mutated word by word.  Without --all
only a share of the rules' mutations is tried.
"""
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import zlib

import yaml

import common

# Path in the file (list indexes left out) -> why another text there is as right as the old one.
FREE = [
    (r"sensor\.(name|site)", "any name is a name"),
    (r"(segments|tenants|infrastructure|tenants\.hosts|taps)\.name", "any name is a name"),
    (r"(tenants\.hosts|infrastructure)\.(mac|ip|port)", "any address may be that of a host"),
    (r"segments\.(vlan|prefixes|domain)", "any VLAN, network or domain may be a segment's"),
    (r"capture\.(interface|snaplen|buffer|workers)", "what the interface is called, sizes in range"),
    (r"evidence\.(directory|snap|packets|quota)|outbox\.(file|quota)", "a path, sizes in range"),
    (r"redis\.url", "any server"),
    (r"ruleset", "a name for people"),
    (r"rules\.(rule|rev|title|output)", "texts for people, a revision"),
    (r"rules\.id", "any id of the form that no other rule has"),
    (r"rules\.attack", "any technique of the form"),
    (r"rules\.tests\.name", "a name for people"),
    (r"rules\.tests\.event\..*", "made-up parties and details; the test says whether they matter"),
    (r"rules\.group_by", "any selection of fields makes alerts; the same field twice is once"),
    (r"(tenants\.segments|infrastructure\.roles)", "a shorter list says less; twice is once"),
    (r"capture\.tap", "none is the inventory's first; a wrong one is told"),
]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Of the mutations of a token in the rules, one in so many is tried without --all.
SHARE = 12
Mutant = collections.namedtuple("Mutant", "file place how text line")


def leaves(node, path=()):
    """(dotted path, scalar node, its mapping or list, its index) of every scalar, keys included."""
    if isinstance(node, yaml.MappingNode):
        for i, (key, value) in enumerate(node.value):
            yield ".".join(path) + "." + key.value + "#", key, node, i
            yield from leaves_of(value, path + (key.value,), node, i)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from leaves_of(value, path, node, i)


def leaves_of(value, path, parent, i):
    if isinstance(value, yaml.ScalarNode):
        yield ".".join(path), value, parent, i
    else:
        yield from leaves(value, path)


def misspell(word):
    """Two neighbours swapped, or a letter more where that changes nothing."""
    for i in range(len(word) - 1):
        if word[i] != word[i + 1] and word[i].isalnum() and word[i + 1].isalnum():
            return word[:i] + word[i + 1] + word[i] + word[i + 2:]
    return word + "x"


def splice(text, node, new):
    return text[:node.start_mark.index] + new + text[node.end_mark.index:]


def of_value(text, node):
    raw = text[node.start_mark.index:node.end_mark.index]
    quote = raw[0] if raw[:1] in "\"'" else ""
    inner = raw[1:-1] if quote else raw
    yield "deleted", splice(text, node, "")
    yield "emptied", splice(text, node, '""')
    yield "misspelt", splice(text, node, quote + misspell(inner) + quote)
    yield "a list", splice(text, node, "[[%s]]" % raw)
    yield "a mapping", splice(text, node, "{ x: %s }" % raw)
    if re.search(r"\d", inner) and not re.search(r"[a-z]{3}", inner, re.I):
        yield "negative", splice(text, node, "-%s" % inner.replace('"', ""))
        yield "huge", splice(text, node, "%s99999999999999999999" % quote + inner + quote)
        yield "a word", splice(text, node, "wrong")
    words = inner.split(" ")
    for i, word in enumerate(words if len(words) > 1 else []):
        fewer, other = words[:i] + words[i + 1:], words[:i] + [misspell(word)] + words[i + 1:]
        yield "without %r" % word, splice(text, node, quote + " ".join(fewer) + quote)
        yield "%r misspelt" % word, splice(text, node, quote + " ".join(other) + quote)


def of_entry(text, parent, i):
    """The whole entry said twice, or left out."""
    mapping = isinstance(parent, yaml.MappingNode)
    first, last = parent.value[i] if mapping else (parent.value[i], parent.value[i])
    start, stop = first.start_mark.index, last.end_mark.index
    entry = text[start:stop].rstrip()
    if parent.flow_style:
        yield "twice", text[:start] + entry + ", " + text[start:]
    elif mapping:
        yield "twice", text[:start] + entry + "\n" + " " * first.start_mark.column + text[start:]


def punctuation(text, name):
    for token in yaml.scan(text):
        at = token.start_mark.index
        if text[at:at + 1] in ("[", "]", "{", "}", ",", ":") and \
                token.end_mark.index - at == 1 and not isinstance(token, yaml.ScalarToken):
            yield Mutant(name, "", "without %r" % text[at], text[:at] + text[at + 1:],
                         token.start_mark.line + 1)


def mutants(path):
    with open(path) as f:
        text = f.read()
    name = os.path.relpath(path, common.TOP)
    for place, node, parent, i in leaves(yaml.compose(text)):
        line = node.start_mark.line + 1
        if place.endswith("#"):
            place = place.strip(".#")
            raw = text[node.start_mark.index:node.end_mark.index]
            yield Mutant(name, place + "#", "misspelt", splice(text, node, misspell(raw)), line)
            yield Mutant(name, place + "#", "deleted", splice(text, node, ""), line)
            for how, new in of_entry(text, parent, i):
                yield Mutant(name, place + "#", how, new, line)
            continue
        for how, new in of_value(text, node):
            yield Mutant(name, place, how, new, line)
        if isinstance(parent, yaml.SequenceNode):
            for how, new in of_entry(text, parent, i):
                yield Mutant(name, place, how, new, line)
    yield from punctuation(text, name)


def arguments(place, mutant):
    """The files as shipped, but for the one."""
    if mutant.file.startswith("rules/"):
        return ["--rules", os.path.join(place, "mutant.yaml")]
    if mutant.file.endswith("inventory.yaml"):
        return ["--inventory", os.path.join(place, "mutant.yaml"), "-c", "dist/bulkhead.yaml"]
    return ["-c", os.path.join(place, "mutant.yaml")]  # finds the inventory beside it


def means_the_same(mutant, originals):
    if mutant.how == "twice":
        return False  # a second value of a key may be the one that counts
    try:
        return yaml.load(mutant.text, LOADER) == originals[mutant.file]
    except (yaml.YAMLError, ValueError):
        return False


def judge(mutant, originals, slots):
    place = slots.pop()
    try:
        common.write(os.path.join(place, "mutant.yaml"), mutant.text)
        run = subprocess.run([common.BINARY, "check"] + arguments(place, mutant), cwd=common.TOP,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
                             check=False)
    finally:
        slots.append(place)
    if run.returncode not in (0, 78):
        return "exit status %d" % run.returncode
    if run.returncode == 78:
        return None if re.search(rb"\.yaml|No such file", run.stderr) else "refused without a reason"
    if b"warning" in run.stderr:
        return None
    if any(re.fullmatch(free, mutant.place) for free, _ in FREE):
        return "free"
    return None if means_the_same(mutant, originals) else "passes in silence"


def main():
    files = [os.path.join(common.TOP, f) for f in ("dist/bulkhead.yaml", "dist/inventory.yaml")]
    files += sorted(glob.glob(os.path.join(common.TOP, "rules/*.yaml")))
    originals = {}
    for path in files:
        with open(path) as f:
            originals[os.path.relpath(path, common.TOP)] = yaml.load(f, LOADER)
    with common.folder() as top, concurrent.futures.ThreadPoolExecutor(2) as pool:
        slots = [os.path.join(top, str(i)) for i in range(3)]
        for slot in slots:
            os.mkdir(slot)
            shutil.copy(files[1], slot)
        for path in files:
            name = os.path.relpath(path, common.TOP)
            chosen = [m for m in mutants(path) if common.ALL or not name.startswith("rules/") or
                      zlib.crc32(("%s %s %d" % (m.how, m.place, m.line)).encode()) % SHARE == 0]
            verdicts = list(pool.map(lambda m: judge(m, originals, slots), chosen))
            wrong = ["%s:%d: %s %s: %s" % (m.file, m.line, m.place, m.how, v)
                     for m, v in zip(chosen, verdicts) if v not in (None, "free")]
            common.check(chosen and not wrong, "%s: %d mistakes, %d of them another right value, "
                         "the rest told" % (name, len(chosen), verdicts.count("free")), wrong[:400])
    common.end()


if __name__ == "__main__":
    main()
