"""What must hold whatever happens: killed, out of disk, not allowed, damaged. Old value or new, never neither; a look changes nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from tests.support.local import WITHOUT_PRIVILEGES, in_child, local_backend, run
from tests.support.oracle import Oracle
from workbench.backends.local import LocalBackend, database, naming
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue

ID = "cache-namespace"


def _database(state: Path, name: str = ID) -> Path:
    return Path(naming.database_path(str(state), "kv", naming.KV, name))


def _looks(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file's size and time of change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- a look


def _look_at_everything(backend: LocalBackend) -> None:
    run(backend.kv.namespaces())
    run(backend.kv.list(ID))
    run(backend.kv.folders(ID))
    run(backend.kv.count(ID))
    for key in run(backend.kv.list(ID)).items:
        run(backend.kv.get(ID, key.name))
    run(backend.kv.delete_namespace(ID, dry_run=True))
    run(backend.r2.buckets())
    for one in run(backend.r2.list("files")).items:
        b"".join(run(backend.r2.get("files", one.key)).chunks)
    run(backend.r2.uploads("files"))
    run(backend.r2.delete_bucket("files", dry_run=True))


def test_a_look_at_state_at_rest_changes_nothing(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put(ID, "k", b"1"))
    run(backend.r2.put("files", "k", [b"1"]))
    before = _looks(tmp_path)
    _look_at_everything(backend)
    assert _looks(tmp_path) == before


def test_a_look_at_what_a_killed_server_left_changes_nothing_but_its_shared_memory(
    oracle_factory: Callable[..., Oracle],
) -> None:
    oracle = oracle_factory()
    backend = local_backend(oracle.state)
    oracle.kv().put("k", b"1")
    oracle.r2().put("k", b"1")
    oracle.kill()
    before = _looks(oracle.state)
    assert before[str(_database(oracle.state.parent).relative_to(oracle.state)) + "-wal"][0] > 0
    _look_at_everything(backend)
    assert run(backend.kv.get(ID, "k")).value == b"1"
    after = _looks(oracle.state)
    ignored = {name for name in before if name.endswith("-shm")}
    assert {n: v for n, v in after.items() if n not in ignored} == {
        n: v for n, v in before.items() if n not in ignored
    }


def test_a_look_into_an_empty_folder_makes_nothing(tmp_path: Path) -> None:
    backend = local_backend(tmp_path / "state")
    run(backend.kv.namespaces())
    assert run(backend.kv.list(ID)).items == []
    assert run(backend.kv.delete(ID, "k")) is False
    assert run(backend.r2.list("files")).items == []
    assert run(backend.r2.delete("files", "k")) is False
    assert list(tmp_path.iterdir()) == []


def test_reading_cannot_write(tmp_path: Path) -> None:
    run(local_backend(tmp_path).kv.put(ID, "k", b"1"))
    with database.read(str(_database(tmp_path))) as connection, pytest.raises(apsw.Error):
        connection.execute("DELETE FROM _mf_entries")


def test_a_reader_sees_one_moment_and_waits_for_no_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 0)  # so that whatever waits is an error
    backend = local_backend(tmp_path)
    run(backend.kv.put(ID, "k", b"1"))
    with database.write(str(_database(tmp_path))) as writing:
        writing.execute("DELETE FROM _mf_entries")
        assert run(backend.kv.get(ID, "k")).value == b"1"
    with pytest.raises(WorkbenchError):
        run(backend.kv.get(ID, "k"))


def test_a_transaction_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    run(local_backend(tmp_path).kv.put(ID, "k", b"1"))
    with suppress(RuntimeError), database.write(str(_database(tmp_path))) as connection:
        connection.execute("DELETE FROM _mf_entries")
        raise RuntimeError
    assert run(local_backend(tmp_path).kv.get(ID, "k")).value == b"1"


def test_a_journal_mode_that_is_not_ours_is_kept(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put(ID, "k", b"1"))
    connection = apsw.Connection(str(_database(tmp_path)))
    assert connection.pragma("journal_mode") == "wal"
    connection.pragma("journal_mode", "delete")
    connection.close()
    run(backend.kv.put(ID, "k", b"2"))
    with database.read(str(_database(tmp_path))) as reading:
        assert reading.pragma("journal_mode") == "delete"


# --- killed

WRITING = """
import itertools, os, sys
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.model.kv import KvValue
from workbench.operations.executor import drive
state = sys.argv[1]
backend = LocalBackend(Project(state, (), state))
print("ready", flush=True)
for n in itertools.count():
    value = str(n).encode() * 2000
    drive(backend.kv.put("cache-namespace", "kill/one", value, metadata=n))
    drive(backend.kv.put_many("cache-namespace", [KvValue(f"kill/{i}", value, None, n) for i in range(20)]))
    drive(backend.r2.put("files", "kill", [value], {}, {"n": str(n)}))
    drive(backend.kv.delete("cache-namespace", "kill/other"))
    drive(backend.kv.put("cache-namespace", "kill/other", value, metadata=n))
"""


def _write_and_be_killed(state: Path, seconds: float) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITING, str(state)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def _nothing_is_neither(state: Path, backend: LocalBackend) -> dict[str, bytes]:
    """Every row has its value, whole, and of the same moment as the row; what was read."""
    found = {}
    for key in run(backend.kv.list(ID, "kill/")).items:
        value = run(backend.kv.get(ID, key.name)).value
        assert value == str(key.metadata).encode() * 2000
        found[key.name] = value
    for one in run(backend.r2.list("files", "kill")).items:
        body = b"".join(run(backend.r2.get("files", one.key)).chunks)
        assert body == one.custom_metadata["n"].encode() * 2000
        found["r2"] = body
    for product, unique_key, name in (("kv", naming.KV, ID), ("r2", naming.R2, "files")):
        with database.read(naming.database_path(str(state), product, unique_key, name)) as connection:
            assert connection.pragma("integrity_check") == "ok"
    return found


@pytest.mark.parametrize("running", [False, True], ids=["server stopped", "server running"])
def test_killed_while_writing_there_is_the_old_value_or_the_new(
    oracle_factory: Callable[..., Oracle], running: bool
) -> None:
    oracle = oracle_factory()
    state = oracle.state.parent
    backend = local_backend(state)
    for name in ("kill/one", "kill/other"):
        run(backend.kv.put(ID, name, b"0" * 2000, metadata=0))
    run(backend.r2.put("files", "before", [b"the bucket is there"]))
    if not running:
        oracle.stop()
    chance = random.Random(3)
    found = {}
    for _ in range(12):
        _write_and_be_killed(state, chance.uniform(0.02, 0.25))
        found = _nothing_is_neither(state, backend)
        assert "kill/one" in found
        if running:
            assert oracle.kv().get("kill/one") == found["kill/one"]
    if not running:
        oracle.emulator.run()
    for name, value in found.items():
        if name == "r2":
            theirs = oracle.r2().get("kill")
            assert theirs is not None and theirs["value"] == value
        else:
            assert oracle.kv().get(name) == value
    oracle.kv().put("kill/one", b"and it writes")
    assert run(backend.kv.get(ID, "kill/one")).value == b"and it writes"


# --- not enough room, not allowed

TOO_LARGE = """
import json, resource, signal, sys
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.operations.executor import drive
state = sys.argv[1]
backend = LocalBackend(Project(state, (), state))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
said = []
def tried(coroutine):
    try:
        drive(coroutine)
        said.append("done")
    except WorkbenchError as error:
        said.append(error.code)
tried(backend.kv.put("cache-namespace", "k", bytes(1 << 20)))
tried(backend.r2.put("files", "k", [bytes(1 << 20)]))
tried(backend.kv.put_many("cache-namespace", [KvValue(f"many/{i}", b"x" * 10, None, "m" * 900) for i in range(500)]))
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="not on this machine: limits of a process")
def test_without_room_the_old_value_stays_and_nothing_is_left_over(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put(ID, "k", b"old"))
    run(backend.r2.put("files", "k", [b"old"]))
    said = in_child(TOO_LARGE, tmp_path, 100_000)
    assert said == ["state.write_failed"] * 3
    assert run(backend.kv.get(ID, "k")).value == b"old"
    assert [key.name for key in run(backend.kv.list(ID)).items] == ["k"]
    assert b"".join(run(backend.r2.get("files", "k")).chunks) == b"old"
    assert len(list((tmp_path / "v3" / "kv" / ID / "blobs").iterdir())) == 1
    assert len(list((tmp_path / "v3" / "r2" / "files" / "blobs").iterdir())) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB; it takes root."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_to_be_full(small_disk: Path) -> None:
    backend = local_backend(small_disk)
    run(backend.kv.put(ID, "k", b"old"))
    for attempt in (
        backend.kv.put(ID, "k", bytes(2 << 20)),
        backend.r2.put("files", "k", [bytes(2 << 20)]),
        backend.kv.put_many(ID, [KvValue(f"{n}", bytes(100_000)) for n in range(30)]),
    ):
        with pytest.raises(WorkbenchError) as full:
            run(attempt)
        assert full.value.code == "state.disk_full"
        assert run(backend.kv.get(ID, "k")).value == b"old"
    assert len(list((small_disk / "v3" / "kv" / ID / "blobs").iterdir())) == 1
    run(backend.kv.put(ID, "k", b"new"))
    assert run(backend.kv.get(ID, "k")).value == b"new"


LOOKING = (
    WITHOUT_PRIVILEGES
    + """
import json, sys
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.operations.executor import drive
state = sys.argv[1]
backend = LocalBackend(Project(state, (), state))
value = drive(backend.kv.get("cache-namespace", "k")).value.decode()
names = [key.name for key in drive(backend.kv.list("cache-namespace")).items]
codes = []
for attempt in (
    backend.kv.put("cache-namespace", "k", b"2"),
    backend.kv.delete("cache-namespace", "k"),
    backend.kv.put("new", "k", b"2"),
    backend.r2.put("files", "k", [b"2"]),
    backend.kv.delete_namespace("cache-namespace"),
):
    try:
        drive(attempt)
    except WorkbenchError as error:
        codes.append(error.code)
print(json.dumps([value, names, codes]))
"""
)


def _as_reader(folder: Path) -> list[object]:
    """What somebody gets to see who may read everything below and write nothing."""
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        return list(in_child(LOOKING, folder))
    finally:
        for path in everything:
            path.chmod(0o755)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") and os.geteuid() == 0,
    reason="not on this machine: root may write anywhere",
)
@pytest.mark.parametrize("left", ["at rest", "with a log", "with a log and no shared memory"])
def test_a_folder_that_may_only_be_read_is_read(tmp_path: Path, left: str) -> None:
    readable = tmp_path / "state"
    backend = local_backend(readable)
    run(backend.kv.put(ID, "k", b"1"))
    keeping = apsw.Connection(str(_database(readable)))
    if left != "at rest":
        # Somebody has it open, so what we write stays in the log; then that somebody is gone.
        keeping.execute("SELECT * FROM _mf_entries").fetchall()
        run(backend.kv.put(ID, "in the log", b"2"))
        copies = readable.parent / (readable.name + "-copy")
        shutil.copytree(readable, copies)
        keeping.close()
        shutil.rmtree(readable)
        copies.rename(readable)
        assert _database(readable).with_name(_database(readable).name + "-wal").stat().st_size > 0
        if left == "with a log and no shared memory":
            _database(readable).with_name(_database(readable).name + "-shm").unlink()
    keeping.close()
    before = _looks(readable)
    value, names, codes = _as_reader(readable)
    assert value == "1"
    assert names == (["k"] if left == "at rest" else ["in the log", "k"])
    assert codes == ["state.read_only"] * 5
    assert _looks(readable) == before


PEEKING = (
    LOOKING[: LOOKING.index("state = ")]
    + """
backend = LocalBackend(Project(sys.argv[1], (), sys.argv[1]))
print(json.dumps(drive(backend.kv.get("cache-namespace", "k")).value.decode()))
"""
)


def test_a_look_at_a_file_that_may_not_be_written_leaves_nothing_beside_it(tmp_path: Path) -> None:
    run(local_backend(tmp_path).kv.put(ID, "k", b"1"))
    _database(tmp_path).chmod(0o444)
    before = _looks(tmp_path)
    assert in_child(PEEKING, tmp_path) == "1"
    assert _looks(tmp_path) == before


HIDDEN = (
    LOOKING[: LOOKING.index("state = ")]
    + """
backend = LocalBackend(Project(sys.argv[1], (), sys.argv[1]))
codes = []
drive(backend.kv.namespaces())
for attempt in (backend.kv.list("cache-namespace"), backend.kv.put("cache-namespace", "k", b"2")):
    try:
        drive(attempt)
    except WorkbenchError as error:
        codes.append(error.code)
print(json.dumps(codes))
"""
)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_said_to_be_so(tmp_path: Path, what: str) -> None:
    run(local_backend(tmp_path).kv.put(ID, "k", b"1"))
    hidden = _database(tmp_path) if what == "file" else _database(tmp_path).parent
    hidden.chmod(0)
    try:
        assert in_child(HIDDEN, tmp_path) == ["state.unreadable"] * 2
    finally:
        hidden.chmod(0o755)


# --- damaged, foreign, newer


def _others_still_work(backend: LocalBackend) -> None:
    assert run(backend.kv.get("healthy", "k")).value == b"1"
    run(backend.kv.put("healthy", "k", b"1"))
    assert "healthy" in [one.id for one in run(backend.kv.namespaces())]
    assert run(backend.r2.list("files")).items == []


def _spoil(tmp_path: Path, how: Callable[[Path], None]) -> LocalBackend:
    backend = local_backend(tmp_path)
    run(backend.kv.put("healthy", "k", b"1"))
    run(backend.kv.put_many(ID, [KvValue(f"{n:04}", b"", None, "m" * 500) for n in range(100)]))
    how(_database(tmp_path))
    return backend


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def _overwrite(path: Path) -> None:
    path.write_bytes(b"this is a letter to my aunt\n" * 500)


def _scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def _another_schema(path: Path) -> None:
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE photos (id INTEGER PRIMARY KEY)")
    connection.close()


def _newer_schema(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("ALTER TABLE _mf_entries RENAME COLUMN blob_id TO chunk_ids")
    connection.execute("ALTER TABLE _mf_entries RENAME COLUMN metadata TO tags")
    connection.close()


def _newer_file_format(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[18:20] = b"\x03\x03"
    path.write_bytes(bytes(data))


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILED: list[tuple[Callable[[Path], None], str]] = [
    (_truncate, "state.truncated"),
    (_overwrite, "state.not_a_database"),
    (_scribble, "state.damaged"),
    (_another_schema, "state.newer"),
    (_newer_schema, "state.newer"),
    (_newer_file_format, "state.not_a_database"),
]


@pytest.mark.parametrize(("how", "code"), SPOILED, ids=[how.__name__.strip("_") for how, _ in SPOILED])
def test_a_spoiled_database_is_named_and_all_others_work(
    tmp_path: Path, how: Callable[[Path], None], code: str
) -> None:
    backend = _spoil(tmp_path, how)
    before = _database(tmp_path).read_bytes()
    attempts = (
        lambda: run(backend.kv.list(ID)),
        lambda: run(backend.kv.get(ID, "0050")),
        lambda: run(backend.kv.put(ID, "k", b"2")),
        lambda: run(backend.kv.delete(ID, "0050")),
    )
    for attempt in attempts:
        with pytest.raises(WorkbenchError) as spoiled:
            attempt()
        assert spoiled.value.code == code
        assert str(_database(tmp_path)) in spoiled.value.message
        assert spoiled.value.hint
    assert _database(tmp_path).read_bytes() == before
    _others_still_work(backend)
    run(backend.kv.delete_namespace(ID))
    assert run(backend.kv.list(ID)).items == []


def test_a_folder_in_a_databases_place_is_named(tmp_path: Path) -> None:
    backend = _spoil(tmp_path, _a_folder)
    with pytest.raises(WorkbenchError) as spoiled:
        run(backend.kv.put(ID, "k", b"2"))
    assert spoiled.value.code == "state.not_a_database"
    _others_still_work(backend)


def test_an_empty_file_is_an_empty_namespace(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    _database(tmp_path).parent.mkdir(parents=True)
    _database(tmp_path).touch()
    assert run(backend.kv.list(ID)).items == []
    run(backend.kv.put(ID, "k", b"1"))
    assert run(backend.kv.get(ID, "k")).value == b"1"


def test_an_id_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    (tmp_path / "secret").write_text("x")
    run(backend.kv.put(ID, "k", b"1"))
    with database.write(str(_database(tmp_path))) as connection:
        connection.execute("UPDATE _mf_entries SET blob_id = '../../../../secret'")
    with pytest.raises(WorkbenchError) as refused:
        run(backend.kv.get(ID, "k"))
    assert refused.value.code == "state.damaged"
    assert run(backend.kv.delete(ID, "k")) is True
    assert (tmp_path / "secret").exists()
