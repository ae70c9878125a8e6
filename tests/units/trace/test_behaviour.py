# SPDX-License-Identifier: GPL-2.0-only
"""trace's options, errors, exit statuses, signals, pipes, terminals."""

import os
import re
import signal
import subprocess
import tempfile
import time

from events import WRITE
from harness import ENOUGH_CAPS, LOAD, Running, UnloadingCase, on_terminal, run, run_as_nobody, tool

TRACE = tool("trace")
CALLS = os.path.join(LOAD, "calls")


class Behaviour(UnloadingCase):
    OWN = re.compile("on_event")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, and name every option"""
        result = run([TRACE, "--help"])
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        for name in ("--event", "--exit-N", "--mmap-pages", "--overwrite", "--pid", "--tid",
                     "--cpus", "--comm", "--cgroup", "--interval", "--duration", "--call-graph",
                     "--flame-graph", "--json", "--output", "-- CMD", "alias=", "max-stack=N"):
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertIn("[-e EVENT[,EVENT...]]", run([TRACE, "--usage"]).out)
        self.assertRegex(run([TRACE, "-V"]).out, r"^trace \d+\.\d+\.\d+\n$")

    def test_examples(self):
        """the examples of --help run as they are printed"""
        said = run([TRACE, "--help"]).out
        examples = re.findall(r"(?m)^  (trace .*?)(?:   .*)?$",
                              said.split("Examples:\n")[1].split("\n\n")[0])
        self.assertGreaterEqual(len(examples), 4)
        for example in examples:
            example = example.replace("10s", "100ms")
            if "--duration" not in example:
                example += " --duration 100ms"
            with self.subTest(example), tempfile.TemporaryDirectory() as folder:
                result = run(["sh", "-c", f"exec {os.path.dirname(TRACE)}/{example}"], cwd=folder)
                self.assert_status(result, 0)

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        event = ["-e", "sched:sched_switch"]
        for args, says in (([], "-e EVENT"), (["--nosuch"], "nosuch.*--help"), (["-e"], "missing"),
                           ([*event, "-m", "0"], "between a page"),
                           ([*event, "-m", "2G"], "between a page"),
                           ([*event, "-m", "many"], "number of pages"),
                           ([*event, "-N", "0"], "at least 1|1 to"), ([*event, "stray"], "help"),
                           ([*event, "--cgroups", "a*"], "one cgroup"),
                           ([*event, "--overwrite", "-N", "1"], "-N means nothing"),
                           ([*event, "--flame-graph", "/tmp/x", "-N", "1"], "-N means nothing"),
                           ([*event, "--flame-graph", "/tmp/x", "--overwrite"], "overwrite")):
            with self.subTest(" ".join(args)):
                result = run([TRACE, *args])
                self.assert_status(result, 2)
                self.assertRegex(result.err.splitlines()[0], rf"^trace: .*({says})", str(result))
                self.assertEqual(result.out, "")

    def test_bad_events(self):
        """what is no event, or no expression: what is wrong, the text, a caret; status 2"""
        for event, says in (("sched:", "name is missing"), ("sched_switch", "no event"),
                            ("sched:sched_switch/prev_pdi>0/", "prev_pdi")):
            result = run([TRACE, "-e", event])
            self.assert_status(result, 2)
            found = result.err.splitlines()
            self.assertRegex(found[0], f"^trace: .*{says}")
            self.assertRegex(found[2], r"^ +\^$")
        for attribute in ("key=prev_pid", "untraced", "trigger", "role=1", "num=1"):
            result = run([TRACE, "-e", f"sched:sched_switch//{attribute}/"])
            self.assert_status(result, 2)
            self.assert_one_line(result, f"{attribute.split('=')[0]} means nothing")

    def test_nothing_there(self):
        """events that are not there, a process that is not: one line and the status"""
        for args, status, says in ((["-e", "nosuch:event"], 2, "no tracepoint nosuch:event"),
                                   (["-e", 'uprobe:main@"/no/such"'], 1, "No such file")):
            result = run([TRACE, *args])
            self.assert_status(result, status)
            self.assert_one_line(result, "^trace: ", says)
        child = subprocess.Popen(["true"])
        child.wait()
        result = run([TRACE, "-e", WRITE, "-p", str(child.pid), "--duration", "1s"])
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no process {child.pid}")

    def test_fields(self):
        """help, behind an event or as the last argument: its fields, as its format has them"""
        for args in (["-e", "sched:sched_stat_runtime help"],
                     ["-e", "sched:sched_stat_runtime", "help"]):
            result = run([TRACE, *args])
            self.assert_status(result, 0)
            self.assertEqual(result.out.splitlines()[0].split(),
                             ["sched:sched_stat_runtime", "tracepoint"])
            # The type and the name of each, whatever else this kernel has.
            self.assertRegex(result.out, r"(?m)^    .*char ?\[.*\] comm$")
            self.assertRegex(result.out, r"(?m)^    pid_t pid$")
            self.assertRegex(result.out, r"(?m)^    u64 runtime$")

    def test_targets(self):
        """-p, -t, -C: only these; a filter holds as well"""
        with Running([CALLS, "--wait", "3", "400"], stdin=subprocess.PIPE) as load, \
             Running([CALLS, "--wait", "2", "100"], stdin=subprocess.PIPE) as other:
            pid = load.wait_for(r"ready (\d+)", load.out).group(1)
            other.wait_for("ready", other.out)
            with Running([TRACE, "-v", "--json", "-e", f"{WRITE[:-1]}&&args[2]!=2/", "-p",
                          pid]) as unit:
                unit.wait_for("observing")
                for one in (load, other):
                    one.process.stdin.write(b"\n")
                    one.process.stdin.flush()
                    one.wait_for("done", one.out)
                unit.signal(signal.SIGINT)
                result = unit.result()
        self.assert_status(result, 0)
        seen = [event["comm"] for event in result.report["events"]]
        self.assertEqual({name: seen.count(name) for name in set(seen)},
                         {"calls-1": 400, "calls-3": 1200})
        result = run([TRACE, "--json", "-e", WRITE, "-C", "0", "--", "taskset", "-c", "0", CALLS,
                      "1", "50"])
        self.assertEqual([event["cpu"] for event in result.report["events"]], [0] * 50)

    def test_intervals(self):
        """-i with --json: a line for each, with the events since the one before"""
        with Running([TRACE, "-v", "--json", "-i", "100ms", "-e", WRITE, "--comm",
                      "calls-*"]) as unit:
            unit.wait_for("observing")
            for _ in range(3):
                run([CALLS, "2", "200"])
                time.sleep(0.15)
            unit.signal(signal.SIGTERM)
            result = unit.result()
        self.assert_status(result, 0)
        self.assertGreater(len(result.reports), 3)
        for report in result.reports:
            self.assertEqual(sum(row["count"] for row in report["rows"]), len(report["events"]))
        self.assertEqual(sum(len(report["events"]) for report in result.reports), 1800)

    def test_as_they_happen(self):
        """few events do not wait for a buffer to fill up, in text"""
        with Running([TRACE, "-v", "-e", WRITE, "--comm", "calls-1"]) as unit:
            unit.wait_for("observing")
            run([CALLS, "1", "1"])
            unit.wait_for("raw_syscalls:sys_enter", unit.out)
            self.assertIsNone(unit.process.poll())
            unit.signal(signal.SIGINT)
            self.assert_status(unit.result(), 0)

    def test_text_of_stacks(self):
        """frames are below their event, a line each"""
        result = run([TRACE, "-g", "-e", f"{WRITE}alias=w/", "-N", "1", "--", CALLS, "1", "10"])
        self.assert_status(result, 0)
        shown = [line for line in result.out.splitlines() if not line.startswith("{")]
        self.assertRegex(shown[0], r" calls-1 +\d+ \[\d{3}\] w: NR \d+ \(")
        self.assertGreater(len(shown), 4)
        for line in shown[1:]:
            self.assertRegex(line, r"^        (\S+\+0x[0-9a-f]+|0x[0-9a-f]+)( \[| \(|$)")

    def test_command_status(self):
        """-- CMD: its status is passed on"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7)):
            result = run([TRACE, "-e", WRITE, "-o", "/dev/null", "--", *command])
            self.assert_status(result, status)
        result = run([TRACE, "-e", WRITE, "--", "no-such-command-here"])
        self.assert_status(result, 1)
        self.assert_one_line(result, "cannot run no-such-command-here")

    def test_closed_pipe(self):
        """a reader that has gone: a quiet end"""
        with Running([TRACE, "-e", "raw_syscalls:sys_enter"], stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)
            self.assertEqual(unit.said(unit.err), "")

    def test_full_output(self):
        """events that cannot be written: status 1 and the reason"""
        for args in ([], ["--json"]):
            result = run([TRACE, "-e", "sched:sched_switch", "--duration", "300ms", "-o",
                          "/dev/full", *args])
            self.assert_status(result, 1)
            self.assertIn("No space left", result.err)

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running([TRACE, "-v", "-e", WRITE]) as unit:
            unit.wait_for("observing")
            unit.signal(signal.SIGKILL)
            unit.result()

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody([TRACE, "-e", WRITE, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "root")

    def test_with_just_enough(self):
        """CAP_BPF, CAP_PERFMON and what reads tracefs are enough; then buffers are smaller"""
        result = run_as_nobody([TRACE, "-e", WRITE, "--json", "--", CALLS, "2", "50"],
                               caps=f"{ENOUGH_CAPS},+dac_read_search")
        if result.status == 4:  # Debian's 5.10 has such a setting that takes root
            self.assert_one_line(result, "perf_event_paranoid|permitted")
            return
        self.assert_status(result, 0)
        self.assertEqual(len(result.report["events"]), 150)

    def test_terminal(self):
        """on a terminal: lines, one below the other, in which names cannot steer it"""
        seen = on_terminal([TRACE, "-q", "-e", WRITE, "-N", "3", "--", "python3", "-c", (
            "import ctypes, os\n"
            "ctypes.CDLL(None).prctl(15, b'\\x1b[31mred')\n"
            "for i in range(3): ctypes.CDLL(None).write(-1, None, 1)")], columns=120)
        self.assertEqual(seen.count("raw_syscalls:sys_enter: NR"), 3)
        self.assertNotIn("\x1b", seen)
        self.assertIn("?[31mred", seen)

    def test_strings_on_a_terminal(self):
        """strings that pointers lead to cannot steer a terminal; JSON has them as they are"""
        names = ("/x1\x1b[31m", "/x2\x9b31m", "/x3\x7f", '/x4"\u00e4\\')
        program = f"import ctypes\nfor name in {names!r}: ctypes.CDLL(None).chdir(name.encode())"
        args = ["-q", "-e", "syscalls:sys_enter_chdir"]
        command = ["--", "python3", "-X", "utf8", "-c", program]
        seen = on_terminal([TRACE, *args, *command], columns=120)
        for shown in ("/x1?[31m", "/x2?31m", "/x3?", '/x4\\"\u00e4\\\\'):
            self.assertIn(f'filename="{shown}"', seen)
        result = run([TRACE, *args, "--json", *command])
        self.assert_status(result, 0)
        self.assertEqual([event["fields"]["filename"] for event in result.report["events"]],
                         list(names))
