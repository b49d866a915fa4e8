"""One request to an init, under way: frames out with back-pressure, frames in, each checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, NamedTuple, Self

from workbench.model.errors import WorkbenchError
from workbench.sandbox.address import connect
from workbench.sandbox.init import wire

JSON, DATA, STDERR, END = wire.JSON, wire.DATA, wire.STDERR, wire.END
Fields = dict[str, Any]


class Frame(NamedTuple):
    """One frame from inside. kind: JSON, DATA, STDERR or END."""

    kind: int
    payload: bytes

    def json(self) -> Fields:
        """The object in a JSON frame."""
        try:
            return dict(wire.read_json(self.payload))
        except wire.ProtocolError as problem:
            raise nonsense(str(problem)) from problem


def nonsense(text: str) -> WorkbenchError:
    """What was said does not fit the protocol."""
    return WorkbenchError("sandbox.protocol", f"the sandbox's init answered nonsense: {text}")


def gone(problem: object = "it ended before it answered") -> WorkbenchError:
    """There is nobody there, or no longer."""
    return WorkbenchError("sandbox.not_running", f"the sandbox does not answer ({problem})")


class Exchange:
    """One request under way: frames out with back-pressure, frames in as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begin(cls, path: str, op: str, fields: Fields) -> Self:
        """Connect to the init's socket and ask; fields that are None are left out."""
        try:
            reader, writer = await connect(path)
        except OSError as problem:
            raise gone(problem.strerror) from problem
        exchange = cls(reader, writer)
        await exchange.tell(op=op, **{name: value for name, value in fields.items() if value is not None})
        return exchange

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The bare connection, for an op whose connection becomes one."""
        return self._reader, self._writer

    def close(self) -> None:
        """Give it up: what it asked for is cancelled inside."""
        self._writer.close()

    async def send(self, kind: int, payload: bytes = b"") -> None:
        """Data of any length; waits while the sandbox takes no more."""
        try:
            if not payload:
                self._writer.write(wire.frame(kind))
            for at in range(0, len(payload), wire.LARGEST):
                self._writer.write(wire.frame(kind, payload[at : at + wire.LARGEST]))
                await self._writer.drain()
        except OSError as problem:
            raise gone(problem) from problem

    async def tell(self, **fields: object) -> None:
        """A JSON frame."""
        try:
            self._writer.write(wire.message(fields))
            await self._writer.drain()
        except OSError as problem:
            raise gone(problem) from problem

    async def receive(self) -> Frame | None:
        """The next frame, or None at the end of the connection; an error frame is raised."""
        try:
            length, kind = wire.header(await self._reader.readexactly(wire.HEADER_SIZE))
            payload = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as problem:
            if problem.partial:
                raise gone() from None
            return None
        except wire.ProtocolError as problem:
            raise nonsense(str(problem)) from None
        except OSError:
            return None
        if kind == wire.ERROR:
            said = Frame(kind, payload).json()
            code = str(said.get("code", ""))
            if not code.startswith("sandbox.") or len(code) > 60:
                code = "sandbox.protocol"
            raise WorkbenchError(code, str(said.get("message", ""))[:4000])
        return Frame(kind, payload)

    async def answer(self) -> Fields:
        """The next frame, which must be JSON."""
        frame = await self.receive()
        if frame is None:
            raise gone()
        if frame.kind != JSON:
            raise nonsense(f"a frame of kind {frame.kind} where an answer was due")
        return frame.json()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while (frame := await self.receive()) is not None:
            yield frame

    async def data(self) -> AsyncIterator[bytes]:
        """The payloads of DATA frames until END."""
        async for frame in self:
            if frame.kind == END:
                return
            if frame.kind == DATA:
                yield frame.payload
        raise gone("it ended in the middle")
