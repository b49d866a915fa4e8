"""Bytes both ways between two streams, until both have ended or nothing has moved for too long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from .masking import MaskedStream
from .streams import Stream

# How long what may be the beginning of a secret is kept from a side that may be waiting for it.
_HELD_S = 0.25


async def splice(
    client: Stream,
    upstream: Stream,
    *,
    idle: float,
    sent: Callable[[int], None],
    received: Callable[[int], None],
    masked: MaskedStream | None = None,
) -> str:
    """Copy until the end; why it ended early, or "". sent, received: told how many bytes went which way.

    masked: what comes back goes through it (lengths stay, so frames do).
    """
    loop = asyncio.get_running_loop()
    moved = loop.time()

    async def copy(
        source: Stream, target: Stream, count: Callable[[int], None], mask: MaskedStream | None
    ) -> bool:
        nonlocal moved
        while True:
            try:
                async with asyncio.timeout(_HELD_S if mask and mask.holds else None):
                    data = await source.read()
            except TimeoutError:
                # Two sides that talk may both be waiting for these few bytes. (When nothing at all moves, the watch below decides.)
                if mask and mask.holds:
                    await target.write(mask.finish())
                continue
            if not data:
                break
            moved = loop.time()
            count(len(data))
            await target.write(mask.feed(data) if mask else data)
            moved = loop.time()
        if mask:
            await target.write(mask.finish())
        return await target.end()

    async def watch() -> None:
        # Asked again when the last known time has run out: cheaper than a timer moved with every chunk.
        until = moved + idle
        while until > loop.time():
            await asyncio.sleep(until - loop.time())
            until = moved + idle

    up = asyncio.create_task(copy(client, upstream, sent, None))
    down = asyncio.create_task(copy(upstream, client, received, masked))
    watching = asyncio.create_task(watch())
    tasks = {up, down, watching}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and not up.exception() and up.result():
            # The client has said all, and the upstream knows: the answer may still be coming.
            await asyncio.wait({down, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            return "nothing moved for too long"
        failures = [task.exception() for task in (up, down) if task.done()]
        return "; ".join(str(failure) for failure in failures if failure is not None)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
