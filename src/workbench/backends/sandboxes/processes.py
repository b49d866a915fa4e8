"""Background processes of a sandbox and what they print."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from workbench.model.sandboxes import LogPiece, SandboxProcess, Waited

from .shapes import process, value
from .transport import in_path

if TYPE_CHECKING:
    from .client import SandboxClient


class Processes:
    """`process` of a hub."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def start(
        self,
        sandbox: str,
        argv: Iterable[str],
        id: str | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
    ) -> SandboxProcess:
        body = {"argv": list(argv), "id": id, "cwd": cwd, "env": env, "session": session}
        return process(await self._client.ask("POST", sandbox, "process", body=body))

    async def list(self, sandbox: str) -> list[SandboxProcess]:
        found = await self._client.ask("GET", sandbox, "process")
        return [process(row) for row in found["processes"]]

    async def get(self, sandbox: str, id: str) -> SandboxProcess:
        return process(await self._client.ask("GET", sandbox, f"process/{in_path(id)}"))

    async def terminate(
        self, sandbox: str, id: str, signal: str = "TERM", grace: float = 5.0
    ) -> SandboxProcess:
        params = {"signal": signal, "grace": grace}
        return process(await self._client.ask("DELETE", sandbox, f"process/{in_path(id)}", params=params))

    async def logs(
        self, sandbox: str, id: str, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogPiece]:
        params = {"offset": offset, "follow": follow}
        async for event in self._client.listen("GET", sandbox, f"process/{in_path(id)}/logs", params=params):
            if event.event in ("stdout", "stderr"):
                yield LogPiece(event.event, base64.b64decode(event.data), int(event.id or 0))

    async def wait(
        self,
        sandbox: str,
        id: str | None,
        port: int | None = None,
        pattern: str | None = None,
        time_limit: float | None = None,
    ) -> Waited:
        body = {
            "port": port,
            "pattern": pattern,
            "timeout_ms": None if time_limit is None else int(time_limit * 1000),
        }
        where = f"process/{in_path(id)}/wait" if id is not None else "wait"
        return value(Waited, await self._client.ask("POST", sandbox, where, body=body))
