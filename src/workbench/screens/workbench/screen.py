"""The frame: top bar, explorer, tabs, details, footer. It moves things between them and decides nothing about data."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Static

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane, pane_class
from workbench.screens.session import Session
from workbench.widgets.key_hints import KeyHints
from workbench.widgets.tab_strip import TabLabel, TabStrip
from workbench.widgets.top_bar import TopBar

from . import layout
from .explorer import Explorer

if TYPE_CHECKING:
    from workbench.widgets.details import DetailsView

NOTHING = "Nothing is open.\n\nEnter in the tree opens a resource; : has every command; ? explains what has the focus."


class WorkbenchScreen(Screen[None]):
    """Holds the open tabs. `session` arrives after the first paint."""

    AUTO_FOCUS = "#tree"

    BINDINGS: ClassVar[list[Any]] = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("f1", "help", "Help"),
        Binding("colon", "commands", "Commands", key_display=":"),
        Binding("ctrl+p", "commands", "Commands"),
        Binding("f2", "fold_tree", "Tree", show=False),
        Binding("f3", "details", "Details"),
        Binding("f6", "other_side", "Tree/pane", show=False),
        Binding("ctrl+o", "jump", "Jump"),
        Binding("ctrl+w", "close_tab", "Close tab", show=False),
        Binding("right_square_bracket,ctrl+pagedown", "next_tab(1)", "Next tab", show=False),
        Binding("left_square_bracket,ctrl+pageup", "next_tab(-1)", "Previous tab", show=False),
        Binding("ctrl+r", "read_again", "Read again", show=False),
        *[Binding(f"alt+{n}", f"nth_tab({n})", show=False) for n in range(1, 10)],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        self._panes: dict[str, Pane] = {}
        self._serial = 0
        self._details: dict[str, Details] = {}
        self._details_view: DetailsView | None = None
        self._tree_folded = False
        self._stale: set[str] = set()

    def compose(self) -> ComposeResult:
        yield TopBar(id="top")
        with Horizontal(id="body"):
            yield Explorer(id="explorer")
            with Vertical(id="centre"):
                yield TabStrip(id="tabs")
                with ContentSwitcher(id="panes", initial="nothing"):
                    yield Static(Content(NOTHING), id="nothing")
        yield KeyHints()

    @property
    def explorer(self) -> Explorer:
        return self.query_one(Explorer)

    @property
    def active_pane(self) -> Pane | None:
        return self._panes.get(self.query_one(ContentSwitcher).current or "")

    # The session

    async def open_session(self, session: Session, kept: dict[str, Any], label: str = "") -> None:
        """Show a project: its frame, its tree, the tabs that were open, or the first resource."""
        self.session = session
        project, bar = session.state.project, self.query_one(TopBar)
        bar.folder, bar.target = project.folder, session.target
        names = [worker.name for worker in project.workers]
        bar.project = (names[0] if len(names) == 1 else project.folder.rstrip("/").rpartition("/")[2]) + label
        bar.environment = (
            next((worker.environment for worker in project.workers if worker.environment), "") or ""
        )
        self._tree_folded = bool(kept.get("tree_folded"))
        self._place()
        await self.explorer.open_session(session)
        await self._painted()
        await self._open_kept(kept)
        self.poll_server()
        self.set_interval(3, self.poll_server)

    async def _painted(self) -> None:
        """Until what is there now is on screen: the tree shows before the tabs' own modules are read."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    async def _open_kept(self, kept: dict[str, Any]) -> None:
        locators = layout.locators(kept)
        for locator, state in locators:
            await self.open(locator, state, activate=False)
        if self._panes:
            ids = list(self._panes)
            self._activate(ids[min(int(kept.get("active") or 0), len(ids) - 1)])
        elif not kept and self.session is not None:
            first = layout.first_resource(self.session.state.project)
            if first is not None:
                await self.open(first, focus=False)

    def kept(self) -> dict[str, Any]:
        """What to find again at the next start."""
        current = self.query_one(ContentSwitcher).current
        ids = list(self._panes)
        return {
            "tree_folded": self._tree_folded,
            "active": ids.index(current) if current in ids else 0,
            "tabs": [{"locator": list(pane.locator), "state": pane.keep()} for pane in self._panes.values()],
        }

    @work(exclusive=True, group="server")
    async def poll_server(self) -> None:
        """Whether an emulator has the state open."""
        session = self.session
        if session is not None:
            try:
                running: bool | None = await session.blocking(session.state.backend.server_running)
            except WorkbenchError:
                running = None
            self.query_one(TopBar).server = running

    async def project_changed(self) -> None:
        """A config changed: the tree as it says now."""
        if self.session is not None:
            await self.explorer.open_session(self.session)

    async def files_changed(self, paths: Collection[str]) -> None:
        """Read again what is on screen; panes behind it when they come to the front."""
        await self.explorer.refresh_data(paths)
        active = self.active_pane
        for pane_id, pane in self._panes.items():
            if pane.concerns(paths):
                if pane is active:
                    await pane.refresh_data()
                else:
                    self._stale.add(pane_id)

    # Tabs

    @on(Pane.Open)
    async def open_asked(self, event: Pane.Open) -> None:
        event.stop()
        pane = await self.open(event.locator)
        if pane is not None and event.part:
            pane.go_to(event.part)

    async def open(
        self,
        locator: Locator,
        kept: dict[str, Any] | None = None,
        *,
        activate: bool = True,
        focus: bool = True,
    ) -> Pane | None:
        """Open a tab, or go to the one that shows this already."""
        for pane_id, pane in self._panes.items():
            if pane.locator.identity == locator.identity:
                self._activate(pane_id, focus=focus)
                return pane
        made = pane_class(locator)
        if made is None or self.session is None:
            self.notify(f"nothing shows a {visible(locator.kind)} yet", markup=False)
            return None
        self._serial += 1
        pane = made(self.session, locator, id=f"pane-{self._serial}")
        if kept:
            pane.restore(kept)
        self._panes[pane.id or ""] = pane
        await self.query_one(ContentSwitcher).mount(pane)
        if activate:
            self._activate(pane.id or "", focus=focus)
        else:
            pane.display = False
        self._draw_tabs()
        return pane

    def _activate(self, pane_id: str, focus: bool = True) -> None:
        self.query_one(ContentSwitcher).current = pane_id
        self._draw_tabs()
        pane = self._panes.get(pane_id)
        if pane is None:
            return
        if pane_id in self._stale:
            self._stale.discard(pane_id)
            self.run_worker(pane.refresh_data(), group=f"refresh-{pane_id}", exclusive=True)
        if focus:
            pane.call_after_refresh(pane.focus_first)

    @on(Pane.TitleChanged)
    def title_changed(self) -> None:
        self._draw_tabs()

    def _draw_tabs(self) -> None:
        strip = self.query_one(TabStrip)
        strip.tabs = tuple(TabLabel(pane_id, pane.title) for pane_id, pane in self._panes.items())
        strip.active = self.query_one(ContentSwitcher).current or ""
        strip.refresh()

    @on(TabStrip.Picked)
    def tab_picked(self, event: TabStrip.Picked) -> None:
        if isinstance(event, TabStrip.CloseAsked):
            self.close_pane(event.tab_id)
        else:
            self._activate(event.tab_id)

    def action_next_tab(self, step: int) -> None:
        ids = list(self._panes)
        current = self.query_one(ContentSwitcher).current
        if ids:
            self._activate(ids[(ids.index(current) + step) % len(ids) if current in ids else 0])

    def action_nth_tab(self, number: int) -> None:
        ids = list(self._panes)
        if number <= len(ids):
            self._activate(ids[number - 1])

    def action_close_tab(self) -> None:
        current = self.query_one(ContentSwitcher).current
        if current in self._panes:
            self.close_pane(current or "")

    @work
    async def close_pane(self, pane_id: str) -> None:
        """Close a tab, after asking where something would be lost."""
        pane = self._panes.get(pane_id)
        if pane is None:
            return
        question = pane.why_stay()
        if question:
            from workbench.screens.dialogs import Confirm

            target = self.session.target if self.session else None
            asked = Confirm(f"Close {pane.title}", target=target, question=question, action="Close")
            if not await self.app.push_screen_wait(asked):
                return
        await pane.closing()
        ids = list(self._panes)
        at = ids.index(pane_id)
        del self._panes[pane_id]
        rest = list(self._panes)
        if self.query_one(ContentSwitcher).current == pane_id:
            self._activate(rest[min(at, len(rest) - 1)] if rest else "nothing")
            if not rest:
                self.explorer.resources.focus()
        await pane.remove()
        self._draw_tabs()

    async def close_all(self) -> None:
        """The window closes: every pane ends what it runs."""
        for pane in self._panes.values():
            await pane.closing()

    def open_questions(self) -> list[str]:
        """What would be lost if the window closed now."""
        return [f"{pane.title}: {reason}" for pane in self._panes.values() if (reason := pane.why_stay())]

    # Details

    @on(Pane.DetailsChanged)
    def details_changed(self, event: Pane.DetailsChanged) -> None:
        event.stop()
        sender = event.control
        self._details[sender.id or "" if sender is not None else ""] = event.details
        self._draw_details()

    def _current_details(self) -> Details:
        """Those of the side that has the focus: the tree, or the pane in front."""
        explorer = self.explorer
        in_tree = self.focused is not None and explorer in self.focused.ancestors
        pane = self.active_pane
        keys = [pane.id or "" if pane else "", explorer.id or ""]
        for key in reversed(keys) if in_tree else keys:
            if key in self._details:
                return self._details[key]
        return Details("", ())

    def _draw_details(self) -> None:
        view = self._details_view
        if view is not None and view.display:
            view.fill(*self._current_details())

    def on_descendant_focus(self) -> None:
        if self._details_view is None or not self._details_view.has_focus_within:
            self._draw_details()

    async def action_details(self) -> None:
        """Details beside the panes, or over them where there is no room."""
        if self.size.width < layout.DETAILS_BESIDE:
            from workbench.screens.dialogs import DetailsDialog

            self.app.push_screen(DetailsDialog(*self._current_details()))
        elif self._details_view is None:
            from workbench.widgets.details import DetailsView

            self._details_view = DetailsView(*self._current_details(), id="details")
            await self.query_one("#body").mount(self._details_view)
        else:
            self._details_view.display = not self._details_view.display
            self._draw_details()

    # Layout and the rest

    def on_resize(self, event: events.Resize) -> None:
        self._place()

    def _place(self) -> None:
        width = self.size.width
        self.explorer.set_class(width < 100, "-narrow")
        self.explorer.set_class(width >= 140, "-wide")
        self.explorer.display = not self._tree_folded
        if width < layout.DETAILS_BESIDE and self._details_view is not None:
            self._details_view.display = False

    def action_fold_tree(self) -> None:
        self._tree_folded = not self._tree_folded
        self._place()
        if self._tree_folded and self.active_pane is not None:
            self.active_pane.focus_first()
        elif not self._tree_folded:
            self.explorer.resources.focus()

    def action_other_side(self) -> None:
        pane = self.active_pane
        if pane is not None and (self.focused is None or pane not in self.focused.ancestors):
            pane.focus_first()
        elif not self._tree_folded:
            self.explorer.resources.focus()

    async def action_read_again(self) -> None:
        await self.explorer.refresh_data()
        if self.active_pane is not None:
            await self.active_pane.refresh_data()

    def context(self) -> dict[str, str]:
        """What the active tab is about, under the names operations give it."""
        pane = self.active_pane
        if pane is None:
            return {}
        locator = pane.locator
        if locator.kind in ("do_object", "do_facet"):
            return {"namespace": locator.resource, "object": locator.object}
        name = {
            "kv": "binding",
            "r2": "bucket",
            "d1": "database",
            "workflow": "workflow",
            "do_namespace": "namespace",
        }
        return {name[locator.kind]: locator.resource} if locator.kind in name else {}

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
