"""The stand-in's HTTP side: who may ask, what goes wrong on purpose, which route answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.oracle import Oracle

ACCOUNT = "0123456789abcdef0123456789abcdef"
OTHER_ACCOUNT = "fedcba9876543210fedcba9876543210"
TOKEN = "stand-in-token-0123456789-abcdefghij"
ACCOUNT_TOKEN = "stand-in-account-token-0123456789-abcde"
"""One that the account owns: it is nobody's, so what asks for a user is refused."""
KEY, EMAIL = "stand-in-global-key-0123456789abcdef", "ann@example.com"
ROOT = "/client/v4"


class Request(NamedTuple):
    """path: decoded segments below the account (or below the root). raw: the path as it was sent."""

    method: str
    raw: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class Reply(NamedTuple):
    """content: bytes as they are, or JSON to be put into the envelope as `result`."""

    content: Any = None
    status: int = 200
    info: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    errors: list[tuple[int, str]] = []


def numbered(rows: list[Any], request: Request) -> Reply:
    """A page of a list, by number."""
    page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 20))
    part = rows[(page - 1) * size : page * size]
    pages = max(1, -(-len(rows) // size))
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": len(rows),
        "total_pages": pages,
    }
    return Reply(part, info=info)


def refusal(status: int, number: int, message: str) -> Reply:
    return Reply(None, status, errors=[(number, message)])


class Fault(NamedTuple):
    """What the next matching answers do instead. kind: status, slow, cut (no answer), half (part of a body), after (answer lost)."""

    kind: str
    matches: Callable[[Request], bool]
    status: int = 500
    headers: dict[str, str] = {}
    body: bytes = b""
    seconds: float = 0.0


class StandIn:
    """One of them, on its own port. `requests` is all that was asked; `fault` arranges for what goes wrong."""

    def __init__(self, oracle: Oracle | None = None, accounts: tuple[str, ...] = (ACCOUNT,)) -> None:
        from .routes import Routes

        self.accounts = accounts
        self.tokens = {TOKEN, ACCOUNT_TOKEN}
        self.requests: list[Request] = []
        self.refreshes: list[dict[str, str]] = []
        self.faults: list[Fault] = []
        self._routes = Routes(self, oracle)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """What `CLOUDFLARE_API_BASE_URL` is set to."""
        return self.origin + ROOT

    def environment(self) -> dict[str, str]:
        """Of a command that works on it."""
        return {"CLOUDFLARE_API_BASE_URL": self.url, "CLOUDFLARE_API_TOKEN": TOKEN}

    @contextmanager
    def fault(
        self, kind: str, part: str = "", times: int = 1, method: str = "", **options: Any
    ) -> Iterator[None]:
        """The next `times` requests whose path holds `part` meet it; what is not met is taken back at the end."""

        def matches(request: Request) -> bool:
            return part in request.raw and method in ("", request.method)

        arranged = [Fault(kind, matches, **options) for _ in range(times)]
        self.faults += arranged
        try:
            yield
        finally:
            self.faults = [fault for fault in self.faults if not any(fault is one for one in arranged)]

    def asked(self, method: str = "", part: str = "") -> list[Request]:
        return [one for one in self.requests if method in ("", one.method) and part in one.raw]

    def take_fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.matches(request):
                self.faults.remove(fault)
                return fault
        return None

    def answer(self, request: Request) -> Reply:
        if request.raw == "/":
            return Reply({"message": "this is a stand-in for tests, not Cloudflare"})
        if request.raw == "/oauth2/token":
            return self._refresh(request)
        if not request.raw.startswith(ROOT):
            return self._routes.beside(request)
        if not self._may(request):
            return refusal(401, 10000, "Authentication error")
        segments = [unquote(part) for part in request.raw.removeprefix(ROOT + "/").split("/")]
        try:
            return self._routes.answer(request, segments)
        except KeyError as error:
            return refusal(404, 7003, f"Could not route to {request.raw}: no {error}")
        except Exception as error:
            return refusal(500, 1, f"the stand-in itself broke: {error!r}")

    def _may(self, request: Request) -> bool:
        headers = request.headers
        if headers.get("x-auth-key") == KEY and headers.get("x-auth-email") == EMAIL:
            return True
        return request.token in self.tokens

    def _refresh(self, request: Request) -> Reply:
        """OAuth's answer, which is in no envelope. A refresh token works once."""
        form = dict(parse_qsl(request.body.decode()))
        self.refreshes.append(form)
        if not form.get("refresh_token", "").startswith("refresh-"):
            return Reply(b'{"error": "invalid_grant"}', 400, headers={"Content-Type": "application/json"})
        number = len(self.refreshes)
        token = f"access-token-{number}-abcdefghijklmnop"
        self.tokens.add(token)
        answer = {
            "access_token": token,
            "expires_in": 3600,
            "refresh_token": f"refresh-{number}-qrstuvwxyz",
            "scope": "account:read workers:write offline_access",
            "token_type": "bearer",
        }
        return Reply(json.dumps(answer).encode(), headers={"Content-Type": "application/json"})

    def close(self) -> None:
        self._routes.close()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            """Nothing is written."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            place = urlsplit(self.path)
            request = Request(
                self.command,
                place.path,
                dict(parse_qsl(place.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                body,
            )
            stand_in.requests.append(request)
            fault = stand_in.take_fault(request)
            if fault is not None and fault.kind == "cut":
                self._hang_up()
                return
            if fault is not None and fault.kind == "status":
                content = fault.body or _envelope(Reply(None, fault.status, errors=[(0, "on purpose")]))
                self._send(fault.status, content, fault.headers)
                return
            if fault is not None and fault.kind == "slow":
                time.sleep(fault.seconds)
            reply = stand_in.answer(request)
            if fault is not None and fault.kind == "after":
                self._hang_up()
                return
            headers = {"Content-Type": "application/json"}
            content = reply.content if isinstance(reply.content, bytes) else _envelope(reply)
            if fault is not None and fault.kind == "half":
                self._send(
                    reply.status, content[: len(content) // 2], headers | reply.headers, length=len(content)
                )
                self._hang_up()
                return
            self._send(reply.status, content, headers | reply.headers)

        def _send(
            self, status: int, content: bytes, headers: dict[str, str], length: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("X-Stand-In", "this is not Cloudflare")
            self.send_header("cf-ray", f"ray{len(stand_in.requests)}")
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            self.wfile.flush()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = _answer

    return Handler


def _envelope(reply: Reply) -> bytes:
    errors = [{"code": number, "message": message} for number, message in reply.errors]
    data = {
        "success": not errors,
        "errors": errors,
        "messages": [],
        "result": None if errors else reply.content,
    }
    if reply.info is not None:
        data["result_info"] = reply.info
    return json.dumps(data).encode()
