"""Commands: the bridge's `exec` as server-sent events, ours over a WebSocket with standard input, and execution sessions."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.sandbox.channel import DATA, END, JSON, STDERR, Channel, Exchange

from ..bodies import Fields, optional_json, required_json
from ..bridge import any_path, checked_session, session_of, workspace_path
from ..feature import Feature
from ..problems import Problem, invalid, problem_of
from ..sandbox import Sandbox
from ..streams import Streamed, closing, event

TIMED_OUT = 124  # the exit status that `timeout` gives


class Execution(Feature):
    """`{id}/exec`, `{id}/exec/ws`, `{id}/session`."""

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/exec", self.run, methods=["POST"]),
            WebSocketRoute(one + "/exec/ws", self.run_socket),
            Route(one + "/session", self.create_session, methods=["POST"]),
            Route(one + "/session", self.list_sessions, methods=["GET"]),
            Route(one + "/session/{sid}", self.delete_session, methods=["DELETE"]),
        ]

    async def run(self, request: Request) -> Response:
        """`{argv, timeout_ms?, cwd?}`, ours `env`, `stdin` (base64): events `stdout`, `stderr` (base64), then `exit` or `error`."""
        body = await required_json(request)
        argv = _argv(body)
        session = session_of(request)
        options = _options(body)
        if isinstance(body.values.get("cwd"), str):
            options["cwd"] = workspace_path(body.values["cwd"])
            if options["cwd"] is None:
                raise invalid("cwd must resolve to a location within /workspace", 403)
        stdin = _decoded(body)
        sandbox = await self.hub.sandboxes.bridged(request.path_params["id"])
        return Streamed(self._events(sandbox, argv, session, options, stdin))

    async def _events(
        self,
        sandbox: Sandbox,
        argv: list[str],
        session: str | None,
        options: dict[str, Any],
        stdin: bytes | None,
    ) -> AsyncIterator[bytes]:
        try:
            async with (
                sandbox.use() as channel,
                closing(
                    _frames(await begin(sandbox, channel, argv, session, options, stdin is not None), stdin)
                ) as frames,
            ):
                async for name, data in frames:
                    yield event(name, base64.b64encode(data).decode() if isinstance(data, bytes) else data)
        except (WorkbenchError, Problem) as error:
            problem = problem_of(error)
            yield event("error", {"error": f"exec failed: {problem.error}", "code": "exec_transport_error"})

    async def run_socket(self, websocket: WebSocket) -> None:
        """First a text frame as the body of `exec` (any cwd; `stdin`: whether any comes), then standard input in binary frames and
        `{"type": "end"}`, or `{"type": "signal", "signal": n}`. Back come binary frames, the first byte 1 (stdout) or 2 (stderr), and
        `{"type": "exit", ...}` or `{"type": "error", ...}`."""
        session = session_of(websocket)
        sandbox = await self.hub.sandboxes.bridged(websocket.path_params["id"])
        await websocket.accept()
        try:
            await self._talk(websocket, sandbox, session)
        except (WorkbenchError, Problem) as error:
            problem = problem_of(error)
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await websocket.send_json({"type": "error"} | problem.body)
        except WebSocketDisconnect:
            return
        with contextlib.suppress(RuntimeError):
            await websocket.close()

    async def _talk(self, websocket: WebSocket, sandbox: Sandbox, session: str | None) -> None:
        try:
            values = json.loads(await websocket.receive_text())
        except (ValueError, KeyError, RecursionError):
            raise invalid("Invalid JSON body") from None
        body = Fields(values if isinstance(values, dict) else {})
        argv, options = _argv(body), _options(body)
        if "cwd" in body:
            options["cwd"] = any_path(body.text("cwd"))
        async with sandbox.use() as channel:
            exchange = await begin(sandbox, channel, argv, session, options, body.flag("stdin"))
            typing = asyncio.ensure_future(_typed(websocket, exchange))
            showing = asyncio.ensure_future(_shown(websocket, exchange))
            try:
                await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
                if showing.done():
                    showing.result()
                else:
                    typing.result()
            finally:
                exchange.close()
                for task in (typing, showing):
                    task.cancel()
                await asyncio.gather(typing, showing, return_exceptions=True)

    async def create_session(self, request: Request) -> Response:
        """`{id?, cwd?, env?}` -> `{id}` (and ours: cwd, env)."""
        try:
            body = await optional_json(request)
        except Problem:
            body = Fields({})
        id = checked_session(body.text("id")) if "id" in body else f"session-{secrets.token_hex(6)}"
        sandbox = await self.hub.sandboxes.bridged(request.path_params["id"])
        cwd = sandbox.within(any_path(body.text("cwd"))) if "cwd" in body else None
        async with sandbox.use() as channel:
            try:
                made = await channel.create_session(id, cwd=cwd, env=body.environment())
            except WorkbenchError as error:
                raise Problem(502, "session_error", f"session create failed: {error.message}") from None
        return JSONResponse({"id": id, "cwd": sandbox.without(str(made.get("cwd"))), "env": made.get("env")})

    async def list_sessions(self, request: Request) -> Response:
        """`{sessions: [{id, cwd, env, busy}]}`"""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        async with sandbox.use() as channel:
            found = await channel.sessions()
        for session in found:
            session["cwd"] = sandbox.without(str(session.get("cwd")))
        return JSONResponse({"sessions": found})

    async def delete_session(self, request: Request) -> Response:
        """`{success, sessionId, timestamp}`"""
        sid = request.path_params["sid"]
        sandbox = await self.hub.sandboxes.bridged(request.path_params["id"])
        async with sandbox.use() as channel:
            try:
                await channel.delete_session(sid)
            except WorkbenchError as error:
                raise Problem(502, "session_error", f"session delete failed: {error.message}") from None
        return JSONResponse({"success": True, "sessionId": sid, "timestamp": iso(now_ms())})


async def begin(
    sandbox: Sandbox,
    channel: Channel,
    argv: list[str],
    session: str | None,
    options: dict[str, Any],
    stdin: bool,
) -> Exchange:
    """Start a command; a session that is not there is made, as the platform's own does."""
    options = dict(options)
    if options.get("cwd"):
        options["cwd"] = sandbox.within(options["cwd"])
    if session is not None:
        await ensure_session(channel, session)
    return await channel.execute(argv, session=session, stdin=stdin, **options)


async def ensure_session(channel: Channel, session: str) -> None:
    """Make it where it is not."""
    if not any(known.get("id") == session for known in await channel.sessions()):
        with contextlib.suppress(WorkbenchError):  # somebody else was first
            await channel.create_session(session)


async def _frames(
    exchange: Exchange, stdin: bytes | None
) -> AsyncIterator[tuple[str, bytes | dict[str, Any]]]:
    """("stdout" | "stderr", bytes) and at last ("exit", {...}); closing it kills the command."""
    feeding = asyncio.ensure_future(_feed(exchange, stdin)) if stdin is not None else None
    try:
        async with exchange:
            async for frame in exchange:
                if frame.kind in (DATA, STDERR):
                    yield "stderr" if frame.kind == STDERR else "stdout", frame.payload
                elif frame.kind == JSON:
                    yield "exit", ended(frame.json())
                    return
            raise WorkbenchError("sandbox.not_running", "the sandbox ended while the command ran")
    finally:
        if feeding is not None:
            feeding.cancel()


def ended(said: dict[str, Any]) -> dict[str, Any]:
    """`{exit_code}` as the bridge says it, with `signal` or `timed_out` where that was the reason."""
    code, number = said.get("exit_code"), said.get("signal")
    exit: dict[str, Any] = {"exit_code": code if isinstance(code, int) else 128 + (number or 0)}
    if number is not None:
        exit["signal"] = number
    if said.get("timed_out"):
        exit |= {"exit_code": TIMED_OUT, "timed_out": True}
    return exit


async def _feed(exchange: Exchange, stdin: bytes) -> None:
    with contextlib.suppress(WorkbenchError, OSError):
        if stdin:
            await exchange.send(DATA, stdin)
        await exchange.send(END)


async def _typed(websocket: WebSocket, exchange: Exchange) -> None:
    """Standard input and signals, until the client goes away (which is raised)."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        with contextlib.suppress(WorkbenchError, OSError):  # the command wants no more
            if message.get("bytes"):
                await exchange.send(DATA, message["bytes"])
            elif message.get("text"):
                await _control(message["text"], exchange)


async def _control(text: str, exchange: Exchange) -> None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return
    kind = said.get("type") if isinstance(said, dict) else None
    if kind == "end":
        await exchange.send(END)
    elif kind == "signal" and isinstance(said.get("signal"), int):
        await exchange.tell(signal=said["signal"])


async def _shown(websocket: WebSocket, exchange: Exchange) -> None:
    async for name, data in _frames(exchange, None):
        if isinstance(data, bytes):
            await websocket.send_bytes((b"\x02" if name == "stderr" else b"\x01") + data)
        else:
            await websocket.send_json({"type": "exit"} | data)


def _argv(body: Fields) -> list[str]:
    argv = body.values.get("argv")
    if not isinstance(argv, list) or not argv:
        raise invalid("argv must be a non-empty array")
    if not all(isinstance(word, str) and "\0" not in word for word in argv) or not argv[0]:
        raise invalid("argv must be an array of strings")
    return argv


def _options(body: Fields) -> dict[str, Any]:
    timeout = body.values.get("timeout_ms")
    options: dict[str, Any] = {"env": body.environment()}
    if isinstance(timeout, int | float) and not isinstance(timeout, bool) and 0 < timeout < 1e15:
        options["within"] = timeout / 1000
    return options


def _decoded(body: Fields) -> bytes | None:
    if "stdin" not in body:
        return None
    try:
        return base64.b64decode(body.text("stdin", longest=64 << 20), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("stdin must be base64 when provided") from None
