#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""selftest.py [NAME...] - plants bugs in a copy of the source, one at a time: are they found?

A fuzzer that finds nothing is no proof unless it would find something.  Each bug below is one that
was made, or could be: a bound that is missing, a promise that does not hold.  Its target has to
stop within its time, beginning with the seeds alone.  The last line reads "N passed, N failed".
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
COPY = TOP / "build-fuzz/selftest"
SECONDS = int(os.environ.get("FUZZ_SELFTEST_SECONDS", "60"))

# name: target, file, what stands there, what is put there
BUGS = {
    "transport header's bound": ("decode", "sensor/decode/decode.h",
        "return left_captured(left) < len ? NULL : cursor_take(&left->c, len);",
        "const uint8_t *p = left->c.at;\n\tif (left_captured(left) == 0)\n\t\treturn NULL;\n"
        "\tleft->c.at += len < left_captured(left) ? len : left_captured(left);\n\treturn p;"),
    "fast path's IPv6 hop limit": ("decode", "sensor/decode/fast.c", "p->ttl = h[7];", "p->ttl = h[6];"),
    "pcapng option's bound": ("pcapng", "sensor/capture/pcapng.c",
        "if (code == OPTION_END || padded > left)", "if (code == OPTION_END)"),
    "pcap frame's bound": ("pcap", "sensor/capture/pcap.c",
        "state = input_need(input, RECORD_HEADER + caplen);",
        "state = input_need(input, RECORD_HEADER + caplen / 2);"),
    "window's end": ("packed", "sensor/capture/input.c",
        "struct unpack_step step = {.out = out, .out_len = room};",
        "struct unpack_step step = {.out = out, .out_len = room + 64};"),
    "captures of a config": ("options", "sensor/base/options.c",
        "if (options->capture_count == OPTIONS_MAX_CAPTURES) {", "if (options->capture_count == 65535) {"),
    "move in an unknown domain": ("inventory", "sensor/tenant/inventory.c",
        "was = inventory_owner(old, before != NAME_NONE ? (uint16_t)before : UINT16_MAX, ip);",
        "was = (struct owner){.tenant = TENANT_EXTERNAL};\n"
        "\tif (before != NAME_NONE)\n\t\twas = inventory_owner(old, (uint16_t)before, ip);"),
    "quoted word's room": ("condition", "sensor/rule/lex.c",
        "text = arena_alloc(lexer->arena, (size_t)(close - open));",
        "text = arena_alloc(lexer->arena, (size_t)(close - open) / 2 + 1);"),
    "elements' limit of Redis": ("resp", "sensor/sink/resp_guard.c",
        "if (length > RESP_MAX_ELEMENTS - g->elements)", "if (length > INT64_C(1) << 31)"),
    "word of the SOC": ("redis", "sensor/sink/redis_soc.c",
        "if (len >= size || memchr(text, '\\0', len) != NULL)", "if (len >= size + 200 || memchr(text, '\\0', len) != NULL)"),
    "control byte in a row": ("outbox", "sensor/sink/outbox_row.c",
        "if (text[i] < 0x20 || text[i] > 0x7e)", "if (text[i] < 0x1b || text[i] > 0x7e)"),
    "DEL in JSON": ("json", "sensor/base/json.c", "[']' ... '~'] = true,", "[']' ... '\\177'] = true,"),
    "TLS random's bound": ("token", "sensor/flow/token.c",
        "if (len < TLS_RECORD + TLS_HELLO || p[0] != 22", "if (len < 12 || p[0] != 22"),
    "fragments shown to nDPI": ("dpi", "sensor/dpi/fit.c",
        "const uint32_t refused = PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_EXT_HEADERS |",
        "const uint32_t refused = PACKET_EXT_HEADERS |"),
    "zeros behind nDPI's copy": ("dpi", "sensor/dpi/ndpi.c",
        "memset(dpi->buffer + len, 0, DPI_SLACK);", ""),
    "forged text's end": ("desk", "sensor/dpi/desk.c", "if (len == size)\n\t\treturn false;", ""),
    "answer nobody waits for": ("desk", "sensor/dpi/desk.c", "desk->answered == desk->asked ||", ""),
    "lease time's bound": ("pipeline", "sensor/detect/dhcp.c",
        "body = cursor_take(&c, len);", "body = c.at;\n\t\tcursor_skip(&c, len);"),
    "another event's numbers": ("pipeline", "sensor/event.c",
        "	default: /* the event is all there is to it */\n",
        "	default:\n		ev->u.path.answered = r->u.path.answered;\n"),
    "frame counted twice": ("pipeline", "sensor/pipeline.c",
        "	if (bits & PATH_KNOWN) {\n		stat_add(&w->stats, STAT_ATTRIBUTED, 1);\n		return;",
        "	if (bits & PATH_KNOWN) {\n		stat_add(&w->stats, STAT_ATTRIBUTED, 1);\n		if (stack->count < 2)\n\t\t\treturn;"),
    "order of workers": ("pipeline", "sensor/judge.c",
        "	if (a->order != b->order)\n		return a->order < b->order;", "	if (a->order != b->order)\n		return a->order > b->order;"),
}


def flags():
    """The build's flags, as fuzz.mk has them."""
    out = subprocess.run(["make", "-s", "-C", TOP, "fuzz-flags"], capture_output=True, text=True, check=True)
    return out.stdout.strip()


def copy():
    shutil.rmtree(COPY, ignore_errors=True)
    for name in ("Makefile", "include", "sensor", "rules", "pcaps", "dist", "tests/fuzz"):
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, COPY / name)
        else:
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, COPY / name)


def build(target):
    command = f"make -s -j{os.cpu_count()} -C '{COPY}' BUILD=build {flags()} build/fuzz/{target}"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout + run.stderr


def fuzz(target, seeds):
    """Seconds until the target stopped by itself, or None."""
    corpus = COPY / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir()
    dictionary = HERE / f"dict/{target}.dict"
    command = [COPY / "build/fuzz" / target, f"-max_total_time={SECONDS}", "-timeout=20", "-seed=1",
               "-rss_limit_mb=2048", f"-artifact_prefix={COPY}/", *([f"-dict={dictionary}"] if dictionary.exists() else []),
               corpus, seeds / target]
    started = time.monotonic()
    run = subprocess.run(["sh", "-c", '. "$0"; fuzz_run "$@"', HERE / "environment.sh", *command],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    broken = [f for kind in ("crash", "leak", "oom", "timeout") for f in COPY.glob(f"{kind}-*")]
    for file in broken:
        file.unlink()
    if run.returncode != 0 and not broken:
        sys.exit(run.stderr.decode(errors="replace")[-2000:])
    return time.monotonic() - started if broken else None


def plant(name, seeds):
    target, file, there, instead = BUGS[name]
    path = COPY / file
    good = path.read_text()
    if good.count(there) != 1:
        return f"{name}: {file} no longer reads as the bug needs it; plant it anew"
    path.write_text(good.replace(there, instead))
    try:
        built, said = build(target)
        if not built:
            return f"{name}: does not build\n" + "\n".join(x for x in said.splitlines() if "error" in x)
        seconds = fuzz(target, seeds)
        if seconds is None:
            return f"{name}: {target} did not find it within {SECONDS} s"
        print(f"{name}: found by {target} within {seconds:.1f} s", flush=True)
        return None
    finally:
        path.write_text(good)


def main():
    names = sys.argv[1:] or list(BUGS)
    copy()
    seeds = COPY / "seeds"
    subprocess.run([HERE / "seeds.py", seeds], check=True)
    failures = [failure for failure in (plant(name, seeds) for name in names) if failure]
    for failure in failures:
        print(failure)
    shutil.rmtree(COPY, ignore_errors=True)
    print(f"{len(names) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
