"""The state of one terminal's screen, and what all the rest stands on: drawing text, the next line, scrolling.

`Grid` takes pyte's place for a screen (same names where pyte has them) with lines of two strings instead of dictionaries of cells.
`cursor.x == columns` means that a wrap is pending: the last column was written, the next character goes to the next line.
"""

from collections.abc import Sequence

import pyte
from pyte.screens import Cursor, Margins

from .characters import HALF, ZWJ, Clusters, pieces, width
from .lines import Line
from .modes import DECAWM, DECTCEM, IRM, LNM
from .scrollback import Scrollback
from .styles import Styles

# DEC Special Graphics (VT100), for the characters from _ to ~.
_GRAPHICS = " ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"
MOST_COLUMNS = 2000
USUAL_TABS = frozenset(range(8, MOST_COLUMNS, 8))
CHARSETS: dict[str, dict[int, str]] = {
    "B": {},
    "0": {0x5F + index: character for index, character in enumerate(_GRAPHICS)},
    "A": {0x23: "£"},
}


class Saved:
    """What DECSC keeps: one for each of the two screens."""

    __slots__ = ("charsets", "origin", "pen", "shift", "x", "y")

    def __init__(self) -> None:
        self.x = self.y = self.pen = self.shift = 0
        self.charsets = ["B", "B"]
        self.origin = False


class Grid(pyte.Screen):
    """Cells, cursor, modes, margins, scrollback. rows: the lines of the screen that is shown, `lines` of them.

    hidden_rows: those of the other screen while the alternate one is shown, else None. pen: the current style's number.
    """

    columns: int
    lines: int

    def __init__(self, columns: int, lines: int, scrollback: int) -> None:
        self.columns = columns
        self.lines = lines
        self.styles = Styles()
        self.clusters = Clusters()
        self.scrollback = Scrollback(scrollback)
        self.dirty: set[int] = set()
        self.everything = True  # every line is dirty
        self.bells = 0
        self.initialise()

    def initialise(self) -> None:
        """Everything that a hard reset (RIS) resets; the scrollback stays, as in xterm."""
        self.rows = [Line() for _ in range(self.lines)]
        self.hidden_rows: list[Line] | None = None
        self.mode: set[int] = {DECAWM, DECTCEM}
        self.cursor = Cursor(0, 0)
        self.pen = 0
        self.top = 0
        self.bottom = self.lines - 1
        self.tabstops = set(USUAL_TABS)
        self.charsets = ["B", "B"]
        self.shift = 0
        self.last = ""  # what REP repeats
        self.saved = [Saved(), Saved()]  # of the main and of the alternate screen
        self.everything = True
        self.modes_changed()
        self.tabs_changed()

    def modes_changed(self) -> None:
        """Keep what drawing asks at every character beside the set of modes."""
        self.wrapping = DECAWM in self.mode
        self.inserting = IRM in self.mode
        self.cursor.hidden = DECTCEM not in self.mode

    def tabs_changed(self) -> None:
        """The same of the tab stops."""
        self.usual_tabs = self.tabstops == USUAL_TABS

    @property
    def margins(self) -> Margins | None:  # type: ignore[override]
        """pyte's view of the scrolling region: None where it is the whole screen."""
        whole = self.top == 0 and self.bottom == self.lines - 1
        return None if whole else Margins(self.top, self.bottom)

    @property
    def display(self) -> list[str]:
        """Every line as text, filled with blanks to the last column."""
        return [self.clusters.text(row.text + " " * (self.columns - len(row.text))) for row in self.rows]

    @property
    def column(self) -> int:
        """The cursor's column; the last one while a wrap is pending."""
        return min(self.cursor.x, self.columns - 1)

    # -- drawing

    def draw(self, data: str) -> None:
        """Text without control characters, at the cursor."""
        self.last = data[-1:]
        charset = self.charsets[self.shift]
        if charset != "B":
            data = data.translate(CHARSETS[charset])
        if not data.isascii():
            self._draw_mixed(data)
            return
        cursor = self.cursor
        length = len(data)
        end = cursor.x + length
        if end < self.columns and not self.inserting:  # as _draw_narrow, in one step: most text is this
            y = cursor.y
            self.rows[y].write(cursor.x, data, chr(self.pen) * length)
            self.dirty.add(y)
            cursor.x = end
        else:
            self._draw_narrow(data)

    def _draw_narrow(self, text: str) -> None:
        """Characters of one column each."""
        cursor = self.cursor
        x = cursor.x
        end = x + len(text)
        if end <= self.columns:
            self._put(x, text, len(text))
            cursor.x = end
            if end == self.columns and not self.wrapping:
                cursor.x = end - 1
        elif self.wrapping:
            while text:
                if cursor.x >= self.columns:
                    self._wrap()
                part = text[: self.columns - cursor.x]
                text = text[len(part) :]
                self._put(cursor.x, part, len(part))
                cursor.x += len(part)
        else:
            x = self.column
            room = self.columns - x
            if len(text) > room:
                text = text[: room - 1] + text[-1]
            self._put(x, text, len(text))
            cursor.x = self.columns - 1

    def _put(self, x: int, cells: str, count: int) -> None:
        y = self.cursor.y
        row = self.rows[y]
        if self.inserting:
            row.insert(x, count, "\0", self.columns)
        row.write(x, cells, chr(self.pen) * count)
        self.dirty.add(y)

    def _wrap(self) -> None:
        """Go on in the next line."""
        self.rows[self.cursor.y].wrapped = True
        self.cursor.x = 0
        self.index()

    def _draw_mixed(self, text: str) -> None:
        """Text with characters that may be wide, combine, or join."""
        for match in pieces().finditer(text):
            piece = match[0]
            kind = match.lastindex
            if kind != 3 and piece[0] > "\x7f" and self._left().endswith(ZWJ):
                self._combine(piece[0])
                piece = piece[1:]
            if kind == 1:
                self._draw_narrow(piece)
            elif kind == 2:
                self._draw_wide(piece)
            else:
                for character in piece:
                    columns = width(character)
                    if columns == 0 or self._left().endswith(ZWJ):
                        self._combine(character)
                    elif columns == 1:
                        self._draw_narrow(self.clusters.cell(character))
                    else:
                        self._draw_wide(self.clusters.cell(character))

    def _draw_wide(self, text: str) -> None:
        """Characters of two columns each; one that would be split at the edge goes to the next line, or nowhere."""
        if self.columns < 2:
            return
        cursor = self.cursor
        while text:
            fit = (self.columns - cursor.x) // 2
            if fit < 1:
                if not self.wrapping:
                    return
                self._wrap()
                fit = self.columns // 2
            part = text[:fit]
            text = text[fit:]
            self._put(cursor.x, HALF.join(part) + HALF, 2 * len(part))
            cursor.x += 2 * len(part)
            if cursor.x == self.columns and not self.wrapping:
                cursor.x -= 1

    def _left(self) -> str:
        """The cluster in the cell before the cursor, "" at the left edge."""
        text = self.rows[self.cursor.y].text
        x = self._left_column(text)
        return self.clusters.cluster(text[x]) if 0 <= x < len(text) else ""

    def _left_column(self, text: str) -> int:
        x = self.cursor.x - 1
        if self.cursor.x == self.columns - 1 and not self.wrapping and self.columns - 1 < len(text):
            x += 1  # without autowrap the cursor stays on what it wrote last
        return x - 1 if 0 < x < len(text) and text[x] == HALF else x

    def _combine(self, mark: str) -> None:
        """Add a character to the cell before the cursor; at the left edge, or where the cell is full, it is dropped."""
        y = self.cursor.y
        row = self.rows[y]
        x = self._left_column(row.text)
        if x < 0:
            return
        row.pad(x + 1)
        cluster = self.clusters.cluster(row.text[x]) + mark
        if len(cluster) <= self.clusters.LONGEST:
            row.text = row.text[:x] + self.clusters.cell(cluster) + row.text[x + 1 :]
            row.cache = None
            self.dirty.add(y)

    # -- lines

    def carriage_return(self) -> None:
        """CR."""
        self.cursor.x = 0

    def linefeed(self) -> None:
        """LF, VT and FF."""
        self.rows[self.cursor.y].wrapped = False
        self.index()
        if LNM in self.mode:
            self.cursor.x = 0

    def index(self) -> None:
        """IND: one line down; at the bottom margin the region scrolls."""
        cursor = self.cursor
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        if cursor.y == self.bottom:
            self.scroll_up(1, self.top)
        elif cursor.y < self.lines - 1:
            cursor.y += 1

    def reverse_index(self) -> None:
        """RI: one line up; at the top margin the region scrolls."""
        cursor = self.cursor
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        if cursor.y == self.top:
            self.scroll_down(1, self.top)
        elif cursor.y > 0:
            cursor.y -= 1

    def blank_line(self) -> Line:
        """A line as erasing leaves it: blank, in the current background."""
        blank = self.styles.blank(self.pen)
        return Line(" " * self.columns, chr(blank) * self.columns) if blank else Line()

    def scroll_up(self, count: int, top: int) -> None:
        """Lines from `top` to the bottom margin move up; what leaves at the top of the main screen goes to the scrollback."""
        rows, bottom = self.rows, self.bottom
        count = min(count, bottom - top + 1)
        gone = rows[top : top + count]
        if top == 0 and self.hidden_rows is None:
            self.scrollback.extend(gone)
        new = [self.blank_line() for _ in range(count)]
        if top == 0 and bottom == self.lines - 1:
            del rows[:count]
            rows += new
            self.everything = True
        else:
            rows[top : bottom + 1] = rows[top + count : bottom + 1] + new
            self.dirty.update(range(top, bottom + 1))

    def scroll_down(self, count: int, top: int) -> None:
        """Lines from `top` to the bottom margin move down; what leaves at the bottom is lost."""
        bottom = self.bottom
        count = min(count, bottom - top + 1)
        new = [self.blank_line() for _ in range(count)]
        self.rows[top : bottom + 1] = new + self.rows[top : bottom + 1 - count]
        self.dirty.update(range(top, bottom + 1))

    def write_lines(self, lines: Sequence[Line]) -> None:
        """Whole lines, each followed by CR LF, from column 0 of the cursor's line on: what bulk output is made of.

        Only where the cursor is within the scrolling region, nothing is inserted, no line is longer than the screen is wide, and
        the background is the default one; the parser sees to that.
        """
        rows, y, top, bottom = self.rows, self.cursor.y, self.top, self.bottom
        above = min(bottom - y, len(lines))
        for line in lines[:above]:
            if line.text:
                rows[y].write(0, line.text, line.styles)
            rows[y].wrapped = False
            self.dirty.add(y)
            y += 1
        rest = lines[above:]
        if rest:
            if rest[0].text:
                rows[y].write(0, rest[0].text, rest[0].styles)
            rows[y].wrapped = False
            region = [*rows[top : bottom + 1], *rest[1:], Line()]
            gone = len(rest)
            if top == 0 and self.hidden_rows is None:
                self.scrollback.extend(region[:gone])
            rows[top : bottom + 1] = region[gone:]
            if bottom - top == self.lines - 1:
                self.everything = True
            else:
                self.dirty.update(range(top, bottom + 1))
        self.cursor.x = 0
        self.cursor.y = y
