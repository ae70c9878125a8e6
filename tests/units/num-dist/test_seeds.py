# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, with num= for num-dist."""

from harness import Case, run, tool

DIST = tool("num-dist")


class Seeds(Case):
    def test_stat_runtime(self):
        """003, 4.9.3: 'sched:sched_stat_runtime/runtime>1000000/': its runtimes are above that"""
        result = run([DIST, "-e", "sched:sched_stat_runtime/runtime>1000000/num=runtime/", "--json",
                      "--", "python3", "-c", "for _ in range(6000000): pass"])
        self.assert_status(result, 0)
        row = result.report["rows"][0]
        self.assertGreater(row["min"], 1000000)
        self.assertGreater(row["p50"], 1000000)
        self.assertGreaterEqual(row["sum"], row["count"] * row["min"])

    def test_short_reads(self):
        """004: 'syscalls:sys_enter_read' with 'count < 10': the sizes of such reads"""
        # By name: before it becomes dd, the process may still be about to read its cue.
        result = run([DIST, "-e", "syscalls:sys_enter_read/count < 10/num=count/", "-k", "_comm",
                      "--json", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=7", "count=100",
                      "status=none"])
        self.assert_status(result, 0)
        self.assertEqual([(row["min"], row["p50"], row["max"], row["count"])
                          for row in result.report["rows"] if row["key"] == "dd"],
                         [(7, 7, 7, 100)])
