"""Values of Queues."""

from typing import Any, NamedTuple


class Queue(NamedTuple):
    """consumers, producers: how many. created: ISO 8601 UTC. settings: the platform's (delivery_delay and the like)."""

    id: str
    name: str
    producers: int
    consumers: int
    created: str | None
    settings: dict[str, Any]


class QueueMetrics(NamedTuple):
    """What waits in it, about: the platform counts in several places. oldest: when the oldest message was sent, or None."""

    backlog: int
    backlog_bytes: int
    oldest: str | None


class QueueMessage(NamedTuple):
    """lease_id: what acknowledges it, or None for one that was only looked at. body: text, or JSON, or tagged bytes."""

    id: str
    body: Any
    attempts: int
    sent: str | None
    lease_id: str | None
    metadata: dict[str, Any]


class Pulled(NamedTuple):
    """Messages that are hidden from others until their leases end. backlog: how many wait in all."""

    messages: list[QueueMessage]
    backlog: int | None
