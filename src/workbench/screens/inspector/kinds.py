"""The tab of an object or a facet: looking, writing, and comparing one room with another."""

from __future__ import annotations

from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from textual.binding import Binding

from workbench.screens.session import Session

from .compare import Side
from .edits import Editing

_marked: WeakKeyDictionary[Session, Side] = WeakKeyDictionary()
"""The room marked for comparison: one a window, so that rooms of two objects can be compared."""


class ObjectInspector(Editing):
    """An object's tab."""

    BINDINGS: ClassVar[list[Any]] = [Binding("c", "compare", "Compare")]

    def on_show(self) -> None:
        self._draw_mark()

    def action_compare(self) -> None:
        """Mark the room one is in, or compare it with the one that is marked."""
        room = self.house.room
        if room is None or room.deleted or self.known is None:
            return
        here = Side(self.place, room.path, f"{self.known.class_name}/{self.spoken} ▸ {self.where(room)}")
        marked = _marked.pop(self.session, None)
        if marked is None:
            _marked[self.session] = here
            self.tell(f"{here.label} is marked: c in another room, of any object, compares the two")
        elif marked.identity == here.identity:
            self.tell("the mark is taken back")
        else:
            from .comparison import ComparisonScreen

            self.app.push_screen(
                ComparisonScreen(marked, here, self.session.target, self.session.state.project.folder)
            )
        self._draw_mark()

    def _draw_mark(self) -> None:
        marked = _marked.get(self.session)
        mine = marked is not None and marked.place == self.place
        self.house.mark = (marked.path, "◆ marked") if marked is not None and mine else None
        self.house.refresh()

    def action_back(self) -> None:
        """Escape with nothing else to undo takes the mark back."""
        house = self.house
        busy = not house.has_focus or house.chasing or (house.room is not None and house.room.prefix)
        if not busy and _marked.pop(self.session, None) is not None:
            self._draw_mark()
        else:
            super().action_back()
