"""Dev servers: those that run on this machine, and the project's own, started and ended from here."""

from typing import Annotated, NamedTuple

from workbench.model.servers import DevServer, Kept, ServedWorker

from . import READS, WRITES, operation
from .parameters import Param
from .resolve import State

Server = Annotated[
    str | None,
    Param(
        "its id, address, process or Worker (default: the project's own)", positional=True, metavar="SERVER"
    ),
]
Port = Annotated[int | None, Param("the port it listens on", "integer", metavar="N", minimum=1)]
Script = Annotated[
    str | None,
    Param("a script of the project's package.json (default: found by itself)", metavar="NAME"),
]
UntilPid = Annotated[
    int | None,
    Param(
        "end it when this process has ended (default: it stays until it is stopped)",
        "integer",
        metavar="PID",
        minimum=1,
    ),
]
Together = Annotated[
    bool, Param("run the project's Workers that this one binds in the same server", "boolean")
]
Credentials = Annotated[
    bool,
    Param("hand on Cloudflare's credentials, for bindings with remote: true", "boolean"),
]


class RunningServer(NamedTuple):
    """url: where it answers (`--server URL`). pid: the program that runs it. here: whether it runs on this project's state.

    kind: wrangler, vite or other. folder: where it was started. project: whether it belongs to this project. id: what cfwb calls
    one that it started, or None. status: running, or starting where it answers nobody yet.
    """

    url: str | None
    workers: tuple[str, ...]
    pid: int | None
    here: bool
    kind: str
    folder: str
    project: bool
    id: str | None
    status: str


class ServerDetail(NamedTuple):
    """All that is known of one. workers: with what each binds and has loaded. registered: its Workers in wrangler's registry folder.

    command, started, ended, exit_status, until, reason: of one that cfwb started.
    """

    url: str | None
    status: str
    kind: str
    folder: str
    pid: int | None
    here: bool
    project: bool
    workers: tuple[ServedWorker, ...]
    registered: tuple[str, ...]
    id: str | None
    command: tuple[str, ...]
    started: str | None
    ended: str | None
    exit_status: int | None
    until: int | None
    reason: str


@operation("servers.list", effect=READS, examples=["cfwb servers list"], alone=True, capability="servers")
async def list_servers(state: State) -> list[RunningServer]:
    """Dev servers that run now, those of this project first.

    Each is asked which Workers it runs. --server auto reaches the one on this project's state.
    """
    servers = state.backend.servers
    running = await servers.running()
    answering = {server.kept for server in running}
    starting = [one for one in await servers.kept() if one.status == "starting" and one.id not in answering]
    return [*map(_started, starting), *map(_row, running)]


def _row(server: DevServer) -> RunningServer:
    return RunningServer(
        server.url,
        server.names,
        server.pid or None,
        server.here,
        server.kind,
        server.folder,
        server.project,
        server.kept or None,
        "running",
    )


def _started(one: Kept) -> RunningServer:
    return RunningServer(one.url, (), one.pid, True, one.kind, one.folder, True, one.id, one.status)


@operation(
    "servers.get",
    effect=READS,
    examples=["cfwb servers get", "cfwb servers get http://localhost:8787"],
    alone=True,
    capability="servers",
)
async def get_server(state: State, server: Server = None) -> ServerDetail:
    """One dev server: its Workers with what they have loaded, and how it runs."""
    found, kept = await state.backend.servers.find(server)
    return _detail(found, kept)


def _detail(found: DevServer | None, kept: Kept | None) -> ServerDetail:
    """What the server says of itself goes before what its keeper knows."""
    return ServerDetail(
        url=found.url if found else kept.url if kept else None,
        status="running" if found else kept.status if kept else "",
        kind=(found.kind if found else "") or (kept.kind if kept else ""),
        folder=(found.folder if found else "") or (kept.folder if kept else ""),
        pid=(found.pid if found else 0) or (kept.pid if kept else None),
        here=found.here if found else False,
        project=found.project if found else True,
        workers=found.workers if found else (),
        registered=found.registered if found else (),
        id=kept.id if kept else None,
        command=kept.command if kept else (),
        started=kept.started if kept else None,
        ended=kept.ended if kept else None,
        exit_status=kept.exit_status if kept else None,
        until=kept.until if kept else None,
        reason=kept.reason if kept else "",
    )


@operation(
    "servers.start",
    effect=WRITES,
    examples=["cfwb servers start", "cfwb servers start --port 8790", "cfwb servers start --until-pid 4711"],
    capability="servers.start",
)
async def start_server(
    state: State,
    port: Port = None,
    script: Script = None,
    until_pid: UntilPid = None,
    together: Together = False,
    credentials: Credentials = False,
) -> Kept:
    """Start the project's dev server, and wait until it answers.

    The project's own wrangler runs it, else a global one; Vite's dev script where the project has Cloudflare's plugin. It gets an
    environment without Cloudflare's credentials.
    """
    return await state.backend.servers.start(
        port=port, script=script, until=until_pid, credentials=credentials, together=together
    )


@operation(
    "servers.restart",
    effect=WRITES,
    examples=["cfwb servers restart"],
    capability="servers.start",
)
async def restart_server(state: State, server: Server = None) -> Kept:
    """End a dev server that cfwb started, and start it as it was started."""
    return await state.backend.servers.restart(server)


@operation("servers.stop", effect=WRITES, examples=["cfwb servers stop"], capability="servers.start")
async def stop_server(state: State, server: Server = None) -> Kept:
    """End a dev server that cfwb started, with all that it started.

    One that was started elsewhere is never ended.
    """
    return await state.backend.servers.stop(server)


@operation(
    "servers.update",
    effect=WRITES,
    examples=["cfwb servers update"],
    capability="servers.start",
)
async def keep_server(state: State, server: Server = None) -> Kept:
    """Let a dev server stay when the window that started it closes."""
    return await state.backend.servers.stay(server)
