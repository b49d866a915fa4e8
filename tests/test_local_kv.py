"""KV beside the real emulator: it writes and we read, we write and it reads, running or not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import apsw
import pytest

from tests.support.emulator import Emulator
from tests.support.local import local_backend, run
from tests.support.oracle import Oracle, OracleError
from workbench.backends.local import LocalBackend, naming
from workbench.model.bindings import Binding
from workbench.model.errors import Cancelled, UsageError, WorkbenchError
from workbench.model.kv import KvKey, KvValue
from workbench.model.progress import Cancel

ID = "cache-namespace"
OTHER = "other-namespace"
FAR = 2_100_000_000
KEYS = [
    "a",
    "B",
    "a/b",
    "a/b/c",
    "Ä",
    "é",
    "e\u0301",
    "日本",
    "🎉",
    "\uffff",
    "z z",
    "%",
    "_",
    "'",
    "\x01",
    "a\nb",
]


@pytest.fixture
def backend(oracle: Oracle) -> LocalBackend:
    return local_backend(oracle.state)


@pytest.fixture
def prefix(oracle: Oracle, request: pytest.FixtureRequest) -> Iterator[str]:
    """A corner of the shared namespace of the test's own, empty again afterwards."""
    mine = f"{request.node.name[:60]}/"
    yield mine
    for name in oracle.kv().names(mine):
        oracle.kv().delete(name)


def test_what_the_worker_wrote_is_read_exactly(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    everything = bytes(range(256)) * 3
    oracle.kv().put(prefix + "plain", b"text")
    oracle.kv().put(prefix + "binary", everything, metadata={"n": 1, "s": "日本", "l": [None, True, 1.5]})
    oracle.kv().put(prefix + "empty", b"", expiration=FAR)
    assert run(backend.kv.get(ID, prefix + "plain")) == KvValue(prefix + "plain", b"text")
    assert run(backend.kv.get(ID, prefix + "binary")) == KvValue(
        prefix + "binary", everything, None, {"n": 1, "s": "日本", "l": [None, True, 1.5]}
    )
    assert run(backend.kv.get(ID, prefix + "empty")) == KvValue(prefix + "empty", b"", FAR)


def test_what_we_write_the_worker_reads_at_once(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    everything = bytes(range(256))
    oracle.kv().put(prefix + "seen", b"before")
    assert oracle.kv().get(prefix + "seen") == b"before"
    run(backend.kv.put(ID, prefix + "seen", everything, FAR, {"v": 2, "ü": ["日本"]}))
    assert oracle.kv().get(prefix + "seen") == everything
    assert oracle.kv().metadata(prefix + "seen") == {"v": 2, "ü": ["日本"]}
    listed = oracle.kv().list(prefix)["keys"]
    assert listed == [{"name": prefix + "seen", "expiration": FAR, "metadata": {"v": 2, "ü": ["日本"]}}]
    run(backend.kv.put(ID, prefix + "seen", b""))
    assert oracle.kv().get(prefix + "seen") == b""
    assert oracle.kv().metadata(prefix + "seen") is None


def test_what_we_write_the_explorer_reads(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    run(backend.kv.put(ID, prefix + "k", b"value", metadata={"from": "us"}))
    base = f"/storage/kv/namespaces/{ID}"
    keys = oracle.emulator.explorer(f"{base}/keys?prefix={quote(prefix, safe='')}")["result"]
    assert [key["name"] for key in keys] == [prefix + "k"]
    assert keys[0]["metadata"] == {"from": "us"}
    assert oracle.emulator.explorer(f"{base}/values/{quote(prefix + 'k', safe='')}") == b"value"


def test_what_we_delete_is_gone_for_the_worker(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    oracle.kv().put(prefix + "a", b"1")
    assert run(backend.kv.delete(ID, prefix + "a")) is True
    assert oracle.kv().get(prefix + "a") is None
    assert run(backend.kv.delete(ID, prefix + "a")) is False
    with pytest.raises(WorkbenchError) as missing:
        run(backend.kv.get(ID, prefix + "a"))
    assert missing.value.code == "kv.key_not_found"


def test_writing_and_deleting_leave_no_value_behind(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    blobs = tmp_path / "v3" / "kv" / "n" / "blobs"
    for value in (b"1", b"2", b"3"):
        run(backend.kv.put("n", "k", value))
        assert len(list(blobs.iterdir())) == 1
    run(backend.kv.delete("n", "k"))
    assert list(blobs.iterdir()) == []


def test_keys_of_any_unicode_come_in_the_emulators_order(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    for index, key in enumerate(KEYS):
        if index % 2:
            oracle.kv().put(prefix + key, key.encode())
        else:
            run(backend.kv.put(ID, prefix + key, key.encode()))
    ours = [key.name for key in run(backend.kv.list(ID, prefix)).items]
    assert ours == list(oracle.kv().names(prefix))
    assert ours == sorted((prefix + key for key in KEYS), key=str.encode)
    for key in KEYS:
        assert oracle.kv().get(prefix + key) == key.encode()
        assert run(backend.kv.get(ID, prefix + key)).value == key.encode()


@pytest.mark.parametrize("part", ["", "a", "a/", "a/b", "%", "_", "é", "e", "\uffff", "🎉", "nothing"])
def test_a_prefix_finds_what_the_emulator_finds(
    oracle: Oracle, backend: LocalBackend, prefix: str, part: str
) -> None:
    run(backend.kv.put_many(ID, [KvValue(prefix + key, b"") for key in KEYS]))
    assert [key.name for key in run(backend.kv.list(ID, prefix + part)).items] == list(
        oracle.kv().names(prefix + part)
    )


def test_pages_and_cursors_are_the_emulators(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    run(backend.kv.put_many(ID, [KvValue(f"{prefix}{n:03d}é", b"") for n in range(25)]))
    ours, cursor, seen = [], None, []
    for _ in range(5):
        page = run(backend.kv.list(ID, prefix, 7, cursor))
        theirs = oracle.kv().list(prefix, limit=7, cursor=cursor)
        ours.append([key.name for key in page.items])
        seen.append([key["name"] for key in theirs["keys"]])
        assert page.cursor == theirs.get("cursor")
        cursor = page.cursor
        if cursor is None:
            break
    assert ours == seen
    assert [len(names) for names in ours] == [7, 7, 7, 4]


def test_a_cursor_goes_on_where_keys_were_written_or_deleted_meanwhile(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put_many("n", [KvValue(f"{n}", b"") for n in range(6)]))
    cursor = run(backend.kv.list("n", "", 3)).cursor
    run(backend.kv.delete("n", "2"))
    run(backend.kv.delete("n", "3"))
    run(backend.kv.put("n", "25", b""))
    assert [key.name for key in run(backend.kv.list("n", "", 3, cursor)).items] == ["25", "4", "5"]


@pytest.mark.parametrize("cursor", ["not base64!", "é", "abcde"])
def test_a_cursor_that_is_none_is_refused(tmp_path: Path, cursor: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        run(local_backend(tmp_path).kv.list("n", cursor=cursor))
    assert refused.value.code == "cursor.not_valid"


def test_a_limit_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run(local_backend(tmp_path).kv.list("n", limit=0))


def _expire(oracle: Oracle, key: str) -> None:
    """Let the past catch up with a key: KV takes no expiration that is near."""
    path = naming.database_path(str(oracle.state.parent), "kv", naming.KV, ID)
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(5000)
    past = int(time.time() * 1000) - 1
    connection.execute("UPDATE _mf_entries SET expiration = ? WHERE key = ?", (past, key))
    connection.close()


def test_an_expired_key_is_not_there_for_us_as_for_the_emulator(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    for name in ("gone", "kept", "folder/gone"):
        oracle.kv().put(prefix + name, b"1", ttl=60)
    _expire(oracle, prefix + "gone")
    _expire(oracle, prefix + "folder/gone")
    assert [key.name for key in run(backend.kv.list(ID, prefix)).items] == [prefix + "kept"]
    assert run(backend.kv.folders(ID, prefix)).prefixes == ()
    assert run(backend.kv.count(ID, prefix)) == 1
    with pytest.raises(WorkbenchError) as missing:
        run(backend.kv.get(ID, prefix + "gone"))
    assert missing.value.code == "kv.key_not_found"
    assert run(backend.kv.delete(ID, prefix + "gone")) is False
    assert oracle.kv().names(prefix) == [prefix + "kept"]
    assert oracle.kv().get(prefix + "folder/gone") is None


def test_an_expiration_we_set_is_the_one_the_worker_sees(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    soon = int(time.time()) + 61
    run(backend.kv.put(ID, prefix + "k", b"", soon))
    assert oracle.kv().list(prefix)["keys"][0]["expiration"] == soon
    oracle.kv().put(prefix + "k", b"", ttl=100)
    ours = run(backend.kv.get(ID, prefix + "k")).expiration
    assert ours == oracle.kv().list(prefix)["keys"][0]["expiration"]


REFUSED = [
    ("", b"", None, None, "kv.bad_key"),
    (".", b"", None, None, "kv.bad_key"),
    ("..", b"", None, None, "kv.bad_key"),
    ("é" * 257, b"", None, None, "kv.key_too_long"),
    ("k", b"", 1, None, "kv.bad_expiration"),
    ("k", b"", -60, None, "kv.bad_expiration"),
    ("k", b"", None, "x" * 1023, "kv.metadata_too_large"),
    ("k", bytes(25 * 1024 * 1024 + 1), None, None, "kv.value_too_large"),
]


@pytest.mark.parametrize(("key", "value", "expiration", "metadata", "code"), REFUSED)
def test_what_the_emulator_refuses_we_refuse(
    oracle: Oracle,
    backend: LocalBackend,
    key: str,
    value: bytes,
    expiration: int | None,
    metadata: object,
    code: str,
) -> None:
    """expiration: seconds from now, or 1 for the past."""
    moment = expiration if expiration in (None, 1) else int(time.time()) - 2 - (expiration or 0)
    with pytest.raises(WorkbenchError) as refused:
        run(backend.kv.put(ID, key, value, moment, metadata))
    assert refused.value.code == code
    if len(value) < 1000:
        with pytest.raises(OracleError):
            oracle.kv().put(key, value, expiration=moment, metadata=metadata)


def test_what_is_just_within_the_limits_is_taken(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    key = (prefix + "é" * 300).encode()[:512].decode("utf-8", "ignore").ljust(512 - 1, "x")
    key = key[: len(key) - (len(key.encode()) - 512)] if len(key.encode()) > 512 else key
    largest = os.urandom(1024) * 1024 * 25
    run(backend.kv.put(ID, key, largest, None, "x" * 1022))
    assert oracle.kv().metadata(key) == "x" * 1022
    status, value = oracle.emulator.request(
        "GET", f"/cdn-cgi/explorer/api/storage/kv/namespaces/{ID}/values/{quote(key, safe='')}"
    )
    assert (status, value) == (200, largest)
    assert run(backend.kv.get(ID, key)).value == largest


def test_a_value_whose_file_is_missing_is_said_to_be(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    before = set((oracle.state / "kv" / ID / "blobs").iterdir())
    run(backend.kv.put(ID, prefix + "k", b"1"))
    (written,) = set((oracle.state / "kv" / ID / "blobs").iterdir()) - before
    written.unlink()
    with pytest.raises(WorkbenchError) as missing:
        run(backend.kv.get(ID, prefix + "k"))
    assert missing.value.code == "kv.value_missing"
    assert oracle.kv().get(prefix + "k") is None
    assert run(backend.kv.delete(ID, prefix + "k")) is True


def test_prefixes_are_folders(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    names = ["a", "a/1", "a/2/x", "b/", "b//c", "ab", "c\U0010ffff/x", "c\U0010ffff/y", "d"]
    run(backend.kv.put_many("n", [KvValue(name, b"") for name in names]))
    top = run(backend.kv.folders("n"))
    assert [key.name for key in top.items] == ["a", "ab", "d"]
    assert top.prefixes == ("a/", "b/", "c\U0010ffff/")
    inside = run(backend.kv.folders("n", "b/"))
    assert [key.name for key in inside.items] == ["b/"]
    assert inside.prefixes == ("b//",)
    found: list[str] = []
    cursor = None
    while True:
        page = run(backend.kv.folders("n", "", 1, cursor))
        found += [*page.prefixes, *(key.name for key in page.items)]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == ["a", "a/", "ab", "b/", "c\U0010ffff/", "d"]


def test_a_key_that_is_not_utf8_is_shown_and_can_be_deleted(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.kv.put("n", "k", b"1", metadata={"a": 1}))
    connection = apsw.Connection(naming.database_path(str(tmp_path), "kv", naming.KV, "n"))
    connection.execute("UPDATE _mf_entries SET key = CAST(x'6bff' AS TEXT), metadata = CAST(x'ff' AS TEXT)")
    connection.close()
    (key,) = run(backend.kv.list("n")).items
    assert key == KvKey("k\udcff", None, "\ufffd")
    assert run(backend.kv.get("n", key.name)).value == b"1"
    assert run(backend.kv.delete("n", key.name)) is True
    with pytest.raises(WorkbenchError):
        run(backend.kv.put("n", key.name, b""))


# --- namespaces


def test_namespaces_are_the_configs_and_those_on_disk(oracle: Oracle) -> None:
    oracle.kv("OTHER").put("x", b"1")
    bound = Binding("CACHE", "kv", ID, None, "oracle")
    unused = Binding("NEW", "kv", "never-used", None, "oracle")
    remote = Binding("LIVE", "kv", "remote-id", None, "oracle", mode="remote")
    found = run(local_backend(oracle.state, bound, unused, remote).kv.namespaces())
    assert [(one.id, one.name, one.binding) for one in found] == [
        (ID, "CACHE", "CACHE"),
        ("never-used", "NEW", "NEW"),
        (OTHER, OTHER, None),
    ]
    assert run(local_backend(oracle.state, unused).kv.list("never-used")).items == []


ODD_IDS = ["a/b:c", "..", "con", " lead", "日本 🎉", 'q"<>|*?', "x" * 300]
ODD_WORKER = """
export default {
  async fetch(request, env) {
    const { binding, put, key } = await request.json();
    if (put !== undefined) await env[binding].put(key, put);
    return Response.json(await env[binding].get(key));
  }
}
"""


def test_namespaces_with_odd_ids_lie_where_the_emulator_looks(emulator_install: Path, tmp_path: Path) -> None:
    import json

    config = {
        "name": "odd",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "kv_namespaces": [{"binding": f"N{n}", "id": id} for n, id in enumerate(ODD_IDS)],
    }
    (tmp_path / "index.js").write_text(ODD_WORKER)
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    with Emulator.start(tmp_path) as emulator:
        backend = local_backend(emulator.state)

        def ask(**question: object) -> object:
            return json.loads(emulator.request("POST", "/", json.dumps(question).encode())[1])

        for n, id in enumerate(ODD_IDS):
            assert ask(binding=f"N{n}", put="theirs", key="theirs") == "theirs"
            assert run(backend.kv.get(id, "theirs")).value == b"theirs"
            run(backend.kv.put(id, "ours", b"ours"))
            assert ask(binding=f"N{n}", key="ours") == "ours"
        found = {one.id for one in run(backend.kv.namespaces())}
        plain = {"日本 🎉"}
        assert plain < found
        # Where the folder's name does not give the id away, the database's own id stands for it.
        nameless = {naming.id_from_name(naming.KV, id) for id in ODD_IDS} & found
        assert len(nameless) == len(ODD_IDS) - len(plain)
        for id in nameless:
            assert run(backend.kv.get(id, "theirs")).value == b"theirs"
            with pytest.raises(WorkbenchError) as refused:
                run(backend.kv.put(id, "k", b""))
            assert refused.value.code == "state.nameless"
            assert run(backend.kv.delete(id, "ours")) is True


def test_a_namespace_we_made_is_one_to_the_emulator(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    backend = local_backend(state)
    run(backend.kv.put(ID, "before", b"offline", FAR, {"a": 1}))
    oracle = oracle_factory(state)
    assert oracle.kv().get("before") == b"offline"
    assert oracle.kv().metadata("before") == {"a": 1}
    run(backend.kv.put(OTHER, "while", b"running"))
    assert oracle.kv("OTHER").get("while") == b"running"
    oracle.kv("OTHER").put("theirs", b"too")
    oracle.stop()
    assert run(backend.kv.get(OTHER, "theirs")).value == b"too"
    run(backend.kv.put(OTHER, "theirs", b"changed"))
    oracle.emulator.run()
    assert oracle.kv("OTHER").get("theirs") == b"changed"


# --- many at once, and starting over


def test_many_are_written_and_deleted_while_the_server_runs(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    told: list[tuple[int, int | None]] = []
    entries = [KvValue(f"{prefix}{n}", str(n).encode(), metadata=n) for n in range(60)]
    assert run(backend.kv.put_many(ID, entries, lambda done, total: told.append((done, total)))) == 60
    assert told == [(25, 60), (50, 60), (60, 60)]
    assert len(oracle.kv().names(prefix)) == 60
    assert oracle.kv().get(prefix + "59") == b"59"
    gone = run(backend.kv.delete_many(ID, [f"{prefix}{n}" for n in range(10, 70)]))
    assert gone == 50
    assert len(oracle.kv().names(prefix)) == 10


def test_many_stopped_midway_go_on_when_done_again(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    cancel = Cancel()
    entries = [KvValue(f"{prefix}{n:02d}", b"") for n in range(60)]
    with pytest.raises(Cancelled):
        run(backend.kv.put_many(ID, entries, lambda done, total: cancel.cancel(), cancel))
    assert [key.name for key in run(backend.kv.list(ID, prefix)).items] == [e.name for e in entries[:25]]
    assert run(backend.kv.put_many(ID, entries)) == 60
    assert list(oracle.kv().names(prefix)) == [entry.name for entry in entries]


def test_one_bad_entry_among_many_is_told_before_anything_is_written(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    with pytest.raises(WorkbenchError):
        run(backend.kv.put_many("n", [KvValue("good", b""), KvValue("", b"")]))
    assert run(backend.kv.list("n")).items == []


def test_a_namespace_is_emptied_in_place_while_a_server_runs(oracle_factory: Callable[..., Oracle]) -> None:
    oracle = oracle_factory()
    backend = local_backend(oracle.state)
    for name in ("a", "b"):
        oracle.kv().put(name, b"1")
    run(backend.kv.put_many(ID, [KvValue(f"k{n}", b"") for n in range(250)]))
    plan = run(backend.kv.delete_namespace(ID, dry_run=True))
    assert plan.dry_run and plan.total == 252 and plan.removed[:2] == ["key a", "key b"]
    assert len(oracle.kv().names()) == 252
    assert run(backend.kv.delete_namespace(ID)).total == 252
    assert oracle.kv().names() == []
    assert list((oracle.state / "kv" / ID / "blobs").iterdir()) == []
    oracle.kv().put("new", b"2")
    assert run(backend.kv.get(ID, "new")).value == b"2"
    oracle.stop()
    gone = run(backend.kv.delete_namespace(ID))
    assert any(line.endswith(".sqlite") for line in gone.removed) and "key new" in gone.removed
    assert not (oracle.state / "kv" / ID).exists()
    assert not any(naming.id_from_name(naming.KV, ID) in p.name for p in (oracle.state / "kv").rglob("*"))
    oracle.emulator.run()
    assert oracle.kv().names() == []
    oracle.kv().put("again", b"3")
    assert run(backend.kv.get(ID, "again")).value == b"3"


# --- a namespace of any size


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> LocalBackend:
    """A namespace of 200,000 keys in a thousand folders."""
    state = tmp_path_factory.mktemp("large")
    backend = local_backend(state)
    run(backend.kv.put("n", "a", b""))
    connection = apsw.Connection(naming.database_path(str(state), "kv", naming.KV, "n"))
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO _mf_entries VALUES (?, 'x', ?, ?)",
        (
            (f"user/{n % 1000:04}/{n:06}", FAR * 1000 if n % 7 else None, f'{{"n":{n}}}')
            for n in range(200_000)
        ),
    )
    connection.execute("COMMIT")
    connection.close()
    return backend


def _steps_of(backend: LocalBackend, call: Callable[[], object]) -> int:
    """How much SQLite did for a call: its virtual machine's steps, in all statements of the call."""
    from workbench.backends.local import database

    original = database._reading
    counts: list[list[int]] = []

    def watched(path: str) -> apsw.Connection:
        connection = original(path)
        steps = [0]

        def step() -> bool:
            steps[0] += 1
            return False

        connection.set_progress_handler(step, 10)
        counts.append(steps)
        return connection

    database._reading = watched
    try:
        call()
    finally:
        database._reading = original
    return sum(steps[0] for steps in counts) * 10


def test_a_jump_into_a_large_namespace_costs_what_is_shown(large: LocalBackend) -> None:
    jump = _steps_of(large, lambda: run(large.kv.list("n", "user/0700/", 100)))
    first = _steps_of(large, lambda: run(large.kv.list("n", "", 100)))
    folders = _steps_of(large, lambda: run(large.kv.folders("n")))
    assert jump < 5000 and first < 5000 and folders < 1000
    assert len(run(large.kv.list("n", "user/0700/", 1000)).items) == 200
    assert run(large.kv.folders("n")).prefixes == ("user/",)
    assert len(run(large.kv.folders("n", "user/")).prefixes) == 1000
    assert run(large.kv.count("n")) == 200_001
    assert run(large.kv.count("n", "user/0001/")) == 200


def test_a_page_of_a_large_namespace_stays_small_in_memory(large: LocalBackend) -> None:
    import tracemalloc

    tracemalloc.start()
    run(large.kv.list("n", "user/", 1000))
    run(large.kv.folders("n", "user/"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20
