"""The inspector's pane: the house, its rooms filled as they come into sight, and the value under the cursor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.overview import size
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.screens.when import from_now
from workbench.widgets.house import House
from workbench.widgets.paging import Pages
from workbench.widgets.room import Line, Room
from workbench.widgets.room_lines import title_of
from workbench.widgets.safe_input import SafeInput

from . import reading
from .value import FIRST_ROWS, RoomValue

SETTLE = 0.05
"""Seconds the cursor rests on a line before its value is shown."""


class Inspecting(Pane):
    """An object with its facets. What it writes is in `edits.py`."""

    TCSS = "inspector.tcss"
    HELP = (
        "One object: at the left, in a double frame, what the supervisor itself keeps; beside it each facet with all that the "
        "facet's code can see. A facet's own facets hang below it; × is a deleted one.\n"
        "← and → go to the room beside, ↑ and ↓ through the lines. Below is the whole value, or a table's first rows; enter "
        "goes there, escape comes back. On a table enter opens the console.\n"
        "c marks a room; c on a second one shows what differs between the two, also if it belongs to another object."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("q", "query", "Query"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("y", "yank", "Copy the name", show=False),
        Binding("r", "read_again", "Read again", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.place = reading.Place(session, locator.resource, locator.object)
        self.known: reading.Known | None = None
        self._wish: tuple[str, ...] | None = locator.facets or None

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        yield House(id="house")
        yield SafeInput(placeholder="keys that begin with", id="find", compact=True)
        yield RoomValue(id="value")

    async def on_mount(self) -> None:
        self.read()

    def on_resize(self, event: events.Resize) -> None:
        self.house.most = event.size.height * 3 // 5
        self.house.refresh(layout=True)
        self._draw_where()

    @property
    def house(self) -> House:
        return self.query_one(House)

    @property
    def spoken(self) -> str:
        """What a person calls the object."""
        known = self.known.name if self.known else None
        return known if known is not None else self.locator.label or self.place.object[:8]

    def focus_first(self) -> None:
        self.house.focus()

    def keep(self) -> dict[str, Any]:
        room = self.house.room if self.is_mounted else None
        return {"room": list(room.path) if room else []}

    def restore(self, kept: dict[str, Any]) -> None:
        room = kept.get("room")
        if isinstance(room, list) and all(isinstance(name, str) for name in room):
            self._wish = tuple(room)

    def selected(self) -> dict[str, str]:
        room, line = self.house.room, self.house.line
        found = {"facet": json.dumps(room.path)} if room is not None and room.path else {}
        return found | ({"key": line.entry.key} if line is not None and line.entry is not None else {})

    # Reading

    @work(exclusive=True, group="house")
    async def read(self) -> None:
        """The object, its alarm and its rooms."""
        try:
            self.known = await self.place.house()
        except WorkbenchError as error:
            self.known = None
            self.house.show([])
            self.query_one(RoomValue).say(error)
            self._draw_where()
            return
        self.house.show(reading.rooms_of(self.known))
        if self._wish is not None:
            self.house.go_to(self._wish)
            self._wish = None
        self._draw_where()

    def concerns(self, paths: Collection[str]) -> bool:
        folder = f"do/{self.place.namespace}/"
        return any(path.startswith((folder + self.place.object, folder + "metadata")) for path in paths)

    async def refresh_data(self) -> None:
        self.read()

    @on(House.Furnish)
    @work(group="rooms")
    async def furnish(self, event: House.Furnish) -> None:
        """The tables of a room that came into sight."""
        room = event.room
        try:
            tables = await self.place.tables(room.path)
        except WorkbenchError as error:
            self.house.furnish(room, [], error.message)
        else:
            self.house.furnish(room, tables)

    @on(House.Need)
    def need(self, event: House.Need) -> None:
        for number, cursor in event.pages:
            self._fetch(event.room, event.room.pages, number, cursor)

    @work(group="rooms")
    async def _fetch(self, room: Room, pages: Pages, number: int, cursor: str | None) -> None:
        ticket = pages.begin(number)
        try:
            entries, following = await self.place.entries(room.path, room.prefix, cursor)
        except WorkbenchError as error:
            self.house.failed(room, number)
            if room.tables is not None:
                self.house.furnish(room, room.tables, error.message)
            return
        if room.pages is pages and pages.latest(number, ticket):
            self.house.supply(room, number, entries, following)

    # What is said above

    def _draw_where(self, extra: str = "") -> None:
        known = self.known
        if known is None:
            self.query_one("#where", Static).update(Content(visible(self.title, limit=100)))
            return
        facets = known.facets
        live = [facet for facet in facets if not facet.deleted]
        gone = len(facets) - len(live)
        total = known.own.size_bytes + sum(facet.size_bytes for facet in live)
        parts: list[Any] = [
            (f"{visible(known.class_name, limit=60)} / {visible(self.spoken, limit=60)}", "bold $primary")
        ]
        if extra:
            parts.append((f"  {extra}", "$text-warning"))
        if known.alarm:
            parts.append((f"  alarm {from_now(known.alarm)}", "$text-accent"))
        counted = f"{len(live)} facet{'s' if len(live) != 1 else ''}" if facets else "no facets"
        if known.problem:
            parts.append(("  " + visible(known.problem, limit=300), "$text-error"))
            counted = "its facets are not known"
        parts.append(f"  {counted}{f', {gone} deleted' if gone else ''}")
        said = Content.assemble(*parts)
        for more in (f"  {size(total)}", f"  id {self.place.object[:8]}…"):
            if said.cell_length + len(more) > self.size.width - 2:
                break  # the details have them
            said = Content.assemble(said, more)
        self.query_one("#where", Static).update(said)

    @on(House.Chasing)
    def chasing(self, event: House.Chasing) -> None:
        self._draw_where("" if event.done else f"reading on: {event.rows:,} · esc stops")

    # What is shown below

    def where(self, room: Room) -> str:
        """A room as a person calls it."""
        return title_of(room)

    @on(House.Moved)
    def moved(self, event: House.Moved) -> None:
        self._details(event.room, event.line)
        self._show(event.room, event.line)

    @work(exclusive=True, group="value")
    async def _show(self, room: Room, line: Line) -> None:
        await asyncio.sleep(SETTLE)
        panel = self.query_one(RoomValue)
        if line.entry is not None:
            panel.entry(line.entry.data, self.where(room))
        elif line.table is not None:
            panel.table(line.table, None, self.where(room))
            try:
                panel.table(line.table, await self._first_rows(room, line.table.name), self.where(room))
            except WorkbenchError as error:
                panel.say(error)
        elif line.kind == "deleted":
            panel.nothing(f"{self.where(room)} was deleted; its name stays in the index of facets.")
        elif line.kind == "problem":
            panel.nothing(room.problem)
        else:
            panel.nothing()

    async def _first_rows(self, room: Room, table: str) -> Any:
        quoted = table.replace('"', '""')
        sql = f'SELECT * FROM "{quoted}" LIMIT {FIRST_ROWS}'
        return (
            await self.session.call("do.query", sql=sql, read_only=True, **self.place.arguments(room.path))
        )[0]

    def _details(self, room: Room, line: Line) -> None:
        known = self.known
        rows = [("class", known.class_name if known else self.place.namespace), ("object", self.spoken)]
        rows += [("id", self.place.object), ("room", self.where(room)), ("whose", room.words)]
        if known is not None and known.alarm:
            rows.append(("alarm", f"{known.alarm} ({from_now(known.alarm)})"))
        if line.entry is not None:
            rows += [("key", line.entry.key), ("stored", size(line.entry.data.size_bytes))]
        if line.table is not None:
            rows += [("table", line.table.name), ("made by", line.table.sql)]
        self.show_details(Details(self.spoken, tuple(rows)))

    # Keys

    @on(House.Opened)
    def opened(self, event: House.Opened) -> None:
        if event.line.table is not None:
            self.open_console(event.room, event.line.table.name)
        else:
            self.query_one(RoomValue).focus_value()

    def open_console(self, room: Room, table: str = "") -> None:
        """The room's database in the SQL console."""
        if room.deleted:
            self.tell(f"{self.where(room)} was deleted: there is no database to open")
            return
        kind = "do_facet" if room.path else "do_object"
        label = room.path[-1] if room.path else self.spoken
        where = Locator(kind, self.place.namespace, self.place.object, room.path, "sql", f"{label} SQL")
        self.post_message(self.Open(where, table))

    def action_query(self) -> None:
        if self.house.room is not None:
            line = self.house.line
            self.open_console(self.house.room, line.table.name if line and line.table else "")

    def action_yank(self) -> None:
        line = self.house.line
        name = line.identity[1] if line is not None else ""
        if name:
            self.app.copy_to_clipboard(name.encode("utf-8", "replace").decode())
            self.tell("copied the name")

    async def action_read_again(self) -> None:
        await self.refresh_data()

    def action_find(self) -> None:
        """Narrow the room's entries to a prefix as it is typed."""
        find, room = self.query_one("#find", Input), self.house.room
        if room is None or room.deleted:
            return
        with find.prevent(Input.Changed):
            find.value = room.prefix
        find.add_class("-open")
        find.focus()

    @on(Input.Changed, "#find")
    @work(exclusive=True, group="find")
    async def find_changed(self, event: Input.Changed) -> None:
        await asyncio.sleep(0.06)
        if self.house.room is not None:
            self.house.narrow(self.house.room, event.value)

    @on(Input.Submitted, "#find")
    def find_done(self) -> None:
        self.query_one("#find").remove_class("-open")
        self.house.focus()

    def action_back(self) -> None:
        """Escape undoes one thing: the search for the end, the field, a filter, the focus below."""
        find, house = self.query_one("#find", Input), self.house
        if house.stop_chasing():
            self._draw_where()
        elif find.has_class("-open") or (house.has_focus and house.room and house.room.prefix):
            find.remove_class("-open")
            with find.prevent(Input.Changed):
                find.value = ""
            if house.room is not None and house.room.prefix:
                house.narrow(house.room, "")
            house.focus()
        else:
            house.focus()
