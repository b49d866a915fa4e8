"""The one screen: it moves things between the parts of its frame and decides nothing about data."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Locator, Pane
from workbench.screens.servers import DEV_SERVER, REQUESTS, TRACES
from workbench.screens.servers.watch import ServerWatch
from workbench.screens.session import Session
from workbench.screens.targets.standing_in import StandingIn
from workbench.widgets.top_bar import TopBar

from . import layout
from .explorer import Explorer
from .frame import Frame
from .tab_area import TabArea


class WorkbenchScreen(Frame):
    """The one screen. `session` arrives after the first paint."""

    AUTO_FOCUS = "#tree"

    BINDINGS: ClassVar[list[Any]] = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("f1", "help", "Help"),
        Binding("colon", "commands", "Commands", key_display=":"),
        Binding("ctrl+p", "commands", "Commands"),
        Binding("f2", "fold_tree", "Tree", show=False),
        Binding("f3", "details", "Details"),
        Binding("f4", "server", "Dev server", show=False),
        Binding("f6", "other_side", "Tree/pane", show=False),
        Binding("f10", "target", "Target of the tab", show=False),
        Binding("ctrl+o", "jump", "Jump"),
        Binding("ctrl+w,alt+w", "close_tab", "Close tab", show=False),
        Binding("right_square_bracket,ctrl+pagedown", "next_tab(1)", "Next tab", show=False),
        Binding("left_square_bracket,ctrl+pageup", "next_tab(-1)", "Previous tab", show=False),
        Binding("ctrl+r", "read_again", "Read again", show=False),
        *[Binding(f"alt+{n}", f"nth_tab({n})", show=False) for n in range(1, 10)],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        self._watch = ServerWatch()

    # The session

    async def open_session(self, session: Session, kept: dict[str, Any], label: str = "") -> None:
        """Show a project: its frame, its tree, the tabs that were open, or the first resource."""
        self.session = self.tabs.session = session
        project, bar = session.state.project, self.query_one(TopBar)
        bar.folder, bar.target = project.folder, session.target
        names = [worker.name for worker in project.workers]
        name = names[0] if len(names) == 1 else project.folder.rstrip("/").rpartition("/")[2]
        bar.project = f"{name} ({label})" if label else name
        bar.environment = (
            next((worker.environment for worker in project.workers if worker.environment), "") or ""
        )
        self._tree_folded = bool(kept.get("tree_folded"))
        self._place()
        await self.explorer.open_session(session)
        await self._painted()
        await self._open_kept(kept)
        self.poll_server()
        self.follow_sandboxes()

    async def close_session(self) -> None:
        """Everything of the project goes: its tabs, its tree, its details."""
        self.workers.cancel_group(self, "sandboxes")
        await self.tabs.clear()
        await self.explorer.forget()
        self._details.clear()
        self._draw_details()
        self.session = self.tabs.session = None
        bar = self.query_one(TopBar)
        bar.target, bar.server, bar.project = None, None, ""

    def on_mount(self) -> None:
        self.set_interval(3, self._poll_again)

    async def _painted(self) -> None:
        """Until what is there now is on screen: the tree shows before the tabs' own modules are read."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    async def _open_kept(self, kept: dict[str, Any]) -> None:
        tabs = self.tabs
        for locator, state, reach in layout.locators(kept):
            if reach:
                sentence = layout.not_connected(locator, reach)
                await tabs.stand_in(locator, sentence, reach, state)
            else:
                await tabs.open(locator, state, activate=False)
        if not (tabs.panes or kept or self.session is None):
            first = layout.first_resource(self.session.state.project)
            if first is not None:
                await tabs.open(first, activate=False)
        if tabs.panes and tabs.active is None:  # else somebody was quicker, and is somewhere already
            at = kept.get("active")
            last = len(tabs.panes) - 1
            tabs.activate_nth(max(0, min(at, last)) if isinstance(at, int) else 0, focus=bool(kept))

    def kept(self) -> dict[str, Any]:
        """What to find again at the next start."""
        tabs = self.tabs
        return {
            "tree_folded": self._tree_folded,
            "active": tabs.active_index,
            "tabs": [
                {"locator": list(pane.locator), "state": pane.keep(), "target": tabs.key_of(pane)}
                for pane in tabs.panes.values()
            ],
        }

    def _poll_again(self) -> None:
        if not self._watch.looking:  # on a busy machine one look takes longer than the time between two
            self.poll_server()

    @work(exclusive=True, group="server")
    async def poll_server(self) -> None:
        """Whether a dev server has the state open, and which."""
        session = self.session
        if session is not None:
            said = await self._watch.look(session)
            for bar in self.query(TopBar):  # none where the window closed meanwhile
                bar.server = said

    @work(exclusive=True, group="sandboxes")
    async def follow_sandboxes(self) -> None:
        """What happens in the hub is shown where it is looked at. The hub is not started for that."""
        from workbench.screens.sandboxes.following import happenings, running

        session = self.session
        if session is None:
            return
        async for names in happenings(session):
            await self.explorer.refresh_sandboxes(bool(names) or await running(session))
            await self.tabs.files_changed({"sandboxes/", *(f"sandboxes/{name}" for name in names)})

    async def project_changed(self) -> None:
        """A config changed: the tree as it says now."""
        if self.session is not None:
            await self.explorer.open_session(self.session)

    async def files_changed(self, paths: Collection[str]) -> None:
        """Read again what is on screen; panes behind it when they come to the front."""
        await self.explorer.refresh_data(paths)
        await self.tabs.files_changed(paths)

    # Tabs

    @on(Pane.Open)
    async def open_asked(self, event: Pane.Open) -> None:
        event.stop()
        pane = await self.tabs.open(event.locator, session=event.session)
        if pane is not None and event.part:
            pane.go_to(event.part)

    async def open(self, locator: Locator) -> Pane | None:
        """Open a tab, or go to the one that shows this already."""
        return await self.tabs.open(locator)

    def action_next_tab(self, step: int) -> None:
        self.tabs.step(step)

    def action_nth_tab(self, number: int) -> None:
        self.tabs.activate_nth(number - 1)

    def action_close_tab(self) -> None:
        self.tabs.close_active()

    @on(TabArea.Emptied)
    def tabs_emptied(self) -> None:
        self.explorer.resources.focus()

    @on(TabArea.Fronted)
    def fronted(self) -> None:
        """Another tab is in front: the frame says what it is on."""
        from workbench.screens.targets.switching import draw_frame

        draw_frame(self)

    @work(exclusive=True, group="target")
    async def action_target(self) -> None:
        """The menu of targets, for the tab in front."""
        from workbench.screens.targets.switching import choose

        await choose(self)

    @on(StandingIn.Reach)
    def reach(self, event: StandingIn.Reach) -> None:
        from workbench.screens.targets.switching import switch

        self.run_worker(switch(self, event.pane, event.pane.reach), group="target", exclusive=True)

    @on(Explorer.OnAccount)
    async def on_account(self, event: Explorer.OnAccount) -> None:
        """Local code on remote data: the tab says so, and asks before it goes there."""
        sentence = layout.bound_to_remote(event.locator)
        await self.tabs.stand_in(event.locator, sentence, "remote", {}, activate=True)

    @on(Explorer.OnBridge)
    async def on_bridge(self, event: Explorer.OnBridge) -> None:
        """The wall of a bridge's sandboxes, in a tab of its own that says so."""
        try:
            session = await self.app.targets.bridge(event.name)  # type: ignore[attr-defined]
        except WorkbenchError as error:
            self.notify(visible(error.message), severity="error", markup=False)
            return
        await self.tabs.open(event.locator, session=session)

    @property
    def session_in_front(self) -> Session | None:
        """That of the tab in front: what a command from the palette works on."""
        pane = self.active_pane
        return pane.session if pane is not None else self.session

    async def action_read_again(self) -> None:
        await self.explorer.refresh_data()
        if self.active_pane is not None:
            await self.active_pane.refresh_data()

    def context(self) -> dict[str, str]:
        """What the active tab is about, under the names operations give it."""
        pane = self.active_pane
        if pane is None:
            return {}
        locator, selected = pane.locator, pane.selected()
        if locator.kind in ("terminal", "process", "code"):
            return {"sandbox": locator.resource}
        if locator.kind in ("do_object", "do_facet"):
            return {"namespace": locator.resource, "object": locator.object} | selected
        name = {
            "kv": "binding",
            "r2": "bucket",
            "d1": "database",
            "workflow": "workflow",
            "do_namespace": "namespace",
        }
        return selected | ({name[locator.kind]: locator.resource} if locator.kind in name else {})

    @on(Explorer.Elsewhere)
    def elsewhere(self, event: Explorer.Elsewhere) -> None:
        """Another Worker nearby, in this window."""
        from workbench.screens.startup import another_project

        window: Any = self.app
        folder = str(window.open_with.get("folder", "."))
        window.run_worker(another_project(window, folder, worker=event.config))

    def action_demo(self) -> None:
        """The sample project, in this window."""
        from workbench.screens.startup import open_demo

        self.app.run_worker(open_demo(self.app))  # type: ignore[arg-type]

    def action_commands(self) -> None:
        self.app.action_command_palette()

    def action_help(self) -> None:
        from workbench.screens.help import HelpScreen

        self.app.push_screen(HelpScreen.about(self))

    def action_jump(self) -> None:
        from workbench.screens.jump import JumpScreen

        self.app.push_screen(JumpScreen.over(self))

    @on(Pane.Changed)
    def pane_changed(self) -> None:
        self.explorer.count_again()

    @on(Pane.Touched)
    async def touched(self) -> None:
        """A Worker did something: what is in sight is read again at once, the rest when it comes to the front."""
        self.poll_server()
        await self.explorer.refresh_data()
        self.tabs.all_stale()

    async def action_server(self) -> None:
        """The dev server: its log, and what can be done with it."""
        await self.open(DEV_SERVER)

    async def action_requests(self) -> None:
        """A request to the dev server."""
        await self.open(REQUESTS)

    async def action_traces(self) -> None:
        """Requests that the dev server answered."""
        await self.open(TRACES)
