"""What happens in the hub, told to whoever listens: a bounded past to catch up from, and a bounded queue a listener.

A listener that does not keep up loses the oldest, is told how many, and costs nobody else anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from workbench.model.times import iso, now_ms

KEPT = 2000
QUEUED = 1000


class Events:
    """An event is `{id, at, event, sandbox, name, ...}`: a rising number, when, what, and of which sandbox (id and name)."""

    def __init__(self) -> None:
        self.past: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.last = 0
        self._listeners: set[_Listener] = set()

    def tell(self, event: str, sandbox: str | None = None, name: str | None = None, **more: Any) -> None:
        """Something happened. Never waits."""
        self.last += 1
        item = {"id": self.last, "at": iso(now_ms()), "event": event, "sandbox": sandbox, "name": name} | more
        self.past.append(item)
        for listener in self._listeners:
            listener.put(item)

    async def listen(
        self, sandbox: str | None = None, after: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Events as they come, of one sandbox or of all; after: first those kept that are younger than this number."""
        listener = _Listener(sandbox)
        if after is not None:
            missing = self.past[0]["id"] - after - 1 if self.past else 0
            if missing > 0:
                listener.lost = missing
            for item in self.past:
                if item["id"] > after:
                    listener.put(item)
        self._listeners.add(listener)
        try:
            while True:
                yield await listener.get()
        finally:
            self._listeners.discard(listener)


class _Listener:
    """One who listens, and what waits for them."""

    def __init__(self, sandbox: str | None) -> None:
        self.sandbox = sandbox
        self.waiting: deque[dict[str, Any]] = deque()
        self.lost = 0
        self.there = asyncio.Event()

    def put(self, item: dict[str, Any]) -> None:
        if self.sandbox is not None and item["sandbox"] != self.sandbox:
            return
        if len(self.waiting) >= QUEUED:
            self.waiting.popleft()
            self.lost += 1
        self.waiting.append(item)
        self.there.set()

    async def get(self) -> dict[str, Any]:
        await self.there.wait()
        if self.lost:
            lost, self.lost = self.lost, 0
            return {
                "id": None,
                "at": iso(now_ms()),
                "event": "lost",
                "sandbox": self.sandbox,
                "name": None,
                "count": lost,
            }
        item = self.waiting.popleft()
        if not self.waiting:
            self.there.clear()
        return item
