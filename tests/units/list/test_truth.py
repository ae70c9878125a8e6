# SPDX-License-Identifier: GPL-2.0-only
"""What is listed is what others find: tracefs itself, bpftool, nm, readelf."""

import functools
import os
import re
import shutil
import tempfile
import time
import unittest

from harness import BUILD, GUEST, TRACING, Case, Running, have_tracefs, run, tool

LIST = tool("list")
LIBSTDCXX = "libstdc++.so.6"  # has USDT probes wherever C++ programs run
PATH = "/usr/sbin:/sbin:" + os.environ["PATH"]

no_guest = unittest.skipIf(GUEST, "files alone: the same on every kernel")


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=PATH):
            raise unittest.SkipTest(f"needs {program}")


def rows(*args):
    done = run([LIST, "--json", *args])
    assert done.status == 0, str(done)
    return done.report["rows"]


def have_kind(case, event):
    """The rows of @event; skipped where the kernel does not have that kind, which it must say."""
    done = run([LIST, "--json", event])
    if done.status == 4:
        case.assert_one_line(done, "^list: this kernel ")
        case.assertFalse(GUEST, f"guests have all kinds: {done}")
        raise unittest.SkipTest(done.err.strip())
    case.assert_status(done, 0)
    return done.report["rows"]


def all_tracepoints():
    with open(f"{TRACING}/available_events", encoding="ascii") as file:
        return set(file.read().split())


def format_of(name):
    """A tracepoint's format as tracefs has it: [(field, offset, size, signed, type)]."""
    system, event = name.split(":")
    with open(f"{TRACING}/events/{system}/{event}/format", encoding="utf-8") as file:
        text = file.read()
    fields = []  # of which two may have one name
    for declared, offset, size, signed in re.findall(
            r"field:(.*?);\s*offset:(\d+);\s*size:(\d+);\s*signed:(\d);", text):
        kind, field, brackets = re.fullmatch(r"(.*?)\s*(\w+)(\[.*\])?", declared).groups()
        if not field.startswith("common_"):
            fields.append((field, int(offset), int(size), signed == "1", kind + (brackets or "")))
    return fields


class Tracepoints(Case):
    def setUp(self):
        have_tracefs(self)

    def test_all_are_there(self):
        """all tracepoints that tracefs has, and no others"""
        names = all_tracepoints()
        listed = run([LIST, "*:*"])
        self.assert_status(listed, 0)
        self.assertEqual(listed.out.splitlines(), sorted(names))
        some = run([LIST, "sched:*wak*"]).out.splitlines()
        self.assertEqual(some, sorted(n for n in names if re.fullmatch("sched:.*wak.*", n)))
        self.assertGreater(len(some), 2)
        self.assertLessEqual(names, set(run([LIST]).out.splitlines()))

    def check_field(self, event, field, truth):
        """One that expressions can name."""
        _, offset, size, signed, declared = truth
        where = f"{event} {field}"
        self.assertEqual(field["offset"], offset, where)
        if declared.startswith("__data_loc") or declared.startswith("__rel_loc"):
            self.assertEqual(field["meaning"] == "string", declared.endswith("loc char[]"), where)
        elif declared.startswith("char["):
            self.assertEqual(field["meaning"], f"string of at most {size}", where)
        elif "elements" in field:
            self.assertEqual(field["elements"] * field["size_bytes"], size, where)
        elif declared.endswith("*"):
            self.assertEqual(size, 8, where)
        elif event.startswith("syscalls:") and size == 8:
            self.assertLessEqual(field["size_bytes"], size, where)
        else:
            self.assertEqual((field["size_bytes"], field["signed"]), (size, signed), where)

    def test_fields_are_those_of_the_formats(self):
        """fields of all tracepoints: names, types, offsets, sizes as in their formats"""
        shown = {row["event"]: row["fields"] for row in rows("--fields", "*:*")}
        self.assertEqual(set(shown), all_tracepoints())
        for event, fields in shown.items():
            truth = format_of(event)
            self.assertEqual([f["name"] for f in fields], [t[0] for t in truth], event)
            for field, true in zip(fields, truth):
                _, _, size, _, declared = true
                self.assertEqual(field["type"], declared, event)
                if field["usable"]:
                    self.check_field(event, field, true)
                elif not event.startswith("syscalls:"):
                    # What is left out is no number, string or array of numbers.
                    self.assertTrue(size not in (1, 2, 4, 8) or "_loc " in declared, declared)
                    self.assertNotIn("char[", declared)

    def test_system_calls_have_their_types(self):
        """arguments of system calls are as wide as C has them, whatever their place"""
        fields = {f["name"]: f.get("meaning", "not for expressions")
                  for f in rows("syscalls:sys_enter_openat")[0]["fields"]}
        # Later kernels have the string itself in the record; programs do not get that.
        self.assertEqual(fields.pop("__filename_val", "not for expressions"), "not for expressions")
        self.assertEqual(fields, {"__syscall_nr": "int32", "dfd": "int32", "flags": "int32",
                                  "filename": "string of the user's", "mode": "uint16"})
        fields = {f["name"]: f["meaning"] for f in rows("syscalls:sys_enter_lseek")[0]["fields"]}
        self.assertEqual(fields["offset"], "int64")
        self.assertEqual(fields["fd"], "uint32")

    def test_quick(self):
        """all tracepoints in 0.3 s, and all fields of the system calls'"""
        for args, most in (([], 0.3), (["*:*"], 0.3), (["--fields", "syscalls:*"], 0.3),
                           (["--fields", "*:*"], 1)):
            took = []
            for _ in range(3):
                begin = time.monotonic()
                self.assert_status(run([LIST, *args]), 0)
                took.append(time.monotonic() - begin)
            # Emulation is slower by a factor of ten and more.
            self.assertLess(min(took), most * (20 if GUEST else 1), str(args))

    def test_the_example_compiles(self):
        """the examples of many events compile, and are shown as they are"""
        shown = rows("--fields", "sched:*") + rows("--fields", "syscalls:sys_enter_o*")
        for row in shown:
            event = re.search(r"-e '(.*)' ", row["example"]).group(1)
            self.assertTrue(event.startswith(row["event"] + "/"), row["example"])
            self.assert_status(run([LIST, event]), 0)
        example = rows("sched:sched_switch")[0]["example"]
        self.assertIn(f"\n  {example}\n", run([LIST, "sched:sched_switch"]).out)

    def test_the_example_runs(self):
        """the example runs as printed"""
        example = rows("sched:sched_switch")[0]["example"]
        if not os.path.exists(tool(example.split()[0])):
            self.assertFalse([u for u in ("trace", "top") if os.path.exists(tool(u))])
            raise unittest.SkipTest(f"there is no {example.split()[0]} here to run it with")
        self.assert_status(run(["sh", "-c", example], env={"PATH": BUILD + ":" + PATH}), 0)


@functools.lru_cache(None)
def functions_of_btf():
    """The kernel's functions as bpftool has them: {name: (arguments, return type's id)}."""
    dumped = run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "raw"],
                 env={"PATH": PATH}).out
    protos, functions, current = {}, {}, None
    for line in dumped.splitlines():
        if line.startswith("["):
            current = None
            proto = re.match(r"\[(\d+)\] FUNC_PROTO '.*' ret_type_id=(\d+)", line)
            function = re.match(r"\[\d+\] FUNC '(.*)' type_id=(\d+)", line)
            if proto:
                current = protos.setdefault(proto.group(1), ([], int(proto.group(2))))[0]
            elif function:
                functions[function.group(1)] = function.group(2)
        elif current is not None:
            argument = re.match(r"\t'(.*)' type_id=(\d+)$", line)
            if argument and argument.group(2) != "0":
                current.append(argument.group(1))
    return {name: protos[proto] for name, proto in functions.items()}


class KernelFunctions(Case):
    def check(self, kind, returns, arguments):
        need("bpftool")
        self.assertGreater(len(have_kind(self, f"{kind}:vfs_*")), 20)
        known = functions_of_btf()
        with open("/proc/kallsyms", encoding="ascii") as file:
            symbols = {line.split()[2] for line in file}
        # Its memory has been given back since it ran; some kernels go on naming it.
        self.assert_status(run([LIST, f"{kind}:start_kernel"]), 2)
        typed = 0
        for row in rows("--fields", f"{kind}:vfs_*"):
            self.assertIn(row["name"], symbols)
            if row["name"] not in known:
                self.assertNotIn(kind, ("fentry", "fexit"), str(row))
                continue
            names, result = known[row["name"]]
            expected = names + [f"arg{i}" for i in range(len(names))] if arguments else []
            expected += ["ret"] if returns and result else []
            self.assertEqual(sorted(f["name"] for f in row["fields"]), sorted(expected),
                             row["event"])
            for name in names:
                self.assertIn(name, row["detail"])
            typed += 1
        self.assertGreater(typed, 20)

    def test_kprobe(self):
        """kprobe: functions that there are, with the arguments that the BTF has"""
        self.check("kprobe", False, True)

    def test_kretprobe(self):
        """kretprobe: the same, with what they return"""
        self.check("kretprobe", True, False)

    def test_fentry(self):
        """fentry: functions that there are, with the arguments that the BTF has"""
        self.check("fentry", False, True)

    def test_fexit(self):
        """fexit: both"""
        self.check("fexit", True, True)

    def test_prototype(self):
        """kprobe:tcp_sendmsg has its types; members of what they point to can be named"""
        row = have_kind(self, "kprobe:tcp_sendmsg")[0]
        self.assertEqual(row["detail"],
                         "int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)")
        fields = {f["name"]: (f["type"], f["meaning"]) for f in row["fields"]}
        self.assertEqual(fields["sk"], ("struct sock *", "members by -> of sock"))
        self.assertEqual(fields["arg0"], fields["sk"])
        self.assertEqual(fields["size"], ("size_t", "uint64"))
        self.assertEqual(len(fields), 6)
        self.assert_status(run([LIST, "kprobe:tcp_sendmsg/size>1000 && "
                                      "sk->__sk_common.skc_state==1/"]), 0)


class Files(Case):
    def path_of(self, library):
        """The library's path, as ldconfig has it."""
        need("ldconfig")
        listed = run(["ldconfig", "-p"], env={"PATH": PATH}).out
        found = re.search(rf"^\s*{re.escape(library)} .*=> (\S+)$", listed, re.M)
        if not found:
            raise unittest.SkipTest(f"there is no {library} here")
        return os.path.realpath(found.group(1))

    @no_guest
    def test_functions_of_a_library(self):
        """uprobe: the functions that readelf finds in a library, at their addresses"""
        need("readelf")
        path = self.path_of("libc.so.6")
        symbols = re.findall(r"^ +\d+: ([0-9a-f]+) +\S+ FUNC +\S+ +\S+ +(\d+) (\S+)",
                             run(["readelf", "-sW", path]).out, re.M)
        truth = {(name.split("@")[0], int(addr, 16)) for addr, _, name in symbols}
        self.assertGreater(len(truth), 1000)
        listed = [(row["name"], int(row["addr"], 16)) for row in rows(f'uprobe:*@"{path}"')]
        self.assertEqual(len(listed), len(set(listed)), "a function is there twice")
        self.assertEqual(set(listed), truth)
        one = rows("uprobe:malloc@libc.so.6")
        self.assertEqual([(r["name"], int(r["addr"], 16)) for r in one],
                         [t for t in truth if t[0] == "malloc"])
        self.assertEqual(one[0]["file"], path)

    @no_guest
    def test_functions_of_a_program(self):
        """uprobe: a function of a program, an offset in it, its address, as nm has it"""
        need("nm")
        path = f"{BUILD}/load/cpu-pie"
        addr = next(int(line.split()[0], 16) for line in run(["nm", path]).out.splitlines()
                    if line.endswith(" burn_seventy"))
        for event, expected in (("burn_seventy", addr), ("burn_seventy+4", addr + 4),
                                (hex(addr), addr)):
            row, = rows(f'uprobe:{event}@"{path}"')
            self.assertEqual(int(row["addr"], 16), expected)

    @no_guest
    def test_strange_names(self):
        """names with slashes, stars, brackets, quotes: what is listed is accepted, and is that one"""
        names = ["net/http.(*conn).serve", "a[b]", "a*b", "acb", "a,b", "a+b", "x y", "0x12"]
        with tempfile.TemporaryDirectory() as folder:
            source, program = f"{folder}/odd.s", f"{folder}/odd"
            with open(source, "w", encoding="ascii") as file:
                file.write(".text\n.globl main\nmain: mov $0, %eax\nret\n")
                for name in names:
                    file.write(f'.type "{name}", @function\n"{name}": nop\nret\n'
                               f'.size "{name}", 2\n')
            self.assert_status(run(["gcc", "-no-pie", source, "-o", program]), 0)
            listed = {row["name"]: row for row in rows(f'uprobe:*@"{program}"')}
            self.assertLessEqual(set(names), set(listed))
            for name in names:
                again, = rows(listed[name]["event"])
                self.assertEqual((again["name"], again["addr"]), (name, listed[name]["addr"]))
                self.assertIn("'" + listed[name]["event"], again["example"])
            wild = rows(f'uprobe:a*b@"{program}"')
            self.assertLessEqual({"a*b", "acb", "a,b", "a+b"}, {row["name"] for row in wild})

    def notes(self, path):
        """The USDT probes of a file as readelf has them."""
        need("readelf")
        found = re.findall(r"Provider: (\S+)\n +Name: (\S+)\n +Location: (0x[0-9a-f]+), .*\n"
                           r" +Arguments: ?(.*)", run(["readelf", "-nW", path]).out)
        if not found:
            raise unittest.SkipTest(f"{path} has been built without probes")
        return sorted((p, n, int(a, 16), args.strip()) for p, n, a, args in found)

    @no_guest
    def test_usdt_probes(self):
        """usdt: the probes that readelf finds, with their arguments"""
        path = self.path_of(LIBSTDCXX)
        truth = self.notes(path)
        listed = rows("--fields", f"usdt:{path}")
        self.assertEqual(sorted((r["system"], r["name"], int(r["addr"], 16), r["arguments"])
                                for r in listed), truth)
        for row in listed:
            self.assertEqual(len(row["fields"]), len(row["arguments"].split()))
            self.assertTrue(all(f["usable"] for f in row["fields"]), str(row))
            self.assertEqual(rows(row["event"])[0]["event"], row["event"])
        some = rows(f"usdt:{path}:lib*:[ct]*")
        self.assertEqual(sorted(r["name"] for r in some),
                         sorted(n for _, n, _, _ in truth if n[0] in "ct"))

    @no_guest
    def test_probes_of_a_process(self):
        """usdt:PID, -p PID: what the process has mapped"""
        names = {name for _, name, _, _ in self.notes(self.path_of(LIBSTDCXX))}
        with tempfile.TemporaryDirectory() as folder:
            source = f"{folder}/wait.cc"
            with open(source, "w", encoding="ascii") as file:
                file.write("#include <iostream>\n#include <unistd.h>\n"
                           "int main() { std::cout << \"ready\" << std::endl; pause(); }\n")
            self.assert_status(run(["g++", source, "-o", f"{folder}/wait"]), 0)
            with Running([f"{folder}/wait"]) as process:
                process.wait_for("ready", process.out)
                pid = process.process.pid
                self.assertLessEqual(names, {r["name"] for r in rows(f"usdt:{pid}")})
                row, = rows("-p", str(pid), "uprobe:main")
                self.assertEqual(row["file"], f"{folder}/wait")


class Counted(Case):
    def test_software_events(self):
        """what the kernel counts is there everywhere, each by all of its names"""
        listed = {row["name"] for row in rows("*")}
        self.assertLessEqual({"cpu-clock", "task-clock", "page-faults", "minor-faults",
                              "major-faults", "context-switches", "cpu-migrations"}, listed)
        for name in ("cs", "faults", "migrations"):
            self.assertEqual(rows(name)[0]["event"], name)

    def test_hardware_events(self):
        """cycles are there where perf can count them, else it is said what is missing"""
        need("perf")
        done = run([LIST, "cycles"])
        counted = run(["perf", "stat", "-x,", "-e", "cycles", "true"])
        missing = "not supported" in counted.err
        self.assertEqual("cycles" in {row["name"] for row in rows("*")}, not missing)
        self.assert_status(done, 4 if missing else 0)
        if missing:
            self.assert_one_line(done, "PMU")
