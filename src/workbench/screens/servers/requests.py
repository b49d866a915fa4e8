"""Requests to the dev server: a form, what came back, and those that were sent before."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.secrets import MASK
from workbench.model.servers import Answered, Asked, is_credential
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.screens.when import from_now, took
from workbench.widgets.cells import size
from workbench.widgets.safe_input import SafeInput, SafeTextArea
from workbench.widgets.value_view import ValueView

from . import TRACES

WIDE = 96
"""Columns from which the answer stands beside the form."""
MOST = 50
"""Requests of the history that are listed."""
MOST_HEADERS = 40


class RequestsPane(Pane):
    """One form; the history fills it again."""

    TCSS = "servers.tcss"
    HELP = (
        "A request to the project's dev server. Enter in the path sends it, f5 sends it from anywhere; escape stops one that takes "
        "long. Headers are a line each, `Name: value`.\n"
        "The answer is shown as what it is: JSON, text, a picture or bytes (v: another way). f8 shows its headers.\n"
        "Below are those that were sent before, also from the shell: Enter fills the form with one. Credentials in headers are not kept."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("f5", "send", "Send"),
        Binding("f8", "headers", "Headers"),
        Binding("f7", "traces", "Traces"),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.answer: Answered | None = None
        self._kept: dict[str, Any] = {}
        self._history: list[Asked] = []
        self._sending: Cancel | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield SafeInput(self._text("method", "GET"), id="method", compact=True)
            yield SafeInput(self._text("path", "/"), id="path", compact=True)
        with Container(id="split"):
            with Vertical(id="asked"):
                yield Static(Content("headers"), classes="name")
                yield SafeTextArea(
                    self._text("headers"), id="headers", show_line_numbers=False, tab_behavior="focus"
                )
                yield Static(Content("body"), classes="name")
                yield SafeTextArea(
                    self._text("body"), id="body", show_line_numbers=False, tab_behavior="focus"
                )
                yield Static(Content("sent before"), classes="name")
                yield OptionList(id="history")
            with Vertical(id="answered"):
                yield Static(id="status")
                yield Static(id="got")
                yield ValueView(id="view")

    def on_mount(self) -> None:
        self.query_one("#got").display = False
        self._say(Content.assemble(("enter or f5 sends it", "$text-muted")))
        self.read_history()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    @property
    def title(self) -> str:
        return "requests"

    def focus_first(self) -> None:
        self.query_one("#path").focus()

    def concerns(self, paths: Collection[str]) -> bool:
        return False

    async def refresh_data(self) -> None:
        self.read_history()

    async def closing(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    # What was typed

    def _text(self, name: str, otherwise: str = "") -> str:
        found = self._kept.get(name)
        return found if isinstance(found, str) else otherwise

    def keep(self) -> dict[str, Any]:
        if not self.is_mounted:
            return self._kept
        # What is kept of a window lies in a file: no credentials in it.
        lines = self.query_one("#headers", SafeTextArea).text.splitlines()
        plain = [line for line in lines if not is_credential(line.partition(":")[0])]
        return {
            "method": self.query_one("#method", Input).value,
            "path": self.query_one("#path", Input).value,
            "headers": "\n".join(plain),
            "body": self.query_one("#body", SafeTextArea).text,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    def _fill(self, one: Asked) -> None:
        self.query_one("#method", Input).value = one.method
        self.query_one("#path", Input).value = one.path
        self.query_one("#headers", SafeTextArea).text = "\n".join(
            f"{name}: {value}" for name, value in one.headers
        )
        self.query_one("#body", SafeTextArea).text = one.body if isinstance(one.body, str) else ""
        if any(value == MASK for _, value in one.headers):
            self.tell("credentials are not kept: type them again where •••••• stands")
        if not isinstance(one.body, str):
            self.tell("the body was no text: servers requests send --file sends one")
        self.query_one("#path").focus()

    # The history

    @work(exclusive=True, group="history")
    async def read_history(self) -> None:
        try:
            self._history = await self.session.call("servers.requests.list", limit=MOST)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        options = self.query_one("#history", OptionList)
        options.clear_options()
        options.add_options(Option(self._line(one), id=str(at)) for at, one in enumerate(self._history))

    @staticmethod
    def _line(one: Asked) -> Content:
        if one.status is None:
            said: tuple[str, str] = ("  –  ", "$text-error")
        else:
            tone = (
                "$text-error"
                if one.status >= 500
                else "$text-warning"
                if one.status >= 400
                else "$text-success"
            )
            said = (f" {one.status} ", tone)
        return Content.assemble(
            said,
            (f"{visible(one.method, limit=10):<7}", "bold"),
            visible(one.path, limit=200),
            (f"  {from_now(one.at)}", "$text-muted"),
        )

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._fill(self._history[int(str(event.option.id))])

    # Sending

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send()

    @work(exclusive=True, group="send")
    async def action_send(self) -> None:
        """Send what stands in the form, and show what comes."""
        headers = tuple(
            line for line in self.query_one("#headers", SafeTextArea).text.splitlines() if line.strip()
        )
        if any(MASK in line for line in headers):
            self.tell("credentials are not kept: type them again where •••••• stands", error=True)
            return
        body = self.query_one("#body", SafeTextArea).text
        arguments: dict[str, Any] = {"value": body} if body else {}
        method = self.query_one("#method", Input).value.strip()
        if method:
            arguments["request"] = method
        self._sending = Cancel()
        self._say(Content("sending … esc stops it"))
        try:
            found: Answered = await self.session.call(
                "servers.requests.send",
                force=True,
                cancel=self._sending,
                path=self.query_one("#path", Input).value or "/",
                header=headers,
                **arguments,
            )
        except WorkbenchError as error:
            stopped = isinstance(error, Cancelled)
            said = "stopped: the Worker may have done it or not" if stopped else error.message
            parts: list[Any] = [(visible(said, lines=True, limit=2000), "$text-error")]
            if error.hint and not stopped:
                parts.append("\n" + visible(error.hint, lines=True, limit=2000))
            self._say(Content.assemble(*parts))
            return
        finally:
            self._sending = None
            self.read_history()
            self.post_message(self.Touched())
        self._show(found)

    def _say(self, content: Content) -> None:
        self.query_one("#status", Static).update(content)

    def _show(self, found: Answered) -> None:
        self.answer = found
        tone = (
            "$text-error"
            if found.status >= 500
            else "$text-warning"
            if found.status >= 400
            else "$text-success"
        )
        self._say(
            Content.assemble(
                (f"{found.status} {visible(found.reason, limit=60)}", f"bold {tone}"),
                f"   {took(found.duration_ms / 1000)}   {size(len(found.body))}",
                (f"   {visible(found.media, limit=60)}", "$text-muted"),
                ("   cut: it was longer" if found.cut else "", "$text-warning"),
            )
        )
        lines = [
            f"{visible(name, limit=80)}: {visible(value, limit=400)}"
            for name, value in found.headers[:MOST_HEADERS]
        ]
        self.query_one("#got", Static).update(Content("\n".join(lines)))
        self.query_one(ValueView).show(found.body, media=found.media, name=found.url)
        rows = [("url", found.url), ("status", f"{found.status} {found.reason}")]
        self.show_details(Details("answer", (*rows, *found.headers)))

    # Keys

    def action_headers(self) -> None:
        got = self.query_one("#got")
        got.display = not got.display and self.answer is not None

    def action_traces(self) -> None:
        self.post_message(self.Open(TRACES))

    def action_back(self) -> None:
        """Escape stops what is sent; else it goes back to the path."""
        if self._sending is not None:
            self._sending.cancel()
        else:
            self.query_one("#path").focus()
