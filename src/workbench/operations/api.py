"""The whole Cloudflare API: every operation found, described and run by the same grammar."""

from typing import Annotated, Any, NamedTuple

from workbench.backends.cloudflare.catalogue import ApiName, ApiOperation, find, names
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page

from . import DESTROYS, READS, WRITES, operation
from .parameters import Cursor, DryRun, Limit, Param
from .resolve import State

Product = Annotated[str | None, Param("only operations of this product: kv, r2, zones, ...", metavar="P")]
Search = Annotated[
    str | None, Param("only those whose name or path holds each of these words", metavar="WORDS")
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
    """Every operation of the Cloudflare API, by name."""
    words = (search or "").lower().replace("-", "_").split()
    wanted = (product or "").replace("-", "_")
    found = [
        one
        for one in names()
        if (not wanted or one.product == wanted)
        and all(word in one.name or word in one.path.lower() for word in words)
    ]
    if wanted and not found and not words:
        from workbench.backends.cloudflare.catalogue import products

        raise UsageError(f"the API has no product {product!r}", f"there are: {', '.join(products())}")
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
    """By its method: GET reads, DELETE destroys, anything else writes."""
    return _EFFECTS.get(find(str(arguments["operation"])).method, WRITES), arguments


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

    --remote or --server says where. The answer is the API's own `result`. The account is filled in.
    --dry-run shows the request, its credentials masked, and sends nothing. What writes asks, as any write to the account does.
    """
    from workbench.backends.cloudflare import calling
    from workbench.backends.cloudflare.live import LiveBackend
    from workbench.backends.cloudflare.remote import BASE, RemoteBackend

    from .files import read_whole

    found = find(operation)
    content = None if file is None else read_whole(file)
    backend = state.backend
    mirror = isinstance(backend, LiveBackend)
    account = await _account(state, found, param, dry_run)
    call = calling.prepared(found, param, body, content, account, mirror=mirror)
    if not isinstance(backend, LiveBackend | RemoteBackend):
        if dry_run:
            return call.shown(BASE, calling.masked_headers(["Authorization"]))
        raise WorkbenchError(
            "api.target_needed",
            f"{found.name} is run on the deployed account or on a dev server, and which was not said",
            "--remote, or --server URL; --dry-run shows the request",
        )
    api = backend.everything
    if dry_run:
        credentials = api.line.credentials
        headers = calling.masked_headers(list(credentials.headers())) if credentials else {}
        return call.shown(api.line.base, headers)
    return await calling.sent(api, call, all_pages)


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
    given = any(str(text).startswith(("account_id=", "account-id=")) for text in asked)
    if isinstance(backend, RemoteBackend) and "{account_id}" in found.path and not given and not dry_run:
        return (await choose(backend.everything, None)).id
    return None
