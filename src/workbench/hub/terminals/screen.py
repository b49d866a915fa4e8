"""One terminal of a sandbox as the hub has it: the screen fed with all output, the viewers, and who has the keyboard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError
from workbench.sandbox.channel import DATA, JSON, Exchange
from workbench.terminal import Terminal
from workbench.terminal.pace import Pace

from .recording import Recording
from .sizing import size_for
from .viewer import Viewer

if TYPE_CHECKING:
    from ..sandbox import Sandbox

log = logging.getLogger("cfwb.hub")
REPLAYED = 256 << 10  # bytes of raw output for viewers that take no state, as the platform's container keeps
TURN = 0.002  # seconds of output parsed between two turns of everybody else
CHECKPOINT = 1 << 20  # bytes of output after which the init gets the screen
SETTLED = 1.0  # seconds without output after which it gets the screen as well


class HubTerminal:
    """Follows one terminal of the init from its start, or from the checkpoint an earlier hub left, to its end."""

    def __init__(self, sandbox: Sandbox, id: str, described: dict[str, Any], cast: str | None) -> None:
        self.sandbox = sandbox
        self.id = id
        self.described = described
        self.size = (_whole(described.get("cols"), 80), _whole(described.get("rows"), 24))
        self.screen = Terminal(*self.size)
        self._pace = Pace(TURN)
        self.offset = 0
        self.exited: dict[str, Any] | None = None
        self.viewers: list[Viewer] = []
        self.keyboard: Viewer | None = None
        self.ready = asyncio.Event()
        self.recording: Recording | None = None
        self._cast = cast
        self._raw: deque[bytes] = deque()
        self._raw_size = 0
        self._kept_at = 0
        self._answers_from = _whole(described.get("offset"), 0)
        self._exchange: Exchange | None = None
        self._task = sandbox.hub.spawn(self._follow())
        self._keeping: asyncio.Task[None] | None = None

    def told(self) -> dict[str, Any]:
        """As the API says it."""
        argv = self.described.get("argv")
        exit = self.exited or {}
        return {
            "id": self.id,
            "sandbox": self.sandbox.record.name,
            "argv": [str(word) for word in argv] if isinstance(argv, list) else [],
            "state": "exited" if self.exited is not None else "running",
            "cols": self.screen.columns,
            "rows": self.screen.lines,
            "title": self.screen.title,
            "pid": self.described.get("pid"),
            "exit_code": exit.get("exit_code"),
            "signal": exit.get("signal"),
            "started": self.described.get("began"),
            "viewers": len(self.viewers),
            "keyboard": self.keyboard.name if self.keyboard else None,
            "recorded": self.recording is not None,
        }

    def shown(self, scrollback: int = 0) -> dict[str, Any]:
        """The screen as text: `{lines, cursor: [x, y], title, alternate, cols, rows}`; with so many lines from above it."""
        screen = self.screen
        first = max(screen.first_line, screen.top_line - scrollback)
        cursor = screen.cursor
        return {
            "lines": [screen.text(screen.line(number)) for number in range(first, screen.end_line)],
            "cursor": [cursor.x, cursor.y + screen.top_line - first],
            "title": screen.title,
            "alternate": screen.modes.alternate,
            "cols": screen.columns,
            "rows": screen.lines,
        }

    def join(self, viewer: Viewer) -> None:
        """Begin with the screen as it is now (or the last raw output), and send what comes."""
        if viewer.states:
            viewer.begin(*self.state())
        else:
            viewer.begin(*([b"".join(self._raw)] if self._raw else []), {"type": "ready"})
        self.viewers.append(viewer)
        self._tell_viewers()
        if self.exited is not None:
            viewer.put(self._exit())

    def leave(self, viewer: Viewer) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            if self.keyboard is viewer:
                self.keyboard = None
                self._tell_keyboard()
            self._tell_viewers()

    def state(self) -> tuple[dict[str, Any], bytes]:
        """The screen with its scrollback, and what announces it."""
        data = self.screen.snapshot()
        head = {
            "type": "state",
            "bytes": len(data),
            "cols": self.screen.columns,
            "rows": self.screen.lines,
            "offset": self.offset,
            "keyboard": self.keyboard.described() if self.keyboard else None,
        }
        return head, data

    def take(self, viewer: Viewer) -> None:
        """The keyboard is theirs, whoever had it."""
        self.keyboard = viewer
        self._tell_keyboard()

    def release(self, viewer: Viewer) -> None:
        if self.keyboard is viewer:
            self.keyboard = None
            self._tell_keyboard()

    def may_type(self, viewer: Viewer | None) -> bool:
        return self.keyboard is None or self.keyboard is viewer

    async def type(self, data: bytes) -> None:
        """Input for the program; waits while it does not read."""
        if self._exchange is not None and self.exited is None:
            self.sandbox.touch()
            await self._exchange.send(DATA, data)

    async def resize(self, cols: int, rows: int) -> None:
        """Another size; everybody hears of it in its place in the output."""
        if (cols, rows) != self.size and self.exited is None:
            self.size = (cols, rows)
            await self.sandbox.channel.resize_terminal(self.id, cols, rows)

    async def settle(self, *joining: Viewer) -> None:
        """Take the size that follows from who looks, and who will in a moment."""
        size = size_for([*self.viewers, *joining], self.keyboard)
        if size is not None:
            with contextlib.suppress(WorkbenchError, OSError):
                await self.resize(*size)

    async def keep(self) -> None:
        """Leave the screen in the init, for the hub that comes after this one."""
        if self.offset > self._kept_at:
            offset, state = self.offset, self.screen.snapshot()
            self._kept_at = offset
            with contextlib.suppress(WorkbenchError, OSError):
                await self.sandbox.channel.checkpoint(self.id, offset, state)

    async def let_go(self) -> None:
        """The hub ends, or the terminal does: follow no more."""
        for task in (self._task, self._keeping):
            if task is not None:
                task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self.recording is not None:
            self.recording.close()

    def ended(self, why: dict[str, Any]) -> None:
        """It is over: the program ended, or the sandbox did."""
        if self.exited is None:
            self.exited = why
            self.ready.set()
            for viewer in self.viewers:
                viewer.put(self._exit())
            record = self.sandbox.record
            self.sandbox.hub.events.tell("terminal.exited", record.id, record.name, terminal=self.id)

    async def _follow(self) -> None:
        try:
            if self._cast is not None:
                self.recording = await asyncio.to_thread(self._recorded, self._cast)
            async with await self.sandbox.channel.attach(self.id) as exchange:
                self._exchange = exchange
                await self._begin(exchange)
                self.ready.set()
                async for frame in exchange:
                    if frame.kind == DATA:
                        await self._output(exchange, frame.payload)
                    elif frame.kind == JSON:
                        self._said(frame.json())
            self.ended({})
        except (WorkbenchError, OSError) as error:
            log.info("terminal %s of %s: %s", self.id, self.sandbox.record.short, error)
            self.ended({"reason": str(error)})
        finally:
            self._exchange = None
            self.ready.set()

    def _recorded(self, path: str) -> Recording | None:
        found = Recording.resume(path)
        if found is not None or (_whole(self.described.get("offset"), 0) > 0 and os.path.exists(path)):
            return found
        title = " ".join(str(word) for word in self.described.get("argv") or [])
        try:
            return Recording.begin(path, self.size, title, {"TERM": "xterm-256color"})
        except OSError:
            return None

    async def _begin(self, exchange: Exchange) -> None:
        """Take up the checkpoint, where there is one. It comes from inside: nothing in it is trusted."""
        first = await exchange.answer()
        self.offset = self._kept_at = _whole(first.get("offset"), 0)
        size = _whole(first.get("checkpoint"), 0)
        held = bytearray()
        while len(held) < size:
            frame = await exchange.receive()
            if frame is None or frame.kind != DATA:
                raise WorkbenchError("sandbox.protocol", "a checkpoint that is shorter than it said")
            held += frame.payload
        if held:
            try:
                self.screen = Terminal.restore(bytes(held))
            except WorkbenchError as error:
                log.warning("terminal %s of %s: %s", self.id, self.sandbox.record.short, error)
        cols, rows = _whole(first.get("cols"), self.size[0]), _whole(first.get("rows"), self.size[1])
        if (self.screen.columns, self.screen.lines) != (cols, rows):
            self.screen.resize(cols, rows)

    async def _output(self, exchange: Exchange, data: bytes) -> None:
        # In pieces, for output made to be slow must not hold up the other sandboxes.
        end = 0
        while end < len(data):
            if end:
                await asyncio.sleep(0)
            end = self._pace.feed(self.screen, data, end)
            self.screen.take_events()
        answers = self.screen.take_answers()
        if self.recording is not None:
            self.recording.output(data, self.offset)
        self.offset += len(data)
        for viewer in self.viewers:
            viewer.put(data)
        self._raw.append(data)
        self._raw_size += len(data)
        while self._raw_size - len(self._raw[0]) >= REPLAYED:
            self._raw_size -= len(self._raw.popleft())
        # An earlier hub has answered what came before us; a viewer that is a terminal itself answers on its own.
        if answers and self.offset > self._answers_from and all(viewer.states for viewer in self.viewers):
            await exchange.send(DATA, answers)
        self.sandbox.attention.used()
        if self.offset - self._kept_at >= CHECKPOINT:
            await self.keep()
        elif self._keeping is None or self._keeping.done():
            self._keeping = self.sandbox.hub.spawn(self._keep_when_settled())

    async def _keep_when_settled(self) -> None:
        seen = -1
        while seen != self.offset:
            seen = self.offset
            await asyncio.sleep(SETTLED)
        await self.keep()

    def _said(self, said: dict[str, Any]) -> None:
        if isinstance(said.get("resize"), list) and len(said["resize"]) == 2:
            cols, rows = _whole(said["resize"][0], 80), _whole(said["resize"][1], 24)
            self.screen.resize(cols, rows)
            self.size = (self.screen.columns, self.screen.lines)
            if self.recording is not None:
                self.recording.resized(*self.size)
            for viewer in self.viewers:
                viewer.put({"type": "resize", "cols": self.size[0], "rows": self.size[1]})
        elif said.get("lost"):
            self.offset = _whole(said.get("offset"), self.offset)
        elif isinstance(said.get("exited"), dict):
            self.ended(said["exited"])

    def _exit(self) -> dict[str, Any]:
        exit = self.exited or {}
        code, number = exit.get("exit_code"), exit.get("signal")
        told: dict[str, Any] = {
            "type": "exit",
            "code": code if isinstance(code, int) else 128 + (number or 0),
        }
        return told | {"signal": str(number)} if number is not None else told

    def _tell_viewers(self) -> None:
        told = [viewer.described() for viewer in self.viewers]
        for viewer in self.viewers:
            if viewer.states:
                viewer.put({"type": "viewers", "viewers": told, "you": viewer.id})
        record = self.sandbox.record
        self.sandbox.hub.events.tell(
            "terminal.viewers", record.id, record.name, terminal=self.id, count=len(self.viewers)
        )

    def _tell_keyboard(self) -> None:
        holder = self.keyboard.described() if self.keyboard else None
        for viewer in self.viewers:
            if viewer.states:
                viewer.put({"type": "keyboard", "holder": holder, "you": viewer.id})
        record = self.sandbox.record
        name = self.keyboard.name if self.keyboard else None
        self.sandbox.hub.events.tell(
            "terminal.keyboard", record.id, record.name, terminal=self.id, holder=name
        )


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
