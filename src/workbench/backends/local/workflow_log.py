"""One instance of a Workflow read from its database: what it is, how it went, its steps with every attempt.

Its id, its event and its status are key-value entries (`INSTANCE_METADATA`, `ENGINE_STATUS`); what happened is a log, table
`states`: an event's number, the step's group and name, and JSON. A step's exact output is a key-value entry of its group,
since the log knows JSON only. (workers-sdk, workflows-shared: engine and instance.)
"""

import json
from typing import Any

import apsw

from workbench.model.workflows import WorkflowInstance, WorkflowStep, WorkflowTry

from . import storage

STATUSES = ("queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting")
"""By the engine's number."""
_START, _ENDED = 1, {2, 3, 4}
_STEP_EVENTS = {5: "step", 8: "sleep", 14: "wait", 18: "rollback"}
_STEP_ENDS = {
    6: "complete",
    7: "failed",
    9: "complete",
    15: "complete",
    16: "failed",
    22: "complete",
    23: "failed",
}
_ATTEMPTS = {10, 19}
_ATTEMPT_DONE = {11, 20}
_ATTEMPT_FAILED = {12, 21}


def holds_instance(connection: apsw.Connection) -> bool:
    """Whether a database holds an instance: it may have been emptied."""
    if not storage.has_table(connection, "_cf_KV"):
        return False
    return connection.execute("SELECT 1 FROM _cf_KV WHERE key = 'INSTANCE_METADATA'").get is not None


def read_instance(connection: apsw.Connection, file: str, *, steps: bool) -> WorkflowInstance:
    head = _table(_stored(connection, "INSTANCE_METADATA"))
    made, event = _table(head.get("instance")), _table(head.get("event"))
    number = _stored(connection, "ENGINE_STATUS")
    status = STATUSES[number] if type(number) is int and 0 <= number < len(STATUSES) else "unknown"
    output = _stored(connection, "WORKFLOW_OUTPUT")
    started, ended, error, result = _course(connection)
    if isinstance(output, dict) and "value" in output:
        result = output["value"]
    return WorkflowInstance(
        id=str(made.get("id", file)),
        status=status,
        created=made.get("created_on"),
        started=started,
        ended=ended,
        params=event.get("payload"),
        output=result,
        error=error,
        steps=tuple(_steps(connection)) if steps else (),
    )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _stored(connection: apsw.Connection, key: str) -> Any:
    """A key-value entry's value, or None."""
    entry = storage.read(connection, key)
    return None if entry is None else entry.value


def _log(connection: apsw.Connection, where: str) -> list[tuple[int, str, str, str, dict[str, Any]]]:
    """(event, time, group, name, what it says) in the order it happened."""
    if not storage.has_table(connection, "states"):
        return []
    rows = connection.execute(
        "SELECT event, timestamp, coalesce(groupKey, ''), coalesce(target, ''), metadata "
        f"FROM states WHERE {where} ORDER BY id"
    )
    return [(event, _iso(at), group, name, _said(text)) for event, at, group, name, text in rows]


def _said(text: Any) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return _table(said)


def _iso(at: Any) -> str:
    """SQLite's time, which is UTC, as ISO 8601."""
    return str(at).replace(" ", "T") + "Z"


def _course(
    connection: apsw.Connection,
) -> tuple[str | None, str | None, dict[str, Any] | None, Any]:
    """When it started and ended (after the last restart), with its error or its result."""
    started = ended = error = result = None
    for event, at, _, _, said in _log(connection, "groupKey IS NULL"):
        if event == _START:
            started, ended, error, result = at, None, None, None
        elif event in _ENDED:
            ended, error, result = at, said.get("error"), said.get("result")
    return started, ended, error, result


def _steps(connection: apsw.Connection) -> list[WorkflowStep]:
    """The steps in the order they began."""
    found: dict[str, WorkflowStep] = {}
    for event, at, group, name, said in _log(connection, "groupKey IS NOT NULL"):
        if event in _STEP_EVENTS:
            found[group] = _begun(_STEP_EVENTS[event], name, at, said)
        step = found.get(group)
        if step is None:
            continue
        if event in _ATTEMPTS:
            tries = (*step.tries, WorkflowTry(at))
            step = step._replace(attempts=step.attempts + 1, status="running", tries=tries)
        elif event in _ATTEMPT_DONE:
            step = _tried(step, at, {})
        elif event in _ATTEMPT_FAILED:
            step = _tried(step, at, said)._replace(
                error=said.get("error"), status="waiting" if "retryDelayMs" in said else "running"
            )
        elif event in _STEP_ENDS:
            status = _STEP_ENDS[event]
            error = said.get("error", step.error) if status == "failed" else None
            step = step._replace(
                status=status, ended=at, error=error, output=_output(connection, step, group, said)
            )
        found[group] = step
    return list(found.values())


def _tried(step: WorkflowStep, at: str, said: dict[str, Any]) -> WorkflowStep:
    """The step with its last attempt ended."""
    if not step.tries:
        return step
    ended = step.tries[-1]._replace(ended=at, error=said.get("error"), retry_ms=said.get("retryDelayMs"))
    return step._replace(tries=(*step.tries[:-1], ended))


def _begun(kind: str, name: str, at: str, said: dict[str, Any]) -> WorkflowStep:
    config = said.get("config", said or None)
    status = "running" if kind in ("step", "rollback") else "waiting"
    return WorkflowStep(name, kind, status, at, None, 0, config=config)


def _output(connection: apsw.Connection, step: WorkflowStep, group: str, said: dict[str, Any]) -> Any:
    """A step's output, exact where its entry is there."""
    if step.kind in ("sleep", "rollback"):
        return None
    kept = _stored(connection, f"{group}-value")
    if step.kind == "step" and isinstance(kept, dict) and "value" in kept:
        return kept["value"]
    return kept if step.kind == "wait" and kept is not None else said.get("result", said.get("payload"))
