"""Values of traces: what a dev server kept of the requests that it answered."""

from typing import Any, NamedTuple


class Trace(NamedTuple):
    """A request, a cron trigger, a message: whatever a Worker was started by.

    name: `GET /api/cart`, `scheduled`, ... kind: http, scheduled, queue, email, ... status: of the HTTP answer, or None.
    started: ISO 8601 UTC. duration_ms: None while it goes on. outcome: ok, exception, ... or None while it goes on.
    spans, logs: how many there are in all.
    """

    id: str
    worker: str | None
    name: str
    kind: str | None
    status: int | None
    started: str
    duration_ms: int | None
    outcome: str | None
    error: str | None
    spans: int
    logs: int


class Span(NamedTuple):
    """A stretch of a trace. begin_ms: after the trace's own beginning. parent: the id of the span around it, or None."""

    id: str
    parent: str | None
    worker: str | None
    name: str
    kind: str | None
    begin_ms: int
    duration_ms: int | None
    outcome: str | None
    error: str | None
    attributes: dict[str, Any]


class TraceLog(NamedTuple):
    """A line that a Worker logged, or an error that it threw. at_ms: after the trace's beginning."""

    span: str | None
    at_ms: int
    level: str
    text: str


class TraceDetail(NamedTuple):
    """One trace: its spans in their order, each after the one around it; and what was logged."""

    trace: Trace
    spans: tuple[Span, ...]
    logs: tuple[TraceLog, ...]
