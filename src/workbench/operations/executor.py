"""The one door: every operation, from every face, runs through `execute`, and every console through `sql_session`.

What has to be asked before a write (a confirmation; a policy) and what has to be kept of it belongs in `_run`, and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from workbench.model.errors import UsageError, WorkbenchError

from . import DESTROYS, READS, AccountNeed, Operation, get
from .driving import Driver, drive
from .parameters import check
from .resolve import State

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase, SqlSession
    from workbench.model.bindings import Problem, Project
    from workbench.model.state import Removal
    from workbench.model.target import Target


class Question:
    """What a person is asked before something goes. removal: what would go (a dry run's answer; on the deployed account empty
    for what only writes). resource: what is touched, in words, where it is the account's. typed: the name that is to be typed.
    """

    def __init__(
        self, operation: str, target: Target, removal: Removal, resource: str = "", typed: str | None = None
    ) -> None:
        self.operation = operation
        self.target = target
        self.removal = removal
        self.resource = resource
        self.typed = typed


Confirm = Callable[[Question], bool | Awaitable[bool]]
"""Asks a person. An answer that has to be waited for comes only in an event loop."""


async def says_yes(confirm: Confirm, question: Question) -> bool:
    """What was answered."""
    said = confirm(question)
    return said if isinstance(said, bool) else await said


def open_state(
    folder: str = ".",
    worker: str | None = None,
    environment: str | None = None,
    persist_to: str | None = None,
    remote: bool = False,
    *,
    alone: bool = False,
    account: AccountNeed = "must",
    server: str | None = None,
    bridge: str | None = None,
    account_id: str | None = None,
) -> State:
    """Open the project that `folder` belongs to. Raises WorkbenchError (`project.not_found`, `remote.no_credentials`, ...).

    remote: on the deployed account, where a project is not needed. alone: for an operation that needs no project.
    account: whether one must be clear, on the account. server: the address of a running dev server, through whose API the
    local target is reached. bridge: the name of a deployed bridge, whose sandboxes are meant.
    account_id: the account that a person chose, where neither the environment nor the config names one.
    """
    if bridge is not None:
        from .targets import open_bridge

        return open_bridge(folder, bridge)
    if remote and account_id is not None:
        from .targets import open_account

        state = open_account(folder, worker, environment, choose=account, account_id=account_id)
    else:
        state = _opened(folder, worker, environment, persist_to, remote, alone, account, server)
    state.opened_with = {
        "folder": folder,
        "worker": worker,
        "environment": environment,
        "persist_to": persist_to,
    }
    return state


def _opened(
    folder: str,
    worker: str | None,
    environment: str | None,
    persist_to: str | None,
    remote: bool,
    alone: bool,
    account: AccountNeed,
    server: str | None,
) -> State:
    if server is not None:
        from .targets import open_server

        return open_server(folder, worker, environment, persist_to, server)
    if remote:
        from .targets import open_account

        return open_account(folder, worker, environment, choose=account)
    from workbench.backends.servers.served import ServedBackend

    if alone:
        from .targets import project_or_none as load_project
    else:
        from workbench.project import load as load_project

    project = load_project(folder, worker=worker, environment=environment, persist_to=persist_to)
    backend = ServedBackend(project)
    return State(
        project, backend, backend.target, project.workers[0].name if worker and project.workers else None
    )


def problems_of(project: Project) -> list[Problem]:
    """Everything that is wrong in a project's files, each thing once."""
    found = [*project.problems, *(problem for worker in project.workers for problem in worker.problems)]
    return list(dict.fromkeys(found))


def suspends(state: State | None, operation: Operation) -> bool:
    """Whether an operation waits for something (a hub, an account), and so needs an event loop."""
    return operation.suspends or (state is not None and state.backend.suspends)


async def execute(
    state: State | None,
    operation_name: str,
    arguments: dict[str, Any],
    *,
    force: bool = False,
    dry_run: bool = False,
    confirm: Confirm | None = None,
) -> Any:
    """Run an operation: a model value, a Page, a list, a Document or a Body.

    arguments: by parameter name; checked here. state: may be None for an operation about the tool itself. An operation that
    destroys runs with `force`, or after `confirm` has said yes to what would go; else `confirmation.needed`.
    Raises UsageError for wrong arguments, WorkbenchError for what failed.
    """
    operation = get(operation_name)
    if dry_run:
        if operation.effect != DESTROYS and not operation.between:
            raise UsageError(
                f"{operation_name} has no dry run", "only operations that destroy or copy have one"
            )
        arguments = arguments | {"dry_run": True}
    on_disk = (
        state is not None and state.target.kind == "local" and not (state.target.via or operation.between)
    )
    checked = check(operation.parameters, arguments, stored=on_disk)
    force = bool(checked.pop("force", False)) or force
    if operation.stateless:
        return await operation.function(**checked)
    if state is None:
        raise WorkbenchError("internal.no_state", f"{operation_name} needs an open project")
    if operation.between and ("from_" in checked or "to" in checked):
        from .between import both

        with both(state, checked) as target:
            try:
                return await _run(target, operation, checked, force, confirm)
            finally:
                state.elsewhere = target.answered
    return await _run(state, operation, checked, force, confirm)


async def _run(
    state: State, operation: Operation, arguments: dict[str, Any], force: bool, confirm: Confirm | None
) -> Any:
    """Ask what has to be asked, then do it."""
    if operation.capability:
        capability = state.backend.capability(operation.capability)
        if not capability.available:
            raise WorkbenchError("target.not_capable", capability.why_not)
    if state.target.kind == "remote" and operation.effect != READS and not arguments.get("dry_run"):
        from .consent import consented, must_be_writable

        if not state.bridged:
            arguments = await consented(state, operation, arguments, force, confirm)
            return await operation.function(state, **arguments)
        # What runs in a sandbox is no write to the account's data: there only what destroys is asked about.
        must_be_writable(state, operation.name)
    if operation.effect == DESTROYS and not force and not arguments.get("dry_run"):
        effect: str = DESTROYS
        if operation.weigh is not None:
            effect, arguments = await operation.weigh(state, arguments)
        if effect != DESTROYS:
            return await operation.function(state, **arguments)
        if confirm is None:
            raise WorkbenchError(
                "confirmation.needed",
                f"{operation.name} destroys data and needs --force",
                "--dry-run lists what would go",
            )
        removal = await what_would_go(state, operation, arguments)
        if removal.total and not await says_yes(confirm, Question(operation.name, state.target, removal)):
            raise WorkbenchError("confirmation.refused", "nothing was changed")
    return await operation.function(state, **arguments)


async def what_would_go(state: State, operation: Operation, arguments: dict[str, Any]) -> Removal:
    """A dry run's answer; of one that shows a request instead of things, that request."""
    from workbench.model.state import Removal

    found = await operation.function(state, **arguments | {"dry_run": True})
    return found if isinstance(found, Removal) else Removal([f"{found.method} {found.url}"], 1, True)


async def sql_database(
    state: State,
    product: str,
    *,
    database: str | None = None,
    namespace: str | None = None,
    object: str | None = None,
    facets: tuple[str, ...] = (),
) -> SqlDatabase:
    """The SQL side of a D1 database (product "d1") or of an object or a facet ("do"), as the user named it."""
    if product == "d1":
        return await state.backend.d1.sql(await state.database(database))
    if product != "do" or object is None:
        raise UsageError("a SQL database is product 'd1', or 'do' with an object")
    found, id = await state.object(namespace, object)
    return await state.backend.durable_objects.sql(found, id, facets)


async def sql_session(
    state: State, product: str, *, read_only: bool = False, agreed: bool = False, **where: Any
) -> SqlSession:
    """A console's connection, kept over several statements; `where` as in `sql_database`.

    On the deployed account it only reads, unless somebody agreed to writes there (agreed) and the project allows them.
    """
    if state.target.kind == "remote" and not read_only:
        from workbench.project.preferences import remote_is_read_only

        read_only = not agreed or remote_is_read_only(state.project.folder)
    return await (await sql_database(state, product, **where)).session(read_only=read_only)


__all__ = [
    "Confirm",
    "Driver",
    "Question",
    "State",
    "drive",
    "execute",
    "open_state",
    "problems_of",
    "sql_database",
    "sql_session",
    "suspends",
]
