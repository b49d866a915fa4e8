"""A limit on memory where the kernel gives none: looked at, and what holds most is ended."""

from __future__ import annotations

import contextlib
import os
import signal

from . import everyone
from .loop import Loop, Timer

_PAUSE = 0.5
_HURRIED = 0.05


class MemoryWatch:
    """Kills the largest process when all together hold more than the limit. A burst between two looks is not caught."""

    def __init__(self, loop: Loop, limit: int | None) -> None:
        self._loop = loop
        self._timer: Timer | None = None
        self.limit(limit)

    def limit(self, limit: int | None) -> None:
        """From now on; None for none."""
        self._limit = limit
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if limit is not None:
            self._look(limit)

    def _look(self, limit: int) -> None:
        held = everyone.usage()["memory_bytes"]
        used = held if isinstance(held, int) else 0
        if used > limit:
            largest = everyone.largest()
            if largest is not None:
                with contextlib.suppress(OSError):
                    os.kill(largest[0], signal.SIGKILL)
        self._timer = self._loop.later(_HURRIED if used > limit / 2 else _PAUSE, lambda: self._look(limit))
