"""What an operation gave: a list as a table, anything else as the JSON that every face gives."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static

from workbench.model.page import Page
from workbench.model.tagged import dumps, plain
from workbench.model.target import Target
from workbench.model.text import visible
from workbench.operations import Operation
from workbench.operations.results import to_json
from workbench.widgets.target_badge import TargetBadge

ROWS = 1000
TEXT = 200_000


class ResultScreen(ModalScreen[None]):
    """Closes at Escape; the form below it is still there."""

    CSS_PATH = "palette.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q", "dismiss(None)", "Back"),
        Binding("y", "copy", "Copy as JSON"),
    ]

    def __init__(self, operation: Operation, result: Any, target: Target) -> None:
        super().__init__()
        self.operation, self.target, self.result = operation, target, result

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-tall"):
            yield Static(Content(" ".join(self.operation.words)), id="summary")
            yield TargetBadge(self.target)
            rows = _rows(self.result)
            if rows is not None:
                yield DataTable(zebra_stripes=True, cursor_type="row")
            else:
                with VerticalScroll():
                    yield Static(Content(visible(self._json(indent=2), lines=True, limit=TEXT)), id="text")
            yield Static(Content(self._foot(rows)), id="keys")

    def on_mount(self) -> None:
        rows = _rows(self.result)
        if rows is None:
            self.query_one(VerticalScroll).focus()
            return
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_columns(*[Text(visible(name)) for name in rows[0]])
        for row in rows[:ROWS]:
            table.add_row(*[Text(_cell(value)) for value in row.values()])
        table.focus()

    def _foot(self, rows: list[dict[str, Any]] | None) -> str:
        if rows is None:
            return "y copy · esc back"
        more = " · there are more: give a limit or a cursor" if getattr(self.result, "cursor", None) else ""
        shown = f"{min(len(rows), ROWS):,} of " if len(rows) > ROWS else ""
        return f"{shown}{len(rows):,} rows{more} · y copy as JSON · esc back"

    def _json(self, indent: int | None = None) -> str:
        return dumps(to_json(self.result, self.operation.fields), indent=indent)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._json())
        self.notify("copied", timeout=2)


def _rows(result: Any) -> list[dict[str, Any]] | None:
    items = result.items if isinstance(result, Page) else result
    if not isinstance(items, list) or not items or not hasattr(items[0], "_asdict"):
        return None
    rows = [item._asdict() for item in items]
    return rows if all(not isinstance(value, tuple) for value in rows[0].values()) else None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return visible(value, limit=60)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return visible(dumps(plain(value)), limit=60)
