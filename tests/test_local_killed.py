"""Killed in the middle of imports, deletions and starting over: what is left is whole, and the emulator reads the same.

(Single values of KV and R2 are in test_local_safety, SQL statements in test_local_d1, stored values in test_local_do_objects.)
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local import run
from tests.support.oracle import Oracle, js
from workbench.backends.local import LocalBackend, database
from workbench.project import load

WRITING = """
import io, itertools, json, sys
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.operations.executor import drive, execute, open_state

state = open_state(sys.argv[1])

def do(name, **arguments):
    return drive(execute(state, name, arguments, force=True))

def entries(prefix, n):
    return [KvValue(f"{prefix}{i}", str(n).encode() * 2000, None, n) for i in range(60)]

def sql_import(n):
    rows = ",".join(f"({i}, {n})" for i in range(300))
    sql = f"CREATE TABLE IF NOT EXISTS whole (id INTEGER PRIMARY KEY, n);\\nDELETE FROM whole;\\nINSERT INTO whole VALUES {rows};"
    do("d1.import", database="shop", file=io.BytesIO(sql.encode()), format="sql")

def row_import(n):
    do("d1.query", database="shop", sql="CREATE TABLE IF NOT EXISTS parts (id INTEGER PRIMARY KEY, n, twice); DELETE FROM parts")
    rows = [{"id": i, "n": n + i, "twice": 2 * (n + i)} for i in range(300)]
    do("d1.import", database="shop", file=io.BytesIO(json.dumps(rows).encode()), format="json", into="parts")

def kv_delete(n):
    drive(state.backend.kv.put_many("cache-namespace", entries("killed/", n)))
    do("kv.values.delete", binding="CACHE", prefix="killed/")

def kv_empty(n):
    drive(state.backend.kv.put_many("other-namespace", entries("", n)))
    do("kv.namespaces.delete", binding="OTHER")

def r2_fill(n):
    for i in range(4):
        drive(state.backend.r2.put("files", f"killed/{i}", [str(n).encode() * 2000], {}, {"n": str(n)}))

def r2_delete(n):
    r2_fill(n)
    do("r2.objects.delete", bucket="files", prefix="killed/")

def r2_empty(n):
    r2_fill(n)
    do("r2.buckets.delete", bucket="files")

def d1_empty(n):
    sql_import(n)
    do("d1.databases.delete", database="shop")

def stored(class_name, n):
    for key in ("a", "b"):
        value = {"n": n, "fill": "x" * (n % 7 * 1000)}
        do("do.storage.put", namespace=class_name, object="killed", key=key, value=value)

def storage_delete(n):
    stored("AppRunner", n)
    for key in ("a", "b"):
        do("do.storage.delete", namespace="AppRunner", object="killed", key=[key])

def object_empty(n):
    try:
        stored("Tenant", n)
    except WorkbenchError as error:
        assert error.code == "do.object_not_found"  # without a server its files went, and nobody makes it again
        return
    do("do.objects.delete", namespace="Tenant", object="killed")

STEPS = [
    sql_import, row_import, kv_delete, kv_empty, r2_delete, r2_empty, d1_empty, storage_delete, object_empty,
]
at, first = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for n in itertools.count(first):
    STEPS[(at + n - first) % len(STEPS)](n)
"""
STEPS = 9


def _write_and_be_killed(project: Path, at: int, first: int, seconds: float) -> None:
    """Begin with step `at`, and be killed that long after."""
    command = [sys.executable, "-c", WRITING, str(project), str(at), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        ready = child.stdout.readline()
        time.sleep(seconds)
        assert ready == b"ready\n" and child.poll() is None, child.stderr.read().decode()
        child.send_signal(signal.SIGKILL)


Found = dict[str, dict[str, Any]]
"""What is there: by place, then by key. Rows of a table by their id."""


def _found(state: Path, backend: LocalBackend) -> Found:
    """Everything of what was written, as we read it: no row without its value, no table with half of a transaction."""
    found: Found = {}
    for namespace in ("cache-namespace", "other-namespace"):
        found[namespace] = {}
        for key in run(backend.kv.list(namespace, "", 100)).items:
            found[namespace][key.name] = value = run(backend.kv.get(namespace, key.name)).value
            assert value == str(key.metadata).encode() * 2000
    found["files"] = {}
    for one in run(backend.r2.list("files")).items:
        found["files"][one.key] = body = b"".join(run(backend.r2.get("files", one.key)).chunks)
        assert body == one.custom_metadata["n"].encode() * 2000
    found |= {
        table: {str(row[0]): list(row) for row in _rows(backend, table)} for table in ("whole", "parts")
    }
    assert len(found["whole"]) in (0, 300) and len({n for _, n in found["whole"].values()}) <= 1
    assert len(found["parts"]) % 30 == 0
    assert all(twice == 2 * n for _, n, twice in found["parts"].values())
    for class_name in ("AppRunner", "Tenant"):
        found[class_name] = {}
        for entry in _entries(backend, class_name):
            assert entry.value["fill"] == "x" * (entry.value["n"] % 7 * 1000)
            found[class_name][entry.key] = entry.value["n"]
    for path in (state / "v3").rglob("*.sqlite"):
        with database.read(str(path)) as connection:
            assert connection.pragma("integrity_check") == "ok", path
    return found


def _rows(backend: LocalBackend, table: str) -> Iterator[tuple[Any, ...]]:
    here = run(backend.d1.sql("shop-database"))
    if any(one.name == table for one in run(here.schema()).tables):
        yield from run(here.query(f"SELECT * FROM {table}"))[0].rows


def _entries(backend: LocalBackend, class_name: str) -> list[Any]:
    namespace = f"oracle-{class_name}"
    id = run(backend.durable_objects.object_id(namespace, "killed"))
    if id not in run(backend.durable_objects.object_ids(namespace)):
        return []
    return list(run(backend.durable_objects.storage_list(namespace, id)).items)


def _read_by_the_worker(oracle: Oracle) -> Found:
    """The same through the Worker's bindings."""
    found: Found = {}
    for namespace, binding in (("cache-namespace", "CACHE"), ("other-namespace", "OTHER")):
        kv = oracle.kv(binding)
        found[namespace] = {name: kv.get(name) for name in kv.names()}
    r2 = oracle.r2()
    found["files"] = {}
    for one in r2.list()["objects"]:
        body = r2.get(one["key"])
        found["files"][one["key"]] = body and body["value"]
    tables = [name for (name,) in oracle.d1().rows("SELECT name FROM sqlite_schema")]
    for table in ("whole", "parts"):
        rows = oracle.d1().rows(f"SELECT * FROM {table}") if table in tables else []
        found[table] = {str(row[0]): row for row in rows}
    for class_name in ("AppRunner", "Tenant"):
        entries = oracle.durable_object(class_name, "killed").list()
        found[class_name] = {key: dict(node["entries"])["n"]["value"] for key, node in entries.items()}
    return found


def _killed_again_and_again(oracle: Oracle, rounds: int) -> None:
    state = oracle.state.parent
    backend = LocalBackend(load(str(oracle.project)))
    chance = random.Random(rounds)
    for name in ("AppRunner", "Tenant"):
        oracle.durable_object(name, "killed").put("a", {"n": 0, "fill": ""})
    written = False
    for attempt in range(rounds):
        _write_and_be_killed(oracle.project, attempt * 2, attempt * 1000, chance.uniform(0, 0.4))
        found = _found(state, backend)
        assert _read_by_the_worker(oracle) == found
        written = written or any(found.values())
    assert written
    oracle.stop()
    for attempt in range(rounds):
        _write_and_be_killed(oracle.project, attempt * 2 + 1, attempt * 1000, chance.uniform(0, 0.2))
        found = _found(state, backend)
    oracle.emulator.run()
    assert _read_by_the_worker(oracle) == found
    oracle.kv().put("killed/0", b"and it writes")
    oracle.d1().exec("CREATE TABLE after (x)")
    oracle.durable_object("Tenant", "killed").put("a", js(1))
    assert run(backend.kv.get("cache-namespace", "killed/0")).value == b"and it writes"


def test_killed_in_imports_deletions_and_starting_over_what_is_left_is_whole(
    oracle_factory: Callable[..., Oracle],
) -> None:
    _killed_again_and_again(oracle_factory(), STEPS)


@pytest.mark.soak
def test_killed_hundreds_of_times(oracle_factory: Callable[..., Oracle]) -> None:
    _killed_again_and_again(oracle_factory(), 10 * STEPS)
