"""A forked child's side of a connection: blocking frames, and the streams that tar reads and writes."""

from __future__ import annotations

import io
import socket

from . import wire

_LINGER = 10.0


class Peer:
    """The hub, for code that may block. What was read of it before the fork comes first."""

    def __init__(self, sock: socket.socket, decoder: wire.Decoder) -> None:
        sock.setblocking(True)
        self.sock = sock
        self._frames = list(decoder.feed(b""))
        self._decoder = decoder

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def linger(self) -> None:
        """All is said; wait until the hub has seen it, or what it still sends would reset the connection."""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(_LINGER)
        while self.sock.recv(wire.CHUNK):
            pass

    def held(self) -> bool:
        """Whether `receive` would not wait."""
        return bool(self._frames)

    def receive(self) -> tuple[int, bytes]:
        """The next frame; ConnectionError where the hub went away before it said END."""
        while not self._frames:
            data = self.sock.recv(wire.CHUNK)
            if not data:
                raise ConnectionError("the other side went away")
            self._frames.extend(self._decoder.feed(data))
        return self._frames.pop(0)


class Reader(io.RawIOBase):
    """DATA frames until END as a file."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._held) < size):
            kind, payload = self._peer.receive()
            if kind == wire.END:
                self._ended = True
            elif kind == wire.DATA:
                self._held += payload
        if size < 0:
            size = len(self._held)
        data, self._held = self._held[:size], self._held[size:]
        return data


class Writer(io.RawIOBase):
    """A file whose bytes become DATA frames."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        given = bytes(data)  # type: ignore[call-overload]
        for at in range(0, len(given), wire.LARGEST):
            self._peer.send(wire.frame(wire.DATA, given[at : at + wire.LARGEST]))
        return len(given)
