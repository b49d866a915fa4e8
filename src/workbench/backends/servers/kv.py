"""KV of the local target: read from the state, written through a dev server while one runs, by hand else (`route`)."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

from workbench.backends.local.kv import LocalKv
from workbench.backends.local.kv_rows import checked
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.model.progress import Cancel, Progress
from workbench.model.times import now_ms

from .route import Through, deleted

MOST_KEYS = 500
"""Entries of one request: enough that it costs little, few enough that it can be stopped between two."""
MOST_BYTES = 8 << 20
EXACT = 2**53 - 1
"""The largest integer that the server's JSON keeps."""


class ServedKv(LocalKv):
    """See the protocol `Kv`. What is refused is refused as by `LocalKv`, before a server is asked."""

    def __init__(self, project: Project, through: Through) -> None:
        super().__init__(project)
        self._through = through

    async def put(
        self, namespace: str, key: str, value: bytes, expiration: int | None = None, metadata: Any = None
    ) -> None:
        await self._write(namespace, [KvValue(key, value, expiration, metadata)])

    async def put_many(
        self,
        namespace: str,
        entries: Iterable[KvValue],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """As `LocalKv` has it; in requests of some hundred entries while a server runs."""
        if not self._through.route.running():
            return await super().put_many(namespace, entries, progress, cancel)
        total = len(entries) if isinstance(entries, Sized) else None
        if total is not None:
            entries = list(entries)
            for entry in entries:
                checked(entry)
        count = 0
        for batch in _batches(entries):
            if cancel is not None:
                cancel.check()
            await self._write(namespace, batch, cancel)
            count += len(batch)
            if progress is not None:
                progress(count, total)
        return count

    async def _write(self, namespace: str, entries: Sequence[KvValue], cancel: Cancel | None = None) -> None:
        for entry in entries:
            checked(entry)

        async def there() -> bool:
            return all([await self._holds(namespace, entry) for entry in entries])

        async def put(api: Any) -> None:
            from workbench.backends.cloudflare.kv import CloudKv

            kv = CloudKv(api, self._project, live=True)
            if len(entries) == 1:
                await kv.put(namespace, *entries[0])
            else:
                await kv.put_many(namespace, entries)

        doing = f"writing {entries[0].name!r}" if len(entries) == 1 else f"writing {len(entries):,} keys"
        if not all(map(_sayable, entries)) or not await self._through.write(put, there, doing):
            if len(entries) == 1:
                await super().put(namespace, *entries[0])
            else:
                await super().put_many(namespace, entries, None, cancel)

    async def _holds(self, namespace: str, entry: KvValue) -> bool:
        """Whether the state holds exactly this."""
        try:
            return await self.get(namespace, entry.name) == entry
        except WorkbenchError:
            return False

    async def delete(self, namespace: str, key: str) -> bool:
        return await self.delete_many(namespace, [key]) > 0

    async def delete_many(
        self,
        namespace: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """As `LocalKv` has it; how many were there is read from the state before."""
        if not self._through.route.running():
            return await super().delete_many(namespace, keys, progress, cancel)
        return await deleted(keys, lambda names: self._remove(namespace, names, cancel), progress, cancel)

    async def _remove(self, namespace: str, names: Sequence[str], cancel: Cancel | None) -> int:
        there = self._present(namespace, names)
        if not there:
            return 0

        async def gone() -> bool:
            return not self._present(namespace, names)

        async def delete(api: Any) -> None:
            from workbench.backends.cloudflare.kv import CloudKv

            await CloudKv(api, self._project, live=True).delete_many(namespace, names)

        doing = f"deleting {names[0]!r}" if len(names) == 1 else f"deleting {len(names):,} keys"
        if all(map(_is_text, names)) and await self._through.write(delete, gone, doing):
            return there
        return await super().delete_many(namespace, names, None, cancel)

    def _present(self, namespace: str, names: Iterable[str]) -> int:
        """How many of these keys are there, and have not expired."""
        resource, now = self._resource(namespace), now_ms()
        rows = (self._row(resource, name) for name in names)
        return sum(
            1 for row in rows if row is not None and not (isinstance(row[1], int | float) and row[1] <= now)
        )


def _sayable(entry: KvValue) -> bool:
    """Whether the server's API can be told all of it exactly."""
    return _is_text(entry.name) and _is_exact(entry.metadata)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_exact(value: Any) -> bool:
    """Whether JavaScript reads the same numbers, and writes them again as they were."""
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_exact, value))
    if isinstance(value, float):
        return not value.is_integer()
    return not isinstance(value, int) or abs(value) <= EXACT


def _batches(entries: Iterable[KvValue]) -> Iterator[list[KvValue]]:
    batch: list[KvValue] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.value)
        if len(batch) >= MOST_KEYS or size >= MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
