"""A table of any number of rows and columns, with the keys and the mouse that move in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding

from .columns import GAP
from .grid_lines import GridLines


class Grid(GridLines, can_focus=True):
    """The cursor is on one cell; shift with a move selects a rectangle."""

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

    class Opened(GridLines.Moved):
        """Enter, or a double click: the value under the cursor is wanted whole."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._drag: tuple[int, int] | None = None

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
