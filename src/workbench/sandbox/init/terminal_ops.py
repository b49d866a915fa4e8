"""The ops of terminals."""

from __future__ import annotations

from . import wire
from .connection import Connection
from .loop import Loop
from .request import BadRequest, Refused, Request
from .session_ops import Ops, Settings
from .sessions import shell
from .terminals import Terminal, Viewer

_SIZE = range(1, 1001)


class TerminalOps:
    """`terminal.*`."""

    def __init__(self, loop: Loop, settings: Settings) -> None:
        self._loop = loop
        self._settings = settings
        self._all: dict[str, Terminal] = {}

    def ops(self) -> Ops:
        return {
            "terminal.open": self._open,
            "terminal.list": lambda c, r: c.finish(
                {"terminals": [t.described() for t in self._all.values()]}
            ),
            "terminal.attach": self._attach,
            "terminal.checkpoint": self._checkpoint,
            "terminal.resize": self._resize,
            "terminal.signal": self._signal,
            "terminal.close": self._close,
        }

    def _get(self, request: Request) -> Terminal:
        name = request.text("id")
        if name not in self._all:
            raise Refused("sandbox.no_such_terminal", f"there is no terminal {name}")
        return self._all[name]

    def _cells(self, request: Request) -> tuple[int, int]:
        cols, rows = request.number("cols", 80), request.number("rows", 24)
        if cols not in _SIZE or rows not in _SIZE:
            raise BadRequest("cols and rows must be from 1 to 1000")
        return cols, rows

    def _open(self, connection: Connection, request: Request) -> None:
        name = request.id()
        if name in self._all:
            raise Refused("sandbox.terminal_exists", f"there is a terminal {name} already")
        cwd, env = self._settings.place(request)
        env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        argv = request.argv() if request.given("argv") else [shell(env), "-l"]

        def started(problem: OSError | None) -> None:
            if problem is not None:
                self._all.pop(name).close()
                connection.fail("sandbox.not_started", f"{argv[0]}: {problem.strerror}")
            else:
                connection.finish({"terminal": self._all[name].described()})

        self._all[name] = Terminal(
            self._loop,
            name,
            argv,
            cwd=cwd,
            env=env,
            size=self._cells(request),
            limits=self._settings.limits,
            started=started,
        )

    def _attach(self, connection: Connection, request: Request) -> None:
        start = request.number("from") if request.given("from") else None
        Viewer(connection, self._get(request), start)

    def _checkpoint(self, connection: Connection, request: Request) -> None:
        """{id, offset}, DATA frames with the state, END."""
        terminal = self._get(request)
        offset = request.number("offset")
        pieces: list[bytes] = []

        def take(kind: int, payload: bytes) -> None:
            if kind == wire.DATA:
                pieces.append(payload)
            elif kind == wire.END:
                terminal.keep(offset, b"".join(pieces))
                connection.finish({"checkpoint_at": terminal.checkpoint_at})

        connection.on_frame = take

    def _resize(self, connection: Connection, request: Request) -> None:
        terminal = self._get(request)
        terminal.resize(*self._cells(request))
        connection.finish({"terminal": terminal.described()})

    def _signal(self, connection: Connection, request: Request) -> None:
        self._get(request).signal(request.number("signal"))
        connection.finish({})

    def _close(self, connection: Connection, request: Request) -> None:
        terminal = self._get(request)
        del self._all[terminal.name]
        terminal.close()
        connection.finish({})
