"""Values of deployed Workers."""

from typing import Any, NamedTuple


class Script(NamedTuple):
    """A Worker. Times ISO 8601 UTC or None. handlers: `fetch`, `scheduled`, ..."""

    name: str
    created: str | None
    modified: str | None
    handlers: tuple[str, ...] = ()
    compatibility_date: str | None = None
    usage_model: str | None = None


class ScriptVersion(NamedTuple):
    """number counts from 1. source: what made it (wrangler, dash, api, ...)."""

    id: str
    number: int | None
    created: str | None
    author: str | None
    source: str | None
    message: str | None = None


class Deployment(NamedTuple):
    """versions: what part of the requests each version answers, in per cent."""

    id: str
    created: str | None
    author: str | None
    source: str | None
    versions: tuple[dict[str, Any], ...]
    message: str | None = None


class DeployedBinding(NamedTuple):
    """A binding of a version, as it is deployed. kind: the platform's word. resource: the id or name of what it binds."""

    name: str
    kind: str
    resource: str | None
    detail: dict[str, Any]


class SecretName(NamedTuple):
    """A secret's name; the platform never gives its value."""

    name: str
    kind: str


class LogEvent(NamedTuple):
    """One event of a Worker's live log. outcome: ok, exception, canceled, ... event: what started it. at: ISO 8601 UTC."""

    at: str | None
    outcome: str
    summary: str
    logs: tuple[dict[str, Any], ...]
    exceptions: tuple[dict[str, Any], ...]
    event: Any
    script: str | None = None
