"""What the features of a hub share: its places, its sandboxes, its events, and when it is to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from workbench.model.places import HubPlaces

from .engines import Engines
from .events import Events
from .feature import Feature
from .features import FEATURES
from .sandboxes import Sandboxes

log = logging.getLogger("cfwb.hub")
F = TypeVar("F", bound=Feature)

LEAVE_AFTER = 900.0  # seconds without a request, a sandbox that runs or anything else that needs us


class Hub:
    """One process, one state directory. `open` and `close` go around everything else."""

    def __init__(self, places: HubPlaces, token: str, started: str) -> None:
        self.places = places
        self.token = token
        self.started = started
        self.stopping = asyncio.Event()
        self.events = Events()
        self.engines = Engines()
        self.sandboxes = Sandboxes(self)
        self.features: list[Feature] = [feature(self) for feature in FEATURES]
        self.requests = 0
        self.last_request = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def feature(self, kind: type[F]) -> F:
        """The one feature of that class."""
        return next(found for found in self.features if isinstance(found, kind))

    async def open(self) -> None:
        """Find what was there before, then let the features begin."""
        self.last_request = asyncio.get_running_loop().time()
        await self.sandboxes.open()
        for feature in self.features:
            await feature.open()
        self.spawn(self._leave_when_unneeded())

    async def close(self) -> None:
        """End our own tasks; the sandboxes live on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for feature in reversed(self.features):
            try:
                await feature.close()
            except Exception:
                log.exception("closing %s", type(feature).__name__)
        await self.sandboxes.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine beside everything else; it ends with the hub, and what it raises is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the hub failed", exc_info=error)

    @contextlib.asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Around every request: while one is open, or was lately, the hub stays."""
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1
            self.last_request = asyncio.get_running_loop().time()

    async def _leave_when_unneeded(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(5.0, LEAVE_AFTER - (loop.time() - self.last_request)))
            busy = (
                self.requests
                or any(s.alive for s in self.sandboxes)
                or any(f.needed() for f in self.features)
            )
            if not busy and loop.time() - self.last_request >= LEAVE_AFTER:
                log.info("nobody needs this hub")
                self.stopping.set()
                return
