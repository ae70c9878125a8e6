# SPDX-License-Identifier: GPL-2.0-only
"""num-dist as its users meet it."""

import os

from events import CALLS, COUNT, WRITE, EventsBehaviour
from harness import UnloadingCase, run, tool


class Behaviour(EventsBehaviour, UnloadingCase):
    UNIT, ATTRIBUTES = "num-dist", "num=_cpu/"
    OPTIONS = ("num=",)

    @staticmethod
    def count_of(row):
        return row["count"]

    def test_limits(self):
        """what is too much is refused in one line that says what it is"""
        event = "sched:sched_process_exit//num=pid/"
        for args, status, says in (
                (["-e", f"{event}alias=a/alias=b/"], 2, "one alias="),
                (["-e", ",".join([event] * 65)], 1, "64 programs")):
            with self.subTest(says):
                result = run([tool(self.UNIT), *args, "--duration", "10ms"])
                self.assert_status(result, status)
                self.assert_one_line(result, rf"^{self.UNIT}: ", says)

    def test_memory(self):
        """more keys than there is memory for are refused"""
        if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") > 30 << 30:
            self.skipTest("this machine has memory for the most keys that can be asked for")
        result = run([tool(self.UNIT), "-e", "sched:sched_process_exit//num=pid/key=pid/",
                      "--max-keys", str(1 << 20), "--duration", "10ms"])
        self.assert_status(result, 1)
        self.assert_one_line(result, rf"^{self.UNIT}: --max-keys", "MB are available")

    def test_few_files(self):
        """events that need more files than the soft limit are attached, as the hard one allows it"""
        result = run(["sh", "-c", f"ulimit -Sn 40; exec {tool(self.UNIT)} -e "
                      "'sched:*//num=1/' --duration 10ms --json"])
        self.assert_status(result, 0)

    def test_no_number(self):
        """without num=, or with one that is no number: status 2"""
        result = run([tool("num-dist"), "-e", WRITE])
        self.assert_status(result, 2)
        self.assert_one_line(result, "num=EXPR")
        self.assert_pointed(run([tool("num-dist"), "-e", f"{WRITE}num=_comm/"]), "", "_comm")

    def test_text(self):
        """text: a line a row, and the picture of a single one"""
        result = run([tool("num-dist"), "-e", f"{WRITE}num=-1000*(long){COUNT}/alias=writes/", "--",
                      CALLS, "3", "100"])
        self.assert_status(result, 0)
        lines = [line for line in result.out.splitlines() if not line.startswith("{")]
        self.assertRegex(lines[1], r"^event +num +count +sum +min +avg +p50 +p95 +p99 +max$")
        words = lines[2].split()
        self.assertEqual(words[:6] + words[-1:], ["writes", f"-1000*(long){COUNT}", "600",
                                                  "-1,400,000", "-3,000", "-2,333", "-1,000"])
        self.assertRegex(result.out, r"\n +range +count +distribution\n")
        self.assertRegex(result.out, r"\n +-3,\d+ .. +-2,\d+ +300  #{40}\n")

    def test_no_picture(self):
        """several rows have no picture; columns of keys are there where there are keys"""
        result = run([tool("num-dist"), "-e", f"{WRITE}num={COUNT}/key=_comm/", "--", CALLS, "2",
                      "100"])
        self.assert_status(result, 0)
        self.assertRegex(result.out, r"\nevent +num +comm +count +sum")
        self.assertNotIn("distribution", result.out)
