"""Which target a tab is on: the sessions that are open, the menu that switches, the questions before a write to the account.

Nothing here reaches an account by itself: a session on it is made by `Targets.account`, which is called where a person said so.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.operations.executor import Question, open_state
from workbench.screens.pane import Locator
from workbench.screens.session import Agreed, Session

if TYPE_CHECKING:
    from workbench.app import WorkbenchApp

_PRODUCTS = {
    ("kv", ""): "kv",
    ("r2", ""): "r2",
    ("d1", ""): "d1",
    ("do_object", ""): "do.storage",
    ("do_object", "sql"): "do.sql",
    ("do_facet", ""): "do.facets",
    ("do_facet", "sql"): "do.facets",
    ("workflow", ""): "workflows",
    ("worker", ""): "state",
    ("state", ""): "state",
    ("sandboxes", ""): "sandboxes",
    ("terminal", ""): "sandboxes",
    ("process", ""): "sandboxes",
    ("code", ""): "sandboxes",
}
IN_SANDBOXES = frozenset(("terminal", "process", "code"))
"""Kinds of what lies in a sandbox: of one target's sandbox there is nothing on another."""


class Targets:
    """The sessions of a window: the local one, and those that a person opened beside it, by their key."""

    def __init__(self, app: WorkbenchApp) -> None:
        self._app = app
        self.opened: dict[str, Session] = {}

    async def _open(self, **options: Any) -> Session:
        given = dict(self._app.open_with)
        state = await asyncio.to_thread(lambda: open_state(**given, **options))
        return Session(state.watched(notice=self._tell))

    async def server(self, address: str) -> Session:
        """The local target through a dev server. Raises WorkbenchError."""
        key = f"server {address}"
        if key not in self.opened:
            session = await self._open(server=address)
            session.route, session.name = "server", address
            self.opened[key] = session
        return self.opened[key]

    async def bridge(self, name: str) -> Session:
        """The sandboxes behind a deployed bridge: a person named it. Nothing is asked there yet. Raises WorkbenchError."""
        key = f"bridge {name}"
        if key not in self.opened:
            session = await self._open(bridge=name)
            session.route, session.name, session.asker = "bridge", name, self.agreed
            self.opened[key] = session
        return self.opened[key]

    async def account(self) -> Session | None:
        """The deployed account; None where nobody chose one. This is the explicit act: requests go there. Raises WorkbenchError."""
        if "remote" not in self.opened:
            looking = await self._open(remote=True, account="may")
            looking.route = "remote"
            try:
                found = await looking.call("auth.get")
            finally:
                await asyncio.to_thread(looking.close)
            id = found.account or await self._chosen(found.accounts or [])
            if id is None:
                return None
            session = await self._open(remote=True, account_id=id)
            names = {str(one["id"]): str(one["name"]) for one in found.accounts or ()}
            session.route, session.name = "remote", names.get(id, "")
            session.asker = self.agreed
            self.opened["remote"] = session
        return self.opened["remote"]

    async def _chosen(self, accounts: list[dict[str, Any]]) -> str | None:
        from .accounts import AccountChoice

        chosen: str | None = await answer(self._app, AccountChoice(accounts))
        return chosen

    async def agreed(self, question: Question, before: set[Agreed] | None) -> bool:
        """Ask before a write to the account. before: what was agreed to in this work; what destroys is asked about each time."""
        from .question import RemoteQuestion

        what = (question.operation, question.resource)
        if question.typed is None and before is not None and what in before:
            return True
        many = before is not None and question.typed is None
        said = await answer(
            self._app, RemoteQuestion(question, self.name_of(question.target.source), many=many)
        )
        if said == "all" and before is not None:
            before.add(what)
        return bool(said)

    def _tell(self, text: str) -> None:
        """What a person should know of a request, from any thread: that it waits for its turn, that a number was rounded."""
        self._app.call_later(self._app.notify, visible(text, limit=500), timeout=6, markup=False)

    def name_of(self, account: str) -> str:
        """What the account or the bridge is called, where it was told."""
        return next((one.name for one in self.opened.values() if one.target.source == account), "")

    async def close(self) -> None:
        """Let go of all of them. Closing a connection waits for it, so a thread does."""
        sessions, self.opened = list(self.opened.values()), {}
        for session in sessions:
            await asyncio.to_thread(session.close)


async def answer(app: WorkbenchApp, screen: Any) -> Any:
    """What a dialog comes to, also outside of a worker."""
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def closed(result: Any) -> None:
        if not done.done():
            done.set_result(result)

    await app.push_screen(screen, callback=closed)
    return await done


def why_not(session: Session, locator: Locator) -> str:
    """Why a target cannot show this, in its own sentence, or ""."""
    name = _PRODUCTS.get((locator.kind, locator.view))
    if session.route == "local" or name is None:
        return ""
    if name == "state" and session.route == "server":
        return ""
    return session.state.backend.capability(name).why_not


def moved(locator: Locator, source: Session, target: Session) -> Locator:
    """The same binding's resource on another target: its id there may be another. Raises WorkbenchError where it is not known."""
    kind = locator.kind
    if kind in IN_SANDBOXES:
        return Locator("sandboxes", "all", label="sandboxes")
    if kind not in ("kv", "r2", "d1"):
        return locator
    bound = [one for one in source.state.bindings(kind) if one.resource_id == locator.resource]
    if not bound:
        return locator
    there = [
        one
        for one in target.state.bindings(kind)
        if (one.worker, one.name) in {(first.worker, first.name) for first in bound}
    ]
    ids = [one.resource_id for one in there if one.resource_id]
    if there and not ids:
        raise WorkbenchError(
            f"{kind}.not_deployed",
            f"the config gives {there[0].name} no id, so what it is bound to there is not known",
        )
    return locator._replace(resource=ids[0]) if ids else locator
