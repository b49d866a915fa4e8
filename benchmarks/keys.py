"""From a key to the frame that answers it, in panes on huge input, against the same key and pane on little.

The workbench itself on a headless terminal. While a huge result or namespace is read to its end, and a 25 MiB value is looked
at, the keys go on.
"""

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import apsw
from textual import events

import workbench
from benchmarks import kv, objects
from benchmarks.harness import Ratio, of_pairs
from workbench.app import WorkbenchApp
from workbench.backends.local import LocalBackend, naming
from workbench.model.bindings import Project
from workbench.operations.executor import drive
from workbench.screens.pane import Locator, Pane

HUGE, LITTLE = "huge", "little"
KEYS = 60
PAUSE = 0.03
"""Seconds between two keys, as when one is held down."""
LIMIT = 3


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "home")
        projects = [_project(os.path.join(folder, name), huge=name == HUGE) for name in (HUGE, LITTLE)]
        found = []
        for name, scene in SCENES.items():
            ours, peer = (asyncio.run(latencies(project, scene)) for project in projects)
            note = f"the slowest {max(ours) * 1000:.0f} ms, {max(peer) * 1000:.0f} ms"
            found.append(of_pairs(name, list(zip(ours, peer, strict=True)), limit=LIMIT)._replace(note=note))
        return found


class Watched(WorkbenchApp):
    """The workbench; knows when a frame has been written."""

    CSS_PATH = os.path.join(os.path.dirname(workbench.__file__), "screens", "workbench", "workbench.tcss")

    def __init__(self, folder: str) -> None:
        super().__init__(folder=folder)
        self.painted = asyncio.Event()

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted.set()

    def press(self, key: str) -> None:
        self.post_message(events.Key(key, key if len(key) == 1 else None))

    async def seconds(self, key: str) -> float:
        """From a key to the next frame."""
        self.painted.clear()
        began = time.perf_counter()
        self.press(key)
        await asyncio.wait_for(self.painted.wait(), 30)
        return time.perf_counter() - began

    async def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError
            await asyncio.sleep(0.01)

    async def pane(self, kind: str, resource: str) -> Any:
        pane: Pane | None = await self.workbench.open(Locator(kind, resource))
        assert pane is not None
        await asyncio.sleep(0.3)
        return pane


Scene = Callable[[Watched], Awaitable[tuple[str, str]]]
"""Opens what is looked at; the two keys that are pressed in turn."""


async def latencies(project: str, scene: Scene) -> list[float]:
    app = Watched(project)
    async with app.run_test(size=(160, 50)):
        await app.until(lambda: app.session is not None and app.workbench.active_pane is not None)
        await asyncio.sleep(0.5)
        keys = await scene(app)
        found = []
        for number in range(KEYS):
            found.append(await app.seconds(keys[number % 2]))
            await asyncio.sleep(PAUSE)
        await app.workbench.tabs.close_all()
    return found


async def _result(app: Watched, sql: str) -> Any:
    pane = await app.pane("d1", "database")
    pane.run_text(sql, focus=True)
    await app.until(lambda: pane.view is not None and len(pane.view.grid.held))
    await asyncio.sleep(0.2)
    return pane


async def rows_read_on(app: Watched) -> tuple[str, str]:
    await _result(app, "SELECT * FROM long")
    app.press("ctrl+end")
    return "comma", "comma"


async def many_columns(app: Watched) -> tuple[str, str]:
    await _result(app, "SELECT * FROM wide")
    return "right", "down"


async def keys_read_on(app: Watched) -> tuple[str, str]:
    pane = await app.pane("kv", "keys")
    pane.go("user/")
    await app.until(lambda: pane.keys.pages.rows)
    await asyncio.sleep(0.2)
    app.press("end")
    await asyncio.sleep(0.2)
    return "up", "up"


async def value_looked_at(app: Watched) -> tuple[str, str]:
    pane = await app.pane("kv", "values")
    await app.until(lambda: pane.keys.pages.rows)
    return "down", "up"


async def value_folded(app: Watched) -> tuple[str, str]:
    from workbench.widgets.json_view import JsonView

    pane = await app.pane("kv", "values")
    view = pane.query_one(JsonView)
    await app.until(lambda: len(view.lines) > 1)
    view.focus()
    await asyncio.sleep(0.5)
    return "down", "down"


async def objects_in_the_tree(app: Watched) -> tuple[str, str]:
    tree = app.workbench.explorer.resources
    tree.focus()
    node = next(node for node in tree._by_key.values() if node.data and node.data.kind == "durable_object")
    tree.move_cursor(node)
    await asyncio.sleep(0.1)
    app.press("right")
    await app.until(lambda: any(n.data and n.data.kind == "do_object" for n in tree._by_key.values()))
    await asyncio.sleep(0.2)
    return "down", "down"


SCENES: dict[str, Scene] = {
    "a key while ten million rows are read on, against a result of a hundred": rows_read_on,
    "a key in a table of 2,000 columns, against one of six": many_columns,
    "a key while a million keys are read on, against a thousand": keys_read_on,
    "a key while values of 25 MiB are read and looked at, against 1 KiB": value_looked_at,
    "a key in the folded JSON of 25 MiB, against 1 KiB": value_folded,
    "a key among 10,000 objects of a class, against a hundred": objects_in_the_tree,
}


def _project(folder: str, *, huge: bool) -> str:
    state = os.path.join(folder, ".wrangler", "state")
    os.makedirs(folder)
    with open(os.path.join(folder, "wrangler.jsonc"), "w") as config:
        json.dump(
            {
                "name": "benchmark",
                "kv_namespaces": [{"binding": name.upper(), "id": name} for name in ("keys", "values")],
                "d1_databases": [{"binding": "DB", "database_id": "database", "database_name": "database"}],
                "durable_objects": {"bindings": [{"name": "TENANT", "class_name": "Tenant"}]},
            },
            config,
        )
    kv.fill(state, "keys", 1_000_000 if huge else 1_000)
    objects._fill(os.path.join(state, "v3", "do", objects.CLASS), 10_000 if huge else 200)
    _tables(naming.database_path(state, "d1", naming.D1, "database"), huge)
    namespace = LocalBackend(Project(folder, (), state)).kv
    value = _json(25 * 1024 * 1024 if huge else 1024)
    for number in range(2):
        drive(namespace.put("values", f"{number}.json", value))
    return folder


def _json(size: int) -> bytes:
    """A list of small objects, just below a size in bytes."""
    chance = random.Random(1)
    found: list[str] = []
    while size > 200:
        tags = ["a", "b", chance.random()]
        found.append(
            json.dumps({"id": len(found), "name": f"user {len(found)}", "tags": tags, "at": {"x": [1, None]}})
        )
        size -= len(found[-1]) + 1
    return f"[{','.join(found)}]".encode()


def _tables(path: str, huge: bool) -> None:
    os.makedirs(os.path.dirname(path))
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    count, columns = (10_000_000, 2_000) if huge else (100, 6)
    with connection:
        connection.execute("CREATE TABLE long (id INTEGER PRIMARY KEY, customer TEXT, total REAL)")
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO long SELECT i, 'customer ' || (i % 5000), i * 1.25 FROM n",
            (count,),
        )
        names = ", ".join(f"column_{number}" for number in range(columns))
        connection.execute(f"CREATE TABLE wide ({names})")
        marks = ", ".join("?" * columns)
        connection.executemany(f"INSERT INTO wide VALUES ({marks})", _wide_rows(columns))
    connection.close()


def _wide_rows(columns: int) -> Iterator[list[str]]:
    for row in range(500):
        yield [f"value {row} {column}" for column in range(columns)]
