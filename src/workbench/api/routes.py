"""Routes: declared beside their handlers, found by the raw path, so that an encoded slash stays part of a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from .checks import Check

if TYPE_CHECKING:
    from .call import Call
    from .replies import Reply

Handler = Callable[["Call"], "Reply"]
Access = Literal["reads", "writes", "asks", "signed"]
"""asks: SQL, which reads without the token and may write with it. signed: the path itself holds a secret."""
Body = Literal["none", "json", "bytes", "pieces"]


class Route(NamedTuple):
    """method and path, with `{name}` for a segment and `{name*}` for the rest. operations: what it runs.

    body: how it comes: checked JSON, bytes, or pieces while they arrive. name: its operationId. added: the original lacks it.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    operations: tuple[str, ...]
    query: Mapping[str, Check]
    body: Body
    json: Check | None
    most: int
    name: str
    added: bool

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").strip().partition("\n")[0]

    @property
    def description(self) -> str:
        lines = (self.handler.__doc__ or "").strip().splitlines()[1:]
        return "\n".join(line.strip() for line in lines).strip()


LARGEST_JSON = 128 << 20
LARGEST_VALUE = 26 << 20


class Routes:
    """The routes of one module."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        access: Access,
        *operations: str,
        query: Mapping[str, Check] | None = None,
        json: Check | None = None,
        body: Body = "none",
        most: int = 0,
        name: str = "",
        added: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a handler. most: the largest body in bytes, where it is not JSON or in pieces."""

        def declare(handler: Handler) -> Handler:
            kind: Body = "json" if json is not None else body
            limit = LARGEST_JSON if kind == "json" else most
            self.all.append(
                Route(
                    method, path, handler, access, operations, query or {}, kind, json, limit,
                    name or f"cfwb-{handler.__name__.replace('_', '-')}", added,
                )
            )  # fmt: skip
            return handler

        return declare


class Found(NamedTuple):
    """A route and the names in its path."""

    route: Route
    names: dict[str, str]


class Table:
    """All routes, by the segments of their paths; one that is declared earlier wins."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = [(route, tuple(route.path.strip("/").split("/"))) for route in routes]

    def find(self, method: str, raw_path: str) -> Found | tuple[str, ...]:
        """The route of a path (below the API's own), or the methods that the path has, () for a path that is none."""
        segments = raw_path[1:].split("/")
        others = []
        for route, pattern in self._routes:
            names = _match(pattern, segments)
            if names is None:
                continue
            if route.method == method or (method == "HEAD" and route.method == "GET"):
                return Found(route, names)
            others.append(route.method)
        return tuple(dict.fromkeys(others))


def _match(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    rest = pattern[-1].endswith("*}")
    if len(segments) < len(pattern) or (len(segments) > len(pattern) and not rest):
        return None
    names = {}
    for place, part in enumerate(pattern):
        if not part.startswith("{"):
            if segments[place] != part:
                return None
        elif part.endswith("*}"):
            names[part[1:-2]] = "/".join(decoded(segment) for segment in segments[place:])
        else:
            names[part[1:-1]] = decoded(segments[place])
    return names if all(names.values()) else None


_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def decoded(segment: str) -> str:
    """A segment of a path, decoded; escapes that are no UTF-8 stay as they are, as the original's router has it."""
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return _ESCAPES.sub(_decoded_run, segment)


def _decoded_run(run: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(run[0]).decode("utf-8")
    except UnicodeDecodeError:
        return run[0]
