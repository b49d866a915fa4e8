"""Ports of a sandbox, and those that have a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.sandboxes import Port, Preview

from .shapes import value

if TYPE_CHECKING:
    from .client import SandboxClient


def _preview(data: dict[str, object]) -> Preview:
    return value(Preview, data | {"created": data.get("createdAt")})


class Previews:
    """`preview` of a hub, which takes every port; `tunnel` of a deployed bridge."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def create(self, sandbox: str, port: int, name: str | None = None) -> Preview:
        noun = "tunnel" if self._client.deployed else "preview"
        body = {"name": name} if name else {}
        return _preview(await self._client.ask("POST", sandbox, f"{noun}/{port}", body=body))

    async def ports(self, sandbox: str) -> list[Port]:
        return [value(Port, row) for row in (await self._client.ask("GET", sandbox, "port"))["ports"]]

    async def list(self, sandbox: str) -> list[Preview]:
        return [_preview(row) for row in (await self._client.ask("GET", sandbox, "preview"))["previews"]]

    async def delete(self, sandbox: str, port: int) -> None:
        noun = "tunnel" if self._client.deployed else "preview"
        await self._client.ask("DELETE", sandbox, f"{noun}/{port}")
