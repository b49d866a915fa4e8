"""The line in which one says what is to be found in a terminal."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.widgets import Input

from workbench.model.errors import UsageError
from workbench.model.text import visible
from workbench.widgets.safe_input import SafeInput

from .reading import Reading


class FindBar(SafeInput):
    """Shown by `ask`, over the last line of what it lies in. Enter finds and goes back to the view; a text that begins with / is
    a regular expression.
    """

    DEFAULT_CSS = """
    FindBar {
        layer: above; dock: bottom; height: 1; display: none; border: none; padding: 0 1; background: $panel;
        &:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "close", "Back")]

    def __init__(self, view: Reading, **options: Any) -> None:
        super().__init__(placeholder="find; a regular expression after /", **options)
        self._view = view

    def ask(self) -> None:
        """What shall be found? What was is offered again."""
        self.display = True
        found = self._view.search
        self.value = ("/" if found.regex else "") + found.text if found else ""
        self.screen.set_focus(self)  # at once: who types on is not waiting for it

    def action_close(self) -> None:
        self.display = False
        self._view.focus()

    @on(Input.Submitted)
    def find(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            self._view.find(event.value.removeprefix("/"), regex=event.value.startswith("/"))
        except UsageError as error:
            self.notify(visible(error.message, limit=300), severity="error", markup=False)
            return
        self.action_close()
