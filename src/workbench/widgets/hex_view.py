"""Bytes of any size as offset, hex and text; only the lines in sight are made."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .palette import Palette

# Every byte as one visible cell: printable ASCII as itself, the rest as a dot.
_LETTERS = "".join(chr(code) if 0x20 <= code < 0x7F else "·" for code in range(256))


class HexView(ScrollView, can_focus=True):
    """`show` bytes; 16 a line where they fit, else 8 or 4."""

    DEFAULT_CSS = """
    HexView { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; overflow-x: hidden; }
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
        self.data = b""
        self._palette = Palette(self)

    def show(self, data: bytes, *, keep: bool = False) -> None:
        """keep: the lines in sight stay where they are."""
        self.data = data
        if not keep:
            self.scroll_to(0, 0, animate=False)
        self._grown()

    def on_resize(self) -> None:
        self._grown()

    @property
    def per_line(self) -> int:
        """Bytes a line: each takes four cells, after nine of offset."""
        room = (self.size.width - 12) // 4
        return 16 if room >= 16 else 8 if room >= 8 else 4

    def _grown(self) -> None:
        self.virtual_size = Size(self.size.width, -(-len(self.data) // self.per_line))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        count, base = self.per_line, self.rich_style
        start = (int(self.scroll_offset.y) + y) * count
        piece = self.data[start : start + count]
        if not piece:
            return Strip.blank(self.size.width, base)
        pairs = piece.hex(" ").ljust(count * 3 - 1)
        text = "".join(_LETTERS[byte] for byte in piece)
        segments = [
            Segment(f"{start:08x}  ", base + self._palette["muted"]),
            Segment(pairs + "  ", base),
            Segment(text, base + self._palette["string"]),
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)
