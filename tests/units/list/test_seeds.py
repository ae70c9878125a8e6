# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, as list."""

import glob
import os

from harness import Case, run, tool


class Seeds(Case):
    def test_sched(self):
        """004: perf list 'sched:*': the scheduler's tracepoints, as tracefs has them"""
        root = next(path for path in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
                    if os.path.isdir(f"{path}/events"))
        result = run([tool("list"), "sched:*"])
        self.assert_status(result, 0)
        expected = [f"sched:{os.path.basename(os.path.dirname(path))}"
                    for path in glob.glob(f"{root}/events/sched/*/format")]
        self.assertGreater(len(expected), 10)
        self.assertEqual(sorted(result.out.split()), sorted(expected))
