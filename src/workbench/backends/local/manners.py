"""Manners beside a running emulator: whether one runs, and how lists of independent writes are spaced out for it.

workerd has no busy timeout: while anybody else holds a write transaction, every write of the Worker fails at once. So a
list is written in small transactions, with a pause after each that is long against the time its lock was held.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from workbench.model.progress import Cancel, Progress

from .naming import VERSION

T = TypeVar("T")

RUNTIME = "workerd"
LIVE_BATCH = 25
"""Rows a transaction while a server runs: well under a millisecond of lock."""
QUIET_BATCH = 500
"""Rows a transaction when nobody else is there."""
HEAVY_BATCH = 8 << 20
"""Bytes of values after which a batch is not added to."""
PAUSE_FACTOR = 100
"""The pause after a batch is so many times as long as the lock was held: a write of the Worker's fails one time in 100 at most."""
SHORTEST_PAUSE = 0.02


def server_running(state_directory: str) -> bool:
    """Whether an emulator has this state directory open now. Looks at processes, opens none of the state's files.

    Linux: a `workerd` that holds a folder or a file below the state. Elsewhere `lsof` is asked. True where it cannot be told.
    """
    place = os.path.join(os.path.realpath(state_directory), VERSION)
    if not os.path.isdir(place):
        return False
    if sys.platform.startswith("linux"):
        return _running_on_linux(place)
    return _running_by_lsof(place)


def server_running_beside(path: str) -> bool:
    """The same for the state directory that a file belongs to; False for a file outside of any."""
    folder = os.path.dirname(os.path.abspath(path))
    while os.path.basename(folder) != VERSION:
        parent = os.path.dirname(folder)
        if parent == folder:
            return False
        folder = parent
    return server_running(os.path.dirname(folder))


def runtimes(state_directory: str) -> list[int]:
    """The process ids of the runtimes that have this state directory open now (Linux; elsewhere none is seen)."""
    place = os.path.join(os.path.realpath(state_directory), VERSION)
    if not (sys.platform.startswith("linux") and os.path.isdir(place)):
        return []
    return [pid for pid in _on_linux(place) if pid is not None]


def _running_on_linux(place: str) -> bool:
    return next((True for _ in _on_linux(place)), False)


def _on_linux(place: str) -> Iterator[int | None]:
    """The runtimes that hold the place; None for another user's, whose files cannot be seen: it may be on a shared state."""
    for process in os.listdir("/proc"):
        if not process.isdigit():
            continue
        try:
            with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as comm:
                if comm.read().strip() != RUNTIME:
                    continue
            if _holds(f"/proc/{process}", place):
                yield int(process)
        except PermissionError:
            yield None
        except OSError:
            continue  # it has just ended


def _holds(process: str, place: str) -> bool:
    below = place + os.sep
    folders: set[tuple[int, int]] | None = None
    for descriptor in os.listdir(f"{process}/fd"):
        link = f"{process}/fd/{descriptor}"
        try:
            target = os.readlink(link)
            if target.startswith(below):
                return True
            if not target.startswith("/") or target.endswith(".sqlite"):
                continue
            # In a container the same folder has another path.
            if folders is None:
                folders = _folders(place)
            found = os.stat(link)
        except PermissionError:
            raise
        except OSError:
            continue
        if (found.st_dev, found.st_ino) in folders:
            return True
    return False


def _folders(place: str) -> set[tuple[int, int]]:
    """The state's folders, two levels deep, as the file system numbers them."""
    found = set()
    for first in _entries(place):
        found.add(first)
        for second in _entries(first.path):
            found.add(second)
    return {(status.st_dev, status.st_ino) for status in (entry.stat() for entry in found)}


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listed:
            return [entry for entry in listed if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _running_by_lsof(place: str) -> bool:
    import shutil
    import subprocess

    from workbench.model.secrets import for_children

    lsof = shutil.which("lsof")
    if lsof is None:
        return True
    try:
        done = subprocess.run(
            [lsof, "-w", "-c", RUNTIME, "-Fn"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=10,
            env=for_children(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    names = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    return any(name[1:].startswith(place + os.sep) for name in names if name.startswith("n"))


def write_in_batches(
    items: Iterable[T],
    write_batch: Callable[[list[T]], float],
    *,
    running: Callable[[], bool],
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    total: int | None = None,
    weigh: Callable[[T], int] = lambda item: 0,
) -> int:
    """Write independent items a batch at a time; how many were written.

    write_batch does one batch, in one short transaction with everything prepared before it begins, and says for how many
    seconds it held the lock. It is all or nothing: after an error or a cancel what `progress` last said is there, and
    writing the rest again is all it takes to go on. weigh: an item's bytes; a batch holds few of large ones.
    """
    done = 0
    iterator = iter(items)
    live = running()
    while batch := _batch(iterator, LIVE_BATCH if live else QUIET_BATCH, weigh):
        if cancel is not None:
            cancel.check()
        held = write_batch(batch)
        done += len(batch)
        if progress is not None:
            progress(done, total)
        if done % QUIET_BATCH < len(batch):
            live = running()
        if live:
            pause(held, cancel)
    return done


def _batch(items: Iterator[T], most: int, weigh: Callable[[T], int]) -> list[T]:
    batch: list[T] = []
    weight = 0
    for item in items:
        batch.append(item)
        weight += weigh(item)
        if len(batch) == most or weight >= HEAVY_BATCH:
            break
    return batch


def pause(held: float, cancel: Cancel | None = None) -> None:
    """Leave the Worker its turn after a transaction that held the lock for so many seconds. A cancel ends it."""
    end = time.monotonic() + max(SHORTEST_PAUSE, held * PAUSE_FACTOR)
    while (rest := end - time.monotonic()) > 0:
        if cancel is not None:
            cancel.check()
        time.sleep(min(rest, 0.1))
