"""Pictures of a window on the account (a stand-in): the frame, and the question before something goes; also without colours."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.account import StandIn
from tests.support.oracle import Oracle, start_oracle
from tests.support.ui import Window, home
from workbench.app import WorkbenchApp
from workbench.screens.pane import Locator

__all__ = ["home"]

SIZES = {"80x24": (80, 24), "160x50": (160, 50)}
looks = pytest.mark.parametrize(
    ("size", "look"),
    [("80x24", "dark"), ("80x24", "light"), ("80x24", "monochrome"), ("160x50", "dark"), ("160x50", "light")],
)


@pytest.fixture(scope="module")
def account(
    emulator_install: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Oracle, StandIn]]:
    """An account of our own, so that nothing else is in the picture."""
    oracle = start_oracle(tmp_path_factory.mktemp("pictures"))
    for number in range(3):
        oracle.kv().put(f"user/{number}", f'{{"name": "Ann {number}"}}'.encode(), metadata={"v": number})
    with StandIn(oracle) as stand_in:
        yield oracle, stand_in
    oracle.close()


@pytest.fixture
def picture(
    account: tuple[Oracle, StandIn],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    snap_compare: Any,
    size: str,
    look: str,
) -> Callable[..., None]:
    oracle, stand_in = account
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for name, value in stand_in.environment().items():
        monkeypatch.setenv(name, value)
    if look == "monochrome":
        monkeypatch.setenv("NO_COLOR", "1")

    def take(act: Callable[[Window], Coroutine[Any, Any, None]]) -> None:
        app = WorkbenchApp(folder=str(oracle.project), persist_to=str(home / "fresh"))
        app.theme = "cfwb-light" if look == "light" else "cfwb-dark"
        failed: list[BaseException] = []

        async def bring(pilot: Pilot[int]) -> None:
            w = Window(app, pilot)
            try:
                await w.until("State directory")
                await w.until("no dev server")
                await w.app.workbench.open(Locator("kv", "cache-namespace", label="CACHE"))
                await w.press("f10")
                await w.until("▲▲ REMOTE the deployed account")
                await w.press("home", "down", "enter")
                await w.until("▸ user/")
                await w.press("enter")
                await w.until("CACHE ▸ user/")
                await w.until("3 keys")
                await w.press("down")
                await w.until("Ann 1")
                await act(w)
            except BaseException as error:  # raised in here it would leave the application running for ever
                failed.append(error)
            app.clear_notifications()
            await pilot.pause(0.2)
            while app.screen.query("Toast"):
                await pilot.pause(0.05)
            await pilot.pause()

        same = snap_compare(app, terminal_size=SIZES[size], run_before=bring)
        if failed:
            raise failed[0]
        assert same

    return take


@looks
def test_a_tab_on_the_account(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        w.app.workbench.active_pane.focus_first()  # type: ignore[union-attr]

    picture(act)


@pytest.mark.parametrize(("size", "look"), [("80x24", "dark"), ("80x24", "monochrome")])
def test_what_destroys_on_the_account_is_asked_about(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("d")
        await w.until("Type CACHE to go on")

    picture(act)
