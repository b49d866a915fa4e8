"""Finding text in a terminal while one reads: from the newest line back, in short turns, and never for long on one line."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from workbench.terminal import Position, Terminal, search
from workbench.terminal.logical import bounds
from workbench.terminal.search import Found

MOST = 10_000
ROWS = 256
"""Rows looked through between two looks at the clock."""
PATIENCE = 0.3
"""Seconds for so many rows: an expression that takes longer is given up. (Some take years on one line.)"""


class Search:
    """What was looked for. found: the matches so far, newest first, at most `MOST`; at: the index of the one in focus, -1 for none.

    done: whether all was looked through, or there were too many; late: whether the expression was given up.
    """

    def __init__(self, terminal: Terminal, text: str, *, regex: bool = False) -> None:
        """Finds nothing yet: see `advance`. Raises UsageError for a broken expression."""
        self.text, self.regex = text, regex
        self.found: list[Found] = []
        self.at = -1
        self.done = self.late = False
        self._wanted = search.pattern(text, regex=regex)
        self._terminal = terminal
        self._end = terminal.end_line
        self._rows: dict[int, list[int]] = {}

    def advance(self, seconds: float) -> None:
        """Look on for about so long."""
        until = perf_counter() + seconds
        while not self.done and perf_counter() < until:
            self._look()

    def _look(self) -> None:
        terminal, end = self._terminal, self._end
        start = max(terminal.first_line, end - ROWS)
        if start >= end:
            self.done = True
            return
        start, _ = bounds(terminal, start)
        matches: list[Found] = []
        try:
            with _deadline(PATIENCE):
                matches.extend(search.find(terminal, self._wanted, start, end))
        except _Late:
            self.done = self.late = True
        self._end = start
        for match in reversed(matches):
            if len(self.found) == MOST:
                self.done = True
                return
            for line in range(match.start.line, match.end.line + 1):
                self._rows.setdefault(line, []).append(len(self.found))
            self.found.append(match)

    def before(self, place: Position) -> Found | None:
        """Focus the last match that begins before a place, or the last of all."""
        return self._focus(next((at for at, match in enumerate(self.found) if match.start < place), 0))

    def step(self, by: int) -> Found | None:
        """Focus the next one (1: newer, -1: older), round and round."""
        return self._focus((self.at - by) % len(self.found) if self.found else -1)

    def _focus(self, at: int) -> Found | None:
        self.at = at if self.found else -1
        return self.found[at] if self.found else None

    def on_row(self, line: int, columns: int) -> list[tuple[int, int, bool]]:
        """(start, end, whether it has the focus) of what is on a row."""
        spans = []
        for index in self._rows.get(line, ()):
            start, end = self.found[index].start, self.found[index].end
            spans.append(
                (
                    start.column if line == start.line else 0,
                    end.column if line == end.line else columns,
                    index == self.at,
                )
            )
        return spans

    @property
    def said(self) -> str:
        """How it stands, in a few words."""
        count = f"{len(self.found):,}{'+' if self.done and len(self.found) == MOST else ''} found"
        if self.late:
            return f"{count}, then given up: the expression takes too long"
        return count if self.done else f"{count}, looking"


class _Late(Exception):
    """Time is up."""


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raises `_Late` in what runs for longer, an expression in the midst of a match included: `re` looks out for signals."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
