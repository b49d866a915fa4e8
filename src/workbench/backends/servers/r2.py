"""R2 of the local target: read from the state, written through a dev server while one runs, by hand else (`route`).

The server's API takes a body whole, and of HTTP metadata the content type: what is longer or says more is written by hand.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from workbench.backends.local import r2_rows
from workbench.backends.local.r2 import LocalR2
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.r2 import R2Object

from .route import Through, deleted

LARGEST = 8 << 20
"""Bytes of a body that the server is handed: it keeps all of it in memory."""


class ServedR2(LocalR2):
    """See the protocol `R2`. What is refused is refused as by `LocalR2`, before a server is asked."""

    def __init__(self, project: Project, through: Through) -> None:
        super().__init__(project)
        self._through = through

    async def put(
        self,
        bucket: str,
        key: str,
        chunks: Iterable[bytes],
        http_metadata: dict[str, Any] | None = None,
        custom_metadata: dict[str, str] | None = None,
        cancel: Cancel | None = None,
    ) -> R2Object:
        r2_rows.checked_key(key)
        r2_rows.http_text(http_metadata)
        r2_rows.custom_text(custom_metadata)
        rest = iter(chunks)
        if _sayable(key, http_metadata) and self._through.route.running():
            head, whole = _head(rest)
            if whole and await self._put(bucket, key, b"".join(head), http_metadata, custom_metadata):
                return await self.head(bucket, key)
            rest = chain(head, rest)
        return await super().put(bucket, key, rest, http_metadata, custom_metadata, cancel)

    async def _put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        http_metadata: dict[str, Any] | None,
        custom_metadata: dict[str, str] | None,
    ) -> bool:
        """Have a server write it, where one can."""
        before = await self._version(bucket, key)

        async def there() -> bool:
            return await self._version(bucket, key) != before and await self._body(bucket, key) == body

        async def put(api: Any) -> None:
            from workbench.backends.cloudflare.r2 import CloudR2

            r2 = CloudR2(api, self._project, live=True)
            await r2.put(bucket, key, [body], http_metadata, custom_metadata)

        return await self._through.write(put, there, f"writing {key!r}")

    async def _version(self, bucket: str, key: str) -> str | None:
        try:
            return (await self.head(bucket, key)).version
        except WorkbenchError:
            return None

    async def _body(self, bucket: str, key: str) -> bytes | None:
        try:
            return b"".join((await self.get(bucket, key)).chunks)
        except WorkbenchError:
            return None

    async def delete(self, bucket: str, key: str) -> bool:
        return await self.delete_many(bucket, [key]) > 0

    async def delete_many(
        self,
        bucket: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """As `LocalR2` has it; how many were there is read from the state before."""
        if not self._through.route.running():
            return await super().delete_many(bucket, keys, progress, cancel)
        return await deleted(keys, lambda names: self._remove(bucket, names, cancel), progress, cancel)

    async def _remove(self, bucket: str, names: Sequence[str], cancel: Cancel | None) -> int:
        there = await self._present(bucket, names)
        if not there:
            return 0

        async def gone() -> bool:
            return not await self._present(bucket, names)

        async def delete(api: Any) -> None:
            from workbench.backends.cloudflare.r2 import CloudR2

            await CloudR2(api, self._project, live=True).delete_many(bucket, names)

        doing = f"deleting {names[0]!r}" if len(names) == 1 else f"deleting {len(names):,} objects"
        if all(_sayable(name, None) for name in names) and await self._through.write(delete, gone, doing):
            return there
        return await super().delete_many(bucket, names, None, cancel)

    async def _present(self, bucket: str, names: Iterable[str]) -> int:
        return len([name for name in names if await self._version(bucket, name) is not None])


def _sayable(key: str, http_metadata: dict[str, Any] | None) -> bool:
    """Whether the server's API can be told all of it."""
    said = {name: value for name, value in (http_metadata or {}).items() if value is not None}
    media = said.pop("contentType", "*/*")
    if said or not (media and media.isascii() and media.isprintable() and media == media.strip()):
        return False
    try:
        key.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return key not in (".", "..")


def _head(pieces: Iterable[bytes]) -> tuple[list[bytes], bool]:
    """The first pieces, and whether they are all."""
    found: list[bytes] = []
    size = 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > LARGEST:
            return found, False
    return found, True
