"""Pictures of the main screens, in both themes at both sizes; `pytest --snapshot-update` takes them anew, to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.ui import Window, demo, home
from workbench.app import WorkbenchApp
from workbench.backends.local.sql import schema
from workbench.screens import when
from workbench.screens.console import SqlConsole, connection
from workbench.screens.pane import Locator
from workbench.widgets.house import House
from workbench.widgets.sql_editor import SqlEditor
from workbench.widgets.value_view import ValueView

__all__ = ["demo", "home"]

SIZES = {"80x24": (80, 24), "160x50": (160, 50)}
NAMESPACE = "shop-api-AppRunner"
NOON = 1_795_608_000.0
"""When the pictures are taken, in Unix seconds: the day after the sample was made."""

in_both_themes = pytest.mark.parametrize("theme", ["dark", "light"])
in_both_sizes = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes, and counting has all the time it needs: the same is said in every picture."""
    monkeypatch.setattr(schema, "_COUNTING", 60.0)
    monkeypatch.setattr(schema, "_COUNTING_ONE", 60.0)
    monkeypatch.setattr(when, "now", lambda: NOON)
    monkeypatch.setattr(connection, "time", SimpleNamespace(perf_counter=lambda: 0.0))


@pytest.fixture
def picture(demo: str, snap_compare: Any, size: str, theme: str) -> Callable[..., None]:
    """Take a picture after what `act` does in a window on the sample, and compare it."""

    def take(act: Callable[[Window], Coroutine[Any, Any, None]]) -> None:
        app = WorkbenchApp(folder=demo)
        app.theme = f"cfwb-{theme}"

        failed: list[BaseException] = []

        async def bring(pilot: Pilot[int]) -> None:
            window = Window(app, pilot)
            try:
                await window.until("4 · 1 ✗")
                await window.until("1,503 keys")
                await act(window)
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


async def inspect(w: Window, name: str, *facets: str) -> House:
    """An object of AppRunner in front, the keyboard in one of its rooms."""
    assert w.app.session is not None
    session = w.app.session
    id = await session.ask(lambda backend: backend.durable_objects.object_id(NAMESPACE, name))
    pane = await w.app.workbench.open(Locator("do_object", NAMESPACE, id, label=name))
    assert pane is not None
    house = pane.query_one(House)
    await w.until(lambda: house.has_focus and bool(house.rooms))
    house.go_to(facets)
    await w.until(lambda: house.room is not None and house.room.tables is not None and house.room.pages.ended)
    return house


@in_both_themes
@in_both_sizes
def test_the_workbench_at_its_first_start(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.until("no dev server")

    picture(act)


@in_both_themes
@in_both_sizes
def test_a_value_in_the_browser(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("f6", "down", "enter")
        await w.until("CACHE ▸ config/")
        await w.press("down", "down")
        await w.until("config/features")

    picture(act)


@in_both_themes
@in_both_sizes
def test_help_of_the_tree(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("question_mark")
        await w.until("Every Worker with its bindings")

    picture(act)


@in_both_themes
@in_both_sizes
def test_a_result_in_the_console(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        pane = await w.app.workbench.open(Locator("d1", "3d5b8f4e-7c21-4a9b-9f60-1e2d3c4b5a69", label="shop"))
        assert isinstance(pane, SqlConsole)
        await w.until(lambda: pane.schema is not None and any(table.rows for table in pane.schema.tables))
        editor = pane.query_one(SqlEditor)
        await w.until(lambda: editor.has_focus)
        editor.text = (
            "-- who bought most\nSELECT c.name, sum(o.total) AS total, count(*) AS orders\nFROM customers c"
        )
        editor.text += " JOIN orders o ON o.customer_id = c.id\nGROUP BY c.id ORDER BY total DESC;"
        await w.press("f5")
        await w.until("Result 1")
        await w.until("rows ·")
        await w.press("escape", "down", "right")

    picture(act)


@in_both_themes
@in_both_sizes
def test_an_object_with_its_facets(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await inspect(w, "my-app", "app")
        await w.press("end")
        await w.until("object ·")

    picture(act)


@in_both_themes
@in_both_sizes
def test_two_facets_compared(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await inspect(w, "acme", "app")
        await w.press("c")
        await inspect(w, "my-app", "app")
        await w.press("c")
        await w.until("≠ 3 differ")
        await w.press("down")
        views = list(w.app.screen.query(ValueView))
        await w.until(lambda: all('"id": 1' in view.looked.text for view in views if view.looked.text))

    picture(act)


@in_both_themes
@in_both_sizes
def test_an_instance_of_a_workflow(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.app.workbench.open(Locator("workflow", "billing-flow", label="billing-flow"))
        await w.until("inv-1002")
        await w.press("down", "down")
        await w.until("inv-1002   ✗ errored")
        await w.press("enter", "up")
        await w.until("step · failed")

    picture(act)
