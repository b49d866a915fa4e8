"""Values of Workflows."""

from typing import Any, NamedTuple


class Workflow(NamedTuple):
    name: str
    class_name: str | None = None
    binding: str | None = None
    worker: str | None = None
    instances: int | None = None
    bound: bool = True


class WorkflowStep(NamedTuple):
    """kind: step, sleep, wait, ... status: running, complete, failed, waiting. Times ISO 8601 UTC or None. config: retries and so on."""

    name: str
    kind: str
    status: str
    started: str | None
    ended: str | None
    attempts: int
    output: Any = None
    error: dict[str, Any] | None = None
    config: Any = None


class WorkflowInstance(NamedTuple):
    """status: the platform's word (queued, running, paused, waiting, complete, errored, terminated, ...). Values are tagged JSON."""

    id: str
    status: str
    created: str | None
    started: str | None
    ended: str | None
    params: Any = None
    output: Any = None
    error: dict[str, Any] | None = None
    steps: tuple[WorkflowStep, ...] = ()
