"""R2 beside the real emulator: it writes and we read, we write and it reads, running or not."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.support.local import in_child, local_backend, run
from tests.support.oracle import Oracle, OracleError
from workbench.backends.local import LocalBackend, naming
from workbench.model.bindings import Binding
from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.r2 import R2Body

BUCKET = "files"
PART = 5 * 1024 * 1024
HTTP = {
    "contentType": "text/html; charset=utf-8",
    "contentLanguage": "de",
    "contentDisposition": 'attachment; filename="ü.html"',
    "contentEncoding": "identity",
    "cacheControl": "max-age=60",
    "cacheExpiry": "2037-01-01T00:00:00.000Z",
}


@pytest.fixture
def backend(oracle: Oracle) -> LocalBackend:
    return local_backend(oracle.state)


@pytest.fixture
def prefix(oracle: Oracle, request: pytest.FixtureRequest) -> Iterator[str]:
    """A corner of the shared bucket of the test's own, empty again afterwards."""
    mine = f"{request.node.name[:60]}/"
    yield mine
    for one in _all(oracle, prefix=mine):
        oracle.r2().delete(one)


def _all(oracle: Oracle, **options: Any) -> list[str]:
    names: list[str] = []
    while True:
        page = oracle.r2().list(**options)
        names += [one["key"] for one in page["objects"]]
        if not page["truncated"]:
            return names
        options["cursor"] = page["cursor"]


def _bytes(body: R2Body) -> bytes:
    return b"".join(body.chunks)


def _row(oracle: Oracle, key: str) -> dict[str, Any]:
    path = naming.database_path(str(oracle.state.parent), "r2", naming.R2, BUCKET)
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    cursor = connection.execute("SELECT * FROM _mf_objects WHERE key = ?", (key,))
    names = [column[0] for column in cursor.get_description()]
    row = dict(zip(names, cursor.fetchone(), strict=True))
    connection.close()
    return row


def test_what_the_worker_wrote_is_read_exactly(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    data = bytes(range(256)) * 9
    theirs = oracle.r2().put(
        prefix + "a",
        data,
        httpMetadata=HTTP | {"contentDisposition": "inline"},
        customMetadata={"naïve": "日本", "b": ""},
        sha256=hashlib.sha256(data).hexdigest(),
    )
    body = run(backend.r2.get(BUCKET, prefix + "a"))
    ours = body.object
    assert _bytes(body) == data
    assert (ours.key, ours.size, ours.etag, ours.version) == (
        prefix + "a",
        len(data),
        theirs["etag"],
        theirs["version"],
    )
    assert ours.uploaded == theirs["uploaded"]
    assert ours.http_metadata == HTTP | {"contentDisposition": "inline"}
    assert ours.custom_metadata == {"naïve": "日本", "b": ""}
    assert ours.checksums == {
        "md5": hashlib.md5(data).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert run(backend.r2.head(BUCKET, prefix + "a")) == ours


def test_what_we_write_the_worker_reads_at_once(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    oracle.r2().put(prefix + "a", b"before", customMetadata={"old": "1"})
    data = os.urandom(100_000)
    pieces = (data[at : at + 777] for at in range(0, len(data), 777))
    ours = run(backend.r2.put(BUCKET, prefix + "a", pieces, HTTP, {"naïve": "日本", "b": ""}))
    theirs = oracle.r2().get(prefix + "a")
    assert theirs is not None
    assert theirs["value"] == data
    assert theirs["httpMetadata"] == HTTP
    assert theirs["customMetadata"] == {"naïve": "日本", "b": ""}
    assert (theirs["size"], theirs["etag"], theirs["version"]) == (len(data), ours.etag, ours.version)
    assert theirs["uploaded"] == ours.uploaded
    assert theirs["checksums"]["md5"] == hashlib.md5(data).hexdigest() == ours.etag
    assert run(backend.r2.head(BUCKET, prefix + "a")) == ours
    base = f"/cdn-cgi/explorer/api/r2/buckets/{BUCKET}/objects/"
    from urllib.parse import quote

    assert oracle.emulator.request("GET", base + quote(prefix + "a", safe="")) == (200, data)


def test_the_rows_we_write_are_the_emulators(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    oracle.r2().put(prefix + "theirs", b"same", httpMetadata=HTTP, customMetadata={"z": "ü", "a": "1"})
    run(backend.r2.put(BUCKET, prefix + "ours", [b"same"], HTTP, {"z": "ü", "a": "1"}))
    theirs, ours = _row(oracle, prefix + "theirs"), _row(oracle, prefix + "ours")
    for name in ("size", "etag", "checksums", "http_metadata", "custom_metadata"):
        assert ours[name] == theirs[name], name
    for name, shape in (("version", r"[0-9a-f]{32}"), ("blob_id", r"[0-9a-f]{80}")):
        assert re.fullmatch(shape, theirs[name]) and re.fullmatch(shape, ours[name])
    assert 0 <= ours["uploaded"] - theirs["uploaded"] < 60_000
    files = oracle.state / "r2" / BUCKET / "blobs"
    assert (files / ours["blob_id"]).stat().st_mode == (files / theirs["blob_id"]).stat().st_mode


def test_an_object_replaced_or_deleted_leaves_no_file_behind(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    files = tmp_path / "v3" / "r2" / "b" / "blobs"
    for data in (b"1", b"", b"3"):
        run(backend.r2.put("b", "k", [data]))
        assert len(list(files.iterdir())) == 1
    assert run(backend.r2.delete("b", "k")) is True
    assert run(backend.r2.delete("b", "k")) is False
    assert list(files.iterdir()) == []


RANGES = [(0, None), (0, 10), (90, None), (90, 100), (50, 1), (99, 1), (100, None)]


@pytest.mark.parametrize(("offset", "length"), RANGES)
def test_a_range_is_the_workers(
    oracle: Oracle, backend: LocalBackend, prefix: str, offset: int, length: int | None
) -> None:
    data = bytes(range(100))
    oracle.r2().put(prefix + "a", data)
    body = run(backend.r2.get(BUCKET, prefix + "a", offset, length))
    assert _bytes(body) == data[offset : None if length is None else offset + length]
    if offset < 100:
        wanted = {"offset": offset} | ({} if length is None else {"length": length})
        theirs = oracle.r2().get(prefix + "a", range=wanted)
        assert theirs is not None
        assert (theirs["range"]["offset"], theirs["range"]["length"]) == (body.offset, body.length)


@pytest.mark.parametrize(("offset", "length"), [(101, None), (-1, None), (0, -1)])
def test_a_range_outside_is_refused(tmp_path: Path, offset: int, length: int | None) -> None:
    backend = local_backend(tmp_path)
    run(backend.r2.put("b", "k", [bytes(100)]))
    with pytest.raises(WorkbenchError) as refused:
        run(backend.r2.get("b", "k", offset, length))
    assert refused.value.code == "r2.bad_range"


def test_an_object_that_is_not_there_is_said_so(oracle: Oracle, backend: LocalBackend) -> None:
    for asked in (backend.r2.get(BUCKET, "nowhere"), backend.r2.head("no-bucket", "nowhere")):
        with pytest.raises(WorkbenchError) as missing:
            run(asked)
        assert missing.value.code == "r2.object_not_found"


# --- lists

KEYS = ["a", "a/1", "a/2/x", "a/2/y", "b/", "b//c", "ab", "é/x", "é/y", "日本", "zz/1", "zz/2", "zzz"]


@pytest.fixture(scope="module")
def filled(oracle: Oracle) -> Iterator[str]:
    for key in KEYS:
        oracle.r2().put(f"lists/{key}", key.encode(), customMetadata={"key": key})
    yield "lists/"
    oracle.r2().delete(*(f"lists/{key}" for key in KEYS))


@pytest.mark.parametrize("delimiter", ["", "/", "//", "2", "é/", "z"])
@pytest.mark.parametrize("under", ["", "a", "a/", "b/", "é", "zz/", "nothing"])
def test_lists_are_the_emulators(
    oracle: Oracle, backend: LocalBackend, filled: str, under: str, delimiter: str
) -> None:
    options = {"prefix": filled + under} | ({"delimiter": delimiter} if delimiter else {})
    theirs = oracle.r2().list(**options)
    ours = run(backend.r2.list(BUCKET, filled + under, delimiter))
    assert [one.key for one in ours.items] == [one["key"] for one in theirs["objects"]]
    assert list(ours.prefixes) == theirs["delimitedPrefixes"]
    assert ours.cursor is None and not theirs["truncated"]


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_and_cursors_are_the_emulators(
    oracle: Oracle, backend: LocalBackend, filled: str, limit: int, delimiter: str
) -> None:
    cursor = None
    for _ in range(len(KEYS) + 1):
        options: dict[str, Any] = {"prefix": filled, "limit": limit}
        options |= {"delimiter": delimiter} if delimiter else {}
        theirs = oracle.r2().list(**options | ({"cursor": cursor} if cursor else {}))
        ours = run(backend.r2.list(BUCKET, filled, delimiter, limit, cursor))
        assert [one.key for one in ours.items] == [one["key"] for one in theirs["objects"]]
        assert list(ours.prefixes) == theirs["delimitedPrefixes"]
        assert ours.cursor == theirs.get("cursor")
        cursor = ours.cursor
        if cursor is None:
            return
    pytest.fail("the list does not end")


# --- uploads in parts


def _uploaded_in_parts(oracle: Oracle, key: str, *sizes: int) -> bytes:
    data = [os.urandom(1024) * (size // 1024) + bytes(size % 1024) for size in sizes]
    bucket = oracle.r2()
    upload = bucket.create_upload(
        key, httpMetadata={"contentType": "text/csv"}, customMetadata={"rows": "12"}
    )
    parts = [bucket.upload_part(key, upload, number, piece) for number, piece in enumerate(data, 1)]
    bucket.complete_upload(key, upload, parts)
    return b"".join(data)


def test_an_object_uploaded_in_parts_is_read_whole_and_in_ranges(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    data = _uploaded_in_parts(oracle, prefix + "m", PART, PART, 1000)
    body = run(backend.r2.get(BUCKET, prefix + "m"))
    theirs = oracle.r2().head(prefix + "m")
    assert theirs is not None
    assert body.object.etag == theirs["etag"] and body.object.etag.endswith("-3")
    assert body.object.http_metadata == {"contentType": "text/csv"}
    assert body.object.custom_metadata == {"rows": "12"}
    assert body.object.checksums == {}
    chunks = list(body.chunks)
    assert max(map(len, chunks)) <= 1 << 20
    assert b"".join(chunks) == data
    for offset, length in [(PART - 3, 6), (0, PART), (PART, PART), (2 * PART, None), (PART - 1, PART + 2)]:
        found = _bytes(run(backend.r2.get(BUCKET, prefix + "m", offset, length)))
        assert found == data[offset : None if length is None else offset + length]


def test_an_object_uploaded_in_parts_is_replaced_and_deleted_with_its_parts(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    files = oracle.state / "r2" / BUCKET / "blobs"
    before = set(files.iterdir())
    for finish in (
        lambda: run(backend.r2.put(BUCKET, prefix + "m", [b"whole"])),
        lambda: run(backend.r2.delete(BUCKET, prefix + "m")),
    ):
        _uploaded_in_parts(oracle, prefix + "m", PART, 10)
        finish()
        found = oracle.r2().get(prefix + "m")
        assert found is None or found["value"] == b"whole"
        oracle.r2().delete(prefix + "m")
        assert set(files.iterdir()) == before


def test_pending_uploads_are_listed_and_aborted(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    files = oracle.state / "r2" / BUCKET / "blobs"
    before = set(files.iterdir()) if files.exists() else set()
    bucket = oracle.r2()
    upload = bucket.create_upload(
        prefix + "p", httpMetadata={"contentType": "a/b"}, customMetadata={"c": "d"}
    )
    bucket.upload_part(prefix + "p", upload, 1, b"12345")
    bucket.upload_part(prefix + "p", upload, 3, b"123")
    empty = bucket.create_upload(prefix + "q")
    mine = [one for one in run(backend.r2.uploads(BUCKET)).items if one.key.startswith(prefix)]
    assert [(one.key, one.upload_id, one.parts, one.size) for one in mine] == [
        (prefix + "p", upload, 2, 8),
        (prefix + "q", empty, 0, 0),
    ]
    assert mine[0].http_metadata == {"contentType": "a/b"} and mine[0].custom_metadata == {"c": "d"}
    run(backend.r2.abort_upload(BUCKET, prefix + "p", upload))
    with pytest.raises(OracleError):
        bucket.upload_part(prefix + "p", upload, 2, b"1")
    run(backend.r2.abort_upload(BUCKET, prefix + "q", empty))
    assert [one for one in run(backend.r2.uploads(BUCKET)).items if one.key.startswith(prefix)] == []
    assert (set(files.iterdir()) if files.exists() else set()) == before
    for key, id in ((prefix + "p", upload), (prefix + "p", "nothing"), (prefix + "other", empty)):
        with pytest.raises(WorkbenchError) as missing:
            run(backend.r2.abort_upload(BUCKET, key, id))
        assert missing.value.code == "r2.upload_not_found"


def test_a_completed_upload_is_not_aborted(oracle: Oracle, backend: LocalBackend, prefix: str) -> None:
    bucket = oracle.r2()
    upload = bucket.create_upload(prefix + "m")
    bucket.complete_upload(prefix + "m", upload, [bucket.upload_part(prefix + "m", upload, 1, b"kept")])
    with pytest.raises(WorkbenchError):
        run(backend.r2.abort_upload(BUCKET, prefix + "m", upload))
    found = bucket.get(prefix + "m")
    assert found is not None and found["value"] == b"kept"


# --- limits and trouble

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("", {}, {}, "r2.bad_key"),
    ("é" * 513, {}, {}, "r2.key_too_long"),
    ("k", {}, {"a": "x" * 8192}, "r2.metadata_too_large"),
    ("k", {}, {"a": "日" * 4096}, "r2.metadata_too_large"),
    ("k", {"contentType": 1}, {}, "r2.bad_metadata"),
    ("k", {"Content-Type": "text/plain"}, {}, "r2.bad_metadata"),
    ("k", {"cacheExpiry": "tomorrow"}, {}, "r2.bad_metadata"),
    ("k", {}, {"a": 1}, "r2.bad_metadata"),
]


@pytest.mark.parametrize(("key", "http", "custom", "code"), REFUSED)
def test_what_r2_does_not_take_is_refused(
    tmp_path: Path, key: str, http: dict[str, Any], custom: dict[str, Any], code: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        run(local_backend(tmp_path).r2.put("b", key, [b""], http, custom))
    assert refused.value.code == code
    assert not (tmp_path / "v3").exists()


@pytest.mark.parametrize("custom", [{"a": "x" * 8192}, {"a": "日" * 4096}])
def test_custom_metadata_is_limited_where_the_emulator_limits_it(
    oracle: Oracle, backend: LocalBackend, prefix: str, custom: dict[str, str]
) -> None:
    with pytest.raises(OracleError):
        oracle.r2().put(prefix + "k", b"", customMetadata=custom)
    less = {name: value[:-1] for name, value in custom.items()}
    oracle.r2().put(prefix + "k", b"", customMetadata=less)
    run(backend.r2.put(BUCKET, prefix + "k", [b""], None, less))
    found = oracle.r2().head(prefix + "k")
    assert found is not None and found["customMetadata"] == less


def test_an_upload_that_breaks_off_leaves_the_old_object(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.r2.put("b", "k", [b"old"]))

    def broken() -> Iterator[bytes]:
        yield bytes(1 << 20)
        raise OSError("the source is gone")

    with pytest.raises((OSError, WorkbenchError)):
        run(backend.r2.put("b", "k", broken()))
    cancel = Cancel()

    def cancelled() -> Iterator[bytes]:
        yield b"1"
        cancel.cancel()
        yield b"2"

    with pytest.raises(Cancelled):
        run(backend.r2.put("b", "k", cancelled(), cancel=cancel))
    assert _bytes(run(backend.r2.get("b", "k"))) == b"old"
    assert len(list((tmp_path / "v3" / "r2" / "b" / "blobs").iterdir())) == 1


def test_a_body_whose_file_is_missing_or_cut_is_said_to_be(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    run(backend.r2.put("b", "k", [bytes(1000)]))
    (file,) = (tmp_path / "v3" / "r2" / "b" / "blobs").iterdir()
    os.truncate(file, 10)
    with pytest.raises(WorkbenchError) as cut:
        _bytes(run(backend.r2.get("b", "k")))
    assert cut.value.code == "state.truncated"
    file.unlink()
    with pytest.raises(WorkbenchError) as missing:
        run(backend.r2.get("b", "k"))
    assert missing.value.code == "r2.body_missing"
    assert run(backend.r2.delete("b", "k")) is True


def test_a_body_read_while_it_is_replaced_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    backend = local_backend(tmp_path)
    data = os.urandom(3 << 20)
    run(backend.r2.put("b", "k", [data]))
    body = run(backend.r2.get("b", "k"))
    run(backend.r2.put("b", "k", [b"new"]))
    assert _bytes(body) == data


STREAMED = """
import json, resource, sys
from workbench.backends.local import LocalBackend
from workbench.model.bindings import Project
from workbench.operations.executor import drive
backend = LocalBackend(Project(sys.argv[1], (), sys.argv[1]))
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
drive(backend.r2.put("b", "small", [bytes(1 << 20)]))
for chunk in drive(backend.r2.get("b", "small")).chunks: pass
before = peak()
piece = bytes(1 << 20)
drive(backend.r2.put("b", "large", (piece for _ in range(300))))
body = drive(backend.r2.get("b", "large"))
size = sum(len(chunk) for chunk in body.chunks)
print(json.dumps([size, peak() - before, body.object.etag]))
"""


def test_a_large_object_never_sits_in_memory(tmp_path: Path) -> None:
    size, grown, etag = in_child(STREAMED, tmp_path)
    assert size == 300 << 20
    assert grown < 8 << 20
    digest = hashlib.md5()
    for _ in range(300):
        digest.update(bytes(1 << 20))
    assert etag == digest.hexdigest()


# --- buckets


def test_buckets_are_the_configs_and_those_on_disk(tmp_path: Path) -> None:
    backend = local_backend(tmp_path, Binding("IMAGES", "r2", "images", "images", "shop"))
    run(backend.r2.put("left-over", "k", [b""]))
    found = [(one.name, one.binding, one.worker) for one in run(backend.r2.buckets())]
    assert found == [("images", "IMAGES", "shop"), ("left-over", None, None)]


def test_a_bucket_we_made_is_one_to_the_emulator(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    backend = local_backend(state)
    run(backend.r2.put(BUCKET, "before", [b"off", b"line"], {"contentType": "a/b"}))
    oracle = oracle_factory(state)
    found = oracle.r2().get("before")
    assert found is not None and found["value"] == b"offline"
    upload = oracle.r2().create_upload("parts")
    oracle.r2().upload_part("parts", upload, 1, bytes(10))
    oracle.r2().put("theirs", b"too")
    oracle.stop()
    assert [one.key for one in run(backend.r2.list(BUCKET)).items] == ["before", "theirs"]
    assert [one.key for one in run(backend.r2.uploads(BUCKET)).items] == ["parts"]


def test_a_bucket_is_emptied_in_place_while_a_server_runs(oracle_factory: Callable[..., Oracle]) -> None:
    oracle = oracle_factory()
    backend = local_backend(oracle.state)
    _uploaded_in_parts(oracle, "parts", PART, 10)
    oracle.r2().put("whole", b"1")
    upload = oracle.r2().create_upload("pending")
    oracle.r2().upload_part("pending", upload, 1, b"1")
    plan = run(backend.r2.delete_bucket(BUCKET, dry_run=True))
    assert plan.removed == ["object parts", "object whole", "pending upload of pending"]
    assert len(_all(oracle)) == 2
    assert run(backend.r2.delete_bucket(BUCKET)).total == 3
    assert _all(oracle) == []
    assert run(backend.r2.uploads(BUCKET)).items == []
    assert list((oracle.state / "r2" / BUCKET / "blobs").iterdir()) == []
    oracle.r2().put("again", b"2")
    assert _bytes(run(backend.r2.get(BUCKET, "again"))) == b"2"
    oracle.stop()
    run(backend.r2.delete_bucket(BUCKET))
    assert not (oracle.state / "r2" / BUCKET).exists()
    oracle.emulator.run()
    assert _all(oracle) == []


def test_many_objects_are_deleted_while_the_server_runs(
    oracle: Oracle, backend: LocalBackend, prefix: str
) -> None:
    for n in range(30):
        run(backend.r2.put(BUCKET, f"{prefix}{n:02d}", [str(n).encode()]))
    told: list[int] = []
    keys = [f"{prefix}{n:02d}" for n in range(5, 35)]
    assert run(backend.r2.delete_many(BUCKET, keys, lambda done, total: told.append(done))) == 25
    assert told == [25, 30]
    assert _all(oracle, prefix=prefix) == [f"{prefix}{n:02d}" for n in range(5)]
