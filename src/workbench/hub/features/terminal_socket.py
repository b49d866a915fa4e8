"""A viewer's WebSocket: what waits for it goes out at its own pace, what it types and says comes in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from workbench.model.errors import WorkbenchError

from ..terminals import POLICIES, HubTerminal, Viewer

TOO_SLOW = 1013


async def converse(websocket: WebSocket, terminal: HubTerminal, viewer: Viewer) -> None:
    """Until the viewer goes, or the program has ended and that was told."""
    if not viewer.states and min(viewer.size) > 0:
        viewer.says(viewer.size)
        await terminal.settle(viewer)
    terminal.join(viewer)
    showing = asyncio.ensure_future(_show(websocket, terminal, viewer))
    hearing = asyncio.ensure_future(_hear(websocket, terminal, viewer))
    try:
        await asyncio.wait((showing, hearing), return_when=asyncio.FIRST_COMPLETED)
        for task in (showing, hearing):
            if task.done():
                task.result()
    finally:
        terminal.leave(viewer)
        for task in (showing, hearing):
            task.cancel()
        await asyncio.gather(showing, hearing, return_exceptions=True)
        await terminal.settle()


async def _show(websocket: WebSocket, terminal: HubTerminal, viewer: Viewer) -> None:
    while True:
        item = await viewer.next()
        if item is None:
            if viewer.gone:
                await websocket.close(TOO_SLOW, "it does not read what it is sent")
                return
            viewer.begin(*terminal.state())
        elif isinstance(item, bytes):
            await websocket.send_bytes(item)
        else:
            await websocket.send_text(json.dumps(item))
            if item["type"] == "exit":
                await websocket.close()
                return


async def _hear(websocket: WebSocket, terminal: HubTerminal, viewer: Viewer) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        if message.get("bytes"):
            if terminal.may_type(viewer):
                with contextlib.suppress(WorkbenchError, OSError):
                    await terminal.type(message["bytes"])
            else:
                holder = terminal.keyboard.described() if terminal.keyboard else None
                viewer.put({"type": "refused", "reason": "keyboard", "holder": holder})
        elif message.get("text") is not None:
            await _said(message["text"], terminal, viewer)


async def _said(text: str, terminal: HubTerminal, viewer: Viewer) -> None:
    try:
        said = json.loads(text)
        kind = said["type"]
    except (ValueError, KeyError, TypeError, RecursionError):
        viewer.put({"type": "error", "message": "Invalid control message"})
        return
    if kind in ("resize", "size"):
        cols, rows = said.get("cols"), said.get("rows")
        if not _size(cols) or not _size(rows):
            viewer.put({"type": "error", "message": "Invalid dimensions: cols and rows must be positive"})
            return
        policy = said.get("policy") if kind == "size" else None
        viewer.says((min(cols, 1000), min(rows, 1000)), policy if policy in POLICIES else None)
        await terminal.settle()
    elif kind == "take":
        terminal.take(viewer)
        await terminal.settle()
    elif kind == "release":
        terminal.release(viewer)
    elif kind == "signal":
        number = getattr(signal, f"SIG{said.get('signal')}", None)
        if isinstance(number, signal.Signals) and terminal.may_type(viewer):
            with contextlib.suppress(WorkbenchError, OSError):
                await terminal.sandbox.channel.signal_terminal(terminal.id, number)


def _size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
