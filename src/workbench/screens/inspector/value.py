"""What lies below the rooms: the whole value of the entry under the cursor, or the first rows of the table."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.sql import SqlResult
from workbench.model.text import visible
from workbench.screens.overview import size
from workbench.widgets.grid import Grid
from workbench.widgets.grid_view import GridView
from workbench.widgets.json_tree import tag_of
from workbench.widgets.room import TableLine
from workbench.widgets.rows import HeldRows
from workbench.widgets.value_view import ValueView

FIRST_ROWS = 200

_NAMES = {
    "$map": "Map",
    "$set": "Set",
    "$date": "Date",
    "$bigint": "bigint",
    "$number": "number",
    "$undefined": "undefined",
    "$regexp": "RegExp",
    "$array": "array",
    "$boxed": "boxed",
}


def type_of(value: Any) -> str:
    """What JavaScript calls a tagged value's type."""
    tag = tag_of(value)
    if tag == "$bytes":
        return str(value.get("type", "Uint8Array"))
    if tag == "$error":
        return str(value[tag].get("name", "Error"))
    if tag:
        return _NAMES.get(tag, tag[1:])
    if value is None:
        return "null"
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "boolean"),
        (int, "number"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


class RoomValue(Vertical):
    """A line of facts, then the value or the rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._table = ("", "")

    def compose(self) -> ComposeResult:
        yield Static(id="facts")
        with ContentSwitcher(initial="nothing"):
            yield Static(id="nothing")
            yield ValueView(id="view")
            yield GridView(id="rows")

    def _facts(self, *parts: Any) -> None:
        self.query_one("#facts", Static).update(Content.assemble(*parts))

    def _switch(self, to: str) -> None:
        self.query_one(ContentSwitcher).current = to

    def nothing(self, text: str = "") -> None:
        """The cursor is on no entry and no table."""
        self._facts(visible(text, lines=True, limit=2000))
        self._switch("nothing")

    def say(self, error: WorkbenchError) -> None:
        """Why there is nothing to show."""
        hint = "\n" + visible(error.hint, lines=True, limit=2000) if error.hint else ""
        self._facts((visible(error.message, lines=True, limit=2000), "$text-error"), hint)
        self._switch("nothing")

    def entry(self, stored: StorageEntry, where: str) -> None:
        """A stored value, decoded. A string is shown as the text it is; what can't be decoded as its bytes."""
        view = self.query_one("#view", ValueView)
        name, whose = visible(stored.key, limit=200) or '""', f"{where} ▸ {stored.key}"
        kind = "not decoded" if stored.undecoded else type_of(stored.value)
        facts = f"   {visible(kind, limit=60)} · {size(stored.size_bytes)} stored · {where}"
        self._facts((name, "bold $foreground"), (facts, "$text-muted"))
        if stored.undecoded:
            said = "\n" + visible(stored.undecoded, limit=500) + " · shown as it is stored"
            self._facts((name, "bold $foreground"), (facts, "$text-muted"), (said, "$text-warning"))
            view.show(stored.raw, name=whose)
        elif isinstance(stored.value, str):
            view.show(stored.value.encode("utf-8", "surrogatepass"), name=whose)
        else:
            view.show_tagged(stored.value, stored.raw, name=whose)
        self._switch("view")

    def table(self, table: TableLine, result: SqlResult | None, where: str) -> None:
        """A table's first rows; None while they are read."""
        kind = "" if table.kind == "table" else f"{table.kind} · "
        count = "" if table.rows is None else f"{table.rows:,} row{'s' if table.rows != 1 else ''} · "
        more = ""
        if result is not None and (table.rows is None or table.rows > len(result.rows)):
            more = f" · the first {len(result.rows):,} rows; q opens the console"
        self._facts(
            (visible(table.name, limit=200), "bold $foreground"),
            (f"   {kind}{count}{where}{more}", "$text-muted"),
        )
        if result is None:
            return
        view = self.query_one("#rows", GridView)
        grid, same = view.grid, (where, table.name) == self._table
        at, scrolled = (grid.row, grid.column), grid.scroll_offset
        self._table, view.table = (where, table.name), table.name
        held = HeldRows()
        held.extend(result.rows, True)
        grid.start(result.columns, held)
        if same:  # the same table read again: the cursor stays
            grid.move_to(*at)
            grid.scroll_to(scrolled.x, scrolled.y, animate=False)
        self._switch("rows")

    def focus_value(self) -> None:
        """Put the focus into what is shown."""
        current = self.query_one(ContentSwitcher).current
        if current == "rows":
            self.query_one(Grid).focus()
        elif current == "view":
            for widget in self.query_one("#view").query("*"):
                if widget.focusable and widget.display:
                    widget.focus()
                    return
