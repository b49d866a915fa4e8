"""The hub's end of a context: one run at a time, frames as they come, interrupts. What comes from inside is not trusted."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.sandbox.channel import Channel

Frame = dict[str, Any]

LONGEST_LINE = 32 << 20
KINDS = frozenset(("hello", "ready", "failed", "stdout", "stderr", "result", "error", "done", "died"))
_TEXTS = (
    "text",
    "html",
    "markdown",
    "svg",
    "latex",
    "javascript",
    "png",
    "jpeg",
    "name",
    "message",
    "version",
)
# What an interrupted cell has, to come to its end, before its process is ended.
GRACE = 2.0


class Conversation:
    """A connection to a context's host. Make it by `open`; `run` may be called by several, one after the other is served."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._held = b""
        self._lines: list[bytes] = []
        self._turn = asyncio.Lock()
        self._last_run = 0
        self.version = ""
        self.closed = False

    @classmethod
    async def open(cls, channel: Channel, socket: str) -> Conversation:
        """Connect to the host that listens on a Unix socket inside."""
        return cls(*await channel.connect_socket(socket))

    async def begin(self, language: str, within: float) -> None:
        """Wait until the driver says it can run code. Raises WorkbenchError (`contexts.not_started`) with its reason where it can't."""
        # The greeting may come before the driver's first word or after it. An empty run settles both.
        reason = "it did not start"
        async for frame in self.run("", {}, within):
            if frame["type"] in ("failed", "died", "error"):
                reason = str(frame.get("message") or reason)
            if frame["type"] in ("died", "error"):
                raise WorkbenchError("contexts.not_started", f"{language} cannot be run here: {reason}")

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._turn.locked()

    async def run(self, code: str, env: Mapping[str, str], within: float | None) -> AsyncIterator[Frame]:
        """Run code; its frames, the last of them `done` or `died`.

        within: seconds; after them it is interrupted, and where that does not end it, its process is. Closing the iterator interrupts too.
        Frames: stdout and stderr {text}; result {text, html, png, json, table, ...}; error {name, message, traceback, lineNumber};
        ready {version} where a fresh process took over and variables are gone; done {count}; died {code, signal}.
        """
        async with self._turn:
            self._last_run += 1
            run = self._last_run
            await self._tell({"op": "run", "run": run, "code": code, "env": dict(env)})
            ended = False
            try:
                deadline = None if within is None else asyncio.get_running_loop().time() + within
                try:
                    async for frame in self._frames(run, deadline):
                        ended = frame["type"] in ("done", "died")
                        yield frame
                        if ended:
                            return
                except TimeoutError:
                    message = f"it ran for more than {within:g} s and was interrupted"
                    said = {"type": "error", "name": "TimeoutError", "message": message}
                    yield said | {"traceback": [], "lineNumber": None}
                async for frame in self._to_the_end(run):
                    ended = frame["type"] in ("done", "died")
                    if ended:
                        yield frame
            finally:
                if not ended and not self.closed:
                    # Its reader has gone away. The next run waits for this.
                    with contextlib.suppress(WorkbenchError):
                        async for _ in self._to_the_end(run):
                            pass

    async def interrupt(self) -> None:
        """Interrupt what runs; nothing where nothing does."""
        if self.busy:
            await self._tell({"op": "interrupt"})

    async def end(self) -> None:
        """Let the host and its driver go."""
        if not self.closed:
            with contextlib.suppress(WorkbenchError):
                await self._tell({"op": "exit"})
        self._close()

    def leave(self) -> None:
        """Close our end; the context goes on."""
        self._close()

    async def _to_the_end(self, run: int) -> AsyncIterator[Frame]:
        """Interrupt, and where that is not enough kill; the frames until then."""
        for op in ("interrupt", "kill"):
            await self._tell({"op": op})
            try:
                async for frame in self._frames(run, asyncio.get_running_loop().time() + GRACE):
                    yield frame
                    if frame["type"] in ("done", "died"):
                        return
            except TimeoutError:
                continue
        self._close()
        raise WorkbenchError("contexts.lost", "the context does not answer any more")

    async def _frames(self, run: int, deadline: float | None) -> AsyncIterator[Frame]:
        """What belongs to this run. Output from between two runs belongs to none, and is dropped. Raises TimeoutError."""
        while True:
            async with asyncio.timeout_at(deadline):
                frame = await self._next()
            if frame["type"] == "ready":
                self.version = str(frame.get("version", ""))
            if frame.get("run") == run:
                yield frame

    async def _next(self) -> Frame:
        while True:
            while self._lines:
                frame = checked(self._lines.pop(0))
                if frame is not None:
                    return frame
            try:
                data = await self._reader.read(1 << 18)
            except OSError:
                data = b""
            if not data or len(self._held) > LONGEST_LINE:
                self._close()
                raise WorkbenchError("contexts.lost", "the context has ended")
            *self._lines, self._held = (self._held + data).split(b"\n")

    async def _tell(self, message: dict[str, Any]) -> None:
        if self.closed:
            raise WorkbenchError("contexts.lost", "the context has ended")
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            await self._writer.drain()
        except OSError:
            self._close()
            raise WorkbenchError("contexts.lost", "the context has ended") from None

    def _close(self) -> None:
        self.closed = True
        self._writer.close()


def checked(line: bytes) -> Frame | None:
    """A line from inside as a frame of a known kind whose fields have the types they must have, else None."""
    try:
        frame = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, dict) or frame.get("type") not in KINDS:
        return None
    for name in _TEXTS:
        if name in frame and not isinstance(frame[name], str):
            del frame[name]
    if frame["type"] in ("stdout", "stderr") and "text" not in frame:
        return None
    if frame["type"] == "error":
        trace = frame.get("traceback")
        if not isinstance(trace, list) or not all(isinstance(each, str) for each in trace):
            frame["traceback"] = []
        if not isinstance(frame.get("lineNumber"), int):
            frame["lineNumber"] = None
        frame.setdefault("name", "Error")
        frame.setdefault("message", "")
    return frame
