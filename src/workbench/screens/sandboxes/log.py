"""A background process: what it prints, as it prints it, or the end of what it printed."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import LogPiece, SandboxProcess
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator
from workbench.screens.printed import ERRORS, PrintedPane
from workbench.screens.session import Session


class LogPane(PrintedPane):
    """`locator.resource` is the sandbox, `locator.object` the process."""

    HELP = "What the process printed, standard error in red, followed while it runs.\n" + PrintedPane.FINDING
    BINDINGS: ClassVar[list[Any]] = [Binding("d,delete", "end", "End it")]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.process: SandboxProcess | None = None

    def on_mount(self) -> None:
        self.draw()
        self.follow()

    def concerns(self, paths: Any) -> bool:
        return f"sandboxes/{self.locator.resource}" in paths

    async def refresh_data(self) -> None:
        await self._read_process()

    async def _read_process(self) -> None:
        try:
            self.process = await self.session.call(
                "sandboxes.processes.get", sandbox=self.locator.resource, process=self.locator.object
            )
        except WorkbenchError as error:
            self.query_one("#head", Static).update(Content(visible(error.message, limit=300)))
            return
        self.draw()

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        """All that is stored, then what comes, until the process ends."""
        await self._read_process()
        processes = self.session.state.backend.sandboxes.processes
        try:
            async for piece in processes.logs(self.locator.resource, self.locator.object, follow=True):
                await self.view.write(self._written(piece))
        except WorkbenchError as error:
            self.tell_error(error)
        await self._read_process()

    def _written(self, piece: LogPiece) -> bytes:
        """A piece as a terminal takes it: line ends as CR LF, standard error in red."""
        data = piece.data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if piece.stream == "stderr":
            return ERRORS[0].encode() + data + ERRORS[1].encode()
        return data

    def head(self) -> list[Any]:
        process = self.process
        parts: list[Any] = [(visible(self.locator.object, limit=60), "bold $primary")]
        if process is not None:
            parts.append(f"   {visible(' '.join(process.argv), limit=120)}   ")
            state = process.state
            if state == "exited":
                ended = process.exit_code if process.signal is None else f"signal {process.signal}"
                state = f"ended with {ended}"
            parts.append((state, "bold $text-success" if process.state == "running" else "bold $text-muted"))
        rows = tuple((name, str(value)) for name, value in process._asdict().items()) if process else ()
        self.show_details(Details(self.locator.object, rows))
        return parts

    @work
    async def action_end(self) -> None:
        """SIGTERM, then SIGKILL."""
        from workbench.screens.dialogs import Confirm

        if self.process is None or self.process.state != "running":
            return
        if await self.app.push_screen_wait(
            Confirm(f"End process {self.process.id}", target=self.session.target, action="End it")
        ):
            try:
                await self.session.call(
                    "sandboxes.processes.terminate",
                    sandbox=self.locator.resource,
                    process=self.locator.object,
                )
            except WorkbenchError as error:
                self.tell_error(error)
            await self._read_process()
