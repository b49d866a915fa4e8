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
                self._part(x)
                self._part(end)
                old = self.text
            self.text = old[:x] + text + old[end:]
            own = self.styles
            self.styles = own[:x] + styles + own[end:]
        self.cache = None

    def insert(self, x: int, count: int, style: str, columns: int) -> None:
        """Blank cells at column x; what is pushed beyond the last column is lost."""
        if x >= len(self.text) and style == "\0":
            return
        count = min(count, columns - x)
        self.pad(x)
        self._part(x)
        self._part(columns - count)
        self.text = (self.text[:x] + " " * count + self.text[x:])[:columns]
        self.styles = (self.styles[:x] + style * count + self.styles[x:])[:columns]
        self.cache = None

    def delete(self, x: int, count: int, style: str, columns: int) -> None:
        """Take cells out at column x; blank ones come in at the last column."""
        count = min(count, columns - x)
        if style != "\0":
            self.pad(columns)
        elif x >= len(self.text):
            return
        self._part(x)
        self._part(x + count)
        self.text = self.text[:x] + self.text[x + count :]
        self.styles = self.styles[:x] + self.styles[x + count :]
        if style != "\0":
            self.text += " " * count
            self.styles += style * count
        self.cache = None

    def erase(self, start: int, end: int, style: str) -> None:
        """Make the cells of columns start to end (exclusive) blank, in `style`."""
        if end >= len(self.text) and style == "\0":
            self.cut(start)
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
            self._part(columns)
            self.text = self.text[:columns]
            self.styles = self.styles[:columns]
            self.cache = None

    def _part(self, x: int) -> None:
        """Before a change that ends or begins at column x: a wide character across it becomes two blanks."""
        text = self.text
        if 0 < x < len(text) and text[x] == HALF:
            self.text = text[: x - 1] + "  " + text[x + 1 :]
            self.styles = self.styles[: x - 1] + "\0\0" + self.styles[x + 1 :]
