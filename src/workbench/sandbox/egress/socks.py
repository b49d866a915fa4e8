"""SOCKS 5 (RFC 1928): CONNECT without authentication, the host by name or by address."""

from __future__ import annotations

import ipaddress

from .policy import normal_host
from .streams import Stream


class SocksError(Exception):
    """The client does not speak it, or asks for what is not offered."""


class SocksServer:
    """The server's half of the opening."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read_request(self) -> tuple[str, int]:
        """Greet, and read whom the client wants to reach. Raises SocksError."""
        version, methods = await self._take(2)
        if version != 5 or 0 not in await self._take(methods):
            await self._stream.write(b"\x05\xff")
            raise SocksError("only SOCKS 5 without authentication")
        await self._stream.write(b"\x05\x00")
        version, command, _, form = await self._take(4)
        if version != 5 or command != 1:
            await self._reply(7)
            raise SocksError("only CONNECT")
        if form == 1:
            host = str(ipaddress.IPv4Address(await self._take(4)))
        elif form == 4:
            host = str(ipaddress.IPv6Address(await self._take(16)))
        elif form == 3:
            host = (await self._take((await self._take(1))[0])).decode("latin-1")
        else:
            await self._reply(8)
            raise SocksError("no such kind of address")
        port = int.from_bytes(await self._take(2), "big")
        try:
            return normal_host(host), port
        except ValueError:
            await self._reply(4)
            raise SocksError("not a host") from None

    async def answer_connect(self, status: int, message: str) -> None:
        """Answer in SOCKS's terms: 200 succeeded, 403 not allowed, else unreachable."""
        await self._reply({200: 0, 403: 2}.get(status, 4))

    async def _reply(self, code: int) -> None:
        await self._stream.write(bytes((5, code, 0, 1)) + bytes(6))

    async def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = await self._stream.read()
            if not more:
                raise SocksError("ended too early")
            data += more
        self._stream.unread(data[count:])
        return data[:count]
