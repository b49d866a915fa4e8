"""The lines that have left the top of the screen: the newest as they are, older ones packed in compressed pages.

A page holds 256 lines as one compressed text and one compressed string of styles, about 20 bytes a line of ordinary output, and is
opened when somebody looks. Bounded by a number of lines and by bytes, whichever is reached first; whole pages go at the old end.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from .lines import Line

PAGE = 256
_KEPT_OPEN = 4


class Page:
    """Packed lines. first: the number of its first line, counted from the terminal's start.

    widest: the most cells of a line; wrapped: whether any line is continued by the next; size: bytes, about.
    """

    __slots__ = ("_flags", "_lengths", "_styles", "_text", "count", "first", "size", "widest", "wrapped")

    def __init__(self, lines: Sequence[Line], first: int) -> None:
        self.first = first
        self.count = len(lines)
        self._lengths = [len(line.text) for line in lines]
        self._flags = bytes([line.wrapped | line.mark << 1 for line in lines])
        self._text = _packed("".join([line.text for line in lines]))
        self._styles = _packed("".join([line.styles for line in lines]))
        self.widest = max(self._lengths, default=0)
        self.wrapped = any(line.wrapped for line in lines)
        self.size = len(self._text) + len(self._styles) + 9 * self.count + 300

    def open(self) -> list[Line]:
        """The lines, made anew."""
        text, styles = self.contents()
        lines = []
        start = 0
        for length, flags in zip(self._lengths, self._flags):
            end = start + length
            lines.append(Line(text[start:end], styles[start:end], bool(flags & 1), flags >> 1))
            start = end
        return lines

    def contents(self) -> tuple[str, str]:
        """The texts of all lines one after another, and so their styles."""
        return _unpacked(self._text), _unpacked(self._styles)


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
    def pages(self) -> int:
        """How many packed pages there are."""
        return len(self._pages)

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
        for start in range(0, count, PAGE):
            page = Page(newest[start : start + PAGE], self.dropped + self._packed)
            self._pages.append(page)
            self._packed += page.count
            self._bytes += page.size
        del newest[: max(count, 0)]
        while self._pages and (len(self) > self.limit or self._bytes > self._most):
            self.drop_oldest()

    def drop_oldest(self) -> bool:
        """Give up the oldest page; False where there is none."""
        if not self._pages:
            return False
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

    def contents(self) -> Iterator[tuple[str, str]]:
        """Every text and the styles beside it, in larger pieces than lines: for looking at all of them."""
        for page in self._pages:
            yield page.contents()
        for line in self._newest:
            yield line.text, line.styles
