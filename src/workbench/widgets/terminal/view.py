"""A terminal one works in: keys, pastes, clicks and the wheel go to the program, or are the reader's."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive

from workbench.terminal import Position, Terminal, keys, mouse, paste, selection
from workbench.terminal.mouse import MouseEvent
from workbench.terminal.paste import Inspection

from . import keyboard
from .reading import Reading
from .selection import Selection

FREE = "f8"
"""The one key that never goes to the program while it has the keyboard: it gives the keyboard back."""
WHEEL = 3
BUTTONS = {0: "none", 1: "left", 2: "middle", 3: "right"}


class TerminalView(Reading, can_focus=True):
    """Everything that goes back is a message.

    While `captured`, every key but `FREE` goes to the program. Free, its keys are a reader's: scroll, find, select, copy.
    """

    BINDINGS: ClassVar[list[Any]] = [
        Binding(FREE, "capture(False)", "Free the keyboard"),
        Binding(f"{FREE},enter", "capture(True)", "Type"),
        Binding(FREE[1:], "type_free", f"Type {FREE}", show=False),
        Binding("u", "link", "Open the link"),
    ]

    captured: reactive[bool] = reactive(False)

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
        """A link is to be opened. uri is the program's text: show it and ask."""

        def __init__(self, uri: str) -> None:
            super().__init__()
            self.uri = uri

    def __init__(self, terminal: Terminal | None = None, **options: Any) -> None:
        super().__init__(terminal, **options)
        self._dragging = False
        self._pressed = Position(0, 0)

    @property
    def typing(self) -> bool:
        return self.captured

    # Size and focus

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width and event.size.height:
            self.post_message(self.Sized(event.size.width, event.size.height))

    def on_focus(self) -> None:
        self._tell_focus(True)
        self._place_outer_cursor()

    def on_blur(self) -> None:
        self._tell_focus(False)
        self._place_outer_cursor()

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
        self._place_outer_cursor()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "capture":
            return bool(parameters[0]) != self.captured
        if self.captured:
            return False
        if action == "link":
            return bool(self._address())
        if action == "leave":
            return (
                self.place is not None
                or self.selection is not None
                or self.search is not None
                or self.scrolled > 0
                or self.viewport.held
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

    def action_capture(self, captured: bool) -> None:
        self.captured = captured

    def action_type_free(self) -> None:
        """The program gets the key that is ours while it has the keyboard, and the keyboard."""
        self.captured = True
        self.send(keys.encode(FREE, self.terminal.modes))

    def _address(self) -> str:
        return selection.address(self.terminal, self.place) if self.place is not None else ""

    def action_link(self) -> None:
        """Ask to open where the reader's cursor is."""
        self.post_message(self.LinkAsked(self._address()))

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

    # Mouse

    def _cell(self, event: events.MouseEvent) -> Position:
        """The row in sight and the column of the terminal where the mouse is."""
        offset = event.get_content_offset_capture(self)
        return Position(offset.y, max(0, min(self.terminal.columns - 1, offset.x + self.viewport.left)))

    def _to_program(self, event: events.MouseEvent, kind: str, button: str) -> bool:
        """Whether the program wanted a mouse event (with shift it is the reader's, as in other terminals)."""
        if not self.captured or event.shift or self._top is not None or not self.terminal.modes.mouse:
            return False
        row, column = self._cell(event)
        row += self.viewport.above
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
        if self._to_program(event, mouse.PRESS, BUTTONS.get(event.button, "none")):
            self.capture_mouse()
            return
        if event.button != 1:
            return
        row, column = self._cell(event)
        self.place = None
        self.selection = None
        self._dragging = True
        self._pressed = Position(self.top + row, column)
        self.capture_mouse()
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            row, column = self._cell(event)
            if row < 0 or row >= self.size.height:
                self.scroll_back(1 if row < 0 else -1)
            place = Position(
                max(self.terminal.first_line, min(self.terminal.end_line - 1, self.top + row)), column
            )
            if self.selection is None and place != self._pressed:
                self.selection = Selection(self.terminal, self._pressed, "block" if event.meta else "cell")
            if self.selection is not None:
                self.selection.head = place
                self.refresh()
            return
        self._to_program(event, mouse.MOVE, BUTTONS.get(event.button, "none"))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        if self._dragging:
            self._dragging = False
            return
        self._to_program(event, mouse.RELEASE, BUTTONS.get(event.button, "none"))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.captured and self.terminal.modes.mouse and not event.shift:
            return
        row, column = self._cell(event)
        place = Position(self.top + row, column)
        if event.chain in (2, 3):
            self.selection = Selection(self.terminal, place, "word" if event.chain == 2 else "line")
            self.refresh()
        elif self.selection is None:
            wanted = place.line < self.terminal.end_line and (event.ctrl or not self.captured)
            if wanted and (uri := selection.address(self.terminal, place)):
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
