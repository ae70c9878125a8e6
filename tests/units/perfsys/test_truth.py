# SPDX-License-Identifier: GPL-2.0-only
"""What perfsys catches, beside /proc/stat, /proc/kallsyms and `profile`; and what it costs."""

import os
import re
import signal
import sys
import time
import unittest

from harness import CPUS, GUEST, Running, resident, run, tool

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from catching import (CPU, FIRST, GATE, HIGH_GATE, NAME, PERFSYS, QUICK, RANDOM, CatchingCase,
                      Picture, busy, folder, kernel_functions, moment, perfsys, stat)

# Times that it slept by which it has looked again for sure; it also wakes once a second.
LOOKS = 4

# Under emulation, a hundred a second is not had.
MANY_LOOKS = 250 if GUEST else 1000


def cpu_ticks(cpu):
    """Ticks that a CPU spent in the kernel, and all of them, by /proc/stat as proc(5) has it."""
    with open("/proc/stat", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(f"cpu{cpu} "))
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
    kernel = system + irq + softirq
    return kernel, kernel + user + nice + idle + iowait + steal


def times_slept(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


class Truth(CatchingCase):
    def catch(self, *args, cpu=CPU, env=None):
        """The only catch's row and picture."""
        with folder() as (path, there):
            result = perfsys("--json", "-C", str(cpu), *GATE, "-N", "1", *there, *args, env=env)
            self.assert_status(result, 0)
            self.assertEqual(len(self.files(path)), 1, str(result))
            self.assertEqual(self.files(path), [row["file"] for row in self.rows(result)])
            return self.rows(result)[0], Picture(self.files(path)[0])

    def test_below_the_gate(self):
        """a CPU that is busy outside of the kernel: nothing is said, nothing is written"""
        with busy(what="burn"), folder() as (path, there):
            for options in (["-i", "10ms"], ["-i", "500"], ["-i", "250ms", "--json"]):
                with self.subTest(" ".join(options)):
                    result = perfsys("-C", str(CPU), *HIGH_GATE, *there, *options, "--duration",
                                     "1.2s")
                    self.assert_status(result, 0)
                    self.assertEqual((result.out, result.err), ("", ""))
                    self.assertEqual(self.files(path), [])

    def test_one_cpu(self):
        """system time on a CPU: a picture named by the moment, with the code that it goes to"""
        with busy():
            began = time.time()
            row, picture = self.catch("-i", "500", "-s", "1", env={"TZ": "XYZ-8"})
            ended = time.time()
        self.assertEqual(row["cpus"], str(CPU))
        self.assertTrue(25 <= row["system_percent"] <= 100, row)
        self.assertTrue(began < moment(row["began"]) < ended - 1, row)
        name = time.strftime("%Y%m%d_%H%M%S.svg", time.gmtime(moment(row["began"]) + 8 * 3600))
        self.assertEqual(os.path.basename(row["file"]), name)
        self.assertEqual(picture.title, f"sysHigh for cpu {CPU}")
        self.assertIn(picture.title, picture.texts)
        self.assertGreater(len(picture.samples_under("^cpu$")), 50 if GUEST else 80)
        self.assertGreaterEqual(picture.share_under(RANDOM, within="cpu"), 0.9)

    def test_row_and_picture(self):
        """the row's samples, hottest function and share are the picture's; text has the same"""
        with busy():
            row, picture = self.catch("-i", "500", "-s", "1")
            own = picture.own
            with folder() as (path, there):
                text = perfsys("-C", str(CPU), *GATE, "-N", "1", *there, "-i", "500", "-s", "1")
                pictures = [Picture(file) for file in self.files(path)]
        self.assertEqual(row["samples"], picture.samples)
        self.assertEqual(own[row["hottest"]], max(own.values()), own)
        self.assertAlmostEqual(row["hottest_percent"], 100 * own[row["hottest"]] / picture.samples,
                               places=1)
        self.assert_status(text, 0)
        lines = text.out.splitlines()
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  perfsys, the last ")
        self.assertRegex(lines[1], r"^began +cpus +system +samples +hottest +share +file$")
        self.assertEqual(len(lines), 3, str(text))
        found = re.match(rf"[\d:.]+ +(\d+) +([\d.]+) % +(\d+) +(\S+) +([\d.]+) % +\S+/{NAME}$",
                         lines[2])
        self.assertTrue(found, str(text))
        cpu, system, samples, hottest, share = found.groups()[:5]
        self.assertEqual((int(cpu), int(samples)), (CPU, pictures[0].samples))
        self.assertTrue(25 <= float(system) <= 100)
        self.assertEqual(pictures[0].own[hottest], max(pictures[0].own.values()))
        self.assertAlmostEqual(float(share), 100 * pictures[0].own[hottest] / int(samples),
                               places=1)

    def test_functions(self):
        """the picture's functions are the kernel's own, and the hottest ones profile's too"""
        # Others' BPF programs, which are seen too, come and go.
        functions = kernel_functions()
        with busy():
            row, picture = self.catch("-i", "500", "-s", "1")
            seen = run([*FIRST, tool("profile"), "--json", "--exclude-user", "-C", str(CPU), "-F",
                        "200", "--duration", "1s"])
        self.assert_status(seen, 0)
        beside = {}
        for stack in seen.report["rows"]:
            name = stack["stack"][0]["name"] if stack["stack"] else None
            beside[name] = beside.get(name, 0) + stack["count"]
        # Which of them is the hottest may differ from one second to the next.
        self.assertIn(row["hottest"], sorted(beside, key=beside.get)[-5:], f"{beside} {row}")
        own = picture.own
        self.assertGreaterEqual(own.get(max(beside, key=beside.get), 0), 0.05 * picture.samples)
        functions |= kernel_functions()
        # Below the root and the threads' names.
        names = {name for rows in picture.rows[2:] for name, _, _ in rows}
        self.assertEqual({n for n in names if n not in functions and n[0] != "["}, set())

    def test_dd(self):
        """dd from /dev/urandom: its read() is what the picture shows"""
        with Running([*FIRST, "taskset", "-c", str(CPU), "dd", "if=/dev/urandom", "of=/dev/null",
                      "bs=1M"]):
            row, picture = self.catch("-i", "500", "-s", "1")
        self.assertGreater(len(picture.samples_under("^dd$")), 50 if GUEST else 80)
        # urandom_read_iter() itself is not on the stack where its last call takes its place.
        self.assertGreaterEqual(picture.share_under("^(vfs|ksys)_read$", within="dd"), 0.9)
        self.assertGreaterEqual(picture.share_under(RANDOM, within="dd"), 0.7)
        self.assertGreaterEqual(picture.own[row["hottest"]], 0.1 * picture.samples)

    def watch_catch(self, *args):
        """A catch's row, and what /proc/stat said all the while: (time, kernel, all) of the CPU."""
        with folder() as (_, there), \
             Running([*PERFSYS, "-v", "--json", "-C", str(CPU), "-N", "1", *args, *there]) as unit:
            unit.wait_for("perfsys: observing")
            seen = [(time.time(), *cpu_ticks(CPU))]
            while unit.process.poll() is None:
                time.sleep(0.02)
                seen.append((time.time(), *cpu_ticks(CPU)))
            result = unit.result()
        self.assert_status(result, 0)
        return self.rows(result)[0], seen

    @staticmethod
    def kernel_and_all(seen, since, until):
        """Ticks of the CPU between two times."""
        first, last = (min(seen, key=lambda look, at=at: abs(look[0] - at))
                       for at in (since, until))
        return last[1] - first[1], last[2] - first[2]

    def test_rate(self):
        """so many samples a second of kernel time as -f says, for as long as -s says"""
        # An emulator that runs a guest's CPUs in turn leaves out timer interrupts, of the kernel's
        # account more than of the samples: there it is only roughly so.
        with busy():
            for hz, seconds in ((200, 1), (1000, 0.5), (50, 2)):
                with self.subTest(f"{hz} Hz for {seconds} s"):
                    row, seen = self.watch_catch(*GATE, "-i", "300ms", "-s", f"{seconds}s", "-f",
                                                 str(hz))
                    began = moment(row["began"])
                    kernel, _ = self.kernel_and_all(seen, began, began + seconds)
                    truth = hz * kernel / os.sysconf("SC_CLK_TCK")
                    if GUEST:
                        self.assertTrue(0.2 * truth < row["samples"] <= 1.2 * hz * seconds, row)
                    else:
                        self.assert_close(row["samples"], truth, 15, "samples", 6)

    def test_two_cpus(self):
        """system time on two CPUs at once: both are in the title and in the row"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        with busy(0), busy(1), folder() as (_, there):
            result = perfsys("--json", *GATE, "-C", "0,1", "-N", "4", "-i", "500", "-s", "500",
                             *there)
            self.assert_status(result, 0)
            # Others may want a CPU for a moment.
            both = [row for row in self.rows(result) if row["cpus"] == "0:1"]
            self.assertTrue(both, str(result))
            picture = Picture(both[0]["file"])
        self.assertEqual(picture.title, "sysHigh for cpu 0:1")
        self.assertGreaterEqual(picture.share_under(RANDOM, within="cpu"), 0.9)

    def test_only_the_high_one(self):
        """a CPU below the gate is not sampled with the one above it"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        with busy(0, "burn"), busy(1), folder() as (_, there):
            result = perfsys("--json", *GATE, "-C", "0,1", "-N", "4", "-i", "500", "-s", "200",
                             *there)
            self.assert_status(result, 0)
        self.assertIn("1", [row["cpus"] for row in self.rows(result)])

    def test_share(self):
        """the system time in the row is what /proc/stat says of that time"""
        with busy(what="both"):
            row, seen = self.watch_catch("-g", "10", "-i", "2", "-s", "100")
        kernel, every = self.kernel_and_all(seen, seen[0][0], moment(row["began"]))
        self.assertLessEqual(abs(100 * kernel / every - row["system_percent"]), 6 if GUEST else 3,
                             f"{kernel} {every} {row}")

    def said_of(self, unit, stat, *steps, wanted=0):
        """
        Has a unit look at what is added to the ticks. Returns how many catches there are then;
        waits for them if there should be some.
        """
        for cpu, ticks in steps:
            stat.add(cpu, **ticks)
        stat.write()
        slept = times_slept(unit.process.pid)
        self.wait_until(lambda: times_slept(unit.process.pid) >= slept + LOOKS and
                        unit.said(unit.out).count('"rows"') >= wanted, f"{wanted} catches")
        return unit.said(unit.out).count('"rows"')

    def watching(self, stat, *options):
        return Running([*stat.argv, *PERFSYS, "-v", "--json", "-i", "10ms", "-s", "10ms",
                        *options])

    def test_arithmetic(self):
        """system, interrupts and softirqs count, of all time once; at the gate is above it"""
        with stat() as told, folder() as (_, there), \
             self.watching(told, "-g", "25", "-C", "0", *there) as unit:
            unit.wait_for("perfsys: observing")
            self.assertEqual(self.said_of(unit, told, (0, {
                "user": 100, "system": 37, "irq": 5, "softirq": 7, "idle": 41, "iowait": 5,
                "steal": 5, "guest": 60})), 0, "24.5 %")
            self.assertEqual(self.said_of(unit, told, (0, {
                "user": 100, "system": 37, "irq": 5, "softirq": 8, "idle": 40, "iowait": 5,
                "steal": 5, "guest": 60}), wanted=1), 1, "25 %")
            unit.signal(signal.SIGINT)
            self.assertEqual(self.rows(unit.result())[0]["system_percent"], 25)

    def test_single_ticks(self):
        """a single tick is never enough, however short the interval and however low the gate"""
        for gate, enough in ((1, 200), (5, 40), (10, 20), (60, 20)):
            with self.subTest(f"gate {gate}"), stat() as told, folder() as (_, there), \
                 self.watching(told, "-g", str(gate), "-C", "0", *there) as unit:
                unit.wait_for("perfsys: observing")
                # As the clock has it: a tick, and many that are idle.
                self.said_of(unit, told, (0, {"system": 1}))
                self.said_of(unit, told, (0, {"idle": 9}))
                self.assertEqual(self.said_of(unit, told, (0, {"idle": enough - 10})), 0)
                # What is judged together is long enough that the gate is two ticks.
                self.assertEqual(self.said_of(unit, told, (0, {"system": enough - 1})), 0)
                self.assertEqual(self.said_of(unit, told, (0, {"system": 1}), wanted=1), 1)
                unit.signal(signal.SIGINT)
                self.assert_status(unit.result(), 0)

    def test_cpus_come_and_go(self):
        """what a CPU did before it came (again) is not taken for what it does now"""
        with stat(2) as told, folder() as (_, there), \
             self.watching(told, "-g", "10", *there) as unit:
            unit.wait_for("perfsys: observing")
            for cpu in (0, 1):
                self.said_of(unit, told, (0, {"idle": 100}), (1, {"idle": 100}))
                told.gone = {cpu}
                self.said_of(unit, told)
                told.gone = set()
                self.assertEqual(self.said_of(unit, told, (cpu, {"system": 100000})), 0)
            told.gone = {0, 1}
            self.assertEqual(self.said_of(unit, told), 0)
            told.gone = set()
            self.said_of(unit, told, (0, {"system": 5000}))
            self.assertEqual(self.said_of(unit, told, (0, {"system": 30}), (1, {"idle": 30}),
                                          wanted=1), 1)
            # Time that goes backwards, as idle time may, is no time.
            self.said_of(unit, told, (0, {"idle": -500}))
            self.assertEqual(self.said_of(unit, told, (0, {"idle": 100})), 1)
            unit.signal(signal.SIGINT)
            result = unit.result()
        self.assert_status(result, 0)
        self.assertEqual(self.rows(result)[0]["cpus"], "0")

    def test_memory(self):
        """many looks, without catches and with some: memory stays as it is"""
        def looks(unit, since=0):
            return times_slept(unit.process.pid) - since

        def look_again(since):
            told.add(0, idle=5, user=4, system=1)
            told.write()
            return min(looks(calm, since[0]), looks(catching, since[1])) >= MANY_LOOKS

        with busy(), stat() as told, folder() as (path, there), \
             self.watching(told, "-g", "60", *there) as calm, \
             Running([*PERFSYS, "-C", str(CPU), *QUICK, "--keep", "3", *there]) as catching:
            catching.wait_for(r"(?s)(\.svg.*){3}", catching.out)
            calm.wait_for("perfsys: observing")
            before = [resident(unit.process.pid) for unit in (calm, catching)]
            since = [looks(calm), looks(catching)]
            self.wait_until(lambda: look_again(since), f"{MANY_LOOKS} looks")
            grown = [resident(unit.process.pid) - kb
                     for unit, kb in zip((calm, catching), before)]
            catches = catching.said(catching.out).count(".svg")
            self.assertEqual(calm.said(calm.out), "")
            self.assertLessEqual(grown[0], 16, "kB, without catches")
            self.assertGreater(catches, 5)
            self.assertLessEqual(grown[1], 128, f"kB, in {catches} catches")
            self.assertLess(resident(catching.process.pid), 16 * 1024)
            self.assertLessEqual(len(self.files(path)), 4)  # one may be on its way

    def test_idle_cost(self):
        """with nothing to catch it takes less than a thousandth of a CPU"""
        with busy(what="burn"), Running([*PERFSYS, "-v", "-C", str(CPU), *HIGH_GATE]) as unit:
            unit.wait_for("perfsys: observing")
            time.sleep(0.2)
            began, before = time.monotonic(), cpu_ns(unit.process.pid)
            time.sleep(6.2)
            share = (cpu_ns(unit.process.pid) - before) / (time.monotonic() - began) / 1e9
            # Software emulation takes twenty times as long and more for all that it does.
            self.assertLess(share, 0.02 if GUEST else 0.001)
            self.assertEqual(unit.said(unit.out), "")


if __name__ == "__main__":
    unittest.main()
