"""A Durable Object as a house: the rooms of its own database and of its facets, side by side, nested ones hung below.

What is in it and how it is drawn is in `house_rooms.py`; here are the keys and the mouse that move in it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding

from .house_plan import Placed
from .house_rooms import HouseRooms
from .room import Room


class House(HouseRooms, can_focus=True):
    """Arrows go through the lines of a room and to the room beside it."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Cursor up", show=False),
        Binding("down,j", "move(1)", "Cursor down", show=False),
        Binding("left,h", "beside(-1)", "To the room at the left", show=False),
        Binding("right,l", "beside(1)", "To the room at the right", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "edge(0)", "To the room's first line", show=False),
        Binding("end", "edge(1)", "To the room's last line", show=False),
        Binding("ctrl+home", "room(0)", "To the first room", show=False),
        Binding("ctrl+end", "room(-1)", "To the last room", show=False),
        Binding("enter", "open", "Open"),
    ]

    class Opened(HouseRooms.Moved):
        """Enter, or a click on the line that has the cursor."""

    # Moving

    def _enter(self, room: Room, cursor: int | None = None) -> None:
        self.at = self.rooms.index(room)
        if cursor is not None:
            room.move(cursor, placed.lines if (placed := self._plan.of(room)) else 1)
        self._settled()

    def action_move(self, step: int) -> None:
        """Up or down a line; past a room's end into the next room."""
        room = self.room
        if room is None:
            return
        self.stop_chasing()
        to = room.cursor + step
        if 0 <= to < room.rows:
            self._enter(room, to)
            return
        placed = self._plan.of(room)
        column = self._plan.columns[placed.column] if placed else ()
        order = [one.room for one in column]
        at = order.index(room) + step if room in order else -1
        if 0 <= at < len(order):
            self._enter(order[at], 0 if step > 0 else order[at].rows - 1)

    def action_leap(self, pages: int) -> None:
        room = self.room
        placed = self._plan.of(room) if room is not None else None
        if room is not None and placed is not None:
            self._enter(room, room.cursor + pages * max(1, placed.lines - 1))

    def action_edge(self, end: int) -> None:
        """To a room's first or last line. The entries are read on until their end; Escape stops it."""
        room = self.room
        if room is None:
            return
        self.stop_chasing()
        if not end:
            self._enter(room, 0)
        else:
            self._chased = room
            self._chase()

    def _chase(self) -> None:
        room = self._chased
        if room is None:
            return
        following = room.pages.next_page
        self.post_message(self.Chasing(room.pages.rows, following is None))
        if following is None:
            self._chased = None
            self._enter(room, room.rows - 1)
        elif (room.path, following) not in self._asked:
            self._asked.add((room.path, following))
            self.post_message(self.Need(room, [(following, room.pages.cursors[following])]))

    @property
    def chasing(self) -> bool:
        """Whether the last entry of a room is being looked for."""
        return self._chased is not None

    def stop_chasing(self) -> bool:
        """Stop looking for the last entry; whether it was being looked for."""
        room, self._chased = self._chased, None
        if room is not None:
            self.post_message(self.Chasing(room.pages.rows, True))
        return room is not None

    def action_room(self, at: int) -> None:
        if self.rooms:
            self._enter(self.rooms[at])

    def action_beside(self, step: int) -> None:
        """To the room beside this one; in a house of one column, to the one before or after."""
        room = self.room
        placed = self._plan.of(room) if room is not None else None
        if room is None or placed is None:
            return
        if len(self._plan.columns) == 1:
            order = [one.room for one in self._plan.columns[0]]
            at = order.index(room) + step
            if 0 <= at < len(order):
                self._enter(order[at])
            return
        column = placed.column + step
        if 0 <= column < len(self._plan.columns) and self._plan.columns[column]:
            line = placed.y + 1 + room.cursor - room.offset
            near = min(self._plan.columns[column], key=lambda one: _distance(one, line))
            self._enter(near.room)

    def action_open(self) -> None:
        room, line = self.room, self.line
        if room is not None and line is not None:
            self.post_message(self.Opened(room, line))

    def on_click(self, event: events.Click) -> None:
        y = int(self.scroll_offset.y) + event.y
        for column, start in enumerate(self._plan.starts):
            if not start <= event.x < start + self._plan.widths[column]:
                continue
            placed = self._placed_at(column, y)
            if placed is None or event.x < placed.x:
                return
            room = placed.room
            line = room.offset + y - placed.y - 1 - placed.words_inside
            same = room is self.room and line == room.cursor
            self._enter(room, max(room.offset, min(line, room.offset + placed.lines - 1)))
            if same or event.chain == 2:
                self.action_open()


def _distance(placed: Placed, y: int) -> int:
    return max(placed.y - y, y - placed.y - placed.height + 1, 0)
