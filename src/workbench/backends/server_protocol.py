"""The product `Servers` of the adapter: dev servers of the local target. `backends/servers/product.py` implements it."""

from collections.abc import Iterator
from typing import Any, Protocol

from workbench.model.servers import Answered, Asked, Delivered, DevServer, Fired, Kept, Level, LogLine


class Servers(Protocol):
    """One is named by its id, address, process or Worker; None means the project's. None of it suspends."""

    async def running(self) -> list[DevServer]:
        """All that answer now, those of the project first."""
        ...

    async def on_state(self) -> list[DevServer]:
        """Those that have the project's state open."""
        ...

    async def kept(self) -> list[Kept]:
        """Those of the project that cfwb started, the ended ones included."""
        ...

    async def find(self, name: str | None) -> tuple[DevServer | None, Kept | None]:
        """As it answers, and as its keeper tells of it."""
        ...

    async def start(
        self, *, port: int | None, script: str | None, until: int | None, credentials: bool, together: bool
    ) -> Kept: ...
    async def stop(self, name: str | None) -> Kept: ...
    async def restart(self, name: str | None) -> Kept: ...
    async def stay(self, name: str | None) -> Kept: ...
    async def log(self, name: str | None, level: Level, search: str, limit: int | None) -> list[LogLine]: ...
    async def follow(self, name: str | None, level: Level, search: str) -> Iterator[LogLine]:
        """All its lines, and those to come until it ends; an ordinary iterator that waits."""
        ...

    async def send(
        self,
        method: str,
        path: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        worker: str | None,
    ) -> Answered: ...
    async def history(self) -> list[Asked]:
        """The newest first."""
        ...

    async def crons(self) -> list[tuple[str, str, str]]:
        """(server, Worker, schedule)."""
        ...

    async def fire(self, cron: str | None, worker: str | None, at_ms: int | None) -> Fired: ...
    async def deliver(self, message: dict[str, Any], raw: bytes | None, worker: str | None) -> Delivered: ...
