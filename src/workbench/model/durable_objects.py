"""Values of Durable Objects and their facets."""

from typing import Any, NamedTuple


class DoNamespace(NamedTuple):
    """A class whose objects are on disk or in a config.

    id: the emulator's unique key, `<script>-<Class>`, which is also its folder's name.
    sqlite: True for SQLite-backed classes, False for legacy ones, None where no config says.
    bound: False for a class that no binding names (reached by ctx.exports, or dropped from the config).
    """

    id: str
    class_name: str
    script: str
    binding: str | None = None
    worker: str | None = None
    sqlite: bool | None = None
    bound: bool = True
    objects: int | None = None


class DoObject(NamedTuple):
    """alarm: ISO 8601 UTC or None. facets: how many live ones, at any depth."""

    id: str
    name: str | None
    alarm: str | None
    facets: int


class Facet(NamedTuple):
    """A facet and those inside it. id, parent: numbers in the index (parent 0: the object itself).

    path: the names from the outermost in. deleted: its entry is in the index and its file is gone.
    tables: how many tables of the user's. keys: how many key-value entries.
    """

    name: str
    path: tuple[str, ...]
    id: int
    parent: int
    size_bytes: int
    tables: int
    keys: int
    deleted: bool
    facets: tuple["Facet", ...]


class StorageEntry(NamedTuple):
    """A key-value entry.

    value: the value as tagged JSON (see model/tagged.py), or None with `undecoded` saying why, where no program can decode it.
    raw: the bytes as stored, always.
    """

    key: str
    value: Any
    size_bytes: int
    raw: bytes
    undecoded: str = ""


class Alarm(NamedTuple):
    """scheduled: ISO 8601 UTC with milliseconds."""

    object: str
    name: str | None
    scheduled: str
