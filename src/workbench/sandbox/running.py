"""A sandbox that runs, in a form that outlives who started it: found again by its first process and its socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import NamedTuple, Self

from workbench.model.errors import WorkbenchError
from workbench.sandbox.channel import Channel


class Running(NamedTuple):
    """pid: of the first process, as the machine counts. started: its start in clock ticks since boot. boot: which boot that was.
    socket: where its init listens. details: what its provider needs to end it (a cgroup, a container's id)."""

    pid: int
    started: int
    boot: str
    socket: str
    details: dict[str, str]

    @classmethod
    def of(cls, pid: int, socket: str, details: dict[str, str]) -> Self:
        """What runs under this pid now; ProcessLookupError."""
        started = _started(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid, started, _boot(), socket, details)

    @property
    def channel(self) -> Channel:
        return Channel(self.socket)

    def alive(self) -> bool:
        """Whether it is still that process: not another with its number, and not one from before the machine started."""
        return _started(self.pid) == self.started and _boot() == self.boot

    def signal(self, number: int) -> bool:
        """Signal exactly that process; False where it is gone."""
        handle = self._handle()
        if handle is None:
            return False
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    async def shut_down(self, grace: float) -> None:
        """Its init is asked to end everything inside, and waited for a little longer than that takes at the most. It may still run."""
        with suppress(TimeoutError, WorkbenchError):
            async with asyncio.timeout(grace + 5):
                await self.channel.shut_down(grace)
                await self.ended(5)

    async def ended(self, within: float) -> bool:
        """Wait until it is gone, at most so many seconds; whether it is."""
        handle = self._handle()
        if handle is None:
            return True
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        loop.add_reader(handle, gone.cancel)
        try:
            await asyncio.wait([gone], timeout=within)
            return gone.cancelled()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    def save(self, path: str) -> None:
        """Complete or not at all."""
        with open(f"{path}.new", "w") as file:
            json.dump(self._asdict(), file)
        os.replace(f"{path}.new", path)

    @classmethod
    def saved(cls, path: str) -> Self | None:
        """What was saved, where it still runs."""
        try:
            with open(path) as file:
                found = cls(**json.load(file))
            return found if found.alive() else None
        except (OSError, ValueError, TypeError):
            return None

    def _handle(self) -> int | None:
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return None
        if self.alive():
            return handle
        os.close(handle)
        return None


def _started(pid: int) -> int | None:
    """Its start in ticks since boot; None for one that is gone or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""
