"""An image in half blocks, two pixels a cell; without Pillow its kind and size. Decoded in a thread, never whole where it is huge."""

from __future__ import annotations

import asyncio
from typing import Any

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.model.text import visible

from .image_header import describe

MOST_PIXELS = 50_000_000
"""A larger picture is described, not decoded: a small file can claim to be of any size."""

Pixels = tuple[int, int, list[tuple[int, int, int]]]


class ImageView(Widget, can_focus=True):
    """`show` the bytes of a picture."""

    DEFAULT_CSS = "ImageView { height: 1fr; width: 1fr; background: $surface; }"

    message: reactive[str] = reactive("")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._data = b""
        self._pixels: Pixels | None = None

    def show(self, data: bytes) -> None:
        self._data, self._pixels, self.message = data, None, "…"
        self._decode()

    def on_resize(self) -> None:
        if self._data:
            self._decode()

    @work(exclusive=True, group="decode")
    async def _decode(self) -> None:
        width, height = self.size
        if width > 0 and height > 1:
            background = self.background_colors[1].rgb
            found = await asyncio.to_thread(decode, self._data, width, (height - 1) * 2, background)
            if isinstance(found, str):
                self._pixels, self.message = None, found
            else:
                self._pixels, self.message = found, ""
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if self._pixels is None:
            line = visible(self.message) if y == 0 else ""
            return Strip([Segment(line, base)]).adjust_cell_length(width, base)
        across, down, pixels = self._pixels
        top = 2 * y
        if top >= down:
            return Strip.blank(width, base)
        segments = []
        for x in range(across):
            upper = Color.from_rgb(*pixels[top * across + x])
            under = (top + 1) * across + x
            lower = Color.from_rgb(*pixels[under]) if top + 1 < down else base.bgcolor
            segments.append(Segment("▀", Style(color=upper, bgcolor=lower)))
        return Strip(segments).simplify().adjust_cell_length(width, base)


def decode(data: bytes, width: int, height: int, background: tuple[int, int, int]) -> Pixels | str:
    """The picture in at most width x height pixels, or a sentence about it."""
    known = describe(data)
    try:
        import io

        from PIL import Image
    except ImportError:
        return f"{known}. To see it here: pip install 'cfwb[images]'"
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                return f"{known}: too large to show here"
            image.draft("RGB", (width, height))
            image.thumbnail((width, height))
            picture = image.convert("RGBA")
        flat = Image.new("RGBA", picture.size, (*background, 255))
        flat.alpha_composite(picture)
        rgb = flat.convert("RGB").tobytes()
        pixels = list(zip(rgb[0::3], rgb[1::3], rgb[2::3], strict=True))
        return flat.width, flat.height, pixels
    except Exception as error:
        return f"{known}: it cannot be decoded ({type(error).__name__}: {str(error)[:200]})"
