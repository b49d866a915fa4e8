"""Values of Workflows."""

from typing import Any, NamedTuple


class Workflow(NamedTuple):
    name: str
    class_name: str | None = None
    binding: str | None = None
    worker: str | None = None
    instances: int | None = None
    bound: bool = True


class WorkflowTry(NamedTuple):
    """An attempt at a step. Times ISO 8601 UTC or None. retry_ms: how long after its failure the next one is due."""

    started: str
    ended: str | None = None
    error: dict[str, Any] | None = None
    retry_ms: int | None = None


class WorkflowStep(NamedTuple):
    """kind: step, sleep, wait, ... status: running, complete, failed, waiting. Times ISO 8601 UTC or None. config: retries and so on.

    attempts: how many; tries: each of them.
    """

    name: str
    kind: str
    status: str
    started: str | None
    ended: str | None
    attempts: int
    output: Any = None
    error: dict[str, Any] | None = None
    config: Any = None
    tries: tuple[WorkflowTry, ...] = ()


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
