"""Code contexts of a sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from workbench.model.contexts import CodeContext

from .shapes import value
from .transport import in_path

if TYPE_CHECKING:
    from .client import SandboxClient


class Contexts:
    """`context` and `run` of a hub."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def create(
        self,
        sandbox: str,
        language: str,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        interpreter: str | None = None,
    ) -> CodeContext:
        body = {"language": language, "cwd": cwd, "env": env, "interpreter": interpreter}
        return value(CodeContext, await self._client.ask("POST", sandbox, "context", body=body))

    async def list(self, sandbox: str) -> list[CodeContext]:
        found = await self._client.ask("GET", sandbox, "context")
        return [value(CodeContext, row) for row in found["contexts"]]

    async def delete(self, sandbox: str, id: str) -> None:
        await self._client.ask("DELETE", sandbox, f"context/{in_path(id)}")

    async def interrupt(self, sandbox: str, id: str) -> None:
        await self._client.ask("POST", sandbox, f"context/{in_path(id)}/interrupt")

    async def run(
        self,
        sandbox: str,
        code: str,
        context: str | None = None,
        language: str | None = None,
        env: dict[str, str] | None = None,
        time_limit: float | None = None,
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        body: dict[str, Any] = {"code": code, "env": env}
        if time_limit is not None:
            body["timeout_ms"] = max(1, int(time_limit * 1000))
        where = "run" if context is None else f"context/{in_path(context)}/run"
        if context is None:
            body["language"] = language
        async for event in self._client.listen("POST", sandbox, where, body=body):
            yield event.event, event.json
