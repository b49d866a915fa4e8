"""One of a few things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static

from workbench.model.text import visible


class Choosing(ModalScreen[int | None]):
    """Gives the number of what was chosen, from 0."""

    DEFAULT_CSS = """
    Choosing { align: center middle; background: $background 60%; }
    Choosing > Vertical {
        width: 90%; max-width: 70; height: auto; max-height: 80%; padding: 0 1; background: $surface; border: round $primary;
    }
    Choosing OptionList, Choosing OptionList:focus { height: auto; max-height: 16; border: none; padding: 0; }
    Choosing #keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, title: str, names: Sequence[str]) -> None:
        super().__init__()
        self.heading, self.names = title, names

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Content(visible(self.heading, limit=200)))
            yield OptionList(*(Content(visible(name, limit=200)) for name in self.names))
            yield Static(Content("enter chooses · esc back"), id="keys")

    @on(OptionList.OptionSelected)
    def picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
