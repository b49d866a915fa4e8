"""Folders and buckets inside a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.mounts import SandboxMount

from .shapes import value

if TYPE_CHECKING:
    from .client import SandboxClient


class Mounts:
    """`mount` and `unmount`, the bridge's; folders of the machine and the list are the hub's."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def list(self, sandbox: str) -> list[SandboxMount]:
        if self._client.deployed:
            raise WorkbenchError("target.not_capable", "a deployed bridge does not say what is mounted")
        found = await self._client.ask("GET", sandbox, "mount")
        return [value(SandboxMount, row) for row in found["mounts"]]

    async def bucket(
        self,
        sandbox: str,
        path: str,
        bucket: str,
        prefix: str = "",
        read_only: bool = False,
        of: str = "local",
    ) -> SandboxMount:
        options = {"readOnly": read_only} | ({"prefix": prefix} if prefix else {})
        body = {"binding": bucket, "mountPath": path, "options": options}
        if not self._client.deployed:
            body["of"] = of
        made = await self._client.ask("POST", sandbox, "mount", body=body)
        plain = {"path": path, "bucket": bucket, "prefix": prefix, "read_only": read_only}
        return value(SandboxMount, plain | made)

    async def folder(
        self, sandbox: str, path: str, folder: str, writable: bool = False, restart: bool = False
    ) -> SandboxMount:
        body = {
            "folder": folder,
            "mountPath": path,
            "options": {"readOnly": not writable},
            "restart": restart,
        }
        return value(SandboxMount, await self._client.ask("POST", sandbox, "mount", body=body))

    async def delete(self, sandbox: str, path: str, restart: bool = False) -> None:
        body = {"mountPath": path} | ({"restart": True} if restart else {})
        await self._client.ask("POST", sandbox, "unmount", body=body)
