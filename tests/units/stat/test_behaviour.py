# SPDX-License-Identifier: GPL-2.0-only
"""stat as its users meet it."""

import json
import os
import re
import signal
import subprocess
import time

from events import CALLS, WRITE, EventsBehaviour
from harness import (PATIENCE, Running, UnloadingCase, held_programs, on_terminal, run, screens,
                     tool)

STAT = tool("stat")


class Behaviour(UnloadingCase):
    UNIT, ATTRIBUTES = "stat", ""
    OWN = re.compile("(on_event|command_execs)$")

    # What has nothing to do with keys is as with all units with -e.
    argv, unit = EventsBehaviour.argv, EventsBehaviour.unit
    assert_pointed = EventsBehaviour.assert_pointed
    test_bad_events = EventsBehaviour.test_bad_events
    test_nothing_there = EventsBehaviour.test_nothing_there
    test_other_attributes = EventsBehaviour.test_other_attributes
    test_nobody_there = EventsBehaviour.test_nobody_there
    test_without_privilege = EventsBehaviour.test_without_privilege
    test_command_status = EventsBehaviour.test_command_status
    test_signal_at_any_moment = EventsBehaviour.test_signal_at_any_moment
    test_killed = EventsBehaviour.test_killed
    test_closed_pipe = EventsBehaviour.test_closed_pipe
    test_full_output = EventsBehaviour.test_full_output

    def tearDown(self):
        """Of many events, the kernel lets go one after the other: that may take half a minute."""
        end = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < end and self.left():
            time.sleep(0.1)
        self.assertFalse(self.left(), "programs were left in the kernel")

    def left(self):
        """The programs like ours that came meanwhile and that nobody has: others run units too."""
        listed = json.loads(run(["/usr/sbin/bpftool", "-j", "prog"]).out)
        ours = {p["id"] for p in listed if self.OWN.match(p.get("name", ""))}
        return ours - self.programs - held_programs()

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0"""
        result = run([STAT, "--help"])
        self.assert_status(result, 0)
        for name in ("--event", "--pid", "--cpus", "--perins", "--all-cpus", "--detailed", "--json",
                     "[[--] CMD [ARG...]]", "not supported"):
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertIn("[-a]", run([STAT, "--usage"]).out)
        self.assertRegex(run([STAT, "-V"]).out, r"^stat \d+\.\d+\.\d+\n$")

    def test_examples(self):
        """the examples of --help run as they are printed"""
        said = run([STAT, "--help"]).out
        examples = re.findall(r"(?m)^  (stat .*?)(?:   .*)?$",
                              said.split("Examples:\n")[1].split("\n\n")[0])
        self.assertEqual(len(examples), 5)
        for example in examples:
            example = example.replace("CMD", "true").replace("sleep 10", "sleep 0.1")
            example = example.replace("-i 1s --duration 10s", "-i 100ms --duration 200ms")
            with self.subTest(example):
                result = run(["sh", "-c", f"exec {os.path.dirname(STAT)}/{example}"])
                self.assert_status(result, 0)
                self.assertIn("stat, the last", result.out)

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in ((["--nosuch"], "nosuch.*--help"), (["-e"], "missing"), (["--"], "missing"),
                           (["-i", "1us"], "at least 10 ms"), (["-a", "-p", "1"], "-a counts all"),
                           (["--comm", "x"], "-e"), (["-e", "cycles", "--comm", "x"], "cycles"),
                           (["-e", "task-clock/1/"], "task-clock"), (["-e", "profile"], "timer"),
                           (["-e", "cpu-*", "--comm", "x"], "cpu-")):
            with self.subTest(" ".join(args)):
                result = run([STAT, *args])
                self.assert_status(result, 2)
                self.assert_one_line(result, "^stat: ", says)
                self.assertEqual(result.out, "")

    def test_text(self):
        """text: counts on the left, with commas, and what they are in words beside them"""
        result = run([STAT, "-e", f"{WRITE}alias=writes/,task-clock,faults,cs/0/", "--", CALLS, "1",
                      "1234"])
        self.assert_status(result, 0)
        lines = [line for line in result.out.splitlines() if not line.startswith("{")]
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  stat, the last .*, user .*s, sys .*s$")
        self.assertEqual(lines[1].split(), ["count", "event"])
        self.assertRegex(lines[2], r"^ +1,234  writes ")
        self.assertRegex(lines[3], r"^ +\d+\.\d\d msec  task-clock +# +\d\.\d{3}  CPUs utilized$")
        self.assertRegex(lines[4], r"^ +\d+  faults +# +\d+\.\d{3} [KM ]?/sec$")
        self.assertRegex(lines[5], r"^ +0  cs")

    def test_not_supported(self):
        """an event that is named and that nothing here counts: its row says so, and a note; status 0"""
        event = "node-prefetch-misses:u"
        result = run([STAT, "-e", f"{event},cs", "true"])
        self.assert_status(result, 0)
        if "<not supported>" in result.out:
            self.assert_one_line(result, "nothing here counts node-prefetch-misses:u", "PMU")
            self.assertRegex(result.out, rf"(?m)^   <not supported>  {event}")
            self.assertEqual(run([STAT, "-q", "-e", f"{event},cs", "true"]).err, "")
        self.assertRegex(result.out, r"(?m)^ +\d+  cs")

    def test_kinds(self):
        """events of kinds that this kernel has are counted; of others it says that, with status 4"""
        for event in ("kprobe:vfs_write/count==7/", "kretprobe:vfs_write/ret==7/",
                      "fentry:vfs_write/count==7/", "fexit:vfs_write/ret==7/",
                      "uprobe:write@libc.so.6//", "syscalls:sys_enter_write/count==7/",
                      "kprobe:vfs_write//"):
            with self.subTest(event):
                result = self.unit(event, "--json", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=7",
                                   "count=500", "status=none")
                if result.status == 4:
                    self.assert_one_line(result, "this kernel|permitted")
                    self.assertNotIn("syscalls", event)
                    continue
                self.assert_status(result, 0)
                self.assertEqual([row["count"] for row in result.report["rows"]], [500], str(result))

    def test_signals(self):
        """Ctrl-C, SIGTERM: a complete final report; SIGUSR1: one in between, and counting goes on"""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), \
                 Running(self.argv(WRITE + "alias=writes/,cpu-clock", "--json", "-v")) as unit:
                unit.wait_for("observing")
                run([CALLS, "2", "100"])
                unit.signal(signal.SIGUSR1)
                unit.wait_for('"rows"', unit.out)
                run([CALLS, "2", "100"])
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                self.assertEqual([report["rows"][0]["count"] for report in result.reports],
                                 [300, 600], str(result))
                clocks = [report["rows"][1]["count"] for report in result.reports]
                self.assertLess(clocks[0], clocks[1])

    def test_not_waiting(self):
        """many events: neither who reads nor who waits has to wait until the kernel has let go of them"""
        result = run([STAT, "-e", "syscalls:sys_enter_*", "--", "true"])
        self.assert_status(result, 0)
        self.assertGreater(result.out.count("syscalls:sys_enter_"), 250)
        self.assertEqual(result.err, "")

    def test_terminal(self):
        """a terminal: with -i, reports take each other's place, and fit"""
        seen = screens(on_terminal([STAT, "-i", "200ms", "--duration", "700ms"], lines=20))
        self.assertGreaterEqual(len(seen), 2)
        for screen in seen:
            self.assertLessEqual(screen.count("\n"), 20)
            self.assertIn("cpu-clock", screen)

    def test_dead_threads(self):
        """-t: a thread that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        result = run([STAT, "-t", str(child.pid), "--duration", "1s"])
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no thread {child.pid}")
