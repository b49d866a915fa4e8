"""The results below the editor: a tab a statement, the ones that are kept, the one in front."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from workbench.widgets.grid_lines import GridLines
from workbench.widgets.tab_strip import TabLabel, TabStrip

from .results import ResultView

HINT = """\
f5    run the statement at the cursor
f9    run all of them
f4    schema: enter inserts a name, o opens a table
f8    what was run before
f7    the plan of a statement
tab   complete a name
esc   stop what runs, or go to the result

In a result enter shows a cell whole, e edits it;
ctrl+s writes all of it to a file. ctrl+g comes back."""


class ResultArea(Vertical):
    """let_go: ends what a result that is taken away still reads."""

    DEFAULT_CSS = """
    ResultArea { height: 1fr; }
    ResultArea > #result-tabs { display: none; }
    ResultArea.-several > #result-tabs { display: block; }
    ResultArea #hint { height: 1fr; padding: 1 2; color: $text-muted; }
    """

    def __init__(self, let_go: Callable[[ResultView], Awaitable[None]], **options: Any) -> None:
        super().__init__(**options)
        self._let_go = let_go
        self.views: list[ResultView] = []
        self._serial = 0

    def compose(self) -> ComposeResult:
        yield TabStrip(id="result-tabs")
        with ContentSwitcher(id="result", initial="hint"):
            yield Static(Content(HINT), id="hint")

    @property
    def front(self) -> ResultView | None:
        """The result one sees."""
        current = self.query_one("#result", ContentSwitcher).current
        return next((view for view in self.views if view.id == current), None)

    def of(self, grid: GridLines) -> ResultView | None:
        """The result whose rows a grid shows."""
        return next((view for view in self.views if view.grid is grid), None)

    async def add(self, sql: str, start: int, shift: int = 0) -> ResultView:
        """A result of its own for a statement, in front. start: where it begins in the editor; shift: where what was run does."""
        self._serial += 1
        view = ResultView(len(self.views) + 1, sql, start, shift, id=f"result-{self._serial}")
        self.views.append(view)
        switcher = self.query_one("#result", ContentSwitcher)
        await switcher.mount(view)
        switcher.current = view.id
        self.draw_tabs()
        return view

    async def clear(self) -> None:
        """Take away the results that are not kept."""
        for view in [view for view in self.views if not view.pinned]:
            await self._remove(view)
        for number, view in enumerate(self.views, 1):
            view.number = number
        self.draw_tabs()

    async def let_go(self) -> None:
        """End what all of them read."""
        for view in self.views:
            await self._let_go(view)

    def step(self, by: int) -> None:
        """The next result in front, or the one before; round at the ends. The focus goes along where it was in a result."""
        front = self.front
        if front is None or len(self.views) < 2:
            return
        within = front.has_focus_within
        view = self.views[(self.views.index(front) + by) % len(self.views)]
        self.query_one("#result", ContentSwitcher).current = view.id
        self.draw_tabs()
        if within:
            view.focus_content()

    async def _remove(self, view: ResultView) -> None:
        self.views.remove(view)
        await self._let_go(view)
        switcher = self.query_one("#result", ContentSwitcher)
        if switcher.current == view.id:
            switcher.current = self.views[-1].id if self.views else "hint"
        await view.remove()

    def draw_tabs(self) -> None:
        """The tabs, where there are several results."""
        strip = self.query_one(TabStrip)
        strip.tabs = tuple(
            TabLabel(view.id or "", view.title, " •" if view.pinned else "") for view in self.views
        )
        strip.active = self.query_one("#result", ContentSwitcher).current or ""
        strip.refresh()
        self.set_class(len(self.views) > 1, "-several")

    @on(TabStrip.Picked)
    async def picked(self, event: TabStrip.Picked) -> None:
        event.stop()
        if isinstance(event, TabStrip.CloseAsked):
            view = next((view for view in self.views if view.id == event.tab_id), None)
            if view is not None:
                await self._remove(view)
        else:
            self.query_one("#result", ContentSwitcher).current = event.tab_id
        self.draw_tabs()
        if self.front is not None:
            self.front.focus_content()
