"""Where the columns of a grid lie: their widths, and which of them a stretch of cells shows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice

from rich.cells import cell_len

from workbench.model.sql import Row
from workbench.model.text import visible

from .cells import measure

MOST_WIDE = 40
LEAST_WIDE = 3
GAP = 2
"""Cells between two columns."""
SAMPLE_CELLS = 40_000
"""Values looked at to choose widths: all columns of the first rows, fewer rows where columns are many."""


class Columns:
    """names: as the query gives them, untrusted. widths: cells of text, without the gap behind."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.shown = [visible(name, limit=200) for name in self.names]
        self.widths = [self._header_width(index) for index in range(len(self.names))]
        self._place()

    def __len__(self) -> int:
        return len(self.names)

    def _header_width(self, index: int) -> int:
        text = self.shown[index]
        return max(LEAST_WIDE, min(MOST_WIDE, len(text) if text.isascii() else cell_len(text)))

    def _place(self) -> None:
        self.starts = [0, *accumulate(width + GAP for width in self.widths)]

    @property
    def total(self) -> int:
        return self.starts[-1]

    def sample(self, rows: Sequence[Row], thousands: bool = False) -> None:
        """Take widths from the first rows."""
        count = max(1, min(50, SAMPLE_CELLS // max(1, len(self.names))))
        for row in islice(rows, count):
            for index, value in enumerate(row):
                width = self.widths[index]
                if width < MOST_WIDE:
                    wanted = measure(value, MOST_WIDE, thousands)
                    if wanted > width:
                        self.widths[index] = wanted
        self._place()

    def fit(self, index: int, rows: Sequence[Row], thousands: bool = False, most: int = 200) -> None:
        """As wide as the longest of these values wants."""
        widest = max((measure(row[index], most, thousands) for row in rows), default=LEAST_WIDE)
        self.resize(index, max(widest, self._header_width(index)))

    def resize(self, index: int, width: int) -> None:
        self.widths[index] = max(LEAST_WIDE, min(1_000, width))
        self._place()

    def at(self, x: int) -> int:
        """The column that has the cell `x`; the last one where x lies beyond."""
        return max(0, min(len(self.names) - 1, bisect_right(self.starts, x) - 1))

    def between(self, left: int, right: int) -> range:
        """The columns that show in cells left to right."""
        if not self.names or left >= self.total:
            return range(0)
        return range(self.at(left), self.at(right) + 1)
