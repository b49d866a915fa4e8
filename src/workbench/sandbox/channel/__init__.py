"""The hub's side of the wire: one connection a request to the init inside, which is not trusted.

`Channel` asks; each method is one op. What an op streams comes from an `Exchange`, an async context manager: leaving it early
closes the connection, and that cancels what was asked for (the program of an exec, a watch, a wait).
Errors of the init are `WorkbenchError` with its `sandbox.*` code; a connection that breaks or speaks nonsense is
`sandbox.not_running` or `sandbox.protocol`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.sandbox.exchange import DATA, END, JSON, STDERR, Exchange, Fields, Frame, gone

from .asking import feed, milliseconds, part, parts, whole
from .files import Files
from .processes import Processes
from .terminals import Terminals

__all__ = ["DATA", "END", "JSON", "STDERR", "Channel", "Completed", "Exchange", "Fields", "Frame"]


class Completed(NamedTuple):
    """What `Channel.run` gives: exit_code (None where a signal ended it), signal, timed_out, and the output."""

    exit_code: int | None
    signal: int | None
    timed_out: bool
    stdout: bytes
    stderr: bytes


class Channel(Processes, Terminals, Files):
    """Asks the init that listens on a socket."""

    async def hello(self) -> Fields:
        """{protocol, pid, uptime, python, frozen}"""
        return await self.ask("hello")

    async def execute(
        self,
        argv: Sequence[str] | None = None,
        *,
        script: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
        within: float | None = None,
        stdin: bool = False,
    ) -> Exchange:
        """Run a program (argv) or a line of shell (script): DATA and STDERR frames, then JSON {exit_code, signal, timed_out}.

        within: seconds, after which it is ended. stdin: the hub will send DATA frames and END. `tell(signal=n)` signals its process group.
        In a session, builtins in argv and everything in a script act on the session (`cd`, `export`).
        """
        return await self.open(
            "exec",
            argv=list(argv) if argv is not None else None,
            script=script,
            cwd=cwd,
            env=dict(env) if env else None,
            session=session,
            timeout_ms=milliseconds(within),
            stdin=stdin,
        )

    async def run(
        self,
        argv: Sequence[str] | None = None,
        *,
        script: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
        within: float | None = None,
        stdin: bytes | None = None,
        most: int = 64 << 20,
    ) -> Completed:
        """`execute` to the end, its output kept, at most so many bytes of it (`sandbox.too_much_output`)."""
        kept: dict[int, list[bytes]] = {DATA: [], STDERR: []}
        size = 0
        given = stdin is not None
        options = {"cwd": cwd, "env": env, "session": session, "within": within, "stdin": given}
        async with await self.execute(argv, script=script, **options) as exchange:  # type: ignore[arg-type]
            feeding = asyncio.create_task(feed(exchange, stdin)) if stdin is not None else None
            try:
                async for frame in exchange:
                    if frame.kind == JSON:
                        end = frame.json()
                        return Completed(
                            whole(end.get("exit_code")),
                            whole(end.get("signal")),
                            end.get("timed_out") is True,
                            b"".join(kept[DATA]),
                            b"".join(kept[STDERR]),
                        )
                    if frame.kind in kept:
                        size += len(frame.payload)
                        if size > most:
                            raise WorkbenchError(
                                "sandbox.too_much_output", f"more than {most:,} bytes of output"
                            )
                        kept[frame.kind].append(frame.payload)
            finally:
                if feeding is not None:
                    feeding.cancel()
        raise gone()

    async def create_session(
        self, name: str, *, cwd: str | None = None, env: Mapping[str, str] | None = None
    ) -> Fields:
        """{id, cwd, env, busy, waiting}"""
        return part(await self.ask("session.create", id=name, cwd=cwd, env=dict(env or {})), "session")

    async def delete_session(self, name: str) -> None:
        await self.ask("session.delete", id=name)

    async def sessions(self) -> list[Fields]:
        return parts(await self.ask("session.list"), "sessions")

    async def connect_port(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The bare bytes of a TCP connection to a loopback port inside; `sandbox.port_closed` where nothing listens."""
        return await _connected(await self.open("port.connect", port=port))

    async def connect_socket(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The same to a Unix socket inside."""
        return await _connected(await self.open("socket.connect", path=path))

    async def ports(self) -> list[Fields]:
        """{port, address: "any" | "loopback"} of what listens."""
        return parts(await self.ask("port.list"), "ports")

    async def configure(self, env: Mapping[str, str]) -> None:
        """The whole environment of what starts from now on outside of sessions."""
        await self.ask("configure", env=dict(env))

    async def limit(self, *, processes: int | None, file_size: int | None, memory: int | None) -> None:
        """What starts from now on may use; memory (bytes of all together) is watched by the init, None: not by it."""
        await self.ask("configure", limits=True, processes=processes, file_size=file_size, memory=memory)

    async def usage(self) -> Fields:
        """{cpu_seconds, memory_bytes, processes}, as the init counts it."""
        return await self.ask("usage")

    async def freeze(self) -> None:
        """Stop every process by signal. One that means to can have the kernel wake it: nothing of safety may rest on this."""
        await self.ask("freeze")

    async def thaw(self) -> None:
        await self.ask("thaw")

    async def shut_down(self, grace: float) -> None:
        """SIGTERM, after the grace (seconds) SIGKILL; returns when nothing runs any more."""
        async with await self.open("shutdown", grace_ms=milliseconds(grace)) as exchange:
            await exchange.receive()


async def _connected(exchange: Exchange) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        await exchange.answer()
    except BaseException:
        exchange.close()
        raise
    return exchange.streams()
