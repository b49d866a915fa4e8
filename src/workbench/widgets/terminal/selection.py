"""A stretch of a terminal's lines, chosen by mouse or keyboard. Lines go by their numbers, so it stays on its text while output goes on."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from workbench.terminal import Terminal

Unit = Literal["cell", "word", "line", "block"]

# What a double click takes: paths, URLs and identifiers in one piece.
_WORD = re.compile(r"[\w./~:@%+?&=#,\-]+|[^\w\s]+|\s+")


class Place(NamedTuple):
    """A cell. line: its number in the terminal (`Terminal.line`); column: from 0."""

    line: int
    column: int


class Selection:
    """From where it began to where it is now, by whole cells, words or lines, or as a rectangle."""

    def __init__(self, terminal: Terminal, anchor: Place, unit: Unit = "cell") -> None:
        self.terminal = terminal
        self.anchor = self.head = anchor
        self.unit = unit

    @property
    def ends(self) -> tuple[Place, Place]:
        """The first cell and the one after the last, in order of reading; of a block its top left and bottom right."""
        first, last = sorted((self.anchor, self.head))
        if self.unit == "block":
            left, right = sorted((self.anchor.column, self.head.column))
            return Place(first.line, left), Place(last.line, right + 1)
        if self.unit == "line":
            return Place(first.line, 0), Place(last.line, self.terminal.columns)
        if self.unit == "word":
            return Place(first.line, self._word(first)[0]), Place(last.line, self._word(last)[1])
        return first, Place(last.line, last.column + 1)

    def columns(self, line: int) -> tuple[int, int] | None:
        """The columns of a line that are in it, end exclusive; None where none are."""
        first, last = self.ends
        if not first.line <= line <= last.line:
            return None
        if self.unit == "block":
            return first.column, last.column
        start = first.column if line == first.line else 0
        end = last.column if line == last.line else self.terminal.columns
        return (start, end) if start < end else None

    def text(self) -> str:
        """What is copied: a line that wraps is one line, and blanks at the ends of lines are left out."""
        first, last = self.ends
        parts: list[str] = []
        for number in range(
            max(first.line, self.terminal.first_line), min(last.line + 1, self.terminal.end_line)
        ):
            span = self.columns(number)
            if span is None:
                continue
            line = self.terminal.line(number)
            piece = self.terminal.piece(line, *span)
            joined = line.wrapped and number < last.line and self.unit != "block"
            parts.append(piece if joined else piece.rstrip(" ") + "\n")
        return "".join(parts).removesuffix("\n")

    def _word(self, place: Place) -> tuple[int, int]:
        try:
            text = self.terminal.line(place.line).text
        except IndexError:
            text = ""
        for match in _WORD.finditer(text):
            if match.start() <= place.column < match.end():
                return match.start(), match.end()
        return place.column, place.column + 1
