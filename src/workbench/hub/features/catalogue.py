"""What there is to ask: the OpenAPI document, made from the routes themselves, and the bridge's pool, which a hub has none of."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from workbench import __version__

from ..feature import Feature

_FAILED = {
    "description": "It could not be done.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error", "code"],
                "properties": {
                    "error": {"type": "string"},
                    "code": {"type": "string"},
                    "hint": {"type": "string"},
                },
            }
        }
    },
}


class Catalogue(Feature):
    """`/v1/openapi.json`; `/v1/pool/...` as the bridge answers with nothing kept warm: a sandbox here starts in milliseconds."""

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/openapi.json", self.schema, methods=["GET"]),
            Route("/v1/pool/stats", self.pool, methods=["GET"]),
            Route("/v1/pool/prime", self.nothing, methods=["POST"]),
            Route("/v1/pool/shutdown-prewarmed", self.nothing, methods=["POST"]),
        ]

    async def schema(self, request: Request) -> Response:
        """The routes, as an OpenAPI 3.1 document."""
        return JSONResponse(self._document)

    async def pool(self, request: Request) -> Response:
        """How many sandboxes run; none waits unassigned."""
        active = sum(sandbox.alive for sandbox in self.hub.sandboxes)
        config = {"warmTarget": 0, "refreshInterval": 0, "scaleBatchSize": 1}
        return JSONResponse(
            {"warm": 0, "assigned": active, "total": active, "config": config, "maxInstances": None}
        )

    async def nothing(self, request: Request) -> Response:
        """There is nothing to do."""
        return JSONResponse({"ok": True})

    @cached_property
    def _document(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for route in (route for feature in self.hub.features for route in feature.routes()):
            if isinstance(route, Route | WebSocketRoute):
                path = re.sub(r":\w+}", "}", route.path)
                methods = route.methods or set() if isinstance(route, Route) else {"GET"}
                for method in sorted(methods - {"HEAD"}):
                    paths.setdefault(path, {}).setdefault(method.lower(), _operation(route, path, method))
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Sandboxes of a cfwb hub",
                "version": __version__,
                "description": "The routes of the sandbox bridge, and beside them by the same conventions what it lacks.",
            },
            "security": [{"token": []}],
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "paths": paths,
        }


def _operation(route: Route | WebSocketRoute, path: str, method: str) -> dict[str, Any]:
    words = " ".join((route.endpoint.__doc__ or "").split())
    name = re.sub(r"\W+", "_", path.removeprefix("/v1/").replace("{", "").replace("}", "")).strip("_")
    described: dict[str, Any] = {
        "operationId": f"{method.lower()}_{name}",
        "summary": words,
        "responses": {"200": {"description": "Done."}, "default": _FAILED},
    }
    parameters = re.findall(r"{(\w+)}", path)
    if parameters:
        described["parameters"] = [
            {"name": each, "in": "path", "required": True, "schema": {"type": "string"}}
            for each in parameters
        ]
    if path == "/health":
        described["security"] = []
    return described
