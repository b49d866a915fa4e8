"""The line below a result that changes a row: the value typed above, the statement it makes below, run by enter."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from workbench.model.sql import SqlValue
from workbench.model.text import visible
from workbench.widgets.safe_input import SafeInput

from .editing import TYPES, Cell, ValueType, read, type_of, typed

WIDE = 72
"""Cells from which the keys stand beside the value."""


class EditBar(Vertical, can_focus=True):
    """Shows a statement before it runs. `Run` carries it; Escape goes back with nothing done."""

    DEFAULT_CSS = """
    EditBar { height: auto; display: none; background: $panel; border-left: thick $warning; padding: 0 1; }
    EditBar.-open { display: block; }
    EditBar > Horizontal { height: 1; }
    EditBar #what { width: auto; color: $text-primary; padding-right: 1; }
    EditBar #value { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    EditBar #statement { height: auto; max-height: 4; }
    EditBar #keys { width: auto; color: $text-muted; padding-left: 1; }
    EditBar.-narrow #keys { display: none; }
    EditBar.-asking #keys { display: block; width: 1fr; padding: 0; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "back", "Back"),
        Binding("up", "type(-1)", "Type", show=False),
        Binding("down", "type(1)", "Type", show=False),
        Binding("enter", "run", "Run", show=False),
    ]

    class Run(Message):
        """The statement shown is wanted. target, value: the cell it writes, or None for another statement."""

        def __init__(self, sql: str, target: Cell | None, value: SqlValue, what: str) -> None:
            super().__init__()
            self.sql, self.target, self.value, self.what = sql, target, value, what

    class Back(Message):
        """Nothing is to be done."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._target: Cell | None = None
        self._what = ""
        self._sql = ""
        self._kind: ValueType = "text"
        self._typed_kind: ValueType = "text"
        self._began: tuple[str, ValueType] = ("", "text")
        self._before: SqlValue = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(id="what")
            yield SafeInput(id="value", compact=True, select_on_focus=False)
            yield Static(id="keys")
        yield Static(id="statement")

    @property
    def opened(self) -> bool:
        return self.has_class("-open")

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < WIDE, "-narrow")

    # Three ways to open

    def edit(self, target: Cell, value: SqlValue, kind: ValueType) -> None:
        """Write a cell. kind: what is typed over a NULL becomes this type."""
        self._open("update", target)
        self._before, self._typed_kind = value, kind
        self._kind = type_of(value)
        field = self.query_one("#value", SafeInput)
        field.display = True
        field.value = typed(value)
        field.cursor_position = len(field.value)
        self._began = (field.value, type_of(value))
        field.focus()
        self._draw()

    def write(self, sql: str) -> None:
        """A statement to fill in and run."""
        self._open("statement", None)
        field = self.query_one("#value", SafeInput)
        field.display = True
        field.value = sql
        first = sql.find("VALUES (")
        field.cursor_position = first + len("VALUES (") if first >= 0 else len(sql)
        field.focus()
        self._draw()

    def ask(self, sql: str, target: Cell | None = None) -> None:
        """A statement to run as it is."""
        self._open("delete", target)
        self._sql = sql
        self.query_one("#value").display = False
        self.focus()
        self._draw()

    def _open(self, what: str, target: Cell | None) -> None:
        self._what, self._target = what, target
        self.add_class("-open")
        self.set_class(what == "delete", "-asking")

    def close(self) -> None:
        self.remove_class("-open")

    # What is shown

    def _value(self) -> SqlValue:
        """Raises ValueError. What was not touched is the value it was, byte for byte."""
        text = self.query_one("#value", SafeInput).value
        if (text, self._kind) == self._began:
            return self._before
        return read(text, self._kind)

    def _statement(self) -> str:
        if self._what == "update" and self._target is not None:
            return self._target.update(self._value())
        return self.query_one("#value", SafeInput).value if self._what == "statement" else self._sql

    @on(Input.Changed)
    def typed_something(self, event: Input.Changed) -> None:
        event.stop()
        if self._what == "update" and self._kind == "null" and event.value:
            self._kind = self._typed_kind
        self._draw()

    def _draw(self) -> None:
        what = self.query_one("#what", Static)
        if self._what == "update" and self._target is not None:
            name = {"null": "NULL", "blob": "blob as hex"}.get(self._kind, self._kind)
            what.update(Content(f"{visible(self._target.column, limit=24)} ({name})"))
        else:
            what.update(Content("run" if self._what == "statement" else ""))
        try:
            shown, problem = self._statement(), ""
        except ValueError as error:
            shown, problem = "", str(error)
        statement = self.query_one("#statement", Static)
        if problem:
            statement.update(Content.styled(problem, "$text-error"))
        else:
            statement.update(
                Content(visible(shown, limit=1_000)) if self._what != "statement" else Content("")
            )
        types = " · ↑↓ type" if self._what == "update" else ""
        self.query_one("#keys", Static).update(Content(f"enter run · esc back{types}"))

    # Keys

    def action_type(self, step: int) -> None:
        """Another type for what is typed."""
        if self._what == "update":
            self._kind = TYPES[(TYPES.index(self._kind) + step) % len(TYPES)]
            self._draw()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_run()

    def action_run(self) -> None:
        try:
            sql = self._statement()
            value = self._value() if self._what == "update" else None
        except ValueError:
            return
        self.post_message(self.Run(sql, self._target, value, self._what))

    def action_back(self) -> None:
        self.close()
        self.post_message(self.Back())
