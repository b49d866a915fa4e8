"""The workbench as a Textual application. It puts screens together; what they do is theirs.

What the first paint does not need is imported after it: the time to it is measured against an empty application.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding

from workbench.model.errors import WorkbenchError
from workbench.screens import startup
from workbench.screens.targets import Targets
from workbench.screens.workbench.screen import WorkbenchScreen
from workbench.widgets import alt_parser

if TYPE_CHECKING:
    from workbench.screens.session import Session


def _operation_commands() -> Any:
    """The palette's source of operations, imported when the palette opens."""
    from workbench.screens.palette import OperationCommands

    return OperationCommands


class WorkbenchApp(App[int]):
    """A window on one project. `open_with`: the arguments of `operations.executor.open_state`."""

    TITLE = "cfwb"
    # The first screen's sheet: Textual reads a screen's own only when it is pushed on another.
    CSS_PATH = "screens/workbench/workbench.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"  # ctrl+p is the screen's, so that its hint can be shown
    COMMANDS: ClassVar[set[Any]] = App.COMMANDS | {_operation_commands}
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+t", "switch_theme", "Dark/light", show=False),
        Binding("ctrl+q", "leave", "Leave", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "To the shell; fg comes back", show=False),
    ]

    def __init__(self, *, label: str = "", **open_with: Any) -> None:
        super().__init__()
        self.open_with = open_with
        self.label = label
        self.mishaps = 0
        self.session: Session | None = None
        self.workbench = WorkbenchScreen()
        self.targets = Targets(self)
        # Before the style sheets are read: a theme put on later has them all read again.
        startup.themes(self)

    def get_default_screen(self) -> WorkbenchScreen:
        return self.workbench

    # The look

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of ours, where a theme has none."""
        return {
            "target-local": "ansi_bright_green",
            "target-remote": "ansi_bright_red",
            "target-server": "ansi_bright_blue",
            "target-remote-bar": "ansi_black",
            "target-server-bar": "ansi_black",
        }

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, self._came_back)
        self.call_after_refresh(self.start)

    def _came_back(self, _: Any) -> None:
        """From the shell (ctrl+z, fg) the terminal comes back empty: everything is painted, changed or not."""
        self.refresh(layout=True)

    def start(self) -> None:
        """Open the project, once something is on screen: beside the screen's own work, which goes on drawing."""
        self.run_worker(startup.open_project(self), group="start")

    def action_switch_theme(self) -> None:
        startup.switch_theme(self)

    def get_system_commands(self, screen: Any) -> Any:
        from workbench.screens.palette import window_commands

        return window_commands(self)

    def push_screen(self, screen: Any, *arguments: Any, **options: Any) -> Any:
        """A passing note is about what was done before: it never lies over a question, or over what one types."""
        if not isinstance(screen, str):
            self.clear_notifications()
        return super().push_screen(screen, *arguments, **options)

    # The end

    def _handle_exception(self, error: Exception) -> None:
        """What nobody foresaw, in a handler: written to the log, told in a sentence, and the window stays (text one has
        typed is in it). Where it goes on and on, and where nobody looks at a terminal, it ends as Textual ends."""
        if startup.taken_down(self, error):
            return
        if self.is_headless or not startup.survives(self, error):
            super()._handle_exception(error)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a terminal has the keyboard, every key but its own way out is the program's."""
        if action in ("leave", "command_palette") and getattr(self.focused, "captured", False):
            return False
        return super().check_action(action, parameters)

    async def action_leave(self) -> None:
        await startup.leave(self)


def run(
    folder: str = ".",
    *,
    worker: str | None = None,
    environment: str | None = None,
    persist_to: str | None = None,
    label: str = "",
    **more: Any,
) -> int:
    """Open the workbench on a folder and stay until it is left; the exit status."""
    app = WorkbenchApp(
        label=label,
        folder=os.path.abspath(folder),
        worker=worker,
        environment=environment,
        persist_to=persist_to,
        **more,
    )
    alt_parser.install()
    app.run()
    return app.return_code or 0


__all__ = ["WorkbenchApp", "WorkbenchError", "run"]
