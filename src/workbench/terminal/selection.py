"""What is selected, as text: wrapped lines joined, blanks at the ends of lines left out; words, and links at a place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .characters import HALF
from .logical import Position, bounds, lines
from .styles import Link

if TYPE_CHECKING:
    from .terminal import Terminal

_ADDRESS = re.compile(r"https?://[\w%\-.~:/?#@!$&*+,;=]*[\w%\-~/#&*+=]", re.ASCII)
WORD = "-_./~:@%+?&=#"  # what belongs to a word beside letters and digits, so that a path or a URL is one


def text(terminal: Terminal, start: Position, end: Position, *, rectangle: bool = False) -> str:
    """The text from the cell `start` to before the cell `end` (in either order); of a rectangle, the columns between on every row.

    Half a wide character counts as the whole. Lines that are not kept any more are left out.
    """
    if end < start:
        start, end = end, start
    left, right = sorted((start.column, end.column))
    first, last = max(start.line, terminal.first_line), min(end.line, terminal.end_line - 1)
    found = whole = ""
    for number in range(first, last + 1):
        line = terminal.line(number)
        begin = left if rectangle else (start.column if number == start.line else 0)
        stop = right if rectangle else (end.column if number == end.line else terminal.columns)
        joins = line.wrapped and not rectangle and number < last
        if joins and len(line.text) < terminal.columns - 1:
            line = line.copy()
            line.pad(terminal.columns)
        whole += terminal._screen.clusters.text(_cells(line.text, begin, stop))
        if not joins:
            found += whole.rstrip(" ") + ("\n" if number < last else "")
            whole = ""
    return found


def _cells(cells: str, begin: int, stop: int) -> str:
    """Columns of a line, with the other half of what would be cut."""
    if cells[begin : begin + 1] == HALF:
        begin -= 1
    if cells[stop : stop + 1] == HALF:
        stop += 1
    return cells[begin:stop]


def word(terminal: Terminal, at: Position) -> tuple[Position, Position]:
    """The start and the end of the word at a cell, across wrapped rows; of one cell where there is none."""
    first, end = bounds(terminal, at.line)
    cells = "".join(
        terminal.line(number).text.ljust(terminal.columns)[: terminal.columns] for number in range(first, end)
    )
    here = (at.line - first) * terminal.columns + at.column

    def belongs(index: int) -> bool:
        cell = terminal._screen.clusters.cluster(cells[index])[0]
        return cell == HALF or cell.isalnum() or cell in WORD

    begin = stop = min(here, len(cells) - 1)
    if belongs(begin):
        while begin > 0 and belongs(begin - 1):
            begin -= 1
        while stop < len(cells) - 1 and belongs(stop + 1):
            stop += 1
    columns = terminal.columns
    return Position(first + begin // columns, begin % columns), Position(
        first + stop // columns, stop % columns + 1
    )


def whole_line(terminal: Terminal, at: Position) -> tuple[Position, Position]:
    """The start and the end of the line at a cell, with all the rows it takes."""
    first, end = bounds(terminal, at.line)
    return Position(first, 0), Position(end - 1, terminal.columns)


def link(terminal: Terminal, at: Position) -> Link | None:
    """The hyperlink at a cell. Its target comes from the program: show it, and ask before it is opened."""
    styles = terminal.line(at.line).styles
    return terminal._screen.styles[ord(styles[at.column])].link if at.column < len(styles) else None


def address(terminal: Terminal, at: Position) -> str:
    """Where a cell leads: its hyperlink's target, or the web address that is written there; "" for neither."""
    found = link(terminal, at)
    if found is not None:
        return found.uri
    first, end = bounds(terminal, at.line)
    for line in lines(terminal, first, end):
        for match in _ADDRESS.finditer(line.text):
            if line.position(match.start()) <= at < line.end(match.end()):
                return match[0]
    return ""
