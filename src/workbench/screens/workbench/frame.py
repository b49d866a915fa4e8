"""What stands where: top bar, explorer, tabs, footer, and the details beside them or over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from workbench.screens.pane import Details, Pane
from workbench.widgets.key_hints import KeyHints
from workbench.widgets.top_bar import TopBar

from . import layout
from .explorer import Explorer
from .tab_area import TabArea

if TYPE_CHECKING:
    from workbench.widgets.details import DetailsView


class Frame(Screen[None]):
    """Its parts by name, the side that folds, and the details of whichever side has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self._details: dict[str, Details] = {}
        self._details_view: DetailsView | None = None
        self._tree_folded = False

    def compose(self) -> ComposeResult:
        yield TopBar(id="top")
        with Horizontal(id="body"):
            yield Explorer(id="explorer")
            yield TabArea(id="centre")
        yield KeyHints()

    @property
    def explorer(self) -> Explorer:
        return self.query_one(Explorer)

    @property
    def tabs(self) -> TabArea:
        return self.query_one(TabArea)

    @property
    def active_pane(self) -> Pane | None:
        return self.tabs.active

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

    # Layout

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
