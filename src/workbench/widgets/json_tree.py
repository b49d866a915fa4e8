"""A JSON value as lines that fold: what a line says and what lies below it, made only when it is looked at.

Values come from `json_parse` (numbers keep their own digits, repeated keys stay) or as tagged JSON (model/tagged.py), whose
`$date`, `$map` and so on are shown as JavaScript would say them: `Date 1970-01-01T00:00:00Z`, `Map {"k" → 1n}`.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Iterator
from itertools import islice
from typing import Any

from workbench.model.text import visible

from .cells import size
from .json_parse import Number, Pairs

Piece = tuple[str, str]
"""Text made visible, and its kind (widgets/palette.py)."""

GROUP = 1_000
"""Items under one line; more are put into groups, so that opening a line never makes more than this many."""
LONG = 100
"""A longer string opens into lines of so many characters, GROUP of them at most."""


class Node:
    """A line that may open. label: pieces in front of the value; value: what it shows; key: its step in the path."""

    __slots__ = ("depth", "key", "label", "opened", "parent", "tagged", "value")

    def __init__(
        self,
        value: Any,
        *,
        label: tuple[Piece, ...] = (),
        key: str = "",
        parent: Node | None = None,
        tagged: bool,
    ) -> None:
        self.value, self.label, self.key, self.parent, self.tagged = value, label, key, parent, tagged
        self.depth: int = parent.depth + 1 if parent else 0
        self.opened = False

    @property
    def opens(self) -> bool:
        if isinstance(self.value, Group | Line | Rest):
            return isinstance(self.value, Group)
        if isinstance(self.value, str) and not isinstance(self.value, Number):
            return len(self.value) > LONG or "\n" in self.value
        return _count(self.value, self.tagged) > 0

    def children(self) -> list[Node]:
        """The lines below, at most GROUP of them (and one that says what is left of a longer string)."""
        value = self.value
        if isinstance(value, str):
            return [self._child(line, (), "") for line in _lines(value)]
        group = value if isinstance(value, Group) else Group(value, 0, _count(value, self.tagged))
        step = group.step
        if step == 1:
            items = _items(group.of, self.tagged, group.start, group.stop)
            return [self._child(*item) for item in items]
        return [
            self._child(
                Group(group.of, start, min(start + step, group.stop)), _range(start, group.stop, step), ""
            )
            for start in range(group.start, group.stop, step)
        ]

    def _child(self, value: Any, label: tuple[Piece, ...], key: str) -> Node:
        return Node(value, label=label, key=key, parent=self, tagged=self.tagged)

    def pieces(self, budget: int) -> list[Piece]:
        """What the line shows: its label, then the value, or the beginning of it, in about `budget` characters."""
        found = list(self.label)
        room = max(20, budget - sum(len(text) for text, _ in found))
        if self.opened and not isinstance(self.value, str | Group):
            return [*found, (_summary(self.value, self.tagged), "muted")]
        return [*found, *_preview(self.value, room, self.tagged)]

    def path(self) -> str:
        """`$.items[3].name`"""
        steps: list[str] = []
        node: Node | None = self
        while node is not None:
            steps.append(node.key)
            node = node.parent
        return "$" + "".join(reversed(steps))


class Group:
    """Some of a long value's items: those from `start` up to `stop`. step: how many each line below stands for."""

    __slots__ = ("of", "start", "step", "stop")

    def __init__(self, of: Any, start: int, stop: int) -> None:
        self.of, self.start, self.stop = of, start, stop
        self.step = 1
        while stop - start > self.step * GROUP:
            self.step *= GROUP


class Line(str):
    """A piece of a long string, shown without quotes."""


class Rest(int):
    """How many characters of a string are not shown."""


def _range(start: int, total: int, step: int) -> tuple[Piece, ...]:
    return ((f"{start:,} … {min(total, start + step) - 1:,}", "muted"),)


def _lines(text: str) -> Iterator[Line | Rest]:
    """A string's first GROUP lines, none longer than LONG, and how much is left."""
    start = 0
    for _ in range(GROUP):
        newline = text.find("\n", start, start + LONG)
        stop = newline if newline >= 0 else min(start + LONG, len(text))
        yield Line(text[start:stop])
        if stop == len(text):
            return
        start = stop + text.startswith("\n", stop)
    yield Rest(len(text) - start)


def _quoted(text: str, limit: int = 200) -> str:
    """A string as JSON writes it, everything in it visible."""
    cut = text[:limit]
    inner = json.dumps(cut, ensure_ascii=False)[1:-1]
    return visible(f'"{inner}' + ('…"' if len(text) > limit else '"'))


def _key(name: str, tagged: bool) -> tuple[Piece, ...]:
    if tagged and name.startswith("$$"):
        name = name[1:]
    return ((_quoted(name), "key"), (": ", "muted"))


def _step(name: str) -> str:
    return f".{name}" if name.isidentifier() else f"[{_quoted(name)}]"


Item = tuple[Any, tuple[Piece, ...], str]


def _held(value: Any, tagged: bool) -> Any:
    """What a value holds: a list, or a dict's items; empty for what holds nothing."""
    tag = tag_of(value) if tagged else ""
    if tag in ("$map", "$set"):
        return value[tag]
    if tag == "$array":
        return value[tag].get("items", {}).items()
    if tag == "$error":
        return value[tag].items()
    if tag:
        return ()
    if isinstance(value, dict):
        return value.items()
    return value if isinstance(value, list) else ()


def _count(value: Any, tagged: bool) -> int:
    return len(_held(value, tagged))


def _items(value: Any, tagged: bool, start: int = 0, stop: int | None = None) -> Iterator[Item]:
    """The items from `start` up to `stop`: (value, label, step of the path)."""
    held, tag = _held(value, tagged), tag_of(value) if tagged else ""
    part = held[start:stop] if isinstance(held, list) else islice(held, start, stop)
    for at, item in enumerate(part, start):
        if tag == "$map":
            yield item[1], (*_preview(item[0], 60, True), (" → ", "muted")), f"<{at}>"
        elif tag == "$set":
            yield item, (), f"<{at}>"
        elif tag:
            name = visible(item[0], limit=200)
            yield item[1], ((name, "key"), (": ", "muted")), f"[{name}]" if tag == "$array" else f".{name}"
        elif isinstance(value, dict | Pairs):
            yield item[1], _key(item[0], tagged), _step(item[0])
        else:
            yield item, ((f"{at:,}", "muted"), (": ", "muted")), f"[{at}]"


_LEAVES = (
    "$date",
    "$bigint",
    "$number",
    "$undefined",
    "$hole",
    "$regexp",
    "$bytes",
    "$text",
    "$boxed",
    "$ref",
)
_TAGS = frozenset((*_LEAVES, "$map", "$set", "$array", "$error"))


def tag_of(value: Any) -> str:
    """The tag of a tagged value, or an empty string for everything JSON can say itself."""
    if isinstance(value, dict) and value:
        first = next(iter(value))
        if first in _TAGS and (len(value) == 1 or first == "$bytes"):
            return str(first)
    return ""


def _leaf(tag: str, value: dict[str, Any]) -> Piece:
    said = value[tag]
    if tag == "$date":
        return ("Date " + (visible(said) if isinstance(said, str) else "invalid"), "type")
    if tag == "$bigint":
        return (f"{visible(str(said), limit=120)}n", "number")
    if tag == "$number":
        return (visible(str(said)), "number")
    if tag in ("$undefined", "$hole"):
        return ("undefined" if tag == "$undefined" else "empty", "null")
    if tag == "$regexp":
        both = (said.get("source", ""), said.get("flags", "")) if isinstance(said, dict) else (said, "")
        return (visible(f"/{both[0]}/{both[1]}", limit=200), "type")
    if tag == "$ref":
        return (f"the same as ${visible(str(said)).replace('/', '.')}", "type")
    if tag == "$boxed":
        return ("boxed " + "".join(text for text, _ in _preview(said, 60, True)), "type")
    return _bytes(tag, value)


def _bytes(tag: str, value: dict[str, Any]) -> Piece:
    try:
        data = a2b_base64(value[tag])
    except (ValueError, TypeError):
        data = b""
    if tag == "$text":
        return ("⚠ " + visible(data[:200].decode("utf-8", "backslashreplace")), "invalid")
    kind = visible(str(value.get("type", "Uint8Array")))
    return (f"{kind} {size(len(data))} x'{data[:24].hex()}{'…' if len(data) > 24 else ''}'", "blob")


def _brackets(value: Any, tagged: bool) -> tuple[str, str]:
    tag = tag_of(value) if tagged else ""
    if tag == "$array":
        return f"Array({value['$array'].get('length', '?')}) [", "]"
    if tag == "$error":
        return visible(str(value["$error"].get("name", "Error")), limit=60) + " {", "}"
    if tag:
        return {"$map": "Map {", "$set": "Set {"}[tag], "}"
    return ("[", "]") if isinstance(value, list) and not isinstance(value, Pairs) else ("{", "}")


def _summary(value: Any, tagged: bool) -> str:
    opening, closing = _brackets(value, tagged)
    return f"{opening}{_count(value, tagged):,}{closing}"


def _preview(value: Any, budget: int, tagged: bool) -> list[Piece]:
    """The beginning of a value in one line."""
    if isinstance(value, Line):
        return [(visible(value), "string")]
    if isinstance(value, Rest):
        return [(f"… {value:,} characters more; y here copies the whole string", "muted")]
    if isinstance(value, Number):
        return [(visible(value, limit=120), "number")]
    if isinstance(value, str):
        return [(_quoted(value, max(10, budget)), "string")]
    if value is None or value is True or value is False:
        return [
            ({None: "null", True: "true", False: "false"}[value], "null" if value is None else "constant")
        ]
    if isinstance(value, int | float):
        return [(repr(value), "number")]
    if isinstance(value, Group):
        return []
    tag = tag_of(value) if tagged else ""
    if tag in _LEAVES:
        return [_leaf(tag, value)]
    return _container(value, budget, tagged)


def _container(value: Any, budget: int, tagged: bool) -> list[Piece]:
    opening, closing = _brackets(value, tagged)
    found: list[Piece] = [(opening, "muted")]
    used = len(opening)
    plain_list = isinstance(value, list) and not isinstance(value, Pairs)
    for at, (item, label, _) in enumerate(_items(value, tagged)):
        if at:
            found.append((", ", "muted"))
        if used > budget - 8:
            found.append(("…", "muted"))
            break
        inner = [] if plain_list else list(label)
        inner += _preview(item, max(16, (budget - used) * 3 // 4), tagged)
        found.extend(inner)
        used += sum(len(text) for text, _ in inner) + 2
    found.append((closing, "muted"))
    return found
