"""The wall of sandboxes, driven as a person does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.hubs import Home, a_home
from tests.support.ui import Window, window
from workbench.backends.sandboxes import SandboxServer
from workbench.screens.sandboxes import SandboxesPane

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


async def go_to(desk: Window, name: str) -> None:
    """From the list to the line of that name in the panel beside it."""
    wall = desk.app.workbench.active_pane
    assert isinstance(wall, SandboxesPane)
    await desk.press("enter", "home")
    while not (wall.panel.item and wall.panel.item.label.startswith(name)):
        await desk.press("down")


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


async def test_a_snapshot_is_taken_and_put_back_and_a_fork_has_the_disk(
    home: Home, server: SandboxServer
) -> None:
    await server.delete("fix")
    await server.create({"name": "fix", "provider": "bubblewrap"})
    await server.files.put("fix", "kept.txt", [b"first"])
    async with window(home.project, (140, 45)) as desk:
        await desk.until("Sandboxes")
        await desk.press("up", "up", "enter")
        await desk.until("1 running · 1 stopped")
        await desk.press("c")
        await desk.until("Snapshot of fix")
        await desk.type("clean")
        await desk.press("enter")
        await desk.until("clean")
        await server.files.put("fix", "kept.txt", [b"second"])
        await desk.press("f")
        await desk.until("Names for the forks")
        await desk.press("enter")
        await desk.until("fix-2")
        forked = b"".join([piece async for piece in server.files.get("fix-2", "kept.txt")])
        assert forked == b"second"
        await go_to(desk, "clean")
        await desk.press("enter")
        await desk.until("Its disk becomes")
        await desk.press("y")
        await desk.gone("Its disk becomes")
        await desk.until("automatic")
        back = b"".join([piece async for piece in server.files.get("fix", "kept.txt")])
        assert back == b"first"


async def test_a_log_is_followed_and_searched(home: Home, server: SandboxServer) -> None:
    await server.processes.start("fix", ["sh", "-c", "echo one; echo two >&2; read x; echo three"], id="job")
    async with window(home.project, (140, 40)) as desk:
        await desk.until("Sandboxes")
        await desk.press("up", "up", "enter")
        await desk.until("job  sh -c")
        await go_to(desk, "job")
        await desk.press("enter")
        await desk.until("two")
        await desk.press("slash")
        await desk.type("one")
        await desk.press("enter")
        await desk.until("1 found")
