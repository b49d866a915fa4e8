"""Starting an instance and driving one, which takes something that runs them: a dev server, or the account."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding
from textual.screen import ModalScreen

from workbench.model.errors import WorkbenchError
from workbench.screens.pane import Pane

PAUSED = ("paused", "waitingForPause")
LOSES = {
    "restart": "It runs again from its beginning: what its steps gave is forgotten.",
    "terminate": "It ends where it is, and stays listed.",
}


class Driving(Pane):
    """Keys of a pane that shows instances. `locator.resource` is the Workflow."""

    DRIVING: ClassVar[str] = (
        "With a dev server or on the account: n starts an instance, p pauses one or lets it go on, e sends it an event, "
        "t terminates it, R starts it again."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("n", "new", "New"),
        Binding("p", "pause", "Pause/go on"),
        Binding("e", "event", "Event"),
        Binding("t", "drive('terminate')", "Terminate"),
        Binding("R", "drive('restart')", "Restart", show=False),
    ]

    def chosen(self) -> tuple[str, str] | None:
        """Id and status of the instance under the cursor."""
        raise NotImplementedError

    def _form(self, operation: str, **known: str) -> None:
        from workbench.screens.palette.form import OperationForm

        form = OperationForm(self.session, operation, {"workflow": self.locator.resource, **known})
        self.app.push_screen(form)

    def action_new(self) -> None:
        self._form("workflows.instances.create")

    def action_event(self) -> None:
        if (one := self.chosen()) is not None:
            self._form("workflows.events.send", id=one[0])

    def action_pause(self) -> None:
        if (one := self.chosen()) is not None:
            self.action_drive("resume" if one[1] in PAUSED else "pause")

    @work(exclusive=True, group="drive")
    async def action_drive(self, action: str) -> None:
        """pause, resume, restart or terminate, the last two after a question."""
        one = self.chosen()
        if one is None:
            return
        # What goes to the account is asked about by the executor.
        if action in LOSES and self.session.target.kind == "local" and not await self._agreed(action, one[0]):
            return
        try:
            driven = await self.session.call(
                f"workflows.instances.{action}", force=True, id=one[0], workflow=self.locator.resource
            )
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.tell(f"{driven.id} {driven.status}")
        await self.refresh_data()
        self.post_message(self.Changed())

    async def _agreed(self, action: str, id: str) -> bool:
        from workbench.screens.dialogs import Confirm

        asked: ModalScreen[bool] = Confirm(
            f"{action.capitalize()} {id}",
            target=self.session.target,
            question=LOSES[action],
            action=action.capitalize(),
        )
        return await self.app.push_screen_wait(asked)
