# SPDX-License-Identifier: GPL-2.0-only
"""percpu-stat's figures beside what /proc has, and loads of a known size on a known CPU."""

import os
import unittest

from events import CALLS
from harness import CPUS, LOAD, Case, Running, run, tool

PERCPU_STAT = tool("percpu-stat")


def softirqs():
    """The soft interrupts that each CPU has had."""
    with open("/proc/softirqs", encoding="ascii") as file:
        columns = [int(name[3:]) for name in file.readline().split()]
        lines = [[int(n) for n in line.split()[1:]] for line in file]
    return dict(zip(columns, (sum(line[i] for line in lines) for i in range(len(columns)))))


def of_stat(name):
    """A number of /proc/stat."""
    with open("/proc/stat", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.split()[0] == name)


def of_vmstat(*names):
    with open("/proc/vmstat", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.split()[0] in names)


class Truth(Case):
    def observe(self, *load, args=()):
        """The reports while a load runs, and a function's value behind it minus that before it."""
        result = run([PERCPU_STAT, "--json", "-i", "60s", *args, "--", *load])
        self.assert_status(result, 0)
        self.assertEqual(result.report["lost"]["total"], 0, str(result))
        return {row["cpu"]: row for row in result.report["rows"]}

    def around(self, value, *load, args=()):
        """The rows of a report, with the least and the most that there was of something meanwhile."""
        before = value()
        with Running([PERCPU_STAT, "--json", "-v", "-i", "60s", *args]) as unit:
            unit.wait_for("observing")
            inner = value()
            run(list(load))
            within = value() - inner
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        return {row["cpu"]: row for row in result.report["rows"]}, within, value() - before

    def test_cpus(self):
        """a row for each CPU, or for those of -C"""
        self.assertEqual(sorted(self.observe("true")), list(range(CPUS)))
        self.assertEqual(list(self.observe("true", args=("-C", "0"))), [0])

    def test_system_calls(self):
        """system calls are where they are made, as many as there are; without --syscalls, null"""
        for where in range(min(CPUS, 2)):
            rows = self.observe("taskset", "-c", str(where), CALLS, "1", "100000",
                                args=("--syscalls",))
            self.assertGreaterEqual(rows[where]["syscalls"], 100000)
        self.assertIsNone(self.observe("true")[0]["syscalls"])

    def test_page_faults(self):
        """minor page faults: a program's 20000 are where it runs, and so are the pages that it gets"""
        for where in range(min(CPUS, 2)):
            rows = self.observe("taskset", "-c", str(where), os.path.join(LOAD, "pages"), "again",
                                "1000", "20")
            self.assertGreaterEqual(rows[where]["minor_faults"], 20000)
            self.assertGreaterEqual(rows[where]["page_allocs"], 20000)

    def between(self, seen, least, most, what):
        """What was seen is at least what came while the load ran, and at most what came around it."""
        self.assertGreaterEqual(seen, least, what)
        self.assertLessEqual(seen, most, what)

    def test_context_switches(self):
        """context switches: those of /proc/stat"""
        rows, least, most = self.around(lambda: of_stat("ctxt"), "sleep", "0.3")
        self.between(sum(row["context_switches"] for row in rows.values()), least, most, "csw")

    def test_faults_of_all(self):
        """page faults: those of /proc/vmstat, within 1 %"""
        rows, least, most = self.around(lambda: of_vmstat("pgfault"),
                                        os.path.join(LOAD, "pages"), "again", "1000", "20")
        seen = sum(row["minor_faults"] + row["major_faults"] for row in rows.values())
        # The kernel's number has those that were begun again, and comes up to a second late.
        self.between(seen, least * 0.99 - 500, most * 1.01 + 500, "faults")

    def test_softirqs(self):
        """soft interrupts: those of /proc/softirqs, on each CPU"""
        for where in range(CPUS):
            rows, least, most = self.around(lambda: softirqs()[where], "sleep", "0.5")
            self.between(rows[where]["softirqs"], least - 2, most, f"softirqs of CPU {where}")

    def test_network(self):
        """packets: 100 that a program sends to itself are sent and received"""
        sender = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "for _ in range(100): s.sendto(b'x', ('127.0.0.1', 9))")
        if run(["python3", "-c", sender]).status:
            raise unittest.SkipTest("nothing can be sent over the loopback device here")
        rows = self.observe("python3", "-c", sender)
        self.assertGreaterEqual(sum(row["net_received"] for row in rows.values()), 100)
        self.assertGreaterEqual(sum(row["net_transmitted"] for row in rows.values()), 100)

    def test_timers(self):
        """high-resolution timers: those of a program that sleeps 200 times"""
        sleeper = "import time\nfor _ in range(200): time.sleep(0.001)"
        rows = self.observe("python3", "-c", sleeper)
        self.assertGreaterEqual(sum(row["hrtimers"] for row in rows.values()), 200)

    def test_intervals(self):
        """-i: reports add up to all there was"""
        with Running([PERCPU_STAT, "--json", "-v", "-i", "50ms", "--syscalls"]) as unit:
            unit.wait_for("observing")
            run([CALLS, "1", "50000"])
            unit.wait_for('"rows"', unit.out)
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        self.assertGreater(len(result.reports), 1)
        seen = sum(row["syscalls"] for report in result.reports for row in report["rows"])
        self.assertGreaterEqual(seen, 50000)
