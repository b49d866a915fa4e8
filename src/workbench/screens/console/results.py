"""What one statement gave: its figures in a line, its rows in a grid, or its error, its plan, its count of changes."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Editable, SqlResult, SqlValue
from workbench.model.text import visible
from workbench.widgets.cells import kind_of, size
from workbench.widgets.grid import Grid
from workbench.widgets.grid_lines import GridLines
from workbench.widgets.grid_view import GridView
from workbench.widgets.text_view import TextView

from .connection import Running
from .edit_bar import EditBar


class ResultView(Vertical):
    """One result. The console gives it rows and figures; it says what is wanted of a row."""

    DEFAULT_CSS = """
    ResultView { height: 1fr; width: 1fr; }
    ResultView > #figures { height: 1; width: 1fr; background: $surface; color: $text-muted; padding: 0 1; }
    ResultView > #message { height: auto; max-height: 50%; padding: 1 2; display: none; }
    ResultView > TextView { display: none; padding: 0 1; }
    ResultView > GridView { display: none; }
    ResultView.-rows > GridView { display: block; }
    ResultView.-text > TextView { display: block; }
    ResultView.-message > #message { display: block; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("e", "want('edit')", "Edit"),
        Binding("i", "want('insert')", "New row", show=False),
        Binding("d,delete", "want('delete')", "Delete row", show=False),
        Binding("p", "want('pin')", "Keep this result", show=False),
        Binding("escape", "want('back')", "Editor", show=False),
    ]

    class Want(Message):
        """Something is wanted with the cell under the cursor: edit, insert, delete, pin, back."""

        def __init__(self, view: ResultView, what: str) -> None:
            super().__init__()
            self.view, self.what = view, what

    def __init__(self, number: int, sql: str, start: int = 0, shift: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.number, self.sql, self.start, self.shift = number, sql, start, shift
        self.running: Running | None = None
        self.figures: SqlResult | None = None
        self.editable: Editable | None = None
        self.seconds = 0.0
        self.pinned = False
        self.state = "running"
        self.fetching = asyncio.Lock()
        self.grid_view = GridView()
        self.edit_bar = EditBar()
        self._said = ""

    def compose(self) -> ComposeResult:
        yield Static(id="figures")
        yield Static(id="message")
        yield TextView()
        yield self.grid_view
        yield self.edit_bar

    def on_mount(self) -> None:
        self.draw()

    @property
    def grid(self) -> Grid:
        return self.grid_view.grid

    @property
    def title(self) -> str:
        """For the tab: its number and the statement's beginning."""
        return f"{self.number} {' '.join(self.sql.split())[:24]}"

    def focus_content(self) -> None:
        """Put the focus on the rows, or the text."""
        if self.has_class("-rows"):
            self.grid.focus()
        elif self.has_class("-text"):
            self.query_one(TextView).focus()

    # What it is given

    def started(self, running: Running) -> None:
        """The statement runs; a result with columns is a grid from now on."""
        self.running = running
        if running.columns:
            self.add_class("-rows")
            self.grid.start(running.columns)

    def done(self, figures: SqlResult | None) -> None:
        """It ran to its end."""
        self.state, self.figures = "done", figures
        if self.running is not None:
            self.seconds = self.running.seconds
            if not self.running.columns:
                changes = figures.changes if figures else 0
                text = f"{changes:,} row{'' if changes == 1 else 's'} changed" if changes else "done"
                self._message(Content(text))
        self.draw()

    def failed(self, error: WorkbenchError) -> None:
        """It did not run, or broke off."""
        stopped = error.code == "cancelled"
        self.state = "stopped" if stopped else "failed"
        if self.has_class("-rows"):
            self.grid.stop("stopped here" if stopped else visible(error.message, limit=300))
        elif stopped:
            self._message(Content("stopped before the first row"))
        else:
            parts: list[Any] = [(visible(error.message, lines=True, limit=2000), "bold $text-error")]
            if error.hint:
                parts.append("\n" + visible(error.hint, lines=True, limit=2000))
            self._message(Content.assemble(*parts))
        self.draw()

    def text(self, text: str, said: str) -> None:
        """Something to read instead of rows (a plan)."""
        self.state = "done"
        self.add_class("-text")
        self.query_one(TextView).show(text)
        self.say(said)

    def _message(self, content: Content) -> None:
        self.query_one("#message", Static).update(content)
        self.add_class("-message")

    def say(self, text: str) -> None:
        """A passing word behind the figures."""
        self._said = text
        self.draw()

    # The line of figures

    def draw(self) -> None:
        """Write the figures as they are now."""
        parts: list[str] = []
        held = len(self.grid.held)
        if self.has_class("-rows"):
            more = "" if self.state != "running" or self.grid.held.ended else "+"
            parts.append(f"{held:,}{more} row{'' if held == 1 and not more else 's'}")
        if self.state == "running" and self.running is None:
            parts.append("running · esc stops it")
        seconds = self.running.seconds if self.running else self.seconds
        if self.running is not None or self.seconds:
            parts.append(duration(seconds))
        if self.figures is not None and self.figures.rows_read is not None:
            parts.append(f"read {self.figures.rows_read:,}")
        if self.figures is not None and self.figures.changes and self.has_class("-rows"):
            parts.append(f"changed {self.figures.changes:,}")
        if self.state in ("stopped", "failed"):
            parts.append(self.state)
        if self._said:
            parts.append(self._said)
        head = f"Result {self.number}{' (kept)' if self.pinned else ''} ─ "
        self.query_one("#figures", Static).update(Content(head + " · ".join(parts)))

    # What is wanted of it

    def action_want(self, what: str) -> None:
        self.post_message(self.Want(self, what))

    @on(GridView.Said)
    def grid_said(self, event: GridView.Said) -> None:
        event.stop()
        self.say(event.text)

    @on(Grid.Moved)
    def moved(self, event: Grid.Moved) -> None:
        rows, columns = self.grid.selection
        if len(rows) * len(columns) > 1:
            self.say(f"{len(rows):,} × {len(columns):,} selected")
        elif self._said:
            self.say("")


def details_of(grid: GridLines) -> tuple[tuple[str, str], ...]:
    """The row under the cursor, a value a line, up to 200 of them."""
    names, values = grid.columns.names, grid.held.rows[grid.row]
    rows = zip(names[:200], values[:200], strict=True)
    return tuple((f"{name} ({kind_of(value)})", _said(value)) for name, value in rows)


def _said(value: SqlValue) -> str:
    """A value for the details: text as it is, a blob as hex with its size."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"{size(len(value))} {value[:512].hex()}"
    return value if isinstance(value, str) else repr(value)


def duration(seconds: float) -> str:
    """`3 ms`, `1.25 s`"""
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
