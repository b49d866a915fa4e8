"""A deployed Worker's live log: `wrangler tail`'s protocol.

A POST to `tails` gives an id, a WebSocket's address and when it ends; the socket speaks the subprotocol `trace-v1`, is told
`{"debug": false}` first, and then sends an event a message. A DELETE ends it. Source: wrangler's `tail/createTail.ts`.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso
from workbench.model.workers import LogEvent

from .api import Api, host_of, join
from .refusals import text_of

PROTOCOL = "trace-v1"
LARGEST = 16 << 20
"""Bytes of an event."""


async def tail(api: Api, script: str, filters: dict[str, Any]) -> Iterator[LogEvent]:
    """Events as they come, until the other side ends it or the iterator is closed. filters: of the API, such as `{"method": ["GET"]}`."""
    path = f"/workers/scripts{join(script)}/tails"
    body = {"filters": [{name: value} for name, value in filters.items()]}
    answer = await api.send("POST", path, json_body=body, doing=f"opening the log of {script}")
    url, id = str(answer.result["url"]), str(answer.result["id"])
    if urlsplit(url).scheme != "wss" and not api.line.loopback:
        raise WorkbenchError("remote.not_encrypted", "the log's address is not encrypted")
    messages = api.line.portal.iterate(_messages(url), api.cancel)

    def events() -> Iterator[LogEvent]:
        try:
            for message in messages:
                event = _event(message)
                if event is not None:
                    yield event
        finally:
            messages.close()  # type: ignore[attr-defined]
            with suppress(WorkbenchError):
                api.line.portal.wait(_end(api, path + join(id)))

    return events()


async def _end(api: Api, path: str) -> None:
    await Api(api.line, api.prefix, api.product).send("DELETE", path, doing="ending the log")


async def _messages(url: str) -> AsyncIterator[str | bytes]:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.typing import Subprotocol

    try:
        async with connect(
            url, subprotocols=[Subprotocol(PROTOCOL)], max_size=LARGEST, open_timeout=20, close_timeout=2
        ) as socket:
            await socket.send(json.dumps({"debug": False}))
            with suppress(ConnectionClosed):
                async for message in socket:
                    yield message
    except (OSError, WebSocketException) as error:
        host = host_of(url)  # the address itself opens the log, so it is not told
        raise WorkbenchError(
            "remote.unreachable", f"the log at {host} cannot be read: {text_of(error)}"
        ) from None


def _event(message: str | bytes) -> LogEvent | None:
    """A message as an event; None for what is none."""
    try:
        data = json.loads(message)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    at = data.get("eventTimestamp")
    event = data.get("event")
    return LogEvent(
        iso(at) if isinstance(at, int | float) else None,
        str(data.get("outcome") or "unknown"),
        _summary(event),
        tuple(entry for entry in data.get("logs") or () if isinstance(entry, dict)),
        tuple(entry for entry in data.get("exceptions") or () if isinstance(entry, dict)),
        event,
        data.get("scriptName"),
    )


def _summary(event: Any) -> str:
    """What started it, in a few words."""
    if not isinstance(event, dict):
        return ""
    request = event.get("request")
    if isinstance(request, dict):
        return f"{request.get('method', '')} {request.get('url', '')}".strip()
    for field, word in (
        ("cron", "cron"),
        ("queue", "queue"),
        ("mailFrom", "e-mail from"),
        ("rpcMethod", "rpc"),
    ):
        if field in event:
            return f"{word} {event[field]}"
    if "scheduledTime" in event:
        return f"alarm {event['scheduledTime']}"
    return str(event.get("message") or "")
