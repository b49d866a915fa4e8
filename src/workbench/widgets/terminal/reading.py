"""Reading in a terminal by keyboard: scrolling, finding, choosing text and copying it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.binding import Binding
from textual.message import Message

from workbench.terminal import Position

from . import words
from .canvas import TerminalCanvas
from .searching import Search
from .selection import Selection, Unit

AT_ONCE, SLICE = 0.03, 0.008
"""Seconds of looking for a text before anything else happens, and then between other things."""
PAN = 8
"""Columns that a terminal wider than its room moves by at a key."""


class Reading(TerminalCanvas):
    """The keys that work while the keyboard is not the program's."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("v", "select('cell')", "Select"),
        Binding("V", "select('line')", "Select lines", show=False),
        Binding("ctrl+v", "select('block')", "Select a block", show=False),
        Binding("y", "copy", "Copy"),
        Binding("up,k", "up(1)", "Up", show=False),
        Binding("down,j", "up(-1)", "Down", show=False),
        Binding("left,h", "across(-1)", "Left", show=False),
        Binding("right,l", "across(1)", "Right", show=False),
        Binding("w", "word(1)", "Next word", show=False),
        Binding("b", "word(-1)", "Word before", show=False),
        Binding("pageup,ctrl+b", "page(1)", "Page up", show=False),
        Binding("pagedown,ctrl+f,space", "page(-1)", "Page down", show=False),
        Binding("home,g", "top", "To the beginning", show=False),
        Binding("end,G", "bottom", "To the end", show=False),
        Binding("n", "match(-1)", "The match before", show=False),
        Binding("N", "match(1)", "The next match", show=False),
        Binding("escape", "leave", "Back", show=False),
    ]

    class Copied(Message):
        """A text went to the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Searched(Message):
        """More was looked through."""

        def __init__(self, search: Search) -> None:
            super().__init__()
            self.search = search

    def scroll_back(self, lines: int) -> None:
        """Back by so many lines, or forward where negative."""
        terminal = self.terminal
        top = max(terminal.first_line, min(self.last_top, self.top - lines))
        self._top = None if top >= terminal.top_line else top
        if self._top is None and self.last_top > terminal.top_line:
            self.viewport.above, self.viewport.held = top - terminal.top_line, True
        self.refresh()
        self._say()

    def find(self, text: str, *, regex: bool = False) -> None:
        """Look for a text, from the newest line back, and bring the last match before what is in sight's end into sight.

        It goes on looking by itself; `Searched` tells how far it is. Raises UsageError for a broken expression. "" forgets what was
        found.
        """
        self.workers.cancel_group(self, "search")
        self.search = Search(self.terminal, text, regex=regex) if text else None
        self.refresh_bindings()
        self.refresh()
        if self.search is not None:
            self._search(self.search, self.top + self.size.height)

    def _search(self, search: Search, end: int) -> None:
        """Most are found at once; of a long scrollback the rest between other things. end: matches before this line come first."""
        search.advance(AT_ONCE)
        shown = self._show_match(search, end)
        if search.done:
            self.post_message(self.Searched(search))
        else:
            self.run_worker(self._search_on(search, end, shown), group="search", exclusive=True)

    async def _search_on(self, search: Search, end: int, shown: bool) -> None:
        while not search.done and search is self.search:
            await asyncio.sleep(0)
            search.advance(SLICE)
            shown = shown or self._show_match(search, end)
            self.post_message(self.Searched(search))
            self.refresh()

    def _show_match(self, search: Search, end: int) -> bool:
        found = search.before(Position(end, 0))
        if found is not None:
            self.show_line(found.start.line)
            self._show_column(found.start.column)
        return found is not None

    def action_match(self, by: int) -> None:
        """To the next match, or the one before."""
        found = self.search.step(by) if self.search else None
        if found is not None:
            self.show_line(found.start.line)
            self._show_column(found.start.column)
            if self.place is not None:
                self._move(*found.start)
            self.refresh()

    def show_line(self, number: int) -> None:
        """Bring a line into sight."""
        if not self.top <= number < self.top + self.size.height:
            self.scroll_back(self.top - (number - self.size.height // 2))

    def action_up(self, lines: int) -> None:
        if self.place is None:
            self.scroll_back(lines)
        else:
            self._move(self.place.line - lines, self.place.column)

    def action_page(self, pages: int) -> None:
        self.action_up(pages * max(1, self.size.height - 1))

    def action_across(self, columns: int) -> None:
        if self.place is not None:
            self._move(self.place.line, self.place.column + columns)
        elif self.viewport.pan(self.terminal, self.size.width, columns * PAN):
            self.refresh()

    def action_word(self, way: int) -> None:
        if self.place is not None:
            self._move(*words.next_word(self.terminal, self.place, way))

    def action_top(self) -> None:
        if self.place is None:
            self.scroll_back(self.top - self.terminal.first_line)
        else:
            self._move(self.terminal.first_line, 0)

    def action_bottom(self) -> None:
        if self.place is None:
            self.scroll_back(self.top - self.last_top)
        else:
            self._move(self.terminal.end_line - 1, self.terminal.columns - 1)

    def _move(self, line: int, column: int) -> None:
        line = max(self.terminal.first_line, min(self.terminal.end_line - 1, line))
        self.place = Position(line, max(0, min(self.terminal.columns - 1, column)))
        if self.selection is not None:
            self.selection.head = self.place
        if not self.top <= line < self.top + self.size.height:
            self.scroll_back(self.top - line if line < self.top else self.top + self.size.height - 1 - line)
        self._show_column(self.place.column)
        self.refresh()

    def _show_column(self, column: int) -> None:
        """Bring a column into sight where the terminal is wider than its room."""
        left, width = self.viewport.left, self.size.width
        if not left <= column < left + width:
            self.viewport.pan(self.terminal, width, column - left - width // 2)

    def action_select(self, unit: Unit) -> None:
        """Begin to choose text where the cursor is; again: begin anew there."""
        if self.place is None:
            cursor = self.terminal.cursor
            row = cursor.y if self._top is None else self.size.height // 2
            self.place = Position(
                min(self.top + row, self.terminal.end_line - 1), 0 if self._top else cursor.x
            )
        self.selection = Selection(self.terminal, self.place, unit)
        self.refresh_bindings()
        self.refresh()

    def action_copy(self) -> None:
        """The selection to the clipboard; what was copied is told by `Copied`."""
        if self.selection is not None:
            text = self.selection.text()
            self.app.copy_to_clipboard(text)
            self.post_message(self.Copied(text))
            self._clear()

    def action_leave(self) -> None:
        """Out of selecting and of what was found, back to the end."""
        self.find("")
        self._clear()
        self.refresh()
        self.refresh_bindings()

    def _clear(self) -> None:
        held = self.viewport.let_go()
        if held or self.selection is not None or self._top is not None or self.place is not None:
            self.selection = self.place = self._top = None
            self._show_all()
            self._say()
