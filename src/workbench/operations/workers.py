"""Deployed Workers: scripts, versions, deployments, bindings, the names of secrets, the live log."""

from typing import Annotated, Any

from workbench.model.errors import UsageError
from workbench.model.workers import DeployedBinding, Deployment, LogEvent, Script, ScriptVersion, SecretName

from . import READS, operation
from .parameters import Param
from .resolve import State
from .results import Stream

TheScript = Annotated[
    str | None,
    Param("the Worker's name (default: the project's)", positional=True, metavar="WORKER"),
]
Version = Annotated[
    str | None,
    Param("of the version with this id (default: the one that answers most requests)", metavar="ID"),
]
Count = Annotated[int | None, Param("end after so many events", "integer", metavar="N", minimum=1)]
Outcome = Annotated[
    tuple[str, ...],
    Param(
        "only what ended so; again for more", repeat=True, choices=("ok", "error", "canceled"), metavar="O"
    ),
]
Methods = Annotated[
    tuple[str, ...], Param("only requests of this method; again for more", repeat=True, metavar="METHOD")
]
Containing = Annotated[str | None, Param("only events whose log lines hold this text", metavar="TEXT")]
Sampling = Annotated[str | None, Param("only this part of the events: 0.01 to 1", metavar="RATE")]
_ERRORS = ["exception", "exceededCpu", "exceededMemory", "unknown"]


@operation("workers.list", effect=READS, examples=["cfwb workers list --remote"], capability="workers")
async def list_scripts(state: State) -> list[Script]:
    """Workers of the account; on a dev server (--server) those that run."""
    return await state.backend.workers.scripts()


@operation(
    "workers.versions.list",
    effect=READS,
    examples=["cfwb workers versions list shop-api --remote"],
    capability="workers.versions",
)
async def list_versions(state: State, script: TheScript = None) -> list[ScriptVersion]:
    """Versions of a Worker, the newest first."""
    return await state.backend.workers.versions(state.script(script))


@operation(
    "workers.deployments.list",
    effect=READS,
    examples=["cfwb workers deployments list shop-api --remote"],
    capability="workers.deployments",
)
async def list_deployments(state: State, script: TheScript = None) -> list[Deployment]:
    """Deployments of a Worker, the newest first: the first is what answers now."""
    return await state.backend.workers.deployments(state.script(script))


@operation(
    "workers.bindings.list",
    effect=READS,
    examples=["cfwb workers bindings list shop-api --remote"],
    capability="workers.bindings",
)
async def list_deployed(state: State, script: TheScript = None, of: Version = None) -> list[DeployedBinding]:
    """What a version of a Worker binds, as it is deployed."""
    return await state.backend.workers.bindings(state.script(script), of)


@operation(
    "workers.secrets.list",
    effect=READS,
    examples=["cfwb workers secrets list shop-api --remote"],
    capability="workers.secrets",
)
async def list_secrets(state: State, script: TheScript = None) -> list[SecretName]:
    """The names of a Worker's secrets; nobody gets their values."""
    return await state.backend.workers.secrets(state.script(script))


@operation(
    "workers.logs.watch",
    effect=READS,
    examples=[
        "cfwb workers logs watch shop-api --remote",
        "cfwb workers logs watch shop-api --outcome error --count 10 --json --remote",
    ],
    capability="workers.logs",
)
async def watch_logs(
    state: State,
    script: TheScript = None,
    outcome: Outcome = (),
    method: Methods = (),
    search: Containing = None,
    sampling: Sampling = None,
    count: Count = None,
) -> Stream[LogEvent]:
    """A Worker's live log, an event as it comes, until it is stopped.

    Opening it is noted on the account for as long as it lasts; nothing else changes.
    """
    filters: dict[str, Any] = {}
    if outcome:
        filters["outcome"] = [one for word in outcome for one in (_ERRORS if word == "error" else [word])]
    if method:
        filters["method"] = list(method)
    if search is not None:
        filters["query"] = search
    if sampling is not None:
        filters["sampling_rate"] = _rate(sampling)
    return Stream(await state.backend.workers.logs(state.script(script), filters), count)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise UsageError(f"--sampling wants a number above 0 and up to 1, not {text!r}")
    return rate
