"""The processes of this machine, as far as finding a dev server needs them: who started whom, who listens where, who holds a folder.

Linux is read from /proc. Elsewhere `ps` and `lsof` are asked, which are slower and tell the same.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from workbench.backends.local.manners import RUNTIME, runtimes
from workbench.backends.local.naming import VERSION
from workbench.model.secrets import for_children

PATIENCE = 10.0
"""Seconds that `ps` and `lsof` have."""


class Processes:
    """A look at all of them. parents: of each process the one that started it, or that adopted it. groups: the process group of each.
    names: of their programs."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}
        self.groups: dict[int, int] = {}
        self.names: dict[int, str] = {}

    def starter(self, runtime: int) -> int:
        """The program that started a runtime: it is of the same group. Whoever adopts the runtime when that has ended is not (all
        orphans of the machine may be its children); then the runtime is alone."""
        parent = self.parents.get(runtime, 0)
        return parent if parent and self.groups.get(parent) == self.groups.get(runtime) else runtime

    def family(self, pid: int) -> list[int]:
        """A process and all that it started, directly or not."""
        children: dict[int, list[int]] = {}
        for one, parent in self.parents.items():
            children.setdefault(parent, []).append(one)
        found, waiting = [], [pid]
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting += children.get(one, [])
        return found

    def above(self, pid: int) -> list[int]:
        """A process, the one that started it, and so on."""
        found = [pid]
        while (parent := self.parents.get(found[-1], 0)) > 0 and parent not in found:
            found.append(parent)
        return found

    def ports(self, pids: Iterable[int]) -> list[int]:
        """The TCP ports on which these listen."""
        raise NotImplementedError

    def command(self, pid: int) -> list[str]:
        """What a process was started with; [] where that is not told."""
        raise NotImplementedError

    def folder(self, pid: int) -> str:
        """The folder a process is in, or ""."""
        raise NotImplementedError

    def holders(self, state_directory: str) -> list[int]:
        """The runtimes that have a state directory open."""
        raise NotImplementedError


class LinuxProcesses(Processes):
    """From /proc."""

    def __init__(self) -> None:
        super().__init__()
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with suppress(OSError, ValueError, IndexError):  # it has just ended
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    before, _, after = file.read().rpartition(")")
                state, parent, group = after.split()[:3]
                if state in ("Z", "X"):
                    continue  # it has ended, and waits to be noticed
                self.parents[int(name)], self.groups[int(name)] = int(parent), int(group)
                self.names[int(name)] = before.partition("(")[2]

    def ports(self, pids: Iterable[int]) -> list[int]:
        return sorted({port for pid in pids for port in _listens(pid)})

    def command(self, pid: int) -> list[str]:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return [part.decode("utf-8", "replace") for part in file.read().split(b"\0") if part]
        except OSError:
            return []

    def folder(self, pid: int) -> str:
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return ""

    def holders(self, state_directory: str) -> list[int]:
        return runtimes(state_directory)


def _listens(pid: int) -> Iterator[int]:
    """The TCP ports on which a process of ours listens."""
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return  # it has ended, or it is somebody else's
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and row[9] in sockets:
                yield int(row[1].rpartition(":")[2], 16)


class OtherProcesses(Processes):
    """From `ps` and `lsof`."""

    def __init__(self) -> None:
        super().__init__()
        for line in _said("ps", "-ww", "-axo", "pid=,ppid=,pgid=,comm="):
            parts = line.split(None, 3)
            if len(parts) == 4 and all(part.isdigit() for part in parts[:3]):
                pid, parent, group = map(int, parts[:3])
                self.parents[pid], self.groups[pid] = parent, group
                self.names[pid] = os.path.basename(parts[3].strip())

    def ports(self, pids: Iterable[int]) -> list[int]:
        wanted = ",".join(map(str, pids))
        rows = _said("lsof", "-w", "-nP", "-a", "-p", wanted, "-iTCP", "-sTCP:LISTEN", "-Fn")
        ends = {row.rpartition(":")[2] for row in rows if row.startswith("n")}
        return sorted(int(end) for end in ends if end.isdigit())

    def command(self, pid: int) -> list[str]:
        return " ".join(_said("ps", "-ww", "-o", "command=", "-p", str(pid))).split()

    def folder(self, pid: int) -> str:
        rows = _said("lsof", "-w", "-a", "-p", str(pid), "-d", "cwd", "-Fn")
        return next((row[1:] for row in rows if row.startswith("n/")), "")

    def holders(self, state_directory: str) -> list[int]:
        below = os.path.join(os.path.realpath(state_directory), VERSION) + os.sep
        found, pid = [], 0
        for row in _said("lsof", "-w", "-c", RUNTIME, "-Fpn"):
            if row.startswith("p"):
                pid = int(row[1:])
            elif row.startswith("n" + below) and pid not in found:
                found.append(pid)
        return found


def _said(*command: str) -> list[str]:
    """The lines that a program prints; [] where it is not there."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            env=for_children(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode("utf-8", "surrogateescape").splitlines()


def look() -> Processes:
    """At those that run now."""
    return LinuxProcesses() if sys.platform.startswith("linux") else OtherProcesses()
