"""Statements that were run, newest first, narrowed as one types."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.model.text import visible
from workbench.widgets.safe_input import SafeInput

from .history import Entry, History


class HistoryScreen(ModalScreen[str | None]):
    """Gives the statement chosen, or None."""

    DEFAULT_CSS = """
    HistoryScreen { align: center middle; background: $background 60%; }
    HistoryScreen > Vertical {
        width: 94%; max-width: 120; height: 90%; padding: 0 1; background: $surface; border: round $primary;
    }
    HistoryScreen SafeInput { background: $panel; }
    HistoryScreen OptionList { height: 1fr; border: none; padding: 0; background: $surface; }
    HistoryScreen #keys { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,f8", "dismiss(None)", "Back"),
        Binding("up", "move('up')", show=False, priority=True),
        Binding("down", "move('down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
    ]

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield SafeInput(placeholder="find in the history", id="find", compact=True)
            yield OptionList(id="entries")
            yield Static(Content("enter put it in the editor · esc back"), id="keys")

    def on_mount(self) -> None:
        self.query_one("#find").focus()
        self.load("")

    @on(Input.Changed)
    def narrowed(self, event: Input.Changed) -> None:
        self.load(event.value)

    @work(exclusive=True)
    async def load(self, text: str) -> None:
        """Show the statements that hold the text."""
        self._entries = await self._history.entries(text)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(_line(entry)) for entry in self._entries)
        if self._entries:
            options.highlighted = 0
        if not self._entries:
            why = self._history.why_not or "nothing was run here yet"
            options.add_option(Option(Content.styled(visible(why), "$text-muted"), disabled=True))

    def action_move(self, where: str) -> None:
        options = self.query_one(OptionList)
        getattr(options, f"action_cursor_{where}" if where in ("up", "down") else f"action_{where}")()

    @on(Input.Submitted)
    def submitted(self) -> None:
        self._choose(self.query_one(OptionList).highlighted)

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_index)

    def _choose(self, at: int | None) -> None:
        if at is not None and at < len(self._entries):
            self.dismiss(self._entries[at].sql)


def _line(entry: Entry) -> Content:
    when = time.strftime("%m-%d %H:%M", time.localtime(entry.at))
    parts: list[Any] = [(f"{when}  ", "$text-muted"), visible(" ".join(entry.sql.split()), limit=300)]
    if entry.error is not None:
        parts.append(("  ✗ failed", "$text-error"))
    elif entry.rows is not None:
        parts.append((f"  {entry.rows:,} row{'s' if entry.rows != 1 else ''}", "$text-muted"))
    parts.append((f"  {visible(entry.label, limit=40)}", "$text-muted"))
    return Content.assemble(*parts)
