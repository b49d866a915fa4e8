"""Values about the state directory itself."""

from typing import NamedTuple


class StateEntry(NamedTuple):
    """A thing that lies in the state directory.

    kind: kv, r2, d1, durable_object, workflow, cache, secrets_store, observability, queue, unknown, ...
    path: relative to the state directory. size_bytes: with everything below it.
    bound: whether a config names it. note: what it is, in a sentence.
    """

    kind: str
    path: str
    size_bytes: int
    files: int
    resource: str | None = None
    bound: bool = False
    note: str = ""


class Removal(NamedTuple):
    """What a deletion removed, or (dry_run) would remove.

    removed: lines a person reads ("key user/1", "file do/shop-AppRunner/ab….sqlite"), bounded to the first thousand.
    total: how many in all. needs_restart: whether a running server must be restarted to see it; `note` says why.
    """

    removed: list[str]
    total: int
    dry_run: bool
    needs_restart: bool = False
    note: str = ""
