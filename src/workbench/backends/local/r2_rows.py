"""R2 as the emulator keeps it: a row an object in `_mf_objects`, its bytes in a file, or in several of an upload in parts.

Format and limits: miniflare, workers/r2/bucket.worker, schemas.worker and validator.worker, as the installed 4.x has them.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw

from workbench.model.errors import WorkbenchError
from workbench.model.r2 import R2Object
from workbench.model.times import iso

from .keys import Table, rows, to_bytes, to_text
from .resources import Resource

LONGEST_KEY = 1024
LARGEST_OBJECT = 5 * 1024**3 - 5 * 1024**2
LARGEST_METADATA = 8192

OBJECTS = "_mf_objects"
UPLOADS = "_mf_multipart_uploads"
PARTS = "_mf_multipart_parts"
PENDING, COMPLETED, ABORTED = 0, 1, 2
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS _mf_objects (
    key TEXT PRIMARY KEY,
    blob_id TEXT,
    version TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    uploaded INTEGER NOT NULL,
    checksums TEXT NOT NULL,
    http_metadata TEXT NOT NULL,
    custom_metadata TEXT NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS _mf_multipart_uploads (
    upload_id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    http_metadata TEXT NOT NULL,
    custom_metadata TEXT NOT NULL,
    state TINYINT DEFAULT 0 NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS _mf_multipart_parts (
    upload_id TEXT NOT NULL REFERENCES _mf_multipart_uploads(upload_id),
    part_number INTEGER NOT NULL,
    blob_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum_md5 TEXT NOT NULL,
    object_key TEXT REFERENCES _mf_objects(key) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (upload_id, part_number)
)""",
)

TABLE = Table(
    OBJECTS,
    "version, size, etag, uploaded, CAST(checksums AS BLOB), CAST(http_metadata AS BLOB), CAST(custom_metadata AS BLOB)",
)
_HTTP_FIELDS = (
    "contentType",
    "contentLanguage",
    "contentDisposition",
    "contentEncoding",
    "cacheControl",
    "cacheExpiry",
)


class Row(NamedTuple):
    """An object's row ready to be written, in the order of the table's columns."""

    key: bytes
    blob_id: str
    version: str
    size: int
    etag: str
    uploaded: int
    checksums: str
    http_metadata: str
    custom_metadata: str


class Stored(NamedTuple):
    """Where an object's bytes are: the files and their sizes, in order."""

    object: R2Object
    parts: list[tuple[str, int]]


@contextmanager
def reading(resource: Resource) -> Iterator[apsw.Connection | None]:
    """A connection on a bucket; None where nothing has been stored in it yet."""
    with resource.reading(OBJECTS) as connection:
        yield connection


@contextmanager
def writing(resource: Resource) -> Iterator[apsw.Connection]:
    """One transaction on a bucket; one that was never used is made as the emulator makes it."""
    with resource.writing(OBJECTS, _SCHEMA) as connection:
        yield connection


def stored(connection: apsw.Connection, key: bytes) -> Stored | None:
    """An object and where its bytes are, both of one moment."""
    connection.execute("BEGIN")
    try:
        sql = f"SELECT CAST(key AS BLOB), {TABLE.columns}, blob_id FROM {OBJECTS} WHERE key = CAST(? AS TEXT)"
        found_row = rows(connection, sql, (key,))
        if not found_row:
            return None
        row = found_row[0]
        found = object_of((to_text(row[0]), *row[1:-1]))
        if row[-1] is not None:
            return Stored(found, [(row[-1], found.size)])
        sql = f"SELECT blob_id, size FROM {PARTS} WHERE object_key = CAST(? AS TEXT) ORDER BY part_number"
        return Stored(found, rows(connection, sql, (key,)))
    finally:
        connection.execute("COMMIT")


def object_of(row: tuple[Any, ...]) -> R2Object:
    """The object of a row of `TABLE`, its key as text. Its MD5 is the etag, unless it came in parts: then it has none.

    SQLite holds any column to no type: a size that is no number is 0, a time that is none stays as it is.
    """
    key, version, size, etag, uploaded, checksums, http, custom = row
    version, etag = str(version), str(etag)
    sums = {str(name): str(value) for name, value in _json(checksums).items()}
    if len(etag) == 32 and not set(etag) - set("0123456789abcdefABCDEF"):
        sums = {"md5": etag} | sums
    return R2Object(
        key=key,
        size=size if isinstance(size, int) and size >= 0 else 0,
        etag=etag,
        uploaded=iso(uploaded) if isinstance(uploaded, int | float) else str(uploaded),
        http_metadata=http_of(http),
        custom_metadata=custom_of(custom),
        version=version,
        checksums=sums,
    )


def http_of(text: bytes) -> dict[str, Any]:
    """HTTP metadata as it is shown: the Worker's own field names; cacheExpiry in ISO 8601 (stored in milliseconds)."""
    fields = _json(text)
    expiry = fields.get("cacheExpiry")
    if isinstance(expiry, int | float):
        fields["cacheExpiry"] = iso(expiry)
    return fields


def custom_of(text: bytes) -> dict[str, str]:
    """Custom metadata."""
    return {str(name): str(value) for name, value in _json(text).items()}


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def checked_key(key: str) -> bytes:
    """A key as it is stored. Raises `r2.bad_key`, `r2.key_too_long`."""
    try:
        stored_key = key.encode("utf-8")
    except UnicodeEncodeError:
        raise WorkbenchError(
            "r2.bad_key", f"the key {key!r} is not valid Unicode", "It can be read, renamed and deleted."
        ) from None
    if not stored_key:
        raise WorkbenchError("r2.bad_key", "an object's key cannot be empty")
    if len(stored_key) > LONGEST_KEY:
        raise WorkbenchError(
            "r2.key_too_long", f"a key of {len(stored_key):,} bytes exceeds the limit of {LONGEST_KEY:,}"
        )
    return stored_key


def http_text(fields: Mapping[str, Any] | None) -> str:
    """HTTP metadata as it is stored. cacheExpiry: ISO 8601 or milliseconds. Raises `r2.bad_metadata`."""
    kept: dict[str, Any] = {}
    given = fields or {}
    for name in given:
        if name not in _HTTP_FIELDS:
            raise WorkbenchError(
                "r2.bad_metadata", f"{name!r} is not HTTP metadata", f"It has: {', '.join(_HTTP_FIELDS)}."
            )
    for name in _HTTP_FIELDS:
        value = given.get(name)
        if value is None:
            continue
        if name == "cacheExpiry":
            kept[name] = _milliseconds(value)
        elif isinstance(value, str):
            kept[name] = value
        else:
            raise WorkbenchError("r2.bad_metadata", f"{name} is not text")
    return _dumps(kept)


def custom_text(fields: Mapping[str, str] | None) -> str:
    """Custom metadata as it is stored. Raises `r2.bad_metadata`, `r2.metadata_too_large`."""
    given = dict(fields or {})
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise WorkbenchError("r2.bad_metadata", f"custom metadata {name!r} is not text")
    size = sum(_length(text) for pair in given.items() for text in pair)
    if size > LARGEST_METADATA:
        raise WorkbenchError(
            "r2.metadata_too_large",
            f"custom metadata of {size:,} bytes exceeds the limit of {LARGEST_METADATA:,}",
        )
    return _dumps(given)


def _length(text: str) -> int:
    """As R2 counts: UTF-16 units, each as two once one of them is beyond Latin-1."""
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return units * 2 if any(ord(character) > 0xFF for character in text) else units


def _dumps(value: dict[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _milliseconds(value: Any) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise WorkbenchError("r2.bad_metadata", f"cacheExpiry {value!r} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def replace(connection: apsw.Connection, row: Row) -> list[str]:
    """Write a row; the ids of the files that held the bytes under this key before."""
    sql = f"SELECT blob_id FROM {OBJECTS} WHERE key = CAST(? AS TEXT)"
    before = rows(connection, sql, (row.key,))
    connection.execute(
        f"INSERT OR REPLACE INTO {OBJECTS} (key, blob_id, version, size, etag, uploaded, checksums, "
        "http_metadata, custom_metadata) VALUES (CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return _files(connection, row.key, before[0][0]) if before else []


def delete(connection: apsw.Connection, key: bytes) -> list[str] | None:
    """Delete an object's row; the ids of its files, or None where it was not there."""
    sql = f"DELETE FROM {OBJECTS} WHERE key = CAST(? AS TEXT) RETURNING blob_id"
    gone = rows(connection, sql, (key,))
    return _files(connection, key, gone[0][0]) if gone else None


def _files(connection: apsw.Connection, key: bytes, blob_id: str | None) -> list[str]:
    if blob_id is not None:
        return [blob_id]
    sql = f"DELETE FROM {PARTS} WHERE object_key = CAST(? AS TEXT) RETURNING blob_id"
    return [found for (found,) in rows(connection, sql, (key,))]


def abort(connection: apsw.Connection, key: str, upload_id: str) -> list[str]:
    """Abort a pending upload; the ids of its parts' files. Raises `r2.upload_not_found`."""
    sql = f"UPDATE {UPLOADS} SET state = ? WHERE upload_id = ? AND key = CAST(? AS TEXT) AND state = ? RETURNING 1"
    bindings = (ABORTED, upload_id, to_bytes(key), PENDING)
    if not rows(connection, sql, bindings):
        raise upload_not_found(key, upload_id)
    sql = f"DELETE FROM {PARTS} WHERE upload_id = ? RETURNING blob_id"
    return [found for (found,) in rows(connection, sql, (upload_id,))]


def upload_not_found(key: str, upload_id: str) -> WorkbenchError:
    """No such upload, or it was completed or aborted."""
    return WorkbenchError(
        "r2.upload_not_found",
        f"no upload of {key!r} is pending under the id {upload_id[:40]}{'…' if len(upload_id) > 40 else ''}",
        "cfwb r2 uploads list shows those that are.",
    )
