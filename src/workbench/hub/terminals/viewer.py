"""Somebody who looks at a terminal: what waits for them, bounded, and what they are of it."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import Any

WAITING = 1 << 20  # bytes of output that wait for one viewer
TOGETHER = 64 << 10  # pieces of output go out as one message up to this size

_SAID = count(1)

Item = bytes | dict[str, Any]


class Viewer:
    """What one connection is to be sent, in order.

    states: whether it takes a serialised screen; one that falls behind is then sent a fresh screen instead of what it missed, any
    other is let go (`gone`). policy: of `sizing.POLICIES`; size: of its room, or the one it fixes; said: when it said so, in order
    among all viewers, 0 for not yet. Never makes anybody else wait.
    """

    def __init__(self, id: str, name: str, *, states: bool, policy: str, size: tuple[int, int]) -> None:
        self.id = id
        self.name = name
        self.states = states
        self.policy = policy
        self.size = size
        self.said = 0
        self.behind = False
        self.gone = False
        self._items: deque[Item] = deque()
        self._waiting = 0
        self._there = asyncio.Event()
        self._first: Item | None = None  # a screen goes out by itself, announced with its size

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "policy": self.policy,
            "cols": self.size[0],
            "rows": self.size[1],
        }

    def says(self, size: tuple[int, int], policy: str | None = None) -> None:
        """Another size, or another policy."""
        self.size, self.policy, self.said = size, policy or self.policy, next(_SAID)

    def put(self, item: Item) -> None:
        """Send it when it is its turn; output that waits for a viewer that does not take it is dropped as a whole."""
        if isinstance(item, bytes):
            if self.behind:
                return
            if self._waiting + len(item) > WAITING:
                self._fall_behind()
                return
            self._waiting += len(item)
            last = self._items[-1] if self._items else None
            if isinstance(last, bytes) and last is not self._first and len(last) + len(item) <= TOGETHER:
                item = last + item
                self._items.pop()
        self._items.append(item)
        self._there.set()

    def begin(self, *items: Item) -> None:
        """Send these, whatever their size: a screen to begin with."""
        self.behind = False
        self._items.extend(items)
        self._first = items[-1] if items else None
        self._there.set()

    async def next(self) -> Item | None:
        """The next thing to send; None where the viewer is behind and needs a fresh screen (or, without `states`, to be let go)."""
        while not self._items:
            if self.behind:
                return None
            self._there.clear()
            await self._there.wait()
        item = self._items.popleft()
        if isinstance(item, bytes) and item is not self._first:
            self._waiting = max(0, self._waiting - len(item))
        return item

    def _fall_behind(self) -> None:
        self.behind = True
        self.gone = not self.states
        kept = [item for item in self._items if not isinstance(item, bytes) and item.get("type") != "resize"]
        self._items = deque(kept[-100:])
        self._waiting = 0
        self._there.set()
