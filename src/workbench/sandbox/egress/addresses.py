"""At which addresses a host may be reached: resolved here, checked here, and connected to as checked.

A name is resolved once a connection and the connection is made to the address that was looked at, so a name that answers differently
the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from .policy import MACHINE, IPAddress, Reach, Refused

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
# Public by its letter, and answered by the machine's own host: Azure keeps a virtual machine's certificates and settings there.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})


def _embedded(address: IPAddress) -> IPAddress | None:
    """The IPv4 address an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), or None."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def meanings_of(text: str) -> list[IPAddress]:
    """An address, and the IPv4 one it stands for where it is such."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _embedded(address)
    return [address] if inner is None else [address, inner]


def belongs_to_this_machine(text: str) -> bool:
    """Whether an address is one of the machine's own: then the kernel would answer from that very address."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((text, 9))  # sends nothing
            return bool(probe.getsockname()[0] == text)
    except OSError:
        return False


def reach_of(text: str) -> tuple[Reach, str]:
    """How far a policy has to reach for this address, and what it is, in words ("" for a public address of another machine)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _embedded(address)
    if inner is not None and (found := reach_of(str(inner)))[1]:
        return found
    if address.is_loopback or address.is_unspecified:
        return "machine", "the machine itself"
    if address.is_link_local:
        return "machine", "a link-local address"
    if address in _METADATA:
        return "machine", "an address of the machine's own host"
    if address.is_multicast:
        return "machine", "a multicast address"
    if belongs_to_this_machine(str(address)):
        return "machine", "an address of this machine"
    site_local = isinstance(address, ipaddress.IPv6Address) and (
        address.is_site_local or address in _LOCAL_NAT64
    )
    # A mapped address is not global by the registry's letter; what it maps to has been looked at above.
    if site_local or not (address.is_global or inner is not None):
        return "network", "a private address"
    return "public", ""


FAR: dict[Reach, int] = {"public": 0, "network": 1, "machine": 2}


async def resolve(host: str, port: int, reach: Reach, *, within: float) -> list[tuple[int, str]]:
    """The (family, address) pairs that `host` may be reached at, in the resolver's order.

    reach: how far they may go. within: seconds. Raises Refused where none is left, OSError or TimeoutError where the name has no
    address.
    """
    if host == MACHINE:
        if reach != "machine":
            raise Refused(
                f"{MACHINE}:{port} is this machine, and is reached only where it is allowed by name"
            )
        return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(within):
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except UnicodeError as error:
            raise OSError(f"not a host name: {host!r}") from error
    pairs = list(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))
    needed = [reach_of(address) for _, address in pairs]
    kept = [pair for pair, (far, _) in zip(pairs, needed, strict=True) if FAR[far] <= FAR[reach]]
    if not kept:
        why = needed[0][1] if needed else "no address at all"
        raise Refused(f"{host}:{port} is {why}, and is reached only where it is allowed by name")
    return kept
