"""The value beside the keys: what is known of it above, the value itself below."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.overview import size
from workbench.widgets.value_view import ValueView

from .sources import Loaded


class ValuePanel(Vertical):
    """Shows one value, a folder, or why there is nothing to show."""

    def compose(self) -> ComposeResult:
        yield Static(id="facts")
        yield ValueView(id="view")

    def _facts(self, *parts: Any) -> None:
        self.query_one("#facts", Static).update(Content.assemble(*parts))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: Loaded | None = None

    def folder(self, key: str) -> None:
        """Nothing, or a folder, has the cursor."""
        self._shown = None
        self._facts(("▸ " + visible(key, limit=500) + "   enter opens it", "") if key else "")
        self.query_one("#view").display = False

    def say(self, error: WorkbenchError) -> None:
        """Why there is no value."""
        self._shown = None
        parts: list[Any] = [(visible(error.message, lines=True, limit=2000), "$text-error")]
        if error.hint:
            parts.append("\n" + visible(error.hint, lines=True, limit=2000))
        self._facts(*parts)
        self.query_one("#view").display = False

    def show(self, loaded: Loaded) -> None:
        """A value, or the head of one. The same again changes nothing."""
        before, self._shown = self._shown, loaded
        parts: list[Any] = [(visible(loaded.key, limit=500), "bold $foreground")]
        line = []
        for name, value in loaded.rows:
            flat = " ".join(value.split())
            if name in ("uploaded", "expires", "metadata", "contentType") or name.startswith("custom "):
                line.append(flat if name == "contentType" else f"{name} {flat}")
        if line:
            parts.append("\n" + visible(" · ".join(line), limit=600))
        if not loaded.whole:
            parts.append(
                (f"\nthe first {size(len(loaded.data))}; s saves all of it to disk", "$text-warning")
            )
        self._facts(*parts)
        view = self.query_one("#view", ValueView)
        view.display = True
        if before is None or before[:2] != loaded[:2] or before.media != loaded.media:
            view.show(loaded.data, media=loaded.media, name=loaded.key)

    def focus_value(self) -> None:
        """Put the focus into the value."""
        view = self.query_one("#view", ValueView)
        if view.display:
            view.focus_value()
