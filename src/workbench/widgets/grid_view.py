"""A grid with what one does with it: find, go to a column, copy."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Static

from workbench.model.sql import SqlValue
from workbench.model.text import visible

from .copying import FORMS, Form, as_text, plain
from .grid import Grid
from .safe_input import SafeInput

SLICE = 2_000
"""Rows searched between two looks at the keyboard."""


class GridView(Vertical):
    """Holds a `Grid`, and below it a line that asks what to find or where to go."""

    DEFAULT_CSS = """
    GridView { height: 1fr; width: 1fr; }
    GridView > #ask { height: 1; display: none; layout: horizontal; background: $panel; }
    GridView > #ask > Static { width: auto; padding: 0 1; }
    GridView > #ask > SafeInput { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    GridView.-asking > #ask { display: block; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("slash", "ask('find')", "Find"),
        Binding("n", "find_again(1)", "Find the next", show=False),
        Binding("N,shift+n", "find_again(-1)", "Find the one before", show=False),
        Binding("c", "ask('column')", "Go to column", show=False),
        Binding("y", "copy('tsv')", "Copy"),
        Binding("Y,shift+y", "copy_next", "Copy as CSV, JSON, SQL", show=False),
        Binding("escape", "close_ask", "Back", show=False),
    ]

    class Said(Message):
        """A passing word for the line that shows such things."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.grid = Grid()
        self.table = "result"
        self._asking = ""
        self._found = ""
        self._form: Form = "tsv"
        self._supplied = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield self.grid
        with Vertical(id="ask"):
            yield Static(id="label")
            yield SafeInput(id="answer")

    def supplied(self) -> None:
        """Rows came: a search that waits for them goes on."""
        self._supplied.set()

    # Asking

    def action_ask(self, what: str) -> None:
        """Find text, or go to a column: the line below opens."""
        self._asking = what
        answer = self.query_one("#answer", SafeInput)
        self.query_one("#label", Static).update(Content("find" if what == "find" else "column"))
        answer.suggester = (
            SuggestFromList(self.grid.columns.names, case_sensitive=False) if what == "column" else None
        )
        self.add_class("-asking")
        answer.value = self._found if what == "find" else ""
        answer.focus()

    @on(SafeInput.Submitted, "#answer")
    def answered(self, event: SafeInput.Submitted) -> None:
        event.stop()
        self._close_ask()
        if self._asking == "column":
            self.go_to_column(event.value)
        elif event.value:
            self._found = event.value
            self.find(event.value, 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the line asks, its letters are not commands."""
        asking = self.has_class("-asking")
        return asking if action == "close_ask" else not asking

    def action_close_ask(self) -> None:
        """Close the line."""
        self._close_ask()

    def _close_ask(self) -> None:
        self.remove_class("-asking")
        self.grid.focus()

    def go_to_column(self, name: str) -> None:
        """The column of that name, or the first that holds the text, or by number."""
        names = [column.lower() for column in self.grid.columns.names]
        wanted = name.strip().lower()
        places = [at for at, column in enumerate(names) if column == wanted]
        places += [at for at, column in enumerate(names) if wanted and wanted in column]
        if not places and wanted.isdigit() and 0 < int(wanted) <= len(names):
            places = [int(wanted) - 1]
        if places:
            self.grid.move_to(self.grid.row, places[0])
        else:
            self.post_message(self.Said(f"no column {visible(name, limit=60)}"))

    # Finding

    def action_find_again(self, step: int) -> None:
        if self._found:
            self.find(self._found, step)

    @work(exclusive=True, group="find")
    async def find(self, text: str, step: int) -> None:
        """Go to the next cell that holds the text (any case), reading on where rows are left to read."""
        grid = self.grid
        row, column = grid.row, grid.column + step
        try:
            while True:
                found = await self._in_held(text.lower(), row, column, step)
                if found is not None:
                    grid.move_to(*found)
                    return
                row, column = len(grid.held), 0
                if step < 0 or grid.held.ended or grid.held.full:
                    break
                self.post_message(
                    self.Said(
                        f"looking for {visible(text, limit=40)}: {len(grid.held):,} rows read · esc stops"
                    )
                )
                self._supplied.clear()
                grid.searching = True
                grid.want()
                await self._supplied.wait()
        finally:
            grid.searching = False
        more = "" if grid.held.ended or step < 0 else f" in the {len(grid.held):,} rows held"
        self.post_message(self.Said(f"no more {visible(text, limit=40)}{more}"))

    def stop_finding(self) -> bool:
        """Stop a search; whether one was going on."""
        was = self.grid.searching
        self.workers.cancel_group(self, "find")
        self.grid.searching = False
        return was

    async def _in_held(self, needle: str, row: int, column: int, step: int) -> tuple[int, int] | None:
        """The next cell with the needle among the rows held."""
        rows = self.grid.held.rows
        looked = 0
        while 0 <= row < len(rows):
            at = _in_row(rows[row], needle, column, step)
            if at is not None:
                return row, at
            row, column = row + step, 0 if step > 0 else len(self.grid.columns) - 1
            looked += 1
            if looked % SLICE == 0:
                await asyncio.sleep(0)
        return None

    # Copying

    def action_copy(self, form: Form) -> None:
        """The selection to the clipboard."""
        self._form = form
        if self.grid.empty:
            return
        rows, columns = self.grid.selection
        names = [self.grid.columns.names[at] for at in columns]
        cells = (tuple(self.grid.held.rows[row][at] for at in columns) for row in rows)
        text = as_text(names, cells, form, self.table)
        self.app.copy_to_clipboard(text.encode("utf-8", "replace").decode())
        count = len(rows) * len(columns)
        what = "1 value" if count == 1 else f"{len(rows):,} × {len(columns):,} values"
        self.post_message(self.Said(f"copied {what} as {form.upper()}; Y for the next form"))

    def action_copy_next(self) -> None:
        """Copy again, in the next form."""
        self.action_copy(FORMS[(FORMS.index(self._form) + 1) % len(FORMS)])


def _in_row(row: tuple[SqlValue, ...], needle: str, start: int, step: int) -> int | None:
    places = range(max(0, start), len(row)) if step > 0 else range(min(start, len(row) - 1), -1, -1)
    for at in places:
        value = row[at]
        if value is not None and needle in plain(value).lower():
            return at
    return None
