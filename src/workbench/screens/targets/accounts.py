"""Which account, where the credentials reach several and nothing names one."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static
from textual.widgets.option_list import Option

from workbench.model.text import visible


class AccountChoice(ModalScreen[str | None]):
    """Gives the account's id. It holds for this window; CLOUDFLARE_ACCOUNT_ID or the config's account_id for good."""

    CSS_PATH = "targets.tcss"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, accounts: list[dict[str, Any]]) -> None:
        super().__init__()
        self.accounts = accounts

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label("Which account?", id="heading")
            if self.accounts:
                yield OptionList(
                    *(
                        Option(
                            Content.assemble(
                                ("▲▲ ", "bold $target-remote"),
                                f"{visible(str(one['name']), limit=60)}  {visible(str(one['id']))}",
                            ),
                            id=str(at),
                        )
                        for at, one in enumerate(self.accounts)
                    )
                )
            else:
                yield Static("The credentials may not list the accounts they reach.")
            yield Static(
                "CLOUDFLARE_ACCOUNT_ID, or account_id in the config, names one for good · esc back", id="keys"
            )

    def on_mount(self) -> None:
        if self.accounts:
            self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(str(self.accounts[int(str(event.option.id))]["id"]))
