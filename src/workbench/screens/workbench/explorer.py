"""The explorer: the tree with a filter above it, filled from the session while the user looks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding as Key
from textual.containers import Vertical
from textual.message import Message

from workbench.model.bindings import Binding
from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Locator, Pane
from workbench.screens.session import Session
from workbench.widgets.binding_tree import BindingTree, Item

from . import below, catalogue, counts
from .item_details import details_of

if TYPE_CHECKING:
    from textual.widgets import Input

EVERYTHING = "*"


class Explorer(Vertical):
    """Posts `Pane.Open` for what is opened and `Pane.DetailsChanged` for what the cursor is on."""

    class Elsewhere(Message):
        """Another Worker, which keeps its state elsewhere, is wanted; config: the path of its configuration."""

        def __init__(self, config: str) -> None:
            super().__init__()
            self.config = config

    class OnAccount(Message):
        """A binding that is `remote: true` is wanted: its data lies on the account."""

        def __init__(self, locator: Locator) -> None:
            super().__init__()
            self.locator = locator

    class OnBridge(Message):
        """The sandboxes behind a deployed bridge are wanted."""

        def __init__(self, name: str, locator: Locator) -> None:
            super().__init__()
            self.name, self.locator = name, locator

    HELP = (
        "Every Worker with its bindings, by kind, and the state found on disk without one (○). Counts are read while you look.\n"
        "Enter opens; → and ← unfold and fold. / filters what is shown; Escape in the filter shows everything again.\n"
        "A class unfolds into its objects, an object into its facets; × is a facet that was deleted."
    )

    BINDINGS: ClassVar[list[Any]] = [
        Key("slash", "filter", "Filter", key_display="/"),
        Key("x", "reveal", "Reveal"),
        Key("r", "read_again", "Refresh"),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.session: Session | None = None
        self._found: list[Binding] | None = None
        self._revealed: set[str] = set()
        self._children: dict[str, list[Item]] = {}
        self._filter: Input | None = None
        self._changed: set[str] = set()
        self._reading = False
        self._notes: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield BindingTree(id="tree")

    @property
    def resources(self) -> BindingTree:
        return self.query_one(BindingTree)

    # Filling

    async def open_session(self, session: Session) -> None:
        """Show what the config says at once, then what lies on disk, then the counts."""
        self.session = session
        first = not self.resources.open_keys
        items = catalogue.items_of(session.state.project, None)
        if first:
            self._unfold_first(items)
        self._show(items)
        self.read_disk()

    async def forget(self) -> None:
        """Another project comes: nothing of this one is kept."""
        self.workers.cancel_node(self)
        self.session, self._found, self._reading = None, None, False
        for kept in (self._revealed, self._children, self._changed, self._notes, self.resources.open_keys):
            kept.clear()
        await self._no_filter()
        self.resources.show([])

    def _unfold_first(self, items: list[Item]) -> None:
        """What is unfolded on a first start: every Worker and the kinds that have state."""
        self.resources.open_keys.add(catalogue.SANDBOXES)
        for item in items:
            if item.kind in ("worker", "unbound"):
                self.resources.open_keys.add(item.key)
                self.resources.open_keys.update(
                    child.key
                    for child in item.children
                    if child.label in ("KV", "R2", "D1", "Durable Objects", "Workflows")
                )

    def read_disk(self, kinds: Collection[str] | None = None) -> None:
        """Read what lies on disk, and the counts in sight: of these kinds, or all. Asked while it reads, it reads once more."""
        self._changed |= set(kinds) if kinds is not None else {EVERYTHING}
        if not self._reading:
            self._reading = True
            self._read_while_it_changes()

    @work(group="explorer-disk")
    async def _read_while_it_changes(self) -> None:
        try:
            while self._changed and self.session is not None:
                kinds, self._changed = self._changed, set()
                await self._read(self.session, None if EVERYTHING in kinds else kinds)
        finally:
            self._reading = False

    async def _read(self, session: Session, kinds: set[str] | None) -> None:
        try:
            self._found = list(await session.call("bindings.list"))
        except WorkbenchError as error:
            self._found = None
            self.app.notify(visible(error.message), severity="error", markup=False)
        items = catalogue.items_of(session.state.project, self._found)
        if not any(key.startswith("unbound") for key in self.resources.open_keys):
            self._unfold_first([item for item in items if item.kind == "unbound"])
        self._show(items)
        if kinds is None or "durable_object" in kinds:
            await self._reload_unfolded()
        await self._count(session, kinds)

    def _show(self, items: list[Item]) -> None:
        """Show new items with the children and counts already known."""

        def fill(item: Item) -> None:
            known = self._children.get(item.key)
            if known is not None and not item.loaded:
                item.children, item.loaded = known, True
            if item.key in self._notes:
                item.note = self._notes[item.key]
            if item.kind == "secret" and item.key in self._revealed:
                item.note = str(item.what.detail.get("value", ""))
            for child in item.children:
                fill(child)

        for item in items:
            fill(item)
        self.resources.show(items, self._wanted)

    async def _reload_unfolded(self) -> None:
        """Read the children of every unfolded class and object again."""
        for item in self.resources.in_sight():
            if item.key in self._children or (item.key in self.resources.open_keys and not item.loaded):
                await self._load(item)
        self._refresh_shown()

    def _refresh_shown(self) -> None:
        self.resources.show(self.resources.items, self._wanted)

    async def _load(self, item: Item, cursor: str | None = None) -> None:
        """Fetch an item's children, or the page of them after the cursor."""
        session = self.session
        if session is None or not await below.fetch(session, item, cursor):
            return
        item.loaded = True
        self._children[item.key] = item.children
        for child in item.children:
            if child.key in self._children:
                child.children, child.loaded = self._children[child.key], True
        if item.kind == "sandboxes":
            self._notes[item.key] = item.note

    @on(BindingTree.Unfolded)
    async def unfolded(self, event: BindingTree.Unfolded) -> None:
        if not event.item.loaded:
            self.load_children(event.item)
        else:
            self.count_again()

    @work(group="explorer-load")
    async def load_children(self, item: Item, cursor: str | None = None) -> None:
        await self._load(item, cursor)
        self._refresh_shown()
        self.count_again()

    @work(exclusive=True, group="explorer-counts")
    async def count_again(self) -> None:
        """Other lines came in sight, or one of our panes wrote: count."""
        if self.session is not None:
            await self._count(self.session, None)

    async def _count(self, session: Session, kinds: set[str] | None) -> None:
        """Counts of what is in sight, one after the other, drawn as they come."""
        for item in self.resources.in_sight():
            if kinds is not None and item.kind not in kinds:
                continue
            note = await counts.note_of(session, item)
            if note is not None and note != item.note:
                self._notes[item.key] = item.note = note
                self.resources.redraw(item)

    async def refresh_data(self, paths: Collection[str] = ()) -> None:
        """Files changed: read again what they are about, of what is in sight. Without paths, everything."""
        if not paths:
            self.read_disk()
        elif kinds := {
            counts.FOLDERS[folder] for path in paths if (folder := path.partition("/")[0]) in counts.FOLDERS
        }:
            self.read_disk(kinds)

    async def refresh_sandboxes(self, running: bool) -> None:
        """Something happened in the hub: read its sandboxes, where one runs; none is started to look."""
        item = next((one for one in self.resources.items if one.key == catalogue.SANDBOXES), None)
        if item is None:
            return
        if running or item.loaded:
            await self._load(item)
        self._refresh_shown()

    # What the user does

    @on(BindingTree.Opened)
    def opened(self, event: BindingTree.Opened) -> None:
        event.stop()
        item = event.item
        if item.kind == "more":
            parent, cursor = item.what
            self.load_children(parent, cursor)
        elif item.kind == "elsewhere":
            self.post_message(self.Elsewhere(item.what))
        elif item.kind == "bridge":
            self.post_message(self.OnBridge(item.what.name, item.locator))
        elif isinstance(item.locator, Locator) and item.mark == "remote":
            self.post_message(self.OnAccount(item.locator))
        elif isinstance(item.locator, Locator):
            self.post_message(Pane.Open(item.locator, item.what.id if item.kind == "sandbox" else ""))
        elif item.kind == "secret":
            self.action_reveal()

    @on(BindingTree.Moved)
    def moved(self, event: BindingTree.Moved) -> None:
        self.post_message(Pane.DetailsChanged(details_of(event.item, event.item.key in self._revealed), self))

    def action_reveal(self) -> None:
        """Show or hide the secret under the cursor."""
        node = self.resources.cursor_node
        item = node.data if node else None
        if item is None or item.kind != "secret":
            return
        if item.key in self._revealed:
            self._revealed.discard(item.key)
            item.note = catalogue.MASK
        else:
            self._revealed.add(item.key)
            item.note = str(item.what.detail.get("value", "(no value here)"))
        self.resources.redraw(item)
        self.post_message(Pane.DetailsChanged(details_of(item, item.key in self._revealed), self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "reveal":
            node = self.resources.cursor_node if self.is_mounted else None
            return bool(node and node.data and node.data.kind == "secret")
        return True

    def action_read_again(self) -> None:
        self._children.clear()
        self.read_disk()

    async def action_filter(self) -> None:
        """A line above the tree; what is typed there filters it."""
        if self._filter is None:
            from workbench.widgets.safe_input import SafeInput

            self._filter = SafeInput(placeholder="filter", id="filter", compact=True)
            await self.mount(self._filter, before=self.resources)
        self._filter.focus()

    async def _no_filter(self) -> None:
        """Take its line away, where there is one."""
        box, self._filter = self._filter, None
        if box is not None:
            await box.remove()

    @property
    def _wanted(self) -> str:
        return self._filter.value if self._filter is not None else ""

    async def on_input_changed(self) -> None:
        self._refresh_shown()

    async def on_input_submitted(self) -> None:
        self.resources.focus()
        if not self._wanted:
            await self._no_filter()

    async def on_key(self, event: Any) -> None:
        box = self._filter
        if box is None:
            return
        if event.key == "escape":
            event.stop()
            await self._no_filter()
            self._refresh_shown()
            self.resources.focus()
        elif event.key == "down" and box.has_focus:
            event.stop()
            self.resources.focus()
