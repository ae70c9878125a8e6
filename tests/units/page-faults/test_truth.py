# SPDX-License-Identifier: GPL-2.0-only
"""page-faults' figures beside loads that touch a known number of fresh pages, and getrusage()."""

import contextlib
import json
import mmap
import os
import tempfile

from harness import (CPUS, LOAD, Case, Running, cgroup2_root, go, in_kernel, named, observe_load,
                     observe_together, run, tool, waiting)

FAULTS = tool("page-faults")
PAGES = 1000
PAGE = mmap.PAGESIZE
ACCESS_KNOWN = os.uname().machine == "x86_64"


def pages(*args):
    return [os.path.join(LOAD, "pages"), *map(str, args)]


def faults(*options, **more):
    return run([FAULTS, "--json", *options], **more)


def observe(*options, load, before=(), env=None):
    """The result of page-faults around a load's work, and what the load said of it."""
    with waiting([*before, *pages("--wait", *load)]) as (loaded, pid):
        unit, said = observe_load([FAULTS, "-v", "--json", *[
            option.replace("PID", str(pid)) for option in options]], loaded, env=env)
    return unit, next(o for o in said.objects if "minor" in o)


def rows_of(report, **fields):
    return [row for row in report["rows"]
            if all(row.get(name) == value for name, value in fields.items())]


def count(rows):
    return sum(row["count"] for row in rows)


@contextlib.contextmanager
def file_that_leaves_memory():
    """The path of one whose pages the kernel drops from memory when asked, or None."""
    for folder in ("/tmp", "/var/tmp", os.getcwd()):
        with tempfile.TemporaryDirectory(dir=folder, prefix="bpf-prof.") as inner:
            if run(pages("major", 1, f"{inner}/file")).status == 0:
                yield f"{inner}/file"
                return
    yield None


class Truth(Case):
    def nothing_lost(self, result):
        # The kernel skips programs at faults of those who are just using BPF themselves.
        for report in result.reports:
            self.assertEqual(report["lost"]["total"] - report["lost"]["recursion"], 0, str(result))

    def agree(self, result, said, kind, number=PAGES, mapping="[anon]", **more):
        """
        The load's row of that kind (access, mode, type) has its faults, at just its addresses, and
        with all others it has what getrusage() says.
        """
        access, mode, kind_type = kind
        report = result.report
        fields = dict(pid=said["pid"], mode=mode, type=kind_type, mapping=mapping, **more)
        if ACCESS_KNOWN:
            fields["access"] = access
        rows = rows_of(report, **fields)
        self.assertEqual(len(rows), 1, str(result))
        row = rows[0]
        self.assertEqual((row["count"], row["comm"]), (number, "pages"), str(result))
        self.assertEqual((row["address"], int(row["last"], 16) & -PAGE),
                         (said["first"], int(said["last"], 16)), str(result))
        self.assertEqual(said["minor"] + said["major"], number, "the load itself")
        minor = said["minor_before"] + said["minor"] + said["minor_after"]
        self.assertEqual(count(rows_of(report, type="minor")), minor, str(result))
        self.assertEqual(count(rows_of(report, type="major")), said["major"], str(result))
        self.assertEqual(row["count_percent"], round(100 * number / count(report["rows"]), 2))
        self.nothing_lost(result)

    def test_filter(self):
        """--filter: by address and name; two that exclude each other are all faults together"""
        border = 0x600000000000  # the load is linked far below, and its mappings are above
        with waiting(pages("--wait", "write", PAGES)) as (load, pid):
            common = [FAULTS, "-v", "--json", "-p", str(pid)]
            (low, high, whole, nobody), said = observe_together(
                [[*common, "--filter", f"addr<{border}"], [*common, "--filter", f"addr>={border}"],
                 [*common, "--filter", f'pid=={pid} && comm=="pages" && prio>0'],
                 [*common, "--filter", 'comm!="pages"']], load)
        for result in (low, high, whole, nobody):
            self.assert_status(result, 0)
        self.assertEqual(nobody.report["rows"], [])
        self.assertTrue(all(int(row["last"], 16) < border for row in low.report["rows"]))
        self.assertTrue(all(int(row["address"], 16) >= border for row in high.report["rows"]))
        self.assertGreaterEqual(count(high.report["rows"]), PAGES)
        self.assertEqual(count(low.report["rows"]) + count(high.report["rows"]),
                         count(whole.report["rows"]))
        said = next(o for o in said[0].objects if "minor" in o)
        self.assertEqual(count(whole.report["rows"]), said["major"] + said["minor_before"] +
                         said["minor"] + said["minor_after"])

    def test_kinds(self):
        """1,000 pages written, read, by the program or the kernel: 1,000 faults of that kind"""
        for what, kind, mapping in (("write", ("write", "user", "minor"), "[anon]"),
                                    ("read", ("read", "user", "minor"), "[anon]"),
                                    ("heap", ("write", "user", "minor"), "[heap]"),
                                    ("kernel", ("write", "kernel", "minor"), "[anon]"),
                                    ("send", ("read", "kernel", "minor"), "[anon]")):
            with self.subTest(what):
                result, said = observe("-p", "PID", load=[what, PAGES])
                self.agree(result, said, kind, mapping=mapping)

    def test_exec(self):
        """1,000 pages of a file executed: as many exec faults, in that file"""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/code"
            result, said = observe("-p", "PID", load=["exec", PAGES, path])
            self.agree(result, said, ("exec", "user", "minor"), mapping=path)

    def test_major(self):
        """pages of a file that are not in memory: a major fault each"""
        with file_that_leaves_memory() as path:
            if not path:
                self.skipTest("no file system here drops pages from memory")
            result, said = observe("-p", "PID", load=["major", 100, path])
            self.assertEqual(said["major"], 100, "the load itself")
            self.agree(result, said, ("read", "user", "major"), 100, path)

    def test_threads(self):
        """four threads that touch at once: one row, with all of their faults"""
        result, said = observe("-p", "PID", load=["threads", PAGES, 4])
        row = max(result.report["rows"], key=lambda row: row["count"])
        # Each has a stack, too, which is fresh as well.
        self.assertIn(row["count"], range(4 * PAGES, 4 * PAGES + 40))
        minor = said["minor_before"] + said["minor"] + said["minor_after"]
        self.assertEqual(count(result.report["rows"]), minor)
        self.nothing_lost(result)

    def test_again(self):
        """100,000 faults in the same pages, over several turns of the maps"""
        result, said = observe("-p", "PID", load=["again", PAGES, 100])
        row = max(result.report["rows"], key=lambda row: row["count"])
        self.assertEqual(row["count"], 100 * PAGES)
        self.assertEqual((row["address"], row["last"]), (said["first"], said["last"]))

    def test_stacks(self):
        """-g: the leaf is the function that touches, for each fault; callers are behind it"""
        for what, leaf in (("write", "touch_write"), ("read", "touch_read")):
            with self.subTest(what):
                result, said = observe("-g", "-p", "PID", load=[what, PAGES])
                self.agree(result, said, (what, "user", "minor"))
                row = max(result.report["rows"], key=lambda row: row["count"])
                self.assertEqual(named(row["stack"])[:2], [leaf, "main"])
                functions = {f["name"]: f for f in result.report["functions"]}
                self.assertEqual(functions[leaf]["self"], PAGES)

    def test_stacks_through_kernel(self):
        """-g: where the kernel touches, the stack has its part and the program's"""
        # The C library's functions have no frame: who calls them is not seen, but the next one.
        for what, entry in (("kernel", "read"), ("send", "write")):
            with self.subTest(what):
                result, _ = observe("-g", "-p", "PID", load=[what, PAGES])
                rows = [row for row in result.report["rows"] if row["mode"] == "kernel" and
                        [name for frame, name in zip(row["stack"], named(row["stack"]))
                         if not in_kernel(frame)][:2] == [entry, "main"]]
                self.assertEqual(count(rows), PAGES, str(result))
                for row in rows:
                    self.assertTrue(in_kernel(row["stack"][0]))
                only = observe("-g", "--no-kernel-callchain", "-p", "PID", load=[what, PAGES])[0]
                self.assertFalse([row for row in only.report["rows"] for frame in row["stack"]
                                  if in_kernel(frame)])

    def test_stack_of_exec(self):
        """-g: a page that is executed is the leaf itself, in its file"""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/code"
            result, _ = observe("-g", "-p", "PID", load=["exec", PAGES, path])
            rows = rows_of(result.report, mapping=path)
            self.assertEqual(count(rows), PAGES)
            self.assertEqual({row["stack"][0].get("module") for row in rows}, {path})

    def test_flame_graph(self):
        """--flame-graph: the folded stacks add up to the faults"""
        with tempfile.TemporaryDirectory() as folder:
            result, _ = observe("--flame-graph", f"{folder}/f", "-p", "PID", load=["write", PAGES])
            with open(f"{folder}/f.folded", encoding="utf-8") as file:
                lines = [line.rsplit(" ", 1) for line in file]
            self.assertEqual(sum(int(n) for _, n in lines), count(result.report["rows"]))
            self.assertEqual(sum(int(n) for stack, n in lines
                                 if stack.startswith("pages;") and
                                 stack.endswith("main;touch_write")), PAGES)
            self.assertTrue(os.path.exists(f"{folder}/f.svg"))

    def test_pages(self):
        """--pages: a row for each of the 1,000 pages, with its address"""
        result, said = observe("--pages", "-p", "PID", load=["write", PAGES])
        first = int(said["first"], 16)
        rows = [row for row in result.report["rows"]
                if first <= int(row["address"], 16) <= int(said["last"], 16)]
        self.assertEqual(sorted(int(row["address"], 16) for row in rows),
                         [first + i * PAGE for i in range(PAGES)])
        self.assertEqual({row["count"] for row in rows}, {1})
        self.assertEqual({(row["mapping"], row["mode"]) for row in rows}, {("[anon]", "user")})
        self.nothing_lost(result)

    def test_full(self):
        """a map that is full: what is missing is in `lost`, and nothing else is missing"""
        result, said = observe("--pages", "--max-rows", "50", "-p", "PID", load=["write", PAGES])
        minor = said["minor_before"] + said["minor"] + said["minor_after"]
        lost = result.report["lost"]["map_full"]
        self.assertGreater(lost, PAGES / 2)
        self.assertEqual(count(result.report["rows"]) + lost, minor, str(result))
        self.assertIn("--max-rows", result.err)

    def test_without_tracepoints(self):
        """where faults have no tracepoints, only the access is not known"""
        result, _ = observe("-p", "PID", load=["write", PAGES],
                            env={"BPF_PROF_WITHOUT": "page_fault_user"})
        rows = rows_of(result.report, mapping="[anon]", mode="user", type="minor")
        self.assertEqual(count(rows), PAGES, str(result))
        self.assertFalse([row for row in result.report["rows"] if "access" in row])
        self.assertIn("does not say", result.err)

    # Who is observed.

    def test_others(self):
        """-p, -t, --comm that are somebody else's: none of the load's faults"""
        for options in (["-p", str(os.getpid())], ["-t", str(os.getpid())],
                        ["--comm", "no-page*"]):
            with self.subTest(" ".join(options)):
                result, said = observe(*options, load=["write", PAGES])
                self.assertEqual(rows_of(result.report, pid=said["pid"]), [])

    def test_chosen(self):
        """-t, --comm, lists of -p, and filters together: all of the load's faults"""
        for options in (["-t", "PID"], ["--comm", "pag*"], ["-p", f"PID,{os.getpid()}"],
                        ["-p", "PID", "--comm", "pages"], []):
            with self.subTest(" ".join(options)):
                result, said = observe(*options, load=["write", PAGES])
                rows = rows_of(result.report, pid=said["pid"], mapping="[anon]", mode="user")
                self.assertEqual(count(rows), PAGES, str(result))

    def test_cpus(self):
        """-C: the faults on that CPU, and none of others"""
        if CPUS < 2:
            self.skipTest("needs two CPUs")
        for cpu, expected in (("1", PAGES), ("0", 0)):
            with self.subTest(cpu):
                result, said = observe("-C", cpu, "-p", "PID", load=["write", PAGES],
                                       before=["taskset", "-c", "1"])
                rows = rows_of(result.report, pid=said["pid"], mapping="[anon]")
                self.assertEqual(count(rows), expected, str(result))

    def test_cgroup(self):
        """--cgroup: the faults of those in it, and of nobody else"""
        root = cgroup2_root()
        if not root:
            self.skipTest("no cgroup2 here")
        group = f"{root}/bpf-prof-faults.{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            self.skipTest(f"no cgroup can be made here: {error.strerror}")
        try:
            into = ["sh", "-c", f"echo $$ > {group}/cgroup.procs; exec \"$@\"", "sh"]
            result, said = observe("--cgroup", group, load=["write", PAGES], before=into)
            self.assertEqual({row["pid"] for row in result.report["rows"]}, {said["pid"]})
            self.assertEqual(count(rows_of(result.report, mapping="[anon]", mode="user")), PAGES)
            result, said = observe("--cgroup", group, load=["write", PAGES])
            self.assertEqual(result.report["rows"], [])
        finally:
            os.rmdir(group)

    def test_command(self):
        """-- CMD: its faults from its first instruction on, each with its mapping"""
        result = faults("--", *pages("write", PAGES))
        said = next(o for o in result.objects if "minor" in o)
        rows = rows_of(result.report, comm="pages")
        self.assertEqual({row["pid"] for row in rows}, {said["pid"]})
        self.assertGreaterEqual(count(rows), PAGES)
        self.assertLess(count(rows), PAGES + 100)
        self.assertEqual([row for row in result.report["rows"] if "mapping" not in row], [])
        executed = rows_of(result.report, comm="pages", mapping=os.path.join(LOAD, "pages"))
        self.assertGreater(count(executed), 0)

    def test_children(self):
        """-- CMD: processes that live for milliseconds have their faults, with mappings"""
        result = faults("--", "sh", "-c", "for i in 1 2 3 4 5; do ls / > /dev/null; done")
        self.assertEqual(len({row["pid"] for row in rows_of(result.report, comm="ls")}), 5)
        self.assertEqual([row for row in result.report["rows"] if "mapping" not in row], [])
        self.nothing_lost(result)

    def test_intervals(self):
        """-i: each fault is in one report, and all together are all"""
        with Running([FAULTS, "-v", "--json", "-i", "50ms", "--comm", "pages"]) as unit:
            unit.wait_for("observing")
            said = run(pages("again", PAGES, 300)).objects[0]
            unit.signal(2)
            result = unit.result()
        total = sum(count(rows_of(report, pid=said["pid"], mapping="[anon]", mode="user"))
                    for report in result.reports)
        self.assertGreater(len(result.reports), 2)
        # Beside the work: its rehearsal, and what a program takes to start.
        self.assertIn(total - 300 * PAGES, range(300 * 600, 300 * 600 + 300 * 400 + 40))

    # What is mapped.

    PYTHON = """
import ctypes, mmap, os, sys
kept = []
def touch(fd, size=8192, **more):
    m = mmap.mmap(fd, size, **more)
    m[0] = 1
    kept.append(m)
path = sys.argv[1]
for name in ("there", "gone"):
    fd = os.open(path + "/" + name, os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 8192)
    touch(fd) if name == "there" else (os.unlink(path + "/" + name), touch(fd))
fd = os.memfd_create("notes")
os.ftruncate(fd, 8192)
touch(fd)
touch(-1)
touch(-1, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
at = ctypes.addressof(ctypes.c_char.from_buffer(m))
ctypes.CDLL(None).prctl(0x53564d41, 0, ctypes.c_ulong(at), ctypes.c_ulong(8192), b"so called")
m[0] = 1
os.write(1, open("/proc/self/maps", "rb").read())
os._exit(0)
"""

    def mappings_agree(self, path, *before):
        """What is touched is called what /proc/PID/maps of the toucher says; the names so found."""
        result = faults("--pages", "--", *before, "python3", "-c", self.PYTHON, path)
        self.assert_status(result, 0)
        maps = []
        for line in result.out.splitlines():
            if not line.startswith("{"):
                fields = line.split(None, 5)
                start, end = (int(x, 16) for x in fields[0].split("-"))
                maps.append((start, end, fields[5] if len(fields) > 5 else "[anon]"))
        there, found, differ = {name for _, _, name in maps}, set(), 0
        rows = rows_of(result.report, comm="python3")
        for row in rows:
            at = int(row["address"], 16)
            names = [name for start, end, name in maps if start <= at < end]
            if row["mapping"] in names:
                found.add(names[0])
            elif names:
                # Another mapping may have been there before: one that is no more, or no file.
                self.assertTrue(row["mapping"] not in there or row["mapping"] == "[anon]",
                                f"{row} {names}")
                differ += 1
        self.assertLess(differ, len(rows) / 10)
        return found

    def test_mappings(self):
        """mappings are called what /proc/PID/maps calls them"""
        with tempfile.TemporaryDirectory() as folder:
            found = self.mappings_agree(folder)
            for name in (f"{folder}/there", f"{folder}/gone (deleted)", "/memfd:notes (deleted)",
                         "/dev/zero (deleted)", "[anon]", "[heap]", "[stack]"):
                self.assertIn(name, found)
            self.assertTrue([name for name in found if "libc" in name])

    def test_mappings_of_mounts(self):
        """files below mounts of another namespace are called what they are called there"""
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/a/b/c")
            os.makedirs(f"{folder}/d/e")
            found = self.mappings_agree(
                f"{folder}/d/e/c", "unshare", "-m", "sh", "-c",
                f"mount --bind {folder}/a/b {folder}/d/e && mount -t tmpfs none {folder}/d/e/c && "
                "exec \"$@\"", "sh")
            self.assertIn(f"{folder}/d/e/c/there", found)

    def test_long_paths(self):
        """a path that is too long is seen to be cut off at its beginning"""
        with tempfile.TemporaryDirectory() as folder:
            deep = folder + "".join(f"/{n}{'x' * 200}" for n in range(5))
            os.makedirs(deep)
            result, _ = observe("-p", "PID", load=["exec", 10, f"{deep}/code"])
            names = [row["mapping"] for row in result.report["rows"] if "code" in row["mapping"]]
            self.assertEqual(len(names), 1, str(result))
            self.assertRegex(names[0], r"^\.\.\./\dx{200}/.*/code$")
            self.assertTrue(f"{deep}/code".endswith(names[0][3:]))

    def test_files_alike(self):
        """files that have one address after the other are told apart"""
        code = """
import mmap, os, sys
for i in range(20):
    fd = os.open(f"{sys.argv[1]}/file{i}", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 4096)
    m = mmap.mmap(fd, 4096)
    m[0] = 1
    m.close()
    os.close(fd)
    os.unlink(f"{sys.argv[1]}/file{i}")
"""
        with tempfile.TemporaryDirectory() as folder:
            result = faults("--", "python3", "-c", code, folder)
            named_so = [row for row in result.report["rows"]
                        if row["mapping"].startswith(folder + "/file")]
            self.assertEqual({row["mapping"]: row["count"] for row in named_so},
                             {f"{folder}/file{i}": 1 for i in range(20)}, json.dumps(named_so))
