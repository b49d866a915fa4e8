"""Rows of a table as SQL writes them: every value leaves and enters a database as the text of a literal.

So nothing is lost on the way, whatever the route: JSON rounds integers beyond 2^53 and has no blobs, but it carries text. SQLite's
`quote()` gives integers and reals with all their digits and blobs in hex; text with a NUL, or that is not UTF-8, is taken as hex too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase
    from workbench.model.sql import Table

ROWS = 200
MOST_SQL = 60_000
"""Characters of literals in one statement: D1 takes 100 KB of SQL."""


class TableRow(NamedTuple):
    """Literals: of the columns that name the row, and of all that are written."""

    key: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.values)) + sum(map(len, self.key))


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(table: Table) -> tuple[str, ...]:
    """What is written of a row: what SQLite does not work out itself; the row's number where that is its only name."""
    written = tuple(one.name for one in table.columns if not one.generated and not one.hidden)
    return written + tuple(name for name in table.identity if name not in written)


def _literal(column: str, *, hex_text: bool) -> str:
    name = quoted(column)
    as_hex = f"'CAST(X''' || hex({name}) || ''' AS TEXT)'"
    text = as_hex if hex_text else f"CASE WHEN instr({name}, char(0)) THEN {as_hex} ELSE quote({name}) END"
    return f"CASE typeof({name}) WHEN 'text' THEN {text} ELSE quote({name}) END"


async def _rows(database: SqlDatabase, table: Table, where: str) -> list[TableRow]:
    keys, columns = table.identity, columns_of(table)
    order = ", ".join(map(quoted, keys))
    for hex_text in (False, True):
        picked = ", ".join(_literal(name, hex_text=hex_text) for name in (*keys, *columns))
        sql = f"SELECT {picked} FROM {quoted(table.name)} {where} ORDER BY {order} LIMIT {ROWS}"
        rows = (await database.query(sql, read_only=True))[0].rows
        if hex_text or all(type(cell) is str and "\ufffd" not in cell for row in rows for cell in row):
            break
    return [TableRow(tuple(map(str, row[: len(keys)])), tuple(map(str, row[len(keys) :]))) for row in rows]


def _named(table: Table) -> str:
    names = ", ".join(map(quoted, table.identity))
    return names if len(table.identity) == 1 else f"({names})"


def _tuple(key: tuple[str, ...]) -> str:
    return key[0] if len(key) == 1 else f"({', '.join(key)})"


async def pages(database: SqlDatabase, table: Table) -> AsyncIterator[list[TableRow]]:
    """Every row of a table in order of what names it, some at a time."""
    where = ""
    while True:
        rows = await _rows(database, table, where)
        if rows:
            yield rows
        if len(rows) < ROWS:
            return
        where = f"WHERE {_named(table)} > {_tuple(rows[-1].key)}"


def in_pieces(rows: Sequence[TableRow]) -> Iterator[list[TableRow]]:
    """The rows in lots that fit in one statement (one that is too long by itself goes alone)."""
    lot: list[TableRow] = []
    size = 0
    for row in rows:
        if lot and size + row.size > MOST_SQL:
            yield lot
            lot, size = [], 0
        lot.append(row)
        size += row.size
    if lot:
        yield lot


async def those(
    database: SqlDatabase, table: Table, rows: Sequence[TableRow]
) -> dict[tuple[str, ...], TableRow]:
    """The rows that bear the same names as these, by them."""
    found: dict[tuple[str, ...], TableRow] = {}
    for lot in in_pieces(rows):
        names = ", ".join(_tuple(row.key) for row in lot)
        among = f"({names})" if len(table.identity) == 1 else f"(VALUES {names})"
        found |= {row.key: row for row in await _rows(database, table, f"WHERE {_named(table)} IN {among}")}
    return found


def written(table: Table, rows: Sequence[TableRow]) -> str:
    """The statement that writes rows, over those that bear the same names. (Not REPLACE, which deletes first, and what hangs on it.)"""
    columns = columns_of(table)
    rest = [quoted(name) for name in columns if name not in table.identity]
    doing = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rest)}" if rest else "NOTHING"
    values = ", ".join(f"({', '.join(row.values)})" for row in rows)
    names = ", ".join(map(quoted, columns))
    at = ", ".join(map(quoted, table.identity))
    return f"INSERT INTO {quoted(table.name)} ({names}) VALUES {values} ON CONFLICT ({at}) DO {doing}"
