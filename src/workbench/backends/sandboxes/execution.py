"""A command in a sandbox, its output as it comes: over server-sent events, or over a WebSocket where it reads standard input."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from workbench.model.errors import WorkbenchError

from .transport import Transport, error_of, in_path

Bytes = Iterable[bytes] | AsyncIterable[bytes]
STREAMS = {1: "stdout", 2: "stderr"}


class EventExecution:
    """`POST /v1/sandbox/{id}/exec`, the bridge's own."""

    def __init__(self, transport: Transport, id: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        self.exit_code: int | None = None
        self.timed_out = False
        self._events = transport.events("POST", f"/v1/sandbox/{in_path(id)}/exec", body=body, headers=headers)

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        try:
            async for event in self._events:
                if event.event in ("stdout", "stderr"):
                    yield event.event, base64.b64decode(event.data)
                elif event.event == "exit":
                    self.exit_code = int(event.json["exit_code"])
                    self.timed_out = bool(event.json.get("timed_out"))
                    return
                elif event.event == "error":
                    raise error_of(0, event.data.encode())
        finally:
            await self.aclose()
        raise _cut()

    async def aclose(self) -> None:
        await self._events.aclose()  # type: ignore[attr-defined]


class SocketExecution:
    """`/v1/sandbox/{id}/exec/ws` of a hub: a request, standard input in binary frames, `{"type": "end"}`; output in binary frames
    whose first byte is the stream, `{"type": "exit", ...}` or `{"type": "error", ...}` at the end."""

    def __init__(
        self,
        transport: Transport,
        id: str,
        body: dict[str, Any],
        headers: dict[str, str],
        stdin: Bytes | None,
    ) -> None:
        self.exit_code: int | None = None
        self.timed_out = False
        self._transport = transport
        self._path = f"/v1/sandbox/{in_path(id)}/exec/ws"
        self._body = body | {"stdin": stdin is not None}
        self._headers = headers
        self._stdin = stdin
        self._typing: asyncio.Task[None] | None = None
        self._socket: Any = None
        self._failed: BaseException | None = None
        self._closing: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        from websockets.exceptions import ConnectionClosed

        self._socket = await self._transport.websocket(self._path, headers=self._headers)
        try:
            await self._socket.send(json.dumps(self._body))
            if self._stdin is not None:
                self._typing = asyncio.ensure_future(self._type(self._stdin))
                self._typing.add_done_callback(self._typed)
            async for message in self._socket:
                if isinstance(message, bytes):
                    yield STREAMS.get(message[0], "stdout"), message[1:]
                    continue
                said = json.loads(message)
                if said.get("type") == "exit":
                    self.exit_code = int(said["exit_code"])
                    self.timed_out = bool(said.get("timed_out"))
                    return
                if said.get("type") == "error":
                    raise error_of(0, message.encode())
        except ConnectionClosed:
            pass
        finally:
            await self.aclose()
        raise self._failed or _cut()

    def _typed(self, typing: asyncio.Task[None]) -> None:
        """What standard input was to come from failed: then the command must not go on as if it had ended."""
        if not typing.cancelled() and typing.exception() is not None:
            self._failed = typing.exception()
            self._closing = asyncio.ensure_future(self._socket.close())

    async def _type(self, stdin: Bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):
            async for piece in pieces(stdin):
                await self._socket.send(piece)
            await self._socket.send('{"type": "end"}')

    async def aclose(self) -> None:
        typing, self._typing = self._typing, None
        if typing is not None:
            typing.cancel()
        if self._socket is not None:
            await self._socket.close()


def _cut() -> WorkbenchError:
    return WorkbenchError("sandboxes.exec_cut", "the connection ended before the command did")


async def pieces(source: Bytes) -> AsyncIterator[bytes]:
    """Bytes in pieces, from whatever gives them; what blocks is read in a thread (a thread that may never come back: it is left)."""
    if isinstance(source, bytes | bytearray):
        yield bytes(source)
    elif isinstance(source, AsyncIterable):
        async for piece in source:
            yield piece
    else:
        read = getattr(source, "read1", None)
        iterator = iter(source)
        while piece := await _in_daemon(lambda: read(1 << 16) if read is not None else next(iterator, b"")):
            yield piece


async def _in_daemon(call: Any) -> bytes:
    """Like `asyncio.to_thread`, in a thread that does not keep the process from ending: standard input may stay silent for ever."""
    import threading

    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(result: bytes | None, error: BaseException | None) -> None:
        if not done.done():
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result or b"")

    def work() -> None:
        result, failed = None, None
        try:
            result = call()
        except BaseException as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=work, daemon=True, name="standard input").start()
    return await done
