"""Code contexts in the window: code runs, results are shown as what they are, variables stay, and contexts work side by side."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from textual import events

from tests.support.hubs import Home, a_home
from tests.support.ui import Window, window
from tests.test_contexts import NODE
from workbench.backends.sandboxes import SandboxServer
from workbench.screens.code import CodePane

home = pytest.fixture(a_home)

SHOWS = """
class Page:
    def _repr_html_(self): return "<h1>Sums</h1><ul><li>two</li></ul><script>no()</script>"
display(Page())
"""
PICTURE = """
import base64
class Picture:
    def _repr_png_(self):
        return base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==")
Picture()
"""


@pytest.fixture
async def server(home: Home) -> AsyncIterator[SandboxServer]:
    """The sandbox `fix`, with Node among its programs."""
    server = home.server()
    paths = f"{os.path.dirname(NODE)}:/usr/local/bin:/usr/bin:/bin"
    await server.create({"name": "fix", "provider": "process", "unsafe": True, "env": {"PATH": paths}})
    yield server
    await server.close()


def pane_of(desk: Window) -> CodePane:
    pane = desk.app.workbench.active_pane
    assert isinstance(pane, CodePane)
    return pane


async def begin(desk: Window, downs: int) -> None:
    """A context of the language that is so far down in the list, from the wall."""
    await desk.press("e")
    await desk.until("Code in fix")
    await desk.press(*(["down"] * downs), "enter")
    await desk.until(
        lambda: isinstance(desk.app.workbench.active_pane, CodePane) and pane_of(desk).editor.has_focus
    )


async def run(desk: Window, code: str) -> None:
    """Paste code in the place of what is there, and run it to its end."""
    await desk.press("alt+a", "delete")
    desk.app.post_message(events.Paste(code))
    await desk.until(lambda: pane_of(desk).editor.text == code)
    await desk.press("f5")
    await desk.until(lambda: not pane_of(desk).running)


@pytest.fixture
async def desk(home: Home, server: SandboxServer) -> AsyncIterator[Window]:
    """A window with the wall of sandboxes in front."""
    async with window(home.project, (140, 45)) as desk:
        await desk.until("Sandboxes")
        await desk.press("up", "up", "enter")
        await desk.until("e begins one")
        yield desk


async def test_results_are_shown_as_what_they_are_and_variables_stay(desk: Window) -> None:
    await begin(desk, 0)
    await run(desk, "total = 40\nprint('adding')\ntotal + 2")
    assert "[1] >>> total = 40" in desk.text and "adding" in desk.text
    assert desk.line("42").strip(" ▕") == "42"
    await run(desk, "[{'city': 'Oslo', 'people': 709}, {'city': 'Rome', 'people': total}]")
    rows = [line.strip(" ▕").split() for line in desk.text.splitlines() if "Oslo" in line or "Rome" in line]
    assert ["Oslo", "709"] in rows and ["Rome", "40"] in rows
    await run(desk, SHOWS)
    assert "• two" in desk.text and "no()" not in desk.text.split("[3]")[1]
    await run(desk, PICTURE)
    assert "PNG" in desk.text
    await run(desk, "{'a': [1, 2]}")
    await desk.press("escape", "o")
    await desk.until("result of [5], json")
    await desk.press("escape")
    await desk.press("escape", "alt+up", "alt+up")
    assert pane_of(desk).editor.text == PICTURE


async def test_a_traceback_is_shown_and_a_run_is_interrupted(desk: Window) -> None:
    await begin(desk, 0)
    await run(desk, "kept = 7\ndef half(x):\n    return x / 0\nhalf(1)")
    assert desk.says("ZeroDivisionError") and "return x / 0" in desk.text
    pane_of(desk).editor.load_text("import time\ntime.sleep(600)")
    await desk.press("f5")
    await desk.until("esc interrupts")
    await desk.press("escape")
    await desk.until("KeyboardInterrupt")
    await desk.until(lambda: not pane_of(desk).running)
    await run(desk, "kept * 6")
    assert "42" in desk.text


async def test_contexts_of_several_languages_stand_side_by_side(desk: Window) -> None:
    await begin(desk, 1)
    await run(desk, "const word = 'from node'; [{word, n: 3}]")
    assert "from node" in desk.line("3")
    await desk.press("alt+1")
    await begin(desk, 2)
    await run(desk, "const typed: number = 12; typed * 12")
    assert "144" in desk.text and "[1] ts>" in desk.text
    await desk.press("alt+2")
    await run(desk, "word.toUpperCase()")
    assert "FROM NODE" in desk.text
    await desk.press("alt+1")
    await desk.until(lambda: desk.line("javascript") and desk.line("typescript"))


async def test_a_context_is_found_again_and_one_that_ended_begins_afresh(
    home: Home, server: SandboxServer
) -> None:
    async with window(home.project, (140, 45)) as desk:
        await desk.until("Sandboxes")
        await desk.press("up", "up", "enter")
        await desk.until("e begins one")
        await begin(desk, 0)
        await run(desk, "kept = 'still here'")
        await desk.press("ctrl+q")
    async with window(home.project, (140, 45)) as again:
        await again.until("kept = 'still here'")
        await run(again, "kept")
        await again.until(lambda: again.text.count("'still here'") >= 1)
        (context,) = await server.contexts.list("fix")
        await again.press("escape", "d")
        await again.until(f"End context {context.id}")
        await again.press("y")
        await again.until("the next run begins a fresh one")
        await again.press("escape")
        await run(again, "'fresh'")
        assert (await server.contexts.list("fix"))[0].id != context.id
