"""Where the cursor goes: CUU to HVP, tabs, saving and restoring. Any of it ends a pending wrap, as in xterm (but for HT)."""

from .drawing import Drawing
from .grid import Saved
from .modes import DECOM


class Movement(Drawing):
    def cursor_up(self, count: int | None = None) -> None:
        """CUU: stops at the top margin, unless it is above it already."""
        cursor = self.cursor
        top = self.top if cursor.y >= self.top else 0
        cursor.x, cursor.y = self.column, max(top, cursor.y - (count or 1))

    def cursor_down(self, count: int | None = None) -> None:
        """CUD and VPR: stops at the bottom margin, unless it is below it already."""
        cursor = self.cursor
        bottom = self.bottom if cursor.y <= self.bottom else self.lines - 1
        cursor.x, cursor.y = self.column, min(bottom, cursor.y + (count or 1))

    def cursor_up1(self, count: int | None = None) -> None:
        """CPL."""
        self.cursor_up(count)
        self.cursor.x = 0

    def cursor_down1(self, count: int | None = None) -> None:
        """CNL."""
        self.cursor_down(count)
        self.cursor.x = 0

    def cursor_back(self, count: int | None = None) -> None:
        """CUB."""
        self.cursor.x = max(0, self.column - (count or 1))

    def backspace(self) -> None:
        """BS: never leaves the line."""
        self.cursor_back(1)

    def cursor_forward(self, count: int | None = None) -> None:
        """CUF and HPR."""
        self.cursor.x = min(self.columns - 1, self.cursor.x + (count or 1))

    def cursor_to_column(self, column: int | None = None) -> None:
        """CHA and HPA, from 1."""
        self.cursor.x = min(self.columns, column or 1) - 1

    def cursor_to_line(self, line: int | None = None) -> None:
        """VPA, from 1, below the top margin in origin mode."""
        self.cursor.x = self.column
        self._to_line(line)

    def _to_line(self, line: int | None) -> None:
        y = (line or 1) - 1
        if DECOM in self.mode:
            self.cursor.y = min(self.bottom, y + self.top)
        else:
            self.cursor.y = min(self.lines - 1, y)

    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        """CUP and HVP, from 1; kept within the margins in origin mode."""
        self.cursor.x = min(self.columns, column or 1) - 1
        self._to_line(line)

    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        """DECSTBM, from 1: a region of at least two lines, or nothing happens. The cursor goes home."""
        first = (top or 1) - 1
        last = min(bottom or self.lines, self.lines) - 1
        if first < last:
            self.top, self.bottom = first, last
            self.cursor_position()

    def next_line(self) -> None:
        """NEL."""
        self.index()
        self.cursor.x = 0

    # -- tabs

    def tab(self) -> None:
        """HT: a pending wrap stays pending."""
        if self.cursor.x < self.columns:
            self._tab_forward()

    def tabs_forward(self, count: int | None = None) -> None:
        """CHT."""
        self.cursor.x = self.column
        for _ in range(min(count or 1, self.columns)):
            if self.cursor.x >= self.columns - 1:
                break
            self._tab_forward()

    def _tab_forward(self) -> None:
        x = self.cursor.x + 1
        while x < self.columns and x not in self.tabstops:
            x += 1
        self.cursor.x = min(x, self.columns - 1)

    def tabs_back(self, count: int | None = None) -> None:
        """CBT."""
        x = self.column
        for _ in range(min(count or 1, self.columns)):
            if x == 0:
                break
            x -= 1
            while x > 0 and x not in self.tabstops:
                x -= 1
        self.cursor.x = x

    def set_tab_stop(self) -> None:
        """HTS."""
        self.tabstops.add(self.column)
        self.tabs_changed()

    def clear_tab_stop(self, how: int = 0) -> None:
        """TBC: 0 the one here, 3 all."""
        if how == 0:
            self.tabstops.discard(self.column)
        elif how == 3:
            self.tabstops.clear()
        self.tabs_changed()

    # -- saving

    def save_cursor(self) -> None:
        """DECSC and SCOSC: position with a pending wrap, style, charsets, origin mode; one place for each screen."""
        saved = self.saved[self.hidden_rows is not None]
        saved.x, saved.y = self.cursor.x, self.cursor.y
        saved.pen, saved.shift, saved.charsets = self.pen, self.shift, list(self.charsets)
        saved.origin = DECOM in self.mode

    def restore_cursor(self) -> None:
        """DECRC and SCORC; where nothing was saved the cursor goes home and its style is the default one."""
        saved: Saved = self.saved[self.hidden_rows is not None]
        self.cursor.x = min(saved.x, self.columns)
        self.cursor.y = min(saved.y, self.lines - 1)
        self.pen, self.shift, self.charsets = saved.pen, saved.shift, list(saved.charsets)
        if saved.origin:
            self.mode.add(DECOM)
            self.cursor.y = max(self.top, min(self.bottom, self.cursor.y))
        else:
            self.mode.discard(DECOM)
