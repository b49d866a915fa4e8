"""Sandboxes themselves: made, listed, looked at, changed, started, stopped, deleted."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..bodies import optional_json, small_body
from ..feature import Feature
from ..options import apply
from ..problems import invalid
from ..sandbox import Sandbox

PAGE = 1000


class Lifecycle(Feature):
    """`/v1/sandbox` and what is directly below it. The bridge has the creation (which it answers with the id alone), the deletion
    and `running`; the rest is ours."""

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route("/v1/sandbox", self.create, methods=["POST"]),
            Route("/v1/sandbox", self.list, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/running", self.is_running, methods=["GET"]),
            Route(one + "/start", self.start, methods=["POST"]),
            Route(one + "/stop", self.stop, methods=["POST"]),
            Route(one + "/freeze", self.freeze, methods=["POST"]),
            Route(one + "/thaw", self.start, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Without a body an id for later, as the bridge; with one (`{name, ...}`) a sandbox, started unless `start` is false."""
        from ..sandboxes import new_id

        if not (await small_body(request)).strip():
            return JSONResponse({"id": new_id()})
        body = await optional_json(request)
        options = dict(body.values)
        start = body.flag("start", True)
        options.pop("start", None)
        sandbox = await self.hub.sandboxes.create(options)
        if start:
            try:
                await sandbox.start()
            except BaseException:
                await self.hub.sandboxes.delete(sandbox)
                raise
        return JSONResponse(await self.told(sandbox))

    async def list(self, request: Request) -> Response:
        """`{sandboxes, cursor}` by name; `?name=` the one of that name or id; `?limit=&cursor=` a page."""
        name = request.query_params.get("name")
        if name is not None:
            found = self.hub.sandboxes.find(name)
            return JSONResponse({"sandboxes": [self.brief(found)] if found else [], "cursor": None})
        limit = request.query_params.get("limit") or str(PAGE)
        if not limit.isdecimal() or not 0 < int(limit) <= PAGE:
            raise invalid(f"limit must be a whole number from 1 to {PAGE}")
        after = request.query_params.get("cursor") or ""
        rest = sorted((s for s in self.hub.sandboxes if s.record.name > after), key=lambda s: s.record.name)
        page = rest[: int(limit)]
        cursor = page[-1].record.name if len(rest) > len(page) else None
        return JSONResponse({"sandboxes": [self.brief(sandbox) for sandbox in page], "cursor": cursor})

    async def get(self, request: Request) -> Response:
        """Everything that is known of it; it is not started for that."""
        return JSONResponse(await self.told(self._sandbox(request)))

    async def update(self, request: Request) -> Response:
        """Change `env`, `limits`, `network`, `keep_alive`, `sleep_after` or `name`. The environment counts from the next start."""
        sandbox = self._sandbox(request)
        changes = dict((await optional_json(request)).values)
        name = changes.pop("name", None)
        apply(sandbox.record, changes, new=False)
        if name is not None:
            self.hub.sandboxes.rename(sandbox, name)
        sandbox.save()
        if sandbox.running is not None:
            sandbox.attention.begin()
        for feature in self.hub.features:
            await feature.changed(sandbox, changes)
        self.hub.events.tell("changed", sandbox.record.id, sandbox.record.name, changes=sorted(changes))
        return JSONResponse(await self.told(sandbox))

    async def delete(self, request: Request) -> Response:
        """End it and remove all of it; what is not there is gone already."""
        sandbox = self.hub.sandboxes.find(request.path_params["id"])
        if sandbox is not None:
            await self.hub.sandboxes.delete(sandbox)
        return Response(status_code=204)

    async def is_running(self, request: Request) -> Response:
        """`{running}`: whether a command can be run in it, which starts it."""
        try:
            sandbox = await self.hub.sandboxes.obtain(request.path_params["id"])
            async with sandbox.use() as channel:
                await channel.hello()
        except Exception:
            return JSONResponse({"running": False})
        return JSONResponse({"running": True})

    async def start(self, request: Request) -> Response:
        """Start, wake or thaw it; `{accept_base: true}` also where the packages of the machine have changed below its own."""
        sandbox = self._sandbox(request)
        await sandbox.start(accept_base=(await optional_json(request)).flag("accept_base"))
        return JSONResponse(await self.told(sandbox))

    async def stop(self, request: Request) -> Response:
        """End its processes; the disk stays."""
        sandbox = self._sandbox(request)
        await sandbox.stop()
        return JSONResponse(await self.told(sandbox))

    async def freeze(self, request: Request) -> Response:
        """Hold its processes still."""
        sandbox = self._sandbox(request)
        await sandbox.freeze()
        return JSONResponse(await self.told(sandbox))

    def _sandbox(self, request: Request) -> Sandbox:
        return self.hub.sandboxes.get(request.path_params["id"])

    def brief(self, sandbox: Sandbox) -> dict[str, Any]:
        """What a list says of it."""
        record = sandbox.record
        return {
            "name": record.name,
            "id": record.id,
            "short": record.short,
            "state": record.state,
            "reason": record.reason,
            "provider": record.provider,
            "unsafe": record.unsafe,
            "network": record.network,
            "keep_alive": record.keep_alive,
            "sleep_after": record.sleep_after,
            "created": record.created,
            "started": record.started,
            "last_used": record.last_used,
            "origin": record.origin,
        }

    async def told(self, sandbox: Sandbox) -> dict[str, Any]:
        """Everything."""
        record = sandbox.record
        usage = await sandbox.usage()
        availability = self.hub.engines.availability(record.provider)
        most = sandbox.limits.processes
        limits = {"processes": most} if availability and "processes" not in availability.absent else {}
        whole = self.brief(sandbox) | {"env": record.env, "limits": limits | record.limits, "usage": None}
        if usage is not None:
            whole["usage"] = {
                "cpu_seconds": usage.cpu_seconds,
                "memory_bytes": usage.memory,
                "processes": usage.processes,
                "disk_bytes": usage.disk,
            }
        opened = [sentence for feature in self.hub.features for sentence in await feature.exposes(sandbox)]
        if availability is not None:
            whole |= {
                "isolation": list(availability.protects),
                "exposure": [*availability.exposes, *opened],
                "enforced": list(availability.enforced),
                "watched": list(availability.watched),
            }
        detail: dict[str, Any] = {}
        for feature in self.hub.features:
            detail |= await feature.details(sandbox)
        return whole | {"detail": detail}
