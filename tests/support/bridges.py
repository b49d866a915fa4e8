"""A deployed bridge's stand-in: a hub behind a TCP port that lets nothing through but the bridge's own routes."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

from tests.support.hubs import Home

ROUTES = re.compile(
    r"POST /v1/sandbox( |\?)|DELETE /v1/sandbox/[a-z2-7]+ "
    r"|[A-Z]+ /v1/sandbox/[a-z2-7]+/(exec|running|persist|hydrate|pty|session|mount|unmount)[ ?/]"
    r"|(GET|PUT) /v1/sandbox/[a-z2-7]+/file/|(POST|DELETE) /v1/sandbox/[a-z2-7]+/(tunnel|session)/"
)
_LIST = (b"GET /v1/sandbox?", b"GET /v1/sandbox ")


class StandIn:
    """url, token: as a client needs them. asked: the first line of each request, but for those of the list."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.asked: list[str] = []

    @property
    def beyond(self) -> list[str]:
        """What was asked that a bridge does not have."""
        return [line for line in self.asked if not ROUTES.match(line)]


@contextlib.asynccontextmanager
async def stand_in(home: Home, *, lists: bool) -> AsyncIterator[StandIn]:
    """lists: whether it names its sandboxes, as one that `bridges export` wrote does; the public one answers 404."""
    found = await asyncio.to_thread(home.connect)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends with connections open
            await serve(reader, writer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(found.socket)

        async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: bool) -> None:
            while data := await source.read(1 << 16):
                if look and data.startswith(_LIST):
                    if not lists:
                        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n404 Not Found")
                        continue
                elif look and data.split(b" ", 1)[0] in (b"GET", b"PUT", b"POST", b"DELETE", b"PATCH"):
                    bridge.asked.append(data.split(b"\r\n", 1)[0].decode())
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(
            pour(reader, inner_writer, True), pour(inner_reader, writer, False), return_exceptions=True
        )

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    bridge = StandIn(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", found.token)
    try:
        yield bridge
    finally:
        listening.close()
