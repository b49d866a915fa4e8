"""The inspector of a Durable Object, driven as a person does: rooms, entries, and two rooms compared."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input

from tests.support.ui import Window, demo, home, window
from workbench.operations.executor import drive, execute, open_state
from workbench.screens.inspector.comparison import ComparisonScreen
from workbench.screens.pane import Locator
from workbench.widgets.grid import Grid
from workbench.widgets.house import House
from workbench.widgets.safe_input import SafeTextArea

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]

APP = {"namespace": "AppRunner", "object": "my-app", "facet": ("app",)}


def ask(folder: str, operation: str, **arguments: Any) -> Any:
    """What the state holds, by a fresh look; or a change made by somebody else."""
    force = bool(arguments.pop("force", False))
    state = open_state(folder)
    try:
        return drive(execute(state, operation, arguments, force=force))
    finally:
        state.backend.close()


async def open_object(w: Window, name: str) -> House:
    """An object of AppRunner, the keyboard in its own room."""
    assert w.app.session is not None
    session = w.app.session
    id = await session.ask(lambda backend: backend.durable_objects.object_id("shop-api-AppRunner", name))
    pane = await w.app.workbench.open(Locator("do_object", "shop-api-AppRunner", id, label=name))
    assert pane is not None
    house = pane.query_one(House)
    await w.until(lambda: house.has_focus and bool(house.rooms))
    await enter(w, house)
    return house


async def enter(w: Window, house: House, *path: str) -> None:
    """Into a room, when what it holds is there."""
    house.go_to(path)
    await w.until(lambda: house.room is not None and house.room.path == path)
    await w.until(lambda: house.room is not None and house.room.tables is not None and house.room.pages.ended)


async def to_line(w: Window, house: House, name: str) -> None:
    """Down to a table or an entry of the room one is in."""
    await w.press("home")
    for _ in range(30):
        if house.line is not None and house.line.identity[1] == name:
            return
        await w.press("down")
    raise AssertionError(f"no line {name} in {w.text}")


async def started(w: Window) -> None:
    await w.until("AppRunner")
    await w.until(lambda: w.app.session is not None)


async def test_the_rooms_of_an_object_stand_side_by_side_with_what_each_holds(demo: str) -> None:
    async with window(demo, (160, 50)) as w:
        await started(w)
        await open_object(w, "my-app")
        assert (
            "═ supervisor ═" in w.text and "╭─ facet app ─" in w.text and "└─ ╭─ facet app ▸ inner" in w.text
        )
        assert "× facet temp  deleted" in w.text
        assert "3 facets, 1 deleted" in w.text and "alarm in" in w.text
        line = w.line("facet billing")
        assert line.index("supervisor") < line.index("facet app") < line.index("facet billing"), line


async def test_a_stored_value_is_shown_as_javascript_has_it(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await to_line(w, house, "state")
        await w.until("Map")
        assert w.says("object ·") and w.says("Date 1970-01-01T00:00:00")


async def test_an_entry_edited_is_what_the_state_holds(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await to_line(w, house, "counter")
        await w.press("e")
        await w.until("tagged JSON")
        w.app.screen.query_one(SafeTextArea).text = "41"
        await w.press("ctrl+s")
        await w.until(lambda: ask(demo, "do.storage.get", key="counter", **APP).value == 41)
        await w.until(lambda: house.has_focus)
        await w.until(lambda: house.line is not None and house.line.identity == ("entry", "counter"))
        await w.until(lambda: "counter  41" in w.text)


async def test_text_that_is_no_json_is_refused_and_stays_in_the_editor(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await to_line(w, house, "counter")
        await w.press("e")
        await w.until("tagged JSON")
        area = w.app.screen.query_one(SafeTextArea)
        area.text = '{"a": }'
        await w.press("ctrl+s")
        await w.until("not JSON")
        assert area.text == '{"a": }' and ask(demo, "do.storage.get", key="counter", **APP).value == 4


async def test_a_new_entry_and_its_deletion(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "billing")
        await w.press("n")
        await w.until("New in")
        w.app.screen.query_one("#key", Input).value = "plan"
        w.app.screen.query_one(SafeTextArea).text = '{"$bigint": "12"}'
        await w.press("ctrl+s")
        await w.until(lambda: house.line is not None and house.line.identity == ("entry", "plan"))
        where = {**APP, "facet": ("billing",)}
        assert ask(demo, "do.storage.get", key="plan", **where).value == {"$bigint": "12"}
        await w.press("d")
        await w.until("Delete plan")
        await w.press("y")
        await w.until(lambda: not ask(demo, "do.storage.list", **where).items)


async def test_find_narrows_a_room_to_keys_that_begin_so(demo: str) -> None:
    for number in range(30):
        ask(demo, "do.storage.put", key=f"user/{number:02}", value=number, **APP)
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await w.press("slash")
        await w.type("user/2")
        await w.until(
            lambda: house.room is not None and house.room.pages.ended and house.room.pages.rows == 10
        )
        await w.press("enter")
        assert "/user/2" in w.text and house.has_focus
        await w.press("escape")
        await w.until(lambda: house.room is not None and house.room.pages.rows == 32)


async def test_enter_on_a_table_opens_it_in_the_console(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "billing")
        await to_line(w, house, "invoices")
        await w.press("enter")
        await w.until("billing SQL ×")
        await w.until("9 rows")


async def test_a_write_by_somebody_else_appears_by_itself(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await w.pilot.pause(0.5)  # the watcher has begun
        ask(demo, "do.storage.put", key="counter", value=77, **APP)
        await w.until(lambda: "counter  77" in w.text)


async def test_a_facet_is_deleted_with_what_hangs_below_it_after_a_list(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await w.press("D")
        await w.until("This goes:")
        await w.press("y")
        await w.until("× facet app  deleted")
        assert w.says("× facet app ▸ inner deleted")


# Comparing


async def compared(w: Window) -> ComparisonScreen:
    """The comparison, done."""
    await w.until(lambda: isinstance(w.app.screen, ComparisonScreen) and w.app.screen.found is not None)
    screen = w.app.screen
    assert isinstance(screen, ComparisonScreen)
    return screen


def lines(screen: ComparisonScreen) -> dict[str, tuple[str, Any, Any]]:
    """What is listed: name to sign, left and right."""
    rows = screen.query_one(Grid).held.rows
    return {str(row[1]).strip(): (str(row[0]), row[2], row[3]) for row in rows}


async def test_two_facets_of_two_objects_are_compared_by_tables_rows_and_entries(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "acme")
        await enter(w, house, "app")
        await w.press("c")
        await w.until("◆ marked")
        house = await open_object(w, "my-app")
        await enter(w, house, "app")
        await w.press("c")
        screen = await compared(w)
        found = lines(screen)
        assert found["table entries"] == ("≠", "1 row, 3 columns", "3 rows, 3 columns")
        assert found["row entries id 1"][0] == "≠" and "hello from acme" in found["row entries id 1"][1]
        assert "first entry" in found["row entries id 1"][2]
        assert found["row entries id 3"][:2] == ("→", "–") and "third entry" in found["row entries id 3"][2]
        assert found["entry counter"] == ("→", "–", "4")
        assert w.says("AppRunner/acme ▸ facet app compared with AppRunner/my-app ▸ facet app")
        assert w.says("≠ 3 differ · ← 0 only left · → 3 only right")
        await w.press("down")
        await w.until("hello from acme")
        await w.until("first entry")
        await w.press("s")
        await w.until(lambda: "entry counter" in lines(screen) and lines(screen)["entry counter"][0] == "←")
        await w.press("escape")
        await w.until(lambda: house.has_focus)
        assert "marked" not in w.line("facet app")


async def test_rooms_with_the_same_content_are_alike_whatever_order_it_was_written_in(demo: str) -> None:
    one, other = [{**APP, "facet": (name,)} for name in ("billing", "app")]
    make = "CREATE TABLE bag (a, b); CREATE TABLE keyed (id TEXT PRIMARY KEY, n) WITHOUT ROWID;"
    for where, order in ((one, "(1, 'x'), (2, 'y'), (2, 'y')"), (other, "(2, 'y'), (1, 'x'), (2, 'y')")):
        ask(demo, "do.query", sql=f"{make} INSERT INTO bag VALUES {order}", **where)
        ask(demo, "do.query", sql="INSERT INTO keyed VALUES ('k', 1)", **where)
        ask(demo, "do.storage.put", key="same", value={"a": [1, True]}, **where)
    ask(demo, "do.storage.put", key="nearly", value=1, **one)
    ask(demo, "do.storage.put", key="nearly", value=True, **other)
    ask(demo, "do.query", sql="UPDATE keyed SET n = 1.0", **other)
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await enter(w, house, "billing")
        await w.press("c")
        await enter(w, house, "app")
        await w.press("c")
        screen = await compared(w)
        found = lines(screen)
        assert "table bag" not in found and "entry same" not in found
        assert found["row keyed id k"] == ("≠", '{"n": 1}', '{"n": 1.0}')
        assert found["entry nearly"] == ("≠", "1", "true")
        await w.press("a")
        found = lines(screen)
        assert found["table bag"] == ("=", "3 rows, 2 columns", "3 rows, 2 columns")
        assert found["entry same"][0] == "="


async def test_a_room_marked_twice_is_not_marked_and_escape_takes_a_mark_back(demo: str) -> None:
    async with window(demo) as w:
        await started(w)
        house = await open_object(w, "my-app")
        await w.press("c")
        await w.until("◆ marked")
        await w.press("c")
        await w.gone("◆ marked")
        await w.press("c")
        await w.until("◆ marked")
        await w.press("escape")
        await w.gone("◆ marked")
        assert house.has_focus
