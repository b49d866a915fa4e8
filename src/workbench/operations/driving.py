"""Coroutines run to their end by a face that has no event loop of its own.

What never waits (the local state) is driven by hand: asyncio costs more than the whole start-up budget of a command. What waits
(a hub, an account) gets one event loop, made when the first such operation runs and kept until the end, so that connections are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.model.errors import WorkbenchError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits to its end, without an event loop. Raises WorkbenchError where it does wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise WorkbenchError("internal.suspended", "this backend waits for something and needs an event loop")


class Driver:
    """Runs one command's coroutines. suspends: whether they wait for anything."""

    def __init__(self, suspends: bool) -> None:
        self.suspends = suspends
        self._runner: asyncio.Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Its result. Ctrl+C cancels what waits, and comes out as KeyboardInterrupt."""
        if not self.suspends:
            return drive(coroutine)
        if self._runner is None:
            import asyncio

            self._runner = asyncio.Runner()
        return self._runner.run(coroutine)

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """An asynchronous stream as an ordinary one; closing it, or Ctrl+C, ends the stream at its source."""
        try:
            while True:
                try:
                    yield self.run(_next(items))
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                self.run(close())

    def close(self) -> None:
        """End the loop and what still waits in it."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


__all__ = ["Driver", "drive"]
