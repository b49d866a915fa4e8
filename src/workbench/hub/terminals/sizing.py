"""Whose size a terminal takes, where several look at it in rooms of different sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .viewer import Viewer

POLICIES = ("fit", "smallest", "fixed", "watch")
"""Of a viewer. fit: the terminal takes the size of its room; smallest: it is never larger than the room; fixed: it takes a size that
was chosen, whatever the room; watch: its size is the others' affair.
"""


def size_for(viewers: Iterable[Viewer], keyboard: Viewer | None) -> tuple[int, int] | None:
    """Columns and rows; None where nobody asks for any.

    Who has the keyboard comes first of those with `fit` or `fixed`, then who said a size last. What `fixed` says holds; any other
    size is cut to the rooms of `smallest`.
    """
    saying = [viewer for viewer in viewers if viewer.said]
    asking = [viewer for viewer in saying if viewer.policy in ("fit", "fixed")]
    first = keyboard if keyboard in asking else max(asking, key=lambda viewer: viewer.said, default=None)
    if first is not None and first.policy == "fixed":
        return first.size
    rooms = [viewer.size for viewer in saying if viewer.policy == "smallest"]
    if first is not None:
        rooms.append(first.size)
    return (min(cols for cols, _ in rooms), min(rows for _, rows in rooms)) if rooms else None
