"""The first message of TLS: which host it is for, and which protocols it speaks (RFC 8446 section 4.1.2, RFC 6066, RFC 7301)."""

from __future__ import annotations

from typing import NamedTuple

# A hello of more than this is no hello; real ones, post-quantum keys included, stay below 4 KiB.
LARGEST = 32_768


class ClientHello(NamedTuple):
    """host: the server name asked for, "" for none. protocols: ALPN, in the client's order."""

    host: str
    protocols: tuple[str, ...]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> _Reader:
        return _Reader(self.take(self.number(width)))

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def read_client_hello(data: bytes) -> ClientHello | None:
    """Parse the bytes a connection begins with. None: more is needed. Raises ValueError where it is no hello."""
    message = b""
    at = 0
    while True:
        if len(data) - at < 5:
            break
        if data[at] != 0x16 or data[at + 1] != 3:
            raise ValueError("not a TLS handshake")
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        if not 0 < length <= 16_384:
            raise ValueError("not a TLS record")
        message += data[at + 5 : at + 5 + length]
        at += 5 + length
        if message and message[0] != 1:
            raise ValueError("not a hello")
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return _parse(message[4 : 4 + int.from_bytes(message[1:4], "big")])
        if at > len(data):
            break
    if len(data) > LARGEST:
        raise ValueError("a hello without end")
    return None


def _parse(body: bytes) -> ClientHello:
    reader = _Reader(body)
    reader.take(2 + 32)  # version, random
    reader.vector(1)  # session
    reader.vector(2)  # ciphers
    reader.vector(1)  # compression
    host, protocols = "", []
    extensions = reader.vector(2) if reader.left else _Reader(b"")
    while extensions.left:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == 0 and content.left:
            names = content.vector(2)
            while names.left:
                form, name = names.number(1), names.vector(2).data
                if form == 0:
                    host = name.decode("latin-1")
        elif kind == 16:
            offers = content.vector(2)
            while offers.left:
                protocols.append(offers.vector(1).data.decode("latin-1"))
    return ClientHello(host.lower().removesuffix("."), tuple(protocols))
