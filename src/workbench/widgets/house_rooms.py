"""A Durable Object's house as one sees it: its rooms placed and drawn, what they lack asked for. Moving in it is in `house.py`.

It draws what is in sight and asks for what it lacks: `Furnish` for a room's first lines, `Need` for further pages. Any
number of rooms, with any number of entries, costs what is on screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
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


class HouseRooms(ScrollView):
    """`show` rooms; `furnish` and `supply` what they hold. One line of one room has the cursor.

    most: rows it may take; it takes fewer where its rooms need fewer.
    """

    DEFAULT_CSS = """
    HouseRooms { height: auto; width: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; }
    HouseRooms > .house--own { color: $secondary; }
    HouseRooms > .house--frame { color: $text-muted; }
    HouseRooms > .house--active { color: $primary; text-style: bold; }
    HouseRooms > .house--title { color: $foreground; text-style: bold; }
    HouseRooms > .house--words { color: $text-muted; text-style: italic; }
    HouseRooms > .house--label { color: $text-muted; }
    HouseRooms > .house--deleted { color: $text-muted; text-style: strike; }
    HouseRooms > .house--mark { color: $text-warning; text-style: bold; }
    HouseRooms > .house--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    HouseRooms:focus > .house--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"house--{name}" for name in _COMPONENTS}

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

    def _chase(self) -> None:
        """A page came while a room's last entry is looked for."""

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

    # The cursor

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
