"""Whole disks: pictures of them, sandboxes forked from them, disks put back, archives of them.

A picture of a sandbox that is stopped is a rename; of one that runs its files are copied while it stands still, and it goes on. A layer
goes when no sandbox and no snapshot names it any more.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
import os
import platform
import threading
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.sandbox.disk import PARTS, archive
from workbench.sandbox.disk.layers import Layers, base_of
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.disk.size import of_folders

from ..bodies import optional_json, required_json
from ..feature import Feature
from ..pictures import Picture, read_all
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..sandboxes import new_id
from ..streams import Streamed
from .lifecycle import Lifecycle

log = logging.getLogger("cfwb.hub")
AUTOMATIC = 5  # automatic snapshots that are kept of a sandbox
MOST_LAYERS = 12  # of one sandbox, before they are made one
MOST_FORKS = 64  # at once
PIECE = 1 << 18


class Snapshots(Feature):
    """`{id}/snapshot`, `{id}/restore`, `{id}/fork`, `{id}/disk`; `/v1/snapshot...`, `/v1/archive`."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._folder = os.path.join(hub.places.data, "snapshots")
        self._layers = Layers(hub.places.layers, hub.engines.machine)
        self._all: dict[str, Picture] = {}
        self._in_use: dict[str, int] = {}
        self._sweeping = True

    def routes(self) -> list[BaseRoute]:
        one, snapshot = "/v1/sandbox/{id}", "/v1/snapshot/{snapshot}"
        return [
            Route(one + "/snapshot", self.create, methods=["POST"]),
            Route(one + "/restore", self.restore, methods=["POST"]),
            Route(one + "/fork", self.fork, methods=["POST"]),
            Route(one + "/disk", self.export, methods=["GET"]),
            Route("/v1/snapshot", self.list, methods=["GET"]),
            Route(snapshot, self.get, methods=["GET"]),
            Route(snapshot, self.delete, methods=["DELETE"]),
            Route(snapshot + "/disk", self.export_snapshot, methods=["GET"]),
            Route("/v1/archive", self.receive, methods=["POST"]),
        ]

    async def open(self) -> None:
        """Finish what a hub before us had begun, then take away the layers nobody names."""
        await asyncio.to_thread(os.makedirs, self._folder, 0o700, True)
        found, wrong = await asyncio.to_thread(read_all, self._folder)
        for each in wrong:
            log.error("left alone: %s", each)
        self._all = {picture.id: picture for picture in found}
        for sandbox in self.hub.sandboxes:
            moved = await asyncio.to_thread(self._layers.moved, sandbox.disk)
            if moved is not None:
                if moved not in sandbox.record.layers:
                    sandbox.record.layers.insert(0, moved)
                    sandbox.save()
                self._layers.settled(sandbox.disk)
        await asyncio.to_thread(self._layers.sweep)
        # What we cannot read may name layers too: then all of them stay.
        self._sweeping = not wrong and not self.hub.sandboxes.left_alone
        await self._sweep(self._layers.names())

    async def created(self, sandbox: Sandbox, options: dict[str, Any]) -> None:
        """`from`: a snapshot, or another sandbox as it is now."""
        source = options.get("from")
        if source is None or sandbox.record.layers:
            return
        if not isinstance(source, str):
            raise invalid("from must be the name or id of a snapshot or a sandbox")
        picture = self._find(source)
        if picture is not None:
            sandbox.record.layers = list(picture.layers)
            sandbox.record.origin = picture.id
        else:
            other = self.hub.sandboxes.get(source)
            sandbox.record.layers = await self._taken(other)
            sandbox.record.origin = other.record.name
        _layered(sandbox)

    async def stopped(self, sandbox: Sandbox) -> None:
        """A picture of what goes to sleep, where it has written something since the last one."""
        if sandbox.record.state != "asleep" or sandbox.record.provider != "bubblewrap" or sandbox.deleted:
            return
        if await asyncio.to_thread(_changed, sandbox):
            self._keep(sandbox, await self._take(sandbox), automatic=True)

    async def deleted(self, sandbox: Sandbox) -> None:
        """Its snapshots stay; its layers go with the next sweep, for now it still names them."""
        names = list(sandbox.record.layers)
        sandbox.record.layers = []
        self.hub.spawn(self._sweep(names))

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        mine = [picture for picture in self._all.values() if picture.sandbox == sandbox.record.id]
        return {"snapshots": len(mine), "layers": len(sandbox.record.layers)}

    async def create(self, request: Request) -> Response:
        """`{name?}`: a picture of the whole disk. What runs stands still meanwhile, and goes on."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        name = (await optional_json(request)).text("name", longest=128) or None
        if name is not None and self._find(name) is not None:
            raise Problem(409, "snapshots.exists", f"there is a snapshot {name!r} already")
        _layered(sandbox)
        return JSONResponse(self._told(self._keep(sandbox, await self._taken(sandbox), name=name)))

    async def list(self, request: Request) -> Response:
        """`{snapshots}`, the newest first; `?sandbox=` of one."""
        wanted = request.query_params.get("sandbox")
        found = [p for p in self._all.values() if wanted in (None, p.sandbox, p.origin)]
        found.sort(key=lambda picture: picture.created, reverse=True)
        return JSONResponse({"snapshots": [self._told(picture) for picture in found]})

    async def get(self, request: Request) -> Response:
        """One snapshot, by id or name, with the bytes its own layers take."""
        picture = self._asked(request)
        size = await asyncio.to_thread(self._measured, picture)
        return JSONResponse(self._told(picture) | {"size_bytes": size})

    async def delete(self, request: Request) -> Response:
        """Sandboxes made from it keep what they have of it."""
        picture = self._asked(request)
        del self._all[picture.id]
        picture.delete(self._folder)
        await self._sweep(picture.layers)
        self.hub.events.tell("snapshot.deleted", picture.sandbox, picture.origin, snapshot=picture.id)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        """`{snapshot}`: the sandbox's disk is as it was then; it is stopped for that. What it had is kept as an automatic snapshot."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        picture = self._named((await required_json(request)).text("snapshot"))
        _layered(sandbox)
        await sandbox.stop()
        async with sandbox.held_still() as alive:
            if alive:
                raise Problem(409, "sandboxes.busy", f"{sandbox.record.name} was started again meanwhile")
            if await asyncio.to_thread(_changed, sandbox):
                self._keep(sandbox, await self._take(sandbox), automatic=True)
            sandbox.record.layers = list(picture.layers)
            sandbox.save()
        record = sandbox.record
        self.hub.events.tell("restored", record.id, record.name, snapshot=picture.id)
        return JSONResponse(await self.hub.feature(Lifecycle).told(sandbox))

    async def fork(self, request: Request) -> Response:
        """`{names, snapshot?, start?}`: a sandbox for each name, with the disk as it is now (or as in the snapshot): `{sandboxes}`."""
        source = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        names = body.texts("names")
        if not 1 <= len(names) <= MOST_FORKS or len(set(names)) != len(names):
            raise invalid(f"names must be 1 to {MOST_FORKS} different names")
        _layered(source)
        if "snapshot" in body:
            layers = list(self._named(body.text("snapshot")).layers)
        else:
            layers = await self._taken(source)
        made: builtins.list[Sandbox] = []
        self._hold(layers)
        try:
            for name in names:
                made.append(
                    await self.hub.sandboxes.create({"name": name}, like=source.record, layers=layers)
                )
            if body.flag("start", True):
                await asyncio.gather(*(sandbox.start() for sandbox in made))
        except BaseException:
            for sandbox in made:
                await self.hub.sandboxes.delete(sandbox)
            raise
        finally:
            await self._let_go(layers)
        told = self.hub.feature(Lifecycle).brief
        return JSONResponse({"sandboxes": [told(sandbox) for sandbox in made]})

    async def export(self, request: Request) -> Response:
        """The whole disk as an archive (tar, gzip), for this or another machine."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        _layered(sandbox)
        return await self._packed(await self._taken(sandbox), _options(sandbox), sandbox.record.name)

    async def export_snapshot(self, request: Request) -> Response:
        """A snapshot as an archive."""
        picture = self._asked(request)
        return await self._packed(list(picture.layers), picture.options, picture.origin)

    async def receive(self, request: Request) -> Response:
        """`?name=`, the body an archive: a sandbox with that disk, which is not started."""
        name = request.query_params.get("name")
        reading, writing = os.pipe()
        layer, folder = self._layers.receive()
        work = asyncio.ensure_future(asyncio.to_thread(self._unpack, reading, folder))
        try:
            await _pour(request, writing)
            manifest = await work
            self._layers.keep(layer, manifest.fingerprint)
        except BaseException:
            await asyncio.gather(work, return_exceptions=True)
            await asyncio.to_thread(remove, folder)
            raise
        self._hold([layer])
        try:
            options = {key: value for key, value in manifest.about.items() if key in ("env", "limits")}
            made = await self.hub.sandboxes.create(
                options | ({"name": name} if name else {}), layers=[layer], only=_layered
            )
        finally:
            await self._let_go([layer])
        return JSONResponse(await self.hub.feature(Lifecycle).told(made))

    # -- layers

    async def _taken(self, sandbox: Sandbox) -> builtins.list[str]:
        """The layers of the disk as it is now; held in use by whoever gets them named in a record next."""
        _layered(sandbox)
        async with sandbox.held_still() as alive:
            if alive:
                copied = await asyncio.to_thread(self._layers.copy, sandbox.disk)
                return [copied, *sandbox.record.layers]
            if not sandbox.record.layers or await asyncio.to_thread(_changed, sandbox):
                await self._take(sandbox)
            return list(sandbox.record.layers)

    async def _take(self, sandbox: Sandbox) -> builtins.list[str]:
        """The upper layer of a stopped sandbox becomes its newest one; it must be held still."""
        disk, record = sandbox.disk, sandbox.record
        if not await asyncio.to_thread(os.path.isdir, os.path.join(disk.folder, "up")):
            await asyncio.to_thread(disk.create, self.hub.engines.machine.owner)
        name = await asyncio.to_thread(self._layers.take, disk)
        record.layers = [name, *record.layers]
        sandbox.save()
        self._layers.settled(disk)
        if len(record.layers) > MOST_LAYERS:
            before = record.layers
            record.layers = [await asyncio.to_thread(self._layers.flatten, before)]
            sandbox.save()
            await self._sweep(before)
        return list(record.layers)

    def _keep(
        self,
        sandbox: Sandbox,
        layers: builtins.list[str],
        *,
        name: str | None = None,
        automatic: bool = False,
    ) -> Picture:
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
            options=_options(sandbox),
        )
        picture.write(self._folder)
        self._all[picture.id] = picture
        if automatic:
            self._thin_out(record.id)
        self.hub.events.tell(
            "snapshot.created", record.id, record.name, snapshot=picture.id, automatic=automatic
        )
        return picture

    def _thin_out(self, sandbox: str) -> None:
        """Of the automatic ones only the newest stay."""
        mine = [p for p in self._all.values() if p.sandbox == sandbox and p.automatic]
        for old in sorted(mine, key=lambda picture: picture.created)[:-AUTOMATIC]:
            del self._all[old.id]
            old.delete(self._folder)
            self.hub.spawn(self._sweep(old.layers))

    def _hold(self, layers: builtins.list[str]) -> None:
        for name in layers:
            self._in_use[name] = self._in_use.get(name, 0) + 1

    async def _let_go(self, layers: builtins.list[str]) -> None:
        for name in layers:
            self._in_use[name] -= 1
            if not self._in_use[name]:
                del self._in_use[name]
        await self._sweep(layers)

    async def _sweep(self, names: builtins.list[str]) -> None:
        """Delete those of these layers that nobody names."""
        if not self._sweeping:
            return
        named = {name for picture in self._all.values() for name in picture.layers} | set(self._in_use)
        named |= {name for sandbox in self.hub.sandboxes for name in sandbox.record.layers}
        for name in set(names) - named:
            await asyncio.to_thread(self._layers.delete, name)

    # -- archives

    async def _packed(self, layers: builtins.list[str], about: dict[str, Any], name: str) -> Response:
        flat = layers[0] if len(layers) == 1 else await asyncio.to_thread(self._layers.flatten, layers)
        held = list({flat, *layers})
        self._hold(held)
        manifest = archive.Manifest(
            base_of(self._layers.path(flat)), platform.machine(), about | {"name": name}
        )

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in _from_thread(
                    lambda out: archive.write(self._layers.path(flat), manifest, out)
                ):
                    yield piece
            finally:
                await self._let_go(held)

        return Streamed(pieces(), "application/gzip")

    def _unpack(self, reading: int, folder: str) -> archive.Manifest:
        with os.fdopen(reading, "rb") as source:
            return archive.read(source, folder, owner=self.hub.engines.machine.owner)

    # -- what there is

    def _told(self, picture: Picture) -> dict[str, Any]:
        return {
            "id": picture.id,
            "name": picture.name,
            "sandbox": picture.origin,
            "sandbox_id": picture.sandbox,
            "created": picture.created,
            "automatic": picture.automatic,
            "layers": len(picture.layers),
            "provider": picture.provider,
        }

    def _measured(self, picture: Picture) -> int:
        return of_folders([self._layers.path(name) for name in picture.layers])

    def _find(self, id_or_name: str) -> Picture | None:
        return self._all.get(id_or_name) or next(
            (picture for picture in self._all.values() if picture.name == id_or_name), None
        )

    def _named(self, id_or_name: str) -> Picture:
        found = self._find(id_or_name)
        if found is None:
            raise Problem(404, "snapshots.not_found", f"there is no snapshot {id_or_name!r}")
        return found

    def _asked(self, request: Request) -> Picture:
        return self._named(request.path_params["snapshot"])


def _layered(sandbox: Sandbox) -> None:
    """Refuse what has no layers."""
    if sandbox.record.provider != "bubblewrap":
        raise Problem(
            501,
            "target.not_capable",
            f"the provider {sandbox.record.provider} keeps no layers: no snapshots, no forks",
        )


def _changed(sandbox: Sandbox) -> bool:
    """Whether it has written anything since its newest layer."""
    for part in PARTS:
        try:
            if os.listdir(sandbox.disk.upper(part)):
                return True
        except FileNotFoundError:
            continue
    return False


def _options(sandbox: Sandbox) -> dict[str, Any]:
    """What a sandbox made from its picture is like."""
    return {"env": sandbox.record.env, "limits": sandbox.record.limits}


async def _pour(request: Request, writing: int) -> None:
    """A request's body into a pipe, at the pace of whoever reads it; where nobody does any more the rest is dropped."""
    with os.fdopen(writing, "wb", buffering=0) as out:
        async for piece in request.stream():
            try:
                await asyncio.to_thread(_write_all, out, piece)
            except BrokenPipeError:
                return


def _write_all(out: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


async def _from_thread(write: Any) -> AsyncIterator[bytes]:
    """What a function writes into the file it is given, in pieces; it runs in a thread, at our pace."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def work() -> None:
        out: BinaryIO
        try:
            with os.fdopen(writing, "wb") as out:
                write(out)
        except BrokenPipeError:
            pass  # whoever asked has gone
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True, name="archive")
    thread.start()
    try:
        while piece := await asyncio.to_thread(os.read, reading, PIECE):
            yield piece
    finally:
        os.close(reading)
        await asyncio.to_thread(thread.join)
    if failed:
        raise (
            failed[0]
            if isinstance(failed[0], WorkbenchError)
            else WorkbenchError("sandbox.failed", str(failed[0]))
        )
