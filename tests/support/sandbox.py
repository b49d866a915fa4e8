"""A sandbox for a test: a provider, a disk, and what runs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from workbench.sandbox.channel import Channel
from workbench.sandbox.disk import Disk
from workbench.sandbox.providers import Provider, Running, Spec


class Sandbox(NamedTuple):
    provider: Provider
    disk: Disk
    running: Running

    @property
    def channel(self) -> Channel:
        return self.running.channel

    async def sh(self, script: str, **options: object) -> str:
        """What a line of shell prints, both streams, without the last line end."""
        done = await self.channel.run(["/bin/sh", "-c", script], **options)  # type: ignore[arg-type]
        return (done.stdout + done.stderr).decode().rstrip("\n")


@asynccontextmanager
async def running(provider: Provider, disk: Disk, spec: Spec) -> AsyncIterator[Sandbox]:
    """Started, and ended whatever happens."""
    started = await provider.start(spec, disk)
    try:
        yield Sandbox(provider, disk, started)
    finally:
        await provider.kill(started, disk)


def process_disk(folder: Path) -> Disk:
    return Disk(str(folder / "disk"))
