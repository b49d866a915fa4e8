"""One terminal on screen: a line that says what it is and who types, the terminal, and a line for what is asked."""

from __future__ import annotations

from time import monotonic
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.session import Session
from workbench.terminal import ClipboardWrite, Notification
from workbench.widgets.terminal import TerminalView
from workbench.widgets.terminal.find_bar import FindBar

from . import sizes
from .connection import Connection

OPENED = ("http://", "https://", "mailto:")
"""Links that may be opened, after asking."""
CLIPBOARD = 1 << 20
BELL = 0.5
"""Seconds between two bells that are passed on."""
NOTES = 5
"""Notifications of a program shown before one looks."""


class TerminalTile(Vertical):
    """Connected while it is mounted. With `type_at_once` the keyboard is taken at the start, unless somebody else has it."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("slash", "find", "Find"),
        Binding("z", "size", "Size", show=False),
        Binding("c", "clipboard(False)", "Take the clipboard", show=False),
        Binding("C", "clipboard(True)", "Let it write the clipboard", show=False),
        Binding("r", "again", "Run again", show=False),
    ]

    class Changed(Message):
        """Its title, its end, or the bell: the tab's label is drawn again."""

    class Again(Message):
        """Its program has ended, and another one is wanted in its place."""

        def __init__(self, tile: TerminalTile) -> None:
            super().__init__()
            self.tile = tile

    def __init__(
        self, session: Session, sandbox: str, terminal: str, *, type_at_once: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.session, self.sandbox, self.terminal = session, sandbox, terminal
        self.exit: dict[str, Any] | None = None
        self.rung = False
        self.up = False
        self.wrong = ""
        self.lost = False
        """Whether the terminal is not there any more."""
        self.holder: dict[str, Any] | None = None
        """Who has the keyboard: {id, name}; None where anybody may type."""
        self.viewers: list[dict[str, Any]] = []
        self._you = ""
        self._began = self._greeted = False
        self._type_at_once = type_at_once
        self._offered: ClipboardWrite | None = None
        self._always = False
        self._notes = 0
        self._bells = 0
        self._rang_at = -BELL

    def compose(self) -> ComposeResult:
        yield Static(classes="head")
        view = TerminalView()
        yield view
        yield Static(classes="told")
        yield FindBar(view)

    def on_mount(self) -> None:
        self.connection = Connection(self.session, self.sandbox, self.terminal, self.view, self._said)
        self._draw()

    @property
    def view(self) -> TerminalView:
        return self.query_one(TerminalView)

    @property
    def mine(self) -> bool:
        """Whether this window has the keyboard."""
        return self.holder is not None and self.holder.get("id") == self._you

    @property
    def title(self) -> str:
        return self.view.terminal.title or self.terminal

    # The line to the hub

    @on(TerminalView.Sized)
    async def sized(self, event: TerminalView.Sized) -> None:
        event.stop()
        await self.connection.resize(event.columns, event.lines)
        if not self._began:
            self._began = True
            self.view.resize_terminal(event.columns, event.lines)
            self.follow()

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        try:
            await self.connection.follow()
        except WorkbenchError as error:
            self.up, self.wrong, self.lost = False, error.message, True
            self._draw()

    def _said(self, said: dict[str, Any]) -> None:
        kind = said.get("type")
        if kind == "line":
            self.up, self.wrong = bool(said["up"]), str(said.get("why", ""))
        elif kind == "viewers":
            self.viewers, self._you = list(said.get("viewers") or []), str(said.get("you", ""))
            self._greeted = True
            self._begin_typing()
        elif kind == "ready":
            self._greeted = True
            self._begin_typing()
        elif kind == "state":
            self.holder = said.get("keyboard")
        elif kind == "keyboard":
            self.holder, self._you = said.get("holder"), str(said.get("you", ""))
            if self.holder is not None and not self.mine and self.view.captured:
                self.view.captured = False
        elif kind == "refused":
            self.view.captured = False
        elif kind == "exit":
            self.exit = said
            self.view.captured = False
        self._draw()
        self.post_message(self.Changed())

    def _begin_typing(self) -> None:
        """Once, when the terminal is there and has the focus: type, unless somebody else does."""
        if self._greeted and self._type_at_once and self.view.has_focus:
            self._type_at_once = False
            self.view.captured = self.holder is None and self.exit is None

    @on(TerminalView.Input)
    async def typed(self, event: TerminalView.Input) -> None:
        event.stop()
        if self.exit is None:
            await self.connection.type(event.data)

    @on(TerminalView.Changed)
    async def changed(self, event: TerminalView.Changed) -> None:
        event.stop()
        view = self.view
        if view.captured and not self.mine and self.connection.states:
            await self.connection.say("take")
        elif not view.captured and self.mine:
            await self.connection.say("release")
        self._ring(view.terminal.bells)
        self._draw()
        self.post_message(self.Changed())

    def _ring(self, bells: int) -> None:
        """Pass the bell on, but not faster than one can hear; a terminal one does not look at keeps a mark of it."""
        if bells > self._bells:
            self.rung = not self.view.has_focus
            if monotonic() - self._rang_at >= BELL:
                self._rang_at = monotonic()
                self.app.bell()
        self._bells = bells

    def on_descendant_focus(self) -> None:
        self.rung, self._notes = False, 0
        self._begin_typing()
        self.post_message(self.Changed())

    # What is shown

    def _draw(self) -> None:
        self.query_one(".head", Static).update(self._head())
        told = self._told()
        line = self.query_one(".told", Static)
        line.display = bool(told)
        line.update(Content.assemble(*told))

    def _head(self) -> Content:
        view = self.view
        terminal = view.terminal
        parts: list[Any] = [(f" {visible(self.terminal, limit=40)}", "bold")]
        if self.exit is not None:
            parts.append(("  ended", "$text-muted"))
        elif not self.up:
            parts.append((f"  {visible(self.wrong or 'connecting', limit=120)}", "$text-error"))
        elif view.captured:
            parts.append(("  you type · f8 frees the keyboard", "bold $text-success"))
        elif self.holder is not None and not self.mine:
            name = visible(str(self.holder.get("name") or "somebody"), limit=40)
            parts.append((f"  {name} has the keyboard · f8 takes it", "bold $text-accent"))
        else:
            parts.append(("  reading · f8 types", "$text-muted"))
        if view.scrolled:
            parts.append((f"  ↑ {view.scrolled:,} lines", "$text-warning"))
        if view.search is not None:
            parts.append((f"  {view.search.said} · n N esc", "$text-warning"))
        if view.selection is not None:
            parts.append(("  selecting · y copies · esc", "$text-warning"))
        if self._offered is not None:
            parts.append(
                (
                    f"  offers {len(self._offered.data):,} bytes to copy · f8 c takes them, C from now on",
                    "$text-warning",
                )
            )
        others = [one for one in self.viewers if one.get("id") != self._you]
        if others:
            parts.append((f"  {len(others)} more watch", "$text-accent"))
        room = view.size
        if terminal.columns > room.width or terminal.lines > room.height > 0:
            parts.append((f"  a part of {terminal.columns}x{terminal.lines}", "$text-warning"))
        else:
            parts.append((f"  {terminal.columns}x{terminal.lines}", "$text-muted"))
        parts.append((sizes.SHORT[self.connection.policy], "$text-accent"))
        if terminal.title:
            parts.append((f"  {visible(terminal.title, limit=80)}", "$text-muted"))
        return Content.assemble(*parts)

    def _told(self) -> list[Any]:
        """The line below, where there is something to say."""
        if self.exit is not None:
            code = self.exit.get("code")
            signal = f", signal {self.exit['signal']}" if self.exit.get("signal") else ""
            return [(f" ended with {code}{signal}", "bold"), " · r runs another · ctrl+w closes the tab"]
        if self.lost:
            return [" it is not there any more · r runs another · ctrl+w closes the tab"]
        return []

    # What is asked

    @on(TerminalView.PasteAsked)
    @work
    async def paste_asked(self, event: TerminalView.PasteAsked) -> None:
        event.stop()
        from workbench.screens.dialogs import Confirm

        found = event.found
        marks = f", {found.end_marks} of them made to end a paste early" if found.end_marks else ""
        question = (
            f"The text has control characters ({visible(found.controls)}{marks}) and {found.lines} "
            f"line{'s' if found.lines != 1 else ''}. A shell may run what it says."
        )
        asked = Confirm(
            f"Paste into {self.terminal}",
            target=self.session.target,
            question=question,
            lines=event.text.splitlines()[:200],
            total=found.lines,
            action="Paste",
        )
        if await self.app.push_screen_wait(asked):
            self.view.send_paste(event.text)

    @on(TerminalView.LinkAsked)
    @work
    async def link_asked(self, event: TerminalView.LinkAsked) -> None:
        event.stop()
        from workbench.screens.dialogs import Confirm

        if not event.uri.startswith(OPENED):
            self._note(f"not opened: {event.uri}", error=True)
            return
        asked = Confirm(
            "Open a link of the program",
            target=None,
            question=event.uri,
            note="It comes from inside the sandbox. It opens in your browser.",
            action="Open",
        )
        if await self.app.push_screen_wait(asked):
            self.app.open_url(event.uri)

    @on(TerminalView.Told)
    def told(self, event: TerminalView.Told) -> None:
        event.stop()
        said = event.event
        if isinstance(said, ClipboardWrite) and 0 < len(said.data) <= CLIPBOARD:
            self._offered = said
            if self._always:
                self.action_clipboard(True)
            self._draw()
        elif isinstance(said, Notification) and self._notes < NOTES:
            self._notes += 1
            text = f"{said.title}: {said.body}" if said.title else said.body
            self._note(f"{self.terminal}: {text}")

    @on(TerminalView.Copied)
    def copied(self, event: TerminalView.Copied) -> None:
        event.stop()
        self._note(f"{len(event.text):,} characters copied")

    def action_clipboard(self, always: bool) -> None:
        """Take what the program offered for the clipboard; always: and what it will offer, while the tab is open."""
        self._always = always
        if self._offered is not None:
            self.app.copy_to_clipboard(self._offered.data.decode("utf-8", "replace"))
            self._note(f"{len(self._offered.data):,} bytes of the program's copied")
            self._offered = None
            self._draw()

    def _note(self, text: str, *, error: bool = False) -> None:
        self.notify(visible(text, limit=300), severity="error" if error else "information", markup=False)

    # Keys of a reader

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clipboard":
            return self._offered is not None
        if action == "size":
            return self.connection.states if self.is_mounted else True
        if action == "again":
            return self.exit is not None or self.lost
        return True

    def action_find(self) -> None:
        self.query_one(FindBar).ask()

    @on(TerminalView.Searched)
    def searched(self, event: TerminalView.Searched) -> None:
        event.stop()
        if event.search.done and not event.search.found and not event.search.late:
            self._note(f"{event.search.text!r} is not there")
        self._draw()

    @work
    async def action_size(self) -> None:
        """Whose size the terminal takes."""
        if (chosen := await sizes.ask(self.app, self.connection, self.view.terminal)) is not None:
            await self.connection.choose(*chosen)
            self._draw()

    def action_again(self) -> None:
        self.post_message(self.Again(self))
