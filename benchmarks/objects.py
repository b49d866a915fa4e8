"""A class of 10,000 Durable Objects: their ids against a listing of the folder, a page of them against a bare loop."""

import os
import random
import tempfile
from collections.abc import Sequence
from typing import Any

import apsw

from benchmarks.harness import Ratio, compare
from workbench.backends.local import LocalBackend, facets, naming
from workbench.model.bindings import Project
from workbench.model.times import iso, now_ms
from workbench.operations.executor import drive

OBJECTS = 10_000
PAGE = 100
CLASS = "benchmark-Tenant"
_OBJECT = """
PRAGMA journal_mode = WAL;
CREATE TABLE __miniflare_do_name (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB);
CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE visits (id INTEGER PRIMARY KEY, at INTEGER, page TEXT);
"""
_ALARMS = """
PRAGMA journal_mode = WAL;
CREATE TABLE _cf_ALARM (actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT) WITHOUT ROWID;
"""

Described = tuple[str, str | None, str | None, int]
"""Id, name, alarm, facets."""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as project:
        state = os.path.join(project, ".wrangler", "state")
        folder = os.path.join(state, "v3", "do", CLASS)
        _fill(folder)
        objects = LocalBackend(Project(project, (), state)).durable_objects

        def ids() -> list[str]:
            return drive(objects.object_ids(CLASS))

        def listed() -> list[str]:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries]

        def page() -> list[Described]:
            found = drive(objects.objects(CLASS, PAGE)).items
            return [(one.id, one.name, one.alarm, one.facets) for one in found]

        def bare() -> list[Described]:
            return _bare_page(folder)

        assert len(ids()) == OBJECTS and set(ids()) <= {name[:64] for name in listed()}
        assert page() == bare()
        assert any(one[2] for one in page()) and any(one[3] for one in page())
        return [
            compare(
                f"ids of {OBJECTS:,} objects against os.scandir of the folder", ids, listed, limit=2, runs=51
            ),
            compare(
                f"a page of {PAGE} with names, alarms and facets against a bare loop",
                page,
                bare,
                limit=1.5,
                runs=25,
            ),
        ]


def _bare_page(folder: str) -> list[Described]:
    """The same answer with nothing but apsw and the folder: no error is foreseen, nothing is checked."""
    with os.scandir(folder) as entries:
        names = {entry.name for entry in entries}
    ids = sorted(name[:64] for name in names if len(name) == 71 and name.endswith(".sqlite"))
    connection = apsw.Connection(f"{folder}/{naming.METADATA}")
    scheduled = connection.execute("SELECT actor_id, scheduled_time FROM _cf_ALARM").fetchall()
    alarms: dict[Any, Any] = dict(scheduled)  # type: ignore[arg-type]
    connection.close()
    found: list[Described] = []
    for id in ids[:PAGE]:
        connection = apsw.Connection(f"{folder}/{id}.sqlite")
        name: Any = connection.execute("SELECT name FROM __miniflare_do_name").get
        connection.close()
        count = 0
        if f"{id}.facets" in names:
            with open(f"{folder}/{id}.facets", "rb") as index:
                entries_ = facets.parse(index.read())
            count = sum(f"{id}.{entry.id}.sqlite" in names for entry in entries_)
        alarm = alarms.get(id)
        found.append((id, name, None if alarm is None else iso(alarm // 1_000_000), count))
    return found


def _fill(folder: str, count: int = OBJECTS) -> None:
    """Files as the emulator leaves them. One object in ten has an alarm, one in five has three facets, one of them deleted."""
    os.makedirs(folder)
    chance = random.Random(1)
    ids = sorted(naming.id_from_name(CLASS, f"tenant-{number}") for number in range(count))
    model = os.path.join(folder, "model")
    _database(model, _OBJECT)
    with open(model, "rb") as file:
        content = file.read()
    os.unlink(model)
    alarms = []
    index = facets.serialize([(0, "app"), (0, "billing"), (1, "inner")])
    for number, id in enumerate(ids):
        files = [f"{id}.sqlite"]
        if chance.random() < 0.2:
            files += [f"{id}.1.sqlite", f"{id}.3.sqlite"]
            with open(f"{folder}/{id}.facets", "wb") as file:
                file.write(index)
        for name in files:
            with open(f"{folder}/{name}", "wb") as file:
                file.write(content)
        if chance.random() < 0.1:
            alarms.append((id, (now_ms() + number) * 1_000_000, None))
    for number, id in enumerate(ids[: 2 * PAGE]):
        _add(
            f"{folder}/{id}.sqlite", "INSERT INTO __miniflare_do_name VALUES (1, ?)", [(f"tenant-{number}",)]
        )
    _database(f"{folder}/{naming.METADATA}", _ALARMS)
    _add(f"{folder}/{naming.METADATA}", "INSERT INTO _cf_ALARM VALUES (?, ?, ?)", alarms)


def _database(path: str, schema: str) -> None:
    connection = apsw.Connection(path)
    connection.execute(schema).fetchall()
    connection.close()


def _add(path: str, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection = apsw.Connection(path)
    with connection:
        connection.executemany(sql, rows)
    connection.close()
