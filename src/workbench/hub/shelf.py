"""Where the layers of disks and the snapshots that name them are kept, taken, and taken away when nobody names them any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from workbench.model.times import iso, now_ms
from workbench.sandbox.disk import PARTS
from workbench.sandbox.disk.layers import Layers
from workbench.sandbox.disk.size import of_folders

from .pictures import Picture, read_all
from .problems import Problem
from .sandbox import Sandbox
from .sandboxes import new_id

if TYPE_CHECKING:
    from .core import Hub

log = logging.getLogger("cfwb.hub")
AUTOMATIC = 5  # automatic snapshots that are kept of a sandbox
MOST_LAYERS = 12  # of one sandbox, before they are made one


class Shelf:
    """All layers and snapshots of a hub. A layer is named by a sandbox's record, by a snapshot, or held for a while."""

    def __init__(self, hub: Hub) -> None:
        self.layers = Layers(hub.places.layers, hub.engines.machine)
        self._hub = hub
        self._folder = os.path.join(hub.places.data, "snapshots")
        self._pictures: dict[str, Picture] = {}
        self._held: dict[str, int] = {}
        self._sweeping = True

    async def open(self) -> None:
        """Finish what a hub before us had begun, then take away the layers nobody names."""
        await asyncio.to_thread(os.makedirs, self._folder, 0o700, True)
        found, wrong = await asyncio.to_thread(read_all, self._folder)
        for each in wrong:
            log.error("left alone: %s", each)
        self._pictures = {picture.id: picture for picture in found}
        for sandbox in self._hub.sandboxes:
            moved = await asyncio.to_thread(self.layers.moved, sandbox.disk)
            if moved is not None:
                if moved not in sandbox.record.layers:
                    sandbox.record.layers.insert(0, moved)
                    sandbox.save()
                self.layers.settled(sandbox.disk)
        await asyncio.to_thread(self.layers.sweep)
        # What we cannot read may name layers too: then all of them stay.
        self._sweeping = not wrong and not self._hub.sandboxes.left_alone
        await self.sweep(self.layers.names())

    # -- snapshots

    def of(self, sandbox: str | None = None) -> list[Picture]:
        """All, or those of a sandbox (its id, or the name it had), the newest first."""
        found = [each for each in self._pictures.values() if sandbox in (None, each.sandbox, each.origin)]
        return sorted(found, key=lambda picture: picture.created, reverse=True)

    def find(self, id_or_name: str) -> Picture | None:
        return self._pictures.get(id_or_name) or next(
            (picture for picture in self._pictures.values() if picture.name == id_or_name), None
        )

    def get(self, id_or_name: str) -> Picture:
        """Raises `snapshots.not_found`."""
        found = self.find(id_or_name)
        if found is None:
            raise Problem(404, "snapshots.not_found", f"there is no snapshot {id_or_name!r}")
        return found

    def keep(
        self, sandbox: Sandbox, layers: list[str], *, name: str | None = None, automatic: bool = False
    ) -> Picture:
        """Name these layers as a snapshot of a sandbox."""
        record = sandbox.record
        picture = Picture(
            id=new_id()[:8],
            created=iso(now_ms()),
            sandbox=record.id,
            origin=record.name,
            provider=record.provider,
            layers=layers,
            name=name,
            automatic=automatic,
            options={"env": record.env, "limits": record.limits},
        )
        picture.write(self._folder)
        self._pictures[picture.id] = picture
        if automatic:
            mine = [each for each in self.of(record.id) if each.automatic]
            for old in mine[AUTOMATIC:]:
                self._hub.spawn(self.delete(old))
        told = self._hub.events.tell
        told("snapshot.created", record.id, record.name, snapshot=picture.id, automatic=automatic)
        return picture

    async def delete(self, picture: Picture) -> None:
        """Sandboxes made from it keep what they have of it."""
        if self._pictures.pop(picture.id, None) is not None:
            picture.delete(self._folder)
            await self.sweep(picture.layers)

    def measured(self, picture: Picture) -> int:
        """Bytes of its layers on the machine's disk. Blocks."""
        return of_folders([self.layers.path(name) for name in picture.layers])

    # -- layers

    async def taken(self, sandbox: Sandbox) -> list[str]:
        """The layers of its disk as it is now, the newest first: by a rename where it is stopped, else by a copy."""
        layered(sandbox)
        async with sandbox.held_still() as alive:
            if alive:
                copied = await asyncio.to_thread(self.layers.copy, sandbox.disk)
                return [copied, *sandbox.record.layers]
            if not sandbox.record.layers or await asyncio.to_thread(changed, sandbox):
                await self.take(sandbox)
            return list(sandbox.record.layers)

    async def take(self, sandbox: Sandbox) -> list[str]:
        """The upper layer of a stopped sandbox, which must be held still, becomes its newest one: its layers then."""
        disk, record = sandbox.disk, sandbox.record
        if not await asyncio.to_thread(os.path.isdir, os.path.join(disk.folder, "up")):
            await asyncio.to_thread(disk.create, self._hub.engines.machine.owner)
        name = await asyncio.to_thread(self.layers.take, disk)
        record.layers = [name, *record.layers]
        sandbox.save()
        self.layers.settled(disk)
        if len(record.layers) > MOST_LAYERS:
            before = record.layers
            record.layers = [await asyncio.to_thread(self.layers.flatten, before)]
            sandbox.save()
            await self.sweep(before)
        return list(record.layers)

    @contextlib.asynccontextmanager
    async def held(self, layers: Iterable[str]) -> AsyncIterator[None]:
        """Meanwhile these stay, whoever stops naming them."""
        names = set(layers)
        for name in names:
            self._held[name] = self._held.get(name, 0) + 1
        try:
            yield
        finally:
            for name in names:
                self._held[name] -= 1
                if not self._held[name]:
                    del self._held[name]
            await self.sweep(names)

    async def sweep(self, names: Iterable[str]) -> None:
        """Delete those of these layers that nobody names."""
        if not self._sweeping:
            return
        named = {name for picture in self._pictures.values() for name in picture.layers} | set(self._held)
        named |= {name for sandbox in self._hub.sandboxes for name in sandbox.record.layers}
        for name in set(names) - named:
            await asyncio.to_thread(self.layers.delete, name)


def layered(sandbox: Sandbox) -> None:
    """Refuse what has no layers."""
    if sandbox.record.provider != "bubblewrap":
        kind = sandbox.record.provider
        raise Problem(
            501, "target.not_capable", f"the provider {kind} keeps no layers: no snapshots, no forks"
        )


def changed(sandbox: Sandbox) -> bool:
    """Whether it has written anything since its newest layer."""
    for part in PARTS:
        try:
            if os.listdir(sandbox.disk.upper(part)):
                return True
        except FileNotFoundError:
            continue
    return False
