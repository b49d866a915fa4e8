"""Whom a request is for, read from its first line and its Host header."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from .message import raw, value_of
from .policy import normal_host

_PORTS = {"http": 80, "https": 443}


class Unfit(Exception):
    """A request that is answered without being sent on. status: of that answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Origin(NamedTuple):
    """Whom a request is for. scheme: "http" or "https". host: as `normal_host` writes it."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_authority(text: str, default: int | None) -> tuple[str, int]:
    """`host:port` as a host and a port. Raises Unfit."""
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port or default
        if port is None or parts.path or parts.query or parts.fragment or "@" in text:
            raise ValueError(text)
        return normal_host(parts.hostname or ""), port
    except (ValueError, UnicodeError):
        raise Unfit(400, f"not a host: {text[:200]!r}") from None


def read_target(request: h11.Request, fixed: Origin | None) -> tuple[Origin, str]:
    """Whom a request is for, and the path and query it asks for.

    fixed: whom the connection was opened for, where it was opened for one host. Raises Unfit.
    """
    target = request.target.decode("latin-1")
    if target.startswith("/") or (target == "*" and request.method == b"OPTIONS"):
        if fixed is None:
            raise Unfit(400, "this is a proxy: a request names the host it is for")
        named = value_of(raw(request.headers), b"host").decode("latin-1")
        if named and read_authority(named, fixed.port) != fixed[1:]:
            raise Unfit(421, f"this connection is for {fixed.authority}, not for {named[:200]}")
        return fixed, target
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Unfit(400, "not a URL") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.netloc:
        raise Unfit(400, f"only http and https go through this proxy, not {target[:80]!r}")
    host, port = read_authority(parts.netloc.rpartition("@")[2], _PORTS[scheme])
    origin = Origin(scheme, host, port)
    if fixed is not None and origin != fixed:
        raise Unfit(421, f"this connection is for {fixed.authority}, not for {origin.authority}")
    return origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
