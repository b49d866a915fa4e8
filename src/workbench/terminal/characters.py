"""Text to cells: how wide characters are, and clusters (a base with its combining marks) as one code point each.

A cell is one code point of a line's text. The right half of a wide character is `HALF`. A cluster of several code points is kept in
a table and stands in the line as a code point of plane 16; that plane's own characters, should they come as text, go through the
table as well. So a line's string has exactly one code point a cell, and slices are columns.
"""

import re
from collections.abc import Iterable
from functools import cache
from unicodedata import category

from wcwidth import wcwidth

HALF = "\0"
ZWJ = "\u200d"
VARIATION = "\ufe0f"  # selects the picture, which many terminals draw two columns wide
_FIRST, _LAST = 0x100000, 0x10FFFF
_STANDS_IN = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")


def width(character: str) -> int:
    """Columns of one character: 0, 1 or 2, as the programs' own C library, xterm and tmux have it.

    So a regional indicator is 1, which makes a flag 2, and a spacing mark (of Devanagari, say) has a column of its own.
    """
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return 1
    columns = wcwidth(character)
    return 1 if columns == 0 and category(character) == "Mc" else max(columns, 0)


@cache
def pieces() -> re.Pattern[str]:
    """Splits text into runs of (1) one-column characters, (2) wide ones and (3) all that is looked at one by one.

    Made when it is first needed (20 ms): most output is ASCII. Everything beyond the BMP is in (3), which keeps the character
    classes small enough for re's bitmaps.
    """
    classes: list[list[str]] = [[], [], []]  # by width, as ranges
    first, last = 0xA0, -1
    for code in range(0xA0, 0x10001):
        columns = width(chr(code)) if code < 0x10000 else -1
        if columns != last:
            if last >= 0:
                classes[last].append(f"{chr(first)}-{chr(code - 1)}")
            first, last = code, columns
    narrow, wide = ("".join(classes[columns]) for columns in (1, 2))
    return re.compile(f"([ -~{narrow}]+)|([{wide}]+)|([^ -~{narrow}{wide}]+)", re.DOTALL)


class Clusters:
    """The clusters of one terminal. Where there is no room left, marks are dropped."""

    LONGEST = 16  # code points of one cell

    def __init__(self) -> None:
        self._stands_for: dict[str, str] = {}
        self._stand_in: dict[str, str] = {}
        self._next = _FIRST
        self._free: list[str] = []

    @property
    def room(self) -> float:
        """The part of the stand-ins that is free. Low means that `keep` is due: one piece of output may take a quarter."""
        return (len(self._free) + _LAST - self._next) / (_LAST - _FIRST)

    def cell(self, cluster: str) -> str:
        """The one code point that stands for a cluster (for most single characters: itself)."""
        if len(cluster) == 1 and ord(cluster) < _FIRST:
            return cluster
        found = self._stand_in.get(cluster)
        if found is None:
            if self._free:
                found = self._free.pop()
            elif self._next <= _LAST:
                found = chr(self._next)
                self._next += 1
            else:
                return cluster[0] if ord(cluster[0]) < _FIRST else "\ufffd"
            self._stand_in[cluster] = found
            self._stands_for[found] = cluster
        return found

    def cluster(self, cell: str) -> str:
        """What a cell's code point stands for."""
        return self._stands_for.get(cell, cell)

    def text(self, cells: str) -> str:
        """Cells as text: clusters written out, halves left out."""
        if cells.isascii():  # HALF is ASCII, but no wide character is
            return cells
        text = cells.replace(HALF, "")
        return _STANDS_IN.sub(self._written_out, text) if self._stands_for else text

    def shown(self, cells: str) -> str:
        """Cells as text for a screen: as `text`, but a variation selector that would widen a character of one column is left out."""
        if VARIATION not in (text := self.text(cells)):
            return text
        found = []
        for index, cell in enumerate(cells):
            if cell != HALF:
                cluster = self.cluster(cell)
                found.append(
                    cluster if cells[index + 1 : index + 2] == HALF else cluster.replace(VARIATION, "")
                )
        return "".join(found)

    def _written_out(self, match: re.Match[str]) -> str:
        return self._stands_for.get(match[0], "\ufffd")

    @property
    def table(self) -> dict[str, str]:
        """Every stand-in with its cluster."""
        return dict(self._stands_for)

    def load(self, table: dict[str, str]) -> None:
        """Take a table of stand-ins with their clusters."""
        self._stands_for = dict(table)
        self._stand_in = {cluster: cell for cell, cluster in table.items()}
        self._next = max(map(ord, table), default=_FIRST - 1) + 1
        self._free = [chr(code) for code in range(_FIRST, self._next) if chr(code) not in table]

    def used(self, texts: Iterable[str]) -> set[str]:
        """The stand-ins in these lines' texts."""
        found: set[str] = set()
        for text in texts:
            if not text.isascii():
                found.update(_STANDS_IN.findall(text))
        return found

    def keep(self, used: set[str]) -> None:
        """Forget every cluster whose stand-in is not in `used`."""
        for cell in [cell for cell in self._stands_for if cell not in used]:
            del self._stand_in[self._stands_for.pop(cell)]
            self._free.append(cell)
