# SPDX-License-Identifier: GPL-2.0-only
"""What list says to bad input, and how it ends."""

import json
import tempfile

from harness import Case, on_terminal, run, run_as_nobody, tool

LIST = tool("list")


class Behaviour(Case):
    def test_bad_usage(self):
        """an event that cannot be: what is wrong, the place marked, and status 2"""
        for text, said in (
                ("sched_switch", "no event"), ("", "missing"), ("a:b,", "missing"),
                ("kprobe:", "function's name"), ("uprobe:f@/x", "quotes"),
                ("usdt:/x:y", "probe's name"), ("cycles:z", "modifiers"),
                ("a:b//zebra=1/", "no attribute"), ('a:b/x=="', "no end")):
            done = run([LIST, text])
            self.assert_status(done, 2)
            lines = done.err.splitlines()
            self.assertEqual(len(lines), 3, str(done))
            self.assertRegex(lines[0], "^list: .*" + said)
            self.assertRegex(lines[2], r"^ +\^$")
            self.assertEqual(done.out, "", str(done))

    def test_bad_expressions(self):
        """an expression that cannot be compiled: what is wrong, where, and the fields"""
        for text, wrong in (("sched:sched_switch/prev_pdi>0/", "prev_pdi"),
                            ("sched:sched_switch//key=nobody/", "nobody")):
            done = run([LIST, text])
            self.assert_status(done, 2)
            self.assertRegex(done.err, "^list: .*" + wrong)
            self.assertRegex(done.err, r"(?m)^ +\^$")
            self.assertIn("prev_pid", done.err)
            self.assertEqual(done.out, "", str(done))
        self.assert_status(run([LIST, "sched:sched_switch/prev_pid>0/key=next_comm/stack/"]), 0)

    def test_nothing_there(self):
        """what is not there: one line and the status"""
        for args, status, said in (
                (["sched:nothing"], 2, "no tracepoint sched:nothing"),
                (["nothing:*"], 2, "matches 'nothing:\\*'"),
                (['uprobe:main@"/no/such"'], 1, "No such file"),
                (['uprobe:main@"/etc/passwd"'], 1, "no ELF file"),
                (["uprobe:nothing@libc.so.6"], 2, "no function nothing"),
                (["uprobe:main"], 2, "needs its file"),
                (["usdt:/bin/true"], 2, "no USDT probes"),
                (["usdt:/no/such"], 1, "No such file"),
                (["-p", "4194304", "uprobe:main"], 1, "no process 4194304"),
                (["usdt:4194304"], 1, "no process 4194304"),
                (["nothing-*"], 2, "matches 'nothing-\\*'")):
            done = run([LIST, *args])
            self.assert_status(done, status)
            self.assert_one_line(done, "^list: ", said)
            self.assertEqual(done.out, "", str(done))

    def test_no_half_of_json(self):
        """no half of a JSON object when something is wrong"""
        done = run([LIST, "--json", "sched:sched_switch", "sched:nothing"])
        self.assert_status(done, 2)
        self.assertEqual(done.out, "")

    def test_options(self):
        """unknown options, and values that will not do"""
        for args in (["--zebra"], ["-p", "0"], ["-p", "x"], ["-q", "-v"], ["-i", "1s"]):
            done = run([LIST, *args])
            self.assert_status(done, 2)
            self.assert_one_line(done, "^list: ")

    def test_help(self):
        """--help names all options, within 100 columns; --usage; -V"""
        done = run([LIST, "--help"])
        self.assert_status(done, 0)
        for word in ("--fields", "--json", "--pid", "kprobe:", "usdt:", "Exit status"):
            self.assertIn(word, done.out)
        self.assertLessEqual(max(map(len, done.out.splitlines())), 100)
        self.assertRegex(run([LIST, "--usage"]).out, "^Usage: list ")
        self.assertRegex(run([LIST, "-V"]).out, r"^list \d+\.\d+\.\d+\n$")

    def test_json(self):
        """--json is one line, one object, with the same events as text"""
        done = run([LIST, "--json", "sched:*"])
        self.assert_status(done, 0)
        self.assertEqual(done.out.count("\n"), 1)
        whole = json.loads(done.out)
        self.assertEqual(whole["tool"], "list")
        text = run([LIST, "sched:*"]).out.splitlines()
        self.assertEqual([row["event"] for row in whole["rows"]], text)
        self.assertNotIn("fields", whole["rows"][0])
        self.assertEqual({row["kind"] for row in whole["rows"]}, {"tracepoint"})
        several = run([LIST, "--json", "sched:sched_switch,cpu-clock", "sched:sched_wakeup"])
        self.assertEqual([row["name"] for row in several.report["rows"]],
                         ["sched_switch", "cpu-clock", "sched_wakeup"])

    def test_output(self):
        """-o FILE has what would be shown; a file that cannot be written is said"""
        with tempfile.NamedTemporaryFile() as file:
            self.assert_status(run([LIST, "-o", file.name, "sched:*"]), 0)
            self.assertEqual(file.read().decode(), run([LIST, "sched:*"]).out)
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"old")
            file.flush()
            for wrong in ("sched:", "sched:nothing"):
                self.assert_status(run([LIST, "-o", file.name, "sched:sched_switch", wrong]), 2)
                with open(file.name, "rb") as there:
                    self.assertEqual(there.read(), b"old", "nothing takes its place")
        for path, said in (("/no/such/file", "/no/such/file"), ("/dev/full", "No space left")):
            done = run([LIST, "-o", path, "sched:*"])
            self.assert_status(done, 1)
            self.assert_one_line(done, said)

    def test_closed_pipe(self):
        """a pipe that is closed early ends it quietly"""
        done = run(["bash", "-c", f"'{LIST}' | head -n 1; echo ${{PIPESTATUS[0]}}"])
        self.assertEqual(done.err, "")
        self.assertEqual(done.out.splitlines()[-1], "0")

    def test_terminal(self):
        """on a terminal it says the same as in a pipe"""
        self.assertEqual(on_terminal([LIST, "sched:sched_switch"], columns=200),
                         run([LIST, "sched:sched_switch"]).out)

    def test_names_cannot_steer_a_terminal(self):
        """a file's name with control characters is shown as text"""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/\x1b[2Jx"
            with open(path, "wb") as file, open("/proc/self/exe", "rb") as exe:
                file.write(exe.read())
            done = run([LIST, f'uprobe:*@"{path}"'])
            self.assert_status(done, 0)
            self.assertGreater(len(done.out), 100)
            self.assertNotIn("\x1b", done.out + done.err)

    def test_without_privilege(self):
        """an ordinary user is told what is missing; files can be read all the same"""
        done = run_as_nobody([LIST, "sched:*"])
        self.assert_status(done, 4)
        self.assert_one_line(done, "root|permitted|denied")
        self.assert_status(run_as_nobody([LIST, "uprobe:malloc@libc.so.6"]), 0)
        # One thing that cannot be had does not keep from the others.
        done = run_as_nobody([LIST])
        self.assertIn("cannot read the tracepoints", done.err)
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
            counting = int(file.read()) < 0
        self.assert_status(done, 0 if counting else 4)
        done = run_as_nobody([LIST, "--json"], caps="+perfmon,+bpf")
        if "is refused" in done.err:  # Debian's 5.10 has such a setting that takes root
            self.assert_status(done, 4)
            return
        self.assert_status(done, 0)
        self.assert_one_line(done, "cannot read the tracepoints.*root")
        self.assertEqual({row["kind"] for row in done.report["rows"]}, {"perf"})
        self.assertIn("page-faults", [row["name"] for row in done.report["rows"]])
