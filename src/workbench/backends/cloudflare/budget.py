"""How often we ask: Cloudflare allows 1,200 requests in five minutes for a user, over all his tools.

Source: developers.cloudflare.com/fundamentals/api/reference/limits. Beyond it every request is refused for five minutes, so ours
wait their turn instead.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

REQUESTS = 1200
WINDOW = 300.0
"""Seconds."""


class Budget:
    """A window that slides: `take` returns when one more request fits into it. For one event loop."""

    def __init__(
        self, requests: int = REQUESTS, window: float = WINDOW, clock: Callable[[], float] = monotonic
    ) -> None:
        self.requests = requests
        self.window = window
        self._clock = clock
        self._taken: deque[float] = deque()

    def left(self) -> int:
        """How many requests fit now."""
        self._forget()
        return self.requests - len(self._taken)

    def until_free(self) -> float:
        """Seconds until one more fits; 0 where it does now."""
        self._forget()
        return 0.0 if len(self._taken) < self.requests else self._taken[0] + self.window - self._clock()

    async def take(self, notice: Callable[[str], None] | None = None) -> None:
        """Wait for a place and take it. notice: told once how long that will be."""
        while (wait := self.until_free()) > 0:
            if notice is not None:
                notice(
                    f"waiting {wait:.0f} s: {self.requests:,} requests in {self.window / 60:.0f} minutes are used up"
                )
                notice = None
            await asyncio.sleep(wait)
        self._taken.append(self._clock())

    def _forget(self) -> None:
        past = self._clock() - self.window
        while self._taken and self._taken[0] <= past:
            self._taken.popleft()
