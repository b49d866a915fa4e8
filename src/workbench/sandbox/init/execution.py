"""`exec`: one program, its streams over the connection, its end as the answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence

from . import wire
from .children import Limits, signal_group, spawn
from .connection import Connection
from .loop import exit_of
from .streams import Sink, Source

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL of what ran out of time."""


class Execution:
    """Runs until the program ends, its time is up, or the hub closes the connection, which kills its process group.

    Frames of the hub: DATA and END for standard input, JSON `{"signal": n}` for its process group.
    finished: called with the exit code once it is over, also where it was cancelled or never started (None).
    """

    def __init__(
        self,
        connection: Connection,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        limits: Limits,
        stdin: bool,
        timeout: float | None,
        finished: Callable[[int | None], None],
    ) -> None:
        self._connection = connection
        self._loop = connection.loop
        self._finished = finished
        self._status: int | None = None
        self._timed_out = False
        self._unread = 2
        self._refused: OSError | None = None
        self._told = False
        self._name = argv[0]
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        theirs_in, ours_in = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), -1)
        try:
            self._pid = spawn(
                self._loop,
                argv,
                cwd=cwd,
                env=env,
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs_err,
                limits=limits,
                started=self._started,
            )
        except OSError as problem:
            for fd in (ours_out, ours_err, *([ours_in] if stdin else [])):
                os.close(fd)
            connection.fail("sandbox.no_process", f"no process can be started: {problem.strerror}")
            finished(None)
            return
        finally:
            for fd in (theirs_in, theirs_out, theirs_err):
                os.close(fd)
        self._sources = [
            Source(self._loop, ours_out, lambda data: self._take(wire.DATA, data)),
            Source(self._loop, ours_err, lambda data: self._take(wire.STDERR, data)),
        ]
        self._sink = Sink(self._loop, ours_in, connection.resume) if stdin else None
        self._timer = self._loop.later(timeout, self._expire) if timeout is not None else None
        self._loop.on_exit(self._pid, self._exited)
        connection.on_frame = self._frame
        connection.on_drain = self._resume
        connection.on_close = self._cancel

    def _started(self, problem: OSError | None) -> None:
        self._told = True
        self._refused = problem
        self._settle()

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == wire.DATA and self._sink is not None:
            self._sink.write(payload)
            if self._sink.full:
                self._connection.pause()
        elif kind == wire.END and self._sink is not None:
            self._sink.end()
        elif kind == wire.JSON:
            number = wire.read_json(payload).get("signal")
            if isinstance(number, int) and self._status is None:
                signal_group(self._pid, number)

    def _take(self, kind: int, data: bytes) -> None:
        self._connection.send(kind, data)
        if self._connection.full:
            for source in self._sources:
                source.pause()

    def _resume(self) -> None:
        for source in self._sources:
            source.resume()

    def _expire(self) -> None:
        if self._status is None:
            self._timed_out = True
            signal_group(self._pid, signal.SIGTERM)
            signal_group(self._pid, signal.SIGCONT)
            self._timer = self._loop.later(GRACE, lambda: signal_group(self._pid, signal.SIGKILL))

    def _cancel(self) -> None:
        if self._status is None:
            signal_group(self._pid, signal.SIGKILL)
        self._let_go()

    def _exited(self, status: int) -> None:
        """What it wrote is still in the pipes; what a daemon of its writes later is nobody's."""
        self._status = status
        if self._timer is not None:
            self._timer.cancel()
        if self._connection.closed:
            self._let_go()
            return
        for source in self._sources:
            source.when_empty(self._emptied)

    def _emptied(self) -> None:
        self._unread -= 1
        self._settle()

    def _settle(self) -> None:
        if self._status is None or self._unread or not self._told or self._connection.closed:
            return
        code, number = exit_of(self._status)
        if self._refused is not None:
            said = f"{self._name}: {self._refused.strerror}\n"
            self._connection.send(wire.STDERR, said.encode("utf-8", "surrogateescape"))
        self._connection.finish({"exit_code": code, "signal": number, "timed_out": self._timed_out})
        self._let_go()

    def _let_go(self) -> None:
        for source in self._sources:
            source.discard()
        if self._sink is not None:
            self._sink.close()
        if self._status is not None:
            code, number = exit_of(self._status)
            finished, self._finished = self._finished, lambda code: None
            finished(code if code is not None else 128 + (number or 0))
