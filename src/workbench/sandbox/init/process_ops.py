"""The ops of background processes."""

from __future__ import annotations

from . import forked
from .connection import Connection
from .logs import STDERR, STDOUT
from .loop import Loop
from .processes import ExitWait, LogReader, Process, Processes
from .request import BadRequest, Refused, Request
from .session_ops import Ops, Settings
from .sessions import shell


class ProcessOps:
    """`process.*`."""

    def __init__(self, loop: Loop, settings: Settings, logs: str) -> None:
        self._settings = settings
        self._all = Processes(loop, logs)

    def ops(self) -> Ops:
        return {
            "process.start": self._start,
            "process.list": lambda c, r: c.finish({"processes": [p.described() for p in self._all.list()]}),
            "process.get": lambda c, r: c.finish({"process": self._get(r).described()}),
            "process.signal": self._signal,
            "process.delete": self._delete,
            "process.logs": self._logs,
            "process.wait": self._wait,
        }

    def _get(self, request: Request) -> Process:
        try:
            return self._all.get(request.text("id"))
        except KeyError:
            raise Refused("sandbox.no_such_process", f"there is no process {request.text('id')}") from None

    def _start(self, connection: Connection, request: Request) -> None:
        cwd, env = self._settings.place(request)
        script = request.optional("script")
        argv = request.argv() if script is None else [shell(env), "-c", script]
        name = request.id()
        if name in self._all:
            raise Refused("sandbox.process_exists", f"there is a process {name} already")
        self._all.start(
            name,
            argv,
            cwd=cwd,
            env=env,
            limits=self._settings.limits,
            started=lambda process: connection.finish({"process": process.described()}),
        )

    def _signal(self, connection: Connection, request: Request) -> None:
        process = self._get(request)
        number = request.number("signal")
        if number not in range(1, 65):
            raise BadRequest("signal must be a number from 1 to 64")
        sent = self._all.signal(process.name, number, group=request.flag("group", True))
        connection.finish({"signalled": sent})

    def _delete(self, connection: Connection, request: Request) -> None:
        process = self._get(request)
        if process.state == "running":
            raise Refused("sandbox.process_runs", f"the process {process.name} still runs")
        self._all.forget(process.name)
        connection.finish({})

    def _logs(self, connection: Connection, request: Request) -> None:
        streams = {"stdout": (STDOUT,), "stderr": (STDERR,), "both": (STDOUT, STDERR)}
        wanted = streams.get(request.text("stream", "both"))
        if wanted is None:
            raise BadRequest("stream must be stdout, stderr or both")
        LogReader(connection, self._get(request), request.number("offset", 0), wanted, request.flag("follow"))

    def _wait(self, connection: Connection, request: Request) -> None:
        process = None
        if request.text("for") not in ("port", "log", "exit"):
            raise BadRequest("for must be port, log or exit")
        if request.text("for") != "port" or request.given("id"):
            process = self._get(request)
        if request.text("for") == "exit" and process is not None:
            ExitWait(connection, process, request.seconds("timeout_ms"))
        else:
            forked.run(connection, request, process)
