"""The read-only layer under everything: the machine's /usr, and an /etc, a /var and a home that are generated, never the machine's own.

An ordinary user's sandbox sees the files of /usr as nobody's, so that it could not write into one folder of it. A skeleton, the
folders of /usr alone, owned by who runs the sandbox, lies above: then packages can be installed. It is made once a machine and
fingerprint (about a second and 60 MB for 15,000 folders), complete or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import NamedTuple

from workbench.sandbox.disk import generated
from workbench.sandbox.machine import Machine

_FORMAT = "2"
_HELD = ".held"
_GONE = ".gone-"
_UNUSED = 3600.0
"""Seconds since anybody asked for a base after which it may be cleared away, where nothing runs over it."""
_LOOKED_AT = (
    "/usr/lib/os-release",
    "/etc/os-release",
    "/var/lib/dpkg/status",
    "/var/lib/rpm",
    "/usr/lib/sysimage/rpm",
    "/var/lib/pacman/local",
    "/lib/apk/db/installed",
)


class Base(NamedTuple):
    """fingerprint: what it was made from. folder: where its parts (top, usr) are."""

    fingerprint: str
    folder: str

    def part(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def hold(self) -> int:
        """A descriptor by which who inherits it keeps this base from being cleared away."""
        fd = os.open(os.path.join(self.folder, _HELD), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(fd, fcntl.LOCK_SH)
        return fd


def fingerprint() -> str:
    """16 hex digits that change when packages of the machine do, or files at the top of its /usr: names, sizes, times (ms to take)."""
    seen = hashlib.sha256(_FORMAT.encode())
    for path in (*_LOOKED_AT, *_top("/usr", 3)):
        try:
            found = os.stat(path)
        except OSError:
            continue
        size = 0 if os.path.isdir(path) else found.st_size
        seen.update(f"{path}\0{size}\0{found.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()[:16]


def _top(path: str, depth: int) -> Iterator[str]:
    """A folder and those below it, to a depth, in order of their names."""
    yield path
    if depth > 1:
        try:
            with os.scandir(path) as entries:
                folders = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            return
        for folder in folders:
            yield from _top(folder, depth - 1)


def ensure(machine: Machine) -> Base:
    """The base of this machine as it is now, made where it is missing. Blocks while somebody else makes it."""
    now = fingerprint()
    bases = os.path.join(machine.folder, "base")
    base = Base(now, os.path.join(bases, now))
    if os.path.isdir(base.folder):
        os.utime(base.folder)
        return base
    machine.make_folder(bases)
    with open(os.path.join(bases, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(base.folder):
            making = base.folder + ".new"
            shutil.rmtree(making, ignore_errors=True)
            os.mkdir(making, 0o755)
            _skeleton("/usr", os.path.join(making, "usr"))
            generated.make(os.path.join(making, "top"))
            _open_up(making)
            if machine.owner is not None:
                _give(making, machine.owner)
            os.rename(making, base.folder)
            _clear_unused(bases, now)
    return base


def _clear_unused(bases: str, now: str) -> None:
    """Take away those of a machine that has changed since, which nothing runs over; layers know them by name only.

    Out of sight at once; the thousands of folders go in a process of their own, which nobody waits for.
    """
    gone: list[str] = []
    for name in os.listdir(bases):
        folder = os.path.join(bases, name)
        if name.startswith(_GONE):
            gone.append(folder)
        elif name not in (now, ".lock") and time.time() - os.stat(folder).st_mtime > _UNUSED:
            fd = Base(name, folder).hold()
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                gone.append(os.path.join(bases, _GONE + name))
                os.rename(folder, gone[-1])
            os.close(fd)
    if gone:
        subprocess.run(
            ["/bin/sh", "-c", 'rm -rf -- "$@" &', "sh", *gone], stdin=subprocess.DEVNULL, check=False
        )


def _skeleton(source: str, target: str) -> None:
    """The folders of a tree, with their permissions, without what is in them."""
    pending = [(source, target)]
    while pending:
        path, made = pending.pop()
        os.mkdir(made, 0o755)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, os.path.join(made, entry.name)))
        except OSError:
            continue


def _open_up(path: str) -> None:
    """Folders as a system has them, where the umask of who makes them is stricter than a system's."""
    with open("/proc/self/status") as file:
        umask = next((int(line.split()[1], 8) for line in file if line.startswith("Umask:")), 0o022)
    if umask & 0o055:
        for folder, _, _ in os.walk(path):
            if os.lstat(folder).st_mode & 0o777 == 0o777 & ~umask and folder != os.path.join(
                path, "top", "root"
            ):
                os.chmod(folder, 0o755)


def _give(path: str, owner: int) -> None:
    """Everything in a folder of our own making to this id."""
    for folder, _, files in os.walk(path):
        os.chown(folder, owner, owner)
        for name in files:
            os.chown(os.path.join(folder, name), owner, owner, follow_symlinks=False)
    for folder, folders, _ in os.walk(path):
        for name in folders:
            link = os.path.join(folder, name)
            if os.path.islink(link):
                os.chown(link, owner, owner, follow_symlinks=False)
