"""The text in the editor is never lost: kept a moment after it was changed, brought back when the console opens again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widgets import TextArea

if TYPE_CHECKING:
    from .pane import Querying

REST = 0.4
"""Seconds without a key after which it is kept."""


class Draft:
    """The draft of one console."""

    def __init__(self, console: Querying) -> None:
        self._console = console
        self._timer: Timer | None = None
        self._unsaved = False

    async def load(self) -> None:
        """Bring back what was in the editor."""
        editor = self._console.editor
        kept = await self._console.history.draft()
        if kept is not None and not editor.text:
            with editor.prevent(TextArea.Changed):
                editor.load_text(kept[0])
            editor.move_cursor(editor.location_of(kept[1]))

    def changed(self) -> None:
        """Something was typed."""
        self._unsaved = True
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._console.set_timer(REST, self.save)

    async def save(self) -> None:
        """Keep what is in the editor now."""
        if self._unsaved:
            self._unsaved = False
            editor = self._console.editor
            await self._console.history.save_draft(editor.text, editor.cursor_index)
