"""Limits: changed while a sandbox runs, and one on the disk, which the kernel does not hold for us."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from workbench.sandbox.disk.size import measure
from workbench.sandbox.limits.disk_watch import grown_beyond

from ..feature import Feature

if TYPE_CHECKING:
    from ..core import Hub
    from ..sandbox import Sandbox

ROOM = 0.1  # of the limit: what a sandbox that was let go on may write beyond what it has before it is frozen again


class Limits(Feature):
    """A sandbox that has written more than it may is frozen, with its reason, and told of; started again it has room to clean up."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def started(self, sandbox: Sandbox) -> None:
        self._watch(sandbox)

    async def stopped(self, sandbox: Sandbox) -> None:
        self._forget(sandbox)

    async def changed(self, sandbox: Sandbox, changes: dict[str, Any]) -> None:
        if "limits" in changes and sandbox.running is not None:
            await sandbox.provider.limit(sandbox.running, sandbox.limits)
            self._watch(sandbox)

    def _watch(self, sandbox: Sandbox) -> None:
        self._forget(sandbox)
        if sandbox.limits.disk is not None:
            self._watches[sandbox.record.id] = self.hub.spawn(self._look(sandbox, sandbox.limits.disk))

    def _forget(self, sandbox: Sandbox) -> None:
        watch = self._watches.pop(sandbox.record.id, None)
        if watch is not None:
            watch.cancel()

    async def _look(self, sandbox: Sandbox, limit: int) -> None:
        most = limit
        seen_frozen = False
        while True:
            size = await grown_beyond(sandbox.disk, most)
            if sandbox.running is None:
                return
            if sandbox.record.state == "running":
                await sandbox.freeze()
                self._say(sandbox, f"it has written {size:,} bytes and may write {limit:,}", size, limit)
            elif seen_frozen and await _grows(sandbox, size):
                # Standing still is asked for by signals, and a program can have the kernel wake it (a timer that sends SIGCONT).
                self.hub.spawn(self._end(sandbox, size, limit))
                return
            seen_frozen = sandbox.record.state == "frozen"
            most = size + int(limit * ROOM)

    async def _end(self, sandbox: Sandbox, size: int, limit: int) -> None:
        await sandbox.stop()
        self._say(sandbox, f"it wrote on although it was frozen: {size:,} bytes of {limit:,}", size, limit)

    def _say(self, sandbox: Sandbox, reason: str, size: int, limit: int) -> None:
        sandbox.record.reason = reason
        sandbox.save()
        self.hub.events.tell("disk_full", sandbox.record.id, sandbox.record.name, size=size, limit=limit)


async def _grows(sandbox: Sandbox, size: int) -> bool:
    """Whether it becomes larger in the next second, and is frozen all the same."""
    await asyncio.sleep(1)
    now = await asyncio.to_thread(measure, sandbox.disk)
    return sandbox.record.state == "frozen" and now > size
