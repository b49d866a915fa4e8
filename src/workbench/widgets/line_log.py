"""Lines that come one after another and may change once they are there, the newest at the end; at most so many are kept."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.text import visible

from .palette import Palette

MOST = 2_000
LONGEST = 300
Line = tuple[tuple[str, str], ...]
"""Pieces of text from anywhere, each with a kind of `widgets/palette.py`, or "" for plain."""


class LineLog(ScrollView, can_focus=True):
    """`put` a line under its key. It follows the end until one moves up; enter posts `Opened`."""

    DEFAULT_CSS = """
    LineLog { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; overflow-x: hidden; }
    LineLog > .line-log--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-log--cursor"}
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home,g", "end(0)", "To the first", show=False),
        Binding("end,G", "end(1)", "To the last", show=False),
        Binding("enter", "open", "Details", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Opened(Message):
        """Enter on a line."""

        def __init__(self, key: Hashable) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, empty: str = "nothing yet", **options: Any) -> None:
        super().__init__(**options)
        self._empty = empty
        self._lines: dict[Hashable, Line] = {}
        self._keys: list[Hashable] = []
        self._follows = True
        self._palette = Palette(self)

    def put(self, key: Hashable, line: Line) -> None:
        """Show a line, or another text for the one of that key."""
        if key not in self._lines:
            self._keys.append(key)
        self._lines[key] = line
        if len(self._keys) > MOST:
            for old in self._keys[: MOST // 4]:
                del self._lines[old]
            del self._keys[: MOST // 4]
            self.cursor = max(0, self.cursor - MOST // 4)
        self.virtual_size = Size(self.size.width, len(self._keys))
        if self._follows:
            self.cursor = len(self._keys) - 1
            self.scroll_to(y=len(self._keys), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        at, width, base = int(self.scroll_offset.y) + y, self.size.width, self.rich_style
        here = self.has_focus and at == self.cursor and bool(self._keys)
        if at < len(self._keys):
            line = self._lines[self._keys[at]]
        else:
            line = ((f" {self._empty}", "muted"),) if not self._keys and y == 0 else ()
        if here:
            base = base + self.get_component_rich_style("line-log--cursor", partial=True)
        segments = [
            Segment(visible(text, limit=LONGEST), base if here or not kind else base + self._palette[kind])
            for text, kind in line
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def watch_cursor(self) -> None:
        if self._keys:
            height = max(1, self.size.height)
            top = int(self.scroll_offset.y)
            if not top <= self.cursor < top + height:
                self.scroll_to(
                    y=self.cursor if self.cursor < top else self.cursor - height + 1, animate=False
                )
            self.refresh()

    def action_move(self, step: int) -> None:
        self.cursor = max(0, min(len(self._keys) - 1, self.cursor + step))
        self._follows = self.cursor == len(self._keys) - 1

    def action_leap(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_end(self, end: int) -> None:
        self.action_move(len(self._keys) if end else -len(self._keys))

    def action_open(self) -> None:
        if self._keys:
            self.post_message(self.Opened(self._keys[self.cursor]))
