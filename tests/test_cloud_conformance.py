"""One suite over every implementation of the adapter: the state directory, a running dev server's API, the account (a stand-in).

What a backend cannot do it says in a sentence; what it can do is the same on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.local import run
from tests.support.oracle import Oracle
from tests.support.targets import ROUTES, opened
from tests.support.tools import inapplicable
from workbench.backends.local import LocalBackend
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.operations.executor import State, execute, sql_session

Do = Callable[..., Any]


@pytest.fixture(scope="module", params=ROUTES)
def state(request: pytest.FixtureRequest, oracle: Oracle) -> Iterator[State]:
    with opened(request.param, oracle) as found:
        yield found


@pytest.fixture
def prefix(oracle: Oracle) -> Iterator[str]:
    """A prefix of the test's own; what begins with it goes at the end."""
    mine = f"conf-{uuid4().hex[:8]}/"
    yield mine
    for name in oracle.kv().names(mine):
        oracle.kv().delete(name)
    for row in oracle.r2().list(prefix=mine)["objects"]:
        oracle.r2().delete(row["key"])


def do(state: State, operation: str, **arguments: Any) -> Any:
    return run(execute(state, operation, arguments, force=True))


def all_pages(state: State, operation: str, **arguments: Any) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = do(state, operation, cursor=cursor, **arguments)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


def can(state: State, name: str) -> bool:
    """Whether this route can do a thing; the state directory can do everything here."""
    return isinstance(state.backend, LocalBackend) or state.backend.capability(name).available


def refused(state: State, operation: str, **arguments: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        do(state, operation, **arguments)
    return caught.value.code


# --- KV


def test_a_binding_names_the_same_namespace_everywhere(state: State, oracle: Oracle) -> None:
    rows = {row.binding: row.id for row in do(state, "kv.namespaces.list") if row.binding}
    assert rows["CACHE"] == "cache-namespace"
    assert rows["OTHER"] == "other-namespace"


@pytest.mark.parametrize("value", [b"", b"text \xc3\xa9", bytes(range(256)) * 40])
def test_what_is_put_is_what_the_worker_reads(
    state: State, oracle: Oracle, prefix: str, value: bytes
) -> None:
    do(state, "kv.values.put", key=prefix + "k", binding="CACHE", value=value, metadata={"v": [1, "é"]})
    assert oracle.kv().get(prefix + "k") == value
    assert oracle.kv().metadata(prefix + "k") == {"v": [1, "é"]}
    found = do(state, "kv.values.get", key=prefix + "k", binding="CACHE")
    assert (found.value, found.metadata, found.expiration) == (value, {"v": [1, "é"]}, None)


@pytest.mark.parametrize(
    "name", ["a b", "é/ü", "a%2Fb", "q?x=1&y#z", "100%", "+", "日本", "a\\b", "trailing/"]
)
def test_any_key_is_asked_for_by_its_own_name(state: State, oracle: Oracle, prefix: str, name: str) -> None:
    key = prefix + name
    oracle.kv().put(key, b"1")
    assert do(state, "kv.values.get", key=key, binding="CACHE").value == b"1"
    do(state, "kv.values.put", key=key, binding="CACHE", value="2")
    assert oracle.kv().get(key) == b"2"
    assert do(state, "kv.values.delete", key=[key], binding="CACHE").total == 1
    assert oracle.kv().get(key) is None


def test_a_list_is_the_same_in_pages_of_any_size(state: State, oracle: Oracle, prefix: str) -> None:
    names = [f"{prefix}{number:03}" for number in range(25)]
    oracle.kv().put_many(dict.fromkeys(names, b"x"))
    for limit in (3, 10, 12, 25, 1000):
        rows = all_pages(state, "kv.keys.list", binding="CACHE", prefix=prefix, limit=limit)
        assert [row.name for row in rows] == names
    assert len(do(state, "kv.keys.list", binding="CACHE", prefix=prefix, limit=7).items) == 7


def test_folders_fold(state: State, oracle: Oracle, prefix: str) -> None:
    names = [prefix + name for name in ("a", "b/1", "b/2", "b/c/3", "d", "e/1", "f")]
    oracle.kv().put_many(dict.fromkeys(names, b"x"))
    keys, folders, cursor = [], [], None
    while True:
        page = do(
            state, "kv.keys.list", binding="CACHE", prefix=prefix, delimiter="/", limit=2, cursor=cursor
        )
        keys += [row.name for row in page.items]
        folders += page.prefixes
        cursor = page.cursor
        if cursor is None:
            break
    assert [name.removeprefix(prefix) for name in keys] == ["a", "d", "f"]
    assert [name.removeprefix(prefix) for name in folders] == ["b/", "e/"]


def test_a_key_that_is_not_there_has_one_error(state: State, prefix: str) -> None:
    assert refused(state, "kv.values.get", key=prefix + "nope", binding="CACHE") == "kv.key_not_found"


def test_many_are_written_and_deleted(state: State, oracle: Oracle, prefix: str) -> None:
    kv = state.backend.kv
    entries = [
        KvValue(f"{prefix}{number}", bytes([number, 255]), None, {"n": number}) for number in range(12)
    ]
    assert run(kv.put_many("cache-namespace", entries)) == 12
    assert oracle.kv().get(f"{prefix}7") == bytes([7, 255])
    assert oracle.kv().metadata(f"{prefix}7") == {"n": 7}
    assert do(state, "kv.values.delete", prefix=prefix, binding="CACHE").total == 12
    assert oracle.kv().names(prefix) == []


def test_an_expiration_is_kept_or_refused_in_words(state: State, oracle: Oracle, prefix: str) -> None:
    write = {"key": prefix + "k", "binding": "CACHE", "value": "x", "expiration": 2_000_000_000}
    if can(state, "kv.expiration"):
        do(state, "kv.values.put", **write)
        assert do(state, "kv.values.get", key=prefix + "k", binding="CACHE").expiration == 2_000_000_000
        assert oracle.kv().list(prefix)["keys"][0]["expiration"] == 2_000_000_000
    else:
        assert refused(state, "kv.values.put", **write) == "target.not_capable"
        assert oracle.kv().get(prefix + "k") is None


# --- R2


@pytest.mark.parametrize("size", [0, 10, 3 << 20])
def test_an_object_goes_and_comes_whole_and_in_parts(
    state: State, oracle: Oracle, prefix: str, size: int
) -> None:
    data = bytes(number % 251 for number in range(1024)) * (size // 1024 + 1)
    data = data[:size]
    key = prefix + "dir/a b.bin"
    written = do(state, "r2.objects.put", key=key, bucket="files", value=data, content_type="image/png")
    assert (written.key, written.size) == (key, size)
    row = oracle.r2().get(key)
    assert row is not None and row["value"] == data and row["httpMetadata"]["contentType"] == "image/png"
    body = do(state, "r2.objects.get", key=key, bucket="files")
    assert b"".join(body.chunks) == data
    assert body.object.http_metadata["contentType"] == "image/png"
    assert body.object.etag == row["etag"]
    if size:
        part = do(state, "r2.objects.get", key=key, bucket="files", range="2-5")
        assert b"".join(part.chunks) == data[2:6]


def test_objects_are_listed_in_pages_and_folders(state: State, oracle: Oracle, prefix: str) -> None:
    for name in ("a", "b/1", "b/2", "c"):
        oracle.r2().put(prefix + name, b"x")
    rows = all_pages(state, "r2.objects.list", bucket="files", prefix=prefix, limit=3)
    assert [row.key.removeprefix(prefix) for row in rows] == ["a", "b/1", "b/2", "c"]
    page = do(state, "r2.objects.list", bucket="files", prefix=prefix, delimiter="/")
    assert [row.key.removeprefix(prefix) for row in page.items] == ["a", "c"]
    assert [folder.removeprefix(prefix) for folder in page.prefixes] == ["b/"]


def test_an_object_that_is_not_there_has_one_error(state: State, prefix: str) -> None:
    assert refused(state, "r2.objects.get", key=prefix + "x", bucket="files") == "r2.object_not_found"
    assert do(state, "r2.objects.delete", key=[prefix + "x"], bucket="files").total == 0


def test_an_object_is_copied_moved_and_deleted(state: State, oracle: Oracle, prefix: str) -> None:
    oracle.r2().put(prefix + "a", b"data")
    do(state, "r2.objects.copy", key=prefix + "a", new_key=prefix + "b", bucket="files")
    do(state, "r2.objects.move", key=prefix + "a", new_key=prefix + "c", bucket="files")
    assert oracle.r2().get(prefix + "a") is None
    assert [oracle.r2().get(prefix + name)["value"] for name in "bc"] == [b"data", b"data"]  # type: ignore[index]
    assert do(state, "r2.objects.delete", prefix=prefix, bucket="files").total == 2


# --- D1


@pytest.fixture
def table(oracle: Oracle) -> Iterator[str]:
    name = f"t_{uuid4().hex[:8]}"
    oracle.d1().query(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
    oracle.d1().query(f"INSERT INTO {name} VALUES (1, 'Ann', x'00ff'), (2, NULL, NULL)")
    yield name
    oracle.d1().query(f"DROP TABLE IF EXISTS {name}")


def test_a_query_gives_rows_and_figures(state: State, table: str) -> None:
    (found,) = do(state, "d1.query", sql=f"SELECT id, name, data FROM {table} ORDER BY id", database="shop")
    assert found.columns == ["id", "name", "data"]
    assert found.rows == [(1, "Ann", b"\x00\xff"), (2, None, None)]


def test_parameters_go_to_their_statements(state: State, table: str) -> None:
    sql = f"INSERT INTO {table} VALUES (?, ?, NULL); SELECT name FROM {table} WHERE id = ?"
    results = do(state, "d1.query", sql=sql, database="DB", param=[3, "Eve; --", 3])
    assert results[0].changes == 1
    assert results[1].rows == [("Eve; --",)]


def test_bad_sql_is_an_error_of_sql(state: State) -> None:
    assert refused(state, "d1.query", sql="SELEC 1", database="shop") == "sql.error"
    assert refused(state, "d1.query", sql="SELECT * FROM nope_nope", database="shop") == "sql.error"


def test_read_only_refuses_what_writes(state: State, oracle: Oracle, table: str) -> None:
    sql = f"WITH x AS (SELECT 1) DELETE FROM {table}"
    assert refused(state, "d1.query", sql=sql, database="shop", read_only=True) == "sql.read_only"
    (left,) = do(state, "d1.query", sql=f"SELECT count(*) FROM {table}", database="shop", read_only=True)
    assert left.rows == [(2,)]


def test_a_console_on_the_account_only_reads_until_somebody_agrees(
    state: State, oracle: Oracle, table: str
) -> None:
    sql = f"INSERT INTO {table} VALUES (7, 'x', NULL)"
    session = run(sql_session(state, "d1", database="shop"))
    rows = run(session.stream(f"SELECT id FROM {table} ORDER BY id"))
    assert (run(rows.fetch(1)), run(rows.fetch(9))) == ([(1,)], [(2,)])
    run(rows.close())
    if state.target.kind == "remote":
        with pytest.raises(WorkbenchError) as caught:
            run(session.stream(sql))
        assert caught.value.code == "sql.read_only"
        session = run(sql_session(state, "d1", agreed=True, database="shop"))
    run(run(session.stream(sql)).close())
    run(session.close())
    assert oracle.d1().rows(f"SELECT count(*) FROM {table}") == [[3]]


def test_the_schema_is_the_same(state: State, table: str) -> None:
    schema = do(state, "d1.schema.get", database="shop", counts=True)
    (found,) = [one for one in schema.tables if one.name == table]
    assert [(column.name, column.type, column.key) for column in found.columns] == [
        ("id", "INTEGER", 1),
        ("name", "TEXT", 0),
        ("data", "BLOB", 0),
    ]
    assert found.rows == 2


def test_what_statements_do_is_told_by_compiling_them(state: State, table: str) -> None:
    database = run(state.backend.d1.sql("shop-database"))
    sql = f"SELECT 1; WITH x AS (SELECT 1) DELETE FROM {table}; INSERT INTO {table} VALUES (9, '', NULL); DROP TABLE {table}"
    assert [effect for _, _, effect in run(database.statements(sql))] == [
        "reads",
        "destroys",
        "writes",
        "destroys",
    ]


def test_a_plan_is_explained(state: State, table: str) -> None:
    plan = do(state, "d1.plans.get", sql=f"SELECT * FROM {table} WHERE id = ?", database="shop", param=["1"])
    assert any(table in step.detail for step in plan)


def test_a_script_is_imported_and_exported(state: State, oracle: Oracle, table: str) -> None:
    if not can(state, "d1.transfer"):
        assert refused(state, "d1.export", database="shop") == "target.not_capable"
    script = (
        f"INSERT INTO {table} VALUES (4, 'it''s; fine', x'0102');\nINSERT INTO {table} VALUES (5, 'b', NULL);"
    )
    assert do(state, "d1.import", file=[script.encode()], database="shop").done == 2
    assert oracle.d1().rows(f"SELECT name FROM {table} WHERE id = 4") == [["it's; fine"]]
    if can(state, "d1.transfer"):
        text = "".join(do(state, "d1.export", database="shop", table=[table]).chunks)
        assert table in text and "it''s; fine" in text
        bare = "".join(do(state, "d1.export", database="shop", table=[table], schema_only=True).chunks)
        assert table in bare and "INSERT" not in bare


# --- Durable Objects, Workflows


def test_namespaces_and_objects_are_listed(state: State, oracle: Oracle) -> None:
    oracle.durable_object("Tenant", "conf-acme").put("k", 1)
    id = oracle.object_id("Tenant", "conf-acme")
    names = {row.class_name: row for row in do(state, "do.namespaces.list")}
    assert names["Tenant"].binding == "TENANT"
    rows = all_pages(state, "do.objects.list", namespace="TENANT", limit=20)
    assert id in [row.id for row in rows]
    assert all("." not in row.id for row in rows)
    if can(state, "do.names"):
        assert do(state, "do.ids.get", name="conf-acme", namespace="TENANT").id == id
    else:
        assert refused(state, "do.ids.get", name="conf-acme", namespace="TENANT") == "target.not_capable"


def test_a_namespace_goes_by_what_a_config_calls_it(state: State, oracle: Oracle) -> None:
    oracle.durable_object("Tenant", "conf-named").put("k", 1)
    objects = state.backend.durable_objects
    assert oracle.object_id("Tenant", "conf-named") in run(objects.object_ids("oracle-Tenant"))
    if not isinstance(state.backend, LocalBackend):
        assert refused(state, "do.objects.list", namespace="oracle-Nobody") == "do.namespace_not_found"


def test_an_object_s_sql_is_asked_where_it_can_be(state: State, oracle: Oracle) -> None:
    oracle.durable_object("Tenant", "conf-sql").put("k", 1)
    query = {
        "sql": "SELECT 1 AS a, 'b' AS b",
        "namespace": "TENANT",
        "object": oracle.object_id("Tenant", "conf-sql"),
    }
    if can(state, "do.sql"):
        (found,) = do(state, "do.query", **query)
        assert (found.columns, found.rows) == (["a", "b"], [(1, "b")])
    else:
        assert refused(state, "do.query", **query) == "target.not_capable"


def test_instances_with_their_steps(state: State, oracle: Oracle) -> None:
    id = f"conf-{uuid4().hex[:8]}"
    oracle.orders.create(id, "wait", order=3)
    assert "orders" in [one.name for one in do(state, "workflows.list")]
    _until(lambda: len(do(state, "workflows.instances.get", id=id, workflow="orders").steps) == 2)
    found = do(state, "workflows.instances.get", id=id, workflow="ORDERS")
    assert [(step.name.removesuffix("-1"), step.kind, step.status) for step in found.steps] == [
        ("read order", "step", "complete"),
        ("payment", "wait", "waiting"),
    ]
    assert found.params == {"kind": "wait", "order": 3}
    listed = all_pages(state, "workflows.instances.list", workflow="orders", limit=2)
    assert id in [one.id for one in listed]
    assert (
        refused(state, "workflows.instances.get", id="nope", workflow="orders")
        == "workflows.instance_not_found"
    )
    oracle.orders.act(id, "terminate")


def test_an_instance_is_driven_where_something_runs_it(
    state: State, oracle: Oracle, request: pytest.FixtureRequest
) -> None:
    id = f"conf-{uuid4().hex[:8]}"
    if not state.backend.capability("workflow_control").available or "mirror" in request.node.name:
        with pytest.raises(WorkbenchError) as caught:
            do(state, "workflows.instances.create", id=id, workflow="orders")
        assert "dev server" in caught.value.message
        return
    made = do(state, "workflows.instances.create", id=id, workflow="orders", params={"kind": "wait"})
    assert made.id == id

    def status() -> str:
        return str(do(state, "workflows.instances.get", id=id, workflow="orders").status)

    def act(verb: str) -> None:
        do(state, f"workflows.instances.{verb}", id=id, workflow="orders")

    _until(lambda: len(do(state, "workflows.instances.get", id=id, workflow="orders").steps) == 2)
    act("pause")
    _until(lambda: status() in ("paused", "waitingForPause"))
    act("resume")
    _until(lambda: status() in ("running", "waiting"))
    act("restart")
    _until(lambda: len(do(state, "workflows.instances.get", id=id, workflow="orders").steps) == 2)
    do(state, "workflows.events.send", id=id, workflow="orders", type="payment", payload={"paid": 7})
    _until(lambda: status() == "complete")
    assert do(state, "workflows.instances.get", id=id, workflow="orders").output["payload"] == {"paid": 7}
    act("restart")
    act("terminate")
    _until(lambda: status() == "terminated")


def test_traces_are_asked_where_they_are_kept(state: State, oracle: Oracle) -> None:
    oracle.kv().get("nothing")
    if not can(state, "traces"):
        assert refused(state, "traces.query", sql="SELECT 1") == "target.not_capable"
        return
    _until(lambda: do(state, "traces.query", sql="SELECT count(*) > 0 FROM spans")[0].rows == [(1,)])
    (found,) = do(
        state, "traces.query", sql="SELECT name AS n FROM spans WHERE service = ? LIMIT 1", param=["x"]
    )
    assert (found.columns, found.rows) == (["n"], [])
    assert refused(state, "traces.query", sql="DELETE FROM spans") == "sql.read_only"


def _until(done: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- what a side lacks


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("do.storage.list", {"namespace": "TENANT", "object": "0" * 64}),
        ("do.facets.list", {"namespace": "TENANT", "object": "0" * 64}),
        ("do.alarms.list", {"namespace": "TENANT"}),
        ("r2.uploads.list", {"bucket": "files"}),
        ("state.list", {}),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    state: State, operation: str, arguments: dict[str, Any]
) -> None:
    if isinstance(state.backend, LocalBackend):
        inapplicable("the state directory has it all")
    with pytest.raises(WorkbenchError) as caught:
        do(state, operation, **arguments)
    assert caught.value.code == "target.not_capable"
    assert caught.value.message
