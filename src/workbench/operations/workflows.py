"""Workflows and their instances."""

from typing import Annotated

from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.workflows import Workflow as WorkflowValue
from workbench.model.workflows import WorkflowInstance

from . import DESTROYS, READS, operation
from .parameters import Cursor, DryRun, Limit, Param, Workflow
from .resolve import State

Instance = Annotated[str, Param("the instance's id", positional=True, metavar="ID")]


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
