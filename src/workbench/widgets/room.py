"""A room: one database of a Durable Object (its own, or a facet's) as lines. It holds what was read and draws nothing."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .paging import Entry, Pages

LineKind = Literal["table", "entry", "waiting", "empty", "deleted", "problem"]
Identity = tuple[str, str]


class TableLine(NamedTuple):
    """A table of the user's. kind: table, view, virtual. rows: how many, None where counting takes long."""

    name: str
    kind: str
    rows: int | None
    sql: str = ""


class Line(NamedTuple):
    """One line of a room."""

    kind: LineKind
    table: TableLine | None = None
    entry: Entry | None = None

    @property
    def identity(self) -> Identity:
        """What tells it from the others of its room, over refreshes."""
        name = self.table.name if self.table else self.entry.key if self.entry else ""
        return (self.kind, name)


class Room:
    """path: facet names from the outermost in, () for the object itself. words: who can see what lies in it.

    size_bytes, known_tables, keys: from the overview, before anything of the room is read. tables: None until read.
    prefix: only entries whose keys begin so are listed. cursor, offset: the line one is on, the first line shown.
    """

    def __init__(
        self,
        path: tuple[str, ...],
        title: str,
        *,
        words: str = "",
        size_bytes: int = 0,
        known_tables: int = 0,
        keys: int = 0,
        deleted: bool = False,
    ) -> None:
        self.path, self.title, self.words, self.deleted = path, title, words, deleted
        self.size_bytes, self.known_tables, self.keys = size_bytes, known_tables, keys
        self.tables: tuple[TableLine, ...] | None = None
        self.pages = Pages()
        self.prefix = ""
        self.problem = ""
        self.cursor = self.offset = 0
        self.wish: Identity | None = None

    def take_over(self, old: Room) -> None:
        """Stand where an older reading of the same room stood; what it had read is shown until it is read again."""
        self.tables, self.pages, self.prefix = old.tables, old.pages, old.prefix
        self.cursor, self.offset = old.cursor, old.offset
        self.wish = old.wish or old.line(old.cursor).identity
        self.pages.stale()

    def narrow(self, prefix: str) -> None:
        """List only entries whose keys begin with `prefix`."""
        self.prefix, self.pages = prefix, Pages()
        self.cursor = self.offset = 0

    # Lines

    @property
    def rows(self) -> int:
        """How many lines are known of; at least one."""
        if self.deleted or self.problem:
            return 1
        waiting = self.tables is None or not self.pages.ended
        return max(1, self._tables + self.pages.rows + waiting)

    @property
    def expected(self) -> int:
        """How many lines there will be, as the overview has it: the room keeps its height while it is read."""
        if self.deleted or self.problem:
            return 1
        tables = self.known_tables if self.tables is None else self._tables
        entries = self.pages.rows if self.prefix else max(self.keys, self.pages.rows)
        if self.pages.ended:
            entries = self.pages.rows
        return max(1, tables + entries)

    @property
    def _tables(self) -> int:
        return len(self.tables) if self.tables is not None else 0

    def entry_row(self, at: int) -> int:
        """Which entry a line shows: its row in `pages`, negative for a table's line."""
        return at - self._tables

    def line(self, at: int) -> Line:
        """The line at a place."""
        if self.deleted:
            return Line("deleted")
        if self.problem:
            return Line("problem")
        if self.tables is not None and at < len(self.tables):
            return Line("table", self.tables[at])
        row = self.entry_row(at)
        if row < self.pages.rows:
            entry = self.pages.get(row)
            return Line("entry", entry=entry) if entry is not None else Line("waiting")
        return Line("empty" if self.pages.ended and self.tables is not None else "waiting")

    def move(self, to: int, height: int) -> None:
        """Put the cursor on a line, with the lines shown around it."""
        self.wish = None
        self.cursor = max(0, min(to, self.rows - 1))
        self.show_cursor(height)

    def show_cursor(self, height: int) -> None:
        """Scroll the room's lines so that the cursor is among the `height` shown."""
        height = max(1, height)
        self.offset = max(self.cursor - height + 1, min(self.offset, self.cursor))
        self.offset = max(0, min(self.offset, max(self.rows, self.expected) - height))

    def settle(self, height: int) -> None:
        """Content came in: the cursor goes back to the line it was on, at the same place on screen."""
        if self.wish is not None:
            found = self._find(self.wish)
            if found is not None:
                self.offset = max(0, self.offset + found - self.cursor)
                self.cursor, self.wish = found, None
            elif self.pages.settled and self.tables is not None:
                self.wish = None
        self.cursor = max(0, min(self.cursor, self.rows - 1))
        self.show_cursor(height)

    def _find(self, wanted: Identity) -> int | None:
        kind, name = wanted
        if kind == "table" and self.tables is not None:
            return next((at for at, table in enumerate(self.tables) if table.name == name), None)
        if kind == "entry" and self.tables is not None:
            held = (row for row, entry in self.pages.kept() if entry.key == name)
            row = next(held, None)
            return None if row is None else self._tables + row
        return None
