"""What a handler works with: one request, already admitted and checked, and the only way to do anything: an operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from starlette.datastructures import Headers

from workbench.model.errors import Cancelled
from workbench.operations import get
from workbench.operations.executor import State, drive, execute, suspends

from .transfers import Transfers


class Call(NamedTuple):
    """One request, in a worker thread.

    names: of the path. query and json: as the route's checks left them. body: bytes, where the route takes them so; pieces: as they
    arrive. authorized: whether it came with the token. state: as on a command line; by_id: things named by their ids. base: the
    address of the server. transfers: files on their way.
    """

    names: dict[str, str]
    query: dict[str, Any]
    json: Any
    body: bytes
    pieces: Callable[[], Iterator[bytes]]
    headers: Headers
    authorized: bool
    state: State
    by_id: State
    loop: asyncio.AbstractEventLoop
    base: str
    transfers: Transfers

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def run(self, operation: str, **arguments: Any) -> Any:
        """Run an operation on things named by id. The request itself is the yes to whatever it destroys."""
        return self._run(self.by_id, operation, arguments, force=True)

    def run_as_typed(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Run an operation as a command line would: names and bindings mean what they mean there, `force` has to be given."""
        self.state.in_pieces = True
        result = self._run(self.state, operation, arguments, force=False)
        if hasattr(result, "drive_by"):
            result.drive_by(self._iterate)
        return result

    def _iterate(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        """What comes over the event loop as an ordinary iterator, for the thread that sends it on."""
        try:
            while True:
                try:
                    yield self._wait_for(anext(items))
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                asyncio.run_coroutine_threadsafe(close(), self.loop)

    def _wait_for(self, work: Awaitable[Any]) -> Any:
        """Wait in this thread for what the event loop does; a client that leaves ends it."""
        waiting = asyncio.run_coroutine_threadsafe(_awaited(work), self.loop)
        cancel = self.state.cancel
        if cancel is not None:
            cancel.on(waiting.cancel)  # type: ignore[arg-type]
        try:
            return waiting.result()
        except CancelledError:
            raise Cancelled() from None
        finally:
            if cancel is not None:
                cancel.off(waiting.cancel)  # type: ignore[arg-type]

    def _run(self, state: State, operation: str, arguments: dict[str, Any], *, force: bool) -> Any:
        work = execute(state, operation, arguments, force=force)
        if not suspends(state, get(operation)):
            return drive(work)
        return self._wait_for(work)


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
