"""From the backend's values to rooms: which there are, what they hold, and a page of entries."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.model.durable_objects import Facet
from workbench.model.errors import WorkbenchError
from workbench.model.sql import Schema, Table
from workbench.screens.console.connection import Connection
from workbench.screens.pane import Locator
from workbench.screens.session import Session
from workbench.widgets.paging import Entry
from workbench.widgets.room import Room, TableLine

PAGE = 100


class Known(NamedTuple):
    """An object as read: its class's and its own name (None where it has none), alarm (ISO 8601), legacy or not, rooms.

    problem: why its facets are not among them, or "".
    """

    class_name: str
    name: str | None
    alarm: str | None
    legacy: bool
    own: Facet
    problem: str = ""

    @property
    def facets(self) -> list[Facet]:
        """All facets in the order of their tree, deleted ones too."""
        return list(_within(self.own))


def _within(facet: Facet) -> Any:
    for inner in facet.facets:
        yield inner
        yield from _within(inner)


class Place(NamedTuple):
    """One object of a class; what every read and write here is about."""

    session: Session
    namespace: str
    object: str

    def arguments(self, path: tuple[str, ...] = ()) -> dict[str, Any]:
        """Them under the names operations have."""
        return {"namespace": self.namespace, "object": self.object, "facet": path}

    async def house(self) -> Known:
        """Everything about the object but what lies in its rooms. Raises `do.object_not_found`."""
        session, namespace, object = self.session, self.namespace, self.object
        known = await session.ask(lambda backend: backend.durable_objects.object(namespace, object))
        problem = ""
        try:
            own = await session.ask(lambda backend: backend.durable_objects.room(namespace, object))
        except WorkbenchError as error:  # the index of its facets: what it keeps itself is shown all the same
            own, problem = Facet("", (), 0, 0, 0, 0, 0, False, ()), error.message
        class_name, legacy = await self.class_of()
        return Known(class_name, known.name, known.alarm, legacy, own, problem)

    async def class_of(self) -> tuple[str, bool]:
        """The class's name, and whether it keeps its storage the old way."""
        rows = await self.session.call("do.namespaces.list")
        row = next((row for row in rows if row.id == self.namespace), None)
        return (row.class_name, row.sqlite is False) if row else (self.namespace, False)

    async def own_tables(self, path: tuple[str, ...]) -> list[Table]:
        """The user's own tables and views; the runtime's, and the inner ones of virtual tables, are left to the console."""
        schema: Schema = await self.session.call("do.schema.get", counts=True, **self.arguments(path))
        return [table for table in schema.tables if not table.reserved and table.kind != "shadow"]

    async def tables(self, path: tuple[str, ...]) -> list[TableLine]:
        """Those as lines of a room."""
        tables = await self.own_tables(path)
        return [TableLine(table.name, table.kind, table.rows, table.sql or "") for table in tables]

    def connection(self, path: tuple[str, ...]) -> Connection:
        """A connection to a room that only reads. Close it."""
        kind = "do_facet" if path else "do_object"
        connection = Connection(self.session, Locator(kind, self.namespace, self.object, path))
        connection.read_only = True
        return connection

    async def entries(
        self, path: tuple[str, ...], prefix: str, cursor: str | None, limit: int = PAGE
    ) -> tuple[list[Entry], str | None]:
        """A page of entries, and the cursor of the one after it."""
        page = await self.session.call(
            "do.storage.list", prefix=prefix, limit=limit, cursor=cursor, **self.arguments(path)
        )
        return [Entry(one.key, one.key, data=one) for one in page.items], page.cursor


def rooms_of(house: Known) -> list[Room]:
    """The rooms of a house, the object's own first, in the order of their tree."""
    facets = house.facets
    if house.legacy:
        title, words = "object", "all it keeps (legacy class: no SQL)"
    elif house.problem:
        title, words = "object", "all it keeps; its facets can't be read"
    elif facets:
        title, words = "supervisor", "its own: no facet sees it"
    else:
        title, words = "object", "all it keeps; it has no facets"
    own = Room(
        (),
        title,
        words=words,
        size_bytes=house.own.size_bytes,
        known_tables=house.own.tables,
        keys=house.own.keys,
    )
    return [own, *(_room(facet) for facet in facets)]


def _room(facet: Facet) -> Room:
    return Room(
        facet.path,
        "facet",
        words="all that its code can see",
        size_bytes=facet.size_bytes,
        known_tables=facet.tables,
        keys=facet.keys,
        deleted=facet.deleted,
    )
