"""Times as every face writes them: ISO 8601, UTC, milliseconds."""

import time


def iso(milliseconds: float) -> str:
    """Milliseconds since 1970 as `2026-11-23T21:04:11.000Z`."""
    try:
        seconds, rest = divmod(int(milliseconds), 1000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms since 1970"


def now_ms() -> int:
    """Milliseconds since 1970, now."""
    return time.time_ns() // 1_000_000
