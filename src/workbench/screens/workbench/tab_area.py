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
from workbench.widgets.tab_strip import TabLabel, TabStrip

NOTHING = "Nothing is open.\n\nEnter in the tree opens a resource; : has every command; ? explains what has the focus."


class TabArea(Vertical):
    """The open panes, by widget id, in the order of their tabs. A pane that is behind is read again when it comes in front."""

    class Emptied(Message):
        """The last tab was closed."""

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
    ) -> Pane | None:
        """Open a tab, or go to the one that shows this already."""
        for pane_id, pane in self.panes.items():
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
            if pane.concerns(paths):
                if pane is self.active:
                    await pane.refresh_data()
                else:
                    self._stale.add(pane_id)

    @on(Pane.TitleChanged)
    def title_changed(self) -> None:
        self._draw_tabs()

    def _draw_tabs(self) -> None:
        strip = self.query_one(TabStrip)
        strip.tabs = tuple(TabLabel(pane_id, pane.title) for pane_id, pane in self.panes.items())
        strip.active = self.query_one(ContentSwitcher).current or ""
        strip.refresh()

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

            target = self.session.target if self.session else None
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
