"""Questions over the workbench. Each names the resource and the target, and leaves at Escape with nothing done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from workbench.model.target import Target
from workbench.model.text import visible
from workbench.widgets.details import DetailsView
from workbench.widgets.safe_input import SafeInput
from workbench.widgets.target_badge import TargetBadge


class Confirm(ModalScreen[bool]):
    """Asks before something is lost: what, on which target, and a list of what goes."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        title: str,
        *,
        target: Target | None,
        question: str = "",
        lines: Sequence[str] = (),
        total: int | None = None,
        note: str = "",
        action: str = "Delete",
    ) -> None:
        super().__init__()
        self.heading, self.target, self.question = title, target, question
        self.lines, self.total, self.note, self.action = list(lines), total, note, action

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-remote" if self.target and self.target.kind == "remote" else ""):
            yield Label(Content(visible(self.heading, limit=300)), id="heading")
            yield TargetBadge(self.target)
            if self.question:
                yield Static(Content(visible(self.question, lines=True, limit=2000)), id="question")
            if self.lines:
                with VerticalScroll(id="lines"):
                    yield Static(Content(self._listed()))
            if self.note:
                yield Static(Content(visible(self.note, lines=True, limit=2000)), id="note")
            with Horizontal(id="buttons"):
                yield Button(Content(f"{self.action} (y)"), variant="error", id="yes")
                yield Button("Cancel (esc)", id="no")

    def _listed(self) -> str:
        shown = [visible(line, limit=300) for line in self.lines[:1000]]
        more = (self.total if self.total is not None else len(self.lines)) - len(shown)
        return "\n".join(shown) + (f"\n… and {more:,} more" if more > 0 else "")

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Ask(ModalScreen[str | None]):
    """Asks for one line of text. `check` says what is wrong with it, or gives ""; nothing typed is lost by a mistake."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(
        self,
        title: str,
        *,
        target: Target | None,
        label: str = "",
        value: str = "",
        check: Callable[[str], str] | None = None,
        suggest: Any = None,
    ) -> None:
        super().__init__()
        self.heading, self.target, self.label, self.value = title, target, label, value
        self.check, self.suggest = check, suggest

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-remote" if self.target and self.target.kind == "remote" else ""):
            yield Label(Content(visible(self.heading, limit=300)), id="heading")
            yield TargetBadge(self.target)
            if self.label:
                yield Static(Content(visible(self.label, lines=True, limit=2000)), id="question")
            yield SafeInput(self.value, suggester=self.suggest, id="answer", select_on_focus=False)
            yield Static("", id="wrong")
            yield Static(Content("enter go on · esc back"), id="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        wrong = self.check(event.value) if self.check else ""
        if wrong:
            self.query_one("#wrong", Static).update(Content(visible(wrong, limit=500)))
        else:
            self.dismiss(event.value)


class DetailsDialog(ModalScreen[None]):
    """The details of the selection, where there is no room beside the panes."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape,f3,q", "dismiss(None)", "Back")]

    def __init__(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.heading, self.rows = title, rows

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-tall"):
            yield DetailsView(self.heading, self.rows)
            yield Static(Content("↑ ↓ scroll · esc back"), id="keys")

    def on_mount(self) -> None:
        self.query_one(DetailsView).focus()
