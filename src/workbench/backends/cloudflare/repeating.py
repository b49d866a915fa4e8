"""When a request that failed is sent again, and after how long.

Only what is safe to do twice: GET and HEAD, PUT and DELETE of one thing, and what the caller declares to be so. A request that was
never sent (no connection) or was refused before it was looked at (429) is repeated whatever it is.
"""

import random
from email.utils import parsedate_to_datetime
from time import time

ATTEMPTS = 4
LONGEST_WAIT = 300.0
"""Seconds that a `Retry-After` may ask for; beyond them the error is told instead."""
PASSING = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 527, 530})
"""Statuses that another try may not meet. 52x: Cloudflare's own, between its edge and its API."""
NO_WORD = frozenset({408, 502, 503, 504, 520, 522, 524})
"""Statuses of a gateway that does not know what became of the request behind it."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def is_safe(method: str) -> bool:
    """Whether doing it twice is doing it once, as HTTP has it."""
    return method in _SAFE


def pause(attempt: int, retry_after: str | None = None) -> float:
    """Seconds before the next attempt (from 1): what the answer asks for, else 0.25, 0.5, 1 ... with jitter."""
    if retry_after is not None and (asked := _seconds(retry_after)) is not None:
        return asked
    return 0.25 * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.5)


def _seconds(retry_after: str) -> float | None:
    """A `Retry-After`: seconds, or a date."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    except (ValueError, TypeError):
        return None
