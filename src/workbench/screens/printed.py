"""What a program prints, followed and searched: what the panes of a sandbox's process and of a dev server share."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from workbench.screens.pane import Pane
from workbench.terminal import Terminal
from workbench.widgets.terminal.find_bar import FindBar
from workbench.widgets.terminal.reading import Reading

COLUMNS = 500
"""Columns of the log's own screen: lines that are longer wrap."""
ERRORS = "\x1b[91m", "\x1b[39m"


class LogView(Reading, can_focus=True):
    """A terminal nobody types in: colours and cursor moves of what is printed are shown as they were meant."""

    # The help tells them; the line of keys has better ones to tell.
    BINDINGS: ClassVar[list[Any]] = [
        Binding("v", "select('cell')", "Select", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]


class PrintedPane(Pane):
    """A line or more about the program above what it prints. `head` says them."""

    DEFAULT_CSS = """
    PrintedPane { layout: vertical; layers: below above; }
    PrintedPane > #head { height: auto; max-height: 4; width: 1fr; padding: 0 1; color: $text-muted; background: $surface; }
    """
    FINDING: ClassVar[str] = (
        "/ finds (a regular expression after a second /), n and N go on; v selects, y copies; page keys and the wheel scroll."
    )
    BINDINGS: ClassVar[list[Any]] = [Binding("slash", "find", "Find", key_display="/")]

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        view = LogView(Terminal(COLUMNS, 24), id="log")
        yield view
        yield FindBar(view)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def focus_first(self) -> None:
        self.view.focus()

    def head(self) -> list[Any]:
        """What is said above, as the parts of a Content."""
        raise NotImplementedError

    def draw(self) -> None:
        """Say it again, with where the view is."""
        if not self.is_mounted:
            return
        parts, view = self.head(), self.view
        if view.scrolled:
            parts.append((f"   ↑ {view.scrolled:,} lines", "$text-warning"))
        if view.search is not None:
            parts.append((f"   {view.search.said}", "$text-warning"))
        self.query_one("#head", Static).update(Content.assemble(*parts))

    def on_resize(self) -> None:
        size = self.view.size
        if size.height:
            self.view.resize_terminal(max(size.width, 20), size.height)

    @on(LogView.Changed)
    def changed(self, event: LogView.Changed) -> None:
        event.stop()
        self.draw()

    @on(LogView.Input)
    @on(LogView.Told)
    def ignored(self, event: Any) -> None:
        event.stop()

    def action_find(self) -> None:
        self.query_one(FindBar).ask()

    @on(LogView.Searched)
    def searched(self, event: LogView.Searched) -> None:
        event.stop()
        if event.search.done and not event.search.found and not event.search.late:
            self.tell(f"{event.search.text!r} is not there")
        self.draw()
