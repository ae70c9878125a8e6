# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, as usdt."""

import os
import re

from harness import BUILD, Case, run, tool


class Seeds(Case):
    def test_add_and_trace(self):
        """003: usdt add PROVIDER:NAME@FILE -v, then trace -e it: what add says to give is what trace takes"""
        file = f"{BUILD}/load/probes"
        listed = run([tool("usdt"), "list", file])
        self.assert_status(listed, 0)
        name = "bpfprof:step"
        self.assertIn(f":{name} ", listed.out)
        result = run([tool("usdt"), "add", f"{name}@{file}", "-v"])
        self.assert_status(result, 2)
        event = re.search("-e '(.*)'", result.err).group(1)
        self.assertEqual(event, f"usdt:{file}:{name}")
        result = run([tool("trace"), "-e", event, "-N", "1", "--", file, "3"])
        self.assert_status(result, 0)
        self.assertRegex(result.out, rf"\] usdt:.*:{name}: ")
