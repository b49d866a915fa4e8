"""A bucket as a mount sees it: through the operations, so that every write goes through the one door they all go through."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import IO, Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.r2 import R2Object
from workbench.operations.driving import drive
from workbench.operations.executor import execute
from workbench.operations.resolve import State

_IN_MEMORY = 4 << 20
_PIECE = 1 << 20


def local_state(state_directory: str) -> State:
    """The state directory as operations want it, with the project it belongs to where that is found: a bucket may be bound there by
    another name, and have nothing in it yet."""
    from workbench.backends.local import LocalBackend
    from workbench.project import load

    folder = os.path.dirname(os.path.dirname(state_directory))
    project = Project(folder, (), state_directory)
    with contextlib.suppress(WorkbenchError, OSError):
        found = load(folder)
        if os.path.realpath(found.state_directory) == state_directory:
            project = found
    backend = LocalBackend(project)
    return State(project, backend, backend.target)


def account_state() -> State:
    """The deployed account, by the credentials that the hub's own environment or wrangler's has."""
    from workbench.operations.executor import open_state

    return open_state(remote=True)


class Bucket:
    """Objects of a bucket below a prefix, by what comes after it. state: where the bucket is; name: the bucket's own name."""

    def __init__(self, state: State, name: str, prefix: str = "") -> None:
        self._state = state
        self.name = name
        self.prefix = prefix

    async def list(self) -> dict[str, R2Object]:
        """All of them, by path."""
        found: dict[str, R2Object] = {}
        cursor: str | None = None
        while True:
            page = await self._run(
                "r2.objects.list", bucket=self.name, prefix=self.prefix, limit=1000, cursor=cursor
            )
            found |= {each.key[len(self.prefix) :]: each for each in page.items}
            cursor = page.cursor
            if cursor is None:
                return found

    async def read(self, path: str) -> tuple[R2Object, AsyncIterator[bytes]]:
        """An object with its bytes."""
        body = await self._run("r2.objects.get", key=self.prefix + path, bucket=self.name)

        async def pieces() -> AsyncIterator[bytes]:
            chunks = iter(body.chunks)
            while (piece := await asyncio.to_thread(next, chunks, None)) is not None:
                yield piece

        return body.object, pieces()

    async def write(self, path: str, content: AsyncIterator[bytes], before: R2Object | None) -> R2Object:
        """Write an object; its metadata stay as they were. The bytes are whole on disk before anything is written to the bucket."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            async for piece in content:
                await asyncio.to_thread(file.write, piece)
            file.seek(0)
            http = dict(before.http_metadata) if before else {}
            kind = http.get("contentType") or mimetypes.guess_type(path)[0]
            given: dict[str, Any] = {
                "content_type": kind,
                "content_disposition": http.get("contentDisposition"),
                "content_encoding": http.get("contentEncoding"),
                "content_language": http.get("contentLanguage"),
                "cache_control": http.get("cacheControl"),
                "custom_metadata": dict(before.custom_metadata) if before else None,
            }
            known = {name: value for name, value in given.items() if value is not None}
            written: R2Object = await self._run(
                "r2.objects.put",
                key=self.prefix + path,
                bucket=self.name,
                file=_pieces(file),
                force=True,
                **known,
            )
            return written

    async def delete(self, path: str) -> None:
        """Delete an object."""
        await self._run("r2.objects.delete", key=[self.prefix + path], bucket=self.name, force=True)

    async def _run(self, operation: str, **arguments: Any) -> Any:
        work = execute(self._state, operation, arguments)
        if getattr(self._state.backend, "suspends", False):
            return await work
        return await asyncio.to_thread(_drive, lambda: work)


def _drive(make: Callable[[], Any]) -> Any:
    return drive(make())


def _pieces(file: IO[bytes]) -> Any:
    return iter(lambda: file.read(_PIECE), b"")
