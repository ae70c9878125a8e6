# SPDX-License-Identifier: GPL-2.0-only
"""top as its users meet it."""

import re

from events import CALLS, COUNT, WRITE, WRITE_NUMBER, EventsBehaviour
from harness import UnloadingCase, run, tool


class Behaviour(EventsBehaviour, UnloadingCase):
    UNIT, ATTRIBUTES = "top", ""
    OPTIONS = ("--only-comm", "top-by=", "top-add=")

    @staticmethod
    def count_of(row):
        """What the only column of numbers has."""
        return next(value for name, value in row.items() if name not in ("key", "name"))

    def test_bad_columns(self):
        """too many columns, or names for them: one line, status 2"""
        five = "".join(f"top-add={n}/" for n in range(5))
        for events, says in ((f"{WRITE}{five}", "four"), (f"{WRITE}alias=a/alias=b/", "alias"),
                             (",".join([WRITE] * 65), "64 columns")):
            result = run([tool("top"), "-e", events])
            self.assert_status(result, 2)
            self.assert_one_line(result, "^top: raw_syscalls:sys_enter: ", says)
        result = run([tool("top"), "-e", WRITE, "--only-comm", "-k", "id"])
        self.assert_status(result, 2)
        self.assert_one_line(result, "--only-comm")

    def test_sort(self):
        """-s KEY, as perf top has it: the same rows as -k; what is no key, and both: one line, status 2"""
        for sort, key in (("pid", "_pid"), ("tid", "_tid"), ("cpu", "_cpu"), ("comm", "_comm")):
            titles = [run([tool("top"), "-e", "raw_syscalls:sys_enter", *option, "--duration",
                           "50ms"]).out.splitlines()[1].split()[0]
                      for option in (("-s", sort), ("-k", key))]
            self.assertEqual(titles, [sort, sort])
        for options, says in ((("-s", "sym"), "comm, pid, tid or cpu"),
                              (("-s", "pid", "-k", "_cpu"), "-s and -k"),
                              (("-s", "pid", "--only-comm"), "--only-comm")):
            result = run([tool("top"), "-e", WRITE, *options])
            self.assert_status(result, 2)
            self.assert_one_line(result, says)

    def test_ways_to_name(self):
        """comm= and printkey= of two events, printkey= where keys are names: one line, status 2"""
        for events, options, says in (
                (f"{WRITE}key=1/comm=_comm/,{WRITE}key=1/printkey=%d/", (), "comm=.*printkey="),
                (f"{WRITE}key=1/printkey=%d/,{WRITE}key=1/comm=_comm/", (), "comm=.*printkey="),
                (f"{WRITE}key=1/printkey=%d/", ("--only-comm",), "--only-comm"),
                (f'{WRITE}key=1/printkey=printf("%d" key)/', (), 'printf."FORMAT", key')):
            result = run([tool("top"), "-e", events, *options])
            self.assert_status(result, 2)
            self.assert_one_line(result, says)

    def test_title(self):
        """a column's name stands above its numbers, also where letters are of several bytes"""
        result = run([tool("top"), "-e", f"{WRITE}alias=été/,{WRITE}alias=n/", "-k", "1", "--",
                      CALLS, "1", "10"])
        self.assert_status(result, 0)
        head, row = result.out.splitlines()[-2:]
        self.assertRegex(head, " été +n$")
        self.assertEqual([head.index("été") + 3, len(head)], [row.index("10") + 2, len(row)])

    def test_names_of_columns(self):
        """each column has a name of its own, whatever is asked for"""
        result = run([tool("top"), "--json", "-e", f"{WRITE}alias=key/,{WRITE},{WRITE},"
                      f"{WRITE}top-by={COUNT}/,{WRITE}top-by={COUNT}/alias=name/", "-k", "1", "--",
                      CALLS, "1", "10"])
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"], [{
            "key": 1, "raw_syscalls:sys_enter key": 10, "raw_syscalls:sys_enter": 10,
            "raw_syscalls:sys_enter 3": 10, COUNT: 10, "raw_syscalls:sys_enter name": 10}])
        # Not lost for a name that looks like what would be made up.
        event = "raw_syscalls:sys_enter"
        result = run([tool("top"), "--json", "-e", f"{WRITE}alias=x/,{WRITE}alias={event} x 4/,"
                      f"{WRITE}alias={event} x/,{WRITE}alias=x/", "-k", "1", "--", CALLS, "1", "10"])
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"], [{
            "key": 1, "x": 10, f"{event} x 4": 10, f"{event} x": 10, f"{event} x 5": 10}])

    def test_most_columns(self):
        """64 columns are all filled"""
        # The kernel has room for 64 programs at a tracepoint, others' among them: of two, for half each.
        exits = f"raw_syscalls:sys_exit/id=={WRITE_NUMBER}&&ret==-9/"
        result = run([tool("top"), "--json", "-k", "1", "-e",
                      ",".join(f"{exits if n % 2 else WRITE}top-add={n}/" for n in range(64)), "--",
                      CALLS, "1", "3"])
        self.assert_status(result, 0)
        self.assertEqual(result.report["rows"],
                         [{"key": 1} | {str(n): 3 * n for n in range(64)}])

    def test_text(self):
        """text: the largest first, columns with their names, and what there was no room for"""
        result = run([tool("top"), "--max-keys", "2", "-e",
                      f"{WRITE}key={COUNT}/comm=_comm/top-by={COUNT}*1000/top-add=-(long){COUNT}/"
                      "alias=thousands/", "--", CALLS, "3", "100"])
        self.assert_status(result, 0)
        lines = [line for line in result.out.splitlines() if not line.startswith("{")]
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6}  top, the last [\d.]+ m?s: 2 keys, "
                         r"\d00 events of keys without a row \(--max-keys\)$")
        self.assertRegex(lines[1], r"^args\[2\]  name +thousands +-\(long\)args\[2\]$")
        for line in lines[2:4]:
            key, name, thousands, negative = line.split()
            self.assertEqual((name, thousands, negative),
                             (f"calls-{key}", f"{int(key) ** 2 * 100},000", f"-{int(key) ** 2 * 100}"))
        self.assertRegex(lines[4], r"^ +-  other +\d")
        self.assertEqual(len({line.rindex(line.split()[-1]) + len(line.split()[-1])
                              for line in lines[1:]}), 1, "the columns end at one place")

    def test_no_names(self):
        """text has no column for names where there are none"""
        result = run([tool("top"), "-e", f"{WRITE}key={COUNT}/", "--", CALLS, "1", "5"])
        self.assertRegex(result.out, r"(?m)^args\[2\]  raw_syscalls:sys_enter$")

    def test_long_tables(self):
        """text shows the first 50 keys and says so"""
        result = run([tool("top"), "-e", f"{WRITE}key={COUNT}/", "--", CALLS, "60", "1"])
        self.assert_status(result, 0)
        self.assertRegex(result.out, r"\n\.\.\. 10 more keys; --json has them all\n")
        self.assertEqual(len(re.findall(r"(?m)^ +\d+ +\d+$", result.out)), 50)

    def test_refresh(self):
        """on a terminal the table is shown each second, unless told otherwise"""
        self.assertEqual(len(self.shown("sched:sched_switch", "--duration", "2500ms")), 3)
