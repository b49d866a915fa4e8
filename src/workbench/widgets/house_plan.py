"""Where the rooms of a house stand: the object's own at the left, its facets to the right, a facet's own facets hung below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .room import Room

NARROWEST = 38
"""Cells a column of rooms needs."""
STEP = 3
"""Cells a nested room stands further right."""
LEAST = 24
"""Cells a room keeps however deep it is nested."""
BORDERS = 2


class Placed(NamedTuple):
    """A room's place, in cells from the house's top left. hang: the line it hangs on, beside its first row and beside
    the others; width and x are those of the room itself, without it."""

    room: Room
    column: int
    x: int
    y: int
    width: int
    height: int
    hang: tuple[str, str]

    @property
    def lines(self) -> int:
        """Lines of the room that are shown."""
        return 1 if self.room.deleted else self.height - BORDERS - (1 if self.words_inside else 0)

    @property
    def words_inside(self) -> bool:
        """Whether the words stand on a line of their own."""
        return not self.room.deleted and self.height > BORDERS + max(1, self.room.expected)


class Plan(NamedTuple):
    """columns: the rooms of each, from the top. starts, widths: of the columns."""

    columns: tuple[tuple[Placed, ...], ...]
    starts: tuple[int, ...]
    widths: tuple[int, ...]
    height: int

    def of(self, room: Room) -> Placed | None:
        """Where a room stands."""
        return next((placed for column in self.columns for placed in column if placed.room is room), None)


def plan(rooms: Sequence[Room], width: int, height: int) -> Plan:
    """Place rooms, given in the order of their tree, in a house of `width` cells of which `height` rows are in sight."""
    stacks = _stacks(rooms[1:])
    count = max(1, min((width + 1) // (NARROWEST + 1), 1 + len(stacks)))
    if count == 1:
        columns = [[[*rooms[:1], *(room for stack in stacks for room in stack)]]]
    else:
        columns = _spread(list(rooms[:1]), stacks, count, height)
    each, rest = divmod(width - (count - 1), count)
    placed, starts, widths, x = [], [], [], 0
    for at, column in enumerate(columns):
        wide = each + (1 if at < rest else 0)
        placed.append(_column(column, at, x, wide, height))
        starts.append(x)
        widths.append(wide)
        x += wide + 1
    tall = max((one[-1].y + one[-1].height for one in placed if one), default=0)
    return Plan(tuple(placed), tuple(starts), tuple(widths), tall)


def _stacks(rooms: Sequence[Room]) -> list[list[Room]]:
    """A stack a facet of the object itself, with everything inside it; those wholly deleted last, in one."""
    found: list[list[Room]] = []
    for room in rooms:
        if len(room.path) == 1:
            found.append([])
        found[-1].append(room)
    live = [stack for stack in found if not all(room.deleted for room in stack)]
    gone = [room for stack in found if all(room.deleted for room in stack) for room in stack]
    return [*live, gone] if gone else live


def _spread(own: list[Room], stacks: list[list[Room]], count: int, height: int) -> list[list[list[Room]]]:
    """The object's own room in the first column; each stack in the column that is the shortest so far."""
    columns: list[list[list[Room]]] = [[own], *([] for _ in range(count - 1))]
    tall = [0] * (count - 1)
    for stack in stacks:
        at = tall.index(min(tall))
        columns[at + 1].append(stack)
        tall[at] += sum(_height(room, height) for room in stack)
    return columns


def _height(room: Room, most: int) -> int:
    """Rows a room takes: all its lines with a line for its words, `most` at most."""
    return 1 if room.deleted else max(BORDERS + 1, min(room.expected + BORDERS + 1, most))


def _column(stacks: list[list[Room]], at: int, x: int, width: int, height: int) -> tuple[Placed, ...]:
    found, y = [], 0
    for stack in stacks:
        top = min((len(room.path) for room in stack), default=0)
        for index, room in enumerate(stack):
            depth = len(room.path) - top
            indent = min(depth * STEP, max(0, width - LEAST))
            tall = _height(room, height)
            hang = _hang(stack, index, top, indent)
            found.append(Placed(room, at, x + indent, y, width - indent, tall, hang))
            y += tall
    return tuple(found)


def _hang(stack: list[Room], index: int, top: int, indent: int) -> tuple[str, str]:
    """The lines a nested room hangs on: one for each room above it that has more below."""
    depth = len(stack[index].path) - top
    if not indent:
        return ("", "")
    first = rest = ""
    for level in range(1, depth + 1):
        more = _goes_on(stack, index, top + level)
        if level == depth:
            first += "├─ " if more else "└─ "
        else:
            first += "│  " if more else "   "
        rest += "│  " if more else "   "
    return (first[-indent:], rest[-indent:])


def _goes_on(stack: list[Room], index: int, length: int) -> bool:
    """Whether another room with a path of `length` names comes before one that lies further out."""
    for room in stack[index + 1 :]:
        if len(room.path) <= length:
            return len(room.path) == length
    return False
