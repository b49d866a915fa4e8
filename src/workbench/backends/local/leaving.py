"""Values that were replaced stay for a moment while a server runs.

The emulator reads a row, then the file that the row names. Where we wrote in between, and removed the old value's file at
once, the Worker would read null of a key that was never away (seen in one edit of thirty on a busy machine).
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

from .resources import Resource

GRACE = 0.1
"""Seconds that they stay."""


class Leaving:
    """Collects them while a list is written; what is due goes as the list goes on, the rest when the block ends.

    Killed meanwhile, they are files that no row names. running: whether a server has the state open.
    """

    def __init__(self, resource: Resource, running: Callable[[], bool]) -> None:
        self._resource = resource
        self._running = running
        self._kept: deque[tuple[float, list[str]]] = deque()

    def __enter__(self) -> "Leaving":
        return self

    def __exit__(self, *_: object) -> None:
        while self._kept:
            time.sleep(max(0.0, self._kept[0][0] - time.monotonic()))
            self._go()

    def add(self, ids: Iterable[str]) -> None:
        """Values whose rows have gone, in a transaction that is committed."""
        gone = list(ids)
        if not gone:
            return
        if self._running():
            self._kept.append((time.monotonic() + GRACE, gone))
        else:
            self._resource.blobs.delete(gone)
        self._go()

    def _go(self) -> None:
        while self._kept and self._kept[0][0] <= time.monotonic():
            self._resource.blobs.delete(self._kept.popleft()[1])
