"""The connection to the host outside: policy asked, address checked, certificate verified."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import NamedTuple

from .addresses import meanings_of, reach_of, resolve
from .limits import Limits
from .policy import Access, Refused
from .streams import CHUNK, PlainStream, Stream, TlsStream


class Unreachable(Exception):
    """The host was allowed and did not answer; `str()` says why. timed_out: it did not answer in time."""

    def __init__(self, message: str, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Connected(NamedTuple):
    """An open connection. on_machine: the address is the machine's own loopback, so nothing leaves the machine."""

    stream: PlainStream
    address: str
    on_machine: bool


def trusting(authorities: str | None = None) -> ssl.SSLContext:
    """The context hosts are verified with: the machine's own roots (SSL_CERT_FILE included), or the file given."""
    context = ssl.create_default_context(cafile=authorities)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def connect(access: Access, host: str, port: int, limits: Limits) -> Connected:
    """Open a connection to a host the policy lets through. Raises Refused or Unreachable."""
    access.check(host, port)
    try:
        addresses = await resolve(host, port, access.reach(host, port), within=limits.resolve)
    except TimeoutError:
        raise Unreachable(f"the name {host} was not resolved in time", timed_out=True) from None
    except OSError as error:
        raise Unreachable(f"the name {host} has no address ({error.strerror or error})") from None
    addresses = [
        (family, address)
        for family, address in addresses
        if not any(access.denies_address(each, port) for each in meanings_of(address))
    ]
    if not addresses:
        raise Refused(f"{host}:{port} lies at an address that is denied to this sandbox")
    failure: OSError | TimeoutError = OSError("no address")
    for family, address in addresses[:6]:
        try:
            return await _connect(family, address, port, limits)
        except (OSError, TimeoutError) as error:
            failure = error
    timed_out = isinstance(failure, TimeoutError)
    why = "no answer in time" if timed_out else failure.strerror or str(failure)
    raise Unreachable(f"{host}:{port} cannot be reached ({why})", timed_out)


async def _connect(family: int, address: str, port: int, limits: Limits) -> Connected:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(limits.connect):
            # The scope of a link-local address is part of it.
            bare, _, scope = address.partition("%")
            target: tuple[str, int] | tuple[str, int, int, int] = (bare, port)
            if family == socket.AF_INET6:
                target = (bare, port, 0, socket.if_nametoindex(scope) if scope else 0)
            await asyncio.get_running_loop().sock_connect(connection, target)
            reader, writer = await asyncio.open_connection(sock=connection, limit=CHUNK)
    except BaseException:
        connection.close()
        raise
    on_machine = reach_of(address)[1] in ("the machine itself", "an address of this machine")
    return Connected(PlainStream(reader, writer, limits.idle), address, on_machine)


async def secure(stream: Stream, host: str, trust: ssl.SSLContext, limits: Limits) -> TlsStream:
    """TLS to the host over an open connection, its certificate verified. Raises Unreachable."""
    tls = TlsStream(stream, trust, server=False, hostname=host)
    try:
        await tls.handshake(limits.handshake)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"the certificate of {host} was not accepted ({error.verify_message})") from None
    except TimeoutError:
        raise Unreachable(f"{host} did not finish its TLS handshake in time", timed_out=True) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"no TLS with {host} ({reason})") from None
    return tls
