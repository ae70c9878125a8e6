# SPDX-License-Identifier: GPL-2.0-only
"""What all units with -e do alike: their options, errors, exit statuses, signals, pipes, terminals."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from harness import (ENOUGH_CAPS, LOAD, Running, loaded_programs, on_terminal, run, run_as_nobody,
                     screens, tool)

CALLS = os.path.join(LOAD, "calls")

# write(-1, NULL, COUNT), as the load `calls` has it. From 7.2 on, programs at the tracepoints of single
# system calls may be preempted, and others on that CPU have to do without them meanwhile; not so here.
WRITE_NUMBER = {"x86_64": 1, "aarch64": 64}[os.uname().machine]
WRITE = f"raw_syscalls:sys_enter/id=={WRITE_NUMBER}&&(int)args[0]==-1/"
COUNT = "args[2]"


class EventsBehaviour:
    """
    For an UnloadingCase with UNIT and ATTRIBUTES: its name, and what it wants of each event
    ("num=1/" or "").
    """

    OWN = re.compile("on_event$")

    def argv(self, event, *args):
        return [tool(self.UNIT), "-e", event + self.ATTRIBUTES, *args]

    def unit(self, event, *args, **options):
        return run(self.argv(event, *args), **options)

    def assert_pointed(self, result, message, text):
        """Status 2 and three lines or more: what is wrong, @text, and a caret."""
        self.assert_status(result, 2)
        self.assertEqual(result.out, "")
        lines = result.err.splitlines()
        self.assertRegex(lines[0], f"^{self.UNIT}: .*{message}", str(result))
        self.assertIn(text, lines[1])
        self.assertRegex(lines[2], r"^ +\^$")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, and name every option"""
        result = run([tool(self.UNIT), "--help"])
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        for name in ("--event", "--key", "--max-keys", "--pid", "--tid", "--cpus", "--comm",
                     "--cgroup", "--interval", "--duration", "--json", "--output", "-- CMD",
                     "kprobe:FUNC", "wildcards", "alias=", "printkey=", *self.OPTIONS):
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertIn("[-e EVENT[,EVENT...]]", run([tool(self.UNIT), "--usage"]).out)
        self.assertRegex(run([tool(self.UNIT), "-V"]).out, rf"^{self.UNIT} \d+\.\d+\.\d+\n$")

    def test_examples(self):
        """the examples of --help run as they are printed"""
        said = run([tool(self.UNIT), "--help"]).out
        examples = re.findall(rf"(?m)^  ({self.UNIT} .*?)(?:   .*)?$",
                              said.split("Examples:\n")[1].split("\n\n")[0])
        self.assertGreaterEqual(len(examples), 3)
        for example in examples:
            example = example.replace("-- CMD", "-- true").replace("10s", "100ms")
            if "--" not in example or "--only-comm" in example:
                example += " --duration 100ms"
            with self.subTest(example):
                result = run(["sh", "-c", f"exec {os.path.dirname(tool(self.UNIT))}/{example}"])
                self.assert_status(result, 0)
                self.assertIn(self.UNIT, result.out)

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in (([], "-e EVENT"), (["--nosuch"], "nosuch.*--help"), (["-e"], "missing"),
                           (["--max-keys", "0"], "1 to"), (["-i", "1us"], "at least 10 ms"),
                           (["-k", ""], "empty"), (["stray"], "stray")):
            with self.subTest(" ".join(args)):
                result = run([tool(self.UNIT), *args])
                self.assert_status(result, 2)
                self.assert_one_line(result, rf"^{self.UNIT}: ", says)
                self.assertEqual(result.out, "")

    def test_bad_events(self):
        """what is no event is refused, with a caret below the place"""
        for event, says in (("sched:", "name is missing"), ("sched:sched_switch/prev_pid>0", None),
                            ("sched_switch", "no event"), ("a:b//zebra=1/", "no attribute")):
            if says:
                result = run([tool(self.UNIT), "-e", event])
                self.assert_pointed(result, says, event[:10])

    def test_bad_expressions(self):
        """an expression that cannot be compiled: a caret below the place, and the fields there are"""
        for event, says, text in (
                ("sched:sched_switch/prev_pdi>0/", "prev_pdi", "prev_pdi>0"),
                ("sched:sched_switch/prev_pid>/", "", "prev_pid>"),
                ("sched:sched_switch//key=nobody/", "nobody", "nobody"),
                ("sched:sched_switch//key=1/comm=prev_pid/", "a string is wanted", "prev_pid")):
            result = self.unit(event)
            self.assert_pointed(result, says, text)
        self.assertRegex(self.unit("sched:sched_switch/prev_pdi>0/").err, "there are:.*prev_pid")

    def test_bad_keys(self):
        """keys and names that cannot be: one line, status 2"""
        switch = "sched:sched_switch//"
        for event, says in (
                (f"{switch}key=prev_comm/{self.ATTRIBUTES},{switch}key=prev_pid/", "one table"),
                (f"{switch}key=1/comm=prev_comm/printkey=%d/", "one will do"),
                (f"{switch}key=1/printkey=%s/", "printf"), (f"{switch}key=1/printkey=7/", "printf"),
                (f'{switch}key=1/printkey=printf("%d %d", key)/', "printf"),
                (f'{switch}key=1/printkey=printf("%d", pid)/', "printf"),
                (f"{switch}key=1/printkey=%/", "printf"),
                (f"{switch}key=prev_comm/printkey=%d/", "string"),
                (f"{switch}key=1/printkey=%d/{self.ATTRIBUTES},{switch}key=1/printkey=%x/",
                 "different")):
            with self.subTest(event):
                result = self.unit(event)
                self.assert_status(result, 2)
                self.assert_one_line(result, rf"^{self.UNIT}: sched:sched_switch: ", says)

    def test_other_attributes(self):
        """attributes that other units have are refused, not passed over"""
        for attribute in ("ptr=prev_pid", "stack", "untraced", "role=1"):
            result = self.unit(f"sched:sched_switch//{attribute}/")
            self.assert_status(result, 2)
            self.assert_one_line(result, f"{attribute.split('=')[0]} means nothing")

    def test_children(self):
        """-- CMD: the children of the command are observed with it, and nobody else"""
        result = self.unit("sched:sched_process_exec//", "-k", "filename", "--json", "--", "sh",
                           "-c", "env true; env true; true")
        self.assert_status(result, 0)
        counts = {os.path.basename(row["key"]): self.count_of(row)
                  for row in result.report["rows"]}
        self.assertEqual(counts, {"sh": 1, "env": 2, "true": 2})

    def test_long_keys(self):
        """a string that is longer than a key is seen to be cut off"""
        with tempfile.TemporaryDirectory() as folder:
            for length, key in ((61 - len(folder), None), (62 - len(folder), "..."), (200, "...")):
                path = f"{folder}/{'x' * length}"
                os.symlink("/bin/true", path)
                result = self.unit("sched:sched_process_exec//", "-k", "filename", "--json", "--",
                                   path)
                self.assert_status(result, 0)
                seen = [row["key"] for row in result.report["rows"]]
                self.assertEqual(seen, [path if not key else path[:63] + key])

    def test_nothing_there(self):
        """events that this kernel or machine does not have: one line and the status"""
        for event, status, says in (("nosuch:event/", 2, "no tracepoint nosuch:event"),
                                    ("ftrace:print/", 2, "no event"),
                                    ("nosuch:*/", 2, "no event"),
                                    ('uprobe:main@"/no/such"/', 1, "No such file")):
            with self.subTest(event):
                result = run([tool(self.UNIT), "-e", event + "/" + self.ATTRIBUTES])
                self.assert_status(result, status)
                self.assert_one_line(result, rf"^{self.UNIT}: ", says)

    def test_kinds(self):
        """events of kinds that this kernel has are counted; of others it says that, with status 4"""
        for event in ("kprobe:vfs_write/count==7/", "kretprobe:vfs_write/ret==7/",
                      "fentry:vfs_write/count==7/", "fexit:vfs_write/ret==7/",
                      "uprobe:write@libc.so.6//", "syscalls:sys_enter_write/count==7/"):
            with self.subTest(event):
                result = self.unit(event, "-k", "_comm", "--json", "--", "dd", "if=/dev/zero",
                                   "of=/dev/null", "bs=7", "count=500", "status=none")
                if result.status == 4:
                    self.assert_one_line(result, "this kernel|permitted")
                    self.assertNotIn("syscalls", event)
                    continue
                self.assert_status(result, 0)
                counts = {row["key"]: self.count_of(row) for row in result.report["rows"]}
                self.assertEqual(counts.get("dd"), 500, str(result))

    def test_renamed_thread(self):
        """a thread has the name that it had last, whoever says that rows are threads"""
        load = ("import ctypes\nlibc = ctypes.CDLL(None)\nlibc.prctl(15, b'first', 0, 0, 0)\n"
                "libc.getpgid(1)\nlibc.prctl(15, b'second', 0, 0, 0)\n"
                "for i in range(9): libc.getpgid(1)\n")
        calls, other = "syscalls:sys_enter_getpgid", "syscalls:sys_enter_setpgid"
        alias = "alias=n/"
        for args in (["-k", "_tid", "-e", f"{calls}//comm=_comm/{alias}{self.ATTRIBUTES}"],
                     ["-e", f"{other}//key=_tid/{self.ATTRIBUTES}", "-e",
                      f"{calls}//key=_tid/comm=_comm/{alias}{self.ATTRIBUTES}"]):
            with self.subTest(str(args)):
                result = run([tool(self.UNIT), *args, "--json", "--", "python3", "-c", load])
                self.assert_status(result, 0)
                self.assertEqual([(row["name"], row["n"] if "n" in row else row["count"])
                                  for row in result.report["rows"]], [("second", 10)])

    def test_nobody_there(self):
        """a process that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        result = self.unit(WRITE, "-p", str(child.pid), "--duration", "1s")
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no process {child.pid}")

    def test_no_events(self):
        """nothing happens: an empty report, in text and JSON"""
        args = [WRITE, "--comm", "no-such-thread*", "--duration", "100ms", "-q"]
        result = self.unit(*args, "--json")
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"], [])
        result = self.unit(*args)
        self.assert_status(result, 0)
        self.assertEqual(len(result.out.splitlines()), 2, str(result))

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody(self.argv(WRITE, "--duration", "1s"))
        self.assert_status(result, 4)
        self.assert_one_line(result, "root")

    def test_with_just_enough(self):
        """CAP_BPF, CAP_PERFMON and what reads tracefs are enough, without any other privilege"""
        result = run_as_nobody(self.argv(WRITE, "--json", "-k", COUNT, "--", CALLS, "2", "50"),
                               caps=f"{ENOUGH_CAPS},+dac_read_search")
        if result.status == 4:  # Debian's 5.10 has such a setting that takes root
            self.assert_one_line(result, "perf_event_paranoid|permitted")
            return
        self.assert_status(result, 0)
        self.assertEqual({row["key"]: self.count_of(row) for row in result.report["rows"]},
                         {1: 50, 2: 100})

    def test_command_status(self):
        """-- CMD: its status is passed on, also when a signal ended it or it cannot be run"""
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7),
                                (["sh", "-c", "kill -SEGV $$"], 139)):
            with self.subTest(" ".join(command)):
                result = self.unit(WRITE, "-o", "/dev/null", "--", *command)
                self.assert_status(result, status)
        result = self.unit(WRITE, "--", "no-such-command-here")
        self.assert_status(result, 1)
        self.assert_one_line(result, "cannot run no-such-command-here", "No such file")

    def test_signals(self):
        """Ctrl-C, SIGTERM: a complete final report, status 0; SIGUSR1: one in between"""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), \
                 Running(self.argv(WRITE, "--json", "-v", "-k", COUNT)) as unit:
                unit.wait_for("observing")
                run([CALLS, "2", "100"])
                unit.signal(signal.SIGUSR1)
                unit.wait_for('"rows"', unit.out)
                run([CALLS, "2", "100"])
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                # What is shown on request goes on.
                seen = [sum(self.count_of(row) for row in report["rows"] if row["key"] in (1, 2))
                        for report in result.reports]
                self.assertEqual(seen, [300, 600], str(result))

    def test_signal_at_any_moment(self):
        """a signal at any moment of the start: a report or nothing, never half of one"""
        for delay in (0.001, 0.01, 0.03, 0.06, 0.1, 0.15):
            with self.subTest(delay), Running(self.argv(WRITE, "--json")) as unit:
                time.sleep(delay)
                unit.signal(signal.SIGINT)
                result = unit.result()
                if result.status == 0:
                    self.assertEqual(len(result.reports), 1)
                else:  # it came before the unit could catch it
                    self.assertEqual((result.status, result.out), (-signal.SIGINT, ""))

    def test_perf_is_not_blinded(self):
        """what perf counts at an event with a program is what it counts without, wanted or not"""
        perf = shutil.which("perf")
        if not perf:
            self.skipTest("there is no perf")
        # A program of its own, and one that all system calls share.
        for event in ("raw_syscalls:sys_enter/id==-7/", "syscalls:sys_enter_*//"):
            with self.subTest(event), Running(self.argv(event, "-v")) as unit:
                unit.wait_for("observing")
                said = run([perf, "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
                            CALLS, "2", "100"])
                self.assertGreaterEqual(int(said.err.split(",")[0]), 300, str(said))

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running(self.argv(WRITE, "-v")) as unit:
            unit.wait_for("observing")
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            unit.result()

    def test_closed_pipe(self):
        """a reader that has gone: a quiet end"""
        with Running(self.argv(WRITE, "-i", "50ms"), stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)
            self.assertEqual(unit.said(unit.err), "")

    def test_closed_pipe_and_nothing_to_write(self):
        """a reader that has gone before there is anything to read: an end as quiet"""
        with Running(self.argv(f"{WRITE[:-1]}&&0/", "-v"), stdout=subprocess.PIPE) as unit:
            unit.wait_for("observing")
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)

    def test_full_output(self):
        """a report that cannot be written: status 1 and the reason"""
        result = self.unit(WRITE, "--duration", "100ms", "-o", "/dev/full")
        self.assert_status(result, 1)
        self.assertIn("No space left", result.err)

    def test_two_at_once(self):
        """two at once see the same"""
        args = [WRITE, "--json", "-v", "--comm", "calls-*", "-k", "_comm"]
        with Running(self.argv(*args)) as a, Running(self.argv(*args)) as b:
            a.wait_for("observing")
            b.wait_for("observing")
            run([CALLS, "4", "1000"])
            a.signal(signal.SIGINT)
            b.signal(signal.SIGINT)
            for unit in (a, b):
                self.assertEqual({row["key"]: self.count_of(row)
                                  for row in unit.result().report["rows"]},
                                 {f"calls-{t}": 1000 * t for t in range(1, 5)})

    def shown(self, *args):
        """What the unit shows on a terminal of 20 lines, one after the other."""
        return screens(on_terminal(self.argv(*args), lines=20, columns=120))

    def test_terminal(self):
        """a terminal: reports take each other's place, and fit"""
        seen = self.shown("sched:sched_switch//", "-k", "prev_pid", "-i", "200ms", "--duration",
                               "1500ms")
        self.assertGreaterEqual(len(seen), 2)
        for screen in seen:
            self.assertLessEqual(screen.count("\n"), 20)
