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
LEAST, LEAST_OF_NAMES = 12, 24
"""Columns that a field must have to say anything; one that names or explains its row has more."""
NAMES = ("name", "key", "path", "id", "config", "message", "error", "summary")
SPARED = ("etag", "version", "parent", "started", "environments", "params", "output")
"""What is left out first where a table is too wide; then from the right."""
UNIX_SECONDS = ("expiration",)
"""Fields that the API counts in seconds since 1970: a person reads a date."""


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


def field(name: str, value: Any) -> str:
    """One value of an object, as `cell` has it."""
    if name in UNIX_SECONDS and isinstance(value, int) and value > 0:
        from workbench.model.times import iso

        return iso(value * 1000).replace(".000Z", "Z")
    return cell(value)


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
    right = [bool(numbers) and all(row[i] for row in numbers) for i in range(len(heads))]
    least = [max(8, min(LEAST_OF_NAMES, terminal_width() // 3)) if head in NAMES else 8 for head in heads]
    widths = _fit(_natural(heads, texts), terminal_width(), least)
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


def _natural(heads: list[str], texts: list[list[str]]) -> list[int]:
    """How wide the columns would like to be."""
    return [max([width(head), *(width(row[i]) for row in texts)], default=0) for i, head in enumerate(heads)]


def _pad(text: str, columns: int, right: bool) -> str:
    text = clip(text, columns)
    space = " " * (columns - width(text))
    return space + text if right else text + space


def _fit(widths: list[int], room: int, least: list[int] | None = None) -> list[int]:
    """Column widths that fit: the widest give way first, each to no less than its least (8), if that is enough."""
    fitted = list(widths)
    least = least or [8] * len(widths)
    while (over := sum(fitted) + 2 * (len(fitted) - 1) - room) > 0:
        yielding = [i for i, w in enumerate(fitted) if w > least[i]]
        if not yielding:
            break
        widest = max(fitted[i] for i in yielding)
        those = [i for i in yielding if fitted[i] == widest]
        second = max((w for w in fitted if w < widest), default=8)
        for i in those:
            fitted[i] = max(least[i], second, widest - -(-over // len(those)))
    return fitted


def _fields_that_fit(names: list[str], widths: list[int], room: int) -> list[int]:
    """Which fields a table has room for, each so wide that it says something; the first is always among them."""
    kept = list(range(len(names)))
    leaving = [names.index(name) for name in SPARED if name in names[1:]]
    leaving += [i for i in reversed(kept[1:]) if i not in leaving]
    least = [
        min(w, LEAST_OF_NAMES if name in NAMES else LEAST) for name, w in zip(names, widths, strict=True)
    ]
    for i in leaving:
        if sum(least[i] for i in kept) + 2 * (len(kept) - 1) <= room:
            break
        kept.remove(i)
    return kept


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
    texts = [
        ["" if v is None or v in ({}, [], "") else field(name, v) for name, v in zip(names, row, strict=True)]
        for row in values
    ]
    # A column in which nothing is said is left out.
    used = [i for i in range(len(names)) if i == 0 or any(row[i] not in _NOTHING for row in values)]
    heads = [visible(names[i]) for i in used]
    wanted = _natural(heads, [[row[i] for i in used] for row in texts])
    fit = [used[i] for i in _fields_that_fit(heads, wanted, terminal_width())]
    if len(fit) < len(used) and len(data) == len(flat) == 1:
        return record({names[i]: data[0][names[i]] for i in used})  # one alone has the room below it
    laid_out = _lay_out(
        [visible(names[i]) for i in fit],
        [[row[i] for i in fit] for row in texts],
        [[isinstance(row[i], int | float) for i in fit] for row in values],
    )
    if len(fit) < len(used):
        left_out = ", ".join(visible(names[i]) for i in used if i not in fit)
        laid_out += "\n" + paint(f"no room for {left_out}: --json has it all", "2", sys.stdout)
    return laid_out


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
            text = field(name, value)
        label = paint(visible(name).ljust(wide), "1", sys.stdout)
        lines.append(f"{label}\n{text}" if "\n" in text else f"{label}  {text}")
    return "\n".join(lines)


def _pretty(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else json.dumps(value, ensure_ascii=False, indent=2)


__all__ = ["cell", "clip", "grid", "record", "rows", "width"]
