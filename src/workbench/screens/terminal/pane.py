"""The tab: tiles of a sandbox's terminals, split as one likes, and a banner where nothing keeps the sandbox from the machine."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.widget import Widget
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import Sandbox, Terminal
from workbench.screens.pane import Locator, Pane
from workbench.screens.sandboxes import standing
from workbench.screens.sandboxes.reading import details_of
from workbench.screens.sandboxes.requests import Requests
from workbench.screens.session import Session

from .tile import TerminalTile

TICK = 2.0
"""Seconds after which what the sandbox uses is read again, while it is looked at."""


class Split(Container):
    """Two or more places side by side (`-across`) or one above another (`-down`), each a tile or a split."""


class TerminalPane(Pane):
    """`locator.resource` is the sandbox, `locator.object` the terminal it was opened for."""

    TCSS = "terminal.tcss"
    HELP = (
        "A terminal in the sandbox. While you type, every key is its program's, but for f8, which frees the keyboard.\n"
        "Free: / finds (a regular expression after a second /), v selects (V lines, ctrl+v a block), y copies, arrows and page keys "
        "scroll, u opens the link under the cursor, f8 or enter types again, 8 gives the program an f8. Shift+page keys and the wheel "
        "scroll at any time; shift with the mouse selects where the program has the mouse.\n"
        "s splits beside, S below; tab goes to the next; x closes a split, its program goes on. z says whose size the terminal takes "
        "where several look: of a larger one you see the part around the cursor (arrows move about), beside a smaller one are dots. "
        "o: what the sandbox asks for outside, as it does. p plays the terminal's recording.\n"
        "What a program wants in the clipboard is only offered: c takes it, C whatever it offers from now on.\n"
        "Closing the tab ends nothing: open it again, and the screen is as it is then. d ends the program."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("s", "split('-across')", "Split"),
        Binding("S", "split('-down')", "Split below", show=False),
        Binding("tab", "next(1)", "Next", show=False),
        Binding("shift+tab", "next(-1)", "Before", show=False),
        Binding("x", "unsplit", "Close split", show=False),
        Binding("o", "requests", "Outbound"),
        Binding("p", "play", "Recording", show=False),
        Binding("d", "end", "End it", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.sandbox: Sandbox | None = None
        self._wish: Any = None

    def compose(self) -> ComposeResult:
        yield Static(id="apart")
        with Horizontal(id="beside"), Container(id="tiles"):
            yield self._made(self._wish) or self._tile(self.locator.object, type_at_once=True)

    def on_mount(self) -> None:
        self.read_sandbox()
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.is_on_screen and self.sandbox is not None:
            self.read_sandbox()

    # Where the tiles are

    def _tile(self, terminal: str, *, type_at_once: bool = False) -> TerminalTile:
        return TerminalTile(self.session, self.locator.resource, terminal, type_at_once=type_at_once)

    def _made(self, kept: Any) -> Widget | None:
        """A layout that `keep` gave, as widgets."""
        if isinstance(kept, str) and kept:
            return self._tile(kept)
        if isinstance(kept, list) and len(kept) > 2 and kept[0] in ("-across", "-down"):
            parts = [part for part in (self._made(one) for one in kept[1:]) if part is not None]
            for later in parts[1:]:
                later.add_class("-later")
            return Split(*parts, classes=str(kept[0])) if parts else None
        return None

    def keep(self) -> dict[str, Any]:
        if not self.is_mounted:
            return {}
        first = next(iter(self.query_one("#tiles").children), None)
        return {"tiles": _kept(first)} if first is not None else {}

    def restore(self, kept: dict[str, Any]) -> None:
        self._wish = kept.get("tiles")

    @property
    def tiles(self) -> list[TerminalTile]:
        return list(self.query(TerminalTile))

    @property
    def active(self) -> TerminalTile | None:
        """The tile that has the focus, else the first."""
        focused = self.screen.focused
        tiles = self.tiles
        return next(
            (tile for tile in tiles if focused is not None and tile in focused.ancestors),
            tiles[0] if tiles else None,
        )

    def focus_first(self) -> None:
        tile = self.active
        if tile is not None:
            tile.view.focus()

    @property
    def title(self) -> str:
        tiles = self.tiles if self.is_mounted else []
        rung = "! " if any(tile.rung for tile in tiles) else ""
        name = self.sandbox.name if self.sandbox else self.locator.label or self.locator.resource
        return rung + name + (f" / {tiles[0].terminal}" if tiles else "")

    @on(TerminalTile.Changed)
    def tile_changed(self, event: TerminalTile.Changed) -> None:
        event.stop()
        self.post_message(self.TitleChanged())

    # The sandbox

    @work(exclusive=True, group="sandbox")
    async def read_sandbox(self) -> None:
        """Its facts; to look neither starts it nor keeps it awake."""
        try:
            found: Sandbox = await self.session.call(
                "sandboxes.get", sandbox=self.locator.resource, as_is=True
            )
        except WorkbenchError as error:
            if self.sandbox is None:  # else the tiles say what is wrong, again and again
                self.tell_error(error)
            return
        renamed = self.sandbox is None or self.sandbox.name != found.name
        self.sandbox = found
        line = self.query_one("#apart", Static)
        line.set_class(found.unsafe, "-unsafe")
        line.update(standing.in_a_line(found))
        self.show_details(details_of(found))
        if renamed:
            self.post_message(self.TitleChanged())

    # Acts

    async def _new(self) -> str | None:
        try:
            made: Terminal = await self.session.call("terminals.create", sandbox=self.locator.resource)
        except WorkbenchError as error:
            self.tell_error(error)
            return None
        self.post_message(self.Changed())
        return made.id

    @work
    async def action_split(self, way: str) -> None:
        """Another terminal of the sandbox beside this one, or below it."""
        tile = self.active
        if tile is None or tile.parent is None or (id := await self._new()) is None:
            return
        parent = tile.parent
        fresh = self._tile(id, type_at_once=True)
        if isinstance(parent, Split) and parent.has_class(way):
            fresh.add_class("-later")
            await parent.mount(fresh, after=tile)
        else:
            # What is moved in the tree is made again: its connection brings the screen back as it is.
            fresh.add_class("-later")
            split = Split(self._tile(tile.terminal), fresh, classes=way)
            split.set_class(tile.has_class("-later"), "-later")
            await parent.mount(split, after=tile)  # type: ignore[attr-defined]
            await tile.remove()
        fresh.view.focus()
        self.post_message(self.TitleChanged())

    @work
    async def action_unsplit(self) -> None:
        """Close this tile; its program goes on."""
        tile = self.active
        if tile is not None and len(self.tiles) > 1:
            await self._without(tile)

    async def _without(self, tile: TerminalTile) -> None:
        parent = tile.parent
        await tile.remove()
        if isinstance(parent, Split) and len(parent.children) == 1 and parent.parent is not None:
            rest = _kept(parent.children[0])
            alone = self._made(rest)
            if alone is not None:
                alone.set_class(parent.has_class("-later"), "-later")
                await parent.parent.mount(alone, after=parent)  # type: ignore[attr-defined]
            await parent.remove()
        self.focus_first()
        self.post_message(self.TitleChanged())

    @work(exclusive=True, group="requests")
    async def action_requests(self) -> None:
        """What the sandbox asks for outside, beside the terminals; again: away with it."""
        shown = self.query(Requests)
        if shown:
            await shown.remove()
            self.focus_first()
        else:
            await self.query_one("#beside").mount(Requests(self.session, self.locator.resource))

    def action_next(self, step: int) -> None:
        """To the next tile."""
        tiles, active = self.tiles, self.active
        if active is not None:
            tiles[(tiles.index(active) + step) % len(tiles)].view.focus()

    @on(TerminalTile.Again)
    @work
    async def again(self, event: TerminalTile.Again) -> None:
        """A new shell where one has ended."""
        event.stop()
        if (id := await self._new()) is not None:
            fresh = self._tile(id, type_at_once=True)
            fresh.set_class(event.tile.has_class("-later"), "-later")
            await event.tile.parent.mount(fresh, after=event.tile)  # type: ignore[union-attr]
            await event.tile.remove()
            fresh.view.focus()

    def action_play(self) -> None:
        """The recording of the terminal one is in."""
        tile = self.active
        if tile is not None:
            where = self.locator._replace(
                object=tile.terminal, view="recording", label=f"{tile.terminal} recording"
            )
            self.post_message(self.Open(where))

    @work
    async def action_end(self) -> None:
        """Hang up: the program is ended."""
        from workbench.screens.dialogs import Confirm

        tile = self.active
        if tile is None:
            return
        name = self.sandbox.name if self.sandbox else self.locator.resource
        asked = Confirm(
            f"End terminal {tile.terminal}",
            target=self.session.target,
            question=f"Its program in {name} is ended, and its recording deleted.",
            action="End it",
        )
        if not await self.app.push_screen_wait(asked):
            return
        try:
            await self.session.call(
                "terminals.delete", force=True, sandbox=self.locator.resource, terminal=tile.terminal
            )
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.post_message(self.Changed())
        if len(self.tiles) > 1:
            await self._without(tile)


def _kept(widget: Widget | None) -> Any:
    """A layout as JSON: a terminal's id, or a list of its direction and its parts."""
    if isinstance(widget, TerminalTile):
        return widget.terminal
    if isinstance(widget, Split):
        way = "-across" if widget.has_class("-across") else "-down"
        return [way, *(_kept(child) for child in widget.children if isinstance(child, Split | TerminalTile))]
    return None


__all__ = ["TerminalPane"]
