"""What was run and what came of it, printed in a terminal nobody types in: colours of a traceback are kept, nothing gets out."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message

from workbench.terminal import Terminal
from workbench.widgets.terminal.reading import Reading

from . import showing


class Transcript(Reading, can_focus=True):
    """Print by `ran` and `came`."""

    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "back", "Back", show=False)]

    class Back(Message):
        """Escape, with nothing chosen or found."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Terminal(80, 24), **options)
        self._fresh = True

    def on_resize(self, event: events.Resize) -> None:
        if self.size.height:
            self.resize_terminal(max(20, self.size.width), self.size.height)

    async def ran(self, number: int, language: str, code: str) -> None:
        await self._print(showing.echo(number, language, code))

    async def came(self, name: str, fields: dict[str, Any]) -> None:
        columns = self.terminal.columns
        # A picture takes a while to decode, a table some formatting.
        text = (
            await asyncio.to_thread(showing.event, name, fields, columns)
            if name == "result"
            else showing.event(name, fields, columns)
        )
        await self._print(text)

    async def _print(self, text: str) -> None:
        """What begins a line does so also after output that did not end one."""
        if text:
            await self.write(text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace"))

    async def line_end(self) -> None:
        """End a line that output left open."""
        await self.feeding.drained()
        if self.terminal.cursor.x:
            await self._print("\n")

    def action_back(self) -> None:
        if self.check_action("leave", ()) and (self.place or self.selection or self.search or self.scrolled):
            self.action_leave()
        else:
            self.post_message(self.Back())
