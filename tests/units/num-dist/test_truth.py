# SPDX-License-Identifier: GPL-2.0-only
"""num-dist against numbers that are known: arguments of system calls that the test itself makes."""

import ctypes
import math
import os
import random
import re
import socket

import events
from harness import LOAD, Case, Running, run, tool

DIST = tool("num-dist")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.lseek.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int)
LIBC.write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
SEEK = "syscalls:sys_enter_lseek/(int)fd==-1/"
WRITE = "syscalls:sys_enter_write/(int)fd==-1/"

# Numbers of this size and more share a bucket.
LARGE = 1 << 40


# lseek(2)
SEEK_NUMBER = {"x86_64": 8, "aarch64": 62}[os.uname().machine]


def value_names(event, field):
    """What a tracepoint calls the values of a field: as it prints them."""
    path = f"/sys/kernel/tracing/events/{event.replace(':', '/')}/format"
    if not os.path.exists(path):
        return {}
    with open(path, encoding="ascii") as file:
        pairs = re.search(rf"__print_symbolic\(REC->{field},(.*?)\)", file.read())
    return {int(value, 0): name for value, name in
            re.findall(r'\{ *(\w+), *"([^"]*)" *\}', pairs.group(1))} if pairs else {}


def seek(number):
    LIBC.lseek(-1, number, 0)


def write(number):
    LIBC.write(-1, None, number)


def nearest_rank(numbers, percent):
    return sorted(numbers)[max(math.ceil(percent / 100 * len(numbers)), 1) - 1]


class Truth(Case):
    def observe(self, make, numbers, *args):
        """What num-dist says of calls that this process makes, one for each of the numbers."""
        with Running([DIST, "--json", "-v", "-p", str(os.getpid()), *args]) as unit:
            unit.wait_for("observing$")
            for number in numbers:
                make(number)
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        return result

    def check_numbers(self, row, numbers):
        """The row is what the numbers are; percentiles are as near as they are said to be."""
        self.assertEqual((row["count"], row["min"], row["max"]),
                         (len(numbers), min(numbers), max(numbers)))
        total = sum(numbers)
        self.assertEqual(row["sum"], total)
        self.assertEqual(row["avg"], int(math.copysign(abs(total) // len(numbers), total)))
        for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)):
            truth = nearest_rank(numbers, percent)
            if abs(truth) < LARGE:
                self.assertLessEqual(abs(row[name] - truth), abs(truth) / 32, name)
            else:
                self.assertEqual(row[name], max(numbers) if truth > 0 else min(numbers))
        for bucket in row["hist"]:
            inside = [n for n in numbers if bucket["lo"] <= n < bucket["hi"] or
                      n == bucket["lo"]]
            self.assertEqual(bucket["count"], len(inside), str(bucket))
        self.assertEqual(sum(bucket["count"] for bucket in row["hist"]), len(numbers))

    def test_unsigned(self):
        """count, sum, least and greatest are exact, percentiles within 1/32: numbers of all sizes"""
        rng = random.Random(1)
        numbers = [rng.getrandbits(rng.randint(1, 39)) for _ in range(5000)]
        report = self.observe(write, numbers, "-e", f"{WRITE}num=count/").report
        self.assertEqual(len(report["rows"]), 1)
        self.check_numbers(report["rows"][0], numbers)

    def test_many_functions(self):
        """one program at many functions tells them apart, as programs of their own do"""
        event = 'kprobe:vfs_*/_comm=="dd"/num=_pid/'
        for without in ("", "kprobe_multi"):
            with self.subTest(without=without):
                result = run([DIST, "--json", "-e", event, "--", "dd", "if=/dev/zero", "of=/dev/null",
                              "bs=7", "count=500", "status=none"], env={"BPF_PROF_WITHOUT": without})
                if result.status == 4:
                    self.assert_one_line(result, "has no kprobes")
                    self.skipTest("this kernel has no kprobes")
                self.assert_status(result, 0)
                counts = {row["event"]: row["count"] for row in result.report["rows"]}
                self.assertEqual(counts["kprobe:vfs_write"], 500)
                # Programs read their libraries' first bytes.
                self.assert_close(counts["kprobe:vfs_read"], 500, 0, "reads", slack=20)
                self.assertEqual(counts.get("kprobe:vfs_rename", 0), 0)

    def test_sums_that_do_not_fit(self):
        """a sum, and so an average, that 64 bits may not hold is null; all else is what it is"""
        for numbers in ([3 << 61] * 3, [(1 << 64) - 1, 7, 9]):
            report = self.observe(write, numbers, "-e", f"{WRITE}num=count/").report
            row = report["rows"][0]
            self.assertEqual((row["count"], row["sum"], row["avg"], row["min"], row["max"]),
                             (3, None, None, min(numbers), max(numbers)))
        for number, sums in ((-1 << 62, (None, None)), (-1 << 60, (-3 << 60, -1 << 60))):
            row = self.observe(seek, [number] * 3, "-e", f"{SEEK}num=(long)offset/").report["rows"][0]
            self.assertEqual((row["sum"], row["avg"]), sums)

    def test_signed(self):
        """numbers below 0 are what they are"""
        rng = random.Random(2)
        for numbers in ([rng.choice((1, -1)) * rng.getrandbits(rng.randint(1, 39))
                         for _ in range(3000)],
                        [-n for n in range(1, 400)], [-7], [0], [7, -7]):
            with self.subTest(f"{len(numbers)} numbers"):
                report = self.observe(seek, numbers, "-e", f"{SEEK}num=offset/").report
                self.check_numbers(report["rows"][0], numbers)

    def test_extremes(self):
        """the largest numbers of 64 bits have their place, with their signs"""
        signed = [-2**63, -2**41, -3, 5, 2**41, 2**63 - 1]
        row = self.observe(seek, signed, "-e", f"{SEEK}num=offset/").report["rows"][0]
        self.assertEqual((row["min"], row["max"], row["count"]), (-2**63, 2**63 - 1, 6))
        self.assertEqual(row["p50"], -3)
        self.assertEqual([(b["lo"], b["count"]) for b in row["hist"]],
                         [(-2**63, 2), (-3, 1), (5, 1), (2**40, 2)])
        unsigned = [0, 2**64 - 1, 2**63, 9]
        row = self.observe(write, unsigned, "-e", f"{WRITE}num=count/").report["rows"][0]
        self.assertEqual((row["min"], row["max"], row["p99"]), (0, 2**64 - 1, 2**64 - 1))

    def test_keys(self):
        """each key has a distribution of its own, with a name"""
        numbers = list(range(3000))
        rows = self.observe(write, numbers, "-e", f"{WRITE}num=count/key=(long)count%3-1/"
                            'printkey=printf("rest %d", key)/').report["rows"]
        rows = {row["key"]: row for row in rows}
        self.assertEqual({key: row["name"] for key, row in rows.items()},
                         {key: f"rest {key}" for key in (-1, 0, 1)})
        for key, row in rows.items():
            self.check_numbers(row, [n for n in numbers if n % 3 == key + 1])

    def test_others(self):
        """keys beyond the table's size share a row: every number is in one"""
        numbers = list(range(1000))
        rows = self.observe(write, numbers, "--max-keys", "4", "-k", "count%10", "-e",
                            f"{WRITE}num=count/").report["rows"]
        others = [row for row in rows if "key" not in row]
        self.assertEqual((len(rows), len(others), others[0]["name"]), (5, 1, "other"))
        keys = {row["key"] for row in rows if "key" in row}
        self.check_numbers(others[0], [n for n in numbers if n % 10 not in keys])

    def test_several_events(self):
        """each event has a row, called by its alias; one may be there twice"""
        numbers = list(range(100))
        rows = self.observe(seek, numbers, "-e", f"{SEEK}num=offset/alias=a/,{SEEK}num=offset*2/",
                            "-e", "syscalls:sys_exit_lseek/ret==-9/num=ret/").report["rows"]
        self.assertEqual([(row["event"], row["num"], row["sum"]) for row in rows],
                         [("a", "offset", 4950), ("syscalls:sys_enter_lseek", "offset*2", 9900),
                          ("syscalls:sys_exit_lseek", "ret", -900)])

    def test_at_once(self):
        """threads that write to one distribution at once lose nothing"""
        result = run([DIST, "--json", "-e", f"{events.WRITE}num={events.COUNT}/", "--",
                      os.path.join(LOAD, "calls"), "8", "5000"])
        self.assert_status(result, 0)
        row = result.report["rows"][0]
        self.assertEqual({b["lo"]: b["count"] for b in row["hist"]},
                         {t: 5000 * t for t in range(1, 9)})
        self.assertEqual((row["sum"], row["min"], row["max"]),
                         (5000 * sum(t * t for t in range(1, 9)), 1, 8))

    def test_intervals(self):
        """reports of intervals add up to the whole, and each has its own extremes"""
        numbers = list(range(1, 40001))
        result = self.observe(write, numbers, "-i", "20ms", "-e", f"{WRITE}num=count/")
        rows = [row for report in result.reports for row in report["rows"]]
        self.assertGreater(len(rows), 1, str(result))
        self.assertEqual(sum(row["count"] for row in rows), len(numbers))
        self.assertEqual(sum(row["sum"] for row in rows), sum(numbers))
        begin = 1
        for row in rows:
            self.assertEqual((row["min"], row["max"]), (begin, begin + row["count"] - 1))
            begin += row["count"]

    def test_filter(self):
        """only what the filter lets through is there"""
        numbers = list(range(-50, 50))
        row = self.observe(seek, numbers, "-e", f"{SEEK[:-1]}&&offset>=-20&&offset*3<60/num=offset/"
                           ).report["rows"][0]
        self.check_numbers(row, list(range(-20, 20)))

    def test_rows_in_text(self):
        """text shows what found no room (`other`) and each event's rows, however many there are"""
        events_ = (f"{WRITE}num=count/key=count/alias=first/,"
                   f"{WRITE}num=count/key=count%3/alias=second/")
        args = ["-e", events_, "--max-keys", "70"]
        numbers = list(range(100)) * 3
        report = self.observe(write, numbers, *args).report
        others = [row for row in report["rows"] if row.get("name") == "other"]
        # In the second event's keys, too: 70 are for both.
        self.assertEqual(report["other_events"], sum(row["count"] for row in others))
        self.assertGreaterEqual(report["other_events"], 90)
        self.assertEqual(report["keys"], 70)
        for alias in ("first", "second"):
            self.assertEqual(sum(row["count"] for row in report["rows"] if row["event"] == alias),
                             300)
        with Running([DIST, "-v", "-p", str(os.getpid()), *args]) as unit:
            unit.wait_for("observing$")
            for number in numbers:
                write(number)
            unit.signal(2)
            lines = unit.result().out.splitlines()
        self.assertRegex(lines[0], r"70 keys.*\d+ events of keys without a row")
        shown = lines[2:52]
        self.assertTrue(any("other" in line.split() for line in shown))
        for alias in ("first", "second"):
            self.assertTrue(any(line.startswith(alias) for line in shown), "\n".join(lines))

    def test_one_row_for_one_name(self):
        """events that are called the same are one row: what matches a name with wildcards, by its alias"""
        report = self.observe(seek, [1] * 200, "-e",
                              f"raw_syscalls:sys_*/id=={SEEK_NUMBER}/num=id/alias=both/").report
        self.assertEqual([(row["event"], row["count"], row["min"], row["max"])
                          for row in report["rows"]], [("both", 400, SEEK_NUMBER, SEEK_NUMBER)])

    def test_names_of_values(self):
        """a value has the name that its own event has for it, not another one's"""
        other, event = "tlb:tlb_flush", "skb:kfree_skb"
        names = value_names(event, "reason")
        if not names or not value_names(other, "reason"):
            self.skipTest("this kernel has no two tracepoints that name the values of `reason`")
        with Running([DIST, "--json", "-v", "-k", "reason", "-e", f"{other}//num=1/", "-e",
                      f"{event}//num=1/"]) as unit:
            unit.wait_for("observing$")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
                closed.bind(("127.0.0.1", 0))
                address = closed.getsockname()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(20):
                    sender.sendto(b"to nobody", address)
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        rows = [row for row in result.report["rows"] if row["event"] == event]
        self.assertGreater(len(rows), 0, str(result))
        for row in rows:
            self.assertEqual(row.get("name"), names.get(row["key"]), str(row))
