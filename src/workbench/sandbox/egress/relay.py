"""One request there and its response back, as streams, both at once."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import h11

from .decoding import Decoder, Undecodable
from .masking import MaskedStream, Masker
from .message import Broken, Peer, end_to_end, raw, value_of, without
from .origin import Origin
from .records import Entry
from .rules import Headers
from .upstream import Unreachable


class Upstream(NamedTuple):
    """A connection to an origin, ready for messages. on_machine: it does not leave the machine."""

    origin: Origin
    peer: Peer
    on_machine: bool


class Relay:
    """A request's way there and back. looked_through: the response must be masked whole, so it has to be readable."""

    def __init__(
        self, client: Peer, upstream: Peer, entry: Entry, masker: Masker, *, looked_through: bool
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._entry = entry
        self._masker = masker
        self._looked_through = looked_through

    async def run(self, head: h11.Request) -> int:
        """Send the head, then the body while the response comes back; its status. 101: both sides now speak something else.

        Raises Broken, or Unreachable where an answer of our own is still possible.
        """
        await self._upstream.send(head)
        feeding = asyncio.create_task(self._feed())
        answering = asyncio.create_task(self._answer())
        try:
            await asyncio.wait({feeding, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                failure = feeding.exception()
                if isinstance(failure, Broken) and failure.side == "upstream":
                    # It may have said why before it stopped listening.
                    await asyncio.wait({answering}, timeout=5)
                if not answering.done():
                    raise failure or Broken("client", "it went away")
            return answering.result()
        finally:
            for task in (feeding, answering):
                task.cancel()
            await asyncio.gather(feeding, answering, return_exceptions=True)

    async def _feed(self) -> None:
        """The request's body; then wait for the client to go away."""
        while True:
            event = await self._client.next()
            if isinstance(event, h11.Data):
                self._entry.sent += len(event.data)
                await self._upstream.send(h11.Data(data=bytes(event.data)))
            elif isinstance(event, h11.EndOfMessage):
                await self._upstream.send(h11.EndOfMessage(headers=event.headers))
                await self._client.gone()
                return
            else:
                return

    async def _answer(self) -> int:
        """The response: head, body, trailers, each masked."""
        while True:
            event = await self._upstream.next()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    self._entry.status = 101
                    await self._client.send(
                        h11.InformationalResponse(status_code=101, headers=self._masked(raw(event.headers)))
                    )
                    return 101
                if event.status_code != 100:
                    await self._client.send(
                        h11.InformationalResponse(
                            status_code=event.status_code,
                            headers=self._masked(end_to_end(raw(event.headers))),
                        )
                    )
                continue
            if isinstance(event, h11.Response):
                break
            raise Broken("upstream", "closed without an answer")
        self._entry.status = event.status_code
        headers = self._masked(end_to_end(raw(event.headers)))
        coding = value_of(headers, b"content-encoding")
        bodiless = self._entry.method == "HEAD" or event.status_code in (204, 304)
        try:
            decoder = Decoder(coding if self._looked_through and not bodiless else b"")
        except Undecodable:
            self._entry.status = 0
            raise Unreachable(
                f"{self._entry.host} answered compressed ({coding.decode('latin-1')[:40]}) although it was asked not to, "
                "and a response to a request with credentials has to be looked through"
            ) from None
        if not decoder.plain:
            headers = without(headers, [b"content-encoding", b"content-length"])
        reason = self._masker.mask(bytes(event.reason))
        await self._client.send(h11.Response(status_code=event.status_code, headers=headers, reason=reason))
        body = MaskedStream(self._masker)
        while True:
            part = await self._upstream.next()
            if isinstance(part, h11.Data):
                self._entry.received += len(part.data)
                try:
                    for piece in decoder.feed(bytes(part.data)):
                        await self._send_on(body.feed(piece))
                except Undecodable as error:
                    raise Broken("upstream", f"not what it says: {error}") from None
            elif isinstance(part, h11.EndOfMessage):
                await self._send_on(body.finish())
                # Before the client knows that it has all, so that who asks then finds it recorded.
                self._entry.finish("done", self._entry.note)
                await self._client.send(h11.EndOfMessage(headers=self._masked(raw(part.headers))))
                return event.status_code
            else:
                raise Broken("upstream", "closed in the middle of the answer")

    async def _send_on(self, data: bytes) -> None:
        if data:
            await self._client.send(h11.Data(data=data))

    def _masked(self, headers: Headers) -> Headers:
        mask = self._masker.mask
        return [(mask(name), mask(value)) for name, value in headers]
