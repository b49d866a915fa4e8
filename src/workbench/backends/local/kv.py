"""KV of the local backend: `LocalKv`. The format is in `kv_rows`.

A key that has expired is not there any more, though its row stays until the emulator's next read of it; we read past it and
change nothing. Errors: `kv.*` for what is asked, `state.*` for a database that can't be read or written.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence, Sized
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvKey, KvNamespace, KvValue
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.state import Removal
from workbench.model.times import now_ms

from . import keys, naming
from .keys import Table, rows, to_bytes, to_text
from .kv_rows import (
    TABLE,
    Row,
    checked,
    count_unexpired,
    metadata_of,
    reading,
    replace,
    seconds,
    unexpired,
    writing,
)
from .resources import MOST_LISTED, Resource, bound, names_on_disk, removal

if TYPE_CHECKING:
    from .leaving import Leaving

EMPTYING_BATCH = 200
"""Rows that go in one transaction when a namespace is emptied beside a server."""


Rows = list[tuple[Any, ...]]
plain_key = partial(tuple.__new__, KvKey)
"""The key of a row that needs no change, for half of what a call of the class costs: a page is a thousand of them."""


class LocalKv:
    """The product of the local backend; see the protocol `Kv`. Namespaces go by id."""

    def __init__(self, project: Project) -> None:
        self._project = project

    # -- reading

    async def namespaces(self) -> list[KvNamespace]:
        """Those of the configs in their order, then those that only lie on disk."""
        known = bound(self._project, "kv")
        found = [KvNamespace(id, name, name, worker) for id, (name, worker) in known.items()]
        others = names_on_disk("kv", naming.KV, self._project.state_directory, set(known))
        return found + [KvNamespace(name, name) for name in others]

    async def list(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]:
        """Keys in order of their UTF-8 bytes, a page of 1000 unless `limit` says otherwise; expired ones are left out."""
        return self._page(namespace, prefix, b"", limit, cursor)

    async def folders(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]:
        """One level of `list`: what lies below another "/" is one of `prefixes`, skipped whatever its size."""
        return self._page(namespace, prefix, b"/", limit, cursor)

    def _page(
        self, namespace: str, prefix: str, delimiter: bytes, limit: int | None, cursor: str | None
    ) -> Page[KvKey]:
        wanted = keys.checked_limit(limit)
        after = None if cursor is None else keys.decode_cursor(cursor)
        resource = self._resource(namespace)
        with reading(resource) as connection:
            if connection is None:
                return Page([])
            found = keys.page(connection, unexpired(), to_bytes(prefix), delimiter, wanted, after)
        return Page(
            [
                plain_key(row)
                if row[1] is None and row[2] is None
                else KvKey(row[0], seconds(row[1]), metadata_of(row[2]))
                for row in found.rows
            ],
            None if found.last is None else keys.encode_cursor(found.last),
            tuple(to_text(folder) for folder in found.folders),
        )

    async def count(self, namespace: str, prefix: str = "") -> int:
        """How many keys `list` would give in all."""
        with reading(self._resource(namespace)) as connection:
            return 0 if connection is None else count_unexpired(connection, to_bytes(prefix))

    async def get(self, namespace: str, key: str) -> KvValue:
        """A value, exact bytes. Raises `kv.key_not_found`, also for one that has expired."""
        resource = self._resource(namespace)
        for _ in range(3):
            row = self._row(resource, key)
            if row is None or (isinstance(row[1], int | float) and row[1] <= now_ms()):
                raise WorkbenchError("kv.key_not_found", f"there is no key {key!r} in {namespace}")
            blob_id, expiration, metadata = row
            resource.find_values(blob_id)
            value = resource.blobs.read(blob_id)
            if value is not None:
                return KvValue(key, value, seconds(expiration), metadata_of(metadata))
            # Somebody may have written another value, and removed this one's file, since the row was read.
        raise WorkbenchError(
            "kv.value_missing",
            f"the value of {key!r} is missing: its file in {resource.blobs.folder} is gone",
            "The emulator reads the key as null. Write it again, or delete it.",
        )

    async def value_of(self, namespace: str, key: KvKey) -> KvValue:
        """The value of a listed key: a row is read whole, so it is as `get` has it."""
        return await self.get(namespace, key.name)

    def _row(self, resource: Resource, key: str) -> tuple[str, int | None, bytes | None] | None:
        with reading(resource) as connection:
            if connection is None:
                return None
            sql = (
                f"SELECT blob_id, expiration, CAST(metadata AS BLOB) FROM {TABLE} WHERE key = CAST(? AS TEXT)"
            )
            return connection.execute(sql, (to_bytes(key),)).fetchone()

    # -- writing

    async def put(
        self, namespace: str, key: str, value: bytes, expiration: int | None = None, metadata: Any = None
    ) -> None:
        """Write a value. Its file is complete on disk before the row names it, so a crash leaves an orphan file at worst.

        expiration: Unix seconds, at least 60 ahead. Raises `kv.bad_key`, `kv.key_too_long`, `kv.value_too_large`,
        `kv.bad_expiration`, `kv.metadata_too_large`, as the emulator refuses them.
        """
        from .leaving import Leaving

        resource = self._resource(namespace)
        with Leaving(resource, self._running) as leaving:
            self._put(resource, [KvValue(key, value, expiration, metadata)], leaving)

    async def put_many(
        self,
        namespace: str,
        entries: Iterable[KvValue],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Write many, each for itself: in small transactions with pauses while a server runs. How many were written.

        Stopped or failed midway, what was written stays; writing the same again is all it takes to go on.
        """
        from .leaving import Leaving
        from .manners import write_in_batches

        resource = self._resource(namespace)
        total = len(entries) if isinstance(entries, Sized) else None
        if total is not None:
            entries = list(entries)
            for entry in entries:
                checked(entry)
        with Leaving(resource, self._running) as leaving:
            return write_in_batches(
                entries,
                lambda batch: self._put(resource, batch, leaving),
                running=self._running,
                weigh=lambda entry: len(entry.value),
                progress=progress,
                cancel=cancel,
                total=total,
            )

    def _put(self, resource: Resource, entries: Sequence[KvValue], leaving: "Leaving") -> float:
        """Write some in one transaction; for how many seconds the lock was held."""
        resource.must_have_a_name()
        ready = [checked(entry) for entry in entries]
        rows = deque[Row]()
        try:
            for entry, (key, metadata) in zip(entries, ready, strict=True):
                expiration = None if entry.expiration is None else entry.expiration * 1000
                written = resource.blobs.write([entry.value], sync=False)
                rows.append(Row(key, written.id, expiration, metadata))
            resource.blobs.sync(row.blob_id for row in rows)
            with writing(resource) as connection:
                began = time.perf_counter()
                old = [blob_id for row in rows for blob_id in replace(connection, row)]
        except BaseException:
            resource.blobs.delete(row.blob_id for row in rows)
            raise
        held = time.perf_counter() - began
        leaving.add(old)
        return held

    async def delete(self, namespace: str, key: str) -> bool:
        """Delete a key with its value; whether it was there (and had not expired)."""
        gone, _ = self._delete(self._resource(namespace), [key])
        return gone > 0

    async def delete_many(
        self,
        namespace: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Delete many, each for itself, as `put_many` writes; how many were there."""
        from .manners import write_in_batches

        resource = self._resource(namespace)
        gone = 0

        def delete_batch(batch: Sequence[str]) -> float:
            nonlocal gone
            found, held = self._delete(resource, batch)
            gone += found
            return held

        write_in_batches(
            keys,
            delete_batch,
            running=self._running,
            progress=progress,
            cancel=cancel,
            total=len(keys) if isinstance(keys, Sized) else None,
        )
        return gone

    def _delete(self, resource: Resource, names: Iterable[str]) -> tuple[int, float]:
        """Delete some in one transaction: how many were there, and how long the lock was held."""
        if not resource.exists:
            return 0, 0.0
        found: Rows = []
        wanted = [to_bytes(name) for name in names]
        sql = f"DELETE FROM {TABLE} WHERE key = CAST(? AS TEXT) RETURNING blob_id, expiration"
        with writing(resource) as connection:
            began = time.perf_counter()
            for key in wanted:
                found += rows(connection, sql, (key,))
        held = time.perf_counter() - began
        if found:
            resource.find_values(found[0][0])
        resource.blobs.delete(blob_id for blob_id, _ in found)
        now = now_ms()
        return sum(1 for _, at in found if not isinstance(at, int | float) or at > now), held

    async def delete_namespace(self, namespace: str, dry_run: bool = False) -> Removal:
        """Start over: emptied in place while a server runs, its files removed otherwise."""
        resource = self._resource(namespace)
        live = self._running()
        lines, total = self._contents(resource)
        gone = removal(resource, lines, total, live=live, dry_run=dry_run)
        if dry_run or not resource.exists:
            return gone
        if live:
            self._empty(resource)
        else:
            resource.remove_files()
        return gone

    def _contents(self, resource: Resource) -> tuple[Sequence[str], int]:
        try:
            with reading(resource) as connection:
                if connection is None:
                    return [], 0
                first = keys.keys(connection, Table(TABLE, ""), MOST_LISTED)
                total = int(connection.execute(f"SELECT count(*) FROM {TABLE}").get)
        except WorkbenchError:
            if self._running():
                raise
            return [], 0  # a damaged one can be started over all the same
        return [f"key {to_text(key)}" for key in first], total

    def _empty(self, resource: Resource) -> None:
        from .manners import pause

        sql = f"DELETE FROM {TABLE} WHERE key IN (SELECT key FROM {TABLE} ORDER BY key LIMIT ?) RETURNING blob_id"
        gone: list[str] = []
        while True:
            with writing(resource) as connection:
                began = time.perf_counter()
                gone = [row[0] for row in connection.execute(sql, (EMPTYING_BATCH,))]
            held = time.perf_counter() - began
            if gone:
                resource.find_values(gone[0])
            resource.blobs.delete(gone)
            if len(gone) < EMPTYING_BATCH:
                return
            pause(held)

    # -- where things are

    def _resource(self, namespace: str) -> Resource:
        return Resource("kv", naming.KV, self._project.state_directory, namespace)

    def _running(self) -> bool:
        from .manners import server_running

        return server_running(self._project.state_directory)
