"""The hub itself: what it is, whether it is well, and its end."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench import __version__
from workbench.model.hub import PROTOCOL

from ..bodies import optional_json
from ..feature import Feature


class HubProcess(Feature):
    """`/hub` and `/health`. These two shapes never change: they are how clients of other versions learn what they speak to."""

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/hub", self.get, methods=["GET"]),
            Route("/hub/stop", self.stop, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        """Whether it answers at all; needs no token."""
        return JSONResponse({"ok": True})

    async def get(self, request: Request) -> Response:
        """`{protocol, version, pid, started, state_directory, socket, log, sandboxes, active}`."""
        hub = self.hub
        return JSONResponse(
            {
                "protocol": PROTOCOL,
                "version": __version__,
                "pid": os.getpid(),
                "started": hub.started,
                "state_directory": hub.places.state_directory,
                "socket": hub.places.socket,
                "log": hub.places.log,
                "sandboxes": len(hub.sandboxes),
                "active": sum(sandbox.alive for sandbox in hub.sandboxes),
            }
        )

    async def stop(self, request: Request) -> Response:
        """End the hub: `{"sandboxes": true}` stops its sandboxes first, else they live on. `{stopped, pid, left}`."""
        body = await optional_json(request)
        if body.flag("sandboxes"):
            await self.hub.sandboxes.stop_all()
        left = sum(sandbox.alive for sandbox in self.hub.sandboxes)
        self.hub.stopping.set()
        return JSONResponse({"stopped": True, "pid": os.getpid(), "left": left})
