"""Server-sent events as the bridge writes them: `event: NAME`, `data: ...`, and the reader's pace all the way down."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


def event(name: str, data: Any, *, id: int | None = None) -> bytes:
    """One event; data is text as it is, anything else JSON."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    head = f"id: {id}\n" if id is not None else ""
    lines = "\n".join(f"data: {line}" for line in text.split("\n"))
    return f"{head}event: {name}\n{lines}\n\n".encode("utf-8", "surrogatepass")


@contextlib.asynccontextmanager
async def closing(source: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The iterator, closed afterwards: what feeds it is cancelled then, not when the collector comes by."""
    try:
        yield source
    finally:
        await _close(source)


async def _close(source: object) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()


class Streamed(StreamingResponse):
    """A stream that ends when its reader is gone: the source is closed at once, which cancels what feeds it."""

    def __init__(self, source: AsyncIterator[bytes], media_type: str = "text/event-stream") -> None:
        super().__init__(source, media_type=media_type, headers={"Cache-Control": "no-cache"})
        self.headers["content-type"] = media_type  # the bridge names no charset
        self.source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        pouring = asyncio.ensure_future(self.stream_response(send))
        watching = asyncio.ensure_future(gone())
        try:
            await asyncio.wait((pouring, watching), return_when=asyncio.FIRST_COMPLETED)
            if pouring.done():
                with contextlib.suppress(ClientDisconnect, OSError):
                    pouring.result()
        finally:
            for task in (pouring, watching):
                task.cancel()
            await asyncio.gather(pouring, watching, return_exceptions=True)
            await _close(self.source)
