"""What a sandbox may reach, the credentials it is lent, and what it asked for; the secrets of a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from workbench.model.network import CredentialRule, NetworkPolicy, OutboundRequest, SecretName
from workbench.model.page import Page

from .shapes import value
from .transport import in_path

if TYPE_CHECKING:
    from .client import SandboxClient


class Network:
    """`network`, `rule`, `requests` and `secret` of a hub; a deployed bridge has none of them."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def get(self, sandbox: str) -> NetworkPolicy:
        return value(NetworkPolicy, await self._client.ask("GET", sandbox, "network"))

    async def update(self, sandbox: str, changes: dict[str, Any]) -> NetworkPolicy:
        return value(NetworkPolicy, await self._client.ask("PUT", sandbox, "network", body=changes))

    async def rules(self, sandbox: str) -> list[CredentialRule]:
        found = await self._client.ask("GET", sandbox, "rule")
        return [value(CredentialRule, row) for row in found["rules"]]

    async def create_rule(self, sandbox: str, rule: CredentialRule) -> CredentialRule:
        body = {name: given for name, given in rule._asdict().items() if name != "id"}
        return value(CredentialRule, await self._client.ask("POST", sandbox, "rule", body=body))

    async def delete_rule(self, sandbox: str, id: str) -> None:
        await self._client.ask("DELETE", sandbox, f"rule/{in_path(id)}")

    async def requests(
        self, sandbox: str | None, limit: int | None = None, cursor: str | None = None
    ) -> Page[OutboundRequest]:
        params = {"limit": min(limit, 1000) if limit else None, "cursor": cursor}
        if sandbox is None:
            found = await self._client.transport.request("GET", "/v1/requests", params=params)
        else:
            found = await self._client.ask("GET", sandbox, "requests", params=params)
        return Page([value(OutboundRequest, row) for row in found["requests"]], found.get("cursor"))

    async def follow(self, sandbox: str | None) -> AsyncIterator[OutboundRequest]:
        params = {"follow": True}
        if sandbox is None:
            events = self._client.transport.events("GET", "/v1/requests", params=params)
        else:
            events = self._client.listen("GET", sandbox, "requests", params=params)
        async for event in events:
            if event.event == "request":
                yield value(OutboundRequest, event.json)

    async def secrets(self) -> list[SecretName]:
        found = await self._client.transport.request("GET", "/v1/secret")
        return [value(SecretName, row) for row in found["secrets"]]

    async def put_secret(self, name: str, secret: str) -> SecretName:
        url = f"/v1/secret/{in_path(name)}"
        return value(SecretName, await self._client.transport.request("PUT", url, body={"value": secret}))

    async def delete_secret(self, name: str) -> None:
        await self._client.transport.request("DELETE", f"/v1/secret/{in_path(name)}")
