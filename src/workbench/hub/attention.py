"""What is watched while a sandbox runs: that it ends, and that nobody uses it any more."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sandbox import Sandbox

log = logging.getLogger("cfwb.hub")
BUSY = 0.02  # a sandbox that uses more of a CPU than this is not idle, though nobody asks anything of it
ANEW = 15.0  # seconds after which one that was busy is looked at again


class Attention:
    """One task a running sandbox. It ends the sandbox's run by `lost`, or puts it to sleep by `stop`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._used = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._seen: tuple[float, float] | None = None

    def used(self) -> None:
        """Somebody uses it, or a program of it prints. Cheap: every piece of output calls it."""
        self._used = time.monotonic()

    def begin(self) -> None:
        """It runs, or what decides whether it sleeps has changed."""
        self.end()
        self._task = self._sandbox.hub.spawn(self._watch())

    def end(self) -> None:
        """Watch no more; also called by the task itself."""
        task, self._task = self._task, None
        self._seen = None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _watch(self) -> None:
        sandbox = self._sandbox
        while (running := sandbox.running) is not None:
            if await running.ended(self._until_sleep()):
                await sandbox.lost(running)
                return
            if self._until_sleep() <= 0 and not await self._works():
                log.info("%s sleeps", sandbox.record.short)
                await sandbox.stop("asleep")
                return

    def _until_sleep(self) -> float:
        record = self._sandbox.record
        if record.sleep_after is None or record.keep_alive or record.state == "frozen":
            return 3600.0
        if self._sandbox.users:
            return min(record.sleep_after, 60.0)
        return max(0.0, record.sleep_after - (time.monotonic() - self._used))

    async def _works(self) -> bool:
        """Whether it computes something, though nobody asks: then it has been used until now."""
        usage = await self._sandbox.usage()
        now = time.monotonic()
        before, self._seen = self._seen, (now, usage.cpu_seconds if usage else 0.0)
        if usage is None:
            return False
        if before is None or usage.cpu_seconds - before[1] > BUSY * (now - before[0]):
            after = self._sandbox.record.sleep_after or 0
            self._used = now - after + min(ANEW, after / 4)
            return True
        return False
