# SPDX-License-Identifier: GPL-2.0-only
"""kmemleak as its users meet it: options, errors, exit statuses, signals, pipes, pictures."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

from harness import (GUEST, Running, UnloadingCase, go, loaded_programs, on_terminal,
                     run_as_nobody, screens, waiting)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from leaks import (EVENTFD, HELD, KMEMLEAK, OBSERVING, LeakCase, around, ask, at_leaf, beside,
                   chosen, count, drop, finish, heap, kmemleak, leak, shown, size, work)

QUIET = ("--comm", "no-such-thread*")


class Behaviour(UnloadingCase, LeakCase):
    OWN = re.compile("made_|freed_|kfree_again|cache_again|pages_again|count_objects|count_slots|enter_|"
                     "leave|process_|thread_gone|pair_")

    def test_help(self):
        """--help, --usage, -V: on standard output, status 0, and name every option"""
        result = kmemleak("--help")
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        for name in ("--pid", "--tid", "--cpus", "--comm", "--cgroup", "--interval", "--duration",
                     "--flame-graph", "--json", "--output", "--allocators", "--exact", "--than",
                     "--min-size", "--top", "--max-live", "--user", "--alloc", "--free", "-O,",
                     "-- CMD", "ptr=", "size=", "jemalloc"):
            self.assertIn(name, result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertNotRegex(result.out, r"\n\n\n", "no part of it is empty")
        self.assertIn("[--exact]", kmemleak("--usage").out)
        self.assertRegex(kmemleak("-V").out, r"^kmemleak \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2, before the kernel is touched"""
        for args, says in ((["--nosuch"], "nosuch.*--help"), (["-i"], "-i"),
                           (["--top", "0"], "--top"), (["--top", "many"], "--top"),
                           (["--max-live", "0"], "--max-live"),
                           (["--max-live", "99999999999"], "--max-live"),
                           (["--than", "0"], "--than"), (["--than", "soon"], "--than"),
                           (["--min-size", "big"], "--min-size"),
                           (["--min-size", "-1"], "min-size"),
                           (["--allocators", "slob"], "--allocators.*kmalloc,cache"),
                           (["--allocators", ""], "--allocators"),
                           (["--allocators", "kmalloc,,cache"], "--allocators"),
                           (["--exact=1"], "exact"), (["--reverse"], "--flame-graph"),
                           (["-i", "1us"], "at least 10 ms"), (["-p", "x"], "--pid"),
                           (["--heatmap", "x"], "heatmap"), (["stray"], "stray"),
                           (["-p", "1", "--", "true"], "choose"))[::9 if GUEST else 1]:
            # No kernel is asked: a few are enough in a guest.
            with self.subTest(" ".join(args)):
                result = kmemleak(*args, "--duration", "100ms")
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^kmemleak: ", says)
                self.assertEqual(result.out, "")

    def test_nobody_there(self):
        """a process that does not exist: status 1, one line that names it"""
        child = subprocess.Popen(["true"])
        child.wait()
        result = kmemleak("-q", "-p", child.pid, "--duration", "1s")
        self.assert_status(result, 1)
        self.assert_one_line(result, f"no process {child.pid}")

    def test_no_objects(self):
        """nobody allocates: an empty report, in text and JSON"""
        options = [*QUIET, "--duration", "100ms", "--max-live", "1000", "-q"]
        result = kmemleak(*options, "--json")
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"], [])
        self.assertEqual((result.report["objects"], result.report["bytes"]), (0, 0))
        text = kmemleak(*options, "--exact")
        self.assert_status(text, 0)
        self.assertIn(": 0 objects", text.out)

    def test_without_privilege(self):
        """without root: status 4, and what is missing is named"""
        result = run_as_nobody([KMEMLEAK, "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "CAP_BPF and CAP_PERFMON, or root")

    def test_command_status(self):
        """-- CMD: its status is passed on, also when a signal ended it or it cannot be run"""
        for options, command, status in ((["--allocators", "percpu"], "exit 7", 7),
                                         (["--user"], "kill -SEGV $$", 139)):
            with self.subTest(command):
                result = kmemleak("-o", "/dev/null", *options, "--", "sh", "-c", command)
                self.assert_status(result, status)
        result = kmemleak("-q", "--max-live", "1000", "--", "no-such-command-here")
        self.assert_status(result, 1)
        self.assert_one_line(result, "cannot run no-such-command-here", "No such file")

    def test_signals(self):
        """SIGTERM, Ctrl-C: a complete final report, status 0; SIGUSR1: one in between"""
        # Most tests end their units by SIGINT.
        for number in (signal.SIGTERM,) if GUEST else (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                with around(leak("eventfds", HELD), "-p", "PID", "--allocators", "kmalloc") as \
                        (unit, _):
                    ask(unit)
                    unit.signal(number)
                    result = unit.result()
                self.assert_status(result, 0)
                self.assertEqual(len(result.reports), 2, str(result))
                for report in result.reports:
                    self.assert_adds_up(report)
                    self.assertGreaterEqual(report["objects"], HELD)

    def test_signal_at_any_moment(self):
        """a signal at any moment of the start: a report or nothing, never half of one"""
        for delay in (0.01, 0.5, 1.5) if GUEST else (0.001, 0.01, 0.03, 0.06, 0.1, 0.15):
            with self.subTest(delay), Running([KMEMLEAK, "--exact", "--json", "--max-live",
                                               "1000"]) as unit:
                time.sleep(delay)
                unit.signal(signal.SIGINT)
                result = unit.result()
                if result.status == 0:
                    self.assertEqual(len(result.reports), 1)
                else:  # it came before the unit could catch it
                    self.assertEqual((result.status, result.out), (-signal.SIGINT, ""))

    def test_killed(self):
        """kill -9: nothing stays in the kernel"""
        with Running([KMEMLEAK, "--exact", "-v", "--max-live", "50000"]) as unit:
            unit.wait_for(OBSERVING)
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            unit.result()

    def test_killed_beside_user(self):
        """kill -9 of --user: nothing stays in the kernel, and the process goes on"""
        with around(heap("--wait", "churn", 1 << 40), "--user", "-p", "PID", cue=False) as \
                (unit, load):
            self.assertTrue(loaded_programs() - self.programs)
            go(load)
            ask(unit)
            unit.signal(signal.SIGKILL)
            unit.result()
            time.sleep(0.2)  # a probe that is left would end it
            self.assertIsNone(load.process.poll(), "the load itself")

    def test_closed_pipe(self):
        """a reader that has gone: a quiet end"""
        with Running([KMEMLEAK, "-q", "-i", "50ms", "--max-live", "50000"],
                     stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(60), 0)
            self.assertEqual(unit.said(unit.err), "")

    def test_full_output(self):
        """a report that cannot be written: status 1 and the reason"""
        result = kmemleak("--duration", "100ms", "-o", "/dev/full", "--max-live", "50000")
        self.assert_status(result, 1)
        self.assertIn("No space left", result.err)

    def test_output(self):
        """-o FILE: the reports are there, and nothing on standard output"""
        with tempfile.TemporaryDirectory() as folder:
            result = kmemleak("--json", "-o", f"{folder}/x", "-i", "100ms", "--duration", "450ms",
                              "--max-live", "50000", *QUIET)
            self.assert_status(result, 0)
            self.assertEqual(result.out, "")
            with open(f"{folder}/x", encoding="utf-8") as file:
                written = [json.loads(line) for line in file]
        self.assertGreaterEqual(len(written), 2)
        self.assertEqual({report["tool"] for report in written}, {"kmemleak"})

    def test_text(self):
        """text: what lives in all, then rows, the oldest first; several at once see the same"""
        with waiting(leak("eventfds", HELD)) as (load, pid):
            options = ["-v", "-p", str(pid), "--allocators", "kmalloc", "--max-live", "50000"]
            with Running([KMEMLEAK, *options, "--exact"]) as unit, \
                 Running([KMEMLEAK, *options, "--exact", "--json"]) as other, \
                 Running([KMEMLEAK, *options, "--json"]) as by_site:
                for one in (unit, other, by_site):
                    one.wait_for(OBSERVING)
                work(load)
                seen = [ask(one) for one in (other, by_site)]
                result = finish(unit)
        self.assert_status(result, 0)
        for report in seen:  # those that run at one time see the same
            rows = self.assert_rows(report, at_leaf(EVENTFD), HELD, "eventfds",
                                    total=size(chosen(seen[0], at_leaf(EVENTFD))))
        lines = result.out.splitlines()
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  kmemleak, the last [\d.]+ m?s: "
                                   r"[\d,]+ objects, [\d.]+ [KM]iB, .*\b\d+ call sites?\b")
        self.assertRegex(lines[1], r"^ +objects +bytes +oldest +allocator +comm +pid$")
        row = re.search(rf"(?m)^ +1,000 +([\d.]+) KiB +[\d.]+ m?s  kmalloc +leak +{pid}\n +"
                        r"(\w+)\+0x[0-9a-f]+ \[kernel\]\n", result.out)
        self.assertTrue(row, result.out)
        self.assertIn(row.group(2), EVENTFD)
        self.assertLess(abs(float(row.group(1)) - size(rows) / 1024), 0.1)
        self.assertLessEqual(max(map(len, lines)), 160)

    def test_long_table(self):
        """text: a long table is cut, and says so"""
        with Running([KMEMLEAK, "-v", "--exact", "--max-live", "50000"]) as unit:
            unit.wait_for(OBSERVING)
            # Each has several rows of its own.
            kinds = ("eventfds", "pipes", "unix", "udp", "pipes", "eventfds", "pipes", "unix")
            with beside(*(leak(kind, 10) for kind in kinds)) as loads:
                for load, _ in loads:
                    work(load)
                text = finish(unit)
        self.assertRegex(text.out, r"\n\.\.\. \d+ more groups of objects; --json has them all\n$")

    def test_terminal(self):
        """a terminal: reports take each other's place, and fit"""
        seen = screens(on_terminal([KMEMLEAK, "-i", "200ms", "--duration", "1500ms", "--max-live",
                                    "50000"]))
        self.assertGreaterEqual(len(seen), 2)
        for screen in seen:
            self.assertLessEqual(screen.count("\n"), 20)

    def test_json_contract(self):
        """--json: the members of the contract, a stack's leaf first; numbers are numbers"""
        with around(leak("pages", HELD), "--exact", "-p", "PID") as (unit, load):
            exact = ask(unit)
            pid = load.process.pid
        self.assertGreater(exact["objects"], HELD, shown(exact))
        with around(leak("eventfds", HELD), "-p", "PID") as (unit, _):
            sites = ask(unit)
        for report in (exact, sites):
            self.assertEqual(list(report)[:5], ["tool", "version", "time", "elapsed_ns", "lost"])
            self.assertEqual(report["tool"], "kmemleak")
            self.assertRegex(report["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            for member in ("objects", "bytes", "call_sites", "call_sites_with_stacks"):
                self.assertIsInstance(report[member], int)
            self.assertLessEqual(report["call_sites_with_stacks"], report["call_sites"])
            self.assert_adds_up(report)
            ages = [row["oldest_ns"] for row in report["rows"]]
            self.assertEqual(ages, sorted(ages, reverse=True))
            for row in report["rows"]:
                for member in ("count", "bytes", "oldest_ns"):
                    self.assertIsInstance(row[member], int)
                self.assertRegex(row["allocator"], r"^(kmalloc|cache|percpu|vmalloc|"
                                 r"pages, order \d+ (un)?(movable|reclaimable))$")
                self.assertIn(len(row.keys() & {"comm", "pid"}), (0, 2))
                for frame in row["stack"]:
                    if frame["name"] is None:
                        self.assertRegex(frame["addr"], "^0x[0-9a-f]+$")
        self.assertEqual(exact["call_sites"], exact["call_sites_with_stacks"])
        for row in exact["rows"]:
            self.assertEqual((row["comm"], row["pid"]), ("leak", pid), row)
            # Stacks begin in the kernel, not in the unit's own programs.
            for frame in row["stack"]:
                self.assertNotRegex(frame["name"] or "", r"^(bpf_trace_run|keep_|made_|stack_here)",
                                    shown(exact))
                self.assertNotEqual(frame.get("module"), "[bpf]", shown(exact))
        self.assertFalse([row for row in sites["rows"] if len(row["stack"]) > 1])

    # Pictures.

    def folded(self, base):
        with open(f"{base}.folded", encoding="utf-8") as file:
            lines = [re.fullmatch(r"(.+) (\d+)", line.rstrip("\n")) for line in file]
        self.assertTrue(all(lines))
        return [(line.group(1).split(";"), int(line.group(2))) for line in lines]

    def test_flame_graph(self):
        """--flame-graph: the stacks weigh what they hold, together the report's bytes"""
        for options in ([],) if GUEST else (["--exact"], []):
            with self.subTest(" ".join(options)), tempfile.TemporaryDirectory() as folder:
                with around(leak("eventfds", HELD), "-p", "PID", "--allocators", "kmalloc,cache",
                            "--flame-graph", f"{folder}/f", *options) as (unit, _):
                    result = finish(unit)
                self.assert_status(result, 0)
                lines = self.folded(f"{folder}/f")
                self.assertEqual(sum(weight for _, weight in lines), result.report["bytes"],
                                 shown(result.report))
                weights = sum(weight for stack, weight in lines
                              if re.sub(r"_\[k\]$", "", stack[-1]) in EVENTFD)
                self.assertEqual(weights, size(chosen(result.report, at_leaf(EVENTFD))), lines)
                root = xml.parse(f"{folder}/f.svg").getroot()
                self.assertEqual(root.find("{http://www.w3.org/2000/svg}title").text, "kmemleak")
                with open(f"{folder}/f.svg", encoding="utf-8") as file:
                    self.assertIn("bytes", file.read())

    def test_flame_graph_of_user(self):
        """--flame-graph of --user: bytes under the functions that leak"""
        with tempfile.TemporaryDirectory() as folder:
            with around(heap("--wait", "kinds", 10), "--user", "--exact", "-p", "PID",
                        "--flame-graph", f"{folder}/f") as (unit, _):
                result = finish(unit)
            lines = self.folded(f"{folder}/f")
        self.assertEqual(sum(weight for _, weight in lines), result.report["bytes"])
        moved = [weight for stack, weight in lines if stack[-1] == "leak_moved"]
        self.assertEqual(sum(moved), 10 * 3000, lines)
        self.assertTrue(all(stack[0] == "heap" for stack, _ in lines), lines)

    def test_intervals(self):
        """-i: several reports, each of all that lives, at its time"""
        with around(leak("eventfds", HELD), "-p", "PID", "-i", "100ms", "--allocators",
                    "kmalloc") as (unit, load):
            for _ in range(3):
                ask(unit)
            drop(load)
            result = finish(unit)
        self.assertGreaterEqual(len(result.reports), 4)
        counts = [count(chosen(report, at_leaf(EVENTFD))) for report in result.reports]
        self.assertEqual(counts[:3], [HELD] * 3, "all three, as long as they are held")
        self.assertEqual(counts, sorted(counts, reverse=True))

    def test_hostile_name(self):
        """a program's name with escape sequences cannot steer the terminal"""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, os.fsdecode(b"x\x1b[2J\xff\n;y"))
            subprocess.run(["cp", leak()[0], path], check=True)
            with Running([path, "eventfds", "10"], stdin=subprocess.PIPE) as load:
                pid = load.wait_for(r"ready (\d+)", load.out).group(1)
                with Running([KMEMLEAK, "-v", "--exact", "-p", pid, "--max-live", "50000",
                              "--flame-graph", f"{folder}/f"]) as unit:
                    unit.wait_for(OBSERVING)
                    go(load)
                    load.wait_for("made", load.out)
                    result = finish(unit)
            self.assert_status(result, 0)
            self.assertNotIn("\033", result.out)
            self.assertRegex(result.out, "eventfd")
            self.assertEqual(sum(weight for stack, weight in self.folded(f"{folder}/f")
                                 if re.sub(r"_\[k\]$", "", stack[-1]) in EVENTFD) % 10, 0)
