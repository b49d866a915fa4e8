"""A cell's value, whole, over the console."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.model.sql import SqlValue
from workbench.model.text import visible
from workbench.widgets.copying import plain
from workbench.widgets.value_view import ValueView


class ValueScreen(ModalScreen[None]):
    """Shows a value every way it can be shown."""

    DEFAULT_CSS = """
    ValueScreen { align: center middle; background: $background 60%; }
    ValueScreen > Vertical {
        width: 94%; max-width: 140; height: 90%; padding: 0 1; background: $surface; border: round $primary;
    }
    ValueScreen #heading { height: 1; text-style: bold; }
    ValueScreen #keys { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q", "dismiss(None)", "Back"),
        Binding("Y,shift+y", "copy", "Copy all"),
    ]

    def __init__(self, title: str, value: SqlValue) -> None:
        super().__init__()
        self._title, self._value = title, value

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(visible(self._title, limit=200)), id="heading")
            yield ValueView()
            yield Static(Content("v another way to look · Y copy all of it · esc back"), id="keys")

    def on_mount(self) -> None:
        view = self.query_one(ValueView)
        view.show_sql(self._value)
        view.focus_value()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(plain(self._value).encode("utf-8", "replace").decode())
        self.app.notify("copied")
