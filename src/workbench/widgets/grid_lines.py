"""The rows of a grid, drawn and asked for: what one looks at. What one does with them is in `grid.py`.

It fetches nothing. `Wanted` asks for rows, `supply` brings them; what is drawn costs the same for ten rows or ten million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
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


class GridLines(ScrollView):
    """`start` a result, `supply` its rows. One cell has the cursor, and a rectangle may be selected."""

    DEFAULT_CSS = """
    GridLines { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; }
    GridLines > .grid--header { background: $panel; color: $foreground; text-style: bold; }
    GridLines > .grid--here { background: $panel; color: $text-primary; text-style: bold underline; }
    GridLines > .grid--gutter { color: $text-muted; }
    GridLines > .grid--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    GridLines:focus > .grid--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    GridLines > .grid--row { background: $boost; }
    GridLines > .grid--selected { background: $primary-muted; color: $foreground; }
    GridLines > .grid--note { color: $text-warning; text-style: italic; }
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

    class Wanted(Message):
        """Rows are needed: `count` more."""

        def __init__(self, grid: GridLines, count: int) -> None:
            super().__init__()
            self.grid, self.count = grid, count

        @property
        def control(self) -> GridLines:
            return self.grid

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, grid: GridLines) -> None:
            super().__init__()
            self.grid = grid

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

    def _chase(self) -> None:
        """Rows came while the last one is looked for."""

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
