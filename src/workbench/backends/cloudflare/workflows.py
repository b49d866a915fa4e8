"""Workflows through the API: instances with their steps; creating, driving and sending them events.

Sources: the API's pages (workflows), miniflare's explorer. The two name the same fields differently: an instance's id is `instance_id` or
`id` in a creation; a change of status was `action` to older dev servers, and is `status` to newer ones.
"""

from typing import Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.workflows import Workflow, WorkflowInstance, WorkflowStep

from .api import Answer, Api, ApiError, join
from .offers import lacks
from .paging import numbered
from .shapes import moment

ROOT = "/workflows"
_KINDS = {"waitForEvent": "wait"}
PER_PAGE = 100


class CloudWorkflows:
    """The products `Workflows` and `WorkflowControl` of the protocol. Workflows go by name."""

    def __init__(self, api: Api, project: Project, *, live: bool) -> None:
        self._api = api.of("workflows")
        self._project = project
        self._live = live

    async def list(self) -> list[Workflow]:
        """All of them, those that the config binds with the binding's name."""
        rows = (await self._api.get(ROOT)).result if self._live else await numbered(self._api, ROOT)
        bound = {
            binding.resource_id: binding
            for worker in self._project.workers
            for binding in worker.bindings
            if binding.kind == "workflow" and binding.bound
        }
        found = []
        for row in rows:
            name, counts = str(row["name"]), row.get("instances")
            binding = bound.get(name)
            found.append(
                Workflow(
                    name,
                    row.get("class_name"),
                    binding.name if binding else None,
                    binding.worker if binding else row.get("script_name"),
                    sum(int(count) for count in counts.values()) if isinstance(counts, dict) else None,
                    binding is not None,
                )
            )
        return found

    async def instances(
        self, workflow: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[WorkflowInstance]:
        """Newest first, without steps. cursor: the number of instances that are past."""
        path = f"{ROOT}{join(workflow)}/instances"
        past = _number(cursor)
        found: list[WorkflowInstance] = []
        while True:
            page, skip = divmod(past, PER_PAGE)
            answer = await self._api.get(path, {"page": page + 1, "per_page": PER_PAGE})
            rows = answer.result[skip:]
            taken = rows if limit is None else rows[: limit - len(found)]
            found += map(_head, taken)
            past += len(taken)
            if len(taken) < len(rows) or (limit is not None and len(found) >= limit and _more(answer, past)):
                return Page(found, str(past))
            if not taken or not _more(answer, past):
                return Page(found)

    async def get(self, workflow: str, instance: str) -> WorkflowInstance:
        """One instance with its steps. Raises `workflows.instance_not_found`."""
        try:
            row = (await self._api.get(self._path(workflow, instance))).result
        except ApiError as error:
            if error.status == 404:
                raise WorkbenchError(
                    "workflows.instance_not_found",
                    f"the Workflow {workflow} has no instance {instance}",
                    error.hint,
                ) from None
            raise
        return WorkflowInstance(
            instance,
            str(row.get("status") or "unknown"),
            moment(row.get("queued")),
            moment(row.get("start")),
            moment(row.get("end")),
            row.get("params"),
            row.get("output"),
            row.get("error"),
            tuple(_step(step) for step in row.get("steps") or ()),
        )

    async def delete_instance(self, workflow: str, instance: str, dry_run: bool = False) -> Removal:
        """On the mirror; the account keeps instances until their retention is over."""
        if not self._live:
            raise lacks("workflows.instances.delete", live=False)
        await self.get(workflow, instance)
        if not dry_run:
            await self._api.send(
                "DELETE", self._path(workflow, instance), doing=f"deleting the instance {instance}"
            )
        return Removal([f"instance {instance}"], 1, dry_run)

    async def create(self, workflow: str, id: str | None = None, params: Any = None) -> str:
        """Start an instance; its id."""
        body: dict[str, Any] = {} if id is None else {"id" if self._live else "instance_id": id}
        if params is not None:
            body["params"] = params
        answer = await self._api.send(
            "POST",
            f"{ROOT}{join(workflow)}/instances",
            json_body=body,
            doing=f"starting an instance of {workflow}",
        )
        return str(answer.result["id"])

    async def change(self, workflow: str, instance: str, action: str) -> str:
        """pause, resume, restart or terminate."""
        answer = await self._api.send(
            "PATCH",
            f"{self._path(workflow, instance)}/status",
            json_body={"status": action} | ({"action": action} if self._live else {}),
            doing=f"to {action} the instance {instance}",
        )
        told = answer.result.get("status") if isinstance(answer.result, dict) else None
        return told if isinstance(told, str) and told != "ok" else (await self.get(workflow, instance)).status

    async def send_event(self, workflow: str, instance: str, type: str, payload: Any = None) -> None:
        """Hand an event to an instance that may wait for it."""
        await self._api.send(
            "POST",
            f"{self._path(workflow, instance)}/events{join(type)}",
            json_body={} if payload is None else payload,
            doing=f"sending the event {type}",
        )

    def _path(self, workflow: str, instance: str) -> str:
        return f"{ROOT}{join(workflow)}/instances{join(instance)}"


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal():
        raise WorkbenchError("remote.bad_cursor", "the cursor is none of this list's")
    return int(cursor)


def _more(answer: Answer, past: int) -> bool:
    total = answer.info.get("total_count")
    return past < total if isinstance(total, int) else len(answer.result) == PER_PAGE


def _head(row: Any) -> WorkflowInstance:
    return WorkflowInstance(
        str(row["id"]),
        str(row.get("status") or "unknown"),
        moment(row.get("created_on")),
        moment(row.get("started_on")),
        moment(row.get("ended_on")),
    )


def _step(row: Any) -> WorkflowStep:
    attempts = row.get("attempts") or []
    failed = next((one["error"] for one in reversed(attempts) if one.get("error")), None)
    ended = row.get("end")
    if row.get("type") in ("step", "rollback", None):
        status = {True: "complete", False: "failed"}.get(row.get("success"), "running")
    elif row.get("error"):
        status = "failed"
    else:
        status = "complete" if row.get("finished") or row.get("type") == "termination" else "waiting"
    return WorkflowStep(
        str(row.get("name") or ""),
        _KINDS.get(str(row.get("type")), str(row.get("type") or "step")),
        status,
        moment(row.get("start")),
        moment(ended),
        len(attempts),
        row.get("output"),
        row.get("error") or (failed if status == "failed" else None),
        row.get("config"),
    )
