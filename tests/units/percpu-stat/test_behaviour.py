# SPDX-License-Identifier: GPL-2.0-only
"""percpu-stat as its users meet it, and as perf-prof's."""

import os
import re
import subprocess

from harness import (CPUS, TRACING, Running, UnloadingCase, have_tracefs, on_terminal, run,
                     run_as_nobody, screens, tool)

PERCPU_STAT = tool("percpu-stat")
COLUMNS = ("csw cpu-mig minflt majflt hardirq softirq hrtimer workq kvm-exit recv xmit gro alloc "
           "compact reclaim migrate cache wb idle").split()


class Behaviour(UnloadingCase):
    OWN = re.compile("^(cpu_idle|softirq_entry|hrtimer_expire_|mm_page_alloc)$")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, with all columns"""
        result = run([PERCPU_STAT, "--help"])
        self.assert_status(result, 0)
        for name in COLUMNS + ["--syscalls", "--cpus", "--interval", "--json"]:
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertIn("[--syscalls]", run([PERCPU_STAT, "--usage"]).out)
        self.assertRegex(run([PERCPU_STAT, "-V"]).out, r"^percpu-stat \d+\.\d+\.\d+\n$")

    def test_seed(self):
        """003: percpu-stat, whose events need not be named: a row for each CPU, each second"""
        result = run([PERCPU_STAT, "--duration", "2s"])
        self.assert_status(result, 0)
        reports = result.out.strip().split("\n\n")
        self.assertEqual(len(reports), 2)
        for report in reports:
            lines = report.splitlines()
            self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  percpu-stat, the last ")
            self.assertEqual(lines[1].split(), ["cpu", *COLUMNS])
            rows = [line.split() for line in lines[2:]]
            names = [str(cpu) for cpu in range(CPUS)] + ["all"] * (CPUS > 1)
            self.assertEqual([row[0] for row in rows], names)
            if CPUS > 1:
                for column in range(1, len(rows[0])):
                    numbers = [row[column].replace(",", "") for row in rows]
                    if "-" not in numbers:
                        self.assertEqual(sum(map(int, numbers[:-1])), int(numbers[-1]))

    def test_missing_tracepoints(self):
        """a column is a dash, and null in JSON, where and only where the kernel has no such event"""
        row = run([PERCPU_STAT, "--json", "--", "true"]).report["rows"][0]
        have_tracefs(self)
        for name, event in (("kvm_exits", "kvm/kvm_exit"), ("writebacks", "writeback/wbc_writepage"),
                            ("softirqs", "irq/softirq_entry"), ("idles", "power/cpu_idle"),
                            ("compactions", "compaction/mm_compaction_migratepages")):
            self.assertEqual(row[name] is not None, os.path.isdir(f"{TRACING}/events/{event}"),
                             name)

    def test_usage_errors(self):
        """bad usage: one line, status 2"""
        for args, says in ((["--nosuch"], "nosuch"), (["-C", "x"], "CPU numbers"), (["-p", "1"], "-p"),
                           (["stray"], "stray"), (["-i", "1us"], "at least 10 ms")):
            result = run([PERCPU_STAT, *args])
            self.assert_status(result, 2)
            self.assert_one_line(result, "^percpu-stat: ", says)

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody([PERCPU_STAT, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "root")

    def test_command_status(self):
        """-- CMD: its status is passed on"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7)):
            self.assert_status(run([PERCPU_STAT, "-o", "/dev/null", "--", *command]), status)

    def test_terminal(self):
        """a terminal: reports take each other's place"""
        seen = screens(on_terminal([PERCPU_STAT, "-i", "200ms", "--duration", "700ms"], columns=200))
        self.assertGreaterEqual(len(seen), 2)
        for screen in seen:
            self.assertIn("softirq", screen)

    def test_closed_pipe(self):
        """a reader that has gone: a quiet end"""
        with Running([PERCPU_STAT, "-i", "50ms"], stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)
            self.assertEqual(unit.said(unit.err), "")
