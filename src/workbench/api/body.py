"""A request's body on its way in: read by the event loop, taken by the thread that works, with the client's leaving noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.types import Receive

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel

from .errors import ApiError

_AHEAD = 8
"""Pieces (of about 64 KiB) that are read before somebody takes them."""


class Incoming:
    """The body of one request. `pump` runs beside the handler as long as the request does."""

    def __init__(self, receive: Receive, cancel: Cancel) -> None:
        self._receive = receive
        self._cancel = cancel
        self.loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)

    async def pump(self) -> None:
        """Read the body, then wait for the client to leave, which throws the switch."""
        more = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._cancel.cancel()
                if more:
                    await self._queue.put(None)
                return
            if piece := message.get("body", b""):
                await self._queue.put(piece)
            if more and not message.get("more_body", False):
                more = False
                await self._queue.put(None)

    async def whole(self, most: int) -> bytes:
        """All of it. Raises ApiError (413) for more than `most` bytes."""
        pieces, size = [], 0
        while (piece := await self._queue.get()) is not None:
            size += len(piece)
            if size > most:
                raise too_large(most)
            pieces.append(piece)
        if self._cancel.cancelled:
            raise Cancelled()
        return b"".join(pieces)

    def pieces(self) -> Iterator[bytes]:
        """The pieces as they come, in the thread of a handler. Raises Cancelled when the client leaves in the middle."""
        while True:
            piece = asyncio.run_coroutine_threadsafe(self._queue.get(), self.loop).result()
            self._cancel.check()
            if piece is None:
                return
            yield piece


def too_large(most: int) -> ApiError:
    """The body is larger than what it is for may be."""
    return ApiError(413, 10000, f"The request body is larger than the {most:,} bytes that are taken here.")
