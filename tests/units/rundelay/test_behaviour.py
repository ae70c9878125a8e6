# SPDX-License-Identifier: GPL-2.0-only
"""rundelay as its users meet it: options, errors, exit statuses, signals, pipes and terminals."""

import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import (ENOUGH_CAPS, GUEST, PATIENCE, Running, UnloadingCase, full_pipe,
                     loaded_programs, on_terminal, run, run_as_nobody, sched, screens, tool)

RUNDELAY = tool("rundelay")


def rundelay(*args, **options):
    return run([RUNDELAY, *args], **options)


class Behaviour(UnloadingCase):
    OWN = re.compile("sched_switch$|sched_wakeup|task_walk|task_fork|switch_by_stack|begin_")

    def test_help(self):
        """--help, -h, --usage, -V: on standard output, status 0, and name every option"""
        for option in ("--help", "-h"):
            result = rundelay(option)
            self.assert_status(result, 0)
            self.assertEqual(result.err, "")
            for name in ("--pid", "--tid", "--cpus", "--comm", "--cgroup", "--interval",
                         "--duration", "--exit-N", "--than", "--heatmap", "--perins", "--json",
                         "--output", "--verbose", "--quiet", "--version", "--help", "--usage",
                         "--detail", "--call-graph", "--flame-graph", "-- CMD", "preempted", "schedstat", "moved to other CPUs"):
                self.assertIn(name, result.out)
            self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        result = rundelay("--usage")
        self.assert_status(result, 0)
        self.assertRegex(result.out, r"\[-p PID")
        for option in ("-V", "--version"):
            result = rundelay(option)
            self.assert_status(result, 0)
            self.assertRegex(result.out, r"^rundelay \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in (
                (["--nosuch"], "nosuch.*--help"), (["-Z"], "-Z.*--help"),
                (["--duration"], "missing.*--duration"), (["-i"], "missing.*-i"),
                (["--duration", "5x"], "5x.*--duration.*time"),
                (["--duration", "-1"], "-1.*--duration"), (["--duration", "0"], "--duration"),
                (["-i", "1.2.3"], "1.2.3"), (["-i", ""], "interval"),
                (["-i", "1us"], "at least 10 ms"), (["--than", "soon"], "soon.*--than"),
                (["-C", "x"], "x.*CPU"), (["-C", "1-0"], "CPU"), (["-C", "0,"], "CPU"),
                (["-C", "99999"], "CPU"), (["-C", "8000"], "this machine's CPUs"),
                (["-p", "abc"], "abc.*--pid"), (["-p", "0"], "--pid"), (["-p", "1,,2"], "--pid"),
                (["-t", "1;2"], "--tid"), (["--comm", "["], "--comm"), (["--comm", "a,,b"], "--comm"),
                (["--comm", "x" * 64], "63 characters"),
                (["-N", "3"], "--than"), (["--than", "1", "-N", "0"], "at least 1"),
                (["--detail"], "--than"), (["--max-threads", "9"], "--perins"),
                (["--perins", "--max-threads", "2147483649"], "1 to 4194304"),
                (["--duration", "18446744073709551615ns"], "--duration"),
                (["-p", "1", "-p", "2"], "twice"), (["-C", "0", "-C", "0"], "twice"),
                (["-v", "-q"], "contradict"), (["--json=yes"], "json"), (["stray"], "stray"),
                (["--"], "command"), (["-p", "1", "--", "true"], "choose"),
                (["--per"], None)):
            with self.subTest(" ".join(args)):
                result = rundelay(*args, "--duration", "1ms") if args == ["--per"] else \
                    rundelay(*args)
                if args == ["--per"]:  # an unambiguous abbreviation is no error
                    self.assert_status(result, 0)
                    continue
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^rundelay: ", says)
                self.assertEqual(result.out, "")

    def test_nobody_there(self):
        """a process, thread or cgroup that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        for args, says in ((["-p", str(child.pid)], f"no process {child.pid}"),
                           (["-t", str(child.pid)], f"no thread {child.pid}"),
                           (["-p", f"1,{child.pid}"], f"no process {child.pid}")):
            with self.subTest(" ".join(args)):
                result = rundelay(*args, "--duration", "1s")
                self.assert_status(result, 1)
                self.assert_one_line(result, says)

    def test_no_cgroup(self):
        """a cgroup that does not exist: one line that names it"""
        result = rundelay("--cgroup", "no/such/group", "--duration", "1s")
        self.assertIn(result.status, (1, 4), str(result))
        self.assert_one_line(result, "cgroup")

    def test_thread_as_process(self):
        """-p with a thread's id says which process to name"""
        with Running(sched("hogs", "5", "0")) as load:
            for _ in range(200):
                tids = [int(t) for t in os.listdir(f"/proc/{load.process.pid}/task")]
                if len(tids) > 1:
                    break
                time.sleep(0.02)
            result = rundelay("-p", str(max(tids)), "--duration", "1s")
            self.assert_status(result, 1)
            self.assert_one_line(result, f"thread of process {load.process.pid}")

    def test_nobody_so_named(self):
        """--comm that matches nobody: a note, and a report without waits"""
        result = rundelay("--comm", "no-such-thread*", "--duration", "100ms", "--json")
        self.assert_status(result, 0)
        self.assert_one_line(result, "no thread's name matches 'no-such-thread")
        row = result.report["rows"][0]
        self.assertEqual((row["count"], row["sum_ns"], row["p99_ns"], row["hist"]),
                         (0, 0, None, []))
        result = rundelay("--comm", "no-such-thread*", "--duration", "100ms", "--json", "-q")
        self.assertEqual(result.err, "")
        text = rundelay("--comm", "no-such-thread*", "--duration", "100ms", "-q")
        self.assertRegex(text.out, r"\n +0 +0 ns +- +- ")

    def test_without_privilege(self):
        """without root: status 4, and each missing capability is named, the others are not"""
        result = run_as_nobody([RUNDELAY, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "CAP_BPF and CAP_PERFMON, or root")
        for held, missing in (("bpf", "PERFMON"), ("perfmon", "BPF")):
            result = run_as_nobody([RUNDELAY, "--duration", "1s"], caps=f"+{held}")
            self.assert_status(result, 4)
            self.assert_one_line(result, f"needs CAP_{missing}, or root")

    def test_with_just_enough(self):
        """CAP_BPF and CAP_PERFMON are enough, without any other privilege"""
        if not os.path.exists("/proc/sys/kernel/unprivileged_bpf_disabled"):
            self.skipTest("this kernel has no BPF system call")
        for option in ("--perins", "-g"):
            result = run_as_nobody([RUNDELAY, "--json", option, "--duration", "300ms"],
                                   caps=ENOUGH_CAPS)
            self.assert_status(result, 0)
            self.assertGreater(len(result.report["rows"]), 0)

    def test_without_btf(self):
        """a kernel without BTF: status 4, one line that names it and what it takes"""
        result = run(["unshare", "-m", "sh", "-c",
                      "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" --duration 1s", RUNDELAY])
        self.assert_status(result, 4)
        self.assert_one_line(result, "BTF", "CONFIG_DEBUG_INFO_BTF")

    def test_without_tracefs(self):
        """tracefs not mounted: nothing is missing"""
        result = run(["unshare", "-m", "sh", "-c",
                      "umount -l /sys/kernel/tracing /sys/kernel/debug/tracing 2>/dev/null; "
                      "umount -l /sys/kernel/debug 2>/dev/null; "
                      "test ! -e /sys/kernel/tracing/events || exit 99; "
                      "exec \"$0\" --json --duration 200ms", RUNDELAY])
        self.assert_status(result, 0)
        self.assertGreater(result.report["rows"][0]["count"], 0)

    def test_inside_pid_namespace(self):
        """inside of a PID namespace: status 4 and what to do, instead of wrong ids"""
        result = run(["unshare", "--pid", "--fork", "--mount-proc", RUNDELAY, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "PID namespace")

    def test_two_at_once(self):
        """two instances at once see the same"""
        with Running([RUNDELAY, "--json", "-v", "--comm", "hog-*"]) as a, \
             Running([RUNDELAY, "--json", "-v", "--comm", "hog-*"]) as b:
            a.wait_for("rundelay: observing")
            b.wait_for("rundelay: observing")
            run(sched("hogs", "1", "0,0"))
            a.signal(signal.SIGINT)
            b.signal(signal.SIGINT)
            rows = [unit.result().report["rows"][0] for unit in (a, b)]
        self.assertGreater(rows[0]["count"], 50)
        self.assert_close(rows[0]["count"], rows[1]["count"], 2, "counts", 2)
        self.assert_close(rows[0]["sum_ns"], rows[1]["sum_ns"], 2, "sums")

    def test_command_status(self):
        """-- CMD: its status is passed on, also when a signal ended it"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7),
                                (["sh", "-c", "kill -KILL $$"], 137),
                                (["sh", "-c", "kill -TERM $$"], 143)):
            with self.subTest(" ".join(command)):
                result = rundelay("-o", "/dev/null", "--", *command)
                self.assert_status(result, status)
                self.assertEqual(result.err, "")

    def test_command_streams(self):
        """-- CMD: has the unit's input, output and arguments; a report follows its output"""
        result = subprocess.run([RUNDELAY, "--json", "--", "sh", "-c", "cat; echo \"$1\"; exit 3",
                                 "-", "--json"], input=b"hello\n", capture_output=True, timeout=60,
                                check=False)
        lines = result.stdout.decode().splitlines()
        self.assertEqual(lines[:2], ["hello", "--json"])
        self.assertEqual(json.loads(lines[2])["tool"], "rundelay")
        self.assertEqual(result.returncode, 3)

    def test_command_missing(self):
        """-- CMD that cannot be run: status 1, one line, no report"""
        for command, says in (("/no/such/command", "No such file"), ("/etc/passwd", "denied"),
                              ("no-such-command-here", "No such file")):
            with self.subTest(command):
                result = rundelay("--", command)
                self.assert_status(result, 1)
                self.assert_one_line(result, f"cannot run {command}", says)
                self.assertEqual(result.out, "")

    def test_command_ended(self):
        """--duration and SIGTERM end the command too, and the unit succeeded"""
        with tempfile.TemporaryDirectory() as folder:
            script = f"echo $$ > {folder}/pid; exec sleep 60"
            result = rundelay("--json", "--duration", "300ms", "--", "sh", "-c", script)
            self.assert_status(result, 0)
            self.assertEqual(len(result.reports), 1)
            with open(f"{folder}/pid", encoding="ascii") as file:
                self.assertFalse(os.path.exists(f"/proc/{int(file.read())}"))
            with Running([RUNDELAY, "--json", "-v", "--", "sh", "-c", script]) as unit:
                unit.wait_for("rundelay: observing")
                time.sleep(0.2)
                unit.signal(signal.SIGTERM)
                result = unit.result()
            self.assert_status(result, 0)
            with open(f"{folder}/pid", encoding="ascii") as file:
                self.assertFalse(os.path.exists(f"/proc/{int(file.read())}"))

    def test_held(self):
        """-- CMD is held until everything is attached: its very first wait is seen"""
        result = rundelay("--json", "--perins", "--", "sh", "-c", "true")
        self.assert_status(result, 0)
        self.assertGreater(sum(r["count"] for r in result.report["rows"]), 0)

    def test_signals(self):
        """Ctrl-C, SIGTERM and SIGHUP: a complete final report, status 0"""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name), Running([RUNDELAY, "--json", "-v"]) as unit:
                unit.wait_for("rundelay: observing")
                time.sleep(0.3)
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                self.assertGreater(result.report["rows"][0]["count"], 0)

    def test_signal_at_any_moment(self):
        """a signal at any moment of the start: a report or nothing, never half of one"""
        for delay in (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
            with self.subTest(delay), Running([RUNDELAY, "--json"]) as unit:
                time.sleep(delay)
                unit.signal(signal.SIGINT)
                result = unit.result()
                if result.status == 0:
                    self.assertEqual(len(result.reports), 1)
                else:  # it came before the unit could catch it
                    self.assertEqual((result.status, result.out), (-signal.SIGINT, ""))

    def test_second_signal(self):
        """a second Ctrl-C stops at once, even when nobody takes the report"""
        with full_pipe() as writer:
            with Running([RUNDELAY, "--json", "-v"], stdout=writer) as unit:
                unit.wait_for("rundelay: observing")
                unit.signal(signal.SIGINT)
                time.sleep(0.5)
                self.assertIsNone(unit.process.poll())
                unit.signal(signal.SIGINT)
                self.assertEqual(unit.result().status, -signal.SIGINT)

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running([RUNDELAY, "-v", "-g", "--perins", "--than", "1ms", "--detail"]) as unit:
            unit.wait_for("rundelay: observing")
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            self.assertEqual(unit.result().status, -signal.SIGKILL)

    def test_closed_pipe(self):
        """a closed pipe ends the unit quietly"""
        for options in (["-i", "50ms"], ["-i", "50ms", "--json"], ["--than", "1us"]):
            with self.subTest(" ".join(options)):
                with Running([RUNDELAY, *options], stdout=subprocess.PIPE) as unit:
                    unit.process.stdout.readline()
                    unit.process.stdout.close()
                    status = unit.process.wait(30)
                    said = [line for line in unit.said(unit.err).splitlines()
                            if " lost " not in line]
                    self.assertEqual((status, said), (0, []))

    def test_output(self):
        """-o: the reports go to the file, nothing to standard output"""
        with tempfile.TemporaryDirectory() as folder:
            result = rundelay("-o", f"{folder}/report", "--json", "-i", "100ms", "--duration",
                              "450ms")
            self.assert_status(result, 0)
            self.assertEqual(result.out, "")
            self.assertTrue(all(" lost " in line for line in result.err.splitlines()))
            with open(f"{folder}/report", encoding="utf-8") as file:
                reports = [json.loads(line) for line in file]
            # On a slow machine, an interval may be longer.
            self.assertIn(len(reports), range(2, 6))
            self.assert_close(sum(r["elapsed_ns"] for r in reports), 450e6, 10, "elapsed",
                              500e6 if GUEST else 50e6)

    def test_output_errors(self):
        """-o to a full or unwritable path: status 1, one line that names it"""
        for path, says in (("/dev/full", "No space left"), ("/no/such/folder/x", "No such file"),
                           ("/", "Is a directory"), ("/proc/version", "denied|Input/output|error")):
            with self.subTest(path):
                result = rundelay("-o", path, "--duration", "50ms")
                self.assert_status(result, 1)
                self.assert_one_line(result, says, path)
        result = rundelay("--duration", "50ms", "--heatmap", "/no/such/folder/x")
        self.assert_status(result, 1)
        self.assert_one_line(result, "/no/such/folder/x.lat", "No such file")
        with open("/dev/full", "wb") as full, Running([RUNDELAY, "--duration", "50ms"],
                                                      stdout=full) as unit:
            result = unit.result()
            self.assert_status(result, 1)
            self.assert_one_line(result, "standard output", "No space left")

    def test_output_is_kept(self):
        """-o: what was in the file stays when there is nothing to observe"""
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"old")
            file.flush()
            result = rundelay("-p", "4194304", "-o", file.name)
            self.assert_status(result, 1)
            self.assertEqual(os.path.getsize(file.name), 3)

    def test_closed_streams(self):
        """closed standard streams: nothing else takes their place"""
        with tempfile.TemporaryDirectory() as folder:
            for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
                with self.subTest(closed):
                    result = run(["sh", "-c", f"exec \"$0\" --json --duration 100ms -o \"$1\" {closed}",
                                  RUNDELAY, f"{folder}/report"])
                    self.assert_status(result, 0)
                    with open(f"{folder}/report", encoding="utf-8") as file:
                        self.assertEqual(len(file.readlines()), 1)

    def test_flood_of_events(self):
        """--than 0 while the unit is kept from taking events: bounded memory, the loss is told"""
        def switches(pid):
            total = 0
            for path in glob.glob(f"/proc/{pid}/task/*/status"):
                with open(path, encoding="utf-8") as file:
                    total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(),
                                           re.M).group(1))
            return total

        with Running(sched("pair", "100000000", "0")) as load, \
             Running([RUNDELAY, "-v", "--than", "0", "--duration", "1s", "-o", "/dev/null"]) as unit:
            unit.wait_for("rundelay: observing")
            unit.signal(signal.SIGSTOP)
            # Each switch is an event of 8 KiB, and there is room for 2 MiB of them.
            enough = switches(load.process.pid) + 2000
            deadline = time.monotonic() + PATIENCE
            while switches(load.process.pid) < enough and time.monotonic() < deadline:
                time.sleep(0.05)
            unit.signal(signal.SIGCONT)
            most = 0
            while unit.process.poll() is None:
                with open(f"/proc/{unit.process.pid}/status", encoding="ascii") as file:
                    for line in file:
                        if line.startswith("VmRSS"):
                            most = max(most, int(line.split()[1]))
                time.sleep(0.05)
            result = unit.result()
        self.assert_status(result, 0)
        self.assertRegex(result.err, "lost .* buffer")
        self.assertLess(most, 32 * 1024)

    def test_signal_after_the_end(self):
        """a signal that comes when the command has just ended does not cost the report"""
        for gap in (0, 0.001, 0.003):
            with self.subTest(gap), \
                 Running([RUNDELAY, "--json", "-v", "--", "sleep", "60"]) as unit:
                unit.wait_for("rundelay: observing")
                children = run(["pgrep", "-P", str(unit.process.pid)]).out.split()
                for child in children:
                    os.kill(int(child), signal.SIGKILL)
                time.sleep(gap)
                unit.signal(signal.SIGINT)
                self.assertEqual(len(unit.result().reports), 1)

    def test_stopped_command(self):
        """-- CMD that has stopped itself is ended too"""
        with Running([RUNDELAY, "--json", "-v", "--", "sh", "-c", "kill -STOP $$"]) as unit:
            unit.wait_for("rundelay: observing")
            time.sleep(0.2)
            child = run(["pgrep", "-P", str(unit.process.pid)]).out.split()[0]
            unit.signal(signal.SIGINT)
            self.assert_status(unit.result(), 0)
            self.assertFalse(os.path.exists(f"/proc/{child}"))

    def test_appended(self):
        """in a pipe, reports are appended, each as soon as it is made, a blank line between"""
        with Running([RUNDELAY, "-i", "200ms", "--duration", "1s"], stdout=subprocess.PIPE) as unit:
            first = unit.process.stdout.readline().decode()
            self.assertIsNone(unit.process.poll())
            self.assertRegex(first, r"^\d\d:\d\d:\d\d\.\d{6}  rundelay, ")
            rest = unit.process.stdout.read().decode()
        reports = rest.count("rundelay, the last")
        self.assertIn(reports, range(2, 5))
        self.assertEqual(rest.count("\n\n" + first[:2]), reports, rest)
        self.assertNotIn("\033", first + rest)

    def test_terminal(self):
        """on a terminal, reports take each other's place; NO_COLOR is honoured"""
        seen = on_terminal([RUNDELAY, "-i", "200ms", "--duration", "1s"])
        self.assertIn(seen.count("\033[H\033[2J"), range(2, 6))
        self.assertIn("\033[1m", seen)
        seen = on_terminal([RUNDELAY, "-i", "200ms", "--duration", "1s"],
                           env={"NO_COLOR": "1"})
        self.assertNotIn("\033[1m", seen)
        seen = on_terminal([RUNDELAY, "--perins", "-i", "900ms", "--duration", "1800ms"])
        for screen in screens(seen):
            self.assertLessEqual(screen.count("\n"), 20)

    def test_json_contract(self):
        """--json: the members of the contract, numbers as whole ns"""
        result = rundelay("--json", "--perins", "--than", "1us", "--duration", "500ms")
        self.assert_status(result, 0)
        report = result.report
        self.assertEqual(list(report)[:6],
                         ["tool", "version", "time", "elapsed_ns", "lost", "rows"])
        self.assertRegex(report["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        for member in ("total", "map_full", "busy", "recursion", "buffer"):
            self.assertIsInstance(report["lost"][member], int)
        row = report["rows"][0]
        for member in ("tid", "count", "sum_ns", "min_ns", "avg_ns", "p50_ns", "p95_ns", "p99_ns",
                       "max_ns"):
            self.assertIsInstance(row[member], int)
        self.assertIsInstance(row["comm"], str)
        self.assertEqual(set(row["hist"][0]), {"lo_ns", "hi_ns", "count"})
        event = report["events"][0]
        for member in ("tid", "cpu", "delay_ns"):
            self.assertIsInstance(event[member], int)
        sums = [r["sum_ns"] for r in report["rows"]]
        self.assertEqual(sums, sorted(sums, reverse=True), "who waited most comes first")

    def test_hostile_names(self):
        """a thread's name with escape sequences and broken UTF-8 cannot steer the terminal"""
        code = "import ctypes,time;ctypes.CDLL(None).prctl(15,b'\\x1b[2J\"\\xff\\n\\\\',0,0,0);" \
               "[time.sleep(.001) for _ in range(300)]"
        for options in (["--perins"], ["--than", "0"]):
            text = rundelay(*options, "--", "python3", "-c", code)
            self.assert_status(text, 0)
            self.assertNotIn("\033", text.out)
        result = rundelay("--perins", "--json", "--", "python3", "-c", code)
        self.assertIn("\033[2J\"\ufffd\n\\", [r["comm"] for r in result.report["rows"]])

    def test_live_events(self):
        """--than: events are shown as they happen"""
        with Running([RUNDELAY, "--than", "1us", "--", *sched("hogs", "30", "0,0")],
                     stdout=subprocess.PIPE) as unit:
            lines = [unit.process.stdout.readline().decode() for _ in range(3)]
            self.assertIsNone(unit.process.poll())
            unit.signal(signal.SIGTERM)
            unit.process.stdout.read()
            self.assertEqual(unit.process.wait(30), 0)
        self.assertRegex(lines[0], r"^time +comm +pid +tid +cpu +delay +ran there meanwhile")
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d\.\d{6}  \S+ +\d+ +\d+ +\d+ +[\d.]+ [mun]?s")


if __name__ == "__main__":
    unittest.main()
