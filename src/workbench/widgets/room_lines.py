"""A room drawn: its frame, which says whose it is, and its lines. Text from anywhere is made visible and cut here."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from workbench.model.text import visible

from .cells import fit, size
from .house_plan import Placed
from .json_tree import Node
from .room import Line, Room

LABEL = 9
"""Cells of the column that says `tables` or `entries`."""
SIZE_FROM = 40
"""Inner cells from which sizes are shown."""
KEY_LIMIT = 80

Styles = Callable[[str], Style]
"""A style by what it is for: a kind of value (widgets/palette.py), or frame, title, words, label, cursor, plain."""

_FRAMES = {"own": "╔═╗║╚╝", "facet": "╭─╮│╰╯"}


def title_of(room: Room) -> str:
    """What the frame calls it; untrusted names made visible."""
    if not room.path:
        return visible(room.title, limit=KEY_LIMIT)
    names = " ▸ ".join(visible(name, limit=KEY_LIMIT) or '""' for name in room.path)
    return f"{room.title} {names}"


def draw(placed: Placed, row: int, styles: Styles, *, active: bool, mark: str) -> list[Segment]:
    """One row of a room, exactly as wide as it is, with what it hangs on in front. mark: a word in its frame."""
    hang = placed.hang[0 if row == 0 else 1]
    segments = [Segment(hang, styles("frame"))] if hang else []
    if placed.room.deleted:
        text = f"× {title_of(placed.room)}  deleted"
        return [
            *segments,
            Segment(fit(text, placed.width), styles("cursor") if active else styles("deleted")),
        ]
    frame = styles("active" if active else "own" if not placed.room.path else "frame")
    corners = _FRAMES["facet" if placed.room.path else "own"]
    if row == 0:
        return [*segments, *_top(placed, corners, frame, styles, mark)]
    if row == placed.height - 1:
        return [*segments, *_bottom(placed, corners, frame, styles)]
    inner = placed.width - 4
    at = row - 1 - (1 if placed.words_inside else 0)
    content = (
        [Segment(fit(placed.room.words, inner), styles("words"))]
        if at < 0
        else _line(placed, placed.room.offset + at, inner, styles, active)
    )
    return [*segments, Segment(corners[3] + " ", frame), *content, Segment(" " + corners[3], frame)]


def _top(placed: Placed, corners: str, frame: Style, styles: Styles, mark: str) -> list[Segment]:
    room = placed.room
    pieces = [(title_of(room), styles("title"))]
    if mark:
        pieces.append((mark, styles("mark")))
    if room.prefix:
        pieces.append(("/" + visible(room.prefix, limit=KEY_LIMIT), styles("mark")))
    tail = size(room.size_bytes) if room.size_bytes else ""
    room_left = placed.width - 6 - (cell_len(tail) + 2 if tail else 0)
    if not placed.words_inside and room.words:
        pieces.append((room.words, styles("words")))
    segments, used = [Segment(corners[0] + corners[1] + " ", frame)], 0
    for text, style in pieces:
        free = room_left - used
        if free < 4:
            break
        cut = text if cell_len(text) <= free else fit(text, free)
        segments += [Segment(cut, style), Segment(" " + corners[1] + " ", frame)]
        used += cell_len(cut) + 3
    segments[-1] = Segment(" ", frame)
    fill = (
        placed.width - 1 - sum(cell_len(one.text) for one in segments) - (cell_len(tail) + 3 if tail else 0)
    )
    segments.append(Segment(corners[1] * max(0, fill), frame))
    if tail:
        segments += [Segment(" " + tail + " ", styles("words")), Segment(corners[1], frame)]
    return [*segments, Segment(corners[2], frame)]


def _bottom(placed: Placed, corners: str, frame: Style, styles: Styles) -> list[Segment]:
    """The lower edge; where there are more lines than are shown it says which these are."""
    room = placed.room
    total = max(room.rows, room.expected)
    said = ""
    if total > placed.lines:
        said = f" {room.offset + 1:,}–{min(total, room.offset + placed.lines):,} of {total:,} "
        if cell_len(said) > placed.width - 4:
            said = ""
    fill = placed.width - 3 - cell_len(said)
    return [
        Segment(corners[4] + corners[1] * max(0, fill), frame),
        Segment(said, styles("words")),
        Segment(corners[1] + corners[5], frame),
    ]


def _line(placed: Placed, at: int, width: int, styles: Styles, active: bool) -> list[Segment]:
    room = placed.room
    if at >= room.rows:
        return [Segment(" " * width, styles("plain"))]
    line = room.line(at)
    here = active and at == room.cursor
    if line.kind in ("waiting", "empty", "problem"):
        text = {
            "waiting": "…",
            "empty": f"no key begins with {visible(room.prefix, limit=40)}"
            if room.prefix
            else "no tables, no entries",
            "problem": visible(room.problem, limit=400),
        }[line.kind]
        style = "cursor" if here else "error" if line.kind == "problem" else "label"
        return [Segment(fit(text, width), styles(style))]
    first = at == room.offset or room.line(at - 1).kind != line.kind
    word = {"table": "tables", "entry": "entries"}[line.kind] if first else ""
    segments = [Segment(word.ljust(LABEL), styles("label"))]
    body = _table(line, width - LABEL, styles) if line.table else _entry(placed, line, width - LABEL, styles)
    if here:
        body = [Segment(one.text, styles("cursor")) for one in body]
    return [*segments, *body]


def _table(line: Line, width: int, styles: Styles) -> list[Segment]:
    table = line.table
    assert table is not None
    kind = "" if table.kind == "table" else table.kind
    rows = "" if table.rows is None else f"{table.rows:,} row{'s' if table.rows != 1 else ''}"
    tail = "  ".join(part for part in (kind, rows) if part)
    room = max(4, width - cell_len(tail) - 1)
    return [
        Segment(fit(visible(table.name, limit=KEY_LIMIT), room), styles("name")),
        Segment(fit(" " + tail, width - room), styles("integer" if rows else "muted")),
    ]


def _entry(placed: Placed, line: Line, width: int, styles: Styles) -> list[Segment]:
    entry = line.entry
    assert entry is not None
    tail = 10 if width >= SIZE_FROM - LABEL else 0
    key = min(_key_width(placed), max(8, width * 2 // 5))
    name = visible(entry.key, limit=KEY_LIMIT) or '""'
    room = max(1, width - key - 2 - tail)
    segments = [Segment(fit(name, key) + "  ", styles("key"))]
    segments += _value(entry.data, room, styles)
    if tail:
        segments.append(Segment(size(entry.data.size_bytes).rjust(tail), styles("muted")))
    return segments


def _key_width(placed: Placed) -> int:
    """The longest key among the lines shown."""
    room = placed.room
    longest = 6
    for at in range(room.offset, min(room.rows, room.offset + placed.lines)):
        entry = room.line(at).entry
        if entry is not None:
            longest = max(longest, cell_len(visible(entry.key, limit=KEY_LIMIT)))
    return longest


def _value(stored: object, width: int, styles: Styles) -> list[Segment]:
    """The beginning of a stored value in exactly `width` cells."""
    undecoded = getattr(stored, "undecoded", "")
    if undecoded:
        raw: bytes = getattr(stored, "raw", b"")
        return [Segment(fit(f"⚠ not decoded x'{raw[:16].hex()}'", width), styles("invalid"))]
    segments: list[Segment] = []
    left = width
    for text, kind in Node(getattr(stored, "value", None), tagged=True).pieces(width):
        cells = cell_len(text)
        if cells > left:
            if not left and segments:
                last = segments.pop()
                text, kind, left = last.text + "…", "muted", cell_len(last.text)
            segments.append(Segment(fit(text, left), styles(kind)))
            left = 0
            break
        segments.append(Segment(text, styles(kind)))
        left -= cells
    return [*segments, Segment(" " * left, styles("plain"))] if left else segments
