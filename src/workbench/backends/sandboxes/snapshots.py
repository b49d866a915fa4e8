"""Pictures of whole disks, of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.sandboxes import DiskSnapshot, Sandbox

from . import shapes
from .shapes import value
from .transport import in_path

if TYPE_CHECKING:
    from .client import SandboxClient


class Snapshots:
    """`snapshot` and `restore` of a hub."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def create(self, sandbox: str, name: str | None = None) -> DiskSnapshot:
        body = {"name": name}
        return value(DiskSnapshot, await self._client.ask("POST", sandbox, "snapshot", body=body))

    async def get(self, snapshot: str) -> DiskSnapshot:
        return value(DiskSnapshot, await self._client.transport.request("GET", _url(snapshot)))

    async def restore(self, sandbox: str, snapshot: str) -> Sandbox:
        body = {"snapshot": snapshot}
        return shapes.sandbox(await self._client.ask("POST", sandbox, "restore", body=body))

    async def delete(self, snapshot: str) -> None:
        await self._client.transport.request("DELETE", _url(snapshot))

    async def list(self, sandbox: str | None = None) -> list[DiskSnapshot]:
        params = {"sandbox": sandbox}
        found = await self._client.transport.request("GET", "/v1/snapshot", params=params)
        return [value(DiskSnapshot, row) for row in found["snapshots"]]


def _url(snapshot: str) -> str:
    return f"/v1/snapshot/{in_path(snapshot)}"
