"""A dev server's log, as it comes, without holding one of the threads that all else is done in."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.servers import LogLine
from workbench.screens.session import Session


async def lines(session: Session, server: str | None, cancel: Cancel) -> AsyncIterator[list[LogLine]]:
    """All lines that there are, then those that come, until the server ends or the switch is thrown; as many at once as are there."""
    stream = await session.call("servers.logs.watch", server=server, cancel=cancel)
    loop = asyncio.get_running_loop()
    waiting: deque[LogLine] = deque()
    wake = asyncio.Event()
    over = False

    def tell() -> None:
        with suppress(RuntimeError):  # the window has closed
            loop.call_soon_threadsafe(wake.set)

    def pump() -> None:
        nonlocal over
        with suppress(WorkbenchError):
            for line in stream:
                waiting.append(line)
                tell()
        over = True
        tell()

    threading.Thread(target=pump, name="cfwb-log", daemon=True).start()
    try:
        while True:
            await wake.wait()
            wake.clear()
            ended = over
            batch = [waiting.popleft() for _ in range(len(waiting))]
            if batch:
                yield batch
            if ended and not waiting:
                return
    finally:
        cancel.cancel()
