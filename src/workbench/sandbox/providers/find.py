"""Finding what runs on a disk without anything having been written down: by a mark on its command line."""

from __future__ import annotations

import hashlib
import os

from workbench.sandbox.disk import Disk


def mark(disk: Disk) -> str:
    """A word that stands last on the command line of everything that starts on this disk, and nowhere else."""
    return (
        "cfwb-"
        + hashlib.sha256(os.path.realpath(disk.folder).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    )


def by_mark(disk: Disk, *, first_only: bool = False) -> list[int]:
    """The processes that carry the mark. first_only: only those that are the first of a namespace of their own: inits, not the bwrap
    outside, and not a program inside that calls itself so."""
    wanted = mark(disk).encode()
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().rstrip(b"\0").split(b"\0")
            if words[-1] == wanted and (not first_only or _is_first(entry)):
                found.append(int(entry))
        except OSError:
            continue
    return found


def _is_first(pid: str) -> bool:
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("NSpid:"):
                numbers = line.split()[1:]
                return len(numbers) > 1 and numbers[-1] == "1"
    return False
