"""Objects, facets and alarms in the state directory, with the real emulator writing and reading them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.oracle import Oracle, OracleError, Room
from workbench.backends.local import LocalBackend, database, storage
from workbench.backends.local.durable_objects import LocalDurableObjects
from workbench.backends.local.facets import read_index
from workbench.model.bindings import Project
from workbench.model.durable_objects import Facet
from workbench.model.errors import WorkbenchError
from workbench.model.sql import SqlResult
from workbench.project import load

RUNNER = "oracle-AppRunner"
FAR = 4_102_444_800_000
ODD_NAMES = ["x/y", "with space", "日本語", "a:b", "..", "[bold]x[/]", "\x1b[31m", "é" * 128]


def backend(oracle: Oracle) -> LocalDurableObjects:
    return LocalBackend(Project(str(oracle.project), (), str(oracle.state.parent))).durable_objects


@pytest.fixture
def local(oracle: Oracle) -> LocalDurableObjects:
    return backend(oracle)


def id_of(room: Room) -> str:
    return str(room.identity()["id"])


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)


def by_path(tree: tuple[Facet, ...]) -> dict[tuple[str, ...], Facet]:
    found = {}
    for facet in tree:
        found[facet.path] = facet
        found |= by_path(facet.facets)
    return found


async def test_classes_are_listed_with_what_the_config_and_the_disk_say(oracle: Oracle) -> None:
    oracle.durable_object("Unbound", "by-exports").put("x", 1)
    project = load(str(oracle.project))
    found = {one.id: one for one in await LocalBackend(project).durable_objects.namespaces()}
    assert (found["oracle-Tenant"].binding, found["oracle-Tenant"].sqlite) == ("TENANT", True)
    assert (found["oracle-Legacy"].class_name, found["oracle-Legacy"].sqlite) == ("Legacy", False)
    assert found["oracle-Unbound"].bound is False and found["oracle-Unbound"].binding is None
    ids = await LocalBackend(project).durable_objects.object_ids("oracle-Unbound")
    assert ids and found["oracle-Unbound"].objects == len(ids)
    without_config = {one.id: one for one in await backend(oracle).namespaces()}
    assert without_config["oracle-Tenant"].script == "oracle" and not without_config["oracle-Tenant"].bound


async def test_objects_are_listed_by_id_with_name_alarm_and_facets(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    named = oracle.durable_object("AppRunner", "listed")
    named.facet("a").put("x", 1)
    named.facet("a", "b").put("x", 1)
    nameless = oracle.durable_object("AppRunner", id=oracle.new_object_id("AppRunner"))
    nameless.put("x", 1)
    nameless.set_alarm(FAR)
    every = (await local.objects(RUNNER)).items
    found = {one.id: one for one in every}
    assert found[id_of(named)]._asdict() == {"id": id_of(named), "name": "listed", "alarm": None, "facets": 2}
    assert found[id_of(nameless)].name is None
    assert found[id_of(nameless)].alarm == "2100-01-01T00:00:00.000Z"
    assert [one.id for one in every] == sorted(found) == await local.object_ids(RUNNER)
    paged = []
    page = await local.objects(RUNNER, limit=1)
    while True:
        paged += page.items
        if page.cursor is None:
            break
        page = await local.objects(RUNNER, limit=1, cursor=page.cursor)
    assert paged == every
    nameless.delete_alarm()


async def test_a_name_gives_the_id_that_the_platform_gives(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    for class_name in ("Tenant", "Unbound"):
        for name in ("acme", "", "日本", "a" * 64):
            assert await local.object_id(f"oracle-{class_name}", name) == oracle.object_id(class_name, name)
    own = oracle.new_object_id("Tenant")
    assert await local.object_id("oracle-Tenant", own) == own


async def test_the_tree_of_facets_is_the_runtimes(oracle: Oracle, local: LocalDurableObjects) -> None:
    room = oracle.durable_object("AppRunner", "tree")
    room.facet("app").sql("CREATE TABLE entries (id INTEGER PRIMARY KEY)")
    room.facet("app").put("counter", 4)
    room.facet("app", "inner").put("big", {"type": "bigint", "value": "12"})
    for name in ODD_NAMES:
        room.facet(name).put("name", name)
    room.facet("temp", "child").put("x", 1)
    room.delete_facet("temp")
    found = by_path(await local.facets(RUNNER, id_of(room)))
    app = found[("app",)]
    assert (app.id, app.parent, app.tables, app.keys, app.deleted) == (1, 0, 1, 1, False)
    assert app.size_bytes == room.facet("app").ask("size")
    assert [facet.name for facet in app.facets] == ["inner"] and app.facets[0].parent == 1
    assert {name for (name, *_) in found} == {"app", "temp", *ODD_NAMES}
    assert found[("temp",)].deleted and found[("temp", "child")].deleted
    for name in ODD_NAMES:
        assert (await local.storage_get(RUNNER, id_of(room), "name", (name,))).value == name
    entry = await local.storage_get(RUNNER, id_of(room), "big", ("app", "inner"))
    assert entry.value == {"$bigint": "12"}
    room.facet("temp").put("back", 1)
    assert by_path(await local.facets(RUNNER, id_of(room)))[("temp",)].id == found[("temp",)].id
    assert (await local.storage_list(RUNNER, id_of(room), ("temp",))).items[0].key == "back"


async def test_a_facets_counter_changed_here_is_what_the_worker_counts_on(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    facet = oracle.durable_object("AppRunner", "counter").facet("app", "inner")
    facet.put("counter", 4)
    object_id = await local.object_id(RUNNER, "counter")
    await local.storage_put(RUNNER, object_id, "counter", 100, ("app", "inner"))
    assert facet.get("counter") == {"type": "number", "value": 100}
    facet.put("counter", 101)
    assert (await local.storage_get(RUNNER, object_id, "counter", ("app", "inner"))).value == 101


async def test_an_object_and_a_facet_answer_the_same_sql(oracle: Oracle, local: LocalDurableObjects) -> None:
    room = oracle.durable_object("AppRunner", "sql")
    for place, path in ((room, ()), (room.facet("app"), ("app",))):
        place.sql("CREATE TABLE numbers (n INTEGER)")
        place.sql("INSERT INTO numbers VALUES (9007199254740993)")
        database = await local.sql(RUNNER, id_of(room), path)
        results: list[SqlResult] = await database.query("SELECT n FROM numbers")
        assert results[0].rows == [(9007199254740993,)]
        await database.query("INSERT INTO numbers VALUES (7)")
        assert place.sql("SELECT count(*) FROM numbers") == [[2]]


async def test_what_is_not_there_is_said_with_what_is(oracle: Oracle, local: LocalDurableObjects) -> None:
    room = oracle.durable_object("AppRunner", "missing")
    room.facet("billing").put("x", 1)
    object_id = id_of(room)
    for path, code, hint in (
        (("biling",), "do.facet_not_found", "billing"),
        (("billing", "inner"), "do.facet_not_found", "never had any"),
    ):
        with pytest.raises(WorkbenchError) as caught:
            await local.storage_list(RUNNER, object_id, path)
        assert caught.value.code == code and hint in caught.value.hint
    for call in (local.facets, local.storage_list):
        with pytest.raises(WorkbenchError) as caught:
            await call(RUNNER, "0" * 64)
        assert caught.value.code == "do.object_not_found"
    room.delete_facet("billing")
    with pytest.raises(WorkbenchError, match="was deleted"):
        await local.storage_get(RUNNER, object_id, "x", ("billing",))


async def test_an_object_without_facets_costs_no_look_at_an_index(
    oracle: Oracle, local: LocalDurableObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.durable_object("Tenant", "plain").put("x", 1)

    def never(path: str) -> list[object]:
        raise AssertionError(f"read {path}")

    monkeypatch.setattr("workbench.backends.local.facets.read_index", never)
    assert (await local.objects("oracle-Tenant")).items
    assert await local.facets("oracle-Tenant", await local.object_id("oracle-Tenant", "plain")) == ()


async def test_an_index_cut_off_in_the_middle_shows_what_is_whole(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    room = oracle.durable_object("AppRunner", "cut")
    room.facet("one").put("x", 1)
    room.facet("two").put("x", 1)
    index = oracle.state / "do" / RUNNER / f"{id_of(room)}.facets"
    whole = index.read_bytes()
    index.write_bytes(whole[:-2])
    assert [facet.name for facet in await local.facets(RUNNER, id_of(room))] == ["one"]
    index.write_bytes(b"something else altogether")
    with pytest.raises(WorkbenchError) as caught:
        await local.facets(RUNNER, id_of(room))
    assert caught.value.code == "do.facet_index"
    index.write_bytes(whole)


async def test_a_damaged_object_costs_its_own_name_and_nothing_else(
    oracle: Oracle, local: LocalDurableObjects, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    folder = state / "v3" / "do" / "w-Room"
    folder.mkdir(parents=True)
    whole, cut, foreign = (character * 64 for character in "abc")
    for id in (whole, cut):
        with database.write(f"{folder}/{id}.sqlite", create=True) as connection:
            connection.execute("CREATE TABLE __miniflare_do_name (id INTEGER PRIMARY KEY, name TEXT)")
            connection.execute("INSERT INTO __miniflare_do_name VALUES (1, ?)", (f"name of {id[0]}",))
            storage.write(connection, "key", b"\xff\x0fT")
    os.truncate(folder / f"{cut}.sqlite", 5000)
    (folder / f"{foreign}.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 20)
    (folder / f"{foreign}.facets").write_bytes(b"not an index either")
    (folder / "metadata.sqlite").write_bytes(b"nor are these the alarms" * 50)
    damaged = LocalBackend(Project(str(tmp_path), (), str(state))).durable_objects
    found = (await damaged.objects("w-Room")).items
    assert [(one.id, one.name) for one in found] == [(whole, "name of a"), (cut, None), (foreign, None)]
    assert (await damaged.storage_get("w-Room", whole, "key")).value is True
    for id, code in ((cut, "state.truncated"), (foreign, "state.not_a_database")):
        with pytest.raises(WorkbenchError) as caught:
            await damaged.storage_list("w-Room", id)
        assert caught.value.code == code
    assert [one.objects for one in await damaged.namespaces()] == [3]


async def test_a_page_of_an_object_with_very_many_keys_begins_where_the_last_one_ended(
    local: LocalDurableObjects, tmp_path: Path
) -> None:
    path = f"{tmp_path}/many.sqlite"
    with database.write(path, create=True) as connection:
        for number in range(3000):
            storage.write(connection, f"p/{number:06}", b"\xff\x0f0")
    with database.read(path) as connection:
        steps = 0

        def stepped() -> bool:
            nonlocal steps
            steps += 1
            return False

        first = storage.entries(connection, "p/", 2900)
        connection.set_progress_handler(stepped, 10)
        second = storage.entries(connection, "p/", 10, first.cursor)
        connection.set_progress_handler(None)
        assert next(one.key for one in second.items) == "p/002900"
        assert steps < 100


async def test_alarms_are_listed_soonest_first_and_set_with_a_word_about_the_server(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    early, late = (oracle.durable_object("Unbound", name) for name in ("early", "late"))
    late.set_alarm(FAR)
    early.set_alarm(FAR - 1000)
    ids = [id_of(early), id_of(late)]
    assert [(one.object, one.name) for one in await local.alarms("oracle-Unbound")] == [
        (ids[0], "early"),
        (ids[1], "late"),
    ]
    said = await local.set_alarm("oracle-Unbound", ids[0], FAR + 1000)
    assert "next start" in said
    assert [one.scheduled for one in await local.alarms("oracle-Unbound")] == [
        "2100-01-01T00:00:00.000Z",
        "2100-01-01T00:00:01.000Z",
    ]
    with pytest.raises(WorkbenchError, match="no alarm"):
        await local.set_alarm("oracle-Unbound", ids[0], 2**60)
    for id in ids:
        await local.set_alarm("oracle-Unbound", id, None)
    assert await local.alarms("oracle-Unbound") == []


async def test_starting_over_beside_a_running_server_empties_in_place(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    room = oracle.durable_object("AppRunner", "over-live")
    room.put("x", 1)
    room.sql("CREATE TABLE t (a)")
    for path in (("app",), ("app", "inner"), ("billing",)):
        room.facet(*path).put("x", 1)
        room.facet(*path).sql("CREATE VIRTUAL TABLE docs USING fts5(body)")
    object_id = id_of(room)
    would = await local.delete_facet(RUNNER, object_id, ("app",), dry_run=True)
    assert would.dry_run and would.total == 2 and room.facet("app").get("x")["value"] == 1
    done = await local.delete_facet(RUNNER, object_id, ("app",))
    assert done.removed == would.removed and "in place" in done.note
    assert room.facet("app").list() == {} == room.facet("app", "inner").list()
    assert room.facet("app").sql("SELECT count(*) FROM sqlite_master WHERE name = 'docs'") == [[0]]
    room.facet("app").put("after", 1)
    assert room.facet("app").get("after")["value"] == 1
    assert room.facet("billing").get("x")["value"] == 1
    await local.delete_object(RUNNER, object_id)
    assert room.list() == {} == room.facet("billing").list()
    with pytest.raises(OracleError, match="no such table"):
        room.sql("SELECT * FROM t")
    room.put("again", 2)
    assert room.get("again")["value"] == 2
    assert (await local.object(RUNNER, object_id)).name == "over-live"


async def test_what_was_done_with_the_server_stopped_is_what_it_finds(
    oracle_factory: Callable[..., Oracle],
) -> None:
    oracle = oracle_factory()
    local = backend(oracle)
    for name in ("gone", "facets", "alarmed"):
        oracle.durable_object("AppRunner", name).put("x", 1)
    oracle.durable_object("AppRunner", "gone").set_alarm(FAR)
    for name in ("gone", "facets"):
        for path in (("app",), ("app", "inner"), ("billing",)):
            oracle.durable_object("AppRunner", name).facet(*path).put("x", 1)
    ids = {name: oracle.object_id("AppRunner", name) for name in ("gone", "facets", "alarmed")}
    oracle.stop()
    folder = oracle.state / "do" / RUNNER
    removal = await local.delete_object(RUNNER, ids["gone"])
    assert not removal.note and any("alarm" in line for line in removal.removed)
    assert [name for name in os.listdir(folder) if name.startswith(ids["gone"])] == []
    await local.delete_facet(RUNNER, ids["facets"], ("app",))
    assert [entry.name for entry in read_index(f"{folder}/{ids['facets']}.facets")] == [
        "app",
        "inner",
        "billing",
    ]
    tree = by_path(await local.facets(RUNNER, ids["facets"]))
    assert [facet.deleted for facet in tree.values()] == [True, True, False]
    await local.storage_put(RUNNER, ids["facets"], "x", {"$map": [[1, 2]]}, ("billing",))
    said = await local.set_alarm(RUNNER, ids["alarmed"], int(time.time() * 1000) + 500)
    assert said == "The emulator goes by it when it starts."
    oracle.emulator.run()
    assert oracle.durable_object("AppRunner", "gone").list() == {}
    facets = oracle.durable_object("AppRunner", "facets")
    assert facets.facet("app").list() == {} and facets.get("x")["value"] == 1
    assert facets.facet("billing").get("x")["type"] == "Map"
    alarmed = oracle.durable_object("AppRunner", "alarmed")
    wait_until(lambda: alarmed.get("alarms fired")["type"] != "undefined")
    assert alarmed.get("alarms fired")["value"] == 1
    assert await local.alarms(RUNNER) == []
    oracle.kill()
    assert {one.name for one in (await local.objects(RUNNER)).items} == {"gone", "facets", "alarmed"}


_WRITER = """
import sys
from workbench.backends.local import LocalBackend, database, storage
from workbench.model.bindings import Project
local = LocalBackend(Project(sys.argv[1], (), sys.argv[2])).durable_objects
number = int(sys.argv[4])
while True:
    number += 1
    value = {"n": number, "fill": "x" * (number % 7 * 1000)}
    for path in ((), ("app",)):
        try:
            local.storage_put("oracle-AppRunner", sys.argv[3], "counter", value, path).send(None)
        except StopIteration:
            pass
    print(number, flush=True)
"""


def written_until_killed(*arguments: str) -> list[int]:
    """The numbers that a child process said it wrote before it was killed, at any moment."""
    command = [sys.executable, "-c", _WRITER, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(random.uniform(0, 0.15))
        writer.kill()
        return [int(line) for line in (first + writer.stdout.read()).split()]


async def test_killed_in_the_middle_of_writing_the_worker_reads_the_old_value_or_the_new(
    oracle: Oracle, local: LocalDurableObjects
) -> None:
    room = oracle.durable_object("AppRunner", "killed")
    places = (room, room.facet("app"))
    for place in places:
        place.put("counter", {"n": 0, "fill": ""})
    last = 0
    for _ in range(8):
        said = written_until_killed(str(oracle.project), str(oracle.state.parent), id_of(room), str(last))
        for place, path in zip(places, ((), ("app",)), strict=True):
            read = dict(place.get("counter")["entries"])
            number = read["n"]["value"]
            assert number >= said[-1]
            assert read["fill"]["value"] == "x" * (number % 7 * 1000)
            value = (await local.storage_get(RUNNER, id_of(room), "counter", path)).value
            assert value["n"] == number
            last = max(last, number)
    places[1].put("counter", 1)
    assert places[1].get("counter")["value"] == 1
