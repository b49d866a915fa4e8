"""The dev server from inside the window, as a person has it: started, asked, followed, and gone with the window that started it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PROGRAM, environment
from tests.support.monorepo import Monorepo, a_monorepo, alive, family
from tests.support.ui import window
from workbench.screens.pane import Locator
from workbench.screens.printed import LogView
from workbench.screens.servers.pane import ServerPane
from workbench.screens.servers.traces import TracesPane
from workbench.screens.workflows import WorkflowPane

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def repo(emulator_install: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """The first test starts web's server and lets it stay: the others find it."""
    with pytest.MonkeyPatch.context() as patch:
        for made in a_monorepo(tmp_path_factory.mktemp("repo")):
            for name, value in made.env.items():
                patch.setenv(name, value)
            yield made


def value(repo: Monorepo, key: str) -> str:
    """What CACHE holds, by a command."""
    answer = repo.run("web", "kv", "values", "get", key)
    return str(answer.result["value"]) if answer.status == 0 else ""


async def soon(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for what a command says."""
    async with asyncio.timeout(seconds):
        while not (found := await asyncio.to_thread(condition)):
            await asyncio.sleep(0.1)
    return found


async def test_it_is_started_followed_and_started_anew_and_stays_where_that_is_asked_for(
    repo: Monorepo,
) -> None:
    async with window(repo.place("web"), (140, 40)) as w:
        await w.until("no dev server")
        await w.press("f4")
        await w.until("s starts the project's own")
        await w.press("s")
        await w.until("starting …")
        await w.until("Ready on", 60)
        await w.until("ends with this window")
        url = (await asyncio.to_thread(repo.started, "web"))["url"]
        await w.until(f"▲ wrangler dev :{url.rpartition(':')[2]} up")
        await w.until(lambda: f"▲ wrangler dev {url} up   web" in w.text)

        # What it prints: searched, and less of it.
        await w.press("slash")
        await w.type("key-value|KV Namespace")
        await w.press("enter")
        await w.until("is not there")
        await w.press("slash", *["backspace"] * 30)
        await w.type("KV Namespace")
        await w.press("enter")
        await w.until("1 found")
        await w.press("escape", "f", "f")
        await w.until("only warn and above")
        assert "Ready on" not in w.text and "[WARNING]" in w.text
        await w.press("f", "f")
        await w.until("Ready on")

        await w.press("f3")
        await w.until("cron */5 * * * *")
        await w.press("f3", "question_mark")
        await w.until("unless p lets it stay")
        await w.press("escape")

        before = await asyncio.to_thread(repo.started, "web")
        whole = await asyncio.to_thread(family, before["pid"])
        pane = w.app.workbench.tabs.active
        assert isinstance(pane, ServerPane)
        await w.press("r")
        await w.until(
            lambda: (
                pane.detail is not None and pane.detail.status == "running" and pane.detail.pid not in whole
            )
        )
        await w.until(lambda: not pane.starting)
        assert not alive(whole)
        after = await asyncio.to_thread(repo.started, "web")
        assert after["url"] == before["url"]
        await w.press("p")
        await w.until("stays until it is stopped")
    assert (await asyncio.to_thread(repo.started, "web"))["status"] == "running"


async def test_a_request_is_sent_its_answer_shown_and_what_it_wrote_is_there(repo: Monorepo) -> None:
    async with window(repo.place("web"), (140, 40)) as w:
        await w.until("CACHE   0 keys")
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.until(lambda: isinstance(w.app.focused, LogView))
        await w.press("a")
        await w.until("enter or f5 sends it")
        await w.press(*["backspace"] * 2)
        await w.type("/api?x=1")
        await w.press("shift+tab", *["backspace"] * 4)
        await w.type("put")
        await w.press("tab", "tab")
        await w.type("X-Api-Key: abc")
        await w.press("enter")
        await w.type("X-Shop: 7")
        await w.press("tab")
        await w.type("hello")
        await w.press("f5")
        await w.until("201 Created")
        for part in ('"method": "PUT"', '"body": "hello"', '"x-api-key": "abc"', '"x-shop": "7"'):
            await w.until(part)
        await w.until("201 PUT    /api?x=1")
        await w.press("f8")
        await w.until("Content-Type: application/json")
        # The tab behind it and the tree have read again what the Worker wrote.
        await w.press("alt+1")
        await w.until("CACHE   1 key")
        await w.until("last")
        assert value(repo, "last") == "/api"

        await w.press("alt+3", "escape", *["backspace"] * 9)
        await w.type("/boom")
        await w.press("enter")
        await w.until("Error: boom goes the Worker")
        # Back to the first: all as it was, the credential alone is not kept.
        await w.press("tab", "tab", "tab", "down", "enter")
        await w.until("X-Api-Key: ••••••")
        await w.until("X-Shop: 7")
        await w.press("enter")
        await w.until("type them again")


async def test_a_cron_trigger_is_fired_and_an_e_mail_delivered(repo: Monorepo) -> None:
    async with window(repo.place("web"), (120, 40)) as w:
        await w.until("1 key")
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.press("c")
        await w.until("0 3 * * 1   web")
        await w.press("down", "enter")
        await w.until("0 3 * * 1 on web: ok")
        assert value(repo, "cron").startswith("0 3 * * 1 ")
        await w.press("m")
        await w.until("servers emails send")
        for part in ("ann@example.com", "shop@example.com", "Hello"):
            await w.type(part)
            await w.press("tab")
        await w.type("Is it there?")
        await w.press("enter")
        await w.until("outcome")
        assert value(repo, "mail") == "ann@example.com shop@example.com Hello"


async def test_a_request_is_a_waterfall_of_what_happened_in_it(repo: Monorepo) -> None:
    await asyncio.to_thread(repo.run, "web", "servers", "requests", "send", "/traced")
    await asyncio.to_thread(repo.run, "web", "servers", "requests", "send", "/boom")
    async with window(repo.place("web"), (140, 40)) as w:
        await w.until("key")
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.until(lambda: isinstance(w.app.focused, LogView))
        await w.press("t")
        await w.until("GET /traced")
        pane = w.app.workbench.tabs.active
        assert isinstance(pane, TracesPane)
        await w.until("GET /boom")
        await w.press("home")
        while pane.recent.current is None or pane.recent.current.name != "GET /traced":
            await w.press("down")
        await w.until("kv_put")
        await w.until("asked for /traced")
        assert "█" in w.line("kv_put") and "CACHE" in w.line("kv_put")
        await w.press("enter")
        while pane.spans.current is None or "kv_put" not in pane.spans.current.name:
            await w.press("down")
        await w.until('"cloudflare.binding.name"')
        await w.press("escape", "f")
        await w.until("only those that failed")
        await w.until(lambda: "GET /traced" not in "".join(event.name for event in pane.recent.events))
        assert "GET /boom" in [event.name for event in pane.recent.events]
        await w.press("d")
        await w.until("Delete all traces")
        await w.press("y")
        await w.until(lambda: not pane.recent.events)


async def test_an_instance_of_a_workflow_is_started_paused_and_brought_to_its_end(repo: Monorepo) -> None:
    async with window(repo.place("web"), (140, 40)) as w:
        await w.until("key")
        pane = await w.app.workbench.open(Locator("workflow", "packing", label="packing"))
        assert isinstance(pane, WorkflowPane)

        def status() -> str:
            return (pane.chosen() or ("", ""))[1]

        await w.until(lambda: pane.instances.has_focus and pane.instances.pages.ended)
        await w.press("n")
        await w.until("workflows instances create")
        await w.type("box-1")
        await w.press("tab", "tab")
        await w.type('{"size": 3}')
        await w.press("enter")
        await w.until("queued")
        await w.press("escape", "escape")
        await w.until(lambda: pane.instances.has_focus and pane.instances.current is not None)
        await w.until(lambda: status() in ("running", "waiting"))
        await w.until("take-1")
        await w.press("p")
        await w.until(lambda: status() == "paused")
        await w.press("p")
        await w.until(lambda: status() in ("running", "waiting"))
        await w.press("e")
        await w.until("workflows events send")
        await w.type("label")
        await w.press("tab")
        await w.press("tab")
        await w.type('"blue"')
        await w.press("enter")
        await w.gone("ctrl+r run")
        await w.press("escape", "escape")
        await w.until(lambda: status() == "complete")
        await w.press("R")
        await w.until("It runs again from its beginning")
        await w.press("y")
        await w.until(lambda: status() in ("running", "waiting"))
        await w.press("t")
        await w.until("It ends where it is")
        await w.press("y")
        await w.until(lambda: status() == "terminated")


async def test_one_that_stays_is_ended_from_any_window(repo: Monorepo) -> None:
    whole = await asyncio.to_thread(family, repo.started("web")["pid"])
    async with window(repo.place("web"), (110, 40)) as w:
        await w.until("wrangler dev :")
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.press("s")
        await w.until("■ wrangler dev ended")
        await w.until("no dev server")
        assert not alive(whole)


async def test_a_window_that_is_killed_leaves_nothing_of_its_server_and_no_other_is_touched(
    repo: Monorepo,
) -> None:
    started = await asyncio.to_thread(repo.run, "stock", "servers", "start")
    other = await asyncio.to_thread(family, started.result["pid"])
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    drawn = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: drawn.extend(os.read(master, 1 << 16)))
    cfwb = subprocess.Popen(
        PROGRAM,
        cwd=repo.place("web"),
        env=environment(None, **repo.env),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    try:
        await soon(lambda: b"no dev server" in drawn)
        os.write(master, b"\x1bOS")  # f4
        await soon(lambda: b"starts the project" in drawn)
        os.write(master, b"s")
        await soon(lambda: b"ends with this window" in drawn)
        started_here = await soon(
            lambda: (row := repo.started("web"))["status"] == "running" and row, seconds=60
        )
        assert started_here["until"] == cfwb.pid
        whole = await asyncio.to_thread(family, started_here["pid"])
        assert len(whole) > 1
        cfwb.kill()
        await soon(lambda: not alive(whole))
        assert alive(other) == other
        assert repo.run("stock", "servers", "requests", "send", "/").result["status"] == 200
    finally:
        cfwb.kill()
        cfwb.wait()
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)
