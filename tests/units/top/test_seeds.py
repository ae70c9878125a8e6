# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, for top; only the program's name differs."""

import json
import os
import subprocess

from events import WRITE_NUMBER
from harness import LOAD, Case, run, tool

TOP = tool("top")

# Runs without looking at its own clock, which would have the scheduler take account.
BURN = ["python3", "-c", "for _ in range(6000000): pass"]


def top(*args, command):
    return run([TOP, *args, "--json", "--", *command])


class Seeds(Case):
    def total(self, result, column):
        self.assert_status(result, 0)
        return sum(row[column] for row in result.report["rows"])

    def test_stat_runtime(self):
        """003, 4.9.3: -e 'sched:sched_stat_runtime/runtime>1000000/'"""
        long = "sched:sched_stat_runtime/runtime>1000000/"
        result = top("-e", long, "-e", "sched:sched_stat_runtime/runtime<=1000000/alias=short/",
                     "-e", "sched:sched_stat_runtime//alias=all/",
                     "-e", f"{long}top-add=runtime<=1000000/alias=wrong/", command=BURN)
        count = self.total(result, "sched:sched_stat_runtime")
        self.assertGreater(count, 0)
        self.assertEqual(self.total(result, "wrong"), 0)
        self.assertEqual(count + self.total(result, "short"), self.total(result, "all"))

    def test_cpus(self):
        """003, 4.10.1: -e sched:sched_stat_runtime -C 0-1,3 (as far as there are such CPUs)"""
        cpus = os.cpu_count()
        wanted = "0-1,3" if cpus > 3 else "0-1" if cpus > 1 else "0"
        result = top("-e", "sched:sched_stat_runtime", "-C", wanted, command=BURN)
        self.assertGreater(self.total(result, "sched:sched_stat_runtime"), 0)
        result = top("-e", "sched:sched_stat_runtime//key=_cpu/", "-C", "0",
                     command=["taskset", "-c", "0", *BURN])
        self.assertEqual([row["key"] for row in result.report["rows"]], [0])

    def test_pids(self):
        """003, 4.10.2: -e sched:sched_stat_runtime -p PID,PID and -t TID,TID"""
        for option in ("-p", "-t"):
            result = run([TOP, "-e", "sched:sched_stat_runtime", option, f"1,{os.getpid()}",
                          "--json", "--duration", "100ms"])
            self.assert_status(result, 0)
            self.assertLessEqual({row["key"] for row in result.report["rows"]},
                                 {1, os.getpid()})

    def test_short_reads(self):
        """004: -e 'syscalls:sys_enter_read' with 'count < 10': reads of fewer than 10 bytes"""
        for size, count in ((5, 300), (9, 200), (10, 0)):
            # By name: before it becomes dd, the process may still be about to read its cue.
            result = top("-e", "syscalls:sys_enter_read/count < 10/", "--only-comm", command=[
                "dd", "if=/dev/zero", "of=/dev/null", f"bs={size}",
                f"count={count or 100}", "status=none"])
            self.assert_status(result, 0)
            counts = {row["key"]: row["syscalls:sys_enter_read"] for row in result.report["rows"]}
            self.assertEqual(counts.get("dd", 0), count)

    def test_syscalls_by_name(self):
        """004: perf top -e raw_syscalls:sys_enter -ns comm: system calls by the thread's name"""
        result = top("-e", "raw_syscalls:sys_enter/id==1/", "--only-comm",
                     command=[os.path.join(LOAD, "calls"), "3", "100"])
        self.assert_status(result, 0)
        counts = {row["key"]: row["raw_syscalls:sys_enter"] for row in result.report["rows"]}
        for t in (1, 2, 3):
            self.assertEqual(counts[f"calls-{t}"], 100 * t)

    def test_sorted_by_comm(self):
        """004: perf top -e raw_syscalls:sys_enter -ns comm: the same, as it is written there"""
        result = top("-e", f"raw_syscalls:sys_enter/id=={WRITE_NUMBER}/", "-ns", "comm",
                     command=[os.path.join(LOAD, "calls"), "3", "100"])
        self.assert_status(result, 0)
        counts = {row["key"]: row["raw_syscalls:sys_enter"] for row in result.report["rows"]}
        for t in (1, 2, 3):
            self.assertEqual(counts[f"calls-{t}"], 100 * t)
        result = run([TOP, "-e", "raw_syscalls:sys_enter", "-ns", "comm", "--duration", "100ms"])
        self.assert_status(result, 0)
        self.assertRegex(result.out, r"(?m)^comm +raw_syscalls:sys_enter$")
        self.assertRegex(result.out, r"(?m)^top +\d")

    def test_all_of_a_system(self):
        """004: -e 'sched:*' of a command"""
        result = top("-e", "sched:*", command=BURN)
        self.assertGreater(self.total(result, "sched:*"), 0)

    def test_all_syscalls(self):
        """004: -e 'syscalls:sys_enter_*' of a command"""
        # The kernel lets go of one tracepoint after the other, each as slowly as RCU is.
        done = subprocess.run([TOP, "-e", "syscalls:sys_enter_*", "-k", "_comm", "--json", "--",
                               os.path.join(LOAD, "calls"), "1", "100"], capture_output=True,
                              timeout=300, check=True)
        report = json.loads(next(line for line in done.stdout.splitlines() if b"rows" in line))
        counts = {row["key"]: row["syscalls:sys_enter_*"] for row in report["rows"]}
        # Beside the writes a thread has some calls to begin and to end.
        self.assertLessEqual(100, counts["calls-1"])
        self.assertLessEqual(counts["calls-1"], 120)
