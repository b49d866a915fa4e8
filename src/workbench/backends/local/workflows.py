"""Workflows in the emulator's state directory: `workflows/miniflare-workflows-<name>/<hash of the instance id>.sqlite`.

Each instance is an object of the emulator's own engine. Its id, its event and its status are key-value entries
(`INSTANCE_METADATA`, `ENGINE_STATUS`); what happened is a log, table `states`: an event's number, the step's group and
name, and JSON. A step's exact output is a key-value entry of its group, since the log knows JSON only.
(workers-sdk, workflows-shared: engine and instance.)
"""

import json
from typing import Any

import apsw

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.workflows import Workflow, WorkflowInstance, WorkflowStep, WorkflowTry

from . import database, naming, storage
from .manners import server_running
from .object_files import Folder, list_folder

STATUSES = ("queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting")
"""By the engine's number."""
_MOST_COUNTED = 500
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


LIVE_NOTE = (
    "A server is running, so the instance is emptied in place; one that is under way stays in the server's memory, "
    "and goes on, until the server starts again."
)


class LocalWorkflows:
    """The product of the local backend; see the protocol `Workflows`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._state = project.state_directory
        self._folder = f"{project.state_directory}/v3/workflows"

    async def list(self) -> list[Workflow]:
        """Bound Workflows in the order of the configs, then those that only lie on disk, by name."""
        found: dict[str, Workflow] = {}
        for binding in (one for worker in self._project.workers for one in worker.bindings):
            if binding.kind == "workflow" and binding.resource_id and binding.resource_id not in found:
                found[binding.resource_id] = Workflow(
                    binding.resource_id,
                    binding.detail.get("class_name"),
                    binding.name if binding.bound else None,
                    binding.worker,
                    None,
                    binding.bound,
                )
        for folder in sorted(list_folder(self._folder).names):
            name = folder.removeprefix(naming.WORKFLOWS_PREFIX)
            if (
                folder.startswith(naming.WORKFLOWS_PREFIX)
                and name not in found
                and list_folder(f"{self._folder}/{folder}").ids()
            ):
                found[name] = Workflow(name, bound=False)
        return [one._replace(instances=_count(self._files(one.name))) for one in found.values()]

    def _files(self, workflow: str) -> Folder:
        if "/" in workflow:
            return Folder("", [])
        return list_folder(f"{self._folder}/{naming.WORKFLOWS_PREFIX}{workflow}")

    async def instances(
        self, workflow: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[WorkflowInstance]:
        """Newest first, without steps. A file that can't be read is an instance of status "unknown"."""
        folder = self._files(workflow)
        heads = sorted((one for id in folder.ids() if (one := _head(folder, id))), key=_newest_first)
        begin = 0
        if cursor is not None:
            begin = next((at + 1 for at, one in enumerate(heads) if one.id == cursor), len(heads))
        page = heads[begin:] if limit is None else heads[begin : begin + limit]
        more = begin + len(page) < len(heads)
        return Page(page, page[-1].id if page and more else None)

    async def get(self, workflow: str, instance: str) -> WorkflowInstance:
        folder = self._files(workflow)
        file = self._file(folder, workflow, instance)
        with database.read(folder.database(file)) as connection:
            return _instance(connection, file, steps=True)

    def _file(self, folder: Folder, workflow: str, instance: str) -> str:
        """The file an instance is kept in: a name made of its id, as an object's is; a file's own name is taken too."""
        file = naming.id_from_name(naming.WORKFLOWS_PREFIX + workflow, instance)
        for candidate in (file, instance):
            if folder.has(candidate) and _head(folder, candidate) is not None:
                return candidate
        ids = folder.ids()
        raise WorkbenchError(
            "workflows.instance_not_found",
            f"the Workflow {workflow} has no instance {instance}",
            f"there are {_count(folder)}" if ids else "it has never run here",
        )

    async def delete_instance(self, workflow: str, instance: str, dry_run: bool = False) -> Removal:
        """Its file removed, or emptied in place while a server runs (which may still have it in memory)."""
        from .emptying import remove_object

        folder = self._files(workflow)
        file = self._file(folder, workflow, instance)
        live = server_running(self._state)
        what = f"instance {instance}"
        removal = remove_object(folder, file, what=what, live=live, dry_run=dry_run, keep_tables=True)
        if not live:
            return removal
        return removal._replace(needs_restart=True, note=LIVE_NOTE)


def _head(folder: Folder, file: str) -> WorkflowInstance | None:
    """An instance without its steps; None where its file was emptied, or never held one."""
    try:
        with database.read(folder.database(file)) as connection:
            return _instance(connection, file, steps=False) if _is_there(connection) else None
    except (WorkbenchError, apsw.Error):
        return WorkflowInstance(file, "unknown", None, None, None)


def _is_there(connection: apsw.Connection) -> bool:
    if not storage.has_table(connection, "_cf_KV"):
        return False
    return connection.execute("SELECT 1 FROM _cf_KV WHERE key = 'INSTANCE_METADATA'").get is not None


def _count(folder: Folder) -> int:
    """How many instances; of very many the files are counted, some of which may have been emptied."""
    ids = folder.ids()
    if len(ids) > _MOST_COUNTED:
        return len(ids)
    return sum(_head(folder, id) is not None for id in ids)


def _newest_first(instance: WorkflowInstance) -> tuple[bool, str, str]:
    created = instance.created or ""
    return (not created, "".join(chr(0x10FFFF - ord(letter)) for letter in created), instance.id)


def _instance(connection: apsw.Connection, file: str, *, steps: bool) -> WorkflowInstance:
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
