"""Workflows and their instances."""

from typing import Annotated, Any, NamedTuple

from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.workflows import Workflow as WorkflowValue
from workbench.model.workflows import WorkflowInstance

from . import DESTROYS, READS, WRITES, operation
from .parameters import Cursor, DryRun, Limit, Param, Workflow
from .resolve import State

Instance = Annotated[str, Param("the instance's id", positional=True, metavar="ID")]
NewInstance = Annotated[
    str | None, Param("the instance's id (default: one is made up)", positional=True, metavar="ID")
]
Given = Annotated[Any, Param("what it is given, as JSON", "json", metavar="JSON")]
Type = Annotated[str, Param("the event's type, as the instance waits for it", metavar="TYPE")]


class Driven(NamedTuple):
    """An instance after it was started or changed."""

    id: str
    workflow: str
    status: str


@operation("workflows.list", effect=READS, examples=["cfwb workflows list"], capability="workflows")
async def list_workflows(state: State) -> list[WorkflowValue]:
    """Workflows: those of the config, and those that only the state holds."""
    return await state.backend.workflows.list()


@operation(
    "workflows.instances.list",
    effect=READS,
    examples=["cfwb workflows instances list --workflow billing-flow"],
    capability="workflows",
    fields=("id", "status", "created", "started", "ended", "params", "output", "error"),
)
async def list_instances(
    state: State, workflow: Workflow = None, limit: Limit = None, cursor: Cursor = None
) -> Page[WorkflowInstance]:
    """Instances of a workflow, newest first, without their steps."""
    return await state.backend.workflows.instances(await state.workflow(workflow), limit, cursor)


@operation(
    "workflows.instances.get",
    effect=READS,
    examples=["cfwb workflows instances get order-1 --workflow billing-flow"],
    capability="workflows",
)
async def get_instance(state: State, id: Instance, workflow: Workflow = None) -> WorkflowInstance:
    """One instance with its parameters, output, error and steps."""
    return await state.backend.workflows.get(await state.workflow(workflow), id)


@operation(
    "workflows.instances.delete",
    effect=DESTROYS,
    examples=["cfwb workflows instances delete order-1 --workflow billing-flow --force"],
    capability="workflows",
)
async def delete_instance(
    state: State, id: Instance, workflow: Workflow = None, dry_run: DryRun = False
) -> Removal:
    """Delete an instance with its steps and what it kept."""
    return await state.backend.workflows.delete_instance(await state.workflow(workflow), id, dry_run=dry_run)


@operation(
    "workflows.instances.create",
    effect=WRITES,
    examples=[
        "cfwb workflows instances create order-7 --workflow billing-flow --params '{\"order\": 7}' --remote --force"
    ],
    capability="workflow_control",
)
async def create_instance(
    state: State, id: NewInstance = None, workflow: Workflow = None, params: Given = None
) -> Driven:
    """Start an instance, on the account or on a running dev server (--server)."""
    name = await state.workflow(workflow)
    made = await state.backend.workflow_control.create(name, id, params)
    return Driven(made, name, "queued")


async def _change(state: State, id: str, workflow: str | None, action: str) -> Driven:
    name = await state.workflow(workflow)
    return Driven(id, name, await state.backend.workflow_control.change(name, id, action))


@operation(
    "workflows.instances.pause",
    effect=WRITES,
    examples=["cfwb workflows instances pause order-7 --workflow billing-flow --remote --force"],
    capability="workflow_control",
)
async def pause_instance(state: State, id: Instance, workflow: Workflow = None) -> Driven:
    """Pause an instance after the step it is in."""
    return await _change(state, id, workflow, "pause")


@operation(
    "workflows.instances.resume",
    effect=WRITES,
    examples=["cfwb workflows instances resume order-7 --workflow billing-flow --remote --force"],
    capability="workflow_control",
)
async def resume_instance(state: State, id: Instance, workflow: Workflow = None) -> Driven:
    """Let a paused instance go on."""
    return await _change(state, id, workflow, "resume")


@operation(
    "workflows.instances.restart",
    effect=WRITES,
    examples=["cfwb workflows instances restart order-7 --workflow billing-flow --remote --force"],
    capability="workflow_control",
)
async def restart_instance(state: State, id: Instance, workflow: Workflow = None) -> Driven:
    """Begin an instance again, from its first step."""
    return await _change(state, id, workflow, "restart")


@operation(
    "workflows.instances.terminate",
    effect=WRITES,
    examples=["cfwb workflows instances terminate order-7 --workflow billing-flow --remote --force"],
    capability="workflow_control",
)
async def terminate_instance(state: State, id: Instance, workflow: Workflow = None) -> Driven:
    """End an instance; it stays listed."""
    return await _change(state, id, workflow, "terminate")


@operation(
    "workflows.events.send",
    effect=WRITES,
    examples=[
        "cfwb workflows events send order-7 --type payment --payload '{\"paid\": true}' --workflow billing-flow --remote --force"
    ],
    capability="workflow_control",
)
async def send_event(
    state: State, id: Instance, type: Type, workflow: Workflow = None, payload: Given = None
) -> Driven:
    """Hand an event to an instance that waits for one of its type."""
    name = await state.workflow(workflow)
    await state.backend.workflow_control.send_event(name, id, type, payload)
    return Driven(id, name, (await state.backend.workflows.get(name, id)).status)
