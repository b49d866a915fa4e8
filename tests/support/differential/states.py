"""The state both sides begin with, and what has become of each of them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tests.support.oracle import Oracle
from workbench.backends.servers.served import ServedBackend
from workbench.operations.executor import drive, open_state

TABLE = "CREATE TABLE {name} (id INTEGER PRIMARY KEY, label TEXT NOT NULL DEFAULT '', amount)"
INSTANCES = {"one": "finish", "two": "fail", "three": "refuse"}


def fill(oracle: Oracle) -> None:
    """Put something of everything into a running oracle's state."""
    kv = oracle.kv("CACHE")
    kv.put_many({f"n{number:02}": b"value %d" % number for number in range(0, 30, 2)})
    kv.put("user/1", b'{"name": "ann"}', metadata={"role": "admin"})
    kv.put("user/2", bytes(range(256)), expiration=2_100_000_000)
    files = oracle.r2("FILES")
    files.put("user/1", b"one", httpMetadata={"contentType": "text/plain", "cacheControl": "no-store"})
    files.put("user/2", b"two" * 50_000, customMetadata={"owner": "bo"})
    for name in ("items", "events"):
        oracle.d1().exec(TABLE.format(name=name))
        for object in ("acme", "globex"):
            oracle.durable_object("Tenant", object).sql(TABLE.format(name=name))
    oracle.durable_object("AppRunner", "app").sql(TABLE.format(name="items"))
    oracle.durable_object("AppRunner", "app").facet("inner").put("counter", 4)
    oracle.durable_object("Legacy", "old").async_put("k", 1)
    for id, kind in INSTANCES.items():
        oracle.orders.create(id, kind)
    for id in INSTANCES:
        _until_ended(oracle, id)


def _until_ended(oracle: Oracle, id: str) -> None:
    import time

    deadline = time.monotonic() + 60
    while oracle.orders.status(id)["status"] not in ("complete", "errored"):
        assert time.monotonic() < deadline, id
        time.sleep(0.05)


def copy_of(project: Path, to: Path) -> Path:
    """The project with its state."""
    shutil.copytree(project, to, symlinks=True)
    return to


def contents(project: Path) -> dict[str, Any]:
    """All of a project's state that the run can have changed, without times and versions; no server may be writing."""
    state = open_state(str(project))
    backend = state.backend
    assert isinstance(backend, ServedBackend)
    found: dict[str, Any] = {}
    for namespace in ("cache-namespace", "other-namespace"):
        keys = drive(backend.kv.list(namespace, limit=100_000)).items
        found[f"kv {namespace}"] = {
            key.name: (
                key.expiration,
                json.dumps(key.metadata),
                drive(backend.kv.get(namespace, key.name)).value,
            )
            for key in keys
        }
    objects = drive(backend.r2.list("files", limit=100_000)).items
    found["r2"] = {
        one.key: (one.size, one.etag, one.http_metadata, one.custom_metadata, _body(backend, one.key))
        for one in objects
    }
    found["d1"] = "".join(drive(drive(backend.d1.sql("shop-database")).export_sql()))
    for class_name, name in (("Tenant", "acme"), ("Tenant", "globex"), ("AppRunner", "app")):
        namespace = f"oracle-{class_name}"
        id = drive(backend.durable_objects.object_id(namespace, name))
        found[f"{class_name} {name}"] = "".join(
            drive(drive(backend.durable_objects.sql(namespace, id)).export_sql())
        )
    return found


def _body(backend: ServedBackend, key: str) -> bytes:
    return b"".join(drive(backend.r2.get("files", key)).chunks)


def orphans(project: Path) -> int:
    """Files of values that no row names."""
    state = project / ".wrangler" / "state" / "v3"
    contents_of = contents(project)
    rows = sum(len(value) for name, value in contents_of.items() if name.startswith(("kv", "r2")))
    files = sum(len(os.listdir(folder)) for folder in state.glob("*/*/blobs"))
    return files - rows
