"""Who we are to the API: `auth get`; and what a project may do there: `project update`."""

from typing import Annotated, Any, NamedTuple

from workbench.model.errors import WorkbenchError

from . import READS, WRITES, operation
from .parameters import Param
from .resolve import State

Mode = Annotated[
    str,
    Param(
        "what may be done on the deployed account from this project",
        choices=("writable", "read-only"),
        metavar="MODE",
    ),
]


class Identity(NamedTuple):
    """kind: token, key or login. source: the variable or the file. email: whose it is, where the API tells. scopes: of a login (a
    token does not tell its own). expires: of a login, ISO 8601 UTC. account: the one a command works on, or None where it must
    be chosen; account_source: from where. accounts: those the credentials reach, or None where they may not list them.
    """

    kind: str
    source: str
    email: str | None
    status: str | None
    scopes: list[str] | None
    expires: str | None
    account: str | None
    account_source: str | None
    accounts: list[dict[str, Any]] | None


class ProjectMode(NamedTuple):
    """What was set for the project."""

    folder: str
    remote_mode: str


@operation("auth.get", effect=READS, examples=["cfwb auth get"], alone=True, always_remote=True)
async def get_identity(state: State) -> Identity:
    """Who you are to Cloudflare: credentials, from where, scopes, the account.

    It asks the API; the credentials themselves are never shown.
    """
    from workbench.backends.cloudflare.accounts import all_accounts
    from workbench.backends.cloudflare.remote import RemoteBackend
    from workbench.model.times import iso

    backend = state.backend
    assert isinstance(backend, RemoteBackend)
    credentials = backend.everything.line.credentials
    assert credentials is not None
    email, status = credentials.email or None, None
    if credentials.kind == "token":
        status = (await backend.everything.get("/user/tokens/verify")).result.get("status")
    reached: list[dict[str, Any]] | None
    try:
        reached = [{"id": one.id, "name": one.name} for one in await all_accounts(backend.everything)]
    except WorkbenchError as error:
        if error.code != "remote.not_allowed":
            raise
        reached = None
    if email is None:
        try:
            email = (await backend.everything.get("/user")).result.get("email")
        except WorkbenchError as error:
            if error.code not in ("remote.not_allowed", "remote.not_authenticated"):
                raise
    login = (backend.everything.line.credentials or credentials).login
    account, source = backend.account, None
    if account is not None:
        chosen, source = account.id, account.source
    elif reached is not None and len(reached) == 1:
        chosen, source = str(reached[0]["id"]), "the only one there is"
    else:
        chosen = None
    return Identity(
        credentials.kind,
        credentials.source,
        email,
        status or ("active" if reached is not None else None),
        list(login.scopes) if login else None,
        iso(login.expires.timestamp() * 1000) if login else None,
        chosen,
        source,
        reached,
    )


@operation(
    "project.update",
    effect=WRITES,
    examples=["cfwb project update --remote-mode read-only"],
)
async def update_project(state: State, remote_mode: Mode) -> ProjectMode:
    """Set whether the deployed account may be written to from this project.

    It is kept for you alone, outside the project. With read-only not even --force writes.
    """
    from workbench.project.preferences import set_remote_mode

    set_remote_mode(state.project.folder, remote_mode)
    return ProjectMode(state.project.folder, remote_mode)
