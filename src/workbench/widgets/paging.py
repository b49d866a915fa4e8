"""The pages of a list too long to hold: which are known, which are kept, and which row lies in which.

Memory stays flat: of a page let go of only its cursor and its length remain, and it is fetched again when it is wanted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

KEPT = 40
"""Pages kept in memory at once."""


class Entry(NamedTuple):
    """A line of a list of keys.

    key: exact; a folder's ends with its delimiter. name: what is shown of it (without the folder one is in).
    size, when: for the columns, or "". data: the model's value. sign: one cell in front of it; tone: its colour,
    "good", "bad" or "busy".
    """

    key: str
    name: str
    folder: bool = False
    size: str = ""
    when: str = ""
    data: Any = None
    sign: str = ""
    tone: str = ""

    @property
    def mark(self) -> tuple[bool, str]:
        """What tells it from the others: a key may be spelt like a folder."""
        return (self.folder, self.key)


class Pages:
    """Pages in order, each begun by the cursor the one before it ended with."""

    def __init__(self) -> None:
        self.cursors: list[str | None] = [None]
        self.lengths: list[int] = []
        self.ended = False
        self._starts: list[int] = []
        self._kept: OrderedDict[int, list[Entry]] = OrderedDict()
        self._stale: set[int] = set()
        self._begun: dict[int, int] = {}

    @property
    def rows(self) -> int:
        """How many rows are known of."""
        return self._starts[-1] + self.lengths[-1] if self.lengths else 0

    @property
    def next_page(self) -> int | None:
        """The first page that is not known yet; None at the end."""
        return None if self.ended else len(self.lengths)

    def place(self, row: int) -> tuple[int, int]:
        """The page of a row, and where in it."""
        page = bisect_right(self._starts, row) - 1
        return page, row - self._starts[page]

    def get(self, row: int) -> Entry | None:
        """The entry at a row, as last read; None where its page is not kept."""
        if not 0 <= row < self.rows:
            return None
        page, offset = self.place(row)
        entries = self._kept.get(page)
        if entries is None:
            return None
        self._kept.move_to_end(page)
        return entries[offset] if offset < len(entries) else None

    def wanted(self, first: int, last: int) -> list[int]:
        """The pages to fetch so that rows `first` to `last` can be shown: missing, stale, or not known yet."""
        begin, end = 0, -1
        if self.rows:
            begin = self.place(min(max(first, 0), self.rows - 1))[0]
            end = self.place(min(max(last, 0), self.rows - 1))[0]
        if last >= self.rows:
            end = len(self.lengths) - 1  # a page that was empty when it was read may not be any more
        pages = [page for page in range(begin, end + 1) if page not in self._kept or page in self._stale]
        if last >= self.rows and self.next_page is not None:
            pages.append(self.next_page)
        return pages

    def supply(self, page: int, entries: list[Entry], next_cursor: str | None) -> None:
        """A page as it was read. Where it ends elsewhere than it did, what came after it is forgotten."""
        if page > len(self.lengths) or page >= len(self.cursors):
            return
        if page == len(self.lengths):
            self.lengths.append(len(entries))
        else:
            known = self.cursors[page + 1] if page + 1 < len(self.cursors) else None
            self.lengths[page] = len(entries)
            if known != next_cursor:
                self._forget_after(page)
        if page == len(self.lengths) - 1:
            del self.cursors[page + 1 :]
            if next_cursor is not None:
                self.cursors.append(next_cursor)
            self.ended = next_cursor is None
        self._count()
        self._kept[page] = entries
        self._kept.move_to_end(page)
        self._stale.discard(page)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _forget_after(self, page: int) -> None:
        del self.lengths[page + 1 :]
        for later in [one for one in self._kept if one > page]:
            del self._kept[later]

    def _count(self) -> None:
        self._starts, total = [], 0
        for length in self.lengths:
            self._starts.append(total)
            total += length

    def begin(self, page: int) -> int:
        """A page begins to be read: a ticket for `latest`."""
        self._begun[page] = ticket = self._begun.get(page, 0) + 1
        return ticket

    def latest(self, page: int, ticket: int) -> bool:
        """Whether the page was not begun to be read again since: what comes late from an older reading is out of date."""
        return self._begun.get(page) == ticket

    def stale(self) -> None:
        """Something changed on disk: what is kept is shown until it was read again."""
        self._stale = set(self._kept)

    @property
    def settled(self) -> bool:
        """Whether all there is is known, and nothing of it waits to be read again."""
        return self.ended and not self._stale

    def kept(self) -> Iterator[tuple[int, Entry]]:
        """Every entry in memory, with its row."""
        for page, entries in self._kept.items():
            for offset, entry in enumerate(entries):
                yield self._starts[page] + offset, entry
