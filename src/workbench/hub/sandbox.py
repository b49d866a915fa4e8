"""One sandbox: its record, and its life from start to sleep to end. One change of state at a time; whoever wants to use it waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.sandbox.channel import Channel
from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.providers import Provider, Usage
from workbench.sandbox.running import Running
from workbench.sandbox.spec import Limits, Spec

from .attention import Attention
from .problems import Problem
from .record import Record

if TYPE_CHECKING:
    from .core import Hub

log = logging.getLogger("cfwb.hub")
GRACE = 5.0  # seconds that processes have between SIGTERM and SIGKILL
FOUND_WITHIN = 5.0  # seconds in which what ran before us must answer


class Sandbox:
    """A sandbox of the hub. folder: where all that is kept of it lies."""

    def __init__(self, hub: Hub, folder: str, record: Record) -> None:
        self.hub = hub
        self.folder = folder
        self.record = record
        self.running: Running | None = None
        self.users = 0
        self.deleted = False
        self._changing = asyncio.Lock()
        self.attention = Attention(self)

    @property
    def alive(self) -> bool:
        """Whether it has processes: it runs, or is frozen."""
        return self.running is not None

    @property
    def disk(self) -> Disk:
        layers = [os.path.join(self.hub.places.layers, name) for name in self.record.layers]
        return Disk(self.folder, layers)

    @property
    def limits(self) -> Limits:
        """What it may use, as a provider is told."""
        limits = self.record.limits
        return Limits(
            cpus=limits.get("cpus"),
            memory=_whole(limits.get("memory_bytes")),
            processes=_whole(limits.get("processes", Limits().processes)),
            disk=_whole(limits.get("disk_bytes")),
        )

    @property
    def provider(self) -> Provider:
        """Raises WorkbenchError where it cannot be used here."""
        return self.hub.engines.get(self.record.provider)

    @property
    def channel(self) -> Channel:
        """To the init of a sandbox that is alive."""
        if self.running is None:
            raise Problem(409, "sandboxes.not_running", f"{self.record.name} does not run")
        return self.running.channel

    def save(self) -> None:
        """Write the record down."""
        if not self.deleted:
            self.record.write(self.folder)

    def touch(self) -> None:
        """Somebody uses it now."""
        self.attention.used()
        self.record.last_used = iso(now_ms())

    def within(self, path: str) -> str:
        """A path of the API as it is inside: without isolation there is no /workspace, only the sandbox's own folder."""
        if self.record.provider == "process" and (path == "/workspace" or path.startswith("/workspace/")):
            return self.disk.outside(path)
        return path

    def without(self, path: str) -> str:
        """The reverse of `within`."""
        if self.record.provider == "process":
            base = self.disk.outside("/workspace")
            if path == base or path.startswith(f"{base}/"):
                return "/workspace" + path[len(base) :]
        return path

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Channel]:
        """The channel to its init, started or woken where it must be; as long as this is open it does not sleep."""
        self.users += 1
        try:
            yield await self.awake()
        finally:
            self.users -= 1
            self.touch()

    async def awake(self) -> Channel:
        """Started or woken, where it is not."""
        if self.running is None or self.record.state != "running" or not self.running.alive():
            async with self._changing:
                await self._bury()
                if self.record.state == "frozen" and self.running is not None:
                    raise Problem(
                        409,
                        "sandboxes.frozen",
                        f"{self.record.name} is frozen",
                        "it goes on when it is started",
                    )
                if self.running is None:
                    await self._start()
        self.touch()
        return self.channel

    async def start(self, *, accept_base: bool = False) -> None:
        """Started, woken or thawed: it runs. accept_base: also where the packages of the machine have changed below its own."""
        async with self._changing:
            await self._bury()
            if self.running is None:
                await self._start(accept_base=accept_base)
            elif self.record.state == "frozen":
                await self.provider.thaw(self.running)
                self._change("running", "thawed")
        self.touch()

    async def stop(self, state: str = "stopped") -> None:
        """End its processes, with some grace; the disk stays. state: `stopped`, or `asleep`."""
        async with self._changing:
            if self.running is not None:
                running = self.running
                self.attention.end()
                for feature in self.hub.features:
                    await feature.stopping(self)
                await self.provider.stop(running, self.disk, GRACE)
                await self._ended(state, state)
            elif self.record.state != state:
                self._change(state, state)

    async def freeze(self) -> None:
        """Its processes stand still; they and their memory stay."""
        async with self._changing:
            if self.running is None:
                raise Problem(409, "sandboxes.not_running", f"{self.record.name} does not run")
            if self.record.state != "frozen":
                await self.provider.freeze(self.running)
                self._change("frozen", "frozen")

    @contextlib.asynccontextmanager
    async def held_still(self) -> AsyncIterator[bool]:
        """Meanwhile it neither starts nor stops, and its processes stand still: whether it has any."""
        async with self._changing:
            freezes = self.running is not None and self.record.state == "running"
            if self.running is not None and freezes:
                await self.provider.freeze(self.running)
            try:
                yield self.running is not None
            finally:
                if self.running is not None and freezes:
                    await self.provider.thaw(self.running)

    async def kill(self) -> None:
        """End its processes at once; for what is to be deleted."""
        async with self._changing:
            self.deleted = True
            if self.running is not None:
                running = self.running
                self.attention.end()
                await self.provider.kill(running, self.disk)
                await self._ended("stopped", "stopped")
            with contextlib.suppress(WorkbenchError):  # a provider that is gone has nothing left here
                await self.provider.delete(self.disk)

    async def discard(self, folder: str) -> None:
        """Remove what is on disk."""
        await asyncio.to_thread(remove, folder)

    async def usage(self) -> Usage | None:
        """What it uses now; None where it has no processes or does not answer."""
        if self.running is None:
            return None
        try:
            async with asyncio.timeout(5):
                return await self.provider.usage(self.running, self.disk)
        except (TimeoutError, WorkbenchError, OSError):
            return None

    async def find(self) -> None:
        """Take up what a hub before us left running, also where it was killed before it had written that down."""
        traces = (self.disk.socket, self.disk.running)
        if self.record.state in ("running", "frozen") or any(map(_is_there, traces)):
            self.running = await self.provider.find(self.disk)
        if self.running is not None:
            async with asyncio.timeout(FOUND_WITHIN):
                said = await self.running.channel.hello()
            if said.get("frozen") and self.record.state != "frozen":
                await self.provider.thaw(self.running)  # a picture was being taken
            self.record.state = (
                "frozen" if said.get("frozen") and self.record.state == "frozen" else "running"
            )
            self.attention.begin()
            for feature in self.hub.features:
                await feature.started(self)
        elif self.record.state in ("running", "frozen"):
            self.record.state = "stopped"
            self.record.reason = "it ended while no hub ran"
            self.save()
            for feature in self.hub.features:
                await feature.stopped(self)

    async def let_go(self) -> None:
        """The hub ends; this lives on."""
        self.attention.end()
        self.save()

    def failed(self, reason: str) -> None:
        """It cannot be used as it is."""
        self.record.reason = reason
        self._change("failed", "failed", reason=reason)

    async def _start(self, *, accept_base: bool = False) -> None:
        spec = Spec(
            name=self.record.name,
            env=self.record.env,
            limits=self.limits,
            unsafe=self.record.unsafe,
            accept_base=accept_base,
        )
        try:
            for feature in self.hub.features:
                spec = await feature.starting(self, spec)
            self.running = await self.provider.start(spec, self.disk)
        except (WorkbenchError, OSError) as error:
            self.failed(error.message if isinstance(error, WorkbenchError) else str(error))
            raise
        self.record.started = iso(now_ms())
        self.record.reason = ""
        self._change("running", "started")
        self.attention.begin()
        for feature in self.hub.features:
            await feature.started(self)

    async def _bury(self) -> None:
        """Clear away what ended unseen, or runs but does not answer, so that it can be started anew."""
        if self.running is not None and (self.record.state == "failed" or not self.running.alive()):
            await self._lost()

    async def lost(self, running: Running) -> None:
        """That run of it ended, and nobody here told it to."""
        async with self._changing:
            if self.running is running:
                await self._lost()

    async def _lost(self) -> None:
        """It ended, and nobody here told it to."""
        running = self.running
        if running is None:
            return
        self.attention.end()
        with contextlib.suppress(WorkbenchError, OSError):
            await self.provider.kill(running, self.disk)
        self.record.reason = "its processes ended, and nobody here ended them"
        await self._ended("failed", "failed")

    async def _ended(self, state: str, event: str) -> None:
        self.running = None
        self._change(state, event)
        for feature in self.hub.features:
            await feature.stopped(self)

    def _change(self, state: str, event: str, **more: object) -> None:
        if state != "failed":
            self.record.reason = ""
        self.record.state = state
        try:
            self.save()
        except OSError:  # a full disk: what is written down can be found out again
            log.exception("the record of %s could not be written", self.record.short)
        self.hub.events.tell(event, self.record.id, self.record.name, **more)


def _is_there(path: str) -> bool:
    return os.path.lexists(path)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
