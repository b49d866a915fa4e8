"""The grid: any number of rows and columns, exact values, nothing in them that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import pytest
from textual import on
from textual.app import App, ComposeResult

from workbench.model.sql import InvalidText, Row, SqlValue
from workbench.themes import DARK, THEMES
from workbench.widgets.grid import Grid
from workbench.widgets.grid_view import GridView
from workbench.widgets.rows import HeldRows


class Window(App[None]):
    """A grid fed from an iterator, as a running statement feeds it."""

    def __init__(self, columns: list[str], rows: Iterator[Row], held: HeldRows | None = None) -> None:
        super().__init__()
        self.columns, self.rows, self.held = columns, rows, held
        self.fetched = 0
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        yield GridView()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name
        self.grid.start(self.columns, self.held)
        self.grid.focus()

    @property
    def grid(self) -> Grid:
        return self.query_one(Grid)

    @on(Grid.Wanted)
    def wanted(self, event: Grid.Wanted) -> None:
        rows = list(islice(self.rows, event.count))
        self.fetched += len(rows)
        event.grid.supply(rows, len(rows) < event.count)
        self.query_one(GridView).supplied()

    @on(GridView.Said)
    def heard(self, event: GridView.Said) -> None:
        self.said.append(event.text)

    def screen_text(self) -> str:
        return "\n".join(self.grid.render_line(y).text.rstrip() for y in range(self.grid.size.height))


def numbers(most: int | None = None) -> Iterator[Row]:
    return ((n, f"row {n}") for n in (count(1) if most is None else range(1, most + 1)))


async def test_every_type_is_shown_exactly_and_apart() -> None:
    row: Row = (9007199254740993, -(2**63), 0.1, 1e300, None, "NULL", "", b"\0\xff", InvalidText(b"caf\xe9"))
    names = ["big", "least", "real", "huge", "nothing", "word", "empty", "blob", "bad"]
    app = Window(names, iter([row]))
    async with app.run_test(size=(200, 10)) as pilot:
        await pilot.pause()
        text = app.screen_text()
        for expected in (
            "9007199254740993",
            "-9223372036854775808",
            " 0.1 ",
            "1e+300",
            "x'00ff' 2 B",
            "⚠ caf\\xe9",
        ):
            assert expected in text
        styles = {segment.text.strip(): segment.style for segment in app.grid.render_line(1)}
        assert styles["NULL"] is not None
        null = [segment.style for segment in app.grid.render_line(1) if segment.text.strip() == "NULL"]
        assert null[0] is not None and null[1] is not None
        assert null[0].italic and not null[1].italic, "NULL and the text NULL do not look alike"
        await pilot.press("comma")
        assert "9,007,199,254,740,993" in app.screen_text()


async def test_rows_are_fetched_as_one_goes_down_and_no_more() -> None:
    app = Window(["n", "name"], numbers())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert app.fetched <= 400
        for _ in range(30):
            await pilot.press("pagedown")
        assert "row 500" in app.screen_text() or app.grid.row > 400
        assert app.fetched < 3_000


async def test_the_end_of_a_million_rows_is_reached_by_key_up_to_what_is_held() -> None:
    app = Window(["n", "name"], numbers(1_000_000), HeldRows(most_rows=50_000))
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.press("ctrl+end")
        await pilot.pause(1)
        assert len(app.grid.held) == 50_000
        await pilot.press("pagedown")
        app.grid.scroll_end(animate=False)
        await pilot.pause()
        assert "the first 50,000 rows are held" in app.screen_text()
        await pilot.press("plus")
        await pilot.pause(0.2)
        assert len(app.grid.held) > 50_000


async def test_rows_of_megabytes_are_asked_for_one_by_one_and_held_within_bounds() -> None:
    asked: list[int] = []

    class Noting(Window):
        @on(Grid.Wanted)
        def note(self, event: Grid.Wanted) -> None:
            asked.append(event.count)

    heavy = b"x" * 8_000_000
    held = HeldRows(most_bytes=64_000_000)
    held.extend([(heavy,)], False)
    app = Noting(["blob"], ((heavy,) for _ in count()), held)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("ctrl+end")
        await pilot.pause(0.5)
        assert set(asked) == {1}
        assert held.full and len(held) == 8


class Looked(tuple[SqlValue, ...]):
    """A row that counts the values taken out of it."""

    count = 0

    def __getitem__(self, index: Any) -> Any:
        Looked.count += 1
        return super().__getitem__(index)


async def test_of_2000_columns_those_in_sight_are_looked_at_and_one_goes_to_a_column_by_name() -> None:
    names = [f"column_{n}" for n in range(2_000)]
    rows: list[Row] = [Looked(f"{row}/{column}" for column in range(2_000)) for row in range(300)]
    app = Window(names, iter(rows))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        await pilot.press("c", *"column_1777", "enter")
        await pilot.pause()
        assert app.grid.column == 1777
        assert "column_1777" in app.screen_text() and "0/1777" in app.screen_text()
        await pilot.press("home")
        assert "0/0 " in app.screen_text()
        Looked.count = 0
        for _ in range(20):
            app.grid.action_move(0, 1)
            for y in range(30):
                app.grid.render_line(y)
        assert Looked.count < 20 * 30 * 20


async def test_of_a_value_of_100_000_characters_only_the_beginning_is_looked_at() -> None:
    class Long(str):
        def __getitem__(self, index: Any) -> str:
            assert isinstance(index, slice) and index.stop is not None and index.stop < 1_000
            return super().__getitem__(index)

        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all of it is looked at")

    app = Window(["long"], ((Long("x" * 100_000),) for _ in range(1_000)))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        assert app.screen_text().splitlines()[1].endswith("…")


async def test_control_codes_markup_and_wide_letters_stay_in_their_cells() -> None:
    rows: list[Row] = [
        ("\x1b[2J\u202e[bold]x[/]", 1),
        ("名前" * 40, 2),
        ("e\u0301" * 60, 3),
        ("\ud800\n\t", 4),
    ]
    app = Window(["a\x1b]0;x\x07", "n"], iter(rows))
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        for y in range(10):
            strip = app.grid.render_line(y)
            assert strip.cell_length == 80
            assert not any(ord(letter) < 32 or "\ud800" <= letter <= "\udfff" for letter in strip.text)
        assert "[bold]x[/]" in app.screen_text()
        ends = [line.rstrip()[-1] for line in app.screen_text().splitlines()[1:5]]
        assert ends == ["1", "2", "3", "4"], "every number stands in its column"


async def test_the_keyboard_reaches_every_cell_and_tab_leaves_at_the_end() -> None:
    app = Window(["a", "b"], iter([(1, 2), (3, 4)]))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("tab")
        assert (app.grid.row, app.grid.column) == (0, 1)
        await pilot.press("tab")
        assert (app.grid.row, app.grid.column) == (1, 0)
        await pilot.press("shift+tab", "down", "ctrl+home", "end", "ctrl+end")
        assert (app.grid.row, app.grid.column) == (1, 1)


async def test_the_mouse_puts_the_cursor_on_a_cell_and_widens_a_column() -> None:
    app = Window(["aaaa", "bbbb"], iter([(1, 2), (3, 4)]))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        await pilot.click(Grid, offset=(10, 2))
        assert (app.grid.row, app.grid.column) == (1, 1)
        before = app.grid.columns.widths[0]
        await pilot.mouse_down(Grid, offset=(3 + before, 0))
        await pilot.hover(Grid, offset=(3 + before + 7, 0))
        await pilot.mouse_up(Grid, offset=(3 + before + 7, 0))
        assert app.grid.columns.widths[0] == before + 7


@pytest.mark.parametrize(
    ("presses", "expected"),
    [
        (1, "1\t\n3\tx'00ff'"),
        (2, "a,b\r\n1,\r\n3,x'00ff'\r\n"),
        (
            4,
            'INSERT INTO "result" ("a", "b") VALUES (1, NULL);\nINSERT INTO "result" ("a", "b") VALUES (3, X\'00ff\');\n',
        ),
    ],
)
async def test_a_selection_is_copied_in_every_form(presses: int, expected: str) -> None:
    app = Window(["a", "b"], iter([(1, None), (3, b"\0\xff")]))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("shift+right", "shift+down", "y", *["Y"] * (presses - 1))
        assert app.clipboard == expected
        assert "copied 2 × 2 values" in app.said[-1]


async def test_one_value_is_copied_bare_and_json_is_exact() -> None:
    app = Window(["a", "a"], iter([("two\nlines\t", 2**60)]))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("y")
        assert app.clipboard == "two\nlines\t"
        await pilot.press("shift+right", "y", "Y", "Y")
        assert json.loads(app.clipboard) == [{"a": "two\nlines\t", "a_2": 2**60}]


async def test_find_goes_on_through_rows_not_read_yet() -> None:
    app = Window(["n", "name"], numbers(20_000))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("slash", *"row 19777", "enter")
        for _ in range(40):
            await pilot.pause(0.05)
            if app.grid.row:
                break
        assert app.grid.row == 19_776
        await pilot.press("n")
        await pilot.pause(0.3)
        assert "no more row 19777" in app.said[-1]
        await pilot.press("slash", "escape", "up")
        assert app.grid.row == 19_775


def _contrast(one: str, two: str) -> float:
    from textual.color import Color

    def light(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(two)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_text_colour_can_be_read_on_every_background(theme: object) -> None:
    from textual.theme import Theme

    assert isinstance(theme, Theme)
    backgrounds = [theme.background, theme.surface, theme.panel]
    said = {
        name: value
        for name, value in theme.variables.items()
        if name.startswith(("value-", "sql-", "text-", "target-")) and not name.endswith("-bar")
    }
    said |= {"primary": theme.primary, "warning": str(theme.warning), "foreground": str(theme.foreground)}
    for name, colour in said.items():
        for background in backgrounds:
            assert _contrast(colour, str(background)) >= 4.5, f"{name} {colour} on {background}"
    for kind in ("remote", "server"):
        bar = theme.variables[f"target-{kind}-bar"]
        for name in ("primary", "foreground", f"target-{kind}", "text-muted"):
            assert _contrast(said[name], bar) >= 4.5, f"{name} {said[name]} on the bar of {kind} {bar}"
    cursor = theme.variables["block-cursor-background"], theme.variables["block-cursor-foreground"]
    assert _contrast(*cursor) >= 4.5
