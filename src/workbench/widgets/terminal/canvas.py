"""A terminal drawn: output comes in, and what changed is drawn again, at most once a frame."""

from __future__ import annotations

from time import monotonic
from typing import Any

from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.terminal import Event, Position, Terminal

from .colours import colours_of
from .drawing import Drawing, Over
from .feeding import Feeding
from .outer_cursor import OuterCursor
from .searching import Search
from .selection import Selection
from .viewport import Viewport

FRAME = 1 / 60
SYNCHRONIZED = 0.15
"""Seconds a program may hold frames back (mode 2026)."""


class TerminalCanvas(Widget):
    """Shows `terminal` or a part of its scrollback; `put` or `await write` feeds it.

    Its size is the terminal's own affair: of a larger one the part around the cursor is shown, beside a smaller one dots.

    typing: whether the keyboard goes to the program, so that its cursor is drawn as one.
    """

    DEFAULT_CSS = """
    TerminalCanvas { height: 1fr; width: 1fr; background: $background; }
    """
    ALLOW_SELECT = False

    class Input(Message):
        """Bytes for the program."""

        def __init__(self, data: bytes) -> None:
            super().__init__()
            self.data = data

    class Told(Message):
        """The program told something beside its text."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    class Changed(Message):
        """The title, the place in the scrollback, the bell's count, the alternate screen or who has the keyboard changed."""

    def __init__(self, terminal: Terminal | None = None, *, answers: bool = False, **options: Any) -> None:
        """answers: whether this view answers the program's queries (nobody else does)."""
        super().__init__(**options)
        self.terminal = terminal or Terminal()
        self.answers = answers
        self.feeding = Feeding(self.terminal, self._fed)
        self.drawing: Drawing | None = None
        self.selection: Selection | None = None
        self.search: Search | None = None
        self.place: Position | None = None
        """Where the reader's cursor is while selecting by keyboard, else None."""
        self._top: int | None = None
        self.viewport = Viewport()
        self._outer: OuterCursor | None = None
        self._shown_cursor = -1
        self._frame_timer: Timer | None = None
        self._drawn_at = 0.0
        self._held_since: float | None = None
        self._said: tuple[object, ...] = ()

    @property
    def typing(self) -> bool:
        return False

    # Output

    def put(self, data: bytes) -> None:
        """Output of the program, however much is waiting."""
        self.feeding.put(data)

    async def write(self, data: bytes) -> None:
        """Output of the program; waits while much is unparsed, so that its source waits too."""
        await self.feeding.write(data)

    def replace(self, terminal: Terminal) -> None:
        """Show another terminal's state from now on (a reconnection brought it)."""
        self.feeding.drop()
        self.terminal = self.feeding.terminal = terminal
        self.selection = self.place = self._top = None
        self.search = None
        self.drawing = None
        self._show_all()
        self._say()

    def resize_terminal(self, columns: int, lines: int) -> None:
        """Give the terminal another size; its lines wrap anew, so what was chosen and what was found is let go."""
        if (columns, lines) != (self.terminal.columns, self.terminal.lines):
            self.terminal.resize(columns, lines)
            self.selection = self.place = self._top = self.search = None
            self._show_all()
            self._say()

    def on_resize(self, event: events.Resize) -> None:
        self._show_all()

    def _show_all(self) -> None:
        """All of it is drawn again, with the cursor in sight."""
        self.viewport.follow(self.terminal, *self.size)
        self.refresh()
        self._place_outer_cursor()

    def _fed(self) -> None:
        answers = self.terminal.take_answers()
        if answers and self.answers:
            self.post_message(self.Input(answers))
        for event in self.terminal.take_events():
            self.post_message(self.Told(event))
        if self._frame_timer is None and self.is_mounted:
            wait = self._drawn_at + FRAME - monotonic()
            if wait <= 0:
                self._frame()
            else:
                self._frame_timer = self.set_timer(wait, self._frame)

    def _frame(self) -> None:
        """Draw what changed since the last frame."""
        self._frame_timer = None
        now = monotonic()
        if self.terminal.modes.synchronized:
            if self._held_since is None:
                self._held_since = now
            left = self._held_since + SYNCHRONIZED - now
            if left > 0:
                self._frame_timer = self.set_timer(min(left, FRAME * 2), self._frame)
                return
            self.terminal.end_synchronized()
        self._held_since = None
        self._drawn_at = now
        dirty = self.terminal.take_dirty()
        cursor = self.terminal.cursor
        self._say()
        if self._top is not None:
            self._follow_kept()
            return
        width, height = self.size
        moved = self.viewport.follow(self.terminal, width, height)
        if moved or len(dirty) >= self.terminal.lines or (self.drawing and not self.drawing.current()):
            self.refresh()
        else:
            above = self.viewport.above
            rows = dirty | {self._shown_cursor, cursor.y if cursor.visible else -1}
            regions = [Region(0, row - above, width, 1) for row in rows if 0 <= row - above < height]
            if regions:
                self.refresh(*regions)
        self._shown_cursor = cursor.y if cursor.visible else -1
        self._place_outer_cursor()

    def _follow_kept(self) -> None:
        """Scrolled back: the same lines stay, as long as they are kept."""
        if self._top is not None and self._top < self.terminal.first_line:
            self._top = self.terminal.first_line
            self.refresh()
        elif self._top is not None and self._top + self.size.height > self.terminal.top_line:
            self.refresh()

    def _say(self) -> None:
        """Post Changed where something of it did."""
        terminal = self.terminal
        said = (terminal.title, self._top, terminal.bells, self.typing, terminal.modes.alternate)
        if said != self._said:
            self._said = said
            self.post_message(self.Changed())

    # Drawing

    @property
    def top(self) -> int:
        """The number of the first line in sight."""
        return self.terminal.top_line + self.viewport.above if self._top is None else self._top

    @property
    def last_top(self) -> int:
        """The last line that can be the first in sight: more than the screen's first where the screen is higher than its room."""
        return max(self.terminal.top_line, self.terminal.end_line - self.size.height)

    @property
    def scrolled(self) -> int:
        """How many lines lie between what is in sight and the end."""
        return max(0, self.terminal.top_line - self.top)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a region. (Not by way of the styles cache: the widget has no border, and lines keep their own.)"""
        drawing = self._drawing()
        drawing.current()
        width = self.size.width
        strips = []
        for y in range(crop.y, crop.bottom):
            strip = self._row(drawing, y, width)
            strips.append(strip if crop.x == 0 and crop.right >= width else strip.crop(crop.x, crop.right))
        return strips

    def render_line(self, y: int) -> Strip:
        return self._row(self._drawing(), y, self.size.width)

    def _drawing(self) -> Drawing:
        if self.drawing is None:
            self.drawing = Drawing(self.terminal, colours_of(self.app), self.get_line_filters())
        return self.drawing

    def _row(self, drawing: Drawing, y: int, width: int) -> Strip:
        number = self.top + y
        terminal = self.terminal
        if not terminal.first_line <= number < terminal.end_line:
            return drawing.beyond(width)
        columns = terminal.columns
        strip = drawing.line(terminal.line(number), columns)
        overs = self._overs(drawing, number, columns)
        if overs:
            strip = drawing.over(strip, overs)
        if columns < width:
            return Strip([*strip, *drawing.beyond(width - columns)], width)
        left = self.viewport.left
        return strip if columns == width else strip.crop(left, left + width)

    def _overs(self, drawing: Drawing, number: int, width: int) -> list[Over]:
        overs = [
            Over(start, end, drawing.match_in_focus if in_focus else drawing.matched)
            for start, end, in_focus in (self.search.on_row(number, width) if self.search else ())
        ]
        span = self.selection.columns(number) if self.selection else None
        if span:
            overs.append(Over(*span, drawing.selected))
        if self.place is not None:
            if self.place.line == number:
                at = min(self.place.column, width - 1)
                overs.append(Over(at, at + 1, drawing.cursor("block", True)))
        elif self._top is None:
            cursor = self.terminal.cursor
            drawn = cursor.visible and not (self._outer and self._outer.visible)
            if drawn and self.terminal.top_line + cursor.y == number:
                at = min(cursor.x, self.terminal.columns - 1)
                overs.append(Over(at, at + 1, drawing.cursor(cursor.shape, self.has_focus and self.typing)))
        return overs

    def _place_outer_cursor(self) -> None:
        """A bar is drawn by the terminal one sits at, while one types into the program and can see its cursor."""
        cursor = self.terminal.cursor
        wanted = (
            cursor.visible
            and cursor.shape == "bar"
            and self.typing
            and self.has_focus
            and self._top is None
            and self.is_mounted
            and self.app.screen is self.screen
        )
        place = Offset(
            min(cursor.x, self.terminal.columns - 1) - self.viewport.left, cursor.y - self.viewport.above
        )
        before = self._outer is not None and self._outer.visible
        if wanted and self.content_size.region.contains_point(place):
            self._outer = self._outer or OuterCursor(self.app)
            self._outer.show(place + self.content_region.offset, cursor.blinking)
        elif self._outer is not None:
            self._outer.hide()
        if before != (self._outer is not None and self._outer.visible):
            self.refresh()

    def on_unmount(self) -> None:
        if self._outer is not None:
            self._outer.hide()

    def notify_style_update(self) -> None:
        """The theme may have changed."""
        self.drawing = None
        super().notify_style_update()
