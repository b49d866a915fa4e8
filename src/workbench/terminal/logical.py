"""Lines as a reader sees them: the rows that a wrapped line takes, joined, with the way back from its text to cells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from .characters import HALF
from .lines import Line

if TYPE_CHECKING:
    from .terminal import Terminal

LONGEST = 4096  # rows that are joined to one at most


class Position(NamedTuple):
    """A cell: the number of a line (as `Terminal.line` takes it) and a column from 0."""

    line: int
    column: int


class Logical:
    """One whole line. first: the number of its first row; text: all of it, without the blanks at its end."""

    def __init__(self, terminal: Terminal, first: int, rows: list[str]) -> None:
        self.first = first
        self._starts = [0, *accumulate(len(row) for row in rows[:-1])] if len(rows) > 1 else [0]
        cells = "".join(rows).rstrip(" ")
        self._places: list[int] | None = None  # the cell of each character; None where they are the same
        if cells.isascii():
            self.text = cells
        else:
            clusters = terminal._screen.clusters
            texts = [("" if cell == HALF else clusters.cluster(cell)) for cell in cells]
            self.text = "".join(texts)
            self._places = [index for index, text in enumerate(texts) for _ in text]
        self._length = len(cells)

    def position(self, offset: int) -> Position:
        """The cell of a character of the text; that after the last one for the text's length."""
        cell = offset
        if self._places is not None:
            cell = self._places[offset] if offset < len(self._places) else self._length
        row = bisect_right(self._starts, cell) - 1
        return Position(self.first + row, cell - self._starts[row])

    def end(self, offset: int) -> Position:
        """The place just behind the character before `offset`, in the row of that character."""
        cell = offset - 1
        after = offset
        if self._places is not None:
            cell = self._places[offset - 1]
            after = self._places[offset] if offset < len(self._places) else self._length
        row = bisect_right(self._starts, cell) - 1
        return Position(self.first + row, (after if offset else 0) - self._starts[row])


def lines(terminal: Terminal, first: int, end: int) -> Iterator[Logical]:
    """The whole lines of the rows `first` to `end` (exclusive), oldest first."""
    columns = terminal.columns
    start = first
    rows: list[str] = []
    for number, line in _rows(terminal, first):
        if number >= end:
            break
        if not rows:
            start = number
        if line.wrapped and len(rows) < LONGEST and number < end - 1:
            rows.append(line.text.ljust(columns) if len(line.text) < columns - 1 else line.text)
        else:
            rows.append(line.text)
            yield Logical(terminal, start, rows)
            rows = []


def _rows(terminal: Terminal, first: int) -> Iterator[tuple[int, Line]]:
    yield from terminal.scrollback.since(first)
    top = terminal.top_line
    for y, line in enumerate(list(terminal.rows)):
        if top + y >= first:
            yield top + y, line


def bounds(terminal: Terminal, number: int) -> tuple[int, int]:
    """The rows (first, end) of the whole line that a row belongs to."""
    first, end = number, number + 1
    while first > terminal.first_line and number - first < LONGEST and terminal.line(first - 1).wrapped:
        first -= 1
    while end < terminal.end_line and end - number < LONGEST and terminal.line(end - 1).wrapped:
        end += 1
    return first, end
