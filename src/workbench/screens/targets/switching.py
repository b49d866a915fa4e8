"""What the key and the menu do: the tab in front goes to another target, and the frame says which it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible

from . import IN_SANDBOXES, answer, moved
from .menu import Choice, TargetMenu
from .standing_in import StandingIn

if TYPE_CHECKING:
    from workbench.screens.pane import Pane
    from workbench.screens.session import Session
    from workbench.screens.workbench.screen import WorkbenchScreen


def choices(screen: WorkbenchScreen, pane: Pane | None) -> list[Choice]:
    """What a tab can be on, as far as it is known without looking: the state directory, the account."""
    session = screen.session
    assert session is not None
    here = key_of(pane.session) if pane is not None else "local"
    account = window_of(screen).targets.opened.get("remote")
    note = "what is deployed" + (": read-only here" if read_only(session) else ": writes ask")
    return [
        Choice(
            "local",
            "● LOCAL",
            session.target.source,
            "the state directory, read and written in its own format",
            "bold $target-local",
            here == "local",
        ),
        Choice(
            "remote",
            "▲▲ REMOTE",
            f"{account.name} {account.target.source}".strip() if account else "the deployed account",
            note if account else note + "; Enter asks Cloudflare who you are",
            "bold $target-remote",
            here == "remote",
        ),
    ]


async def found_beside(screen: WorkbenchScreen, pane: Pane | None) -> list[Choice]:
    """What has to be looked for: the dev servers that have the state open, the bridges that were added."""
    session = screen.session
    assert session is not None
    here = key_of(pane.session) if pane is not None else "local"
    return await _servers(session, here) + await _bridges(session, pane, here)


async def _servers(session: Session, here: str) -> list[Choice]:
    try:
        found = await session.call("servers.list")
    except WorkbenchError:
        return []
    return [
        Choice(
            f"server {one.url}",
            "◆ SERVER",
            one.url,
            "the same local state, through the running dev server's API",
            "bold $target-server",
            here == f"server {one.url}",
        )
        for one in found
        if one.here
    ]


async def _bridges(session: Session, pane: Pane | None, here: str) -> list[Choice]:
    """The bridges that were added, for a tab of sandboxes: they have nothing else."""
    if pane is not None and pane.locator.kind not in IN_SANDBOXES | {"sandboxes"}:
        return []
    try:
        known = await session.call("bridges.list")
    except WorkbenchError:
        return []
    return [
        Choice(
            f"bridge {one.name}",
            "▲▲ BRIDGE",
            f"{one.name} {one.url}",
            "sandboxes on an account: they are billed there, and deleting asks",
            "bold $target-remote",
            here == f"bridge {one.name}",
        )
        for one in known
    ]


def key_of(session: Session) -> str:
    """local, remote, `server <address>` or `bridge <name>`."""
    return f"{session.route} {session.name}" if session.route in ("server", "bridge") else session.route


def read_only(session: Session) -> bool:
    """Whether this project may only read the account; settings that cannot be read do not allow more."""
    from workbench.project.preferences import remote_is_read_only

    try:
        return remote_is_read_only(session.state.project.folder)
    except WorkbenchError:
        return True


async def choose(screen: WorkbenchScreen) -> None:
    """The menu; then the tab in front is on what was chosen."""
    if screen.session is None:
        return
    pane = screen.active_pane
    title = f"Switch {pane.title} to" if pane is not None else "Targets"
    picked = await answer(
        window_of(screen), TargetMenu(title, choices(screen, pane), lambda: found_beside(screen, pane))
    )
    if picked is None or pane is None:
        return
    if picked.startswith("compare "):
        await compare(screen, pane, picked.partition(" ")[2])
    else:
        await switch(screen, pane, picked)


async def _opened(screen: WorkbenchScreen, key: str) -> Session | None:
    """The session of a target, opened where it is not yet: somebody chose it. Raises WorkbenchError."""
    window: Any = screen.app
    if key == "local":
        return screen.session
    route, _, name = key.partition(" ")
    opening: dict[str, Any] = {"server": window.targets.server, "bridge": window.targets.bridge}
    found: Session | None = await (opening[route](name) if name else window.targets.account())
    return found


async def compare(screen: WorkbenchScreen, pane: Pane, key: str) -> None:
    """The tab's resource here, and on another target."""
    from workbench.screens.dialogs import Ask

    from .comparison import PARAMETERS, Side, TargetComparison

    locator = pane.locator
    if locator.kind not in PARAMETERS or isinstance(pane, StandingIn):
        pane.tell("keys, objects and databases are compared: open one of these", error=True)
        return
    try:
        session = await _opened(screen, key)
        if session is None:
            return
        there = moved(locator, pane.session, session)
    except WorkbenchError as error:
        pane.tell_error(error)
        return
    prefix = ""
    if locator.kind != "d1":
        ask = Ask(
            f"Compare {pane.title}",
            target=session.target,
            label="Only names that begin with (empty: all)",
            value=str(pane.keep().get("prefix") or ""),
        )
        said = await answer(window_of(screen), ask)
        if said is None:
            return
        prefix = said
    left, right = Side(pane.session, locator.resource), Side(session, there.resource)
    await answer(window_of(screen), TargetComparison(locator.kind, left, right, prefix, pane.title))
    await screen.action_read_again()


def window_of(screen: WorkbenchScreen) -> Any:
    """The application, as what is asked there."""
    return screen.app


async def switch(screen: WorkbenchScreen, pane: Pane, key: str) -> None:
    """Put a tab on another target. Nothing of it is changed where that cannot be opened."""
    assert screen.session is not None
    standing = isinstance(pane, StandingIn)
    if key == key_of(pane.session) and not standing:
        return
    question = pane.why_stay()
    if question:
        pane.tell(f"first: {question}", error=True)
        return
    try:
        session = await _opened(screen, key)
        if session is None or not pane.is_attached:
            return
        was_there = standing and pane.locator.kind in IN_SANDBOXES
        locator = pane.locator if was_there else moved(pane.locator, pane.session, session)
    except WorkbenchError as error:
        pane.tell_error(error)
        return
    await screen.tabs.exchange(pane, locator, session, pane.keep() if standing else {})


def draw_frame(screen: WorkbenchScreen) -> None:
    """The frame of what the tab in front is on: bar, border, words. The border's kind differs too, for eyes without colours."""
    from workbench.widgets.top_bar import TopBar

    pane, session = screen.active_pane, screen.session
    if session is None:
        return
    on = pane.session if pane is not None else session
    bar, centre = screen.query_one(TopBar), screen.tabs
    bar.route, bar.target, bar.name_of_target = on.route, on.target, on.name
    bar.mode = ""
    explorer = screen.explorer
    explorer.set_class(on.route == "remote", "-beside")
    explorer.border_title = "● LOCAL counts" if on.route == "remote" else None
    shown = "remote" if on.route == "bridge" else on.route
    for route in ("remote", "server"):
        bar.set_class(shown == route, f"-{route}")
        centre.set_class(shown == route, f"-{route}")
    if on.route == "remote":
        bar.mode = "read-only" if read_only(session) else "writes ask"
        name = visible(on.name, limit=40)
        centre.border_title = Content(f"▲▲ REMOTE  account {name} {on.target.source}".replace("  ", " "))
        centre.border_subtitle = Content(f"deployed · {bar.mode} · f10 switches")
    elif on.route == "bridge":
        bar.mode = "deletes ask"
        centre.border_title = Content(f"▲▲ BRIDGE {visible(on.name, limit=40)} {visible(on.target.source)}")
        centre.border_subtitle = Content("sandboxes on an account · f10 switches")
    elif on.route == "server":
        centre.border_title = Content(f"◆ SERVER {visible(on.name, limit=80)}")
        centre.border_subtitle = Content("local state through its dev server · f10 switches")
    else:
        centre.border_title = centre.border_subtitle = None
