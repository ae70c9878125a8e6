# SPDX-License-Identifier: GPL-2.0-only
"""rundelay's figures beside the kernel's /proc/TID/schedstat, as the loads read it themselves."""

import os
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

from harness import (CPUS, GUEST, Case, Running, cgroup2_root, go, heat_cells, observe_load,
                     observe_together, run, sched, tool, waiting_load)

RUNDELAY = tool("rundelay")

# Every way in which rundelay gets its figures. Those that stand in for what a kernel lacks are
# forced where the kernel has it. The scheduler's account and stamps of one's own differ by what
# the scheduler does between the two, so short waits are compared in the first two ways only.
WAYS = {
    "as this kernel allows": ([], {}),
    "without task storage": ([], {"BPF_PROF_WITHOUT": "task_storage"}),
    "with stamps": (["--stamps"], {}),
    "without the scheduler's account": ([], {"BPF_PROF_WITHOUT": "sched_info,task_storage"}),
}
EXACT = ["as this kernel allows", "without task storage"]

# An emulator that runs a guest's CPUs in turn may stop one, for up to a tenth of a second, between
# the scheduler's look at the clock and somebody else's. That shows in stamps, not in the account.
EMULATED_NS = 250e6 if GUEST else 0

# What lies between the scheduler's looks at the clock and rundelay's, in percent; a host that takes
# a virtual machine's CPU away just then adds to it.
STAMPS_PERCENT = 5

# A thread reads its account a moment before its last wait, and its first is from before its
# first statement: an event or two cannot be told apart.
EVENTS = 2


# Busy threads on one CPU.
HOGS = ["hogs", "1", "0,0,0"]


def rundelay(*args, way="as this kernel allows", load=()):
    options, env = WAYS[way]
    return run([RUNDELAY, "--json", *options, *args, "--", *sched(*load)], env=env)


def observe(*args, way="as this kernel allows", load=()):
    """
    rundelay's result around a load, that is just what the load's accounts hold; its threads are
    those that the load's printed.
    """
    options, env = WAYS[way]
    with waiting_load(*load) as (waiting, pid):
        argv = [RUNDELAY, "-v", "--json", *options, *[a.replace("PID", str(pid)) for a in args]]
        unit, loaded = observe_load(argv, waiting, env=env)
    unit.out += loaded.out
    return unit


def total(threads):
    return {key: sum(t[key] for t in threads) for key in ("wait_ns", "turns")}


class Agreeing(Case):
    def agree(self, row, truth, what, slack_ns=0, events=EVENTS):
        self.assert_close(row["count"], truth["turns"], 2, f"{what}: count", events)
        percent = 2
        if not what.startswith(tuple(EXACT)) and what.startswith(tuple(WAYS)):
            percent = STAMPS_PERCENT
            slack_ns += EMULATED_NS
        self.assert_close(row["sum_ns"], truth["wait_ns"], percent, f"{what}: sum", slack_ns)
        self.assertEqual(row["count"], sum(b["count"] for b in row["hist"]), what)
        self.assertLessEqual(row["min_ns"], row["p50_ns"], what)
        self.assertLessEqual(row["p50_ns"], row["p95_ns"], what)
        self.assertLessEqual(row["p95_ns"], row["p99_ns"], what)
        self.assertLessEqual(row["p99_ns"], row["max_ns"], what)

    def agree_by_thread(self, result, names, what, slack_ns=0, events=EVENTS):
        """Each thread of the load that is so named has its row, and it is right."""
        rows = {row["tid"]: row for row in result.report["rows"]}
        compared = 0
        for tid, truth in result.threads.items():
            if not truth["comm"].startswith(names):
                continue
            self.assertIn(tid, rows, f"{what}: no row for {truth}: {result}")
            self.agree(rows[tid], truth, f"{what}: {truth['comm']}", slack_ns, events)
            self.assertEqual(rows[tid]["comm"], truth["comm"])
            self.assertEqual(rows[tid]["pid"], truth["pid"])
            compared += 1
        self.assertGreater(compared, 0, str(result))
        return compared

    def nothing_lost(self, result):
        # While some other tracer comes or goes, a kernel may pass by the tracepoint.
        lost = result.report["lost"]
        self.assertEqual(lost["total"] - lost["unseen"], 0, str(result))


class Truth(Agreeing):
    def test_hogs(self):
        """busy threads that share a CPU: each thread's count and sum are schedstat's"""
        for way in WAYS:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["hogs", "1", "0,0,0"])
                self.assert_status(result, 0)
                self.assertEqual(self.agree_by_thread(result, "hog", way), 3)
                self.nothing_lost(result)

    def test_hogs_by_other_clocks(self):
        """busy threads that share a CPU: what they wait is the time in which they do not run"""
        for way in WAYS:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["hogs", "1", "0,0"])
                self.assert_status(result, 0)
                rows = {row["tid"]: row for row in result.report["rows"]}
                for tid, said in result.threads.items():
                    if not said["comm"].startswith("hog"):
                        continue
                    # A thread's CPU time holds no interrupts and no stolen time, wall time does.
                    self.assert_close(rows[tid]["sum_ns"], said["wall_ns"] - said["cpu_ns"], 5,
                                      f"{way}: {said['comm']}", 5e6 + EMULATED_NS)

    def test_one_row(self):
        """one row in all: count and sum of all threads together are schedstat's"""
        result = observe("-p", "PID", load=["hogs", "1", "0,0,1,1"])
        self.assert_status(result, 0)
        self.assertEqual(len(result.report["rows"]), 1)
        self.agree(result.report["rows"][0], total(result.threads.values()), "all")
        self.nothing_lost(result)

    def test_pair(self):
        """two threads that wake each other on one CPU, tens of thousands of times"""
        for way in EXACT:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["pair", "20000", "0"])
                self.assert_status(result, 0)
                self.assertEqual(self.agree_by_thread(result, "player", way), 2)
                self.nothing_lost(result)

    def test_pair_across_cpus(self):
        """two threads that wake each other across CPUs"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        for way in EXACT:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["pair", "5000", "0,1"])
                self.assert_status(result, 0)
                self.assertEqual(self.agree_by_thread(result, "player", way, slack_ns=50000), 2)

    def test_pair_with_stamps(self):
        """stamps of one's own see every wakeup: the count is schedstat's, no wait takes no time"""
        for way in ("with stamps", "without the scheduler's account"):
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["pair", "20000", "0"])
                self.assert_status(result, 0)
                rows = {row["tid"]: row for row in result.report["rows"]}
                for tid, said in result.threads.items():
                    if said["comm"].startswith("player"):
                        self.assert_close(rows[tid]["count"], said["turns"], 2, way, EVENTS)
                        self.assertGreater(rows[tid]["min_ns"], 0)

    def test_spawn(self):
        """threads that are created while it runs: each of a hundred"""
        for way, (options, env) in WAYS.items():
            with self.subTest(way), waiting_load("spawn", "100", "0") as (load, pid):
                unit, loaded = observe_load([RUNDELAY, "-v", "--json", "--perins", *options, "-p",
                                             str(pid)], load, env=env)
                self.assert_status(unit, 0)
                rows = {row["tid"]: row for row in unit.report["rows"]}
                flies = [t for t in loaded.threads.values() if t["comm"].startswith("hog")]
                self.assertEqual(len(flies), 100)
                self.assertEqual({r["pid"] for r in rows.values()}, {pid})
                found = [rows[fly["tid"]] for fly in flies]
                truth = total(flies)
                self.assert_close(sum(r["count"] for r in found), truth["turns"], 2, way)
                self.assert_close(sum(r["sum_ns"] for r in found), truth["wait_ns"],
                                  2 if way in EXACT else STAMPS_PERCENT, way,
                                  0 if way in EXACT else EMULATED_NS)
                self.nothing_lost(unit)
                if way in EXACT:
                    same = sum(row["count"] == fly["turns"] and
                               abs(row["sum_ns"] - fly["wait_ns"]) <= 0.02 * fly["wait_ns"]
                               for row, fly in zip(found, flies))
                    self.assertGreaterEqual(same, 98, f"{way}: {unit}")

    def test_migrate(self):
        """waits across forced migrations are one wait, as long as all of it"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        for way in WAYS:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", way=way, load=["migrate", "1"])
                self.assert_status(result, 0)
                self.assertEqual(self.agree_by_thread(result, "hog", way), 6)
                self.nothing_lost(result)

    def test_comm(self):
        """--comm: only the threads whose names match, with several globs"""
        for way in WAYS:
            with self.subTest(way):
                result = observe("--perins", "--comm", "hog-[02],nobody*", way=way,
                                 load=["hogs", "1", "0,0,0"])
                self.assert_status(result, 0)
                # Its first wait may have been under its creator's name.
                early = max(t["early_ns"] for t in result.threads.values())
                self.assertEqual(self.agree_by_thread(result, ("hog-0", "hog-2"), way, early), 2)
                self.assertEqual(sorted(r["comm"] for r in result.report["rows"]),
                                 ["hog-0", "hog-2"])

    def test_comm_of_renamed(self):
        """--comm: a thread that takes a matching name is observed from then on"""
        for way in EXACT:
            with self.subTest(way):
                result = observe("--perins", "--comm", "ren*", way=way,
                                 load=["rename", "1", "0,0"])
                self.assert_status(result, 0)
                self.assertEqual([r["comm"] for r in result.report["rows"]], ["renamed"])
                truth = [t for t in result.threads.values() if t["comm"] == "renamed"][0]
                row = result.report["rows"][0]
                # It had the name for the second half of its life, by the clock.
                self.assertGreater(row["count"], 0, way)
                self.assertLess(row["count"], truth["turns"], way)
                self.assertLess(row["sum_ns"], truth["wait_ns"] * 0.9, way)

    def test_pid(self):
        """-p: a process that runs already, with the threads that it creates"""
        with Running(sched("hogs", "2", "0")), waiting_load("hogs", "1", "0,0") as (load, pid):
            unit, loaded = observe_load(
                [RUNDELAY, "-v", "--json", "--perins", "-p", str(pid)], load)
        self.assert_status(unit, 0)
        rows = {row["tid"]: row for row in unit.report["rows"]}
        self.assertEqual({r["pid"] for r in rows.values()}, {pid})
        for tid, truth in loaded.threads.items():
            if truth["comm"].startswith("hog"):
                self.agree(rows[tid], truth, truth["comm"])

    def test_pids(self):
        """-p with several processes: all of their threads and no others"""
        with waiting_load("hogs", "1", "0") as (a, pid_a), \
             waiting_load("hogs", "1", "0") as (b, pid_b), \
             waiting_load("hogs", "1", "0") as (c, _):
            unit, *loaded = observe_load(
                [RUNDELAY, "-v", "--json", "--perins", "-p", f"{pid_a},{pid_b}"], a, b, c)
        self.assert_status(unit, 0)
        rows = {row["tid"]: row for row in unit.report["rows"]}
        self.assertEqual({r["pid"] for r in rows.values()}, {pid_a, pid_b})
        for tid, truth in {**loaded[0].threads, **loaded[1].threads}.items():
            if truth["comm"].startswith("hog"):
                self.agree(rows[tid], truth, truth["comm"])

    def test_pid_used_again(self):
        """-p: who gets the id when the process has ended is somebody else"""
        if not os.path.exists("/proc/sys/kernel/ns_last_pid"):
            self.skipTest("this kernel cannot be told which id to give next")
        first = subprocess.Popen(["sleep", "60"])
        with Running([RUNDELAY, "-v", "--json", "--perins", "-p", str(first.pid)]) as unit:
            unit.wait_for("rundelay: observing")
            first.kill()
            first.wait()
            for _ in range(100):
                with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                    file.write(str(first.pid - 1))
                again = subprocess.Popen(sched("hogs", "0.3", "0,0"), stdout=subprocess.DEVNULL)
                again.wait()
                if again.pid == first.pid:
                    break
            unit.signal(signal.SIGINT)
            result = unit.result()
        if again.pid != first.pid:
            self.skipTest("others took the id, a hundred times")
        self.assert_status(result, 0)
        self.assertLess(sum(r["count"] for r in result.report["rows"]), 5, str(result))

    def test_tid(self):
        """-t: one thread, and two, and none of their siblings"""
        for count in (1, 2):
            with self.subTest(f"{count} threads"), \
                 waiting_load("main", "1", "0") as (a, pid_a), \
                 waiting_load("main", "1", "0") as (b, pid_b):
                chosen = [pid_a, pid_b][:count]
                unit, *loaded = observe_load(
                    [RUNDELAY, "-v", "--json", "--perins", "-t", ",".join(map(str, chosen))], a, b)
                self.assert_status(unit, 0)
                rows = {row["tid"]: row for row in unit.report["rows"]}
                self.assertEqual(set(rows), set(chosen), str(unit))
                said = {**loaded[0].threads, **loaded[1].threads}
                for tid in chosen:
                    self.agree(rows[tid], said[tid], str(tid))

    def test_cpus(self):
        """-C: only waits that end on these CPUs"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        for way in WAYS:
            with self.subTest(way):
                result = observe("--perins", "-p", "PID", "-C", "1", way=way, load=["hogs", "1", "0,0,1,1"])
                self.assert_status(result, 0)
                for said in result.threads.values():
                    said["wait_ns"] -= said["early_ns"]
                # Its first waits may have been on the other CPU, or not.
                self.assertEqual(self.agree_by_thread(
                    result, ("hog-2", "hog-3"), way,
                    max(t["early_ns"] for t in result.threads.values())), 2)
                # The others may be there with a wait from before they went to their CPU.
                for row in result.report["rows"]:
                    if row["comm"] in ("hog-0", "hog-1"):
                        self.assertLess(row["count"], 5, way)

    def test_cgroup(self):
        """--cgroup: only tasks in the cgroup and below, named by its path or the end of it"""
        root = cgroup2_root()
        if not root:
            self.skipTest("cgroup v2 is not mounted")
        outer, inner = f"{root}/rundelay-test-{os.getpid()}", "inner"
        os.mkdir(outer)
        os.mkdir(f"{outer}/{inner}")
        try:
            for name in (outer, outer[len(root):], f"rundelay-test-{os.getpid()}",
                         f"rundelay-test-{os.getpid()}/inner"):
                with self.subTest(name), Running(sched("hogs", "2", "0")), \
                     waiting_load("hogs", "1", "0,0") as (load, pid):
                    with open(f"{outer}/{inner}/cgroup.procs", "w", encoding="ascii") as procs:
                        procs.write(str(pid))
                    unit, loaded = observe_load(
                        [RUNDELAY, "-v", "--json", "--perins", "--cgroup", name], load)
                    self.assert_status(unit, 0)
                    rows = {row["tid"]: row for row in unit.report["rows"]}
                    self.assertEqual({r["pid"] for r in rows.values()}, {pid}, str(unit))
                    for tid, truth in loaded.threads.items():
                        if truth["comm"].startswith("hog"):
                            self.agree(rows[tid], truth, truth["comm"])
        finally:
            os.rmdir(f"{outer}/{inner}")
            os.rmdir(outer)

    def test_children(self):
        """-- CMD: its children and their threads are observed, nobody else"""
        hogs = " ".join(sched("hogs", "1", "0,0"))
        with Running(sched("hogs", "4", "0")) as other:
            result = run([RUNDELAY, "--json", "--perins", "--", "sh", "-c",
                          f"{hogs} & {hogs}; wait"])
            stranger = other.process.pid
        self.assert_status(result, 0)
        # A thread waits once more, to end; where other things run, some times.
        slack = 2 * max(r["max_ns"] for r in result.report["rows"])
        self.assertEqual(self.agree_by_thread(result, "hog", "children", slack, 2 * EVENTS), 4)
        self.assertNotIn(stranger, [r["pid"] for r in result.report["rows"]])
        self.nothing_lost(result)

    def test_intervals(self):
        """-i: the intervals' figures add up to the whole, nothing falls between two of them"""
        for perins in ([], ["--perins"]):
            with self.subTest(" ".join(perins)):
                result = observe("-i", "100ms", *perins, "-p", "PID", load=["hogs", "1", "0,0,0"])
                self.assert_status(result, 0)
                self.assertGreater(len(result.reports), 2)
                rows = [r for report in result.reports for r in report["rows"] if r["count"]]
                truth = total(result.threads.values())
                self.assert_close(sum(r["count"] for r in rows), truth["turns"], 2, "count", 8)
                self.assert_close(sum(r["sum_ns"] for r in rows), truth["wait_ns"], 2, "sum")
                self.assertEqual(sum(r["lost"]["total"] - r["lost"]["unseen"]
                                     for r in result.reports), 0)
                for row in rows:
                    # Extremes are each interval's own: they bound its average.
                    self.assertLessEqual(row["min_ns"], row["avg_ns"])
                    self.assertLessEqual(row["avg_ns"], row["max_ns"])

    def test_than(self):
        """--than: each longer wait, no shorter one, and who ran meanwhile"""
        limit = 1000000
        result = rundelay("--than", "1ms", "--comm", "hog-*", load=["hogs", "1", "0,0"])
        self.assert_status(result, 0)
        self.nothing_lost(result)
        row, events = result.report["rows"][0], result.report["events"]
        self.assertGreater(len(events), 10, str(result))
        self.assertTrue(all(e["delay_ns"] > limit for e in events))
        self.assertEqual(max(e["delay_ns"] for e in events), row["max_ns"])
        surely = sum(b["count"] for b in row["hist"] if b["lo_ns"] > limit)
        maybe = sum(b["count"] for b in row["hist"] if b["hi_ns"] > limit)
        self.assertLessEqual(surely, len(events) + result.report["lost"]["unseen"])
        self.assertLessEqual(len(events), maybe)
        times = [e["time"] for e in events]
        self.assertEqual(times, sorted(times), "events are ordered by time")
        mates = {t["tid"]: t["comm"] for t in result.threads.values()}
        seen = 0
        for event in events:
            self.assertEqual(event["cpu"], 0)
            self.assertEqual(event["comm"], mates[event["tid"]])
            whole = sum(r["sum_ns"] for r in event["ran"])
            self.assert_close(whole, event["delay_ns"], 2, f"who ran: {event}",
                              EMULATED_NS or 50000)
            # The two share the CPU: while one waits it is mostly the other that runs, if the
            # machine has nothing else to do. (A thread is not its own mate: who waits does not
            # run, up to the moment that the scheduler takes from stamp to switch.)
            for ran in event["ran"]:
                if ran.get("tid") != event["tid"] and ran["comm"].startswith("hog"):
                    seen += ran["sum_ns"] > 0.8 * event["delay_ns"]
        self.assertGreater(seen, 0.1 * len(events), str(result))

    def test_than_detail(self):
        """--detail: the switches, interrupts and migrations meanwhile, in order, within the wait"""
        result = rundelay("--than", "3ms", "--detail", "--comm", "hog-*",
                          load=["hogs", "1", "0,0"])
        self.assert_status(result, 0)
        events = result.report["events"]
        self.assertGreater(len(events), 3, str(result))
        kinds = set()
        for event in events:
            before = [h["before_end_ns"] for h in event["happened"] if "before_end_ns" in h]
            self.assertEqual(before, sorted(before, reverse=True))
            self.assertTrue(all(b <= event["delay_ns"] for b in before))
            self.assertTrue(any(h["what"] == "ran" for h in event["happened"]), str(event))
            kinds |= {h["what"].split()[0] for h in event["happened"]}
        self.assertIn("softirq", kinds, "the timer's softirq in seconds of busy CPUs")

    def test_most_events(self):
        """-N: stops after exactly so many events"""
        result = run([RUNDELAY, "--json", "--than", "1us", "-N", "7", "--",
                      *sched("hogs", "5", "0,0")])
        self.assert_status(result, 0)
        self.assertEqual(len(result.report["events"]), 7)
        self.assertLess(result.report["elapsed_ns"], 4.5e9)

    def test_heatmap(self):
        """--heatmap: its cells add up to the report's count; its times are the run's"""
        with tempfile.TemporaryDirectory() as folder:
            for options in ([], ["--perins"], ["-i", "300ms"]):
                with self.subTest(" ".join(options)):
                    result = rundelay("--heatmap", f"{folder}/map", *options,
                                      load=["hogs", "1", "0,0"])
                    self.assert_status(result, 0)
                    count = sum(r["count"] for report in result.reports for r in report["rows"])
                    cells = heat_cells(f"{folder}/map.lat")
                    self.assertEqual(sum(c[3] for c in cells), count)
                    self.assertGreater(len({c[0] for c in cells}), 5)
                    longest = max(r["max_ns"] for report in result.reports
                                  for r in report["rows"] if r["count"])
                    self.assertTrue(any(c[1] <= longest < c[2] for c in cells))
                    self.assertEqual(xml.parse(f"{folder}/map.svg").getroot().tag,
                                     "{http://www.w3.org/2000/svg}svg")

    def test_report_now(self):
        """SIGUSR1: a report of what there is so far, which the final one still holds"""
        with Running([RUNDELAY, "-v", "--json", "--", *sched("hogs", "2", "0,0")]) as unit:
            unit.wait_for("rundelay: observing")
            time.sleep(1)
            unit.signal(signal.SIGUSR1)
            result = unit.result()
        self.assert_status(result, 0)
        now, final = result.reports
        self.assertGreater(now["rows"][0]["count"], 0)
        self.assertLess(now["rows"][0]["count"], final["rows"][0]["count"])
        self.assertGreater(final["elapsed_ns"], now["elapsed_ns"])
        self.assertGreaterEqual(final["rows"][0]["count"],
                                total(result.threads.values())["turns"] - EVENTS)

    def test_full_table(self):
        """--max-threads: a full table is told and counted, and the rows that are there are right"""
        result = observe("--perins", "--max-threads", "20", "-p", "PID", load=["spawn", "100", "0"])
        self.assert_status(result, 0)
        lost = result.report["lost"]
        self.assertGreater(lost["map_full"], 0)
        self.assertEqual(lost["total"], lost["map_full"] + lost["unseen"])
        self.assertRegex(result.err, r"lost \d+ events: \d+ map_full .*--max-threads")
        self.assertGreater(len(result.report["rows"]), 15)
        counted = sum(r["count"] for r in result.report["rows"])
        truth = total(result.threads.values())["turns"]
        self.assert_close(counted + lost["total"], truth, 2, "counted and lost", 4)
        for row in result.report["rows"]:
            self.assertLessEqual(row["count"], result.threads[row["tid"]]["turns"] + EVENTS)


if __name__ == "__main__":
    unittest.main()


class Filter(Agreeing):
    """--filter: what holds of the thread that waited counts, and nothing else."""

    def assert_only(self, load, names, *args):
        """The load's threads that are so named have their rows, which are right; others have none."""
        result = observe("--perins", *args, load=load)
        self.assert_status(result, 0)
        # Its first waits may have been under its creator's name.
        early = max(t["early_ns"] for t in result.threads.values())
        self.agree_by_thread(result, names, "filtered", early)
        mine = {tid: t["comm"] for tid, t in result.threads.items()}
        for row in result.report["rows"]:
            self.assertTrue(mine.get(row["tid"], "").startswith(names), str(result))
        if "-p" in args:  # of a whole machine, threads come and go
            self.nothing_lost(result)

    def test_names(self):
        """by expressions over comm: == and globs, of the thread that waited, not of who runs"""
        for text, names in (('comm=="hog-1"', "hog-1"), ('pid!=0 && comm~"hog-[02]"',
                                                         ("hog-0", "hog-2")),
                            ('_comm=="hog-1"', "hog-1")):
            with self.subTest(text):
                self.assert_only(HOGS, names, "-p", "PID", "--filter", text)

    def test_a_word(self):
        """a word alone is a glob of the thread's name, without any other option"""
        self.assert_only(HOGS, "hog-1", "-p", "PID", "--filter", "hog-1")
        self.assert_only(HOGS, ("hog-0", "hog-2"), "-p", "PID", "--filter", "h*g-[02]")

    def test_process(self):
        """by pid, and by priority: loads run at nice -20, which is 100"""
        self.assert_only(HOGS, "hog", "--filter", "pid==PID && prio==100 && comm~\"hog*\"")
        result = observe("--perins", "-p", "PID", "--filter", "prio!=100", load=HOGS)
        self.assertEqual(result.report["rows"], [])

    def test_cpu(self):
        """by the CPU where the wait ended"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        result = observe("--perins", "-p", "PID", "--filter", 'cpu==1 && comm~"hog*"',
                         load=["hogs", "1", "0,0,1,1"])
        self.assert_status(result, 0)
        for said in result.threads.values():
            said["wait_ns"] -= said["early_ns"]
        # Its first waits may have been on the other CPU, or not.
        early = max(t["early_ns"] for t in result.threads.values())
        self.agree_by_thread(result, ("hog-2", "hog-3"), "on CPU 1", early)
        for row in result.report["rows"]:
            if row["comm"] in ("hog-0", "hog-1"):  # before they went to their CPU
                self.assertLess(row["count"], 5, str(row))

    def test_lengths(self):
        """waits of a length and the others are all waits together"""
        with waiting_load(*HOGS) as (load, pid):
            common = [RUNDELAY, "--json", "-v", "-p", str(pid)]
            seen, _ = observe_together([[*common, "--filter", "delay>=2000000"],
                                        [*common, "--filter", "delay<2000000"], common], load)
        for result in seen:
            self.assert_status(result, 0)
        long, short, whole = (result.report["rows"][0] for result in seen)
        self.assertGreater(long["count"], 10)
        self.assertGreater(short["count"], 0)
        self.assertGreaterEqual(long["min_ns"], 2000000)
        self.assertLess(short["max_ns"], 2000000)
        self.assert_close(long["count"] + short["count"], whole["count"], 0, "count", EVENTS)
        self.assert_close(long["sum_ns"] + short["sum_ns"], whole["sum_ns"], 1, "sum")

    def test_single_waits(self):
        """--than shows those for which it holds"""
        result = observe("--than", "1ms", "-p", "PID", "--filter", 'comm=="hog-2"', load=HOGS)
        events = [e for o in result.objects for e in o.get("events", [])]
        self.assertGreater(len(events), 5, str(result))
        self.assertEqual({event["comm"] for event in events}, {"hog-2"})

    def test_errors(self):
        """what cannot be compiled: status 2, a caret and the fields; two names: one line"""
        for text, says in (("commm==\"x\"", "commm"), ("pid>", ""), ("delay>1 &&", ""),
                           ("comm==1", ""), ("nosuch>1", "nosuch")):
            with self.subTest(text):
                result = run([RUNDELAY, "--filter", text, "--duration", "100ms"])
                self.assert_status(result, 2)
                lines = result.err.splitlines()
                self.assertRegex(lines[0], f"^rundelay: .*{says}")
                self.assertEqual(lines[1].strip(), text.strip())
                self.assertRegex(lines[2], r"^ +\^$")
        self.assertRegex(run([RUNDELAY, "--filter", "nosuch>1"]).err, "there are: delay pid tid")
        result = run([RUNDELAY, "--filter", "ng*", "--comm", "x"])
        self.assert_status(result, 2)
        self.assert_one_line(result, "--comm")
        result = run([RUNDELAY, "--filter", ""])
        self.assert_status(result, 2)
        self.assert_one_line(result, "empty")
