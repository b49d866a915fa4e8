"""What a sandbox asks for outside, as it does, under what it may reach."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from workbench.model.errors import WorkbenchError
from workbench.model.network import NetworkPolicy, OutboundRequest
from workbench.model.text import visible
from workbench.screens.dialogs import DetailsDialog
from workbench.screens.session import Session
from workbench.widgets.cells import size
from workbench.widgets.line_log import Line, LineLog

BEFORE = 200
"""Requests of before that are shown at the start."""
AGAIN = 2.0
"""Seconds after which a stream that broke is taken up again."""


class Requests(Vertical):
    """Followed while it is mounted. Secrets never come here: the hub masks them."""

    DEFAULT_CSS = """
    Requests { height: 1fr; width: 1fr; background: $surface; }
    Requests > #policy { height: auto; max-height: 3; padding: 0 1; color: $text-muted; background: $panel; }
    """

    def __init__(self, session: Session, sandbox: str, **options: Any) -> None:
        super().__init__(**options)
        self.session, self.sandbox = session, sandbox
        self._known: dict[int, OutboundRequest] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="policy")
        yield LineLog(empty="it asked for nothing yet")

    def on_mount(self) -> None:
        self.follow()

    @work(exclusive=True, group="requests")
    async def follow(self) -> None:
        while True:
            try:
                policy = await self.session.call("sandboxes.network.get", sandbox=self.sandbox)
                self.query_one("#policy", Static).update(policy_line(policy))
                page = await self.session.call("sandboxes.requests.list", sandbox=self.sandbox, limit=BEFORE)
                for request in reversed(page.items):
                    self._show(request)
                async for request in self.session.state.backend.sandboxes.network.follow(self.sandbox):
                    self._show(request)
            except WorkbenchError as error:
                self.query_one("#policy", Static).update(
                    Content.styled(visible(error.message), "$text-error")
                )
                if error.code.endswith("not_found"):
                    return
            await asyncio.sleep(AGAIN)

    def _show(self, request: OutboundRequest) -> None:
        self._known[request.id] = request
        for old in list(self._known)[:-4000]:
            del self._known[old]
        self.query_one(LineLog).put(request.id, line_of(request))

    @on(LineLog.Opened)
    def opened(self, event: LineLog.Opened) -> None:
        event.stop()
        request = self._known.get(event.key)  # type: ignore[call-overload]
        if request is not None:
            rows = tuple(
                (name, str(value)) for name, value in request._asdict().items() if value not in ("", None)
            )
            self.app.push_screen(DetailsDialog(f"{request.method} {request.host}", rows))


def line_of(request: OutboundRequest) -> Line:
    """One request in one line: when, what, how it ended, which credential it was lent."""
    open_or_bad = {"open": "muted", "refused": "error", "failed": "error", "cut": "warning"}
    ended = str(request.status) if request.outcome == "done" and request.status else request.outcome
    kind = open_or_bad.get(request.outcome) or ("error" if request.status >= 400 else "string")
    return (
        (f" {request.at[11:19]} ", "muted"),
        (f"{request.method} ", "keyword"),
        (f"{request.host}{_port(request)}{request.path} ", ""),
        (ended, kind),
        (f"  {size(request.received)}" if request.received else "", "muted"),
        (f"  credential {request.rule}" if request.rule else "", "warning"),
        (f"  {request.reason}" if request.reason else "", "error"),
    )


def _port(request: OutboundRequest) -> str:
    usual = {"http": 80, "ws": 80, "https": 443, "wss": 443, "tls": 443}.get(request.scheme)
    return "" if request.port == usual else f":{request.port}"


def policy_line(policy: NetworkPolicy) -> Content:
    """What it may reach, in a sentence."""
    if policy.mode == "none":
        said = "it may reach nothing"
    elif policy.mode == "all":
        said = "it may reach every public host"
    else:
        said = "it may reach " + (", ".join(policy.allow) or "nothing")
    if policy.deny and policy.mode != "none":
        said += ", but not " + ", ".join(policy.deny)
    return Content.assemble(("Outbound  ", "bold"), visible(said, limit=300))
