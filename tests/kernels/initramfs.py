# SPDX-License-Identifier: GPL-2.0-only
"""The guest's initramfs: what boots it, and the host's files that it should not wait for.

Any file of the host's can be read in the guest through 9p. But every path lookup, open and
read there is a request that wakes four of QEMU's threads in turn: starting python3 takes 500 of
them, which is 2 s, and 8 s when the host is busy (with Linux 5.10, which reads page by page,
3000 and 14 s). So what almost every run reads is put into the guest's memory, as the upper of
two read-only layers, where python3 starts in a fifth of the time; unpacking it takes half a
second. What is missing here is found through 9p, so the lists below need not be complete.
"""

import os
import re
import shutil
import stat
import subprocess

GUEST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What the guest needs to reach the host's files. Some kernels have some of it built in.
BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"]

FILES = """
    /bin /sbin /lib /lib64 /lib64/ld-linux-x86-64.so.2 /etc/ld.so.cache /etc/passwd
    /etc/nsswitch.conf /etc/localtime /usr/share/locale/locale.alias
    /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
""".split()

FOLDERS = ["/usr/lib/locale/C.utf8"]

PROGRAMS = """
    sh bash env cat cp mv rm ln ls mkdir mktemp chmod touch stat readlink date sleep timeout dd head
    tail sort tr wc cut seq tee true taskset nice chrt grep sed awk ps mount umount python3
""".split()

# Folders and files of Python's library that no test imports; they are two thirds of it.
PYTHON_UNUSED = re.compile(
    r"^(config-.*|test|lib2to3|idlelib|tkinter|ensurepip|turtledemo|pydoc_data|distutils|xml|"
    r"xmlrpc|wsgiref|site-packages|dist-packages|(_tkinter|_gdbm|_dbm|nis|_sqlite3)\..*\.so)$")

LIBRARY = re.compile(rb"\0(lib[\w+.-]+\.so[.\d]*)(?=\0)")


class Archive:
    """A cpio archive (newc format), from which the kernel unpacks its first root."""

    def __init__(self):
        self.data = bytearray()
        self.names = set()

    def add(self, name, mode, data=b"", state=None):
        """Add an entry; `state` is the os.stat_result to take owner and time from."""
        encoded = os.fsencode(name) + b"\0"
        uid, gid, mtime = (state.st_uid, state.st_gid, int(state.st_mtime)) if state else (0, 0, 0)
        self.names.add(name)
        fields = (len(self.names), mode, uid, gid, 1, mtime, len(data), 0, 0, 0, 0, len(encoded), 0)
        for part in (b"070701" + b"".join(b"%08x" % field for field in fields) + encoded, data):
            self.data += part
            self.data += bytes(-len(self.data) % 4)

    def add_host(self, path):
        """Add a file, folder or link of the host's below hot/, and what leads there.

        Owner, mode and time are kept: a folder's count for the layer below too, and Python
        compares the time of a source with the one noted in its compiled form.
        """
        folder, base = os.path.split(path)
        folder = os.path.realpath(folder)
        path = os.path.join(folder, base)
        name = "hot" + path.rstrip("/")
        if name in self.names:
            return
        if folder != path:
            self.add_host(folder)
        state = os.lstat(path)
        if stat.S_ISDIR(state.st_mode):
            self.add(name, state.st_mode, b"", state)
        elif stat.S_ISREG(state.st_mode):
            self.add(name, state.st_mode, contents(path), state)
        elif stat.S_ISLNK(state.st_mode):
            target = os.readlink(path)
            self.add(name, state.st_mode, os.fsencode(target), state)
            if os.path.exists(path):
                self.add_host(os.path.join(folder, target))


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def files_below(path):
    """The files below a folder that a test may read; a file is itself."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name != ".git"]
        found += [os.path.join(folder, name) for name in files]
    return found


def python_files():
    """The standard library of the python3 that the guest will find, which may not be ours."""
    python = shutil.which("python3", path=GUEST_PATH)
    if not python:
        return []
    library = subprocess.run(
        [python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'), end='')"],
        stdout=subprocess.PIPE, check=True).stdout
    found = []
    for folder, folders, files in os.walk(os.fsdecode(library)):
        folders[:] = [name for name in folders if not PYTHON_UNUSED.match(name)]
        found += [os.path.join(folder, name) for name in files if not PYTHON_UNUSED.match(name)]
    return found


def known_libraries():
    """What the dynamic linker's cache knows: name to path."""
    ldconfig = shutil.which("ldconfig", path=GUEST_PATH)
    if not ldconfig:
        return {}
    listing = subprocess.run([ldconfig, "-p"], stdout=subprocess.PIPE).stdout
    return {name: os.fsdecode(path) for name, path in
            re.findall(rb"^\t(\S+) \(.*x86-64.*\) => (\S+)$", listing, re.M)}


def hot_files(extra):
    """The host's files to put into the guest's memory."""
    programs = [shutil.which(name, path=GUEST_PATH) for name in PROGRAMS]
    found = FILES + [path for path in programs if path] + python_files()
    for path in FOLDERS + extra:
        found += files_below(path)
    found = {path: None for path in found if os.path.exists(path)}

    # The names of the libraries that a program needs are in it as plain strings. One that
    # is there for another reason costs a little memory.
    known = known_libraries()
    pending = [path for path in found
               if os.path.isfile(path) and not path.endswith((".py", ".pyc"))]
    while pending:
        for name in LIBRARY.findall(contents(pending.pop())):
            library = known.get(name)
            if library and library not in found:
                found[library] = None
                pending.append(library)
    return found


def load_order(modules):
    """The files of BOOT_MODULES below `modules`, each after those that it needs."""
    needs = {}
    for line in contents(os.path.join(modules, "modules.dep")).decode().splitlines():
        module, _, others = line.partition(":")
        needs[module] = others.split()
    order = []

    def add(module):
        for other in needs[module]:
            add(other)
        if module not in order:
            order.append(module)

    for name in BOOT_MODULES:
        if name + ".ko" in needs:
            add(name + ".ko")
    return order


def build(init, busybox, modules, extra):
    """The archive's bytes. It is made for each run, which is quick, so it is never stale."""
    archive = Archive()
    order = load_order(modules)
    archive.add("bin", 0o040755)
    archive.add("bin/busybox", 0o100755, contents(busybox))
    archive.add("init", 0o100755, contents(init))
    archive.add("modules", 0o040755)
    archive.add("modules/order", 0o100644, "".join(f"{m}\n" for m in order).encode())
    for module in order:
        archive.add("modules/" + module, 0o100644, contents(os.path.join(modules, module)))
    for path in hot_files(extra):
        archive.add_host(path)
    archive.add("TRAILER!!!", 0)
    return archive.data
