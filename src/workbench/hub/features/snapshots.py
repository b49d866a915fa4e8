"""Whole disks: pictures of them, sandboxes forked from them, disks put back, archives of them.

A picture of a sandbox that is stopped is a rename; of one that runs its files are copied while it stands still, and it goes on.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.sandbox.disk import archive
from workbench.sandbox.disk.layers import base_of
from workbench.sandbox.disk.remove import remove

from ..archives import packed, unpacked
from ..bodies import optional_json, required_json
from ..feature import Feature
from ..pictures import Picture
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..shelf import Shelf, changed, layered
from ..streams import Streamed
from .lifecycle import Lifecycle

MOST_FORKS = 64  # at once


class Snapshots(Feature):
    """`{id}/snapshot`, `{id}/restore`, `{id}/fork`, `{id}/disk`; `/v1/snapshot...`, `/v1/archive`."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self.shelf = Shelf(hub)

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
        await self.shelf.open()

    async def created(self, sandbox: Sandbox, options: dict[str, Any]) -> None:
        """`from`: a snapshot, or another sandbox as it is now."""
        source = options.get("from")
        if source is None or sandbox.record.layers:
            return
        if not isinstance(source, str):
            raise invalid("from must be the name or id of a snapshot or a sandbox")
        picture = self.shelf.find(source)
        if picture is not None:
            sandbox.record.layers = list(picture.layers)
            sandbox.record.origin = picture.id
        else:
            other = self.hub.sandboxes.get(source)
            sandbox.record.layers = await self.shelf.taken(other)
            sandbox.record.origin = other.record.name
        layered(sandbox)

    async def stopped(self, sandbox: Sandbox) -> None:
        """A picture of what goes to sleep, where it has written something since the last one."""
        if sandbox.record.state != "asleep" or sandbox.record.provider != "bubblewrap" or sandbox.deleted:
            return
        if await asyncio.to_thread(changed, sandbox):
            self.shelf.keep(sandbox, await self.shelf.take(sandbox), automatic=True)

    async def deleted(self, sandbox: Sandbox) -> None:
        """Its snapshots stay; layers that only it named go."""
        names, sandbox.record.layers = sandbox.record.layers, []
        self.hub.spawn(self.shelf.sweep(names))

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        return {"snapshots": len(self.shelf.of(sandbox.record.id)), "layers": len(sandbox.record.layers)}

    async def create(self, request: Request) -> Response:
        """`{name?}`: a picture of the whole disk. What runs stands still meanwhile, and goes on."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        name = (await optional_json(request)).text("name", longest=128) or None
        if name is not None and self.shelf.find(name) is not None:
            raise Problem(409, "snapshots.exists", f"there is a snapshot {name!r} already")
        layers = await self.shelf.taken(sandbox)
        return JSONResponse(_told(self.shelf.keep(sandbox, layers, name=name)))

    async def list(self, request: Request) -> Response:
        """`{snapshots}`, the newest first; `?sandbox=` of one."""
        found = self.shelf.of(request.query_params.get("sandbox"))
        return JSONResponse({"snapshots": [_told(picture) for picture in found]})

    async def get(self, request: Request) -> Response:
        """One snapshot, by id or name, with the bytes that its layers take."""
        picture = self.shelf.get(request.path_params["snapshot"])
        size = await asyncio.to_thread(self.shelf.measured, picture)
        return JSONResponse(_told(picture) | {"size_bytes": size})

    async def delete(self, request: Request) -> Response:
        """Sandboxes made from it keep what they have of it."""
        picture = self.shelf.get(request.path_params["snapshot"])
        await self.shelf.delete(picture)
        self.hub.events.tell("snapshot.deleted", picture.sandbox, picture.origin, snapshot=picture.id)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        """`{snapshot}`: the sandbox's disk is as it was then; it is stopped for that. What it had is kept as an automatic snapshot."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        picture = self.shelf.get((await required_json(request)).text("snapshot"))
        layered(sandbox)
        await sandbox.stop()
        async with sandbox.held_still() as alive:
            if alive:
                raise Problem(409, "sandboxes.busy", f"{sandbox.record.name} was started again meanwhile")
            if await asyncio.to_thread(changed, sandbox):
                self.shelf.keep(sandbox, await self.shelf.take(sandbox), automatic=True)
            sandbox.record.layers = list(picture.layers)
            sandbox.save()
        self.hub.events.tell("restored", sandbox.record.id, sandbox.record.name, snapshot=picture.id)
        return JSONResponse(await self.hub.feature(Lifecycle).told(sandbox))

    async def fork(self, request: Request) -> Response:
        """`{names, snapshot?, start?}`: a sandbox for each name, with the disk as it is now (or as in the snapshot): `{sandboxes}`."""
        source = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        names = body.texts("names")
        if not 1 <= len(names) <= MOST_FORKS or len(set(names)) != len(names):
            raise invalid(f"names must be 1 to {MOST_FORKS} different names")
        layered(source)
        picture = self.shelf.get(body.text("snapshot")) if "snapshot" in body else None
        layers = picture.layers if picture is not None else await self.shelf.taken(source)
        async with self.shelf.held(layers):
            made = await self._forked(source, names, layers, start=body.flag("start", True))
        told = self.hub.feature(Lifecycle).brief
        return JSONResponse({"sandboxes": [told(sandbox) for sandbox in made]})

    async def _forked(self, source: Sandbox, names: Any, layers: Any, *, start: bool) -> Any:
        """All of them, or none."""
        made = []
        try:
            for name in names:
                made.append(
                    await self.hub.sandboxes.create({"name": name}, like=source.record, layers=layers)
                )
            if start:
                await asyncio.gather(*(sandbox.start() for sandbox in made))
        except BaseException:
            for sandbox in made:
                await self.hub.sandboxes.delete(sandbox)
            raise
        return made

    async def export(self, request: Request) -> Response:
        """The whole disk as an archive (tar, gzip), for this or another machine."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        layers, record = await self.shelf.taken(sandbox), sandbox.record
        return await self._packed(layers, {"env": record.env, "limits": record.limits}, record.name)

    async def export_snapshot(self, request: Request) -> Response:
        """A snapshot as an archive."""
        picture = self.shelf.get(request.path_params["snapshot"])
        return await self._packed(picture.layers, picture.options, picture.origin)

    async def _packed(self, layers: Any, about: dict[str, Any], name: str) -> Response:
        kept = self.shelf.layers
        flat = layers[0] if len(layers) == 1 else await asyncio.to_thread(kept.flatten, layers)
        manifest = archive.Manifest(base_of(kept.path(flat)), platform.machine(), about | {"name": name})

        async def pieces() -> AsyncIterator[bytes]:
            async with self.shelf.held({flat, *layers}):
                async for piece in packed(kept.path(flat), manifest):
                    yield piece

        return Streamed(pieces(), "application/gzip")

    async def receive(self, request: Request) -> Response:
        """`?name=`, the body an archive: a sandbox with that disk, which is not started."""
        name, owner = request.query_params.get("name"), self.hub.engines.machine.owner
        layer, folder = self.shelf.layers.receive()
        try:
            manifest = await unpacked(request.stream(), folder, owner)
            self.shelf.layers.keep(layer, manifest.fingerprint)
        except BaseException:
            await asyncio.to_thread(remove, folder)
            raise
        async with self.shelf.held([layer]):
            options = {key: value for key, value in manifest.about.items() if key in ("env", "limits")}
            options |= {"name": name} if name else {}
            made = await self.hub.sandboxes.create(options, layers=[layer], only=layered)
        return JSONResponse(await self.hub.feature(Lifecycle).told(made))


def _told(picture: Picture) -> dict[str, Any]:
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
