"""Workflows as far as the state tells of them; what only a runtime does is in `lacking`. (miniflare, local-explorer/resources/workflows)"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.tagged import plain
from workbench.model.workflows import Workflow, WorkflowInstance, WorkflowStep

from .call import Call
from .checks import Choice, Fields, ListOf, Moment, Number, Text
from .errors import ApiError
from .replies import Reply, envelope, listed
from .routes import Routes

STATUSES = (
    "queued",
    "running",
    "paused",
    "errored",
    "terminated",
    "complete",
    "waitingForPause",
    "waiting",
)
WORKFLOW = "/workflows/{workflow_name}"
INSTANCE = f"{WORKFLOW}/instances/{{instance_id}}"
_PAGE = Number(1, optional=True)

routes = Routes()


def _workflow(row: Workflow) -> dict[str, Any]:
    return {"name": row.name, "class_name": row.class_name, "script_name": row.worker}


def _find(call: Call) -> Workflow:
    name = call.names["workflow_name"]
    rows: list[Workflow] = call.run("workflows.list")
    for row in rows:
        if row.name == name:
            return row
    raise ApiError(404, 10501, f"Workflow '{name}' not found.")


def _instances(call: Call) -> list[WorkflowInstance]:
    """All instances, newest first."""
    name, cursor, found = _find(call).name, None, []
    while True:
        page = call.run("workflows.instances.list", workflow=name, limit=1000, cursor=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


@routes.route(
    "GET",
    "/workflows",
    "reads",
    "workflows.list",
    query={"page": _PAGE, "per_page": _PAGE},
    name="workflows-list-workflows",
)
def list_workflows(call: Call) -> Reply:
    """Workflows: those of the config, and those that only the state holds."""
    rows = [_workflow(row) for row in call.run("workflows.list")]
    return listed(rows, {}, call.query.get("page"), call.query.get("per_page"))


@routes.route(
    "GET",
    WORKFLOW,
    "reads",
    "workflows.list",
    "workflows.instances.list",
    name="workflows-get-workflow-details",
)
def get_workflow(call: Call) -> Reply:
    """One Workflow, with how many instances are in which status."""
    counts = Counter(one.status for one in _instances(call))
    return envelope(_workflow(_find(call)) | {"instances": dict.fromkeys(sorted(STATUSES), 0) | counts})


@routes.route(
    "DELETE",
    WORKFLOW,
    "writes",
    "workflows.instances.list",
    "workflows.instances.delete",
    name="workflows-delete-workflow",
)
def delete_workflow(call: Call) -> Reply:
    """Delete all instances of a Workflow."""
    for instance in _instances(call):
        call.run("workflows.instances.delete", id=instance.id, workflow=call.names["workflow_name"])
    return envelope({"status": "ok", "success": True})


@routes.route(
    "GET",
    f"{WORKFLOW}/instances",
    "reads",
    "workflows.instances.list",
    query={
        "page": Number(1, default=1),
        "per_page": Number(1, 100, default=25),
        "status": Choice(*STATUSES, optional=True),
        "date_start": Moment(optional=True),
        "date_end": Moment(optional=True),
    },
    name="workflows-list-instances",
)
def list_instances(call: Call) -> Reply:
    """A page of a Workflow's instances, the newest first."""
    query = call.query
    start, end = _time(query.get("date_start")), _time(query.get("date_end"))
    if start is not None and end is not None and start > end:
        raise ApiError(
            400,
            10502,
            "'date_start' must not be after 'date_end'. Update 'date_start' or 'date_end' so 'date_start' is before or "
            "equal to 'date_end'.",
        )
    found = _instances(call)
    kept = [
        one
        for one in found
        if query.get("status") in (None, one.status) and _within(_time(one.created), start, end)
    ]
    page, size = int(query["page"]), int(query["per_page"])
    return envelope(
        [_listed(one) for one in kept[(page - 1) * size : page * size]],
        {
            "page": page,
            "per_page": size,
            "total_count": len(kept),
            "total_pages": max(1, -(-len(kept) // size)),
            "status_counts": dict(Counter(one.status for one in found)),
        },
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _within(at: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    return at is not None and (start is None or at >= start) and (end is None or at <= end)


def _listed(one: WorkflowInstance) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.id, "status": one.status}
    return row if one.created is None else row | {"created_on": one.created}


@routes.route("GET", INSTANCE, "reads", "workflows.instances.get", name="workflows-get-instance-details")
def get_instance(call: Call) -> Reply:
    """One instance with its parameters, output, error and steps with every attempt."""
    one = _get(call)
    steps = [_step(step) for step in one.steps if step.kind in _STEPS]
    return envelope(
        {
            "status": one.status,
            "params": one.params,
            "queued": one.created,
            "start": one.started,
            "end": one.ended,
            "output": one.output,
            "error": one.error,
            "steps": steps,
            "step_count": len(steps),
        }
    )


def _get(call: Call) -> WorkflowInstance:
    name = _find(call).name
    try:
        found: WorkflowInstance = call.run(
            "workflows.instances.get", id=call.names["instance_id"], workflow=name
        )
    except WorkbenchError as error:
        raise _missing(error, call.names["instance_id"]) from None
    return found


def _missing(error: WorkbenchError, instance: str) -> Exception:
    if error.code == "workflows.instance_not_found":
        return ApiError(404, 10501, f"Workflow instance '{instance}' not found.")
    return error


def _step(step: WorkflowStep) -> dict[str, Any]:
    return _STEPS[step.kind](step)


def _done(step: WorkflowStep) -> dict[str, Any]:
    return {"name": step.name, "start": step.started, "end": step.ended}


def _do(step: WorkflowStep) -> dict[str, Any]:
    ended = {"complete": True, "failed": False}.get(step.status)
    found = _done(step) | {
        "success": ended,
        "type": "step",
        "config": step.config,
        "attempts": [
            {
                "start": one.started,
                "end": one.ended,
                "success": None if one.ended is None else one.error is None,
                "error": one.error,
            }
            for one in step.tries
        ],
    }
    return found if step.output is None else found | {"output": plain(step.output)}


def _sleep(step: WorkflowStep) -> dict[str, Any]:
    return _done(step) | {"finished": step.ended is not None, "type": "sleep", "error": None}


def _wait(step: WorkflowStep) -> dict[str, Any]:
    return _done(step) | {
        "finished": step.ended is not None,
        "type": "waitForEvent",
        "error": step.error,
        "output": step.output,
    }


_STEPS = {"step": _do, "sleep": _sleep, "wait": _wait}


@routes.route("DELETE", INSTANCE, "writes", "workflows.instances.delete", name="workflows-delete-instance")
def delete_instance(call: Call) -> Reply:
    """Delete an instance with its steps and what it kept."""
    name = _find(call).name
    try:
        call.run("workflows.instances.delete", id=call.names["instance_id"], workflow=name)
    except WorkbenchError as error:
        raise _missing(error, call.names["instance_id"]) from None
    return envelope({"success": True})


@routes.route(
    "POST",
    f"{WORKFLOW}/instances/batch/delete",
    "writes",
    "workflows.instances.delete",
    json=Fields(
        {"instances": ListOf(Text(least=1, most=271, pattern=r"^[a-zA-Z0-9, *\/#_-]+$"), least=1, most=100)}
    ),
    name="workflows-batch-delete-instances",
)
def delete_instances(call: Call) -> Reply:
    """Delete several instances; each that is not there is named."""
    name = _find(call).name
    deleted, errors = [], []
    for id in call.json["instances"]:
        try:
            call.run("workflows.instances.delete", id=id, workflow=name)
            deleted.append({"id": id})
        except WorkbenchError as error:
            if error.code != "workflows.instance_not_found":
                raise
            message = "workflows.api.error.instance.not_found"
            errors.append({"id": id, "code": 10400, "message": message})
    return envelope({"deleted": deleted, "errors": errors})
