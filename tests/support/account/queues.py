"""Queues of the stand-in: made up in memory, in the documented shapes (no emulator serves their API)."""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any

from .server import Reply, Request, refusal

QUEUE_ID = "0f" * 16


class MadeUpQueues:
    """One queue, `jobs`."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._numbers = count(1)

    def answer(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                row = {
                    "queue_id": QUEUE_ID,
                    "queue_name": "jobs",
                    "created_on": "2026-01-01T00:00:00.000000Z",
                    "producers_total_count": 1,
                    "consumers_total_count": 0,
                    "settings": {"delivery_delay": 0, "message_retention_period": 345600},
                }
                info = {"page": 1, "per_page": 100, "count": 1, "total_count": 1, "total_pages": 1}
                return Reply([row], info=info)
            case [queue, *_] if queue != QUEUE_ID:
                return refusal(404, 11000, "Queue not found")
            case [_, "metrics"]:
                return Reply(self._metrics())
            case [_, "messages"]:
                return self._send(request.json())
            case [_, "messages", "peek"]:
                shown = [
                    dict(one, lease_id=None, ref=one["id"]) for one in self.messages if not one["lease_id"]
                ]
                return Reply({"messages": shown[: request.json()["batch_size"]]})
            case [_, "messages", "pull"]:
                return self._pull(request.json())
            case [_, "messages", "ack"]:
                leases = {one["lease_id"] for one in request.json()["acks"]}
                before = len(self.messages)
                self.messages = [one for one in self.messages if one["lease_id"] not in leases]
                return Reply({"ackCount": before - len(self.messages), "retryCount": 0, "warnings": {}})
            case [_, "purge"]:
                assert request.json()["delete_messages_permanently"] is True
                self.messages.clear()
                return Reply({"started_at": "2026-01-01T00:00:00Z"})
        raise KeyError("/".join(rest))

    def _send(self, given: dict[str, Any]) -> Reply:
        kind = given.get("content_type", "json")
        body = given["body"]
        if kind == "json":
            body = base64.b64encode(json.dumps(body).encode()).decode()
        number = next(self._numbers)
        row = {
            "id": f"message-{number}",
            "body": body,
            "attempts": 0,
            "timestamp_ms": 1_790_000_000_000 + number,
            "lease_id": "",
            "metadata": {"CF-Content-Type": kind},
        }
        self.messages.append(row)
        return Reply({"metadata": {"metrics": self._metrics()}})

    def _metrics(self) -> dict[str, Any]:
        waiting = [one for one in self.messages if not one["lease_id"]]
        return {
            "backlog_count": len(waiting),
            "backlog_bytes": sum(len(one["body"]) for one in waiting),
            "oldest_message_timestamp_ms": 1_790_000_000_000 if waiting else 0,
        }

    def _pull(self, given: dict[str, Any]) -> Reply:
        taken = [one for one in self.messages if not one["lease_id"]][: given["batch_size"]]
        for one in taken:
            one["lease_id"] = f"lease-{one['id']}"
            one["attempts"] += 1
        return Reply({"message_backlog_count": len(self.messages), "messages": taken})
