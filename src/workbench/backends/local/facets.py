"""The facet index: which names the numbered databases beside an object's belong to.

`<object id>.facets` is a plain file, appended to and never rewritten: a magic number, then entries of
parent number, name length (both 16 bits, little-endian) and name in UTF-8. An entry's number is its place, from 1;
parent 0 is the object. A name keeps its number for ever, so a deleted facet is an entry whose database is gone.
(workerd, server/facet-tree-index.)
"""

import struct
from typing import NamedTuple

from workbench.model.errors import WorkbenchError

from .contained import open_file

MAGIC = bytes.fromhex("57efb0c55bcecdc4")
_ENTRY = struct.Struct("<HH")
MOST = 0xFFFF
"""Facets an object can have in its life, and bytes of a name."""
LARGEST = 16 << 20
"""Bytes of an index that is read, and of all its facets' names with those of what they are inside of."""
DEEPEST = 100
"""How far facets may lie inside each other."""


class FacetEntry(NamedTuple):
    """id: its number. parent: its parent's, 0 for the object itself."""

    id: int
    parent: int
    name: str


def parse(data: bytes) -> list[FacetEntry]:
    """The entries of an index, in order of their numbers. Raises `do.facet_index` for a file of another format.

    Also for facets deeper, or names longer together, than anybody shows: a chain of all would be 2 billion names to look at.
    As the runtime does, it stops before the first entry that cannot be (cut off, empty name, a parent that is not
    there yet, the same name twice): such a tail is what a crash left, and was never used.
    """
    if len(data) <= len(MAGIC):
        return []
    if not data.startswith(MAGIC):
        raise WorkbenchError(
            "do.facet_index",
            "the facet index is of a format that is not known",
            "It may be damaged, or a newer emulator's: then a newer cfwb reads it. The object's own storage still works.",
        )
    entries: list[FacetEntry] = []
    seen: set[tuple[int, bytes]] = set()
    above = [(0, 0)]  # of each facet: how deep it lies, and how long its name is with those above it
    whole = 0
    at = len(MAGIC)
    while at + 4 <= len(data) and len(entries) < MOST:
        parent, length = _ENTRY.unpack_from(data, at)
        name = data[at + 4 : at + 4 + length]
        if not length or len(name) < length or parent > len(entries) or (parent, name) in seen:
            break
        seen.add((parent, name))
        depth, size = above[parent]
        above.append((depth + 1, size + length))
        whole += size + length
        if depth >= DEEPEST or whole > LARGEST:
            raise too_large()
        entries.append(FacetEntry(len(entries) + 1, parent, name.decode("utf-8", "surrogateescape")))
        at += 4 + length
    return entries


def too_large() -> WorkbenchError:
    """An index that no object of use has."""
    return WorkbenchError(
        "do.facet_index",
        f"the facet index is larger than any that is read here ({LARGEST >> 20} MiB of names, {DEEPEST} inside each other)",
        "It may be damaged. The object's own storage still works.",
    )


def serialize(entries: list[tuple[int, str]]) -> bytes:
    """An index of (parent, name) entries."""
    parts = [MAGIC]
    for parent, name in entries:
        data = name.encode("utf-8", "surrogateescape")
        parts.append(_ENTRY.pack(parent, len(data)) + data)
    return b"".join(parts)


def read_index(path: str) -> list[FacetEntry]:
    """The entries of a `.facets` file; none where there is no file. Raises `do.facet_index`, `state.unreadable`."""
    try:
        with open(open_file(path), "rb") as handle:
            data = handle.read(LARGEST + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WorkbenchError("state.unreadable", f"{path} can't be read: {error.strerror}") from error
    try:
        if len(data) > LARGEST:
            raise too_large()
        return parse(data)
    except WorkbenchError as error:
        raise WorkbenchError(error.code, f"{path}: {error.message}", error.hint) from None


def path_of(entries: list[FacetEntry], entry: FacetEntry) -> tuple[str, ...]:
    """The names from the outermost in."""
    names = [entry.name]
    while entry.parent:
        entry = entries[entry.parent - 1]
        names.append(entry.name)
    return tuple(reversed(names))


def find(entries: list[FacetEntry], path: tuple[str, ...]) -> FacetEntry | None:
    """The entry a path of names leads to."""
    found: FacetEntry | None = None
    parent = 0
    children = {(entry.parent, entry.name): entry for entry in entries}
    for name in path:
        found = children.get((parent, name))
        if found is None:
            return None
        parent = found.id
    return found


def below(entries: list[FacetEntry], number: int) -> list[FacetEntry]:
    """The facets inside a facet (0: the object), at any depth, in order of their numbers."""
    inside = {number}
    found = []
    for entry in entries:
        if entry.parent in inside:
            inside.add(entry.id)
            found.append(entry)
    return found
