# SPDX-License-Identifier: GPL-2.0-only
"""What perfsys's tests share: CPUs with much system time, real or told, and its pictures, read."""

import contextlib
import datetime
import glob
import os
import re
import tempfile
import time
import xml.etree.ElementTree as xml

from harness import CPUS, LOAD, PATIENCE, Case, Running, run, tool

# Where it is, before what else the machine does.
FIRST = ["nice", "-n", "-20"]
PERFSYS = [*FIRST, tool("perfsys")]

# The CPU that loads are put on; the others are left to whoever else there is.
CPU = CPUS - 1

# A load that takes all of a CPU's time is above this, even if it has to share; what takes none of
# it in the kernel is below the other, even if what it shares with does.
GATE = ["-g", "25"]
HIGH_GATE = ["-g", "90"]

# Catches that follow each other as closely as it allows, with samples enough for a picture.
QUICK = [*GATE, "-i", "10ms", "-s", "20ms", "-f", "1000"]

# How functions are called that a load of random numbers is in, on any kernel.
RANDOM = r"getrandom|urandom|chacha|crng|extract_entropy|random_bytes"

SVG = "{http://www.w3.org/2000/svg}"
NAME = r"\d{8}_\d{6}(_\d+)?\.svg"


def perfsys(*args, **options):
    return run([*PERFSYS, *args], **options)


def busy(cpu=CPU, what="kernel"):
    """Something that takes all of a CPU's time: in the kernel, or with `burn` outside of it."""
    return Running([*FIRST, "taskset", "-c", str(cpu), os.path.join(LOAD, "cpu"), what, "1000"])


@contextlib.contextmanager
def folder():
    """A folder for pictures, and the options that have them go there."""
    with tempfile.TemporaryDirectory() as path:
        yield path, ["--directory", path]


class Stat:
    """A /proc/stat that says what a test wants."""

    FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest",
              "guest_nice")

    def __init__(self, file, cpus):
        self.file = file
        self.ticks = {cpu: dict.fromkeys(self.FIELDS, 1000) for cpu in range(cpus)}
        self.gone = set()
        self.write()

    def write(self):
        # Always as long, and in one piece: whoever reads meanwhile sees one or the other.
        lines = [f"cpu {' '.join(f'{t:12}' for t in [0] * len(self.FIELDS))}\n"]
        for cpu, ticks in self.ticks.items():
            name = f"cpu{cpu}" if cpu not in self.gone else "gone"
            lines.append(f"{name:8} {' '.join(f'{ticks[f]:12}' for f in self.FIELDS)}\n")
        lines.sort(key=lambda line: line.startswith("gone"))
        os.pwrite(self.file.fileno(), "".join(lines).encode(), 0)

    def add(self, cpu, **ticks):
        for field, count in ticks.items():
            self.ticks[cpu][field] += count

    @property
    def argv(self):
        """What a command line begins with that is to see this."""
        return ["unshare", "-m", "sh", "-c", f"mount --bind {self.file.name} /proc/stat && "
                "exec \"$@\"", "-"]


@contextlib.contextmanager
def stat(cpus=CPUS):
    with tempfile.NamedTemporaryFile() as file:
        yield Stat(file, cpus)


class Picture:
    """A flame graph, read back from its SVG."""

    def __init__(self, path):
        self.root = xml.parse(path).getroot()
        self.title = self.root.find(f"{SVG}title").text
        self.texts = [text.text for text in self.root.iter(f"{SVG}text")]
        frames = next(g for g in self.root.iter(f"{SVG}g") if g.get("class") == "frames")
        # Rows from the root up: (name, where it begins, where it ends).
        self.rows = [[self.frame(g) for g in row] for row in frames]
        self.samples = self.rows[0][0][2]

    @staticmethod
    def frame(g):
        start, weight = map(int, g.get("data-r").split()[:2])
        name = g.find(f"{SVG}title").text.splitlines()[0]
        return name.removesuffix("_[k]"), start, start + weight

    @property
    def own(self):
        """Samples by the function that they met itself."""
        own = {}
        for row, callees in zip(self.rows, [*self.rows[1:], []]):
            for name, start, end in row:
                called = sum(e - s for _, s, e in callees if start <= s and e <= end)
                own[name] = own.get(name, 0) + end - start - called
        return own

    def samples_under(self, pattern):
        """The samples (as numbers) below a function, or of a thread, whose name has the pattern."""
        found = set()
        for row in self.rows:
            for name, start, end in row:
                if re.search(pattern, name):
                    found.update(range(start, end))
        return found

    def share_under(self, pattern, within):
        """The share of samples below a function among those of a thread."""
        thread = self.samples_under(f"^{within}$")
        return len(thread & self.samples_under(pattern)) / max(1, len(thread))


def moment(text):
    """The time that a report has, in seconds since the epoch."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def kernel_functions():
    """The names of the kernel's functions; BPF programs' ones as in their source."""
    with open("/proc/kallsyms", encoding="ascii") as file:
        names = {line.split()[2] for line in file if line.split()[1] in "tTwW"}
    return {re.sub("^bpf_prog_[0-9a-f]{16}_", "", name) for name in names}


class CatchingCase(Case):
    def wait_until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain: {what}")
            time.sleep(0.02)

    def assert_nothing_left(self, path):
        """All files are pictures, of which none is half written."""
        for name in os.listdir(path):
            self.assertRegex(name, f"^{NAME}$")
            Picture(os.path.join(path, name))

    def rows(self, result):
        rows = [row for report in result.reports for row in report["rows"]]
        self.assertEqual(len(rows), len(result.reports), str(result))
        return rows

    def files(self, path):
        return sorted(glob.glob(f"{path}/*"))
