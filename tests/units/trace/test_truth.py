# SPDX-License-Identifier: GPL-2.0-only
"""trace against programs that make known events, what strace sees of them, and what the kernel prints."""

import collections
import os
import re
import subprocess
import sys
import tempfile
import time

from events import WRITE, WRITE_NUMBER
from harness import CPUS, GUEST, LOAD, Case, Running, observe_load, release, run, tool, waiting

TRACE = tool("trace")
CALLS = os.path.join(LOAD, "calls")

LINE = re.compile(r"^(\d\d:\d\d:\d\d\.\d{6}) +(.*?) +(\d+) \[(\d{3,})\] ([^ ]+?): (.*)$")


def calls(threads, number):
    """Thread t of so many, calls-t, calls write(-1, NULL, t) t * number times."""
    return [CALLS, str(threads), str(number)]


def total(threads, number):
    return number * threads * (threads + 1) // 2


def events(result):
    return [event for report in result.reports for event in report["events"]]


def lines(text):
    """(time, comm, tid, cpu, event, what it tells) of each line."""
    return [LINE.match(line).groups() for line in text.splitlines()]


def is_part_of(part, whole):
    """Is `part` in `whole`, in its order, with others in between?"""
    rest = iter(whole)
    return all(any(item == other for other in rest) for item in part)


class Truth(Case):
    def trace(self, *args, command=None, lost=False):
        result = run([TRACE, *args, *(["--", *command] if command else [])])
        self.assert_status(result, 0)
        if not lost:
            self.assertNotIn("lost", result.err)
        return result

    def test_all_are_there(self):
        """each thread's events are all there, with its name, its number and their arguments"""
        result = self.trace("--json", "-e", WRITE, command=calls(4, 3000))
        tids = next(o for o in result.objects if "tids" in o)["tids"]
        self.assertEqual(result.report["lost"]["total"], 0)
        self.assertEqual(result.report["rows"],
                         [{"event": "raw_syscalls:sys_enter", "count": total(4, 3000)}])
        seen = {}
        for event in events(result):
            seen.setdefault(event["tid"], []).append(event)
        self.assertEqual({tid: len(of) for tid, of in seen.items()},
                         {tid: 3000 * t for t, tid in enumerate(tids, 1)})
        for t, tid in enumerate(tids, 1):
            for event in seen[tid]:
                self.assertEqual((event["comm"], event["fields"]["id"], event["fields"]["args"][2]),
                                 (f"calls-{t}", WRITE_NUMBER, t))
                self.assertLess(event["cpu"], CPUS)

    def test_order(self):
        """events of all CPUs come in the order of their times, also while they come and in text"""
        with Running([TRACE, "-v", "--json", "-i", "50ms", "-e", "raw_syscalls:*", "--comm",
                      "calls-*"]) as unit:
            unit.wait_for("observing")
            for _ in range(3):
                run(calls(4, 2000))
            unit.signal(2)
            result = unit.result()
        self.assert_status(result, 0)
        times = [event["monotonic_ns"] for event in events(result)]
        self.assertGreaterEqual(len(times) + sum(r["lost"]["total"] for r in result.reports),
                                3 * 2 * total(4, 2000))
        self.assertEqual(times, sorted(times))
        text = self.trace("-e", WRITE, command=calls(4, 1000)).out
        when = [LINE.match(line).group(1) for line in text.splitlines() if "sys_enter" in line]
        self.assertEqual(len(when), total(4, 1000))
        if when[0] < when[-1]:  # not around midnight
            self.assertEqual(when, sorted(when))

    def test_entered_then_left(self):
        """what a thread enters it leaves: its events alternate, at whatever CPU it is"""
        result = self.trace("--json", "-e", f"{WRITE}alias=in/,raw_syscalls:sys_exit/id=="
                            f"{WRITE_NUMBER}&&ret==-9/alias=out/", command=calls(4, 2000))
        names = {}
        for event in events(result):
            names.setdefault(event["tid"], []).append(event["event"])
        self.assertEqual(len(names), 4)
        for tid, sequence in names.items():
            self.assertEqual(sequence, ["in", "out"] * (len(sequence) // 2), tid)

    def test_losses(self):
        """a buffer that is too small: what is printed and what is lost are what was made, by CPU too"""
        # Where little is lost, JSON comes in parts: what the command prints would be in its midst.
        quiet = ["sh", "-c", f"{' '.join(calls(4, 20000))} >/dev/null"]
        result = self.trace("--json", "-m", "1", "-e", WRITE, command=quiet, lost=True)
        report = result.report
        self.assertGreater(report["lost"]["buffer"], 0)
        self.assertEqual(report["lost"]["total"], report["lost"]["buffer"])
        self.assertEqual(len(events(result)) + report["lost"]["buffer"], total(4, 20000))
        self.assertEqual(sum(row["count"] for row in report["lost_by_cpu"]),
                         report["lost"]["buffer"])
        self.assertRegex(result.err, r"\d+ events found no room in the buffer of CPU \d+")
        self.assertRegex(result.err, rf"lost {report['lost']['buffer']} events")

    def test_samples(self):
        """a clock's samples are there or told as lost, also where other events' programs run meanwhile"""
        with Running(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000000"]):
            result = self.trace("--json", "--duration", "2s", "-e", "cpu-clock//alias=samples/",
                                "-e", "raw_syscalls:sys_*/common_pid==0/", lost=True)
        report = result.report
        due = 999 * CPUS * report["elapsed_ns"] / 1e9
        seen = sum(row["count"] for row in report["rows"] if row["event"] == "samples")
        self.assertLessEqual(seen, due * 1.01 + CPUS)
        # The time of an emulated CPU that has to wait is not all counted.
        percent = 10 if GUEST else 2
        self.assertGreaterEqual(seen + report["lost"]["total"], due * (1 - percent / 100) - 2 * CPUS,
                                str(report["lost"]))

    def test_number(self):
        """-N: exactly so many, the first ones"""
        with Running([TRACE, "-v", "-N", "25", "-e", WRITE, "--comm", "calls-1"]) as unit:
            unit.wait_for("observing")
            run(calls(1, 5000))
            result = unit.result()
        self.assert_status(result, 0)
        self.assertEqual(len(result.out.splitlines()), 25)
        self.assertNotIn("lost", result.err)

    def test_overwrite(self):
        """--overwrite: what is kept is the newest, without a gap"""
        seek = {"x86_64": 8, "aarch64": 62}[os.uname().machine]
        program = "import os\nfd=os.open('/dev/zero',0)\nfor i in range(30000): os.lseek(fd,i,0)"
        result = self.trace("--json", "--overwrite", "-m", "64k", "-e",
                            f"raw_syscalls:sys_enter/id=={seek}&&args[2]==0/",
                            command=["taskset", "-c", "0", "python3", "-S", "-c", program])
        offsets = [event["fields"]["args"][1] for event in events(result)]
        self.assertGreater(len(offsets), 100)
        self.assertLess(len(offsets), 30000)
        self.assertEqual(offsets, list(range(offsets[0], 30000)))
        self.assertEqual(result.report["lost"]["total"], 0)

    def test_overwrite_on_request(self):
        """--overwrite: SIGUSR1 shows what there is, the end what has come since"""
        with Running([TRACE, "-v", "--overwrite", "-e", WRITE, "--comm", "calls-*"]) as unit:
            unit.wait_for("observing")
            run(calls(1, 100))
            time.sleep(0.3)
            self.assertEqual(unit.said(unit.out), "")
            unit.signal(10)
            unit.wait_for(r"(.*\n){100}", unit.out)
            run(calls(1, 50))
            unit.signal(2)
            self.assertEqual(len(unit.result().out.splitlines()), 150)

    def test_overwrite_again_and_again(self):
        """--overwrite -i: each event is in one report, in order, or lost while one was made"""
        seek = {"x86_64": 8, "aarch64": 62}[os.uname().machine]
        # Many, then with pauses, so that each CPU goes on while another one's buffer is read.
        program = ("import os, time\nfd = os.open('/dev/zero', 0)\nfor i in range(60000):\n"
                   " os.lseek(fd, 2**30 + i, 0)\n if i > 40000 and i % 20 == 0: time.sleep(0.001)")
        both = " & ".join(f"taskset -c {cpu} python3 -S -c \"$0\"" for cpu in {0, CPUS - 1})
        result = self.trace("--json", "--overwrite", "-i", "20ms", "-m", "32M", "-e",
                            f"raw_syscalls:sys_enter/id=={seek}&&args[2]==0&&args[1]>={2**30}/",
                            command=["sh", "-c", f"{both} & wait", program], lost=True)
        self.assertGreater(len(result.reports), 3)
        times = [event["monotonic_ns"] for event in events(result)]
        self.assertEqual(len(times) + sum(r["lost"]["total"] for r in result.reports),
                         60000 * len({0, CPUS - 1}))
        self.assertEqual(times, sorted(times))

    def test_strace(self):
        """the files that a program opens are those that strace sees, by their names"""
        command = ["python3", "-B", "-S", "-c", "import json"]
        traced = run(["strace", "-e", "trace=openat", *command])
        self.assert_status(traced, 0)
        truth = re.findall(r'(?m)^openat\([^"]*"([^"]*)"', traced.err)
        # Of single system calls' tracepoints, what is lost is told; here nothing runs beside them.
        result = self.trace("--json", "-e", 'syscalls:sys_enter_openat/_comm=="python3"/',
                            command=command, lost=True)
        names = [event["fields"]["filename"] for event in events(result)]
        self.assertGreater(len(truth), 5)
        if result.report["lost"]["total"]:
            self.assertTrue(is_part_of(names, [name[:63] for name in truth]))
            self.assertLessEqual(len(truth) - len(names), result.report["lost"]["total"])
        else:
            # A name that the program has never touched before its call may not be in memory then.
            absent = "(not in memory)"
            self.assertEqual(len(names), len(truth), names)
            self.assertEqual([there[:63] if name == absent else name
                              for name, there in zip(names, truth)], [n[:63] for n in truth])
            self.assertLessEqual(names.count(absent), 3, names)

    def test_arguments(self):
        """arguments of a probe: those that the program passed, by number where no name is known"""
        result = self.trace("--json", "-e", 'uprobe:write@"libc.so.6"/arg2==7/', command=[
            "dd", "if=/dev/zero", "of=/dev/null", "bs=7", "count=100", "status=none"])
        self.assertEqual([(event["fields"]["arg0"], event["fields"]["arg2"])
                          for event in events(result)], [(1, 7)] * 100)

    def test_usdt(self):
        """arguments of USDT probes, in registers and in memory: what is thrown is what is caught"""
        probe = "usdt:libstdc++.so.6:libstdcxx"
        if "%" not in run([tool("list"), f"{probe}:catch"]).out:
            self.skipTest("the C++ library here has no probes")
        result = self.trace("--json", "-e", f"{probe}:throw//alias=throw/,{probe}:catch//alias=catch/",
                            command=[os.path.join(LOAD, "throws"), "200"])
        seen = [(event["event"], event["fields"]["arg0"], event["fields"]["arg1"])
                for event in events(result)]
        self.assertEqual([name for name, _, _ in seen], ["throw", "catch"] * 200)
        # The exception, and its type, which is the same each time.
        self.assertEqual(seen[0::2], [("throw", *rest) for _, *rest in seen[1::2]])
        self.assertEqual(len({kind for _, _, kind in seen}), 1)
        self.assertTrue(seen[0][2])

    def test_kernel_functions(self):
        """arguments of kernel functions, by their names; where the kernel has no such probes, status 4"""
        for kind in ("kprobe", "fentry"):
            result = run([TRACE, "--json", "-e", f"{kind}:vfs_write/count==7/", "--", "dd",
                          "if=/dev/zero", "of=/dev/null", "bs=7", "count=100", "status=none"])
            if result.status == 4:
                self.assert_one_line(result, "this kernel|permitted")
                continue
            self.assert_status(result, 0)
            self.assertEqual([event["fields"]["count"] for event in events(result)], [7] * 100)
            for event in events(result):
                self.assertEqual(sorted(event["fields"]), ["buf", "count", "file", "pos"])
                self.assertRegex(event["fields"]["file"], "^0x[0-9a-f]{16}$")

    def test_stacks(self):
        """-g and the attribute stack: the kernel's frames, then the program's, of these events only"""
        for args, event in ((["-g"], WRITE), ([], f"{WRITE}stack/"), ([], f"{WRITE}max-stack=20/")):
            with waiting([CALLS, "--wait", "2", "50"]) as (load, pid):
                result, _ = observe_load([TRACE, "-v", "--json", "-p", str(pid), *args, "-e",
                                          f"{event}alias=in/", "-e", f"{WRITE}alias=plain/"], load)
            self.assert_status(result, 0)
            seen = events(result)
            self.assertEqual(len(seen), 2 * total(2, 50))
            for one in seen:
                if one["event"] == "plain" and not args:
                    self.assertNotIn("stack", one)
                    continue
                names = [frame["name"] for frame in one["stack"]]
                kernel = [f["name"] for f in one["stack"] if f.get("module") == "[kernel]"]
                self.assertEqual(names[:len(kernel)], kernel)
                self.assertIn("syscall", names[len(kernel):], str(one))
                self.assertTrue([name for name in kernel if "syscall" in name], str(one))

    def test_stack_depth(self):
        """max-stack=N: so many frames of each part at most"""
        result = self.trace("--json", "-e", f"{WRITE}max-stack=2/", command=calls(1, 20))
        for event in events(result):
            kernel = [f for f in event["stack"] if f.get("module") == "[kernel]"]
            self.assertEqual(len(kernel), 2)

    def test_flame_graph(self):
        """--flame-graph: nothing is printed; each event counts in FILE.folded, and in the rows of JSON"""
        with tempfile.TemporaryDirectory() as folder:
            args = ["-e", WRITE, "-g", "--flame-graph", f"{folder}/f"]
            result = run([TRACE, *args, "-o", f"{folder}/out", "--", *calls(4, 1000)])
            self.assert_status(result, 0)
            self.assertEqual(os.path.getsize(f"{folder}/out"), 0)
            with open(f"{folder}/f.folded", encoding="ascii") as file:
                folded = [line.rsplit(" ", 1) for line in file]
            self.assertEqual(sum(int(count) for _, count in folded), total(4, 1000))
            for t in range(1, 5):
                self.assertEqual(sum(int(count) for stack, count in folded
                                     if stack.startswith(f"calls-{t};")), 1000 * t)
            self.assertTrue(os.path.getsize(f"{folder}/f.svg"))
            report = self.trace("--json", *args, command=calls(2, 100)).report
            self.assertEqual(sum(row["count"] for row in report["rows"]), total(2, 100))
            self.assertNotIn("events", report)


class AsTheKernelPrints(Case):
    """The same events in a trace buffer of the kernel's own, which it prints itself."""

    EVENTS = ("sched:sched_switch", "sched:sched_waking", "sched:sched_process_exec",
              "sched:sched_process_exit", "kmem:kmalloc", "kmem:kmem_cache_alloc", "kmem:kfree",
              "kmem:mm_page_alloc", "raw_syscalls:sys_enter", "raw_syscalls:sys_exit",
              "irq:softirq_entry", "irq:softirq_exit", "signal:signal_generate",
              "signal:signal_deliver", "task:task_newtask", "timer:hrtimer_start",
              "writeback:writeback_dirty_inode", "mmap:vm_unmapped_area",
              "timer:timer_start")

    def setUp(self):
        self.tracing = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, self.tracing)
        subprocess.run(["mount", "-t", "tracefs", "tracefs", self.tracing], check=True)
        self.addCleanup(subprocess.run, ["umount", self.tracing], check=True)
        self.buffer = f"{self.tracing}/instances/bpf-prof-{os.getpid()}"
        os.mkdir(self.buffer)
        self.addCleanup(os.rmdir, self.buffer)
        self.write("buffer_size_kb", "8192")
        self.write("trace_clock", "mono")  # the usual one is not the same on all CPUs

    def write(self, name, text):
        with open(f"{self.buffer}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def printed(self):
        """{(tid, event): what the kernel prints of each}. It has the names that threads had last."""
        seen = {}
        with open(f"{self.buffer}/trace", encoding="utf-8", errors="replace") as file:
            for line in file:
                match = re.match(r" *(.+)-(\d+) +\[\d+\] .{4,8} +[\d.]+: (\w+): ?(.*)$", line)
                if match:
                    seen.setdefault((match.group(2), match.group(3)), []).append(match.group(4))
        return seen

    @staticmethod
    def alike(text):
        """The kernel hides what pointers are, and says how long functions are, as we do not."""
        text = re.sub(r"\b(ptr|page|h?r?timer)=(?:0x)?[0-9a-f]+", r"\1=", text)
        text = re.sub(r"(\+0x[0-9a-f]+)/0x[0-9a-f]+", r"\1", text)
        return text.rstrip()

    def test_text(self):
        """each line tells what the kernel's own does: numbers, flags, symbols, strings, functions"""
        there = [e for e in self.EVENTS
                 if os.path.exists(f"{self.tracing}/events/{e.replace(':', '/')}")]
        self.assertGreater(len(there), 12)
        with tempfile.TemporaryDirectory() as folder:
            known = f"{folder}/known"  # a name that nobody else has
            os.symlink("/bin/dash", known)
            os.symlink(sys.executable, f"{known}-python")
            with Running([TRACE, "-v", "-e", ",".join(there), "--comm", "known*"]) as unit:
                unit.wait_for("observing")
                for event in there:
                    self.write(f"events/{event.replace(':', '/')}/enable", "1")
                run([known, "-c", f"sleep 0.01; kill -CONT $$; echo x > {folder}/f; ls /dev >/dev/null;"
                     "for i in 1 2 3 4 5 6 7 8 9; do (:); done"])
                # A connection has timers.
                run([f"{known}-python", "-S", "-c", "import socket\na = socket.socket()\n"
                     "a.bind(('127.0.0.1', 0)); a.listen()\n"
                     "b = socket.socket(); b.connect(a.getsockname()); b.send(b'x'); b.close()"])
                self.write("events/enable", "0")
                unit.signal(2)
                result = unit.result()
        self.assert_status(result, 0)
        truth, ours, kinds = self.printed(), {}, set()
        for _, _, tid, _, event, text in lines(result.out):
            ours.setdefault((tid, event.split(":")[1]), []).append(self.alike(text))
        for key, seen in ours.items():
            theirs = [self.alike(text) for text in truth.get(key, [])]
            # The kernel's own was switched on later, and off earlier.
            # Order is tested elsewhere, by one clock.
            more = collections.Counter(seen) - collections.Counter(theirs)
            self.assertFalse(more, f"{key}: {list(more.items())[:3]} {theirs[:3]}")
            kinds.add(key[1])
        self.assertGreaterEqual(len(kinds), 10, kinds)
        # As many as the kernel has, but for what was lost, which is told: of the shell, and children that
        # stayed one, not of those that became another program.
        lost = re.search(r"lost (\d+) events", result.err)
        programs = {key[0] for key in truth if key[1] == "sched_process_exec"}
        for key, theirs in truth.items():
            if key[0] in programs or key[0] not in {tid for tid, _ in ours}:
                continue
            missing = len(theirs) - len(ours.get(key, []))
            # Before 6.7 the kernel does not tell what it skips in an interrupt that comes on top.
            untold = 0 if release() >= (6, 7) else 5
            self.assertLessEqual(missing, (int(lost.group(1)) if lost else 0) + untold, key)
