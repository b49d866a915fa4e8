"""What operations that write answer, where the product has no value of its own for it."""

from typing import NamedTuple


class Written(NamedTuple):
    """A file was written."""

    output: str
    size_bytes: int


class Done(NamedTuple):
    """How many were written or run."""

    done: int
