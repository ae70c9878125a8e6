# SPDX-License-Identifier: GPL-2.0-only
"""What symbolize says to bad input, and what it leaves alone."""

import random
import resource
import tempfile

from harness import BUILD, Case, run, tool

SYMBOLIZE = tool("symbolize")
ZOO = f"{BUILD}/load/symbols/zoo"


def shell(script):
    return run(["sh", "-c", script, SYMBOLIZE, ZOO])


class Behaviour(Case):
    def test_bad_usage(self):
        """bad usage: one line and status 2"""
        for args, said in (
                ((), "-p PID"), (("1",), "-p PID"), (("-k", "-p", "1", "1"), "-p PID"),
                (("-e", ZOO, "--symbols", ZOO), "-p PID"), (("--symbols", ZOO, "1"), "input"),
                (("--symbols", ZOO, "--json"), "--json"), (("-p", "0", "1"), "'0'"),
                (("-p", "1,2", "1"), "'1,2'"), (("-p", "9999999", "1"), "'9999999'"),
                (("-k", "zebra"), "'zebra'"), (("-k", "0x"), "'0x'"), (("-k", ""), "''"),
                (("-k", "1ffffffffffffffff"), "64 bits"), (("-k", "1", "-1"), "'-1'"),
                (("-k", "--", "-1"), "'-1'"), (("-k", "1", "2\n3"), "64 bits")):
            done = run([SYMBOLIZE, *args])
            self.assert_status(done, 2)
            self.assert_one_line(done, "^symbolize: ", said)
            self.assertEqual(done.out, "", str(done))

    def test_nothing_there(self):
        """what is not there, or is no program: one line and status 1"""
        for args, said in (
                (("-p", "4194304", "1"), "no process 4194304"),
                (("-e", "/nonexistent", "1"), "/nonexistent"), (("-e", "/", "1"), "ELF"),
                (("-e", "/etc/passwd", "1"), "ELF"), (("-e", "/dev/null", "1"), "ELF"),
                (("-k", "1", "-o", "/nonexistent/x"), "/nonexistent/x")):
            done = run([SYMBOLIZE, *args])
            self.assert_status(done, 1)
            self.assert_one_line(done, "^symbolize: ", said)
            self.assertEqual(done.out, "", str(done))

    def test_bad_words_on_standard_input(self):
        """a word that is no address: what came before it is answered, and status 2"""
        done = shell('printf "1 2\\n3 zebra 4" | "$0" -e "$1"')
        self.assert_status(done, 2)
        self.assert_one_line(done, "'zebra'")
        self.assertEqual([line.split()[0] for line in done.out.splitlines()],
                         ["0x1", "0x2", "0x3"])
        done = shell('printf "1 2\\n3 zebra 4" | "$0" -e "$1" --json')
        self.assert_status(done, 2)
        self.assertEqual(done.out, "", "a part of a JSON object")
        done = shell('head -c 300000 /dev/zero | tr "\\0" a | "$0" -e "$1"')
        self.assert_status(done, 2)
        self.assert_one_line(done, "'a{80}'")

    def test_nothing_asked(self):
        """an empty, closed or unreadable standard input"""
        for how, status, out in (("< /dev/null", 0, ""), ("<&-", 0, ""), ("< /", 1, "")):
            for mode in ('-e "$1"', '--symbols "$1"'):
                done = shell(f'"$0" {mode} {how}')
                self.assert_status(done, status)
                self.assertEqual(done.out, out)
                self.assertEqual(bool(done.err), bool(status))
        done = shell('"$0" -e "$1" --json < /dev/null')
        self.assertEqual(done.report["rows"], [])

    def test_closed_streams(self):
        """nobody who reads ends it quietly; what cannot be written fails"""
        done = shell('yes 1 | head -n 200000 | "$0" -e "$1" | head -n 1')
        self.assertEqual((done.out.split()[0], done.err), ("0x1", ""))
        done = shell('"$0" -e "$1" 1 > /dev/full')
        self.assert_status(done, 1)
        self.assert_one_line(done, "No space left")

    def test_output(self):
        """-o: the file has the answers, of this run alone"""
        with tempfile.TemporaryDirectory() as folder:
            for args in (["1", "2", "3"], ["4"]):
                done = run([SYMBOLIZE, "-e", ZOO, "-o", f"{folder}/out", *args])
                self.assert_status(done, 0)
                self.assertEqual(done.out, "")
                with open(f"{folder}/out", encoding="utf-8") as file:
                    self.assertEqual([f"0x{a}" for a in args],
                                     [line.split()[0] for line in file])

    def test_rubbish_for_pprof(self):
        """--symbols: rubbish on standard input gives nothing; an address in it is answered"""
        random.seed(1)
        with tempfile.TemporaryFile() as file:
            file.write(random.randbytes(2 << 20).replace(b"x", b"y").replace(b"X", b"Y"))
            file.write(b"\n0xx a0x1 0x1g 0x\n7f00-6f00 r-xp 0 0:0 0 /\n-\n1-\n"
                       b"0-ffffffffffffffff r-xp ffffffffffffffff 00:00 0 /etc/passwd\n"
                       b"0x1\n0xffffffffffffffff\n0x10000000000000000\n" + b"z" * 100000 + b"0x1")
            file.seek(0)
            done = run([SYMBOLIZE, "--symbols", ZOO], stdin=file)
        self.assert_status(done, 0)
        self.assertEqual(done.out, "??\n" * 3)

    def test_no_program_for_pprof(self):
        """--symbols: a program that is not there leaves its addresses without names: status 1"""
        done = shell('echo 0x1 | "$0" --symbols /nonexistent')
        self.assert_status(done, 1)
        self.assertEqual(done.out, "??\n")
        self.assert_one_line(done, "/nonexistent")

    def test_damaged_files(self):
        """files that are cut off or damaged: an answer or one line, and nothing worse"""
        with open(ZOO, "rb") as file:
            whole = file.read()
        random.seed(2)
        with tempfile.TemporaryDirectory() as folder:
            for i in range(20):
                data = bytearray(whole[:random.randrange(len(whole))] if i % 2 else whole)
                for _ in range(50):
                    data[random.randrange(min(len(data), 4096 if i % 4 else 1 << 30))] = \
                        random.randrange(256)
                path = f"{folder}/{i}"
                with open(path, "wb") as file:
                    file.write(data)
                done = run([SYMBOLIZE, "-e", path, "1040", "1139", "1200"])
                self.assertIn(done.status, (0, 1), str(done))
                self.assertEqual(len(done.err.splitlines()), done.status, str(done))

    def test_little_memory(self):
        """without memory: a line that says so, no crash"""
        done = run([SYMBOLIZE, "-k", "1"],
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (5 << 20, 5 << 20)))
        self.assertIn(done.status, (0, 1), str(done))
        self.assertEqual(bool(done.err), bool(done.status), str(done))

    def test_help(self):
        """--help names the options, the arguments and PPROF_PATH"""
        done = run([SYMBOLIZE, "--help"])
        self.assert_status(done, 0)
        for word in ("[ADDR...]", "--pid PID", "--kernel", "--exe FILE", "--symbols BINARY",
                     "--no-lines", "--json", "--output FILE", "PPROF_PATH"):
            self.assertIn(word, done.out)
        self.assertNotIn("SIGUSR1", done.out)
        self.assertNotIn("CMD", done.out)
