"""The whole Cloudflare API: every operation found, described and run by the same grammar."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

from workbench.backends.cloudflare.catalogue import ApiName, ApiOperation, find, names
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.target import Target

from . import DESTROYS, READS, WRITES, operation
from .parameters import Cursor, DryRun, Limit, Param
from .resolve import State

Product = Annotated[str | None, Param("only operations of this product: kv, r2, zones, ...", metavar="P")]
Search = Annotated[
    str | None, Param("only those whose name or path holds these words, the best first", metavar="WORDS")
]
TheOperation = Annotated[str, Param("the operation's name: kv.namespaces.keys.list", positional=True)]
Params = Annotated[
    tuple[Any, ...],
    Param(
        "a parameter; again for more (in a form NAME=@FILE sends a file)",
        "value",
        repeat=True,
        metavar="NAME=VALUE",
    ),
]
Body = Annotated[Any, Param("the request's body, as JSON", "json", metavar="JSON")]
BodyFile = Annotated[
    Any, Param("send a file's bytes as the body (- for standard input)", "file", metavar="FILE")
]
AllPages = Annotated[bool, Param("the whole list, page after page", "boolean")]
_EFFECTS = {"GET": READS, "HEAD": READS, "DELETE": DESTROYS}


class ParameterDescription(NamedTuple):
    """where: path, query, header, body, form, whole (all of the body) or file. choices: of a text, or None."""

    name: str
    where: str
    type: str
    required: bool
    choices: list[str] | None


class ApiDescription(NamedTuple):
    """pages: how its list goes on (number, cursor, token), "" for no list. local: whether a dev server answers it too.

    result: `list`, `one`, `bytes` or `none`; fields: of the result or of its items, with their types.
    """

    name: str
    method: str
    path: str
    product: str
    parameters: list[ParameterDescription]
    pages: str
    result: str
    fields: dict[str, str]
    local: bool


@operation(
    "api.list",
    effect=READS,
    examples=["cfwb api list --product kv", "cfwb api list --search 'custom hostnames'"],
)
async def list_operations(
    product: Product = None, search: Search = None, limit: Limit = None, cursor: Cursor = None
) -> Page[ApiName]:
    """Every operation of the Cloudflare API, by name.

    With --search those that fit best come first: words for an act count as the verb they are here (add: create, remove: delete).
    """
    wanted = (product or "").replace("-", "_")
    found = [one for one in names() if not wanted or one.product == wanted]
    if wanted and not found:
        from difflib import get_close_matches

        from workbench.backends.cloudflare.catalogue import products

        near = get_close_matches(wanted, products(), 3, 0.6)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(products())}"
        raise UsageError(f"the API has no product {product!r}", hint)
    if search:
        from workbench.backends.cloudflare.searching import search as best

        found = best(search, found)
    if cursor is not None and not cursor.isdecimal():
        raise UsageError("--cursor is none of this list's")
    begin = int(cursor or 0)
    end = len(found) if limit is None else begin + limit
    return Page(found[begin:end], str(end) if end < len(found) else None)


@operation("api.get", effect=READS, examples=["cfwb api get kv.namespaces.keys.list"])
async def get_operation(operation: TheOperation) -> ApiDescription:
    """One operation of the API: its path, parameters and the shape of its answer."""
    from workbench.backends.cloudflare.mirrored import is_mirrored

    found = find(operation)
    parameters = [
        ParameterDescription(one.name, one.where, _kind(one.type), one.required, _choices(one.type))
        for one in found.parameters
    ]
    return ApiDescription(
        found.name,
        found.method,
        found.path,
        found.product,
        parameters,
        "" if found.pages == "single" else found.pages,
        found.result[0],
        found.result[1],
        is_mirrored(found.method, found.path),
    )


def _choices(type: str) -> list[str] | None:
    return type.removeprefix("list of ").split("|") if "|" in type and " or " not in type else None


def _kind(type: str) -> str:
    if _choices(type) is None:
        return type
    return "list of string" if type.startswith("list of ") else "string"


async def _weigh(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """By its method: GET reads, DELETE destroys, anything else writes. Of what does not read, the account is clear before it is asked."""
    found = find(str(arguments["operation"]))
    effect = _EFFECTS.get(found.method, WRITES)
    if effect != READS:
        given = arguments.get("param") or ()
        account = await _account(state, found, given, False)
        if account is not None and "{account_id}" in found.path and not _gives_account(given):
            arguments = arguments | {"param": (*given, f"account_id={account}")}
        await _say_whose_zone(state, given)
    return effect, arguments


async def _say_whose_zone(state: State, given: tuple[Any, ...]) -> None:
    """A zone's operation names no account: the question before a write does, so the API is asked."""
    from workbench.backends.cloudflare.line import join
    from workbench.backends.cloudflare.remote import RemoteBackend

    zone = next((str(text).partition("=")[2] for text in given if re.match("zone[-_]id=.", str(text))), None)
    if zone is None or not isinstance(state.backend, RemoteBackend):
        return
    try:
        answer = await state.backend.everything.get(join("zones", zone))
    except WorkbenchError:
        return  # it may be none, or not ours to read: whatever is sent then says so
    account = answer.result.get("account") if isinstance(answer.result, dict) else None
    if isinstance(account, dict) and isinstance(account.get("id"), str):
        state.elsewhere = Target("remote", account["id"])


def touched(arguments: dict[str, Any]) -> tuple[str, str]:
    """What an operation of the API would be run on: its name, and the last name that its path takes (else its own)."""
    from workbench.backends.cloudflare.calling import names_in_path

    found = find(str(arguments["operation"]))
    names = names_in_path(found, arguments.get("param") or ())
    return found.name, names[-1] if names else found.name


@operation(
    "api.run",
    effect=DESTROYS,
    weigh=_weigh,
    alone=True,
    examples=[
        "cfwb api run zones.list --all-pages --remote",
        "cfwb api run kv.namespaces.create --param title=sessions --dry-run",
        "cfwb api run kv.namespaces.keys.list --param namespace_id=ID --server http://localhost:8787",
    ],
)
async def run_operation(
    state: State,
    operation: TheOperation,
    param: Params = (),
    body: Body = None,
    file: BodyFile = None,
    all_pages: AllPages = False,
    dry_run: DryRun = False,
) -> object:
    """Run an operation of the API, on the account or on a dev server.

    Without --remote it runs on the dev server that has the local state open (--server names another), where that mirrors it. The answer
    is the API's own `result`; of a list a page, and where there are more the next one's place in `result_info.cursor`. The account is
    filled in. --dry-run shows the request, its credentials masked, and sends nothing. What writes asks, as any write to the account does.
    """
    from workbench.backends.cloudflare import calling, sending
    from workbench.backends.cloudflare.live import LiveBackend
    from workbench.backends.cloudflare.remote import BASE, RemoteBackend

    from .files import read_whole

    found = find(operation)
    content = None if file is None else read_whole(file)
    with _side(state, found, dry_run) as backend:
        mirror = isinstance(backend, LiveBackend)
        account = await _account(state, found, param, dry_run)
        if account is None and dry_run:
            account = "{account_id}"
        call = calling.prepared(found, param, body, content, account, mirror=mirror)
        if not isinstance(backend, LiveBackend | RemoteBackend):
            return call.shown(BASE, calling.masked_headers(["Authorization"]))
        api = backend.everything
        if dry_run:
            credentials = api.line.credentials
            headers = calling.masked_headers(list(credentials.headers())) if credentials else {}
            return call.shown(api.line.base, headers)
        result = await sending.sent(api, call, all_pages)
        if isinstance(result, Page) and result.cursor is not None and state.notice:
            place = sending.PLACE[found.pages]
            state.notice(f"more: --param {place}={result.cursor}, or --all-pages for the whole list")
        return result


@contextmanager
def _side(state: State, found: ApiOperation, dry_run: bool) -> Iterator[Any]:
    """Where it runs: the target's own API, or of the local state the dev server that has it open, where that mirrors the operation."""
    from workbench.backends.cloudflare.live import LiveBackend, connect
    from workbench.backends.cloudflare.mirrored import is_mirrored
    from workbench.backends.cloudflare.remote import RemoteBackend

    if isinstance(state.backend, LiveBackend | RemoteBackend):
        yield state.backend
        return
    if not is_mirrored(found.method, found.path):
        if not dry_run:
            raise WorkbenchError(
                "api.target_needed",
                f"{found.name} is the account's alone: no dev server answers it",
                "--remote runs it there; --dry-run shows the request",
            )
        yield state.backend
        return
    from workbench.backends.servers.finding import the_one

    try:
        server = the_one(state.project)
    except WorkbenchError as error:
        if error.code != "live.not_found":
            raise
        if not dry_run:
            raise WorkbenchError(
                "api.target_needed",
                f"{found.name} runs on the account, or on a dev server, and none has this state open",
                "--remote, or cfwb servers start; --server URL names one, or what cfwb serve answers",
            ) from None
        yield state.backend
        return
    live = connect(state.project, server.url)
    state.elsewhere = live.target
    try:
        yield live.watched(state.cancel, state.notice)
    finally:
        live.close()


async def _account(state: State, found: ApiOperation, asked: tuple[Any, ...], dry_run: bool) -> str | None:
    """The account to fill in: the target's, or what the environment or the config names, or the only one there is."""
    from workbench.backends.cloudflare.accounts import choose, named
    from workbench.backends.cloudflare.remote import RemoteBackend

    backend = state.backend
    if isinstance(backend, RemoteBackend) and backend.account is not None:
        return backend.account.id
    said = next((worker for worker in state.project.workers if worker.account_id), None)
    account = named(said.account_id, said.config_path) if said else named(None)
    if account is not None:
        return account.id
    if (
        isinstance(backend, RemoteBackend)
        and "{account_id}" in found.path
        and not _gives_account(asked)
        and not dry_run
    ):
        id = (await choose(backend.everything, None)).id
        state.elsewhere = Target("remote", id)
        return id
    return None


def _gives_account(asked: tuple[Any, ...]) -> bool:
    return any(str(text).startswith(("account_id=", "account-id=")) for text in asked)
