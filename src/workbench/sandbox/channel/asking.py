"""Asking an init for one thing: what all the ops of a channel are made of, and how answers are taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.sandbox.exchange import DATA, END, Exchange, Fields, nonsense


class Asking:
    """path: the socket of the init."""

    def __init__(self, path: str) -> None:
        self.path = path

    async def open(self, op: str, /, **fields: object) -> Exchange:
        """Begin a request; fields that are None are left out."""
        return await Exchange.begin(self.path, op, fields)

    async def ask(self, op: str, /, **fields: object) -> Fields:
        """A request that one JSON object answers."""
        async with await self.open(op, **fields) as exchange:
            return await exchange.answer()


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


def whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def part(answer: Fields, name: str) -> Fields:
    part = answer.get(name)
    if not isinstance(part, dict):
        raise nonsense(f"no {name} in the answer")
    return part


def parts(answer: Fields, name: str) -> list[Fields]:
    parts = answer.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise nonsense(f"no {name} in the answer")
    return parts


async def feed(exchange: Exchange, content: bytes | AsyncIterator[bytes]) -> None:
    """All of it, then END; a sandbox that wants no more is no error: what it answers says why."""
    try:
        if isinstance(content, bytes):
            await exchange.send(DATA, content) if content else None
        else:
            async for piece in content:
                await exchange.send(DATA, piece) if piece else None
        await exchange.send(END)
    except WorkbenchError as error:
        if error.code != "sandbox.not_running":
            raise


async def give(exchange: Exchange, content: bytes | AsyncIterator[bytes]) -> Fields:
    """Send while listening: an answer that comes early (a full disk) ends the sending."""
    sending: asyncio.Task[None] = asyncio.create_task(feed(exchange, content))
    hearing: asyncio.Task[Fields] = asyncio.create_task(exchange.answer())
    tasks: set[asyncio.Task[Any]] = {sending, hearing}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            await sending
        return await hearing
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
