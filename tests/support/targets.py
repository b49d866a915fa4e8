"""The adapter's implementations on one running emulator: its state directory, its mirror of the API, the stand-in in front of it, and
the account's client on `cfwb serve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.support.account import ACCOUNT, StandIn
from tests.support.mirror import Mirror
from tests.support.oracle import Oracle
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.operations.executor import State
from workbench.project import load

ROUTES = ("local", "live", "remote", "mirror")


@contextmanager
def opened(route: str, oracle: Oracle, **options: Any) -> Iterator[State]:
    """The oracle's project on one of the routes."""
    project = load(str(oracle.project), persist_to=str(oracle.state))
    if route == "local":
        yield _state(project, LocalBackend(project))
    elif route == "live":
        from workbench.backends.cloudflare.live import connect

        live = connect(project, oracle.emulator.url, **options)
        try:
            yield _state(project, live)
        finally:
            live.close()
    elif route == "mirror":
        with (
            TemporaryDirectory() as home,
            Mirror(oracle.project, Path(home), "--persist-to", str(oracle.emulator.persist_to)) as mirror,
            account(mirror, project, **options) as state,
        ):
            yield state
    else:
        with StandIn(oracle) as stand_in, account(stand_in, project, **options) as state:
            yield state


@contextmanager
def account(stand_in: StandIn | Mirror, project: Project | None = None, **options: Any) -> Iterator[State]:
    """The account behind a stand-in (or behind `cfwb serve`), as the CLI opens it."""
    from workbench.backends.cloudflare.remote import connect

    variables = {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT, **stand_in.environment()}
    with patch.dict("os.environ", variables):
        backend = connect(project or Project(".", (), "./.wrangler/state"), **options)
        try:
            yield _state(backend.project, backend)
        finally:
            backend.close()


def _state(project: Project, backend: Any) -> State:
    return State(project, backend, backend.target)
