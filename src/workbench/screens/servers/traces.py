"""Requests that the dev server answered, and what happened in the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.model.traces import Trace, TraceDetail
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.screens.when import from_now, took
from workbench.widgets.timeline import Timeline
from workbench.widgets.value_view import ValueView

from . import REQUESTS
from .waterfall import Said, listed, sign_of, waterfall

WIDE = 96
"""Columns from which the waterfall stands beside the list."""
MOST = 200
SETTLE = 0.05
"""Seconds the cursor rests on a request before it is read."""
_TONES = {"good": "$text-success", "bad": "$text-error", "busy": "$text-warning", "": "$text-muted"}


class TracesPane(Pane):
    """The list, the waterfall, and the attributes or the text of its line under the cursor."""

    TCSS = "servers.tcss"
    HELP = (
        "Requests that the dev server answered, the newest first; cron triggers, messages and e-mails too. Bars say how long each took.\n"
        "Enter goes to its waterfall: every call to a binding, another Worker or the network where it happened, and between them what was "
        "logged (› log, ! warning, ✗ error). Enter there goes to a span's attributes, or to the whole text.\n"
        "f shows only those that failed; d deletes all of them. They lie in the state directory, so they are there without a server too."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("f", "failed", "Failed"),
        Binding("a", "requests", "Ask it"),
        Binding("d,delete", "delete", "Delete all"),
        Binding("r", "read_again", "Read again", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.detail: TraceDetail | None = None
        self.failed = False
        self._said: Said | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        with Container(id="split"):
            yield Timeline(id="list")
            with Vertical(id="one"):
                yield Static(id="head")
                yield Timeline(id="spans")
                yield Static(id="facts")
                yield ValueView(id="view")

    def on_mount(self) -> None:
        self.read_list()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    @property
    def title(self) -> str:
        return "traces"

    @property
    def recent(self) -> Timeline:
        return self.query_one("#list", Timeline)

    @property
    def spans(self) -> Timeline:
        return self.query_one("#spans", Timeline)

    def focus_first(self) -> None:
        self.recent.focus()

    def concerns(self, paths: Collection[str]) -> bool:
        return any(path.startswith("observability/") for path in paths)

    async def refresh_data(self) -> None:
        self.read_list()

    def keep(self) -> dict[str, Any]:
        return {"failed": self.failed}

    def restore(self, kept: dict[str, Any]) -> None:
        self.failed = kept.get("failed") is True

    # Reading

    @work(exclusive=True, group="list")
    async def read_list(self) -> None:
        try:
            found: list[Trace] = await self.session.call("traces.list", failed=self.failed, limit=MOST)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        first = self.recent.current is None
        lines, longest = listed(found)
        self.recent.show(lines, longest, at=0 if first and lines else None)
        parts: list[Any] = [(f"{len(found):,} request{'' if len(found) == 1 else 's'}", "bold $primary")]
        if self.failed:
            parts.append(("   only those that failed · f shows all", "$text-warning"))
        elif not found:
            parts = [("no request was kept yet: a sends one", "$text-muted")]
        self.query_one("#where", Static).update(Content.assemble(*parts))
        self.query_one("#one").display = bool(found)
        if self.recent.current is not None:
            self._load(self.recent.current.id)

    @work(exclusive=True, group="one")
    async def _load(self, id: str) -> None:
        await asyncio.sleep(SETTLE)
        try:
            found: TraceDetail = await self.session.call("traces.get", id=id)
        except WorkbenchError as error:
            if error.code != "traces.not_found":
                self.tell_error(error)
            return
        self._show(found)

    def _show(self, found: TraceDetail) -> None:
        same = self.detail is not None and self.detail.trace.id == found.trace.id
        self.detail = found
        trace = found.trace
        sign, tone = sign_of(trace)
        said = trace.outcome or "running"
        parts: list[Any] = [
            (f"{sign} {visible(trace.name, limit=300)}", f"bold {_TONES[tone]}"),
            f"   {trace.status or said}   ",
            "…" if trace.duration_ms is None else took(trace.duration_ms / 1000),
            (f"   {visible(trace.worker or '', limit=60)} · {from_now(trace.started)}", "$text-muted"),
        ]
        if trace.error:
            parts.append(("\n" + visible(trace.error, limit=500), "$text-error"))
        self.query_one("#head", Static).update(Content.assemble(*parts))
        lines, length = waterfall(found)
        self.spans.show(lines, length, at=None if same else 0)
        rows = [(name, str(value)) for name, value in trace._asdict().items() if value is not None]
        self.show_details(Details(trace.name, tuple(rows)))

    @on(Timeline.Moved)
    def moved(self, event: Timeline.Moved) -> None:
        event.stop()
        of_list, opened = isinstance(event.event.data, Trace), isinstance(event, Timeline.Opened)
        if opened and of_list:
            self.spans.focus()
        elif opened:
            self.query_one(ValueView).focus_value()
        elif of_list:
            self._load(event.event.id)
        else:
            self._pick(event.event.data)

    def _pick(self, said: Said) -> None:
        """What belongs to a line of the waterfall."""
        if said == self._said:
            return
        self._said = said
        parts: list[Any] = [(visible(said.name, limit=200), "bold $foreground")]
        parts += [("\n" + visible(text, limit=500), style) for text, style in said.facts]
        self.query_one("#facts", Static).update(Content.assemble(*parts))
        view = self.query_one(ValueView)
        if said.text is not None:
            view.show(said.text.encode("utf-8", "replace"), media="text/plain")
        else:
            view.show_tagged(said.value)

    # Keys

    def action_failed(self) -> None:
        self.failed = not self.failed
        self.read_list()

    def action_requests(self) -> None:
        self.post_message(self.Open(REQUESTS))

    def action_read_again(self) -> None:
        self.read_list()

    def action_back(self) -> None:
        """From the value to the waterfall, from there to the list."""
        if self.spans.has_focus or self.recent.has_focus:
            self.recent.focus()
        else:
            self.spans.focus()

    @work(exclusive=True, group="edit")
    async def action_delete(self) -> None:
        """All of them, after a question."""
        from workbench.screens.dialogs import Confirm

        try:
            gone = await self.session.call("traces.delete", dry_run=True)
            asked = Confirm(
                "Delete all traces", target=self.session.target, lines=gone.removed, total=len(gone.removed)
            )
            if gone.total and await self.app.push_screen_wait(asked):
                await self.session.call("traces.delete", force=True)
        except WorkbenchError as error:
            self.tell_error(error)
        self.read_list()
