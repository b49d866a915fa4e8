"""Dev servers that run on this machine."""

from typing import NamedTuple

from workbench.model.servers import DevServer

from . import READS, operation
from .resolve import State


class RunningServer(NamedTuple):
    """url: where it answers (`--server URL`). pid: the program that runs it. here: whether it runs on this project's state.

    kind: wrangler, vite or other. folder: where it was started. project: whether it belongs to this project.
    """

    url: str
    workers: tuple[str, ...]
    pid: int
    here: bool
    kind: str
    folder: str
    project: bool


@operation("servers.list", effect=READS, examples=["cfwb servers list"], alone=True)
async def list_servers(state: State) -> list[RunningServer]:
    """Dev servers that run now, those on this project's state first.

    Each is asked which Workers it runs. --server auto reaches the one on this project's state.
    """
    from workbench.backends.servers.finding import running

    return [_row(server) for server in running(state.project)]


def _row(server: DevServer) -> RunningServer:
    return RunningServer(
        server.url, server.names, server.pid, server.here, server.kind, server.folder, server.project
    )
