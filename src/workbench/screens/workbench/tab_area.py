"""The tabs: the strip, the panes behind it, what is in front, and what is asked before one closes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from workbench.model.text import visible
from workbench.screens.pane import Locator, Pane, pane_class
from workbench.screens.session import Session
from workbench.screens.targets import why_not
from workbench.screens.targets.standing_in import StandingIn
from workbench.screens.targets.switching import key_of
from workbench.widgets.tab_strip import TabLabel, TabStrip

NOTHING = "Nothing is open.\n\nEnter in the tree opens a resource; : has every command; ? explains what has the focus."

SIGNS = {"remote": " ▲▲", "bridge": " ▲▲", "server": " ◆"}
"""Behind a tab's name: what it is on, where that is not the state directory."""


class TabArea(Vertical):
    """The open panes, by widget id, in the order of their tabs. A pane that is behind is read again when it comes in front."""

    class Emptied(Message):
        """The last tab was closed."""

    class Fronted(Message):
        """Another pane is in front, or none: the frame says what it is on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.session: Session | None = None
        self.panes: dict[str, Pane] = {}
        self._serial = 0
        self._stale: set[str] = set()

    def compose(self) -> ComposeResult:
        yield TabStrip(id="tabs")
        with ContentSwitcher(id="panes", initial="nothing"):
            yield Static(Content(NOTHING), id="nothing")

    @property
    def active(self) -> Pane | None:
        """The pane in front."""
        return self.panes.get(self.query_one(ContentSwitcher).current or "")

    @property
    def active_index(self) -> int:
        """Which tab is in front, from 0; 0 where there is none."""
        current = self.query_one(ContentSwitcher).current
        return list(self.panes).index(current) if current in self.panes else 0

    async def open(
        self,
        locator: Locator,
        kept: dict[str, Any] | None = None,
        *,
        activate: bool = True,
        focus: bool = True,
        session: Session | None = None,
    ) -> Pane | None:
        """Open a tab, or go to the one that shows this already. session: another target's than the window's own."""
        on = session or self.session
        for pane_id, pane in self.panes.items():
            if pane.locator.identity == locator.identity and pane.session is on:
                self._activate(pane_id, focus=focus)
                return pane
        made = pane_class(locator)
        if made is None or on is None:
            self.notify(f"nothing shows a {visible(locator.kind)} yet", markup=False)
            return None
        self._serial += 1
        id = f"pane-{self._serial}"
        if sentence := why_not(on, locator):
            fresh: Pane = StandingIn(on, locator, sentence, id=id)
        else:
            fresh = made(on, locator, id=id)
        if kept:
            fresh.restore(kept)
        return await self._mounted(fresh, activate=activate, focus=focus)

    async def stand_in(
        self, locator: Locator, sentence: str, reach: str, kept: dict[str, Any], *, activate: bool = False
    ) -> None:
        """A tab that is not connected: it says so, and asks before it is."""
        for pane_id, pane in self.panes.items():
            if activate and pane.locator.identity == locator.identity and self.key_of(pane) == reach:
                self._activate(pane_id)
                return
        if self.session is not None:
            self._serial += 1
            pane = StandingIn(self.session, locator, sentence, reach, kept, id=f"pane-{self._serial}")
            await self._mounted(pane, activate=activate, focus=activate)

    @staticmethod
    def key_of(pane: Pane) -> str:
        """What a tab is on, as it is kept: "" for the state directory, remote, `server <address>` or `bridge <name>`."""
        if isinstance(pane, StandingIn) and pane.reach:
            return pane.reach
        return "" if pane.session.route == "local" else key_of(pane.session)

    async def exchange(self, old: Pane, locator: Locator, session: Session, kept: dict[str, Any]) -> None:
        """In the place of a tab, the same thing on another target."""
        places = list(self.panes)
        at = places.index(old.id or "")
        await old.closing()
        del self.panes[old.id or ""]
        pane = await self.open(locator, kept, session=session)
        if pane is not None and (ids := list(self.panes)).index(pane.id or "") != at:
            ids.remove(pane.id or "")
            ids.insert(at, pane.id or "")
            self.panes = {id: self.panes[id] for id in ids}
        await old.remove()
        self._draw_tabs()

    async def _mounted(self, pane: Pane, *, activate: bool, focus: bool) -> Pane:
        self.panes[pane.id or ""] = pane
        await self.query_one(ContentSwitcher).mount(pane)
        if activate:
            self._activate(pane.id or "", focus=focus)
        else:
            pane.display = False
        self._draw_tabs()
        return pane

    def activate_nth(self, index: int, *, focus: bool = True) -> None:
        """Bring a tab to the front, by its place from 0; nothing happens where there is none."""
        ids = list(self.panes)
        if 0 <= index < len(ids):
            self._activate(ids[index], focus=focus)

    def step(self, by: int) -> None:
        """To the next tab, or the one before, round and round."""
        if self.panes:
            self.activate_nth((self.active_index + by) % len(self.panes))

    def close_active(self) -> None:
        """Close the tab in front."""
        current = self.query_one(ContentSwitcher).current
        if current in self.panes:
            self.close_pane(current or "")

    def _activate(self, pane_id: str, focus: bool = True) -> None:
        self.query_one(ContentSwitcher).current = pane_id
        self._draw_tabs()
        pane = self.panes.get(pane_id)
        if pane is None:
            return
        if pane_id in self._stale:
            self._stale.discard(pane_id)
            self.run_worker(pane.refresh_data(), group=f"refresh-{pane_id}", exclusive=True)
        if focus:
            pane.call_after_refresh(pane.focus_first)

    async def files_changed(self, paths: Collection[str]) -> None:
        """Read again the pane in front, where it is concerned; the others when they come to the front."""
        for pane_id, pane in self.panes.items():
            # Files are the local state's: they say nothing of an account, and it is not asked for them.
            if pane.session.route not in ("remote", "bridge") and pane.concerns(paths):
                if pane is self.active:
                    await pane.refresh_data()
                else:
                    self._stale.add(pane_id)

    def all_stale(self) -> None:
        """Nobody knows what was written: read the pane in front again now, the others when they come to the front."""
        self._stale |= set(self.panes)
        active = self.query_one(ContentSwitcher).current or ""
        if active in self.panes:
            self._stale.discard(active)
            self.run_worker(self.panes[active].refresh_data(), group=f"refresh-{active}", exclusive=True)

    @on(Pane.TitleChanged)
    def title_changed(self) -> None:
        self._draw_tabs()

    def _draw_tabs(self) -> None:
        strip = self.query_one(TabStrip)
        strip.tabs = tuple(
            TabLabel(pane_id, pane.title, SIGNS.get(self.key_of(pane).partition(" ")[0], ""))
            for pane_id, pane in self.panes.items()
        )
        strip.active = self.query_one(ContentSwitcher).current or ""
        strip.refresh()
        self.post_message(self.Fronted())

    @on(TabStrip.Picked)
    def tab_picked(self, event: TabStrip.Picked) -> None:
        if isinstance(event, TabStrip.CloseAsked):
            self.close_pane(event.tab_id)
        else:
            self._activate(event.tab_id)

    @work
    async def close_pane(self, pane_id: str) -> None:
        """Close a tab, after asking where something would be lost."""
        pane = self.panes.get(pane_id)
        if pane is None:
            return
        question = pane.why_stay()
        if question:
            from workbench.screens.dialogs import Confirm

            target = pane.session.target
            asked = Confirm(f"Close {pane.title}", target=target, question=question, action="Close")
            if not await self.app.push_screen_wait(asked):
                return
        await pane.closing()
        ids = list(self.panes)
        at = ids.index(pane_id)
        del self.panes[pane_id]
        rest = list(self.panes)
        if self.query_one(ContentSwitcher).current == pane_id:
            self._activate(rest[min(at, len(rest) - 1)] if rest else "nothing")
            if not rest:
                self.post_message(self.Emptied())
        await pane.remove()
        self._draw_tabs()

    async def close_all(self) -> None:
        """The window closes: every pane ends what it runs."""
        for pane in self.panes.values():
            await pane.closing()

    async def clear(self) -> None:
        """Another project comes: every pane ends what it runs, and goes."""
        await self.close_all()
        gone, self.panes = list(self.panes.values()), {}
        self._stale.clear()
        self.query_one(ContentSwitcher).current = "nothing"
        self._draw_tabs()
        for pane in gone:
            await pane.remove()

    def open_questions(self) -> list[str]:
        """What would be lost if the window closed now."""
        return [f"{pane.title}: {reason}" for pane in self.panes.values() if (reason := pane.why_stay())]
