# SPDX-License-Identifier: GPL-2.0-only
"""perfsys as its users meet it: options, errors, signals, full disks and old pictures."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from harness import (ENOUGH_CAPS, GUEST, Running, UnloadingCase, full_pipe, loaded_programs, run,
                     run_as_nobody, tool)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from catching import (CPU, GATE, HIGH_GATE, PERFSYS, QUICK, CatchingCase, Picture, busy, folder,
                      moment, perfsys, stat)

# What a machine that is busy with other things may take longer, in seconds.
LATE = 5 if GUEST else 0.5

# Seconds in which a CPU that is busy is caught for sure.
LONG = 4 if GUEST else 2


class Behaviour(UnloadingCase, CatchingCase):
    def sampling(self, *args, **options):
        """perfsys while it samples a CPU, for as long as nobody stops it."""
        unit = Running([*PERFSYS, "-v", "--json", "-C", str(CPU), *GATE, "-i", "250ms", "-s", "1m",
                        *args], **options)
        unit.wait_for("perfsys: observing")
        folder = f"/proc/{unit.process.pid}/fd"
        self.wait_until(lambda: any(self.is_event(f"{folder}/{fd}") for fd in os.listdir(folder)),
                        "it samples")
        time.sleep(0.5)
        return unit

    @staticmethod
    def is_event(path):
        try:
            return "perf_event" in os.readlink(path)
        except FileNotFoundError:
            return False

    def wait_for_files(self, path, count):
        self.wait_until(lambda: len(self.files(path)) >= count, f"{count} files")

    def test_help(self):
        """--help, -h, --usage, -V: on standard output, status 0, and name every option"""
        for option in ("--help", "-h"):
            result = perfsys(option)
            self.assert_status(result, 0)
            self.assertEqual(result.err, "")
            for name in ("--interval", "--gate", "--sample", "--freq", "--cpus", "--directory",
                         "--keep", "--exit-N", "--duration", "--json", "--output", "seconds",
                         "YYYYMMDD_HHMMSS.svg"):
                self.assertIn(name, result.out)
            self.assertLessEqual(max(map(len, result.out.splitlines())), 100)
        self.assertRegex(perfsys("--usage").out, r"\[-g PCT\]")
        self.assertRegex(perfsys("-V").out, r"^perfsys \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        """bad usage: one line that says what to do, status 2"""
        for args, says in (
                (["-g", "0"], "-g.*from 1 to 100"), (["-g", "101"], "-g"), (["-g", "10%"], "10%"),
                (["-g", "-1"], "-g"), (["-g", ""], "-g"), (["-g"], "missing.*-g"),
                (["-i", "0"], "-i.*10 ms"), (["-i", "9ms"], "10 ms"), (["-i", "1e3"], "-i"),
                (["-i", "-3"], "-i"), (["-i", "1.2.3"], "1.2.3"), (["-i", "."], "-i"),
                (["-i", ""], "-i"), (["-i", "25h"], "-i"), (["-i", "1441m"], "longer than a day"),
                (["-i", "86400001"], "longer than a day"),
                (["-i", "99999999999999999999999"], "-i"),
                (["-s", "0"], "-s.*10 ms"), (["-s", "soon"], "soon.*-s"),
                (["-f", "0"], "-f.*from 1 to 10000"), (["-f", "10001"], "-f"),
                (["-f", "200.5"], "-f"), (["-C", "x"], "CPU"), (["-C", "99999"], "CPU"),
                (["-C", "8000"], "this machine's CPUs"), (["-C", ""], "-C"),
                (["--keep", "0"], "--keep"), (["--keep", "-5"], "--keep"),
                (["--keep", "99999999999"], "--keep"), (["-N", "0"], "-N.*at least 1"),
                (["--directory", ""], "--directory"), (["--duration", "0"], "--duration"),
                (["--directory", "a", "--directory", "b"], "twice"),
                (["-i", "3", "-i", "4"], "twice"),
                (["-p", "1"], "-p"), (["--pid", "1"], "--pid"), (["-t", "1"], "-t"),
                (["--comm", "x"], "--comm"), (["--cgroup", "/"], "--cgroup"),
                (["--than", "1ms"], "--than"), (["--heatmap", "x"], "--heatmap"),
                (["--flame-graph", "x"], "--flame-graph"), (["--call-graph"], "--call-graph"),
                (["--perins"], "--perins"), (["-F", "99"], "-F"), (["--", "true"], "true"),
                (["stray"], "stray"), (["-v", "-q"], "contradict")):
            with self.subTest(" ".join(args)):
                result = perfsys(*args)
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^perfsys: ", says)
                self.assertEqual(result.out, "")

    def test_command_line_of_old(self):
        """perfSys's own command line: intervals are seconds there, and from 100 on ms"""
        self.assert_status(perfsys("-g", "10", "-i", "3", "-s", "3", "-f", "200", "--duration",
                                   "50ms"), 0)
        with busy(), folder() as (_, there):
            for interval, sample, took in (("500", "1", 1.5), ("1", "300", 1.3),
                                           ("0.5", "0.5s", 1.0), ("1000ms", "0.1", 1.1)):
                with self.subTest(f"-i {interval} -s {sample}"):
                    result = perfsys("--json", "-C", str(CPU), *GATE, "-N", "1", "-i", interval,
                                     "-s", sample, *there)
                    self.assert_status(result, 0)
                    elapsed = result.report["elapsed_ns"] / 1e9
                    self.assertTrue(took - 0.05 <= elapsed <= took + LATE, f"{elapsed} {result}")

    def test_number_of_pictures(self):
        """-N: it ends after so many pictures; their names are told apart within a second"""
        with busy(), folder() as (path, there):
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "3", *there)
            self.assert_status(result, 0)
            written = [row["file"] for row in self.rows(result) if "file" in row]
            self.assertEqual(len(written), 3)
            self.assertEqual(sorted(written), self.files(path))
            self.assert_nothing_left(path)

    def test_working_directory(self):
        """pictures go to the working directory, and are named without it"""
        with busy(), tempfile.TemporaryDirectory() as path:
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "1", cwd=path)
            self.assert_status(result, 0)
            file = [row["file"] for row in self.rows(result) if "file" in row][0]
            self.assertEqual([file], os.listdir(path))

    def test_duration(self):
        """--duration: it ends in time, also while it samples, with what there is"""
        with busy(), folder() as (path, there):
            result = perfsys("--json", "-C", str(CPU), *GATE, "-i", "300ms", "-s", "1m",
                             "--duration", f"{LONG}s", *there)
            self.assert_status(result, 0)
            elapsed = result.report["elapsed_ns"] / 1e9
            self.assertTrue(LONG - 0.1 <= elapsed <= LONG + LATE, str(result))
            self.assertGreater(self.rows(result)[0]["samples"], 0)
            self.assertEqual(Picture(self.files(path)[0]).samples, self.rows(result)[0]["samples"])

    def test_stopped_while_sampling(self):
        """Ctrl-C, SIGTERM and SIGHUP while it samples: a picture of what there is, status 0"""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name), busy(), folder() as (path, there), \
                 self.sampling(*there) as unit:
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                row = self.rows(result)[0]
                self.assertEqual(self.files(path), [row["file"]])
                self.assertEqual(Picture(row["file"]).samples, row["samples"])
                self.assertGreater(row["samples"], 0)
                self.assertEqual(len(result.reports), 1)

    def test_stopped_while_calm(self):
        """Ctrl-C and SIGUSR1 while there is nothing: nothing is said or written, status 0"""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), busy(what="burn"), folder() as (path, there), \
                 Running([*PERFSYS, "-v", "-C", str(CPU), *HIGH_GATE, "-i", "20ms",
                          *there]) as unit:
                unit.wait_for("perfsys: observing")
                unit.signal(signal.SIGUSR1)
                time.sleep(0.3)
                unit.signal(number)
                result = unit.result()
                self.assert_status(result, 0)
                self.assertEqual((result.out, result.err), ("", "perfsys: observing\n"))
                self.assertEqual(self.files(path), [])

    def test_report_now(self):
        """SIGUSR1 while it samples: the row and the picture so far; in the end there is one"""
        with busy(), folder() as (path, there), self.sampling(*there) as unit:
            unit.signal(signal.SIGUSR1)
            unit.wait_for('"rows"', unit.out)
            self.assertEqual(len(self.files(path)), 1)
            first = Picture(self.files(path)[0]).samples
            time.sleep(0.5)
            unit.signal(signal.SIGINT)
            result = unit.result()
            self.assert_status(result, 0)
            rows = self.rows(result)
            self.assertEqual([row["samples"] for row in rows][0], first)
            self.assertGreater(rows[1]["samples"], first)
            self.assertEqual({row["file"] for row in rows}, set(self.files(path)))
            self.assertEqual(Picture(self.files(path)[0]).samples, rows[1]["samples"])

    def test_second_interrupt(self):
        """a second Ctrl-C stops at once, even when nobody takes the report"""
        with full_pipe() as writer:
            with busy(), folder() as (path, there), self.sampling(*there, stdout=writer) as unit:
                unit.signal(signal.SIGINT)
                self.wait_for_files(path, 1)
                time.sleep(0.3)
                self.assertIsNone(unit.process.poll())
                unit.signal(signal.SIGINT)
                self.assertEqual(unit.result().status, -signal.SIGINT)
                self.assert_nothing_left(path)

    def test_killed(self):
        """kill -9 while it samples: nothing stays in the kernel, nor half a picture"""
        with busy(), folder() as (path, there), self.sampling(*there) as unit:
            self.assertTrue(loaded_programs() - self.programs)
            unit.signal(signal.SIGKILL)
            self.assertEqual(unit.result().status, -signal.SIGKILL)
            self.assertEqual(self.files(path), [])

    def test_closed_pipe(self):
        """a closed pipe ends it quietly"""
        with busy(), folder() as (_, there), \
             Running([*PERFSYS, "-C", str(CPU), *QUICK, *there], stdout=subprocess.PIPE) as unit:
            unit.process.stdout.readline()
            unit.process.stdout.close()
            self.assertEqual(unit.process.wait(30), 0)
            self.assertEqual(unit.said(unit.err), "")

    def test_output(self):
        """-o: rows go to the file; one that cannot be written is status 1 and one line"""
        with busy(), folder() as (path, there), tempfile.NamedTemporaryFile() as out:
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "1", "-o", out.name, *there)
            self.assert_status(result, 0)
            self.assertEqual(result.out, "")
            self.assertIn(self.files(path)[0], out.read().decode())
            result = perfsys("-C", str(CPU), *QUICK, "-N", "1", "-o", "/dev/full", *there)
            self.assert_status(result, 1)
            self.assert_one_line(result, "/dev/full", "No space left")
        result = perfsys("-o", "/no/such/folder/x")
        self.assert_status(result, 1)
        self.assert_one_line(result, "/no/such/folder/x", "No such file")

    def with_disk(self, options, command, *args):
        """perfsys in a namespace with a small disk of its own at /mnt, that `command` sets up."""
        mount = f"mount -t tmpfs -o size=64k,{options} none /mnt && {command} && exec \"$@\""
        return Running(["unshare", "-m", "sh", "-c", mount, "-", *PERFSYS, "-v", "--json", "-C",
                        str(CPU), *QUICK, "--directory", "/mnt", *args])

    def errors(self, unit):
        return [line for line in unit.said(unit.err).splitlines()
                if line != "perfsys: observing"]

    def wait_for_catches(self, unit, more):
        """Waits for so many more rows with samples."""
        def count():
            return unit.said(unit.out).count('"hottest"')
        wanted = count() + more
        self.wait_until(lambda: count() >= wanted, "catches")

    def test_full_disk(self):
        """a full disk: told once, no half of a file stays, and pictures come when there is room"""
        fill = "head -c 60k /dev/zero > /mnt/filler"
        with busy(), self.with_disk("mode=755", fill) as unit:
            unit.wait_for("going on")
            disk = f"/proc/{unit.process.pid}/root/mnt"
            self.wait_for_catches(unit, 3)
            self.assertEqual(len(self.errors(unit)), 1, self.errors(unit))
            self.assertRegex(self.errors(unit)[0],
                             r"^perfsys: cannot write /mnt/\d{8}_\d{6}\.svg: No space left on "
                             r"device; going on$")
            os.unlink(f"{disk}/filler")
            unit.wait_for('"file"', unit.out)
            # Its own pictures fill the disk again: the same reason, but news.
            unit.wait_for(r"(?s)(going on.*){2}")
            self.wait_for_catches(unit, 3)
            self.assertEqual(len(self.errors(unit)), 2, self.errors(unit))
            parts = [name for name in os.listdir(disk) if name.endswith(".part")]
            self.assertLessEqual(len(parts), 1, "one may be on its way")
            unit.signal(signal.SIGINT)
            result = unit.result()
        self.assert_status(result, 0)
        self.assertTrue(any("file" in row for row in self.rows(result)))
        self.assertFalse("file" in self.rows(result)[0])

    def test_nothing_half_written(self):
        """a disk that gets full within a picture: no part of it stays"""
        with tempfile.TemporaryDirectory() as path, busy():
            mount = "mount -t tmpfs -o size=16k none \"$0\" && \"$@\"; ls -A \"$0\""
            result = run(["unshare", "-m", "sh", "-c", mount, path, *PERFSYS, "-q", "-C", str(CPU),
                          *QUICK, "--duration", f"{LONG}s", "-o", "/dev/null", "--directory",
                          path])
            self.assert_status(result, 0)
            self.assert_one_line(result, "No space left on device; going on")
            self.assertEqual(result.out, "")

    def test_read_only(self):
        """a directory that cannot be written is told at once, before there is anything to write"""
        with tempfile.NamedTemporaryFile() as file:
            for path, says in (("/no/such/folder", "No such file"), (file.name, "Not a directory"),
                               ("/" + 300 * "x", "name too long")):
                with self.subTest(path[:40]), busy(what="burn"):
                    result = perfsys("-C", str(CPU), *HIGH_GATE, "--directory", path, "--duration",
                                     "1s", "-i", "250ms")
                    self.assert_status(result, 0)
                    self.assert_one_line(result, "^perfsys: cannot write to /", says, "going on")
        with busy(), self.with_disk("ro", "true") as unit:
            self.wait_for_catches(unit, 2)
            self.assertEqual(self.errors(unit), ["perfsys: cannot write to /mnt: Read-only file "
                                                 "system; going on"])

    def test_directory_comes_and_goes(self):
        """a directory that is made later gets its pictures; when it goes, that is told once"""
        with busy(), folder() as (path, _), \
             Running([*PERFSYS, "-v", "--json", "-C", str(CPU), *QUICK, "--directory",
                      f"{path}/later"]) as unit:
            unit.wait_for("No such file or directory; going on")
            self.wait_for_catches(unit, 2)
            os.mkdir(f"{path}/later")
            unit.wait_for('"file"', unit.out)
            self.assertEqual(len(self.errors(unit)), 1)
            os.rename(f"{path}/later", f"{path}/gone")
            self.wait_for_catches(unit, 3)
            self.assertEqual(len(self.errors(unit)), 2, self.errors(unit))
            unit.signal(signal.SIGTERM)
            self.assert_status(unit.result(), 0)

    def make_others(self, path, ours):
        """Files that look like pictures of perfsys and are none, or are not called like them."""
        with open(f"{path}/20200101_000000.svg", "w", encoding="ascii") as file:
            file.write("<svg xmlns='http://www.w3.org/2000/svg'><title>mine</title></svg>")
        shutil.copy(ours, f"{path}/20200101_000000.svg.bak")
        shutil.copy(ours, f"{path}/x20200101_000000.svg")
        shutil.copy(ours, f"{path}/20200101-000000.svg")
        shutil.copy(ours, f"{path}/2020010a_000000.svg")
        shutil.copy(ours, f"{path}/20200101_000000_.svg")
        shutil.copy(ours, f"{path}/20200101_000000_2b.svg")
        shutil.copy(ours, f"{path}/notes.txt")
        os.mkdir(f"{path}/20200101_000001.svg")
        os.symlink("notes.txt", f"{path}/20200101_000002.svg")
        os.symlink("/no/such/file", f"{path}/20200101_000003.svg")
        os.mkfifo(f"{path}/20200101_000004.svg")
        open(f"{path}/20200101_000005.svg", "wb").close()
        return set(os.listdir(path))

    def test_keep(self):
        """--keep: the latest pictures stay, older ones go, and nothing else does"""
        with busy(), folder() as (path, there), folder() as (first, elsewhere):
            self.assert_status(perfsys("-C", str(CPU), *QUICK, "-N", "1", *elsewhere), 0)
            ours = self.files(first)[0]
            others = self.make_others(path, ours)
            for name in ("20210101_000000.svg", "20210101_000000_2.svg", "20210101_000000_10.svg"):
                shutil.copy(ours, f"{path}/{name}")
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "1", "--keep", "3", *there)
            self.assert_status(result, 0)
            files = [row["file"] for row in self.rows(result) if "file" in row]
            kept = {"20210101_000000_2.svg", "20210101_000000_10.svg", os.path.basename(files[0])}
            self.assertEqual(set(os.listdir(path)), others | kept)
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "4", "--keep", "2", *there)
            self.assert_status(result, 0)
            files = [row["file"] for row in self.rows(result) if "file" in row]
            self.assertEqual(set(os.listdir(path)), others | {os.path.basename(f)
                                                              for f in files[-2:]})

    def test_clock_set_back(self):
        """--keep 1: the picture that was just written stays, whatever the clock said before"""
        with busy(), folder() as (path, there):
            self.assert_status(perfsys("-C", str(CPU), *QUICK, "-N", "1", *there), 0)
            os.rename(self.files(path)[0], f"{path}/20990101_000000.svg")
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "1", "--keep", "1", *there)
            self.assert_status(result, 0)
            files = [row["file"] for row in self.rows(result) if "file" in row]
            self.assertEqual(self.files(path), files)

    def test_links_are_not_followed(self):
        """a link that stands where a picture would: it is left alone"""
        with busy(), folder() as (path, there), folder() as (target, _):
            now = int(time.time())
            for second in range(now, now + 60):
                name = time.strftime("%Y%m%d_%H%M%S.svg", time.localtime(second))
                os.symlink(f"{target}/taken", f"{path}/{name}")
            result = perfsys("--json", "-C", str(CPU), *QUICK, "-N", "1", *there)
            self.assert_status(result, 0)
            file = [row["file"] for row in self.rows(result) if "file" in row][0]
            self.assertRegex(file, r"_\d{6}_2\.svg$")
            self.assertEqual(os.listdir(target), [])

    def test_nothing_to_sample(self):
        """system time of which no sample tells: the row says so, there is no picture"""
        with stat() as told, folder() as (path, there), \
             Running([*told.argv, *PERFSYS, "-v", "--json", "-C", str(CPU), *GATE, "-i", "20ms",
                      "-s", "10ms", "-f", "1", *there]) as unit:
            unit.wait_for("perfsys: observing")
            told.add(CPU, system=100)
            told.write()
            unit.wait_for('"rows"', unit.out)
            unit.signal(signal.SIGINT)
            result = unit.result()
            self.assert_status(result, 0)
            row = self.rows(result)[0]
            if row["samples"]:
                self.skipTest("a sample at 1 Hz fell into 10 ms")
            self.assertEqual(set(row), {"began", "cpus", "system_percent", "samples"})
            self.assertEqual(self.files(path), [])
            self.assertLess(abs(moment(row["began"]) - time.time()), 60)

    def test_without_privilege(self):
        """without root: status 4, and what is missing; CAP_BPF and CAP_PERFMON may be enough"""
        result = run_as_nobody([tool("perfsys"), "--duration", "1s"])
        self.assert_status(result, 4)
        self.assert_one_line(result, "CAP_BPF and CAP_PERFMON, or root")
        with tempfile.TemporaryDirectory() as path:
            os.chmod(path, 0o755)
            result = run_as_nobody([tool("perfsys"), *GATE, "--duration", "100ms", "--directory",
                                    path], caps=ENOUGH_CAPS)
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
            paranoid = int(file.read()) > 2
        if paranoid:  # a value of Debian's
            self.assert_status(result, 4)
            self.assert_one_line(result, "cannot sample .*perf_event_paranoid above 2")
        else:
            self.assert_status(result, 0)
            self.assert_one_line(result, "cannot write to .*Permission denied; going on")

    def test_too_fast(self):
        """a frequency that the kernel does not allow is told at the start, with what allows it"""
        limit = "/proc/sys/kernel/perf_event_max_sample_rate"
        if not GUEST:
            self.skipTest("the limit is the whole machine's; seen in guests")
        with open(limit, encoding="ascii") as file:
            before = file.read()
        try:
            with open(limit, "w", encoding="ascii") as file:
                file.write("1000")
            result = perfsys("-f", "2000", "--duration", "1s")
            self.assert_status(result, 1)
            self.assert_one_line(result, "2000 Hz", "perf_event_max_sample_rate")
            self.assert_status(perfsys("-f", "900", "--duration", "50ms"), 0)
        finally:
            with open(limit, "w", encoding="ascii") as file:
                file.write(before)

    def test_offline_cpu(self):
        """-C with a CPU that is offline: it is waited for"""
        if not GUEST:
            self.skipTest("CPUs are not taken from this machine; seen in guests")
        switch = "/sys/devices/system/cpu/cpu1/online"
        if not os.path.exists(switch):
            self.skipTest("this kernel cannot switch its second CPU off")

        def set_online(online):
            with open(switch, "w", encoding="ascii") as file:
                file.write(str(online))
        set_online(0)
        try:
            with folder() as (path, there):
                for cpus in ("1", "0-1"):
                    result = perfsys("-C", cpus, "-g", "100", "-i", "100ms", "--duration", "500ms",
                                     *there)
                    self.assert_status(result, 0)
                    self.assertEqual((result.out, result.err), ("", ""))
                with Running([*PERFSYS, "-v", "--json", "-C", "1", *QUICK, "-N", "1",
                              *there]) as unit:
                    unit.wait_for("perfsys: observing")
                    time.sleep(0.5)
                    set_online(1)
                    with busy(1):
                        result = unit.result()
                    self.assert_status(result, 0)
                    self.assertEqual(len(self.files(path)), 1, str(result))
                with busy(1), Running([*PERFSYS, "-v", "--json", "-C", "1", *GATE, "-i", "250ms",
                                       "-s", "3s", *there]) as unit:
                    unit.wait_for("perfsys: observing")
                    time.sleep(1)
                    set_online(0)  # in the middle of it
                    time.sleep(0.5)
                    unit.signal(signal.SIGINT)
                    self.assert_status(unit.result(), 0)
        finally:
            set_online(1)


if __name__ == "__main__":
    unittest.main()
