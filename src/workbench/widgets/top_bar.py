"""The line at the top: project, Worker, environment, and what would be touched."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workbench.model.target import Target
from workbench.model.text import visible

from .target_badge import badge


class TopBar(Widget):
    """Shows; knows nothing. Where the line is short the path is cut first, the target's kind never."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; width: 1fr; background: $panel; color: $foreground; }
    TopBar.-remote { background: $target-remote-bar; }
    TopBar.-server { background: $target-server-bar; }
    """

    project: reactive[str] = reactive("")
    environment: reactive[str] = reactive("")
    folder: reactive[str] = reactive("")
    target: reactive[Target | None] = reactive(None)
    server: reactive[str | None] = reactive(None)
    """`wrangler dev :8787 up`; "" where none runs, None where that is not known."""
    name_of_target: reactive[str] = reactive("")
    route: reactive[str] = reactive("local")
    mode: reactive[str] = reactive("")

    def render(self) -> Content:
        width = self.size.width
        left = Content.assemble((" cfwb ", "bold $primary"), " ", (visible(self.project, limit=40), "bold"))
        if self.environment:
            left = Content.assemble(left, (" ▸ ", "$text-muted"), visible(self.environment, limit=24))
        right = self._right(max(12, width - left.cell_length - 3))
        gap = max(1, width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, " " * gap, right, " ")

    def _right(self, room: int) -> Content:
        if self.route in ("remote", "bridge"):
            server = Content(f"  {self.mode}" if self.mode else "")
        elif self.server is None:
            server = Content("")
        elif self.server:
            server = Content.assemble(("   ▲ ", "$success"), visible(self.server, limit=60))
        else:
            server = Content.assemble(("   no dev server", "$text-muted"))
        if self.target is None:
            return server
        if room < 44 and self.server is not None:
            port = next((word for word in self.server.split() if word.startswith(":")), "dev")
            server = Content.assemble(
                (f"  ▲ {port}", "$success") if self.server else ("  no dev", "$text-muted")
            )
        return Content.assemble(
            badge(
                self.target,
                folder=self.folder,
                width=max(8, room - server.cell_length),
                name=self.name_of_target,
                route=self.route,
            ),
            server,
        )
