"""Sandboxes themselves: made, listed, looked at, changed, started, stopped, deleted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..feature import Feature


class Lifecycle(Feature):
    """`/v1/sandbox` and what is directly below it."""

    def routes(self) -> list[BaseRoute]:
        return [Route("/v1/sandbox", self.list, methods=["GET"])]

    async def list(self, request: Request) -> Response:
        return JSONResponse({"sandboxes": [], "cursor": None})
