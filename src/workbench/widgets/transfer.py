"""What long work says of itself in one line: how far, how fast, and the key that stops it."""

from __future__ import annotations

import time
from typing import Any

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from workbench.model.progress import Cancel
from workbench.model.text import visible


class Watched:
    """Figures of one piece of work. `progress` is called from the thread that works; the bar looks at them ten times a second."""

    def __init__(self, title: str, unit: str = "bytes") -> None:
        self.title, self.unit = title, unit
        self.done, self.total = 0, None  # type: int, int | None
        self.note = ""
        self.base = 0
        self.cancel = Cancel()
        self.began = time.monotonic()

    def progress(self, done: int, total: int | None) -> None:
        """done and total as the work counts them; `base` (what earlier pieces did) is added."""
        self.done = self.base + done
        if total is not None and self.total is None:
            self.total = total

    @property
    def amount(self) -> str:
        """How much was done, with its unit."""
        return amount(self.done, self.unit)

    @property
    def rate(self) -> float:
        """Units a second since it began."""
        return self.done / max(0.05, time.monotonic() - self.began)


class TransferBar(Widget):
    """One line; hidden while nothing runs."""

    DEFAULT_CSS = """
    TransferBar { height: 1; width: 1fr; display: none; background: $panel; }
    TransferBar.-running { display: block; }
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.watched: Watched | None = None
        self._timer: Timer | None = None

    def begin(self, watched: Watched) -> None:
        """Show a piece of work."""
        self.watched = watched
        self.add_class("-running")
        if self._timer is None:
            self._timer = self.set_interval(0.1, self.refresh)
        self._timer.resume()

    def end(self) -> None:
        """It is over."""
        self.watched = None
        self.remove_class("-running")
        if self._timer is not None:
            self._timer.pause()

    def render(self) -> Content:
        work = self.watched
        if work is None:
            return Content("")
        done = self._amount(work.done)
        total = f" of {self._amount(work.total)}" if work.total else ""
        whole_bar = f"  {self._bar(work.done / work.total)}" if work.total else " …"
        whole_rate = f"  {self._amount(work.rate)}/s"
        stop = "stopping" if work.cancel.cancelled else "esc stop"
        title = visible(f"{work.title} {work.note}".strip())
        # Where it is narrow the bar goes first, then the rate: how to stop it stays.
        for bar, rate in ((whole_bar, whole_rate), ("", whole_rate), ("", "")):
            figures = f"{done}{total}{bar}"
            room = self.size.width - Content(figures + rate + stop).cell_length - 5
            if room >= min(len(title), 12):
                break
        title = title if len(title) <= room else visible(title, limit=max(7, room - 1))
        return Content.assemble((" " + title, "bold"), f"  {figures}", (rate, "$text-muted"), f"  {stop}")

    def _bar(self, share: float) -> str:
        cells = 12 if self.size.width >= 80 else 6
        full = min(cells, int(share * cells))
        return "█" * full + "░" * (cells - full)

    def _amount(self, number: float) -> str:
        return amount(number, self.watched.unit) if self.watched else ""


def amount(number: float, unit: str) -> str:
    """A number with its unit; bytes as KiB and so on."""
    if unit != "bytes":
        return f"{number:,.0f} {unit}"
    for name in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:,.0f} {name}" if name == "B" else f"{number:,.1f} {name}"
        number /= 1024
    return f"{number:,.1f} GiB"
