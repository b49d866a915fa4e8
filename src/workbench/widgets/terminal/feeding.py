"""Output on its way into a terminal: parsed in short turns between the keyboard's, never more than a bound of it waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

from workbench.terminal import Terminal
from workbench.terminal.pace import Pace

TURN = 0.006
"""Seconds parsed between two looks at the keyboard."""
WAITING = 1024 * 1024
"""Bytes taken before `write` waits: a source that is asked for no more keeps the rest where it is."""


class Feeding:
    """`put` or `write` output; `fed` is called after each turn, on the event loop."""

    def __init__(self, terminal: Terminal, fed: Callable[[], None]) -> None:
        self.terminal = terminal
        self._fed = fed
        self._pieces: deque[bytes] = deque()
        self._start = 0  # in the first of them
        self._pace = Pace(TURN / 2)
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Bytes not parsed yet."""
        return self._waiting

    def put(self, data: bytes) -> None:
        """Take output, however much is waiting."""
        if not data:
            return
        self._waiting += len(data)
        self._pieces.append(data)
        if self._waiting > WAITING:
            self._room.clear()
        if self._task is None:
            # The first piece at once: an echo must not wait for a turn of the loop.
            self._turn()
            if self._pieces:
                self._task = asyncio.create_task(self._rest())

    async def write(self, data: bytes) -> None:
        """Take output, after waiting for room."""
        await self._room.wait()
        self.put(data)

    async def drained(self) -> None:
        """Until all of it is parsed."""
        if self._task is not None:
            await self._task

    def drop(self) -> None:
        """Forget what is not parsed yet (the terminal is replaced by a newer state)."""
        self._pieces.clear()
        self._start = self._waiting = 0
        self._room.set()

    async def _rest(self) -> None:
        try:
            while self._pieces:
                await asyncio.sleep(0)
                self._turn()
        finally:
            self._task = None

    def _turn(self) -> None:
        end = perf_counter() + TURN
        while self._pieces:
            data, start = self._pieces[0], self._start
            self._start = self._pace.feed(self.terminal, data, start)
            self._waiting -= self._start - start
            if self._start == len(data):
                self._pieces.popleft()
                self._start = 0
            if perf_counter() >= end:
                break
        if self._waiting <= WAITING // 2:
            self._room.set()
        self._fed()
