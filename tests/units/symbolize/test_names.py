# SPDX-License-Identifier: GPL-2.0-only
"""Names, files and lines are those that other tools find: nm, addr2line, kallsyms, pprof."""

import glob
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, Case, GUEST, Running, run, tool

ZOO = {name: f"{BUILD}/load/symbols/{name}" for name in ("zoo", "zoo-nopie", "zoo-static")}
NAMES = ["zoo::Cage::lose", "visit", "hidden", "keeper::feed"]
SYMBOLIZE = tool("symbolize")

no_guest = unittest.skipIf(GUEST, "files alone: the same on every kernel")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"needs {program}")


def feed(text, *args):
    """Runs symbolize with @text on its standard input."""
    with tempfile.TemporaryFile() as file:
        file.write(text if isinstance(text, bytes) else text.encode())
        file.seek(0)
        return run([SYMBOLIZE, *args], stdin=file)


def symbols(path):
    """What nm says of functions in the file: (address, size) to their names."""
    found = {}
    for line in run(["nm", "-S", "--defined-only", path]).out.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tTwWi" and int(words[1], 16):
            found.setdefault((int(words[0], 16), int(words[1], 16)), []).append(words[3])
    return found


def range_of(path, name):
    for (start, size), names in symbols(path).items():
        if name in names:
            return start, size
    raise AssertionError(f"nm does not know {name} in {path}")


def addr2line(path, addrs, program="addr2line"):
    """For each address its functions and lines, leaf first, as addr2line -i has them."""
    out = run([program, "-a", "-f", "-i", "-C", "-e", path, *map(hex, addrs)]).out
    found = []
    lines = iter(out.splitlines())
    for line in lines:
        if re.fullmatch("0x[0-9a-f]+", line):
            found.append([])
        else:
            place = re.sub(r" \(discriminator \d+\)$", "", next(lines))
            place = ":".join(place.split(":")[:2])  # elfutils has the column behind it
            found[-1].append((re.sub(r"\(.*| inlined at .*", "", line), os.path.abspath(place)))
    return found


class Files(Case):
    @no_guest
    def test_every_function_of_a_file(self):
        """-e: the functions that nm finds, at their first and last byte, linked in each way"""
        need("nm")
        for name, path in ZOO.items():
            known = sorted(symbols(path).items())[:400]
            addrs = [a for (start, size), _ in known for a in (start, start + size - 1)]
            # Addresses that symbols of nm's share have several right answers.
            right = {a: set() for a in addrs}
            for (start, size), names in symbols(path).items():
                for addr in addrs:
                    if start <= addr < start + size:
                        right[addr].update(names)
            done = feed("\n".join(map(hex, addrs)), "-e", path, "--no-lines", "--json")
            self.assert_status(done, 0)
            self.assertEqual(len(done.report["rows"]), len(addrs))
            for row, addr in zip(done.report["rows"], addrs):
                frame, = row["stack"]
                self.assertEqual(int(row["addr"], 16), addr)
                demangled = run(["c++filt", *sorted(right[addr])]).out.split("\n") \
                    if any(n.startswith("_Z") for n in right[addr]) else right[addr]
                self.assertIn(frame["name"], demangled, f"{name} {addr:#x}")

    @no_guest
    def test_lines_and_inlined_functions(self):
        """-e --json: the frames of addr2line -i, at each byte of a function, leaf first"""
        need("nm", "addr2line", "eu-addr2line")
        for path in ZOO.values():
            start, size = range_of(path, "visit")
            addrs = range(start, start + size)
            done = run([SYMBOLIZE, "-e", path, "--json", *map(hex, addrs)])
            self.assert_status(done, 0)
            depths = set()
            # That of binutils 2.40 gives some inlined functions their callers' names.
            for row, theirs, named in zip(done.report["rows"], addr2line(path, addrs),
                                          addr2line(path, addrs, "eu-addr2line")):
                ours = [(f["name"].split("(")[0], f"{os.path.abspath(f['file'])}:{f['line']}")
                        for f in row["stack"]]
                self.assertEqual([place for _, place in ours], [place for _, place in theirs],
                                 row["addr"])
                self.assertEqual(ours, named, row["addr"])
                self.assertEqual([f.get("inlined", False) for f in row["stack"]],
                                 [True] * (len(ours) - 1) + [False])
                depths.add(len(ours))
            self.assertIn(3, depths, "nothing is inlined twice: the test shows little")

    @no_guest
    def test_text(self):
        """-e: a line an address, the inlined functions below it, outermost first"""
        need("nm", "addr2line")
        path = ZOO["zoo"]
        start, size = range_of(path, "visit")
        addr = next(a for a, f in zip(range(start, start + size),
                                      addr2line(path, range(start, start + size)))
                    if len(f) == 3)
        done = run([SYMBOLIZE, "-e", path, f"{addr:x}", "0"])
        self.assert_status(done, 0)
        self.assertRegex(done.out, rf"^{addr:#x} visit\+{addr - start:#x} \({path}\) \S+zoo.cc:\d+\n"
                                   r"    inlined eat\S* \S+zoo.cc:\d+\n"
                                   r"    inlined chew\S* \S+zoo.cc:\d+\n"
                                   r"0x0 \?\? \(.+\)\n$")
        self.assertEqual(done.err, "")

    @no_guest
    def test_separate_debug_information(self):
        """-e: a stripped file has the names and lines of its debug file"""
        need("nm", "objcopy", "strip", "addr2line")
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/zoo"
            run(["objcopy", "--only-keep-debug", ZOO["zoo"], f"{folder}/zoo.debug"])
            run(["strip", "-o", path, ZOO["zoo"]])
            run(["objcopy", f"--add-gnu-debuglink={folder}/zoo.debug", path])
            start, _ = range_of(ZOO["zoo"], "visit")
            done = run([SYMBOLIZE, "-e", path, hex(start)])
            self.assertRegex(done.out, r"visit\+0x0 .*zoo\.cc:\d+")
            (_, place), = addr2line(ZOO["zoo"], [start])[0][-1:]
            self.assertIn(os.path.basename(place), done.out.splitlines()[0])
            os.remove(f"{folder}/zoo.debug")
            self.assertIn("??", run([SYMBOLIZE, "-e", path, hex(start)]).out)

    @no_guest
    def test_a_hundred_thousand(self):
        """100,000 addresses on standard input: as many answers, in order"""
        need("nm")
        known = {}
        for (start, _), names in symbols(SYMBOLIZE).items():
            known.setdefault(start, []).extend(names)
        random.seed(1)
        addrs = random.choices(sorted(known), k=100000)
        done = feed("\n".join(map(hex, addrs)), "-e", SYMBOLIZE, "--no-lines")
        self.assert_status(done, 0)
        lines = done.out.splitlines()
        self.assertEqual([int(line.split()[0], 16) for line in lines], addrs)
        for line, addr in zip(lines[::1000], addrs[::1000]):
            self.assertIn(line.split()[1].rsplit("+", 1)[0], known[addr])

    def test_answers_as_they_are_asked(self):
        """standard input that goes on: each address is answered when it has come"""
        start, _ = range_of(ZOO["zoo"], "visit")
        with Running([SYMBOLIZE, "-e", ZOO["zoo"]], stdin=subprocess.PIPE) as asked:
            for i in range(1, 4):
                asked.process.stdin.write(f"{start:x} ".encode())
                asked.process.stdin.flush()
                asked.wait_for(rf"(visit\+0x0[^$]*){{{i}}}", asked.out)
            # The word may go on: it is answered when it has ended.
            asked.process.stdin.write(f"{start:x}"[:2].encode())
            asked.process.stdin.flush()
            asked.process.stdin.write(f"{start:x}"[2:].encode())
            asked.process.stdin.close()
            self.assertEqual(asked.result().out.count("visit+0x0"), 4)


class Live(Case):
    def test_a_process(self):
        """-p: functions of a live program, its library, and code made at run time"""
        for name, path in ZOO.items():
            with Running([path, "wait"], stdin=subprocess.PIPE) as zoo:
                pid = int(zoo.wait_for(r"ready (\d+)", zoo.out).group(1))
                said = zoo.wait_for(r"(?s)ready.*nothing 0x[0-9a-f]+\n", zoo.out).group(0)
                at = dict(line.split() for line in said.splitlines()[1:])
                with open(f"/tmp/perf-{pid}.map", "w", encoding="ascii") as jit:
                    jit.write(f"{int(at['nothing'], 16):x} 40 made by a compiler\n")
                try:
                    done = run([SYMBOLIZE, "-p", str(pid), "--json",
                                *[hex(int(a, 16) + 1) for a in at.values()]])
                finally:
                    os.remove(f"/tmp/perf-{pid}.map")
                self.assert_status(done, 0)
                frames = [row["stack"][-1] for row in done.report["rows"]]
                self.assertEqual([f["name"].split("(")[0] for f in frames],
                                 ["zoo::Cage<int>::lose", *NAMES[1:], "made by a compiler"], name)
                self.assertEqual([f["offset"] for f in frames], [1] * 5)
                library = path if "static" in name else \
                    os.path.dirname(path) + "/libkeeper.so"
                self.assertEqual([os.path.realpath(f["module"]) for f in frames[:4]],
                                 [os.path.realpath(p) for p in [path] * 3 + [library]])
                self.assertEqual([os.path.basename(f["file"]) for f in frames[:4]],
                                 ["zoo.cc"] * 3 + ["keeper.cc"])
                nothing = run([SYMBOLIZE, "-p", str(pid), at["nothing"], "1"])
                self.assertRegex(nothing.out, r"^0x\w+ \?\? \(.+\)\n0x1 \?\? \(.+\)\n$")

    def test_the_kernel(self):
        """-k: functions at the addresses that /proc/kallsyms has for them, modules too"""
        at = {}
        with open("/proc/kallsyms", encoding="ascii") as kallsyms:
            for line in kallsyms:
                words = line.split()
                # BPF programs and trampolines come and go while others use BPF or ftrace.
                if words[1] in "tT" and words[-1] not in ("[bpf]", "[__builtin__ftrace]"):
                    at.setdefault(int(words[0], 16), []).append(words[2:])
        if set(at) == {0}:
            raise unittest.SkipTest("this kernel hides its addresses")
        modules = [a for a, names in at.items() if len(names) == 1 and names[0][1:]]
        random.seed(1)
        addrs = random.sample(sorted(at), 300) + random.sample(modules, min(len(modules), 50))
        done = feed("\n".join(f"{a:x}" for a in addrs), "-k", "--json")
        self.assert_status(done, 0)
        self.assertEqual(len(done.report["rows"]), len(addrs))
        for row, addr in zip(done.report["rows"], addrs):
            frame, = row["stack"]
            # C++'s and Rust's are not compared: here they have readable names.
            if any(name[0].startswith("_R") for name in at[addr]):
                continue
            self.assertIn([frame["name"], frame.get("module", "").replace("[kernel]", "")],
                          [[n[0], "".join(n[1:])] for n in at[addr]], row)
            self.assertEqual(frame["offset"], 0)

    def test_a_kernel_that_hides_its_addresses(self):
        """-k: one who may not see the kernel's addresses is told so: status 4"""
        need("setpriv")
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            shutil.copy(SYMBOLIZE, f"{folder}/symbolize")
            as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups"]
            if re.search("[1-9a-f]", run(as_nobody + ["head", "-c", "16", "/proc/kallsyms"]).out):
                raise unittest.SkipTest("this kernel shows its addresses to everybody")
            done = run(as_nobody + [f"{folder}/symbolize", "-k", "ffffffff81000000"])
            self.assert_status(done, 4)
            self.assert_one_line(done, "kptr_restrict")
            done = run(as_nobody + [f"{folder}/symbolize", "-p", "1", "1"])
            self.assert_status(done, 4)
            self.assert_one_line(done, "process 1")


class Pprof(Case):
    def setUp(self):
        # google-pprof leaves this behind.
        before = set(glob.glob("/tmp/pprof*.sym"))
        self.addCleanup(lambda: [os.remove(path) for path in
                                 set(glob.glob("/tmp/pprof*.sym")) - before])

    def maps(self, name):
        done = run([ZOO[name], "maps"])
        self.assert_status(done, 0)
        return done.out

    def test_pprof_symbols(self):
        """--symbols: names by the maps that are given, of program and library"""
        for name, path in ZOO.items():
            done = feed(self.maps(name), "--symbols", path)
            self.assert_status(done, 0)
            self.assertEqual(done.out.splitlines(), NAMES, name)

    @no_guest
    def test_as_pprof(self):
        """--symbols: google-pprof says the same"""
        need("google-pprof")
        for name, path in ZOO.items():
            with tempfile.TemporaryFile() as asked:
                asked.write(self.maps(name).encode())
                asked.seek(0)
                theirs = run(["google-pprof", "--symbols", path], stdin=asked)
            self.assertEqual(theirs.out.splitlines(), NAMES, str(theirs))

    @no_guest
    def test_long_names(self):
        """--symbols: C++ names are shortened as pprof shortens them"""
        need("gcc", "google-pprof")
        names = ["_ZNK3FooIiE3barEPFvicES1_", "_ZN12_GLOBAL__N_13runEv", "plain", "_ZlsRSoi",
                 "_ZNSt6vectorIiSaIiEE9push_backERKi", "_Z3mapISt4pairIilEET_v",
                 "_ZN3FooclEi", "_ZThn16_N3Foo3barEv", "_ZNSt3mapIiSsSt4lessIiEEixERKi"]
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/names.s", "w", encoding="ascii") as source:
                source.write(".text\n" + "".join(
                    f".globl {n}\n.type {n},@function\n{n}: .fill 16,1,0x90\n.size {n},16\n"
                    for n in [*names, "_fini"]))
            made = run(["gcc", "-nostdlib", "-shared", f"{folder}/names.s", "-o",
                        f"{folder}/names.so"])
            self.assert_status(made, 0)
            at = {names[0]: addr for (addr, _), names in symbols(f"{folder}/names.so").items()}
            asked = "".join(f"{at[n]:#x}\n" for n in names)
            ours = feed(asked, "--symbols", f"{folder}/names.so")
            with tempfile.TemporaryFile() as file:
                file.write(asked.encode())
                file.seek(0)
                theirs = run(["google-pprof", "--symbols", f"{folder}/names.so"], stdin=file)
            self.assertEqual(ours.out.splitlines(), theirs.out.splitlines())
            self.assertIn("std::vector::push_back", ours.out.splitlines())

    def test_without_maps(self):
        """--symbols: without maps, addresses are the program's own"""
        path = ZOO["zoo"]
        start, _ = range_of(path, "_ZL6hiddeni")
        done = feed(f"{start:#x}\n0x1\n at {start + 1:#X}, say \n", "--symbols", path)
        self.assert_status(done, 0)
        self.assertEqual(done.out, "hidden\n??\nhidden\n")

    def test_a_program_that_is_elsewhere(self):
        """--symbols: maps from another place; the program is known by its name"""
        maps = self.maps("zoo").replace(ZOO["zoo"], "/nowhere/zoo")
        done = feed(maps, "--symbols", ZOO["zoo"])
        self.assert_status(done, 0)
        self.assertEqual(done.out.splitlines(), NAMES)
        # And a library that is nowhere has no names; the rest has.
        done = feed(maps.replace("libkeeper.so", "libsleeper.so"), "--symbols", ZOO["zoo"])
        self.assert_status(done, 0)
        self.assertEqual(done.out.splitlines(), NAMES[:3] + ["??"])

    def test_order_does_not_matter(self):
        """--symbols: maps behind the addresses, lines that end as Windows has them, no last end"""
        lines = self.maps("zoo").splitlines()
        done = feed("\r\n".join(reversed(lines)), "--symbols", ZOO["zoo"])
        self.assert_status(done, 0)
        self.assertEqual(done.out.splitlines(), NAMES[::-1])

    @no_guest
    def test_the_heap_checker(self):
        """PPROF_PATH: tcmalloc's heap checker names who leaked, as it does with google-pprof"""
        found = glob.glob("/usr/lib/*/libtcmalloc.so.4")
        if not found:
            raise unittest.SkipTest("needs libtcmalloc.so.4 (package libgoogle-perftools4)")
        pprof = shutil.which("google-pprof")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        said = {}
        for path in filter(None, (SYMBOLIZE, pprof)):
            done = run([ZOO["zoo"], "leak"], env={"LD_PRELOAD": found[0], "PPROF_PATH": path,
                                                 "HEAPCHECK": "draconian",
                                                 "HEAP_CHECK_DUMP_DIRECTORY": folder.name})
            self.assert_status(done, 1)
            leak = re.search(r"Leak of 123450 bytes in 10 objects.*\n((?:\t@ .*\n)+)", done.err)
            self.assertTrue(leak, str(done))
            said[path] = re.findall(r"@ \w+ (.*)", leak.group(1))
            self.assertEqual([n.strip() for n in said[path]][:2], ["zoo::Cage::lose", "main"])
            self.assertNotIn("Cannot convert", done.err)
        if not pprof:
            raise unittest.SkipTest("to compare with, needs google-pprof (google-perftools)")
        self.assertEqual(len(said[SYMBOLIZE]), len(said[pprof]))
