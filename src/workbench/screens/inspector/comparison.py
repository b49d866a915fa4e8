"""Two rooms beside each other: a line a table, row or entry, and below both values whole."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import Table
from workbench.model.tagged import from_sql
from workbench.model.target import Target
from workbench.model.text import visible
from workbench.widgets.columns import GAP
from workbench.widgets.grid import Grid
from workbench.widgets.json_tree import Node
from workbench.widgets.key_hints import KeyHints
from workbench.widgets.rows import HeldRows
from workbench.widgets.target_badge import TargetBadge
from workbench.widgets.value_view import ValueView

from .compare import Comparison, Found, How, RowValue, Side, compare

SIGNS: dict[How, str] = {"same": "=", "left": "←", "right": "→", "differ": "≠", "unknown": "?"}
PREVIEW = 120
LEAST_SIDE = 16
"""Cells of a column of values."""


class ComparisonScreen(ModalScreen[None]):
    """Compares as soon as it is shown; Escape leaves, also while it compares."""

    CSS_PATH = "comparison.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", "Back"),
        Binding("a", "all", "All/what differs"),
        Binding("s", "swap", "Swap sides"),
        Binding("r", "again", "Read again"),
        Binding("f6", "values", "To the values", show=False),
    ]

    def __init__(self, left: Side, right: Side, target: Target, folder: str = "") -> None:
        super().__init__()
        self.left, self.right, self.target, self.folder = left, right, target, folder
        self.found: Comparison | None = None
        self.shown: list[Found] = []
        self._alike_too = False
        self._cancel = Cancel()

    def compose(self) -> ComposeResult:
        with Vertical(id="comparison"):
            yield Static(id="heading")
            yield TargetBadge(self.target, folder=self.folder)
            yield Static(id="figures")
            yield Grid(id="lines")
            with Horizontal(id="both"):
                for name in ("left", "right"):
                    with Vertical(id=name):
                        yield Static(classes="side")
                        yield Static("not here", classes="none")
                        yield ValueView()
            yield KeyHints()

    def on_mount(self) -> None:
        self._list()
        self.query_one(Grid).focus()
        self.compare()

    @work(exclusive=True)
    async def compare(self) -> None:
        """Read both rooms and list what differs."""
        self._cancel = cancel = Cancel()
        self._draw_heading()
        self._say("comparing … esc stops")
        try:
            self.found = await compare(self.left, self.right, cancel)
        except WorkbenchError as error:
            self._say(f"{error.message} {error.hint}".strip(), "$text-error")
            return
        self._say(_figures(self.found))
        self._list()

    # What is on screen

    def _draw_heading(self) -> None:
        left, right = visible(self.left.label, limit=100), visible(self.right.label, limit=100)
        self.query_one("#heading", Static).update(
            Content.assemble((left, "bold"), (" compared with ", "$text-muted"), (right, "bold"))
        )
        for name, label in (("left", left), ("right", right)):
            self.query_one(f"#{name} > .side", Static).update(Content(label))

    def _say(self, text: str, style: str = "$text-muted") -> None:
        self.query_one("#figures", Static).update(
            Content.assemble((visible(text, lines=True, limit=2000), style))
        )

    def _list(self) -> None:
        """List what was found: what differs, or everything."""
        grid = self.query_one(Grid)
        lines = self.found.lines if self.found else []
        self.shown = [one for one in lines if self._alike_too or one.how != "same"]
        held = HeldRows()
        held.extend([_line(one) for one in self.shown], True)
        grid.start(("", "what", "left", "right"), held)
        self._widen()
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._widen)

    def _widen(self) -> None:
        """The two sides share what the names leave; where that is little they keep what they want."""
        grid = self.query_one(Grid)
        sign, what = grid.columns.widths[:2]
        side = (grid.size.width - len(f"{len(self.shown):,}") - 4 - sign - what - 3 * GAP) // 2
        if side >= LEAST_SIDE:
            grid.set_widths((sign, what, side, side))

    @on(Grid.Moved)
    def moved(self, event: Grid.Moved) -> None:
        if isinstance(event, Grid.Opened):
            self.action_values()
        else:
            self._show()

    def _show(self) -> None:
        """Both values of the line under the cursor."""
        at = self.query_one(Grid).row
        self.query_one("#both").display = bool(self.shown)
        if at >= len(self.shown):
            return
        one = self.shown[at]
        for name, value in (("left", one.left), ("right", one.right)):
            view = self.query_one(f"#{name} > ValueView", ValueView)
            view.display = value is not None
            self.query_one(f"#{name} > .none").display = value is None
            if isinstance(value, Table):
                view.show((value.sql or value.name).encode("utf-8", "surrogatepass"))
            elif isinstance(value, RowValue):
                view.show_tagged(_row(value))
            elif isinstance(value, StorageEntry) and value.undecoded:
                view.show(value.raw)
            elif isinstance(value, StorageEntry):
                view.show_tagged(value.value, value.raw)

    # Keys

    def action_all(self) -> None:
        """What is alike too, or only what differs."""
        self._alike_too = not self._alike_too
        self._list()

    def action_swap(self) -> None:
        self.left, self.right = self.right, self.left
        self.compare()

    def action_again(self) -> None:
        self.compare()

    def action_values(self) -> None:
        """Into the values below, and back."""
        grid = self.query_one(Grid)
        if not grid.has_focus:
            grid.focus()
            return
        views = [view for view in self.query(ValueView) if view.display]
        if self.shown and views:
            views[0].focus_value()

    def action_leave(self) -> None:
        """From the values to the list, from there out."""
        grid = self.query_one(Grid)
        if self.shown and not grid.has_focus:
            grid.focus()
            return
        self._cancel.cancel()
        self.dismiss(None)


def _line(one: Found) -> tuple[str, str, str, str]:
    indent = "  " if one.kind == "row" else ""
    changed = one.left.changed if isinstance(one.left, RowValue) else ()
    left = _preview(one.left, changed)
    right = _preview(one.right, one.right.changed if isinstance(one.right, RowValue) else ())
    return (SIGNS[one.how], f"{indent}{one.kind} {one.name}", left, right)


def _row(value: RowValue, only: tuple[int, ...] = ()) -> dict[str, Any]:
    """A row as tagged JSON; of some of its columns where some are wanted."""
    return {
        ("$" + name if name.startswith("$") else name): from_sql(value.row[at])
        for at, name in enumerate(value.columns.names)
        if not only or at in only
    }


def _preview(value: Any, changed: tuple[int, ...] = ()) -> str:
    """A value in a few words; of a row that differs, the columns that do."""
    if isinstance(value, Table):
        if value.kind == "view":
            return "view"
        rows = (
            "rows not counted"
            if value.rows is None
            else f"{value.rows:,} row{'s' if value.rows != 1 else ''}"
        )
        return f"{rows}, {len(value.columns)} columns"
    if isinstance(value, RowValue):
        return _short(_row(value, changed))
    if isinstance(value, StorageEntry):
        return f"not decoded, {value.size_bytes:,} B" if value.undecoded else _short(value.value)
    return "–"


def _short(value: Any) -> str:
    return "".join(text for text, _ in Node(value, tagged=True).pieces(PREVIEW))


def _figures(found: Comparison) -> str:
    """What came out, in a line, and a line for everything that could not be compared."""
    alike = [
        sum(one.kind == kind and one.how == "same" for one in found.lines) for kind in ("table", "entry")
    ]
    same = f"{alike[0]:,} table{'s' if alike[0] != 1 else ''} and {alike[1]:,} entr{'ies' if alike[1] != 1 else 'y'} alike"
    if all(one.how == "same" for one in found.lines):
        said = f"No difference: {same}, rows and all" if found.lines else "Both are empty."
    else:
        counts: dict[How, str] = {"differ": "differ", "left": "only left", "right": "only right"}
        said = " · ".join(f"{SIGNS[how]} {found.count(how):,} {word}" for how, word in counts.items())
        said += f" · = {same}"
    if found.cut:
        said += f" · stopped at {len(found.lines):,} lines"
    return "\n".join([said, *found.notes])
