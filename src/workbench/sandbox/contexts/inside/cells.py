"""Runs cells of Python in one namespace: variables and imports stay, the value of the last expression is shown."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import inspect
import json
import linecache
import os
import platform
import signal
import sys
import threading
import time
import traceback
from types import CodeType, FrameType
from typing import Any, NoReturn, Union

from . import figures, showing

Engine = Union["Plain", Any]

_FUTURES = 0
for _name in __import__("__future__").all_feature_names:
    _FUTURES |= getattr(__import__("__future__"), _name).compiler_flag


class Output:
    """Frames to the host."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, **frame: Any) -> None:
        data = json.dumps(frame).encode() + b"\n"
        if len(data) > showing.LARGEST_FRAME:
            kept: dict[str, Any] = {
                name: frame[name] for name in ("type", "text", "name", "message") if name in frame
            }
            left = {"application/x-cfwb-left-out": sorted(set(frame) - set(kept))}
            data = json.dumps(dict(kept, data=left)).encode() + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]

    def result(self, fields: dict[str, Any]) -> None:
        self.send(type="result", **fields)

    def error(self, error: BaseException, frames: list[str], line: int | None) -> None:
        if isinstance(error, SyntaxError) and error.lineno:
            line = error.lineno
        name = type(error).__name__
        try:
            message = str(error)
        except Exception as problem:
            message = f"<{problem}>"
        self.send(type="error", name=name, message=message[:100000], traceback=frames, lineNumber=line)


class Flushing(threading.Thread):
    """Writes out what a cell has printed of a line that is not whole yet, ten times a second while one runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.running = threading.Event()
        self.start()

    def run(self) -> None:
        while self.running.wait():
            time.sleep(0.1)
            flush()


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _ignored(number: int, frame: FrameType | None) -> None:
    """An interrupt between two cells."""


def clean_main() -> dict[str, Any]:
    """The names of the main module, as those of an interactive one: nothing of how it was started is in them."""
    space = sys.modules["__main__"].__dict__
    for name in [name for name in space if not name.startswith("__") or name in ("__file__", "__cached__")]:
        del space[name]
    space["__spec__"] = space["__package__"] = space["__loader__"] = None
    return space


class Plain:
    """The engine for a Python without IPython."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop: asyncio.AbstractEventLoop | None = None
        self.count = 0
        self.space = clean_main()
        self.space["__name__"] = "__main__"
        self.space["__builtins__"] = builtins
        for name, function in (("display", self.display), ("exit", _no_exit), ("quit", _no_exit)):
            setattr(builtins, name, function)

    def display(self, *values: Any) -> None:
        """Show values as results."""
        for value in values:
            self._output.result(figures.shown(value) or showing.shown(value))

    def run(self, code: str) -> None:
        self.count += 1
        name = f"<cell {self.count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        try:
            tree = compile(code, name, "exec", self._flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            last = None
            if tree.body and isinstance(tree.body[-1], ast.Expr) and not _silenced(code, tree.body[-1]):
                last = ast.Expression(tree.body.pop().value)
            if tree.body:
                self._run_part(compile(tree, name, "exec", self._flags, dont_inherit=True))
            if last is not None:
                value = self._run_part(compile(last, name, "eval", self._flags, dont_inherit=True))
                if value is not None:
                    self.space["_"] = value
                    self.display(value)
        except BaseException as error:
            frames, line = _told(error, name)
            self._output.error(error, frames, line)

    def _run_part(self, code: CodeType) -> Any:
        self._flags |= code.co_flags & _FUTURES
        value = eval(code, self.space)
        if code.co_flags & inspect.CO_COROUTINE:
            if self._loop is None or self._loop.is_closed():
                self._loop = asyncio.new_event_loop()
                asyncio.set_event_loop(self._loop)
            task = self._loop.create_task(value)
            try:
                return self._loop.run_until_complete(task)
            except KeyboardInterrupt:
                task.cancel()
                self._loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
                raise
        return value


def _no_exit(code: object = None) -> NoReturn:
    raise SystemExit(code)


def _silenced(code: str, last: ast.stmt) -> bool:
    """Whether the last expression ends with a semicolon, which hides its value."""
    assert last.end_lineno is not None and last.end_col_offset is not None
    line = code.splitlines()[last.end_lineno - 1].encode("utf-8", "surrogatepass")
    return line[last.end_col_offset :].lstrip().startswith(b";")


def _told(error: BaseException, name: str) -> tuple[list[str], int | None]:
    """(lines of the traceback without our own frames, the line of the cell it came from or None)."""
    trace = error.__traceback__
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<cell "):
        trace = trace.tb_next
    line = None
    step = trace
    while step is not None:
        if step.tb_frame.f_code.co_filename == name:
            line = step.tb_lineno
        step = step.tb_next
    try:
        told = traceback.format_exception(type(error), error, trace)
    except Exception:
        told = traceback.format_exception_only(type(error), error)
    if len(told) > 200:
        told = told[:100] + [f"  … {len(told) - 200} entries …\n"] + told[-100:]
    return [part[:20000] for part in told], line


def engine(output: Output) -> Engine:
    """IPython's where it can be imported, else the plain one."""
    try:
        from .interactive import Interactive

        return Interactive(output)
    except ImportError:
        return Plain(output)


def main() -> None:
    commands = os.fdopen(3, "rb")
    for fd in (3, 4):
        os.set_inheritable(fd, False)
    with contextlib.suppress(OSError):
        os.close(5)
    output = Output(4)
    signal.signal(signal.SIGINT, _ignored)
    streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.path[0] = ""  # the current folder, not the archive we came from
    sys.argv = [""]
    figures.install(output)
    used = engine(output)
    flushing = Flushing()
    own = os.getpid()
    output.send(type="ready", version="Python " + platform.python_version())
    for line in commands:
        command = json.loads(line)
        os.environ.update(command["env"])
        try:
            try:
                flushing.running.set()
                signal.signal(signal.SIGINT, signal.default_int_handler)
                used.run(command["code"])
                figures.show_open()
            finally:
                signal.signal(signal.SIGINT, _ignored)
                flushing.running.clear()
        except KeyboardInterrupt as error:  # in the last moment, outside the cell
            output.error(error, ["KeyboardInterrupt\n"], None)
        if os.getpid() != own:
            os._exit(0)  # a child that the cell forked has come out of it
        flush()
        output.send(type="done", count=used.count)
