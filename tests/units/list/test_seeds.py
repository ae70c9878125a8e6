# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, as list."""

import glob
import os

from harness import TRACING, Case, have_tracefs, run, tool


class Seeds(Case):
    def test_sched(self):
        """004: perf list 'sched:*': the scheduler's tracepoints, as tracefs has them"""
        have_tracefs(self)
        result = run([tool("list"), "sched:*"])
        self.assert_status(result, 0)
        expected = [f"sched:{os.path.basename(os.path.dirname(path))}"
                    for path in glob.glob(f"{TRACING}/events/sched/*/format")]
        self.assertGreater(len(expected), 10)
        self.assertEqual(sorted(result.out.split()), sorted(expected))
