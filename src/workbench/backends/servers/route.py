"""Writing through a dev server that has the state open: it waits for nobody's lock, so none of its Worker's writes fails for ours.

A server only does what is bound in it; of its own, never of another server that it knows of (one header says so), and never of
remote data (its API leaves such bindings out). So whatever it refuses is done by hand, and whoever asked need not know.

What is written here can be done twice and is done once then. So where a server goes away in the middle, it is done by hand. Where
it stays and says nothing, the state is looked at; what is not there yet may still come, and that is said (`live.outcome_unknown`).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sized
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from workbench.backends.local.manners import server_running
from workbench.model.bindings import Project
from workbench.model.errors import Cancelled, WorkbenchError

if TYPE_CHECKING:
    from workbench.backends.cloudflare.api import Api, Timeouts
    from workbench.model.progress import Cancel, Progress

FRESH = 5.0
"""Seconds for which it is believed which servers run on the state."""
GLANCE = 1.0
"""Seconds for which it is believed whether any runs: looking takes longer than a write, and a write by hand beside one is right too."""
ALONE = {"X-Miniflare-Explorer-No-Aggregate": "true"}
"""Said with each request: not from, and not to, other servers. (miniflare, local-explorer/aggregation)"""
_SILENT = ("remote.outcome_unknown", "remote.unreachable")

Do = Callable[["Api"], Awaitable[object]]
Done = Callable[[], Awaitable[bool]]
Notice = Callable[[str], None]


class Reached(NamedTuple):
    """A server that may be asked. pid: of the program that runs it."""

    url: str
    pid: int
    api: Api


class Route:
    """The dev servers on one state directory; kept as long as the target is open, shared by all calls."""

    def __init__(self, project: Project, timeouts: Timeouts | None = None) -> None:
        self._project = project
        self._timeouts = timeouts
        self._servers: list[Reached] = []
        self._looked = -FRESH
        self._glanced = -GLANCE
        self._running = False

    def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            server.api.line.close()
        self._servers, self._looked = [], -FRESH

    def running(self) -> bool:
        """Whether any has the state open."""
        if monotonic() - self._glanced >= GLANCE:
            self._running = server_running(self._project.state_directory)
            self._glanced = monotonic()
        return self._running

    def servers(self) -> list[Reached]:
        """Those that can be asked now."""
        if monotonic() - self._looked >= FRESH or not all(_lives(server.pid) for server in self._servers):
            self._look()
        return list(self._servers)

    def _look(self) -> None:
        from workbench.backends.cloudflare.api import Api, Line, Timeouts
        from workbench.backends.cloudflare.mirrored import MIRROR

        from .finding import on_state

        before = {(server.url, server.pid): server for server in self._servers}
        found = []
        for server in on_state(self._project):
            known = before.pop((server.url, server.pid), None)
            if known is None:
                timeouts = self._timeouts or Timeouts(connect=2.0, silence=30.0)
                # Once: whoever gets no answer here knows what else to do.
                line = Line(server.url + MIRROR, timeouts=timeouts, headers=ALONE, attempts=1)
                known = Reached(server.url, server.pid, Api(line))
            found.append(known)
        for gone in before.values():
            gone.api.line.close()
        self._servers, self._looked = found, monotonic()


class Through:
    """Writes of one call. via: the address of the server that did one of them, "" where none did."""

    def __init__(self, route: Route, cancel: Cancel | None = None, notice: Notice | None = None) -> None:
        self.route = route
        self.via = ""
        self._cancel = cancel
        self._notice = notice

    def servers(self) -> list[tuple[Reached, Api]]:
        """Those that can be asked now, each with its API as this call asks it."""
        if not self.route.running():
            return []
        return [(server, server.api.watched(self._cancel, self._notice)) for server in self.route.servers()]

    async def write(self, do: Do, done: Done, doing: str) -> bool:
        """Have a server do it; False where it is to be done by hand.

        do: asks an API to. done: whether the state holds what was to be written. Raises `live.outcome_unknown`.
        """
        for server, api in self.servers():
            try:
                await do(api)
            except Cancelled:
                raise
            except WorkbenchError as error:
                if error.code not in _SILENT:
                    continue  # it knows no such thing, or it won't: nothing was done
                if await self._is_open(server, error, done, doing):
                    continue
            self.via = server.url
            return True
        return False

    async def _is_open(self, server: Reached, error: WorkbenchError, done: Done, doing: str) -> bool:
        """After a request without an answer: False where it was done, True where it is to be done otherwise."""
        if await done():
            return False
        if error.code == "remote.unreachable" or not _lives(server.pid):
            if self._notice is not None:
                self._notice(f"the dev server at {server.url} has gone: written directly")
            return True
        raise WorkbenchError(
            "live.outcome_unknown",
            f"{doing}: the dev server at {server.url} runs and says nothing, so it may still be done",
            "look before you do it again; cfwb servers list shows what runs",
        )


def _lives(pid: int) -> bool:
    """Whether a process is there, and is more than the rest of an ended one."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


MOST_NAMES = 500
"""Things deleted by one request: enough that it costs little, few enough that it can be stopped between two."""


async def deleted(
    names: Iterable[str],
    remove: Callable[[list[str]], Awaitable[int]],
    progress: Progress | None,
    cancel: Cancel | None,
) -> int:
    """Have `remove` delete so many at a time, and answer how many were there; it is told batch after batch what to delete."""
    total = len(names) if isinstance(names, Sized) else None
    left = iter(names)
    gone = count = 0
    while batch := list(islice(left, MOST_NAMES)):
        if cancel is not None:
            cancel.check()
        gone += await remove(batch)
        count += len(batch)
        if progress is not None:
            progress(count, total)
    return gone
