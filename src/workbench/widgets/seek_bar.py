"""Where one is in something that lasts: a bar that is clicked or dragged, with marks on it."""

from __future__ import annotations

from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


class SeekBar(Widget):
    """One line. at and length: seconds; marks: seconds."""

    DEFAULT_CSS = """
    SeekBar { height: 1; width: 1fr; background: $panel; }
    SeekBar > .seek-bar--gone { color: $primary; }
    SeekBar > .seek-bar--rest { color: $text-muted; }
    SeekBar > .seek-bar--mark { color: $text-warning; }
    """
    COMPONENT_CLASSES = {"seek-bar--gone", "seek-bar--rest", "seek-bar--mark"}

    at: reactive[float] = reactive(0.0)
    length: reactive[float] = reactive(0.0)

    class Sought(Message):
        """A place was chosen, in seconds."""

        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.marks: tuple[float, ...] = ()
        self._dragging = False

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        gone, rest, mark = (
            self.get_component_rich_style(f"seek-bar--{part}", partial=True)
            for part in ("gone", "rest", "mark")
        )
        base: Style = self.rich_style
        here = self._cell(self.at)
        marks = {self._cell(seconds) for seconds in self.marks}
        segments = []
        for cell in range(width):
            letter = "●" if cell == here else "◆" if cell in marks else "━" if cell < here else "─"
            style = mark if letter == "◆" else gone if cell <= here else rest
            segments.append(Segment(letter, base + style))
        return Strip(segments, width)

    def _cell(self, seconds: float) -> int:
        last = max(0, self.size.width - 1)
        return round(last * min(1.0, seconds / self.length)) if self.length > 0 else 0

    def _seek(self, event: events.MouseEvent) -> None:
        last = max(1, self.size.width - 1)
        offset = event.get_content_offset_capture(self)
        self.post_message(self.Sought(self.length * max(0, min(last, offset.x)) / last))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self._dragging = True
        self.capture_mouse()
        self._seek(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._seek(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragging = False
        self.release_mouse()
