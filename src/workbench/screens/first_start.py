"""The first start where there is no project: what was looked for and where, and the sample one key away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.widgets.key_hints import KeyHints

if TYPE_CHECKING:
    from workbench.app import WorkbenchApp


class FirstStart(Screen[None]):
    """Says it in words and offers the two ways on."""

    DEFAULT_CSS = """
    FirstStart { align: center middle; }
    FirstStart Vertical { width: 90%; max-width: 76; height: auto; max-height: 90%; padding: 1 2; border: round $primary; }
    FirstStart Static { height: auto; width: 1fr; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("d,enter", "demo", "Open the sample project", key_display="d"),
        Binding("r", "look_again", "Look again"),
        Binding("q,escape", "app.leave", "Leave", key_display="q"),
    ]

    def __init__(self, error: WorkbenchError, folder: str) -> None:
        super().__init__()
        self.error, self.folder = error, folder

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._text())
        yield KeyHints()

    def _text(self) -> Content:
        missing = self.error.code == "project.not_found"
        title = "No Worker project here" if missing else "This project can't be opened"
        hint = visible(self.error.hint, lines=True)
        return Content.assemble(
            (f"{title}\n\n", "bold $primary"),
            (visible(self.folder) + "\n\n", "bold"),
            visible(self.error.message, lines=True) + "\n",
            (hint + "\n") if hint else "",
            "\n",
            ("d", "bold $primary"),
            "  opens a sample project in a fresh temporary folder: anything in it may be edited or dropped\n",
            ("r", "bold $primary"),
            "  looks again\n",
            ("q", "bold $primary"),
            "  leaves; `cfwb --project DIR` opens another folder",
        )

    @property
    def _window(self) -> WorkbenchApp:
        return cast("WorkbenchApp", self.app)

    async def action_demo(self) -> None:
        from .startup import open_demo

        window = self._window
        self.dismiss(None)
        window.call_later(open_demo, window)

    async def action_look_again(self) -> None:
        from .startup import open_project

        window = self._window
        self.dismiss(None)
        window.call_later(open_project, window)
