"""One instance: what is known of it, its timeline, and the value of the line under the cursor."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.model.workflows import WorkflowInstance
from workbench.widgets.timeline import Event, Timeline
from workbench.widgets.value_view import ValueView

from .reading import ENDED, Said, course, error_line, sign_of, timeline

_TONES = {"good": "$text-success", "bad": "$text-error", "busy": "$text-warning", "": "$text-muted"}


class InstancePanel(Vertical):
    """`show` an instance. An instance that goes on is drawn again every second."""

    class Picked(Message):
        """Another line of the timeline has the cursor."""

        def __init__(self, said: Said) -> None:
            super().__init__()
            self.said = said

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.instance: WorkflowInstance | None = None
        self._said: Said | None = None
        self._follows = True

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Timeline(id="timeline")
        yield Static(id="facts")
        yield ValueView(id="view")
        yield Static(id="none")

    def on_mount(self) -> None:
        self.nothing()
        self.set_interval(1, self._tick)

    def _tick(self) -> None:
        if self.instance is not None and self.instance.status not in ENDED and self.is_on_screen:
            self._draw()

    @property
    def timeline(self) -> Timeline:
        return self.query_one(Timeline)

    # What is shown

    def nothing(self, text: str = "") -> None:
        """No instance is chosen."""
        self.instance = self._said = None
        self.query_one("#head", Static).update(Content(visible(text, lines=True, limit=2000)))
        self.set_class(True, "-empty")

    def say(self, error: WorkbenchError) -> None:
        """Why there is no instance to show."""
        self.nothing()
        parts: list[Any] = [(visible(error.message, lines=True, limit=2000), "$text-error")]
        if error.hint:
            parts.append("\n" + visible(error.hint, lines=True, limit=2000))
        self.query_one("#head", Static).update(Content.assemble(*parts))

    def show(self, instance: WorkflowInstance) -> None:
        """An instance. What it is at is followed until one goes into the timeline; from then on its line stays."""
        same = self.instance is not None and self.instance.id == instance.id
        self.instance = instance
        self.set_class(False, "-empty")
        if not same:
            self._said, self._follows = None, True
        self._draw(self._first(instance) if self._follows else None)

    def on_descendant_focus(self) -> None:
        self._follows = False

    @staticmethod
    def _first(instance: WorkflowInstance) -> int:
        """The line to begin with: what came out, where something did, else what it is at."""
        return len(instance.steps) + (1 if instance.status in ENDED else 0)

    def _draw(self, at: int | None = None) -> None:
        instance = self.instance
        assert instance is not None
        sign, tone = sign_of(instance.status)
        parts: list[Any] = [
            (visible(instance.id, limit=200), "bold $foreground"),
            (f"   {sign} {visible(instance.status, limit=40)}", _TONES[tone]),
            (f"\n{course(instance)}", "$text-muted"),
        ]
        if instance.error is not None:
            parts.append(("\n" + visible(error_line(instance.error), limit=300), "$text-error"))
        self.query_one("#head", Static).update(Content.assemble(*parts))
        events, length = timeline(instance)
        self.timeline.show(events, length, at=at)

    @on(Timeline.Moved)
    def moved(self, event: Timeline.Moved) -> None:
        event.stop()
        if isinstance(event, Timeline.Opened):
            self.focus_value()
        else:
            self._pick(event.event)

    def _pick(self, event: Event) -> None:
        """Show what belongs to a line; a value that is the same stays as it is, with its cursor."""
        said: Said = event.data
        before, self._said = self._said, said
        parts: list[Any] = [(visible(said.name, limit=200), "bold $foreground")]
        parts += [("\n" + visible(text, limit=500), style) for text, style in said.facts]
        self.query_one("#facts", Static).update(Content.assemble(*parts))
        if before is None or (before.name, before.value, before.empty) != (said.name, said.value, said.empty):
            self._show_value(said)
        self.post_message(self.Picked(said))

    def _show_value(self, said: Said) -> None:
        view, none = self.query_one("#view", ValueView), self.query_one("#none", Static)
        view.display, none.display = not said.empty, bool(said.empty)
        if said.empty:
            none.update(Content(said.empty))
        else:
            view.show_tagged(said.value, name=f"{self.instance.id if self.instance else ''} ▸ {said.name}")

    # Focus

    def focus_timeline(self) -> None:
        if self.instance is not None:
            self.timeline.focus()

    def focus_value(self) -> None:
        """Put the focus into the value, where there is one."""
        if self._said is not None and not self._said.empty:
            self.query_one("#view", ValueView).focus_value()
