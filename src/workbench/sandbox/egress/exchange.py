"""Requests and responses between a sandbox and the hosts outside: checked, lent credentials, relayed as streams, masked, recorded.

Messages are read and written anew (h11), so what the upstream sees as one request is what was decided on: nothing hides in framing.
"""

from __future__ import annotations

import asyncio
import contextlib

import h11

from .masking import MaskedStream
from .message import Broken, Peer, end_to_end, raw, value_of, wants_websocket, without
from .origin import Origin, Unfit, read_authority, read_target
from .outside import Outside
from .policy import Refused
from .records import Entry
from .relay import Relay, Upstream
from .rules import Headers
from .streams import Stream
from .tunnel import splice
from .upstream import Connected, Unreachable, connect, secure


class Exchange:
    """The requests of one client connection, one after the other.

    origin: whom they are for, where the connection was opened for one host (CONNECT); None where each request says it.
    opened: a connection to it that is open already.
    """

    def __init__(
        self, outside: Outside, stream: Stream, origin: Origin | None = None, opened: Connected | None = None
    ) -> None:
        self._outside = outside
        self._client = Peer(stream, "client", outside.limits)
        self._origin = origin
        self._opened = opened
        self._upstream: Upstream | None = None

    async def run(self) -> tuple[str, int] | None:
        """Serve until the client is done. A CONNECT ends it too: its host and port are given back, still unanswered."""
        first = True
        try:
            while True:
                wait = self._outside.limits.first_bytes if first else self._outside.limits.between
                first = False
                try:
                    async with asyncio.timeout(wait):
                        event = await self._client.next()
                except TimeoutError:
                    return None
                if not isinstance(event, h11.Request):
                    return None
                if event.method == b"CONNECT" and self._origin is None:
                    try:
                        return read_authority(event.target.decode("latin-1"), None)
                    except Unfit as error:
                        await self._answer(error.status, str(error))
                        return None
                if not await self._serve(event) or not self._client.reusable:
                    return None
                self._client.h11.start_next_cycle()
        except Broken as error:
            if error.side == "client" and error.status:
                with contextlib.suppress(Broken):
                    await self._answer(error.status, str(error))
            return None
        finally:
            await self._drop_upstream()

    async def answer_connect(self, status: int, message: str) -> None:
        """Answer the CONNECT that `run` gave back. What the client had sent behind it is read from the stream next."""
        if status != 200:
            await self._answer(status, message)
            return
        await self._client.send(h11.Response(status_code=200, headers=[], reason=b"Connected"))
        self._client.stream.unread(self._client.h11.trailing_data[0])

    async def _serve(self, request: h11.Request) -> bool:
        """One request and its response. Whether the client's connection goes on."""
        method = request.method.decode("latin-1")
        entry: Entry | None = None
        try:
            origin, target = read_target(request, self._origin)
            headers = raw(request.headers)
            socket = wants_websocket(headers)
            scheme = origin.scheme.replace("http", "ws") if socket else origin.scheme
            entry = self._outside.begin(scheme, origin.host, origin.port)
            entry.method, entry.path = method, self._outside.masker.mask_text(target)
            self._outside.access.check(origin.host, origin.port)
            entry.started()
            return await self._forward(entry, request, origin, target, headers, socket)
        except (Unfit, Refused, Unreachable) as error:
            status = 403
            if isinstance(error, Unfit):
                status = error.status
                if entry is None and self._origin is not None:
                    entry = self._outside.begin(*self._origin)
                    entry.method = method
            elif isinstance(error, Unreachable):
                status = 504 if error.timed_out else 502
            if entry is not None:
                entry.status = status
                entry.finish("failed" if isinstance(error, Unreachable) else "refused", str(error))
            await self._answer(status, str(error))
            return False
        except asyncio.CancelledError:
            if entry is not None:
                entry.finish("cut", "stopped from outside: the policy changed, or the sandbox ended")
            raise

    async def _forward(
        self,
        entry: Entry,
        request: h11.Request,
        origin: Origin,
        target: str,
        headers: Headers,
        socket: bool,
    ) -> bool:
        concerned = self._outside.credentials.concern(origin.host, origin.port)
        upstream, reused = await self._reach(origin)
        lent = self._outside.credentials.lend(
            scheme=origin.scheme,
            host=origin.host,
            port=origin.port,
            method=entry.method,
            target=target,
            headers=without(end_to_end(headers), [b"host"]),
            on_machine=upstream.on_machine,
        )
        entry.rule, entry.note = lent.applied, lent.withheld
        sending = [(b"Host", origin.authority.encode()), *lent.headers]
        if concerned:
            # To be looked through, a response has to come plain and whole.
            sending = without(
                sending, [b"accept-encoding", b"range", b"if-range", b"sec-websocket-extensions"]
            )
            sending.append((b"Accept-Encoding", b"identity"))
        if socket:
            sending += [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        head = h11.Request(method=request.method, target=lent.target.encode("latin-1"), headers=sending)
        bare = not value_of(headers, b"transfer-encoding") and value_of(headers, b"content-length") in (
            b"",
            b"0",
        )
        try:
            response = await self._relay(entry, upstream, head, concerned)
        except Broken as error:
            if not (reused and bare and error.side == "upstream" and not entry.status):
                raise self._ended(entry, error) from None
            # A kept connection that the other side had closed meanwhile: once more on a new one.
            await self._drop_upstream()
            upstream, _ = await self._reach(origin)
            try:
                response = await self._relay(entry, upstream, head, concerned)
            except Broken as again:
                raise self._ended(entry, again) from None
        if response == 101:
            await self._go_on_as_websocket(entry, upstream)
            return False
        if upstream.peer.reusable:
            upstream.peer.h11.start_next_cycle()
        else:
            await self._drop_upstream()
            # An answer before the request was through: the rest of it is not wanted.
            if not self._client.reusable:
                await self._client.drain()
        return True

    def _ended(self, entry: Entry, error: Broken) -> Exception:
        """What to raise for an exchange that broke: an answer, where none has begun."""
        if error.side == "client":
            entry.finish("cut", f"the sandbox ended the request ({error})")
            return error
        if self._client.h11.our_state is h11.SEND_RESPONSE and not entry.status:
            return Unreachable(f"{entry.host} broke off ({error})", error.timed_out)
        entry.finish("failed", f"{entry.host} broke off ({error})")
        return error

    async def _relay(self, entry: Entry, upstream: Upstream, head: h11.Request, concerned: bool) -> int:
        relay = Relay(self._client, upstream.peer, entry, self._outside.masker, looked_through=concerned)
        return await relay.run(head)

    async def _go_on_as_websocket(self, entry: Entry, upstream: Upstream) -> None:
        client, other = self._client, upstream.peer
        client.stream.unread(client.h11.trailing_data[0])
        other.stream.unread(other.h11.trailing_data[0])
        reason = await splice(
            client.stream,
            other.stream,
            idle=self._outside.limits.tunnel,
            sent=entry.count_sent,
            received=entry.count_received,
            masked=MaskedStream(self._outside.masker),
        )
        entry.finish("failed" if reason else "done", reason)

    async def _reach(self, origin: Origin) -> tuple[Upstream, bool]:
        """A connection to the origin, and whether it has been used before. Raises Refused or Unreachable."""
        if self._upstream is not None and self._upstream.origin == origin:
            return self._upstream, True
        await self._drop_upstream()
        connected, self._opened = self._opened, None
        if connected is None:
            connected = await connect(self._outside.access, origin.host, origin.port, self._outside.limits)
        self._outside.reached(origin.host, origin.port, connected)
        stream: Stream = connected.stream
        try:
            if origin.scheme == "https":
                stream = await secure(stream, origin.host, self._outside.trust, self._outside.limits)
        except BaseException:
            await connected.stream.close()
            raise
        peer = Peer(stream, "upstream", self._outside.limits)
        self._upstream = Upstream(origin, peer, connected.on_machine)
        return self._upstream, False

    async def _drop_upstream(self) -> None:
        upstream, self._upstream = self._upstream, None
        opened, self._opened = self._opened, None
        if upstream is not None:
            await upstream.peer.stream.close()
        if opened is not None:
            await opened.stream.close()

    async def _answer(self, status: int, message: str) -> None:
        """An answer of our own, after which the connection ends. Nothing where an answer has begun already."""
        if self._client.h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        text = self._outside.masker.mask_text(message)
        body = f"cfwb: {text}\n".encode()
        headers = [
            (b"Content-Type", b"text/plain; charset=utf-8"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Cfwb-Refused", text.encode("ascii", "replace")[:500]),
            (b"Connection", b"close"),
        ]
        await self._client.send(h11.Response(status_code=status, headers=headers))
        await self._client.send(h11.Data(data=body))
        await self._client.send(h11.EndOfMessage())
        await self._client.drain()
