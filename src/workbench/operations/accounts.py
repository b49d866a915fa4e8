"""Who we are to the API: `auth get`; and what a project may do there: `project update`."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from workbench.model.errors import WorkbenchError

from . import READS, WRITES, operation
from .parameters import Param
from .resolve import State

if TYPE_CHECKING:
    from workbench.backends.cloudflare.api import Api

_NOT_OURS = ("remote.not_allowed", "remote.not_authenticated", "remote.not_found")
Mode = Annotated[
    str,
    Param(
        "what may be done on the deployed account from this project",
        choices=("writable", "read-only"),
        metavar="MODE",
    ),
]


class Identity(NamedTuple):
    """kind: token, key or login. source: the variable or the file. email: whose it is, where the API tells. scopes: of a login, and of a
    token that may read itself; None where nobody tells. expires: ISO 8601 UTC, or None for never. account: the one a command works
    on, or None where it must be chosen; account_source: from where. accounts: those the credentials reach, or None where they may not
    list them.
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
    api = backend.everything
    credentials = api.line.credentials
    assert credentials is not None
    reached: list[dict[str, Any]] | None
    try:
        reached = [{"id": one.id, "name": one.name} for one in await all_accounts(api)]
    except WorkbenchError as error:
        if error.code != "remote.not_allowed":
            raise
        reached = None
    token = Token(None, None, None)
    if credentials.kind == "token":
        token = await _token(api, [*([backend.account.id] if backend.account else []), *_ids(reached)])
    email = credentials.email or None
    if email is None:
        email = (await _asked(api, "/user") or {}).get("email")
    login = (api.line.credentials or credentials).login
    account, source = backend.account, None
    if account is not None:
        chosen, source = account.id, account.source
    elif reached is not None and len(reached) == 1:
        chosen, source = str(reached[0]["id"]), "the only one there is"
    else:
        chosen = None
        if state.notice and reached:
            state.notice(
                "several accounts are reached: CLOUDFLARE_ACCOUNT_ID or the config's account_id says which"
            )
    return Identity(
        credentials.kind,
        credentials.source,
        email,
        token.status or ("active" if reached is not None else None),
        list(login.scopes) if login else token.scopes,
        iso(login.expires.timestamp() * 1000) if login else token.expires,
        chosen,
        source,
        reached,
    )


class Token(NamedTuple):
    """What the API tells of a token: whether it is active, what it may do, when it ends."""

    status: str | None
    scopes: list[str] | None
    expires: str | None


async def _token(api: "Api", accounts: list[str]) -> Token:
    """Of the token itself: a user's, or one that an account owns (which only the account's own path knows)."""
    from workbench.backends.cloudflare.shapes import moment

    refused: WorkbenchError | None = None
    for owner in ("/user", *(f"/accounts/{id}" for id in dict.fromkeys(accounts))):
        try:
            found = (await api.get(f"{owner}/tokens/verify")).result or {}
        except WorkbenchError as error:
            if error.code not in _NOT_OURS:
                raise
            refused = refused or error
            continue
        told = await _asked(api, f"{owner}/tokens/{found['id']}") if found.get("id") else None
        groups = [
            group for policy in (told or {}).get("policies") or () for group in policy["permission_groups"]
        ]
        scopes = list(dict.fromkeys(str(group.get("name") or group["id"]) for group in groups))
        ends = moment(found.get("expires_on"))
        return Token(str(found.get("status")), scopes or None, ends)
    assert refused is not None
    raise refused


async def _asked(api: "Api", path: str) -> dict[str, Any] | None:
    """What the credentials may not ask for is not known."""
    try:
        found = (await api.get(path)).result
    except WorkbenchError as error:
        if error.code not in _NOT_OURS:
            raise
        return None
    return found if isinstance(found, dict) else None


def _ids(accounts: list[dict[str, Any]] | None) -> list[str]:
    """At most a few: a token that an account owns reaches that one."""
    return [str(one["id"]) for one in (accounts or [])[:3]]


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
