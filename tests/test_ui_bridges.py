"""Sandboxes behind a deployed bridge in the window: told apart from those here, opened when a person says so, and worked in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.bridges import StandIn, stand_in
from tests.support.hubs import Home, a_home
from tests.support.ui import window
from workbench.backends.sandboxes.bridges import Bridges

home = pytest.fixture(a_home)


@pytest.fixture
async def bridge(home: Home) -> AsyncIterator[StandIn]:
    """The bridge `work`, with the sandbox `far`."""
    server = home.server()
    await server.create({"name": "far", "provider": "process", "unsafe": True, "env": {"PS1": "$ "}})
    await server.close()
    async with stand_in(home, lists=True) as standing:
        await Bridges(keyring=False).put("work", standing.url, standing.token)
        yield standing


async def test_a_bridges_sandboxes_are_a_line_away_and_the_frame_says_where_they_are(
    home: Home, bridge: StandIn
) -> None:
    async with window(home.project, (140, 40)) as desk:
        await desk.until("▲▲ work")
        assert bridge.asked == []
        await desk.press("end", "up", "enter")
        await desk.until("Sandboxes behind work")
        assert "▲▲ BRIDGE work" in desk.text and "sandboxes ▲▲" in desk.text
        await desk.until("a container of its own on the account")
        await desk.press("t")
        await desk.until("you type")
        await desk.type("echo far away")
        await desk.press("enter")
        await desk.until(lambda: desk.text.count("far away") == 2)
        assert "▲▲ BRIDGE work" in desk.text
        await desk.press("f8", "f10")
        await desk.until("← this tab")
        await desk.press("escape", "ctrl+q")
    async with window(home.project, (140, 40)) as again:
        await again.until("Enter connects")
        await again.press("enter")
        await again.until(lambda: again.text.count("far away") == 2)
    assert bridge.beyond == []


async def test_deleting_behind_a_bridge_asks_in_its_own_words(home: Home, bridge: StandIn) -> None:
    async with window(home.project, (140, 40)) as desk:
        await desk.until("▲▲ work")
        await desk.press("end", "up", "enter")
        await desk.until("a container of its own on the account")
        await desk.press("d")
        await desk.until("sandbox far with its disk")
        await desk.press("escape")
        assert not any(line.startswith("DELETE") for line in bridge.asked)
