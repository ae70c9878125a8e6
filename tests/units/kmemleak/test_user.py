# SPDX-License-Identifier: GPL-2.0-only
"""kmemleak --user beside programs that leak known numbers of known sizes."""

import contextlib
import functools
import glob
import mmap
import os
import sys

from harness import CPUS, GUEST, Running, go, named, run, waiting

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from leaks import (KMEMLEAK, OBSERVING, LeakCase, around, ask, at_leaf, chosen, count, finish, heap,
                   kmemleak, leaf, missed, shown, size)

# Each probe takes long under emulation.
CALLS = 2100 if GUEST else 7000
MANY = 7000 if GUEST else 70000
FEW = 100 if GUEST else 1000
PAGE = mmap.PAGESIZE

# What each of these leaks at a time.
KINDS = {"leak_malloc": 100, "leak_calloc": 3 * 50, "leak_realloc": 170, "leak_moved": 3000,
         "leak_reallocarray": 5 * 60, "leak_aligned_alloc": 128, "leak_posix_memalign": 200,
         "leak_memalign": 300, "leak_valloc": 400, "leak_pvalloc": 500, "leak_mmap": 8192}


def seventh(calls=CALLS):
    """What leak_some() leaks: objects, bytes."""
    sizes = [16 + i % 100 for i in range(0, calls, 7)]
    return len(sizes), sum(sizes)


def library(pattern):
    found = sorted(glob.glob(f"/usr/lib/*/{pattern}"))
    return found[0] if found else None


def of(report, function, allocator=None):
    """The rows of what this function has allocated."""
    return chosen(report, lambda row: leaf(row) == function and
                  row["allocator"] == (allocator or row["allocator"]))


@contextlib.contextmanager
def observed(loads, *options):
    """A unit that observes these waiting loads, by their pids, until each has done its work."""
    with contextlib.ExitStack() as stack:
        waiters = [stack.enter_context(waiting(load)) for load in loads]
        pids = [pid for _, pid in waiters]
        unit = stack.enter_context(Running([KMEMLEAK, "-v", "--json", "--user", "--max-live",
                                            "50000", "-p", ",".join(map(str, pids)), *options]))
        unit.wait_for(OBSERVING)
        for load, _ in waiters:
            go(load)
        for load, _ in waiters:
            load.wait_for("done", load.out)
        yield unit, pids


def only(report, pid):
    """The part of a report that is a process's."""
    return dict(report, rows=[row for row in report["rows"] if row["pid"] == pid])


class User(LeakCase):
    def assert_leaked(self, report, function, objects, total, allocator="malloc"):
        rows = of(report, function, allocator)
        self.assertEqual((count(rows), size(rows)), (objects, total), shown(report))
        return rows

    def assert_seventh(self, report, calls=CALLS):
        return self.assert_leaked(report, "leak_some", *seventh(calls))

    def assert_kinds(self, report):
        for function, each in KINDS.items():
            with self.subTest(function):
                rows = of(report, function)
                self.assertEqual(count(rows), FEW, shown(report))
                # pvalloc() is for whole pages.
                right = {FEW * each, FEW * PAGE if function == "leak_pvalloc" else FEW * each}
                self.assertIn(size(rows), right, shown(report))
                self.assertEqual([row["allocator"] for row in rows],
                                 ["mmap" if function == "leak_mmap" else "malloc"])

    def assert_tortured(self, report):
        """Nothing is left by it."""
        left = chosen(report, at_leaf({"torture", "torture_in_thread", "torture_all"}))
        self.assertEqual(left, [], shown(report))


LOADS = {"seventh": MANY, "kinds": FEW, "torture": CALLS // 7, "mappings": FEW, "huge": FEW,
         "threads": FEW, "fork": FEW}


@functools.lru_cache(None)
def of_all_loads():
    """The report of several programs at a time; and the part of each, by its name."""
    with observed([heap("--wait", *load) for load in LOADS.items()], "--exact") as (unit, pids):
        report = ask(unit)
    return report, {name: only(report, pid) for name, pid in zip(LOADS, pids)}


class Kinds(User):
    """Several programs at a time, each of which leaks in a way of its own."""

    def setUp(self):
        self.report, self.parts = of_all_loads()

    def test_seventh(self):
        """70,000 mallocs of which each seventh leaks: exactly 10,000, their bytes, one stack"""
        rows = self.assert_seventh(self.parts["seventh"], MANY)
        self.assertEqual(len(rows), 1, rows)
        # The compiler may put leak_seventh() into main().
        self.assertIn("main", named(rows[0]["stack"])[1:3], rows)
        self.assertEqual(rows[0]["comm"], "heap")
        self.assert_adds_up(self.report)
        self.assertEqual(self.report["lost"]["total"] - missed(self.report), 0,
                         self.report["lost"])

    def test_kinds(self):
        """malloc, calloc, realloc, aligned_alloc and so on, mmap: each its number and bytes"""
        report = self.parts["kinds"]
        self.assert_kinds(report)
        for function in KINDS:
            with self.subTest(function):
                rows = of(report, function)
                self.assertIn("main", named(rows[0]["stack"])[1:3], shown(report))

    def test_torture(self):
        """realloc that moves, grows, shrinks, fails, frees, in four threads: no leak"""
        report = self.parts["torture"]
        self.assert_tortured(report)
        # What pthread_create() has allocated is not the load's.
        self.assertLess(count(report["rows"]), 20, shown(report))

    def test_mappings(self):
        """mappings that are unmapped by parts, together, moved: exactly what is left of them"""
        report = self.parts["mappings"]
        self.assert_leaked(report, "leak_half", FEW, 4 * PAGE * FEW, "mmap")
        for function in ("unmap_begin_first", "unmap_end_first", "unmap_middle_first", "unmap_two",
                         "remap"):
            with self.subTest(function):
                self.assertEqual(of(report, function), [], shown(report))

    def test_huge(self):
        """allocations that fail are no objects, and leave what there was"""
        self.assertEqual(self.parts["huge"]["rows"], [])

    def test_threads(self):
        """four threads: one row with the sum of what each leaks"""
        rows = self.assert_leaked(self.parts["threads"], "leak_in_thread", 4 * FEW, 4 * FEW * 64)
        self.assertEqual(len(rows), 1, rows)

    def test_fork(self):
        """fork: the parent's objects stay its own, whatever the child does with its copies"""
        self.assert_leaked(self.parts["fork"], "leak_before", FEW, 40 * FEW)
        self.assertEqual(of(self.parts["fork"], "fork_and_leak"), [], shown(self.parts["fork"]))


class Programs(User):
    def test_by_call_site(self):
        """without --exact: the same sums, by the function that allocates"""
        with observed([heap("--wait", "seventh", CALLS), heap("--wait", "kinds", FEW)]) as \
                (unit, _):
            report = ask(unit)
            result = finish(unit)
        self.assert_status(result, 0)
        for one in (report, result.reports[-1]):
            self.assert_seventh(one)
            self.assert_kinds(one)
            self.assert_adds_up(one)

    def test_same_addresses(self):
        """-p PID,PID: each has its own, even at the same addresses; others are not observed"""
        same = ["setarch", "-R", *heap("--wait", "seventh", CALLS)]
        with waiting(same) as (third, other), observed([same, same], "--exact") as (unit, pids):
            go(third)
            third.wait_for("done", third.out)
            report = ask(unit)
        for pid in pids:
            self.assert_seventh(only(report, pid))
        self.assertEqual(only(report, other)["rows"], [])

    def test_command(self):
        """-- CMD: what a program has not freed when it ends, with names"""
        result = kmemleak("--user", "--json", "--", *heap("seventh", CALLS))
        self.assert_status(result, 0)
        self.assert_seventh(result.report)

    def test_fork_of_command(self):
        """-- CMD: a child's objects are its own too, from a moment after its begin"""
        result = kmemleak("--user", "--exact", "--json", "--", *heap("fork", FEW))
        self.assert_status(result, 0)
        before = self.assert_leaked(result.report, "leak_before", FEW, 40 * FEW)
        child = self.assert_leaked(result.report, "leak_in_child", FEW, 56 * FEW)
        self.assertNotEqual(before[0]["pid"], child[0]["pid"], shown(result.report))

    def test_exec(self):
        """exec: what the program before had is no more; the one after has what it leaks"""
        with waiting(heap("--wait", "exec", FEW)) as (load, pid):
            with Running([KMEMLEAK, "-v", "--json", "--user", "--exact", "-p", str(pid)]) as unit:
                unit.wait_for(OBSERVING)
                go(load)
                load.wait_for(r"ready \d+\nready \d+\n", load.out)
                go(load)
                load.wait_for("done", load.out)
                report = ask(unit)
        self.assert_leaked(report, "leak_after", FEW, 48 * FEW)
        self.assertEqual(of(report, "leak_before"), [], shown(report))

    def test_short_lived(self):
        """-- CMD: programs that a shell runs for a moment: what is reported is right"""
        # They are observed from a moment after their begin: not all is reported.
        words = " ".join(heap("exec", 10))
        result = kmemleak("--user", "--exact", "--json", "--", "sh", "-c",
                          f"for i in 1 2 3 4 5; do {words}; done")
        self.assert_status(result, 0)
        rows = of(result.report, "leak_after", "malloc")
        for row in rows:
            self.assertLessEqual(row["count"], 10, shown(result.report))
            self.assertEqual(row["bytes"], row["count"] * 48, shown(result.report))
        self.assertLessEqual(count(rows), 50, shown(result.report))
        self.assertEqual(len({row["pid"] for row in rows}), len(rows), shown(result.report))
        self.assertEqual(of(result.report, "leak_before"), [], shown(result.report))

    def test_before(self):
        """what was allocated before is not reported, and its frees do no harm"""
        with waiting(heap("--wait", "seventh", 7)) as (load, pid):
            with Running([KMEMLEAK, "-v", "--json", "--user", "-p", str(pid)]) as unit:
                unit.wait_for(OBSERVING)
                self.assertEqual(ask(unit)["rows"], [])
                go(load)
                load.wait_for("done", load.out)
                self.assert_leaked(ask(unit), "leak_some", 1, 16)

    def test_other_allocators(self):
        """-O: jemalloc and tcmalloc that are preloaded: as exact as the C library's"""
        for pattern, package in (("libjemalloc.so.2", "libjemalloc2"),
                                 ("libtcmalloc_minimal.so.4", "libgoogle-perftools4")):
            with self.subTest(pattern):
                path = library(pattern)
                if not path:
                    self.skipTest(f"needs {pattern} (package {package})")
                preloaded = ["env", f"LD_PRELOAD={path}"]
                with observed([[*preloaded, *heap("--wait", "seventh", CALLS)],
                               [*preloaded, *heap("--wait", "torture", CALLS // 7)]],
                              "--exact", "-O", path) as (unit, pids):
                    report = ask(unit)
                self.assert_seventh(only(report, pids[0]))
                self.assert_tortured(only(report, pids[1]))

    def test_static(self):
        """-O PROGRAM: a program with an allocator of its own"""
        program = heap(program="heap-static")[0]
        with observed([[program, "--wait", "seventh", str(CALLS)],
                       [program, "--wait", "torture", str(CALLS // 7)]],
                      "--exact", "-O", program) as (unit, pids):
            report = ask(unit)
        self.assert_seventh(only(report, pids[0]))
        self.assert_tortured(only(report, pids[1]))

    def test_operators(self):
        """new and new[]: by who says so, once each; what delete takes back is none"""
        result = kmemleak("--user", "--exact", "--json", "--", *heap(FEW, program="operators"))
        self.assert_status(result, 0)
        self.assert_leaked(result.report, "leak_new", FEW, FEW * 72)
        self.assert_leaked(result.report, "leak_array", FEW, FEW * 333)
        # Beside them there is what the C++ library takes for itself.
        self.assertLess(result.report["objects"], 2 * FEW + 10, shown(result.report))

    def test_choices(self):
        """--min-size, --top: the rows with the oldest objects, of those that are large enough"""
        with observed([heap("--wait", "kinds", FEW)], "--exact", "--min-size", "3000", "--top",
                      "2") as (unit, _):
            report = ask(unit)
        self.assertEqual([leaf(row) for row in report["rows"]], ["leak_moved", "leak_mmap"],
                         shown(report))

    def test_max_live(self):
        """--max-live: what there is no room for is lost, and said to be"""
        with observed([heap("--wait", "seventh", CALLS)], "--exact", "--max-live", "50") as \
                (unit, _):
            report = ask(unit)
            result = finish(unit)
        self.assertLessEqual(report["objects"], 50 + CPUS)
        self.assertGreater(report["lost"]["map_full"], 0)
        self.assertGreaterEqual(report["lost"]["map_full"] + count(of(report, "leak_some")),
                                seventh()[0])
        self.assertIn("--max-live", result.err)


class Mistakes(LeakCase):
    def test_nobody(self):
        """--user without -p or a command: status 2, one line"""
        result = kmemleak("--user", "--duration", "100ms")
        self.assert_status(result, 2)
        self.assert_one_line(result, r"^kmemleak: ", "-p|--pid", "CMD|command")

    def test_combinations(self):
        """--user with what is the kernel's, -O without --user: status 2, one line"""
        for args in (["--user", "--allocators", "kmalloc", "-p", "1"],
                     ["--user", "--alloc", "kmem:kmalloc//ptr=ptr/", "--free",
                      "kmem:kfree//ptr=ptr/", "-p", "1"],
                     ["-O", "/bin/true"], ["--user", "-O", "", "-p", "1"]):
            with self.subTest(" ".join(args)):
                result = kmemleak(*args, "--duration", "100ms")
                self.assert_status(result, 2)
                self.assert_one_line(result, r"^kmemleak: ")

    def test_library(self):
        """-O of what is not there, is no ELF file, or has no malloc: one line that names it"""
        for path, says in (("/no/such/library", "No such file"), ("/etc/passwd", "/etc/passwd"),
                           (library("libm.so.6"), "malloc|allocator")):
            with self.subTest(path):
                result = kmemleak("--user", "-O", path, "-p", str(os.getpid()), "--duration",
                                  "100ms")
                self.assertIn(result.status, (1, 2, 4), str(result))
                self.assert_one_line(result, r"^kmemleak: ", path, says)

    def test_dead(self):
        """-p of a process that has ended: status 1, one line that names it"""
        with Running(["true"]) as gone:
            gone.result()
        result = kmemleak("--user", "-p", str(gone.process.pid), "--duration", "100ms")
        self.assert_status(result, 1)
        self.assert_one_line(result, f"{gone.process.pid}")

    def test_ends_meanwhile(self):
        """a process that ends while it is observed: what it leaked is reported, with names"""
        with waiting(heap("--wait", "seventh", CALLS)) as (load, pid):
            with Running([KMEMLEAK, "-v", "--json", "--user", "--exact", "-p", str(pid)]) as unit:
                unit.wait_for(OBSERVING)
                go(load)
                load.wait_for("done", load.out)
                go(load)
                load.result()
                result = finish(unit)
        self.assert_status(result, 0)
        rows = of(result.reports[-1], "leak_some", "malloc")
        self.assertEqual((count(rows), size(rows)), seventh(), str(result))

class Memory(LeakCase):
    def test_of_churn(self):
        """for long, with malloc and free: memory stays what it was"""
        self.assert_memory_stays(heap("churn", 1 << 40), "--user", "-p", "PID", "--exact")
