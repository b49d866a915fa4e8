"""The SQL console driven as a person does, on the sample project's D1 database; what the file then holds is read by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.support.sample import sample
from workbench.operations.executor import open_state
from workbench.screens.console import SqlConsole
from workbench.screens.pane import Locator
from workbench.screens.session import Session
from workbench.themes import DARK
from workbench.widgets.grid import Grid
from workbench.widgets.schema_tree import SchemaTree

WORK = ("run", "edit", "rows", "schema", "find", "ask", "draft")


class Window(App[None]):
    """A console and nothing else."""

    def __init__(self, session: Session, locator: Locator) -> None:
        super().__init__()
        self.console_pane = SqlConsole(session, locator)

    def compose(self) -> ComposeResult:
        yield self.console_pane

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


class Person:
    """Types, waits until what was asked for is done, and reads the screen."""

    def __init__(self, app: Window, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def pane(self) -> SqlConsole:
        return self.app.console_pane

    async def settle(self) -> None:
        """Until nothing that was asked for is still running (windows that ask are waited for by nobody)."""
        for _ in range(100):
            await self.pilot.pause(0.02)
            busy = [w for w in self.app.workers if w.group in WORK and not w.is_finished]
            if not busy or len(self.app.screen_stack) > 1:
                break
        await self.pilot.pause(0.05)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def run(self, sql: str) -> None:
        """Put SQL into the editor and run all of it."""
        self.pane.editor.load_text(sql)
        self.pane.editor.focus()
        await self.press("f9")

    def text(self) -> str:
        """What is on screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def grid(self) -> Grid:
        assert self.pane.view is not None
        return self.pane.view.grid


Open = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    return sample(tmp_path / "demo")


@pytest.fixture
def shop(folder: str) -> Open:
    """Open a console on the sample's database (or on another place of the sample)."""

    @asynccontextmanager
    async def open_console(
        locator: Locator | None = None, size: tuple[int, int] = (120, 40)
    ) -> AsyncIterator[Person]:
        session = Session(open_state(folder))
        app = Window(session, locator or Locator("d1", database(folder)["id"], label="shop"))
        async with app.run_test(size=size) as pilot:
            person = Person(app, pilot)
            await person.settle()
            yield person
            await person.pane.closing()
        session.close()

    return open_console


def database(folder: str) -> dict[str, str]:
    """The id of the sample's database and the path of its file."""
    from workbench.operations.executor import drive

    state = open_state(folder)
    found = drive(state.backend.d1.databases())[0]
    sql: Any = drive(state.backend.d1.sql(found.id))
    path = sql.path
    state.backend.close()
    return {"id": found.id, "path": path}


def look(folder: str, sql: str) -> list[tuple[Any, ...]]:
    """What the file holds, read by SQLite alone."""
    connection = apsw.Connection(database(folder)["path"], flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


async def test_the_statement_at_the_cursor_runs_and_its_rows_and_figures_are_shown(shop: Open) -> None:
    async with shop() as person:
        editor = person.pane.editor
        editor.load_text("select 1 as one;\nselect id, name from customers order by id;\nselect 3 as three")
        editor.move_cursor((1, 5))
        await person.press("f5")
        text = person.text()
        assert "Result 1 ─ 200 rows" in text and " ms" in text
        assert "cust 1" in text and "three" not in text.split("Result 1")[1]


async def test_all_statements_run_and_each_has_a_result_of_its_own(shop: Open) -> None:
    async with shop() as person:
        await person.run("select 11 as a; select 22 as b")
        assert "Result 2" in person.text() and "22" in person.text()
        await person.pilot.click("#result-tabs", offset=(3, 0))
        await person.settle()
        assert "Result 1" in person.text() and "11" in person.text()


async def test_an_error_is_sqlites_own_with_its_place_in_the_editor(shop: Open) -> None:
    async with shop() as person:
        await person.run("select 1;\n\nselect id,\n  nonsense\nfrom customers")
        assert "no such column: nonsense (line 4, column 3)" in person.text()
        assert person.pane.editor.cursor_location == (3, 2)
        await person.run("select 1; insert into missing values (1); select 2")
        assert "no such table: missing" in person.text()
        assert len(person.pane.results.views) == 2, "what stands behind the error was not run"


async def test_a_cell_is_edited_by_an_update_that_is_shown_before_it_runs(shop: Open, folder: str) -> None:
    async with shop() as person:
        await person.run("select * from customers order by id")
        await person.press("escape", "right", "e")
        await person.press("ctrl+u", *"O'Hara")
        assert "UPDATE customers SET name = 'O''Hara' WHERE id = 1" in person.text()
        assert look(folder, "select name from customers where id = 1") == [("cust 1",)], "not run yet"
        await person.press("enter")
        assert look(folder, "select name from customers where id = 1") == [("O'Hara",)]
        assert "O'Hara" in person.text().split("Result")[1] and "written" in person.text()


async def test_escape_leaves_a_cell_as_it_was(shop: Open, folder: str) -> None:
    async with shop() as person:
        await person.run("select * from customers order by id")
        await person.press("escape", "right", "e", *"xyz", "escape")
        assert not person.pane.view.edit_bar.opened  # type: ignore[union-attr]
        assert look(folder, "select name from customers where id = 1") == [("cust 1",)]


async def test_a_cell_takes_null_integers_and_blobs_exactly(shop: Open, folder: str) -> None:
    async with shop() as person:
        await person.run("select id, notes from customers order by id limit 3")
        await person.press("escape", "right", "e")
        await person.press(*"12")
        await person.press("up", "up", "up", "up")  # text, null, blob, real, integer
        await person.press("enter")
        assert look(folder, "select typeof(notes) from customers where id = 1") == [("text",)], (
            "TEXT affinity"
        )
        assert person.grid.value == "12", "what SQLite made of it is what is shown"
        await person.press("e", "down", "down", "down", "down")
        assert "SET notes = NULL" in person.text()
        await person.press("enter")
        assert look(folder, "select notes from customers where id = 1") == [(None,)]
        await person.press("e", *"00ff")
        assert "(text)" in person.text(), "over a NULL one types what the column is"
        await person.press("down", "down")
        assert "(real)" in person.text() and "not a number" in person.text()
        await person.press("down", "enter")
        assert look(folder, "select typeof(notes), hex(notes) from customers where id = 1") == [
            ("blob", "00FF")
        ]


@pytest.mark.parametrize(
    ("sql", "column", "reason"),
    [
        ("select name, upper(name) from customers", 1, "computed"),
        ("select name from customers", 0, "id, which names a row of customers, is not in the result"),
        ("select 1", 0, "no column comes straight from a table"),
        ("select name, count(*) from customers group by name", 0, "not editable"),
    ],
)
async def test_where_a_row_cannot_be_identified_the_console_says_why(
    shop: Open, sql: str, column: int, reason: str
) -> None:
    async with shop(size=(160, 40)) as person:
        await person.run(sql)
        await person.press("escape", *["right"] * column, "e")
        assert reason in person.text()
        assert not person.pane.view.edit_bar.opened  # type: ignore[union-attr]


async def test_a_row_is_added_and_deleted_and_each_statement_is_shown_first(shop: Open, folder: str) -> None:
    async with shop(size=(160, 40)) as person:
        await person.run("create table pets (id integer primary key, name text not null, legs int default 4)")
        await person.run("select * from pets")
        await person.press("escape", "i")
        assert "INSERT INTO pets (name, legs) VALUES ('', 4)" in person.text()
        await person.press("right", *"Rex", "enter")
        assert look(folder, "select * from pets") == [(1, "Rex", 4)]
        await person.run("select * from pets")
        await person.press("escape", "d")
        assert "DELETE FROM pets WHERE id = 1" in person.text()
        await person.press("enter")
        assert look(folder, "select * from pets") == []
        assert person.grid.empty


async def test_a_query_of_ten_million_rows_shows_its_first_at_once_and_keys_answer(shop: Open) -> None:
    async with shop() as person:
        await person.run(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000000) select i from n"
        )
        assert "1,000+ rows" in person.text()
        for _ in range(40):
            await person.pilot.press("pagedown")
        await person.settle()
        assert len(person.grid.held) < 5_000
        await person.press("escape", "ctrl+end")
        await person.pilot.pause(0.2)
        await person.pilot.press("up")
        await person.settle()
        assert len(person.grid.held) < 10_000_000


async def test_escape_stops_a_statement_that_would_run_for_ever(shop: Open) -> None:
    async with shop() as person:
        person.pane.editor.load_text(
            "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
        )
        person.pane.editor.focus()
        await person.pilot.press("f5")
        await person.pilot.pause(0.3)
        assert "running" in person.text()
        await person.press("escape")
        assert "stopped" in person.text()
        await person.run("select 5 as alive")
        assert "alive" in person.text()


async def test_a_transaction_of_ones_own_is_announced_while_it_is_open(shop: Open, folder: str) -> None:
    async with shop() as person:
        await person.run("begin; update customers set name = 'x' where id = 1")
        assert "BEGIN is open" in person.text()
        assert "rolls it back" in person.pane.why_stay()
        assert look(folder, "select name from customers where id = 1") == [("cust 1",)]
        await person.run("rollback")
        assert "BEGIN is open" not in person.text()
        await person.run("begin; update customers set name = 'y' where id = 1; commit")
        assert look(folder, "select name from customers where id = 1") == [("y",)]


async def test_a_locked_console_refuses_writes(shop: Open, folder: str) -> None:
    async with shop() as person:
        await person.press("ctrl+l")
        assert "READ ONLY" in person.text()
        await person.run("delete from customers")
        assert "only reading was asked for" in person.text()
        assert look(folder, "select count(*) from customers") == [(200,)]
        await person.press("ctrl+l")
        await person.run("update customers set name = 'z' where id = 2")
        assert "1 row changed" in person.text()


async def test_what_was_typed_and_what_was_run_is_there_after_a_restart(shop: Open) -> None:
    async with shop() as person:
        await person.run("select 'once run' as a")
        person.pane.editor.load_text("select half writ")
        await person.pilot.pause(0.6)
    async with shop() as person:
        assert person.pane.editor.text == "select half writ"
        await person.press("f8")
        assert "select 'once run' as a" in person.text()
        await person.press(*"ONCE", "enter")
        assert person.pane.editor.text == "select half writ\n\nselect 'once run' as a"


async def test_keys_go_from_result_to_result_from_the_editor_and_from_a_result(shop: Open) -> None:
    async with shop() as person:
        await person.run("select 'one'; select 'two'; select 'three'")
        assert "Result 3" in person.text()
        await person.press("ctrl+pageup")
        assert "Result 2" in person.text()
        assert person.pane.editor.has_focus
        await person.press("ctrl+g", "left_curly_bracket")
        assert "Result 1" in person.text()
        assert person.grid.has_focus
        await person.press("left_curly_bracket", "right_curly_bracket", "right_curly_bracket")
        assert "Result 2" in person.text()


async def test_a_statement_run_again_from_its_result_leaves_the_keyboard_in_the_result(shop: Open) -> None:
    async with shop() as person:
        await person.run("select 'one'")
        await person.press("ctrl+g", "f5")
        assert person.grid.has_focus
        await person.press("slash", "f9")
        assert person.grid.has_focus


async def test_tab_behind_from_offers_the_tables_and_at_the_beginning_of_a_line_indents(shop: Open) -> None:
    async with shop() as person:
        person.pane.editor.focus()
        await person.press("tab")
        assert person.pane.editor.text == "  "
        await person.pilot.press(*"select * from ", "tab")
        await person.settle()
        assert person.pane.editor.completing
        await person.press("enter")
        assert person.pane.editor.text.startswith("  select * from ")
        assert len(person.pane.editor.text) > len("  select * from ")


async def test_a_name_is_completed_from_the_real_schema(shop: Open) -> None:
    async with shop() as person:
        person.pane.editor.focus()
        await person.pilot.press(*"select * from cust")
        await person.settle()
        assert person.pane.editor.completing
        await person.press("tab")
        assert person.pane.editor.text == "select * from customers"
        await person.pilot.press(*" c where c.cou")
        await person.settle()
        await person.press("enter")
        assert person.pane.editor.text == "select * from customers c where c.country"


async def test_the_schema_shows_keys_types_and_arrows_and_opens_a_table(shop: Open) -> None:
    async with shop(size=(140, 50)) as person:
        tree = person.pane.query_one(SchemaTree)
        tree.focus()
        node = next(node for node in tree.root.children if node.data and node.data.name == "orders")
        tree.move_cursor(node)
        await person.press("right")
        text = person.text()
        assert "id INTEGER key" in text and "→ customers.id" in text
        await person.press("o")
        assert "Result 1 ─ 200 rows" in person.text()
        assert isinstance(person.app.focused, Grid)


async def test_a_table_is_dropped_from_the_schema_after_a_question_that_names_it(
    shop: Open, folder: str
) -> None:
    async with shop(size=(140, 50)) as person:
        await person.run("create table doomed (a); insert into doomed values (1), (2)")
        tree = person.pane.query_one(SchemaTree)
        tree.focus()
        node = next(node for node in tree.root.children if node.data and node.data.name == "doomed")
        tree.move_cursor(node)
        await person.press("D")
        assert "DROP TABLE doomed" in person.text() and "2 rows go with it" in person.text()
        await person.press("n")
        assert look(folder, "select count(*) from doomed") == [(2,)]
        await person.press("d")
        await person.press("y")
        assert look(folder, "select name from sqlite_schema where name = 'doomed'") == []


async def test_the_plan_of_a_statement_is_shown_and_nothing_runs(shop: Open, folder: str) -> None:
    async with shop() as person:
        person.pane.editor.load_text("delete from customers where name = 'x'")
        person.pane.editor.focus()
        await person.press("f7")
        assert "SCAN customers" in person.text() and "every row" in person.text()
        assert look(folder, "select count(*) from customers") == [(200,)]


async def test_a_result_goes_whole_to_a_file(shop: Open, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    async with shop() as person:
        await person.run(
            "with recursive n(i) as (select 9007199254740993 union all select i + 1 from n limit 5000)"
            " select i, x'00ff' as b, null as z from n"
        )
        await person.press("escape", "ctrl+s")
        answer = person.app.screen.query_one("#answer")
        answer.value = str(target)  # type: ignore[attr-defined]
        await person.press("enter")
        for _ in range(50):
            await person.settle()
            if target.exists():
                break
        assert "5,000 rows in" in person.text()
    rows = json.loads(target.read_text())
    assert len(rows) == 5000
    assert rows[0] == {"i": 9007199254740993, "b": {"$bytes": "AP8="}, "z": None}
    assert not target.with_name("out.json.part").exists()


async def test_control_codes_in_values_names_and_errors_are_shown_and_do_nothing(shop: Open) -> None:
    async with shop(size=(140, 40)) as person:
        await person.run("select '[bold]x[/]' || char(27) || '[2J' || char(8238) as \"a\x1b[31mb\"")
        text = person.text()
        assert "[bold]x[/]␛[2J<U+202E>" in text and "a␛[31mb" in text
        await person.run('select "\x1b]0;owned\x07" from customers')
        assert "␛]0;owned␇" in person.text()
        assert "\x1b" not in person.text() and "\x07" not in person.text()


async def test_the_same_console_works_on_a_facet(shop: Open, folder: str) -> None:
    from workbench.operations.executor import drive

    state = open_state(folder)
    objects = state.backend.durable_objects
    found: Locator | None = None
    for namespace in drive(objects.namespaces()):
        for object_id in drive(objects.object_ids(namespace.id)):
            for facet in drive(objects.facets(namespace.id, object_id)):
                if facet.tables and found is None:
                    found = Locator("do_facet", namespace.id, object_id, facet.path, "sql", facet.name)
    state.backend.close()
    assert found is not None
    async with shop(found) as person:
        table = next(table for table in person.pane.schema.tables if not table.reserved)  # type: ignore[union-attr]
        await person.run(f'create table "from here" (a); select * from "{table.name}"')
        assert "Result 2" in person.text()
        assert any(table.name == "from here" for table in person.pane.schema.tables)  # type: ignore[union-attr]


async def test_the_console_is_usable_at_80_by_24(shop: Open) -> None:
    async with shop(size=(56, 22)) as person:
        await person.run("select id, name from customers")
        assert "cust 1" in person.text() and "200 rows" in person.text()
        await person.press("f4")
        assert "customers" in person.text()
        await person.press("f4")
        assert "select id, name" in person.text()
