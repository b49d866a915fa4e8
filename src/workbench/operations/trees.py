"""Folders of this machine as tar streams, and back; nothing that comes out of a sandbox is written outside the folder it goes to."""

from __future__ import annotations

import fnmatch
import os
import tarfile
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

from workbench.model.errors import WorkbenchError

from .files import failed
from .untar import unpack

PIECE = 1 << 20


class Tree:
    """A folder's contents as the pieces of a tar; iterate it once. count: files and folders packed so far.

    exclude: patterns as of the shell, matched on the path below the folder and on each name in it.
    """

    def __init__(self, folder: str, exclude: Sequence[str] = ()) -> None:
        if not os.path.isdir(folder):
            raise WorkbenchError("file.not_a_folder", f"{folder} is not a folder")
        self.folder = folder
        self.count = 0
        self._exclude = exclude
        self._error: OSError | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Packed in a thread, at the pace at which the pieces are taken."""
        taking, giving = os.pipe()
        packing = threading.Thread(target=self._pack, args=(giving,), daemon=True)
        packing.start()
        try:
            while piece := os.read(taking, PIECE):
                yield piece
        finally:
            os.close(taking)
            packing.join()
        if self._error is not None:
            raise failed(self._error, str(self._error.filename or self.folder))

    def _pack(self, fd: int) -> None:
        try:
            with (
                os.fdopen(fd, "wb") as out,
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                for path, name in self._found():
                    tar.add(path, name, recursive=False)
                    self.count += 1
        except BrokenPipeError:
            pass  # nobody takes them any more
        except OSError as error:
            self._error = error

    def _found(self) -> Iterator[tuple[str, str]]:
        for folder, folders, files in os.walk(self.folder):
            inside = os.path.relpath(folder, self.folder)
            base = "" if inside == "." else inside + "/"
            folders[:] = sorted(name for name in folders if not self._left_out(base + name))
            for name in [*folders, *sorted(files)]:
                if not self._left_out(base + name):
                    yield os.path.join(folder, name), base + name

    def _left_out(self, relative: str) -> bool:
        name = relative.rsplit("/", 1)[-1]
        return any(fnmatch.fnmatch(relative, each) or fnmatch.fnmatch(name, each) for each in self._exclude)


async def unpacked(source: AsyncIterator[bytes], folder: str) -> int:
    """The tar's files into a folder, which is made; how many. Raises `file.unsafe_archive` for what leads out of it."""
    with tempfile.TemporaryFile() as held:
        async for piece in source:
            held.write(piece)
        held.seek(0)
        try:
            os.makedirs(folder, exist_ok=True)
            return unpack(held, folder)
        except tarfile.TarError as error:
            raise WorkbenchError("file.not_an_archive", f"not a tar archive: {error}") from None
        except OSError as error:
            raise failed(error, folder) from error
