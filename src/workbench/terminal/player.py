"""Playing a recording: the terminal at any of its times, found from the nearest of a few states kept on the way."""

from bisect import bisect_right
from collections.abc import Iterable

from .cast import MARKER, OUTPUT, Event, Header
from .terminal import Terminal

SCROLLBACK = 2000
_STATES = 64  # kept at most
_BETWEEN = 256 << 10  # characters of output from one to the next, at least


class Player:
    """Recorded events, all in memory, and a terminal that shows them up to a time.

    longest_pause: no more seconds than this pass between two events, however long it was (None: as it was). times, duration
    and markers are in the time that is left.
    """

    def __init__(self, header: Header, events: Iterable[Event], longest_pause: float | None = None) -> None:
        self.header = header
        self.events = _with_short_pauses(events, longest_pause)
        self._times = [event.time for event in self.events]
        total = sum(len(event.data) for event in self.events)
        self._between = max(_BETWEEN, total // _STATES)
        self._states: list[tuple[int, bytes]] = []  # (how many events are in it, snapshot), rising
        self._since = 0
        self._next = 0
        self.terminal = self._fresh()

    def _fresh(self) -> Terminal:
        return Terminal(self.header.columns, self.header.lines, scrollback=SCROLLBACK)

    @property
    def duration(self) -> float:
        """Seconds to the last event."""
        return self._times[-1] if self._times else 0.0

    @property
    def time(self) -> float:
        """When the last event that is shown happened."""
        return self._times[self._next - 1] if self._next else 0.0

    @property
    def next_time(self) -> float | None:
        """When the next event happens; None at the end."""
        return self._times[self._next] if self._next < len(self._times) else None

    @property
    def markers(self) -> list[tuple[float, str]]:
        """Time and label of each marker."""
        return [(event.time, event.data) for event in self.events if event.code == MARKER]

    def seek(self, time: float) -> Terminal:
        """The terminal as it was at a time, all events of that moment included. Another object after going back."""
        wanted = bisect_right(self._times, time)
        nearest = self._nearest(wanted)
        kept = self._states[nearest - 1][0] if nearest else 0
        if wanted < self._next or kept > self._next:
            self._jump(nearest)
        while self._next < wanted:
            self._show(self.events[self._next])
        self.terminal.take_answers()
        return self.terminal

    def _nearest(self, wanted: int) -> int:
        return bisect_right(self._states, wanted, key=lambda state: state[0])

    def _jump(self, nearest: int) -> None:
        """To the state that is kept at an index from 1; 0 is the beginning."""
        if nearest:
            self._next, data = self._states[nearest - 1]
            self.terminal = Terminal.restore(data)
        else:
            self._next = 0
            self.terminal = self._fresh()
        self._since = 0

    def _show(self, event: Event) -> None:
        self._next += 1
        if event.code == OUTPUT:
            self.terminal.feed(event.data.encode("utf-8", "replace"))
            self._since += len(event.data)
        elif size := event.size:
            self.terminal.resize(*size)
        furthest = self._states[-1][0] if self._states else 0
        if self._since >= self._between and self._next > furthest:
            self._states.append((self._next, self.terminal.snapshot()))
            self._since = 0


def _with_short_pauses(events: Iterable[Event], longest: float | None) -> list[Event]:
    if longest is None:
        return list(events)
    found = []
    before = shown = 0.0
    for event in events:
        shown += min(event.time - before, longest)
        before = event.time
        found.append(event._replace(time=shown))
    return found
