"""Tables and records for a terminal. Every cell is made visible, measured as the terminal will, and cut to fit."""

import os
import sys
from binascii import a2b_base64
from typing import Any
from unicodedata import combining, east_asian_width

from workbench.model.sql import InvalidText
from workbench.model.text import visible, visible_bytes

from .people import paint

LONGEST = 2000  # characters of a value looked at for a cell


def width(text: str) -> int:
    """Columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def clip(text: str, columns: int) -> str:
    """A text cut to so many columns, with "…" where it was: at the end, a path in the middle."""
    if width(text) <= columns:
        return text
    if "/" in text and " " not in text and text.isascii() and columns > 8:
        tail = (columns - 1) // 2
        return text[: columns - 1 - tail] + "…" + text[-tail:]
    used = 0
    for index, character in enumerate(text):
        used += width(character)
        if used > columns - 1:
            return text[:index] + "…"
    return text


def cell(value: Any) -> str:
    """One value in one line: None is a dash, what is no scalar is compact JSON."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return visible(value, limit=LONGEST)
    if isinstance(value, InvalidText):
        return visible_bytes(bytes(value), limit=LONGEST)
    if isinstance(value, bytes):
        return f"x'{value[:24].hex()}{'…' if len(value) > 24 else ''}' {len(value):,} B"
    if isinstance(value, list) and value and all(_label(item) for item in value):
        return visible(", ".join(map(_label, value)), limit=LONGEST)
    if isinstance(value, dict) and value.keys() == {"$bytes"}:
        return cell(a2b_base64(value["$bytes"]))
    if isinstance(value, dict | list):
        return visible(_compact(value), limit=LONGEST)
    return str(value)


def _label(item: Any) -> str:
    """What stands for one thing in a list of them: a text itself, an object's name."""
    if isinstance(item, dict):
        item = item.get("name") or item.get("table")
    return item if isinstance(item, str) else ""


def _compact(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def terminal_width() -> int:
    """Columns of the terminal."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 1000 if not sys.stdout.isatty() else 80


def grid(columns: list[str], rows: list[list[Any]]) -> str:
    """A table; numbers to the right, as wide as the terminal at most."""
    heads = [visible(name, limit=LONGEST) for name in columns]
    texts = [[("NULL" if value is None else cell(value)) for value in row] for row in rows]
    return _lay_out(heads, texts, [[isinstance(v, int | float) for v in row] for row in rows])


def _lay_out(heads: list[str], texts: list[list[str]], numbers: list[list[bool]]) -> str:
    widths = [
        max([width(head), *(width(row[i]) for row in texts)], default=0) for i, head in enumerate(heads)
    ]
    right = [bool(numbers) and all(row[i] for row in numbers) for i in range(len(heads))]
    widths = _fit(widths, terminal_width())
    lines = [
        paint(
            "  ".join(_pad(h, w, r) for h, w, r in zip(heads, widths, right, strict=True)).rstrip(),
            "1",
            sys.stdout,
        )
    ]
    lines += [
        "  ".join(_pad(t, w, r) for t, w, r in zip(row, widths, right, strict=True)).rstrip() for row in texts
    ]
    return "\n".join(lines)


def _pad(text: str, columns: int, right: bool) -> str:
    text = clip(text, columns)
    space = " " * (columns - width(text))
    return space + text if right else text + space


def _fit(widths: list[int], room: int) -> list[int]:
    """Column widths that fit: the widest give way first, to no less than 8."""
    fitted = list(widths)
    while sum(fitted) + 2 * (len(fitted) - 1) > room and max(fitted, default=0) > 8:
        over = sum(fitted) + 2 * (len(fitted) - 1) - room
        widest = max(fitted)
        second = max((w for w in fitted if w < widest), default=8)
        many = fitted.count(widest)
        shrunk = max(8, second, widest - -(-over // many))
        fitted = [shrunk if w == widest else w for w in fitted]
    return fitted


def _flatten(data: list[Any], depth: int = 0) -> list[dict[str, Any]]:
    """A tree of rows (a row's own rows lie in a list of the same kind) as indented rows."""
    flat = []
    for row in data:
        children = {key: value for key, value in row.items() if _is_children(row, value)}
        shown = {key: value for key, value in row.items() if key not in children}
        first = next(iter(shown), None)
        if depth and first is not None:
            shown[first] = "  " * depth + str(shown[first])
        flat.append(shown)
        for value in children.values():
            flat += _flatten(value, depth + 1)
    return flat


def _is_children(row: dict[str, Any], value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, dict) and item.keys() == row.keys() for item in value)
        and "path" in row
    )


_NOTHING: tuple[Any, ...] = (None, False, "", [], {})


def rows(data: list[Any]) -> str:
    """A list of objects as a table."""
    if not all(isinstance(row, dict) for row in data):
        return "\n".join(cell(item) for item in data)
    flat = _flatten(data)
    names: list[str] = []
    for row in flat:
        names += [name for name in row if name not in names]
    values = [[row.get(name) for name in names] for row in flat]
    texts = [["" if v is None or v in ({}, [], "") else cell(v) for v in row] for row in values]
    # A column in which nothing is said is left out.
    used = [i for i in range(len(names)) if i == 0 or any(row[i] not in _NOTHING for row in values)]
    return _lay_out(
        [visible(names[i]) for i in used],
        [[row[i] for i in used] for row in texts],
        [[isinstance(row[i], int | float) for i in used] for row in values],
    )


def record(data: Any) -> str:
    """One object, a field a line; values of several lines below their name."""
    if not isinstance(data, dict):
        return visible(data, lines=True) if isinstance(data, str) else cell(data)
    wide = max(map(len, data), default=0)
    lines = []
    for name, value in data.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            lines += [paint(visible(name), "1", sys.stdout), rows(value)]
            continue
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            text = "\n".join(visible(item) for item in value) or "–"
        elif isinstance(value, str):
            text = visible(value, lines=True)
        elif isinstance(value, dict) and value.keys() == {"$bytes"}:
            text = cell(value)
        elif isinstance(value, dict | list):
            text = visible(_pretty(value), lines=True)
        else:
            text = cell(value)
        label = paint(visible(name).ljust(wide), "1", sys.stdout)
        lines.append(f"{label}\n{text}" if "\n" in text else f"{label}  {text}")
    return "\n".join(lines)


def _pretty(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else json.dumps(value, ensure_ascii=False, indent=2)


__all__ = ["cell", "clip", "grid", "record", "rows", "width"]
