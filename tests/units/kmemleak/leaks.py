# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of kmemleak share: loads that hold known numbers of objects, reports of them."""

import collections
import contextlib
import json
import os
import re
import signal
import time

from harness import (GUEST, LOAD, Case, Running, go, most_resident, named, release, run, tool,
                     waiting)

KMEMLEAK = tool("kmemleak")
OBSERVING = r"(?m)^kmemleak: observing$"
HELD = 1000

# The allocator's own.
ALLOCATE = re.compile(r"_*k[mz]alloc|_*kmem_cache_|_*do_kmalloc|slab_")

# The functions that allocate them, and what these may be part of in another kernel.
EVENTFD = frozenset({"do_eventfd", "__do_sys_eventfd2", "__se_sys_eventfd2",
                     "__x64_sys_eventfd2"})
PIPE = frozenset({"alloc_pipe_info"})
SOCKET = frozenset({"sk_prot_alloc", "sk_alloc"})
SOCKET_INODE = frozenset({"sock_alloc_inode"})
FILE = frozenset({"alloc_empty_file", "__alloc_file"})


def leak(*args):
    """The command line of the load with objects of the kernel's."""
    return [os.path.join(LOAD, "leak"), *map(str, args)]


def heap(*args, program="heap"):
    """The command line of the load with objects of its heap."""
    return [os.path.join(LOAD, program), *map(str, args)]


def kmemleak(*args, **options):
    return run([KMEMLEAK, *map(str, args)], **options)


def reports(unit):
    """Those that a running unit has written so far."""
    whole = unit.said(unit.out).rpartition("\n")[0]
    found = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [report for report in found if "rows" in report]


def ask(unit):
    """A running unit's report of now."""
    before = len(reports(unit))
    unit.signal(signal.SIGUSR1)
    for _ in range(6000):
        found = reports(unit)
        if len(found) > before:
            return found[-1]
        assert unit.process.poll() is None, f"ended: {unit.result()}"
        time.sleep(0.01)
    raise AssertionError(f"no report: {unit.said(unit.err)}")


def settled(unit, done):
    """A report after the kernel has done what it does later: one that is done(), or the last."""
    for pause in (0.02, 0.1, 0.3, 0.5, 1, 2, 4, 8):
        report = ask(unit)
        if done(report):
            break
        time.sleep(pause)
    return report


def missed(report):
    """
    How many objects may be too many or too few. Linux 7 may preempt a program at a tracepoint, and
    does not run it for what other tasks do on that CPU until it has ended: these are counted.
    """
    return report["lost"]["recursion"] if release() >= (7, 0) else 0


def leaf(row):
    return row["stack"][0]["name"] if row["stack"] else None


def at_leaf(names):
    return lambda row: leaf(row) in names


def near_leaf(names):
    """Where the leaf is the allocator's own function, or one that it calls."""
    def near(row):
        callers = [name for name in named(row["stack"])[:4]
                   if not ALLOCATE.match(name or "")]
        return callers[:1] and callers[0] in names
    return near


def on_stack(*names):
    return lambda row: not set(names).isdisjoint(named(row["stack"]))


def chosen(report, wanted):
    return [row for row in report["rows"] if wanted(row)]


def count(rows):
    return sum(row["count"] for row in rows)


def size(rows):
    return sum(row["bytes"] for row in rows)


def by_function(rows):
    """{name: objects} of the functions that called the allocator."""
    functions = collections.Counter()
    for row in rows:
        functions[leaf(row)] += row["count"]
    return dict(functions)


def shown(report):
    """A report for people."""
    lines = [str({name: value for name, value in report.items() if name != "rows"})]
    for row in sorted(report["rows"], key=lambda row: -row["count"])[:40]:
        fields = [row["count"], row["bytes"], row["allocator"], row.get("comm"), row.get("pid")]
        lines.append(" ".join(map(str, fields)) + "  " +
                     " < ".join(f["name"] or f["addr"] for f in row["stack"][:12]))
    return "\n".join(lines)


@contextlib.contextmanager
def around(load, *options, cue=True):
    """
    A unit that observes a waiting load, and the load, which has done its work if there is a cue.
    PID among the options is the load's. It starts sooner without room for a million objects.
    """
    if "--max-live" not in options:
        options = [*options, "--max-live", 50000]
    with waiting(load) as (loaded, pid):
        argv = [KMEMLEAK, "-v", "--json",
                *[str(option).replace("PID", str(pid)) for option in options]]
        with Running(argv) as unit:
            unit.wait_for(OBSERVING)
            if cue:
                work(loaded)
            yield unit, loaded


@contextlib.contextmanager
def beside(*loads):
    """More loads, which wait for their cues: with their pids."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(waiting(load)) for load in loads]


def work(load):
    """The load does its work."""
    go(load)
    load.wait_for("made|done", load.out)


def drop(load):
    """The load gives its objects back."""
    go(load)
    load.wait_for("dropped", load.out)


def finish(unit):
    """The unit's result, with the report at its end."""
    unit.signal(signal.SIGINT)
    return unit.result()


class LeakCase(Case):
    def assert_only(self, report, allocators):
        """The rows are of these allocators."""
        kinds = {row["allocator"].split(",")[0] for row in report["rows"]}
        self.assertLessEqual(kinds, set(allocators.split(",")), shown(report))

    def assert_rows(self, report, wanted, objects, what, rows=None, total=None):
        """What is wanted of the report are so many objects, in so many rows, of so many bytes."""
        found = chosen(report, wanted)
        about = f"{what}: {shown(report)}"
        self.assertLessEqual(abs(count(found) - objects), missed(report), about)
        if rows is not None:
            self.assertEqual(len(found), rows, about)
        if total is not None and count(found) == objects:
            self.assertEqual(size(found), total, about)
        return found

    def assert_adds_up(self, report):
        self.assertEqual(count(report["rows"]), report["objects"], shown(report))
        self.assertEqual(size(report["rows"]), report["bytes"], shown(report))

    def assert_nothing_lost(self, report):
        """But for those that came while a program was running: they are counted."""
        lost = report["lost"]
        self.assertEqual(lost["total"], sum(n for name, n in lost.items() if name != "total"))
        self.assertEqual(lost["total"] - lost["recursion"], 0, str(lost))

    def assert_memory_stays(self, load, *options, warm=1):
        """Under the load, the unit's memory is after a while what it was after @warm seconds.

        It is the most of more than a second: each second, the unit gives back what it can.
        """
        warm, long = (2 * warm, 4) if GUEST else (warm, 1.8)
        with contextlib.ExitStack() as stack:
            loaded = stack.enter_context(Running(load))
            argv = [KMEMLEAK, "-v", "-i", "100ms", "-o", "/dev/null",
                    *[option.replace("PID", str(loaded.process.pid)) for option in options]]
            unit = stack.enter_context(Running(argv))
            unit.wait_for(OBSERVING)
            time.sleep(warm)
            before = most_resident(unit.process.pid)
            time.sleep(long)
            after = most_resident(unit.process.pid)
            result = finish(unit)
            self.assert_status(result, 0)
            self.assertIsNone(loaded.process.poll(), "the load itself")
        self.assertLess(after, before * 1.1 + 512, f"kB; before: {before}; {result}")
