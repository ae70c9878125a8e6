# SPDX-License-Identifier: GPL-2.0-only
"""page-faults as its users meet it: options, errors, exit statuses, signals, pipes and terminals."""

import os
import re
import signal
import subprocess
import tempfile
import time

from harness import (ENOUGH_CAPS, LOAD, Running, UnloadingCase, loaded_programs, on_terminal, run,
                     run_as_nobody, screens, tool)

FAULTS = tool("page-faults")


def faults(*args, **options):
    return run([FAULTS, *args], **options)


def again(times):
    """A load that has 1,000 faults, so many times."""
    return [os.path.join(LOAD, "pages"), "again", "1000", str(times)]


class Behaviour(UnloadingCase):
    OWN = re.compile("minor_fault|major_fault|access_user|access_kernel|stack_exec")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, and name every option"""
        result = faults("--help")
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        for name in ("--pid", "--tid", "--cpus", "--comm", "--cgroup", "--interval", "--duration",
                     "--call-graph", "--flame-graph", "--json", "--output", "--pages",
                     "--max-rows", "-- CMD", "MAP_POPULATE", "/proc/PID/maps"):
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertIn("[--pages]", faults("--usage").out)
        self.assertRegex(faults("-V").out, r"^page-faults \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in ((["--nosuch"], "nosuch.*--help"), (["--max-rows"], "missing.*max-rows"),
                           (["--max-rows", "0"], "1 to"), (["--max-rows", "many"], "--max-rows"),
                           (["--max-rows", "99999999999"], "--max-rows"),
                           (["--pages=1"], "pages"), (["--reverse"], "--flame-graph"),
                           (["-i", "1us"], "at least 10 ms"), (["-p", "x"], "--pid"),
                           (["--than", "1ms"], "than"), (["stray"], "stray"),
                           (["-p", "1", "--", "true"], "choose")):
            with self.subTest(" ".join(args)):
                result = faults(*args)
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^page-faults: ", says)
                self.assertEqual(result.out, "")

    def test_nobody_there(self):
        """a process that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        result = faults("-p", str(child.pid), "--duration", "1s")
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no process {child.pid}")

    def test_no_faults(self):
        """nobody has faults: an empty report, in text and JSON"""
        for options in ([], ["-g"], ["--pages"]):
            args = [*options, "--comm", "no-such-thread*", "--duration", "100ms", "-q"]
            result = faults(*args, "--json")
            self.assert_status(result, 0)
            self.assertEqual(result.report["rows"], [])
            text = faults(*args)
            self.assert_status(text, 0)
            self.assertRegex(text.out, r"faults +percent +comm")

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody([FAULTS, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "CAP_BPF and CAP_PERFMON, or root")

    def test_with_just_enough(self):
        """CAP_BPF and CAP_PERFMON are enough, without any other privilege"""
        result = run_as_nobody([FAULTS, "--json", "--", "true"], caps=ENOUGH_CAPS)
        if result.status == 4:  # Debian's 5.10 has such a setting that takes root
            self.assert_one_line(result, "perf_event_paranoid")
            return
        self.assert_status(result, 0)
        self.assertGreater(len(result.report["rows"]), 0)

    def test_command_status(self):
        """-- CMD: its status is passed on, also when a signal ended it or it cannot be run"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7),
                                (["sh", "-c", "kill -SEGV $$"], 139)):
            with self.subTest(" ".join(command)):
                self.assert_status(faults("-o", "/dev/null", "--", *command), status)
        result = faults("--", "no-such-command-here")
        self.assert_status(result, 1)
        self.assert_one_line(result, "cannot run no-such-command-here", "No such file")

    def test_signals(self):
        """Ctrl-C, SIGTERM: a complete final report, status 0; SIGUSR1: one in between"""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), Running([FAULTS, "--json", "-v"]) as unit:
                unit.wait_for("observing")
                run(again(1))
                unit.signal(signal.SIGUSR1)
                unit.wait_for('"rows"', unit.out)
                run(again(1))
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                seen = [sum(row["count"] for row in report["rows"] if row["comm"] == "pages")
                        for report in result.reports]
                self.assertEqual(len(seen), 2, str(result))
                # What is shown on request goes on.
                self.assertGreater(seen[0], 1000)
                self.assertGreater(seen[1], 2 * 1000)

    def test_signal_at_any_moment(self):
        """a signal at any moment of the start: a report or nothing, never half of one"""
        for delay in (0.001, 0.01, 0.03, 0.06, 0.1, 0.15):
            with self.subTest(delay), Running([FAULTS, "-g", "--json"]) as unit:
                time.sleep(delay)
                unit.signal(signal.SIGINT)
                result = unit.result()
                if result.status == 0:
                    self.assertEqual(len(result.reports), 1)
                else:  # it came before the unit could catch it
                    self.assertEqual((result.status, result.out), (-signal.SIGINT, ""))

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running([FAULTS, "-g", "-v"]) as unit:
            unit.wait_for("observing")
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            unit.result()

    def test_closed_pipe(self):
        """a reader that has gone: a quiet end"""
        with Running([FAULTS, "-i", "50ms"], stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)
            self.assertEqual(unit.said(unit.err), "")

    def test_full_output(self):
        """a report that cannot be written: status 1 and the reason"""
        result = faults("--duration", "100ms", "-o", "/dev/full")
        self.assert_status(result, 1)
        self.assertIn("No space left", result.err)

    def test_two_at_once(self):
        """two at once see the same, also with stacks"""
        with Running([FAULTS, "--json", "-v", "--comm", "pages"]) as a, \
             Running([FAULTS, "-g", "--json", "-v", "--comm", "pages"]) as b:
            a.wait_for("observing")
            b.wait_for("observing")
            run(again(20))
            a.signal(signal.SIGINT)
            b.signal(signal.SIGINT)
            counts = [sum(row["count"] for row in unit.result().report["rows"]) for unit in (a, b)]
        self.assertGreater(counts[0], 20000)
        self.assertEqual(*counts)

    def test_text(self):
        """text: the most first, aligned, with the mapping last; long tables are cut and say so"""
        result = faults("--", *again(5))
        self.assert_status(result, 0)
        lines = [line for line in result.out.splitlines() if not line.startswith("{")]
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  page-faults, the last [\d.]+ m?s$")
        self.assertRegex(lines[1], r"^ +faults +percent +comm +pid +access +mode +type +address"
                                   r" +last +mapping$")
        self.assertRegex(lines[2], r"^ +\d,\d{3} +\d+\.\d\d % +pages +\d+ +(write|-) +user +minor "
                                   r"+0x[0-9a-f]+ +0x[0-9a-f]+  \[anon\]$")
        faulted = [int(line.split()[0].replace(",", "")) for line in lines[2:]]
        self.assertEqual(faulted, sorted(faulted, reverse=True))
        result = faults("--pages", "--", *again(1))
        self.assertRegex(result.out, r"\n\.\.\. \d+ more rows; --json has them all\n$")

    def test_terminal(self):
        """a terminal: reports take each other's place, and fit"""
        seen = screens(on_terminal([FAULTS, "-i", "200ms", "--duration", "1500ms"]))
        self.assertGreaterEqual(len(seen), 2)
        for screen in seen:
            self.assertLessEqual(screen.count("\n"), 20)

    def test_json_contract(self):
        """--json: the members of the contract; addresses as text, counts as numbers"""
        result = faults("--json", "-g", "--", *again(1))
        report = result.report
        self.assertEqual(list(report)[:6],
                         ["tool", "version", "time", "elapsed_ns", "lost", "rows"])
        row = report["rows"][0]
        self.assertEqual([name for name in row if name != "access"],
                         ["count", "count_percent", "comm", "pid", "mode", "type", "address",
                          "last", "mapping", "stack"])
        for name in ("count", "pid"):
            self.assertIsInstance(row[name], int)
        for name in ("address", "last"):
            self.assertRegex(row[name], r"^0x[0-9a-f]+$")
        for row in report["rows"]:
            self.assertIn(row.get("access"), ("read", "write", "exec", None))
            self.assertIn(row["mode"], ("user", "kernel"))
            self.assertIn(row["type"], ("minor", "major"))
            self.assertLessEqual(int(row["address"], 16), int(row["last"], 16))
        counts = [row["count"] for row in report["rows"]]
        self.assertEqual(counts, sorted(counts, reverse=True))

    def test_hostile_names(self):
        """a file's name with escape sequences cannot steer the terminal, and is whole in JSON"""
        code = ("import mmap,os,sys;fd=os.open(sys.argv[1],os.O_RDWR|os.O_CREAT);"
                "os.ftruncate(fd,4096);m=mmap.mmap(fd,4096);m[0]=1;del m")
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/\033[2J\"\n\\"
            text = faults("--pages", "--", "python3", "-c", code, path)
            self.assertNotIn("\033", text.out)
            result = faults("--json", "--", "python3", "-c", code, path)
            self.assertIn(path, [row["mapping"] for row in result.report["rows"]])
            self.assertIsNone(re.search(r"[\x00-\x1f]", result.out.strip()))
