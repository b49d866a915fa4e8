"""The wall of sandboxes, driven as a person does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.hubs import Home, a_home
from tests.support.ui import window
from workbench.backends.sandboxes import SandboxServer

home = pytest.fixture(a_home)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[SandboxServer]:
    """Two sandboxes: `fix`, which runs, and `old`, which is stopped."""
    server = home.server()
    for name in ("fix", "old"):
        await server.create({"name": name, "provider": "process", "unsafe": True})
    await server.stop("old")
    yield server
    await server.close()


async def test_sandboxes_are_in_the_tree_and_what_is_in_one_is_a_key_away(
    home: Home, server: SandboxServer
) -> None:
    await server.processes.start("fix", ["sh", "-c", "echo from the process; exec sleep 600"], id="web")
    async with window(home.project, (140, 40)) as desk:
        await desk.until("Sandboxes")
        await desk.press("up", "up", "enter")
        await desk.until("1 running · 1 stopped")
        await desk.until("NOT ISOLATED")
        await desk.until("web  sh -c")
        await desk.press("enter")
        await desk.press("t")
        await desk.until("you type")
        await desk.type("echo made by a key")
        await desk.press("enter")
        await desk.until(lambda: desk.text.count("made by a key") == 2)
        await desk.press("f8", "alt+1")
        await desk.until("1 watch")
