"""The dev server: how it runs, what it prints, and what can be done with it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Collection
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding

from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.servers import LEVELS, LogLine
from workbench.operations.servers import ServerDetail
from workbench.screens.pane import Details, Locator
from workbench.screens.printed import COLUMNS, PrintedPane
from workbench.screens.session import Session
from workbench.terminal import Terminal

from . import REQUESTS, TRACES, saying
from .following import lines

MOST_LINES = 20_000
"""Lines that are kept here, to be shown again with another level."""
LOOK = 3.0
"""Seconds between two looks at how it runs."""
ELSEWHERE = (
    "What it prints is on the terminal that it was started in.\r\n\r\n"
    "t shows the requests it answered, with what its Workers logged.\r\n"
)


class ServerPane(PrintedPane):
    """`locator.resource` is `own`: the project's."""

    HELP = (
        "The project's dev server. s starts it (the project's own wrangler, else a global one, or Vite's dev script) and ends it; "
        "r starts it anew. It ends with this window, unless p lets it stay. One that was started elsewhere is never ended from here.\n"
        "What it prints is below: errors red, warnings yellow; f shows less and less of it. "
        + PrintedPane.FINDING
        + "\n"
        "a sends it requests, t shows those it answered, c fires a cron trigger, m delivers an e-mail."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("s", "start_or_stop", "Start/stop"),
        Binding("r", "restart", "Restart"),
        Binding("a", "requests", "Ask it"),
        Binding("t", "traces", "Traces"),
        Binding("f", "level", "Level"),
        Binding("c", "cron", "Cron"),
        Binding("m", "mail", "E-mail"),
        Binding("p", "stay", "Let it stay", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.detail: ServerDetail | None = None
        self.starting = self._looking = False
        self.level = LEVELS[0]
        self.lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._following: Cancel | None = None
        self._busy: Cancel | None = None

    def on_mount(self) -> None:
        self.draw()
        self.look()
        self.set_interval(LOOK, self._look_again)

    @property
    def title(self) -> str:
        return "dev server"

    def concerns(self, paths: Collection[str]) -> bool:
        return False

    async def refresh_data(self) -> None:
        await self._read()

    async def closing(self) -> None:
        for cancel in (self._following, self._busy):
            if cancel is not None:
                cancel.cancel()

    # How it runs

    def _look_again(self) -> None:
        # One look at a time: on a busy machine it takes longer than the time between two.
        if self.is_on_screen and self.display and not self._looking:
            self.look()

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        await self._read()

    async def _read(self) -> None:
        before, self._looking = self.detail, True
        try:
            self.detail = await self.session.call("servers.get")
        except WorkbenchError as error:
            self.detail = None
            if error.code != "live.not_found":
                self.tell_error(error)
        finally:
            self._looking = False
        if not self.is_attached:
            return
        if self.detail is not None and (before is None or before.started != self.detail.started):
            self.follow()
        self.refresh_bindings()
        self.draw()

    def head(self) -> list[Any]:
        self.show_details(Details("dev server", saying.rows(self.detail)))
        return saying.head(self.detail, self.starting, self.level)

    # What it prints

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        """All that it has printed, then what comes."""
        if self._following is not None:
            self._following.cancel()
        self.lines.clear()
        self._blank()
        if self.detail is not None and self.detail.id is None:
            self.view.put(ELSEWHERE.encode())
            return
        self._following = Cancel()
        try:
            async for batch in lines(self.session, self.detail.id if self.detail else None, self._following):
                self.lines += batch
                for line in batch:
                    if self._wanted(line):
                        await self.view.write(saying.written(line))
        except WorkbenchError as error:
            if not isinstance(error, Cancelled):
                self.tell_error(error)
            return
        await self._read()

    def _wanted(self, line: LogLine) -> bool:
        return LEVELS.index(line.level) >= LEVELS.index(self.level)

    def _blank(self) -> None:
        self.view.replace(Terminal(COLUMNS, 24))
        self.on_resize()

    def action_level(self) -> None:
        """The next level; after the last, all of it again."""
        at = LEVELS.index(self.level)
        self.level = LEVELS[(at + 1) % len(LEVELS)]
        if self.lines:
            self._blank()
            self.view.put(b"".join(saying.written(line) for line in self.lines if self._wanted(line)))
        self.draw()

    # What can be done with it

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("restart", "stay"):
            return self.detail is not None and self.detail.id is not None
        return True

    def action_start_or_stop(self) -> None:
        if self._busy is not None:
            self._busy.cancel()  # it is starting: stop that
        elif self.detail is not None and self.detail.status != "ended":
            self.stop()
        else:
            self.run("servers.start", until_pid=os.getpid())

    def action_restart(self) -> None:
        if self._busy is None:
            self.run("servers.restart")

    @work(group="run")
    async def run(self, operation: str, **arguments: Any) -> None:
        """Start it, showing what it prints meanwhile."""
        self._busy, self.starting = Cancel(), True
        self.draw()
        shown = asyncio.create_task(self._soon())
        try:
            await self.session.call(operation, force=True, cancel=self._busy, **arguments)
        except Cancelled:
            self.tell("it is not started")
        except WorkbenchError as error:
            self.tell_error(error)
        finally:
            self._busy, self.starting = None, False
            shown.cancel()
        await self._read()
        self.post_message(self.Touched())

    async def _soon(self) -> None:
        """While it starts: read again how far it is, so that its log is followed from the beginning."""
        while True:
            await asyncio.sleep(0.5)
            await self._read()

    @work(group="run")
    async def stop(self) -> None:
        """End it; one that belongs to another window after a question."""
        detail = self.detail
        if detail is None:
            return
        if detail.until not in (None, os.getpid()) and detail.id is not None:
            from workbench.screens.dialogs import Confirm

            question = f"It was started for process {detail.until}, not by this window."
            asked = Confirm(
                "Stop the dev server", target=self.session.target, question=question, action="Stop"
            )
            if not await self.app.push_screen_wait(asked):
                return
        try:
            await self.session.call("servers.stop", force=True, server=detail.id or detail.url)
        except WorkbenchError as error:
            self.tell_error(error)
        await self._read()
        self.post_message(self.Touched())

    @work(group="run")
    async def action_stay(self) -> None:
        try:
            await self.session.call("servers.update", force=True)
        except WorkbenchError as error:
            self.tell_error(error)
        await self._read()

    def action_requests(self) -> None:
        self.post_message(self.Open(REQUESTS))

    def action_traces(self) -> None:
        self.post_message(self.Open(TRACES))

    @work(group="run")
    async def action_cron(self) -> None:
        """Fire a cron trigger: the only one, or the one that is chosen."""
        try:
            found = await self.session.call("servers.crons.list")
            if not found:
                self.tell("no Worker here has a cron trigger: servers crons run fires any schedule by name")
                return
            chosen = found[0]
            if len(found) > 1:
                from workbench.screens.choosing import Choosing

                names = [f"{one.cron}   {one.worker}" for one in found]
                at = await self.app.push_screen_wait(Choosing("Fire a cron trigger", names))
                if at is None:
                    return
                chosen = found[at]
            fired = await self.session.call("servers.crons.run", force=True, cron=chosen.cron)
            self.tell(f"{fired.cron} on {fired.worker}: {fired.outcome}", error=fired.outcome != "ok")
        except WorkbenchError as error:
            self.tell_error(error)
        self.post_message(self.Touched())

    def action_mail(self) -> None:
        from workbench.screens.palette.form import OperationForm

        self.app.push_screen(OperationForm(self.session, "servers.emails.send", {}))
