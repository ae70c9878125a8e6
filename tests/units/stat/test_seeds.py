# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, for stat; only the program's name differs."""

import os
import shlex
import signal
import subprocess
import tempfile
import time

from harness import Case, Running, run, tool

STAT = tool("stat")


def shell(line, **options):
    """What a shell makes of the line, in which `stat` is the unit."""
    path = f"{os.path.dirname(STAT)}:{os.environ['PATH']}"
    return run(["sh", "-c", line], env={"PATH": path}, **options)


class Seeds(Case):
    def rows(self, line):
        """The lines of text below the heads: the count as it stands there, and the event."""
        result = shell(line)
        self.assert_status(result, 0)
        return self.counts(result)

    def counts(self, result):
        self.assertIn("  stat, the last ", result.out)
        words = [line.replace("<not supported>", "-").replace(" msec", "").split()
                 for line in result.out.splitlines() if line.startswith("  ")]
        return {fields[1]: fields[0] for fields in words if fields[0] != "count"}

    def until_ctrl_c(self, *args):
        with Running([STAT, "-v", *args]) as unit:
            unit.wait_for("observing")
            time.sleep(1)
            unit.signal(signal.SIGINT)
            result = unit.result()
        self.assert_status(result, 0)
        return self.counts(result)

    def test_command(self):
        """004: perf stat command; perf stat -d command"""
        for line in ("stat true", "stat -d true"):
            self.assertIn("task-clock", self.rows(line))
        rows = self.rows("stat -d true")
        self.assertEqual(list(rows)[:4], ["task-clock", "context-switches", "cpu-migrations",
                                          "page-faults"])
        self.assertLess(0, int(rows["page-faults"].replace(",", "")))
        self.assertIn("LLC-load-misses", rows)

    def test_gzip(self):
        """004: perf stat -d gzip vmlinux; perf stat gzip largefile: and it does its work"""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/vmlinux"
            with open(path, "wb") as file:
                file.write(b"x" * 100000)
            rows = self.rows(f"stat -d gzip {shlex.quote(path)}")
            self.assertTrue(os.path.exists(path + ".gz"))
            self.assertIn("branch-misses", rows)
            self.assertIn("task-clock", self.rows(f"stat gzip -t {shlex.quote(path)}.gz"))

    def test_awk(self):
        """004: perf stat -e 'syscalls:sys_enter_*' gzip vmlinux -fk 2>&1 | awk '$1 != 0'"""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/vmlinux"
            with open(path, "wb") as file:
                file.write(b"x" * 100000)
            rows = self.rows(f"stat -e 'syscalls:sys_enter_*' gzip {path} -fk 2>&1 | awk '$1 != 0'")
            self.assertTrue(os.path.exists(path + ".gz") and os.path.exists(path))
            self.assertEqual(rows["syscalls:sys_enter_exit_group"], "1")
            self.assertNotIn("0", rows.values())
            self.assertLess(len(rows), 60)

    def test_pid(self):
        """004: perf stat -p PID; -e 'syscalls:sys_enter_*' -p PID; -e 'sched:*' -p PID sleep 10"""
        child = subprocess.Popen(["sh", "-c", "while :; do sleep 0.02; done"])
        try:
            rows = self.until_ctrl_c("-p", str(child.pid))
            self.assertGreater(int(rows["context-switches"].replace(",", "")), 0)
            rows = self.until_ctrl_c("-e", "syscalls:sys_enter_*", "-p", str(child.pid))
            self.assertGreater(sum(int(n.replace(",", "")) for n in rows.values()), 0)
            rows = self.rows(f"stat -e 'sched:*' -p {child.pid} sleep 0.5")
            forks = int(rows["sched:sched_process_fork"].replace(",", ""))
            self.assertGreater(forks, 0)
        finally:
            child.kill()
            child.wait()

    def test_machine(self):
        """004: perf stat -a sleep 5; 'syscalls:sys_enter_*', 'ext4:*', 'block:*' -a sleep 10"""
        self.assertIn("cpu-clock", self.rows("stat -a sleep 0.2"))
        rows = self.rows("stat -e 'syscalls:sys_enter_*' -a sleep 0.2")
        self.assertNotEqual(rows["syscalls:sys_enter_execve"], "0")
        for events in ("ext4:*", "block:*"):
            result = shell(f"stat -e '{events}' -a sleep 0.2")
            if result.status == 2:  # a module that is not loaded
                self.assert_one_line(result, "no event")
                continue
            self.assert_status(result, 0)
            self.assertIn(events[:-1], result.out)

    def test_hardware(self):
        """004: -e cycles,instructions,cache-references,cache-misses,bus-cycles -a, and of caches"""
        for events, rest in (("cycles,instructions,cache-references,cache-misses,bus-cycles",
                              "-a sleep 0.2"),
                             ("L1-dcache-loads,L1-dcache-load-misses,L1-dcache-stores", "true"),
                             ("dTLB-loads,dTLB-load-misses,dTLB-prefetch-misses", "true"),
                             ("LLC-loads,LLC-load-misses,LLC-stores,LLC-prefetches", "true")):
            self.assertEqual(list(self.rows(f"stat -e {events} {rest}")), events.split(","))

    def test_process_events(self):
        """004: perf stat -e 'sched:sched_process_*' -a sleep 5"""
        rows = self.rows("stat -e 'sched:sched_process_*' -a sleep 0.3")
        self.assertNotEqual(rows["sched:sched_process_exec"], "0")

    def test_raw(self):
        """004: perf stat -e raw_syscalls:sys_enter ls, sleep 1 and sleep 2 the same, -a ls, -a -- sleep 1"""
        def calls(line):
            return int(self.rows(f"stat -e raw_syscalls:sys_enter {line}")
                       ["raw_syscalls:sys_enter"].replace(",", ""))
        self.assertGreater(calls("ls"), 20)
        self.assertEqual(calls("sleep 0.1"), calls("sleep 0.2"))
        self.assertGreater(calls("-a -- sleep 0.3"), calls("sleep 0.3"))
        self.assertGreater(calls("-a ls"), 20)

    def test_dd(self):
        """004: perf stat -e 'syscalls:sys_enter_*' dd if=/dev/zero of=/dev/null bs=512 count=10000k"""
        rows = self.rows("stat -e 'syscalls:sys_enter_*' "
                         "dd if=/dev/zero of=/dev/null bs=512 count=10k status=none")
        self.assertEqual(rows["syscalls:sys_enter_write"], "10,240")
