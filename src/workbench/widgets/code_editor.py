"""A text area for code: coloured line by line, with Escape as a message. What runs the code is the pane's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from .palette import Palette
from .safe_input import SafeTextArea

LONG_LINE = 5_000
"""A longer line is left uncoloured."""


class Colours(Protocol):
    """Which colours a text has."""

    def changed(self, first: int) -> None:
        """Lines from `first` on are others now."""
        ...

    def of(self, lines: list[str], index: int, /) -> Iterable[tuple[int, int, str]]:
        """(start, end, kind of `widgets/palette.py`) of a line's pieces."""
        ...


class CodeEditor(SafeTextArea, inherit_bindings=False):
    """Colours are the caller's; tab indents by `INDENT` blanks."""

    DEFAULT_CSS = """
    CodeEditor { border: none; padding: 0; background: $surface; }
    CodeEditor:focus { border: none; }
    CodeEditor .text-area--gutter { color: $text-muted; background: $surface; }
    CodeEditor .text-area--cursor-gutter { color: $text-primary; background: $surface; }
    """
    INDENT: ClassVar[str] = "    "
    # The window has its own use for f6 and f7.
    BINDINGS: ClassVar[list[Any]] = [
        *[
            binding
            for binding in TextArea.BINDINGS
            if isinstance(binding, Binding) and binding.key not in ("f6", "f7")
        ],
        Binding("alt+a", "select_all", "Select all", show=False),
    ]

    class Escaped(Message):
        """Escape, with nothing open to close."""

    def __init__(self, colours: Colours, text: str = "", **options: Any) -> None:
        self._colours = colours
        self._edited_from = 0
        # The cursor line's style would paint over the colours of its tokens.
        super().__init__(
            text,
            show_line_numbers=True,
            soft_wrap=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            **options,
        )
        self._palette = Palette(self)

    # Colour

    def edit(self, edit: Edit) -> EditResult:
        self._edited_from = min(edit.from_location[0], edit.to_location[0])
        return super().edit(edit)

    def _build_highlight_map(self) -> None:
        """The text changed (Textual's own hook for it)."""
        self._colours.changed(self._edited_from)
        self._edited_from = 0
        super()._build_highlight_map()

    def get_line(self, line_index: int) -> Text:
        text = super().get_line(line_index)
        if len(text) > LONG_LINE:
            return text
        lines: Any = self.document.lines
        for start, end, kind in self._colours.of(lines, line_index):
            text.stylize(self._palette[kind], start, end)
        return text

    # Places

    @property
    def cursor_index(self) -> int:
        """The cursor as a character offset."""
        return self.index_of(self.cursor_location)

    def index_of(self, location: tuple[int, int]) -> int:
        lines: Any = self.document.lines
        return sum(len(line) for line in lines[: location[0]]) + location[0] * self._newline + location[1]

    def location_of(self, offset: int) -> tuple[int, int]:
        lines: Any = self.document.lines
        for row, line in enumerate(lines):
            if offset <= len(line):
                return row, offset
            offset -= len(line) + self._newline
        return len(lines) - 1, len(lines[-1])

    @property
    def _newline(self) -> int:
        return len(self.document.newline)

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(self.Escaped())
            return
        if event.key == "tab" and not self.read_only:
            event.stop()
            event.prevent_default()
            self._tab()
            return
        await super()._on_key(event)

    def _tab(self) -> None:
        self.insert(self.INDENT)
