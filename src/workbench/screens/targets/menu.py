"""The menu of targets: what a tab can be on, each said in full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static
from textual.widgets.option_list import Option

from workbench.model.text import visible


class Choice(NamedTuple):
    """key: local, remote or `server <address>`. sign, words: what it is. note: what choosing it does. here: the tab is on it."""

    key: str
    sign: str
    words: str
    note: str
    style: str
    here: bool = False


class TargetMenu(ModalScreen[str | None]):
    """Gives the key of what was chosen."""

    CSS_PATH = "targets.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,f10", "dismiss(None)", "Back"),
        Binding("c", "compare", "Compare"),
    ]

    def __init__(
        self, title: str, choices: list[Choice], more: Callable[[], Awaitable[list[Choice]]] | None = None
    ) -> None:
        """more: what is found out while the menu is there already (which dev servers run)."""
        super().__init__()
        self.heading, self.choices, self._more = title, choices, more

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Content(visible(self.heading, limit=200)), id="heading")
            yield OptionList(*(Option(self._line(one), id=str(at)) for at, one in enumerate(self.choices)))
            yield Static(
                Content("enter switch · c compare · esc back · no account is asked before"), id="keys"
            )

    @staticmethod
    def _line(choice: Choice) -> Content:
        here = "  ← this tab" if choice.here else ""
        return Content.assemble(
            (choice.sign, choice.style),
            " ",
            visible(choice.words, limit=200),
            (here, "bold"),
            "\n    ",
            (choice.note, "$text-muted"),
        )

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = next((at for at, one in enumerate(self.choices) if one.here), 0)
        options.focus()
        if self._more is not None:
            self._look(self._more)

    @work
    async def _look(self, more: Callable[[], Awaitable[list[Choice]]]) -> None:
        """Add what is found; it comes last, so that nothing moves away from under a key."""
        options = self.query_one(OptionList)
        for choice in await more():
            options.add_option(Option(self._line(choice), id=str(len(self.choices))))
            self.choices.append(choice)
            if choice.here:
                options.highlighted = len(self.choices) - 1

    def action_compare(self) -> None:
        """The tab's resource, here and there."""
        at = self.query_one(OptionList).highlighted
        if at is not None and not self.choices[at].here:
            self.dismiss(f"compare {self.choices[at].key}")

    @on(OptionList.OptionSelected)
    def picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.choices[int(str(event.option.id))].key)
