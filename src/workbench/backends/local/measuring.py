"""How much lies where: folders listed and measured without opening a file, and without following a link."""

import os
import stat
from typing import NamedTuple


class Measure(NamedTuple):
    """How much lies somewhere."""

    files: int = 0
    size: int = 0

    def plus(self, other: "Measure") -> "Measure":
        return Measure(self.files + other.files, self.size + other.size)


def is_emulators(folder: str) -> bool:
    """Whether an unknown folder looks like a product's: folders in it that hold databases, or values."""
    for entry in listing(folder):
        if not entry.is_dir(follow_symlinks=False):
            continue
        if any(inner.name == "blobs" or inner.name.endswith(".sqlite") for inner in listing(entry.path)):
            return True
    return False


def listing(folder: str) -> "list[os.DirEntry[str]]":
    """What lies in a folder, by name; nothing where it is not there or can't be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def measure(folder: str) -> Measure:
    """How many files lie below a folder, and how many bytes they have. Links are not followed."""
    files = size = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        files += 1
                        size += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # gone meanwhile, or not ours to read
    return Measure(files, size)


def measure_entry(entry: "os.DirEntry[str]") -> Measure:
    """The same for one entry of a folder."""
    if entry.is_dir(follow_symlinks=False):
        return measure(entry.path)
    try:
        return Measure(1, entry.stat(follow_symlinks=False).st_size)
    except OSError:
        return Measure()


def count_objects(folder: str) -> tuple[int, int]:
    """How many objects have files in a class's folder, and how many of the databases have an impossible length."""
    ids: set[str] = set()
    cut = 0
    for entry in listing(folder):
        if entry.name[64:65] != "." or not entry.name.endswith((".sqlite", ".facets")):
            continue
        ids.add(entry.name[:64])
        if entry.name.endswith(".sqlite") and measure_entry(entry).size % 512:
            cut += 1
    return len(ids), cut


def file_size(path: str) -> int | None:
    """A file's size; None where there is no such file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
