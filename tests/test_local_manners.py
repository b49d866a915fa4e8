"""Manners beside a running emulator: we notice it, and its Worker hardly notices us."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.local import local_backend, run
from tests.support.oracle import Oracle, OracleError
from workbench.backends.local import LocalBackend, database, leaving, manners, naming
from workbench.backends.local.leaving import Leaving
from workbench.backends.local.resources import Resource
from workbench.model.kv import KvValue
from workbench.model.progress import Cancel

ID = "cache-namespace"


def test_a_server_is_noticed_before_its_first_request_and_after_its_end(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    oracle = oracle_factory()
    backend = local_backend(oracle.state)
    assert backend.server_running()
    assert manners.server_running_beside(str(oracle.state / "kv" / "x" / "y.sqlite"))
    assert not local_backend(tmp_path / "elsewhere").server_running()
    assert not manners.server_running_beside(str(tmp_path / "file.sqlite"))
    oracle.kv().put("k", b"1")
    assert backend.server_running()
    oracle.kill()
    assert not backend.server_running()
    assert run(backend.kv.get(ID, "k")).value == b"1"
    oracle.emulator.run()
    assert backend.server_running()


def test_a_server_is_noticed_through_a_link_to_its_state(oracle: Oracle, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(oracle.state.parent)
    assert local_backend(link).server_running()
    assert run(local_backend(link).kv.list(ID)).items == run(local_backend(oracle.state).kv.list(ID)).items


def test_our_own_reading_is_no_server(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put(ID, "k", b"1"))
    assert not backend.server_running()


def test_the_log_is_left_to_the_server(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """We write more than SQLite's own limit of a log, and bring none of it into the database."""
    monkeypatch.setattr(leaving, "GRACE", 0)
    backend = local_backend(oracle.state)
    run(backend.kv.put(ID, "log/0", b""))
    (folder,) = (oracle.state / "kv").glob("miniflare-*")
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.sqlite")}
    for n in range(300):
        run(backend.kv.put(ID, f"log/{n % 50}", b"", metadata="m" * 900))
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.sqlite")} == before
    assert len(oracle.kv().names("log/")) == 50
    run(backend.kv.delete_many(ID, [f"log/{n}" for n in range(50)]))


def test_a_write_syncs_no_log_and_beside_a_server_checkpoints_none(tmp_path: Path) -> None:
    path = str(tmp_path / "v3" / "one.sqlite")
    for live, pages in ((False, 1000), (True, 0)):
        connection = database.open_database(path, writable=True, create=True, live=live)
        assert connection.pragma("synchronous") == 1, "NORMAL: a commit waits for no disk"
        assert connection.pragma("wal_autocheckpoint") == pages
        assert connection.pragma("journal_mode") == "wal"
        connection.close()


def test_a_list_is_written_with_pauses_only_while_a_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(manners.time, "sleep", slept.append)
    written: list[int] = []

    def write(batch: list[int]) -> float:
        written.append(len(batch))
        return 0.0

    assert manners.write_in_batches(range(1200), write, running=lambda: False) == 1200
    assert written == [500, 500, 200] and slept == []


def test_a_server_that_starts_midway_is_noticed() -> None:
    written: list[int] = []
    starting = itertools.chain([False], itertools.repeat(True))

    def write(batch: list[int]) -> float:
        written.append(len(batch))
        return 0.0

    manners.write_in_batches(range(600), write, running=lambda: next(starting))
    assert written == [500, 25, 25, 25, 25]


def test_large_values_make_small_batches() -> None:
    written: list[int] = []

    def write(batch: list[int]) -> float:
        written.append(len(batch))
        return 0.0

    manners.write_in_batches(range(5), write, running=lambda: False, weigh=lambda _: 5 << 20)
    assert written == [2, 2, 1]


def test_a_pause_ends_when_cancelled() -> None:
    cancel = Cancel()
    threading.Timer(0.1, cancel.cancel).start()
    with pytest.raises(Exception, match="stopped"):
        manners.pause(3600, cancel)


# --- the measurement

EDITING = """
import sys, time
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.operations.executor import drive
state, count, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
backend = LocalBackend(Project(state, (), state))
database = drive(backend.d1.sql("shop-database"))
room = drive(backend.durable_objects.object_id("oracle-Tenant", "soak"))
begin = time.monotonic()
for n in range(count):
    time.sleep(max(0, begin + n / rate - time.monotonic()))
    kind = n % 4
    if kind == 0:
        drive(backend.kv.put("cache-namespace", f"soak/ours/{n % 40}", str(n).encode()))
    elif kind == 1:
        drive(backend.r2.put("files", f"soak/ours/{n % 40}", [str(n).encode()]))
    elif kind == 2:
        drive(database.query("INSERT OR REPLACE INTO soak VALUES (?, ?)", [f"ours/{n % 40}", n]))
    else:
        drive(backend.durable_objects.storage_put("oracle-Tenant", room, f"ours/{n % 40}", n))
print(count)
"""


class Outcome(NamedTuple):
    """writes: how many the Worker tried. failures: the messages of those that failed. kept: whether what was acknowledged is there."""

    writes: int
    failures: list[str]
    kept: bool


def _worker_writes(oracle: Oracle, n: int) -> None:
    """One request that writes into a database which we edit meanwhile."""
    name = f"soak/theirs/{n}"
    kind = n % 4
    if kind == 0:
        oracle.kv().put(name, str(n).encode())
    elif kind == 1:
        oracle.r2().put(name, str(n).encode())
    elif kind == 2:
        oracle.d1().query("INSERT INTO soak VALUES (?, ?)", name, n)
    else:
        oracle.durable_object("Tenant", "soak").put(name, n)


def _live_together(oracle: Oracle, edits: int, edit_rate: float, request_rate: float) -> Outcome:
    """Edit from another process while requests come in from here, each kind of database touched by both."""
    oracle.d1().exec("CREATE TABLE IF NOT EXISTS soak (name TEXT PRIMARY KEY, n INTEGER)")
    for n in range(4):
        _worker_writes(oracle, -4 + n)
    command = [sys.executable, "-c", EDITING, str(oracle.state.parent), str(edits), str(edit_rate)]
    editor = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begin = time.monotonic()
    written: list[int] = []
    failures: list[str] = []
    for n in itertools.count():
        if editor.poll() is not None:
            break
        time.sleep(max(0.0, begin + n / request_rate - time.monotonic()))
        try:
            _worker_writes(oracle, n)
            written.append(n)
        except OracleError as error:
            failures.append(f"{n % 4}: {error}")
    output, errors = editor.communicate()
    assert editor.returncode == 0 and json.loads(output) == edits, errors
    return Outcome(len(written) + len(failures), failures, _is_there(oracle, written))


def _is_there(oracle: Oracle, written: list[int]) -> bool:
    kv = set(oracle.kv().names("soak/theirs/"))
    rows = {row[0] for row in oracle.d1().rows("SELECT name FROM soak")}
    stored = set(oracle.durable_object("Tenant", "soak").list())
    objects = {key for key in (f"soak/theirs/{n}" for n in written if n % 4 == 1) if oracle.r2().head(key)}
    found = [kv, objects, rows, stored]
    return all(f"soak/theirs/{n}" in found[n % 4] for n in written)


def test_a_worker_hardly_notices_that_we_edit(oracle_factory: Callable[..., Oracle]) -> None:
    outcome = _live_together(oracle_factory(), edits=150, edit_rate=15, request_rate=50)
    assert outcome.writes > 100
    assert outcome.kept
    assert len(outcome.failures) <= 2, outcome.failures


@pytest.mark.soak
def test_a_thousand_edits_beside_a_busy_worker(oracle_factory: Callable[..., Oracle]) -> None:
    outcome = _live_together(oracle_factory(), edits=1000, edit_rate=5, request_rate=20)
    print(f"\n{outcome.writes} writes of the Worker, {len(outcome.failures)} failed: {outcome.failures}")
    assert outcome.kept
    assert len(outcome.failures) * 500 < outcome.writes


def test_a_worker_lives_with_a_long_list_of_ours(oracle: Oracle) -> None:
    """A bulk write goes in pieces, with room for the Worker's own writes between them."""
    backend = local_backend(oracle.state)
    entries = [KvValue(f"bulk/{n}", b"x", None, n) for n in range(1500)]
    failures = 0
    tried = 0

    def write() -> None:
        run(backend.kv.put_many(ID, entries))

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        tried += 1
        try:
            oracle.kv().put("bulk/theirs", str(tried).encode())
        except OracleError:
            failures += 1
    thread.join()
    assert len(oracle.kv().names("bulk/")) == 1501
    assert tried > 20
    assert failures <= tried // 10
    run(backend.kv.delete_many(ID, [f"bulk/{n}" for n in range(1500)]))
    oracle.kv().delete("bulk/theirs")


def test_a_worker_that_reads_while_we_edit_always_finds_a_value(oracle: Oracle) -> None:
    """It reads the row first and the value's file after it: the old one must be there a moment longer than its row."""
    backend = local_backend(oracle.state)
    names = [f"edited/{n}" for n in range(20)]
    run(backend.kv.put_many(ID, [KvValue(name, b"0" * 100) for name in names]))
    run(backend.r2.put("files", "edited", [b"0" * 100]))
    found: list[object] = []
    done = threading.Event()

    def read(get: Callable[[], object]) -> None:
        while not done.is_set():
            found.append(get())

    chance = random.Random(1)
    readers = [
        threading.Thread(target=read, args=(lambda: oracle.kv().get(chance.choice(names)),)),
        threading.Thread(target=read, args=(lambda: oracle.r2().get("edited"),)),
    ]
    for reader in readers:
        reader.start()
    for n in range(20):
        run(backend.kv.put_many(ID, [KvValue(name, str(n).encode() * 50) for name in names]))
        if n % 4 == 0:
            run(backend.r2.put("files", "edited", [str(n).encode() * 50]))
    done.set()
    for reader in readers:
        reader.join()
    assert len(found) > 20 and None not in found
    values = Path(oracle.state) / "kv" / ID / "blobs"
    run(backend.kv.delete_many(ID, names))
    assert not [path for path in values.iterdir() if path.read_bytes() in (b"0" * 100, b"19" * 50)]


def test_replaced_values_go_at_once_where_no_server_runs_and_a_moment_later_where_one_does(
    tmp_path: Path,
) -> None:
    resource = Resource("kv", naming.KV, str(tmp_path), ID)
    for running in (False, True):
        written = resource.blobs.write([b"old"])
        with Leaving(resource, lambda running=running: running) as replaced:  # type: ignore[misc]
            replaced.add([written.id])
            assert (resource.blobs.read(written.id) is not None) == running
        assert resource.blobs.read(written.id) is None


def test_the_backend_never_waits_for_anything() -> None:
    assert LocalBackend.suspends is False
