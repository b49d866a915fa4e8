"""A terminal on screen: draws what changed, at most once a frame, and says what a person typed, pasted, clicked or chose."""

from __future__ import annotations

from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.terminal import Event, Terminal, mouse, paste
from workbench.terminal.mouse import MouseEvent
from workbench.terminal.paste import Inspection

from . import keyboard, pointer
from .colours import colours_of
from .drawing import Drawing, Over
from .feeding import Feeding
from .selection import Place, Selection, Unit

FRAME = 1 / 60
SYNCHRONIZED = 0.15
"""Seconds a program may hold frames back (mode 2026)."""
FREE = "f8"
"""The one key that never goes to the program while it has the keyboard: it gives the keyboard back."""
WHEEL = 3


class TerminalView(Widget, can_focus=True):
    """Shows `terminal`; `put` or `await write` feeds it. Everything that goes back is a message.

    While `captured`, every key but `FREE` goes to the program. Free, its keys are a reader's: scroll, find, select, copy.
    """

    DEFAULT_CSS = """
    TerminalView { height: 1fr; width: 1fr; background: $background; }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[Any]] = [
        Binding(FREE, "capture(False)", "Free the keyboard"),
        Binding(f"{FREE},enter", "capture(True)", "Type"),
        Binding("v", "select('cell')", "Select"),
        Binding("V", "select('line')", "Select lines", show=False),
        Binding("ctrl+v", "select('block')", "Select a block", show=False),
        Binding("y", "copy", "Copy"),
        Binding("up,k", "up(1)", "Up", show=False),
        Binding("down,j", "up(-1)", "Down", show=False),
        Binding("left,h", "across(-1)", "Left", show=False),
        Binding("right,l", "across(1)", "Right", show=False),
        Binding("w", "word(1)", "Next word", show=False),
        Binding("b", "word(-1)", "Word before", show=False),
        Binding("pageup,ctrl+b", "page(1)", "Page up", show=False),
        Binding("pagedown,ctrl+f,space", "page(-1)", "Page down", show=False),
        Binding("home,g", "top", "To the beginning", show=False),
        Binding("end,G", "bottom", "To the end", show=False),
        Binding("escape", "leave", "Back", show=False),
    ]

    captured: reactive[bool] = reactive(False)

    class Input(Message):
        """Bytes for the program."""

        def __init__(self, data: bytes) -> None:
            super().__init__()
            self.data = data

    class Sized(Message):
        """The widget has room for so many cells."""

        def __init__(self, columns: int, lines: int) -> None:
            super().__init__()
            self.columns, self.lines = columns, lines

    class PasteAsked(Message):
        """A text with control characters was pasted: ask before `send_paste`."""

        def __init__(self, text: str, found: Inspection) -> None:
            super().__init__()
            self.text, self.found = text, found

    class LinkAsked(Message):
        """A link was clicked. uri is the program's text: show it and ask before it is opened."""

        def __init__(self, uri: str) -> None:
            super().__init__()
            self.uri = uri

    class Told(Message):
        """The program told something beside its text."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    class Changed(Message):
        """The title, the place in the scrollback, the bell's count or who has the keyboard changed."""

    class Copied(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, terminal: Terminal | None = None, *, answers: bool = False, **options: Any) -> None:
        """answers: whether this view answers the program's queries (nobody else does)."""
        super().__init__(**options)
        self.terminal = terminal or Terminal()
        self.answers = answers
        self.feeding = Feeding(self.terminal, self._fed)
        self.drawing: Drawing | None = None
        self.selection: Selection | None = None
        self.matches: list[tuple[int, int, int]] = []
        """(line, start, end) of what a search found, in order."""
        self.match = -1
        self.place: Place | None = None
        """Where the reader's cursor is while selecting by keyboard, else None."""
        self._top: int | None = None
        self._shown_cursor = -1
        self._frame_timer: Timer | None = None
        self._drawn_at = 0.0
        self._held_since: float | None = None
        self._said: tuple[object, ...] = ()
        self._dragging = False

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
        self.matches, self.match = [], -1
        self.drawing = None
        self.refresh()
        self._say()

    def resize_terminal(self, columns: int, lines: int) -> None:
        """Give the terminal another size; its lines wrap anew, so what was chosen or found in them is let go."""
        if (columns, lines) != (self.terminal.columns, self.terminal.lines):
            self.terminal.resize(columns, lines)
            self.selection = self.place = self._top = None
            self.matches, self.match = [], -1
            self.refresh()
            self._say()

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
        width = self.size.width
        if len(dirty) >= self.terminal.lines or (self.drawing and not self.drawing.current()):
            self.refresh()
        else:
            rows = dirty | {self._shown_cursor, cursor.y if cursor.visible else -1}
            regions = [Region(0, row, width, 1) for row in rows if 0 <= row < self.size.height]
            if regions:
                self.refresh(*regions)
        self._shown_cursor = cursor.y if cursor.visible else -1

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
        said = (terminal.title, self._top, terminal.bells, self.captured, terminal.modes.alternate)
        if said != self._said:
            self._said = said
            self.post_message(self.Changed())

    # Drawing

    @property
    def top(self) -> int:
        """The number of the first line in sight."""
        return self.terminal.top_line if self._top is None else self._top

    @property
    def scrolled(self) -> int:
        """How many lines lie between what is in sight and the end."""
        return self.terminal.top_line - self.top

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
            return drawing.blank(width)
        strip = drawing.line(terminal.line(number), width)
        overs = self._overs(drawing, number, width)
        return drawing.over(strip, overs) if overs else strip

    def _overs(self, drawing: Drawing, number: int, width: int) -> list[Over]:
        overs = [
            Over(start, end, drawing.match_in_focus if at == self.match else drawing.matched)
            for at, (line, start, end) in enumerate(self.matches)
            if line == number
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
            if cursor.visible and self.terminal.top_line + cursor.y == number:
                at = min(cursor.x, self.terminal.columns - 1)
                overs.append(Over(at, at + 1, drawing.cursor(cursor.shape, self.has_focus and self.captured)))
        return overs

    def notify_style_update(self) -> None:
        """The theme may have changed."""
        self.drawing = None
        super().notify_style_update()

    # Size and focus

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width and event.size.height:
            self.post_message(self.Sized(event.size.width, event.size.height))

    def on_focus(self) -> None:
        self._tell_focus(True)

    def on_blur(self) -> None:
        self._tell_focus(False)

    def _tell_focus(self, gained: bool) -> None:
        data = mouse.focus(gained, self.terminal.modes) if self.captured else b""
        if data:
            self.post_message(self.Input(data))
        self.refresh()

    # Keyboard

    def watch_captured(self) -> None:
        if self.captured:
            self.action_leave()
        self.refresh()
        self.refresh_bindings()
        self._say()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "capture":
            return bool(parameters[0]) != self.captured
        if self.captured:
            return False
        if action == "leave":
            return (
                self.place is not None
                or self.selection is not None
                or bool(self.matches)
                or self.scrolled > 0
            )
        return True

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return self.captured and key != FREE

    async def on_key(self, event: events.Key) -> None:
        if not self.captured or event.key == FREE:
            return
        event.stop()
        event.prevent_default()
        if event.key in ("shift+pageup", "shift+pagedown") and not self.terminal.modes.alternate:
            self.action_page(1 if event.key == "shift+pageup" else -1)
            return
        data = keyboard.encode(event, self.terminal.modes)
        if data:
            self.send(data)

    def send(self, data: bytes) -> None:
        """Bytes for the program, as typed: what is in sight is the end again."""
        self._clear()
        self.post_message(self.Input(data))

    def _clear(self) -> None:
        if self.selection is not None or self._top is not None or self.place is not None:
            self.selection = self.place = self._top = None
            self.refresh()
            self._say()

    def action_capture(self, captured: bool) -> None:
        self.captured = captured

    async def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if not self.captured:
            return
        found = paste.inspect(event.text)
        if found.suspicious:
            self.post_message(self.PasteAsked(event.text, found))
        else:
            self.send_paste(event.text)

    def send_paste(self, text: str) -> None:
        """Paste a text, whatever is in it."""
        self.send(paste.encode(text, self.terminal.modes))

    # Scrolling and selecting by keyboard

    def scroll_back(self, lines: int) -> None:
        """Back by so many lines, or forward where negative."""
        terminal = self.terminal
        top = max(terminal.first_line, min(terminal.top_line, self.top - lines))
        self._top = None if top >= terminal.top_line else top
        self.refresh()
        self._say()

    def show_line(self, number: int) -> None:
        """Bring a line into sight."""
        if not self.top <= number < self.top + self.size.height:
            self.scroll_back(self.top - (number - self.size.height // 2))

    def action_up(self, lines: int) -> None:
        if self.place is None:
            self.scroll_back(lines)
        else:
            self._move(self.place.line - lines, self.place.column)

    def action_page(self, pages: int) -> None:
        self.action_up(pages * max(1, self.size.height - 1))

    def action_across(self, columns: int) -> None:
        if self.place is not None:
            self._move(self.place.line, self.place.column + columns)

    def action_word(self, way: int) -> None:
        if self.place is not None:
            self._move(*pointer.next_word(self.terminal, self.place, way))

    def action_top(self) -> None:
        if self.place is None:
            self.scroll_back(self.top - self.terminal.first_line)
        else:
            self._move(self.terminal.first_line, 0)

    def action_bottom(self) -> None:
        if self.place is None:
            self.scroll_back(-self.scrolled)
        else:
            self._move(self.terminal.end_line - 1, self.terminal.columns - 1)

    def _move(self, line: int, column: int) -> None:
        line = max(self.terminal.first_line, min(self.terminal.end_line - 1, line))
        self.place = Place(line, max(0, min(self.terminal.columns - 1, column)))
        if self.selection is not None:
            self.selection.head = self.place
        if not self.top <= line < self.top + self.size.height:
            self.scroll_back(self.top - line if line < self.top else self.top + self.size.height - 1 - line)
        self.refresh()

    def action_select(self, unit: Unit) -> None:
        """Begin to choose text where the cursor is; again: begin anew there."""
        if self.place is None:
            cursor = self.terminal.cursor
            row = cursor.y if self._top is None else self.size.height // 2
            self.place = Place(min(self.top + row, self.terminal.end_line - 1), 0 if self._top else cursor.x)
        self.selection = Selection(self.terminal, self.place, unit)
        self.refresh_bindings()
        self.refresh()

    def action_copy(self) -> None:
        """The selection to the clipboard; what was copied is told by `Copied`."""
        if self.selection is not None:
            text = self.selection.text()
            self.app.copy_to_clipboard(text)
            self.post_message(self.Copied(text))
            self._clear()

    def action_leave(self) -> None:
        """Out of selecting and of what was found, back to the end."""
        self.matches, self.match = [], -1
        self._clear()
        self.refresh()
        self.refresh_bindings()

    # Mouse

    def _cell(self, event: events.MouseEvent) -> Place:
        offset = event.get_content_offset_capture(self)
        return Place(offset.y, max(0, min(self.terminal.columns - 1, offset.x)))

    def _to_program(self, event: events.MouseEvent, kind: str, button: str) -> bool:
        """Whether the program wanted a mouse event (with shift it is the reader's, as in other terminals)."""
        if not self.captured or event.shift or self._top is not None or not self.terminal.modes.mouse:
            return False
        row, column = self._cell(event)
        if not 0 <= row < self.terminal.lines:
            return False
        data = mouse.encode(
            MouseEvent(kind, button, column, row, event.shift, event.meta, event.ctrl), self.terminal.modes
        )
        if data:
            self.post_message(self.Input(data))
        return True

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        if self._to_program(event, mouse.PRESS, pointer.BUTTONS.get(event.button, "none")):
            self.capture_mouse()
            return
        if event.button != 1:
            return
        row, column = self._cell(event)
        self.place = None
        self.selection = None
        self._dragging = True
        self._pressed = Place(self.top + row, column)
        self.capture_mouse()
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            row, column = self._cell(event)
            if row < 0 or row >= self.size.height:
                self.scroll_back(1 if row < 0 else -1)
            place = Place(
                max(self.terminal.first_line, min(self.terminal.end_line - 1, self.top + row)), column
            )
            if self.selection is None and place != self._pressed:
                self.selection = Selection(self.terminal, self._pressed, "block" if event.meta else "cell")
            if self.selection is not None:
                self.selection.head = place
                self.refresh()
            return
        self._to_program(event, mouse.MOVE, pointer.BUTTONS.get(event.button, "none"))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        if self._dragging:
            self._dragging = False
            return
        self._to_program(event, mouse.RELEASE, pointer.BUTTONS.get(event.button, "none"))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.captured and self.terminal.modes.mouse and not event.shift:
            return
        row, column = self._cell(event)
        place = Place(self.top + row, column)
        if event.chain in (2, 3):
            self.selection = Selection(self.terminal, place, "word" if event.chain == 2 else "line")
            self.refresh()
        elif self.selection is None:
            uri = pointer.link_at(self.terminal, place)
            if uri and (event.ctrl or not self.captured):
                self.post_message(self.LinkAsked(uri))
            elif not self.captured and event.button == 1:
                self.captured = True

    def _wheel(self, event: events.MouseEvent, up: bool) -> None:
        event.stop()
        if self._to_program(event, mouse.PRESS, "wheel_up" if up else "wheel_down"):
            return
        modes = self.terminal.modes
        if self.captured and modes.alternate and not event.shift:
            self.post_message(self.Input(mouse.wheel_keys(up, WHEEL, modes)))
        else:
            self.scroll_back(WHEEL if up else -WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, False)


__all__ = ["FREE", "TerminalView"]
