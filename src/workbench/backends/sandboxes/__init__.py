"""The client of the sandbox routes: of the hub on this machine, which it starts when needed, and of a deployed bridge alike.

`launch` finds or starts a hub (as a process: nothing here imports it), `transport` speaks HTTP and WebSockets, and a module a noun
implements `backends/sandbox_protocol.py`. May import model/, httpx and websockets; everything suspends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from functools import cached_property
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.hub import PROTOCOL, Hub, HubStopped
from workbench.model.page import Page
from workbench.model.places import HubPlaces, hub_places
from workbench.model.sandboxes import Checkout, Sandbox, SandboxEvent
from workbench.model.state import Removal

from . import launch, shapes
from .client import SandboxClient, sandbox_url
from .contexts import Contexts
from .execution import Bytes, EventExecution, SocketExecution, pieces
from .files import Files
from .mounts import Mounts
from .network import Network
from .previews import Previews
from .processes import Processes
from .sessions import Sessions
from .shapes import WORKSPACE, absolute, value
from .snapshots import Snapshots
from .terminals import Terminals
from .transport import Transport, in_path

DEPLOYED: dict[str, Any] = {
    "provider": "bridge",
    "isolation": ("it runs in a container of its own on the account, not on this machine",),
    "exposure": (
        "whoever has the bridge's token does with it what you do",
        "what it sends out is neither limited nor recorded here",
    ),
}
"""How every sandbox behind a bridge stands to us."""


class SandboxServer:
    """Implements `Sandboxes`; made by `of_state_directory` or `of_bridge`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._client = SandboxClient(transport)

    @property
    def places(self) -> HubPlaces:
        if self.transport.places is None:
            raise WorkbenchError("target.not_capable", "a deployed bridge has no hub")
        return self.transport.places

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self._client)

    @cached_property
    def files(self) -> Files:
        return Files(self._client)

    @cached_property
    def processes(self) -> Processes:
        return Processes(self._client)

    @cached_property
    def previews(self) -> Previews:
        return Previews(self._client)

    @cached_property
    def terminals(self) -> Terminals:
        return Terminals(self._client)

    @cached_property
    def snapshots(self) -> Snapshots:
        return Snapshots(self._client)

    @cached_property
    def network(self) -> Network:
        return Network(self._client)

    @cached_property
    def contexts(self) -> Contexts:
        return Contexts(self._client)

    @cached_property
    def mounts(self) -> Mounts:
        return Mounts(self._client)

    async def hub(self) -> Hub:
        places = self.places
        found = await asyncio.to_thread(launch.find, places)
        if found is None:
            return Hub(False, places.state_directory, log=places.log)
        if found.protocol != PROTOCOL:
            return Hub(
                True, places.state_directory, found.pid, found.protocol, found.version, None, found.socket
            )
        return value(Hub, {"running": True} | await self.transport.request("GET", "/hub"))

    async def stop_hub(self, sandboxes: bool = False) -> HubStopped:
        found = await asyncio.to_thread(launch.find, self.places)
        if found is None:
            return HubStopped(False, None, 0)
        if found.protocol != PROTOCOL:
            await asyncio.to_thread(launch.replace, self.places, found, time.monotonic() + launch.PATIENCE)
            return HubStopped(True, found.pid, 0)
        said = value(
            HubStopped, await self.transport.request("POST", "/hub/stop", body={"sandboxes": sandboxes})
        )
        await self.transport.close()
        await asyncio.to_thread(launch.wait_until_gone, self.places, time.monotonic() + launch.PATIENCE)
        return said

    async def create(self, options: dict[str, Any]) -> Sandbox:
        given = {name: item for name, item in options.items() if item is not None}
        if self._client.deployed:
            # All that a bridge takes, and the public one alone takes nothing.
            given = {name: item for name, item in given.items() if name == "name"}
        made = await self.transport.request("POST", "/v1/sandbox", body=given or None)
        return shapes.sandbox({"name": made["id"], "state": "stopped"} | made)

    async def fork(
        self, sandbox: str, names: Iterable[str], snapshot: str | None = None, start: bool = True
    ) -> tuple[Sandbox, ...]:
        body = {"names": list(names), "snapshot": snapshot, "start": start}
        made = await self._client.ask("POST", sandbox, "fork", body=body)
        return tuple(shapes.sandbox(row) for row in made["sandboxes"])

    async def export(self, sandbox: str) -> AsyncIterator[bytes]:
        url = sandbox_url(await self._client.id_of(sandbox), "disk")
        async with self.transport.stream("GET", url) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def import_disk(self, name: str | None, archive: Bytes) -> Sandbox:
        headers = {"Content-Type": "application/gzip"}
        made = await self.transport.request(
            "POST", "/v1/archive", params={"name": name}, content=pieces(archive), headers=headers
        )
        return shapes.sandbox(made)

    async def list(self, limit: int | None = None, cursor: str | None = None) -> Page[Sandbox]:
        found = await self._client.listed({"limit": limit, "cursor": cursor})
        if found is None:
            raise WorkbenchError(
                "target.not_capable",
                "this bridge does not say which sandboxes it has",
                "one that `cfwb bridges export` wrote does",
            )
        return Page([shapes.sandbox(row) for row in found["sandboxes"]], found.get("cursor"))

    async def get(self, sandbox: str, start: bool = False) -> Sandbox:
        if start:
            return await self.start(sandbox)
        if self._client.deployed:
            return await self._kept(sandbox)
        return shapes.sandbox(await self._client.ask("GET", sandbox))

    async def _kept(self, sandbox: str) -> Sandbox:
        """What a deployed bridge has written down of one, which starts nothing: its name, where it keeps names."""
        id = await self._client.id_of(sandbox)
        found = await self._client.listed({"name": id})
        row = found["sandboxes"][0] if found and found["sandboxes"] else {"name": sandbox, "id": id}
        return shapes.sandbox({"state": "unknown"} | row)._replace(**DEPLOYED)

    async def _deployed(self, sandbox: str) -> Sandbox:
        """The same after it was asked whether it runs, which starts it."""
        found = await self._client.ask("GET", sandbox, "running")
        kept = await self._kept(sandbox)
        return kept._replace(state="running" if found.get("running") else "stopped")

    async def update(self, sandbox: str, changes: dict[str, Any]) -> Sandbox:
        id = await self._client.id_of(sandbox)
        return shapes.sandbox(
            await self.transport.request("PATCH", f"/v1/sandbox/{in_path(id)}", body=changes)
        )

    async def delete(self, sandbox: str, dry_run: bool = False) -> Removal:
        found = await self.get(sandbox) if not self._client.deployed else Sandbox(sandbox, sandbox, "")
        if not dry_run:
            await self._client.ask("DELETE", sandbox)
        return Removal([f"sandbox {found.name} with its disk"], 1, dry_run)

    async def start(self, sandbox: str, accept_base: bool = False) -> Sandbox:
        if self._client.deployed:
            return await self._deployed(sandbox)
        body = {"accept_base": accept_base}
        return shapes.sandbox(await self._client.ask("POST", sandbox, "start", body=body))

    async def stop(self, sandbox: str, freeze: bool = False) -> Sandbox:
        return shapes.sandbox(await self._client.ask("POST", sandbox, "freeze" if freeze else "stop"))

    async def exec(
        self,
        sandbox: str,
        argv: Iterable[str],
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
        time_limit: float | None = None,
        stdin: Bytes | None = None,
    ) -> EventExecution | SocketExecution:
        id = await self._client.id_of(sandbox)
        headers = {"Session-Id": session} if session else {}
        body: dict[str, Any] = {"argv": list(argv)}
        if time_limit is not None:
            body["timeout_ms"] = int(time_limit * 1000)
        if cwd is not None:
            body["cwd"] = absolute(cwd)
        if env:
            body["env"] = env
        outside = cwd is not None and not (absolute(cwd) + "/").startswith(WORKSPACE + "/")
        if not self._client.deployed and (stdin is not None or outside):
            return SocketExecution(self.transport, id, body, headers, stdin)
        if stdin is not None:
            raise WorkbenchError("target.not_capable", "a deployed bridge gives a command no standard input")
        return EventExecution(self.transport, id, body, headers)

    async def events(
        self, sandbox: str | None = None, after: int | None = None
    ) -> AsyncIterator[SandboxEvent]:
        url = "/v1/events" if sandbox is None else sandbox_url(await self._client.id_of(sandbox), "events")
        async for item in self.transport.events("GET", url, params={"after": after}):
            yield shapes.event(item.json)

    async def checkout(
        self,
        sandbox: str,
        url: str,
        path: str | None = None,
        branch: str | None = None,
        depth: int | None = None,
    ) -> Checkout:
        body = {"url": url, "path": path and absolute(path), "branch": branch, "depth": depth}
        return value(Checkout, await self._client.ask("POST", sandbox, "checkout", body=body))

    async def close(self) -> None:
        await self.transport.close()


def of_state_directory(state_directory: str) -> SandboxServer:
    """The sandboxes of a state directory's hub, which is started by the first request that needs it."""
    return SandboxServer(Transport(hub_places(state_directory)))


def of_bridge(url: str, token: str) -> SandboxServer:
    """The sandboxes of a deployed bridge."""
    return SandboxServer(Transport(None, url=url, token=token))


__all__ = ["SandboxServer", "of_bridge", "of_state_directory"]
