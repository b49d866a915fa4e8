"""Queues through the account API. Source: its pages (queues, messages, purge)."""

import base64
from collections.abc import Iterable
from typing import Any

from workbench.model.bindings import Project
from workbench.model.queues import Pulled, Queue, QueueMessage, QueueMetrics
from workbench.model.tagged import text_or_bytes
from workbench.model.times import iso

from .api import Api, join
from .paging import numbered
from .shapes import moment, whole

ROOT = "/queues"


class CloudQueues:
    """The product; see the protocol `Queues`. Queues go by id."""

    def __init__(self, api: Api, project: Project) -> None:
        self._api = api.of("queues")
        self._project = project

    async def queues(self) -> list[Queue]:
        """All of the account's."""
        return [_queue(row) for row in await numbered(self._api, ROOT)]

    async def metrics(self, queue: str) -> QueueMetrics:
        """What waits in it."""
        row = (await self._api.get(f"{ROOT}{join(queue)}/metrics")).result
        return _metrics(row)

    async def peek(self, queue: str, count: int) -> list[QueueMessage]:
        """The first messages, left as they are."""
        answer = await self._api.send(
            "POST", f"{ROOT}{join(queue)}/messages/peek", json_body={"batch_size": count}, safe=True
        )
        return [_message(row) for row in answer.result.get("messages") or ()]

    async def pull(self, queue: str, count: int, visibility_ms: int | None = None) -> Pulled:
        """Take messages under a lease. Not repeated: what an answer that got lost had leased stays hidden until the lease ends."""
        body: dict[str, Any] = {"batch_size": count}
        if visibility_ms is not None:
            body["visibility_timeout_ms"] = visibility_ms
        answer = await self._api.send(
            "POST", f"{ROOT}{join(queue)}/messages/pull", json_body=body, doing=f"pulling from {queue}"
        )
        result = answer.result or {}
        return Pulled(
            [_message(row) for row in result.get("messages") or ()],
            whole(result.get("message_backlog_count")),
        )

    async def acknowledge(self, queue: str, leases: Iterable[str]) -> int:
        """Messages that are done with go; how many. The same lease again is nothing new, so it is safe to repeat."""
        body = {"acks": [{"lease_id": lease} for lease in leases], "retries": []}
        answer = await self._api.send(
            "POST",
            f"{ROOT}{join(queue)}/messages/ack",
            json_body=body,
            safe=True,
            doing="acknowledging messages",
        )
        return whole((answer.result or {}).get("ackCount")) or 0

    async def send(self, queue: str, body: Any, kind: str, delay_s: int | None = None) -> None:
        """Put a message in. Not repeated: it would be there twice."""
        if kind == "bytes":
            body = base64.b64encode(body).decode()
        given: dict[str, Any] = {"body": body, "content_type": kind}
        if delay_s is not None:
            given["delay_seconds"] = delay_s
        await self._api.send(
            "POST", f"{ROOT}{join(queue)}/messages", json_body=given, doing=f"sending to the queue {queue}"
        )

    async def purge(self, queue: str) -> None:
        """Every message goes; the platform takes its time."""
        await self._api.send(
            "POST",
            f"{ROOT}{join(queue)}/purge",
            json_body={"delete_messages_permanently": True},
            safe=True,
            doing=f"purging {queue}",
        )


def _queue(row: Any) -> Queue:
    return Queue(
        str(row["queue_id"]),
        str(row.get("queue_name") or row["queue_id"]),
        whole(row.get("producers_total_count")) or 0,
        whole(row.get("consumers_total_count")) or 0,
        moment(row.get("created_on")),
        row.get("settings") or {},
    )


def _metrics(row: Any) -> QueueMetrics:
    oldest = whole(row.get("oldest_message_timestamp_ms"))
    return QueueMetrics(
        whole(row.get("backlog_count")) or 0,
        whole(row.get("backlog_bytes")) or 0,
        iso(oldest) if oldest else None,
    )


def _message(row: Any) -> QueueMessage:
    metadata = row.get("metadata") or {}
    sent = whole(row.get("timestamp_ms"))
    return QueueMessage(
        str(row.get("id") or ""),
        _body(row.get("body"), metadata.get("CF-Content-Type")),
        whole(row.get("attempts")) or 0,
        iso(sent) if sent else None,
        row.get("lease_id"),
        metadata,
    )


def _body(text: Any, kind: Any) -> Any:
    """A message's body: JSON and bytes come in base64 when pulled, text as it is."""
    if not isinstance(text, str) or kind not in ("json", "bytes", "v8"):
        return text
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = text.encode()
    if kind == "json":
        import json

        try:
            return json.loads(data)
        except ValueError:
            return text
    return text_or_bytes(data)
