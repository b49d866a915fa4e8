"""Terminals: a program on a PTY that nobody need look at, and the output that a viewer has missed."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from . import wire
from .children import Limits, signal_group, spawn
from .connection import Connection
from .loop import Loop, Timer, exit_of
from .streams import Sink, Source

KEPT = 4 << 20
"""Bytes of output since the last checkpoint that are kept; more is lost, and said to be."""
AHEAD = 1 << 20
"""How far a program may run ahead of the quickest viewer before its output waits."""
STALLED = 5.0
"""Seconds after which a viewer that takes nothing holds nobody up any more."""


class Resize:
    """A change of size: its number, the offset in the output that it comes before, columns and rows."""

    __slots__ = ("at", "number", "size")

    def __init__(self, number: int, at: int, size: tuple[int, int]) -> None:
        self.number = number
        self.at = at
        self.size = size


class Terminal:
    """A PTY, its program, and a window on its output: what lies between `base` and `end` is still here."""

    def __init__(
        self,
        loop: Loop,
        name: str,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        size: tuple[int, int],
        limits: Limits,
        started: Callable[[OSError | None], None],
    ) -> None:
        """OSError where there can be no more processes or terminals. size: columns, rows."""
        self.name = name
        self.argv = list(argv)
        self.size = size
        self.begun = time.time()
        self.exited: dict[str, object] | None = None
        self.checkpoint = b""
        self.checkpoint_at = 0
        self.base = 0
        self._pieces: deque[bytearray] = deque()
        self._sizes: deque[Resize] = deque([Resize(0, 0, size)])
        self.viewers: list[Viewer] = []
        self._loop = loop
        self._master, slave = os.openpty()
        self._resize(*size)
        self._status: int | None = None
        self._held_up = False
        self._look_again: Timer | None = None
        self.end = 0
        try:
            self.pid = spawn(
                loop, argv, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave,
                limits=limits, terminal=True, started=started,
            )  # fmt: skip
        except OSError:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self._source = Source(loop, self._master, self._took)
        writing = os.dup(self._master)
        os.set_inheritable(writing, False)
        self._sink = Sink(loop, writing, self._drained)
        loop.on_exit(self.pid, self._exit)

    def described(self) -> dict[str, object]:
        return {
            "id": self.name,
            "argv": self.argv,
            "pid": self.pid,
            "cols": self.size[0],
            "rows": self.size[1],
            "started": self.begun,
            "exited": self.exited,
            "offset": self.end,
            "checkpoint_at": self.checkpoint_at,
            "viewers": len(self.viewers),
        }

    def write(self, data: bytes) -> bool:
        """Type; False where the program does not read and the typist has to wait."""
        self._sink.write(data)
        return not self._sink.full

    def resize(self, cols: int, rows: int) -> None:
        """The program hears of it, and viewers read it at its place in the output."""
        if self._source.open and (cols, rows) != self.size:
            self._resize(cols, rows)
            self.size = (cols, rows)
            number = self._sizes[-1].number + 1
            if self._sizes[-1].at == self.end and len(self._sizes) > 1:
                self._sizes.pop()
            self._sizes.append(Resize(number, self.end, self.size))
            self._tell()

    def signal(self, number: int) -> None:
        """To what has the terminal: the foreground job."""
        if self.exited is None:
            try:
                os.killpg(os.tcgetpgrp(self._master), number)
            except OSError:
                signal_group(self.pid, number)

    def keep(self, offset: int, state: bytes) -> None:
        """A state that stands for all output before an offset, which is then forgotten."""
        if self.checkpoint_at <= offset <= self.end:
            self.checkpoint = state
            self.checkpoint_at = offset
            self._forget(offset)

    def read(self, offset: int, limit: int) -> bytes:
        """Output from an offset that is still here."""
        at = self.base
        found: list[bytearray] = []
        for piece in self._pieces:
            if at + len(piece) > offset and limit > 0:
                part = piece[max(0, offset - at) :][:limit]
                found.append(part)
                limit -= len(part)
            at += len(piece)
        return b"".join(found)

    def resizes(self) -> Sequence[Resize]:
        """The changes of size that belong to the output that is still here, the one in force before it first."""
        return self._sizes

    def close(self) -> None:
        """Hang up: the program gets SIGHUP, and two seconds later SIGKILL."""
        if self._status is None:
            signal_group(self.pid, signal.SIGHUP)
            signal_group(self.pid, signal.SIGCONT)
            self._loop.later(2, lambda: self._kill())
        self._source.close()
        self._sink.close()
        for viewer in list(self.viewers):
            viewer.connection.finish({"closed": True})

    def _kill(self) -> None:
        if self._status is None:
            signal_group(self.pid, signal.SIGKILL)

    def _resize(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def _took(self, data: bytes) -> None:
        if not self._pieces or len(self._pieces[-1]) >= wire.CHUNK:
            self._pieces.append(bytearray())
        self._pieces[-1] += data
        self.end += len(data)
        if self.end - self.base > KEPT:
            self._forget(self.end - KEPT)
        self._tell()
        self.hold_up()

    def hold_up(self) -> None:
        """Read on only while the quickest viewer that moves at all keeps up; without viewers always."""
        now = time.monotonic()
        active = [viewer for viewer in self.viewers if now - viewer.moved < STALLED]
        wait = bool(active) and self.end - max(viewer.offset for viewer in active) > AHEAD
        if wait != self._held_up:
            self._held_up = wait
            (self._source.pause if wait else self._source.resume)()
        if wait and self._look_again is None:
            self._look_again = self._loop.later(1, self._look)

    def _look(self) -> None:
        self._look_again = None
        self.hold_up()

    def _forget(self, offset: int) -> None:
        """Drop pieces before an offset, at the granularity they came in."""
        while self._pieces and self.base + len(self._pieces[0]) <= offset:
            self.base += len(self._pieces.popleft())
        while len(self._sizes) > 1 and self._sizes[1].at <= self.base:
            self._sizes.popleft()

    def _tell(self) -> None:
        for viewer in list(self.viewers):
            viewer.more()

    def _drained(self) -> None:
        for viewer in self.viewers:
            viewer.connection.resume()

    def _exit(self, status: int) -> None:
        """The end is told when what was written before it has been read; who still holds the terminal is hung up on."""
        self._status = status
        self._source.when_empty(self._over)

    def _over(self) -> None:
        self._source.close()
        self._sink.close()
        code, number = exit_of(self._status or 0)
        self.exited = {"exit_code": code, "signal": number}
        self._tell()


class Viewer:
    """`terminal.attach`: output from an offset on, changes of size in their place, and input the other way."""

    def __init__(self, connection: Connection, terminal: Terminal, start: int | None) -> None:
        """start: an offset, or None for the checkpoint and what came after it."""
        self.connection = connection
        self.moved = time.monotonic()
        self._terminal = terminal
        state = b""
        if start is None:
            start = terminal.checkpoint_at
            state = terminal.checkpoint
        lost = start < terminal.base
        self.offset = min(max(start, terminal.base), terminal.end)
        self._seen = [change for change in terminal.resizes() if change.at <= self.offset][-1]
        connection.message(
            {
                "offset": self.offset,
                "checkpoint": len(state),
                "lost": lost,
                "cols": self._seen.size[0],
                "rows": self._seen.size[1],
                "exited": terminal.exited,
            }
        )
        if state:
            connection.send(wire.DATA, state)
        connection.on_frame = self._frame
        connection.on_drain = self.more
        connection.on_close = self._leave
        terminal.viewers.append(self)
        self.more()

    def more(self) -> None:
        terminal = self._terminal
        moved = False
        while not self.connection.full and not self.connection.closed:
            if self.offset < terminal.base:
                self.offset = terminal.base
                self.connection.message({"lost": True, "offset": self.offset})
            later = (change for change in terminal.resizes() if change.number > self._seen.number)
            change = next(later, None)
            if change is not None and change.at <= self.offset:
                self._seen = change
                self.connection.message({"resize": list(change.size), "offset": self.offset})
                continue
            until = change.at - self.offset if change is not None else wire.CHUNK
            data = terminal.read(self.offset, min(until, wire.CHUNK))
            if not data:
                break
            self.offset += len(data)
            self.connection.send(wire.DATA, data)
            moved = True
        if moved or self.offset == terminal.end:
            self.moved = time.monotonic()
            terminal.hold_up()
        if terminal.exited is not None and self.offset == terminal.end and not self.connection.closed:
            self._leave()
            self.connection.finish({"exited": terminal.exited, "offset": self.offset})

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == wire.DATA and not self._terminal.write(payload):
            self.connection.pause()

    def _leave(self) -> None:
        if self in self._terminal.viewers:
            self._terminal.viewers.remove(self)
            self._terminal.hold_up()
