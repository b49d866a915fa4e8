"""A limit on memory where the kernel gives none: looked at, and what holds most is ended."""

from __future__ import annotations

import contextlib
import os
import signal

from . import everyone
from .loop import Loop

_PAUSE = 0.5
_HURRIED = 0.05


class MemoryWatch:
    """Kills the largest process when all together hold more than the limit. A burst between two looks is not caught."""

    def __init__(self, loop: Loop, limit: int) -> None:
        self._loop = loop
        self._limit = limit
        self._look()

    def _look(self) -> None:
        held = everyone.usage()["memory_bytes"]
        used = held if isinstance(held, int) else 0
        if used > self._limit:
            largest = everyone.largest()
            if largest is not None:
                with contextlib.suppress(OSError):
                    os.kill(largest[0], signal.SIGKILL)
        self._loop.later(_HURRIED if used > self._limit / 2 else _PAUSE, self._look)
