"""The rules of the bridge that several routes share: paths within /workspace, session ids, ports, archive names."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from .problems import Problem, invalid

WORKSPACE = "/workspace"
LARGEST_BODY = 32 << 20
_SESSION = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_TUNNEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def workspace_path(path: str) -> str | None:
    """The absolute path with `.` and `..` worked out by their letters, relative ones from /workspace; None where it leads out of there."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{WORKSPACE}/{path}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts) if parts[:1] == ["workspace"] else None


def any_path(path: str) -> str:
    """A path of our own routes: anywhere inside the sandbox, relative ones from /workspace."""
    if not path or "\0" in path:
        raise invalid("path must not be empty")
    return path if path.startswith("/") else f"{WORKSPACE}/{path}"


def session_of(request: HTTPConnection, *, query: bool = False) -> str | None:
    """The session that the header (or the query) names; `Invalid session ID format`."""
    given = request.headers.get("session-id") or (request.query_params.get("session") if query else None)
    return checked_session(given) if given else None


def checked_session(id: str) -> str:
    if not _SESSION.fullmatch(id) or ".." in id:
        raise invalid("Invalid session ID format")
    return id


def tunnel_port(text: str) -> int:
    """A port as the bridge takes it: no privileged one, and not 3000, where the platform's own control plane listens."""
    port = any_port(text)
    if port < 1024 or port == 3000:
        raise invalid("Invalid port")
    return port


def any_port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise invalid("Invalid port")
    return int(text)


def tunnel_name(name: str) -> str:
    """A DNS label."""
    if not 1 <= len(name) <= 63:
        raise invalid(f"Tunnel name '{name}' must be 1–63 characters long.")
    if not _TUNNEL.fullmatch(name):
        raise invalid(
            f"Tunnel name '{name}' is not a valid DNS label. Use lowercase letters, digits, and internal hyphens only "
            "(no dots, no leading/trailing hyphens)."
        )
    return name


async def whole_body(request: object, limit: int, problem: Problem) -> bytes:
    """The body in memory, refused as soon as it is too large."""
    held = bytearray()
    async for piece in request.stream():  # type: ignore[attr-defined]
        held += piece
        if len(held) > limit:
            raise problem
    return bytes(held)
