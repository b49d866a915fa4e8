"""Terminals of a hub's sandboxes, and a connection to one."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import Terminal, TerminalScreen

from .shapes import value
from .transport import in_path

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from .client import SandboxClient


DEFAULT = "default"
"""The terminal of a bridge's sandbox that belongs to no session."""


class Link:
    """Implements `TerminalLink`. states: whether screens come, and a keyboard is held; a bridge only replays bytes."""

    def __init__(self, socket: ClientConnection, *, states: bool = True) -> None:
        self._socket = socket
        self.states = states

    async def __aiter__(self) -> AsyncIterator[bytes | dict[str, Any]]:
        from websockets.exceptions import ConnectionClosed

        try:
            async for message in self._socket:
                yield json.loads(message) if isinstance(message, str) else message
        except ConnectionClosed:
            return

    async def type(self, data: bytes) -> None:
        await self._send(data)

    async def resize(self, cols: int, rows: int) -> None:
        await self._send(json.dumps({"type": "resize", "cols": cols, "rows": rows}))

    async def say(self, kind: str, **more: Any) -> None:
        if self.states:
            await self._send(json.dumps({"type": kind} | more))

    async def aclose(self) -> None:
        await self._socket.close()

    async def _send(self, message: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(message)
        except ConnectionClosed:
            raise WorkbenchError(
                "terminals.disconnected", "the connection to the terminal has ended"
            ) from None


class Terminals:
    """`terminal` of a hub. A deployed bridge has its `pty` only: one for each session, and one of its own."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def create(
        self,
        sandbox: str,
        argv: Iterable[str] = (),
        id: str | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
        cols: int | None = None,
        rows: int | None = None,
        record: bool = True,
    ) -> Terminal:
        if self._client.deployed:
            return await self._create_session(sandbox, list(argv), id, cwd, env)
        body = {
            "argv": list(argv) or None,
            "id": id,
            "cwd": cwd,
            "env": env,
            "session": session,
            "cols": cols,
            "rows": rows,
            "record": record,
        }
        return value(Terminal, await self._client.ask("POST", sandbox, "terminal", body=body))

    async def _create_session(
        self, sandbox: str, argv: Sequence[str], id: str | None, cwd: str | None, env: dict[str, str] | None
    ) -> Terminal:
        if argv:
            raise WorkbenchError("target.not_capable", "a bridge's terminal runs the shell, and nothing else")
        id = id or f"t-{secrets.token_hex(3)}"
        if id != DEFAULT:
            body = {"id": id, "cwd": cwd, "env": env}
            await self._client.ask("POST", sandbox, "session", body=body)
        return Terminal(id, sandbox, (), "running", 80, 24)

    async def screen(self, sandbox: str, id: str, scrollback: int = 0) -> TerminalScreen:
        params = {"scrollback": scrollback}
        return value(
            TerminalScreen, await self._client.ask("GET", sandbox, f"terminal/{in_path(id)}", params=params)
        )

    async def type(self, sandbox: str, id: str, data: bytes, force: bool = False) -> int:
        body = {"data": base64.b64encode(data).decode(), "force": force}
        said = await self._client.ask("POST", sandbox, f"terminal/{in_path(id)}/input", body=body)
        return int(said["bytes"])

    async def delete(self, sandbox: str, id: str) -> None:
        await self._client.ask("DELETE", sandbox, f"terminal/{in_path(id)}")

    async def recording(self, sandbox: str, id: str) -> AsyncIterator[bytes]:
        self._client.must_have("terminal")
        url = f"/v1/sandbox/{in_path(await self._client.id_of(sandbox))}/terminal/{in_path(id)}/cast"
        async with self._client.transport.stream("GET", url) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def connect(
        self, sandbox: str, id: str, cols: int, rows: int, name: str = "", policy: str = "fit"
    ) -> Link:
        where = f"/v1/sandbox/{in_path(await self._client.id_of(sandbox))}"
        if self._client.deployed:
            session = None if id == DEFAULT else id
            asked: dict[str, Any] = {"cols": cols, "rows": rows, "session": session}
            return Link(await self._client.transport.websocket(f"{where}/pty", params=asked), states=False)
        url = f"{where}/terminal/{in_path(id)}/ws"
        params = {"replay": "state", "cols": cols, "rows": rows, "name": name, "policy": policy}
        link = Link(await self._client.transport.websocket(url, params=params))
        if policy != "watch":
            await link.resize(cols, rows)
        return link

    async def list(self, sandbox: str) -> list[Terminal]:
        found = await self._client.ask("GET", sandbox, "terminal")
        return [value(Terminal, row) for row in found["terminals"]]
