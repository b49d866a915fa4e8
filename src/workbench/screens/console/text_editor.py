"""A long text of a cell, edited in a window; the UPDATE is shown before it runs."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from workbench.model.errors import WorkbenchError
from workbench.model.target import Target
from workbench.model.text import visible
from workbench.screens.outside import edit_outside
from workbench.widgets.safe_input import SafeTextArea
from workbench.widgets.target_badge import TargetBadge

from .editing import Cell

MOST = 300_000
"""Characters a text area takes without getting slow."""


class CellTextEditor(ModalScreen[str | None]):
    """Gives the text to write, or None."""

    DEFAULT_CSS = """
    CellTextEditor { align: center middle; background: $background 60%; }
    CellTextEditor > Vertical {
        width: 94%; max-width: 140; height: 90%; padding: 0 1; background: $surface; border: round $primary;
    }
    CellTextEditor SafeTextArea { height: 1fr; border: none; padding: 0; }
    CellTextEditor #heading { height: 1; text-style: bold; }
    CellTextEditor #statement { height: auto; max-height: 3; color: $text-muted; }
    CellTextEditor #keys { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "write", "Run", priority=True),
        Binding("ctrl+e", "external", "$EDITOR", priority=True),
        Binding("escape", "back", "Back"),
    ]

    def __init__(self, cell: Cell, value: str, target: Target) -> None:
        super().__init__()
        self._cell, self._value, self._target = cell, value, target
        self._warned = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content(visible(f"{self._cell.table}.{self._cell.column}", limit=200)), id="heading")
            yield TargetBadge(self._target)
            yield SafeTextArea(self._value, read_only=len(self._value) > MOST, tab_behavior="indent")
            yield Static(id="statement")
            yield Static(id="keys")

    def on_mount(self) -> None:
        area = self.query_one(SafeTextArea)
        area.focus()
        self._before = area.text
        self._say("too long to edit here" if area.read_only else "")

    def _say(self, text: str) -> None:
        """The keys, with a word in front of them."""
        keys = "ctrl+s run · ctrl+e $EDITOR · esc back"
        self.query_one("#keys", Static).update(
            Content(f"{visible(text, limit=300)} · {keys}" if text else keys)
        )

    @on(TextArea.Changed)
    def changed(self) -> None:
        text = self.query_one(SafeTextArea).text
        statement = self._cell.update(text if len(text) < 60 else text[:60] + "…")
        self.query_one("#statement", Static).update(Content(visible(statement, limit=400)))

    def action_write(self) -> None:
        text = self.query_one(SafeTextArea).text
        # Untouched text is given back as it was, whatever line ends the area made of it.
        self.dismiss(self._value if text == self._before else text)

    def action_external(self) -> None:
        """The text in the user's own editor; one too long to be edited here comes back as what is to be written."""
        area = self.query_one(SafeTextArea)
        before = self._value if area.text == self._before else area.text
        try:
            text = edit_outside(self.app, before)
        except WorkbenchError as error:
            self._say(f"{error.message} {error.hint}".strip())
            return
        if area.read_only and text != before:
            self.dismiss(text)
        elif text != before:
            area.text = text

    def action_back(self) -> None:
        """Back; what was typed is thrown away only at the second Escape."""
        if self.query_one(SafeTextArea).text != self._before and not self._warned:
            self._warned = True
            self._say("esc again throws away what you typed")
            return
        self.dismiss(None)
