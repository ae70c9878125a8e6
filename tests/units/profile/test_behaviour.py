# SPDX-License-Identifier: GPL-2.0-only
"""profile as its users meet it: options, errors, exit statuses, signals, pipes and terminals."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import (GUEST, Running, UnloadingCase, cpu, loaded_programs, most_resident, named,
                     observe_together, on_terminal, preferred, run, run_as_nobody, screens, tool,
                     waiting)

PROFILE = tool("profile")


def profile(*args, **options):
    return run([PROFILE, *args], **options)


def has_pmu():
    return os.path.exists("/sys/bus/event_source/devices/cpu")


class Behaviour(UnloadingCase):
    OWN = re.compile("sample$|stack_exec|follow_fork|forget_task|need_resched_")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, and name every option"""
        result = profile("--help")
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        for name in ("--frequency", "--top", "--than", "--exclude-user", "--exclude-kernel",
                     "--exclude-guest", "-G", "--irqs_disabled[=0|1]", "--tif_need_resched[=0|1]",
                     "--nr_running_min", "--nr_running_max", "--sched_policy", "--prio",
                     "--exclude_pid", "--flame-graph", "--reverse", "--max-stack", "--lines",
                     "-- CMD"):
            self.assertIn(name, result.out)
        self.assertRegex(profile("--usage").out, r"\[-F HZ")
        self.assertRegex(profile("-V").out, r"^profile \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in (
                ("-F 0", "--frequency.*1 to"), ("-F 12x", "12x"), ("-F -1", "-1"),
                ("-F", "missing"),
                ("--than 0", "--than.*1 to 100"), ("--than 101", "1 to 100"),
                ("--prio 140", "--prio.*0 to 139"), ("--prio 5-3", "5-3"), ("--prio 1-", "1-"),
                ("--prio -3", "-3"), ("--prio nice", "nice"), ("--prio 1,2", "1,2"),
                ("--irqs_disabled=2", "--irqs_disabled.*0 or 1"), ("--irqs_disabled=", "0 or 1"),
                ("--tif_need_resched=yes", "--tif_need_resched"),
                ("--nr_running_min x", "--nr_running_min"),
                ("--nr_running_max 4294967296", "4294967295"),
                ("--nr_running_min 3 --nr_running_max 2", "more than"),
                ("--sched_policy other", "--sched_policy"), ("--exclude_pid 0", "--exclude_pid"),
                ("--exclude_pid 1,2", "1,2"), ("--top=1", "--top"),
                ("--exclude-user --exclude-kernel", "nothing would be left"),
                ("--exclude-guest -G", "nothing would be left"),
                ("--max-stack 0", "1 to 127"), ("--max-stack 128", "1 to 127"),
                ("--no-user-callchain --no-kernel-callchain", "no stacks"),
                ("--reverse", "--flame-graph"), ("--perins", "perins"), ("--heatmap x", "heatmap"),
                ("-p 1 -- true", "choose"), ("-p 0", "--pid"), ("--comm [", "--comm"),
                ("-C 4096", "CPUs"), ("--irqs_disabled 0", "0"), ("stray", "stray")):
            with self.subTest(args):
                result = profile(*args.split())
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^profile: ", says)
                self.assertEqual(result.out, "")

    def test_too_fast(self):
        """-F above what the kernel allows: status 1, and the limit is named"""
        limit = "/proc/sys/kernel/perf_event_max_sample_rate"
        with open(limit, encoding="ascii") as file:
            most = int(file.read())
        if most >= 100000:
            self.skipTest("this kernel allows all frequencies that profile does")
        result = profile("-F", str(most + 1), "--duration", "10ms")
        self.assert_status(result, 1)
        self.assert_one_line(result, "perf_event_max_sample_rate", str(most + 1))

    def test_without_pmu(self):
        """-G without a PMU: status 4, which names it; cpu-clock stands in elsewhere, and says so"""
        if has_pmu():
            self.skipTest("there is a PMU")
        result = profile("-G", "--duration", "10ms")
        self.assert_status(result, 4)
        self.assert_one_line(result, "-G", "PMU")
        result = profile("--json", "--duration", "50ms", "--exclude-guest")
        self.assert_status(result, 0)
        self.assertEqual(result.report["event"], "cpu-clock")
        self.assertRegex(profile("--duration", "50ms").out, "cpu-clock, 499 Hz")

    def test_nobody_there(self):
        """a process that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        result = profile("-p", str(child.pid), "--duration", "1s")
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no process {child.pid}")

    def test_offline_cpu(self):
        """-C with a CPU that is not online: status 4, one line"""
        path = "/sys/devices/system/cpu/cpu1/online"
        if not GUEST or not os.path.exists(path):
            self.skipTest("only in a guest: CPUs of this machine stay online")
        try:
            with open(path, "w", encoding="ascii") as file:
                file.write("0")
            result = profile("-C", "1", "--duration", "50ms")
            self.assert_status(result, 4)
            self.assert_one_line(result, "online")
            result = profile("--duration", "50ms", "--json")
            self.assert_status(result, 0)
            self.assertEqual(result.report["cpus"], 1)
        finally:
            with open(path, "w", encoding="ascii") as file:
                file.write("1")

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody([PROFILE, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "CAP_BPF and CAP_PERFMON, or root")

    def test_command_status(self):
        """-- CMD: its status is passed on, also when a signal ended it"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7),
                                (["sh", "-c", "kill -TERM $$"], 143)):
            with self.subTest(" ".join(command)):
                result = profile("-o", "/dev/null", "--", *command)
                self.assert_status(result, status)
                self.assertEqual(result.err, "")
        result = profile("--", "/no/such/command")
        self.assert_status(result, 1)
        self.assert_one_line(result, "/no/such/command")

    def test_signals(self):
        """Ctrl-C and SIGTERM: a complete final report, status 0, and the pictures"""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), tempfile.TemporaryDirectory() as folder, \
                 Running(cpu("burn", "100")) as load, \
                 Running([PROFILE, "--json", "-v", "--flame-graph", f"{folder}/x", "-p",
                          str(load.process.pid)]) as unit:
                unit.wait_for("profile: observing")
                time.sleep(0.4)
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                self.assertGreater(result.report["samples"], 20)
                self.assertIn("burn_seventy", {f["name"] for f in result.report["functions"]})
                self.assertEqual(set(os.listdir(folder)), {"x.folded", "x.svg"})

    def test_signal_at_any_moment(self):
        """a signal at any moment of the start: a report or nothing, never half of one"""
        for delay in (0.005, 0.02, 0.05, 0.08, 0.12, 0.2):
            with self.subTest(delay), Running([PROFILE, "--json", "--tif_need_resched"]) as unit:
                time.sleep(delay)
                unit.signal(signal.SIGINT)
                result = unit.result()
                if result.status == 0:
                    self.assertEqual(len(result.reports), 1)
                else:  # it came before the unit could catch it
                    self.assertEqual((result.status, result.out), (-signal.SIGINT, ""))

    def test_report_now(self):
        """SIGUSR1: a report of what there is so far, which the final one still holds"""
        with Running([PROFILE, "-v", "--json", "-F", "999", "--",
                      *preferred(cpu("burn", "2" if GUEST else "1.2"))]) as unit:
            unit.wait_for("profile: observing")
            for _ in range(2):
                time.sleep(0.4)
                unit.signal(signal.SIGUSR1)
            result = unit.result()
        self.assert_status(result, 0)
        first, second, final = result.reports
        said = result.said
        self.assertGreater(first["samples"], 5 if GUEST else 100)
        self.assertGreater(second["samples"], first["samples"])
        self.assertGreaterEqual(final["samples"], second["samples"])
        for report in result.reports:
            self.assertEqual(sum(row["count"] for row in report["rows"]), report["samples"])
        ours = sum(r["count"] for r in final["rows"] if "burn_round" in named(r["stack"]))
        truth = (said["user_ns"] + said["system_ns"]) / 1e9 * 999
        self.assertGreater(ours, (0.05 if GUEST else 0.93) * truth)
        self.assertLess(ours, 1.04 * truth)

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running([PROFILE, "-v", "--tif_need_resched", "--than", "5"]) as unit:
            unit.wait_for("profile: observing")
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            self.assertEqual(unit.result().status, -signal.SIGKILL)

    def test_closed_pipe(self):
        """a closed pipe ends the unit quietly"""
        for options in ((), ("--json",), ("--top",)):
            with self.subTest(options), \
                 Running([PROFILE, "-i", "50ms", *options], stdout=subprocess.PIPE) as unit:
                unit.process.stdout.readline()
                unit.process.stdout.close()
                self.assertEqual((unit.process.wait(30), unit.said(unit.err)), (0, ""))

    def test_output(self):
        """-o: the reports go to the file; where it cannot be written, one line says so"""
        with tempfile.TemporaryDirectory() as folder:
            result = profile("-o", f"{folder}/report", "--json", "-i", "100ms", "--duration",
                             "450ms")
            self.assert_status(result, 0)
            self.assertEqual((result.out, result.err), ("", ""))
            with open(f"{folder}/report", encoding="utf-8") as file:
                self.assertIn(len([json.loads(line) for line in file]), range(2, 6))
        for path, says in (("/dev/full", "No space left"), ("/no/such/folder/x", "No such file")):
            result = profile("-o", path, "--duration", "50ms")
            self.assert_status(result, 1)
            self.assert_one_line(result, says, path)

    def test_full_disk(self):
        """--flame-graph on a full file system: status 1, told, and the report is there"""
        script = ("mount -t tmpfs -o size=8k none \"$1\" && shift && exec \"$@\"")
        with tempfile.TemporaryDirectory() as folder:
            result = run(["unshare", "-m", "sh", "-c", script, "-", folder, PROFILE, "--json",
                          "--flame-graph", f"{folder}/x", "--", *cpu("stacks", "256", "0.5")])
        self.assert_status(result, 1)
        self.assertGreater(result.report["samples"], 50)
        self.assert_one_line(result, f"{folder}/x", "No space left")

    # Reports.

    def test_json_contract(self):
        """--json: the members of the contract, a stack's leaf first"""
        result = profile("--json", "-F", "999", "--", *cpu("both", "0.3"))
        report = result.report
        self.assertEqual(list(report)[:5], ["tool", "version", "time", "elapsed_ns", "lost"])
        self.assertEqual(report["tool"], "profile")
        self.assertRegex(report["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        for member in ("elapsed_ns", "frequency_hz", "cpus", "samples"):
            self.assertIsInstance(report[member], int)
        for member in ("total", "map_full", "busy", "recursion", "buffer"):
            self.assertEqual(report["lost"][member], 0)
        for row in report["rows"]:
            self.assertEqual(set(row), {"count", "count_percent", "comm", "pid", "stack"})
            self.assertIsInstance(row["count"], int)
            for frame in row["stack"]:
                if frame["name"] is None:
                    self.assertRegex(frame["addr"], "^0x[0-9a-f]+$")
                elif frame["name"] not in ("[cut off]", "[stack lost]"):
                    self.assertIsInstance(frame["offset"], int)
                    self.assertIn("module", frame)
        row = next(r for r in report["rows"] if "getrandom" in named(r["stack"]))
        self.assertEqual(row["stack"][0]["module"], "[kernel]")
        self.assertTrue(row["stack"][-1]["module"].endswith("/load/cpu"))
        self.assertLess(abs(sum(r["count_percent"] for r in report["rows"]) - 100),
                        0.01 * len(report["rows"]) + 0.01)
        self.assertEqual(sum(r["count"] for r in report["rows"]), report["samples"])
        for function in report["functions"]:
            self.assertLessEqual(function["self"], function["total"])
            self.assertLess(abs(function["self_percent"] -
                                100 * function["self"] / report["samples"]), 0.01)
            self.assertLess(abs(function["total_percent"] -
                                100 * function["total"] / report["samples"]), 0.01)

    def test_text(self):
        """text shows the figures of --json, the hottest first"""
        with waiting(cpu("--wait", "burn", "0.6")) as (load, pid):
            base = [PROFILE, "-v", "-F", "499", "-p", str(pid), "--no-kernel-callchain"]
            seen, _ = observe_together([base, base + ["--json"]], load)
        text, report = seen[0].out, seen[1].report
        lines = text.splitlines()
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  profile, the last [\d.]+ m?s: "
                         r"cpu-clock, 499 Hz, \d+ CPUs, \d+ samples, [\d.]+ % of their time$")
        function = re.compile(r"^ *([\d.]+) % +([\d.]+) % +(\d+) +(\d+)  (\S+) +\S+/load/cpu$")
        shown = {m.group(5): m for m in map(function.match, lines) if m}
        self.assertEqual(list(shown)[0], "burn_seventy")
        samples = int(re.search(r"(\d+) samples", text).group(1))
        for f in report["functions"]:
            if f["name"] in ("burn_seventy", "burn_twenty", "burn_ten", "burn_round"):
                mine = shown[f["name"]]
                # The samples' moments are each one's own.
                self.assert_close(int(mine.group(4)), f["total"], 10, f["name"], 15)
                share = 100 * int(mine.group(4)) / samples
                self.assertLess(abs(float(mine.group(2)) - share), 0.01)
        stack = re.search(r"(?m)^ +(\d+) +([\d.]+) %  cpu +(\d+)\n +burn_seventy\+0x[0-9a-f]+ "
                          r"\(\S+/cpu\)\n +burn_round\+0x", text)
        self.assertTrue(stack, text)
        self.assertEqual(int(stack.group(3)), pid)
        self.assertLess(abs(float(stack.group(2)) - 100 * int(stack.group(1)) / samples), 0.01)

    def test_top(self):
        """--top in a pipe: the functions alone, a report every 2 s or -i, appended"""
        with Running(cpu("burn", "100")) as load, \
             Running([PROFILE, "--top", "-i", "200ms", "--duration", "900ms", "-p",
                      str(load.process.pid)]) as unit:
            result = unit.result()
        self.assert_status(result, 0)
        self.assertIn(result.out.count("profile, the last"), range(2, 6))
        self.assertIn("burn_seventy", result.out)
        self.assertNotIn("burn_seventy+0x", result.out)
        self.assertNotIn("\033", result.out)

    def test_terminal(self):
        """on a terminal, reports take each other's place and are no longer than it"""
        with Running(cpu("both", "100")) as load:
            for options in (["--top", "-i", "200ms"], ["-i", "200ms"]):
                with self.subTest(options):
                    seen = screens(on_terminal([PROFILE, *options, "--duration", "1s", "-p",
                                                str(load.process.pid)]))
                    self.assertIn(len(seen), range(2, 6))
                    self.assertTrue(any("burn_seventy" in screen for screen in seen))
                    for screen in seen:
                        self.assertLessEqual(screen.count("\n"), 20)

    def test_top_on_terminal(self):
        """--top without -i refreshes"""
        seen = on_terminal([PROFILE, "--top", "--duration", "2500ms"])
        self.assertIn(seen.count("\033[H\033[2J"), range(1, 4))

    def test_hostile_name(self):
        """a program's name with escape sequences and broken UTF-8 cannot steer the terminal"""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, os.fsdecode(b"x\x1b[2J\xff\n;y"))
            subprocess.run(["cp", cpu()[0], path], check=True)
            base = f"{folder}/fg"
            text = profile("--flame-graph", base, "--", path, "burn", "0.2")
            self.assert_status(text, 0)
            self.assertNotIn("\033", text.out)
            with open(f"{base}.folded", encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertTrue(all(re.search(r" \d+$", line) for line in lines), lines)
            samples = int(re.search(r"([\d,]+) samples", text.out).group(1))
            self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in lines), samples)
            self.assertTrue(all(len(re.findall("burn_round", line)) <= 1 for line in lines))

    def test_memory(self):
        """-i for long, under load: memory stays what it was"""
        with Running(cpu("stacks", "512", "1000")) as load, \
             Running([PROFILE, "-v", "-F", "1999", "-i", "100ms", "-o", "/dev/null", "-p",
                      str(load.process.pid)]) as unit:
            unit.wait_for("profile: observing")
            time.sleep(4 if GUEST else 1.5)
            before = most_resident(unit.process.pid)
            time.sleep(4)
            after = most_resident(unit.process.pid)
            unit.signal(signal.SIGINT)
            self.assert_status(unit.result(), 0)
        self.assertLess(after, before * 1.1 + 512, "kB")

    def test_memory_of_many_programs(self):
        """-i for long, with programs that come and go: memory stays what it was"""
        loop = f"while :; do {' '.join(cpu('burn', '0.003'))} >/dev/null; done"
        with Running(["sh", "-c", loop]), \
             Running([PROFILE, "-v", "-F", "1999", "-i", "100ms", "-o", "/dev/null"]) as unit:
            unit.wait_for("profile: observing")
            time.sleep(4 if GUEST else 1.5)
            before = most_resident(unit.process.pid)
            time.sleep(4)
            after = most_resident(unit.process.pid)
            unit.signal(signal.SIGINT)
            self.assert_status(unit.result(), 0)
        # What is kept of a program is given up only when there are many.
        self.assertLess(after, before * 1.5 + 4096, "kB")


if __name__ == "__main__":
    unittest.main()
