"""One request from socket to socket: admitted, matched, checked, handled in a thread, answered in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel

from .addresses import EXPLORER, GENERIC
from .body import Incoming
from .call import Call
from .door import PROTECTIVE, Admission, Door, refuse_reading, refuse_writing
from .errors import GENERAL, ApiError, api_error
from .generic import Generic
from .inputs import check_body, check_query
from .openapi import operations_document
from .opened import Opened, by_id
from .replies import Reply, failure, json_reply
from .routes import LARGEST_JSON, Found, Table
from .table import ROUTES
from .transfers import Transfers

THREADS = 64
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-allow-headers": "Authorization, Content-Type, cf-metadata-only, cf-r2-custom-metadata, X-Miniflare-Explorer-Refresh",
    "access-control-max-age": "86400",
}

T = TypeVar("T")
Unexpected = Callable[[Exception], WorkbenchError]


class Application:
    """The ASGI application. unexpected: makes of an error that nobody foresaw one that can be told, and logs it."""

    def __init__(self, opened: Opened, door: Door, unexpected: Unexpected) -> None:
        self._opened = opened
        self._door = door
        self._unexpected = unexpected
        self._table = Table(ROUTES)
        self._generic = Generic(opened.current().target, unexpected)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="cfwb-serve")
        self._transfers = Transfers()
        self._running: set[Cancel] = set()

    def close(self) -> None:
        """Stop whatever still runs."""
        for cancel in list(self._running):
            cancel.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        cancel = Cancel()
        incoming = Incoming(receive, cancel)
        pump = asyncio.ensure_future(incoming.pump())
        self._running.add(cancel)
        try:
            origin = Headers(scope=scope).get("origin", "")
            try:
                admission = self._door.admit(scope)
                reply = await self._answer(scope, admission, incoming, cancel)
            except ApiError as error:
                reply = failure(error)
                if error.status == 403:
                    origin = ""
            except WorkbenchError as error:
                reply = failure(api_error(error))
            except Exception as error:
                reply = failure(api_error(self._unexpected(error)))
            await self._send(scope, reply, origin, cancel, send)
        finally:
            cancel.cancel()
            self._running.discard(cancel)
            pump.cancel()

    async def _answer(self, scope: Scope, admission: Admission, incoming: Incoming, cancel: Cancel) -> Reply:
        path = _raw_path(scope)
        if scope["method"] == "OPTIONS":
            return Reply(204, _PREFLIGHT if admission.origin else {})
        if path == GENERIC and scope["method"] in ("GET", "HEAD"):
            refuse_reading(admission)
            return json_reply(operations_document())
        if path.startswith(GENERIC + "/") and scope["method"] == "POST":
            return await self._operation(scope, path[len(GENERIC) + 1 :], admission, incoming, cancel)
        found = self._find(scope["method"], path)
        route = found.route
        if route.access == "writes":
            refuse_writing(admission)
        elif route.access != "signed":
            refuse_reading(admission)
        body = await incoming.whole(route.most) if route.body in ("json", "bytes") else b""

        def handle() -> Reply:
            call = self._call(scope, found.names, admission, incoming, cancel, body)
            given = parse_qs(
                scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace"
            )
            query = check_query(route.query, given)
            json = None if route.json is None else check_body(route.json, call.content_type, body)
            return route.handler(call._replace(query=query, json=json))

        return await self._in_thread(handle, cancel)

    async def _operation(
        self, scope: Scope, name: str, admission: Admission, incoming: Incoming, cancel: Cancel
    ) -> Reply:
        """An operation by its name."""
        try:
            operation = self._generic.admit(name, admission)
            body = await incoming.whole(LARGEST_JSON)
        except (ApiError, WorkbenchError) as error:
            return self._generic.error(name, error)

        def handle() -> Reply:
            return self._generic.handle(operation, self._call(scope, {}, admission, incoming, cancel, body))

        return await self._in_thread(handle, cancel)

    def _find(self, method: str, path: str) -> Found:
        for prefix in EXPLORER:
            if path == prefix or path.startswith(prefix + "/"):
                below = path[len(prefix) :] or "/"
                break
        else:
            raise ApiError(404, GENERAL, f"There is nothing here: the API is at {EXPLORER[0]}.")
        parts = below.split("/", 3)
        if parts[1] == "accounts" and len(parts) > 3:
            below = "/" + parts[3]
        found = self._table.find(method, below)
        if isinstance(found, Found):
            return found
        if found:
            raise ApiError(405, GENERAL, f"{method} is not for this path; it takes {', '.join(found)}.")
        raise ApiError(404, GENERAL, f"There is no such path: {EXPLORER[0]} lists those that there are.")

    def _call(
        self,
        scope: Scope,
        names: dict[str, str],
        admission: Admission,
        incoming: Incoming,
        cancel: Cancel,
        body: bytes,
    ) -> Call:
        state = self._opened.current().watched(cancel)
        headers = Headers(scope=scope)
        base = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
        return Call(
            names, {}, None, body, incoming.pieces, headers, admission.authorized,
            state, by_id(state), incoming.loop, base, self._transfers,
        )  # fmt: skip

    async def _in_thread(self, work: Callable[[], T], cancel: Cancel) -> T:
        """Run it in a thread. Cut off, the switch is thrown and the thread ends by itself."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except asyncio.CancelledError:
            cancel.cancel()
            raise

    async def _send(self, scope: Scope, reply: Reply, origin: str, cancel: Cancel, send: Send) -> None:
        headers = dict(PROTECTIVE) | dict(reply.headers)
        if origin:
            headers |= {"access-control-allow-origin": origin, "vary": "Origin"}
        whole = reply.body if isinstance(reply.body, bytes) else None
        if whole is not None and reply.status != 204:
            headers["content-length"] = str(len(whole))
        raw = [(name.encode("latin-1"), _header_value(value)) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        if scope["method"] == "HEAD" or whole is not None:
            await send(
                {"type": "http.response.body", "body": whole if whole and scope["method"] != "HEAD" else b""}
            )
            if not isinstance(reply.body, bytes):
                _close(reply.body)
            return
        assert not isinstance(reply.body, bytes)
        await self._send_pieces(reply.body, cancel, send)

    async def _send_pieces(self, pieces: Iterator[bytes], cancel: Cancel, send: Send) -> None:
        """Pieces as they are made. One that fails in the middle leaves the answer unfinished, which the client can tell."""
        try:
            while not cancel.cancelled:
                piece = await self._in_thread(lambda: next(pieces, None), cancel)
                if piece is None:
                    await send({"type": "http.response.body", "body": b""})
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except WorkbenchError:
            return
        except Exception as error:
            self._unexpected(error)
        finally:
            _close(pieces)


def _close(body: Iterator[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        with suppress(ValueError):  # a thread is still in it: it ends by the cancel switch
            close()


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _header_value(value: str) -> bytes:
    """A header's bytes; what HTTP can't carry there is left out."""
    text = "".join(character for character in value if character >= " " or character == "\t")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")
