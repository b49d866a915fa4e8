"""Text of any size, read only: long lines wrap at the width, and only what is in sight is made visible and drawn."""

from __future__ import annotations

import asyncio
from array import array
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import work
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.text import visible

SLICE = 64 * 1024
"""Characters wrapped between two looks at the keyboard."""
TAB = "    "


class TextView(ScrollView, can_focus=True):
    """`show` a text. What is not wrapped yet follows while one reads."""

    DEFAULT_CSS = """
    TextView { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "scroll_up", "Scroll up", show=False),
        Binding("down,j", "scroll_down", "Scroll down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown,space", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Scroll to the beginning", show=False),
        Binding("end", "scroll_end", "Scroll to the end", show=False),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.text = ""
        self._starts = array("Q")
        self._width = 0

    def show(self, text: str, *, keep: bool = False) -> None:
        """keep: the lines in sight stay where they are."""
        self.text = text
        self._width = 0
        if not keep:
            self.scroll_to(0, 0, animate=False)
        self._wrap()

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        width = self.size.width
        if width > 0 and width != self._width:
            self._width = width
            self._starts = array("Q")
            done = wrap(self.text, 0, SLICE, width, self._starts)
            self._grown()
            if done < len(self.text):
                self._wrap_rest(done, width)

    @work(exclusive=True, group="wrap")
    async def _wrap_rest(self, done: int, width: int) -> None:
        text, slices = self.text, 0
        while done < len(text) and width == self._width and text is self.text:
            await asyncio.sleep(0)
            done = wrap(text, done, SLICE, width, self._starts)
            slices += 1
            if slices % 20 == 0 or done >= len(text):
                self._grown()

    def _grown(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._starts))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        at = int(self.scroll_offset.y) + y
        base, width = self.rich_style, self.size.width
        if at >= len(self._starts):
            return Strip.blank(width, base)
        start = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else min(len(self.text), start + 4 * width)
        newline = self.text.find("\n", start, end)
        shown = drawn(self.text[start : newline if newline >= 0 else end])
        return Strip([Segment(shown, base)]).adjust_cell_length(width, base)


def drawn(text: str) -> str:
    """A piece of a line as it is shown."""
    return (
        "".join(TAB if part == "\t" else visible(part) for part in _parts(text))
        if "\t" in text
        else visible(text)
    )


def _parts(text: str) -> list[str]:
    return [part for piece in text.split("\t") for part in (piece, "\t")][:-1]


def wrap(text: str, start: int, count: int, width: int, starts: array[int]) -> int:
    """Append to `starts` where each line on screen begins, for whole lines of about `count` characters from `start`.

    Returns how far it came (the beginning of a line of the text, or its end).
    """
    stop = min(len(text), start + count)
    while start < stop:
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline
        if end - start > 4 * SLICE:
            # A very long line: as much of it as the slice has, and on from there the next time.
            end = start + SLICE - SLICE % width
            _wrap_line(text[start:end], start, width, starts)
            return end
        _wrap_line(text[start:end], start, width, starts)
        start = end + 1
    if start == len(text) and text.endswith("\n") and count:
        starts.append(start)
    return max(start, stop)


def _wrap_line(line: str, start: int, width: int, starts: array[int]) -> None:
    if line.isascii() and line.isprintable():
        starts.extend(range(start, start + max(1, len(line)), width))
        return
    starts.append(start)
    used = 0
    for at, letter in enumerate(line):
        wide = 1 if " " <= letter <= "~" else len(TAB) if letter == "\t" else cell_len(visible(letter))
        if used + wide > width:
            starts.append(start + at)
            used = 0
        used += wide
