"""A sandbox's door: connections on its Unix socket, told apart by their first bytes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from pathlib import Path

from .client_hello import ClientHello, read_client_hello
from .exchange import Exchange
from .message import Broken
from .origin import Origin
from .outside import Outside
from .policy import Refused
from .records import Entry
from .socks import SocksError, SocksServer
from .streams import CHUNK, PlainStream, Stream, TlsStream
from .tunnel import splice
from .upstream import Connected, Unreachable, connect

_HTTP = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) ")
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"
    b"cfwb: too many connections of this sandbox at once\n"
)


class Gate:
    """Listens for one sandbox."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, path: Path, owner: tuple[int, int] | None = None) -> None:
        """Listen on `path`, over a socket that a hub before us left. owner: (uid, gid) that may connect besides the hub's own user."""
        self._server = await asyncio.start_unix_server(
            self._accept, sock=_listening(path, owner), limit=CHUNK, backlog=128
        )

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        stream = PlainStream(reader, writer, self.outside.limits.idle)
        if len(self._tasks) >= self.outside.limits.connections:
            with contextlib.suppress(OSError, TimeoutError):
                await stream.write(_BUSY)
            await stream.close()
            return
        self._tasks.add(task)
        try:
            await self._serve(stream)
        except (OSError, TimeoutError, Broken, SocksError):
            pass  # the sandbox's side broke; what it asked for has been recorded
        except asyncio.CancelledError:
            # Ended from outside. Not passed on: asyncio's server would report it as a failure.
            pass
        finally:
            self._tasks.discard(task)
            await stream.close()

    async def _serve(self, stream: Stream) -> None:
        async with asyncio.timeout(self.outside.limits.first_bytes):
            first = await stream.read()
        if not first:
            return
        stream.unread(first)
        if first[0] == 5:
            socks = SocksServer(stream)
            async with asyncio.timeout(self.outside.limits.first_bytes):
                host, port = await socks.read_request()
            connected = await self._reach(host, port, socks)
            if connected is not None:
                await self._through(stream, host, port, connected)
            return
        exchange = Exchange(self.outside, stream)
        target = await exchange.run()
        if target is not None:
            connected = await self._reach(*target, exchange)
            if connected is not None:
                await self._through(stream, *target, connected)

    async def _reach(self, host: str, port: int, asker: Exchange | SocksServer) -> Connected | None:
        """A connection for CONNECT, the asker answered; None where there is none."""
        entry = self._entry(host, port)
        try:
            connected = await connect(self.outside.access, host, port, self.outside.limits)
        except (Refused, Unreachable) as error:
            refused = isinstance(error, Refused)
            entry.status = 403 if refused else 504 if error.timed_out else 502  # type: ignore[union-attr]
            entry.finish("refused" if refused else "failed", str(error))
            await asker.answer_connect(entry.status, str(error))
            return None
        try:
            await asker.answer_connect(200, "")
        except BaseException:
            await connected.stream.close()
            raise
        self.outside.reached(host, port, connected)
        return connected

    async def _through(self, client: Stream, host: str, port: int, connected: Connected) -> None:
        """What goes through a connection that was opened for one host: HTTP, TLS to be opened, or bytes."""
        try:
            opening = await self._first(client, connected.stream)
            if opening.startswith(b"\x16"):
                await self._through_tls(client, opening, host, port, connected)
                return
            client.unread(opening)
            if _HTTP.match(opening):
                await Exchange(self.outside, client, Origin("http", host, port), connected).run()
            else:
                await self._tunnel(self._entry(host, port), client, connected)
        finally:
            await connected.stream.close()

    async def _through_tls(
        self, client: Stream, opening: bytes, host: str, port: int, connected: Connected
    ) -> None:
        outside = self.outside
        entry = self._entry(host, port)
        entry.scheme = "tls"
        opening, hello = await self._hello(client, opening)
        client.unread(opening)
        if hello is not None and hello.host not in ("", host):
            # Another site behind the same address would be reached under this one's name.
            entry.finish("refused", f"opened for {host}, but its TLS asks for {hello.host[:200]}")
            return
        concerned = outside.credentials.concern(host, port)
        # What speaks HTTP/2 alone (gRPC) could not go on once it was opened.
        speaks = hello is not None and (not hello.protocols or "http/1.1" in hello.protocols)
        if not (outside.access.opens_tls(host, port, concerned) and (speaks or concerned)):
            await self._tunnel(entry, client, connected)
            return
        tls = TlsStream(client, outside.authority.context(host), server=True)
        try:
            await tls.handshake(outside.limits.handshake)
        except (OSError, TimeoutError) as error:
            why = getattr(error, "reason", None) or str(error) or "no answer"
            entry.finish("failed", f"the program did not take the sandbox's certificate authority ({why})")
            return
        try:
            await Exchange(outside, tls, Origin("https", host, port), connected).run()
        finally:
            await tls.close()

    async def _first(self, client: Stream, upstream: Stream) -> bytes:
        """What the client says first, b"" where the other side speaks first. Nothing is lost of either."""
        asking = asyncio.create_task(client.read())
        greeting = asyncio.create_task(upstream.read())
        try:
            await asyncio.wait(
                {asking, greeting},
                timeout=self.outside.limits.first_bytes,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if greeting.done() and not greeting.exception():
                upstream.unread(greeting.result())
            if not asking.done():
                return b""
            opening = asking.result()
        finally:
            for task in (asking, greeting):
                task.cancel()
            await asyncio.gather(asking, greeting, return_exceptions=True)
        # A method may come in pieces; nothing but a method is spelled so.
        while opening and len(opening) < 8 and opening.isupper() and not _HTTP.match(opening):
            more = await client.read()
            if not more:
                break
            opening += more
        return opening

    async def _hello(self, client: Stream, opening: bytes) -> tuple[bytes, ClientHello | None]:
        """Read on until the hello is whole: all that was read, and the hello, or None for what is none."""
        async with asyncio.timeout(self.outside.limits.handshake):
            while True:
                try:
                    hello = read_client_hello(opening)
                except ValueError:
                    return opening, None
                if hello is not None:
                    return opening, hello
                more = await client.read()
                if not more:
                    return opening, None
                opening += more

    async def _tunnel(self, entry: Entry, client: Stream, connected: Connected) -> None:
        self.outside.reached(entry.host, entry.port, connected, unopened=entry.scheme == "tls")
        entry.started()
        try:
            reason = await splice(
                client,
                connected.stream,
                idle=self.outside.limits.tunnel,
                sent=entry.count_sent,
                received=entry.count_received,
            )
        except asyncio.CancelledError:
            entry.finish("cut", "stopped from outside: the policy changed, or the sandbox ended")
            raise
        entry.finish("failed" if reason else "done", reason)

    def _entry(self, host: str, port: int) -> Entry:
        entry = self.outside.begin("tls" if port == 443 else "tcp", host, port)
        entry.method = "CONNECT"
        return entry


def _listening(path: Path, owner: tuple[int, int] | None) -> socket.socket:
    """A socket at `path`, mode 0600. The address of a socket holds some 100 bytes: a longer path is gone to by its folder."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(made.fileno(), 0o600)
        if len(os.fsencode(path)) < 100:
            made.bind(os.fspath(path))
        else:
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                made.bind(f"/proc/self/fd/{folder}/{path.name}")
            finally:
                os.close(folder)
        path.chmod(0o600)
        if owner is not None:
            os.chown(path, *owner)
    except BaseException:
        made.close()
        raise
    return made
