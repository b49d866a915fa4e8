"""Background processes: started, listed, ended, waited for; what they print, kept and followed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import signal
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso
from workbench.sandbox.channel import DATA, JSON, STDERR
from workbench.sandbox.spec import EGRESS_PORT

from ..bodies import Fields, required_json, small_body
from ..bridge import any_path, checked_session
from ..feature import Feature
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..streams import Streamed, event
from .execution import ensure_session

SIGNALS = ("TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT")


class Processes(Feature):
    """`{id}/process...`, `{id}/wait`, `{id}/port`."""

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/process", self.start, methods=["POST"]),
            Route(one + "/process", self.list, methods=["GET"]),
            Route(one + "/process/{pid}", self.get, methods=["GET"]),
            Route(one + "/process/{pid}", self.terminate, methods=["DELETE"]),
            Route(one + "/process/{pid}/logs", self.logs, methods=["GET"]),
            Route(one + "/process/{pid}/wait", self.wait, methods=["POST"]),
            Route(one + "/wait", self.wait, methods=["POST"]),
            Route(one + "/port", self.ports, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """`{argv, id?, cwd?, env?, session?}`: the process, which goes on when the request is over."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        argv = body.texts("argv")
        if not argv or not argv[0]:
            raise invalid("argv must be a non-empty array")
        id = checked_session(body.text("id")) if "id" in body else f"p-{secrets.token_hex(4)}"
        session = checked_session(body.text("session")) if "session" in body else None
        cwd = sandbox.within(any_path(body.text("cwd"))) if "cwd" in body else None
        async with sandbox.use() as channel:
            if session is not None:
                await ensure_session(channel, session)
            made = await channel.start_process(id, argv, cwd=cwd, env=body.environment(), session=session)
        told = _process(sandbox, made)
        self.hub.events.tell("process.started", sandbox.record.id, sandbox.record.name, process=id, argv=argv)
        return JSONResponse(told)

    async def list(self, request: Request) -> Response:
        """`{processes}`, those that ended among them, in the order they were started."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        async with sandbox.use() as channel:
            return JSONResponse(
                {"processes": [_process(sandbox, each) for each in await channel.processes()]}
            )

    async def get(self, request: Request) -> Response:
        """One process."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        async with sandbox.use() as channel:
            return JSONResponse(_process(sandbox, await channel.process(request.path_params["pid"])))

    async def terminate(self, request: Request) -> Response:
        """Signal its group (`?signal=TERM`), and after `?grace=5` seconds kill it: the process as it is then."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        id = request.path_params["pid"]
        name = (request.query_params.get("signal") or "TERM").removeprefix("SIG").upper()
        if name not in SIGNALS:
            raise invalid(f"signal must be one of {', '.join(SIGNALS)}")
        try:
            grace = float(request.query_params.get("grace") or 5)
        except ValueError:
            raise invalid("grace must be a number of seconds") from None
        async with sandbox.use() as channel:
            ran = await channel.signal_process(id, signal.Signals[f"SIG{name}"])
            ends = ran and name in ("TERM", "INT", "HUP", "QUIT", "KILL")
            if ends and not (await channel.wait(id, within=max(0.01, min(grace, 3600)))).get("matched"):
                await channel.signal_process(id, signal.SIGKILL)
                await channel.wait(id, within=5)
            found = await channel.process(id)
        self.hub.events.tell(
            "process.signalled", sandbox.record.id, sandbox.record.name, process=id, signal=name
        )
        return JSONResponse(_process(sandbox, found))

    async def logs(self, request: Request) -> Response:
        """Events `stdout` and `stderr` (base64; the id is the offset after it) from `?offset=0` on, `?follow=1` until it ends, then
        `end` with the process."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        id = request.path_params["pid"]
        offset = request.query_params.get("offset") or request.headers.get("last-event-id") or "0"
        if not offset.isdecimal():
            raise invalid("offset must be a whole number")
        follow = request.query_params.get("follow") in ("1", "true")
        async with sandbox.use() as channel:
            await channel.process(id)
        return Streamed(self._told(sandbox, id, int(offset), follow))

    async def _told(self, sandbox: Sandbox, id: str, offset: int, follow: bool) -> AsyncIterator[bytes]:
        try:
            async with (
                sandbox.use() as channel,
                await channel.logs(id, offset=offset, follow=follow) as exchange,
            ):
                async for frame in exchange:
                    if frame.kind in (DATA, STDERR):
                        offset += len(frame.payload)
                        name = "stderr" if frame.kind == STDERR else "stdout"
                        yield event(name, base64.b64encode(frame.payload).decode(), id=offset)
                    elif frame.kind == JSON:
                        said = frame.json()
                        if isinstance(said.get("offset"), int):
                            offset = said["offset"]
                        if said.get("lost"):
                            yield event("lost", {"offset": offset})
                        if isinstance(said.get("process"), dict):
                            yield event("end", _process(sandbox, said["process"]))
        except (WorkbenchError, Problem) as error:
            yield event("error", {"error": str(error), "code": getattr(error, "code", "log_error")})

    async def wait(self, request: Request) -> Response:
        """For `{port}`, for `{pattern, literal?}` or (neither) its end, with `timeout_ms?`: `{matched, line, groups, exit_code, ...}`."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request) if await small_body(request) else Fields({})
        port, pattern = body.whole("port", least=1), body.text("pattern") or None
        id = request.path_params.get("pid")
        if port is not None and pattern is not None:
            raise invalid("Provide either port or pattern, not both")
        if port is not None and port > 65535:
            raise invalid("Invalid port")
        if id is None and port is None:
            raise invalid("a wait without a process is for a port")
        timeout = body.number("timeout_ms")
        async with sandbox.use() as channel:
            waiting = asyncio.ensure_future(
                channel.wait(
                    id,
                    port=port,
                    pattern=pattern,
                    literal=body.flag("literal"),
                    within=None if timeout is None else timeout / 1000,
                )
            )
            said = await _while_asked(request, waiting)
        process = said["process"] if isinstance(said.get("process"), dict) else {}
        groups = said.get("groups")
        return JSONResponse(
            {
                "matched": said.get("matched") is True,
                "line": said.get("line"),
                "groups": groups if isinstance(groups, list) else [],
                "exit_code": process.get("exit_code"),
                "signal": process.get("signal"),
                "reason": said.get("reason"),
            }
        )

    async def ports(self, request: Request) -> Response:
        """`{ports: [{port, address, preview}]}` of what listens inside, but for the init's own way out."""
        from .previews import Previews

        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        async with sandbox.use() as channel:
            found = await channel.ports()
        urls = {preview["port"]: preview["url"] for preview in self.hub.feature(Previews).listed(sandbox)}
        own = [each for each in found if each.get("port") != EGRESS_PORT]
        return JSONResponse({"ports": [{**each, "preview": urls.get(each.get("port"))} for each in own]})


async def _while_asked(request: Request, work: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
    """The result, unless whoever asked goes away: then the work is given up."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    leaving = asyncio.ensure_future(gone())
    try:
        await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Problem(499, "client_closed_request", "whoever asked has gone")
        return work.result()
    finally:
        for task in (work, leaving):
            task.cancel()
        with contextlib.suppress(BaseException):
            await asyncio.gather(work, leaving, return_exceptions=True)


def _process(sandbox: Sandbox, found: dict[str, Any]) -> dict[str, Any]:
    """A process as the API says it."""

    def whole(name: str) -> int | None:
        value = found.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def when(name: str) -> str | None:
        value = found.get(name)
        return iso(value * 1000) if isinstance(value, int | float) else None

    argv = found.get("argv")
    return {
        "id": str(found.get("id")),
        "argv": [str(word) for word in argv] if isinstance(argv, list) else [],
        "state": str(found.get("state")),
        "pid": whole("pid"),
        "exit_code": whole("exit_code"),
        "signal": whole("signal"),
        "started": when("started"),
        "ended": when("ended"),
        "cwd": sandbox.without(str(found.get("cwd"))),
        "problem": found.get("problem"),
        "log_bytes": whole("log_end") or 0,
        "log_start": whole("log_start") or 0,
    }
