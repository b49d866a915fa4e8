"""What stands in a tab's place: of one that is not connected, and of one that its target cannot show."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from workbench.model.text import visible
from workbench.screens.pane import Locator, Pane
from workbench.screens.session import Session


class _Text(Static, can_focus=True):
    """A text that has the keyboard."""


class StandingIn(Pane):
    """Says why, and what leads on. reach: the key of the target that Enter opens, or ""."""

    DEFAULT_CSS = "StandingIn { padding: 1 2; } StandingIn _Text { height: auto; }"
    BINDINGS: ClassVar[list[Any]] = [Binding("enter", "reach", "Connect")]
    HELP = "A tab that was on the deployed account asks before it goes there again: Enter connects. f10 chooses another target."

    class Reach(Message):
        """Enter: the tab is to be opened on its target."""

        def __init__(self, pane: StandingIn) -> None:
            super().__init__()
            self.pane = pane

    def __init__(
        self,
        session: Session,
        locator: Locator,
        sentence: str,
        reach: str = "",
        kept: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(session, locator, **options)
        self.sentence, self.reach, self.kept = sentence, reach, kept or {}

    def compose(self) -> ComposeResult:
        ways = "Enter connects. " if self.reach else ""
        with Vertical():
            yield _Text(
                Content(
                    f"{visible(self.sentence, lines=True, limit=2000)}\n\n{ways}f10 chooses another target."
                )
            )

    def keep(self) -> dict[str, Any]:
        return self.kept

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.reach) if action == "reach" else True

    def action_reach(self) -> None:
        self.post_message(self.Reach(self))
