"""The HTTP application: the routes of all features behind one door that knows the token."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from workbench.model.errors import WorkbenchError

from .problems import Problem, invalid, problem_of, respond

if TYPE_CHECKING:
    from .core import Hub

_ID = re.compile(r"[a-z2-7]{1,128}")
_OPEN = ("/health",)


def application(hub: Hub) -> ASGIApp:
    """Everything the hub answers."""
    routes = [route for feature in hub.features for route in feature.routes()]
    app = Starlette(
        routes=routes,
        exception_handlers={
            Problem: respond,
            WorkbenchError: respond,
            HTTPException: _http,
            Exception: respond,
        },
    )
    return Door(app, hub)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    return JSONResponse({"error": error.detail, "code": code}, status_code=error.status_code)


class Door:
    """Asks for the token, and refuses an id that is none, before anything is looked at (the bridge's order: the id first)."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self.app = app
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        async with self.hub.request():
            try:
                self._check(scope)
            except Problem as problem:
                await _refuse(problem, scope, receive, send)
                return
            try:
                await self.app(scope, receive, send)
            except (Problem, WorkbenchError) as error:  # of a WebSocket that was not accepted yet
                if scope["type"] != "websocket":
                    raise
                await _refuse(problem_of(error), scope, receive, send)

    def _check(self, scope: Scope) -> None:
        path: str = scope["path"]
        if path in _OPEN:
            return
        parts = path.split("/")
        if parts[1:3] == ["v1", "sandbox"] and len(parts) > 3 and parts[3] and not _ID.fullmatch(parts[3]):
            raise invalid("Invalid sandbox ID format")
        given = Headers(scope=scope).get("authorization", "")
        provided = given[7:] if given[:7].lower() == "bearer " else ""
        if not provided and path.startswith("/v1/openapi"):
            provided = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not hmac.compare_digest(provided.encode("utf-8", "replace"), self.hub.token.encode()):
            raise Problem(401, "unauthorized", "Unauthorized")


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    response = JSONResponse(problem.body, status_code=problem.status)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
