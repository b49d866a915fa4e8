"""How much output to parse before others have a turn. A megabyte of a log takes less than some kilobytes made to be slow do."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .terminal import Terminal

LEAST, MOST = 256, 32 << 10


class Pace:
    """size: bytes for the next piece, by how long the last ones took; a piece of that size takes about `turn` seconds, or less."""

    def __init__(self, turn: float) -> None:
        self.turn = turn
        self.size = MOST

    def feed(self, terminal: Terminal, data: bytes, start: int = 0) -> int:
        """Feed the next piece of some output, from `start`; where it ends."""
        end = min(len(data), start + self.size)
        began = perf_counter()
        terminal.feed(data[start:end])
        self._took(end - start, perf_counter() - began)
        return end

    def _took(self, size: int, seconds: float) -> None:
        """A piece of so many bytes took so long."""
        if seconds > self.turn:
            self.size = max(LEAST, min(self.size, int(size * self.turn / seconds)))
        elif seconds < self.turn / 2:
            self.size = min(MOST, 2 * self.size)
