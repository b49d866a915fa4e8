"""The question before a write to the account: it names the account and the resource, and a name is typed before something goes."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from workbench.model.text import visible
from workbench.operations.executor import Question
from workbench.widgets.safe_input import SafeInput
from workbench.widgets.target_badge import TargetBadge


class RemoteQuestion(ModalScreen[bool | str]):
    """account: its name, where it is known beside its id. many: more like it follows, so "all" is an answer too."""

    CSS_PATH = "targets.tcss"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss(False)", "No")]

    def __init__(self, question: Question, account: str = "", *, many: bool = False) -> None:
        super().__init__()
        self.question, self.account, self.many = question, account, many

    def compose(self) -> ComposeResult:
        asked, removal = self.question, self.question.removal
        with Vertical(id="dialog"):
            yield Label(
                Content(f"{' '.join(asked.operation.split('.'))} on the deployed account"), id="heading"
            )
            yield TargetBadge(asked.target, name=self.account)
            yield Static(Content(visible(asked.resource, limit=300)), id="resource")
            if removal.removed:
                lines = "\n".join(visible(line, limit=300) for line in removal.removed)
                more = removal.total - len(removal.removed)
                with VerticalScroll(id="lines"):
                    yield Static(Content(lines + (f"\n… and {more:,} more" if more > 0 else "")))
            if removal.note:
                yield Static(Content(visible(removal.note, lines=True, limit=2000)), id="note")
            if asked.typed is not None:
                yield Static(
                    Content.assemble("Type ", (visible(asked.typed), "bold"), " to go on:"), id="asked"
                )
                yield SafeInput(id="answer")
                yield Static("", id="wrong")
            with Horizontal(id="buttons"):
                yield Button(
                    "Write to the account" if asked.typed is None else "Do it", variant="error", id="yes"
                )
                if self.many:
                    yield Button("All of this work", variant="error", id="all")
                yield Button("Cancel (esc)", id="no")

    def on_mount(self) -> None:
        self.query_one("#answer" if self.question.typed is not None else "#no").focus()

    @on(Input.Submitted)
    def submitted(self) -> None:
        self._go_on()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "all":
            self.dismiss("all")
        elif event.button.id == "yes":
            self._go_on()
        else:
            self.dismiss(False)

    def _go_on(self) -> None:
        typed = self.question.typed
        if typed is not None and self.query_one(Input).value != typed:
            self.query_one("#wrong", Static).update("that is another name")
            return
        self.dismiss(True)
