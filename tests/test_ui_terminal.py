"""The terminal's tab on a real sandbox, driven as a person does, with others who look and type."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.support.hubs import Home, a_home
from tests.support.ui import Window, window
from workbench.backends.sandbox_protocol import TerminalLink
from workbench.backends.sandboxes import SandboxServer
from workbench.screens.pane import Locator
from workbench.screens.terminal import RecordingPane, TerminalPane

home = pytest.fixture(a_home)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[SandboxServer]:
    """A sandbox `fix` with the terminal `one`; `PS1` is short."""
    server = home.server()
    await server.create({"name": "fix", "provider": "process", "unsafe": True, "env": {"PS1": "$ "}})
    await shell(server, "one")
    yield server
    await server.close()


async def read(link: TerminalLink) -> None:
    async for _ in link:
        pass


async def shell(server: SandboxServer, id: str) -> None:
    await server.terminals.create("fix", ["bash", "--norc", "--noprofile"], id=id)


@contextlib.asynccontextmanager
async def terminal(
    home: Home, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Window, TerminalPane]]:
    async with window(home.project, size) as desk:
        await desk.until(lambda: desk.app.session is not None)
        pane = await desk.app.workbench.open(Locator("terminal", "fix", "one", label="fix"))
        assert isinstance(pane, TerminalPane)
        await desk.until("one")
        yield desk, pane


async def enter(desk: Window, text: str) -> None:
    await desk.type(text)
    await desk.press("enter")


async def test_what_one_types_runs_in_the_sandbox(home: Home, server: SandboxServer) -> None:
    async with terminal(home) as (desk, pane):
        await desk.until("you type")
        await enter(desk, "echo $((40 + 2)) seen")
        await desk.until("42 seen")
        assert pane.tiles[0].view.terminal.columns == pane.tiles[0].view.size.width
        screen = await server.terminals.screen("fix", "one")
        assert "42 seen" in screen.lines


async def test_an_unsafe_sandbox_says_so_for_as_long_as_it_is_shown(
    home: Home, server: SandboxServer
) -> None:
    async with terminal(home, (80, 24)) as (desk, _):
        await desk.until("NOT ISOLATED")
        await desk.until("you type")
        await enter(desk, "clear; printf '\\033[2J\\033[H'")
        await desk.until("$")
        assert "NOT ISOLATED" in desk.text


async def test_the_screen_is_there_again_after_the_tab_was_closed(home: Home, server: SandboxServer) -> None:
    async with terminal(home) as (desk, _):
        await desk.until("you type")
        await enter(desk, "for i in 1 2 3; do echo before $i; done; read -s wait; echo after $wait")
        await desk.until("before 3")
        await desk.press("f8", "ctrl+w")
        await desk.gone("before 3")
        await desk.app.workbench.open(Locator("terminal", "fix", "one", label="fix"))
        await desk.until("before 3")
        await desk.until("you type")
        await enter(desk, "all")
        await desk.until("after all")


async def test_who_has_the_keyboard_is_shown_and_f8_takes_it(home: Home, server: SandboxServer) -> None:
    link = await server.terminals.connect("fix", "one", 80, 24, name="fixer-2", policy="watch")
    await link.say("take")
    reading = asyncio.create_task(read(link))
    async with terminal(home) as (desk, pane):
        await desk.until("fixer-2 has the keyboard")
        await enter(desk, "ignored")
        await link.type(b"echo from the agent\r")
        await desk.until("from the agent")
        assert "ignored" not in desk.text
        await desk.press("f8")
        await desk.until("you type")
        await enter(desk, "echo from the person")
        await desk.until(lambda: "from the person" in desk.text.replace("echo from the person", ""))
        await link.say("take")
        await desk.until("fixer-2 has the keyboard")
        assert not pane.tiles[0].view.captured
    await link.aclose()
    await reading


async def test_each_window_says_whose_size_the_terminal_takes(home: Home, server: SandboxServer) -> None:
    link = await server.terminals.connect("fix", "one", 150, 30, name="wall")
    reading = asyncio.create_task(read(link))
    async with terminal(home) as (desk, pane):
        await desk.until("you type")
        (tile,) = pane.tiles
        room = (tile.view.size.width, tile.view.size.height)
        screen = lambda: (tile.view.terminal.columns, tile.view.terminal.lines)  # noqa: E731
        await desk.until(lambda: screen() == room)
        await desk.press("f8", "z")
        await desk.until("Whose size")
        await desk.press("down", "down", "enter")
        await desk.until("Columns x rows")
        await desk.press(*["backspace"] * 10)
        await desk.type("132x50")
        await desk.press("enter")
        await desk.until("a part of 132x50 fixed")
        await link.resize(70, 20)
        await desk.press("enter")
        await enter(desk, "stty size; seq -s, 60")
        await desk.until("50 132")
        assert screen() == (132, 50)
        await desk.press("f8", "z", "down", "down", "down", "enter")
        await desk.until("70x20 as others have it")
        await desk.press("z", "down", "enter")
        await link.resize(140, 18)
        await desk.until(lambda: screen() == (room[0], 18))
    await link.aclose()
    await reading


async def test_a_tab_splits_and_comes_back_as_it_was(home: Home, server: SandboxServer) -> None:
    async with terminal(home) as (desk, pane):
        await desk.until("you type")
        await enter(desk, "echo the first")
        await desk.until(lambda: desk.text.count("the first") == 2)
        await desk.press("f8", "s")
        await desk.until(lambda: len(pane.tiles) == 2 and "you type" in desk.text)
        await enter(desk, "echo the second")
        await desk.until("▏the second")
        assert pane.tiles[0].view.size.width < 60
        await desk.press("f8", "S")
        await desk.until(lambda: len(pane.tiles) == 3 and all(tile.up for tile in pane.tiles))
        kept = pane.keep()
        assert kept["tiles"][0] == "-across" and kept["tiles"][2][0] == "-down"
        await desk.press("f8", "tab", "tab")
        await desk.until(lambda: pane.active is pane.tiles[1])
        await desk.press("x")
        await desk.until(lambda: len(pane.tiles) == 2)
        assert len(await server.terminals.list("fix")) == 3
        before = pane.keep()
        await desk.press("ctrl+q")
    async with window(home.project) as again:
        await again.until("the first")
        restored = again.app.workbench.active_pane
        assert isinstance(restored, TerminalPane) and restored.keep() == before


async def test_a_program_that_ends_says_how_and_another_one_is_a_key_away(
    home: Home, server: SandboxServer
) -> None:
    async with terminal(home) as (desk, pane):
        await desk.until("you type")
        await enter(desk, "exit 7")
        await desk.until("ended with 7")
        await desk.press("r")
        await desk.until(lambda: "ended" not in desk.text and pane.tiles[0].up)


async def test_a_hub_that_is_killed_is_found_again_with_the_screen_as_it_was(
    home: Home, server: SandboxServer
) -> None:
    async with terminal(home) as (desk, _):
        await desk.until("you type")
        await enter(desk, "echo kept through it")
        await desk.until(lambda: desk.text.count("kept through it") == 2)
        home.kill_hub()
        await desk.until("the hub")
        home.connect()
        await desk.until(lambda: "you type" in desk.text or "reading" in desk.text, 20)
        assert desk.text.count("kept through it") == 2


async def test_text_is_found_and_a_wrong_expression_is_told(home: Home, server: SandboxServer) -> None:
    async with terminal(home) as (desk, pane):
        await desk.until("you type")
        await enter(desk, "seq -f 'row %g' 200")
        await desk.until("row 200")
        await desk.press("f8", "slash")
        await enter(desk, "row 77")
        await desk.until("1 found")
        assert "row 77" in desk.text
        await desk.press("slash")
        pane.query_one("SafeInput").value = "/row ["  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.until("is no regular expression")
        assert pane.query_one("SafeInput").value == "/row ["  # type: ignore[attr-defined]


async def test_a_recording_is_played_and_gone_to_any_time(home: Home, server: SandboxServer) -> None:
    async with terminal(home) as (desk, _):
        await desk.until("you type")
        await enter(desk, "echo the begin''ning; sleep 0.3; clear; echo the e''nd of it")
        await desk.until(lambda: "the end of it" in desk.text and "the beginning" not in desk.text)
        await desk.press("f8", "p")
        await desk.until("recording of one")
        played = desk.app.workbench.active_pane
        assert isinstance(played, RecordingPane)
        await desk.until(lambda: played.player is not None)
        await desk.press("end")
        await desk.until("the end of it")
        while "the beginning" not in desk.text:
            await desk.press("comma")
            await desk.pilot.pause()
        assert "the end of it" not in desk.text
        await desk.press("home", "plus", "plus", "plus", "plus", "space")
        await desk.until("the end of it")
        await desk.until("stopped")
        assert played.at == played.player.duration
