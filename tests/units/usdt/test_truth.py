# SPDX-License-Identifier: GPL-2.0-only
"""usdt against readelf, and the probes it names against a program that knows how often they come."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import GUEST, LOAD, Case, go, observe_load, run, tool, waiting

USDT = tool("usdt")
PROBES = os.path.join(LOAD, "probes")
COUNT = 1000

# What the load's arguments are, for i from 1 to COUNT.
NUMBERS = range(1, COUNT + 1)
SQUARES = [-i * i for i in NUMBERS]
SMALL = [i % 100 - 50 for i in NUMBERS]

no_guest = unittest.skipIf(GUEST, "files alone: the same on every kernel")


def rows(*args):
    done = run([USDT, "list", "--json", *args])
    assert done.status == 0, str(done)
    return done.report["rows"]


def notes(path):
    """The probes of a file as readelf has them: (provider, name, address, semaphore, arguments)."""
    if not shutil.which("readelf"):
        raise unittest.SkipTest("needs readelf")
    found = re.findall(r"Provider: (\S+)\n +Name: (\S+)\n +Location: (0x[0-9a-f]+), .*"
                       r"Semaphore: (0x[0-9a-f]+)\n +Arguments: ?(.*)",
                       run(["readelf", "-nW", path]).out)
    return sorted((p, n, int(a, 16), int(s, 16) != 0, args.strip())
                  for p, n, a, s, args in found)


def listed(probes):
    return sorted((r["system"], r["name"], int(r["addr"], 16), r["semaphore"], r["arguments"])
                  for r in probes)


class Listed(Case):
    @no_guest
    def test_a_program(self):
        """the probes that readelf finds in a program, with arguments and semaphores"""
        truth = notes(PROBES)
        self.assertEqual([(p, n, s) for p, n, _, s, _ in truth],
                         [("bpfprof", name, True)
                          for name in ("ended", "guarded", "made", "step", "step")])
        self.assertEqual(listed(rows(PROBES)), truth)
        text = re.sub(" +", " ", run([USDT, "list", PROBES]).out).splitlines()
        self.assertEqual(text[:5], [f"usdt:{os.path.realpath(PROBES)}:{p}:{n} ({args}), "
                                    "has a semaphore" for p, n, _, _, args in truth])

    @no_guest
    def test_a_library(self):
        """those of a library, found by its bare name; without semaphores"""
        mapped = run(["sh", "-c", "ldconfig -p | sed -n 's/.*libstdc++.so.6 .*=> //p' | head -n 1"],
                     env={"PATH": "/sbin:/usr/sbin:" + os.environ["PATH"]}).out.strip()
        truth = notes(mapped) if mapped else []
        if not truth:
            raise unittest.SkipTest("there is no libstdc++.so.6 with probes here")
        self.assertEqual(listed(rows("libstdc++.so.6")), truth)
        self.assertFalse(any(semaphore for _, _, _, semaphore, _ in truth))
        self.assertNotIn("semaphore", run([USDT, "list", "libstdc++.so.6"]).out)

    def test_a_process(self):
        """those of what a process has mapped, by its pid; the same as the file's"""
        with waiting([PROBES, "--wait", "1"]) as (load, pid):
            self.assertEqual(rows(str(pid)), rows(PROBES))
            go(load)
            load.wait_for("done", load.out)
            go(load)
            load.result()

    def test_types(self):
        """arguments have their widths and signs"""
        for row in rows(PROBES):
            truth = {"guarded": ["uint32"], "made": ["uint64", "uint32"], "ended": ["uint64"],
                     "step": ["uint32", "int64", "int16", "uint64"]}
            self.assertEqual([f["meaning"] for f in row["fields"]], truth[row["name"]])

    def test_example(self):
        """the example runs as printed, and each of --json's is an event of that probe"""
        line = run([USDT, "list", PROBES]).out.splitlines()[-1].strip()
        self.assertIn(f"{os.path.realpath(PROBES)}:bpfprof:ended/arg0!=0/", line)
        unit, rest = line.split(" ", 1)
        self.assert_status(run(["sh", "-c", f"{tool(unit)} {rest}"]), 0)
        for row in rows(PROBES):
            self.assertIn(f"-e '{row['event']}/arg0!=0/", row["example"])


class Traced(Case):
    """Units run the probes that are listed, by the names that are listed."""

    def event(self, name):
        return next(row["event"] for row in rows(PROBES) if row["name"] == name)

    def observe(self, unit, event):
        with waiting([PROBES, "--wait", str(COUNT)]) as (load, pid):
            seen, load = observe_load([tool(unit), "--json", "-v", "-p", str(pid), "-e", event],
                                      load)
        self.assert_status(seen, 0)
        self.assertEqual(seen.report["lost"]["total"], 0, str(seen))
        return seen.report["rows"], json.loads(load.out.splitlines()[-1])

    def test_numbers(self):
        """num-dist: each argument's sum, least and greatest are what the program passed"""
        for argument, numbers in (("arg0", NUMBERS), ("arg1", SQUARES), ("arg2", SMALL)):
            with self.subTest(argument):
                found, _ = self.observe("num-dist", self.event("step") + f"//num={argument}/")
                self.assertEqual([(row["count"], row["sum"], row["min"], row["max"])
                                  for row in found],
                                 [(COUNT, sum(numbers), min(numbers), max(numbers))],
                                 "both places are one row")

    def test_keys_and_filter(self):
        """top: arguments as filter, key and sum, of both places together"""
        found, _ = self.observe("top", self.event("step") +
                                "/arg1<-100&&arg2!=7/key=arg0%7/top-by=arg2/")
        truth = {}
        for i, square, small in zip(NUMBERS, SQUARES, SMALL):
            if square < -100 and small != 7:
                truth[i % 7] = truth.get(i % 7, 0) + small
        self.assertEqual({row["key"]: row[next(k for k in row if k not in ("key", "name"))]
                          for row in found}, truth)

    def test_semaphore(self):
        """a probe behind a semaphore comes while it is observed, and only then"""
        found, said = self.observe("num-dist", self.event("guarded") + "//num=arg0/")
        self.assertEqual([(row["count"], row["sum"]) for row in found], [(COUNT, sum(NUMBERS))])
        self.assertEqual(said["guarded"], COUNT)
        _, said = self.observe("num-dist", self.event("step") + "//num=arg0/")
        self.assertEqual(said["guarded"], 0)


class Ambiguous(Case):
    @no_guest
    def test_symbols_of_one_name(self):
        """an argument at a symbol that stands for two places is shown, and is not for expressions"""
        with tempfile.TemporaryDirectory() as folder:
            for name, value in (("one", 11), ("two", 22)):
                with open(f"{folder}/{name}.c", "w", encoding="ascii") as file:
                    file.write(SOURCE.replace("NAME", name).replace("VALUE", str(value)))
            with open(f"{folder}/main.c", "w", encoding="ascii") as file:
                file.write("void one(void); void two(void); int lonely = 33;\n"
                           "int main(void) { one(); two(); return lonely - 33; }\n")
            program = f"{folder}/program"
            subprocess.run(["gcc", "-O1", "-no-pie", "-fno-pie", "-o", program] +
                           [f"{folder}/{name}.c" for name in ("one", "two", "main")], check=True)
            fields = {row["name"]: row["fields"] for row in rows(program)}
            for name in ("one", "two"):
                self.assertEqual([f["usable"] for f in fields[name]], [False, True], name)
                self.assertIn("shared", fields[name][0]["type"])
            event = f"usdt:{program}:bpfprof:one"
            done = run([tool("num-dist"), "-e", f"{event}//num=arg0/", "--", program])
            self.assert_status(done, 2)
            self.assertIn("arg0", done.err)
            done = run([tool("num-dist"), "--json", "-e", f"{event}//num=arg1/", "--", program])
            self.assert_status(done, 0)
            self.assertEqual([row["sum"] for row in done.report["rows"]], [33])


# Two static variables of one name, and a global one of another: as compilers write such arguments.
SOURCE = r"""
extern int lonely;
static volatile int shared __attribute__((used)) = VALUE;
__attribute__((noinline)) void NAME(void)
{
	__asm__ volatile("990: nop\n"
		".pushsection .note.stapsdt,\"?\",\"note\"\n"
		".balign 4\n.4byte 992f-991f, 994f-993f, 3\n"
		"991: .asciz \"stapsdt\"\n992: .balign 4\n"
		"993: .8byte 990b\n.8byte 0\n.8byte 0\n"
		".asciz \"bpfprof\"\n.asciz \"NAME\"\n.asciz \"-4@shared(%%rip) -4@lonely(%%rip)\"\n"
		"994: .balign 4\n.popsection\n" ::: "memory");
}
"""
