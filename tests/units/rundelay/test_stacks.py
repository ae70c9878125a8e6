# SPDX-License-Identifier: GPL-2.0-only
"""rundelay -g: how and where the waits of loads began whose waits are known."""

import os
import tempfile

from harness import (CPUS, GUEST, Case, heat_cells, in_kernel, named, observe_load, run, sched,
                     tool, waiting_load)

RUNDELAY = tool("rundelay")

# A thread reads its account a moment before its last wait; so in test_truth.py.
EVENTS = 2

# The second is how kernels without task storage are dealt with.
WAYS = ({}, {"BPF_PROF_WITHOUT": "task_storage"})


# What busy threads of the load are in.
CODE = {"spin_until", "hog", "thread_main"}

OTHER = {"player-0": "player-1", "player-1": "player-0"}


def observe(*args, load, env=None):
    """rundelay -g's result around a load, which is just what the load's accounts hold."""
    with waiting_load(*load) as (waiting, pid):
        argv = [RUNDELAY, "-v", "--json", "-g", "-p", str(pid), *args]
        unit, loaded = observe_load(argv, waiting, env=env)
    unit.out += loaded.out
    return unit


def switches_of(pid):
    """How often each thread went to sleep, and was preempted."""
    switches = {}
    for tid in map(int, os.listdir(f"/proc/{pid}/task")):
        with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8") as file:
            said = dict(line.rstrip().split(":", 1) for line in file)
        if tid != pid:
            switches[tid] = (int(said["voluntary_ctxt_switches"]),
                             int(said["nonvoluntary_ctxt_switches"]))
    return switches


def observe_switches(*load):
    """As observe() by thread, and what the kernel says of the threads' switches."""
    with waiting_load(*load) as (waiting, pid):
        switches = {}
        argv = [RUNDELAY, "-v", "--json", "-g", "--perins", "-p", str(pid)]
        result, _ = observe_load(argv, waiting, at_end=lambda: switches.update(switches_of(pid)))
    return result, switches


def rows_of(result):
    return [row for report in result.reports for row in report["rows"]]


def count(rows):
    return sum(row["count"] for row in rows)


def summed(rows):
    return sum(row["sum_ns"] for row in rows)


class Stacks(Case):
    def agree(self, rows, said, what):
        self.assert_close(count(rows), said["turns"], 2, f"{what}: count", EVENTS)
        self.assert_close(summed(rows), said["wait_ns"], 2, f"{what}: sum")

    def test_add_up(self):
        """--perins: the rows of a thread, by stack, are what schedstat has of it"""
        for env in WAYS:
            for load in (["hogs", "1", "0,0,0"], ["pair", "20000", "0"]):
                with self.subTest(f"{load[0]} {env}"):
                    result = observe("--perins", load=load, env=env)
                    self.assert_status(result, 0)
                    self.assertGreaterEqual(len(result.threads), 2, str(result))
                    for tid, said in result.threads.items():
                        if said["comm"] != "sched":
                            self.agree([row for row in rows_of(result) if row["tid"] == tid],
                                       said, said["comm"])

    def test_preemption(self):
        """busy threads that share a CPU: preempted, each in its own code"""
        result = observe(load=["hogs", "1", "0,0,0"])
        self.assert_status(result, 0)
        hogs = [row for row in rows_of(result) if row["comm"].startswith("hog")]
        preempted = [row for row in hogs if row["cause"] == "preemption"]
        self.assertGreater(summed(preempted), 0.9 * summed(hogs), str(result))
        for row in preempted:
            self.assertNotIn("by", row)
            self.assertTrue(row["stack"], row)
            # Its top is the switch, not the program that looks at it.
            self.assertRegex(row["stack"][0]["name"] or "", "schedule", row)
        own = [row for row in preempted if set(named(row["stack"])) & CODE]
        self.assertGreater(summed(own), 0.9 * summed(preempted), str(result))

    def test_causes(self):
        """two threads that wake each other: as often as the kernel says they slept"""
        for cpus in ("0", "0,1")[:CPUS]:
            with self.subTest(cpus):
                result, switches = observe_switches("pair", "20000", cpus)
                self.assert_status(result, 0)
                rows = [row for row in rows_of(result) if row["tid"] in switches]
                self.assertLessEqual(set(OTHER), {row["comm"] for row in rows}, str(result))
                for tid, (slept, preempted) in switches.items():
                    own = [row for row in rows if row["tid"] == tid]
                    for cause, times in (("wakeup", slept), ("preemption", preempted)):
                        of_cause = [row for row in own if row["cause"] == cause]
                        self.assert_close(count(of_cause), times, 2, f"{cause}: {own}", 2 * EVENTS)
                # Before they have these names, they are named as who makes them.
                woken = [row for row in rows
                         if row["cause"] == "wakeup" and row["comm"] in OTHER]
                by_other = [row for row in woken if row["by"] == OTHER[row["comm"]]]
                self.assertGreaterEqual(count(by_other), 0.98 * count(woken) - 2, str(result))
                for row in by_other:
                    self.assertEqual(row["by_pid"], row["pid"])
                    # Its top is what wakes, not the program that looks at it.
                    self.assertRegex(row["stack"][0]["name"] or "", "wake", row)
                writing = [row for row in by_other if "eventfd_write" in named(row["stack"])]
                self.assertGreaterEqual(count(writing), 0.98 * count(by_other), str(result))

    def test_interrupt(self):
        """a timer's wakeup is an interrupt's, whoever was running, and ends with it"""
        times = 20
        # No more frames than are asked for, and one for what is cut off.
        for option, most in (([], 127), (["--no-kernel-callchain"], 0), (["--max-stack", "1"], 2)):
            with self.subTest(" ".join(option)):
                result = run([RUNDELAY, "--json", "-g", *option, "--", "sh", "-c",
                              f"for i in $(seq {times}); do sleep 0.03; done"])
                self.assert_status(result, 0)
                rows = [row for row in rows_of(result)
                        if row.get("by") == "[interrupt]" and row["comm"] == "sleep"]
                if not option:
                    rows = [row for row in rows if "hrtimer_wakeup" in named(row["stack"])]
                    for row in rows:
                        self.assertRegex(row["stack"][-1]["name"], "^asm_sysvec_|^el[01]")
                # Others may come by interrupts, too: what a program's start waits for.
                self.assertGreaterEqual(count(rows), 0.9 * times, str(result))
                self.assertLessEqual(count(rows), 1.1 * times if not option else 5 * times)
                self.assertFalse([row for row in rows if "by_pid" in row])
                self.assertLessEqual(max(len(row["stack"]) for row in rows), most)

    def test_no_room(self):
        """--max-threads: without room, waits are counted, with nothing of their beginning"""
        result = observe("--perins", "--max-threads", "1", load=["hogs", "1", "0,0,0"])
        self.assert_status(result, 0)
        self.assertIn("unseen", {row["cause"] for row in rows_of(result)})
        self.assertEqual(result.report["lost"]["map_full"], 0)
        for tid, said in result.threads.items():
            if said["comm"].startswith("hog"):
                self.agree([row for row in rows_of(result) if row["tid"] == tid], said, "hog")

    def test_new(self):
        """a new thread's first wait begins with a wakeup by who makes it"""
        result = observe("--perins", load=["spawn", "8", "0"])
        self.assert_status(result, 0)
        # Who makes it may be preempted there, too.
        first = [row for row in rows_of(result)
                 if row["cause"] == "wakeup" and "wake_up_new_task" in named(row["stack"])]
        self.assertEqual({row["by"] for row in first}, {"sched"}, str(result))
        self.assertEqual(len({row["tid"] for row in first}), 8, str(result))

    def test_intervals(self):
        """-i: what waits in one interval and is switched in in the next has its stack there"""
        result = observe("-i", "50ms", load=["hogs", "1", "0,0,0"])
        self.assert_status(result, 0)
        # To read the names of the kernel first takes an emulated machine a second.
        self.assertGreater(len(result.reports), 1 if GUEST else 10)
        rows = [row for row in rows_of(result) if row["comm"].startswith("hog")]
        accounts = [t for t in result.threads.values() if t["comm"].startswith("hog")]
        self.assert_close(summed(rows), sum(t["wait_ns"] for t in accounts), 2, "sum")
        self.assert_close(count(rows), sum(t["turns"] for t in accounts), 2, "count", 8)
        seen = [row for row in rows if row["cause"] != "unseen"]
        self.assertGreater(summed(seen), 0.9 * summed(rows), str(result))
        self.assertEqual([row for row in seen if not row["stack"]], [])

    def test_single(self):
        """--than: each wait with its beginning and stack"""
        result = run([RUNDELAY, "--json", "-g", "--than", "1ms", "--comm", "hog-*", "--",
                      *sched("hogs", "1", "0,0")])
        self.assert_status(result, 0)
        events = result.report["events"]
        self.assertGreater(len(events), 10, str(result))
        preempted = [e for e in events if e["cause"] == "preemption"]
        self.assertGreater(len(preempted), 0.8 * len(events), str(result))
        for event in preempted:
            self.assertTrue(event["stack"], event)
            self.assertRegex(event["stack"][0]["name"] or "", "schedule")

    def test_parts(self):
        """--no-user-callchain, --no-kernel-callchain: the other part alone"""
        for option, kernel in (("--no-user-callchain", True), ("--no-kernel-callchain", False)):
            with self.subTest(option):
                result = observe(option, load=["hogs", "1", "0,0"])
                self.assert_status(result, 0)
                frames = [frame for row in rows_of(result) for frame in row["stack"]]
                self.assertTrue(frames, str(result))
                self.assertEqual({in_kernel(frame) for frame in frames}, {kernel}, str(result))

    def test_flame_graph(self):
        """--flame-graph: who waits, why, by whom, the stack; its weights are the report's sum"""
        with tempfile.TemporaryDirectory() as folder:
            result = observe("--flame-graph", f"{folder}/waits", load=["pair", "5000", "0"])
            self.assert_status(result, 0)
            with open(f"{folder}/waits.folded", encoding="utf-8") as file:
                lines = [line.rsplit(" ", 1) for line in file.read().splitlines()]
            self.assertEqual(sum(int(weight) for _, weight in lines), summed(rows_of(result)))
            starts = {tuple(stack.split(";")[:3]) for stack, _ in lines}
            self.assertIn(("player-0", "wakeup", "player-1"), starts)
            self.assertIn("preemption", {cause for _, cause, *_ in starts})
            with open(f"{folder}/waits.svg", encoding="utf-8") as file:
                self.assertRegex(file.read(), r"player-0[^<]*[0-9.]+ (ns|us|ms|s)\b")

    def test_heatmap(self):
        """--heatmap beside -g: its cells add up to the reports' count"""
        with tempfile.TemporaryDirectory() as folder:
            for options in ([], ["-i", "300ms"]):
                with self.subTest(" ".join(options)):
                    result = run([RUNDELAY, "--json", "-g", "--heatmap", f"{folder}/map", *options,
                                  "--", *sched("hogs", "2", "0,0")])
                    self.assert_status(result, 0)
                    cells = heat_cells(f"{folder}/map.lat")
                    self.assertEqual(sum(cell[3] for cell in cells), count(rows_of(result)))
                    self.assertGreater(len({cell[0] for cell in cells}), 5)

    def test_text(self):
        """text: a row and its stack below; no column for threads without --perins"""
        result = run([RUNDELAY, "-g", "--duration", "300ms"])
        self.assert_status(result, 0)
        head = next(line for line in result.out.splitlines() if "cause" in line).split()
        self.assertEqual(head[:4], ["sum", "percent", "count", "max"])
        self.assertNotIn("tid", head)
        self.assertRegex(result.out, r"\n {8}\S+\+0x[0-9a-f]+ \[kernel\]\n")
