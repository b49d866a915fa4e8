"""Alarms: one an object, kept twice in nanoseconds.

The scheduler's table `_cf_ALARM` lies in the class folder's `metadata.sqlite`, and the runtime reads it once, when it
starts. The object's own copy is row 1 of `_cf_METADATA` in its database. (workerd, server/alarm-scheduler and
util/sqlite-metadata.)
"""

import apsw

from .storage import has_table

_MS = 1_000_000
LATEST_MS = (2**63 - 1) // _MS
"""The last moment that nanoseconds in 64 bits can say, in 2262."""
_SCHEDULE = """
CREATE TABLE IF NOT EXISTS _cf_ALARM (
  actor_id TEXT PRIMARY KEY,
  scheduled_time INTEGER,
  actor_name TEXT
) WITHOUT ROWID
"""
_METADATA = """
CREATE TABLE IF NOT EXISTS _cf_METADATA (
  key INTEGER PRIMARY KEY,
  value BLOB
)
"""


def scheduled(connection: apsw.Connection, object: str | None = None) -> list[tuple[str, int, str | None]]:
    """(object id, milliseconds since 1970, name where known), soonest first; of one object where it is given."""
    if not has_table(connection, "_cf_ALARM"):
        return []
    name = "actor_name" if _has_name(connection) else "NULL"
    rows = connection.execute(
        f"SELECT actor_id, scheduled_time, {name} FROM _cf_ALARM WHERE ?1 IS NULL OR actor_id = ?1 ORDER BY 2, 1",
        (object,),
    )
    return [(id, at // _MS, name) for id, at, name in rows if isinstance(id, str) and isinstance(at, int)]


def _has_name(connection: apsw.Connection) -> bool:
    columns = connection.execute("SELECT name FROM pragma_table_info('_cf_ALARM')").fetchall()
    return ("actor_name",) in columns


def schedule(connection: apsw.Connection, object: str, at_ms: int | None, name: str | None) -> None:
    """Write (None: delete) the scheduler's row. Inside the caller's transaction."""
    if at_ms is None:
        if has_table(connection, "_cf_ALARM"):
            connection.execute("DELETE FROM _cf_ALARM WHERE actor_id = ?", (object,))
        return
    connection.execute(_SCHEDULE)
    if _has_name(connection):
        connection.execute(
            "INSERT INTO _cf_ALARM VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET scheduled_time = excluded.scheduled_time",
            (object, at_ms * _MS, name),
        )
    else:
        connection.execute("INSERT OR REPLACE INTO _cf_ALARM VALUES (?, ?)", (object, at_ms * _MS))


def remember(connection: apsw.Connection, at_ms: int | None) -> None:
    """Write (None: clear) the object's own copy. Inside the caller's transaction."""
    if at_ms is None and not has_table(connection, "_cf_METADATA"):
        return
    connection.execute(_METADATA)
    connection.execute(
        "INSERT INTO _cf_METADATA VALUES (1, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (None if at_ms is None else at_ms * _MS,),
    )
