"""Deployed Workers of the stand-in, and their live log: made up in the documented shapes, the log over a real WebSocket."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from .server import Reply, Request, numbered, refusal

EVENTS: list[dict[str, Any]] = [
    {
        "outcome": "ok",
        "scriptName": "oracle",
        "eventTimestamp": 1_790_000_000_000,
        "event": {"request": {"method": "GET", "url": "https://oracle.example/", "headers": {}, "cf": {}}},
        "logs": [{"level": "log", "message": ["hello", {"n": 1}], "timestamp": 1_790_000_000_001}],
        "exceptions": [],
    },
    {
        "outcome": "exception",
        "scriptName": "oracle",
        "eventTimestamp": 1_790_000_001_000,
        "event": {"cron": "*/5 * * * *", "scheduledTime": 1_790_000_001_000},
        "logs": [],
        "exceptions": [{"name": "Error", "message": "on purpose", "timestamp": 1_790_000_001_001}],
    },
]
VERSIONS = [
    {
        "id": "v-2",
        "number": 2,
        "metadata": {
            "created_on": "2026-02-01T00:00:00Z",
            "author_email": "ann@example.com",
            "source": "wrangler",
        },
    },
    {
        "id": "v-1",
        "number": 1,
        "metadata": {
            "created_on": "2026-01-01T00:00:00Z",
            "author_email": "ann@example.com",
            "source": "dash",
        },
    },
]
BINDINGS = [
    {"type": "kv_namespace", "name": "CACHE", "namespace_id": "cache-namespace"},
    {"type": "secret_text", "name": "API_KEY"},
    {"type": "plain_text", "name": "MODE", "text": "production"},
]


class MadeUpWorkers:
    """One Worker, `oracle`. `told` is what a log's reader said first; `ended` the logs that were deleted."""

    def __init__(self, state: Path | None) -> None:
        self.told: list[Any] = []
        self.ended: list[str] = []
        self.filters: Any = None
        self.hold = threading.Event()
        self._server: Server | None = None

    def close(self) -> None:
        self.hold.set()
        if self._server is not None:
            self._server.shutdown()

    def answer(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                row = {
                    "id": "oracle",
                    "created_on": "2026-01-01T00:00:00Z",
                    "modified_on": "2026-02-01T00:00:00Z",
                }
                row_more = {
                    "handlers": ["fetch"],
                    "compatibility_date": "2026-11-01",
                    "usage_model": "standard",
                }
                return Reply([row | row_more])
            case [script, *_] if script != "oracle":
                return refusal(404, 10007, "workers.api.error.script_not_found")
            case [_, "versions"]:
                reply = numbered(VERSIONS, request)
                return reply._replace(content={"items": reply.content})
            case [_, "versions", id]:
                found = next(one for one in VERSIONS if one["id"] == id)
                return Reply(
                    found | {"resources": {"bindings": BINDINGS, "script": {}, "script_runtime": {}}}
                )
            case [_, "deployments"]:
                versions: list[dict[str, object]] = [
                    {"version_id": "v-1", "percentage": 10},
                    {"version_id": "v-2", "percentage": 90},
                ]
                deployment: dict[str, object] = {
                    "id": "d-1",
                    "created_on": "2026-02-01T00:00:00Z",
                    "source": "wrangler",
                    "strategy": "percentage",
                    "versions": versions,
                }
                return Reply({"deployments": [deployment | {"author_email": "ann@example.com"}]})
            case [_, "secrets"]:
                return Reply([{"name": "API_KEY", "type": "secret_text"}])
            case [_, "tails"]:
                self.filters = request.json()
                return Reply({"id": "tail-1", "url": self._log(), "expires_at": "2027-01-01T00:00:00Z"})
            case [_, "tails", id] if request.method == "DELETE":
                self.ended.append(id)
                return Reply(None)
        raise KeyError("/".join(rest))

    def _log(self) -> str:
        if self._server is None:
            self._server = serve(self._stream, "127.0.0.1", 0, subprotocols=[Subprotocol("trace-v1")])
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/log-secret-path"

    def _stream(self, socket: ServerConnection) -> None:
        """Two events, then open until the reader leaves or the stand-in closes."""
        try:
            self.told.append(json.loads(socket.recv(timeout=10)))
            for event in EVENTS:
                socket.send(json.dumps(event))
            while not self.hold.wait(0.02):
                socket.ping()
        except (ConnectionClosed, TimeoutError):
            pass
