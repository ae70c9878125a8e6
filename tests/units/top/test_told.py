# SPDX-License-Identifier: GPL-2.0-only
"""What is missing from the figures, or cannot be in them, is told."""

import contextlib
import ctypes
import glob
import mmap
import os
import tempfile

from harness import CPUS, GUEST, Case, Running, release, run, tool

TOP = tool("top")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long)
LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
LIBC.write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
LIBC.mkdir.argtypes = (ctypes.c_void_p, ctypes.c_int)
PATH = b"/no/such/place"


@contextlib.contextmanager
def paths():
    """A function that calls mkdir(2) with PATH, in a page that was used before, or has not been."""
    with tempfile.TemporaryFile() as file:
        file.write(PATH.ljust(mmap.PAGESIZE, b"\0"))
        file.flush()

        def make(used):
            at = LIBC.mmap(None, mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
            if used:
                ctypes.string_at(at, 1)
            LIBC.mkdir(at, 0o700)
            LIBC.munmap(at, mmap.PAGESIZE)

        yield make


def skips(pid):
    """How often the kernel has skipped the programs that a process holds."""
    count = 0
    for name in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with open(name, encoding="ascii") as file:
            count += sum(int(line.split()[1]) for line in file if "recursion_misses" in line)
    return count


class Told(Case):
    @contextlib.contextmanager
    def observed(self, *args):
        """Observes this process; yields a list that has the result afterwards."""
        seen = []
        with Running([TOP, "--json", "-v", "-p", str(os.getpid()), *args]) as unit:
            unit.wait_for("observing$")
            yield seen
            unit.signal(2)
            seen.append(unit.result())
        self.assert_status(seen[0], 0)

    def test_lost_while_attaching(self):
        """what the kernel skipped before anything was observed is not in the first report's `lost`"""
        with Running(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000000"]) as load, \
             Running([TOP, "--json", "-v", "-k", "1", "-e",
                      "raw_syscalls:*,irq:*,timer:*,syscalls:sys_enter_s*"]) as unit:
            unit.wait_for("observing$")
            load.process.kill()
            skipped = skips(unit.process.pid)
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        # Attaching takes a second or so, and what came after it some milliseconds.
        self.assertLessEqual(result.report["lost"]["recursion"], 10 + skipped / 2, str(skipped))

    def test_samples(self):
        """a clock's samples are there or told as lost, also where other events' programs run meanwhile"""
        for others in ([], ["-e", "raw_syscalls:sys_*//key=1/alias=calls/"]):
            with self.subTest(str(others)), \
                 Running(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000000"]):
                result = run([TOP, "--json", "--duration", "2s", *others, "-e",
                              "cpu-clock//key=1/alias=samples/"])
                self.assert_status(result, 0)
                report = result.report
                due = 999 * CPUS * report["elapsed_ns"] / 1e9
                seen = sum(row["samples"] for row in report["rows"])
                self.assertLessEqual(seen, due * 1.01 + CPUS)
                # The time of an emulated CPU that has to wait is not all counted.
                percent = 10 if GUEST else 2
                self.assertGreaterEqual(seen + report["lost"]["recursion"],
                                        due * (1 - percent / 100) - 2 * CPUS, str(result))
                if not others:
                    self.assert_close(seen + report["lost"]["total"], due, percent, "samples",
                                      2 * CPUS)

    def test_absent_strings(self):
        """a filter's string that is not in memory when the event comes: the event is told as lost"""
        for test in (f'== "{PATH.decode()}"', f'!= "{PATH.decode()}"', '~ "/no/*/pl?ce"',
                     '~ "/no/*"'):
            with self.subTest(test), paths() as make:
                with self.observed("-e", f"syscalls:sys_enter_mkdir/pathname {test}/key=_pid/"
                                   "alias=n/") as seen:
                    for used in [True] * 30 + [False] * 20:
                        make(used)
                report = seen[0].report
                self.assertEqual(report["rows"],
                                 [] if "!" in test else [{"key": os.getpid(), "n": 30}])
                self.assertEqual(report["lost"]["unreadable"], 20)
                self.assertEqual(report["lost"]["total"],
                                 20 + report["lost"]["recursion"], str(report))
                self.assertRegex(seen[0].err, "lost 20 events: 20 unreadable .*not in memory")

    def test_no_strings(self):
        """where there is no string at all (NULL), a filter knows: it is empty"""
        with self.observed("-e", 'syscalls:sys_enter_mkdir/pathname == ""/key=_pid/alias=n/') as seen:
            for _ in range(10):
                LIBC.mkdir(None, 0)
        self.assertEqual(seen[0].report["rows"], [{"key": os.getpid(), "n": 10}])
        self.assertEqual(seen[0].report["lost"]["unreadable"], 0)

    def test_absent_keys(self):
        """keys that are not in memory are a row that says so, and no other's"""
        with paths() as make:
            with self.observed("-e", "syscalls:sys_enter_mkdir//key=pathname/alias=n/") as seen:
                for used in [True] * 30 + [False] * 20:
                    make(used)
                for _ in range(10):
                    LIBC.mkdir(None, 0)
        self.assertEqual({row["key"]: row["n"] for row in seen[0].report["rows"]},
                         {PATH.decode(): 30, "(not in memory)": 20, "": 10})

    def test_sums_of_any_size(self):
        """a sum is exact as long as it fits in 64 bits; one that does not is null, and `-` in text"""
        event = ("syscalls:sys_enter_write/(int)fd==-1/key=1/top-add=count/top-add=(long)count/"
                 "top-add=-(long)count/alias=all/alias=signed/alias=negative/")
        for numbers in ([3 << 61] * 3, [1 << 62] * 2, [1 << 63] * 2, [(1 << 64) - 1, 7],
                        [(1 << 64) - 1], [1 << 63], [(1 << 40) + 5] * 1000, [(1 << 64) - 5] * 100):
            with self.subTest(str(numbers[:3])):
                with self.observed("-e", event) as seen:
                    for number in numbers:
                        LIBC.write(-1, None, number)
                signed = [n - (n >> 63 << 64) for n in numbers]
                # -(long)count wraps where C leaves it undefined.
                negative = [-n if n != -1 << 63 else n for n in signed]
                sums = {"all": sum(numbers), "signed": sum(signed), "negative": sum(negative)}
                for name, total in sums.items():
                    fits = total >> 64 == 0 if name == "all" else -1 << 63 <= total < 1 << 63
                    sums[name] = total if fits else None
                self.assertEqual(seen[0].report["rows"], [{"key": 1, **sums}])
        result = run([TOP, "-e", event, "--", "python3", "-c", "import ctypes\nfor _ in range(3): "
                      "ctypes.CDLL(None).write(-1, None, ctypes.c_size_t(3 << 61))"])
        self.assert_status(result, 0)
        self.assertEqual(result.out.splitlines()[-1].split(), ["1", "-", "-", "-"])

    def test_returns(self):
        """returns that the kernel passes by, as many calls sleep, are told: how many, or that they may be"""
        with open("/proc/kallsyms", encoding="ascii") as file:
            names = {line.split()[2] for line in file}
        function = next(name for name in ("anon_pipe_read", "pipe_read") if name in names)
        load = ("import os, threading, time\nblocked, free = os.pipe(), os.pipe()\n"
                "for _ in range(100):\n"
                "    threading.Thread(target=os.read, args=(blocked[0], 1), daemon=True).start()\n"
                "time.sleep(1)\n"
                "for _ in range(300):\n    os.write(free[1], b'x')\n    os.read(free[0], 1)\n"
                "os._exit(0)\n")
        result = run([TOP, "--json", "-e", f"kretprobe:{function}/ret==1/key=1/alias=n/", "--",
                      "python3", "-c", load])
        if result.status == 4:
            self.skipTest(f"no kprobes here: {result.err.strip()}")
        self.assert_status(result, 0)
        seen = sum(row["n"] for row in result.report["rows"])
        if release() >= (6, 7):
            self.assertGreaterEqual(seen + result.report["lost"]["recursion"], 300, str(result))
        else:
            self.assertRegex(result.err, f"may be missed.*fexit:{function}")
