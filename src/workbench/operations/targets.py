"""Opening a target that is asked over the network: the deployed account, or a running dev server by its address.

Imported only where a command or a pane names one of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.project import load

from .resolve import State

if TYPE_CHECKING:
    from workbench.backends import Backend
    from workbench.model.bindings import Worker

    from . import AccountNeed


def project_or_none(
    folder: str, *, worker: str | None, environment: str | None, persist_to: str | None
) -> Project:
    """The project of a folder; an empty one where there is none. A Worker or environment that was named must be there."""
    try:
        return load(folder, worker=worker, environment=environment, persist_to=persist_to)
    except WorkbenchError as error:
        if error.code != "project.not_found":
            raise
        place = os.path.abspath(folder)
        return Project(place, (), os.path.join(place, ".wrangler", "state"))


def open_account(
    folder: str,
    worker: str | None,
    environment: str | None,
    *,
    choose: AccountNeed,
    account_id: str | None = None,
) -> State:
    """The deployed account, with the bindings of the project where there is one. choose: whether an account must be clear.

    account_id: the one that a person chose, where nothing else names one.
    """
    from workbench.backends.cloudflare.remote import connect

    project = project_or_none(folder, worker=worker, environment=environment, persist_to=None)
    said = _saying(project.workers)
    configured, path = (said.account_id, said.config_path) if said else (None, "")
    if account_id is not None and configured is None:
        configured, path = account_id, "the choice made here"
    backend = connect(project, configured, path, choose=choose)
    return State(
        backend.project,
        backend,
        backend.target,
        project.workers[0].name if worker and project.workers else None,
    )


def open_server(
    folder: str, worker: str | None, environment: str | None, persist_to: str | None, address: str
) -> State:
    """The local target of a project, through the dev server at this address."""
    from workbench.backends.cloudflare.live import connect

    project = project_or_none(folder, worker=worker, environment=environment, persist_to=persist_to)
    named = address != "auto"
    if not named:
        from workbench.backends.servers.finding import the_one

        address = the_one(project).url
    backend = connect(project, address)
    target = backend.target
    if named and not _is_on(project, backend.via):
        target = target._replace(
            source=backend.via
        )  # what it holds is not this project's state, so that is not named
    return State(project, backend, target, project.workers[0].name if worker and project.workers else None)


def _is_on(project: Project, url: str) -> bool:
    """Whether the server at an address has the project's state, as far as that can be told: where nobody says, it is taken to."""
    from workbench.backends.servers.finding import at, on_state

    found = at(url, project)
    if found is None or found.project or not any(worker.says_whose for worker in found.workers):
        return True
    return any(_port(one.url) == _port(url) for one in on_state(project))


def _port(url: str) -> int | None:
    from urllib.parse import urlsplit

    return urlsplit(url).port


def open_bridge(folder: str, name: str) -> State:
    """The sandboxes behind a deployed bridge."""
    from workbench.backends.sandboxes.bridged import BridgeBackend
    from workbench.backends.sandboxes.bridges import Bridges

    bridges = Bridges()
    bridge = bridges.get(name)
    token = bridges.token(name)
    project = project_or_none(folder, worker=None, environment=None, persist_to=None)
    backend = BridgeBackend(bridge, token, project)
    return State(project, cast("Backend", backend), backend.target)


def _saying(workers: tuple[Worker, ...]) -> Worker | None:
    """The first Worker whose config names an account; the one in use is first."""
    return next((worker for worker in workers if worker.account_id), None)
