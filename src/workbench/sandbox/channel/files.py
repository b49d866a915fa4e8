"""Files and trees inside, by absolute paths, resolved inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from workbench.sandbox.exchange import Fields

from .asking import Asking, give, parts


class Files(Asking):
    """The part of a channel that is about them."""

    async def stat(self, path: str, *, follow: bool = False) -> Fields:
        """{name, path, kind, size, mode, modified, uid, gid, target}; kind: file, directory, symlink, fifo, socket, device."""
        return await self.ask("file.stat", path=path, follow=follow)

    async def list_files(self, path: str, *, recursive: bool = False) -> AsyncIterator[Fields]:
        """As `stat`, with `relative`, in order of names, a folder before what is in it."""
        async with await self.open("file.list", path=path, recursive=recursive) as exchange:
            while True:
                answer = await exchange.answer()
                for entry in parts(answer, "entries"):
                    yield entry
                if answer.get("done"):
                    return

    @asynccontextmanager
    async def get_file(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncIterator[tuple[Fields, AsyncIterator[bytes]]]:
        """(its stat, its bytes in pieces) of a regular file."""
        async with await self.open("file.get", path=path, offset=offset, length=length) as exchange:
            yield await exchange.answer(), exchange.data()

    async def put_file(
        self,
        path: str,
        content: bytes | AsyncIterator[bytes],
        *,
        mode: int | None = None,
        parents: bool = True,
        exclusive: bool = False,
    ) -> Fields:
        """Write a file; it has its name only once it is complete. Gives its stat."""
        asked = {"mode": mode, "parents": parents, "exclusive": exclusive}
        async with await self.open("file.put", path=path, **asked) as exchange:
            return await give(exchange, content)

    async def move_file(self, path: str, to: str, *, overwrite: bool = False) -> Fields:
        return await self.ask("file.move", path=path, to=to, overwrite=overwrite)

    async def delete_file(self, path: str, *, recursive: bool = False) -> None:
        await self.ask("file.delete", path=path, recursive=recursive)

    async def make_folder(self, path: str, *, parents: bool = True, mode: int = 0o755) -> Fields:
        return await self.ask("file.mkdir", path=path, parents=parents, mode=mode)

    @asynccontextmanager
    async def get_tree(
        self, path: str, *, exclude: Sequence[str] = ()
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A folder or file as the pieces of a tar."""
        async with await self.open("file.archive", path=path, exclude=list(exclude)) as exchange:
            yield exchange.data()

    async def put_tree(self, path: str, archive: bytes | AsyncIterator[bytes]) -> Fields:
        """Unpack a tar (plain, gzip, bzip2, xz) into a folder: {files, bytes}."""
        async with await self.open("file.extract", path=path) as exchange:
            return await give(exchange, archive)

    async def watch(
        self,
        path: str,
        *,
        recursive: bool = True,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> AsyncIterator[list[Fields]]:
        """Batches of {event, path, directory, to}: create, modify, delete, move, overflow. The first, empty, says it is watching."""
        asked = {"recursive": recursive, "include": list(include), "exclude": list(exclude)}
        async with await self.open("file.watch", path=path, **asked) as exchange:
            await exchange.answer()
            yield []
            async for frame in exchange:
                said = frame.json()
                if said.get("gone"):
                    return
                yield parts(said, "events")
