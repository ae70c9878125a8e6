# SPDX-License-Identifier: GPL-2.0-only
"""What usdt says to bad input, and how it ends."""

import os
import shutil
import tempfile

from harness import LOAD, Case, on_terminal, run, tool

USDT = tool("usdt")
PROBES = os.path.join(LOAD, "probes")


class Behaviour(Case):
    def test_nothing_to_add(self):
        """usdt add, usdt del: one line that says what to give to -e instead, and status 2"""
        for args, said in (
                (["add", "libc:memory_malloc_retry@/usr/lib64/libc.so.6", "-v"],
                 "nothing has to be added.*-e 'usdt:/usr/lib64/libc.so.6:libc:memory_malloc_retry'"),
                (["del", "libc:setjmp@/lib/libc.so.6"],
                 "nothing has to be deleted.*-e 'usdt:/lib/libc.so.6:libc:setjmp'"),
                (["add"], "-e 'usdt:FILE:PROVIDER:NAME'"), (["del", "x"], "usdt:FILE:PROVIDER"),
                (["add", "libc:" + 500 * "x" + "@" + 500 * "y"], "-e 'usdt:y+:libc:x+'")):
            done = run([USDT, *args])
            self.assert_status(done, 2)
            self.assert_one_line(done, "^usdt: ", said)
            self.assertEqual(done.out, "")

    def test_bad_usage(self):
        """what cannot be is one line that says what to do, and its status"""
        for args, status, said in (
                ([], 2, "usdt list FILE"), (["list"], 2, "usdt list FILE"),
                (["show", "/bin/true"], 2, "usdt list FILE"),
                (["list", "/bin/true"], 2, "no USDT probes"),
                (["list", "/no/such"], 1, "No such file"),
                (["list", "no-such-library"], 1, "no file 'no-such-library'"),
                (["list", "/etc/passwd"], 1, "no ELF file"),
                (["list", ""], 2, "file's name"),
                (["list", "4194304"], 1, "no process 4194304"),
                (["list", "--zebra", PROBES], 2, "zebra"),
                (["list", PROBES, "/bin/true"], 2, "true' has no USDT probes")):
            done = run([USDT, *args])
            self.assert_status(done, status)
            self.assertRegex(done.err.splitlines()[0], "^usdt: .*" + said)
        done = run([USDT, "list", "--json", PROBES, "/bin/true"])
        self.assertEqual((done.status, done.out), (2, ""))

    def test_process_without(self):
        """a process that has mapped no probes: that is said of it"""
        done = run(["sh", "-c", f"exec {USDT} list $$"])
        self.assert_status(done, 2)
        self.assert_one_line(done, r"what process \d+ has mapped has no USDT probes")

    def test_help(self):
        """--help, --usage, -V"""
        done = run([USDT, "--help"])
        self.assert_status(done, 0)
        for word in ("--json", "--fields", "-e", "FILE|PID", "usdt add", "usdt del"):
            self.assertIn(word, done.out)
        self.assertLessEqual(max(map(len, done.out.splitlines())), 100)
        self.assertRegex(run([USDT, "--usage"]).out, "^Usage: usdt ")
        self.assertRegex(run([USDT, "-V"]).out, r"^usdt \d+\.\d+\.\d+\n$")

    def test_output(self):
        """a terminal, a file and a pipe get the same"""
        plain = run([USDT, "list", PROBES]).out
        self.assertEqual(on_terminal([USDT, "list", PROBES], columns=200), plain)
        with tempfile.NamedTemporaryFile() as file:
            self.assert_status(run([USDT, "list", PROBES, "-o", file.name]), 0)
            self.assertEqual(file.read().decode(), plain)

    def test_strange_paths(self):
        """files whose names have colons, quotes, commas or spaces: what is shown can be used"""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a:b", "a,b", 'a"b', "a b", "a\\b", "a[b]*", "123", "a'b"):
                path = f"{folder}/{name}"
                shutil.copy(PROBES, path)
                report = run([USDT, "list", "--json", path]).report
                self.assertEqual(len(report["rows"]), 5)
                event = next(r["event"] for r in report["rows"] if r["name"] == "guarded")
                seen = run([tool("list"), "--json", event])
                self.assert_status(seen, 0)
                self.assertEqual(seen.report["rows"][0]["file"], path)
                count = run([tool("top"), "--json", "-e", event + "//key=1/", "--", path, "7"])
                self.assert_status(count, 0)
                self.assertEqual(count.report["rows"][0][event.split("/arg")[0]], 7, str(count))
