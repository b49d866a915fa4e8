"""What one does to the sandbox under the cursor, and to what is in it."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding

from workbench.model.contexts import LANGUAGES, CodeContext
from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import DiskSnapshot, Port, Sandbox, SandboxProcess, Terminal
from workbench.model.state import Removal
from workbench.screens.choosing import Choosing
from workbench.screens.dialogs import Ask, Confirm
from workbench.screens.pane import Locator, Pane

from . import reading
from .panel import SandboxPanel

ACTS = frozenset(
    ("terminal", "start_or_stop", "freeze", "run", "code", "preview", "fork", "snapshot", "network", "delete")
)
ON_A_BRIDGE = frozenset(("terminal", "preview", "delete"))
"""What of them a deployed bridge can do."""


class SandboxActs(Pane):
    """Keys for a pane that shows a `panel`. Each runs an operation and reads again."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("t", "terminal", "Terminal"),
        Binding("n", "new", "New"),
        Binding("s", "start_or_stop", "Start/stop"),
        Binding("z", "freeze", "Freeze", show=False),
        Binding("x", "run", "Run", show=False),
        Binding("e", "code", "Code", show=False),
        Binding("p", "preview", "Preview", show=False),
        Binding("f", "fork", "Fork"),
        Binding("c", "snapshot", "Snapshot", show=False),
        Binding("o", "network", "Network", show=False),
        Binding("d,delete", "delete", "Delete"),
    ]

    @property
    def panel(self) -> SandboxPanel:
        return self.query_one(SandboxPanel)

    @property
    def sandbox(self) -> Sandbox | None:
        return self.panel.sandbox

    async def read_again(self) -> None:
        """What changed is read; the cursor stays."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ACTS:
            return True
        if self.session.state.bridged and action not in ON_A_BRIDGE:
            return False
        return bool(self.is_mounted and self.sandbox is not None)

    async def _call(self, operation: str, **arguments: Any) -> Any:
        """The result, or None after the error was told."""
        try:
            return await self.session.call(operation, **arguments)
        except WorkbenchError as error:
            self.tell_error(error)
            return None

    async def _did(self, operation: str, **arguments: Any) -> None:
        await self._call(operation, **arguments)
        await self.read_again()
        self.post_message(self.Changed())

    @work
    async def action_terminal(self) -> None:
        """A new terminal, in a tab of its own."""
        sandbox = self.sandbox
        if sandbox is None:
            return
        made: Terminal | None = await self._call("terminals.create", sandbox=sandbox.name)
        if made is not None:
            self.post_message(self.Open(Locator("terminal", sandbox.name, made.id, label=sandbox.name)))

    @work
    async def action_new(self) -> None:
        """Ask for a name, and make a sandbox."""
        asked = Ask(
            "New sandbox", target=self.session.target, label="Its name, or nothing for a made-up one:"
        )
        name = await self.app.push_screen_wait(asked)
        if name is None:
            return
        self.tell("making it …")
        made = await self._call("sandboxes.create", **({"name": name} if name else {}))
        if made is not None:
            self.tell(f"{made.name} is {made.state}")
            await self.read_again()
            self.post_message(self.Changed())

    @work
    async def action_start_or_stop(self) -> None:
        sandbox = self.sandbox
        if sandbox is None:
            return
        if sandbox.state not in ("running", "frozen"):
            await self._did("sandboxes.start", sandbox=sandbox.name)
            return
        asked = Confirm(
            f"Stop {sandbox.name}",
            target=self.session.target,
            question="Its processes end; its disk stays.",
            action="Stop",
        )
        if await self.app.push_screen_wait(asked):
            await self._did("sandboxes.stop", sandbox=sandbox.name)

    @work
    async def action_freeze(self) -> None:
        """Hold everything in it, or let it go on."""
        sandbox = self.sandbox
        if sandbox is None:
            return
        if sandbox.state == "frozen":
            await self._did("sandboxes.start", sandbox=sandbox.name)
        else:
            await self._did("sandboxes.stop", sandbox=sandbox.name, freeze=True)

    @work
    async def action_run(self) -> None:
        """A background process."""
        sandbox = self.sandbox
        if sandbox is None:
            return

        def wrong(text: str) -> str:
            try:
                return "" if shlex.split(text) else "a command is needed"
            except ValueError as error:
                return str(error)

        asked = Ask(
            f"Run in {sandbox.name}",
            target=self.session.target,
            label="A command, as a shell has it:",
            check=wrong,
        )
        command = await self.app.push_screen_wait(asked)
        if command is not None:
            await self._did("sandboxes.processes.start", sandbox=sandbox.name, command=["sh", "-c", command])

    @work
    async def action_code(self) -> None:
        """A new code context, in a tab of its own."""
        sandbox = self.sandbox
        if sandbox is None:
            return
        titles = ["Python", "JavaScript", "TypeScript"]
        chosen = await self.app.push_screen_wait(Choosing(f"Code in {sandbox.name}", titles))
        if chosen is None:
            return
        made: CodeContext | None = await self._call(
            "sandboxes.contexts.create", sandbox=sandbox.name, language=LANGUAGES[chosen]
        )
        if made is not None:
            self.post_message(self.Open(reading.context_locator(sandbox, made)))
            await self.read_again()

    @work
    async def action_preview(self) -> None:
        """Open the port under the cursor in the browser, by a preview made for it where it has none."""
        sandbox, item = self.sandbox, self.panel.item
        port = item.what if item is not None and isinstance(item.what, Port) else None
        if sandbox is None:
            return
        if port is None:

            def wrong(text: str) -> str:
                return "" if text.isdecimal() and 0 < int(text) < 65536 else "a port is a number up to 65535"

            asked = Ask(f"Preview of {sandbox.name}", target=self.session.target, label="Port:", check=wrong)
            number = await self.app.push_screen_wait(asked)
            if number is None:
                return
            wanted = int(number)
        else:
            wanted = port.port
        url = port.preview if port is not None else None
        if url is None:
            made = await self._call("sandboxes.previews.create", sandbox=sandbox.name, port=wanted)
            if made is None:
                return
            url = made.url
        self.tell(url)
        self.app.open_url(url)
        await self.read_again()

    @work
    async def action_fork(self) -> None:
        """Copies of its disk, as it is or as in the snapshot under the cursor, as sandboxes of their own."""
        sandbox, item = self.sandbox, self.panel.item
        if sandbox is None:
            return
        snapshot = item.what if item is not None and isinstance(item.what, DiskSnapshot) else None
        asked = Ask(
            f"Fork {sandbox.name}" + (f" as in {snapshot.name or snapshot.id}" if snapshot else ""),
            target=self.session.target,
            label="Names for the forks, with spaces between. Each has the whole disk; processes are not copied.",
            value=f"{sandbox.name}-1 {sandbox.name}-2",
        )
        names = await self.app.push_screen_wait(asked)
        if names:
            more = {"snapshot": snapshot.id} if snapshot else {}
            await self._did("sandboxes.copy", sandbox=sandbox.name, names=names.split(), **more)

    @work
    async def action_snapshot(self) -> None:
        """A picture of its whole disk."""
        sandbox = self.sandbox
        if sandbox is None:
            return
        asked = Ask(f"Snapshot of {sandbox.name}", target=self.session.target, label="Its name, or nothing:")
        name = await self.app.push_screen_wait(asked)
        if name is not None:
            more = {"name": name} if name else {}
            await self._did("sandboxes.snapshots.create", sandbox=sandbox.name, **more)

    @work
    async def put_back(self, snapshot: DiskSnapshot) -> None:
        """Put the disk back, after asking."""
        sandbox = self.sandbox
        if sandbox is None:
            return
        asked = Confirm(
            f"Restore {sandbox.name}",
            target=self.session.target,
            question=f"Its disk becomes what it was in {snapshot.name or snapshot.id} ({snapshot.created}). Its processes end.",
            note="What the disk holds now is kept as an automatic snapshot.",
            action="Restore",
        )
        if await self.app.push_screen_wait(asked):
            await self._did("sandboxes.snapshots.restore", sandbox=sandbox.name, snapshot=snapshot.id)

    def action_network(self) -> None:
        """What it may reach: the form of the operation, begun with the sandbox."""
        from workbench.screens.palette.form import OperationForm

        if self.sandbox is not None:
            self.app.push_screen(
                OperationForm(self.session, "sandboxes.network.update", {"sandbox": self.sandbox.name})
            )

    @work
    async def action_delete(self) -> None:
        """What is under the cursor: a terminal, a process, a preview, or the whole sandbox."""
        sandbox, item = self.sandbox, self.panel.item if self.panel.inside.has_focus else None
        if sandbox is None:
            return
        what = item.what if item is not None else None
        if isinstance(what, SandboxProcess):
            await self._ended(
                "sandboxes.processes.terminate",
                f"End process {what.id}",
                sandbox=sandbox.name,
                process=what.id,
            )
        elif isinstance(what, Port):
            if what.preview:
                await self._did("sandboxes.previews.delete", sandbox=sandbox.name, port=what.port)
        elif isinstance(what, DiskSnapshot):
            await self._removed(
                "sandboxes.snapshots.delete",
                f"Delete snapshot {what.name or what.id}",
                None,
                snapshot=what.id,
            )
        elif isinstance(what, CodeContext):
            await self._removed(
                "sandboxes.contexts.delete", f"End context {what.id}", sandbox.name, context=what.id
            )
        elif isinstance(what, Terminal):
            await self._removed("terminals.delete", f"End terminal {what.id}", sandbox.name, terminal=what.id)
        else:
            await self._removed("sandboxes.delete", f"Delete {sandbox.name}", sandbox.name)

    async def _ended(self, operation: str, title: str, **arguments: Any) -> None:
        asked = Confirm(title, target=self.session.target, action="End it")
        if await self.app.push_screen_wait(asked):
            await self._did(operation, **arguments)

    async def _removed(self, operation: str, title: str, sandbox: str | None, **arguments: Any) -> None:
        """After showing what goes."""
        if sandbox is not None:
            arguments["sandbox"] = sandbox
        if self.session.state.bridged:  # asked there, as every deletion on an account is
            await self._did(operation, **arguments)
            return
        removal: Removal | None = await self._call(operation, dry_run=True, **arguments)
        if removal is None:
            return
        asked = Confirm(
            title,
            target=self.session.target,
            lines=removal.removed,
            total=removal.total,
            note=removal.note,
        )
        if await self.app.push_screen_wait(asked):
            await self._did(operation, force=True, **arguments)
