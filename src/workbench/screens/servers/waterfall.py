"""From traces to lines: of the list, and of one trace's waterfall of spans with what was logged between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from workbench.model.traces import Span, Trace, TraceDetail, TraceLog
from workbench.screens.when import from_now, took
from workbench.widgets.timeline import Bar, Event, Tone

DEEPEST = 12
"""Levels of nesting that are shown by indentation."""
_LOGS: dict[str, tuple[str, Tone]] = {
    "error": ("✗", "bad"),
    "warn": ("!", "busy"),
    "debug": ("·", ""),
    "info": ("›", ""),
}


class Said(NamedTuple):
    """What is shown of a line of the waterfall. facts: lines, each with a style. value: a span's attributes; text: what was logged."""

    name: str
    facts: tuple[tuple[str, str], ...]
    value: Any = None
    text: str | None = None


def sign_of(trace: Trace) -> tuple[str, Tone]:
    """One cell for how it went, and its colour."""
    if trace.outcome is None and trace.duration_ms is None:
        return "▶", "busy"
    if trace.outcome not in ("ok", None) or (trace.status or 0) >= 500:
        return "✗", "bad"
    return ("!", "busy") if (trace.status or 0) >= 400 else ("✓", "good")


def listed(traces: Sequence[Trace]) -> tuple[list[Event], float]:
    """A line a trace, its bar as long as it took, all from the same beginning; and the seconds of the longest."""
    longest = max((trace.duration_ms or 0 for trace in traces), default=0) / 1000
    return [_line(trace) for trace in traces], longest


def _line(trace: Trace) -> Event:
    sign, tone = sign_of(trace)
    parts = [str(trace.status) if trace.status else "", trace.worker or "", from_now(trace.started)]
    length = None if trace.duration_ms is None else trace.duration_ms / 1000
    return Event(
        trace.id,
        sign,
        trace.name,
        " · ".join(part for part in parts if part),
        "…" if length is None else took(length),
        (Bar(0.0, length, tone if tone != "good" else ""),),
        tone,
        trace,
    )


def waterfall(detail: TraceDetail) -> tuple[list[Event], float]:
    """The lines of a trace, and how many seconds they span."""
    ends = [span.begin_ms + (span.duration_ms or 0) for span in detail.spans]
    end = max([*ends, *(log.at_ms for log in detail.logs), detail.trace.duration_ms or 0], default=0)
    depths = _depths(detail.spans)
    logs: dict[str | None, list[TraceLog]] = {}
    for log in detail.logs:
        logs.setdefault(log.span if log.span in depths else None, []).append(log)
    events: list[Event] = []
    for span in detail.spans:
        depth = depths[span.id]
        events.append(_span(span, depth, end))
        events += _logs(span.id, logs.pop(span.id, []), depth + 1)
    events += _logs("", logs.get(None, []), 0)
    return events, end / 1000


def _depths(spans: Sequence[Span]) -> dict[str, int]:
    depths: dict[str, int] = {}
    for span in spans:
        depths[span.id] = depths.get(span.parent or "", -1) + 1
    return depths


def _span(span: Span, depth: int, end: int) -> Event:
    failed = span.outcome not in ("ok", None)
    running = span.duration_ms is None
    sign, tone = ("✗", "bad") if failed else ("▶", "busy") if running else ("✓", "good")
    begin = span.begin_ms / 1000
    bar = Bar(begin, None if running else begin + (span.duration_ms or 0) / 1000, "bad" if failed else "")
    length = "…" if span.duration_ms is None else took(span.duration_ms / 1000)
    return Event(
        span.id,
        sign,
        "  " * min(depth, DEEPEST) + span.name,
        note_of(span),
        length,
        (bar,),
        tone,  # type: ignore[arg-type]
        Said(span.name, tuple(_facts(span, length)), span.attributes),
    )


def _facts(span: Span, length: str) -> Iterator[tuple[str, str]]:
    parts = [span.kind or "span", f"after {took(span.begin_ms / 1000)}", length]
    if span.worker:
        parts.insert(0, span.worker)
    if span.outcome:
        parts.append(span.outcome)
    yield " · ".join(parts), "$text-muted"
    if span.error:
        yield span.error, "$text-error"


def note_of(span: Span) -> str:
    """What a span is about, short: a binding and a key, a query, an address and a status."""
    known = span.attributes
    parts = [
        known.get("cloudflare.binding.name"),
        known.get("cloudflare.kv.query.keys") or known.get("cloudflare.kv.query.prefix"),
        known.get("cloudflare.r2.request.key"),
        known.get("db.query.text"),
        known.get("jsrpc.method"),
        known.get("url.full"),
        known.get("http.response.status_code"),
    ]
    if span.error:
        parts.append(span.error)
    return " ".join(" ".join(str(part).split()) for part in parts if part is not None)


def _logs(span: str, logs: Sequence[TraceLog], depth: int) -> Iterator[Event]:
    for number, log in enumerate(logs):
        sign, tone = _LOGS.get(log.level, _LOGS["info"])
        at = log.at_ms / 1000
        first = log.text.strip().partition("\n")[0]
        yield Event(
            f"{span} log {number}",
            sign,
            "  " * min(depth, DEEPEST) + first,
            log.level,
            "",
            (Bar(at, at, tone),),
            tone,
            Said(log.level, ((f"{log.level} · after {took(at)}", "$text-muted"),), text=log.text),
        )
