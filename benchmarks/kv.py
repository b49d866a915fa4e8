"""A namespace of a million keys against the same query on a bare connection, and what streaming it takes in memory."""

import json
import os
import tempfile
from collections.abc import Iterator

import apsw

from benchmarks.harness import Ratio, compare, peak_memory, script
from workbench.backends.local import LocalBackend, naming
from workbench.model.bindings import Project
from workbench.model.kv import KvKey
from workbench.model.times import now_ms
from workbench.operations.executor import drive

KEYS = 1_000_000
PAGE = 1_000
LARGE, SMALL = "many", "few"
_SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE _mf_entries (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, expiration INTEGER, metadata TEXT);
CREATE INDEX _mf_entries_expiration_idx ON _mf_entries(expiration);
"""
_QUERY = """
SELECT key, expiration, metadata FROM _mf_entries
WHERE key >= ? AND key < ? AND (+expiration IS NULL OR +expiration >= ?) ORDER BY key LIMIT ?
"""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, ".wrangler", "state")
        path = fill(state, LARGE, KEYS)
        fill(state, SMALL, PAGE)
        bindings = [{"binding": name, "id": name} for name in (LARGE, SMALL)]
        with open(os.path.join(folder, "wrangler.jsonc"), "w") as config:
            json.dump({"name": "benchmark", "kv_namespaces": bindings}, config)
        kv = LocalBackend(Project(folder, (), state)).kv
        now = now_ms()

        def ours(prefix: str) -> list[KvKey]:
            return list(drive(kv.list(LARGE, prefix, PAGE)).items)

        def raw(prefix: str, end: str) -> list[tuple[object, ...]]:
            connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                return connection.execute(_QUERY, (prefix, end, now, PAGE)).fetchall()
            finally:
                connection.close()

        def pair(name: str, prefix: str, end: str) -> Ratio:
            assert [key.name for key in ours(prefix)] == [row[0] for row in raw(prefix, end)]
            return compare(name, lambda: ours(prefix), lambda: raw(prefix, end), limit=2, runs=101)

        first = pair("first page (1,000 keys) of a million, against the same query", "", "\U0010ffff")
        jump = pair("a page at a prefix in the middle, against the same query", "user/05", "user/06")
        few = pair("ten keys at a prefix in the middle, against the same query", "user/054321", "user/054322")
        return [first._replace(note=_memory(folder)), jump, few]


def _memory(project: str) -> str:
    """What the command line takes for the whole list, and for a thousandth of it."""

    def peak(namespace: str) -> float:
        words = ("kv", "keys", "list", "--binding", namespace, "--json")
        return peak_memory(script("cfwb"), "--project", project, *words)

    return (
        f"streaming all {KEYS:,} keys peaks at {peak(LARGE):.1f} MiB, {PAGE:,} keys at {peak(SMALL):.1f} MiB"
    )


def fill(state: str, namespace: str, count: int) -> str:
    """A namespace's database as the emulator leaves it; its path. (Lists never look at the values' files.)"""
    path = naming.database_path(state, "kv", naming.KV, namespace)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    connection = apsw.Connection(path)
    connection.execute(_SCHEMA).fetchall()
    with connection:
        connection.executemany("INSERT INTO _mf_entries VALUES (?, ?, ?, ?)", _rows(count))
    connection.close()
    return path


def _rows(count: int) -> Iterator[tuple[str, str, int | None, str | None]]:
    """One key in ten has metadata, one in ten expires, one in a hundred has expired."""
    later = now_ms() + 86_400_000
    metadata = json.dumps({"kind": "session", "roles": ["reader", "editor"]})
    for number in range(count):
        expiration = 1_600_000_000_000 if number % 100 == 99 else later if number % 10 == 5 else None
        blob = f"{number:080x}"
        yield f"user/{number:07}", blob, expiration, metadata if number % 10 == 0 else None
