"""A limit on the disk where no quota can be set: looked at, the more often the nearer it is."""

from __future__ import annotations

import asyncio
import time

from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.size import measure

_SHARE = 50
"""A look that took so long is followed by a pause of so many times that: two percent of one processor at most."""


async def grown_beyond(disk: Disk, most: int) -> int:
    """Bytes that the sandbox has written, once they are more than this. Between two looks it may write on: a second, at most
    fifteen."""
    while True:
        began = time.monotonic()
        size = await asyncio.to_thread(measure, disk)
        if size > most:
            return size
        near = 1.0 if size > most / 2 else 5.0
        await asyncio.sleep(min(15.0, max(near, _SHARE * (time.monotonic() - began))))
