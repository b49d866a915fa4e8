"""The rows of two tables of the same name, compared: by their key where both have the same, else as a bag of rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from workbench.model.progress import Cancel
from workbench.model.sql import Row, SqlValue, Table
from workbench.screens.console.connection import Connection
from workbench.widgets.rows import weight
from workbench.widgets.sql_completion import name_in_sql

MOST_ROWS = 50_000
MOST_BYTES = 64 * 1024 * 1024
BATCH = 500

Key = tuple[tuple[str, SqlValue] | int, ...]


class Columns(NamedTuple):
    """names: the columns read. shared: places of those that both tables have. key: places of those that name a row."""

    names: tuple[str, ...]
    shared: tuple[int, ...]
    key: tuple[int, ...]

    def at(self, name: str) -> int:
        return self.names.index(name)


def columns_of(table: Table, other: Table) -> Columns:
    """What is read of a table to compare it with another of that name.

    Only a key of columns names a row in two databases; a rowid says no more than in which order rows were written.
    """
    names = tuple(column.name for column in table.columns if not column.hidden)
    theirs = {column.name for column in other.columns if not column.hidden}
    shared = tuple(at for at, name in enumerate(names) if name in theirs)
    key: tuple[int, ...] = ()
    if table.identity == other.identity and all(name in names and name in theirs for name in table.identity):
        key = tuple(names.index(name) for name in table.identity)
    return Columns(names, shared, key)


async def differing_rows(
    connections: Sequence[Connection], tables: tuple[Table, Table], most: int, cancel: Cancel
) -> AsyncIterator[tuple[Row | None, Row | None]]:
    """Pairs of rows that are not alike, None where a table has none: `most` of them at most.

    Raises ValueError that says why where the tables can't be compared row by row, WorkbenchError where they can't be read.
    """
    one, other = tables
    mine, others = columns_of(one, other), columns_of(other, one)
    if not mine.shared:
        raise ValueError("no column in common, so no rows are compared")
    order = [mine.names[at] for at in mine.shared]
    ours = await _read(connections[0], one, mine, order, cancel)
    theirs = await _read(connections[1], other, others, order, cancel)
    given = 0
    for key, row in ours.items():
        match = theirs.pop(key, None)
        if match is None or _content(row, mine, order) != _content(match, others, order):
            yield row, match
            given += 1
            if given >= most:
                return
    for row in theirs.values():
        yield None, row
        given += 1
        if given >= most:
            return


def _content(row: Row, columns: Columns, order: list[str]) -> Key:
    """The row's values in columns both tables have, each with its type: 1 is not 1.0."""
    return tuple((type(row[at]).__name__, row[at]) for at in map(columns.at, order))


async def _read(
    connection: Connection, table: Table, columns: Columns, order: list[str], cancel: Cancel
) -> dict[Key, Row]:
    """All rows by their key. Without one the content is the key, and a number tells equal rows apart."""
    names = ", ".join(map(name_in_sql, columns.names))
    running = await connection.start(f"SELECT {names} FROM {name_in_sql(table.name)}", cancel)
    found: dict[Key, Row] = {}
    seen: dict[Key, int] = {}
    taken = 0
    try:
        while not running.ended:
            cancel.check()
            for row in await connection.fetch(running, BATCH):
                taken += weight(row)
                if len(found) >= MOST_ROWS or taken > MOST_BYTES:
                    raise ValueError(f"more than {len(found):,} rows are too many to compare here")
                if columns.key:
                    key: Key = tuple((type(row[at]).__name__, row[at]) for at in columns.key)
                else:
                    content = _content(row, columns, order)
                    seen[content] = number = seen.get(content, 0) + 1
                    key = (*content, number)
                found[key] = row
    finally:
        await connection.finish(running)
    return found
