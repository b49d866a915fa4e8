"""Byte streams with time limits: plain ones over asyncio, and TLS laid over any of them.

TLS is done in memory (`ssl.MemoryBIO`) and not by `asyncio.start_tls`, because what a client says first has already been read: it decides
whether its TLS is opened at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Protocol

CHUNK = 65_536


class Stream(Protocol):
    """What both kinds can do. Reading gives b"" at the end; OSError and TimeoutError are what can go wrong."""

    async def read(self) -> bytes: ...
    def unread(self, data: bytes) -> None: ...
    async def write(self, data: bytes) -> None: ...
    async def end(self) -> bool: ...
    async def close(self) -> None: ...


class PlainStream:
    """A socket. idle: seconds a single read or write may take."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: float) -> None:
        self._reader = reader
        self._writer = writer
        self._pushed = b""
        self.idle = idle

    async def read(self) -> bytes:
        """The next bytes, at most CHUNK, b"" at the end."""
        if self._pushed:
            data, self._pushed = self._pushed, b""
            return data
        async with asyncio.timeout(self.idle):
            return await self._reader.read(CHUNK)

    def unread(self, data: bytes) -> None:
        """Put bytes back, to be read first."""
        self._pushed = data + self._pushed

    async def write(self, data: bytes) -> None:
        """Write; waits where the other side is slow, so that what is under way stays small."""
        self._writer.write(data)
        async with asyncio.timeout(self.idle):
            await self._writer.drain()

    async def end(self) -> bool:
        """Say that nothing more will be written; reading goes on. Whether that could be said."""
        with contextlib.suppress(OSError, RuntimeError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
                return True
        return False

    async def close(self) -> None:
        """Close both ways. Unwritten bytes are given a moment, then dropped."""
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()


class TlsStream:
    """TLS over another stream, as the server's side or the client's."""

    def __init__(
        self, inner: Stream, context: ssl.SSLContext, *, server: bool, hostname: str | None = None
    ) -> None:
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server, server_hostname=hostname
        )
        self._pushed = b""
        self._ended = False

    async def handshake(self, within: float) -> None:
        """Agree on keys, in so many seconds. Raises ssl.SSLError (an OSError) or TimeoutError."""
        async with asyncio.timeout(within):
            try:
                await self._until(self._tls.do_handshake)
            except ssl.SSLError:
                with contextlib.suppress(OSError, TimeoutError):
                    await self._flush()  # the alert that says why
                raise

    async def read(self) -> bytes:
        """The next bytes, b"" at the end (also where the other side just went away)."""
        if self._pushed:
            data, self._pushed = self._pushed, b""
            return data
        if self._ended:
            return b""
        try:
            first = await self._until(lambda: self._tls.read(CHUNK))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            first = b""
        if not first:
            self._ended = True
            return b""
        # What else has already come: one write further on instead of four.
        parts, size = [first], len(first)
        while size < CHUNK:
            try:
                more = self._tls.read(CHUNK - size)
            except ssl.SSLError:
                break
            if not more:
                break
            parts.append(more)
            size += len(more)
        return b"".join(parts)

    def unread(self, data: bytes) -> None:
        """Put bytes back, to be read first."""
        self._pushed = data + self._pushed

    async def write(self, data: bytes) -> None:
        """Write; waits where the other side is slow."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view[:CHUNK]) :]
            await self._flush()

    async def end(self) -> bool:
        """TLS ends in both directions at once in practice: nothing is said before `close`."""
        return False

    async def close(self) -> None:
        """Say goodbye without waiting for an answer, and close what lies below."""
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            await self._flush()
        await self._inner.close()

    async def _until(self, step: Callable[[], bytes | None]) -> bytes:
        """Do a step of TLS, feeding it from below until it is done."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._inner.read()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
                continue
            await self._flush()
            return done or b""

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._inner.write(self._outgoing.read())
