"""How a ratio is taken: both sides in turn (A B A B ...), the median of the pairs, so that a drifting machine cancels out."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple


class Ratio(NamedTuple):
    """ours and peer: median seconds. limit: what the ratio must not exceed (at_most) or must reach (not at_most).

    ratio is ours/peer where at_most, else how many times faster ours is (peer/ours).
    """

    name: str
    ours: float
    peer: float
    ratio: float
    limit: float
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool:
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit


def seconds(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    limit: float,
    at_most: bool = True,
    runs: int = 15,
    note: str = "",
) -> Ratio:
    """Run both in turn after one warm-up each; the ratio is the median of the pairs' ratios."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(runs)]
    ratios = [a / b if at_most else b / a for a, b in pairs]
    return Ratio(
        name,
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        limit,
        at_most,
        note,
    )


def command(*words: str, cwd: str | None = None, env: dict[str, str] | None = None) -> Callable[[], object]:
    """A call that runs a whole process and throws its output away; a failure is raised with what it said."""

    def run() -> None:
        done = subprocess.run(words, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr.decode(errors='replace')[-2000:]}")

    return run
