"""A page of a list."""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some items and, where there are more, an opaque cursor to go on from.

    prefixes: the folders of a delimited list (R2), in order; empty otherwise.
    """

    items: list[T]
    cursor: str | None = None
    prefixes: tuple[str, ...] = ()
