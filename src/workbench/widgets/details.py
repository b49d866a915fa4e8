"""What is selected, in names and values; beside the panes on a wide screen, over them on a narrow one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from workbench.model.text import visible

LIMIT = 20_000
"""Characters shown of all values together; of one, at least LEAST."""
LEAST = 500


class DetailsView(VerticalScroll):
    """Names and values from anywhere: shown as data, control codes visible, nothing parsed as markup."""

    DEFAULT_CSS = """
    DetailsView { padding: 0 1; }
    DetailsView > Static { height: auto; width: 1fr; }
    """

    can_focus = True

    def __init__(self, title: str = "", rows: Sequence[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(**options)
        self._body = Static()
        self._title, self._rows = title, tuple(rows)

    def compose(self) -> ComposeResult:
        yield self._body

    def on_mount(self) -> None:
        self.fill(self._title, self._rows)

    def fill(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Show this selection instead of the last one."""
        parts: list[tuple[str, str] | str] = [(visible(title, limit=500) + "\n", "bold $primary")]
        limit = max(LEAST, LIMIT // max(1, len(rows)))
        for name, value in rows:
            parts.append(("\n" + visible(name) + "\n", "$text-muted"))
            parts.append(visible(value, lines=True, limit=limit) + "\n")
        if not title and not rows:
            parts = [("Nothing is selected.", "$text-muted")]
        self._body.update(Content.assemble(*parts))
