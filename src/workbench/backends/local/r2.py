"""R2 of the local backend: `LocalR2`. The format is in `r2_rows`.

Bodies pass through in pieces of at most 1 MiB, whatever their size. Errors: `r2.*` for what is asked, `state.*` for a
database or a file that can't be read or written.
"""

import time
from collections.abc import Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.r2 import R2Body, R2Bucket, R2Object, R2Upload
from workbench.model.state import Removal
from workbench.model.times import now_ms

from . import keys, naming, r2_bodies, r2_rows
from .keys import rows, to_bytes, to_text
from .r2_rows import OBJECTS, PARTS, PENDING, TABLE, UPLOADS, Row, Stored, reading, writing
from .resources import MOST_LISTED, Resource, bound, names_on_disk, removal

if TYPE_CHECKING:
    from .leaving import Leaving

EMPTYING_BATCH = 200
"""Rows that go in one transaction when a bucket is emptied beside a server."""


class LocalR2:
    """The product of the local backend; see the protocol `R2`. Buckets go by name."""

    def __init__(self, project: Project) -> None:
        self._project = project

    # -- reading

    async def buckets(self) -> list[R2Bucket]:
        """Those of the configs in their order, then those that only lie on disk."""
        known = bound(self._project, "r2")
        found = [R2Bucket(name, binding, worker) for name, (binding, worker) in known.items()]
        others = names_on_disk("r2", naming.R2, self._project.state_directory, set(known))
        return found + [R2Bucket(name) for name in others]

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        delimiter: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[R2Object]:
        """Objects in order of their keys' UTF-8 bytes, a page of 1000 unless `limit` says otherwise.

        With a delimiter, what lies below the next one is one of `prefixes`, which count to the limit as the emulator has it.
        """
        wanted = keys.checked_limit(limit)
        after = None if cursor is None else keys.decode_cursor(cursor)
        with reading(self._resource(bucket)) as connection:
            if connection is None:
                return Page([])
            found = keys.page(connection, TABLE, to_bytes(prefix), to_bytes(delimiter), wanted, after)
        return Page(
            [r2_rows.object_of(row) for row in found.rows],
            None if found.last is None else keys.encode_cursor(found.last),
            tuple(to_text(folder) for folder in found.folders),
        )

    async def count(self, bucket: str, prefix: str = "") -> int:
        """How many objects `list` would give in all."""
        with reading(self._resource(bucket)) as connection:
            return 0 if connection is None else keys.count(connection, TABLE, to_bytes(prefix))

    async def head(self, bucket: str, key: str) -> R2Object:
        """An object without its body. Raises `r2.object_not_found`."""
        return self._stored(self._resource(bucket), key).object

    async def get(self, bucket: str, key: str, offset: int = 0, length: int | None = None) -> R2Body:
        """An object, or a range of it, to be read once; a range that goes past the end is cut there.

        Raises `r2.object_not_found`, `r2.bad_range`, `r2.body_missing`.
        """
        resource = self._resource(bucket)
        for _ in range(3):
            found = self._stored(resource, key)
            size = found.object.size
            if offset < 0 or offset > size or (length is not None and length < 0):
                raise WorkbenchError(
                    "r2.bad_range", f"the range at {offset:,} is outside the {size:,} bytes of {key!r}"
                )
            wanted = size - offset if length is None else min(length, size - offset)
            pieces = r2_bodies.cut(found.parts, offset, wanted)
            if found.parts:
                resource.find_values(found.parts[0][0])
            first = resource.blobs.open(pieces[0][0]) if pieces else None
            if first is not None or not pieces:
                return R2Body(found.object, offset, wanted, r2_bodies.stream(resource.blobs, pieces, first))
            # Somebody may have written another body, and removed this one's file, since the row was read.
        raise r2_bodies.missing(resource.blobs, key)

    def _stored(self, resource: Resource, key: str) -> Stored:
        with reading(resource) as connection:
            found = None if connection is None else r2_rows.stored(connection, to_bytes(key))
        if found is None:
            raise WorkbenchError("r2.object_not_found", f"there is no object {key!r} in {resource.name}")
        return found

    # -- writing

    async def put(
        self,
        bucket: str,
        key: str,
        chunks: Iterable[bytes],
        http_metadata: dict[str, Any] | None = None,
        custom_metadata: dict[str, str] | None = None,
        cancel: Cancel | None = None,
    ) -> R2Object:
        """Write an object from pieces of any size; all of it is on disk before the row names it.

        Raises `r2.bad_key`, `r2.key_too_long`, `r2.object_too_large`, `r2.bad_metadata`, `r2.metadata_too_large`.
        """
        from .leaving import Leaving

        resource = self._resource(bucket)
        resource.must_have_a_name()
        stored_key = r2_rows.checked_key(key)
        http, custom = r2_rows.http_text(http_metadata), r2_rows.custom_text(custom_metadata)
        try:
            body = resource.blobs.write(chunks, md5=True, most=r2_rows.LARGEST_OBJECT, cancel=cancel)
        except WorkbenchError as error:
            if error.code == "value.too_large":
                raise WorkbenchError("r2.object_too_large", f"{key!r}: {error.message}") from None
            raise
        try:
            version, uploaded = naming.new_version(), now_ms()
            row = Row(stored_key, body.id, version, body.size, body.md5, uploaded, "{}", http, custom)
            with writing(resource) as connection:
                old = r2_rows.replace(connection, row)
        except BaseException:
            resource.blobs.delete([body.id])
            raise
        with Leaving(resource, self._running) as leaving:
            leaving.add(old)
        return r2_rows.object_of(
            (to_text(row.key), *row[2:6], b"{}", http.encode("utf-8"), custom.encode("utf-8"))
        )

    async def delete(self, bucket: str, key: str) -> bool:
        """Delete an object with its body; whether it was there."""
        from .leaving import Leaving

        resource = self._resource(bucket)
        with Leaving(resource, self._running) as leaving:
            return self._delete(resource, [key], leaving)[0] > 0

    async def delete_many(
        self,
        bucket: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Delete many, each for itself: in small transactions with pauses while a server runs. How many were there."""
        from .leaving import Leaving
        from .manners import write_in_batches

        resource = self._resource(bucket)
        gone = 0

        def delete_batch(batch: Sequence[str]) -> float:
            nonlocal gone
            found, held = self._delete(resource, batch, leaving)
            gone += found
            return held

        with Leaving(resource, self._running) as leaving:
            write_in_batches(
                keys,
                delete_batch,
                running=self._running,
                progress=progress,
                cancel=cancel,
                total=len(keys) if isinstance(keys, Sized) else None,
            )
        return gone

    def _delete(self, resource: Resource, names: Iterable[str], leaving: "Leaving") -> tuple[int, float]:
        """Delete some in one transaction: how many were there, and how long the lock was held."""
        if not resource.exists:
            return 0, 0.0
        wanted = [to_bytes(name) for name in names]
        with writing(resource) as connection:
            began = time.perf_counter()
            found = [r2_rows.delete(connection, key) for key in wanted]
        held = time.perf_counter() - began
        ids = [id for ids in found if ids is not None for id in ids]
        if ids:
            resource.find_values(ids[0])
            leaving.add(ids)
        return sum(1 for ids in found if ids is not None), held

    # -- uploads in parts

    async def uploads(self, bucket: str) -> Page[R2Upload]:
        """Uploads that were begun and neither completed nor aborted, by key. When each began is not kept."""
        sql = f"""
            SELECT CAST(u.key AS BLOB), u.upload_id, count(p.part_number), ifnull(sum(p.size), 0),
                CAST(u.http_metadata AS BLOB), CAST(u.custom_metadata AS BLOB)
            FROM {UPLOADS} u LEFT JOIN {PARTS} p USING (upload_id)
            WHERE u.state = ? GROUP BY u.upload_id ORDER BY u.key, u.rowid"""
        with reading(self._resource(bucket)) as connection:
            found = [] if connection is None else rows(connection, sql, (PENDING,))
        return Page(
            [
                R2Upload(to_text(key), id, parts, size, r2_rows.http_of(http), r2_rows.custom_of(custom))
                for key, id, parts, size, http, custom in found
            ]
        )

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Abort a pending upload: its parts go. Raises `r2.upload_not_found`."""
        resource = self._resource(bucket)
        if not resource.exists:
            raise r2_rows.upload_not_found(key, upload_id)
        with writing(resource) as connection:
            gone = r2_rows.abort(connection, key, upload_id)
        _remove(resource, gone)

    # -- starting over

    async def delete_bucket(self, bucket: str, dry_run: bool = False) -> Removal:
        """Start over: emptied in place while a server runs, its files removed otherwise."""
        resource = self._resource(bucket)
        live = self._running()
        lines, total = self._contents(resource, live)
        gone = removal(resource, lines, total, live=live, dry_run=dry_run)
        if dry_run or not resource.exists:
            return gone
        if live:
            self._empty(resource)
        else:
            resource.remove_files()
        return gone

    def _contents(self, resource: Resource, live: bool) -> tuple[Sequence[str], int]:
        try:
            with reading(resource) as connection:
                if connection is None:
                    return [], 0
                objects = keys.keys(connection, TABLE, MOST_LISTED)
                pending = rows(
                    connection,
                    f"SELECT CAST(key AS BLOB) FROM {UPLOADS} WHERE state = ? ORDER BY key",
                    (PENDING,),
                )
                total = int(connection.execute(f"SELECT count(*) FROM {OBJECTS}").get) + len(pending)
        except WorkbenchError:
            if live:
                raise
            return [], 0  # a damaged one can be started over all the same
        lines = [f"object {to_text(key)}" for key in objects]
        return lines + [f"pending upload of {to_text(key)}" for (key,) in pending], total

    def _empty(self, resource: Resource) -> None:
        from .manners import pause

        some_objects = f"SELECT CAST(key AS BLOB) FROM {OBJECTS} ORDER BY key LIMIT ?"
        some_uploads = f"SELECT upload_id FROM {UPLOADS} ORDER BY rowid LIMIT ?"
        more = True
        while more:
            with writing(resource) as connection:
                began = time.perf_counter()
                gone: list[str] = []
                objects = rows(connection, some_objects, (EMPTYING_BATCH,))
                for (key,) in objects:
                    gone += r2_rows.delete(connection, key) or ()
                uploads = [] if objects else rows(connection, some_uploads, (EMPTYING_BATCH,))
                for upload in uploads:
                    sql = f"DELETE FROM {PARTS} WHERE upload_id = ? RETURNING blob_id"
                    gone += [id for (id,) in rows(connection, sql, upload)]
                    connection.execute(f"DELETE FROM {UPLOADS} WHERE upload_id = ?", upload)
            held = time.perf_counter() - began
            _remove(resource, gone)
            more = bool(objects or uploads)
            if more:
                pause(held)

    # -- where things are

    def _resource(self, bucket: str) -> Resource:
        return Resource("r2", naming.R2, self._project.state_directory, bucket)

    def _running(self) -> bool:
        from .manners import server_running

        return server_running(self._project.state_directory)


def _remove(resource: Resource, ids: Sequence[str]) -> None:
    if ids:
        resource.find_values(ids[0])
        resource.blobs.delete(ids)
