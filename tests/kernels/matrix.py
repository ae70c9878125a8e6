# SPDX-License-Identifier: GPL-2.0-only
"""The units' tests on other kernels: each in a VM, as on the host, with the same binaries.

What a guest found is believed only if the guest says at its very end that it got there, if it ran
each test that there is, and if its kernel had nothing to complain of. Anything else is a failure.
"""

import concurrent.futures
import json
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TIMEOUT = 3000  # of a guest, seconds; on a quiet machine it takes a third of that
UNAVAILABLE = 77


def without_behaviour():
    """
    The kernels on which only figures are tested: all between the oldest and the newest. How options,
    files, signals and terminals are dealt with is tested at both ends. Kernels that are asked for by
    name have all tests.
    """
    return set() if os.environ.get("KERNELS") else set(kernels()[1:-1])


def kernels():
    wanted = os.environ.get("KERNELS")
    if wanted:
        return wanted.split()
    listed = subprocess.run([f"{HERE}/list"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Guest:
    """A run of all tests on a kernel."""

    def __init__(self, name, out):
        self.name, self.out = name, out
        self.status, self.errors = None, ""

    def run(self, build, extra):
        if self.name in without_behaviour():
            extra = [*extra, "--figures"]
        # What is read most is in the guest's memory from the start.
        preload = []
        units = sorted(unit for unit in os.listdir(TOP + "/tools")
                       if os.path.exists(f"{build}/{unit}"))
        for path in [f"{build}/{u}" for u in units] + [build + "/load", TOP + "/tests/units"]:
            preload += ["--preload", path]
        argv = [f"{HERE}/run", self.name, "--timeout", str(TIMEOUT), "--out", self.out,
                "--env", f"BPF_PROF_BUILD={build}", *preload, "--", f"{HERE}/guest", self.out,
                *extra]
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", cwd=TOP,
                              stdin=subprocess.DEVNULL, check=False)
        self.status, self.errors = done.returncode, done.stderr
        return self

    def trouble(self, expected):
        """Why the guest's results are not to be believed, or None. @expected: ids of tests."""
        complete = os.path.join(self.out, "complete")
        if self.status:
            return f"the guest's status is {self.status}: {self.errors.strip()[-2000:]}"
        if not os.path.exists(complete):
            return "the guest did not get to its end"
        results = read_lines(f"{self.out}/units.jsonl")
        missing = set(expected) - {r["id"].split(" ")[0] for r in results}
        if missing:
            return f"not run: {', '.join(sorted(missing))}"
        with open(complete, encoding="ascii") as file:
            units, verified = map(int, file.read().split())
        if bool(units) != any(r["how"] == "FAIL" for r in results):
            return f"the tests' status is {units}, which their results do not show"
        if bool(verified) != any(r["why"] for r in read_lines(f"{self.out}/verified.jsonl")):
            return f"the verifier's check has status {verified}"
        return None

    def smoke(self):
        """(name, status, last line) of what only guests offer."""
        path = f"{self.out}/smoke"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            words = [line.rstrip("\n").split(" ", 2) for line in file]
        return [(w[1], int(w[0]), w[2] if len(w) > 2 else "") for w in words]


def run(build, expected, extra=(), names=None):
    """
    Runs all kernels, yields each with why it cannot be believed (None if it can) as it ends.
    @expected(name) gives the ids of a guest's tests. Guests are emulated by a thread each, so there
    are as many at once as CPUs.
    """
    with tempfile.TemporaryDirectory(prefix="bpf-prof-matrix.") as folder:
        # Who takes longest begins.
        order = names or sorted(kernels(), key=lambda name: name in without_behaviour())
        guests = [Guest(name, os.path.join(folder, name)) for name in order]
        for guest in guests:
            os.mkdir(guest.out)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = [pool.submit(guest.run, build, extra) for guest in guests]
            for done in concurrent.futures.as_completed(waiting):
                guest = done.result()
                yield guest, guest.trouble(expected(guest.name))
