"""What two rooms have alike and what not: their tables, the rows of these, and every entry. Any two databases of objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal, NamedTuple

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import Row, Table

from .compare_rows import Columns, columns_of, differing_rows
from .reading import Place

MOST = 10_000
"""Lines listed; two large rooms that have nothing in common would have no end."""
PAGE = 500

How = Literal["same", "left", "right", "differ", "unknown"]


class Side(NamedTuple):
    """A room to compare. label: what a person calls it."""

    place: Place
    path: tuple[str, ...]
    label: str

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        return (self.place.namespace, self.place.object, self.path)


class RowValue(NamedTuple):
    """A row of one room. changed: the places of the columns in which the other room's row differs."""

    columns: Columns
    row: Row
    changed: tuple[int, ...] = ()


class Found(NamedTuple):
    """A line of a comparison. how: alike in both rooms, only in the left one, only in the right one, other in each, or not known.

    left, right: a Table, a RowValue or a StorageEntry, by kind; None where the room has none.
    """

    kind: Literal["table", "row", "entry"]
    name: str
    how: How
    left: Any
    right: Any


class Comparison(NamedTuple):
    """lines: in the order of tables, each with its rows, then entries. notes: what could not be compared, and why.
    cut: there is more than is listed."""

    lines: list[Found]
    notes: list[str]
    cut: bool

    def count(self, how: How) -> int:
        return sum(one.how == how for one in self.lines)


async def compare(left: Side, right: Side, cancel: Cancel) -> Comparison:
    """Read both rooms, as far as `MOST` lines go. Raises WorkbenchError, `cancelled` too."""
    notes: list[str] = []
    lines: list[Found] = []
    for found in (_tables(left, right, notes, cancel), _entries(left, right, cancel)):
        async with aclosing(found):
            async for one in found:
                if len(lines) >= MOST:
                    return Comparison(lines, notes, True)
                lines.append(one)
    return Comparison(lines, notes, False)


# Tables and their rows


async def _tables(left: Side, right: Side, notes: list[str], cancel: Cancel) -> AsyncGenerator[Found, None]:
    mine = {table.name: table for table in await left.place.own_tables(left.path)}
    others = {table.name: table for table in await right.place.own_tables(right.path)}
    for name in sorted(mine.keys() | others.keys()):
        one, other = mine.get(name), others.get(name)
        if one is None or other is None:
            yield Found("table", name, "right" if one is None else "left", one, other)
            continue
        rows: list[Found] = []
        how: How = "same" if _made_alike(one, other) and one.rows == other.rows else "differ"
        connections = [side.place.connection(side.path) for side in (left, right)]
        try:
            async for ours, theirs in differing_rows(connections, (one, other), MOST, cancel):
                rows.append(_row(one, other, ours, theirs))
        except Cancelled:
            raise
        except (ValueError, WorkbenchError) as why:
            notes.append(f"{name}: {why}")
            how = "unknown" if how == "same" else how
        finally:
            for connection in connections:
                await connection.close()
        yield Found("table", name, "differ" if rows else how, one, other)
        for row in rows:
            yield row


def _made_alike(one: Table, other: Table) -> bool:
    """Whether two tables have the same columns, keys, indexes and triggers."""
    return one._replace(rows=None) == other._replace(rows=None)


def _row(one: Table, other: Table, ours: Row | None, theirs: Row | None) -> Found:
    """A row that the tables don't have alike; its name is what identifies it."""
    mine, others = columns_of(one, other), columns_of(other, one)
    shown, columns = (ours, mine) if ours is not None else (theirs, others)
    assert shown is not None
    key = ", ".join(f"{columns.names[at]} {_said(shown[at])}" for at in columns.key)
    changed: tuple[int, ...] = ()
    if ours is not None and theirs is not None:
        changed = tuple(
            at for at in mine.shared if typed(ours[at]) != typed(theirs[others.at(mine.names[at])])
        )
    left = None if ours is None else RowValue(mine, ours, changed)
    there = tuple(others.at(mine.names[at]) for at in changed)
    right = None if theirs is None else RowValue(others, theirs, there)
    how: How = "right" if ours is None else "left" if theirs is None else "differ"
    return Found("row", f"{one.name} {key}".rstrip(), how, left, right)


def _said(value: Any) -> str:
    return value[:60] if isinstance(value, str) else "NULL" if value is None else repr(value)[:60]


# Entries


def alike(left: StorageEntry, right: StorageEntry) -> bool:
    """Whether two entries hold the same value, however it was written."""
    if left.raw == right.raw:
        return True
    if left.undecoded or right.undecoded:
        return False
    try:
        return bool(typed(left.value) == typed(right.value))
    except RecursionError:  # nested too deep to walk: what is not the same bytes is taken for different
        return False


def typed(value: Any) -> Any:
    """A value in which true is not 1 and 1 is not 1.0: what the databases tell apart and Python's == does not."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    return (type(value).__name__, value)


def _order(entry: StorageEntry) -> bytes:
    """Where an entry stands in the list of its room: by the bytes of its key."""
    try:
        return entry.key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return entry.key.encode("utf-8", "surrogatepass")


async def _all(side: Side, cancel: Cancel) -> AsyncIterator[StorageEntry]:
    cursor: str | None = None
    while True:
        cancel.check()
        entries, cursor = await side.place.entries(side.path, "", cursor, PAGE)
        for entry in entries:
            yield entry.data
        if cursor is None:
            return


async def _entries(left: Side, right: Side, cancel: Cancel) -> AsyncGenerator[Found, None]:
    """The entries of both, in the order of their keys."""
    ours, theirs = _all(left, cancel), _all(right, cancel)
    mine, other = await anext(ours, None), await anext(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and _order(mine) < _order(other)):
            assert mine is not None
            yield Found("entry", mine.key, "left", mine, None)
            mine = await anext(ours, None)
        elif mine is None or _order(other) < _order(mine):
            yield Found("entry", other.key, "right", None, other)
            other = await anext(theirs, None)
        else:
            yield Found("entry", mine.key, "same" if alike(mine, other) else "differ", mine, other)
            mine, other = await anext(ours, None), await anext(theirs, None)
