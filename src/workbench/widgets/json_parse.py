"""JSON text as a value that keeps what was written: digits of numbers, keys that repeat; bounded, and stopped between steps."""

from __future__ import annotations

import json
from typing import Any

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel

MOST_VALUES = 6_000_000
"""Values that are folded, counted by the commas and brackets: each takes up to 100 bytes, so memory is bounded by it."""
SHARED = 10_000
"""Different numbers of which one copy is kept for all places where they stand."""


class TooMany(Exception):
    """There are more values than are kept in memory at once."""


class Pairs(list[tuple[str, Any]]):
    """An object's keys and values as they were written."""

    __slots__ = ()


class Number(str):
    """A number with the digits it was written with."""

    __slots__ = ()


def parse(text: str, cancel: Cancel | None = None) -> Any:
    """JSON text as Pairs, list, str, Number, bool and None. Raises ValueError (RecursionError where it nests too deep),
    TooMany, and Cancelled soon after `cancel` is thrown."""
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise TooMany
    stop = cancel or Cancel()
    seen: dict[str, Number] = {}

    # Functions of Python, not the classes themselves: between their steps other threads run, so the window stays awake.
    def number(digits: str) -> Number:
        if stop.cancelled:
            raise Cancelled
        found = seen.get(digits)
        if found is None:
            found = Number(digits)
            if len(seen) < SHARED:
                seen[digits] = found
        return found

    def pairs(items: list[tuple[str, Any]]) -> Pairs:
        if stop.cancelled:
            raise Cancelled
        return Pairs(items)

    return json.loads(
        text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=_refused
    )


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
