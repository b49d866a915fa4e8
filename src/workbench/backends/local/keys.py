"""Ordered keys of a table: prefixes, folders, cursors. What KV and R2 have in common.

The order is that of the keys' UTF-8 bytes, as `ORDER BY key` has it. The emulator filters prefixes by `substr`, which looks
at every key; here a prefix is a range of the index, and a folder is skipped by seeking to its end, so the cost is that of
what is shown. Keys are read as bytes: a key that is not UTF-8 shows with escapes (surrogateescape) and breaks nothing.
"""

import binascii
from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw

from workbench.model.errors import UsageError, WorkbenchError

PAGE = 1000
"""What a page holds when nothing else is asked for, as the emulator's lists do."""


class Table(NamedTuple):
    """columns: SQL for what is read beside the key. condition: SQL that a row must meet, with :value for `value`, or ""."""

    name: str
    columns: str
    condition: str = ""
    value: Any = None


class Found(NamedTuple):
    """rows: key as text and columns. folders: with the delimiter at their end. last: the key to go on after, None at the end."""

    rows: list[tuple[Any, ...]]
    folders: list[bytes]
    last: bytes | None


def to_bytes(key: str) -> bytes:
    """A key as it is stored; one that was read from bytes that are no UTF-8 becomes those bytes again."""
    try:
        return key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def to_text(key: bytes) -> str:
    """A stored key as text."""
    return key.decode("utf-8", "surrogateescape")


def encode_cursor(key: bytes) -> str:
    """The emulator's own cursor: the last key of a page in base64."""
    return binascii.b2a_base64(key, newline=False).decode("ascii")


def decode_cursor(cursor: str) -> bytes:
    """The key to go on after. Raises `cursor.not_valid`."""
    try:
        text = cursor.strip().replace("-", "+").replace("_", "/").rstrip("=")
        return binascii.a2b_base64((text + "=" * (-len(text) % 4)).encode("ascii"), strict_mode=True)
    except ValueError:
        raise WorkbenchError(
            "cursor.not_valid", f"{cursor!r} is not a cursor", "Use the one that the page before gave."
        ) from None


def end_of(prefix: bytes) -> bytes | None:
    """The first string that comes after all that begin with the prefix; None where none does."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def checked_limit(limit: int | None) -> int:
    """How many to read. Raises UsageError for less than one."""
    if limit is None:
        return PAGE
    if limit < 1:
        raise UsageError(f"a limit of {limit} gives nothing: it must be 1 or more")
    return limit


def page(
    connection: apsw.Connection,
    table: Table,
    prefix: bytes = b"",
    delimiter: bytes = b"",
    limit: int = PAGE,
    after: bytes | None = None,
) -> Found:
    """Some rows and folders, `limit` in all, of the keys that begin with `prefix` and come after `after`."""
    low = prefix if after is None else max(prefix, after + b"\0")
    high = end_of(prefix)
    if not delimiter:
        return _plain_page(connection, table, low, high, limit)
    found: list[tuple[Any, ...]] = []
    folders: list[bytes] = []
    last: bytes | None = None
    while True:
        folder = None
        for row in _scan(connection, table, low, high):
            if len(found) + len(folders) == limit:
                if last is None:
                    last = _last_below(connection, table, folders[-1])
                return Found(found, folders, last)
            key: bytes = row[0]
            cut = key.find(delimiter, len(prefix))
            if cut >= 0:
                folder = key[: cut + len(delimiter)]
                break
            found.append((to_text(key), *row[1:]))
            last = key
        end = None if folder is None else end_of(folder)
        if folder is not None:
            folders.append(folder)
            last = None
        if end is None:
            return Found(found, folders, None)
        low = end


def _plain_page(
    connection: apsw.Connection, table: Table, low: bytes, high: bytes | None, limit: int
) -> Found:
    more = f" LIMIT {limit + 1:d}"
    sql, bindings = _select(table, low, high, "TEXT")
    try:
        found = rows(connection, sql + more, bindings)
    except UnicodeDecodeError:
        sql, bindings = _select(table, low, high)
        found = [(to_text(row[0]), *row[1:]) for row in rows(connection, sql + more, bindings)]
    if len(found) <= limit:
        return Found(found, [], None)
    found.pop()
    return Found(found, [], to_bytes(found[-1][0]))


def count(
    connection: apsw.Connection, table: Table, prefix: bytes = b"", *, by_condition: bool = False
) -> int:
    """How many rows have a key that begins with the prefix. Without a condition the index alone is counted.

    by_condition: look for the condition first, which few rows meet, and not for the keys.
    """
    where, bindings = _where(table, prefix, end_of(prefix), "+key" if by_condition else "key")
    return int(connection.execute(f"SELECT count(*) FROM {table.name}{where}", bindings).get)


def keys(connection: apsw.Connection, table: Table, limit: int) -> list[bytes]:
    """The first keys of a table, whatever the condition says."""
    sql = f"SELECT CAST(key AS BLOB) FROM {table.name} ORDER BY key LIMIT ?"
    return [row[0] for row in connection.execute(sql, (limit,))]


def rows(
    connection: apsw.Connection, sql: str, bindings: tuple[Any, ...] | dict[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """All that a statement gives."""
    return connection.execute(sql, bindings).fetchall()


def _scan(
    connection: apsw.Connection, table: Table, low: bytes, high: bytes | None
) -> Iterator[tuple[Any, ...]]:
    sql, bindings = _select(table, low, high)
    cursor = connection.execute(sql, bindings)
    try:
        yield from cursor
    finally:
        cursor.close()


def _select(table: Table, low: bytes, high: bytes | None, key_as: str = "BLOB") -> tuple[str, dict[str, Any]]:
    where, bindings = _where(table, low, high)
    columns = f", {table.columns}" if table.columns else ""
    return f"SELECT CAST(key AS {key_as}){columns} FROM {table.name}{where} ORDER BY key", bindings


def _last_below(connection: apsw.Connection, table: Table, folder: bytes) -> bytes:
    """The last key of a folder: where the emulator goes on after it."""
    where, bindings = _where(table, folder, end_of(folder))
    sql = f"SELECT CAST(key AS BLOB) FROM {table.name}{where} ORDER BY key DESC LIMIT 1"
    return bytes(connection.execute(sql, bindings).get or folder)


def _where(table: Table, low: bytes, high: bytes | None, key: str = "key") -> tuple[str, dict[str, Any]]:
    """Bounds as text: an index on TEXT keys is used only for text. key: "+key" keeps SQLite from using it."""
    parts = [f"{key} >= CAST(:low AS TEXT)"]
    bindings: dict[str, Any] = {"low": low}
    if high is not None:
        parts.append(f"{key} < CAST(:high AS TEXT)")
        bindings["high"] = high
    if table.condition:
        parts.append(table.condition)
        bindings["value"] = table.value
    return " WHERE " + " AND ".join(parts), bindings
