"""What happened one after the other, a line each, with bars that stand where it happened between a beginning and an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.text import visible

from .cells import fit

Tone = Literal["", "good", "bad", "busy"]

NAME_LIMIT = 200
LEAST_BARS = 12
LEAST_NOTE = 6
"""Cells below which bars say nothing and are left out."""
MOST_NAME = 40
GAP = "  "


class Bar(NamedTuple):
    """A stretch of time, in seconds from the beginning; end None: it goes on. waits: nothing is done meanwhile."""

    begin: float
    end: float | None
    tone: Tone = ""
    waits: bool = False


class Event(NamedTuple):
    """A line. sign: one cell that says how it stands. name: untrusted. note: what it is, short. took: how long, or "".

    id: what tells it from the others over refreshes. data: what the pane shows of it.
    """

    id: str
    sign: str
    name: str
    note: str = ""
    took: str = ""
    bars: tuple[Bar, ...] = ()
    tone: Tone = ""
    data: Any = None


class Timeline(ScrollView, can_focus=True):
    """`show` events; one has the cursor. The same events with another end are drawn again without moving it."""

    DEFAULT_CSS = """
    Timeline { height: auto; width: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    Timeline > .timeline--cursor {
        background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground;
    }
    Timeline:focus > .timeline--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    Timeline > .timeline--dim { color: $text-muted; }
    Timeline > .timeline--plain { color: $secondary; }
    Timeline > .timeline--good { color: $text-success; }
    Timeline > .timeline--bad { color: $text-error; }
    Timeline > .timeline--busy { color: $text-warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"timeline--{name}" for name in ("cursor", "dim", "plain", "good", "bad", "busy")
    }
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Cursor up", show=False),
        Binding("down,j", "move(1)", "Cursor down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "move(-1_000_000)", "Cursor to the first", show=False),
        Binding("end", "move(1_000_000)", "Cursor to the last", show=False),
        Binding("enter", "open", "Value"),
    ]

    class Moved(Message):
        """The cursor is on another event, or the event it is on is another one now."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    class Opened(Moved):
        """Enter, or a click on the event that has the cursor."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.events: list[Event] = []
        self.cursor = 0
        self.length = 0.0

    @property
    def current(self) -> Event | None:
        return self.events[self.cursor] if self.cursor < len(self.events) else None

    def show(self, events: Sequence[Event], length: float, *, at: int | None = None) -> None:
        """Show events over `length` seconds. at: where the cursor goes; None keeps it on its event."""
        before = self.current
        self.events, self.length = list(events), length
        if at is not None:
            self.cursor = at
        elif before is not None:
            ids = [event.id for event in events]
            self.cursor = ids.index(before.id) if before.id in ids else self.cursor
        self.cursor = max(0, min(self.cursor, len(self.events) - 1))
        self.virtual_size = Size(self.size.width, len(self.events))
        self.refresh(layout=True)
        after = self.current
        if after is not None and after != before:
            self.post_message(self.Moved(after))
        if at is not None:
            self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.events))

    # Drawing

    def _widths(self, width: int) -> tuple[int, int, int, int]:
        """Cells of name, note, what it took, and the bars (0 where there is no room)."""
        took = max((cell_len(event.took) for event in self.events), default=0)
        note = max((cell_len(visible(event.note, limit=NAME_LIMIT)) for event in self.events), default=0)
        name = max((cell_len(visible(event.name, limit=NAME_LIMIT)) for event in self.events), default=0)
        name = min(name, max(10, min(MOST_NAME, width * 2 // 5)))
        left = width - 3 - name - took - 2 * len(GAP)
        note = min(note, left // 2 - len(GAP))
        note = max(min(note, LEAST_NOTE), min(note, left - len(GAP) - 1 - LEAST_BARS))
        bars = left - note - len(GAP) - 1
        if bars < LEAST_BARS:
            return name, max(0, left), took, 0
        return name, note, took, bars

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"timeline--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        at = int(self.scroll_offset.y) + y
        width, base = self.size.width, self.rich_style
        if at >= len(self.events):
            return Strip.blank(width, base)
        event = self.events[at]
        name, note, took, bars = self._widths(width)
        tone = self._style(event.tone) if event.tone else Style()
        dim, plain = base + self._style("dim"), base
        if at == self.cursor:
            plain = dim = base + self._style("cursor")
            tone = Style()
        segments = [
            Segment(f" {event.sign} ", plain + tone),
            Segment(fit(visible(event.name, limit=NAME_LIMIT), name) + GAP, plain),
            Segment(fit(event.took, took, right=True) + GAP, dim),
            Segment(fit(visible(event.note, limit=NAME_LIMIT), note) if note else "", dim),
        ]
        if bars:
            segments.append(Segment(GAP, plain))
            segments += self._bars(event, bars, base)
        return Strip(segments).adjust_cell_length(width, plain if not bars else base)

    def _bars(self, event: Event, width: int, base: Style) -> list[Segment]:
        """The stretches in their cells; each has one at least, and the later ones lie over the earlier ones."""
        cells: list[tuple[str, Style]] = [(" ", base)] * width
        scale = width / self.length if self.length > 0 else 0.0
        for bar in event.bars:
            end = self.length if bar.end is None else bar.end
            first = max(0, min(width - 1, int(bar.begin * scale)))
            last = max(first, min(width - 1, int(end * scale - 1e-9)))
            style = base + self._style(bar.tone or "plain")
            for cell in range(first, last + 1):
                cells[cell] = ("░" if bar.waits else "█", style)
        return [Segment(text, style) for text, style in cells]

    # Moving

    def action_move(self, by: int) -> None:
        if self.events:
            self.cursor = max(0, min(len(self.events) - 1, self.cursor + by))
            self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)
            self.refresh()
            self.post_message(self.Moved(self.events[self.cursor]))

    def action_leap(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        at = int(self.scroll_offset.y) + event.y
        if at < len(self.events):
            same = at == self.cursor
            self.action_move(at - self.cursor)
            if same or event.chain == 2:
                self.action_open()
