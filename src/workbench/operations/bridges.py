"""Bridges: deployed Workers that serve sandboxes on an account, for when one machine is not enough."""

from typing import Annotated, Any

from workbench.model.bridges import Bridge, BridgeState, Exported
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import from_environment, from_here
from .files import read_text
from .parameters import DryRun, Param
from .resolve import State

TheBridge = Annotated[str, Param("the bridge's name here", positional=True, metavar="NAME")]
Url = Annotated[str, Param("where it answers: https://NAME.SUBDOMAIN.workers.dev", metavar="URL")]
FromEnv = Annotated[str | None, Param("take it from this environment variable of ours", metavar="VARIABLE")]
TokenFile = Annotated[
    Any,
    Param(
        "read the token from a file (- for standard input; without this a person is asked)",
        "file",
        metavar="FILE",
        asked="the bridge's token (not shown)",
    ),
]
Folder = Annotated[
    str, Param("a folder that is empty or not there yet", "path", positional=True, metavar="DIR")
]
WorkerName = Annotated[str, Param("what the Worker is called", metavar="NAME")]
Size = Annotated[
    str,
    Param(
        "what each sandbox has",
        choices=("lite", "basic", "standard-1", "standard-2", "standard-3", "standard-4"),
        metavar="TYPE",
    ),
]
Instances = Annotated[int, Param("at most so many run at once", "integer", metavar="N", minimum=1)]


@operation(
    "bridges.create",
    effect=WRITES,
    examples=[
        "cfwb bridges create work --url https://sandbox-bridge.me.workers.dev",
        "cfwb bridges create work --url https://sandbox-bridge.me.workers.dev --from-env BRIDGE_TOKEN",
    ],
    alone=True,
)
async def create_bridge(
    state: State, name: TheBridge, url: Url, file: TokenFile = None, from_env: FromEnv = None
) -> Bridge:
    """Add a deployed bridge, or give one that is there another URL and token.

    The token goes into the system's keyring where there is one, else into a file for you alone. From then on
    `cfwb --bridge NAME sandboxes ...` means the sandboxes there.
    """
    from workbench.backends.sandboxes.bridges import Bridges

    if (file is None) == (from_env is None):
        raise UsageError("give the token by --file or --from-env", "at a terminal you are asked for it")
    token = read_text(file).strip() if from_env is None else from_environment(from_env)
    return await Bridges().put(name, url, token)


@operation("bridges.list", effect=READS, examples=["cfwb bridges list"], alone=True)
async def list_bridges(state: State) -> list[Bridge]:
    """Bridges that were added; none is asked anything."""
    from workbench.backends.sandboxes.bridges import Bridges

    return Bridges().list()


@operation("bridges.get", effect=READS, examples=["cfwb bridges get work"], alone=True)
async def get_bridge(state: State, name: TheBridge) -> BridgeState:
    """A bridge, and whether it answers and takes the token."""
    from workbench.backends.sandboxes import of_bridge
    from workbench.backends.sandboxes.bridges import Bridges

    bridges = Bridges()
    bridge = bridges.get(name)
    server = of_bridge(bridge.url, bridges.token(name))
    try:
        page = await server.list(limit=100)
        count = f"{len(page.items)}" + ("+" if page.cursor else "")
        return BridgeState(*bridge, reachable=True, authorized=True, lists=True, sandboxes=count)
    except WorkbenchError as error:
        lists = error.code != "target.not_capable"
        authorized = not lists
        reachable = error.code != "bridges.unreachable"
        problem = "" if authorized else error.message
        return BridgeState(*bridge, reachable, authorized, lists=False, problem=problem)
    finally:
        await server.close()


@operation("bridges.delete", effect=DESTROYS, examples=["cfwb bridges delete work --force"], alone=True)
async def delete_bridge(state: State, name: TheBridge, dry_run: DryRun = False) -> Removal:
    """Forget a bridge and its token; what is deployed stays as it is."""
    from workbench.backends.sandboxes.bridges import Bridges

    bridges = Bridges()
    bridge = bridges.get(name)
    if not dry_run:
        await bridges.delete(name)
    return Removal([f"bridge {name} ({bridge.url}) and its token"], 1, dry_run)


@operation(
    "bridges.export",
    effect=READS,
    examples=[
        "cfwb bridges export ./sandbox-bridge",
        "cfwb bridges export ./b --instance-type standard-1 --max-instances 50",
    ],
    alone=True,
)
async def export_bridge(
    state: State,
    output: Folder,
    name: WorkerName = "sandbox-bridge",
    instance_type: Size = "basic",
    max_instances: Instances = 10,
) -> Exported:
    """Write the Worker project that serves a bridge, ready for `wrangler deploy`.

    It pins @cloudflare/sandbox and its image, keeps names and a list of sandboxes, and answers nobody until its token is set. Its README
    says how it is deployed.
    """
    from workbench.backends.sandboxes.exporting import export

    return export(from_here(output), name, instance_type, max_instances)
