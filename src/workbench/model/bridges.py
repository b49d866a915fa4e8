"""Bridges: deployed Workers that serve sandboxes on an account."""

from typing import NamedTuple


class Bridge(NamedTuple):
    """created: ISO 8601. token_in: where its token is kept, "keyring" or "file"; "" where it is gone."""

    name: str
    url: str
    created: str
    token_in: str


class BridgeState(NamedTuple):
    """A bridge as it answers now. reachable, authorized: whether it does, and takes the token; problem says why not. lists: whether it
    names its sandboxes (one made by `bridges export` does); sandboxes: how many, as far as a page shows ("100+")."""

    name: str
    url: str
    created: str
    token_in: str
    reachable: bool
    authorized: bool
    lists: bool
    sandboxes: str | None = None
    problem: str = ""


class Exported(NamedTuple):
    """A project that was written. files: by path in it."""

    output: str
    files: tuple[str, ...]
