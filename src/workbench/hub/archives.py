"""Archives of disks on their way through the hub: packed and unpacked in threads, joined to a request by a pipe, at its pace."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk import archive

PIECE = 1 << 18


async def packed(layer: str, manifest: archive.Manifest) -> AsyncIterator[bytes]:
    """A layer (its folder) as the pieces of an archive."""
    async for piece in _from_thread(lambda out: archive.write(layer, manifest, out)):
        yield piece


async def unpacked(pieces: AsyncIterator[bytes], folder: str, owner: int | None) -> archive.Manifest:
    """An archive's pieces into an empty folder; what goes wrong with it is raised."""
    reading, writing = os.pipe()
    work = asyncio.ensure_future(asyncio.to_thread(_read, reading, folder, owner))
    try:
        await _pour(pieces, writing)
        return await work
    finally:
        await asyncio.gather(work, return_exceptions=True)


def _read(reading: int, folder: str, owner: int | None) -> archive.Manifest:
    with os.fdopen(reading, "rb") as source:
        return archive.read(source, folder, owner=owner)


async def _pour(pieces: AsyncIterator[bytes], writing: int) -> None:
    """Into a pipe, at the pace of whoever reads it; where nobody does any more the rest is dropped."""
    with os.fdopen(writing, "wb", buffering=0) as out:
        async for piece in pieces:
            try:
                await asyncio.to_thread(_write_all, out, piece)
            except BrokenPipeError:
                return


def _write_all(out: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


async def _from_thread(write: Any) -> AsyncIterator[bytes]:
    """What a function writes into the file it is given, in pieces; it runs in a thread, at our pace."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def work() -> None:
        out: BinaryIO
        try:
            with os.fdopen(writing, "wb") as out:
                write(out)
        except BrokenPipeError:
            pass  # whoever asked has gone
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True, name="archive")
    thread.start()
    try:
        while piece := await asyncio.to_thread(os.read, reading, PIECE):
            yield piece
    finally:
        os.close(reading)
        await asyncio.to_thread(thread.join)
    if failed:
        raise (
            failed[0]
            if isinstance(failed[0], WorkbenchError)
            else WorkbenchError("sandbox.failed", str(failed[0]))
        )
