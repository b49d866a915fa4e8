"""The first rows of a million-row table on screen: the SQL console on the database, against the same pane and grid fed from a list.

From the key to the moment the frame that holds rows has been written to the terminal (a headless one).
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import apsw
from textual.app import App, ComposeResult
from textual.strip import Strip

from benchmarks.harness import Ratio, of_pairs
from workbench.backends.local import naming
from workbench.model.sql import Row
from workbench.operations.executor import open_state
from workbench.screens.console import SqlConsole
from workbench.screens.pane import Locator
from workbench.screens.session import Session
from workbench.widgets.grid import Grid

ROWS = 1_000_000
RUNS = 31
FED = 200
"""Rows the peer gives its grid: as many as the console asks the database for first."""
DATABASE = "benchmark-database"
SQL = "SELECT * FROM orders"
_SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total REAL, placed INTEGER, note TEXT, token BLOB
);
"""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "home")
        return [asyncio.run(_measured(_project(folder)))]


async def _measured(project: str) -> Ratio:
    app = Watched(Session(open_state(project)))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause(0.5)
        columns, rows = await _in_memory(app.pane)

        async def ours() -> None:
            app.pane.run_text(SQL)

        async def peer() -> None:
            await app.feed(columns, rows)

        pairs = []
        for _ in range(RUNS + 1):
            taken = []
            for start in (ours, peer):
                taken.append(await app.seconds_to_rows(start))
                await pilot.pause(0.1)
            pairs.append((taken[0], taken[1]))
        await app.pane.closing()
    name = f"first rows of {ROWS:,} on screen, against the same pane and grid fed from a list in memory"
    return of_pairs(name, pairs[1:], limit=1.5)


async def _in_memory(console: SqlConsole) -> tuple[list[str], list[Row]]:
    """What the peer shows: the same rows."""
    stream = await (await console.connection.sql_session()).stream(SQL)
    rows = await stream.fetch(FED)
    await stream.close()
    return list(stream.columns), rows


class Watched(App[None]):
    """The console alone in a window; knows when a frame with rows has been written."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.pane = SqlConsole(session, Locator("d1", DATABASE))
        self.painted = asyncio.Event()
        self.drawn = False

    def compose(self) -> ComposeResult:
        yield self.pane

    async def feed(self, columns: list[str], rows: list[Row]) -> None:
        """A result in front as the console puts it there, its rows given at once."""
        await self.pane.results.clear()
        view = await self.pane.results.add(SQL, 0)
        view.add_class("-rows")
        view.grid.start(columns)
        view.grid.supply(rows, False)
        view.grid_view.supplied()
        view.draw()

    async def seconds_to_rows(self, start: Callable[[], Awaitable[None]]) -> float:
        """From the start of an action to the frame with its rows."""
        before, render = set(self.pane.query(Grid)), Grid.render_line

        def watched(grid: Grid, y: int) -> Strip:
            if y and len(grid.held) and grid not in before:
                self.drawn = True
            return render(grid, y)

        self.painted.clear()
        self.drawn = False
        Grid.render_line = watched  # type: ignore[assignment, method-assign]
        try:
            began = time.perf_counter()
            await start()
            await asyncio.wait_for(self.painted.wait(), 30)
            return time.perf_counter() - began
        finally:
            Grid.render_line = render  # type: ignore[method-assign]

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        if self.drawn:
            self.painted.set()


def _project(folder: str) -> str:
    """A project whose database holds the table, as the emulator leaves it."""
    with open(os.path.join(folder, "wrangler.jsonc"), "w") as config:
        databases = [{"binding": "DB", "database_id": DATABASE, "database_name": "benchmark"}]
        json.dump({"name": "benchmark", "d1_databases": databases}, config)
    path = naming.database_path(os.path.join(folder, ".wrangler", "state"), "d1", naming.D1, DATABASE)
    os.makedirs(os.path.dirname(path))
    connection = apsw.Connection(path)
    connection.execute(_SCHEMA).fetchall()
    with connection:
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", _rows())
    connection.close()
    return folder


def _rows() -> Iterator[tuple[Any, ...]]:
    for number in range(ROWS):
        token = number.to_bytes(8) if number % 10 == 0 else None
        note = f"order {number}, leave it at the door" if number % 3 == 0 else None
        yield number, f"customer {number % 5000}", number * 1.25, 1_700_000_000 + number, note, token
