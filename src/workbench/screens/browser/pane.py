"""The browser's pane: where one is, the keys, the value of the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.widgets.key_list import KeyList
from workbench.widgets.paging import Entry, Pages
from workbench.widgets.safe_input import SafeInput
from workbench.widgets.transfer import TransferBar

from .sources import Loaded, Source
from .value import ValuePanel

WIDE = 96
"""Columns from which the value stands beside the keys."""
SETTLE = 0.05
"""Seconds the cursor rests on a key before its value is read."""


class Browsing(Pane):
    """Keys of one namespace or bucket: as folders or flat, narrowed by a prefix, a page at a time."""

    TCSS = "browser.tcss"
    HELP = (
        "Keys in the order of their bytes; those that share a prefix up to the next / are a folder (▸).\n"
        "/ narrows to a prefix as you type and stays quick with millions of keys; t shows keys flat, without folders.\n"
        "Space marks; delete, copy, move and save then work on everything marked. End reads on to the last key; Escape stops."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("slash", "find", "Find", key_display="/"),
        Binding("backspace,left", "up", "Up", show=False),
        Binding("t", "flat", "Folders/flat", show=False),
        Binding("y", "yank", "Copy the key's name", show=False),
        Binding("r", "read_again", "Read again", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.prefix = ""
        self.flat = False
        self.loaded: Loaded | None = None
        self._wish: str | None = None
        self._count = ""
        self._chased = ""

    @property
    def source(self) -> Source:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        yield SafeInput(placeholder="prefix", id="find", compact=True)
        with Container(id="split"):
            yield KeyList(id="keys")
            with Vertical(id="value"):
                yield ValuePanel()
        yield TransferBar()

    def on_mount(self) -> None:
        self.go(self.prefix, self._wish)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    @property
    def keys(self) -> KeyList:
        return self.query_one(KeyList)

    def focus_first(self) -> None:
        self.keys.focus()

    def keep(self) -> dict[str, Any]:
        entry = self.keys.current if self.is_mounted else None
        return {"prefix": self.prefix, "flat": self.flat, "key": entry.key if entry else ""}

    def restore(self, kept: dict[str, Any]) -> None:
        prefix, key = kept.get("prefix"), kept.get("key")
        self.prefix = prefix if isinstance(prefix, str) else ""
        self._wish = key if isinstance(key, str) else None
        self.flat = kept.get("flat") is True

    def selected(self) -> dict[str, str]:
        entry = self.keys.current
        found = {"prefix": self.prefix} if self.prefix else {}
        return found | ({"key": entry.key} if entry is not None and not entry.folder else {})

    # Where one is

    @property
    def narrowed(self) -> str:
        """The folder with what was typed behind it."""
        return self.prefix + self.query_one("#find", Input).value

    def go(self, prefix: str, wish: str | None = None) -> None:
        """Show a folder."""
        self.prefix = prefix
        find = self.query_one("#find", Input)
        with find.prevent(Input.Changed):
            find.value = ""
        find.remove_class("-open")
        self._restart(wish)

    def _restart(self, wish: str | None = None) -> None:
        self.keys.start(wish)
        self._count = self._chased = ""
        self._draw_where()
        self.count_here()

    def _draw_where(self) -> None:
        marks = len(self.keys.marks)
        parts: list[tuple[str, str] | str] = [(visible(self.title, limit=60), "bold $primary")]
        parts.append(" ▸ " + visible(self.prefix, limit=200) if self.prefix else "")
        if self._count:
            parts.append(f"   {self._count}")
        if self.flat:
            parts.append("   flat")
        if marks:
            parts.append((f"   {marks:,} marked", "bold $warning"))
        if self._chased:
            parts.append((f"   {self._chased}", "$warning"))
        self.query_one("#where", Static).update(Content.assemble(*parts))

    @work(exclusive=True, group="count")
    async def count_here(self) -> None:
        """How many keys lie here, read behind the list itself."""
        await asyncio.sleep(0.15)
        if not self.query(KeyList):
            return  # the tab was closed meanwhile, as it may be while it counts
        try:
            count = await self.source.count(self.narrowed)
        except WorkbenchError:
            return
        if not self.query(KeyList):
            return
        self._count = f"{count:,} {self.source.noun}{'s' if count != 1 else ''}"
        self._draw_where()

    # Pages

    @on(KeyList.Need)
    def need(self, event: KeyList.Need) -> None:
        for number, cursor in event.pages:
            self._fetch(self.keys.pages, number, cursor)

    @work(group="pages")
    async def _fetch(self, pages: Pages, number: int, cursor: str | None) -> None:
        ticket = pages.begin(number)
        try:
            entries, following = await self.source.page(self.narrowed, cursor, self.flat)
        except WorkbenchError as error:
            self.keys.failed(pages, number)
            self.query_one(ValuePanel).say(error)
            return
        if pages.latest(number, ticket):
            self.keys.supply(pages, number, entries, following)

    @on(KeyList.Chasing)
    def chasing(self, event: KeyList.Chasing) -> None:
        self._chased = "" if event.done else f"reading on: {event.rows:,} · esc stops"
        self._draw_where()

    def concerns(self, paths: Collection[str]) -> bool:
        folder = self.source.product + "/"
        return any(path.startswith(folder) for path in paths)

    async def refresh_data(self) -> None:
        self.keys.again()
        self.count_here()
        entry = self.keys.current
        if entry is not None and not entry.folder:
            self._load(entry)

    # The value

    @on(KeyList.Moved)
    def moved(self, event: KeyList.Moved) -> None:
        entry = event.entry
        if entry is None or entry.folder:
            self.loaded = None
            self._cancel_load()
            panel = self.query_one(ValuePanel)
            panel.folder(entry.key if entry else "")
            details = Details(entry.key, (("folder", ""),)) if entry else Details(self.title, ())
            self.show_details(details)
        else:
            self._load(entry)

    def _cancel_load(self) -> None:
        self.workers.cancel_group(self, "value")

    @work(exclusive=True, group="value")
    async def _load(self, entry: Entry) -> None:
        await asyncio.sleep(SETTLE)
        panel = self.query_one(ValuePanel)
        try:
            loaded = await self.source.load(entry.key)
        except WorkbenchError as error:
            self.loaded = None
            panel.say(error)
            return
        self.loaded = loaded
        panel.show(loaded)
        self.show_details(Details(entry.key, (("key", entry.key), *loaded.rows)))

    # Keys

    @on(KeyList.Opened)
    def opened(self, event: KeyList.Opened) -> None:
        entry = event.entry
        if entry.folder:
            self.go(entry.key)
        else:
            self.query_one(ValuePanel).focus_value()

    @on(KeyList.Marked)
    def marked(self) -> None:
        self._draw_where()

    def action_up(self) -> None:
        """To the folder this one lies in, with the cursor on it."""
        if self.prefix:
            here = self.prefix
            self.go(here[: here[:-1].rfind("/") + 1], here)
            self.keys.focus()

    def action_find(self) -> None:
        find = self.query_one("#find", Input)
        find.add_class("-open")
        find.focus()

    @on(Input.Changed, "#find")
    @work(exclusive=True, group="find")
    async def find_changed(self, event: Input.Changed) -> None:
        await asyncio.sleep(0.06)
        self._restart()

    @on(Input.Submitted, "#find")
    def find_done(self) -> None:
        self.keys.focus()

    def action_flat(self) -> None:
        self.flat = not self.flat
        entry = self.keys.current
        self._restart(entry.key if entry else None)

    def action_yank(self) -> None:
        if self.keys.current is not None:
            self.app.copy_to_clipboard(self.keys.current.key)
            self.tell("copied the key's name")

    async def action_read_again(self) -> None:
        await self.refresh_data()

    def action_back(self) -> None:
        """Escape undoes one thing: work that runs, the search for the end, a filter, marks, then the folder."""
        find = self.query_one("#find", Input)
        if self.stop_transfer():
            return
        if self.keys.stop_chasing():
            self._chased = ""
            self._draw_where()
        elif find.has_class("-open"):
            self.go(self.prefix)
            self.keys.focus()
        elif not self.keys.has_focus:
            self.keys.focus()
        elif self.keys.marks:
            self.keys.clear_marks()
        else:
            self.action_up()

    def on_key(self, event: events.Key) -> None:
        if event.key == "down" and self.query_one("#find", Input).has_focus:
            self.keys.focus()
            event.stop()

    def chosen(self) -> list[Entry]:
        """What is marked, else what has the cursor."""
        marked = list(self.keys.marks.values())
        current = self.keys.current
        return marked or ([current] if current is not None else [])

    # What the parts that write add

    @property
    def transferring(self) -> bool:
        """Whether long work runs in this tab."""
        return False

    def stop_transfer(self) -> bool:
        """Stop it; whether anything ran."""
        return False

    def why_stay(self) -> str:
        return "Work is going on in this tab; closing stops it." if self.transferring else ""

    async def closing(self) -> None:
        self.stop_transfer()

    def written(self, wish: str | None = None) -> None:
        """Something was written here: show it, and have the tree count again."""
        if wish is not None:
            folder = "" if self.flat else wish[: wish.rfind("/") + 1]
            if not self.flat and folder != self.prefix:
                self.go(folder, wish)
            else:
                self._restart(wish)
        else:
            self.keys.again()
            self.count_here()
        self.post_message(self.Changed())
