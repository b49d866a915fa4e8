"""One line of tabs, as many as there are; the active one is always in sight."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.model.text import visible

LABEL_WIDTH = 28


class TabLabel(NamedTuple):
    """id: the pane's widget id. label: untrusted. mark: a sign behind the label ("•" for something unsaved)."""

    id: str
    label: str
    mark: str = ""


class TabStrip(Widget):
    """Draws tabs and says which was clicked. A middle click, or one on the ×, asks to close."""

    DEFAULT_CSS = """
    TabStrip { height: 1; width: 1fr; background: $panel; color: $text-muted; }
    """

    tabs: reactive[tuple[TabLabel, ...]] = reactive(())
    active: reactive[str] = reactive("")

    class Picked(Message):
        def __init__(self, tab_id: str) -> None:
            super().__init__()
            self.tab_id = tab_id

    class CloseAsked(Picked):
        pass

    def render(self) -> Content:
        parts: list[tuple[str, str] | str] = []
        self._spans: list[tuple[int, int, str]] = []
        x = 0
        shown = self._in_sight()
        if shown and shown[0] != self.tabs[0]:
            parts.append("‹ ")
            x = 2
        for tab in shown:
            text = Content(f" {visible(tab.label, limit=LABEL_WIDTH)}{tab.mark} × ")
            parts.append((text.plain, "bold $foreground on $surface" if tab.id == self.active else ""))
            self._spans.append((x, x + text.cell_length, tab.id))
            x += text.cell_length
        if shown and shown[-1] != self.tabs[-1]:
            parts.append(" ›")
        return Content.assemble(*parts)

    def _in_sight(self) -> tuple[TabLabel, ...]:
        """The tabs that fit, with the active one among them."""
        room = self.size.width - 4
        at = next((i for i, tab in enumerate(self.tabs) if tab.id == self.active), 0)
        first, used = at, 0
        for index in range(at, -1, -1):
            used += self._width(self.tabs[index]) if self.tabs else 0
            if used > room:
                break
            first = index
        last, used = first, 0
        for index in range(first, len(self.tabs)):
            used += self._width(self.tabs[index])
            if used > room and index > at:
                break
            last = index + 1
        return self.tabs[first:last]

    @staticmethod
    def _width(tab: TabLabel) -> int:
        return Content(f" {visible(tab.label, limit=LABEL_WIDTH)}{tab.mark} × ").cell_length

    def on_click(self, event: events.Click) -> None:
        for start, end, tab_id in self._spans:
            if start <= event.x < end:
                closing = event.button == 2 or event.x >= end - 3
                self.post_message(self.CloseAsked(tab_id) if closing else self.Picked(tab_id))
