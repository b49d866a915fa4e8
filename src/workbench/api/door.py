"""Who may ask: loopback names only, no page of another site, the token for whatever writes.

Reads need no token from a process of the same user. A browser is one too, so a page of another origin, even a local one, needs it: what
a page may do must not depend on who runs the browser.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from .errors import GENERAL, ApiError
from .peer import peer_uid

_HOST = re.compile(r"(\[[0-9A-Fa-f:]+\]|[0-9A-Za-z.-]+)(?::[0-9]{1,5})?")
_LOCAL = ("localhost", "127.0.0.1", "::1")
PROTECTIVE: Mapping[str, str] = {
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""On every answer: a stored page or script that somebody opens here must not run, nor be pulled into another page."""


class Admission(NamedTuple):
    """authorized: it came with the token. may_read: it may be answered without. origin: of the page that asks, or "".
    mistaken: it came with another token, of an earlier start perhaps."""

    authorized: bool
    may_read: bool
    origin: str
    mistaken: bool = False


class Door:
    """token: the secret. uid: whose processes may read without it. find_uid: whose a socket is; another one only in tests of it."""

    def __init__(
        self,
        token: str,
        uid: int | None = None,
        find_uid: Callable[[tuple[str, int], tuple[str, int]], int | None] = peer_uid,
    ) -> None:
        self._token = token.encode()
        self._uid = _own_uid() if uid is None else uid
        self._find_uid = find_uid

    def admit(self, scope: Scope) -> Admission:
        """What a request may do. Raises ApiError for one that is refused whatever it asks."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(host) not in _LOCAL:
            raise ApiError(
                403, GENERAL, f"The Host header {host[:100]!r} is not a name of this machine: ask 127.0.0.1 or localhost."
            )  # fmt: skip
        origin = headers.get("origin", "")
        if origin and (
            urlsplit(origin).scheme not in ("http", "https") or _origin_name(origin) not in _LOCAL
        ):
            raise ApiError(
                403, GENERAL, f"A page of {origin[:100]!r} may not ask here: only local pages may."
            )
        authorized = self._has_token(headers)
        ours = not origin or urlsplit(origin).netloc == host
        may_read = authorized or (ours and self._same_user(scope))
        return Admission(authorized, may_read, origin, not authorized and "authorization" in headers)

    def _has_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(
            given.strip().encode("utf-8", "replace"), self._token
        )

    def _same_user(self, scope: Scope) -> bool:
        client, server = scope.get("client"), scope.get("server")
        if not client or not server or self._uid is None:
            return False
        return self._find_uid((client[0], client[1]), (server[0], server[1])) == self._uid


def refuse_reading(admission: Admission) -> None:
    """Raise where a request may not read."""
    if not admission.may_read:
        reason = (
            "a page of another origin needs it for reading too"
            if admission.origin
            else "the asking process could not be told to be this user's own"
        )
        raise _needs_token(f"Reading needs the token here: {reason}.", admission)


def refuse_writing(admission: Admission) -> None:
    """Raise where a request may not write."""
    if not admission.authorized:
        raise _needs_token("This writes, and writing needs the token.", admission)


def _needs_token(message: str, admission: Admission) -> ApiError:
    if admission.mistaken:
        message += " What was sent is not it; each start has another one."
    return ApiError(
        401,
        GENERAL,
        f"{message} Send it as `Authorization: Bearer TOKEN`: cfwb serve prints it, and the file it names holds it.",
        name="serve.token_needed",
    )


def _own_uid() -> int | None:
    return os.geteuid() if hasattr(os, "geteuid") else None


def _hostname(host: str) -> str:
    """The name in a Host header; "" where it is more than a name and a port."""
    match = _HOST.fullmatch(host.strip())
    return match[1].strip("[]").lower() if match else ""


def _origin_name(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
