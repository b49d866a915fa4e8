"""Erasing, inserting and deleting. A pending wrap ends with any of it, as in xterm."""

from .characters import width
from .drawing import Drawing
from .lines import Line
from .styles import PROTECTED


class Editing(Drawing):
    def _settle(self) -> tuple[int, int]:
        """The cursor's place, without a pending wrap."""
        cursor = self.cursor
        cursor.x = self.column
        return cursor.x, cursor.y

    def _blank(self) -> str:
        return chr(self.styles.blank(self.pen))

    def erase_in_line(self, how: int = 0, *, private: bool = False) -> None:  # type: ignore[override]
        """EL: 0 from the cursor, 1 up to and with it, 2 all. private (DECSEL): but for protected cells."""
        x, y = self._settle()
        if how in (0, 1, 2):
            self._erase(y, 0 if how else x, x + 1 if how == 1 else self.columns, private)

    def erase_in_display(self, how: int = 0, *, private: bool = False) -> None:
        """ED: 0 from the cursor, 1 up to and with it, 2 all, 3 the scrollback. private (DECSED): but for protected cells."""
        x, y = self._settle()
        if how == 0 and (x or y):
            self._erase(y, x, self.columns, private)
            self._erase_lines(y + 1, self.lines, private)
        elif how == 1:
            self._erase_lines(0, y, private)
            self._erase(y, 0, x + 1, private)
        elif how in (0, 2):
            if not private and self.hidden_rows is None:
                self._keep_screen()
            self._erase_lines(0, self.lines, private)
        elif how == 3:
            self.scrollback.clear()

    def _keep_screen(self) -> None:
        """Before the main screen is erased whole: what is on it goes to the scrollback, as in tmux and VTE."""
        used = max((y + 1 for y, row in enumerate(self.rows) if row.text), default=0)
        if used:
            self.rows[used - 1].wrapped = False
            self.scrollback.extend(self.rows[:used])

    def selective_erase_in_line(self, how: int = 0) -> None:
        """DECSEL."""
        self.erase_in_line(how, private=True)

    def selective_erase_in_display(self, how: int = 0) -> None:
        """DECSED."""
        self.erase_in_display(how, private=True)

    def _erase_lines(self, start: int, end: int, private: bool) -> None:
        if private:
            for y in range(start, end):
                self._erase(y, 0, self.columns, True)
        else:
            self.rows[start:end] = [self.blank_line() for _ in range(start, end)]
            self.dirty.update(range(start, end))

    def _erase(self, y: int, start: int, end: int, private: bool = False) -> None:
        row = self.rows[y]
        blank = self._blank()
        if private:
            for first, last, style in list(row.runs()):
                if not self.styles[style].flags & PROTECTED and first < end and last > start:
                    row.erase(max(first, start), min(last, end), blank)
        else:
            row.erase(start, end, blank)
        if end >= self.columns:
            row.wrapped = False
        self.dirty.add(y)

    def erase_characters(self, count: int | None = None) -> None:
        """ECH."""
        x, y = self._settle()
        self._erase(y, x, min(self.columns, x + (count or 1)))

    def insert_characters(self, count: int | None = None) -> None:
        """ICH."""
        x, y = self._settle()
        self.rows[y].insert(x, count or 1, self._blank(), self.columns)
        self.dirty.add(y)

    def delete_characters(self, count: int | None = None) -> None:
        """DCH."""
        x, y = self._settle()
        self.rows[y].delete(x, count or 1, self._blank(), self.columns)
        self.rows[y].wrapped = False
        self.dirty.add(y)

    def insert_lines(self, count: int | None = None) -> None:
        """IL, within the scrolling region; outside of it nothing happens. The column stays, as in tmux and libvterm."""
        _, y = self._settle()
        if self.top <= y <= self.bottom:
            self.scroll_down(count or 1, y)

    def delete_lines(self, count: int | None = None) -> None:
        """DL, within the scrolling region; outside of it nothing happens. The column stays."""
        _, y = self._settle()
        if self.top <= y <= self.bottom:
            bottom = self.bottom
            count = min(count or 1, bottom - y + 1)
            self.rows[y : bottom + 1] = self.rows[y + count : bottom + 1] + [
                self.blank_line() for _ in range(count)
            ]
            self.dirty.update(range(y, bottom + 1))

    def scroll_text_up(self, count: int | None = None) -> None:
        """SU."""
        self.scroll_up(count or 1, self.top)

    def scroll_text_down(self, count: int | None = None) -> None:
        """SD."""
        self.scroll_down(count or 1, self.top)

    def repeat(self, count: int | None = None) -> None:
        """REP: the character that came just before, at most as often as fills the screen."""
        if self.last and width(self.last):
            self.draw(self.last * min(count or 1, self.columns * self.lines))

    def alignment_display(self) -> None:
        """DECALN: the screen full of E in the default style, no margins, cursor home. The current style stays."""
        self.top, self.bottom = 0, self.lines - 1
        text, styles = "E" * self.columns, "\0" * self.columns
        self.rows[:] = [Line(text, styles) for _ in range(self.lines)]
        self.cursor.x = self.cursor.y = 0
        self.everything = True
