# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of units share: running a unit and its loads, and reading what they say."""

import contextlib
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BPF_PROF_BUILD", os.path.join(TOP, "build")))
LOAD = os.path.join(BUILD, "load")
GUEST = os.environ.get("BPF_PROF_GUEST")  # the kernel's name, inside of a VM of the matrix

# Software emulation is slow; no test may hang for ever.
PATIENCE = 120 if GUEST else 40

CPUS = os.cpu_count()


def release():
    """The kernel's, as in (6, 12)."""
    return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


def tool(name):
    return os.path.join(BUILD, name)


def sched(*args):
    """The command line of the scheduling load, with priority over what else the machine does."""
    return ["nice", "-n", "-20", os.path.join(LOAD, "sched"), *args]


def cpu(*args, program="cpu"):
    """The command line of a load whose CPU time has known shares."""
    return [os.path.join(LOAD, program), *args]


def preferred(argv):
    """The command line with priority over what else the machine does."""
    return ["nice", "-n", "-20", *argv]


class Result:
    """What a run of a program came to."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def __str__(self):
        return (f"\n  $ {' '.join(self.argv)}\n  status {self.status}\n"
                f"  stdout: {self.out[-3000:]}\n  stderr: {self.err[-3000:]}")

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def reports(self):
        return [o for o in self.objects if "rows" in o]

    @property
    def report(self):
        assert len(self.reports) == 1, f"not one report but {len(self.reports)}: {self}"
        return self.reports[0]

    @property
    def said(self):
        """What a load said of itself at its end."""
        return next(o for o in self.objects if "user_ns" in o)

    @property
    def threads(self):
        """What the threads of a load said of themselves, by their ids."""
        return {o["tid"]: o for o in self.objects if "turns" in o}


def run(argv, env=None, **options):
    environment = dict(os.environ, **(env or {}))
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(argv, capture_output=True, timeout=PATIENCE, env=environment, **options)
    return Result(argv, done.returncode, done.stdout.decode(errors="replace"),
                  done.stderr.decode(errors="replace"))


# The capabilities that are enough for most units: ulimit -l accounts for BPF's memory until 5.11.
ENOUGH_CAPS = "+bpf,+perfmon" + (",+sys_resource" if release() < (5, 11) else "")


def run_as_nobody(argv, caps=None):
    """As run(), by a user whose only privileges are @caps, wherever the program's file is."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(argv[0], folder)
        os.chmod(copy, 0o755)
        given = ["--inh-caps", caps, "--ambient-caps", caps] if caps else []
        return run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *given,
                    copy, *argv[1:]])


class Running:
    """A program that goes on while a test does something; killed at the end if need be."""

    def __init__(self, argv, env=None, **options):
        self.argv = argv
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", self.out)
        options.setdefault("stderr", self.err)
        # Signals that are ignored here (by nohup, or as a job in the background) would be there.
        options.setdefault("preexec_fn", self.heed_signals)
        self.process = subprocess.Popen(argv, env=dict(os.environ, **(env or {})), **options)

    @staticmethod
    def heed_signals():
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    def said(self, stream):
        size = os.fstat(stream.fileno()).st_size
        return os.pread(stream.fileno(), size, 0).decode(errors="replace")

    def wait_for(self, pattern, stream=None):
        """Waits until the program has said what matches, on stderr unless told otherwise."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(pattern, self.said(stream or self.err))
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        found = re.search(pattern, self.said(stream or self.err))
        assert found, f"never said {pattern!r}: {self.result()}"
        return found

    def signal(self, number):
        self.process.send_signal(number)

    def result(self):
        if self.process.poll() is None:
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return Result(self.argv, self.process.returncode, self.said(self.out),
                      self.said(self.err))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.err.close()


@contextlib.contextmanager
def waiting(argv):
    """A load that was told to wait for its cue: yields it with its pid; go(load) is the cue."""
    with Running(argv, stdin=subprocess.PIPE) as load:
        pid = int(load.wait_for(r"ready (\d+)", load.out).group(1))
        yield load, pid


def waiting_load(*args):
    """The scheduling load, waiting for its cue."""
    return waiting(sched("--wait", *args))


def go(load):
    load.process.stdin.write(b"\n")
    load.process.stdin.flush()


def heat_cells(path):
    """The cells of FILE.lat of --heatmap, each a list of its numbers."""
    with open(path, encoding="utf-8") as file:
        return [list(map(int, line.split())) for line in file if not line.startswith("#")]


def observe_load(argv, *loads, env=None, at_end=lambda: None):
    """
    Runs a unit (with -v in its argv) around waiting loads: from before they begin until they have
    taken their accounts, and what at_end() does. Returns the unit's result, then the loads' ones.
    """
    with Running(argv, env=env) as unit:
        unit.wait_for(r"(?m)^[\w-]+: observing$")
        for load in loads:
            go(load)
        for load in loads:
            load.wait_for("done", load.out)
        at_end()
        if unit.process.poll() is None:
            unit.signal(signal.SIGINT)
        seen = unit.result()
    for load in loads:
        go(load)
    return [seen] + [load.result() for load in loads]


def observe_together(argvs, *loads):
    """As observe_load(), with several observers of the same. Returns what two lists hold."""
    with contextlib.ExitStack() as stack:
        units = [stack.enter_context(Running(argv)) for argv in argvs]
        for unit in units:
            unit.wait_for(r"(?m)^[\w-]+: observing$")
        for load in loads:
            go(load)
        for load in loads:
            load.wait_for("done", load.out)
        for unit in units:
            unit.signal(signal.SIGINT)
        seen = [unit.result() for unit in units]
    for load in loads:
        go(load)
    return seen, [load.result() for load in loads]


def named(stack):
    """The names of a stack's frames, the leaf's first."""
    return [frame["name"] for frame in stack]


def in_kernel(frame):
    return (frame.get("module") or "").startswith("[") and frame["module"] != "[vdso]"


def count_of(report, wanted=lambda row: True, **fields):
    """What the rows count that have these fields and are wanted."""
    return sum(row["count"] for row in report["rows"]
               if all(row[name] == value for name, value in fields.items()) and wanted(row))


def loaded_programs():
    """The ids of all BPF programs in the kernel."""
    listed = run(["bpftool", "-j", "prog"], env={"PATH": "/usr/sbin:" + os.environ["PATH"]})
    return {p["id"] for p in json.loads(listed.out)}


def held_programs():
    """The ids of the BPF programs that processes have open: others run units too."""
    held = set()
    for path in glob.glob("/proc/[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            held.update(int(line.split()[1]) for line in file if line.startswith("prog_id:"))
    return held


def on_terminal(argv, lines=20, columns=100, env=None):
    """What a terminal gets to see of a program that succeeds, with its control sequences."""
    pid, terminal = pty.fork()
    if not pid:
        time.sleep(0.1)  # until it has its size
        os.execve(argv[0], argv, dict(os.environ, TERM="xterm", **(env or {})))
    subprocess.run(["stty", "rows", str(lines), "cols", str(columns)], stdin=terminal, check=True)
    seen = b""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # nobody has the other end any more
            break
        if not data:
            break
        seen += data
    os.close(terminal)
    status = os.waitpid(pid, 0)[1]
    assert not status, f"{argv}: status {status}: {seen}"
    return seen.decode(errors="replace").replace("\r\n", "\n")


def screens(seen):
    """What a terminal showed, one after the other, each in place of the one before."""
    return seen.split("\033[H\033[2J")[1:]


@contextlib.contextmanager
def full_pipe():
    """The end to write to of a pipe that nobody reads and that is full."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


def resident(pid):
    """A process's memory, in kB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def most_resident(pid):
    """The most of more than a second: each second, units give back what they can."""
    most, end = 0, time.monotonic() + 1.2
    while time.monotonic() < end:
        most = max(most, resident(pid))
        time.sleep(0.02)
    return most


def cgroup2_root():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    return None


def at_one_time(test):
    """For a test of what several CPUs or threads do at one time, as an emulated machine's do not."""
    return unittest.skipIf(GUEST, "emulated CPUs take turns of up to 100 ms: nothing runs at one "
                                  "time there")(test)


TRACING = "/sys/kernel/tracing"


def have_tracefs(case):
    """Mounts tracefs for a test, unless it is."""
    if not os.path.exists(f"{TRACING}/available_events"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], check=True)
        case.addCleanup(subprocess.run, ["umount", TRACING], check=True)


class Case(unittest.TestCase):
    """A test case whose failures show what was run."""

    maxDiff = None

    def assert_status(self, result, status):
        self.assertEqual(result.status, status, str(result))

    def assert_one_line(self, result, *patterns):
        """stderr is one line, of the unit, in which each pattern is found."""
        lines = result.err.splitlines()
        self.assertEqual(len(lines), 1, f"stderr should be one line: {result}")
        for pattern in patterns:
            self.assertRegex(lines[0], pattern, str(result))

    def assert_close(self, value, truth, percent, what, slack=0):
        """Within so many percent; slack is for what cannot be told apart, such as one event."""
        allowed = truth * percent / 100 + slack
        self.assertLessEqual(abs(value - truth), allowed,
                             f"{what}: {value} is not within {percent} % of {truth}")


class UnloadingCase(Case):
    """
    A test case after which, whatever happened, no program of the unit is in the kernel: one whose
    name OWN matches. Others may load programs meanwhile, also units, and these somebody holds.
    """

    OWN = re.compile("")

    def setUp(self):
        self.programs = loaded_programs()

    def tearDown(self):
        for _ in range(100):
            left = loaded_programs() - self.programs
            if not left:
                return
            time.sleep(0.05)  # the kernel frees them when nobody can run them any more
        listed = json.loads(run(["/usr/sbin/bpftool", "-j", "prog"]).out)
        ours = {p["id"] for p in listed if self.OWN.match(p.get("name", ""))}
        self.assertFalse((left & ours) - held_programs(), "programs were left in the kernel")
