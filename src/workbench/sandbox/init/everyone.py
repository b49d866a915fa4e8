"""All processes of the sandbox: signalled at once, frozen, thawed, counted."""

from __future__ import annotations

import contextlib
import os
import resource
import signal

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def pids() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name, by pid, of all but this process: below process 1 everything, else our descendants."""
    found: dict[int, list[str]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    found[int(entry)] = file.read().decode("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
    if os.getpid() == 1:
        return found
    ours: dict[int, list[str]] = {}
    parents = {os.getpid()}
    while parents:
        parents = {pid for pid, fields in found.items() if int(fields[1]) in parents and pid not in ours}
        ours.update((pid, found[pid]) for pid in parents)
    return ours


def tell(number: int) -> int:
    """Signal all of them, also those that are born meanwhile; how many there were. Not this process."""
    if os.getpid() == 1:
        try:
            os.kill(-1, number)  # in one go: nothing can fork away from it
        except OSError:
            return 0
    told: set[int] = set()
    while fresh := {pid for pid, fields in pids().items() if pid not in told and fields[0] != "Z"}:
        for pid in fresh:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        told |= fresh
    return len(told)


class Freezer:
    """Stops everything and lets it go on; what was stopped before stays stopped."""

    def __init__(self) -> None:
        self._stopped_before: set[int] | None = None

    @property
    def frozen(self) -> bool:
        return self._stopped_before is not None

    def freeze(self) -> None:
        if self._stopped_before is None:
            self._stopped_before = {pid for pid, fields in pids().items() if fields[0] == "T"}
            tell(signal.SIGSTOP)

    def thaw(self) -> None:
        """Children before their parents: a shell that is woken first would take its job for stopped."""
        if self._stopped_before is not None:
            found = pids()
            for pid in sorted(found, key=lambda each: _depth(each, found), reverse=True):
                if pid not in self._stopped_before:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGCONT)
            self._stopped_before = None


def _depth(pid: int, found: dict[int, list[str]]) -> int:
    depth = 0
    while pid in found and depth < 1000:
        pid = int(found[pid][1])
        depth += 1
    return depth


def usage() -> dict[str, object]:
    """{cpu_seconds, memory_bytes, processes}: of what lives and, for the time, of what this process has reaped.

    memory_bytes is anonymous and private memory: resident less shared.
    """
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = spent.ru_utime + spent.ru_stime + own.ru_utime + own.ru_stime
    memory = _memory(os.getpid())
    living = pids()
    for pid, fields in living.items():
        seconds += (int(fields[11]) + int(fields[12])) / _TICKS
        memory += _memory(pid)
    return {"cpu_seconds": seconds, "memory_bytes": memory, "processes": len(living) + 1}


def largest() -> tuple[int, int] | None:
    """(pid, bytes) of what holds most memory; None where there is nothing but this process."""
    held = [(_memory(pid), pid) for pid in pids()]
    if not held:
        return None
    size, pid = max(held)
    return pid, size


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            _, resident, shared, *_ = file.read().split()
        return (int(resident) - int(shared)) * _PAGE
    except (OSError, ValueError):
        return 0
