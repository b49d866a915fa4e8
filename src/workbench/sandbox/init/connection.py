"""A connection of the hub: frames in, frames out, never blocking, with bounded buffers."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable

from . import wire
from .loop import READ, WRITE, Loop

HIGH_WATER = 4 * wire.CHUNK
"""Bytes waiting to go out at which a source has to stop."""

_LINGER = 10.0
"""Seconds that the hub has to notice the end."""


class Connection:
    """What an op holds of the hub. Set `on_frame`, `on_drain` and `on_close`; answer with `send` and `finish`."""

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.loop = loop
        self.sock = sock
        self.on_frame: Callable[[int, bytes], None] = lambda kind, payload: None
        self.on_drain: Callable[[], None] = lambda: None
        self.on_close: Callable[[], None] = lambda: None
        self.closed = False
        self.decoder = wire.Decoder()
        self._out: deque[bytes] = deque()
        self._backlog = 0
        self._finishing = False
        self._lingering = False
        self._reading = True
        self._watch()

    @property
    def full(self) -> bool:
        """Whether a source should wait for `on_drain`."""
        return self._backlog >= HIGH_WATER

    @property
    def backlog(self) -> int:
        """Bytes that wait to go out."""
        return self._backlog

    def message(self, value: object) -> None:
        self._queue(wire.message(value))

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Data of any length, in frames of at most LARGEST."""
        if not payload:
            self._queue(wire.frame(kind))
        for at in range(0, len(payload), wire.LARGEST):
            self._queue(wire.frame(kind, payload[at : at + wire.LARGEST]))

    def finish(self, value: object = None) -> None:
        """Answer (unless None), and close when all is out."""
        if value is not None:
            self.message(value)
        self._finishing = True
        self._flush()

    def fail(self, code: str, text: str) -> None:
        self._queue(wire.error(code, text))
        self.finish()

    def pause(self) -> None:
        """Take no more from the hub until `resume`; that it went away is still noticed, within a second."""
        if self._reading and not self._finishing:
            self._reading = False
            self._watch()
            self.loop.later(1, self._look_for_the_end)

    def _look_for_the_end(self) -> None:
        if self._reading or self.closed:
            return
        poll = select.poll()
        poll.register(self.sock, getattr(select, "POLLRDHUP", select.POLLHUP))
        if poll.poll(0):
            self._lost()
        else:
            self.loop.later(1, self._look_for_the_end)

    def resume(self) -> None:
        if not self._reading:
            self._reading = True
            self._watch()

    def detach(self) -> socket.socket:
        """The bare socket, no longer watched, for a child or for raw bytes; nothing may wait to go out."""
        self.loop.forget(self.sock.fileno())
        self.closed = True
        return self.sock

    def close(self) -> None:
        """At once, without on_close."""
        if not self.closed:
            self.closed = True
            self.loop.forget(self.sock.fileno())
            self.sock.close()
            self._out.clear()
            self._backlog = 0

    def flush_now(self) -> None:
        """Send what waits, blocking: before the socket is handed on."""
        self.sock.setblocking(True)
        while self._out:
            self.sock.sendall(self._out.popleft())
        self._backlog = 0

    def _queue(self, data: bytes) -> None:
        if self.closed or self._finishing:
            return
        self._out.append(data)
        self._backlog += len(data)
        if len(self._out) == 1:
            self._flush()

    def _flush(self) -> None:
        if self.closed:
            return
        try:
            while self._out:
                data = self._out[0]
                sent = self.sock.send(data)
                self._backlog -= sent
                if sent < len(data):
                    self._out[0] = data[sent:]
                    break
                self._out.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._lost()
            return
        if not self._out and self._finishing:
            self._linger()
        else:
            self._watch()

    def _linger(self) -> None:
        """All is said. What the hub still sends is thrown away until it has seen that: a close with bytes unread would reset the
        connection and take our last answer with it."""
        if not self._lingering:
            self._lingering = True
            self._reading = True
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self.close()
                return
            self.loop.later(_LINGER, self.close)
        self._watch()

    def _watch(self) -> None:
        events = (READ if self._reading else 0) | (WRITE if self._out else 0)
        self.loop.watch(self.sock.fileno(), events, self._ready)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
            if not self.closed and not self.full:
                self.on_drain()
        if events & READ and not self.closed:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self.sock.recv(wire.CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        if self._lingering:
            return
        try:
            for kind, payload in self.decoder.feed(data):
                if self.closed:
                    return
                if not self._finishing:
                    self.on_frame(kind, payload)
        except wire.ProtocolError as problem:
            self.fail("protocol", str(problem))

    def _lost(self) -> None:
        if not self.closed:
            self.close()
            if not self._lingering:
                self.on_close()
