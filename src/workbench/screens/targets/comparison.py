"""A resource on two targets beside each other: what is only left, only right, or different; both values; what is marked is copied."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.text import visible
from workbench.screens.session import Session
from workbench.widgets.grid import Grid
from workbench.widgets.key_hints import KeyHints
from workbench.widgets.rows import HeldRows
from workbench.widgets.target_badge import badge
from workbench.widgets.value_view import ValueView

SIGNS = {"only_from": "←", "only_to": "→", "different": "≠"}
SAID = {"only_from": "only left", "only_to": "only right", "different": "different"}
NOUNS = {"kv": "keys", "r2": "objects", "d1": "tables"}
STEPS = {"kv": "keys", "r2": "objects", "d1": "rows"}
"""What progress counts."""
PARAMETERS = {"kv": "binding", "r2": "bucket", "d1": "database"}
SHOWN = 1 << 20
"""Bytes of an object that are fetched to be looked at."""


class Side(NamedTuple):
    """A resource on a target."""

    session: Session
    resource: str

    @property
    def key(self) -> str:
        """How operations name the target."""
        if self.session.route == "server":
            return self.session.name
        return f"remote:{self.session.target.source}" if self.session.route == "remote" else "local"


class TargetComparison(ModalScreen[None]):
    """Compares as soon as it is shown. kind: kv, r2 or d1. prefix: of keys or objects."""

    CSS_PATH = "targets.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", "Back"),
        Binding("space", "mark", "Mark"),
        Binding("a", "mark_all", "All"),
        Binding("f7", "copy('left')", "← Copy left"),
        Binding("f8", "copy('right')", "Copy right →"),
        Binding("r", "again", "Compare again"),
    ]

    def __init__(self, kind: str, left: Side, right: Side, prefix: str = "", label: str = "") -> None:
        super().__init__()
        self.kind, self.left, self.right, self.prefix, self.label = kind, left, right, prefix, label
        self.found: Any = None
        self.marked: set[str] = set()
        self._cancel: Cancel | None = None
        self._doing = "comparing"

    def compose(self) -> ComposeResult:
        remote = "remote" in (self.left.session.route, self.right.session.route)
        with Vertical(id="dialog", classes="-wide -remote" if remote else "-wide"):
            yield Static(id="heading")
            yield Static(id="figures")
            yield Grid(id="lines")
            with Horizontal(id="both"):
                for name, side in (("left", self.left), ("right", self.right)):
                    on_target = side.session
                    with Vertical(id=name):
                        yield Static(
                            badge(on_target.target, width=200, name=on_target.name, route=on_target.route),
                            classes="side",
                        )
                        yield Static("not here", classes="none")
                        yield ValueView()
            yield KeyHints()

    def on_mount(self) -> None:
        what = f"{visible(self.label or self.left.resource, limit=100)} {visible(self.prefix, limit=100)}".rstrip()
        left, right = (
            badge(side.session.target, width=60, name=side.session.name, route=side.session.route)
            for side in (self.left, self.right)
        )
        self.query_one("#heading", Static).update(
            Content.assemble(
                (what, "bold"), ("\n← left   ", "$text-muted"), left, ("\n→ right  ", "$text-muted"), right
            )
        )
        self._list()
        self.query_one(Grid).focus()
        self.action_again()

    # Comparing

    def _arguments(self, source: Side, target: Side) -> dict[str, Any]:
        name = PARAMETERS[self.kind]
        given: dict[str, Any] = {name: source.resource, f"to_{name}": target.resource, "from": source.key}
        return given

    def _slice(self) -> dict[str, Any]:
        return {"prefix": self.prefix} if self.prefix else {}

    def action_again(self) -> None:
        self.compare()

    @work(exclusive=True)
    async def compare(self) -> None:
        """Ask for what differs, and list it."""
        self._cancel = cancel = Cancel()
        self._doing = "comparing"
        self._say("comparing … esc stops")
        try:
            self.found = await self.right.session.call(
                f"{self.kind}.{NOUNS[self.kind]}.diff",
                cancel=cancel,
                progress=self._progress,
                **self._arguments(self.left, self.right) | self._slice(),
            )
        except WorkbenchError as error:
            self._say(f"{error.message} {error.hint}".strip(), "$text-error")
            return
        finally:
            self._cancel = None
        self.marked &= {one.name for one in self.found.differences}
        self._figures()
        self._list()

    def _progress(self, done: int, total: int | None) -> None:
        self.call_later(self._say, f"{self._doing} … {done:,} {STEPS[self.kind]} · esc stops")

    def _figures(self) -> None:
        found = self.found
        if not found.total:
            said = f"No difference: {found.equal:,} alike" + (
                "" if found.exact else ", as far as it could be compared"
            )
        else:
            said = f"{found.total:,} differ, {found.equal:,} are alike"
            if found.total > len(found.differences):
                said += f"; the first {len(found.differences):,} are listed"
            if self.marked:
                said += f" · {len(self.marked):,} marked"
        self._say(f"{said}. {found.note}" if found.note else said)

    def _say(self, text: str, style: str = "$text-muted") -> None:
        if self.is_attached:
            self.query_one("#figures", Static).update(
                Content.assemble((visible(text, lines=True, limit=2000), style))
            )

    # What is on screen

    def _list(self) -> None:
        grid = self.query_one(Grid)
        at = grid.row
        held = HeldRows()
        rows = self.found.differences if self.found else []
        held.extend(
            [
                (
                    "●" if one.name in self.marked else "",
                    SIGNS[one.state],
                    one.name,
                    one.what or SAID[one.state],
                )
                for one in rows
            ],
            True,
        )
        grid.start(("", "", "name", "what"), held)
        # Not known yet is not the same as none.
        grid.visible = self.found is not None
        if rows:
            grid.move_to(min(at, len(rows) - 1), 2)
        self._show()

    @on(Grid.Moved)
    def moved(self) -> None:
        self._show()

    def _current(self) -> Any:
        rows = self.found.differences if self.found else []
        at = self.query_one(Grid).row
        return rows[at] if at < len(rows) else None

    @work(exclusive=True, group="values")
    async def _show(self) -> None:
        """Both values of the line under the cursor."""
        one = self._current()
        self.query_one("#both").display = one is not None
        if one is None:
            return
        for name, side, missing in (("left", self.left, "only_to"), ("right", self.right, "only_from")):
            view = self.query_one(f"#{name} > ValueView", ValueView)
            data = None if one.state == missing else await self._value(name, side, one)
            view.display = data is not None
            self.query_one(f"#{name} > .none").display = data is None
            if data is not None:
                view.show(data, name=one.name)

    async def _value(self, name: str, side: Side, one: Any) -> bytes | None:
        if self.kind == "d1":
            text = one.from_value if name == "left" else one.to_value
            return (text or "the table, with all its rows").encode("utf-8", "surrogatepass")
        name = one.name
        try:
            if self.kind == "kv":
                value = await side.session.call("kv.values.get", key=name, binding=side.resource)
                return bytes(value.value)
            body = await side.session.call(
                "r2.objects.get", key=name, bucket=side.resource, range=f"0-{SHOWN - 1}"
            )
            return await side.session.blocking(lambda: b"".join(body.chunks))
        except WorkbenchError as error:
            return error.message.encode()

    # Copying

    def action_mark(self) -> None:
        one = self._current()
        if one is not None:
            self.marked ^= {one.name}
            self._figures()
            self._list()

    def action_mark_all(self) -> None:
        """All that are listed, or none."""
        names = {one.name for one in self.found.differences} if self.found else set()
        self.marked = set() if self.marked == names else names
        self._figures()
        self._list()

    @work(exclusive=True)
    async def action_copy(self, side: str) -> None:
        """Copy what is marked (else what the cursor is on) to a side. On the account it asks."""
        source, target = (self.left, self.right) if side == "right" else (self.right, self.left)
        lacking = "only_to" if side == "right" else "only_from"
        one = self._current()
        wanted = self.marked or ({one.name} if one is not None else set())
        names = [
            one.name
            for one in (self.found.differences if self.found else ())
            if one.name in wanted and one.state != lacking
        ]
        if not names:
            self._say("nothing of that is on the other side to be copied from", "$text-warning")
            return
        self._doing = "copying"
        self._cancel = cancel = Cancel()
        try:
            reports = [
                await target.session.call(
                    f"{self.kind}.{NOUNS[self.kind]}.copy",
                    cancel=cancel,
                    progress=self._progress,
                    **self._arguments(source, target),
                    **given,
                )
                for given in self._lots(names)
            ]
        except WorkbenchError as error:
            self._say(f"{error.message} {error.hint}".strip(), "$text-error")
            return
        finally:
            self._cancel = None
        problems = [line for report in reports for line in report.problems]
        verified = sum(report.verified for report in reports)
        said = f"{verified:,} copied and verified"
        self.app.notify(
            visible("\n".join([said, *problems[:5]]), lines=True, limit=2000),
            severity="warning" if problems else "information",
            markup=False,
        )
        self.marked.clear()
        self.compare()

    def _lots(self, names: list[str]) -> list[dict[str, Any]]:
        """What the operation is given for these: keys and rows at once, objects one by one."""
        if self.kind == "kv":
            return [{"key": names}]
        if self.kind == "r2":
            return [{"key": name} for name in names]
        tables = [name.removeprefix("table ") for name in names if name.startswith("table ")]
        rows = [name for name in names if not name.startswith("table ")]
        return ([{"table": tables}] if tables else []) + ([{"row": rows}] if rows else [])

    def action_leave(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
        else:
            self.dismiss(None)
