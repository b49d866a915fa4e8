"""Ports of sandboxes as URLs on this machine: `http://<port>-<short id>-<token>.localhost:<hub's port>`.

The loopback port is opened when the first preview is made, and by later hubs when there are any (the same port where it is free, so
that URLs last). Whoever connects is led by the first label of the `Host` they ask for, and from then on bytes go both ways as they
are: HTTP of any version, WebSockets, server-sent events, any path. A revoked preview's connections end with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.times import iso, now_ms

from ..bodies import Fields, small_body
from ..bridge import any_port, tunnel_name, tunnel_port
from ..feature import Feature
from ..preview_connection import Place, label_of, lead, refuse
from ..problems import Problem, invalid
from ..sandbox import Sandbox

log = logging.getLogger("cfwb.hub")
NAME = "previews"
LARGEST_HEAD = 64 << 10
PATIENCE = 30.0  # seconds to send the head of a request
MOST = 1000  # connections at once
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Previews(Feature):
    """The bridge's `{id}/tunnel/{port}`, and ours for every port: `{id}/preview`, `{id}/preview/{port}`."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._places: dict[str, Place] = {}
        self._open: dict[str, set[asyncio.Task[None]]] = {}
        self._count = 0
        self._opening = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/tunnel/{port}", self.tunnel, methods=["POST"]),
            Route(one + "/tunnel/{port}", self.close_tunnel, methods=["DELETE"]),
            Route(one + "/preview", self.list, methods=["GET"]),
            Route(one + "/preview/{port}", self.create, methods=["POST"]),
            Route(one + "/preview/{port}", self.delete, methods=["DELETE"]),
        ]

    async def open(self) -> None:
        for sandbox in self.hub.sandboxes:
            for kept in _kept(sandbox):
                self._places[kept["label"]] = Place(sandbox, kept["port"])
        if self._places:
            await self._listen()

    async def close(self) -> None:
        for label in list(self._open):
            self._cut(label)
        if self._server is not None:
            self._server.close()

    def needed(self) -> bool:
        return bool(self._places)

    async def deleted(self, sandbox: Sandbox) -> None:
        for kept in _kept(sandbox):
            self._revoke(kept["label"])

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        return {"previews": self.listed(sandbox)}

    def listed(self, sandbox: Sandbox) -> list[dict[str, Any]]:
        """The previews of a sandbox, as the API says them."""
        return [self._told(kept) for kept in _kept(sandbox)]

    async def tunnel(self, request: Request) -> Response:
        """Make the port's preview or give the one there is: `{id, port, url, hostname, createdAt, name?}`."""
        port = tunnel_port(request.path_params["port"])
        return await self._answer(request, port)

    async def create(self, request: Request) -> Response:
        """The same for every port."""
        port = any_port(request.path_params["port"])
        return await self._answer(request, port)

    async def _answer(self, request: Request, port: int) -> Response:
        name = _name(await small_body(request))
        sandbox = await self.hub.sandboxes.obtain(request.path_params["id"])
        try:
            return JSONResponse(await self._make(sandbox, port, name))
        except OSError as error:
            raise Problem(502, "tunnel_error", f"tunnel failed: {error}") from None

    async def _make(self, sandbox: Sandbox, port: int, name: str | None) -> dict[str, Any]:
        await self._listen()
        for kept in _kept(sandbox):
            if kept["port"] == port:
                if name is not None and kept["name"] != name:
                    kept["name"] = name
                    sandbox.save()
                return self._told(kept)
        token = "".join(secrets.choice(_LETTERS) for _ in range(16))
        kept = {
            "port": port,
            "label": f"{port}-{sandbox.record.short}-{token}",
            "name": name,
            "created": iso(now_ms()),
        }
        sandbox.record.features.setdefault(NAME, []).append(kept)
        sandbox.save()
        self._places[kept["label"]] = Place(sandbox, port)
        self.hub.events.tell("preview.created", sandbox.record.id, sandbox.record.name, port=port)
        return self._told(kept)

    async def close_tunnel(self, request: Request) -> Response:
        """Revoke; nothing to revoke is fine."""
        return self._delete(request, tunnel_port(request.path_params["port"]))

    async def delete(self, request: Request) -> Response:
        """The same for every port."""
        return self._delete(request, any_port(request.path_params["port"]))

    def _delete(self, request: Request, port: int) -> Response:
        sandbox = self.hub.sandboxes.find(request.path_params["id"])
        for kept in _kept(sandbox) if sandbox is not None else []:
            if sandbox is not None and kept["port"] == port:
                sandbox.record.features[NAME].remove(kept)
                sandbox.save()
                self._revoke(kept["label"])
                self.hub.events.tell("preview.deleted", sandbox.record.id, sandbox.record.name, port=port)
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        """`{previews}`"""
        return JSONResponse({"previews": self.listed(self.hub.sandboxes.get(request.path_params["id"]))})

    def _told(self, kept: dict[str, Any]) -> dict[str, Any]:
        hostname = f"{kept['label']}.localhost"
        told = {
            "id": kept["label"],
            "port": kept["port"],
            "url": f"http://{hostname}:{self._port}",
            "hostname": hostname,
            "createdAt": kept["created"],
        }
        return told | {"name": kept["name"]} if kept["name"] else told

    def _revoke(self, label: str) -> None:
        self._places.pop(label, None)
        self._cut(label)

    def _cut(self, label: str) -> None:
        for task in self._open.pop(label, set()):
            task.cancel()

    async def _listen(self) -> None:
        async with self._opening:
            if self._server is not None:
                return
            path = os.path.join(self.hub.places.data, "preview.json")
            for port in (_port_before(path), 0):
                if port is None:
                    continue
                with contextlib.suppress(OSError) if port else contextlib.nullcontext():
                    self._server = await asyncio.start_server(
                        self._connected, "127.0.0.1", port, limit=LARGEST_HEAD, start_serving=True
                    )
                    break
            assert self._server is not None
            self._port = self._server.sockets[0].getsockname()[1]
            _keep_port(path, self._port)
            log.info("previews on 127.0.0.1:%d", self._port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            label = label_of(head)
            place = self._places.get(label) if label else None
            if self._count > MOST:
                await refuse(writer, "503 Service Unavailable", "too many connections at once")
            elif place is None:
                await refuse(writer, "404 Not Found", "there is no preview of that name, or it was revoked")
            else:
                await self._serve(label, place, head, reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            self._count -= 1
            writer.close()

    async def _serve(
        self,
        label: str,
        place: Place,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """In a task of its own, which a revocation cancels."""
        task = asyncio.ensure_future(lead(place, head, reader, writer))
        self._open.setdefault(label, set()).add(task)
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            tasks = self._open.get(label)
            if tasks is not None:
                tasks.discard(task)
                if not tasks:
                    del self._open[label]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OSError):
            log.error("a preview failed", exc_info=error)


def _kept(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.record.features.get(NAME, []))


def _port_before(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(json.load(file)["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_port(path: str, port: int) -> None:
    with open(path, "w", encoding="ascii") as file:
        json.dump({"port": port}, file)


def _name(body: bytes) -> str | None:
    """`{name?}` of a request; what is no object with a name means none."""
    if not body.strip():
        return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON body") from None
    if not isinstance(said, dict) or "name" not in said:
        return None
    if not isinstance(said["name"], str):
        raise invalid("name must be a string when provided")
    return tunnel_name(Fields(said).text("name"))
