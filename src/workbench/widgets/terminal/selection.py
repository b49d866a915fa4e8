"""A stretch of a terminal's lines, chosen by mouse or keyboard. Lines go by their numbers, so it stays on its text while output goes on."""

from __future__ import annotations

from typing import Literal

from workbench.terminal import Position, Terminal, selection

Unit = Literal["cell", "word", "line", "block"]


class Selection:
    """From where it began (`anchor`) to where it is now (`head`), both taken whole: cells, words, lines, or a rectangle of cells."""

    def __init__(self, terminal: Terminal, anchor: Position, unit: Unit = "cell") -> None:
        self.terminal = terminal
        self.anchor = self.head = anchor
        self.unit = unit

    @property
    def ends(self) -> tuple[Position, Position]:
        """The first cell and the one after the last, in order of reading; of a block its corners."""
        first, last = sorted((self.anchor, self.head))
        if self.unit == "block":
            left, right = sorted((self.anchor.column, self.head.column))
            return Position(first.line, left), Position(last.line, right + 1)
        if self.unit == "line":
            return selection.whole_line(self.terminal, first)[0], selection.whole_line(self.terminal, last)[1]
        if self.unit == "word":
            return selection.word(self.terminal, first)[0], selection.word(self.terminal, last)[1]
        return first, Position(last.line, last.column + 1)

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
        """What is copied."""
        return selection.text(self.terminal, *self.ends, rectangle=self.unit == "block")
