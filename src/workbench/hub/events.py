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
        self.began = self.last = now_ms() * 1000  # numbers go on rising when a hub comes after this one
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
            oldest = self.past[0]["id"] if self.past else self.last + 1
            if 0 < after < oldest - 1:
                listener.lost = oldest - 1 - max(after, self.began)
                listener.missed = True
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
        self.missed = False
        self.there = asyncio.Event()

    def put(self, item: dict[str, Any]) -> None:
        if self.sandbox is not None and item["sandbox"] != self.sandbox:
            return
        if len(self.waiting) >= QUEUED:
            self.waiting.popleft()
            self.lost += 1
            self.missed = True
        self.waiting.append(item)
        self.there.set()

    async def get(self) -> dict[str, Any]:
        if not self.missed:
            await self.there.wait()
        if self.missed:
            lost, self.lost, self.missed = self.lost, 0, False
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
