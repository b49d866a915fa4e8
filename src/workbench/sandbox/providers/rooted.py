"""What root does before it becomes nobody: folders of the machine that were asked for, brought where nobody may walk.

In a mount namespace of its own, so that nothing of it is seen on the machine or left behind. Each source is mapped: what belongs to its
owner is the sandbox's own inside, and what the sandbox makes there belongs to that owner outside. Where the file system can't map
ids, it is as it is, and mostly read-only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from workbench.sandbox.machine import Machine

# Standard library only, as a program of its own: it changes namespaces and identity, which no thread of ours survives.
_PROGRAM = r"""
import ctypes, json, os, stat, sys
given = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)

def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def mount(source, target, kind, flags, options=None):
    encoded = [each and os.fsencode(each) for each in (source, target, kind)]
    check(libc.mount(*encoded, ctypes.c_ulong(flags), options and os.fsencode(options)))

def users(uid, gid, owner):
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        check(libc.unshare(0x10000000))
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    for name, inside in (("uid_map", uid), ("gid_map", gid)):
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write(f"{inside} {owner} 1")
    space = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    for fd in (*ready, *go):
        os.close(fd)
    return space

def straight(path):
    now = os.open("/", os.O_PATH)
    for part in path.split("/")[1:]:
        below = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=now)
        if stat.S_ISLNK(os.fstat(below).st_mode):
            raise OSError(40, "a link is on the way", path)
        os.close(now)
        now = below
    return now

def mapped(source, target, owner):
    found = os.fstat(source)
    space = users(found.st_uid, found.st_gid, owner)
    tree = check(libc.syscall(428, source, b"", 0x81001))
    attributes = (ctypes.c_uint64 * 4)(0x100000, 0, 0, space)
    check(libc.syscall(442, tree, b"", 0x1000, ctypes.byref(attributes), ctypes.sizeof(attributes)))
    check(libc.syscall(429, tree, b"", -100, os.fsencode(target), 4))
    os.close(tree)
    os.close(space)

check(libc.unshare(0x20000))
mount(None, "/", None, 0x44000)
mount("cfwb", given["place"], "tmpfs", 0x6, "mode=711")
for path, target in given["binds"]:
    source = straight(path)
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    try:
        mapped(source, target, given["owner"])
    except OSError:
        mount(f"/proc/self/fd/{source}", target, None, 0x5000)
    os.close(source)
os.setgroups([])
os.setresgid(*[given["owner"]] * 3)
os.setresuid(*[given["owner"]] * 3)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Binds:
    """Collects sources; `path` says where each is for who comes after."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._place = os.path.join(machine.folder, "mounts")
        self._binds: list[tuple[str, str]] = []

    def path(self, source: str, *, mapped: bool) -> str:
        """Where it will be. mapped: as the sandbox's own, and no link may lie on the way there by now; else only brought where the
        unprivileged id cannot walk to it."""
        owner = self._machine.owner
        if owner is None or (not mapped and _walkable(source, owner)):
            return source
        real = source if mapped else os.path.realpath(source)
        self._binds.append((real, os.path.join(self._place, str(len(self._binds)))))
        return self._binds[-1][1]

    def wrapped(self, argv: Sequence[str]) -> list[str]:
        """The command that makes them and then becomes this one as the unprivileged id; the same command where there are none."""
        if not self._binds:
            return list(argv)
        self._machine.make_folder(self._place)
        given = json.dumps({"place": self._place, "binds": self._binds, "owner": self._machine.owner})
        return [os.path.realpath(sys.executable), "-I", "-S", "-c", _PROGRAM, given, *argv]

    @property
    def become(self) -> int | None:
        """The id to become before the command runs; None where the command does that itself."""
        return None if self._binds else self._machine.owner


def _walkable(path: str, user: int) -> bool:
    """Whether every folder on the way lets this id (of a user, and of the one group it is in) through."""
    while path != "/":
        path = os.path.dirname(path)
        found = os.stat(path)
        needed = 0o100 if found.st_uid == user else 0o010 if found.st_gid == user else 0o001
        if not found.st_mode & needed:
            return False
    return True
