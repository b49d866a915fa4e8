"""Execution sessions of a sandbox."""

from __future__ import annotations

from workbench.model.sandboxes import ExecutionSession

from .client import SandboxClient
from .shapes import value
from .transport import in_path


class Sessions:
    """`session`, the bridge's; listing them is the hub's."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def create(
        self, sandbox: str, id: str | None = None, cwd: str | None = None, env: dict[str, str] | None = None
    ) -> ExecutionSession:
        body = {"id": id, "cwd": cwd, "env": env}
        made = await self._client.ask("POST", sandbox, "session", body=body)
        return ExecutionSession(str(made["id"]), made.get("cwd", cwd), made.get("env", env or {}))

    async def list(self, sandbox: str) -> list[ExecutionSession]:
        found = await self._client.ask("GET", sandbox, "session")
        return [value(ExecutionSession, row) for row in found["sessions"]]

    async def delete(self, sandbox: str, id: str) -> None:
        await self._client.ask("DELETE", sandbox, f"session/{in_path(id)}")
