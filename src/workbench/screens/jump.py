"""Jump mode: a letter on everything that takes the focus; the letter goes there."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class JumpScreen(ModalScreen[None]):
    """Letters over the screen below; any other key leaves."""

    DEFAULT_CSS = """
    JumpScreen { background: $background 30%; layers: letters; }
    JumpScreen Static {
        layer: letters; position: absolute; width: 3; height: 1;
        background: $warning; color: $background; text-style: bold;
    }
    """
    BINDINGS: ClassVar[list[Any]] = [Binding("escape,ctrl+o", "dismiss(None)", "Back")]

    def __init__(self, places: list[tuple[str, Widget]]) -> None:
        super().__init__()
        self.places = places

    @classmethod
    def over(cls, screen: Screen[Any]) -> JumpScreen:
        """With a letter for everything on `screen` that is in sight and takes the focus."""
        found = [widget for widget in screen.focus_chain if widget.region.area and widget.is_attached]
        return cls(list(zip(LETTERS, found, strict=False)))

    def compose(self) -> ComposeResult:
        for letter, widget in self.places:
            label = Static(Content(f" {letter} "))
            label.absolute_offset = Offset(widget.region.x, widget.region.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        for letter, widget in self.places:
            if event.key == letter:
                self.dismiss(None)
                widget.focus()
                return
        self.dismiss(None)
