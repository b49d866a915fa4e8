"""Values of the KV product."""

from typing import Any, NamedTuple


class KvNamespace(NamedTuple):
    """id: what the state is filed under. name: the binding's name where there is one, else the id."""

    id: str
    name: str
    binding: str | None = None
    worker: str | None = None


class KvKey(NamedTuple):
    """A row of a list. expiration: Unix seconds or None. metadata: JSON or None."""

    name: str
    expiration: int | None = None
    metadata: Any = None


class KvValue(NamedTuple):
    """A key with its value, exact bytes."""

    name: str
    value: bytes
    expiration: int | None = None
    metadata: Any = None
