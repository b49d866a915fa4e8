"""What sandboxes may reach, the credentials they are lent on the way out, and what they asked for."""

from typing import Annotated, Any

from workbench.model.errors import UsageError
from workbench.model.network import CredentialRule, NetworkPolicy, OutboundRequest, SecretName
from workbench.model.page import Page
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import from_environment
from .files import read_text
from .parameters import Cursor, DryRun, Limit, Param
from .resolve import State
from .results import Stream
from .sandboxes import AllowHosts, Count, Network, OneSandbox, TheSandbox

DenyHosts = Annotated[
    tuple[str, ...], Param("a host it may not reach, whatever else is allowed", repeat=True, metavar="HOST")
]
PrivateHosts = Annotated[
    tuple[str, ...],
    Param(
        "a host whose addresses may lie in a private network or on this machine", repeat=True, metavar="HOST"
    ),
]
TunnelHosts = Annotated[
    tuple[str, ...],
    Param("a host whose TLS is not opened: recorded by its name alone", repeat=True, metavar="HOST"),
]
Inspect = Annotated[
    str | None,
    Param(
        "whose TLS is opened: of all hosts, or of those with a credential",
        choices=("all", "rules"),
        metavar="WHICH",
    ),
]
Also = Annotated[tuple[str, ...], Param("one more host it may reach", repeat=True, metavar="HOST")]
NoMore = Annotated[tuple[str, ...], Param("a host taken from the list again", repeat=True, metavar="HOST")]
Host = Annotated[str, Param("for requests to this host (example.com, *.example.com:443)", metavar="HOST")]
Kind = Annotated[
    str, Param("how it is set on a request", choices=("bearer", "basic", "header", "query"), metavar="KIND")
]
SecretOf = Annotated[
    str | None, Param("the secret that is lent, by the name the hub has it under", metavar="NAME")
]
FromEnv = Annotated[str | None, Param("take it from this environment variable of ours", metavar="VARIABLE")]
FieldName = Annotated[
    str | None, Param("the name of the header, or of the query's parameter", metavar="NAME")
]
User = Annotated[str, Param("the user name, for basic", metavar="NAME")]
BeforeIt = Annotated[
    str, Param("what stands before the secret in a header, such as 'token '", metavar="TEXT")
]
UnderPath = Annotated[str, Param("only paths below this one", metavar="PATH")]
Methods = Annotated[tuple[str, ...], Param("only this method; again for more", repeat=True, metavar="METHOD")]
Plain = Annotated[bool, Param("also over plain http to other machines", "boolean")]
Variable = Annotated[
    str, Param("a variable that gets a stand-in inside, for programs that want a key", metavar="NAME")
]
TheRule = Annotated[str, Param("the credential's id", positional=True, metavar="CREDENTIAL")]
TheSecret = Annotated[str, Param("what it is called", positional=True, metavar="NAME")]
SecretFile = Annotated[
    Any,
    Param(
        "read it from a file (- for standard input; without this a person is asked)",
        "file",
        metavar="FILE",
        asked="the secret (not shown)",
    ),
]


@operation(
    "sandboxes.network.get",
    effect=READS,
    examples=["cfwb sandboxes network get fix-47"],
    capability="sandboxes",
)
async def get_network(state: State, sandbox: TheSandbox) -> NetworkPolicy:
    """What a sandbox may reach.

    `mode` is none, allow (the hosts of `allow`) or all. Private networks and this machine are reached only where they are named.
    """
    return await state.backend.sandboxes.network.get(sandbox)


@operation(
    "sandboxes.network.update",
    effect=WRITES,
    examples=[
        "cfwb sandboxes network update fix-47 --mode allow --allow registry.npmjs.org --allow '*.github.com'",
        "cfwb sandboxes network update fix-47 --also host.cfwb.internal:8787",
        "cfwb sandboxes network update fix-47 --mode none",
    ],
    capability="sandboxes",
)
async def update_network(
    state: State,
    sandbox: TheSandbox,
    mode: Network = None,
    allow: AllowHosts = (),
    also: Also = (),
    no_more: NoMore = (),
    deny: DenyHosts = (),
    private: PrivateHosts = (),
    tunnel: TunnelHosts = (),
    inspect: Inspect = None,
) -> NetworkPolicy:
    """Change what a sandbox may reach, while it runs.

    Connections that are no longer allowed end. A list that is given takes the place of the one there was;
    --also and --no-more change the list of allowed hosts.
    """
    changes: dict[str, Any] = {"mode": mode, "inspect": inspect}
    lists = {"allow": allow, "deny": deny, "private": private, "tunnel": tunnel}
    changes |= {name: list(hosts) for name, hosts in lists.items() if hosts}
    if also or no_more:
        kept = allow or (await state.backend.sandboxes.network.get(sandbox)).allow
        changes["allow"] = [host for host in dict.fromkeys([*kept, *also]) if host not in no_more]
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        raise UsageError("there is nothing to change", "give at least one flag")
    return await state.backend.sandboxes.network.update(sandbox, changes)


@operation(
    "sandboxes.credentials.create",
    effect=WRITES,
    examples=[
        "cfwb sandboxes credentials create fix-47 --host api.github.com --kind bearer --from-env GITHUB_TOKEN",
        "cfwb sandboxes credentials create fix-47 --host api.anthropic.com --kind header --name x-api-key "
        "--secret ANTHROPIC --variable ANTHROPIC_API_KEY",
    ],
    capability="sandboxes",
    fields=("id", "host", "kind", "secret", "name", "user", "path", "methods", "plain", "variable"),
)
async def create_credential(
    state: State,
    sandbox: TheSandbox,
    host: Host,
    kind: Kind,
    secret: SecretOf = None,
    from_env: FromEnv = None,
    name: FieldName = None,
    user: User = "",
    prefix: BeforeIt = "",
    path: UnderPath = "",
    method: Methods = (),
    plain: Plain = False,
    variable: Variable = "",
) -> CredentialRule:
    """Lend a sandbox a secret on its requests to a host; it never sees it.

    It is set on the way out, and where a response echoes it there are asterisks.
    --from-env gives the hub the secret first, under the variable's name. Over plain http it goes to this machine only.
    """
    network = state.backend.sandboxes.network
    if from_env is not None:
        await network.put_secret(secret or from_env, from_environment(from_env))
        secret = secret or from_env
    if secret is None:
        raise UsageError(
            "--secret or --from-env is missing", "cfwb sandboxes secrets list names those the hub has"
        )
    rule = CredentialRule(
        id="",
        host=host,
        kind=kind,  # type: ignore[arg-type]
        secret=secret,
        name=name or "",
        user=user,
        prefix=prefix,
        path=path,
        methods=tuple(method),
        plain=plain,
        variable=variable,
    )
    return await network.create_rule(sandbox, rule)


@operation(
    "sandboxes.credentials.list",
    effect=READS,
    examples=["cfwb sandboxes credentials list fix-47"],
    capability="sandboxes",
    fields=("id", "host", "kind", "secret", "name", "user", "path", "methods", "plain", "variable"),
)
async def list_credentials(state: State, sandbox: TheSandbox) -> list[CredentialRule]:
    """Credentials a sandbox is lent, by the names of their secrets."""
    return await state.backend.sandboxes.network.rules(sandbox)


@operation(
    "sandboxes.credentials.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes credentials delete fix-47 r1a2b3c4 --force"],
    capability="sandboxes",
)
async def delete_credential(
    state: State, sandbox: TheSandbox, credential: TheRule, dry_run: DryRun = False
) -> Removal:
    """Take a credential back; the secret stays with the hub."""
    if not dry_run:
        await state.backend.sandboxes.network.delete_rule(sandbox, credential)
    return Removal([f"credential {credential}"], 1, dry_run)


@operation(
    "sandboxes.secrets.put",
    effect=WRITES,
    examples=[
        "cfwb sandboxes secrets put ANTHROPIC",
        "cfwb sandboxes secrets put GITHUB --from-env GITHUB_TOKEN",
        "pass show github | cfwb sandboxes secrets put GITHUB --file -",
    ],
    capability="sandboxes",
)
async def put_secret(
    state: State, name: TheSecret, file: SecretFile = None, from_env: FromEnv = None
) -> SecretName:
    """Give the hub a secret to lend.

    It is kept in the system's keyring where there is one, else in a file for you alone.
    """
    if (file is None) == (from_env is None):
        raise UsageError("give the secret by --file or --from-env", "at a terminal you are asked for it")
    secret = read_text(file).strip("\r\n") if from_env is None else from_environment(from_env)
    return await state.backend.sandboxes.network.put_secret(name, secret)


@operation(
    "sandboxes.secrets.list",
    effect=READS,
    examples=["cfwb sandboxes secrets list"],
    capability="sandboxes",
)
async def list_secrets(state: State) -> list[SecretName]:
    """Secrets the hub holds, by name; their values are never shown."""
    return await state.backend.sandboxes.network.secrets()


@operation(
    "sandboxes.secrets.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes secrets delete ANTHROPIC --force"],
    capability="sandboxes",
)
async def delete_secret(state: State, name: TheSecret, dry_run: DryRun = False) -> Removal:
    """Make the hub forget a secret; its credentials lend nothing from then on."""
    if not dry_run:
        await state.backend.sandboxes.network.delete_secret(name)
    return Removal([f"secret {name}"], 1, dry_run)


@operation(
    "sandboxes.requests.list",
    effect=READS,
    examples=["cfwb sandboxes requests list fix-47 --limit 20", "cfwb sandboxes requests list"],
    capability="sandboxes",
    fields=(
        "id",
        "sandbox",
        "at",
        "scheme",
        "method",
        "host",
        "port",
        "path",
        "status",
        "sent",
        "received",
        "duration_ms",
        "rule",
        "outcome",
        "reason",
    ),
)
async def list_requests(
    state: State, sandbox: OneSandbox = None, limit: Limit = None, cursor: Cursor = None
) -> Page[OutboundRequest]:
    """What sandboxes asked for, the newest first; secrets are masked.

    Without a sandbox: of all of them, those that are gone too.
    """
    return await state.backend.sandboxes.network.requests(sandbox, limit, cursor)


@operation(
    "sandboxes.requests.watch",
    effect=READS,
    examples=["cfwb sandboxes requests watch fix-47"],
    capability="sandboxes",
)
async def watch_requests(
    state: State, sandbox: OneSandbox = None, count: Count = None
) -> Stream[OutboundRequest]:
    """What sandboxes ask for, as they do.

    Each comes when it begins (outcome open) and once more, by the same id, when it ends.
    """
    return Stream(state.backend.sandboxes.network.follow(sandbox), count)
