"""How a ratio is taken: both sides in turn (A B A B ...), the median of the pairs, so that a drifting machine cancels out."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
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
    return compare_times(
        name,
        lambda: seconds(ours),
        lambda: seconds(peer),
        limit=limit,
        at_most=at_most,
        runs=runs,
        note=note,
    )


def compare_times(
    name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    limit: float,
    at_most: bool = True,
    runs: int = 15,
    note: str = "",
) -> Ratio:
    """The same of calls that take their own time and return it, in seconds."""
    ours(), peer()
    return of_pairs(name, [(ours(), peer()) for _ in range(runs)], limit=limit, at_most=at_most, note=note)


def of_pairs(
    name: str, pairs: list[tuple[float, float]], *, limit: float, at_most: bool = True, note: str = ""
) -> Ratio:
    """A ratio from seconds already taken, (ours, peer) each."""
    return Ratio(
        name,
        statistics.median(ours for ours, _ in pairs),
        statistics.median(peer for _, peer in pairs),
        statistics.median(ours / peer if at_most else peer / ours for ours, peer in pairs),
        limit,
        at_most,
        note,
    )


def ordinary(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of an ordinary machine: compiled modules are kept between runs, output is buffered."""
    unusual = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME")
    return {name: value for name, value in os.environ.items() if name not in unusual} | dict(extra or {})


def command(
    *words: str, cwd: str | None = None, env: Mapping[str, str] | None = None
) -> Callable[[], object]:
    """A call that runs a whole process and throws its output away; a failure is raised with what it said."""
    environment = ordinary(env)

    def run() -> None:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr.decode(errors='replace')[-2000:]}")

    return run


_MEASURED = """
import os, sys
pid = os.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def peak_memory(*words: str, cwd: str | None = None) -> float:
    """The most memory (MiB) that a process held while it ran.

    A small process starts it: Linux counts towards a program what held its place before `exec`, which would be this one, filled by
    whatever was measured before.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _MEASURED, *words],
        cwd=cwd,
        env=ordinary(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    exit_code, most = map(int, done.stderr.split()[-2:])
    if exit_code:
        raise RuntimeError(f"{words}: status {exit_code}: {done.stderr[-2000:]}")
    return most / (1024 if os.uname().sysname == "Linux" else 1024 * 1024)


def script(name: str) -> str:
    """A console script of the environment that runs the benchmarks."""
    return os.path.join(os.path.dirname(sys.executable), name)
