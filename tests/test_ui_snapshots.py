"""Pictures of the main screens, in both themes at both sizes; `pytest --snapshot-update` takes them anew, to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.ui import Window, demo, home
from workbench.app import WorkbenchApp

__all__ = ["demo", "home"]

SIZES = {"80x24": (80, 24), "160x50": (160, 50)}


def picture(
    demo: str, theme: str, *keys: str, shows: str
) -> tuple[WorkbenchApp, Callable[[Pilot[int]], Any]]:
    """A window on the sample, and what brings it to the picture: keys, then until `shows` is on screen."""
    app = WorkbenchApp(folder=demo)
    app.theme = f"cfwb-{theme}"

    async def bring(pilot: Pilot[int]) -> None:
        window = Window(app, pilot)
        await window.until("4 · 1 ✗")
        await window.until("1,503 keys")
        for key in keys:
            await window.press(key)
            await pilot.pause(0.15)
        await window.until(shows)
        await pilot.pause(0.5)

    return app, bring


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_the_workbench_at_its_first_start(demo: str, snap_compare: Any, size: str, theme: str) -> None:
    app, bring = picture(demo, theme, shows="no dev server")
    assert snap_compare(app, terminal_size=SIZES[size], run_before=bring)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_a_value_in_the_browser(demo: str, snap_compare: Any, size: str, theme: str) -> None:
    keys = ("f6", "down", "enter", "down", "down")
    app, bring = picture(demo, theme, *keys, shows="config/features")
    assert snap_compare(app, terminal_size=SIZES[size], run_before=bring)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_help_of_the_tree(demo: str, snap_compare: Any, size: str, theme: str) -> None:
    app, bring = picture(demo, theme, "question_mark", shows="Every Worker with its bindings")
    assert snap_compare(app, terminal_size=SIZES[size], run_before=bring)
