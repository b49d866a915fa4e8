"""The state of one terminal's screen, and what all the rest stands on: the next line, and scrolling.

`Grid` takes pyte's place for a screen (same names where pyte has them) with lines of two strings instead of dictionaries of cells.
`cursor.x == columns` means that a wrap is pending: the last column was written, the next character goes to the next line.
"""

import pyte
from pyte.screens import Cursor, Margins

from .characters import Clusters
from .events import Event
from .lines import Line
from .modes import DECAWM, DECTCEM, IRM, LNM
from .palette import Palette
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
        self.title = ""
        self.icon_name = ""
        self.palette = Palette()
        self.events: list[Event] = []
        self.outbox = ""
        self.initialise()

    def initialise(self) -> None:
        """Everything that a hard reset (RIS) resets; scrollback and titles stay, as in xterm, and what nobody took yet."""
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
        self.palette.changed = {}
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
