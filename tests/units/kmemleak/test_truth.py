# SPDX-License-Identifier: GPL-2.0-only
"""kmemleak beside loads that have the kernel hold known numbers of objects."""

import os
import re
import shutil
import sys
import time

from harness import CPUS, GUEST, LOAD, Running, in_kernel, named, release, run, waiting

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from leaks import (EVENTFD, FILE, HELD, KMEMLEAK, OBSERVING, PIPE, SOCKET, SOCKET_INODE, LeakCase,
                   around, ask, at_leaf, beside, by_function, chosen, count, drop, finish, heap,
                   leaf, leak, missed, near_leaf, on_stack, settled, shown, size, work)

SLAB = "kmalloc,cache"

# So many unmapped pages at most each CPU gathers before it frees them (PAGEVEC_SIZE in
# include/linux/pagevec.h: 31 at most in any kernel).
BATCH = 31

# Pages of its stack, code and data that a program may touch beside.
FEW = 20

# What kmalloc() has (mm/slab_common.c: kmalloc_info).
KMALLOC_SIZES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)

# At most so many heads of packets does each CPU keep for the next ones (net/core/skbuff.c:
# NAPI_SKB_CACHE_SIZE, 64 until Linux 6.18).
KEPT_PACKETS = 128

# What is still there after processes have ended because the kernel keeps it, by the functions that
# allocate it: the allocators' own pages and lists, stacks of threads to come (NR_CACHED_STACKS in
# kernel/fork.c) with their addresses, which are given back later in one go (mm/vmalloc.c), nodes that
# have processes' numbers, others' as well (lib/idr.c), and what is in memory of files.
KEPT = re.compile(r"allocate_slab|new_slab|alloc_slab_page|alloc_slab_obj_exts|memcg_alloc_\w+|"
                  r"pcpu_\w+|idr_alloc\w*|alloc_vmap_area|__vmalloc_node\w*|__get_vm_area_node|"
                  r"filemap_\w+|_*page_?cache_\w+|do_page_cache_ra|do_fault_around|"
                  r"d_alloc_parallel|ext4_\w+|xfs_\w+|btrfs_\w+|ovl_\w+|v9fs_\w+|p9_\w+|"
                  r"shmem_\w+|proc_\w+|__lookup_slow")

# What is freed many at a time, which not every kernel lets programs see (the unit says so then).
IN_BULK = re.compile(r"mas_\w+|mt_\w+|__mt_dup")


def kept(row):
    return any(KEPT.match(name or "") for name in named(row["stack"]))


def in_bulk(row):
    return any(IN_BULK.match(name or "") for name in named(row["stack"]))


def setting(name):
    """A number below /proc/sys; 0 where this kernel has none."""
    try:
        with open(f"/proc/sys/{name}", encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0


def struct_size(name):
    """As the kernel's type information has it."""
    listed = run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux"],
                 env={"PATH": "/usr/sbin:" + os.environ["PATH"]})
    return int(re.search(rf"STRUCT '{name}' size=(\d+)", listed.out).group(1))


class Held(LeakCase):
    """Objects that are held, and are held no more."""

    def hold(self, kind, functions, *options, allocators=SLAB):
        """
        The rows of @functions (names: sites), of which the load has objects allocated, one for
        each of its own at each of the sites: all of them while it holds them, none afterwards.
        """
        found = {}
        with around(leak(kind, HELD), "--allocators", allocators, *options) as (unit, load):
            def wanted(row):
                return any(leaf(row) in names for names in functions) and \
                    row.get("pid", load.process.pid) == load.process.pid
            held = ask(unit)
            for names, sites in functions.items():
                rows = self.assert_rows(held, lambda row, names=names: leaf(row) in names and
                                        wanted(row), sites * HELD, kind)
                self.assertEqual(len(by_function(rows)), 1, shown(held))
                found[names] = rows
                if "--exact" in options:
                    # Call sites in one function are one row, unless its callers differ.
                    self.assertLessEqual(len(rows), sites, shown(held))
                    for row in rows:
                        self.assertEqual(row["comm"], "leak")
                        self.assertEqual("main" in named(row["stack"]),
                                         "--user-callchain" in options, shown(held))
            self.assert_only(held, allocators)
            self.assert_adds_up(held)
            drop(load)
            after = settled(unit, lambda report: not chosen(report, wanted))
            self.assert_rows(after, wanted, 0, f"{kind} that are closed")
            result = finish(unit)
            self.assert_status(result, 0)
            self.assert_nothing_lost(result.reports[-1])
        return found.values()

    def test_eventfds(self):
        """--exact: 1,000 eventfds and their files, each with one stack; closed, they are none"""
        # The files are freed after RCU grace periods.
        rows, files = self.hold("eventfds", {EVENTFD: 1, FILE: 1}, "--exact", "-p", "PID")
        each, rest = divmod(size(rows), HELD)
        self.assertEqual(rest, 0)
        self.assertIn(each, KMALLOC_SIZES)
        if not GUEST:  # this takes a minute there
            needed = struct_size("eventfd_ctx")
            self.assertEqual(each, min(n for n in KMALLOC_SIZES if n >= needed))
        self.assertEqual(rows[0]["allocator"], "kmalloc")
        self.assertEqual(files[0]["allocator"], "cache")
        self.assertTrue(all(in_kernel(frame) for frame in rows[0]["stack"]), rows)

    def test_pipes(self):
        """1,000 pipes: an info, a ring of buffers and two files each; their user callchains"""
        rows, files = self.hold("pipes", {PIPE: 2, FILE: 2}, "--exact", "-p", "PID",
                                "--user-callchain")
        self.assertEqual({row["allocator"] for row in rows}, {"kmalloc"})
        self.assertEqual({row["allocator"] for row in files}, {"cache"})
        self.assertEqual(len(files), 2, "they are made at different places")
        for row in (*rows, *files):
            stack = row["stack"]
            kernel = [in_kernel(frame) for frame in stack]
            self.assertEqual(kernel, sorted(kernel, reverse=True), named(stack))
            # The C library's functions have no frame: who calls them is not seen, but the next.
            program = [name for name, ours in zip(named(stack), kernel) if not ours]
            self.assertRegex(program[0], "^(__)?pipe$")
            self.assertEqual(program[1], "main")

    def test_sockets(self):
        """1,000 sockets, Unix or Internet: as many socks, as many inodes"""
        for kind, allocators in (("unix", SLAB), ("udp", "cache")):
            with self.subTest(kind):
                for rows in self.hold(kind, {SOCKET: 1, SOCKET_INODE: 1}, "--exact", "-p", "PID",
                                      allocators=allocators):
                    self.assertEqual(rows[0]["allocator"], "cache")

    def test_by_call_site(self):
        """without --exact: the same numbers by call site"""
        rows, = self.hold("eventfds", {EVENTFD: 1}, "-p", "PID", "--comm", "lea?")
        self.assertEqual(size(rows) % HELD, 0)

    def test_whole_machine(self):
        """without a filter: the 1,000 of the load are among all others'"""
        with around(leak("eventfds", HELD), "--allocators", "kmalloc") as (unit, _):
            report = ask(unit)
            # Others may have some.
            self.assertIn(count(chosen(report, at_leaf(EVENTFD))), range(HELD, HELD + 50),
                          shown(report))
            self.assert_only(report, "kmalloc")

    def test_growing(self):
        """a call site that grows gets stacks; its sum stays what it is"""
        objects = 3000 if GUEST else 900
        with around(leak("growing", objects), "-p", "PID", "--allocators", SLAB,
                    "--user-callchain", cue=False) as (unit, load):
            work(load)
            report = ask(unit)
            rows = self.assert_rows(report, at_leaf(EVENTFD), objects, "eventfds")
            with_stacks = [row for row in rows if len(row["stack"]) > 1]
            self.assertGreater(count(with_stacks), 0, shown(report))
            self.assertLess(count(with_stacks), objects, shown(report))
            for row in with_stacks:
                self.assertIn("main", named(row["stack"]), shown(report))
                self.assertEqual(row["comm"], "leak")
            self.assertGreater(report["call_sites_with_stacks"], 0)
            self.assertEqual(len(by_function(rows)), 1, shown(report))
            drop(load)
            after = settled(unit, lambda report: not chosen(report, at_leaf(EVENTFD)))
            self.assert_rows(after, at_leaf(EVENTFD), 0, "closed")

    def test_together(self):
        """--exact without a filter: exactly the objects of two loads, each under its own name"""
        def of_load(names, pid):
            return lambda row: leaf(row) in names and (row["comm"], row["pid"]) == ("leak", pid)
        with around(leak("eventfds", HELD), "--exact", "--allocators", SLAB) as (unit, load):
            eventfds = of_load(EVENTFD, load.process.pid)
            with waiting(leak("unix", HELD // 2)) as (other, pid):
                work(other)
                report = ask(unit)
                self.assert_rows(report, eventfds, HELD, "eventfds", rows=1)
                sockets = of_load(SOCKET, pid)
                self.assert_rows(report, sockets, HELD // 2, "sockets")
            # It has been killed: what it had has been freed by the kernel.
            after = settled(unit, lambda report: not chosen(report, sockets))
            self.assert_rows(after, sockets, 0, "sockets of one that was killed")
            self.assert_rows(after, eventfds, HELD, "eventfds", rows=1)
            drop(load)
            after = settled(unit, lambda report: not chosen(report, eventfds))
            self.assert_rows(after, eventfds, 0, "closed")

    # Other allocators.

    def test_pages(self):
        """1,000 fresh pages: as many movable pages of order 0, allocated for touch_pages()"""
        def touched(row):
            return "touch_pages" in named(row["stack"]) and \
                row["allocator"] == "pages, order 0 movable"
        with around(leak("pages", HELD), "--exact", "-p", "PID", "--allocators", "pages",
                    "--user-callchain") as (unit, load):
            report = ask(unit)
            self.assert_rows(report, touched, HELD, "pages",
                             total=HELD * os.sysconf("SC_PAGESIZE"))
            self.assert_only(report, "pages")
            drop(load)
            # CPUs free pages by the batch: those in the last ones have not been freed yet.
            after = settled(unit, lambda r: count(chosen(r, touched)) <= BATCH * CPUS)
            self.assertLessEqual(count(chosen(after, touched)), BATCH * CPUS, shown(after))

    def test_pages_by_kind(self):
        """without --exact: movable pages of order 0 become more by 1,000, and less again"""
        def movable(report):
            return count(chosen(report, lambda r: r["allocator"] == "pages, order 0 movable"))
        with around(leak("pages", HELD), "-p", "PID", "--allocators", "pages", cue=False) as \
                (unit, load):
            before = movable(ask(unit))
            work(load)
            held = movable(ask(unit))
            # It has touched some of its stack and data too.
            self.assertIn(held - before, range(HELD, HELD + FEW))
            drop(load)
            after = settled(unit, lambda report: movable(report) - before < FEW)
            self.assertIn(movable(after) - before, range(0, FEW + BATCH * CPUS))

    def test_percpu(self):
        """a map of 1,000 counters per CPU: as many objects of 8 bytes"""
        wanted = on_stack("bpf_map_alloc_percpu", "bpf_array_alloc_percpu", "array_map_alloc")
        with around(leak("percpu", HELD), "--exact", "-p", "PID", "--allocators", "percpu") as \
                (unit, load):
            rows = self.assert_rows(ask(unit), wanted, HELD, "percpu", rows=1, total=8 * HELD)
            self.assertEqual(rows[0]["allocator"], "percpu")
            self.assert_only(ask(unit), "percpu")
            drop(load)
            after = settled(unit, lambda report: not chosen(report, wanted))
            self.assert_rows(after, wanted, 0, "counters of a closed map")

    def test_vmalloc(self):
        """50 maps of 240,000 bytes: as many areas of addresses"""
        if release() < (6, 3):
            self.skipTest("this kernel has no tracepoint alloc_vmap_area (from 6.3)")
        wanted = on_stack("array_map_alloc", "__bpf_map_area_alloc")
        with around(leak("maps", 50), "--exact", "-p", "PID", "--allocators", "vmalloc") as \
                (unit, load):
            report = ask(unit)
            rows = self.assert_rows(report, wanted, 50, "areas", rows=1)
            page = os.sysconf("SC_PAGESIZE")
            # The map has a head, and the area a page behind it that is not to be touched.
            each = size(rows) / 50
            self.assertTrue(240000 < each <= 240000 + 4 * page and each % page == 0, each)
            drop(load)
            after = settled(unit, lambda report: not chosen(report, wanted))
            self.assert_rows(after, wanted, 0, "areas of closed maps")

    def test_no_vmalloc(self):
        """before Linux 6.3: --allocators vmalloc says why it cannot be"""
        if release() >= (6, 3):
            self.skipTest("this kernel has the tracepoint alloc_vmap_area")
        result = run([KMEMLEAK, "--allocators", "vmalloc", "--duration", "100ms"])
        self.assert_status(result, 4)
        self.assertIn("alloc_vmap_area", result.err)


class Freed(LeakCase):
    """Frees that come from interrupts, and in numbers."""

    def test_packets(self):
        """100,000 datagrams, received or thrown away, or messages over TCP: none is left"""
        # What CPUs keep is. And those that another CPU has allocated are left to it, which frees
        # them when it has many.
        deferred = CPUS * setting("net/core/skb_defer_max")
        loads = {"datagrams": 10000 if GUEST else 100000, "dropped": 10000 if GUEST else 100000,
                 "stream": 5000 if GUEST else 100000}

        def left(report, name):
            return count(chosen(report, lambda row: row["allocator"] == name and not kept(row) and
                                any(re.search("skb|kmalloc_reserve", f or "") for f in
                                    named(row["stack"])[:2])))

        def done(report):
            return left(report, "kmalloc") <= deferred and \
                left(report, "cache") <= deferred + KEPT_PACKETS * CPUS
        with beside(*(leak(*load) for load in loads.items())) as waiters:
            pids = ",".join(str(pid) for _, pid in waiters)
            with Running([KMEMLEAK, "-v", "--json", "--exact", "-p", pids, "--allocators", SLAB,
                          "--max-live", "50000"]) as unit:
                unit.wait_for(OBSERVING)
                for kind, (load, _) in zip(loads, waiters):
                    with self.subTest(kind):
                        work(load)
                        after = settled(unit, done)
                        self.assertTrue(done(after), f"packets that remain: {shown(after)}")
                result = finish(unit)
        self.assert_status(result, 0)
        self.assert_nothing_lost(result.reports[-1])

    def test_churn(self):
        """100,000 eventfds, a hundred at a time: none of them nor of their files is left"""
        times = 200 if GUEST else 1000
        wanted = at_leaf(EVENTFD | FILE)
        for options in (["--exact"], []):
            with self.subTest(" ".join(options)):
                with around(leak("churn", times), "-p", "PID", "--allocators", SLAB, *options) as \
                        (unit, _):
                    after = settled(unit, lambda report: not chosen(report, wanted))
                    self.assert_rows(after, wanted, 0, "eventfds and files")
                    result = finish(unit)
                    self.assert_nothing_lost(result.reports[-1])

    def test_messaging(self):
        """perf bench sched messaging: of its 80 processes remains what the kernel keeps, no more"""
        perf = shutil.which("perf")
        if not perf:
            self.skipTest("needs perf (package linux-perf)")
        bench = [perf, "bench", "sched", "messaging", "-g", "1" if GUEST else "2", "-l",
                 "20" if GUEST else "300"]

        # A kernel may run no programs while threads of the machine's keeper run, as of a sandbox's.
        # What interrupts free on top of them is not seen then; that does not come three times.
        for _ in range(3):
            after, left = self.left_by(bench)
            if left <= missed(after):
                break
        self.assertLessEqual(left, missed(after), shown(after))

    def left_by(self, bench):
        """The last report after the command, and how many objects are left that nobody keeps."""
        with Running([KMEMLEAK, "-v", "--json", "--exact", "--comm", "sched-messaging"]) as unit:
            unit.wait_for(OBSERVING)
            unseen = "freed in bulk" in unit.said(unit.err)
            self.assert_status(run(bench), 0)

            def left(report):
                return count(chosen(report, lambda row: not kept(row) and
                                    not (unseen and in_bulk(row))))
            after = settled(unit, lambda report: left(report) <= missed(report))
            result = finish(unit)
        self.assert_status(result, 0)
        self.assert_nothing_lost(result.reports[-1])
        return after, left(after)

    def test_messaging_as_command(self):
        """-- perf bench: its end is the unit's; losses have a reason and a number"""
        perf = shutil.which("perf")
        if not perf:
            self.skipTest("needs perf (package linux-perf)")
        result = run([KMEMLEAK, "--json", "--", perf, "bench", "sched", "messaging", "-g", "1",
                      "-l", "20" if GUEST else "100"])
        self.assert_status(result, 0)
        self.assert_nothing_lost(result.report)
        self.assert_adds_up(result.report)
        # 20 pairs of sockets and their processes are gone.
        rows = chosen(result.report, at_leaf(SOCKET))
        self.assertLess(count(rows), 10, shown(result.report))


class Memory(LeakCase):
    def test_of_churn(self):
        """for long, with files that are opened and closed: memory stays what it was"""
        if GUEST:
            self.skipTest("depends on no kernel: done on the host; here with --exact alone")
        self.assert_memory_stays(leak_forever(), "--allocators", SLAB)

    def test_of_many_processes(self):
        """for long, with processes that come and go, --exact: memory stays what it was"""
        # What is freed in bulk, unseen, becomes more until its memory is used again.
        self.assert_memory_stays(["sh", "-c", "while :; do /bin/true; done"], "--exact",
                                 "--comm", "sh,true", "--allocators", SLAB, warm=3)


def leak_forever():
    """Opens and closes files."""
    return ["sh", "-c", f"yes | {' '.join(leak('churn', 1 << 40))} > /dev/null"]


class Pair(LeakCase):
    """Allocations and frees that are named by the user."""

    KMALLOC = ("--alloc", "kmem:kmalloc//ptr=ptr/size=bytes_alloc/",
               "--free", "kmem:kfree//ptr=ptr/")

    def test_same_figures(self):
        """--alloc, --free of kmalloc: the same figures as the unit's own"""
        if release() < (6, 1):
            pair = ("--alloc", "kmem:kmalloc//ptr=ptr/size=bytes_alloc/,"
                    "kmem:kmalloc_node//ptr=ptr/size=bytes_alloc/", *self.KMALLOC[2:])
        else:
            pair = self.KMALLOC
        with around(leak("eventfds", HELD), *pair, "--exact", "-p", "PID", cue=False) as \
                (unit, load):
            with Running([KMEMLEAK, "--json", "-v", "--exact", "--allocators", "kmalloc",
                          "--max-live", "50000", "-p", str(load.process.pid)]) as other:
                other.wait_for(OBSERVING)
                work(load)
                rows = self.assert_rows(ask(unit), near_leaf(EVENTFD), HELD, "eventfds", rows=1)
                own = chosen(ask(other), near_leaf(EVENTFD))
            drop(load)
            after = settled(unit, lambda report: not chosen(report, near_leaf(EVENTFD)))
            self.assert_rows(after, near_leaf(EVENTFD), 0, "closed")
        self.assertEqual((count(rows), size(rows)), (count(own), size(own)))

    def test_without_size(self):
        """--alloc without size=: objects of no bytes; without --exact, the sum is the same"""
        for options in (["--exact"], []):
            with self.subTest(" ".join(options)):
                with around(leak("eventfds", HELD), "--alloc", "kmem:kmalloc//ptr=ptr/", "--free",
                            "kmem:kfree//ptr=ptr/", "-p", "PID", *options) as (unit, load):
                    report = ask(unit)
                    self.assertEqual(report["bytes"], 0)
                    if options:
                        self.assert_rows(report, near_leaf(EVENTFD), HELD, "eventfds", rows=1)
                    else:
                        self.assertGreaterEqual(report["objects"], HELD, shown(report))
                    drop(load)
                    after = settled(unit, lambda report: report["objects"] < HELD / 10)
                    self.assertLess(after["objects"], HELD / 10, shown(after))

    def test_of_caches(self):
        """--alloc, --free of caches: sockets"""
        alloc = "kmem:kmem_cache_alloc//ptr=ptr/size=bytes_alloc/"
        with around(leak("unix", HELD), "--alloc", alloc, "--free",
                    "kmem:kmem_cache_free//ptr=ptr/", "--exact", "-p", "PID") as (unit, load):
            report = ask(unit)
            for functions in (SOCKET, SOCKET_INODE):
                self.assert_rows(report, near_leaf(functions), HELD, "sockets")
            drop(load)
            # Not so the inodes: softirqs free them, and when one comes while a program runs for an
            # event, the kernel runs none for the softirq's (trace_call_bpf()).
            after = settled(unit, lambda report: not chosen(report, near_leaf(SOCKET)))
            self.assert_rows(after, near_leaf(SOCKET), 0, "closed")

    def test_filter(self):
        """a filter on the size: all of these objects, or none"""
        with around(leak("eventfds", HELD), "--allocators", "kmalloc", "--exact", "-p", "PID") as \
                (unit, _):
            rows = chosen(ask(unit), near_leaf(EVENTFD))
        each = size(rows) // count(rows)
        for sign, held in (("==", HELD), ("!=", 0)):
            alloc = f"kmem:kmalloc/bytes_alloc{sign}{each}/ptr=ptr/size=bytes_alloc*2/"
            with around(leak("eventfds", HELD), "--alloc", alloc, *self.KMALLOC[2:], "--exact",
                        "-p", "PID") as (unit, load):
                report = ask(unit)
                found = self.assert_rows(report, near_leaf(EVENTFD), held, sign)
                self.assertEqual(size(found), count(found) * each * 2)
                drop(load)
                after = settled(unit, lambda report: not chosen(report, near_leaf(EVENTFD)))
                self.assert_rows(after, near_leaf(EVENTFD), 0, "closed")

    def test_pointers(self):
        """ptr= of expressions: what is equal pairs, and nothing else; a filter on frees"""
        for alloc, free, left in (
                ("ptr&~7UL", "kmem:kfree//ptr=((ptr|7)-7)/", 0),
                ("ptr+8", "kmem:kfree//ptr=ptr+8/", 0),
                ("ptr+1", "kmem:kfree//ptr=ptr/", HELD),
                ("ptr", "kmem:kfree/_pid==-1/ptr=ptr/", HELD),
                ("ptr", "kmem:kfree/_pid==-1/ptr=ptr/,kmem:kfre[e]//ptr=ptr/", 0)):
            with self.subTest(f"{alloc} {free}"):
                with around(leak("eventfds", HELD), "--alloc", f"kmem:kmalloc//ptr={alloc}/",
                            "--free", free, "--exact", "-p", "PID") as (unit, load):
                    self.assert_rows(ask(unit), near_leaf(EVENTFD), HELD, "eventfds")
                    drop(load)
                    after = settled(unit, lambda report: missed(report) >= abs(
                        count(chosen(report, near_leaf(EVENTFD))) - left))
                    self.assert_rows(after, near_leaf(EVENTFD), left, "closed")

    def test_of_functions(self):
        """pairs of the kernel's functions, with what their results point to: pipes"""
        lacking = ""
        for made, freed in (("kretprobe", "kprobe"), ("fexit", "fentry")):
            pair = ("--alloc", f"{made}:alloc_pipe_info//ptr=ret/size=ret->ring_size*2/",
                    "--free", f"{freed}:free_pipe_info//ptr=arg0/", "--exact")
            tried = run([KMEMLEAK, *pair, "--duration", "10ms", "-q"])
            if tried.status == 4:
                self.assertFalse(GUEST, f"guests have all kinds: {tried}")
                self.assert_one_line(tried, "this kernel")
                lacking = tried.err.strip()
                continue
            self.assert_status(tried, 0)
            with self.subTest(made), around(leak("pipes", HELD), *pair, "-p", "PID") as (unit, load):
                report = ask(unit)
                self.assert_rows(report, lambda row: True, HELD, "pipes")
                self.assertEqual(report["bytes"], 32 * report["objects"])
                drop(load)
                after = settled(unit, lambda report: not report["rows"])
                self.assert_rows(after, lambda row: True, 0, "closed")
        if lacking:
            self.skipTest(lacking)

    def test_errors(self):
        """an event that is not there, half a pair, other attributes: one line that says so"""
        alloc, free = self.KMALLOC[1], self.KMALLOC[3]
        for args, status, says in (
                (["--alloc", "kmem:nosuch//ptr=ptr/", "--free", free], 2, "kmem:nosuch"),
                (["--alloc", alloc, "--free", "nosuch:kfree//ptr=ptr/"], 2, "nosuch:kfree"),
                (["--alloc", alloc], 2, "go together"), (["--free", free], 2, "go together"),
                (["--alloc", "kmem:kmalloc", "--free", free], 2, "kmem:kmalloc: .*ptr=EXPR"),
                (["--alloc", alloc, "--free", "kmem:kfree/ptr!=0/"], 2, "kmem:kfree: .*ptr=EXPR"),
                (["--alloc", alloc, "--free", "kmem:kfree//ptr=ptr/size=ptr/"], 2, "size means"),
                (["--alloc", "kmem:kmalloc//ptr=ptr/key=ptr/", "--free", free], 2, "key means")
                )[::4 if GUEST else 1]:
            with self.subTest(" ".join(args)):
                result = run([KMEMLEAK, *args, "--duration", "100ms"])
                self.assert_status(result, status)
                self.assert_one_line(result, r"^kmemleak: ", says)

    def test_bad_expressions(self):
        """what cannot be parsed or compiled is shown with a caret below the place"""
        alloc, free = self.KMALLOC[1], self.KMALLOC[3]
        for args, says, text in (
                (["--alloc", "", "--free", free], "missing", ""),
                (["--alloc", "kmem:kmalloc//ptr=nosuch/", "--free", free], "nosuch", "nosuch"),
                (["--alloc", "kmem:kmalloc//ptr=ptr/size=nosuch/", "--free", free], "nosuch",
                 "nosuch"),
                (["--alloc", "kmem:kmalloc/bytes_alloc>/ptr=ptr/", "--free", free], "",
                 "bytes_alloc>"),
                (["--alloc", alloc, "--free", "kmem:kfree//ptr=nosuch/"], "nosuch", "nosuch"),
                (["--alloc", alloc, "--free", "kmem:kfree//ptr=_comm/"], "kfree", "_comm"),
                (["--alloc", alloc, "--free", "kmem:kfree//zebra=1/"], "no attribute", "zebra")
                )[::3 if GUEST else 1]:
            with self.subTest(" ".join(args)):
                result = run([KMEMLEAK, *args, "--duration", "100ms"])
                self.assert_status(result, 2)
                lines = result.err.splitlines()
                self.assertRegex(lines[0], f"^kmemleak: .*{says}")
                self.assertIn(text, lines[1])
                self.assertRegex(lines[2], r"^ +\^$")


class UserPair(LeakCase):
    """... in users' code."""

    MALLOC = ("--alloc", "uretprobe:malloc@libc.so.6//ptr=ret/",
              "--free", "uprobe:free@libc.so.6//ptr=arg0/")

    def leaked(self, *args):
        """The final report around a command."""
        result = run([KMEMLEAK, "--json", "--exact", *args])
        self.assert_status(result, 0)
        self.assertEqual(result.report["lost"]["total"], 0, str(result))
        return result.report

    def test_malloc(self):
        """uprobes at malloc() and free(): each seventh of 7000 is left, with its stack"""
        report = self.leaked(*self.MALLOC, "--", *heap("seventh", 7 * HELD))
        self.assert_rows(report, on_stack("leak_some"), HELD, "malloc")

    def test_processes(self):
        """a process frees what it inherited: the other's objects stay, and are by pid"""
        report = self.leaked(*self.MALLOC, "--", *heap("fork", HELD))
        rows = self.assert_rows(report, on_stack("leak_before"), HELD, "the parent's")
        child = self.assert_rows(report, on_stack("leak_in_child"), HELD, "the child's")
        self.assertNotEqual({row["pid"] for row in rows}, {row["pid"] for row in child})

    def test_exec(self):
        """exec ends what there was before"""
        report = self.leaked(*self.MALLOC, "--", *heap("exec", HELD))
        self.assert_rows(report, on_stack("leak_before"), 0, "before exec")
        self.assert_rows(report, on_stack("leak_after"), HELD, "after exec")

    def test_of_one_process(self):
        """-p PID: the file is the one that it has mapped; its objects alone"""
        alloc, free = (event.replace("@libc.so.6", "") for event in self.MALLOC[1::2])
        with around(heap("--wait", "seventh", 7 * HELD), "--alloc", alloc, "--free", free,
                    "--exact", "-p", "PID") as (unit, _):
            self.assert_rows(ask(unit), on_stack("leak_some"), HELD, "malloc")

    def test_usdt(self):
        """probes with expressions over their arguments: what is left, and its bytes"""
        program = f"{LOAD}/probes"
        pair = ("--alloc", f"usdt:{program}:bpfprof:made//ptr=arg0/size=arg1/",
                "--free", f"usdt:{program}:bpfprof:ended//ptr=arg0&~15/")
        left = range(7, HELD + 1, 7)
        row, = self.leaked(*pair, "--", program, str(HELD))["rows"]
        self.assertEqual((row["count"], row["bytes"]), (len(left), sum(i % 100 for i in left)))
        filtered = (pair[0], pair[1].replace("//", "/arg1>=50/"), *pair[2:])
        row, = self.leaked(*filtered, "--", program, str(HELD))["rows"]
        large = [i % 100 for i in left if i % 100 >= 50]
        self.assertEqual((row["count"], row["bytes"]), (len(large), sum(large)))
        self.assertEqual(self.leaked(*pair, "--min-size", "1k", "--", program, "70")["rows"], [])


class Choices(LeakCase):
    """What is reported of what lives."""

    def test_filter(self):
        """--filter: by name and size, whatever their kind; a word is the thread's name"""
        with around(leak("eventfds", HELD), "--allocators", SLAB, "--exact", "-p", "PID") as \
                (unit, _):
            rows = chosen(ask(unit), near_leaf(EVENTFD))
        each = size(rows) // count(rows)
        for text, held in ((f'comm=="leak" && bytes=={each}', HELD),
                           (f'pid==PID && bytes!={each}', 0), ('comm~"*ea*" && prio<140', HELD),
                           ('comm~"*ae*"', 0), ("le?k", HELD)):
            with self.subTest(text):
                with around(leak("eventfds", HELD), "--allocators", SLAB, "--exact", "--filter",
                            text) as (unit, load):
                    report = ask(unit)
                    self.assert_rows(report, near_leaf(EVENTFD), held, text)
                    self.assertEqual({row["pid"] for row in report["rows"]} - {load.process.pid},
                                     set())
                    drop(load)
                    after = settled(unit, lambda report: not chosen(report, near_leaf(EVENTFD)))
                    self.assert_rows(after, near_leaf(EVENTFD), 0, "closed")

    def test_filter_elsewhere(self):
        """--filter EXPR with --alloc or --user: one line says what there is instead"""
        for args, says in ((["--alloc", "kmem:kmalloc//ptr=ptr/", "--free", "kmem:kfree//ptr=ptr/"],
                            "--alloc EVENT/FILTER"), (["--user", "-p", "1"], "--user, -p")):
            result = run([KMEMLEAK, "--filter", "bytes>1", *args])
            self.assert_status(result, 2)
            self.assert_one_line(result, says)

    def test_filter_of_others(self):
        """--alloc: a string that cannot be read is told of who is observed, and of nobody else"""
        load = ("import ctypes, mmap, os, sys, tempfile\n"
                "libc = ctypes.CDLL(None)\n"
                "libc.mmap.restype = ctypes.c_void_p\n"
                "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + "
                "[ctypes.c_long]\n"
                "libc.mkdir.argtypes = libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_long]\n"
                "file = tempfile.TemporaryFile()\n"
                "file.write(bytes(mmap.PAGESIZE))\n"
                "file.flush()\n"
                "for _ in range(20):\n"
                "    at = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, "
                "file.fileno(), 0)\n"
                "    libc.mkdir(at, 0o700)\n"
                "    libc.munmap(at, mmap.PAGESIZE)\n")
        pair = ("--alloc", "syscalls:sys_enter_mkdir/pathname == \"/x\"/ptr=common_pid/",
                "--free", "syscalls:sys_enter_rmdir//ptr=common_pid/")
        for observed, known in ((["--", sys.executable, "-c", load], 20),
                                (["-p", str(os.getpid()), "-v"], 0)):
            with self.subTest(observed[0]), \
                 Running([KMEMLEAK, "--json", *pair, *observed]) as unit:
                if not known:
                    unit.wait_for(OBSERVING)
                    self.assert_status(run([sys.executable, "-c", load]), 0)
                    unit.signal(2)
                result = unit.result()
                self.assert_status(result, 0)
                self.assertEqual(result.report["lost"]["unreadable"], known, str(result))

    def test_max_live(self):
        """--max-live with room for some of 1,000: what is reported is true, the rest said to be lost"""
        # There are no buckets for 100, and for 600 there are some.
        for room in (100, 600):
            with self.subTest(room), \
                 around(leak("eventfds", HELD), "--exact", "-p", "PID", "--allocators", "kmalloc",
                        "--max-live", str(room)) as (unit, load):
                report = ask(unit)
                self.assertLessEqual(report["objects"], room + CPUS, shown(report))
                rows = chosen(report, at_leaf(EVENTFD))
                self.assertIn(count(rows), range(room - 50, room + 1 + CPUS), shown(report))
                # Each of the eventfds is either in the report or lost.
                self.assertGreaterEqual(report["lost"]["map_full"], HELD - count(rows))
                drop(load)
                after = settled(unit, lambda report: not chosen(report, at_leaf(EVENTFD)))
                self.assert_rows(after, at_leaf(EVENTFD), 0, "closed")
                result = finish(unit)
                self.assert_status(result, 0)
                self.assertIn("--max-live", result.err)

    def test_than(self):
        """--than AGE: the objects that are older, and no others"""
        age = 4 if GUEST else 1.5
        with around(leak("eventfds", HELD), "--than", f"{int(age * 1000)}ms", "--exact",
                    "--allocators", "kmalloc", "--comm", "leak") as (unit, load):
            begun = time.monotonic()
            report = ask(unit)
            if time.monotonic() - begun < age / 2:
                self.assert_rows(report, at_leaf(EVENTFD), 0, "young ones")
            time.sleep(age + 0.2)
            report = ask(unit)
            rows = self.assert_rows(report, at_leaf(EVENTFD), HELD, "old ones")
            self.assertGreaterEqual(min(row["oldest_ns"] for row in report["rows"]), age * 1e9)
            self.assertEqual(size(rows) % HELD, 0)
            with waiting(leak("eventfds", HELD)) as (other, _):
                begun = time.monotonic()
                work(other)
                report = ask(unit)
                if time.monotonic() - begun < age - 0.1:
                    self.assert_rows(report, at_leaf(EVENTFD), HELD, "just the old ones")

    def test_age(self):
        """oldest_ns: since the first of the objects was allocated; rows have the oldest first"""
        with around(leak("eventfds", HELD), "-p", "PID", cue=False) as (unit, load):
            begun = time.monotonic()
            work(load)
            made = time.monotonic()
            time.sleep(1)
            earliest = time.monotonic() - made
            report = ask(unit)
            latest = time.monotonic() - begun
            row = chosen(report, at_leaf(EVENTFD))[0]
            tick = 0.011  # of the clock that ages are taken from, at 100 Hz
            self.assertGreater(row["oldest_ns"] / 1e9, earliest - tick)
            self.assertLess(row["oldest_ns"] / 1e9, latest + tick)
            ages = [row["oldest_ns"] for row in report["rows"]]
            self.assertEqual(ages, sorted(ages, reverse=True))

    def test_min_size(self):
        """--min-size: objects of that size and larger"""
        with around(leak("eventfds", HELD), "-p", "PID", "--allocators", "kmalloc") as (unit, _):
            each = size(chosen(ask(unit), at_leaf(EVENTFD))) // HELD
        for least, objects in ((each, HELD), (each + 1, 0), ("1k", 0))[:2 if GUEST else 3]:
            with self.subTest(least):
                with around(leak("eventfds", HELD), "-p", "PID", "--allocators", SLAB,
                            "--min-size", least) as (unit, _):
                    report = ask(unit)
                    self.assert_rows(report, at_leaf(EVENTFD), objects, f"of {least}")
                    for row in report["rows"]:
                        self.assertGreaterEqual(row["bytes"] / row["count"],
                                                1024 if least == "1k" else least)

    def test_top(self):
        """--top N: so many rows, those with the oldest objects"""
        with around(leak("eventfds", HELD), "-p", "PID", "--allocators", SLAB, "--top", "2") as \
                (unit, _):
            report = ask(unit)
        self.assertEqual(len(report["rows"]), 2, shown(report))
        self.assertGreater(report["call_sites"], 2, shown(report))

    def test_others(self):
        """-p, -C that are somebody else's: none of the load's"""
        choices = [["-p", str(os.getpid())]]
        if CPUS > 1:
            choices.append(["-C", "1"])
        for options in choices:
            with self.subTest(" ".join(options)):
                load = leak("eventfds", HELD)
                if options[0] == "-C":
                    load = ["taskset", "-c", "0", *load]
                with around(load, "--exact", "--allocators", "kmalloc", *options) as (unit, _):
                    report = ask(unit)
                    self.assertEqual([row for row in chosen(report, at_leaf(EVENTFD))
                                      if row["comm"] == "leak"], [], shown(report))

    def test_before(self):
        """what was allocated before the start is not reported, and its frees do no harm"""
        with waiting(leak("eventfds", HELD)) as (load, pid):
            work(load)
            with Running([KMEMLEAK, "-v", "--json", "--exact", "-p", str(pid), "--allocators",
                          SLAB, "--max-live", "50000"]) as unit:
                unit.wait_for(OBSERVING)
                self.assert_rows(ask(unit), at_leaf(EVENTFD | FILE), 0, "of before")
                drop(load)
                result = finish(unit)
        self.assert_status(result, 0)
        self.assert_rows(result.reports[-1], at_leaf(EVENTFD | FILE), 0, "of before")
        self.assert_nothing_lost(result.reports[-1])

    def test_freed_by_others(self):
        """an object that another process frees is freed, whatever -p or -C say"""
        with around(["taskset", "-c", "0", *leak("eventfds", HELD)], "--exact", "--allocators",
                    "kmalloc", "-C", "0", "-p", "PID") as (unit, load):
            self.assert_rows(ask(unit), at_leaf(EVENTFD), HELD, "eventfds")
            run(["taskset", "-p", "2" if CPUS > 1 else "1", str(load.process.pid)])
            drop(load)
            after = settled(unit, lambda report: not chosen(report, at_leaf(EVENTFD)))
            self.assert_rows(after, at_leaf(EVENTFD), 0, "closed on another CPU")

    def test_command(self):
        """-- CMD: its end is the report's moment: what it has not given back"""
        words = " ".join(leak("eventfds", HELD))
        result = run([KMEMLEAK, "--json", "--exact", "--allocators", "kmalloc", "--", "sh", "-c",
                      f"yes | {words} > /dev/null"])
        self.assert_status(result, 0)
        self.assert_rows(result.report, at_leaf(EVENTFD), 0, "eventfds of a process that ended")
