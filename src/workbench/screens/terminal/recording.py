"""The tab of a terminal's recording: played, stopped, and gone to any of its times."""

from __future__ import annotations

import io
from time import monotonic
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Locator, Pane
from workbench.screens.session import Session
from workbench.terminal import cast
from workbench.terminal.player import Player
from workbench.widgets.seek_bar import SeekBar
from workbench.widgets.terminal.find_bar import FindBar
from workbench.widgets.terminal.reading import Reading

PAUSE = 2.0
"""No longer than so many seconds does a recording stand still, unless one asks for its own time."""
FRAME = 1 / 30
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Screen(Reading, can_focus=True):
    """The terminal as it was."""


class RecordingPane(Pane):
    """`locator.resource` is the sandbox, `locator.object` the terminal. Read whole, for all of it can be gone to."""

    TCSS = "terminal.tcss"
    HELP = (
        "A terminal's recording. Space plays and stops; left and right go five seconds, shift with them a minute; , and . a step; "
        "home and end; + and − the speed; m goes to the next mark. Click or drag the bar.\n"
        "i: pauses as long as they were, or cut to two seconds. v selects, y copies, / finds in what is shown."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("space", "play", "Play/stop", priority=True),
        Binding("left", "go(-5)", "5 s back", show=False, priority=True),
        Binding("right", "go(5)", "5 s on", show=False, priority=True),
        Binding("shift+left", "go(-60)", "1 min back", show=False),
        Binding("shift+right", "go(60)", "1 min on", show=False),
        Binding("comma", "step(-1)", "A step back", show=False),
        Binding("full_stop", "step(1)", "A step on", show=False),
        Binding("home", "edge(0)", "To the beginning", show=False, priority=True),
        Binding("end", "edge(1)", "To the end", show=False, priority=True),
        Binding("plus,equals_sign", "speed(1)", "Faster", show=False),
        Binding("minus", "speed(-1)", "Slower", show=False),
        Binding("m", "mark", "Next mark", show=False),
        Binding("i", "pauses", "Pauses", show=False),
        Binding("slash", "find", "Find", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.player: Player | None = None
        self.speed = 1.0
        self.at = 0.0
        self._raw = b""
        self._cut = True
        self._timer: Timer | None = None
        self._since = 0.0

    def compose(self) -> ComposeResult:
        yield Static(id="recording-head")
        screen = Screen(id="recording")
        yield screen
        yield SeekBar()
        yield FindBar(screen)

    def on_mount(self) -> None:
        self._draw()
        self.load()

    def focus_first(self) -> None:
        self.query_one(Screen).focus()

    def concerns(self, paths: Any) -> bool:
        return False

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """The recording so far."""
        terminals = self.session.state.backend.sandboxes.terminals
        try:
            pieces = [
                piece async for piece in terminals.recording(self.locator.resource, self.locator.object)
            ]
            self._raw = b"".join(pieces)
            await self._open(0.0)
        except WorkbenchError as error:
            self.query_one("#recording-head", Static).update(
                Content.styled(f" {visible(error.message, limit=300)}", "$text-error")
            )

    async def _open(self, at: float) -> None:
        raw, pause = self._raw, PAUSE if self._cut else None
        self.player = await self.session.blocking(lambda: _player(raw, pause))
        bar = self.query_one(SeekBar)
        bar.length = self.player.duration
        bar.marks = tuple(time for time, _ in self.player.markers)
        self.seek(at)

    # Going to a time

    def seek(self, at: float) -> None:
        """Show the terminal as it was then."""
        player = self.player
        if player is None:
            return
        self.at = max(0.0, min(player.duration, at))
        terminal = player.seek(self.at)
        screen = self.query_one(Screen)
        if terminal is not screen.terminal:
            screen.replace(terminal)
        else:
            screen.refresh()
        self._draw()

    def _draw(self) -> None:
        player = self.player
        length = player.duration if player else 0.0
        parts: list[Any] = [(f" recording of {visible(self.locator.object, limit=40)}", "bold $primary")]
        parts.append(f"   {_clock(self.at)} / {_clock(length)}")
        parts.append(("   playing" if self._timer else "   stopped · space plays", "$text-muted"))
        if self.speed != 1.0:
            parts.append((f"   {self.speed:g}x", "$text-warning"))
        if self._cut:
            parts.append(("   long pauses cut · i", "$text-muted"))
        self.query_one("#recording-head", Static).update(Content.assemble(*parts))
        self.query_one(SeekBar).at = self.at

    def _tick(self) -> None:
        now = monotonic()
        passed, self._since = now - self._since, now
        self.seek(self.at + passed * self.speed)
        if self.player is None or self.at >= self.player.duration:
            self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._draw()

    # Keys

    def action_play(self) -> None:
        if self._timer is not None:
            self._stop()
            return
        if self.player is not None and self.at >= self.player.duration:
            self.seek(0.0)
        self._since = monotonic()
        self._timer = self.set_interval(FRAME, self._tick)
        self._draw()

    def action_go(self, seconds: float) -> None:
        self.seek(self.at + seconds)

    def action_edge(self, end: int) -> None:
        self.seek(self.player.duration if self.player and end else 0.0)

    def action_step(self, way: int) -> None:
        """To the event after, or the one before."""
        self._stop()
        player = self.player
        if player is None:
            return
        player.seek(self.at)
        if way > 0:
            self.seek(player.next_time if player.next_time is not None else player.duration)
        else:
            earlier = [event.time for event in player.events if event.time < player.time]
            self.seek(earlier[-1] if earlier else 0.0)

    def action_speed(self, way: int) -> None:
        at = SPEEDS.index(self.speed) + way
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, at))]
        self._draw()

    def action_mark(self) -> None:
        later = [time for time in self.query_one(SeekBar).marks if time > self.at + 0.001]
        if later:
            self.seek(later[0])

    @work(exclusive=True, group="load")
    async def action_pauses(self) -> None:
        """Long pauses as they were, or cut."""
        share = self.at / self.player.duration if self.player and self.player.duration else 0.0
        self._cut = not self._cut
        await self._open(0.0)
        if self.player is not None:
            self.seek(share * self.player.duration)

    def action_find(self) -> None:
        self._stop()
        self.query_one(FindBar).ask()

    @on(Screen.Searched)
    def searched(self, event: Screen.Searched) -> None:
        event.stop()
        if event.search.done:
            self.tell(event.search.said)

    @on(SeekBar.Sought)
    def sought(self, event: SeekBar.Sought) -> None:
        event.stop()
        self.seek(event.seconds)

    @on(Screen.Changed)
    @on(Screen.Told)
    @on(Screen.Input)
    def ignored(self, event: Any) -> None:
        event.stop()


def _player(raw: bytes, pause: float | None) -> Player:
    header, events = cast.read(io.BytesIO(raw))
    return Player(header, events, pause)


def _clock(seconds: float) -> str:
    """`1:02:03.4`, `2:03.4`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
