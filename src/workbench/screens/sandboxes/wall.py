"""The wall: every sandbox with its state, and the one under the cursor with all that is in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.sandboxes import DiskSnapshot, Sandbox
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator
from workbench.screens.session import Session
from workbench.widgets.binding_tree import BindingTree
from workbench.widgets.key_list import KeyList
from workbench.widgets.paging import Pages

from . import reading
from .acts import SandboxActs
from .panel import SandboxPanel

WIDE = 96
"""Columns from which the sandbox stands beside the list."""
PAGE = 200
SETTLE = 0.05
"""Seconds the cursor rests on a sandbox before it is read."""
TICK = 2.0
"""Seconds after which what it uses is read again, while it runs and is looked at."""


class SandboxesPane(SandboxActs):
    """A page of sandboxes at a time, for as many as there are."""

    TCSS = "sandboxes.tcss"
    HELP = (
        "Every sandbox of this project: ▶ running, ‖ frozen, ☾ asleep (it wakes when something of it is wanted), ■ stopped, ✗ failed.\n"
        "Enter goes to what is in the one under the cursor; enter there opens a terminal, a process's log, a code "
        "context or a port in the browser.\n"
        "n makes a sandbox, t opens a terminal, x runs a command in the background, e begins a code context, p makes a preview of a "
        "port, f forks it with its disk, c takes a snapshot (enter on one puts it back), o says what it may reach, s starts or stops "
        "it, z freezes it.\n"
        "d deletes what is under the cursor, after showing what goes.\n"
        "f10 goes to the sandboxes behind a bridge and back. There a terminal, a preview and deleting is what can be done from here.\n"
        "Below stands what keeps it from the machine (+) and what does not (−). Everything else is among the commands (:)."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("r", "refresh", "Read again", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self._wish: str | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        with Container(id="split"):
            yield KeyList(id="all", empty="no sandboxes yet: n makes one", when=10, when_from=48)
            yield SandboxPanel(id="one")

    def on_mount(self) -> None:
        self.all.start(self._wish)
        self.set_interval(TICK, self._tick)
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    @property
    def all(self) -> KeyList:
        return self.query_one(KeyList)

    @property
    def title(self) -> str:
        return "sandboxes"

    def focus_first(self) -> None:
        self.all.focus()

    def keep(self) -> dict[str, Any]:
        entry = self.all.current if self.is_mounted else None
        return {"sandbox": entry.key if entry else ""}

    def restore(self, kept: dict[str, Any]) -> None:
        wish = kept.get("sandbox")
        self._wish = wish if isinstance(wish, str) and wish else None

    def go_to(self, part: str) -> None:
        """Put the cursor on a sandbox, by its id."""
        self.all.start(part)

    # Reading

    def _draw(self) -> None:
        known = [entry.data for _, entry in self.all.pages.kept()]
        rows = self.all.pages.rows
        of = f" behind {visible(self.session.name)}" if self.session.state.bridged else ""
        parts: list[Any] = [(f"Sandboxes{of}", "bold $primary"), f"   {rows:,}" if rows else ""]
        if known:
            parts.append((f"   {reading.summary(known)}", "$text-muted"))
        self.query_one("#where", Static).update(Content.assemble(*parts))

    @on(KeyList.Need)
    def need(self, event: KeyList.Need) -> None:
        for number, cursor in event.pages:
            self._fetch(self.all.pages, number, cursor)

    @work(group="pages")
    async def _fetch(self, pages: Pages, number: int, cursor: str | None) -> None:
        try:
            page: Page[Sandbox] = await self.session.call("sandboxes.list", limit=PAGE, cursor=cursor)
        except WorkbenchError as error:
            self.all.failed(pages, number)
            self.panel.say(error)
            return
        self.all.supply(pages, number, [reading.entry_of(one) for one in page.items], page.cursor)
        self._draw()

    @on(KeyList.Moved)
    def moved(self, event: KeyList.Moved) -> None:
        if event.entry is not None:
            self._load(event.entry.data, at_once=False)
        else:
            self.workers.cancel_group(self, "one")
            self.panel.show(None)
            self.show_details(Details(self.title, ()))
        self.refresh_bindings()

    @work(exclusive=True, group="one")
    async def _load(self, sandbox: Sandbox, at_once: bool) -> None:
        if not at_once:
            self.panel.show(sandbox)
            await asyncio.sleep(SETTLE)
        call, name = self.session.call, sandbox.id
        try:
            found: Sandbox = await call("sandboxes.get", sandbox=name, as_is=True)
            self.panel.show(found)
            self.show_details(reading.details_of(found))
            if self.session.state.bridged:  # which does not say what is in it
                self.panel.fill_unknown()
                self.refresh_bindings()
                return
            alive = found.state in ("running", "frozen")
            self.panel.fill(
                await call("terminals.list", sandbox=name) if alive else [],
                await call("sandboxes.processes.list", sandbox=name) if alive else [],
                await call("sandboxes.ports.list", sandbox=name) if found.state == "running" else [],
                await call("sandboxes.snapshots.list", sandbox=name),
                await call("sandboxes.contexts.list", sandbox=name) if alive else [],
            )
        except WorkbenchError as error:
            self.panel.say(error)
        self.refresh_bindings()

    def _tick(self) -> None:
        """What it uses goes on changing without anything happening."""
        sandbox = self.sandbox
        if sandbox is not None and sandbox.state == "running" and self.is_on_screen:
            self._measure(sandbox)

    @work(exclusive=True, group="measure")
    async def _measure(self, sandbox: Sandbox) -> None:
        """Its facts alone: to ask what listens inside would keep it from falling asleep."""
        with contextlib.suppress(WorkbenchError):
            found: Sandbox = await self.session.call("sandboxes.get", sandbox=sandbox.id, as_is=True)
            if self.sandbox is not None and found.id == self.sandbox.id:
                self.panel.show(found)

    def concerns(self, paths: Collection[str]) -> bool:
        return any(path.startswith("sandboxes/") for path in paths)

    async def refresh_data(self) -> None:
        self.all.again()
        if self.sandbox is not None:
            self._load(self.sandbox, at_once=True)

    async def read_again(self) -> None:
        await self.refresh_data()

    # Keys

    @on(KeyList.Opened)
    def opened(self) -> None:
        self.panel.inside.focus()

    @on(BindingTree.Opened)
    def inside_opened(self, event: BindingTree.Opened) -> None:
        event.stop()
        if isinstance(event.item.locator, Locator):
            self.post_message(self.Open(event.item.locator))
        elif event.item.kind == "port":
            self.action_preview()
        elif isinstance(event.item.what, DiskSnapshot):
            self.put_back(event.item.what)

    @on(BindingTree.Moved)
    @on(BindingTree.Unfolded)
    def inside_moved(self, event: BindingTree.About) -> None:
        event.stop()

    async def action_refresh(self) -> None:
        await self.refresh_data()

    def action_back(self) -> None:
        self.all.focus()


__all__ = ["SandboxesPane"]
