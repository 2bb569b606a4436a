#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""selftest.py - plants one mistake of each sort and demands that run.py names it.

Called as part of the suite by run.sh.  Last line: "N passed, N failed".
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = os.path.join(HERE, "run.py")
STYLE = os.path.join(HERE, "..", "..", ".clang-format")
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LONG = "void f(void)\n{\n" + "\tg();\n" * 101 + "}\n"

# file, its text, what run.py has to say about it
PLANTED = [
    ("sensor/decode/a.c", SPDX + '#include "bulkhead/rule.h"\n', "decode comes before it"),
    ("sensor/flow/b.c", SPDX + '#include "decode/decode.h"\n', "flow may not see inside decode"),
    ("sensor/flow/c.c", SPDX + "#include <pcap.h>\n", "pcap.h only in sensor/capture/"),
    ("sensor/flow/d.c", SPDX + "#include <json-c/json.h>\n", "unknown system or third-party"),
    ("sensor/base/e.c", SPDX + '#include "bulkhead/tenant.h"\n', "base knows no domain words"),
    ("include/bulkhead/err.h", SPDX + '#include "bulkhead/flow.h"\n', "earlier ones only"),
    ("sensor/flow/f.h", SPDX + "struct f {\n\tuint8_t a;\n};\n", "does not compile alone"),
    ("sensor/flow/g.c", SPDX + "int  x;\n", "not formatted"),
    ("sensor/flow/h.c", SPDX + LONG, "function of 101 lines"),
    ("sensor/flow/i.c", SPDX + "int x;\n" * 700, "701 lines, at most 700"),
    ("sensor/flow/j.c", SPDX + "/* TO" + "DO */\n", "j.c:2: TO" + "DO"),
    ("sensor/flow/k.c", SPDX + "void f(char *a)\n{\n\tstrcpy(a, \"\");\n}\n", "strcpy() is banned"),
    ("sensor/flow/l.c", SPDX + "void f(void)\n{\n\texit(1);\n}\n", "exit() only in main.c"),
    ("sensor/flow/m.c", "int x;\n", "no SPDX line"),
    ("sensor/detect/n.c", SPDX + 'const struct detector n = {\n\t.kind = "relay.n",\n};\n',
     "n is not in list.c"),
    ("sensor/detect/o.c", SPDX + 'const struct detector o = {\n\t.kind = "relay.o",\n};\n',
     "no case in tests/replay expects relay.o"),
    ("include/bulkhead/stats.h", SPDX + "enum stat {\n\tSTAT_LOST,\n\tSTAT_MAX\n};\n",
     '[STAT_LOST] = "lost" is missing'),
]
# What looks like a mistake and is none.
INNOCENT = [
    ("sensor/decode/a.c", SPDX + '#include "bulkhead/packet.h"\n#include "base/cursor.h"\n'),
    ("sensor/flow/b.c", SPDX + "/* system(1) and exit(1) in a comment */\nchar *s = \"strcpy(\";\n"),
    ("sensor/flow/c.c", SPDX + "int x = snprintf(0, 0, \"\");\n"),
]
STATS = ("sensor/base/stats.c", SPDX)


def lint(files):
    with tempfile.TemporaryDirectory(prefix="bulkhead-lint-") as root:
        for name, text in files:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        shutil.copy(STYLE, root)
        subprocess.run(["git", "init", "-q", root], check=True)
        return subprocess.run([sys.executable, RUN, root], stdout=subprocess.PIPE, text=True,
                              check=False)


def main():
    failed = 0
    for name, text, expected in PLANTED:
        run = lint([(name, text), STATS])
        if expected not in run.stdout or run.returncode == 0:
            failed += 1
            print("not named: %s (%s)\n%s" % (name, expected, run.stdout))
    run = lint(INNOCENT)
    if run.returncode != 0:
        failed += 1
        print("accused without cause:\n%s" % run.stdout)
    print("%d passed, %d failed" % (len(PLANTED) + 1 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
