"""Values of KV and R2: files that are written once, then named by a row (miniflare, workers/shared/blob.worker).

A file is complete and synced before any row names it, and goes after the row that named it has gone. A crash in between
leaves a file that nothing names, which the emulator leaves lying too.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from io import FileIO
from typing import NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel

from .contained import contained, open_file
from .faults import translated
from .naming import new_blob_id

CHUNK = 1 << 20
"""The most that is read or written at once, in bytes."""


class Written(NamedTuple):
    """id: the file's name. size: in bytes. md5: hex digits, "" where it was not asked for."""

    id: str
    size: int
    md5: str


class Blobs:
    """The folder of one namespace's or bucket's values."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, id: str) -> str:
        """Where a value lies. Raises `state.damaged` for an id that leads out of the folder, `state.link_out`."""
        if (
            not isinstance(id, str)
            or not id
            or os.path.basename(id) != id
            or id in (".", "..")
            or "\\" in id
            or "\0" in id
        ):
            raise WorkbenchError("state.damaged", f"{id!r} is not the id of a value's file in {self.folder}")
        return os.path.join(self._contained, id)

    @cached_property
    def _contained(self) -> str:
        """The folder, looked at once. Raises `state.link_out`."""
        return contained(self.folder)

    def write(
        self,
        chunks: Iterable[bytes],
        *,
        md5: bool = False,
        most: int | None = None,
        cancel: Cancel | None = None,
        sync: bool = True,
    ) -> Written:
        """Write a value; nothing stays of one that failed. most: its size limit in bytes (`value.too_large`).

        sync: False where the caller calls `sync` for several at once.
        """
        id = new_blob_id()
        path = self.path(id)
        digest = None
        if md5:
            import hashlib

            digest = hashlib.md5(usedforsecurity=False)
        size = 0
        with translated(path):
            os.makedirs(self.folder, exist_ok=True)
            descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
            )
            try:
                for chunk in chunks:
                    if cancel is not None:
                        cancel.check()
                    size += len(chunk)
                    if most is not None and size > most:
                        raise WorkbenchError(
                            "value.too_large", f"it is larger than the {most:,} bytes that a value may have"
                        )
                    if digest is not None:
                        digest.update(chunk)
                    _write_all(descriptor, chunk)
                if sync:
                    os.fsync(descriptor)
            except BaseException:
                os.close(descriptor)
                self.delete([id])
                raise
            os.close(descriptor)
        return Written(id, size, "" if digest is None else digest.hexdigest())

    def sync(self, ids: Iterable[str]) -> None:
        """Bring files that were written without it to the disk."""
        for id in ids:
            path = self.path(id)
            with translated(path):
                descriptor = open_file(path, os.O_RDWR)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def read(self, id: str) -> bytes | None:
        """A whole value; None where the file is missing (the emulator then says that the key has no value)."""
        path = self.path(id)
        with translated(path):
            try:
                with open(open_file(path), "rb") as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def open(self, id: str) -> FileIO | None:
        """The value to read from, which `stream` closes; None where the file is missing."""
        path = self.path(id)
        with translated(path):
            try:
                return FileIO(open_file(path))
            except FileNotFoundError:
                return None

    def stream(self, file: FileIO, offset: int, length: int) -> Iterator[bytes]:
        """Bytes of an open value in pieces. Raises `state.truncated` where the file ends too soon."""
        with file:
            file.seek(offset)
            while length > 0:
                chunk = file.read(min(CHUNK, length))
                if not chunk:
                    raise WorkbenchError(
                        "state.truncated", f"a value's file in {self.folder} ends {length:,} bytes too soon"
                    )
                length -= len(chunk)
                yield chunk

    def delete(self, ids: Iterable[str]) -> None:
        """Remove values that no row names any more; one that is not there, or can't be removed, is no harm."""
        for id in ids:
            with suppress(OSError, WorkbenchError):
                os.unlink(self.path(id))


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest[:CHUNK]) :]
