"""A table of any number of rows and columns: it draws the cells in sight and asks for the rows it lacks.

It fetches nothing. `Wanted` asks for rows, `supply` brings them; what is drawn costs the same for ten rows or ten million.
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

from workbench.model.sql import Row, SqlValue

from .cells import fit, fit_value, kind_of
from .columns import GAP, Columns
from .palette import Palette
from .rows import HeldRows

AHEAD = 100
"""Rows kept ready below what is in sight."""


class Grid(ScrollView, can_focus=True):
    """`start` a result, `supply` its rows. The cursor is on one cell; shift with a move selects a rectangle."""

    DEFAULT_CSS = """
    Grid { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; }
    Grid > .grid--header { background: $panel; color: $foreground; text-style: bold; }
    Grid > .grid--here { background: $panel; color: $text-primary; text-style: bold underline; }
    Grid > .grid--gutter { color: $text-muted; }
    Grid > .grid--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    Grid:focus > .grid--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    Grid > .grid--row { background: $boost; }
    Grid > .grid--selected { background: $primary-muted; color: $foreground; }
    Grid > .grid--note { color: $text-warning; text-style: italic; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--header",
        "grid--here",
        "grid--gutter",
        "grid--cursor",
        "grid--row",
        "grid--selected",
        "grid--note",
    }
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up", "move(-1, 0)", "Cursor up", show=False),
        Binding("down", "move(1, 0)", "Cursor down", show=False),
        Binding("left", "move(0, -1)", "Cursor left", show=False),
        Binding("right", "move(0, 1)", "Cursor right", show=False),
        Binding("shift+up", "move(-1, 0, True)", "Cursor up, selecting", show=False),
        Binding("shift+down", "move(1, 0, True)", "Cursor down, selecting", show=False),
        Binding("shift+left", "move(0, -1, True)", "Cursor left, selecting", show=False),
        Binding("shift+right", "move(0, 1, True)", "Cursor right, selecting", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "edge(0, -1)", "Cursor to the first column", show=False),
        Binding("end", "edge(0, 1)", "Cursor to the last column", show=False),
        Binding("ctrl+home", "edge(-1, 0)", "Cursor to the first row", show=False),
        Binding("ctrl+end", "edge(1, 0)", "Cursor to the last row", show=False),
        Binding("tab", "step(1)", "Cursor to the next cell", show=False),
        Binding("shift+tab", "step(-1)", "Cursor to the cell before", show=False),
        Binding("ctrl+a", "select_all", "Select all rows held", show=False),
        Binding("enter", "open", "Value"),
        Binding("less_than_sign", "resize(-4)", "Narrower column", show=False),
        Binding("greater_than_sign", "resize(4)", "Wider column", show=False),
        Binding("equals_sign", "fit_column", "Column as wide as its values", show=False),
        Binding("comma", "thousands", "Thousands separators", show=False),
        Binding("plus", "hold_more", "Hold more rows", show=False),
    ]

    class Wanted(Message):
        """Rows are needed: `count` more."""

        def __init__(self, grid: Grid, count: int) -> None:
            super().__init__()
            self.grid, self.count = grid, count

        @property
        def control(self) -> Grid:
            return self.grid

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

    class Opened(Moved):
        """Enter, or a double click: the value under the cursor is wanted whole."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.columns = Columns(())
        self.held = HeldRows()
        self.note = ""
        self.row = self.column = 0
        self.selected_from: tuple[int, int] | None = None
        self._asked = False
        self._chasing = False
        self.searching = False
        self._thousands = False
        self._palette = Palette(self)
        self._strips: dict[int, Strip] = {}
        self._drag: tuple[int, int] | None = None

    # Content

    def start(self, columns: Sequence[str], held: HeldRows | None = None) -> None:
        """Show another result, from its first row; rows it already has may be given."""
        self.columns = Columns(columns)
        self.held = held if held is not None else HeldRows()
        self.columns.sample(self.held.rows, self._thousands)
        self.row = self.column = 0
        self.selected_from, self.note = None, ""
        self._asked = self._chasing = False
        self._grown()
        self.scroll_to(0, 0, animate=False)
        self._ask()

    def supply(self, rows: Sequence[Row], ended: bool) -> None:
        """The rows asked for. ended: there are no more."""
        first = not len(self.held)
        self.held.extend(rows, ended)
        self._asked = False
        if first:
            self.columns.sample(self.held.rows, self._thousands)
        self._grown()
        if self._chasing:
            self._chase()
        self._ask()
        if first:
            self.post_message(self.Moved(self))

    def replace_row(self, index: int, row: Row) -> None:
        """The row as it is now (a cell was written); columns grow where it needs them to."""
        self.held.rows[index] = row
        self.columns.sample([row], self._thousands)
        self._grown()

    def remove_row(self, index: int) -> None:
        """The row is gone."""
        del self.held.rows[index]
        self.row = max(0, min(self.row, len(self.held) - 1))
        self._grown()
        self.post_message(self.Moved(self))

    def stop(self, note: str) -> None:
        """No more rows will come: what went wrong, or that it was stopped; shown below the rows."""
        self.note = note
        self._asked = self._chasing = False
        self.held.ended = True
        self._grown()

    @property
    def value(self) -> SqlValue:
        """The value under the cursor (None in an empty grid)."""
        return self.held.rows[self.row][self.column] if len(self.held) and len(self.columns) else None

    @property
    def empty(self) -> bool:
        return not len(self.held)

    @property
    def selection(self) -> tuple[range, range]:
        """Rows and columns selected; the cell under the cursor where nothing is."""
        row, column = self.selected_from or (self.row, self.column)
        rows, columns = sorted((row, self.row)), sorted((column, self.column))
        return range(rows[0], rows[1] + 1), range(columns[0], columns[1] + 1)

    @property
    def lacking(self) -> bool:
        """Whether the rows held do not reach far enough below what is in sight."""
        bottom = int(self.scroll_offset.y) + self.size.height + AHEAD
        return self._chasing or self.searching or bottom > len(self.held)

    def _ask(self) -> None:
        if self.is_attached and self.lacking:
            self.want()

    def not_needed(self) -> None:
        """What was asked for has come already."""
        self._asked = False

    def want(self) -> None:
        """Ask for the next rows now, unless they are on their way or there are none."""
        if not (self._asked or self.held.ended or self.held.full):
            self._asked = True
            self.post_message(self.Wanted(self, self.held.batch()))

    def _grown(self) -> None:
        self._gutter = len(f"{max(1, len(self.held)):,}") + 2
        below = 1 if self._tail() else 0
        self.virtual_size = Size(self._gutter + self.columns.total, 1 + len(self.held) + below)
        self._redraw()

    def _redraw(self) -> None:
        self._strips.clear()
        self.refresh()

    def _tail(self) -> str:
        """What is said below the last row."""
        if self.note:
            return self.note
        if self.held.full:
            return f"the first {len(self.held):,} rows are held; + holds as many again, a file takes them all"
        if self.held.ended:
            return "" if len(self.held) or not len(self.columns) else "no rows"
        return "…"

    # Drawing

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        self._strips.clear()
        self._ask()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        self._strips.clear()
        super().watch_scroll_x(old_value, new_value)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._header(width)
        row = int(self.scroll_offset.y) + y - 1
        if row >= len(self.held):
            tail = self._tail() if row == len(self.held) else ""
            style = self.rich_style + self.get_component_rich_style("grid--note", partial=True)
            return Strip([Segment(fit(" " * self._gutter + tail, width), style)], width)
        rows, columns = self.selection
        special = row == self.row or (self.selected_from is not None and row in rows)
        if special:
            return self._line(row, width, columns if row in rows else range(0))
        found = self._strips.get(row)
        if found is None:
            if len(self._strips) > 1_000:
                self._strips.clear()
            found = self._strips[row] = self._line(row, width, range(0))
        return found

    def _in_sight(self, width: int) -> tuple[range, int]:
        """The columns that show, and how many cells of the first are off to the left."""
        left = int(self.scroll_offset.x)
        columns = self.columns.between(left, left + max(0, width - self._gutter - 1))
        return columns, left - self.columns.starts[columns.start] if columns else 0

    def _assembled(
        self, gutter: Segment, cells: list[Segment], offset: int, width: int, base: Style
    ) -> Strip:
        room = max(0, width - self._gutter)
        body = Strip(cells).crop(offset, offset + room).extend_cell_length(room, base)
        return Strip([gutter, *body], width).crop(0, width)

    def _header(self, width: int) -> Strip:
        base = self.get_component_rich_style("grid--header")
        here = self.get_component_rich_style("grid--here")
        columns, offset = self._in_sight(width)
        cells = []
        for index in columns:
            style = here if index == self.column else base
            cells.append(Segment(fit(self.columns.shown[index], self.columns.widths[index]), style))
            cells.append(Segment(" " * GAP, base))
        return self._assembled(Segment(" " * self._gutter, base), cells, offset, width, base)

    def _line(self, row: int, width: int, selected: range) -> Strip:
        current = row == self.row
        base = self.rich_style
        if current:
            base += self.get_component_rich_style("grid--row", partial=True)
        columns, offset = self._in_sight(width)
        values = self.held.rows[row]
        cells = []
        for index in columns:
            value = values[index]
            style = base + self._palette[kind_of(value)]
            if current and index == self.column:
                style += self.get_component_rich_style("grid--cursor")
            elif self.selected_from is not None and index in selected:
                style += self.get_component_rich_style("grid--selected", partial=True)
            cells.append(Segment(fit_value(value, self.columns.widths[index], self._thousands), style))
            cells.append(Segment(" " * GAP, base))
        dim = base + self.get_component_rich_style("grid--gutter", partial=True)
        number = Segment(fit(f"{row + 1:,} ", self._gutter - 1, right=True) + " ", dim)
        return self._assembled(number, cells, offset, width, base)

    # Moving

    def move_to(self, row: int, column: int, selecting: bool = False) -> None:
        """Put the cursor on a cell (the nearest there is) and bring it into sight."""
        if self.empty or not len(self.columns):
            return
        if selecting and self.selected_from is None:
            self.selected_from = (self.row, self.column)
        elif not selecting and self.selected_from is not None:
            self.selected_from = None
        self.row = max(0, min(row, len(self.held) - 1))
        self.column = max(0, min(column, len(self.columns) - 1))
        self._reveal()
        self.refresh()
        self.post_message(self.Moved(self))
        self._ask()

    def _reveal(self) -> None:
        """Scroll so that the cell is in sight, below the header and beside the row numbers."""
        height, width = self.size.height - 1, self.size.width - self._gutter
        top, left = int(self.scroll_offset.y), int(self.scroll_offset.x)
        start = self.columns.starts[self.column]
        end = start + self.columns.widths[self.column]
        if self.row < top:
            top = self.row
        elif self.row >= top + height:
            top = self.row - height + 1
        if end > left + width:
            left = end - width
        if start < left:
            left = start
        self.scroll_to(left, top, animate=False, force=True)

    def action_move(self, down: int, right: int, selecting: bool = False) -> None:
        self._chasing = False
        self.move_to(self.row + down, self.column + right, selecting)

    def action_leap(self, pages: int) -> None:
        self.move_to(self.row + pages * max(1, self.size.height - 2), self.column)

    def action_edge(self, down: int, right: int) -> None:
        """To the first or last row, or column. The last row is read for until the end, or until a move."""
        if right:
            self.move_to(self.row, 0 if right < 0 else len(self.columns) - 1)
        elif down < 0:
            self._chasing = False
            self.move_to(0, self.column)
        else:
            self._chasing = True
            self._chase()
            self._ask()

    def _chase(self) -> None:
        if self.held.ended or self.held.full:
            self._chasing = False
        self.move_to(len(self.held) - 1, self.column)

    def stop_chasing(self) -> bool:
        """Stop reading for the end; whether it was."""
        was, self._chasing = self._chasing, False
        return was

    def action_step(self, by: int) -> None:
        """The next cell, over the ends of rows; out of the grid behind the last and before the first."""
        column = self.column + by
        row = self.row
        if column >= len(self.columns):
            row, column = row + 1, 0
        elif column < 0:
            row, column = row - 1, len(self.columns) - 1
        if self.empty or row >= len(self.held):
            self.screen.focus_next()
        elif row < 0:
            self.screen.focus_previous()
        else:
            self.move_to(row, column)

    def action_select_all(self) -> None:
        if not self.empty:
            row, column = self.row, self.column
            self.selected_from = (0, 0)
            self.row, self.column = len(self.held) - 1, len(self.columns) - 1
            self._redraw()
            self.post_message(self.Moved(self))
            if (row, column) == (self.row, self.column) == (0, 0):
                self.selected_from = None

    def action_open(self) -> None:
        if not self.empty:
            self.post_message(self.Opened(self))

    # Looks

    def set_widths(self, widths: Sequence[int]) -> None:
        """Columns of these widths, in cells, in place of those taken from their values."""
        for index, width in enumerate(widths):
            self.columns.resize(index, width)
        self._grown()

    def action_resize(self, by: int) -> None:
        if len(self.columns):
            self.columns.resize(self.column, self.columns.widths[self.column] + by)
            self._grown()
            self._reveal()

    def action_fit_column(self) -> None:
        top = int(self.scroll_offset.y)
        if len(self.columns):
            rows = self.held.rows[top : top + self.size.height]
            self.columns.fit(self.column, rows, self._thousands)
            self._grown()
            self._reveal()

    def action_thousands(self) -> None:
        self._thousands = not self._thousands
        self.columns.sample(self.held.rows, self._thousands)
        self._grown()

    def action_hold_more(self) -> None:
        if self.held.full:
            self.held.raise_limit()
            self._grown()
            self.want()

    # Mouse

    def _cell_at(self, x: int, y: int) -> tuple[int, int]:
        left = int(self.scroll_offset.x)
        return int(self.scroll_offset.y) + y - 1, self.columns.at(max(0, x - self._gutter + left))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if not len(self.columns) or event.button != 1:
            return
        row, column = self._cell_at(event.x, event.y)
        if event.y == 0:
            edge = self._edge_at(event.x)
            if edge is not None:
                self._drag = (edge, event.screen_x - self.columns.widths[edge])
                self.capture_mouse()
            else:
                self.move_to(self.row, column)
        elif row < len(self.held):
            self.move_to(row, column, event.shift)

    def _edge_at(self, x: int) -> int | None:
        """The column whose right edge is at this cell of the header."""
        at = x - self._gutter + int(self.scroll_offset.x)
        column = self.columns.at(at)
        end = self.columns.starts[column] + self.columns.widths[column]
        return column if end <= at < end + GAP else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is not None:
            column, start = self._drag
            self.columns.resize(column, event.screen_x - start)
            self._grown()

    def on_mouse_up(self) -> None:
        if self._drag is not None:
            self._drag = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and event.y > 0:
            self.action_open()

    def cell_region(self) -> Region:
        """Where the cell under the cursor is, in this widget's cells."""
        x = self._gutter + self.columns.starts[self.column] - int(self.scroll_offset.x)
        return Region(x, self.row - int(self.scroll_offset.y) + 1, self.columns.widths[self.column], 1)
