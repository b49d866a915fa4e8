"""Times as a person says them: how far from now, and how long something took."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_UNITS = (("y", 31_557_600.0), ("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0))


def now() -> float:
    """Unix seconds."""
    return time.time()


def seconds_of(moment: str | None) -> float | None:
    """An ISO 8601 moment (UTC where it names no zone) as Unix seconds; None where it is none."""
    try:
        at = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def from_now(moment: str) -> str:
    """How far an ISO 8601 moment is from now: `in 23 h`, `3 d ago`; as it is where it is no moment."""
    at = seconds_of(moment)
    if at is None:
        return moment
    seconds = at - now()
    return f"in {amount(seconds)}" if seconds > 0 else f"{amount(-seconds)} ago"


def amount(seconds: float) -> str:
    """About how long, in one unit, to the nearest: `23 h`, `90 s`."""
    for unit, length in _UNITS:
        if seconds >= 1.95 * length or unit == "s":
            return f"{int(seconds / length + 0.5)} {unit}"
    return ""


def took(seconds: float) -> str:
    """How long, to two units or the millisecond: `0 ms`, `1.25 s`, `3 min 4 s`, `365 d`."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    for at, (unit, length) in enumerate(_UNITS[1:-1], 1):
        if seconds >= length:
            smaller, step = _UNITS[at + 1]
            whole, rest = divmod(int(seconds), int(length))
            few = rest // int(step)
            return f"{whole:,} {unit}" + (f" {few} {smaller}" if few else "")
    return ""
