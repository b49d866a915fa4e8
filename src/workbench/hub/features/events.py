"""What happens, as server-sent events: of everything, or of one sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..feature import Feature
from ..streams import Streamed, event


class EventFeature(Feature):
    """`GET /v1/events`, `GET /v1/sandbox/{id}/events`; `?after=N` (or `Last-Event-ID`) first gives what came since event N."""

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/events", self.listen, methods=["GET"]),
            Route("/v1/sandbox/{id}/events", self.listen, methods=["GET"]),
        ]

    async def listen(self, request: Request) -> Response:
        """The events: `event: event`, the data an object with `id`, `at`, `event`, `sandbox`, `name` and more."""
        sandbox = None
        if "id" in request.path_params:
            sandbox = self.hub.sandboxes.get(request.path_params["id"]).record.id
        after = request.query_params.get("after") or request.headers.get("last-event-id") or ""
        heard = self.hub.events.listen(sandbox, int(after) if after.isdecimal() else None)

        async def told() -> AsyncIterator[bytes]:
            async for item in heard:
                yield event("event", item, id=item["id"])

        return Streamed(told())
