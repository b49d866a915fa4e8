"""Background processes: started by name, kept after their end, with logs that can be read and followed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from . import wire
from .children import Limits, signal_group, spawn
from .connection import Connection
from .logs import STDERR, STDOUT, Log
from .loop import Loop, exit_of
from .streams import Source

REMEMBERED = 500
"""Processes that are kept after their end, the newest."""


class Process:
    """One background process. state: "running", "exited", or "lost" (the sandbox stopped under it)."""

    def __init__(self, name: str, argv: Sequence[str], cwd: str, log: Log) -> None:
        self.name = name
        self.argv = list(argv)
        self.cwd = cwd
        self.log = log
        self.pid: int | None = None
        self.state = "running"
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.started = time.time()
        self.ended: float | None = None
        self.problem: str | None = None
        self.changed: list[Callable[[], None]] = []
        """Called when there is more in the log and when the process ends; who is called may take itself off."""

    def described(self) -> dict[str, object]:
        return {
            "id": self.name,
            "argv": self.argv,
            "cwd": self.cwd,
            "pid": self.pid,
            "state": self.state,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "started": self.started,
            "ended": self.ended,
            "problem": self.problem,
            "log_start": self.log.start,
            "log_end": self.log.end,
        }

    def tell(self) -> None:
        for call in list(self.changed):
            call()


class Processes:
    """All of them, by id. What is known of each lies beside its log, so that a start finds it again."""

    def __init__(self, loop: Loop, folder: str) -> None:
        self._loop = loop
        self._folder = folder
        self._all: dict[str, Process] = {}
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._recall()

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def list(self) -> list[Process]:
        return sorted(self._all.values(), key=lambda process: process.started)

    def get(self, name: object) -> Process:
        """KeyError where there is none."""
        return self._all[str(name)]

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        limits: Limits,
        started: Callable[[Process], None],
    ) -> None:
        """Start it; `started` is called once it runs or could not be started (then `problem` says why).

        OSError where there can be no more processes.
        """
        process = Process(name, argv, cwd, Log(self._folder, name))
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)

        def begun(problem: OSError | None) -> None:
            process.problem = problem.strerror if problem else None
            self._keep(process)
            started(process)

        try:
            process.pid = spawn(
                self._loop,
                argv,
                cwd=cwd,
                env=env,
                stdin=nothing,
                stdout=theirs_out,
                stderr=theirs_err,
                limits=limits,
                started=begun,
            )
        except OSError:
            os.close(ours_out)
            os.close(ours_err)
            raise
        finally:
            for fd in (nothing, theirs_out, theirs_err):
                os.close(fd)
        self._all[name] = process
        sources = [
            Source(self._loop, ours_out, lambda data: self._took(process, STDOUT, data)),
            Source(self._loop, ours_err, lambda data: self._took(process, STDERR, data)),
        ]
        self._loop.on_exit(process.pid, lambda status: self._exited(process, status, sources))

    def signal(self, name: object, number: int, *, group: bool) -> bool:
        """Whether it ran, so that there was something to signal."""
        process = self.get(name)
        if process.state != "running" or process.pid is None:
            return False
        if group:
            signal_group(process.pid, number)
        else:
            os.kill(process.pid, number)
        if number == signal.SIGTERM:
            os.kill(process.pid, signal.SIGCONT)  # a stopped one would not hear it
        return True

    def forget(self, name: object) -> None:
        """One that ended, with its log; KeyError where there is none."""
        process = self.get(name)
        del self._all[process.name]
        process.log.delete()
        _unlink(self._record(process.name))

    def _took(self, process: Process, stream: int, data: bytes) -> None:
        process.log.append(stream, data)
        process.tell()

    def _exited(self, process: Process, status: int, sources: Sequence[Source]) -> None:
        """What is still in the pipes is read before the end is told; what its daemons print later is logged too."""
        out, err = sources
        out.when_empty(lambda: err.when_empty(lambda: self._over(process, status)))

    def _over(self, process: Process, status: int) -> None:
        process.exit_code, process.signal = exit_of(status)
        process.state = "exited"
        process.ended = time.time()
        self._keep(process)
        process.tell()
        ended = [each for each in self._all.values() if each.state != "running"]
        for old in sorted(ended, key=lambda each: each.ended or 0)[:-REMEMBERED]:
            self.forget(old.name)

    def _record(self, name: str) -> str:
        return os.path.join(self._folder, name + ".json")

    def _keep(self, process: Process) -> None:
        path = self._record(process.name)
        try:
            with open(path + ".new", "w") as file:
                json.dump(process.described(), file)
            os.replace(path + ".new", path)
        except OSError:
            pass  # the disk is full: the record is a convenience for after the next start

    def _recall(self) -> None:
        for entry in os.listdir(self._folder):
            name, extension = os.path.splitext(entry)
            if extension != ".json":
                continue
            try:
                with open(os.path.join(self._folder, entry)) as file:
                    kept = json.load(file)
                process = Process(name, kept["argv"], kept["cwd"], Log.found(self._folder, name))
                process.started, process.ended = kept["started"], kept["ended"]
                process.exit_code, process.signal = kept["exit_code"], kept["signal"]
                process.problem = kept["problem"]
                process.state = "lost" if kept["state"] == "running" else kept["state"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            self._all[name] = process


class LogReader:
    """`process.logs`: what is there from an offset on and, following, what comes, until the process ends.

    Answers JSON {offset, lost} first, then DATA (stdout) and STDERR frames, at the end JSON {offset, process}.
    """

    def __init__(
        self, connection: Connection, process: Process, offset: int, streams: Sequence[int], follow: bool
    ) -> None:
        self._connection = connection
        self._process = process
        self._follow = follow
        self._streams = streams
        self._offset = max(offset, process.log.start)
        connection.message({"offset": self._offset, "lost": offset < process.log.start})
        connection.on_drain = self._more
        connection.on_close = self._leave
        if follow:
            process.changed.append(self._more)
        self._more()

    def _more(self) -> None:
        log = self._process.log
        while not self._connection.full and not self._connection.closed and self._offset < log.end:
            if self._offset < log.start:
                self._offset = log.start
                self._connection.message({"offset": self._offset, "lost": True})
            read = 0
            for stream, data in log.read(self._offset, wire.CHUNK):
                read += len(data)
                if stream in self._streams:
                    self._connection.send(wire.DATA if stream == STDOUT else wire.STDERR, data)
            if not read:  # a full disk kept nothing of it
                self._offset = log.end
            self._offset += read
        at_the_end = self._offset >= log.end
        if (
            at_the_end
            and not self._connection.closed
            and (not self._follow or self._process.state != "running")
        ):
            self._leave()
            self._connection.finish({"offset": self._offset, "process": self._process.described()})

    def _leave(self) -> None:
        if self._more in self._process.changed:
            self._process.changed.remove(self._more)


class ExitWait:
    """`process.wait` for its end: answers {matched, process}; matched is false where the time (seconds) was up before."""

    def __init__(self, connection: Connection, process: Process, timeout: float | None = None) -> None:
        self._connection = connection
        self._process = process
        self._timer = connection.loop.later(timeout, self._expire) if timeout is not None else None
        connection.on_close = self._leave
        process.changed.append(self._look)
        self._look()

    def _look(self) -> None:
        if self._process.state != "running":
            self._answer(True)

    def _expire(self) -> None:
        self._answer(False)

    def _answer(self, matched: bool) -> None:
        self._leave()
        reason = "exited" if matched else "timeout"
        self._connection.finish({"matched": matched, "reason": reason, "process": self._process.described()})

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._look in self._process.changed:
            self._process.changed.remove(self._look)


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
