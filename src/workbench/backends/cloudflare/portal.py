"""An event loop on a thread of its own, which any thread may call into.

Operations are coroutines that a caller without a loop drives to their end, and bodies are plain iterators: so what waits for the
network waits here. Where the caller has a running loop, a call suspends in it; elsewhere it blocks that thread alone.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel

T = TypeVar("T")
_END: Any = object()


class Portal:
    """One loop, one thread; `close` ends both."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that ends without closing must not hang on a request of ours.
        self._thread = threading.Thread(target=self._loop.run_forever, name="cfwb-http", daemon=True)
        self._thread.start()

    async def call(self, work: Coroutine[Any, Any, T], cancel: Cancel | None = None) -> T:
        """The result of a coroutine that runs on the portal's loop. Raises Cancelled when the switch is thrown."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)

        def stop() -> None:
            future.cancel()

        if cancel is not None:
            cancel.on(stop)
        try:
            if _has_loop():
                return await asyncio.wrap_future(future)
            return future.result()
        except (CancelledError, asyncio.CancelledError):
            if cancel is not None and cancel.cancelled:
                raise Cancelled() from None
            raise
        finally:
            stop()  # Ctrl-C, or the caller's own cancellation: the request ends with it
            if cancel is not None:
                cancel.off(stop)

    def wait(self, work: Coroutine[Any, Any, T], cancel: Cancel | None = None) -> T:
        """The same for code that is no coroutine; blocks."""
        coroutine = self.call(work, cancel)
        if _has_loop():
            raise RuntimeError("this blocks: call it from a thread without a running loop")
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        raise AssertionError("a call without a loop does not suspend")

    def iterate(self, items: AsyncIterator[T], cancel: Cancel | None = None) -> Iterator[T]:
        """An asynchronous iterator as a plain one. Closing it (or dropping it) closes the other."""
        source = _Source(items)
        try:
            while (item := self.wait(source.next(), cancel)) is not _END:
                yield item
        finally:
            self.wait(source.close())

    def close(self) -> None:
        """End the loop and its thread; what was under way is cancelled."""
        if self._loop.is_running():
            self.wait(_cancel_the_rest())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        if not self._loop.is_running():
            self._loop.close()


class _Source(Generic[T]):
    """An asynchronous iterator, asked for one thing at a time: what was stopped half way has ended before it is closed."""

    def __init__(self, items: AsyncIterator[T]) -> None:
        self._items = items
        self._turn = asyncio.Lock()

    async def next(self) -> T:
        async with self._turn:
            return await anext(self._items, _END)

    async def close(self) -> None:
        async with self._turn:
            if (close := getattr(self._items, "aclose", None)) is not None:
                await close()


async def _cancel_the_rest() -> None:
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
