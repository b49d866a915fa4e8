"""Switching the target of a tab: what reaches the account, what the frame says, what is asked before a write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from textual.widgets import Input

from tests.support.account import ACCOUNT, OTHER_ACCOUNT, StandIn
from tests.support.oracle import Oracle
from tests.support.ui import Window, home, window
from workbench.screens.pane import Locator

pytestmark = pytest.mark.asyncio
__all__ = ["home"]


@pytest.fixture(scope="module")
def stand_in(oracle: Oracle) -> Iterator[StandIn]:
    with StandIn(oracle) as running:
        yield running


@pytest.fixture
def project(oracle: Oracle, stand_in: StandIn, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The oracle's project; its account is the stand-in."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CF_ACCOUNT_ID", "CLOUDFLARE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in stand_in.environment().items():
        monkeypatch.setenv(name, value)
    return oracle.project


@pytest.fixture
def key(oracle: Oracle) -> Iterator[str]:
    name = f"ui-{uuid4().hex[:8]}"
    oracle.kv().put(name, b"deployed")
    yield name
    oracle.kv().delete(name)


async def to_account(w: Window, resource: str = "kv") -> None:
    """Open the binding's tab, and put it on the account by the menu."""
    await w.until("State directory")
    locators = {
        "kv": Locator("kv", "cache-namespace", label="CACHE"),
        "d1": Locator("d1", "shop-database", label="shop"),
    }
    await w.app.workbench.open(locators[resource])
    await w.press("f10")
    await w.until("▲▲ REMOTE the deployed account")
    await w.press("home", "down", "enter")
    await w.until("▲▲ REMOTE account")


async def test_one_key_puts_a_tab_on_the_account_and_nothing_is_asked_there_before(
    project: Path, stand_in: StandIn, key: str
) -> None:
    before = len(stand_in.requests)
    async with window(project) as w:
        await w.until("State directory")
        await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
        await w.press("f10")
        await w.until("▲▲ REMOTE")
        await w.press("escape")
        await w.press("ctrl+r")
        await w.pilot.pause()
        assert len(stand_in.requests) == before
        await to_account(w)
        await w.until(key)
        assert len(stand_in.requests) > before
        top = w.text.splitlines()[0]
        assert "▲▲ REMOTE" in top and "writes ask" in top
        assert ACCOUNT in w.text
        assert "CACHE ▲▲" in w.text  # the tab's own name
        assert "╔" in w.text  # a border of another kind, for eyes without colours
        await w.app.workbench.open(Locator("r2", "files", label="files"))
        await w.gone("╔")
        assert "● LOCAL" in w.text.splitlines()[0]


async def test_a_write_to_the_account_asks_and_names_account_and_resource(
    project: Path, oracle: Oracle, key: str
) -> None:
    async with window(project) as w:
        await to_account(w)
        pane = w.app.workbench.active_pane
        assert pane is not None

        async def put(value: str) -> None:
            await pane.session.call(
                "kv.values.put", key=key, value=value, binding="cache-namespace", force=True
            )

        writing = w.app.run_worker(put("refused"), exit_on_error=False)
        await w.until("kv values put on the deployed account")
        assert ACCOUNT in w.text and "KV namespace" in w.text
        await w.press("escape")
        await w.until(lambda: writing.is_finished)
        assert oracle.kv().get(key) == b"deployed"
        writing = w.app.run_worker(put("agreed"), exit_on_error=False)
        await w.until("Write to the account")
        await w.press("shift+tab", "enter")
        await w.until(lambda: writing.is_finished)
        assert oracle.kv().get(key) == b"agreed"


async def test_destroying_on_the_account_wants_the_name_typed_whatever_screen_asked_before(
    project: Path, oracle: Oracle, key: str
) -> None:
    async with window(project) as w:
        await to_account(w)
        pane = w.app.workbench.active_pane
        assert pane is not None
        work = pane.session.call("kv.values.delete", key=[key], binding="CACHE", force=True)
        deleting = w.app.run_worker(work, exit_on_error=False)
        await w.until("Type CACHE to go on")
        await w.type("cache")
        await w.press("enter")
        await w.until("that is another name")
        assert oracle.kv().get(key) == b"deployed"
        w.app.screen.query_one(Input).value = "CACHE"
        await w.press("enter")
        await w.until(lambda: deleting.is_finished)
        assert oracle.kv().get(key) is None


async def test_a_statement_that_writes_asks_in_the_console_and_one_that_reads_does_not(
    project: Path, oracle: Oracle
) -> None:
    oracle.d1().query("CREATE TABLE IF NOT EXISTS ui_targets (a)")
    try:
        async with window(project) as w:
            await to_account(w, "d1")
            console = w.app.workbench.active_pane
            assert console is not None
            connection = console.connection  # type: ignore[attr-defined]
            from workbench.model.progress import Cancel

            running = await connection.start("SELECT 1 AS one", Cancel())
            assert running.columns == ["one"]
            work = connection.start("INSERT INTO ui_targets VALUES (1)", Cancel())
            writing = w.app.run_worker(work, exit_on_error=False)
            await w.until("d1 query on the deployed account")
            await w.press("escape")
            await w.until(lambda: writing.is_finished)
            assert oracle.d1().rows("SELECT count(*) FROM ui_targets") == [[0]]
    finally:
        oracle.d1().query("DROP TABLE ui_targets")


async def test_a_session_restored_asks_before_it_goes_to_the_account_again(
    project: Path, stand_in: StandIn, key: str
) -> None:
    async with window(project) as w:
        await to_account(w)
        await w.until(key)
        await w.press("ctrl+q")
    before = len(stand_in.requests)
    async with window(project) as w:
        await w.until(lambda: w.says("Nothing was asked of it in"))
        assert len(stand_in.requests) == before
        await w.app.workbench.action_read_again()
        assert len(stand_in.requests) == before
        pane = w.app.workbench.active_pane
        assert pane is not None
        pane.focus_first()
        await w.pilot.pause()
        await w.press("enter")
        await w.until("▲▲ REMOTE account")
        await w.until(key)


async def test_what_the_account_cannot_do_is_said_where_it_would_be(project: Path) -> None:
    async with window(project) as w:
        await to_account(w)
        session = w.app.targets.opened["remote"]
        await w.app.workbench.tabs.open(Locator("do_object", "x", "0" * 64, label="acme"), session=session)
        await w.until("the account API gives no access to an object's storage")


async def test_a_read_only_project_says_so_and_refuses_without_asking(project: Path, key: str) -> None:
    from workbench.model.errors import WorkbenchError
    from workbench.project.preferences import set_remote_mode

    set_remote_mode(str(project), "read-only")
    async with window(project) as w:
        await to_account(w)
        assert "read-only" in w.text.splitlines()[0]
        pane = w.app.workbench.active_pane
        assert pane is not None
        with pytest.raises(WorkbenchError) as caught:
            await pane.session.call("kv.values.put", key=key, value="x", binding="CACHE", force=True)
        assert caught.value.code == "remote.read_only"


async def test_several_accounts_are_a_choice_in_the_window(
    project: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "accounts", (OTHER_ACCOUNT, ACCOUNT))
    async with window(project) as w:
        await w.until("State directory")
        await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
        await w.press("f10")
        await w.until("▲▲ REMOTE")
        await w.press("home", "down", "enter")
        await w.until("Which account?")
        assert ACCOUNT in w.text and OTHER_ACCOUNT in w.text
        await w.press("down", "enter")
        await w.until(lambda: "remote" in w.app.targets.opened)
        assert w.app.targets.opened["remote"].target.source == ACCOUNT


async def test_missing_credentials_are_said_and_the_tab_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    monkeypatch.setenv("HOME", str(home))
    async with window(project) as w:
        await w.until("State directory")
        await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
        await w.press("f10")
        await w.until("▲▲ REMOTE")
        await w.press("home", "down", "enter")
        await w.until(lambda: w.says("wrangler login"))
        assert "● LOCAL" in w.text.splitlines()[0]


async def test_a_binding_with_remote_true_is_shown_as_what_it_is(
    project: Path, stand_in: StandIn, home: Path, key: str
) -> None:
    folder = home / "mixed"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text("export default {}")
    kv = {"binding": "LIVE", "id": "cache-namespace", "remote": True}
    config = {
        "name": "mixed",
        "main": "src/index.js",
        "compatibility_date": "2026-11-01",
        "kv_namespaces": [kv],
    }
    (folder / "wrangler.json").write_text(json.dumps(config))
    before = len(stand_in.requests)
    async with window(folder) as w:
        await w.until("▲▲ LIVE")
        w.app.workbench.explorer.resources.focus()
        await w.press("enter")
        await w.until("is bound with remote: true")
        assert len(stand_in.requests) == before
        await w.press("enter")
        await w.until("▲▲ REMOTE account")
        await w.until(key)


async def test_two_targets_are_compared_and_what_is_marked_is_copied(
    project: Path, oracle: Oracle, stand_in: StandIn, key: str, home: Path
) -> None:
    from workbench.app import WorkbenchApp

    app = WorkbenchApp(folder=str(project), persist_to=str(home / "fresh"))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        w = Window(app, pilot)
        await w.until("State directory")
        await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
        await w.press("f10")
        await w.until("▲▲ REMOTE")
        await w.press("home", "down", "c")
        await w.until("Only names that begin with")
        await w.type(key)
        await w.press("enter")
        await w.until("1 differ, 0 are alike")
        assert "only right" in w.text and "not here" in w.text
        await w.until("deployed")
        await w.press("space", "f7")
        await w.until("No difference: 1 alike")
        found = await w.app.workbench.session.call("kv.values.get", key=key, binding="CACHE")  # type: ignore[union-attr]
        assert found.value == b"deployed"
        await w.app.workbench.session.call("kv.values.put", key=key, value="changed", binding="CACHE")  # type: ignore[union-attr]
        await w.press("r")
        await w.until("1 differ, 0 are alike")
        await w.until("≠")
        await w.press("f8")
        await w.until("kv keys copy on the deployed account")
        await w.press("escape")
        assert oracle.kv().get(key) == b"deployed"


async def test_a_running_dev_server_is_another_way_to_the_same_state(
    project: Path, stand_in: StandIn, oracle: Oracle, key: str
) -> None:
    before = len(stand_in.requests)
    async with window(project) as w:
        await w.until("State directory")
        await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
        await w.press("f10")
        await w.until(f"◆ SERVER {oracle.emulator.url}".replace("localhost", "127.0.0.1"))
        await w.press("end", "enter")
        await w.until("local state through its dev server")
        assert "◆ SERVER" in w.text.splitlines()[0] and "CACHE ◆" in w.text
        await w.until(key)
        await w.press("f10")
        await w.until("● LOCAL")
        await w.press("home", "enter")
        await w.gone("CACHE ◆")
    assert len(stand_in.requests) == before


async def test_one_answer_holds_for_all_of_a_work_that_only_writes(
    project: Path, oracle: Oracle, key: str
) -> None:
    async with window(project) as w:
        await to_account(w)
        pane = w.app.workbench.active_pane
        assert pane is not None

        async def copies(watched: object) -> str:
            for number in range(3):
                await pane.session.call(  # type: ignore[union-attr]
                    "kv.values.copy", key=key, new_key=f"{key}-{number}", binding="CACHE", force=True
                )
            return "done"

        pane.transfer("copying", "keys", copies)  # type: ignore[attr-defined]
        await w.until("All of this work")
        w.app.screen.query_one("#all").focus()
        await w.press("enter")
        await w.until(lambda: oracle.kv().get(f"{key}-2") == b"deployed")
    for number in range(3):
        oracle.kv().delete(f"{key}-{number}")
