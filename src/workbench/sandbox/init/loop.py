"""The one loop of the init: descriptors, timers, children."""

from __future__ import annotations

import heapq
import os
import selectors
import signal
import time
from collections.abc import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    """A call that is still to come; `cancel` forgets it."""

    __slots__ = ("at", "call")

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return self.at < other.at


class Loop:
    """Calls back what is ready. A callback that raises OSError has lost its own descriptor, never the loop."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._children: dict[int, Callable[[int], None]] = {}
        self._running = True
        self._wakeup, self._waker = os.pipe()
        for end in (self._wakeup, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.watch(self._wakeup, READ, self._woken)

    def watch(self, fd: int, events: int, call: Callable[[int], None]) -> None:
        """Call back with the events that are ready; replaces what was watched on this descriptor. 0 forgets it."""
        known = fd in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, events, call)
        else:
            self._selector.register(fd, events, call)

    def forget(self, fd: int) -> None:
        """Watch it no more; do this before closing it."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(time.monotonic() + seconds, call)
        heapq.heappush(self._timers, timer)
        return timer

    def on_exit(self, pid: int, call: Callable[[int], None]) -> None:
        """Call back with the wait status once this child is reaped."""
        self._children[pid] = call

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        self._reap()
        while self._running:
            for key, events in self._selector.select(self._wait()):
                if self._selector.get_map().get(key.fd) is key:  # an earlier callback may have forgotten it
                    key.data(events)
            self._fire()

    def _wait(self) -> float | None:
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].at - time.monotonic()) if self._timers else None

    def _fire(self) -> None:
        now = time.monotonic()
        while self._timers and (self._timers[0].at <= now or self._timers[0].call is None):
            call = heapq.heappop(self._timers).call
            if call is not None:
                call()

    def _woken(self, _events: int) -> None:
        try:
            while os.read(self._wakeup, 512):
                pass
        except BlockingIOError:
            pass
        self._reap()

    def _reap(self) -> None:
        """Everything that ended: ours and, as process 1 or subreaper, whatever was orphaned."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            call = self._children.pop(pid, None)
            if call is not None:
                call(status)


def exit_of(status: int) -> tuple[int | None, int | None]:
    """(exit code, signal) of a wait status; the one that does not apply is None."""
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)
