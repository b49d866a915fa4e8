"""The ops: which connection asks for what, and who answers."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

from . import everyone, forked, ports, wire
from .children import Limits
from .connection import Connection
from .execution import Execution
from .logs import STDERR, STDOUT
from .loop import READ, Loop
from .processes import ExitWait, LogReader, Process, Processes
from .request import BadRequest, Request
from .sessions import Session, shell
from .terminals import Terminal, Viewer
from .watchdog import MemoryWatch

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SIZE = range(1, 1001)


class Refused(Exception):
    """An op that cannot be done: a stable code and a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Server:
    """Everything this sandbox holds: its sessions, processes and terminals, and the listening socket."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        *,
        env: Mapping[str, str],
        cwd: str,
        logs: str,
        scratch: str,
        limits: Limits,
        memory: MemoryWatch,
    ) -> None:
        """logs, scratch: folders of the init's own, made here; what scratch held before is of no use any more."""
        self._loop = loop
        self._listener = listener
        self._env = dict(env)
        self._cwd = cwd
        self._limits = limits
        self._memory = memory
        self._began = time.monotonic()
        self._scratch = scratch
        os.makedirs(scratch, mode=0o700, exist_ok=True)
        self._sessions: dict[str, Session] = {}
        self._terminals: dict[str, Terminal] = {}
        self._processes = Processes(loop, logs)
        self._freezer = everyone.Freezer()
        self._ops: dict[str, Callable[[Connection, Request], None]] = {
            "hello": self._hello,
            "configure": self._configure,
            "exec": self._exec,
            "session.create": self._session_create,
            "session.delete": self._session_delete,
            "session.list": lambda c, r: c.finish(
                {"sessions": [s.described() for s in self._sessions.values()]}
            ),
            "process.start": self._process_start,
            "process.list": lambda c, r: c.finish(
                {"processes": [p.described() for p in self._processes.list()]}
            ),
            "process.get": lambda c, r: c.finish({"process": self._process(r).described()}),
            "process.signal": self._process_signal,
            "process.delete": self._process_delete,
            "process.logs": self._process_logs,
            "terminal.open": self._terminal_open,
            "terminal.list": lambda c, r: c.finish(
                {"terminals": [t.described() for t in self._terminals.values()]}
            ),
            "terminal.attach": self._terminal_attach,
            "terminal.checkpoint": self._terminal_checkpoint,
            "terminal.resize": self._terminal_resize,
            "terminal.signal": self._terminal_signal,
            "terminal.close": self._terminal_close,
            "port.connect": lambda c, r: ports.connect(c, r.number("port")),
            "socket.connect": lambda c, r: ports.connect_socket(c, r.path()),
            "port.list": lambda c, r: c.finish({"ports": ports.listening()}),
            "usage": lambda c, r: c.finish(everyone.usage()),
            "freeze": self._freeze,
            "thaw": self._thaw,
            "shutdown": self._shutdown,
        }
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._accept)

    def shut_down(self, grace: float, then: Callable[[], None] = lambda: None) -> None:
        """SIGTERM to everything, SIGKILL after the grace, and the loop ends."""
        self._freezer.thaw()
        self._loop.forget(self._listener.fileno())
        deadline = time.monotonic() + grace
        everyone.tell(signal.SIGTERM)
        pause = 0.005

        def look() -> None:
            nonlocal pause
            left = [fields for fields in everyone.pids().values() if fields[0] != "Z"]
            if left and time.monotonic() < deadline:
                pause = min(pause * 2, 0.1)
                self._loop.later(pause, look)
                return
            if left:
                everyone.tell(signal.SIGKILL)
            then()
            self._loop.stop()

        look()

    def _accept(self, _events: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        connection = Connection(self._loop, sock)
        connection.on_frame = lambda kind, payload: self._open(connection, kind, payload)

    def _open(self, connection: Connection, kind: int, payload: bytes) -> None:
        connection.on_frame = lambda kind, payload: None
        if kind != wire.JSON:
            raise wire.ProtocolError("the first frame must be JSON")
        try:
            request = Request(wire.read_json(payload))
            if request.op in forked.OPS:
                self._fork(connection, request)
            elif request.op in self._ops:
                self._ops[request.op](connection, request)
            else:
                connection.fail("sandbox.unknown_op", f"there is no {request.op} here")
        except BadRequest as problem:
            connection.fail("sandbox.bad_request", str(problem))
        except Refused as refused:
            connection.fail(refused.code, str(refused))
        except OSError as problem:
            connection.fail("sandbox.failed", problem.strerror or str(problem))

    def _hello(self, connection: Connection, request: Request) -> None:
        connection.finish(
            {
                "protocol": wire.PROTOCOL,
                "pid": os.getpid(),
                "uptime": time.monotonic() - self._began,
                "python": ".".join(map(str, sys.version_info[:3])),
                "frozen": self._freezer.frozen,
            }
        )

    def _configure(self, connection: Connection, request: Request) -> None:
        """For what starts from now on: the environment (sessions keep theirs), or the limits, each null for none."""
        if request.given("env"):
            self._env = request.environment()
        if request.flag("limits"):
            processes, file_size, memory = (
                request.number(name) if request.given(name) else None
                for name in ("processes", "file_size", "memory")
            )
            self._limits.change(processes, file_size)
            self._memory.limit(memory)
        connection.finish({})

    def _exec(self, connection: Connection, request: Request) -> None:
        script = request.optional("script")
        argv = request.argv() if script is None else [shell(self._env), "-c", script]
        session = self._session(request)
        options = {"stdin": request.flag("stdin"), "timeout": request.seconds("timeout_ms")}
        given = request.environment()
        if session is None:
            cwd = request.path("cwd") if request.given("cwd") else self._cwd
            self._execute(connection, argv, cwd, {**self._env, **given}, lambda code: None, **options)
            return
        cwd_given = request.path("cwd") if request.given("cwd") else None

        def run() -> None:
            if connection.closed:
                session.give_turn()
                return
            wrapped, state = session.wrapped(argv, script)

            def finished(code: int | None) -> None:
                session.absorb(state, given)
                session.give_turn()

            env = {**session.env, **given}
            self._execute(connection, wrapped, cwd_given or session.cwd, env, finished, **options)

        session.take_turn(run)

    def _execute(
        self,
        connection: Connection,
        argv: list[str],
        cwd: str,
        env: Mapping[str, str],
        finished: Callable[[int | None], None],
        *,
        stdin: object,
        timeout: object,
    ) -> None:
        Execution(
            connection,
            argv,
            cwd=cwd,
            env=env,
            limits=self._limits,
            stdin=bool(stdin),
            timeout=timeout if isinstance(timeout, float) else None,
            finished=finished,
        )

    def _session(self, request: Request) -> Session | None:
        name = request.optional("session")
        if name is None:
            return None
        if name not in self._sessions:
            raise Refused("sandbox.no_such_session", f"there is no session {name}")
        return self._sessions[name]

    def _session_create(self, connection: Connection, request: Request) -> None:
        name = self._id(request)
        if name in self._sessions:
            raise Refused("sandbox.session_exists", f"there is a session {name} already")
        cwd = request.path("cwd") if request.given("cwd") else self._cwd
        session = Session(name, cwd, {**self._env, **request.environment()}, self._scratch)
        self._sessions[name] = session
        connection.finish({"session": session.described()})

    def _session_delete(self, connection: Connection, request: Request) -> None:
        name = request.text("id")
        if self._sessions.pop(name, None) is None:
            raise Refused("sandbox.no_such_session", f"there is no session {name}")
        connection.finish({})

    def _place(self, request: Request) -> tuple[str, dict[str, str]]:
        """(cwd, environment) for what starts, from its session where it names one."""
        session = self._session(request)
        cwd = session.cwd if session else self._cwd
        env = session.env if session else self._env
        return request.path("cwd") if request.given("cwd") else cwd, {**env, **request.environment()}

    def _id(self, request: Request) -> str:
        name = request.text("id")
        if not _ID.fullmatch(name):
            raise BadRequest("id must be letters, digits, dots, dashes and underscores")
        return name

    def _process(self, request: Request) -> Process:
        try:
            return self._processes.get(request.text("id"))
        except KeyError:
            raise Refused("sandbox.no_such_process", f"there is no process {request.text('id')}") from None

    def _process_start(self, connection: Connection, request: Request) -> None:
        cwd, env = self._place(request)
        script = request.optional("script")
        argv = request.argv() if script is None else [shell(env), "-c", script]
        name = self._id(request)
        if name in self._processes:
            raise Refused("sandbox.process_exists", f"there is a process {name} already")
        self._processes.start(
            name,
            argv,
            cwd=cwd,
            env=env,
            limits=self._limits,
            started=lambda process: connection.finish({"process": process.described()}),
        )

    def _process_signal(self, connection: Connection, request: Request) -> None:
        process = self._process(request)
        number = request.number("signal")
        if number not in range(1, 65):
            raise BadRequest("signal must be a number from 1 to 64")
        sent = self._processes.signal(process.name, number, group=request.flag("group", True))
        connection.finish({"signalled": sent})

    def _process_delete(self, connection: Connection, request: Request) -> None:
        process = self._process(request)
        if process.state == "running":
            raise Refused("sandbox.process_runs", f"the process {process.name} still runs")
        self._processes.forget(process.name)
        connection.finish({})

    def _process_logs(self, connection: Connection, request: Request) -> None:
        streams = {"stdout": (STDOUT,), "stderr": (STDERR,), "both": (STDOUT, STDERR)}
        wanted = streams.get(request.text("stream", "both"))
        if wanted is None:
            raise BadRequest("stream must be stdout, stderr or both")
        LogReader(
            connection, self._process(request), request.number("offset", 0), wanted, request.flag("follow")
        )

    def _fork(self, connection: Connection, request: Request) -> None:
        process = None
        if request.op == "process.wait":
            if request.text("for") not in ("port", "log", "exit"):
                raise BadRequest("for must be port, log or exit")
            if request.text("for") != "port" or request.given("id"):
                process = self._process(request)
            if request.text("for") == "exit" and process is not None:
                ExitWait(connection, process, request.seconds("timeout_ms"))
                return
        forked.run(connection, request, process)

    def _terminal(self, request: Request) -> Terminal:
        name = request.text("id")
        if name not in self._terminals:
            raise Refused("sandbox.no_such_terminal", f"there is no terminal {name}")
        return self._terminals[name]

    def _cells(self, request: Request) -> tuple[int, int]:
        cols, rows = request.number("cols", 80), request.number("rows", 24)
        if cols not in _SIZE or rows not in _SIZE:
            raise BadRequest("cols and rows must be from 1 to 1000")
        return cols, rows

    def _terminal_open(self, connection: Connection, request: Request) -> None:
        name = self._id(request)
        if name in self._terminals:
            raise Refused("sandbox.terminal_exists", f"there is a terminal {name} already")
        cwd, env = self._place(request)
        env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        argv = request.argv() if request.given("argv") else [shell(env), "-l"]

        def started(problem: OSError | None) -> None:
            if problem is not None:
                self._terminals.pop(name).close()
                connection.fail("sandbox.not_started", f"{argv[0]}: {problem.strerror}")
            else:
                connection.finish({"terminal": self._terminals[name].described()})

        self._terminals[name] = Terminal(
            self._loop,
            name,
            argv,
            cwd=cwd,
            env=env,
            size=self._cells(request),
            limits=self._limits,
            started=started,
        )

    def _terminal_attach(self, connection: Connection, request: Request) -> None:
        start = request.number("from") if request.given("from") else None
        Viewer(connection, self._terminal(request), start)

    def _terminal_checkpoint(self, connection: Connection, request: Request) -> None:
        """{id, offset}, DATA frames with the state, END."""
        terminal = self._terminal(request)
        offset = request.number("offset")
        pieces: list[bytes] = []

        def take(kind: int, payload: bytes) -> None:
            if kind == wire.DATA:
                pieces.append(payload)
            elif kind == wire.END:
                terminal.keep(offset, b"".join(pieces))
                connection.finish({"checkpoint_at": terminal.checkpoint_at})

        connection.on_frame = take

    def _terminal_resize(self, connection: Connection, request: Request) -> None:
        terminal = self._terminal(request)
        terminal.resize(*self._cells(request))
        connection.finish({"terminal": terminal.described()})

    def _terminal_signal(self, connection: Connection, request: Request) -> None:
        self._terminal(request).signal(request.number("signal"))
        connection.finish({})

    def _terminal_close(self, connection: Connection, request: Request) -> None:
        terminal = self._terminal(request)
        del self._terminals[terminal.name]
        terminal.close()
        connection.finish({})

    def _freeze(self, connection: Connection, request: Request) -> None:
        self._freezer.freeze()
        connection.finish({"frozen": True})

    def _thaw(self, connection: Connection, request: Request) -> None:
        self._freezer.thaw()
        connection.finish({"frozen": False})

    def _shutdown(self, connection: Connection, request: Request) -> None:
        grace = request.seconds("grace_ms")
        self.shut_down(5.0 if grace is None else grace, lambda: connection.finish({}))
