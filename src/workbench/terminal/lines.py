"""A line of the screen: one string of cells and one of style numbers, both cut and joined by slices.

Most programs rewrite pieces of lines; on two strings of a hundred characters every such edit is a few slices in C, and the runs of
equal style are found when a line is drawn. The cells at the end that nobody wrote are not there: they are blank, in the default style.
"""

from collections.abc import Iterator

from .characters import HALF

# What a shell said about a line (OSC 133).
NO_MARK, PROMPT, COMMAND, OUTPUT, FINISHED = range(5)


class Line:
    """One row. text: a code point a cell; styles: `chr(number)` a cell, as long as text; wrapped: the next line goes on with it.

    cache belongs to whoever draws the line (a rendered strip, say): every change sets it to None, moving the line does not.
    """

    __slots__ = ("cache", "mark", "styles", "text", "wrapped")

    def __init__(self, text: str = "", styles: str = "", wrapped: bool = False, mark: int = NO_MARK) -> None:
        self.text = text
        self.styles = styles
        self.wrapped = wrapped
        self.mark = mark
        self.cache: object = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self._key() == other._key()

    __hash__ = None  # type: ignore[assignment]

    def _key(self) -> tuple[str, str, bool, int]:
        return self.text, self.styles, self.wrapped, self.mark

    def __repr__(self) -> str:
        return f"Line({self.text!r}, {self.styles!r}, wrapped={self.wrapped}, mark={self.mark})"

    def copy(self) -> "Line":
        return Line(self.text, self.styles, self.wrapped, self.mark)

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, style number) of each run of equal style, in order."""
        styles = self.styles
        length = len(styles)
        start = 0
        while start < length:
            style = styles[start]
            end = length - len(styles[start:].lstrip(style))
            yield start, end, ord(style)
            start = end

    def write(self, x: int, text: str, styles: str) -> None:
        """Put cells at column x, over what is there. What is left of a wide character that loses a half is blank."""
        old = self.text
        length = len(old)
        if x >= length:
            if x > length:
                text = " " * (x - length) + text
                styles = "\0" * (x - length) + styles
            self.text = old + text
            self.styles += styles
        else:
            end = x + len(text)
            if HALF in old:
                old = _halved(_halved(old, x), end)
            self.text = old[:x] + text + old[end:]
            own = self.styles
            self.styles = own[:x] + styles + own[end:]
        self.cache = None

    def insert(self, x: int, count: int, style: str, limit: int) -> None:
        """Blank cells at column x; what is pushed beyond column `limit` is lost."""
        if x >= len(self.text) and style == "\0":
            return
        self.pad(x)
        text = _halved(self.text, x)
        own = self.styles
        keep = limit - count
        count = min(count, limit - x)
        if x < keep:
            text = text[:x] + " " * count + _halved(text[:limit], keep)[x:keep] + text[limit:]
            own = own[:x] + style * count + own[x:keep] + own[limit:]
        else:
            text = text[:x] + " " * count + text[limit:]
            own = own[:x] + style * count + own[limit:]
        self.text, self.styles = text, own
        self.cache = None

    def delete(self, x: int, count: int, style: str, limit: int) -> None:
        """Take cells out at column x; blank ones come in before column `limit`."""
        count = min(count, limit - x)
        if style != "\0" or len(self.text) > limit:
            self.pad(limit)
        elif x >= len(self.text):
            return
        text = _halved(_halved(self.text, x), x + count)
        if len(text) > limit:
            text = _halved(text, limit)
        fill = count if len(text) >= limit else 0
        self.text = text[:x] + text[x + count : limit] + " " * fill + text[limit:]
        own = self.styles
        self.styles = own[:x] + own[x + count : limit] + style * fill + own[limit:]
        self.cache = None

    def erase(self, start: int, end: int, style: str) -> None:
        """Make the cells of columns start to end (exclusive) blank, in `style`."""
        length = len(self.text)
        if end >= length and style == "\0":
            if start < length:
                self.text = _halved(self.text, start)[:start]
                self.styles = self.styles[:start]
                self.cache = None
        elif start < end:
            self.write(start, " " * (end - start), style * (end - start))

    def pad(self, length: int) -> None:
        """Write out the blank cells up to a length."""
        missing = length - len(self.text)
        if missing > 0:
            self.text += " " * missing
            self.styles += "\0" * missing

    def cut(self, columns: int) -> None:
        """Lose what is beyond a width."""
        if len(self.text) > columns:
            self.text = _halved(self.text, columns)[:columns]
            self.styles = self.styles[:columns]
            self.cache = None


def _halved(text: str, x: int) -> str:
    """The text with the wide character that a cut before column x would split made blank."""
    if 0 < x < len(text) and text[x] == HALF:
        return text[: x - 1] + "  " + text[x + 1 :]
    return text
