"""An object's key-value entries (`_cf_KV`): what `storage.kv` and the asynchronous storage API keep, in V8's format.

The same for an object and a facet, SQLite-backed or legacy. These functions work on an open connection; whoever
opened it holds the transaction. Keys are text, in the order of their UTF-8 bytes; one that is not UTF-8 (the runtime
writes a lone surrogate as it stands) is carried as surrogate escapes, so that it can be asked for again.
"""

from typing import Any

import apsw

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page

LONGEST_KEY = 2048
LARGEST_VALUE = 2 * 1024 * 1024
LARGEST_LEGACY_VALUE = 128 * 1024
"""Bytes; the platform's limits. The emulator enforces none of them, so larger ones may be read."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS _cf_KV (
  key TEXT PRIMARY KEY,
  value BLOB
) WITHOUT ROWID
"""


def key_bytes(key: str) -> bytes:
    """A key as the database holds it."""
    try:
        return key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def key_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def has_table(connection: apsw.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).get
    return found is not None


def count(connection: apsw.Connection) -> int:
    """How many entries."""
    if not has_table(connection, "_cf_KV"):
        return 0
    return whole(connection.execute("SELECT count(*) FROM _cf_KV").get)


def whole(value: object) -> int:
    """An integer that SQLite gave."""
    if not isinstance(value, int):
        raise TypeError(f"SQLite gave {type(value).__name__} for an integer")
    return value


def entry(key: bytes, raw: bytes | None) -> StorageEntry:
    """An entry with its value decoded, or said to be undecoded."""
    from workbench.backends.local import v8

    data = b"" if raw is None else raw
    try:
        value, undecoded = v8.decode(data), ""
    except v8.Undecodable as error:
        value, undecoded = None, str(error)
    return StorageEntry(key_text(key), value, len(data), data, undecoded)


def entries(
    connection: apsw.Connection, prefix: str = "", limit: int | None = None, cursor: str | None = None
) -> Page[StorageEntry]:
    """A page of entries in key order. limit None: all that are left."""
    if not has_table(connection, "_cf_KV"):
        return Page([])
    begin = key_bytes(prefix)
    # One lower bound only: with two SQLite may begin at the wrong one and walk all that was shown before.
    if cursor is None:
        conditions, bindings = ["key >= CAST(? AS TEXT)"], [begin]
    else:
        conditions, bindings = ["key > CAST(? AS TEXT)"], [max(begin, _after(cursor))]
    end = _end_of(begin)
    if end is not None:
        conditions.append("key < CAST(? AS TEXT)")
        bindings.append(end)
    statement = f"SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM _cf_KV WHERE {' AND '.join(conditions)} ORDER BY key"
    if limit is not None:
        statement += f" LIMIT {limit + 1}"
    rows: list[tuple[Any, ...]] = connection.execute(statement, bindings).fetchall()
    more = limit is not None and len(rows) > limit
    items = [entry(key, raw) for key, raw in (rows[:limit] if more else rows)]
    return Page(items, _cursor(rows[len(items) - 1][0]) if more and items else None)


def _end_of(prefix: bytes) -> bytes | None:
    """The least bytes after everything that begins with `prefix`; None where there is no end."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def _cursor(key: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(key, newline=False).decode("ascii")


def _after(cursor: str) -> bytes:
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(cursor, strict_mode=True) if cursor else b""
    except (Error, ValueError) as error:
        raise WorkbenchError("do.bad_cursor", "the cursor is not one of this list") from error


def read(connection: apsw.Connection, key: str) -> StorageEntry | None:
    """One entry, or None."""
    if not has_table(connection, "_cf_KV"):
        return None
    wanted = key_bytes(key)
    row = connection.execute(
        "SELECT CAST(value AS BLOB) FROM _cf_KV WHERE key = CAST(? AS TEXT)", (wanted,)
    ).fetchone()
    return None if row is None else entry(wanted, _stored(row[0]))


def _stored(value: Any) -> bytes | None:
    """A value's bytes; NULL, which the runtime never writes, is None."""
    return value if isinstance(value, bytes) else None


def near(connection: apsw.Connection, key: str) -> list[str]:
    """Keys that a person may have meant, from the first thousand."""
    from difflib import get_close_matches

    if not has_table(connection, "_cf_KV"):
        return []
    rows = connection.execute("SELECT CAST(key AS BLOB) FROM _cf_KV ORDER BY key LIMIT 1000")
    return get_close_matches(key, [key_text(key) for (key,) in rows if isinstance(key, bytes)], 3)


def check(key: str, raw: bytes, legacy: bool) -> None:
    """Refuse what the platform would: `do.key_too_long`, `do.value_too_large`, `do.empty_value`."""
    if len(key_bytes(key)) > LONGEST_KEY:
        raise WorkbenchError(
            "do.key_too_long", f"a key is at most {LONGEST_KEY} bytes, this one has {len(key_bytes(key))}"
        )
    limit = LARGEST_LEGACY_VALUE if legacy else LARGEST_VALUE
    if len(raw) > limit:
        kind = "a class with key-value storage" if legacy else "a SQLite-backed class"
        raise WorkbenchError(
            "do.value_too_large", f"a value of {kind} is at most {limit} bytes, this one has {len(raw)}"
        )
    if not raw:
        raise WorkbenchError("do.empty_value", "a value of no bytes would make every list of the object fail")


def write(connection: apsw.Connection, key: str, raw: bytes) -> None:
    """Write an entry; the table is made as the runtime makes it. Inside the caller's transaction."""
    name = key_bytes(key)
    connection.execute(_SCHEMA)
    connection.execute(
        "INSERT INTO _cf_KV VALUES (CAST(? AS TEXT), ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, raw),
    )
    _forget_externals(connection, name)


def remove(connection: apsw.Connection, key: str) -> bool:
    """Delete an entry; whether it was there. Inside the caller's transaction."""
    if not has_table(connection, "_cf_KV"):
        return False
    name = key_bytes(key)
    connection.execute("DELETE FROM _cf_KV WHERE key = CAST(? AS TEXT)", (name,))
    removed = connection.changes() > 0
    _forget_externals(connection, name)
    return removed


def _forget_externals(connection: apsw.Connection, key: bytes) -> None:
    """Drop what the key's old value referred to (stubs of services), as the runtime does with every write."""
    if has_table(connection, "_cf_EXTERNALS"):
        connection.execute("DELETE FROM _cf_EXTERNALS WHERE key = CAST(? AS TEXT)", (key,))


def overview(connection: apsw.Connection) -> tuple[int, int, int]:
    """(bytes, tables of the user's, entries) of a database, without reading a row of the user's."""
    size = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").get
    names = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = sum(not name.startswith(("_cf_", "sqlite_", "__miniflare")) for name in names)
    keys = connection.execute("SELECT count(*) FROM _cf_KV").get if "_cf_KV" in names else 0
    return whole(size), tables, whole(keys)


def object_name(connection: apsw.Connection) -> str | None:
    """The name the object was made from, where the emulator noted it."""
    try:
        row = connection.execute("SELECT name FROM __miniflare_do_name ORDER BY id LIMIT 1").fetchone()
    except apsw.SQLError:
        return None
    return row[0] if row is not None and isinstance(row[0], str) else None
