"""A connection to a preview: led by the first label of the `Host` it asks for, and from then on bytes both ways as they are."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from workbench.model.errors import WorkbenchError

from .problems import Problem
from .sandbox import Sandbox

PIECE = 64 << 10


class Place(NamedTuple):
    """Where a preview leads."""

    sandbox: Sandbox
    port: int


async def lead(place: Place, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """To the port inside; the sandbox is woken for that, and does not sleep while a connection is open."""
    try:
        async with place.sandbox.use() as channel:
            inner_reader, inner_writer = await channel.connect_port(place.port)
            try:
                inner_writer.write(head)
                await asyncio.gather(_pour(reader, inner_writer), _pour(inner_reader, writer))
            finally:
                inner_writer.close()
    except WorkbenchError as error:
        name = place.sandbox.record.name
        closed = error.code == "sandbox.port_closed"
        why = f"nothing listens on port {place.port} in {name}" if closed else error.message
        await refuse(writer, "502 Bad Gateway", why)
    except Problem as problem:
        await refuse(writer, "502 Bad Gateway", problem.error)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Bytes as they come, at the pace of whoever takes them; the end is passed on."""
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
    with contextlib.suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()


def label_of(head: bytes) -> str:
    """The first label of the one `Host` of a request's head, where the rest is `localhost`; "" for anything else."""
    hosts = [
        line.partition(b":")[2].strip()
        for line in head.split(b"\r\n")[1:]
        if line.partition(b":")[0].strip().lower() == b"host"
    ]
    if len(hosts) != 1:
        return ""
    name, _, rest = hosts[0].decode("latin-1").lower().partition(".")
    return name if rest.rstrip(".").partition(":")[0].rstrip(".") == "localhost" else ""


async def refuse(writer: asyncio.StreamWriter, status: str, why: str) -> None:
    body = f"{why}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    with contextlib.suppress(OSError):
        await writer.drain()
