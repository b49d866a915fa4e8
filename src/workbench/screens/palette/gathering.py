"""What an operation gives bit by bit, gathered to be shown: a document, a body, what a program prints, events as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.operations.outputs import Output
from workbench.operations.results import Stream, to_json
from workbench.screens.session import Session

MOST_ITEMS = 1_000
MOST_TEXT = 200_000


class _Later:
    """Stands for asynchronous items where ordinary ones are wanted; filled when they have come."""

    def __init__(self) -> None:
        self.items: Any = None
        self._came: list[Any] = []
        self._at = 0

    def of(self, items: Any) -> _Later:
        self.items = items
        return self

    async def fill(self, cancel: Cancel) -> None:
        """Wait for them: the first MOST_ITEMS, or those that came before it was stopped."""
        if self.items is None:
            return
        taking = asyncio.ensure_future(self._take())
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(taking.cancel)

        cancel.on(stop)
        try:
            await taking
        except asyncio.CancelledError:
            if not cancel.cancelled:
                raise
        finally:
            cancel.off(stop)
            close = getattr(self.items, "aclose", None)
            if close is not None:
                await close()

    async def _take(self) -> None:
        async for item in self.items:
            self._came.append(item)
            if len(self._came) >= MOST_ITEMS:
                return

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._at >= len(self._came):
            raise StopIteration
        self._at += 1
        return self._came[self._at - 1]


async def gathered(session: Session, result: Any, cancel: Cancel) -> Any:
    """The result with nothing left to wait for; of a very long one the beginning. Raises WorkbenchError."""
    if isinstance(result, Stream | Output):
        later = _Later()
        result.drive_by(later.of)
        await later.fill(cancel)
        if isinstance(result, Output):
            return await session.blocking(lambda: to_json(result))
        return await session.blocking(
            lambda: [item for _, item in zip(range(MOST_ITEMS), result, strict=False)]
        )
    chunks = getattr(result, "chunks", None)
    return result if chunks is None else await session.blocking(lambda: _text(iter(chunks)))


def _text(chunks: Iterator[Any]) -> str:
    parts, size = [], 0
    try:
        for chunk in chunks:
            parts.append(chunk.decode("utf-8", "replace") if isinstance(chunk, bytes) else str(chunk))
            size += len(parts[-1])
            if size > MOST_TEXT:
                break
    except WorkbenchError as error:  # what came before it is shown all the same
        parts.append(f"\n{error.message}\n{error.hint}")
    return "".join(parts)
