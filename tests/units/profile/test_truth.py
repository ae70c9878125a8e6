# SPDX-License-Identifier: GPL-2.0-only
"""profile's figures beside the shares of a load, and beside the kernel's account of CPU time."""

import contextlib
import math
import os
import signal
import time
import unittest

from harness import (CPUS, GUEST, LOAD, Case, Running, at_one_time, cgroup2_root, count_of, cpu, go,
                     in_kernel, named, observe_load, observe_together, preferred, run, sched, tool,
                     waiting)

PROFILE = tool("profile")
HZ = 999

# Threads that share a CPU change places at ticks: this meets each of a tick's moments in turn, at
# any of the rates that kernels tick at.
UNEVEN_HZ = 1777

# An emulator that runs CPUs in turn stops one while another is busy, and all of them while the host
# is, of which the guest's account of CPU time knows nothing: of the samples due then, one comes.
LEAST = 5 if GUEST else 96  # percent of the samples that an account of CPU time lets expect
MOST = 104


def pinned(where, argv):
    return ["taskset", "-c", str(where), *argv]


def burner(where, *before):
    """A load that burns on a CPU until the test ends it."""
    return Running([*before, *pinned(where, cpu("burn", "1000"))])


def profile(*options):
    return run([PROFILE, "--json", "-F", str(HZ), *options])


def observe(*options, load, hz=HZ):
    """The report of profile, and what the load said, around the load's work."""
    with waiting(preferred(load)) as (loaded, pid):
        unit, said = observe_load([PROFILE, "-v", "--json", "-F", str(hz), *[
            option.replace("PID", str(pid)) for option in options]], loaded)
    return unit.report, said.said, unit


class Truth(Case):
    def assert_time(self, count, ns, what, hz=HZ, slack=3, percent=None):
        """So many samples are that time, as far as this machine's clock lets them."""
        expected = ns / 1e9 * hz
        # Of a thread that shares its CPU, which of its moments are sampled is chance.
        slack += math.sqrt(expected)
        least, most = (LEAST, MOST) if percent is None or GUEST else (100 - percent, 100 + percent)
        self.assertLessEqual(count, expected * most / 100 + slack, what)
        self.assertGreaterEqual(count, expected * least / 100 - slack, what)

    def assert_nothing_lost(self, result):
        self.assertEqual([r["lost"]["total"] for r in result.reports], [0] * len(result.reports))

    # Shares of the time.

    def test_shares(self):
        """70, 20 and 10 % are that, within 3 points, in `functions` and in `rows`"""
        hz = 1999 if GUEST else 4999
        report, said, unit = observe("-p", "PID", "--exclude-kernel", hz=hz,
                                     load=cpu("--wait", "burn", "1"))
        self.assert_nothing_lost(unit)
        self.assertEqual(report["frequency_hz"], hz)
        functions = {f["name"]: f for f in report["functions"]}
        for name, share in (("burn_seventy", 70), ("burn_twenty", 20), ("burn_ten", 10)):
            in_rows = count_of(report, lambda row, name=name: row["stack"][0]["name"] == name)
            self.assertLess(abs(100 * in_rows / report["samples"] - share), 3, name)
            self.assertEqual(functions[name]["self"], in_rows)
            self.assertLess(abs(functions[name]["self_percent"] - share), 3, name)
            callers = {tuple(named(row["stack"])[1:3]) for row in report["rows"]
                       if row["stack"][0]["name"] == name and row["count"] > 9}
            self.assertEqual(callers, {("burn_round", "main")})
        self.assertGreater(functions["burn_round"]["total_percent"], 97)
        self.assertLess(functions["burn_round"]["self_percent"], 3)
        self.assertGreater(functions["main"]["total_percent"], 97)
        self.assertEqual(functions["main"]["total"],
                         count_of(report, lambda row: "main" in named(row["stack"])))
        self.assertEqual(sum(f["self"] for f in report["functions"]), report["samples"])
        self.assert_time(report["samples"], said["user_ns"], "samples", hz)

    def test_time(self):
        """samples are CPU time: by getrusage(), at each frequency"""
        for hz in (99, 499, 1999):
            with self.subTest(hz):
                report, said, unit = observe("-p", "PID", hz=hz, load=cpu("--wait", "burn", "0.6"))
                self.assert_nothing_lost(unit)
                self.assertEqual({row["pid"] for row in report["rows"]}, {said["pid"]})
                self.assertEqual(count_of(report), report["samples"])
                self.assert_time(report["samples"], said["user_ns"] + said["system_ns"], hz, hz)
                share = 100 * report["samples"] / hz / CPUS / (report["elapsed_ns"] / 1e9)
                self.assertLess(abs(report["cpu_percent"] - share), 0.1)
                self.assertEqual(report["cpus"], CPUS)

    def test_user_and_kernel(self):
        """user and kernel time, and either alone: as getrusage() splits it"""
        options = ([], ["--exclude-kernel"], ["--exclude-user"])
        with waiting(preferred(cpu("--wait", "both", "1.2"))) as (load, pid):
            seen, said = observe_together(
                [[PROFILE, "-v", "--json", "-F", str(HZ), "-p", str(pid), *o] for o in options],
                load)
        both, user, kernel = (result.report for result in seen)
        said = said[0].said
        total = said["user_ns"] + said["system_ns"]
        self.assertTrue(all(not in_kernel(row["stack"][0]) for row in user["rows"]))
        self.assertTrue(all(in_kernel(row["stack"][0]) for row in kernel["rows"]))
        self.assert_time(both["samples"], total, "both")
        in_user = count_of(both, lambda row: not in_kernel(row["stack"][0]))
        # The account is by ticks, 250 of them a second.
        points = 15 if GUEST else 10
        self.assertLess(abs(in_user / both["samples"] - said["user_ns"] / total), points / 100)
        for part, count in ((user, in_user), (kernel, both["samples"] - in_user)):
            self.assert_close(part["samples"], count, 10 if GUEST else 4, "alone", 9)

    def test_shares_of_kernel(self):
        """time in the kernel is below the system call that took it, and the program's call of it"""
        report, said, _ = observe("-p", "PID", "--exclude-user",
                                  load=cpu("--wait", "kernel", "0.5"))
        self.assert_time(report["samples"], said["system_ns"], "samples", percent=8)
        inside = count_of(report, lambda row: "__x64_sys_getrandom" in named(row["stack"]) or
                          "__do_sys_getrandom" in named(row["stack"]))
        self.assertGreater(inside, 0.9 * report["samples"])
        below = count_of(report, lambda row: "getrandom" in named(row["stack"]))
        self.assertGreater(below, 0.9 * report["samples"])

    def test_idle(self):
        """samples and what the kernel counts as idle are all the time that there is"""
        def idle():
            with open("/proc/stat", encoding="ascii") as file:
                fields = file.readline().split()
            return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")
        with Running([PROFILE, "-v", "--json", "-F", str(HZ), "--duration", "1500ms"]) as unit:
            unit.wait_for("profile: observing")
            before, began = idle(), time.monotonic()
            time.sleep(1.3)
            idle_share = (idle() - before) / (time.monotonic() - began) / CPUS
            report = unit.result().report
        busy = 100 * (1 - idle_share)
        self.assertLess(report["cpu_percent"], busy + (25 if GUEST else 8))
        self.assertGreater(report["cpu_percent"], (0 if GUEST else busy - 12))
        self.assertLess(count_of(report, pid=0), 0.05 * CPUS * 1.5 * HZ,
                        "an idle CPU's interrupts are little")

    @at_one_time
    def test_busy_cpu(self):
        """a CPU with a hog is sampled all the time, --cpus alone"""
        with burner(CPUS - 1) as hog:
            report = profile("-C", str(CPUS - 1), "--duration", "800ms").report
            self.assertEqual(report["cpus"], 1)
            self.assertGreater(report["cpu_percent"], 20 if GUEST else 95)
            self.assertLess(report["cpu_percent"], 103)
            if CPUS > 1:
                other = profile("-C", "0", "--duration", "300ms").report
                self.assertEqual(count_of(other, pid=hog.process.pid), 0)

    def test_intervals(self):
        """-i: the intervals' samples add up to the CPU time: none is lost or counted twice"""
        with waiting(cpu("--wait", "burn", "1")) as (load, pid):
            unit, said = observe_load([PROFILE, "-v", "--json", "-F", str(HZ), "-i", "100ms", "-p",
                                       str(pid)], load)
        self.assertGreater(len(unit.reports), 1 if GUEST else 5)
        self.assert_nothing_lost(unit)
        self.assert_time(sum(r["samples"] for r in unit.reports),
                         said.said["user_ns"] + said.said["system_ns"], "all intervals")
        for report in unit.reports:
            self.assertLess(report["samples"],
                            report["elapsed_ns"] / 1e9 * HZ * 1.05 + (100 if GUEST else 3))

    # Filters.

    def test_pids(self):
        """-p: these processes and no others, each with its time"""
        with waiting(cpu("--wait", "burn", "0.4")) as (a, pid_a), \
             waiting(cpu("--wait", "burn", "0.4")) as (b, pid_b), \
             waiting(cpu("--wait", "burn", "0.4")) as (c, _):
            unit, *loads = observe_load([PROFILE, "-v", "--json", "-F", str(HZ), "-p",
                                         f"{pid_a},{pid_b}"], a, b, c)
        self.assertEqual({row["pid"] for row in unit.report["rows"]}, {pid_a, pid_b})
        for load in loads[:2]:
            said = load.said
            self.assert_time(count_of(unit.report, pid=said["pid"]),
                             said["user_ns"] + said["system_ns"], "its time")

    def test_threads(self):
        """-p: all threads of a process, later ones too; -t: one of them, with its own time"""
        with waiting(sched("--wait", "main", "0.8", "0")) as (load, pid):
            base = [PROFILE, "-v", "--json", "-F", str(HZ)]
            seen, said = observe_together([base + ["-p", str(pid)], base + ["-t", str(pid)]], load)
        threads = said[0].threads
        both, main = (result.report for result in seen)
        self.assert_time(both["samples"], sum(t["cpu_ns"] for t in threads.values()), "both",
                         slack=9)
        self.assert_time(main["samples"], threads[pid]["cpu_ns"], "the main thread", slack=9)
        self.assertLess(main["samples"], 0.7 * both["samples"])
        self.assertGreater(main["samples"], 0.3 * both["samples"])

    def test_comm(self):
        """--comm: threads whose names match, with several globs"""
        with waiting(cpu("--wait", "burn", "0.4")) as (a, _), \
             waiting(cpu("--wait", "burn", "0.4", program="cpu-other")) as (b, _):
            seen, said = observe_together(
                [[PROFILE, "-v", "--json", "-F", str(HZ), "--comm", globs]
                 for globs in ("cpu-*", "nobody,c?u")], a, b)
        for result, load, comm in ((seen[0], said[1], "cpu-other"), (seen[1], said[0], "cpu")):
            mine = load.said
            rows = result.report["rows"]
            self.assertEqual({row["comm"] for row in rows}, {comm})
            self.assert_time(count_of(result.report, pid=mine["pid"]),
                             mine["user_ns"] + mine["system_ns"], comm, slack=5)

    def test_cgroup(self):
        """--cgroup: only tasks in the cgroup and below"""
        root = cgroup2_root()
        if not root:
            self.skipTest("cgroup v2 is not mounted")
        outer = f"{root}/profile-test-{os.getpid()}"
        os.makedirs(f"{outer}/inner")
        try:
            with burner(0), waiting(cpu("--wait", "burn", "0.4")) as (load, pid):
                with open(f"{outer}/inner/cgroup.procs", "w", encoding="ascii") as procs:
                    procs.write(str(pid))
                unit, said = observe_load([PROFILE, "-v", "--json", "-F", str(HZ), "--cgroup",
                                           os.path.basename(outer)], load)
            said = said.said
            self.assertEqual({row["pid"] for row in unit.report["rows"]}, {pid})
            self.assert_time(unit.report["samples"], said["user_ns"] + said["system_ns"],
                             "its time")
        finally:
            os.rmdir(f"{outer}/inner")
            os.rmdir(outer)

    def test_children(self):
        """-- CMD: its children with their time, and nobody else"""
        words = " ".join(cpu("burn", "0.3"))
        with burner(0) as other:
            result = profile("--", "sh", "-c", f"{words} & {words}; wait")
            stranger = other.process.pid
        self.assert_status(result, 0)
        said = [o for o in result.objects if "user_ns" in o]
        self.assertEqual(len(said), 2)
        self.assertNotIn(stranger, {row["pid"] for row in result.report["rows"]})
        for load in said:
            # Its own account begins behind exec.
            self.assert_time(count_of(result.report, pid=load["pid"], comm="cpu"),
                             load["user_ns"] + load["system_ns"], "a child",
                             slack=60 if GUEST else 8)

    @at_one_time
    def test_filter(self):
        """--filter: by name, process, priority, and by the instruction's address"""
        symbols = run(["nm", "-S", f"{LOAD}/cpu"])
        begin, length = (int(n, 16) for n in next(
            line for line in symbols.out.splitlines() if line.endswith(" burn_seventy")).split()[:2])
        with waiting(preferred(cpu("--wait", "burn", "1"))) as (load, pid):
            common = [PROFILE, "-v", "--json", "-F", str(HZ), "--exclude-kernel"]
            (one, whole, others), _ = observe_together(
                [[*common, "--filter", f'comm=="cpu" && ip>={begin} && ip<{begin + length}'],
                 [*common, "--filter", f"pid=={pid} && prio==100 && tid==_tid"],
                 [*common, "-p", str(pid), "--filter", "prio!=100 || comm~\"c?u?*\""]], load)
        for result in (one, whole, others):
            self.assert_status(result, 0)
        self.assertEqual({row["stack"][0]["name"] for row in one.report["rows"]}, {"burn_seventy"})
        self.assertEqual({row["pid"] for row in whole.report["rows"]}, {pid})
        self.assertEqual(others.report["rows"], [])
        seventy = count_of(whole.report, lambda row: row["stack"][0]["name"] == "burn_seventy")
        self.assertGreater(seventy, 100 if not GUEST else 10)
        self.assert_close(count_of(one.report), seventy, 10 if not GUEST else 40, "burn_seventy", 5)

    def test_filter_by_a_word(self):
        """--filter WORD is a thread's name, or a glob of it"""
        for word, there in (("cp[uU]", True), ("c*u", True), ("cp", False)):
            report, _, _ = observe("-p", "PID", "--filter", word, load=cpu("--wait", "burn", "1"))
            self.assertEqual(bool(report["rows"]), there, word)

    def test_exclude_pid(self):
        """--exclude_pid: everybody but this process"""
        with waiting(cpu("--wait", "burn", "0.4")) as (a, pid_a), \
             waiting(cpu("--wait", "burn", "0.4")) as (b, pid_b):
            unit, _, said = observe_load([PROFILE, "-v", "--json", "-F", str(HZ), "--exclude_pid",
                                          str(pid_a)], a, b)
        said = said.said
        self.assertEqual(count_of(unit.report, pid=pid_a), 0)
        self.assert_time(count_of(unit.report, pid=pid_b), said["user_ns"] + said["system_ns"],
                         "the other")

    def watch(self, options, burners, seconds=0.5):
        """
        For each of @options, how many samples it has of each of the burners, which @burners makes
        when all observe: a list for each.
        """
        with contextlib.ExitStack() as stack:
            base = [PROFILE, "-v", "--json", "-F", str(UNEVEN_HZ)]
            units = [stack.enter_context(Running([*base, *o])) for o in options]
            for unit in units:
                unit.wait_for("profile: observing")
            loads = [stack.enter_context(make()) for make in burners]
            time.sleep(2 if GUEST else seconds)
            # All of them see the loads from their beginnings to their ends.
            for load in loads:
                load.signal(signal.SIGKILL)
            for unit in units:
                unit.signal(signal.SIGINT)
            pids = [load.process.pid for load in loads]
            reports = [unit.result().report for unit in units]
        # By its name: before, it is what makes it what it is to be.
        return [[count_of(report, pid=pid, comm="cpu") for pid in pids] for report in reports]

    def assert_chosen(self, options, burners, chosen):
        """Of @burners, each of @options has all samples of those @chosen for it, no other's."""
        whole, *seen = self.watch([[]] + options, burners)
        self.assertGreater(sum(whole), 50)
        for option, counts, wanted in zip(options, seen, chosen):
            for i, count in enumerate(counts):
                if i in wanted:
                    self.assert_close(count, whole[i], 15, (option, i, counts, whole), 10)
                else:
                    self.assertLess(count, 4, (option, i, counts, whole))

    @at_one_time
    def test_sched_policy(self):
        """--sched_policy: threads of that policy"""
        for number, letter, priority in ((3, "-b", 0), (5, "-i", 0), (1, "-f", 1), (2, "-r", 1)):
            with self.subTest(letter):
                self.assert_chosen(
                    [["--sched_policy", str(number)], ["--sched_policy", "0"]],
                    [lambda: burner(CPUS - 1),
                     lambda l=letter, p=priority: burner(0, "chrt", l, str(p))], [{1}, {0}])

    @at_one_time
    def test_prio(self):
        """--prio: the kernel's priorities: 100 below nice -20 are real time, 120 is nice 0"""
        ranges = {"125": {0}, "120": {1}, "121-139": {0}, "0-99": {2}, "89": {2}, "100-139": {0, 1},
                  "90-119": set()}
        self.assert_chosen([["--prio", r] for r in ranges],
                           [lambda: burner(CPUS - 1, "nice", "-n", "5"), lambda: burner(CPUS - 1),
                            lambda: burner(0, "chrt", "-f", "10")], ranges.values())

    @at_one_time
    def test_nr_running(self):
        """--nr_running_min, --nr_running_max: one busy thread on a CPU, four on another"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        whole, many, few, none = self.watch(
            [[], ["--nr_running_min", "3"], ["--nr_running_max", "2"], ["--nr_running_max", "0"]],
            [lambda: burner(1)] + 4 * [lambda: burner(0)], 0.8)
        self.assert_close(sum(many[1:]), sum(whole[1:]), 20, "four on a CPU", 20)
        self.assertLess(sum(few[1:]), 0.2 * sum(whole[1:]) + 20)
        for i, count in enumerate(whole):
            self.assert_close(many[i] + few[i], count, 10, "these and those", 10)
        self.assertEqual(sum(none), 0)
        if whole[0] < 0.7 * (sum(whole[1:]) if GUEST else 0.8 * UNEVEN_HZ):
            self.skipTest("others are busy where one thread was to be alone")
        self.assertGreater(few[0], 0.4 * whole[0])
        self.assertGreater(few[0] / whole[0], sum(few[1:]) / sum(whole[1:]) + 0.2)

    @at_one_time
    def test_need_resched(self):
        """--tif_need_resched: time in which another thread should run; =0: the rest of it"""
        base = [PROFILE, "-v", "--json", "-F", str(HZ), "-C", str(CPUS - 1)]
        options = ([], ["--tif_need_resched"], ["--tif_need_resched=0"],
                   ["--tif_need_resched", "--nr_running_max", "1"])
        # Milliseconds in the kernel at a stretch, that nothing may interrupt for long.
        held = pinned(CPUS - 1, [os.path.join(LOAD, "held"), "--wait", "0.6"])
        for others in (0, 1):
            with self.subTest(others=others), contextlib.ExitStack() as stack:
                loads = [stack.enter_context(waiting(held)) for _ in range(1 + others)]
                seen, _ = observe_together([base + o for o in options],
                                           *[load for load, _ in loads])
                pids = {pid for _, pid in loads}
                whole, due, rest, alone = (count_of(s.report, lambda row: row["pid"] in pids)
                                           for s in seen)
                self.assertGreater(whole, 100)
                self.assert_close(due + rest, whole, 15 if GUEST else 3, "with and without", 9)
                self.assertLess(alone, (0.25 if GUEST else 0.05) * whole, "no other is there")
                if others:
                    self.assertGreater(due, 0.25 * whole)
                    self.assertGreater(rest, 0.02 * whole)

    @at_one_time
    def test_need_resched_in_user(self):
        """--tif_need_resched: a program does not go on when another thread should run"""
        base = [PROFILE, "-v", "--json", "-F", str(HZ)]
        burn = pinned(CPUS - 1, cpu("--wait", "burn", "0.4"))
        with waiting(burn) as (a, pid_a), waiting(burn) as (b, pid_b):
            seen, _ = observe_together(
                [base + ["-p", f"{pid_a},{pid_b}", o]
                 for o in ("--tif_need_resched", "--tif_need_resched=0")], a, b)
        due, rest = (count_of(s.report, lambda row: not in_kernel(row["stack"][0])) for s in seen)
        self.assertGreater(rest, 30 if GUEST else 100)
        self.assertLess(due, 0.1 * rest)

    def test_irqs_disabled(self):
        """--irqs_disabled: what writes to a serial console; not a program; =0: the rest"""
        with open("/proc/consoles", encoding="ascii") as file:
            if not any(line.startswith("ttyS") for line in file):
                self.skipTest("no serial console, to which the kernel writes with interrupts off")
        limit = "/proc/sys/kernel/printk_devkmsg"
        with open(limit, encoding="ascii") as file:
            before = file.read()
        try:
            with open(limit, "w", encoding="ascii") as file:
                file.write("on\n")
            with open(limit, encoding="ascii") as file:
                if file.read().strip() != "on":
                    self.skipTest("the kernel's command line limits what is written to its log")
            with waiting(cpu("--wait", "printk", "0.4")) as (printk, pid), \
                 waiting(cpu("--wait", "burn", "0.4")) as (burn, burn_pid):
                seen, _ = observe_together(
                    [[PROFILE, "-v", "--json", "-F", str(HZ), "-p", f"{pid},{burn_pid}", *o]
                     for o in ([], ["--irqs_disabled"], ["--irqs_disabled=0"])], printk, burn)
        finally:
            with open(limit, "w", encoding="ascii") as file:
                file.write(before)
        whole, off, on = (s.report for s in seen)
        self.assertGreater(count_of(whole, pid=pid), 50)
        self.assertGreater(count_of(off, pid=pid), 0.4 * count_of(whole, pid=pid))
        # A program's own code can not do that; its system calls and interrupts hardly do. Emulated
        # CPUs that have waited for their turn find a timer's interrupt due wherever they are.
        self.assertLess(count_of(off, pid=burn_pid),
                        (0.35 if GUEST else 0.1) * count_of(whole, pid=burn_pid))
        self.assertTrue(all(in_kernel(row["stack"][0]) for row in off["rows"]))
        leaves = count_of(off, lambda row: row["pid"] == pid and any(
            word in (row["stack"][0]["name"] or "") for word in
            ("console", "printk", "unlock_irq")))
        self.assertGreater(leaves, (0.75 if GUEST else 0.9) * count_of(off, pid=pid))
        self.assertGreater(count_of(on, pid=burn_pid), 0.5 * count_of(whole, pid=burn_pid))
        for who in (pid, burn_pid):
            self.assert_close(count_of(off, pid=who) + count_of(on, pid=who),
                              count_of(whole, pid=who), 20 if GUEST else 5, "off and on", 9)

    # Seconds.

    def than(self, percent, duties):
        # It is a CPU that is busy: a load that changes CPUs in a second leaves two half of it each.
        with waiting(preferred(pinned(CPUS - 1, cpu("--wait", "duty", duties)))) as (load, pid):
            unit, said = observe_load([PROFILE, "-v", "--json", "-F", str(HZ), "--than",
                                       str(percent), "--comm", "cpu"], load)
        report = unit.report
        asked = sum(map(int, duties.split(","))) / 100
        if (said.said["user_ns"] + said.said["system_ns"]) / 1e9 < 0.9 * asked:
            self.skipTest("others are so busy that the load cannot be")
        return (count_of(report, lambda row, name=name: name in named(row["stack"]) and
                         row["pid"] == pid) for name in ("busy_second", "quiet_second"))

    @at_one_time
    def test_than(self):
        """--than: seconds in which a CPU was that busy, with all their samples; no others"""
        busy, quiet = self.than(50, "20,80,20")
        self.assertGreater(busy, (0.2 if GUEST else 0.7) * HZ)
        # Seconds begin when it does, and the load a moment later.
        self.assertLess(quiet, (0.3 if GUEST else 0.08) * busy)
        busy, quiet = self.than(95, "20,80")
        self.assertEqual(busy, 0)
        busy, quiet = self.than(2, "20,80")
        self.assertGreater(quiet, (0.02 if GUEST else 0.17) * HZ)


if __name__ == "__main__":
    unittest.main()
