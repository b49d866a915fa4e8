"""The lines that have left the top of the screen: the newest as they are, older ones packed in compressed pages.

A page holds 256 lines as one compressed text and one compressed string of styles, about 20 bytes a line of ordinary output, and is
opened when somebody looks. Bounded by a number of lines and by bytes, whichever is reached first; whole pages go at the old end.
"""

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from .lines import Line
from .reflow import rewrap

PAGE = 256
_KEPT_OPEN = 4
_MOST_LOOSE = 8192


class Page:
    """Packed lines. first: the number of its first line, counted from the terminal's start.

    lengths, flags: of each line; text, styles: of all lines, compressed; widest: the most cells of a line; wrapped: whether any
    line is continued by the next; size: bytes, about.
    """

    __slots__ = ("count", "first", "flags", "lengths", "size", "styles", "text", "widest", "wrapped")

    def __init__(self, lengths: "array[int]", flags: bytes, text: bytes, styles: bytes) -> None:
        self.first = 0
        self.lengths = lengths
        self.flags = flags
        self.text = text
        self.styles = styles
        self.count = len(lengths)
        self.widest = max(lengths, default=0)
        self.wrapped = any(flag & 1 for flag in flags)
        self.size = len(text) + len(styles) + 3 * self.count + 400

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Page":
        """Pack lines."""
        return cls(
            array("H", [len(line.text) for line in lines]),
            bytes([line.wrapped | line.mark << 1 for line in lines]),
            _packed("".join([line.text for line in lines])),
            _packed("".join([line.styles for line in lines])),
        )

    def open(self) -> list[Line]:
        """The lines, made anew."""
        text, styles = self.contents()
        lines = []
        start = 0
        for length, flags in zip(self.lengths, self.flags):
            end = start + length
            lines.append(Line(text[start:end], styles[start:end], bool(flags & 1), flags >> 1))
            start = end
        return lines

    def contents(self) -> tuple[str, str]:
        """The texts of all lines one after another, and so their styles."""
        return _unpacked(self.text), _unpacked(self.styles)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def _unpacked(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


class Scrollback:
    """Lines by index, 0 the oldest that is kept.

    dropped: how many were lost at the old end, so that `dropped + index` is a line's number for good.
    """

    BYTES = 64 << 20

    def __init__(self, limit: int = 50_000, size: int = BYTES) -> None:
        self.limit = limit
        self.dropped = 0
        self._most = size
        self._pages: list[Page] = []
        self._packed = 0  # lines in pages
        self._bytes = 0
        self._newest: list[Line] = []
        self._open: dict[int, list[Line]] = {}  # by the number of a page's first line

    def __len__(self) -> int:
        return self._packed + len(self._newest)

    @property
    def pages(self) -> list[Page]:
        """The packed pages, oldest first."""
        return self._pages

    @property
    def newest(self) -> list[Line]:
        """The lines after those in pages."""
        return self._newest

    def load(self, dropped: int, pages: Sequence[Page], newest: Sequence[Line]) -> None:
        """Take the place of whatever was in it."""
        self.dropped = dropped
        for page in pages:
            self._add_page(page)
        self._newest = list(newest)
        self._trim()

    @property
    def size(self) -> int:
        """About how many bytes are held."""
        return self._bytes + sum(2 * len(line.text) + 200 for line in self._newest)

    def extend(self, lines: Sequence[Line]) -> None:
        """Add lines at the new end."""
        newest = self._newest
        newest += lines
        if len(newest) >= 2 * PAGE or len(newest) > self.limit:
            self._pack()

    def _pack(self) -> None:
        newest = self._newest
        lost = len(newest) - self.limit
        if lost > 0:  # more came at once than is kept at all
            self._forget_pages()
            del newest[:lost]
            self.dropped += lost
        count = len(newest) // PAGE * PAGE - PAGE  # the newest page's worth stays open
        if count > 0:
            self._add_pages(newest[:count])
            del newest[:count]
        self._trim()

    def drop_oldest(self) -> bool:
        """Give up the oldest page, or half of the lines that are in none; False where there is nothing."""
        if not self._pages:
            half = (len(self._newest) + 1) // 2
            del self._newest[:half]
            self.dropped += half
            return half > 0
        page = self._pages.pop(0)
        self._open.pop(page.first, None)
        self._packed -= page.count
        self._bytes -= page.size
        self.dropped += page.count
        return True

    def _forget_pages(self) -> None:
        self.dropped += self._packed
        self._pages.clear()
        self._open.clear()
        self._packed = self._bytes = 0

    def clear(self) -> None:
        """Drop every line."""
        self._forget_pages()
        self.dropped += len(self._newest)
        self._newest.clear()

    @property
    def last(self) -> Line | None:
        """The newest line, or None."""
        return self[len(self) - 1] if len(self) else None

    def pop(self, count: int) -> list[Line]:
        """Take up to `count` lines back from the new end, oldest first."""
        while len(self._newest) < count and self._pages:
            page = self._pages.pop()
            self._open.pop(page.first, None)
            self._packed -= page.count
            self._bytes -= page.size
            self._newest[:0] = page.open()
        kept = max(0, len(self._newest) - count)
        taken = self._newest[kept:]
        del self._newest[kept:]
        return taken

    def rewrap(self, old: int, new: int) -> None:
        """Every line at another width; pages that fit as they are are not even opened."""
        pages, newest = self._pages, self._newest
        self._pages, self._newest, self._packed, self._bytes = [], [], 0, 0
        self._open.clear()
        loose: list[Line] = []
        for page in pages:
            if page.wrapped or page.widest > new or (loose and loose[-1].wrapped):
                loose += page.open()
                if not loose[-1].wrapped or len(loose) > _MOST_LOOSE:
                    self._add_pages(rewrap(loose, old, new, ())[0])
                    loose = []
            else:
                self._add_pages(rewrap(loose, old, new, ())[0])
                loose = []
                self._add_page(page)
        loose = rewrap(loose + newest, old, new, ())[0]
        if len(loose) > PAGE:
            self._add_pages(loose[:-PAGE])
        self._newest = loose[-PAGE:]
        self._trim()

    def _add_pages(self, lines: Sequence[Line]) -> None:
        for start in range(0, len(lines), PAGE):
            self._add_page(Page.of(lines[start : start + PAGE]))

    def _add_page(self, page: Page) -> None:
        page.first = self.dropped + self._packed
        self._pages.append(page)
        self._packed += page.count
        self._bytes += page.size

    def _trim(self) -> None:
        while self._pages and (len(self) > self.limit or self._bytes > self._most):
            self.drop_oldest()
        lost = len(self._newest) - self.limit
        if lost > 0:
            del self._newest[:lost]
            self.dropped += lost

    def __getitem__(self, index: int) -> Line:
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index >= self._packed:
            return self._newest[index - self._packed]
        number = self.dropped + index
        page = self._pages[bisect_right(self._pages, number, key=lambda page: page.first) - 1]
        return self._lines(page)[number - page.first]

    def _lines(self, page: Page) -> list[Line]:
        found = self._open.get(page.first)
        if found is None:
            if len(self._open) >= _KEPT_OPEN:
                del self._open[next(iter(self._open))]
            found = self._open[page.first] = page.open()
        return found

    def __iter__(self) -> Iterator[Line]:
        for page in list(self._pages):
            yield from page.open()
        yield from list(self._newest)

    def since(self, number: int) -> Iterator[tuple[int, Line]]:
        """(number, line) from a line's number on, for going through many; those dropped meanwhile are left out."""
        for page in list(self._pages):
            if page.first + page.count > number and page.first >= self.dropped:
                for index, line in enumerate(page.open(), page.first):
                    if index >= number:
                        yield index, line
        start = self.dropped + self._packed
        for index, line in enumerate(list(self._newest), start):
            if index >= number:
                yield index, line

    def contents(self) -> Iterator[tuple[str, str]]:
        """Every text and the styles beside it, in larger pieces than lines: for looking at all of them."""
        for page in self._pages:
            yield page.contents()
        for line in self._newest:
            yield line.text, line.styles
