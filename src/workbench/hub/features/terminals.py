"""Terminals of sandboxes: made, listed, looked at, typed into; the bridge's `pty`, and ours with the screen as it is."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms

from ..bodies import optional_json, required_json
from ..bridge import any_path, checked_session, session_of
from ..feature import Feature
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..terminals import POLICIES, HubTerminal, Viewer
from .execution import ensure_session
from .terminal_socket import converse

LARGEST = 1000


class Terminals(Feature):
    """`{id}/pty`, `{id}/terminal...`"""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._all: dict[str, dict[str, HubTerminal]] = {}
        self._making = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            WebSocketRoute(one + "/pty", self.pty),
            Route(one + "/pty", self.no_upgrade, methods=["GET"]),
            Route(one + "/terminal", self.list, methods=["GET"]),
            Route(one + "/terminal", self.create, methods=["POST"]),
            Route(one + "/terminal/{tid}", self.get, methods=["GET"]),
            Route(one + "/terminal/{tid}", self.delete, methods=["DELETE"]),
            Route(one + "/terminal/{tid}/input", self.type, methods=["POST"]),
            Route(one + "/terminal/{tid}/size", self.resize, methods=["POST"]),
            Route(one + "/terminal/{tid}/cast", self.cast, methods=["GET"]),
            WebSocketRoute(one + "/terminal/{tid}/ws", self.attach),
        ]

    async def started(self, sandbox: Sandbox) -> None:
        """Follow what runs in it: nothing in one that was started just now."""
        for described in await sandbox.channel.terminals():
            self._follow(sandbox, described)

    async def stopping(self, sandbox: Sandbox) -> None:
        """Hang up: an interactive shell does not end for less."""
        for terminal in self._of(sandbox).values():
            with contextlib.suppress(WorkbenchError, OSError):
                await sandbox.channel.close_terminal(terminal.id)

    async def stopped(self, sandbox: Sandbox) -> None:
        for terminal in self._all.pop(sandbox.record.id, {}).values():
            terminal.ended({"reason": "the sandbox stopped"})
            await terminal.let_go()

    async def close(self) -> None:
        for terminals in self._all.values():
            for terminal in terminals.values():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2):
                        await terminal.keep()
                await terminal.let_go()

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        return {"terminals": [terminal.told() for terminal in self._of(sandbox).values()]}

    def _of(self, sandbox: Sandbox) -> dict[str, HubTerminal]:
        return self._all.setdefault(sandbox.record.id, {})

    def _follow(self, sandbox: Sandbox, described: dict[str, Any], *, record: bool = True) -> HubTerminal:
        id = str(described.get("id"))
        began = described.get("started")
        described["began"] = iso(began * 1000) if isinstance(began, int | float) else iso(now_ms())
        cast = self._cast_path(sandbox, id) if record and _plain(id) else None
        terminal = self._of(sandbox)[id] = HubTerminal(sandbox, id, described, cast)
        return terminal

    def _cast_path(self, sandbox: Sandbox, id: str) -> str:
        folder = os.path.join(sandbox.folder, "casts")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return os.path.join(folder, f"{id}.cast")

    def _terminal(self, sandbox: Sandbox, id: str) -> HubTerminal:
        found = self._of(sandbox).get(id)
        if found is None:
            raise Problem(404, "terminals.not_found", f"{sandbox.record.name} has no terminal {id!r}")
        return found

    def _asked(self, request: Request | WebSocket) -> HubTerminal:
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        return self._terminal(sandbox, request.path_params["tid"])

    async def list(self, request: Request) -> Response:
        """`{terminals}`, those whose program ended among them until they are deleted."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        return JSONResponse({"terminals": [terminal.told() for terminal in self._of(sandbox).values()]})

    async def create(self, request: Request) -> Response:
        """`{id?, argv?, cwd?, env?, session?, cols?, rows?, record?}`: a program on a terminal, by default a login shell."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await optional_json(request)
        id = checked_session(body.text("id")) if "id" in body else f"t-{secrets.token_hex(3)}"
        session = checked_session(body.text("session")) if "session" in body else None
        terminal = await self._open(
            sandbox,
            id,
            argv=body.texts("argv") or None,
            cwd=sandbox.within(any_path(body.text("cwd"))) if "cwd" in body else None,
            env=body.environment(),
            session=session,
            size=_size(body.whole("cols", least=1), body.whole("rows", least=1)),
            record=body.flag("record", True),
        )
        await terminal.ready.wait()
        return JSONResponse(terminal.told())

    async def get(self, request: Request) -> Response:
        """The terminal and its screen: with `lines`, `cursor: [x, y]`, `alternate`; `?scrollback=N` lines from above it too."""
        terminal = self._asked(request)
        above = request.query_params.get("scrollback") or "0"
        if not above.isdecimal():
            raise invalid("scrollback must be a number of lines")
        return JSONResponse(terminal.told() | terminal.shown(int(above)))

    async def delete(self, request: Request) -> Response:
        """Hang up: its program gets SIGHUP, then SIGKILL. The recording goes too, unless `?keep=1`."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        terminal = self._terminal(sandbox, request.path_params["tid"])
        self._of(sandbox).pop(terminal.id, None)
        with contextlib.suppress(WorkbenchError, Problem):
            await sandbox.channel.close_terminal(terminal.id)
        terminal.ended({"reason": "it was closed"})
        await terminal.let_go()
        if terminal.recording is not None and request.query_params.get("keep") != "1":
            with contextlib.suppress(OSError):
                os.unlink(terminal.recording.path)
        record = sandbox.record
        self.hub.events.tell("terminal.deleted", record.id, record.name, terminal=terminal.id)
        return Response(status_code=204)

    async def type(self, request: Request) -> Response:
        """`{text}` or `{data}` (base64), typed as it is; refused while a viewer has the keyboard, unless `force`."""
        terminal = self._asked(request)
        body = await required_json(request)
        if terminal.exited is not None:
            raise Problem(409, "terminals.exited", "its program has ended")
        if not terminal.may_type(None) and not body.flag("force"):
            holder = terminal.keyboard.name if terminal.keyboard else ""
            raise Problem(409, "terminals.keyboard_taken", f"{holder or 'somebody'} has the keyboard")
        try:
            data = (
                base64.b64decode(body.text("data"), validate=True)
                if "data" in body
                else body.text("text").encode()
            )
        except (binascii.Error, UnicodeEncodeError):
            raise invalid("data must be base64, text valid Unicode") from None
        async with terminal.sandbox.use():
            await terminal.type(data)
        return JSONResponse({"bytes": len(data)})

    async def resize(self, request: Request) -> Response:
        """`{cols, rows}`"""
        terminal = self._asked(request)
        body = await required_json(request)
        await terminal.resize(*_size(body.whole("cols", least=1), body.whole("rows", least=1)))
        return JSONResponse(terminal.told())

    async def cast(self, request: Request) -> Response:
        """Its recording, an asciicast v2 file; also of a terminal that is gone, where it was kept."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        id = request.path_params["tid"]
        path = self._cast_path(sandbox, id) if _plain(id) else ""
        if not _is_file(path):
            raise Problem(404, "terminals.not_recorded", f"there is no recording of the terminal {id!r}")
        return FileResponse(path, media_type="application/x-asciicast")

    async def no_upgrade(self, request: Request) -> Response:
        """A terminal is a WebSocket: binary frames are input and output, JSON frames `resize`, `ready`, `exit`, `error`."""
        raise invalid("WebSocket upgrade required")

    async def pty(self, websocket: WebSocket) -> None:
        """The bridge's terminal, one a session: `?cols=80&rows=24&shell=&session=`; first comes the last output, then `ready`."""
        query = websocket.query_params
        session = session_of(websocket, query=True)
        cols, rows = _numbers(query.get("cols") or "80", query.get("rows") or "24")
        sandbox = await self.hub.sandboxes.obtain(websocket.path_params["id"])
        argv = [query["shell"], "-l"] if query.get("shell") else None
        try:
            async with self._making:
                terminal = self._of(sandbox).get(f"pty-{session or 'default'}")
                if terminal is None or terminal.exited is not None:
                    if terminal is not None:
                        await self._forget(terminal)
                    terminal = await self._open(
                        sandbox, f"pty-{session or 'default'}", argv=argv, session=session, size=(cols, rows)
                    )
        except (WorkbenchError, Problem) as error:
            message = error.message if isinstance(error, WorkbenchError) else error.error
            raise Problem(502, "exec_transport_error", f"terminal failed: {message}") from None
        viewer = Viewer(
            secrets.token_hex(4), query.get("name") or "", states=False, policy="fit", size=(cols, rows)
        )
        await self._look(websocket, terminal, viewer)

    async def attach(self, websocket: WebSocket) -> None:
        """A terminal with its whole screen: `?replay=state&cols=&rows=&name=&policy=fit`. With `replay=state` first comes
        `{"type": "state", "bytes": n, ...}` and the serialised screen in one binary frame, then output from there on, with JSON frames
        `resize`, `viewers`, `keyboard` and `exit` in their places. The client sends input in binary frames and JSON `resize`, `size`
        (`cols`, `rows`, and a `policy` of `fit`, `smallest`, `fixed`, `watch`), `take`, `release`, `signal`."""
        terminal = self._asked(websocket)
        query = websocket.query_params
        cols, rows = _numbers(
            query.get("cols") or str(terminal.size[0]), query.get("rows") or str(terminal.size[1])
        )
        policy = query.get("policy")
        viewer = Viewer(
            secrets.token_hex(4),
            (query.get("name") or "")[:128],
            states=query.get("replay") == "state",
            policy=policy if policy in POLICIES else "fit",
            size=(max(1, cols), max(1, rows)),
        )
        await self._look(websocket, terminal, viewer)

    async def _look(self, websocket: WebSocket, terminal: HubTerminal, viewer: Viewer) -> None:
        await terminal.ready.wait()
        await websocket.accept()
        held = contextlib.AsyncExitStack()
        async with held:
            if terminal.exited is None and terminal.sandbox.record.state != "frozen":
                await held.enter_async_context(terminal.sandbox.use())
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await converse(websocket, terminal, viewer)

    async def _open(
        self,
        sandbox: Sandbox,
        id: str,
        *,
        argv: Any = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
        size: tuple[int, int],
        record: bool = True,
    ) -> HubTerminal:
        async with sandbox.use() as channel:
            if session is not None:
                await ensure_session(channel, session)
            described = await channel.open_terminal(
                id,
                argv,
                cwd=cwd,
                env=env,
                session=session,
                size=(min(size[0], LARGEST), min(size[1], LARGEST)),
            )
        if _plain(id):
            with contextlib.suppress(OSError):  # of one of that name that is gone
                os.unlink(self._cast_path(sandbox, id))
        terminal = self._follow(sandbox, described, record=record)
        self.hub.events.tell("terminal.created", sandbox.record.id, sandbox.record.name, terminal=id)
        return terminal

    async def _forget(self, terminal: HubTerminal) -> None:
        self._of(terminal.sandbox).pop(terminal.id, None)
        with contextlib.suppress(WorkbenchError, Problem):
            await terminal.sandbox.channel.close_terminal(terminal.id)
        await terminal.let_go()


def _is_file(path: str) -> bool:
    return os.path.isfile(path)


def _plain(id: str) -> bool:
    """Whether it can be a file's name: what comes from inside is not trusted to be an id."""
    try:
        return bool(checked_session(id)) and not id.startswith(".")
    except Problem:
        return False


def _numbers(cols: str, rows: str) -> tuple[int, int]:
    try:
        return min(int(float(cols)), LARGEST), min(int(float(rows)), LARGEST)
    except (ValueError, OverflowError):
        raise invalid("cols and rows must be valid numbers") from None


def _size(cols: int | None, rows: int | None) -> tuple[int, int]:
    return min(cols or 80, LARGEST), min(rows or 24, LARGEST)
