"""Dev servers that run on this machine."""

from typing import NamedTuple

from . import READS, operation
from .resolve import State


class RunningServer(NamedTuple):
    """url: where it answers (`--server URL`). pid: the program that runs it. here: whether it runs on this project's state."""

    url: str
    workers: tuple[str, ...]
    pid: int
    here: bool


@operation("servers.list", effect=READS, examples=["cfwb servers list"], alone=True)
async def list_servers(state: State) -> list[RunningServer]:
    """Dev servers that run now, those on this project's state first.

    Each is asked which Workers it runs. --server auto reaches the one on this project's state.
    """
    from workbench.backends.cloudflare.servers import running

    found = running(state.project.state_directory)
    return [RunningServer(server.url, server.workers, server.pid, server.here) for server in found]
