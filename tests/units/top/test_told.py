# SPDX-License-Identifier: GPL-2.0-only
"""What is missing from the figures, or cannot be in them, is told."""

import contextlib
import ctypes
import glob
import mmap
import os
import tempfile

from events import COUNT, WRITE
from harness import LOAD, Case, Running, run, tool

TOP = tool("top")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long)
LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
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
