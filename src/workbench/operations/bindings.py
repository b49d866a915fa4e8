"""The project: its Workers, their bindings, and what is wrong with its config."""

from typing import Annotated, Any, NamedTuple

from workbench.model.bindings import Binding, Problem
from workbench.model.errors import WorkbenchError

from . import READS, operation
from .executor import problems_of
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

    State without a binding says `"bound": false`. Values of vars and secrets are masked until asked for.
    """
    found = [
        binding
        for worker in state.project.workers
        if state.worker is None or worker.name == state.worker
        for binding in worker.bindings
    ]
    known = {
        (binding.kind, binding.resource_id) for worker in state.project.workers for binding in worker.bindings
    }
    found += [
        binding for binding in await _unbound(state) if (binding.kind, binding.resource_id) not in known
    ]
    return [_shown(binding, reveal) for binding in found if kind in (None, binding.kind)]


def _shown(binding: Binding, reveal: bool) -> Binding:
    """With the value in the clear, or without any."""
    if "value" not in binding.detail:
        return binding
    if reveal:
        return binding
    detail: dict[str, Any] = {name: value for name, value in binding.detail.items() if name != "value"}
    return binding._replace(detail=detail)


async def _unbound(state: State) -> list[Binding]:
    """State on disk that no config names, as bindings that bind nothing. A product that can't be listed hides no other."""
    found: list[Binding] = []
    for listed in (_kv, _r2, _d1, _durable_objects, _workflows):
        try:
            found += await listed(state)
        except WorkbenchError:
            continue
    return found


def _bare(name: str, kind: str, id: str, label: str | None) -> Binding:
    return Binding(name, kind, id, label, None, bound=False)


async def _kv(state: State) -> list[Binding]:
    return [_bare(x.id, "kv", x.id, None) for x in await state.backend.kv.namespaces() if x.binding is None]


async def _r2(state: State) -> list[Binding]:
    return [
        _bare(x.name, "r2", x.name, x.name) for x in await state.backend.r2.buckets() if x.binding is None
    ]


async def _d1(state: State) -> list[Binding]:
    return [
        _bare(x.name, "d1", x.id, x.name) for x in await state.backend.d1.databases() if x.binding is None
    ]


async def _durable_objects(state: State) -> list[Binding]:
    spaces = await state.backend.durable_objects.namespaces()
    return [_bare(x.class_name, "durable_object", x.id, x.class_name) for x in spaces if x.binding is None]


async def _workflows(state: State) -> list[Binding]:
    flows = await state.backend.workflows.list()
    return [_bare(x.name, "workflow", x.name, x.class_name) for x in flows if x.binding is None]


@operation("project.get", effect=READS, examples=["cfwb project get --json"])
async def get_project(state: State) -> ProjectSummary:
    """The project: its Workers, its state directory, and its config's problems."""
    project = state.project
    workers = [
        WorkerSummary(w.name, w.config_path, w.environment, w.environments, w.main, len(w.bindings))
        for w in project.workers
    ]
    return ProjectSummary(
        project.folder,
        project.state_directory,
        state.backend.server_running(),
        workers,
        problems_of(project),
    )
