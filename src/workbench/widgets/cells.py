"""SQLite values as the text of a cell: exact, one line, nothing in it that a terminal would obey.

Only as much of a value is looked at as can be shown, so a 100,000-character line costs what a short one does.
"""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, set_cell_size

from workbench.model.sql import InvalidText, SqlValue
from workbench.model.text import visible

CellKind = Literal["null", "integer", "real", "text", "blob", "invalid"]

LIMIT = 200
"""Characters of a value that are looked at for a cell, at most."""


def kind_of(value: SqlValue) -> CellKind:
    """What SQLite calls the value's type; `invalid` is TEXT that is not UTF-8."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "real"
    return "invalid" if isinstance(value, InvalidText) else "blob"


def shown(value: SqlValue, limit: int = LIMIT, thousands: bool = False) -> str:
    """A value in one line of about `limit` characters at most; integers and reals keep every digit.

    A blob is its hex and its size; TEXT that is not UTF-8 is shown with the offending bytes as \\xNN behind a ⚠.
    """
    if isinstance(value, str):
        return visible(value, limit=limit)
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return f"{value:,}" if thousands else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, InvalidText):
        return "⚠ " + visible(bytes(value[:limit]).decode("utf-8", "backslashreplace"), limit=limit)
    head = value[: max(4, limit // 2)].hex()
    return f"x'{head}…' {size(len(value))}" if len(head) < 2 * len(value) else f"x'{head}' {size(len(value))}"


def size(count: int) -> str:
    """Bytes as a person reads them: `12 B`, `6.1 KiB`."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            return f"{amount:.1f} {unit}"
    return f"{count} B"


def measure(value: SqlValue, most: int, thousands: bool = False) -> int:
    """The cells a value wants, `most` at most."""
    if isinstance(value, str):
        if len(value) >= most and value[:most].isascii():
            return most
        text = visible(value, limit=most)
    elif isinstance(value, bytes):
        text = shown(value, 16)
    else:
        text = shown(value, most, thousands)
    width = len(text) if text.isascii() else cell_len(text)
    return min(most, width)


def fit(text: str, width: int, right: bool = False) -> str:
    """Text in exactly `width` cells; what does not fit ends in …"""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "…"
        return text.rjust(width) if right else text.ljust(width)
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - cells) + text if right else text + " " * (width - cells)


def fit_value(value: SqlValue, width: int, thousands: bool = False) -> str:
    """A value in exactly `width` cells: numbers to the right; one that does not fit shows its beginning and …"""
    if isinstance(value, bytes) and not isinstance(value, InvalidText):
        tail = f"' {size(len(value))}"
        if 2 + 2 * len(value) + len(tail) <= width:
            return fit(f"x'{value.hex()}{tail}", width)
        room = max(1, (width - len(tail) - 3) // 2)
        return fit(f"x'{value[:room].hex()}…{tail}", width)
    number = isinstance(value, int | float)
    return fit(shown(value, width + 1, thousands), width, right=number)
