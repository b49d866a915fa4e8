"""KV as the emulator keeps it: a row a key in `_mf_entries`, the value in a file that the row names.

Format and limits: miniflare, workers/shared/keyvalue.worker and workers/kv/validator.worker.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw

from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.model.times import now_ms

from . import keys
from .keys import Table
from .resources import Resource

LONGEST_KEY = 512
LARGEST_VALUE = 25 * 1024 * 1024
LARGEST_METADATA = 1024
SHORTEST_LIFE = 60
"""Seconds that an expiration must lie ahead."""

TABLE = "_mf_entries"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS _mf_entries (
  key TEXT PRIMARY KEY,
  blob_id TEXT NOT NULL,
  expiration INTEGER,
  metadata TEXT
)""",
    "CREATE INDEX IF NOT EXISTS _mf_entries_expiration_idx ON _mf_entries(expiration)",
)


class Row(NamedTuple):
    """A row ready to be written. expiration: milliseconds since 1970. metadata: JSON text."""

    key: bytes
    blob_id: str
    expiration: int | None
    metadata: str | None


@contextmanager
def reading(resource: Resource) -> Iterator[apsw.Connection | None]:
    """A connection on a namespace; None where nothing has been stored in it yet."""
    with resource.reading(TABLE) as connection:
        yield connection


@contextmanager
def writing(resource: Resource) -> Iterator[apsw.Connection]:
    """One transaction on a namespace; one that was never used is made as the emulator makes it."""
    with resource.writing(TABLE, _SCHEMA) as connection:
        yield connection


def unexpired() -> Table:
    """What a list shows. The + keeps SQLite from choosing the index on expiration, and sorting."""
    return Table(
        TABLE,
        "expiration, CAST(metadata AS BLOB)",
        "(+expiration IS NULL OR +expiration >= :value)",
        now_ms(),
    )


def count_unexpired(connection: apsw.Connection, prefix: bytes) -> int:
    """How many keys a list would show: all by the index on keys, less the expired by the index on expiration."""
    expired = Table(TABLE, "", "expiration < :value", now_ms())
    connection.execute("BEGIN")
    try:
        return keys.count(connection, Table(TABLE, ""), prefix) - keys.count(
            connection, expired, prefix, by_condition=True
        )
    finally:
        connection.execute("COMMIT")


def replace(connection: apsw.Connection, row: Row) -> list[str]:
    """Write a row; the id of the value that the key had before, if any."""
    sql = f"SELECT blob_id FROM {TABLE} WHERE key = CAST(? AS TEXT)"
    old = [found[0] for found in connection.execute(sql, (row.key,))]
    connection.execute(
        f"INSERT OR REPLACE INTO {TABLE} (key, blob_id, expiration, metadata) VALUES (CAST(? AS TEXT), ?, ?, ?)",
        row,
    )
    return old


def checked(entry: KvValue) -> tuple[bytes, str | None]:
    """The key and metadata as they are stored, of an entry that the emulator would take. Raises `kv.*`."""
    size = len(entry.value)
    if size > LARGEST_VALUE:
        raise WorkbenchError(
            "kv.value_too_large", f"a value of {size:,} bytes exceeds the limit of {LARGEST_VALUE:,}"
        )
    if entry.expiration is not None and entry.expiration < now_ms() // 1000 + SHORTEST_LIFE:
        raise WorkbenchError(
            "kv.bad_expiration",
            f"the expiration {entry.expiration} is less than {SHORTEST_LIFE} seconds ahead",
            "KV takes Unix seconds, at least 60 seconds in the future.",
        )
    return checked_key(entry.name), _metadata_text(entry.metadata)


def checked_key(key: str) -> bytes:
    """A key as it is stored. Raises `kv.bad_key`, `kv.key_too_long`."""
    if key in ("", ".", ".."):
        raise WorkbenchError("kv.bad_key", f"{key!r} cannot be a key", "KV refuses empty keys, . and ..")
    try:
        stored = key.encode("utf-8")
    except UnicodeEncodeError:
        raise WorkbenchError(
            "kv.bad_key", f"the key {key!r} is not valid Unicode", "It can be read, renamed and deleted."
        ) from None
    if len(stored) > LONGEST_KEY:
        raise WorkbenchError(
            "kv.key_too_long", f"a key of {len(stored):,} bytes exceeds the limit of {LONGEST_KEY}"
        )
    return stored


def _metadata_text(metadata: Any) -> str | None:
    if metadata is None:
        return None
    try:
        text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WorkbenchError("kv.bad_metadata", f"the metadata is not JSON: {error}") from None
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        text = json.dumps(metadata, separators=(",", ":"))
        size = len(text)
    if size > LARGEST_METADATA:
        raise WorkbenchError(
            "kv.metadata_too_large",
            f"metadata of {size:,} bytes exceeds the limit of {LARGEST_METADATA:,}",
        )
    return text


_decode = json.JSONDecoder().raw_decode
"""Without json.loads' guess at the encoding and its look at the space around, which take longer than the decoding."""


def metadata_of(stored: bytes | None) -> Any:
    """Metadata as a value; what is not JSON stays text."""
    if stored is None:
        return None
    try:
        text = stored.decode("utf-8", "surrogatepass").strip(" \t\n\r")
        value, end = _decode(text)
        if end == len(text):
            return value
    except (ValueError, RecursionError):
        pass
    return stored.decode("utf-8", "replace")


def seconds(milliseconds: Any) -> int | None:
    """An expiration as the platform says it."""
    return milliseconds // 1000 if isinstance(milliseconds, int) else None
