"""A plain client of a sandbox's way out, as strict or as odd as a test wants it."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any, NamedTuple

import h11

from workbench.sandbox.egress.streams import PlainStream, Stream, TlsStream


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to the socket at `path`."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.h11 = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(cls, path: Path) -> Client:
        reader, writer = await asyncio.open_unix_connection(path)
        return cls(PlainStream(reader, writer, 20))

    async def send(self, method: str, target: str, body: bytes | None = None, **headers: str) -> None:
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.insert(0, ("Host", "whatever.test"))
        if body is not None and not any(name.lower() == "transfer-encoding" for name, _ in pairs):
            pairs.append(("Content-Length", str(len(body))))
        await self.stream.write(
            self.h11.send(h11.Request(method=method, target=target, headers=pairs)) or b""
        )
        if body:
            await self.stream.write(self.h11.send(h11.Data(data=body)) or b"")
        await self.stream.write(self.h11.send(h11.EndOfMessage()) or b"")

    async def event(self) -> Any:
        while (event := self.h11.next_event()) is h11.NEED_DATA:
            self.h11.receive_data(await self.stream.read())
        return event

    async def answer(self) -> Answer:
        event = await self.event()
        while isinstance(event, h11.InformationalResponse) and event.status_code != 101:
            event = await self.event()
        headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        body = b""
        trailers: dict[str, str] = {}
        if not isinstance(event, h11.InformationalResponse):
            while isinstance(part := await self.event(), h11.Data):
                body += part.data
            if isinstance(part, h11.EndOfMessage):
                trailers = {name.decode(): value.decode() for name, value in part.headers}
        if self.h11.our_state is h11.DONE and self.h11.their_state is h11.DONE:
            self.h11.start_next_cycle()
        return Answer(event.status_code, headers, body, trailers)

    async def get(self, target: str, **headers: str) -> Answer:
        await self.send("GET", target, **headers)
        return await self.answer()

    async def connect(self, host: str, port: int) -> int:
        """CONNECT; the status. On 200 the stream is the tunnel."""
        await self.stream.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            data = await self.stream.read()
            if not data:
                break
            head += data
        head, _, rest = head.partition(b"\r\n\r\n")
        self.stream.unread(rest)
        return int(head.split(b" ", 2)[1])

    async def tls(self, host: str, authority: bytes) -> None:
        """Go on in TLS, trusting only the given authority."""
        context = ssl.create_default_context(cadata=authority.decode())
        secure = TlsStream(self.stream, context, server=False, hostname=host)
        await secure.handshake(10)
        self.stream = secure

    async def close(self) -> None:
        await self.stream.close()


async def get(path: Path, target: str, **headers: str) -> Answer:
    """One request on a connection of its own."""
    client = await Client.open(path)
    try:
        return await client.get(target, **headers)
    finally:
        await client.close()
