"""Files that operations read and write for the user: paths, or pieces of bytes that a face hands in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError

if TYPE_CHECKING:
    from .outcomes import Written

PIECE = 1 << 20


def failed(error: OSError, path: str) -> WorkbenchError:
    """An operating system's error as one of ours, naming the file."""
    codes = {
        FileNotFoundError: "file.not_found",
        PermissionError: "file.not_allowed",
        IsADirectoryError: "file.is_a_folder",
    }
    return WorkbenchError(codes.get(type(error), "file.failed"), f"{path}: {error.strerror or error}")


def pieces(source: Any) -> Iterator[bytes]:
    """The bytes of a path, an open file or an iterable, at most 1 MiB at a time from a file."""
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        try:
            with open(path, "rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except OSError as error:
            raise failed(error, str(path)) from error
    elif hasattr(source, "read"):
        while piece := source.read(PIECE):
            yield piece
    else:
        yield from source


def read_whole(source: Any) -> bytes:
    """All bytes of a path, an open file or an iterable."""
    return b"".join(pieces(source))


def read_text(source: Any) -> str:
    """All of it as UTF-8 text (a byte order mark is dropped). Raises WorkbenchError where it is not."""
    try:
        return read_whole(source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorkbenchError("file.not_text", f"{source}: not UTF-8 text, at byte {error.start}") from None


def size_of(source: Any) -> int | None:
    """How many bytes a path has; None for other sources."""
    if isinstance(source, str | os.PathLike):
        try:
            return os.stat(source).st_size
        except OSError as error:
            raise failed(error, str(source)) from error
    return None


def write_pieces(path: str, chunks: Iterable[bytes | str]) -> Written:
    """Write a file whole or not at all: pieces go to a hidden neighbour that takes the name at the end."""
    folder, name = os.path.split(os.path.realpath(path))
    part = os.path.join(folder, f".{name[:100]}.{os.getpid()}.part")
    size = 0
    try:
        if not os.path.exists(path) or os.path.isfile(path):
            with open(part, "wb") as file:
                for chunk in chunks:
                    size += file.write(
                        chunk.encode("utf-8", "surrogatepass") if isinstance(chunk, str) else chunk
                    )
            os.replace(part, os.path.join(folder, name))
        else:  # a pipe, a terminal, a device: written as it is
            with open(path, "wb") as file:
                for chunk in chunks:
                    size += file.write(
                        chunk.encode("utf-8", "surrogatepass") if isinstance(chunk, str) else chunk
                    )
    except OSError as error:
        raise failed(error, path) from error
    finally:
        if os.path.exists(part):
            os.unlink(part)
    from .outcomes import Written

    return Written(path, size)
