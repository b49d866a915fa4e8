"""The pane of a Workflow: its instances at the left or above, the one under the cursor beside or below them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.progress import Cancel
from workbench.model.state import Removal
from workbench.model.text import visible
from workbench.model.workflows import Workflow, WorkflowInstance
from workbench.screens.pane import Details, Locator
from workbench.screens.session import Session
from workbench.widgets.key_list import KeyList
from workbench.widgets.paging import Pages

from .driving import Driving
from .instance import InstancePanel
from .reading import entry_of, plan_of, tried

WIDE = 96
"""Columns from which the instance stands beside the list."""
PAGE = 200
SETTLE = 0.05
"""Seconds the cursor rests on an instance before it is read."""
MANY = 5
"""Instances named in a heading; more are counted."""


class WorkflowPane(Driving):
    """Instances, newest first, a page at a time."""

    TCSS = "workflows.tcss"
    HELP = (
        "Instances of the Workflow, newest first, with their status: ✓ complete, ✗ errored, ▶ running, … waiting, ‖ paused.\n"
        "Enter goes to the timeline: parameters, every step with the time it took, and what came out. Solid bars are work, "
        "dotted ones are sleeps, waits and the time between attempts. Enter on a step goes to its output or error.\n"
        "What a running server does appears here by itself. Space marks; d deletes what is marked.\n"
        + Driving.DRIVING
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("d,delete", "delete", "Delete"),
        Binding("y", "yank", "Copy the id", show=False),
        Binding("r", "read_again", "Read again", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.workflow: Workflow | None = None
        self._wish: str | None = None
        self._chased = ""

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        with Container(id="split"):
            yield KeyList(id="instances", empty="it has never run here", when=11, when_from=42)
            yield InstancePanel(id="instance")

    def on_mount(self) -> None:
        self.instances.start(self._wish)
        self.read_workflow()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    @property
    def instances(self) -> KeyList:
        return self.query_one(KeyList)

    @property
    def panel(self) -> InstancePanel:
        return self.query_one(InstancePanel)

    def focus_first(self) -> None:
        self.instances.focus()

    def keep(self) -> dict[str, Any]:
        entry = self.instances.current if self.is_mounted else None
        return {"instance": entry.key if entry else ""}

    def restore(self, kept: dict[str, Any]) -> None:
        wish = kept.get("instance")
        self._wish = wish if isinstance(wish, str) and wish else None

    def selected(self) -> dict[str, str]:
        entry = self.instances.current
        return {"id": entry.key} if entry is not None else {}

    def chosen(self) -> tuple[str, str] | None:
        entry, instance = self.instances.current, self.panel.instance
        if entry is None:
            return None
        return entry.key, instance.status if instance is not None and instance.id == entry.key else ""

    # Reading

    @work(exclusive=True, group="workflow")
    async def read_workflow(self) -> None:
        """Its class, its binding, and how many instances there are."""
        self._draw_where()
        try:
            found: list[Workflow] = await self.session.call("workflows.list")
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.workflow = next((one for one in found if one.name == self.locator.resource), None)
        self._draw_where()

    def _draw_where(self) -> None:
        parts: list[Any] = [(visible(self.locator.resource, limit=60), "bold $primary")]
        workflow, marks = self.workflow, len(self.instances.marks)
        if workflow is not None:
            if workflow.class_name:
                parts.append((f"   {visible(workflow.class_name, limit=60)}", "$text-muted"))
            if workflow.instances is not None:
                parts.append(f"   {workflow.instances:,} instance{'s' if workflow.instances != 1 else ''}")
            if not workflow.bound:
                parts.append(("   ○ no config binds it", "$text-muted"))
        if marks:
            parts.append((f"   {marks:,} marked", "bold $warning"))
        if self._chased:
            parts.append((f"   {self._chased}", "$warning"))
        self.query_one("#where", Static).update(Content.assemble(*parts))

    @on(KeyList.Need)
    def need(self, event: KeyList.Need) -> None:
        for number, cursor in event.pages:
            self._fetch(self.instances.pages, number, cursor)

    @work(group="pages")
    async def _fetch(self, pages: Pages, number: int, cursor: str | None) -> None:
        ticket = pages.begin(number)
        try:
            page: Page[WorkflowInstance] = await self.session.call(
                "workflows.instances.list", workflow=self.locator.resource, limit=PAGE, cursor=cursor
            )
        except WorkbenchError as error:
            self.instances.failed(pages, number)
            self.panel.say(error)
            return
        if pages.latest(number, ticket):
            self.instances.supply(pages, number, [entry_of(one) for one in page.items], page.cursor)

    @on(KeyList.Chasing)
    def chasing(self, event: KeyList.Chasing) -> None:
        self._chased = "" if event.done else f"reading on: {event.rows:,} · esc stops"
        self._draw_where()

    def concerns(self, paths: Collection[str]) -> bool:
        return any(path.startswith("workflows/") for path in paths)

    async def refresh_data(self) -> None:
        self.instances.again()
        self.read_workflow()
        entry = self.instances.current
        if entry is not None:
            self._load(entry.key)

    # The instance under the cursor

    @on(KeyList.Moved)
    def moved(self, event: KeyList.Moved) -> None:
        if event.entry is not None:
            self._load(event.entry.key)
        else:
            self.workers.cancel_group(self, "instance")
            self.panel.nothing()
            self.show_details(Details(self.title, ()))

    @work(exclusive=True, group="instance")
    async def _load(self, id: str) -> None:
        await asyncio.sleep(SETTLE)
        try:
            found: WorkflowInstance = await self.session.call(
                "workflows.instances.get", id=id, workflow=self.locator.resource
            )
        except WorkbenchError as error:
            self.panel.say(error)
            return
        self.panel.show(found)

    @on(InstancePanel.Picked)
    def picked(self) -> None:
        instance = self.panel.instance
        if instance is not None:
            self.show_details(details_of(instance, self.panel.timeline.cursor - 1))

    # Keys

    @on(KeyList.Opened)
    def opened(self) -> None:
        self.panel.focus_timeline()

    @on(KeyList.Marked)
    def marked(self) -> None:
        self._draw_where()

    def action_yank(self) -> None:
        entry = self.instances.current
        if entry is not None:
            self.app.copy_to_clipboard(entry.key.encode("utf-8", "replace").decode())
            self.tell("copied the id")

    async def action_read_again(self) -> None:
        await self.refresh_data()

    def action_back(self) -> None:
        """Escape undoes one thing: the search for the end, the focus in the value, in the timeline, marks."""
        instances, panel = self.instances, self.panel
        if instances.stop_chasing():
            self._chased = ""
            self._draw_where()
        elif panel.has_focus_within and not panel.timeline.has_focus:
            panel.focus_timeline()
        elif not instances.has_focus:
            instances.focus()
        else:
            instances.clear_marks()

    @work(exclusive=True, group="edit")
    async def action_delete(self) -> None:
        """Delete the instances that are marked, or the one under the cursor, after showing all that goes."""
        from workbench.screens.dialogs import Confirm

        instances = self.instances
        chosen = [mark.key for mark in instances.marks.values()]
        if not chosen and instances.current is not None:
            chosen = [instances.current.key]
        if not chosen:
            return
        try:
            parts = [await self._delete(id, dry_run=True) for id in chosen]
        except WorkbenchError as error:
            self.tell_error(error)
            return
        names = ", ".join(chosen[:MANY]) + (" …" if len(chosen) > MANY else "")
        question = Confirm(
            f"Delete {names}",
            target=self.session.target,
            question=f"{len(chosen):,} instance{'s' if len(chosen) != 1 else ''} of {self.locator.resource}",
            lines=[line for part in parts for line in part.removed],
            total=sum(part.total for part in parts),
            note=parts[0].note,
        )
        if not await self.app.push_screen_wait(question):
            return
        cancel = Cancel()
        try:
            done = [await self._delete(id, cancel=cancel) for id in chosen]
        except WorkbenchError as error:
            self.tell_error(error)
        else:
            self.tell(done[0].note or f"{len(done):,} deleted")
        instances.marks = {}
        await self.refresh_data()
        self.post_message(self.Changed())

    async def _delete(self, id: str, *, dry_run: bool = False, cancel: Cancel | None = None) -> Removal:
        removal: Removal = await self.session.call(
            "workflows.instances.delete",
            id=id,
            workflow=self.locator.resource,
            dry_run=dry_run,
            force=not dry_run,
            cancel=cancel,
        )
        return removal


def details_of(instance: WorkflowInstance, step: int) -> Details:
    """Everything about an instance, and about its step of that number where there is one."""
    rows = [("id", instance.id), ("status", instance.status)]
    rows += [
        (name, moment)
        for name, moment in (
            ("created", instance.created),
            ("started", instance.started),
            ("ended", instance.ended),
        )
        if moment
    ]
    rows.append(("steps", f"{len(instance.steps):,}"))
    if 0 <= step < len(instance.steps):
        one = instance.steps[step]
        rows += [("step", one.name), ("kind", one.kind), ("its status", one.status)]
        rows += [("began", one.started or ""), ("ended", one.ended or "not yet")]
        rows += [("as planned", plan_of(one))] if plan_of(one) else []
        for number, attempt in enumerate(one.tries, 1):
            said = tried(attempt.started, attempt.ended, attempt.error, attempt.retry_ms)
            rows.append((f"try {number}", said))
    return Details(instance.id, tuple(rows))
