# SPDX-License-Identifier: GPL-2.0-only
"""docs/events.md: its examples run as they are printed, and what it names is there."""

import os
import re

from harness import BUILD, TOP, Case, run

with open(os.path.join(TOP, "docs", "events.md"), encoding="utf-8") as _file:
    TEXT = _file.read()

# Why a kernel may not have what an example asks for.
LACKS = "this kernel (has no|lets no)|nothing here counts"


class Document(Case):
    def test_examples(self):
        """each example does what it is for, or says what this kernel lacks"""
        examples = [line for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", TEXT)
                    for line in block.replace("\\\n    ", "").splitlines()]
        self.assertGreaterEqual(len(examples), 25)
        self.assertLessEqual({"stat", "trace", "top", "num-dist", "list", "usdt", "kmemleak"},
                             {example.split()[0] for example in examples})
        lacking = []
        for example in examples:
            with self.subTest(example):
                # Only their reports: the observed command has output, too.
                result = run(["sh", "-c", example.replace(" -- ", " -o /dev/stderr -- ") + " >&2"
                              if " -- " in example else example],
                             env={"PATH": f"{BUILD}:{os.environ['PATH']}"})
                if result.status == 4:
                    self.assert_one_line(result, LACKS)
                    lacking.append(example)
                    continue
                self.assert_status(result, 0)
                # A heading, and at least a row.
                self.assertGreaterEqual(len((result.out + result.err).splitlines()), 2, str(result))
                self.assertNotRegex(result.out + result.err, r"\b0 keys", str(result))
        self.assertLess(len(lacking), len(examples) // 3)
        if lacking:
            self.skipTest("this kernel lacks what is needed for: " + "; ".join(lacking))

    def test_attributes(self):
        """the attributes that it has for units are those, and no others, that they take"""
        table = TEXT.split("| ATTR |")[1].split("\n\n")[0]
        rows = re.findall(r"(?m)^\| (`.*?) \|.*\| (`.*?) \|$", table)
        self.assertGreaterEqual(len(rows), 8)
        for names, units in rows:
            for name in re.findall(r"`([a-z-]+=?)", names):
                given = name + "1" * name.endswith("=")
                for unit, options, needs in (
                        ("top", ["-e"], ""), ("num-dist", ["-e"], "num=1/"), ("trace", ["-e"], ""),
                        ("stat", ["-e"], ""),
                        ("kmemleak", ["--free", "sched:sched_process_exit//ptr=pid/", "--alloc"],
                         "ptr=1/")):
                    needs = "" if needs.startswith(name) else needs
                    result = run([os.path.join(BUILD, unit), *options,
                                  f"sched:sched_switch//{needs}{given}/", "--", "true"])
                    self.assertEqual("means nothing here" not in result.err, f"`{unit}`" in units,
                                     f"{name} in {unit}: {result}")
