"""From a Workflow's instance to lines: of the list, of the timeline, and what is said of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from workbench.model.times import iso
from workbench.model.workflows import WorkflowInstance, WorkflowStep
from workbench.screens import when
from workbench.screens.when import from_now, seconds_of, took
from workbench.widgets.paging import Entry
from workbench.widgets.timeline import Bar, Event, Tone

ENDED = ("complete", "errored", "terminated")
MOST_TRIES = 4
"""Attempts listed above a step's value; all of them are in its details."""

_SIGNS: dict[str, tuple[str, Tone]] = {
    "complete": ("✓", "good"),
    "errored": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "terminated": ("■", ""),
    "running": ("▶", "busy"),
    "waiting": ("…", "busy"),
    "queued": ("·", ""),
    "paused": ("‖", "busy"),
    "waitingForPause": ("‖", "busy"),
}
_SHORT = {"waitingForPause": "pausing"}


class Said(NamedTuple):
    """What is shown of a line of the timeline. facts: lines, each with a style. value: tagged JSON, None with `empty` saying why."""

    name: str
    facts: tuple[tuple[str, str], ...]
    value: Any = None
    empty: str = ""


def sign_of(status: str) -> tuple[str, Tone]:
    """One cell for a status, and its colour."""
    return _SIGNS.get(status, ("?", ""))


def entry_of(instance: WorkflowInstance) -> Entry:
    """A line of the list."""
    sign, tone = sign_of(instance.status)
    status = _SHORT.get(instance.status, instance.status)
    return Entry(
        instance.id,
        instance.id,
        size=status,
        when=short(instance.created),
        sign=sign,
        tone=tone,
        data=instance,
    )


def short(moment: str | None) -> str:
    """An ISO 8601 moment in a few cells: the time where it is of today (UTC), else the day and the time."""
    said = clock(moment)
    today = said[:10] == clock(iso(when.now() * 1000))[:10]
    return said[11:19] if today else said[5:16]


def clock(moment: str | None) -> str:
    """An ISO 8601 moment without its T and Z."""
    return (moment or "").replace("T", " ").removesuffix("Z")


def course(instance: WorkflowInstance) -> str:
    """When it was made, and how long it took or that it goes on."""
    parts = [clock(instance.created), from_now(instance.created)] if instance.created else []
    begun, ended = seconds_of(instance.started or instance.created), seconds_of(instance.ended)
    if begun is not None and ended is not None:
        parts.append(f"took {took(max(0.0, ended - begun))}")
    return " · ".join(parts)


def error_line(error: Any) -> str:
    """`Error: card declined`."""
    if not isinstance(error, dict):
        return "" if error is None else str(error)
    return f"{error.get('name') or 'Error'}: {error.get('message', '')}"


# The timeline


def timeline(instance: WorkflowInstance) -> tuple[list[Event], float]:
    """An instance's lines, and how many seconds they span: up to now where it goes on."""
    begin = seconds_of(instance.started) or seconds_of(instance.created) or 0.0
    ended = seconds_of(instance.ended)
    moments = [seconds_of(step.ended or step.started) for step in instance.steps]
    last = max((moment for moment in moments if moment is not None), default=begin)
    over = instance.status in ENDED
    end = ended if ended is not None else last if over else max(when.now(), last)
    events = [Event("in", "→", "parameters", data=Said("parameters", (), instance.params))]
    for number, step in enumerate(instance.steps):
        events.append(_event(number, step, begin, over))
    events.append(_outcome(instance))
    return events, max(0.0, end - begin)


def _outcome(instance: WorkflowInstance) -> Event:
    sign, tone = sign_of(instance.status)
    if instance.status == "complete":
        return Event("out", "←", "output", data=Said("output", (), instance.output), tone=tone)
    if instance.error is not None:
        return Event("out", sign, "error", data=Said("error", (), instance.error), tone=tone)
    said = Said(instance.status, (), None, "no output yet" if instance.status not in ENDED else "no output")
    return Event("out", sign, instance.status, data=said, tone=tone)


def _event(number: int, step: WorkflowStep, begin: float, over: bool) -> Event:
    started, ended = seconds_of(step.started), seconds_of(step.ended)
    sign, tone = sign_of(step.status)
    if over and step.ended is None:
        sign, tone = "■", ""
    length = ""
    if started is not None:
        until = ended if ended is not None else None if over else when.now()
        length = took(max(0.0, until - started)) if until is not None else ""
    return Event(
        f"{number} {step.name}",
        sign,
        step.name,
        _note(step),
        length,
        tuple(_bars(step, begin)),
        tone,
        Said(step.name, tuple(_facts(step, over)), *_value(step)),
    )


def _bars(step: WorkflowStep, begin: float) -> Iterator[Bar]:
    """The stretches of a step: its attempts with the waits between them, or one."""
    started, ended = seconds_of(step.started), seconds_of(step.ended)
    if started is None:
        return
    waits = step.kind in ("sleep", "wait")
    first, last = started - begin, None if ended is None else ended - begin
    if not step.tries:
        yield Bar(first, last, "bad" if step.status == "failed" else "", waits)
        return
    yield Bar(first, last, waits=True)
    for one in step.tries:
        at, until = seconds_of(one.started), seconds_of(one.ended)
        if at is not None:
            done: Tone = "bad" if one.error is not None else "good" if until is not None else "busy"
            yield Bar(at - begin, None if until is None else until - begin, done)


def _note(step: WorkflowStep) -> str:
    config = step.config if isinstance(step.config, dict) else {}
    if step.kind == "sleep":
        return "sleep"
    if step.kind == "wait":
        return f"waits for {config.get('event', 'an event')}" if step.ended is None else "event"
    parts = [] if step.kind == "step" else [step.kind]
    if step.attempts > 1:
        parts.append(f"{step.attempts} tries")
    if step.error is not None:
        parts.append(error_line(step.error))
    return " · ".join(parts)


def _value(step: WorkflowStep) -> tuple[Any, str]:
    """What is shown below a step: its output, its error, or why there is nothing."""
    if step.output is not None:
        return step.output, ""
    if step.error is not None:
        return step.error, ""
    if step.kind == "sleep":
        return None, "a sleep has no output"
    if step.status == "complete":
        return None, "no output (undefined or null)"
    return None, "no output yet" if step.ended is None else "no output"


def _facts(step: WorkflowStep, over: bool) -> Iterator[tuple[str, str]]:
    """Lines about a step: how it went, how it was to go, each attempt where there were several."""
    yield (
        f"{step.kind} · {step.status} · began {clock(step.started)[11:]}" + _until(step, over),
        "$text-muted",
    )
    words = plan_of(step)
    if words:
        yield words, "$text-muted"
    if step.error is not None:
        yield error_line(step.error), "$text-error"
    if len(step.tries) > 1:
        for number, one in list(enumerate(step.tries, 1))[-MOST_TRIES:]:
            yield f"try {number}: {tried(one.started, one.ended, one.error, one.retry_ms)}", ""
    if len(step.tries) > MOST_TRIES:
        yield f"the {len(step.tries) - MOST_TRIES:,} tries before: in the details (f3)", "$text-muted"


def tried(started: str, ended: str | None, error: Any, retry_ms: int | None) -> str:
    """An attempt in words."""
    begun, done = seconds_of(started), seconds_of(ended)
    parts = [clock(started)[11:]]
    if begun is not None and done is not None:
        parts.append(took(max(0.0, done - begun)))
    parts.append(error_line(error) if error is not None else "done" if ended else "under way")
    if retry_ms is not None:
        parts.append(f"again after {took(retry_ms / 1000)}")
    return " · ".join(parts)


def _until(step: WorkflowStep, over: bool) -> str:
    config = step.config if isinstance(step.config, dict) else {}
    if step.ended is not None or over:
        return ""
    duration, begun = config.get("durationMs"), seconds_of(step.started)
    if step.kind == "sleep" and isinstance(duration, int | float) and begun is not None:
        left = begun + duration / 1000 - when.now()
        return f" · {took(left)} to go" if left > 0 else " · over, and not yet noticed"
    return ""


def plan_of(step: WorkflowStep) -> str:
    """How a step was to go, in words: how often and how long it is tried, how long it sleeps, what it waits for."""
    config = step.config if isinstance(step.config, dict) else {}
    parts = []
    if isinstance(config.get("durationMs"), int | float):
        parts.append(f"sleeps {took(config['durationMs'] / 1000)}")
    if "event" in config:
        parts.append(f"waits for the event {config['event']}")
    retries = config.get("retries")
    if isinstance(retries, dict):
        limit = retries.get("limit")
        parts.append(f"{limit} retr{'y' if limit == 1 else 'ies'} at most")
        delay, backoff = retries.get("delay"), retries.get("backoff")
        if isinstance(delay, int | float):
            parts.append(f"{backoff or 'constant'} from {took(delay / 1000)}")
        elif delay is not None:
            parts.append(f"{backoff or 'constant'} from {delay}")
    timeout = config.get("timeout")
    if timeout is not None:
        parts.append(f"each up to {took(timeout / 1000) if isinstance(timeout, int | float) else timeout}")
    return " · ".join(parts)
