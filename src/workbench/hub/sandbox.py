"""One sandbox: its record, and its life from start to sleep to end."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from .record import Record

if TYPE_CHECKING:
    from .core import Hub


class Sandbox:
    """A sandbox of the hub. folder: where all that is kept of it lies."""

    def __init__(self, hub: Hub, folder: str, record: Record) -> None:
        self.hub = hub
        self.folder = folder
        self.record = record

    @property
    def alive(self) -> bool:
        """Whether it has processes: it runs, or is frozen."""
        return self.record.state in ("running", "frozen")

    def save(self) -> None:
        """Write the record down."""
        self.record.write(self.folder)

    def failed(self, reason: str) -> None:
        self.record.state = "failed"
        self.record.reason = reason

    async def find(self) -> None:
        """Take up what a hub before us left running."""

    async def let_go(self) -> None:
        """The hub ends; this lives on."""

    async def stop(self) -> None: ...

    async def kill(self) -> None: ...

    async def discard(self, folder: str) -> None:
        """Remove what is on disk."""
        await asyncio.to_thread(shutil.rmtree, folder, True)
