"""The bytes of an object: one file, or a file a part of the upload it came by; a range may begin and end within any of them."""

from collections.abc import Iterator, Sequence
from io import FileIO

from workbench.model.errors import WorkbenchError

from .blobs import Blobs


def cut(parts: Sequence[tuple[str, int]], offset: int, length: int) -> list[tuple[str, int, int]]:
    """The pieces of the files that hold a range: id, offset and length in it."""
    pieces = []
    for id, size in parts:
        if length <= 0:
            break
        if offset < size:
            taken = min(size - offset, length)
            pieces.append((id, offset, taken))
            length -= taken
            offset = 0
        else:
            offset -= size
    return pieces


def stream(blobs: Blobs, pieces: Sequence[tuple[str, int, int]], first: FileIO | None) -> Iterator[bytes]:
    """The bytes of these pieces. first: the file of the first one, where it is open already. Raises `r2.body_missing`."""
    for id, offset, length in pieces:
        file = first if first is not None else blobs.open(id)
        first = None
        if file is None:
            raise missing(blobs, id)
        yield from blobs.stream(file, offset, length)


def missing(blobs: Blobs, what: str) -> WorkbenchError:
    """A file that a row names is not there."""
    return WorkbenchError(
        "r2.body_missing",
        f"the bytes of {what!r} are missing: a file in {blobs.folder} is gone",
        "The emulator reads the object as null. Write it again, or delete it.",
    )
