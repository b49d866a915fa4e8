"""One terminal: bytes in; lines, cursor, modes, answers and events out. The package's `__init__` tells how it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import snapshot
from .events import Event
from .grid import MOST_COLUMNS
from .lines import Line
from .modes import BLINKING, SYNCHRONIZED, Modes, named
from .palette import Palette
from .parser import Parser
from .screen import Screen
from .scrollback import Scrollback
from .styles import Style

SCROLLBACK = 50_000

# Zero-width characters that would reorder or hide what is around them where it is shown.
_UNSHOWN = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)


class Run(NamedTuple):
    """A piece of a line in one style. columns: how many it takes on the screen, whatever another width table says of its text."""

    text: str
    style: Style
    columns: int


class Cursor(NamedTuple):
    """x: `columns` while a wrap is pending (show it in the last column). shape: block, underline or bar; blinking: None if unsaid."""

    x: int
    y: int
    visible: bool
    shape: str
    blinking: bool | None


class Terminal:
    """A terminal of `columns` by `lines` cells (2 to 2,000 by 1 to 2,000) with up to `scrollback` lines above it.

    Never raises for what is fed, and holds no more than its bounds allow. Not thread-safe: feed and read it from one thread.
    """

    def __init__(self, columns: int = 80, lines: int = 24, *, scrollback: int = SCROLLBACK) -> None:
        self._screen = Screen(_bounded(columns, 2), _bounded(lines, 1), scrollback)
        self._parser = Parser(self._screen)

    # -- in

    def feed(self, data: bytes) -> None:
        """Take output of the program, cut anywhere, also within a character or a sequence. Invalid UTF-8 is U+FFFD."""
        self._parser.feed(data)

    def resize(self, columns: int, lines: int) -> None:
        """Another size: wrapped lines are joined and wrapped anew, the cursor stays on its character, and lines come back from the
        scrollback where there is room. The alternate screen is only cut and filled; its program draws it again.
        """
        self._screen.resize(_bounded(lines, 1), _bounded(columns, 2))

    def reset(self) -> None:
        """As RIS, and out of whatever sequence the parser is in. The scrollback stays."""
        self._parser.restart()
        self._screen.reset()

    # -- its state as bytes

    def snapshot(self, scrollback: int | None = None) -> bytes:
        """All of its state, with at most so many lines of the scrollback (None: all), also in the midst of a sequence.

        A terminal restored from it and fed the rest is as one that never stopped. Answers and events that nobody took are not in it.
        """
        return snapshot.write(self._screen, self._parser, scrollback)

    @classmethod
    def restore(cls, data: bytes) -> Terminal:
        """The terminal of a snapshot. Raises WorkbenchError: `terminal.snapshot_newer`, or `terminal.snapshot_damaged` for anything
        else that is not one; nothing in it is trusted.
        """
        terminal = cls()
        terminal._screen, terminal._parser = snapshot.read(data)
        return terminal

    def clear_scrollback(self) -> None:
        """Drop every line above the screen."""
        self._screen.scrollback.clear()

    def end_synchronized(self) -> None:
        """Switch synchronized output (2026) off: what the owner does when a program keeps it on for too long."""
        self._screen.mode.discard(SYNCHRONIZED)

    # -- the screen

    @property
    def columns(self) -> int:
        return self._screen.columns

    @property
    def lines(self) -> int:
        return self._screen.lines

    @property
    def rows(self) -> list[Line]:
        """The lines on the screen, top to bottom. `Line.cache` is the drawer's own: None again after every change of the line."""
        return self._screen.rows

    def runs(self, line: Line) -> Iterator[Run]:
        """A line's pieces of one style, from column 0; blank cells at its end in the default style are left out."""
        clusters, styles = self._screen.clusters, self._screen.styles
        text = line.text
        if text.isascii():
            for start, end, number in line.runs():
                yield Run(text[start:end], styles[number], end - start)
        else:
            for start, end, number in line.runs():
                shown = clusters.shown(text[start:end])
                if not shown.isprintable():
                    shown = _UNSHOWN.sub("", shown)
                yield Run(shown, styles[number], end - start)

    def take_dirty(self) -> set[int]:
        """The rows that changed since the last call; all of them after scrolling (their lines and caches move along)."""
        screen = self._screen
        dirty = set(range(screen.lines)) if screen.everything else screen.dirty
        screen.dirty = set()
        screen.everything = False
        return dirty

    @property
    def cursor(self) -> Cursor:
        screen = self._screen
        style = screen.cursor_style
        shape = ("block", "block", "block", "underline", "underline", "bar", "bar")[style]
        blinking = True if BLINKING in screen.mode else bool(style % 2) if style else None
        return Cursor(screen.cursor.x, screen.cursor.y, not screen.cursor.hidden, shape, blinking)

    @property
    def modes(self) -> Modes:
        """The modes as they are now, for `keys`, `mouse` and `paste`."""
        screen = self._screen
        return named(
            screen.mode,
            alternate=screen.hidden_rows is not None,
            keyboard=screen.keyboard,
            modify_other_keys=screen.modify_other_keys,
        )

    @property
    def palette(self) -> Palette:
        """The colours that the program changed. Tell it the viewer's own (`shown`), so that queries are answered right."""
        return self._screen.palette

    @property
    def title(self) -> str:
        """The window's title: text of the program, without control characters."""
        return self._screen.title

    @property
    def icon_title(self) -> str:
        """The icon's title: text of the program, without control characters."""
        return self._screen.icon_name

    @property
    def bells(self) -> int:
        """How often the bell rang since the terminal was made."""
        return self._screen.bells

    # -- lines by number: those of the scrollback and the screen, counted from the terminal's start

    @property
    def scrollback(self) -> Scrollback:
        """The lines above the screen."""
        return self._screen.scrollback

    @property
    def first_line(self) -> int:
        """The number of the oldest line that is kept."""
        return self._screen.scrollback.dropped

    @property
    def top_line(self) -> int:
        """The number of the screen's first line; `top_line + y` is that of row y."""
        return self._screen.scrollback.dropped + len(self._screen.scrollback)

    @property
    def end_line(self) -> int:
        """One more than the number of the screen's last line."""
        return self.top_line + self._screen.lines

    def line(self, number: int) -> Line:
        """A line by its number. Raises IndexError where it is not kept any more, or not there yet."""
        top = self.top_line
        if number >= top:
            return self._screen.rows[number - top]
        return self._screen.scrollback[number - self._screen.scrollback.dropped]

    def text(self, line: Line) -> str:
        """A line's text without the blanks at its end."""
        return self._screen.clusters.text(line.text).rstrip(" ")

    # -- out

    def take_answers(self) -> bytes:
        """What the terminal answers to queries since the last call (at most 4 KiB), for the program's input; or throw it away.

        Only numbers in fixed forms, never a text that came from the program.
        """
        outbox = self._screen.outbox
        self._screen.outbox = ""
        return outbox.encode("ascii")

    def take_events(self) -> list[Event]:
        """What happened beside the text since the last call, oldest first; at most 256 are kept."""
        events = self._screen.events
        self._screen.events = []
        return events


def _bounded(size: int, least: int) -> int:
    return max(least, min(MOST_COLUMNS, size))
