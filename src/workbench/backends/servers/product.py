"""The product `Servers`: dev servers of a project, those that cfwb started and those started elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workbench.model.bindings import Project
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.servers import Answered, Asked, Delivered, DevServer, Fired, Kept, Level, LogLine, listed

from . import records

if TYPE_CHECKING:
    from workbench.backends.cloudflare.api import Api
    from workbench.backends.cloudflare.portal import Portal

    from .asking import Headers

_ELSEWHERE = "cfwb ends only what it started"


class LocalServers:
    """Of the project. url: the one address that is meant, or None for whatever runs."""

    def __init__(
        self,
        project: Project,
        cancel: Cancel | None = None,
        notice: Callable[[str], None] | None = None,
        url: str | None = None,
    ) -> None:
        self._project = project
        self._state = project.state_directory
        self._cancel = cancel
        self._notice = notice
        self._url = url

    # --- which there are

    async def running(self) -> list[DevServer]:
        """All that answer now, those of the project first."""
        from . import finding

        if self._url is not None:
            found = finding.at(self._url, self._project)
            return [] if found is None else [found]
        return finding.running(self._project)

    async def on_state(self) -> list[DevServer]:
        """Those that have the project's state open: quick, for no other is asked."""
        from . import finding

        return await self.running() if self._url is not None else finding.on_state(self._project)

    async def kept(self) -> list[Kept]:
        """Those of the project that cfwb started, the ended ones included."""
        return records.all_kept(self._state)

    async def own(self) -> Kept | None:
        """The project's own that cfwb started, running or ended."""
        return records.kept(records.folder_of(self._state, records.id_of(self._project)))

    async def find(self, name: str | None) -> tuple[DevServer | None, Kept | None]:
        """One by its id, address, process or Worker; without a name the project's. Raises `servers.not_found`, UsageError."""
        kept = await self.kept()
        if name is None:
            return self._the_projects(await self._mine(), kept)
        running = await self.running()
        mine = next((one for one in kept if name == one.id), None)
        if mine is not None:
            return next((server for server in running if server.kept == mine.id), None), mine
        wanted = name.rstrip("/").replace("localhost", "127.0.0.1")
        found = [
            server
            for server in running
            if wanted in (server.url, server.url.partition("://")[2], str(server.pid)) or name in server.names
        ]
        if len(found) > 1:
            raise UsageError(f"several dev servers are {name!r}: {listed(found)}", "name one by its address")
        if not found:
            raise WorkbenchError(
                "servers.not_found", f"no dev server {name!r} runs here", "cfwb servers list shows them"
            )
        return found[0], next((one for one in kept if one.id == found[0].kept), None)

    def _the_projects(self, mine: list[DevServer], kept: list[Kept]) -> tuple[DevServer | None, Kept | None]:
        own = records.id_of(self._project)
        if len(mine) > 1:
            raise UsageError(
                f"several dev servers belong to this project: {listed(mine)}", "name one by its address"
            )
        if mine:
            return mine[0], next((one for one in kept if one.id == mine[0].kept), None)
        ours = next((one for one in kept if one.status != "ended"), None) or next(
            (one for one in kept if one.id == own), None
        )
        if ours is None:
            raise WorkbenchError(
                "live.not_found",
                f"no dev server runs on {self._state}, and cfwb has started none",
                "cfwb servers start starts it; --server URL names one by its address",
            )
        return None, ours

    async def _mine(self) -> list[DevServer]:
        """Those of the project; its own that cfwb started alone, where that is one of them. Where one has the state open and runs the
        project's Worker, nothing else on the machine is asked."""
        own = records.id_of(self._project)
        near = await self.on_state()
        found = [server for server in near if server.kept == own] or [
            server for server in near if any(worker.bound_here for worker in server.workers)
        ]
        if found:
            return found
        mine = [server for server in await self.running() if server.project or self._url is not None]
        return [server for server in mine if server.kept == own] or mine

    async def chosen(self, worker: str | None = None) -> DevServer:
        """The project's that answers now; worker: the one that runs this Worker, where there are several."""
        found: list[DevServer] = []
        if worker is not None:
            found = [server for server in await self.running() if server.project and worker in server.names]
        found = found or await self._mine()
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(
                f"several dev servers belong to this project: {listed(found)}",
                "--server URL names one, --worker the Worker",
            )
        raise WorkbenchError(
            "live.not_found",
            "no dev server of this project answers",
            "cfwb servers start starts it; --server URL names one by its address",
        )

    # --- starting and ending

    async def start(
        self, *, port: int | None, script: str | None, until: int | None, credentials: bool, together: bool
    ) -> Kept:
        """Start the project's, and wait until it answers. until: the process with which it ends."""
        from . import finding, launch

        others = [one for one in finding.on_state(self._project) if not one.kept]
        if others and any(worker.bound_here for one in others for worker in one.workers):
            raise WorkbenchError(
                "servers.already_running",
                f"the project's dev server runs already, started elsewhere: {listed(others)}",
                "end it where it was started, or work with it: cfwb needs no other",
            )
        return launch.start(
            self._project,
            port=port,
            script=script,
            until=until,
            credentials=credentials,
            together=together,
            cancel=self._cancel,
        )

    async def stop(self, name: str | None) -> Kept:
        """End one that cfwb started. Raises `servers.not_ours`."""
        from . import launch

        return launch.stop(self._project, (await self._ours(name)).id)

    async def restart(self, name: str | None) -> Kept:
        """End it and start it as it was started; one that has ended is started."""
        from . import launch

        return launch.restart(self._project, (await self._ours(name)).id, cancel=self._cancel)

    async def stay(self, name: str | None) -> Kept:
        """Let it stay when the process ends that it was started for."""
        from . import launch

        return launch.stay(self._project, (await self._ours(name)).id)

    async def _ours(self, name: str | None) -> Kept:
        server, kept = await self.find(name)
        if kept is None:
            assert server is not None
            where = f"{server.url} (process {server.pid}, in {server.folder})"
            raise WorkbenchError("servers.not_ours", f"{where} was started elsewhere: {_ELSEWHERE}")
        return kept

    # --- what it prints

    async def log(self, name: str | None, level: Level, search: str, limit: int | None) -> list[LogLine]:
        """The last lines of one that cfwb started."""
        from . import log

        folder = records.folder_of(self._state, (await self._with_log(name)).id)
        return log.lines(folder, level, search, limit)

    async def follow(self, name: str | None, level: Level, search: str) -> Iterator[LogLine]:
        """All its lines, and those to come until it ends; an ordinary iterator that waits."""
        from . import log

        folder = records.folder_of(self._state, (await self._with_log(name)).id)
        return log.follow(folder, level, search, self._cancel)

    async def _with_log(self, name: str | None) -> Kept:
        server, kept = await self.find(name)
        if kept is None:
            assert server is not None
            raise WorkbenchError(
                "servers.no_log",
                f"{server.url} was started elsewhere: what it prints is on its own terminal",
                "cfwb traces list shows the requests it answered, with what their Workers logged",
            )
        return kept

    # --- asking it

    @contextmanager
    def _portal(self) -> Iterator[Portal]:
        from workbench.backends.cloudflare.portal import Portal

        portal = Portal()
        try:
            yield portal
        finally:
            portal.close()

    @contextmanager
    def _api(self, url: str) -> Iterator[Api]:
        from workbench.backends.cloudflare.api import Api, Line, Timeouts
        from workbench.backends.cloudflare.mirrored import MIRROR

        line = Line(url + MIRROR, timeouts=Timeouts(connect=5.0, silence=120.0), attempts=1)
        try:
            yield Api(line, product="servers", cancel=self._cancel, notice=self._notice)
        finally:
            line.close()

    async def send(
        self, method: str, path: str, headers: Headers, body: bytes, worker: str | None
    ) -> Answered:
        """Send a request; it is kept in the history."""
        from . import history
        from .asking import ask

        server = await self.chosen(worker)
        asked = (server.url, method, path, headers, body)
        try:
            with self._portal() as portal:
                answer = await ask(portal, *asked, self._cancel)
        except WorkbenchError as error:
            history.add(self._state, *asked, None, error.message)
            raise
        history.add(self._state, *asked, answer)
        return answer

    async def history(self) -> list[Asked]:
        """Requests that were sent from here, the newest first."""
        from . import history

        return history.read(self._state)[::-1]

    async def crons(self) -> list[tuple[str, str, str]]:
        """(server, Worker, schedule) of every cron trigger that a server of the project has loaded."""
        return [
            (server.url, worker.name, cron)
            for server in await self.running()
            if server.project or self._url is not None
            for worker in server.workers
            for cron in worker.crons
        ]

    async def fire(self, cron: str | None, worker: str | None, at_ms: int | None) -> Fired:
        """Run a Worker's `scheduled` handler. cron: one of its schedules, or any other text; the only one where none is named."""
        from .triggers import fire

        server = await self.chosen(worker)
        known = [
            (one.name, said) for one in server.workers for said in one.crons if worker in (None, one.name)
        ]
        matching = [name for name, said in known if cron in (None, said)]
        if cron is None:
            if len(known) != 1:
                said = ", ".join(said for _, said in known) or "none"
                raise UsageError(f"which cron trigger? the server has {said}", "name it as the config does")
            cron = known[0][1]
        name = worker or next(iter(matching), None) or self._only_worker(server)
        with self._api(server.url) as api, self._portal() as portal:
            return await fire(api, portal, server.url, name, cron, at_ms, self._cancel)

    async def deliver(self, message: dict[str, Any], raw: bytes | None, worker: str | None) -> Delivered:
        """Deliver an e-mail: message holds from, to, subject, text, ...; raw: a whole one, of which only the envelope is taken from
        `message`."""
        from .triggers import deliver, deliver_raw

        server = await self.chosen(worker)
        name = worker or self._only_worker(server)
        if raw is not None:
            sender, to = message["from"], message["to"][0]
            with self._portal() as portal:
                return await deliver_raw(portal, server.url, name, sender, to, raw, self._cancel)
        with self._api(server.url) as api:
            return await deliver(api, name, message)

    @staticmethod
    def _only_worker(server: DevServer) -> str:
        """Raises UsageError where there are several."""
        if len(server.workers) != 1:
            raise UsageError(
                f"which Worker? the server runs {', '.join(server.names)}", "--worker NAME says which"
            )
        return server.workers[0].name
