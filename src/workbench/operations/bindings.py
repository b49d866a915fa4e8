"""The project: its Workers, their bindings, and what is wrong with its config."""

from typing import Annotated, Any, NamedTuple

from workbench.model.bindings import Binding, Problem

from . import READS, operation
from .parameters import Param
from .resolve import State

Reveal = Annotated[bool, Param("also the values of vars and secrets", "boolean")]
Kind = Annotated[str | None, Param("only one kind: kv, r2, d1, durable_object, secret, ...", metavar="KIND")]


class WorkerSummary(NamedTuple):
    """A Worker of the project. bindings: how many."""

    name: str
    config: str
    environment: str | None
    environments: tuple[str, ...]
    main: str | None
    bindings: int


class ProjectSummary(NamedTuple):
    """The project and its state directory. server_running: whether an emulator has the state open now."""

    folder: str
    state_directory: str
    server_running: bool
    workers: list[WorkerSummary]
    problems: list[Problem]


@operation(
    "bindings.list",
    effect=READS,
    examples=["cfwb bindings list", "cfwb bindings list --kind secret --reveal"],
)
async def list_bindings(state: State, kind: Kind = None, reveal: Reveal = False) -> list[Binding]:
    """Everything the Workers bind, and state that nothing binds.

    State without a binding has no Worker and says `"bound": false`. Values of vars and secrets are masked until asked for.
    """
    return [
        _shown(binding, reveal)
        for worker in state.project.workers
        if state.worker is None or worker.name == state.worker
        for binding in worker.bindings
        if kind in (None, binding.kind)
    ] + [_shown(binding, reveal) for binding in await _unbound(state) if kind in (None, binding.kind)]


def _shown(binding: Binding, reveal: bool) -> Binding:
    """With the value in the clear, or without any."""
    if "value" not in binding.detail:
        return binding
    if reveal:
        return binding
    detail: dict[str, Any] = {name: value for name, value in binding.detail.items() if name != "value"}
    return binding._replace(detail=detail)


async def _unbound(state: State) -> list[Binding]:
    """State on disk that no config names, as bindings that bind nothing."""
    backend = state.backend
    found = [
        Binding(space.id, "kv", space.id, None, None, bound=False)
        for space in await backend.kv.namespaces()
        if space.binding is None
    ]
    found += [
        Binding(bucket.name, "r2", bucket.name, bucket.name, None, bound=False)
        for bucket in await backend.r2.buckets()
        if bucket.binding is None
    ]
    found += [
        Binding(database.name, "d1", database.id, database.name, None, bound=False)
        for database in await backend.d1.databases()
        if database.binding is None
    ]
    found += [
        Binding(space.class_name, "durable_object", space.id, space.class_name, None, bound=False)
        for space in await backend.durable_objects.namespaces()
        if space.binding is None
    ]
    found += [
        Binding(flow.name, "workflow", flow.name, flow.class_name, None, bound=False)
        for flow in await backend.workflows.list()
        if flow.binding is None
    ]
    return found


@operation("project.get", effect=READS, examples=["cfwb project get --json"])
async def get_project(state: State) -> ProjectSummary:
    """The project: its Workers, its state directory, and its config's problems."""
    project = state.project
    workers = [
        WorkerSummary(w.name, w.config_path, w.environment, w.environments, w.main, len(w.bindings))
        for w in project.workers
    ]
    problems = [*project.problems, *(problem for worker in project.workers for problem in worker.problems)]
    return ProjectSummary(
        project.folder,
        project.state_directory,
        state.backend.server_running(),
        workers,
        list(dict.fromkeys(problems)),
    )
