"""What happens in the hub, as it happens, without ever starting one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from workbench.model.errors import WorkbenchError
from workbench.screens.session import Session

LOOK = 2.0
"""Seconds between two looks for a hub where none runs."""
SETTLE = 0.15
"""Seconds in which events are taken together: a fork of fifty is one change on screen."""


async def happenings(session: Session) -> AsyncIterator[set[str]]:
    """The names of sandboxes that something happened to; a set that is empty when a hub came or went. Never ends by itself."""
    while session.state.backend.capability("sandboxes").available:
        if await running(session):
            yield set()
            async for names in _events(session):
                yield names
            yield set()
        await asyncio.sleep(LOOK)


async def running(session: Session) -> bool:
    """Whether a hub runs."""
    try:
        return bool((await session.state.backend.sandboxes.hub()).running)
    except (WorkbenchError, OSError):
        return False


async def _events(session: Session) -> AsyncIterator[set[str]]:
    changed: set[str] = set()
    wake = asyncio.Event()
    ended = False

    async def collect() -> None:
        nonlocal ended
        try:
            async for event in session.state.backend.sandboxes.events():
                changed.add(event.name or event.sandbox or "")
                wake.set()
        except (WorkbenchError, OSError):
            pass
        finally:
            ended = True
            wake.set()

    task = asyncio.create_task(collect())
    try:
        while not ended:
            await wake.wait()
            await asyncio.sleep(SETTLE)
            wake.clear()
            names = set(changed)
            changed.clear()
            if names:
                yield names
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
