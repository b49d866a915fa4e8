"""Control groups, version 2 or 1, where this user may make them: limits that the kernel enforces, and exact figures."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Self

from workbench.sandbox.spec import Limits

_V1 = {"memory": "memory", "processes": "pids", "cpus": "cpu", "usage": "cpuacct"}
_V2 = {"memory": "memory", "processes": "pids", "cpus": "cpu"}
_PERIOD = 100_000
"""Microseconds over which a share of the processors is counted."""


class Hierarchy:
    """Where groups can be made. folders: by what they are for (memory, processes, cpus, usage)."""

    def __init__(self, version: int, folders: Mapping[str, str]) -> None:
        self.version = version
        self.folders = dict(folders)

    @property
    def enforces(self) -> tuple[str, ...]:
        return tuple(each for each in ("cpus", "memory", "processes") if each in self.folders)


@cache
def hierarchy() -> Hierarchy | None:
    """What can be written here; None for an ordinary user whose group was not given away to it."""
    mounts, own = _mounts(), _own()
    if "" in own and "cgroup2" in mounts and not any(kind in mounts for kind in _V1.values()):
        parent = os.path.join(mounts["cgroup2"], own[""].lstrip("/"))
        controllers = _read(os.path.join(parent, "cgroup.controllers")).split()
        # Processes lie only in leaves: a sibling of our own group, where the folder above may be written, is the place.
        for place in (os.path.dirname(parent), parent):
            given = _read(os.path.join(place, "cgroup.subtree_control")).split()
            folders = {use: place for use, name in _V2.items() if name in given and name in controllers}
            if (
                folders
                and os.access(place, os.W_OK)
                and os.access(os.path.join(place, "cgroup.procs"), os.W_OK)
            ):
                return Hierarchy(2, folders)
        return None
    folders = {
        use: os.path.join(mounts[name], own.get(name, "/").lstrip("/"))
        for use, name in _V1.items()
        if name in mounts
    }
    folders = {use: place for use, place in folders.items() if os.access(place, os.W_OK)}
    return Hierarchy(1, folders) if folders else None


class Group:
    """One group, in each hierarchy that is needed: a folder of the same name."""

    def __init__(self, name: str, places: Hierarchy) -> None:
        self.name = name
        self._places = places

    @classmethod
    def make(cls, name: str, limits: Limits) -> Self | None:
        """A new one with these limits; None where none can be made."""
        group = cls.of(name)
        if group is None:
            return None
        try:
            for path in group._paths().values():
                os.makedirs(path, exist_ok=True)
            group.limit(limits)
        except OSError:
            group.remove()
            return None
        return group

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The one of this name that we would make or have made."""
        places = hierarchy()
        return None if places is None else cls(name, places)

    def saved(self) -> str:
        """In a form that outlives us: whoever ends the sandbox may lie in another group than who started it."""
        return json.dumps([self.name, self._places.version, self._places.folders])

    @classmethod
    def restored(cls, saved: str | None) -> Self | None:
        if saved is None:
            return None
        name, version, folders = json.loads(saved)
        return cls(name, Hierarchy(version, folders))

    @property
    def enforces(self) -> tuple[str, ...]:
        return self._places.enforces

    def _paths(self) -> dict[str, str]:
        return {use: os.path.join(folder, self.name) for use, folder in self._places.folders.items()}

    def limit(self, limits: Limits) -> None:
        """Limits that hold from now on; OSError."""
        paths, version = self._paths(), self._places.version
        if "processes" in paths:
            _write(
                paths["processes"],
                "pids.max",
                "max" if limits.processes is None else str(limits.processes + 40),
            )
        if "memory" in paths:
            memory = limits.memory
            if version == 2:
                _write(paths["memory"], "memory.max", "max" if memory is None else str(memory))
                with contextlib.suppress(OSError):
                    _write(paths["memory"], "memory.swap.max", "max" if memory is None else "0")
            else:
                _write(paths["memory"], "memory.limit_in_bytes", "-1" if memory is None else str(memory))
        if "cpus" in paths:
            quota = -1 if limits.cpus is None else max(1000, round(limits.cpus * _PERIOD))
            if version == 2:
                _write(paths["cpus"], "cpu.max", f"{'max' if quota < 0 else quota} {_PERIOD}")
            else:
                _write(paths["cpus"], "cpu.cfs_quota_us", str(quota))

    def add(self, pid: int) -> None:
        """Move a process in; its children are born there. OSError."""
        for path in set(self._paths().values()):
            _write(path, "cgroup.procs", str(pid))

    def usage(self) -> tuple[float, int, int] | None:
        """(CPU seconds, bytes of memory, processes and threads); None where not all of it is counted."""
        paths, version = self._paths(), self._places.version
        try:
            if version == 2:
                lines = dict(
                    line.split() for line in _read(os.path.join(paths["cpus"], "cpu.stat")).splitlines()
                )
                spent = int(lines["usage_usec"]) / 1e6
                stats = _read(os.path.join(paths["memory"], "memory.stat"))
                held = int(_read(os.path.join(paths["memory"], "memory.current")))
            else:
                spent = int(_read(os.path.join(paths["usage"], "cpuacct.usage"))) / 1e9
                stats = _read(os.path.join(paths["memory"], "memory.stat"))
                held = int(_read(os.path.join(paths["memory"], "memory.usage_in_bytes")))
            counted = dict(line.split() for line in stats.splitlines())
            held -= int(counted.get("total_inactive_file", counted.get("inactive_file", 0)))
            return spent, max(0, held), int(_read(os.path.join(paths["processes"], "pids.current")))
        except (KeyError, ValueError, OSError):
            return None

    def pids(self) -> list[int]:
        """Who is in it."""
        for path in self._paths().values():
            return [int(line) for line in _read(os.path.join(path, "cgroup.procs")).split()]
        return []

    def remove(self) -> None:
        """Take it away once its processes are gone, which may take the kernel a moment."""
        for path in set(self._paths().values()):
            for pause in (0.001, 0.005, 0.02, 0.1, 0.5, 1):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(pause)
                else:
                    break


def _mounts() -> dict[str, str]:
    """Where each controller of version 1, and version 2 as "cgroup2", is mounted."""
    found: dict[str, str] = {}
    for line in _read("/proc/self/mounts").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("cgroup2", place)
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, place)
    return found


def _own() -> dict[str, str]:
    """Our own group by controller; version 2 is ""."""
    found: dict[str, str] = {}
    for line in _read("/proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            found[name] = path
    return found


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
