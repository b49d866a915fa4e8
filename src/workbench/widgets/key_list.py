"""A list of any number of keys: it shows the rows in sight, and asks for the pages they lie in."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.text import visible

from .paging import Entry, Pages

NAME_LIMIT = 1000
AHEAD = 100
"""Rows read ahead of what is in sight."""


class KeyList(ScrollView, can_focus=True):
    """A cursor, marks, and columns name, size, when. `Need` asks for pages; `supply` brings them.

    empty: said where there is nothing. when: cells of the last column, which is there from `when_from` cells on.
    """

    DEFAULT_CSS = """
    KeyList { height: 1fr; width: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    KeyList > .key-list--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    KeyList:focus > .key-list--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    KeyList > .key-list--marked { color: $warning; text-style: bold; }
    KeyList > .key-list--dim { color: $text-muted; }
    KeyList > .key-list--folder { color: $primary; }
    KeyList > .key-list--good { color: $text-success; }
    KeyList > .key-list--bad { color: $text-error; }
    KeyList > .key-list--busy { color: $text-warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"key-list--{name}" for name in ("cursor", "marked", "dim", "folder", "good", "bad", "busy")
    }
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Cursor up", show=False),
        Binding("down,j", "move(1)", "Cursor down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "first", "Scroll to the first", show=False),
        Binding("end", "last", "Scroll to the last", show=False),
        Binding("enter", "open", "Open"),
        Binding("space", "mark", "Mark"),
    ]

    cursor: reactive[int] = reactive(0)

    class Need(Message):
        """Pages that are to be read: (number, cursor) each."""

        def __init__(self, pages: list[tuple[int, str | None]]) -> None:
            super().__init__()
            self.pages = pages

    class Moved(Message):
        """The cursor is on another entry (None in an empty list)."""

        def __init__(self, entry: Entry | None) -> None:
            super().__init__()
            self.entry = entry

    class Opened(Message):
        """Enter, or a click on the entry that has the cursor."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    class Marked(Message):
        """The marks changed."""

    class Chasing(Message):
        """The end of the list is being looked for; rows known so far, and whether it was found."""

        def __init__(self, rows: int, done: bool) -> None:
            super().__init__()
            self.rows, self.done = rows, done

    def __init__(
        self, *, empty: str = "nothing here", when: int = 16, when_from: int = 64, **options: Any
    ) -> None:
        super().__init__(**options)
        self._empty, self._when, self._when_from = empty, when, when_from
        self.pages = Pages()
        self.marks: dict[tuple[bool, str], Entry] = {}
        self._asked: set[int] = set()
        self._chasing = False
        self._broken = False
        self._told: str | None = None
        self._wish: str | None = None

    # Content

    @property
    def current(self) -> Entry | None:
        return self.pages.get(self.cursor)

    def start(self, wish: str | None = None) -> None:
        """Show another list from its beginning. wish: the key to put the cursor on when its page is there."""
        self.pages, self._asked, self._chasing, self._broken = Pages(), set(), False, False
        self._told, self._wish = None, wish
        self.set_reactive(KeyList.cursor, 0)
        self.scroll_to(y=0, animate=False)
        self._grown()
        self._ask(0, self.size.height)

    def again(self) -> None:
        """Read again what is kept; the cursor stays on its key."""
        entry = self.current
        self._wish = entry.key if entry else self._wish
        self.pages.stale()
        self._asked.clear()
        top = int(self.scroll_offset.y)
        self._ask(top, top + self.size.height)

    def supply(self, pages: Pages, number: int, entries: list[Entry], cursor: str | None) -> None:
        """A page asked for. pages: whose it was; a page of a list no longer shown is dropped."""
        if pages is not self.pages:
            return
        self._asked.discard(number)
        self._broken = False
        pages.supply(number, entries, cursor)
        self._grown()
        if self._wish is not None:
            self._settle(self._wish)
        if self.cursor >= pages.rows:
            self.cursor = max(0, pages.rows - 1)
        if self._chasing:
            self._chase()
        self._tell()
        self.refresh()

    def failed(self, pages: Pages, number: int) -> None:
        """A page could not be read; why is the pane's to say."""
        if pages is self.pages:
            self._asked.discard(number)
            self._chasing, self._broken = False, True
            self.refresh()

    def _settle(self, key: str) -> None:
        entry = self.current
        if entry is not None and entry.key == key:
            self._wish = None
            return
        for row, found in self.pages.kept():
            if found.key == key:
                self._wish = None
                self.cursor = row
                return

    def _grown(self) -> None:
        self.virtual_size = Size(self.size.width, self.pages.rows)

    def _ask(self, first: int, last: int) -> None:
        wanted = [page for page in self.pages.wanted(first, last) if page not in self._asked]
        if wanted:
            self._asked.update(wanted)
            self.post_message(self.Need([(page, self.pages.cursors[page]) for page in wanted]))

    def _tell(self) -> None:
        """Say where the cursor is, once an entry."""
        entry = self.current
        key = entry.key if entry else ""
        if key != self._told or (entry is None and self.pages.ended):
            self._told = key
            self.post_message(self.Moved(entry))

    # Drawing

    def on_resize(self) -> None:
        self._grown()
        top = int(self.scroll_offset.y)
        self._ask(top, top + self.size.height + AHEAD)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask(int(new_value), int(new_value) + self.size.height + AHEAD)

    def render_line(self, y: int) -> Strip:
        row = int(self.scroll_offset.y) + y
        width = self.size.width
        base = self.rich_style
        if row >= self.pages.rows:
            waiting = row == self.pages.rows and not self.pages.ended
            empty = "" if self.pages.rows or not self.pages.ended else (f"  {self._empty}" if y == 0 else "")
            text = ("  not read" if self._broken else "  …") if waiting else empty
            dim = base + self.get_component_rich_style("key-list--dim", partial=True)
            return Strip([Segment(set_cell_size(text, width), dim)], width)
        entry = self.pages.get(row)
        if entry is None:
            self._ask(row, row)
            return Strip([Segment(set_cell_size("  …", width), base)], width)
        return self._line(entry, row, width, base)

    def _line(self, entry: Entry, row: int, width: int, base: Style) -> Strip:
        marked = entry.mark in self.marks
        style, dim = base, base + self.get_component_rich_style("key-list--dim", partial=True)
        if marked:
            style = base + self.get_component_rich_style("key-list--marked", partial=True)
        elif entry.folder:
            style = base + self.get_component_rich_style("key-list--folder", partial=True)
        if row == self.cursor:
            style = dim = self.get_component_rich_style("key-list--cursor")
        tail = ""
        if width >= 40 and (entry.size or entry.when):
            tail = f"{entry.size:>10}" + (f"  {entry.when:>{self._when}}" if width >= self._when_from else "")
        elif width >= 28 and entry.size:
            tail = f"{entry.size:>10}"
        room = max(1, width - cell_len(tail) - 3)
        name = visible(entry.name, limit=NAME_LIMIT)
        if cell_len(name) > room:
            name = set_cell_size(name, room - 1) + "…"
        sign, toned = "✓ " if marked else "▸ " if entry.folder else "  ", style
        if entry.sign and not marked:
            sign = f"{entry.sign} "
            if entry.tone and row != self.cursor:
                toned = base + self.get_component_rich_style(f"key-list--{entry.tone}", partial=True)
        return Strip(
            [Segment(sign, toned), Segment(set_cell_size(name, room), style), Segment(tail + " ", dim)], width
        ).adjust_cell_length(width, style)

    # Moving

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.pages.rows - 1)) if self.pages.rows else 0

    def watch_cursor(self) -> None:
        self._wish = None
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)
        self._ask(self.cursor, self.cursor + AHEAD)
        self._tell()
        self.refresh()

    def action_move(self, step: int) -> None:
        self.cursor += step

    def action_leap(self, step: int) -> None:
        self.cursor += step * max(1, self.size.height - 1)

    def action_first(self) -> None:
        self.stop_chasing()
        self.cursor = 0

    def action_last(self) -> None:
        """To the last key: the list is read on until its end; Escape stops it."""
        self._chasing = True
        self._chase()

    def _chase(self) -> None:
        if self.pages.next_page is None:
            self._chasing = False
            self.cursor = self.pages.rows - 1
            self.post_message(self.Chasing(self.pages.rows, True))
            return
        self.post_message(self.Chasing(self.pages.rows, False))
        self._ask(self.pages.rows, self.pages.rows)

    def stop_chasing(self) -> bool:
        """Stop looking for the end; whether it was being looked for. Said by a message too, for one of before may be on its way."""
        was, self._chasing = self._chasing, False
        if was:
            self.post_message(self.Chasing(self.pages.rows, True))
        return was

    # Marks

    def action_mark(self) -> None:
        entry = self.current
        if entry is None:
            return
        if entry.mark in self.marks:
            del self.marks[entry.mark]
        else:
            self.marks[entry.mark] = entry
        self.post_message(self.Marked())
        self.cursor += 1
        self.refresh()

    def clear_marks(self) -> None:
        self.marks = {}
        self.post_message(self.Marked())
        self.refresh()

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        row = int(self.scroll_offset.y) + event.y
        if row >= self.pages.rows:
            return
        same = row == self.cursor
        self.cursor = row
        if event.ctrl:
            self.action_mark()
        elif same or event.chain == 2:
            self.action_open()
