"""A project made to do harm, on screen: every node of the tree opened, nothing obeyed, nothing broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import hostile
from tests.support.ui import Window, home, window
from workbench.screens.pane import Locator

pytestmark = pytest.mark.asyncio
__all__ = ["home"]

FACET = (hostile.NASTY["colour"],)
PLACES = [
    Locator("kv", hostile.KV, label=hostile.NASTY["markup"]),
    Locator("r2", hostile.BUCKET, label=hostile.NASTY["erase"]),
    Locator("d1", hostile.DATABASE, label=hostile.NASTY["bidi"]),
    Locator("do_object", "w-Room", hostile.OBJECT),
    Locator("do_facet", "w-Room", hostile.OBJECT, FACET),
    Locator("do_facet", "w-Room", hostile.OBJECT, FACET, "sql"),
    Locator("worker", hostile.SCRIPT),
    Locator("state", "all"),
    Locator("state", "problems"),
]


def _obeys_nothing(w: Window) -> None:
    for strip in w.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.control:
                continue
            assert not hostile.FORBIDDEN.findall(segment.text), segment.text
            if segment.style is not None:
                assert "evil" not in str(segment.style.link)
                assert "app.quit" not in str(segment.style.meta)


@pytest.mark.parametrize("place", PLACES, ids=[f"{place.kind} {place.view}".strip() for place in PLACES])
async def test_a_pane_shows_hostile_content_and_obeys_none_of_it(home: Path, place: Locator) -> None:
    made = hostile.build(home)
    async with window(made.folder, (80, 24)) as w:
        await w.pilot.pause(0.3)
        await w.app.workbench.open(place)
        await w.pilot.pause(0.3)
        for key in ("down", "down", "enter", "escape", "f3", "tab", "down", "right", "f3", "end", "home"):
            await w.press(key)
            await w.pilot.pause(0.03)
            _obeys_nothing(w)
        await w.pilot.resize_terminal(20, 5)
        await w.pilot.pause(0.1)
        _obeys_nothing(w)
        await w.pilot.resize_terminal(80, 24)
        await w.pilot.pause(0.1)
        _obeys_nothing(w)
        w.app.export_screenshot()
