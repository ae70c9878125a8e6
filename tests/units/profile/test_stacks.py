# SPDX-License-Identifier: GPL-2.0-only
"""profile's stacks, the names in them, and the pictures of them."""

import datetime
import glob
import itertools
import os
import re
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

from harness import (GUEST, LOAD, Case, Running, at_one_time, count_of, cpu, in_kernel, named,
                     observe_load, preferred, run, tool, waiting)

PROFILE = tool("profile")
SVG = "{http://www.w3.org/2000/svg}"

# An emulator that runs a guest's CPUs in turn gives each a tenth of a second: who is to be seen
# while it runs, by somebody on the other CPU, has to run for longer.
SHORT = "0.4" if GUEST else "0.05"
TIMES = 6 if GUEST else 20


def seconds(number):
    """So long a load works; where samples get lost, for longer."""
    return str(number * (4 if GUEST else 1))


def path(program):
    return os.path.join(LOAD, program)


def around(load, *options, hz=999):
    """The report of profile around a load's work."""
    result = run([PROFILE, "--json", "-F", str(hz), *options, "--", *load])
    assert result.status == 0, str(result)
    return result.report


def key(row):
    return row["comm"], row["pid"], tuple(
        (f["name"] or f["addr"], f.get("module")) for f in row["stack"])


class Depth(Case):
    def recursion(self, depth, most=None):
        """
        The names on stacks in the middle of a burner: at a function's first and last instructions,
        its caller's frame is not to be seen.
        """
        options = ["--max-stack", str(most)] if most else []
        report = around(cpu("deep", str(depth), seconds(0.3)), "--no-kernel-callchain", *options)
        burners = [("burn_seventy", "burn_round"), ("burn_twenty", "burn_round"),
                   ("burn_ten", "burn_round")]
        found = {tuple(named(row["stack"])): row["count"] for row in report["rows"]
                 if tuple(named(row["stack"])[:2]) in burners}
        self.assertGreater(sum(found.values()), 0.8 * report["samples"])
        return found

    def test_whole(self):
        """a stack is as deep as it is, each of its functions below its caller"""
        for depth in (1, 60):
            with self.subTest(depth):
                for names in self.recursion(depth):
                    self.assertEqual(names[2:2 + depth], ("recurse",) * depth)
                    self.assertEqual(names[2 + depth], "main")
                    self.assertNotIn("[cut off]", names)

    def test_cut_off(self):
        """--max-stack: so many frames and no more, and a mark that there may be more"""
        for depth, most in ((60, 5), (60, 62), (300, None), (300, 127)):
            with self.subTest(f"{most} of {depth}"):
                for names in self.recursion(depth, most):
                    self.assertEqual(names[2:], ("recurse",) * ((most or 127) - 2) + ("[cut off]",))
        report = around(cpu("deep", "60", seconds(0.2)), "--no-kernel-callchain",
                        "--max-stack", "1")
        stacks = [named(row["stack"]) for row in report["rows"] if row["stack"]]
        self.assertEqual([len(names) for names in stacks], [2] * len(stacks), stacks)
        self.assertEqual({names[1] for names in stacks}, {"[cut off]"})

    def test_cut_off_in_kernel(self):
        """--max-stack: the kernel's part and the program's are cut off each for itself"""
        report = around(cpu("kernel", seconds(0.3)), "--max-stack", "2", "--exclude-user")
        full = [row["stack"] for row in report["rows"] if len(row["stack"]) == 6]
        self.assertGreater(sum(r["count"] for r in report["rows"] if r["stack"] in full),
                           0.8 * report["samples"])
        for stack in full:
            self.assertEqual([f["name"] == "[cut off]" for f in stack],
                             [False, False, True, False, False, True])
            self.assertTrue(in_kernel(stack[0]) and in_kernel(stack[1]))
            self.assertFalse(in_kernel(stack[3]) or in_kernel(stack[4]))

    def test_parts(self):
        """--no-user-callchain, --no-kernel-callchain: only the other part"""
        report = around(cpu("kernel", seconds(0.2)), "--no-user-callchain")
        self.assertTrue(all(in_kernel(f) for row in report["rows"] for f in row["stack"]))
        self.assertGreater(report["samples"], 50)
        report = around(cpu("kernel", seconds(0.2)), "--no-kernel-callchain")
        self.assertFalse(any(in_kernel(f) for row in report["rows"] for f in row["stack"]))
        self.assertGreater(count_of(report, lambda row: "getrandom" in named(row["stack"])[:1]),
                           0.8 * report["samples"])

    def test_different(self):
        """different stacks are a row each, equal ones are one; the counts add up"""
        for number in (16, 64):
            with self.subTest(number):
                report = around(cpu("stacks", str(number), seconds(0.6)), "--exclude-kernel",
                                hz=1999)
                rows = report["rows"]
                keys = [key(row) for row in rows]
                self.assertEqual(len(keys), len(set(keys)))
                self.assertEqual(count_of(report), report["samples"])
                self.assertEqual([r["count"] for r in rows],
                                 sorted((r["count"] for r in rows), reverse=True))
                self.assertEqual(report["lost"]["total"], 0)
                # The way to burn_ten() is a number: each function on it is one of its bits.
                ways = {}
                for row in rows:
                    names = named(row["stack"])
                    # At a function's first and last instructions, its caller is not to be seen.
                    if names[0] == "burn_ten" and names[21:22] == ["main"]:
                        bits = names[1:21]
                        self.assertTrue(set(bits) <= {"bit_one", "bit_zero"}, bits)
                        way = sum((bit == "bit_one") << n for n, bit in enumerate(reversed(bits)))
                        ways[way] = ways.get(way, 0) + row["count"]
                self.assertEqual(set(ways), set(range(number)))
                share = sum(ways.values()) / number
                if number == 16:
                    self.assertTrue(all(0.5 * share < n < 1.5 * share for n in ways.values()), ways)
                self.assertGreater(sum(ways.values()), 0.85 * report["samples"])


class Names(Case):
    def assert_named(self, report, program):
        """Of the frames of @program's code, 95 % have names, and so have its leaves."""
        rows = [row for row in report["rows"] if row["comm"] == program and
                not in_kernel(row["stack"][0])]
        self.assertEqual(len({row["pid"] for row in rows}), TIMES, f"{program} has run that often")
        frames = good = leaves = good_leaves = 0
        for row in rows:
            # The code that starts a program has no frame pointer: what is above is anything.
            for frame in itertools.takewhile(lambda f: f["name"] != "main", row["stack"]):
                if frame.get("module", path(program)) == path(program):
                    frames += row["count"]
                    good += bool(frame["name"]) * row["count"]
            leaves += row["count"]
            good_leaves += row["count"] if row["stack"][0]["name"] else 0
        # A loader's functions are local ones of a file without symbols.
        self.assertGreater(good, 0.95 * frames, f"{program}: of {frames}")
        self.assertGreater(good_leaves, 0.93 * leaves, f"{program}: of {leaves}")
        burned = sum(row["count"] for row in rows if (row["stack"][0]["name"] or "")
                     .startswith("burn_"))
        self.assertGreater(burned, 0.85 * leaves, program)

    def loop(self, *programs):
        words = "; ".join(" ".join(cpu("burn", SHORT, program=p)) for p in programs)
        return ["sh", "-c", f"for i in $(seq {TIMES}); do {words}; done >/dev/null"]

    @at_one_time
    def test_short_lived(self):
        """programs that have long exited are named: static, static PIE, PIE with libraries"""
        programs = ("cpu", "cpu-static-pie", "cpu-pie")
        # So often that many are met in the middle of exec too, when they have no mappings yet.
        report = around(self.loop(*programs), hz=999 if GUEST else 3999)
        for program in programs:
            self.assert_named(report, program)

    @at_one_time
    def test_short_lived_anywhere(self):
        """programs that have long exited are named, when the whole machine is observed"""
        # Whether others keep it from running for a process's whole life is the scheduler's choice.
        with Running(preferred([PROFILE, "-v", "--json", "-F", "999"])) as unit:
            unit.wait_for("profile: observing")
            run(self.loop("cpu-pie"))
            unit.signal(2)
            result = unit.result()
        self.assert_named(result.report, "cpu-pie")

    def bytes_read(self, unit):
        try:
            with open(f"/proc/{unit.process.pid}/io", encoding="ascii") as file:
                return int(re.search(r"rchar: (\d+)", file.read()).group(1))
        except FileNotFoundError:
            self.skipTest("the kernel does not count what processes read")

    def bytes_read_while_observing(self, *options):
        with Running([PROFILE, "-v", "--json", *options]) as unit:
            unit.wait_for("profile: observing")
            before = self.bytes_read(unit)
            # CPUs are idle for some of that, and the reports of intervals are made.
            run(cpu("kernel", seconds(0.2)))
            time.sleep(2)
            taken = self.bytes_read(unit) - before
            unit.signal(2)
            result = unit.result()
        self.assertTrue(any(in_kernel(f) and f["name"] for report in result.reports
                            for row in report["rows"] for f in row["stack"]))
        return taken

    def test_names_read_early(self):
        """the kernel's names are not read while short-lived processes might go unseen meanwhile"""
        with open("/proc/kallsyms", "rb") as file:
            size = len(file.read())
        for options in ([], ["-i", "300ms", "--comm", "cpu"]):
            with self.subTest(options):
                # Mappings are read as well, many of them where others start processes: once more.
                self.assertTrue(any(self.bytes_read_while_observing(*options) < size / 2
                                    for _ in range(3)))

    @at_one_time
    def test_short_lived_in_library(self):
        """what exited programs did in a shared library is named: mapped when they ran already"""
        words = " ".join(cpu("kernel", SHORT, program="cpu-pie"))
        report = around(["sh", "-c", f"for i in $(seq {TIMES}); do {words}; done >/dev/null"],
                        "--no-kernel-callchain")
        stacks = [(row["stack"][0], row["count"]) for row in report["rows"]
                  if row["comm"] == "cpu-pie" and row["stack"]]
        everything = sum(count for _, count in stacks)
        good = sum(count for frame, count in stacks if frame["name"] == "getrandom" and
                   "/libc" in frame["module"])
        self.assertGreater(good, 0.85 * everything)

    def test_exec(self):
        """a process goes from program to program, all at the same addresses: never the other's"""
        chain = []
        for turn in range(6 if GUEST else 10):
            program = "cpu-other" if turn % 2 else "cpu"
            chain += ["--"] * bool(chain) + cpu("burn", SHORT, program=program)
        report = around(chain)
        self.assertEqual(len({row["pid"] for row in report["rows"]}), 1)
        for comm, own, foreign in (("cpu", "burn_", "other_"), ("cpu-other", "other_", "burn_")):
            rows = [row for row in report["rows"] if row["comm"] == comm]
            everything = sum(row["count"] for row in rows)
            names = [(name or "", row["count"]) for row in rows for name in named(row["stack"])[:3]]
            self.assertEqual([n for n in names if n[0].startswith(foreign)], [])
            self.assertGreater(everything, 50)
            leaves = sum(row["count"] for row in rows
                         if any((n or "").startswith(own) for n in named(row["stack"])))
            self.assertGreater(leaves, 0.8 * everything, comm)
            modules = {f.get("module") for row in rows for f in row["stack"]
                       if (f["name"] or "").startswith(own)}
            self.assertEqual(modules, {path(comm)})

    def test_removed(self):
        """a program whose file is removed while it runs, or that another file takes the place of"""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            run(["cp", path("cpu"), f"{folder}/cpu"])
            with waiting([f"{folder}/cpu", "--wait", "burn", seconds(0.3)]) as (load, pid):
                os.unlink(f"{folder}/cpu")
                run(["cp", path("cpu-other"), f"{folder}/cpu"])
                unit, _ = observe_load([PROFILE, "-v", "--json", "-F", "999", "-p", str(pid)], load)
        names = {name for row in unit.report["rows"] for name in named(row["stack"])}
        self.assertFalse(any((n or "").startswith("other_") for n in names), names)
        good = count_of(unit.report, lambda row: "burn_round" in named(row["stack"]))
        self.assertGreater(good, 0.9 * unit.report["samples"])

    def test_unknown(self):
        """what has no name has an address, and the module if there is one"""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            stripped = f"{folder}/bare"
            run(["strip", "-o", stripped, path("cpu")])
            report = around([stripped, "burn", seconds(0.2)])
        unknown = [f for row in report["rows"] for f in row["stack"] if f["name"] is None]
        self.assertGreater(count_of(report, lambda row: row["stack"][0]["name"] is None),
                           0.9 * report["samples"])
        for frame in unknown:
            self.assertEqual(set(frame) - {"module"}, {"name", "addr"})
            self.assertRegex(frame["addr"], "^0x[0-9a-f]+$")
        self.assertIn(stripped, {f.get("module") for f in unknown})
        functions = {f["name"] for f in report["functions"] if f.get("module") == stripped}
        self.assertEqual(functions, {"[bare]"})

    def test_lines(self):
        """--lines: the source's file and line, and functions that are inlined"""
        report = around(cpu("burn", seconds(0.3)), "--lines", "--exclude-kernel")
        frames = [row["stack"][0] for row in report["rows"]
                  if row["stack"][0]["name"] == "burn_seventy"]
        self.assertGreater(len(frames), 0)
        with open(os.path.join(os.path.dirname(__file__), "../../load/cpu.c"),
                  encoding="utf-8") as file:
            text = file.read().splitlines()
        for frame in frames:
            self.assertTrue(frame["file"].endswith("tests/load/cpu.c"), frame)
            self.assertIn("BURNER(burn_seventy)", text[frame["line"] - 1])
        inlined = [f for row in report["rows"] for f in row["stack"] if f.get("inlined")]
        self.assertIn("burn", {f["name"] for f in inlined}, "burn() is part of main()")


class Pictures(Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.base = f"{self.folder.name}/cpu"

    def folded(self):
        """(stack, count) of the lines of the folded file."""
        with open(f"{self.base}.folded", encoding="utf-8") as file:
            lines = [re.fullmatch(r"(.+) (\d+)", line.rstrip("\n")) for line in file]
        self.assertTrue(all(lines))
        return [(line.group(1).split(";"), int(line.group(2))) for line in lines]

    def svg(self, name):
        root = xml.parse(name).getroot()
        self.assertEqual(root.tag, f"{SVG}svg")
        self.assertEqual(root.find(f"{SVG}title").text, "profile")
        return root

    def test_folded(self):
        """--flame-graph: the folded stacks are the report's, the name first, the leaf last"""
        report = around(cpu("both", seconds(0.4)), "--flame-graph", self.base)
        lines = self.folded()
        self.assertEqual(sum(count for _, count in lines), report["samples"])
        expected = {}
        for row in report["rows"]:
            frames = [(f["name"] or "[" + os.path.basename(f.get("module", "unknown")).strip("[]")
                       + "]") + ("_[k]" if in_kernel(f) else "") for f in row["stack"]]
            stack = tuple([row["comm"], *reversed(frames)])
            expected[stack] = expected.get(stack, 0) + row["count"]
        self.assertEqual({tuple(stack): count for stack, count in lines}, expected)
        self.assertEqual(len(lines), len(expected), "a line for each stack")
        self.assertGreater(sum(c for s, c in lines if s[-1].endswith("_[k]")), 20)
        self.assertGreater(sum(c for s, c in lines if s[-1].startswith("burn_")), 20)

    def test_svg(self):
        """--flame-graph: an SVG that is well-formed, with the functions and their samples"""
        report = around(cpu("burn", seconds(0.3)), "--flame-graph", self.base)
        titles = [t.text.replace(",", "") for t in self.svg(f"{self.base}.svg").iter(f"{SVG}title")]
        count = {f["name"]: f["total"] for f in report["functions"]}["burn_seventy"]
        mine = [t.split("\n")[1] for t in titles if t.startswith("burn_seventy\n")]
        self.assertEqual(sum(int(t.split()[0]) for t in mine), count, titles)
        self.assertIn(f"{report['samples']} samples", "".join(t for t in titles
                                                             if t.startswith("all\n")))
        self.assertTrue(any(t.startswith("all") for t in titles))

    def test_reverse(self):
        """--reverse: the root is on top"""
        tops = []
        for options in ([], ["--reverse"]):
            around(cpu("burn", seconds(0.2)), "--flame-graph", self.base, *options)
            text, row = {}, None
            for group in self.svg(f"{self.base}.svg").iter(f"{SVG}g"):
                where = re.fullmatch(r"translate\(0,(\d+)\)", group.get("transform", ""))
                row = int(where.group(1)) if where else row
                title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
                if title is not None and rect is not None:
                    text[title.text.split()[0]] = row
            tops.append(text["all"] < text["burn_seventy"] if {"all", "burn_seventy"} <= set(text)
                        else None)
        self.assertEqual(tops, [False, True])

    def test_intervals(self):
        """--flame-graph -i: lines that begin with their moment, and a picture for each"""
        result = run([PROFILE, "--json", "-F", "499", "-i", "1s", "--flame-graph", self.base, "--",
                      *cpu("burn", "2.3")])
        self.assert_status(result, 0)
        reports = [r for r in result.reports if r["samples"]]
        self.assertGreater(len(reports), 1)
        sums = {}
        for stack, count in self.folded():
            self.assertRegex(stack[0], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?$")
            sums[stack[0]] = sums.get(stack[0], 0) + count
        self.assertEqual([sums[stamp] for stamp in sorted(sums)], [r["samples"] for r in reports])
        for stamp, report in zip(sorted(sums), reports):
            end = datetime.datetime.fromisoformat(report["time"].replace("Z", "+00:00"))
            began = end - datetime.timedelta(microseconds=report["elapsed_ns"] / 1000)
            local = began.astimezone().replace(tzinfo=None)
            self.assertLess(abs((local - datetime.datetime.fromisoformat(stamp[:19]))
                                .total_seconds()), 1.01)
            selected = run(["grep", stamp[11:19], f"{self.base}.folded"]).out
            self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in selected.splitlines()
                                 if line.startswith(stamp + ";")), report["samples"])
            name = f"{self.base}-{stamp[:19].replace('-', '').replace(':', '').replace(' ', '_')}"
            self.assertTrue(glob.glob(f"{name}*.svg"), name)
        pictures = glob.glob(f"{self.base}-*.svg")
        self.assertEqual(len(pictures), len(reports))
        for name in pictures + [f"{self.base}.svg"]:
            self.svg(name)
        self.assertEqual(len(os.listdir(self.folder.name)), len(pictures) + 2)

    def test_short_intervals(self):
        """--flame-graph -i: several in a second are told apart"""
        result = run([PROFILE, "--json", "-F", "499", "-i", "200ms", "--flame-graph", self.base,
                      "--", *cpu("burn", seconds(1))])
        reports = [r for r in result.reports if r["samples"]]
        self.assertGreater(len(reports), 1 if GUEST else 2)
        sums = {}
        for stack, count in self.folded():
            sums[stack[0]] = sums.get(stack[0], 0) + count
        self.assertEqual([sums[stamp] for stamp in sorted(sums)], [r["samples"] for r in reports])
        self.assertEqual(len(glob.glob(f"{self.base}-*.svg")), len(reports))

    def test_at_once(self):
        """--flame-graph -i: what has passed is in the file while it goes on"""
        with Running([PROFILE, "-v", "-i", "200ms", "--flame-graph", self.base, "-o", "/dev/null",
                      "--", *cpu("burn", "100")]) as unit:
            unit.wait_for("profile: observing")
            for _ in range(600):
                if os.path.getsize(f"{self.base}.folded"):
                    break
                unit.process.poll()
                os.sched_yield()
                time.sleep(0.05)
            self.assertIsNone(unit.process.poll())
            self.assertGreater(len(self.folded()), 0)

    def test_unwritable(self):
        """--flame-graph where nothing can be written: told before anything is observed"""
        for target in ("/no/such/folder/x", f"{self.folder.name}/"):
            with self.subTest(target):
                os.makedirs(f"{self.folder.name}/.svg", exist_ok=True)
                result = run([PROFILE, "-v", "--flame-graph", target, "--", "touch",
                              f"{self.folder.name}/ran"])
                self.assert_status(result, 1)
                self.assertNotIn("observing", result.err)
                errors = [line for line in result.err.splitlines() if "cannot" in line]
                self.assertEqual(len(errors), 1, str(result))
                self.assertIn(target, errors[0])
                self.assertFalse(os.path.exists(f"{self.folder.name}/ran"))


if __name__ == "__main__":
    unittest.main()
