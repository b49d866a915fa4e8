"""What a sandbox gives to everything that starts in it, and the ops of sessions and of `exec`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from .children import Limits
from .connection import Connection
from .execution import Execution
from .request import Refused, Request
from .sessions import Session, shell

Ops = dict[str, Callable[[Connection, Request], None]]


class Settings:
    """Environment, folder and limits of what starts from now on, and the sessions, which have their own."""

    def __init__(self, env: Mapping[str, str], cwd: str, limits: Limits, scratch: str) -> None:
        self.env = dict(env)
        self.cwd = cwd
        self.limits = limits
        self.sessions: dict[str, Session] = {}
        self.scratch = scratch
        os.makedirs(scratch, mode=0o700, exist_ok=True)

    def session(self, request: Request) -> Session | None:
        name = request.optional("session")
        if name is None:
            return None
        if name not in self.sessions:
            raise Refused("sandbox.no_such_session", f"there is no session {name}")
        return self.sessions[name]

    def place(self, request: Request) -> tuple[str, dict[str, str]]:
        """(cwd, environment) for what starts, from its session where it names one."""
        session = self.session(request)
        cwd = session.cwd if session else self.cwd
        env = session.env if session else self.env
        return request.path("cwd") if request.given("cwd") else cwd, {**env, **request.environment()}


class SessionOps:
    """`session.*` and `exec`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def ops(self) -> Ops:
        return {
            "exec": self._exec,
            "session.create": self._session_create,
            "session.delete": self._session_delete,
            "session.list": lambda c, r: c.finish(
                {"sessions": [s.described() for s in self._settings.sessions.values()]}
            ),
        }

    def _session_create(self, connection: Connection, request: Request) -> None:
        name = request.id()
        if name in self._settings.sessions:
            raise Refused("sandbox.session_exists", f"there is a session {name} already")
        cwd = request.path("cwd") if request.given("cwd") else self._settings.cwd
        session = Session(name, cwd, {**self._settings.env, **request.environment()}, self._settings.scratch)
        self._settings.sessions[name] = session
        connection.finish({"session": session.described()})

    def _session_delete(self, connection: Connection, request: Request) -> None:
        name = request.text("id")
        if self._settings.sessions.pop(name, None) is None:
            raise Refused("sandbox.no_such_session", f"there is no session {name}")
        connection.finish({})

    def _exec(self, connection: Connection, request: Request) -> None:
        script = request.optional("script")
        argv = request.argv() if script is None else [shell(self._settings.env), "-c", script]
        session = self._settings.session(request)
        options = {"stdin": request.flag("stdin"), "timeout": request.seconds("timeout_ms")}
        given = request.environment()
        if session is None:
            cwd = request.path("cwd") if request.given("cwd") else self._settings.cwd
            self._execute(
                connection, argv, cwd, {**self._settings.env, **given}, lambda code: None, **options
            )
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
            limits=self._settings.limits,
            stdin=bool(stdin),
            timeout=timeout if isinstance(timeout, float) else None,
            finished=finished,
        )
