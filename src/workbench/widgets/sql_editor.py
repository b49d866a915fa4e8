"""The code editor for SQL: coloured without a parser library, with completion, and a mark where SQLite found an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import OptionList
from textual.widgets.option_list import Option
from textual.widgets.text_area import Edit, EditResult

from workbench.model.text import visible

from .code_editor import LONG_LINE, CodeEditor
from .sql_completion import Candidate, Completion
from .sql_words import Colours, tokens

Completer = Callable[[str, int], Completion]
ASK_UP_TO = 200_000
"""Characters of text up to which completion comes by itself."""
_TYPING = re.compile(r"(?:\.\w*|\b\w{2,})\Z")


class CompletionList(OptionList, can_focus=False):
    """What could be typed, above everything else, at the cursor."""

    DEFAULT_CSS = """
    CompletionList {
        overlay: screen; position: absolute; constrain: inside inflect; display: none; width: auto; max-width: 50; height: auto;
        max-height: 9; min-width: 16; padding: 0; border: none; background: $panel; scrollbar-size-vertical: 1;
    }
    """

    def fill(self, candidates: list[Candidate]) -> None:
        """Show these, the first one chosen."""
        widest = max(len(visible(one.name, limit=40)) for one in candidates)
        self.clear_options()
        self.add_options(
            Option(
                Content.assemble(
                    (visible(one.name, limit=40).ljust(min(widest, 40) + 2), ""),
                    (visible(one.about, limit=40), "$text-muted"),
                )
            )
            for one in candidates
        )
        self.highlighted = 0


class SqlEditor(CodeEditor):
    """`completer` gives candidates; `mark_error` underlines; keys that run SQL are the pane's."""

    INDENT = "  "
    BINDINGS: ClassVar[list[Any]] = [Binding("ctrl+@,ctrl+space", "complete", "Complete", show=False)]

    def __init__(self, text: str = "", **options: Any) -> None:
        self._error: tuple[int, int, int] | None = None
        super().__init__(Colours(), text, **options)
        self.completer: Completer | None = None
        self._completion: Completion | None = None
        self.popup = CompletionList()

    def on_mount(self) -> None:
        self.screen.mount(self.popup)

    def on_unmount(self) -> None:
        self.popup.remove()

    # Colour

    def edit(self, edit: Edit) -> EditResult:
        self._error = None
        return super().edit(edit)

    def get_line(self, line_index: int) -> Text:
        text = super().get_line(line_index)
        if self._error is not None and self._error[0] == line_index and len(text) <= LONG_LINE:
            text.stylize(self._palette["error"] + Style(underline=True, reverse=True), *self._error[1:])
        return text

    def mark_error(self, offset: int) -> None:
        """Underline the token at a character offset until the text changes, and put the cursor there."""
        offset = max(0, min(offset, len(self.text)))
        location = self.location_of(offset)
        line = self.document.get_line(location[0])
        token = next((t for t in tokens(line) if t.start <= location[1] < t.end), None)
        start = token.start if token else max(0, min(location[1], len(line) - 1))
        self._error = (location[0], start, token.end if token else start + 1)
        self._line_cache.clear()
        self.move_cursor(location)
        self.refresh()

    # Completion

    @property
    def completing(self) -> bool:
        return self._completion is not None

    def action_complete(self) -> None:
        """Offer what could be typed here."""
        if self.completer is None:
            return
        found = self.completer(self.text, self.cursor_index)
        if not found.candidates:
            self.close_completion()
            return
        self._completion = found
        self.popup.fill(found.candidates)
        row, column = self.location_of(found.start)
        back = self.cursor_location[1] - column if row == self.cursor_location[0] else 0
        self.popup.styles.offset = self.cursor_screen_offset + Offset(-back, 1)
        self.popup.display = True

    def close_completion(self) -> None:
        self._completion = None
        self.popup.display = False

    def _accept(self) -> None:
        completion, at = self._completion, self.popup.highlighted
        self.close_completion()
        if completion is not None and at is not None:
            insert = completion.candidates[at].insert
            self.replace(insert, self.location_of(completion.start), self.cursor_location)

    def _word(self) -> str:
        """The word that ends at the cursor, where what may follow is to be offered by itself: from a second letter on."""
        before = self.document.get_line(self.cursor_location[0])[: self.cursor_location[1]]
        found = _TYPING.search(before)
        return found[0] if found else ""

    def _complete_while_typing(self) -> None:
        """Offer what could be typed; keep an open list up to date."""
        if self.completer is None or len(self.document.lines) > 2_000 or len(self.text) > ASK_UP_TO:
            return
        self.action_complete()
        word = self._word()
        first = self._completion.candidates[0].name.lower() if self._completion else ""
        if word and first == word.lower().rpartition(".")[2]:
            self.close_completion()  # it is written out: enter is a new line again

    async def _on_key(self, event: events.Key) -> None:
        if self.completing and event.key in ("up", "down", "enter", "tab", "escape"):
            self._steer(event)
            return
        await super()._on_key(event)
        typed = event.is_printable or event.key == "backspace"
        if typed and (event.character == "." or self._word()):
            self.call_after_refresh(self._complete_while_typing)
        elif self.completing and event.key != "tab":
            self.close_completion()

    def _steer(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.close_completion()
        elif event.key in ("enter", "tab"):
            self._accept()
        elif event.key == "down":
            self.popup.action_cursor_down()
        else:
            self.popup.action_cursor_up()

    def _tab(self) -> None:
        """Behind anything: complete it, or what may follow. At the beginning of a line: two spaces."""
        before = self.document.get_line(self.cursor_location[0])[: self.cursor_location[1]]
        if before.strip():
            self.action_complete()
            if self._completion is not None and len(self._completion.candidates) == 1:
                self._accept()
        else:
            super()._tab()

    def on_blur(self) -> None:
        self.close_completion()
