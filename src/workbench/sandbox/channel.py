"""The hub's side of the wire: one connection a request to the init inside, which is not trusted.

`Channel` asks; each method is one op. What an op streams comes from an `Exchange`, an async context manager: leaving it early
closes the connection, and that cancels what was asked for (the program of an exec, a watch, a wait).
Errors of the init are `WorkbenchError` with its `sandbox.*` code; a connection that breaks or speaks nonsense is
`sandbox.not_running` or `sandbox.protocol`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.sandbox.exchange import DATA, END, JSON, STDERR, Exchange, Fields, Frame, gone, nonsense

__all__ = ["DATA", "END", "JSON", "STDERR", "Channel", "Completed", "Exchange", "Fields", "Frame"]


class Completed(NamedTuple):
    """What `Channel.run` gives: exit_code (None where a signal ended it), signal, timed_out, and the output."""

    exit_code: int | None
    signal: int | None
    timed_out: bool
    stdout: bytes
    stderr: bytes


class Channel:
    """Asks the init that listens on a socket."""

    def __init__(self, path: str) -> None:
        self.path = path

    async def open(self, op: str, /, **fields: object) -> Exchange:
        """Begin a request; fields that are None are left out."""
        return await Exchange.begin(self.path, op, fields)

    async def ask(self, op: str, /, **fields: object) -> Fields:
        """A request that one JSON object answers."""
        async with await self.open(op, **fields) as exchange:
            return await exchange.answer()

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
            timeout_ms=_milliseconds(within),
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
            feeding = asyncio.create_task(_feed(exchange, stdin)) if stdin is not None else None
            try:
                async for frame in exchange:
                    if frame.kind == JSON:
                        end = frame.json()
                        return Completed(
                            _whole(end.get("exit_code")),
                            _whole(end.get("signal")),
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
        return _part(await self.ask("session.create", id=name, cwd=cwd, env=dict(env or {})), "session")

    async def delete_session(self, name: str) -> None:
        await self.ask("session.delete", id=name)

    async def sessions(self) -> list[Fields]:
        return _parts(await self.ask("session.list"), "sessions")

    async def start_process(
        self,
        name: str,
        argv: Sequence[str] | None = None,
        *,
        script: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
    ) -> Fields:
        """A background process: {id, argv, cwd, pid, state, exit_code, signal, started, ended, problem, log_start, log_end}."""
        asked = await self.ask(
            "process.start",
            id=name,
            argv=list(argv) if argv is not None else None,
            script=script,
            cwd=cwd,
            env=dict(env) if env else None,
            session=session,
        )
        return _part(asked, "process")

    async def processes(self) -> list[Fields]:
        return _parts(await self.ask("process.list"), "processes")

    async def process(self, name: str) -> Fields:
        return _part(await self.ask("process.get", id=name), "process")

    async def signal_process(self, name: str, number: int, *, group: bool = True) -> bool:
        """Whether it ran and was signalled."""
        answer = await self.ask("process.signal", id=name, signal=number, group=group)
        return answer.get("signalled") is True

    async def delete_process(self, name: str) -> None:
        """Forget one that ended, and its log."""
        await self.ask("process.delete", id=name)

    async def logs(
        self, name: str, *, stream: str = "both", offset: int = 0, follow: bool = False
    ) -> Exchange:
        """JSON {offset, lost}, DATA (stdout) and STDERR frames, and at the end JSON {offset, process}."""
        return await self.open("process.logs", id=name, stream=stream, offset=offset, follow=follow)

    async def wait(
        self,
        process: str | None = None,
        *,
        port: int | None = None,
        pattern: str | None = None,
        literal: bool = False,
        offset: int = 0,
        within: float | None = None,
    ) -> Fields:
        """Until a port answers, a line of the process's log matches, or (neither given) it ends.

        {matched, reason?, line?, match?, groups?, process?}; reason is "timeout" or "exited". Cancel the call to give up.
        """
        waits_for = "port" if port is not None else "log" if pattern is not None else "exit"
        return await self.ask(
            "process.wait",
            **{"for": waits_for},
            id=process,
            port=port,
            pattern=pattern,
            literal=literal,
            offset=offset,
            timeout_ms=_milliseconds(within),
        )

    async def open_terminal(
        self,
        name: str,
        argv: Sequence[str] | None = None,
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> Fields:
        """A program (a login shell where argv is None) on a PTY: {id, argv, pid, cols, rows, started, exited, offset, ...}."""
        asked = await self.ask(
            "terminal.open",
            id=name,
            argv=list(argv) if argv is not None else None,
            cwd=cwd,
            env=dict(env) if env else None,
            session=session,
            cols=size[0],
            rows=size[1],
        )
        return _part(asked, "terminal")

    async def terminals(self) -> list[Fields]:
        return _parts(await self.ask("terminal.list"), "terminals")

    async def attach(self, name: str, *, start: int | None = None) -> Exchange:
        """Output from an offset on, or from the checkpoint.

        First JSON {offset, checkpoint: bytes, lost, cols, rows, exited}; where checkpoint is not 0, DATA frames with that many bytes
        of it. Then DATA with output, JSON {resize: [cols, rows], offset} in its place, JSON {lost, offset} where output was given up,
        at the end JSON {exited, offset} or {closed}. DATA frames of ours are what is typed.
        """
        return await self.open("terminal.attach", id=name, **{"from": start})

    async def checkpoint(self, name: str, offset: int, state: bytes) -> None:
        """A state that stands for the output before an offset; the init keeps it and forgets that output."""
        async with await self.open("terminal.checkpoint", id=name, offset=offset) as exchange:
            await exchange.send(DATA, state)
            await exchange.send(END)
            await exchange.answer()

    async def resize_terminal(self, name: str, cols: int, rows: int) -> Fields:
        return _part(await self.ask("terminal.resize", id=name, cols=cols, rows=rows), "terminal")

    async def signal_terminal(self, name: str, number: int) -> None:
        """To the foreground job."""
        await self.ask("terminal.signal", id=name, signal=number)

    async def close_terminal(self, name: str) -> None:
        """Hang up and forget it."""
        await self.ask("terminal.close", id=name)

    async def stat(self, path: str, *, follow: bool = False) -> Fields:
        """{name, path, kind, size, mode, modified, uid, gid, target}; kind: file, directory, symlink, fifo, socket, device."""
        return await self.ask("file.stat", path=path, follow=follow)

    async def list_files(self, path: str, *, recursive: bool = False) -> AsyncIterator[Fields]:
        """As `stat`, with `relative`, in order of names, a folder before what is in it."""
        async with await self.open("file.list", path=path, recursive=recursive) as exchange:
            while True:
                answer = await exchange.answer()
                for entry in _parts(answer, "entries"):
                    yield entry
                if answer.get("done"):
                    return

    @asynccontextmanager
    async def get_file(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncIterator[tuple[Fields, AsyncIterator[bytes]]]:
        """(its stat, its bytes in pieces) of a regular file."""
        async with await self.open("file.get", path=path, offset=offset, length=length) as exchange:
            yield await exchange.answer(), exchange.data()

    async def put_file(
        self,
        path: str,
        content: bytes | AsyncIterator[bytes],
        *,
        mode: int | None = None,
        parents: bool = True,
        exclusive: bool = False,
    ) -> Fields:
        """Write a file; it has its name only once it is complete. Gives its stat."""
        asked = {"mode": mode, "parents": parents, "exclusive": exclusive}
        async with await self.open("file.put", path=path, **asked) as exchange:
            return await _give(exchange, content)

    async def move_file(self, path: str, to: str, *, overwrite: bool = False) -> Fields:
        return await self.ask("file.move", path=path, to=to, overwrite=overwrite)

    async def delete_file(self, path: str, *, recursive: bool = False) -> None:
        await self.ask("file.delete", path=path, recursive=recursive)

    async def make_folder(self, path: str, *, parents: bool = True, mode: int = 0o755) -> Fields:
        return await self.ask("file.mkdir", path=path, parents=parents, mode=mode)

    @asynccontextmanager
    async def get_tree(
        self, path: str, *, exclude: Sequence[str] = ()
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A folder or file as the pieces of a tar."""
        async with await self.open("file.archive", path=path, exclude=list(exclude)) as exchange:
            yield exchange.data()

    async def put_tree(self, path: str, archive: bytes | AsyncIterator[bytes]) -> Fields:
        """Unpack a tar (plain, gzip, bzip2, xz) into a folder: {files, bytes}."""
        async with await self.open("file.extract", path=path) as exchange:
            return await _give(exchange, archive)

    async def watch(
        self,
        path: str,
        *,
        recursive: bool = True,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> AsyncIterator[list[Fields]]:
        """Batches of {event, path, directory, to}: create, modify, delete, move, overflow. The first, empty, says it is watching."""
        asked = {"recursive": recursive, "include": list(include), "exclude": list(exclude)}
        async with await self.open("file.watch", path=path, **asked) as exchange:
            await exchange.answer()
            yield []
            async for frame in exchange:
                said = frame.json()
                if said.get("gone"):
                    return
                yield _parts(said, "events")

    async def connect_port(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The bare bytes of a TCP connection to a loopback port inside; `sandbox.port_closed` where nothing listens."""
        return await _connected(await self.open("port.connect", port=port))

    async def connect_socket(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The same to a Unix socket inside."""
        return await _connected(await self.open("socket.connect", path=path))

    async def ports(self) -> list[Fields]:
        """{port, address: "any" | "loopback"} of what listens."""
        return _parts(await self.ask("port.list"), "ports")

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
        """Stop every process by signal; where the kernel freezes, the provider does it better."""
        await self.ask("freeze")

    async def thaw(self) -> None:
        await self.ask("thaw")

    async def shut_down(self, grace: float) -> None:
        """SIGTERM, after the grace (seconds) SIGKILL; returns when nothing runs any more."""
        async with await self.open("shutdown", grace_ms=_milliseconds(grace)) as exchange:
            await exchange.receive()


async def _connected(exchange: Exchange) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        await exchange.answer()
    except BaseException:
        exchange.close()
        raise
    return exchange.streams()


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _part(answer: Fields, name: str) -> Fields:
    part = answer.get(name)
    if not isinstance(part, dict):
        raise nonsense(f"no {name} in the answer")
    return part


def _parts(answer: Fields, name: str) -> list[Fields]:
    parts = answer.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise nonsense(f"no {name} in the answer")
    return parts


async def _feed(exchange: Exchange, content: bytes | AsyncIterator[bytes]) -> None:
    """All of it, then END; a sandbox that wants no more is no error: what it answers says why."""
    try:
        if isinstance(content, bytes):
            await exchange.send(DATA, content) if content else None
        else:
            async for piece in content:
                await exchange.send(DATA, piece) if piece else None
        await exchange.send(END)
    except WorkbenchError as error:
        if error.code != "sandbox.not_running":
            raise


async def _give(exchange: Exchange, content: bytes | AsyncIterator[bytes]) -> Fields:
    """Send while listening: an answer that comes early (a full disk) ends the sending."""
    sending: asyncio.Task[None] = asyncio.create_task(_feed(exchange, content))
    hearing: asyncio.Task[Fields] = asyncio.create_task(exchange.answer())
    tasks: set[asyncio.Task[Any]] = {sending, hearing}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            await sending
        return await hearing
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
