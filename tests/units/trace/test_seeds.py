# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the systems that this suite takes over from, as trace."""

import os
import re
import socket
import subprocess
import tempfile

from harness import Case, Running, cgroup2_root, release, run, tool

TRACE = tool("trace")
BURN = ["python3", "-S", "-c", "for _ in range(3000000): pass"]


def trace(*args, **options):
    return run([TRACE, *args], **options)


class Seeds(Case):
    def test_fields(self):
        """003: trace -e 'sched:sched_stat_runtime help': its fields"""
        result = trace("-e", "sched:sched_stat_runtime help")
        self.assert_status(result, 0)
        self.assertRegex(result.out, r"(?m)^    u64 runtime$")

    def test_filter(self):
        """003: 'sched:sched_stat_runtime/runtime>1000000/': runtimes above that, and only these"""
        result = trace("-e", "sched:sched_stat_runtime/runtime>1000000/", "--", *BURN)
        self.assert_status(result, 0)
        runtimes = [int(n) for n in re.findall(r"runtime=(\d+) \[ns\]", result.out)]
        self.assertGreater(len(runtimes), 3, str(result))
        self.assertGreater(min(runtimes), 1000000)

    def test_cpus(self):
        """003: trace -e sched:sched_stat_runtime -C 0-1: events of these CPUs"""
        result = trace("-e", "sched:sched_stat_runtime", "-C", "0", "-N", "20")
        self.assert_status(result, 0)
        self.assertEqual(set(re.findall(r" \[(\d{3})\] ", result.out)), {"000"})

    def test_targets(self):
        """003: trace -e sched:sched_stat_runtime -p PID,PID and -t TID,TID: of these only"""
        with Running(["python3", "-c", "while True: pass"]) as a, \
             Running(["python3", "-c", "while True: pass"]) as b:
            ids = {str(a.process.pid), str(b.process.pid)}
            for option in ("-p", "-t"):
                result = trace("-e", "sched:sched_stat_runtime", option, ",".join(ids),
                               "--duration", "500ms")
                self.assert_status(result, 0)
                seen = set(re.findall(r"(\d+) \[\d{3}\] sched", result.out))
                self.assertTrue(seen)
                self.assertLessEqual(seen, ids)

    def test_cgroups(self):
        """003: trace -e sched:sched_stat_runtime --cgroups 'prof': of what is in there only"""
        root = cgroup2_root()
        if not root:
            self.skipTest("there are no cgroups v2 here")
        name = f"prof{os.getpid()}"
        folder = f"{root}/{name}"
        os.mkdir(folder)
        try:
            with Running(["python3", "-c", "while True: pass"]) as burner:
                pid = str(burner.process.pid)
                with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write(pid)
                result = trace("-e", "sched:sched_stat_runtime", "--cgroups", name, "--duration",
                               "500ms")
                self.assert_status(result, 0)
                self.assertEqual(set(re.findall(r"(\d+) \[\d{3}\] sched", result.out)), {pid})
        finally:
            os.rmdir(folder)

    def drop(self):
        """A datagram that nobody wants is dropped."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(200):
                try:
                    sender.sendto(b"x", ("127.0.0.1", 9))
                except ConnectionRefusedError:
                    pass

    def test_drops(self):
        """003: trace -e skb:kfree_skb -g --flame-graph kfree_skb -m 128, also with -i 600000: packet drops"""
        for interval in ((), ("-i", "600000")):
            with self.subTest(interval):
                self.drops(*interval)

    def drops(self, *interval):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=False, capture_output=True)
            with Running([TRACE, "-v", "-e", "skb:kfree_skb", "-g", "--flame-graph", "kfree_skb",
                          *interval, "-m", "128"], cwd=folder) as unit:
                unit.wait_for("observing")
                self.drop()
                unit.signal(2)
                result = unit.result()
            self.assert_status(result, 0)
            self.assertEqual(result.out, "")
            with open(f"{folder}/kfree_skb.folded", encoding="ascii") as file:
                stacks = [line.rsplit(" ", 1) for line in file]
            # No program answers: the kernel drops each of them in its UDP.
            self.assertGreaterEqual(sum(int(count) for stack, count in stacks if "udp" in stack),
                                    200)
            self.assertTrue(os.path.getsize(f"{folder}/kfree_skb.svg"))

    def test_short_reads(self):
        """004: 'syscalls:sys_enter_read' with 'count < 10': such reads, and no longer ones"""
        result = trace("--json", "-e", 'syscalls:sys_enter_read/count < 10&&_comm=="dd"/', "--",
                       "dd", "if=/dev/zero", "of=/dev/null", "bs=7", "count=100", "status=none")
        self.assert_status(result, 0)
        sizes = [event["fields"]["count"] for event in result.report["events"]]
        self.assertEqual(set(sizes), {7})
        self.assertEqual(len(sizes) + result.report["lost"]["total"], 100)

    def test_connect(self):
        """004: syscalls:sys_enter_connect with stacks: who connects, from where"""
        program = ("import socket\ns = socket.socket(socket.AF_UNIX)\n"
                   "try: s.connect('/no/such/socket')\nexcept OSError: pass")
        result = trace("--json", "-g", "-e", "syscalls:sys_enter_connect", "--", "python3", "-c",
                       program)
        self.assert_status(result, 0)
        seen = [event for event in result.report["events"] if event["comm"] == "python3"]
        self.assertEqual(len(seen), 1)
        modules = [frame.get("module") for frame in seen[0]["stack"]]
        if release() >= (6, 13):  # earlier ones know the program's registers only, at these tracepoints
            self.assertIn("[kernel]", modules)
        self.assertTrue([m for m in modules if m and m.startswith("/")], str(seen))

    def test_exec(self):
        """004: sched:sched_process_exec, and 'sched:sched_process_*': programs that begin"""
        result = trace("--json", "-e", "sched:sched_process_exec", "--", "sh", "-c",
                       "env true; true")
        self.assert_status(result, 0)
        names = [os.path.basename(e["fields"]["filename"]) for e in result.report["events"]]
        self.assertEqual(names, ["sh", "env", "true"])
        result = trace("--json", "-e", "sched:sched_process_*", "--", "sh", "-c", "env true; true")
        kinds = {event["event"] for event in result.report["events"]}
        self.assertLessEqual({"sched:sched_process_exec", "sched:sched_process_exit",
                              "sched:sched_process_fork"}, kinds)

    def test_block(self):
        """004: block:block_rq_complete with 'nr_sector > 200', and 'rwbs ~ "*W*"': large, writes"""
        for event in ("block:block_rq_complete/nr_sector>200/",
                      'block:block_rq_complete/rwbs~"*W*"/'):
            result = trace("--json", "-e", event, "--duration", "200ms")
            self.assert_status(result, 0)
            for one in result.report["events"]:
                if "rwbs" in event:
                    self.assertIn("W", one["fields"]["rwbs"])
                else:
                    self.assertGreater(one["fields"]["nr_sector"], 200)

    def test_context_switches(self):
        """004: context-switches with stacks: where threads gave up their CPU"""
        result = trace("--json", "-g", "-e", "context-switches", "--", "sleep", "0.1")
        self.assert_status(result, 0)
        names = [frame["name"] for event in result.report["events"] if event["comm"] == "sleep"
                 for frame in event["stack"]]
        self.assertTrue([name for name in names if name and "nanosleep" in name], str(result))

    def test_kernel_function(self):
        """004: probe:tcp_sendmsg with 'bytes > 100', as kprobe: its arguments by name"""
        result = trace("-e", "kprobe:tcp_sendmsg/size>100/", "--duration", "100ms")
        if result.status == 4:
            self.assert_one_line(result, "this kernel|permitted")
        else:
            self.assert_status(result, 0)
