"""One side of HTTP/1.1 over a stream, and which of a message's headers go on to the next hop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Literal

import h11

from .limits import Limits
from .rules import Headers
from .streams import CHUNK, Stream

Side = Literal["client", "upstream"]
Event = (
    h11.Request
    | h11.InformationalResponse
    | h11.Response
    | h11.Data
    | h11.EndOfMessage
    | h11.ConnectionClosed
    | type[h11.PAUSED]
)

# RFC 9110 section 7.6.1, and the two that proxies are sent.
_HOP_BY_HOP = frozenset(
    b"connection proxy-connection keep-alive proxy-authorization proxy-authenticate te upgrade expect".split()
)


class Broken(Exception):
    """A side went away, took too long, or said what HTTP does not know (status: what to answer then). side: which."""

    def __init__(self, side: Side, message: str, *, timed_out: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.side = side
        self.timed_out = timed_out
        self.status = status


class Peer:
    """HTTP/1.1 with a client (we are its server) or with an upstream (we are its client).

    Everything that can go wrong with the other side is raised as `Broken`.
    """

    def __init__(self, stream: Stream, side: Side, limits: Limits) -> None:
        self.stream = stream
        self.side = side
        role = h11.SERVER if side == "client" else h11.CLIENT
        self.h11 = h11.Connection(role, max_incomplete_event_size=limits.head)

    async def next(self) -> Event:
        """The next event; waits for it. `h11.ConnectionClosed` at a clean end."""
        while True:
            try:
                event = self.h11.next_event()
            except h11.RemoteProtocolError as error:
                raise Broken(self.side, str(error), status=error.error_status_hint) from None
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            if self.side == "client" and self.h11.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                data = await self.stream.read()
            except TimeoutError:
                raise Broken(self.side, "nothing came for too long", timed_out=True) from None
            except OSError as error:
                raise Broken(self.side, _words(error)) from None
            self.h11.receive_data(data)

    async def send(self, event: h11.Event) -> None:
        """Send one; waits where the other side is slow."""
        try:
            data = self.h11.send(event)
            if data:
                await self.stream.write(data)
        except TimeoutError:
            raise Broken(self.side, "nothing was taken for too long", timed_out=True) from None
        except (OSError, h11.LocalProtocolError) as error:
            raise Broken(self.side, _words(error)) from None

    async def gone(self) -> None:
        """Wait until the other side goes away. What it says meanwhile (the next request) is kept, a chunk at most."""
        early = b""
        try:
            while len(early) < CHUNK:
                try:
                    data = await self.stream.read()
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not data:
                    return
                early += data
            await asyncio.get_running_loop().create_future()
        finally:
            self.stream.unread(early)

    @property
    def reusable(self) -> bool:
        """Whether both sides have said all and the connection can carry the next message."""
        return self.h11.our_state is h11.DONE and self.h11.their_state is h11.DONE

    async def drain(self) -> None:
        """Say that this was all, and read on for a moment, so that closing does not take back what was just sent."""
        with contextlib.suppress(OSError, TimeoutError):
            await self.stream.end()
            async with asyncio.timeout(1):
                for _ in range(16):
                    if not await self.stream.read():
                        return


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)


def raw(headers: h11._headers.Headers) -> Headers:
    """The headers as they were spelled."""
    return [(bytes(name), bytes(value)) for name, value in headers.raw_items()]


def value_of(headers: Headers, name: bytes) -> bytes:
    """All values of a header, joined with commas; b"" where it is not there."""
    return b", ".join(value for key, value in headers if key.lower() == name)


def tokens(headers: Headers, name: bytes) -> set[bytes]:
    """A header's comma-separated words, in lower case."""
    return {part.strip().lower() for part in value_of(headers, name).split(b",") if part.strip()}


def without(headers: Headers, names: Iterable[bytes]) -> Headers:
    """All headers but these (lower case)."""
    gone = frozenset(names)
    return [pair for pair in headers if pair[0].lower() not in gone]


def end_to_end(headers: Headers) -> Headers:
    """What goes on to the next hop. How the body is framed stays: h11 reads and writes that anew.

    A message that says its length in both ways is read by its chunks (RFC 9112 section 6.3). The other way is not passed on: who went by
    it would take the rest of the body for a request that nobody here has seen.
    """
    named = tokens(headers, b"connection") - {b"content-length", b"transfer-encoding", b"host"}
    if value_of(headers, b"transfer-encoding"):
        named |= {b"content-length"}
    return without(headers, _HOP_BY_HOP | named)


def wants_websocket(headers: Headers) -> bool:
    """Whether the request asks to go on as a WebSocket, the one upgrade that is passed through."""
    return tokens(headers, b"upgrade") == {b"websocket"} and b"upgrade" in tokens(headers, b"connection")
