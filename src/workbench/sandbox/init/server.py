"""The ops: which connection asks for what, and who answers."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

from . import everyone, forked, ports, wire
from .children import Limits
from .connection import Connection
from .loop import READ, Loop
from .process_ops import ProcessOps
from .request import BadRequest, Refused, Request
from .session_ops import Ops, SessionOps, Settings
from .terminal_ops import TerminalOps
from .watchdog import MemoryWatch


class Server:
    """The listening socket, and who answers what."""

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
        self._settings = Settings(env, cwd, limits, scratch)
        self._memory = memory
        self._began = time.monotonic()
        self._freezer = everyone.Freezer()
        self._ops: Ops = {
            "hello": self._hello,
            "configure": self._configure,
            **SessionOps(self._settings).ops(),
            **ProcessOps(loop, self._settings, logs).ops(),
            **TerminalOps(loop, self._settings).ops(),
            **dict.fromkeys(forked.FILE_OPS, lambda c, r: forked.run(c, r, None)),
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
            if request.op in self._ops:
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
            self._settings.env = request.environment()
        if request.flag("limits"):
            processes, file_size, memory = (
                request.number(name) if request.given(name) else None
                for name in ("processes", "file_size", "memory")
            )
            self._settings.limits.change(processes, file_size)
            self._memory.limit(memory)
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
