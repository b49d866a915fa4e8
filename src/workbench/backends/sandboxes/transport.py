"""HTTP and WebSockets to whatever speaks the bridge's routes: the hub on its Unix socket, or a deployed bridge.

Errors come as the family's: `{error, code}` of the bridge becomes a WorkbenchError whose code is `sandboxes.<code>`, ours are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from workbench.backends.web import httpx
from workbench.model.errors import WorkbenchError
from workbench.model.places import HubPlaces

from . import launch

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

Content = bytes | AsyncIterable[bytes] | None
LARGEST_EVENT = 16 << 20


class ServerEvent(NamedTuple):
    """One server-sent event. data: its lines, joined."""

    event: str
    data: str
    id: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Transport:
    """Requests to one server. places: a hub's, which is started at the first request; or url and token of a deployed bridge."""

    def __init__(self, places: HubPlaces | None = None, *, url: str = "", token: str = "") -> None:
        self.places = places
        self.url = url.rstrip("/") or "http://hub"
        self.token = token
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._found: launch.Found | None = None

    async def client(self) -> httpx.AsyncClient:
        """The HTTP client of the running loop, on a server that answered when it was made."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            uds = None
            if self.places is not None:
                self._found = await asyncio.to_thread(launch.connect, self.places)
                self.token, uds = self._found.token, self._found.socket
            self._client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=uds, limits=httpx.Limits(max_connections=None)),
                base_url=self.url,
                timeout=httpx.Timeout(None, connect=10),
                headers={"Authorization": f"Bearer {self.token}"},
            )
            self._loop = loop
        return self._client

    async def close(self) -> None:
        """Close what is open in this loop."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        content: Content = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A response whose body is read as it comes. body: JSON. A hub that is gone is found or started again, once."""
        known = {name: _parameter(value) for name, value in (params or {}).items() if value is not None}
        for attempt in (1, 2):
            client = await self.client()
            request = client.build_request(
                method, path, params=known or None, json=body, content=content, headers=dict(headers or {})
            )
            try:
                response = await client.send(request, stream=True)
                break
            except httpx.ConnectError as error:
                await self.close()
                if attempt == 2 or self.places is None:
                    raise self._unreachable(error) from None
            except httpx.HTTPError as error:
                raise self._unreachable(error) from None
        try:
            if response.status_code >= 400:
                raise error_of(response.status_code, await response.aread())
            yield response
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        finally:
            await response.aclose()

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """The JSON that comes back; None where nothing does. Options as of `stream`."""
        async with self.stream(method, path, **options) as response:
            data = await response.aread()
        try:
            return json.loads(data) if data else None
        except ValueError:
            raise WorkbenchError(
                "sandboxes.bad_answer", f"{method} {path} was answered with no JSON"
            ) from None

    async def events(self, method: str, path: str, **options: Any) -> AsyncIterator[ServerEvent]:
        """The server-sent events of a response, as they come. Options as of `stream`."""
        async with self.stream(method, path, **options) as response:
            async for event in parse_events(response.aiter_bytes()):
                yield event

    async def websocket(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> ClientConnection:
        """An open WebSocket; close it. Raises WorkbenchError with what the server said instead."""
        from websockets.asyncio.client import connect, unix_connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        await self.client()
        known = {name: _parameter(value) for name, value in (params or {}).items() if value is not None}
        target = path + (f"?{urlencode(known)}" if known else "")
        options: dict[str, Any] = {
            "additional_headers": {"Authorization": f"Bearer {self.token}"} | dict(headers or {}),
            "max_size": 64 << 20,
            "compression": None,
            "proxy": None,
        }
        try:
            if self._found is not None:
                return await unix_connect(
                    self._found.socket, f"ws://hub{target}", ping_interval=None, **options
                )
            return await connect(self.url.replace("http", "ws", 1) + target, **options)
        except InvalidStatus as error:
            raise error_of(error.response.status_code, bytes(error.response.body or b"")) from None
        except (OSError, WebSocketException) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> WorkbenchError:
        if self.places is not None:
            return WorkbenchError(
                "hub.unreachable",
                f"the hub does not answer: {error or type(error).__name__}",
                f"its log is {self.places.log}",
            )
        return WorkbenchError(
            "bridges.unreachable", f"{self.url} does not answer: {error or type(error).__name__}"
        )


def _parameter(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def in_path(text: str, *, slashes: bool = False) -> str:
    """Text as a part of a URL's path; with slashes, as several."""
    return quote(text, safe="/" if slashes else "")


def error_of(status: int, body: bytes) -> WorkbenchError:
    """An answer that says no, as an error. `{error, code, hint?}` where it is one of the bridge's."""
    try:
        said = json.loads(body)
        message, code = str(said["error"]), str(said["code"])
        hint = str(said.get("hint") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        text = body.decode("utf-8", "replace").strip()[:300]
        return WorkbenchError("sandboxes.http_error", f"HTTP {status}" + (f": {text}" if text else ""))
    return WorkbenchError(code if "." in code else f"sandboxes.{code}", message, hint)


async def parse_events(pieces: AsyncIterable[bytes]) -> AsyncIterator[ServerEvent]:
    """Server-sent events out of bytes cut anywhere; what is left unfinished at the end is no event."""
    held = bytearray()
    name, id = "message", None
    data: list[str] = []
    async for piece in pieces:
        held += piece
        if len(held) > LARGEST_EVENT:
            raise WorkbenchError("sandboxes.bad_answer", "a server-sent event is too large")
        start = 0
        while (end := held.find(b"\n", start)) >= 0:
            line = held[start:end].rstrip(b"\r").decode("utf-8", "surrogatepass")
            start = end + 1
            if not line:
                if data:
                    yield ServerEvent(name, "\n".join(data), id)
                name, id, data = "message", None, []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id":
                id = value
        del held[:start]
