# SPDX-License-Identifier: GPL-2.0-only
"""top against programs that make a known number of events per key, and against the kernel's counts."""

import os
import subprocess
import time

from events import COUNT, WRITE
from harness import LOAD, Case, Running, cpu, go, observe_load, release, run, tool, waiting

TOP = tool("top")


def calls(threads, number):
    """Thread t of so many, calls-t, calls write(-1, NULL, t) t * number times."""
    return [os.path.join(LOAD, "calls"), str(threads), str(number)]


def by_key(report):
    return {row["key"]: row for row in report["rows"] if "key" in row}


def softirqs():
    """What the kernel counted of each vector on all CPUs."""
    with open("/proc/softirqs", encoding="ascii") as file:
        lines = file.read().splitlines()[1:]
    return {vector: sum(map(int, line.split()[1:])) for vector, line in enumerate(lines)}


class Truth(Case):
    def top(self, *args, command=None):
        result = run([TOP, "--json", *args, *(["--", *command] if command else [])])
        self.assert_status(result, 0)
        self.assertEqual(result.report["lost"]["total"], 0, str(result))
        return result

    def test_counts(self):
        """each key has exactly as many events as a program made of it, on several CPUs at once"""
        report = self.top("-e", f"{WRITE}key={COUNT}/alias=calls/", command=calls(8, 3000)).report
        self.assertEqual({key: row["calls"] for key, row in by_key(report).items()},
                         {t: 3000 * t for t in range(1, 9)})
        self.assertEqual(report["keys"], 8)
        self.assertEqual([row["key"] for row in report["rows"]], [8, 7, 6, 5, 4, 3, 2, 1])

    def test_one_key_for_all(self):
        """threads that write to one row at once lose nothing"""
        report = self.top("-e", f"{WRITE}key=(int)args[0]/alias=calls/top-add={COUNT}/",
                          command=calls(8, 5000)).report
        self.assertEqual(report["rows"],
                         [{"key": -1, "calls": 5000 * sum(t * t for t in range(1, 9))}])

    def test_losses(self):
        """events at which the kernel skips the program are told: with them, none is missing"""
        result = run([TOP, "--json", "-e", "syscalls:sys_enter_write/(int)fd==-1/key=1/alias=calls/",
                      "--", *calls(8, 3000)])
        self.assert_status(result, 0)
        lost = result.report["lost"]
        self.assertEqual(lost["total"], lost["recursion"])
        self.assertLess(lost["total"], 3000 * 36 // 100)
        # Among them are other calls than those that are looked for.
        seen = result.report["rows"][0]["calls"]
        self.assertLessEqual(seen, 3000 * 36)
        self.assertGreaterEqual(seen + lost["total"], 3000 * 36)

    def test_sums(self):
        """top-by= and top-add= add up exactly, also below 0; rows are sorted by top-by="""
        report = self.top("-e", f"{WRITE}key={COUNT}/top-add=1/top-by=100-{COUNT}/"
                          f"top-add=-(long){COUNT}/",
                          "-e", "raw_syscalls:sys_exit/ret==-9/key=_comm==\"\"/top-by=ret/",
                          command=calls(5, 1000)).report
        rows = by_key(report)
        for t in range(1, 6):
            self.assertEqual(rows[t], {"key": t, "1": 1000 * t, f"100-{COUNT}": 1000 * t * (100 - t),
                                       f"-(long){COUNT}": -1000 * t * t, "ret": 0})
        self.assertEqual(rows[0]["ret"], -9 * 15000)
        self.assertEqual([row["key"] for row in report["rows"]], [5, 4, 3, 2, 1, 0])

    def test_default_key(self):
        """without a key, there is a row for each thread, with its name"""
        result = self.top("-e", WRITE, command=calls(4, 100))
        tids = next(o for o in result.objects if "tids" in o)["tids"]
        self.assertEqual({tid: (row["name"], row["raw_syscalls:sys_enter"])
                          for tid, row in by_key(result.report).items()},
                         {tid: (f"calls-{t}", 100 * t) for t, tid in enumerate(tids, 1)})

    def test_renamed(self):
        """a thread has the name that it had last: not the one before the command began"""
        report = self.top("-e", "syscalls:sys_enter_e*", command=["sh", "-c", "true"]).report
        self.assertEqual([row["name"] for row in report["rows"]], ["sh"])

    def test_only_comm(self):
        """--only-comm: a row for each name, whatever the key; also for comm= of the event"""
        report = self.top("-e", f"{WRITE}key={COUNT}/", "--only-comm", command=calls(4, 100)).report
        self.assertEqual({row["key"]: row["raw_syscalls:sys_enter"] for row in report["rows"]},
                         {f"calls-{t}": 100 * t for t in range(1, 5)})
        report = self.top("-e", 'sched:sched_switch/next_comm~"calls-?"/comm=next_comm/',
                          "--only-comm", "--comm", "*", command=calls(2, 100)).report
        self.assertLessEqual({row["key"] for row in report["rows"]}, {"calls-1", "calls-2"})

    def test_several_events(self):
        """several events have columns of one table: what is entered is left"""
        report = self.top("-e", f"{WRITE}alias=enter/,raw_syscalls:sys_exit/ret==-9/alias=exit/",
                          "-e", f"{WRITE}top-add={COUNT}*2/", "-k", "_comm",
                          command=calls(3, 500)).report
        self.assertEqual(by_key(report), {
            f"calls-{t}": {"key": f"calls-{t}", "enter": 500 * t, "exit": 500 * t,
                           f"{COUNT}*2": 1000 * t * t} for t in range(1, 4)})

    def test_wildcard(self):
        """what matches a name with wildcards has one column: all of it"""
        report = self.top("-e", 'syscalls:sys_*_write/_comm~"calls-*"/key=_comm/',
                          command=calls(1, 300)).report
        self.assertEqual({row["key"]: row["syscalls:sys_*_write"] for row in report["rows"]},
                         {"calls-1": 600})

    def test_others(self):
        """keys beyond the table's size are one row, `other`: nothing is missing from the sums"""
        report = self.top("-e", f"{WRITE}key={COUNT}/alias=calls/top-add=1/top-add={COUNT}/",
                          "--max-keys", "5", command=calls(12, 200)).report
        others = [row for row in report["rows"] if "key" not in row]
        self.assertEqual((len(report["rows"]), len(others), report["keys"]), (6, 1, 5))
        self.assertEqual(others[0]["name"], "other")
        for row in report["rows"]:
            if "key" in row:
                self.assertEqual(row["calls"], 200 * row["key"])
        self.assertEqual(sum(row["calls"] for row in report["rows"]), 200 * 78)
        self.assertEqual(sum(row[COUNT] for row in report["rows"]),
                         200 * sum(t * t for t in range(1, 13)))
        self.assertEqual(report["other_events"], others[0]["calls"])
        self.assertNotIn("key", report["rows"][-1])

    def test_intervals(self):
        """reports of intervals add up to the whole: nothing is lost or shown twice at their ends"""
        with waiting([*calls(4, 40000)[:1], "--wait", *calls(4, 40000)[1:]]) as (load, pid):
            result, _ = observe_load([TOP, "--json", "-v", "-i", "20ms", "-p", str(pid), "-e",
                                      f"{WRITE}key={COUNT}/alias=calls/"], load)
        self.assert_status(result, 0)
        sums, lost = {}, 0
        for report in result.reports:
            lost += report["lost"]["recursion"]
            self.assertEqual(report["lost"]["total"], report["lost"]["recursion"])
            for row in report["rows"]:
                sums[row["key"]] = sums.get(row["key"], 0) + row["calls"]
        self.assertGreater(len(result.reports), 1, str(result))
        whole = {t: 40000 * t for t in range(1, 5)}
        # While top reads its maps no program runs on that CPU: 7 may preempt it then all the same.
        if not lost:
            self.assertEqual(sums, whole)
        self.assertLessEqual(lost, 0 if release() < (7,) else 4000)
        self.assertLessEqual(sum(sums.values()), sum(whole.values()))
        self.assertGreaterEqual(sum(sums.values()) + lost, sum(whole.values()))

    def test_strace(self):
        """there are as many calls as strace -c counts"""
        traced = run(["strace", "-f", "-c", "-e", "trace=write", *calls(1, 300)])
        self.assert_status(traced, 0)
        line = next(l for l in traced.err.splitlines() if l.endswith(" write"))
        report = self.top("-e", "syscalls:sys_enter_write/_comm~\"calls*\"/key=1/alias=calls/",
                          command=calls(1, 300)).report
        self.assertEqual(report["rows"], [{"key": 1, "calls": int(line.split()[3])}])

    def test_all_calls(self):
        """all system calls of a program are as many as strace -c counts, entered and left"""
        traced = run(["strace", "-f", "-c", "ls", "/"])
        self.assert_status(traced, 0)
        total = int(next(l for l in traced.err.splitlines() if l.endswith(" total")).split()[3])
        # strace counts what returns: execve, at whose entry this is not called ls yet, but not the end.
        report = self.top("-e", "syscalls:sys_enter_*//alias=in/,syscalls:sys_exit_*//alias=out/",
                          "-k", "_comm", command=["ls", "/"]).report
        row = by_key(report)["ls"]
        self.assertEqual((row["in"], row["out"]), (total, total))

    def test_softirqs(self):
        """softirqs by vector: as many as /proc/softirqs counts, and called the same"""
        outer = softirqs()
        with Running([TOP, "--json", "-v", "-e", "irq:softirq_entry//key=vec/alias=n/"]) as unit:
            unit.wait_for("observing$")
            inner = softirqs()
            time.sleep(0.5)
            run(calls(4, 1000))
            inner = {vector: count - inner[vector] for vector, count in softirqs().items()}
            unit.signal(2)
            result = unit.result()
        outer = {vector: count - outer[vector] for vector, count in softirqs().items()}
        self.assert_status(result, 0)
        counts = {row["key"]: row["n"] for row in result.report["rows"]}
        with open("/proc/softirqs", encoding="ascii") as file:
            names = [line.split(":")[0].strip() for line in file][1:]
        for row in result.report["rows"]:
            self.assertEqual(row["name"], names[row["key"]])
        self.assertGreater(sum(counts.values()), 0)
        lost = result.report["lost"]["recursion"]
        for vector, most in outer.items():
            self.assertLessEqual(counts.get(vector, 0), most, f"vector {vector}: {result}")
            self.assertGreaterEqual(counts.get(vector, 0) + lost, inner[vector],
                                    f"vector {vector}: {result}")

    def test_faults(self):
        """what perf counts: page faults of a process are those of getrusage(2)"""
        with waiting([os.path.join(LOAD, "pages"), "--wait", "write", "1000"]) as (load, pid):
            result, loaded = observe_load([TOP, "--json", "-v", "-p", str(pid), "-k", "_pid", "-e",
                                           "page-faults//alias=faults/"], load)
        self.assert_status(result, 0)
        said = next(o for o in loaded.objects if "minor" in o)
        faults = said["minor_before"] + said["minor"] + said["minor_after"] + said["major"]
        self.assertGreaterEqual(faults, 1000)
        self.assertEqual(result.report["rows"], [{"key": pid, "faults": faults}])

    def test_runtime(self):
        """the CPU time of a thread by sched_stat_runtime is that of /proc/PID/schedstat"""
        with waiting(cpu("--wait", "burn", "0.5")) as (load, pid):
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
                before = int(file.read().split()[0])
            with Running([TOP, "--json", "-v", "-e",
                          f"sched:sched_stat_runtime/pid=={pid}/key=pid/top-by=runtime/"]) as unit:
                unit.wait_for("observing$")
                go(load)
                load.wait_for("done", load.out)
                unit.signal(2)
                result = unit.result()
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
                after = int(file.read().split()[0])
            go(load)
        self.assert_status(result, 0)
        self.assertEqual(len(result.report["rows"]), 1, str(result))
        self.assert_close(result.report["rows"][0]["runtime"], after - before, 2, "runtime",
                          slack=5_000_000)

    def test_switches(self):
        """how often a thread is switched out, as /proc/PID/status has it"""
        sleeper = subprocess.Popen(["python3", "-c", "import time\n"
                                    "input()\nfor _ in range(200): time.sleep(0.001)\n"
                                    "print('done', flush=True)\ninput()"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def switches():
            with open(f"/proc/{sleeper.pid}/status", encoding="ascii") as file:
                return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

        try:
            while self.state(sleeper.pid) != "S":
                time.sleep(0.01)
            time.sleep(0.1)
            before = switches()
            with Running([TOP, "--json", "-v", "-e",
                          f"sched:sched_switch/prev_pid=={sleeper.pid}/key=prev_pid/alias=n/"
                          "comm=prev_comm/"]) as unit:
                unit.wait_for("observing$")
                sleeper.stdin.write(b"\n")
                sleeper.stdin.flush()
                sleeper.stdout.readline()
                while self.state(sleeper.pid) != "S":
                    time.sleep(0.01)
                time.sleep(0.1)
                after = switches()
                unit.signal(2)
                result = unit.result()
        finally:
            sleeper.kill()
            sleeper.communicate()
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"],
                         [{"key": sleeper.pid, "name": "python3", "n": after - before}])

    @staticmethod
    def state(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def test_processes(self):
        """probes of a file count in the processes that are named, in all their threads, and nowhere else"""
        load = os.path.join(LOAD, "calls")
        events = f'uprobe:work@"{load}"//alias=in/,uretprobe:work@"{load}"//alias=out/'
        argv = [TOP, "--json", "-v", "-k", "_pid", "-e", events]
        with waiting([load, "--wait", "5", "10"]) as (first, pid), \
             waiting([load, "--wait", "3", "10"]) as (second, other):
            result = observe_load([*argv, "-p", str(pid)], first, second)[0]
            self.assert_status(result, 0)
            self.assertEqual(result.report["rows"], [{"key": pid, "in": 5, "out": 5}])
        with waiting([load, "--wait", "5", "10"]) as (first, pid), \
             waiting([load, "--wait", "3", "10"]) as (second, other):
            result = observe_load([*argv, "-p", f"{pid},{other}"], first, second)[0]
            self.assert_status(result, 0)
            self.assertEqual(result.report["rows"], [{"key": pid, "in": 5, "out": 5},
                                                     {"key": other, "in": 3, "out": 3}])

    def test_printkey(self):
        """printkey= writes the key another way, and the number stays"""
        for form, text in (('printf("call of %d%%", key)', "call of 3%"), ('"%#06x"', "0x0003"),
                           ('"[%-4u]"', "[3   ]"), ('printf("%c",key)', "\x03")):
            report = self.top("-e", f"{WRITE[:-1]}&&{COUNT}==3/key={COUNT}/alias=n/printkey={form}/",
                              command=calls(3, 10)).report
            self.assertEqual(report["rows"], [{"key": 3, "name": text, "n": 30}])
