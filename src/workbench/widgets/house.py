"""A Durable Object as a house: the rooms of its own database and of its facets, side by side, nested ones hung below.

It draws what is in sight and asks for what it lacks: `Furnish` for a room's first lines, `Need` for further pages. Any
number of rooms, with any number of entries, costs what is on screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .house_plan import Placed, Plan, plan
from .paging import Entry
from .palette import Palette
from .room import Identity, Line, Room, TableLine
from .room_lines import draw

AHEAD = 40
"""Lines of a room read ahead of those shown."""
LEAST_ROWS = 6
"""Rows the house takes however little room there is."""
_COMPONENTS = ("own", "frame", "active", "title", "words", "label", "cursor", "deleted", "mark")


class House(ScrollView, can_focus=True):
    """`show` rooms; `furnish` and `supply` what they hold. One line of one room has the cursor.

    most: rows it may take; it takes fewer where its rooms need fewer.
    """

    DEFAULT_CSS = """
    House { height: auto; width: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; }
    House > .house--own { color: $secondary; }
    House > .house--frame { color: $text-muted; }
    House > .house--active { color: $primary; text-style: bold; }
    House > .house--title { color: $foreground; text-style: bold; }
    House > .house--words { color: $text-muted; text-style: italic; }
    House > .house--label { color: $text-muted; }
    House > .house--deleted { color: $text-muted; text-style: strike; }
    House > .house--mark { color: $text-warning; text-style: bold; }
    House > .house--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    House:focus > .house--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"house--{name}" for name in _COMPONENTS}
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

    class Furnish(Message):
        """A room came into sight of which nothing is read yet, or which is to be read again."""

        def __init__(self, room: Room) -> None:
            super().__init__()
            self.room = room

    class Need(Message):
        """Pages of a room's entries are to be read: (number, cursor) each."""

        def __init__(self, room: Room, pages: list[tuple[int, str | None]]) -> None:
            super().__init__()
            self.room, self.pages = room, pages

    class Moved(Message):
        """The cursor is on another line, or the line it is on is another one now."""

        def __init__(self, room: Room, line: Line) -> None:
            super().__init__()
            self.room, self.line = room, line

    class Opened(Moved):
        """Enter, or a click on the line that has the cursor."""

    class Chasing(Message):
        """The last entry of a room is being looked for; entries known so far, and whether it was found."""

        def __init__(self, rows: int, done: bool) -> None:
            super().__init__()
            self.rows, self.done = rows, done

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rooms: list[Room] = []
        self.at = 0
        self.most = 24
        self.mark: tuple[tuple[str, ...], str] | None = None
        self._plan = Plan((), (), (), 0)
        self._asked: set[tuple[tuple[str, ...], int]] = set()
        self._told: tuple[tuple[str, ...], Identity, object] | None = None
        self._chased: Room | None = None
        self._palette = Palette(self)
        self._drawn = False

    # Content

    @property
    def room(self) -> Room | None:
        """The room one is in."""
        return self.rooms[self.at] if self.at < len(self.rooms) else None

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        room = self.room
        return room.line(room.cursor) if room is not None else None

    def show(self, rooms: Sequence[Room]) -> None:
        """Show these rooms, in the order of their tree. Those that were there keep their lines, and the cursor its own."""
        before = {room.path: room for room in self.rooms}
        here = self.room.path if self.room else ()
        for room in rooms:
            old = before.get(room.path)
            if old is not None and not (old.deleted or room.deleted):
                room.take_over(old)
        self.rooms = list(rooms)
        self.at = next((at for at, room in enumerate(rooms) if room.path == here), 0)
        self._asked.clear()
        self._place()
        self._tell()

    def go_to(self, path: tuple[str, ...]) -> None:
        """Put the cursor into a room."""
        for at, room in enumerate(self.rooms):
            if room.path == path:
                self.at = at
                self._settled()

    def furnish(self, room: Room, tables: Sequence[TableLine], problem: str = "") -> None:
        """The tables of a room (its entries come by `supply`), or why it can't be read."""
        room.tables, room.problem = tuple(tables), problem
        self._arrived(room)

    def supply(self, room: Room, number: int, entries: list[Entry], cursor: str | None) -> None:
        """A page of a room's entries."""
        self._asked.discard((room.path, number))
        room.pages.supply(number, entries, cursor)
        self._arrived(room)
        if self._chased is room:
            self._chase()

    def failed(self, room: Room, number: int) -> None:
        """A page could not be read."""
        self._asked.discard((room.path, number))
        self._chased = None

    def narrow(self, room: Room, prefix: str) -> None:
        """List only a room's entries whose keys begin so."""
        room.narrow(prefix)
        self._asked = {one for one in self._asked if one[0] != room.path}
        self._place()
        self._want(room)
        self._tell()

    def _arrived(self, room: Room) -> None:
        placed = self._plan.of(room)
        room.settle(placed.lines if placed else 1)
        self._place()
        self._tell()

    def _tell(self) -> None:
        """Say what the cursor is on, once a line and once a content."""
        room, line = self.room, self.line
        if room is None or line is None:
            return
        told = (room.path, line.identity, line.entry.data if line.entry else line.table)
        if told != self._told:
            self._told = told
            self.post_message(self.Moved(room, line))

    # Asking

    def _want_in_sight(self) -> None:
        top = int(self.scroll_offset.y)
        bottom = top + self.size.height
        for column in self._plan.columns:
            for placed in column:
                if placed.y < bottom and placed.y + placed.height > top:
                    self._want(placed.room, placed.lines)

    def _want(self, room: Room, lines: int = 0) -> None:
        """Ask for what a room lacks to show the lines from its offset on."""
        if room.deleted or room.problem:
            return
        if (room.path, -1) not in self._asked:
            self._asked.add((room.path, -1))
            self.post_message(self.Furnish(room))
        first = room.entry_row(room.offset)
        pages = room.pages.wanted(max(0, first), max(0, first) + lines + AHEAD)
        missing = [page for page in pages if (room.path, page) not in self._asked]
        if missing:
            self._asked.update((room.path, page) for page in missing)
            self.post_message(self.Need(room, [(page, room.pages.cursors[page]) for page in missing]))

    # Placing and drawing

    def on_resize(self) -> None:
        self._place()
        self._settled()

    def _planned(self, width: int) -> Plan:
        return plan(self.rooms, width, max(LEAST_ROWS, self.most))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the rooms need, up to `most`."""
        return max(1, min(self._planned(max(1, width - 1)).height, max(LEAST_ROWS, self.most)))

    def _place(self) -> None:
        """Stand the rooms anew: one came, or one's height changed."""
        width = self.scrollable_content_region.width
        if not self.rooms or width <= 0:
            return
        before = self._plan.height
        self._plan = self._planned(width)
        self.virtual_size = Size(width, self._plan.height)
        if self._plan.height != before:
            self.refresh(layout=True)
        for column in self._plan.columns:
            for placed in column:
                placed.room.show_cursor(placed.lines)
        self._want_in_sight()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._want_in_sight()

    def _style(self, name: str) -> Style:
        if name in _COMPONENTS:
            return self.rich_style + self.get_component_rich_style(f"house--{name}", partial=True)
        return self.rich_style if name == "plain" else self.rich_style + self._palette[name]

    def _placed_at(self, column: int, y: int) -> Placed | None:
        for placed in self._plan.columns[column]:
            if placed.y <= y < placed.y + placed.height:
                return placed
        return None

    def render_line(self, y: int) -> Strip:
        row = int(self.scroll_offset.y) + y
        width, base = self.scrollable_content_region.width, self.rich_style
        segments: list[Segment] = []
        used = 0
        for column, start in enumerate(self._plan.starts):
            segments.append(Segment(" " * (start - used), base))
            used = start + self._plan.widths[column]
            placed = self._placed_at(column, row)
            if placed is None:
                segments.append(Segment(" " * self._plan.widths[column], base))
                continue
            active = placed.room is self.room
            mark = self.mark[1] if self.mark is not None and self.mark[0] == placed.room.path else ""
            segments += draw(placed, row - placed.y, self._style, active=active, mark=mark)
        return Strip(segments).adjust_cell_length(width, base)

    # Moving

    def _settled(self) -> None:
        """The cursor moved: bring its line into sight, ask for what is missing, and say where it is."""
        room = self.room
        placed = self._plan.of(room) if room is not None else None
        if room is None or placed is None:
            return
        room.show_cursor(placed.lines)
        line = placed.y + (0 if room.deleted else 1 + placed.words_inside + room.cursor - room.offset)
        region = Region(0, placed.y, 1, placed.height)
        if placed.height > self.size.height:
            region = Region(0, line, 1, 1)
        self.scroll_to_region(region, animate=False, force=True)
        self._want(room, placed.lines)
        self._tell()
        self.refresh()

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
        was, self._chased = self._chased is not None, None
        return was

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
