"""Ops that run in a child of their own, so that they may block, wait or burn; the child ends with its connection."""

from __future__ import annotations

import io
import os
import re
import signal
import socket

from . import wire
from .blocking import Peer, Reader, Writer
from .children import fresh_signals
from .connection import Connection
from .logs import STDERR, STDOUT
from .loop import Loop
from .processes import ExitWait, LogReader, Process
from .request import Request

_BATCH = 500
FILE_OPS = (
    "file.get", "file.put", "file.list", "file.stat", "file.move", "file.delete", "file.mkdir", "file.archive", "file.extract",
    "file.watch",
)  # fmt: skip


def run(connection: Connection, request: Request, process: Process | None) -> None:
    """Fork, and answer from the child. process: whose log or end a `process.wait` looks at."""
    loop = connection.loop
    helper = _helper(loop, request, process) if request.op == "process.wait" else None
    try:
        pid = os.fork()
    except OSError as problem:
        if helper is not None:
            helper.close()
        connection.fail("sandbox.no_process", f"no process can be started: {problem.strerror}")
        return
    if pid == 0:
        _child(connection, request, helper)
    if helper is not None:
        helper.close()
    sock = connection.detach()

    def ended(status: int) -> None:
        if status:
            try:
                sock.setblocking(False)
                sock.send(wire.error("sandbox.failed", f"this took too long or broke ({_why(status)})"))
            except OSError:
                pass
        sock.close()

    loop.on_exit(pid, ended)


def _why(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"status {code}"


def _helper(loop: Loop, request: Request, process: Process | None) -> socket.socket | None:
    """A connection to ourselves on which the child hears of the process."""
    if process is None:
        return None
    ours, theirs = socket.socketpair()
    connection = Connection(loop, ours)
    if request.text("for") == "port":
        ExitWait(connection, process)
    else:
        LogReader(connection, process, request.number("offset", 0), (STDOUT, STDERR), follow=True)
    return theirs


def _child(connection: Connection, request: Request, helper: socket.socket | None) -> None:
    """Never returns. Everything of the init's but the connection is closed, or others would wait for us to end."""
    status = 1
    try:
        fresh_signals()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        mine = connection.sock.detach()
        theirs = helper.detach() if helper is not None else None
        kept = [mine] if theirs is None else [mine, theirs]
        for number, fd in enumerate(_moved(kept)):
            os.dup2(fd, 3 + number, inheritable=False)
        os.closerange(3 + len(kept), 1 << 20)
        peer = Peer(socket.socket(fileno=3), connection.decoder)
        try:
            _answer(
                peer, request, Peer(socket.socket(fileno=4), wire.Decoder()) if theirs is not None else None
            )
        except (ConnectionError, BrokenPipeError):
            pass
        except OSError as problem:
            peer.send(
                wire.error(
                    _code(problem),
                    f"{problem.filename or request.optional('path') or ''}: {problem.strerror}",
                )
            )
        except (ValueError, re.error) as problem:
            peer.send(wire.error("sandbox.bad_request", str(problem)))
        except Exception as problem:
            peer.send(wire.error("sandbox.failed", f"{type(problem).__name__}: {problem}"))
        status = 0
        peer.linger()
    except BaseException:
        pass
    finally:
        os._exit(status)


def _moved(fds: list[int]) -> list[int]:
    """The same descriptors above any that they are about to be copied to."""
    import fcntl

    return [fcntl.fcntl(fd, fcntl.F_DUPFD, 16) for fd in fds]


def _code(problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return "sandbox.no_such_file"
    if isinstance(problem, FileExistsError):
        return "sandbox.file_exists"
    if isinstance(problem, IsADirectoryError):
        return "sandbox.is_a_folder"
    if isinstance(problem, NotADirectoryError):
        return "sandbox.not_a_folder"
    if isinstance(problem, PermissionError):
        return "sandbox.not_permitted"
    return {28: "sandbox.disk_full", 39: "sandbox.folder_not_empty", 122: "sandbox.disk_full"}.get(
        problem.errno or 0, "sandbox.file_error"
    )


def _answer(peer: Peer, request: Request, helper: Peer | None) -> None:
    from . import (
        files,
    )  # what only a child needs is loaded by the child: the init starts quicker and stays smaller

    op = request.op
    if op == "process.wait":
        _wait(peer, request, helper)
        return
    path = request.path()
    if op == "file.stat":
        peer.send(wire.message(files.described(os.path.realpath(path) if request.flag("follow") else path)))
    elif op == "file.list":
        _list(peer, request, path)
    elif op == "file.get":
        _get(peer, request, path)
    elif op == "file.put":
        _put(peer, request, path)
    elif op == "file.move":
        peer.send(wire.message(files.move(path, request.path("to"), overwrite=request.flag("overwrite"))))
    elif op == "file.delete":
        files.delete(path, recursive=request.flag("recursive"))
        peer.send(wire.message({"deleted": path}))
    elif op == "file.mkdir":
        mode = request.number("mode", 0o755)
        peer.send(wire.message(files.make_folder(path, parents=request.flag("parents"), mode=mode)))
    elif op == "file.archive":
        from . import trees

        files.described(path)
        out = io.BufferedWriter(Writer(peer), wire.CHUNK)
        trees.pack(path, out, request.texts("exclude"))
        out.flush()
        peer.send(wire.frame(wire.END))
    elif op == "file.extract":
        from . import trees

        reader = Reader(peer)
        done = trees.unpack(path, reader)  # type: ignore[arg-type]
        while reader.read(wire.CHUNK):  # what follows the archive's own end
            pass
        peer.send(wire.message(done))
    elif op == "file.watch":
        from .watching import Watch

        Watch(
            peer, path, request.flag("recursive", True), request.texts("include"), request.texts("exclude")
        ).run()


def _list(peer: Peer, request: Request, path: str) -> None:
    from . import files

    limit = request.number("limit", 1 << 62)
    batch: list[dict[str, object]] = []
    more = False
    for count, entry in enumerate(files.listed(path, recursive=request.flag("recursive"))):
        if count >= limit:
            more = True
            break
        batch.append(entry)
        if len(batch) == _BATCH:
            peer.send(wire.message({"entries": batch}))
            batch = []
    peer.send(wire.message({"entries": batch, "done": True, "more": more}))


def _get(peer: Peer, request: Request, path: str) -> None:
    from . import files

    fd = files.opened(path)
    offset = request.number("offset", 0)
    left = request.number("length", 1 << 62)
    answer = files.described(os.path.realpath(path))
    peer.send(wire.message(answer))
    os.lseek(fd, offset, os.SEEK_SET)
    while left > 0 and (data := os.read(fd, min(left, 4 * wire.CHUNK))):
        peer.send(wire.frame(wire.DATA, data))
        left -= len(data)
    peer.send(wire.frame(wire.END))


def _put(peer: Peer, request: Request, path: str) -> None:
    from . import files

    writer = files.Writer(
        path,
        mode=request.number("mode") if request.given("mode") else None,
        parents=request.flag("parents"),
        exclusive=request.flag("exclusive"),
    )
    try:
        while True:
            kind, payload = peer.receive()
            if kind == wire.END:
                break
            if kind == wire.DATA:
                writer.write(payload)
        answer = writer.done()
    except BaseException:
        writer.drop()
        raise
    peer.send(wire.message(answer))


def _wait(peer: Peer, request: Request, helper: Peer | None) -> None:
    from . import waiting

    timeout = request.seconds("timeout_ms")
    if request.text("for") == "port":
        waiting.for_port(peer, request.number("port"), ended=helper, timeout=timeout)
    elif helper is not None:
        literal = request.flag("literal")
        waiting.for_line(peer, helper, request.text("pattern"), literal=literal, timeout=timeout)
