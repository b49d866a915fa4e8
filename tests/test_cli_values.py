"""Values through the command line: exact in and out, streamed, and told apart from what is said about them."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PROGRAM, cfwb, environment
from tests.support.sample import copy, sample
from tests.support.tools import inapplicable

NASTY = bytes(range(256)) + "\u202e\U0001f980".encode() + b"\xff\xfe"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(sample(tmp_path_factory.mktemp("sample")))


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    copy(shipped, tmp_path / "shop-api")
    return tmp_path / "shop-api"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A project with one of each and no state yet."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "wrangler.json").write_text(
        json.dumps(
            {
                "name": "small",
                "kv_namespaces": [{"binding": "KV", "id": "kv-1"}],
                "r2_buckets": [{"binding": "R2", "bucket_name": "files"}],
                "d1_databases": [{"binding": "DB", "database_name": "shop", "database_id": "db-1"}],
            }
        )
    )
    return folder


def test_a_kv_value_from_standard_input_comes_back_byte_for_byte(empty: Path) -> None:
    put = cfwb(
        "kv", "values", "put", "odd/\u202e key", "-", "--metadata", '{"é": [1]}', cwd=empty, input=NASTY
    )
    assert put.result == {
        "name": "odd/\u202e key",
        "expiration": None,
        "metadata": {"é": [1]},
        "size_bytes": len(NASTY),
    }
    raw = cfwb("kv", "values", "get", "odd/\u202e key", "--raw", cwd=empty)
    assert (raw.status, raw.out, raw.err) == (0, NASTY, "")
    got = cfwb("kv", "values", "get", "odd/\u202e key", cwd=empty).result
    assert set(got["value"]) == {"$bytes"}
    assert got["metadata"] == {"é": [1]}


def test_json_is_ascii_and_without_control_codes(empty: Path) -> None:
    cfwb("kv", "values", "put", "k\x1b[31m", "--value", "\x1b]0;title\x07\u202e", cwd=empty)
    out = cfwb("kv", "values", "get", "k\x1b[31m", cwd=empty).out
    assert all(0x20 <= byte < 0x7F for byte in out.rstrip(b"\n"))
    assert json.loads(out)["result"]["value"] == "\x1b]0;title\x07\u202e"


def test_an_argument_that_is_not_utf_8_is_stored_as_it_is(empty: Path) -> None:
    argv = [*map(os.fsencode, PROGRAM), b"kv", b"values", b"put", b"k", b"--value", b"a\xffb"]
    subprocess.run(argv, cwd=empty, env=environment(), check=True, capture_output=True)
    assert cfwb("kv", "values", "get", "k", "--raw", cwd=empty).out == b"a\xffb"


def test_an_object_goes_in_and_out_through_files(empty: Path) -> None:
    (empty / "in.bin").write_bytes(NASTY * 1000)
    put = cfwb("r2", "objects", "put", "a/b", "--file", "in.bin", "--content-type", "x/y", cwd=empty).result
    assert (put["size"], put["etag"]) == (len(NASTY) * 1000, hashlib.md5(NASTY * 1000).hexdigest())
    got = cfwb("r2", "objects", "get", "a/b", "--output", "out.bin", cwd=empty).result
    assert got == {"key": "a/b", "etag": put["etag"], "output": "out.bin", "size_bytes": put["size"]}
    assert (empty / "out.bin").read_bytes() == NASTY * 1000
    assert cfwb("r2", "objects", "get", "a/b", "--raw", "--range", "-2", cwd=empty).out == b"\xff\xfe"
    assert (
        cfwb("r2", "objects", "get", "a/b", "--range", "1000000000-", cwd=empty).error["code"]
        == "r2.bad_range"
    )
    assert not [name for name in os.listdir(empty) if name.endswith(".part")]


def test_every_http_header_of_an_object_can_be_given(empty: Path) -> None:
    given = {
        "content-type": "text/html",
        "content-disposition": "inline",
        "content-encoding": "identity",
        "content-language": "de",
        "cache-control": "no-store",
        "cache-expiry": "2037-01-01T00:00:00.000Z",
    }
    flags = [word for name, value in given.items() for word in (f"--{name}", value)]
    cfwb("r2", "objects", "put", "page", "--value", "x", *flags, "--custom-metadata", '{"a": "é"}', cwd=empty)
    listed = cfwb("r2", "objects", "list", cwd=empty).result[0]
    assert sorted(listed["http_metadata"].values()) == sorted(given.values())
    assert listed["custom_metadata"] == {"a": "é"}
    bad = cfwb("r2", "objects", "put", "page", "--value", "x", "--custom-metadata", '{"a": 1}', cwd=empty)
    assert bad.status == 2


def test_folders_of_keys_are_folded_into_prefixes(project: Path) -> None:
    argv = ("kv", "keys", "list", "--binding", "CACHE", "--delimiter", "/")
    top = cfwb(*argv, cwd=project).json
    assert "config/" in top["result_info"]["prefixes"]
    assert not [key for key in top["result"] if "/" in key["name"]]
    inside = cfwb(*argv, "--prefix", "config/", cwd=project).json
    assert {key["name"] for key in inside["result"]} >= {"config/motd", "config/site"}


def test_a_download_that_fails_leaves_the_old_file(project: Path) -> None:
    (project / "old").write_text("old")
    assert cfwb("r2", "objects", "get", "nope", "--output", "old", cwd=project).status == 1
    assert (project / "old").read_text() == "old"
    answer = cfwb("r2", "objects", "get", "empty", "--output", "no/such/folder", cwd=project)
    assert answer.error["code"] == "file.not_found"


def test_a_big_object_never_sits_in_memory(empty: Path) -> None:
    size = 192 << 20
    with open(empty / "big", "wb") as file:
        file.truncate(size)
    limit = 150 << 20

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    for argv in (("put", "big", "--file", "big"), ("get", "big", "--output", "back")):
        done = subprocess.run(
            [*PROGRAM, "r2", "objects", *argv],
            cwd=empty,
            env=environment(),
            preexec_fn=limited,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (empty / "back").stat().st_size == size


def test_folders_go_up_and_come_down_again(empty: Path) -> None:
    files = {"a.html": b"<p>", "deep/er/b.txt": b"", "odd \u202e[x].bin": NASTY}
    for name, data in files.items():
        (empty / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (empty / "in" / name).write_bytes(data)
    up = cfwb("r2", "objects", "import", "in", "--prefix", "site/", cwd=empty).result
    assert up == {"objects": 3, "size_bytes": sum(map(len, files.values())), "skipped": []}
    assert cfwb("r2", "objects", "get", "site/a.html", cwd=empty).result["http_metadata"] == {
        "contentType": "text/html"
    }
    cfwb("r2", "objects", "put", "site/../escape", "--value", "x", cwd=empty)
    cfwb("r2", "objects", "put", "site/deep", "--value", "in the way of a folder", cwd=empty)
    down = cfwb("r2", "objects", "export", "out", "--prefix", "site/", cwd=empty).result
    assert down["objects"] + len(down["skipped"]) == 5
    assert any(line.startswith("site/../escape: ") for line in down["skipped"])
    assert (empty / "out" / "a.html").read_bytes() == b"<p>"
    assert not (empty / "escape").exists()


def test_an_unfinished_upload_is_aborted_by_its_id(project: Path) -> None:
    upload = cfwb("r2", "uploads", "list", cwd=project).result[0]
    assert (
        cfwb("r2", "uploads", "delete", upload["upload_id"], cwd=project).error["code"]
        == "confirmation.needed"
    )
    assert cfwb("r2", "uploads", "delete", upload["upload_id"], "--force", cwd=project).result["total"] == 1
    assert cfwb("r2", "uploads", "list", cwd=project).result == []
    assert (
        cfwb("r2", "uploads", "delete", "nope", "--force", cwd=project).error["code"] == "r2.upload_not_found"
    )


def test_an_object_that_is_cut_short_costs_a_download_itself_alone(empty: Path) -> None:
    (empty / "up").mkdir()
    for name in ("a", "b", "c"):
        (empty / "up" / name).write_text(name * 100)
    cfwb("r2", "objects", "import", "up", cwd=empty)
    (blob,) = [path for path in (empty / ".wrangler").rglob("blobs/*") if path.read_bytes() == b"b" * 100]
    blob.write_bytes(b"b")
    answer = cfwb("r2", "objects", "export", "down", cwd=empty)
    assert answer.status == 1
    assert answer.json["error"]["code"] == "r2.objects_not_read"
    assert "b: " in answer.json["error"]["message"]
    assert answer.json["result"]["objects"] == 2 and len(answer.json["result"]["skipped"]) == 1
    assert sorted(path.name for path in (empty / "down").iterdir()) == ["a", "c"]


def test_values_exported_are_values_imported(project: Path) -> None:
    exported = cfwb("kv", "values", "export", "--binding", "CACHE", cwd=project)
    assert exported.status == 0
    entries = json.loads(exported.out)
    done = cfwb(
        "kv", "values", "import", "--binding", "SESSIONS", "-", cwd=project, input=exported.out
    ).result
    assert done == {"done": len(entries)}
    again = cfwb("kv", "values", "export", "--binding", "SESSIONS", cwd=project)
    kept = {entry["name"]: entry for entry in json.loads(again.out)}
    assert all(kept[entry["name"]] == entry for entry in entries)


def test_a_database_exported_is_a_database_imported(project: Path, empty: Path) -> None:
    dump = cfwb("d1", "export", cwd=project)
    assert dump.status == 0 and dump.text.startswith("PRAGMA defer_foreign_keys")
    (empty / "dump.sql").write_bytes(dump.out)
    assert cfwb("d1", "import", "--file", "dump.sql", "--project", str(empty), cwd=empty).result["done"] > 10
    count = "SELECT count(*), sum(total) FROM orders"
    assert (
        cfwb("d1", "query", count, cwd=empty).result[0]["rows"]
        == cfwb("d1", "query", count, cwd=project).result[0]["rows"]
    )


@pytest.mark.parametrize("form", ["csv", "json"])
def test_rows_exported_are_rows_imported(project: Path, form: str) -> None:
    cfwb("d1", "query", "CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB)", cwd=project)
    cfwb(
        "d1", "query", "INSERT INTO t VALUES (9007199254740993, 0.1, ?, x'00ff'), (NULL, NULL, NULL, NULL)",
        "--param", 'a "quoted",\nline', cwd=project,
    )  # fmt: skip
    rows = cfwb("d1", "query", "SELECT * FROM t", cwd=project).result[0]["rows"]
    written = cfwb("d1", "export", "--table", "t", "--format", form, "--output", "rows", cwd=project).result
    assert written["output"] == "rows"
    cfwb("d1", "query", "DELETE FROM t", cwd=project)
    assert cfwb("d1", "import", "--file", "rows", "--format", form, "--into", "t", cwd=project).result == {
        "done": 2
    }
    assert cfwb("d1", "query", "SELECT * FROM t", cwd=project).result[0]["rows"] == rows


def test_a_whole_list_is_streamed_and_a_limited_one_goes_on_with_its_cursor(empty: Path) -> None:
    entries = [{"name": f"k{number:05}", "value": "v"} for number in range(2500)]
    cfwb("kv", "values", "import", "-", cwd=empty, input=json.dumps(entries).encode())
    whole = cfwb("kv", "keys", "list", cwd=empty).json
    assert [key["name"] for key in whole["result"]] == [entry["name"] for entry in entries]
    assert whole["result_info"] == {"count": 2500, "cursor": None}
    names: list[str] = []
    cursor: list[str] = []
    while True:
        page: Any = cfwb("kv", "keys", "list", "--limit", "1000", *cursor, cwd=empty).json
        names += [key["name"] for key in page["result"]]
        if page["result_info"]["cursor"] is None:
            break
        cursor = ["--cursor", page["result_info"]["cursor"]]
    assert names == [entry["name"] for entry in entries]
    rest = cfwb("kv", "keys", "list", *cursor, cwd=empty).json
    assert len(rest["result"]) == 500


def test_a_reader_that_goes_away_ends_it_without_a_word(project: Path) -> None:
    done = subprocess.run(
        f"{' '.join(PROGRAM)} kv keys list --binding CACHE | head -c 10",
        shell=True,
        cwd=project,
        env=environment(),
        capture_output=True,
    )
    assert done.stdout == b'{"target":'
    assert done.stderr == b""


def test_a_full_disk_under_the_output_is_an_error(project: Path) -> None:
    if not os.path.exists("/dev/full"):
        inapplicable("it has no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, "kv", "namespaces", "list"],
            cwd=project,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def _wait_until_a_database_is_open(pid: int) -> None:
    folder = Path(f"/proc/{pid}/fd")
    if not folder.is_dir():
        time.sleep(5)  # no way to look into another process here
        return
    for _ in range(3_000):
        with suppress(OSError):
            if any(os.readlink(link).endswith(".sqlite") for link in folder.iterdir()):
                break
        time.sleep(0.01)
    time.sleep(0.2)  # and the statement runs


def test_a_statement_that_never_ends_is_ended_by_an_interrupt(project: Path) -> None:
    endless = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c"
    process = subprocess.Popen(
        [*PROGRAM, "d1", "query", endless],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A test run in the background of a shell inherits an ignored interrupt; a person's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    _wait_until_a_database_is_open(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert json.loads(out)["error"]["code"] == "cancelled"
    assert err == b""


def test_sql_from_a_file_and_errors_with_their_place(project: Path) -> None:
    (project / "two.sql").write_text("SELECT 1;\n\nSELECT a FROM nowhere;")
    error = cfwb("d1", "query", "--file", "two.sql", cwd=project).error
    assert error["code"] == "sql.error"
    assert "nowhere" in error["message"]
    assert cfwb("d1", "query", cwd=project).status == 2
    assert (
        cfwb("d1", "query", "DELETE FROM orders", "--read-only", cwd=project).error["code"] == "sql.read_only"
    )


def _peak_mib(project: Path, sql: str) -> tuple[float, int]:
    """The most memory a query took with its output in a pipe, and how much it wrote."""
    with subprocess.Popen(
        [*PROGRAM, "d1", "query", sql, "--json"], cwd=project, env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        written = 0
        while piece := process.stdout.read(1 << 20):
            written += len(piece)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024, written


def test_the_rows_of_a_query_are_written_as_they_are_read_so_that_any_number_fits(project: Path) -> None:
    many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i, 'row ' || i FROM n"
    few, _ = _peak_mib(project, many.format(1_000))
    most, written = _peak_mib(project, many.format(300_000))
    assert written > 5_000_000
    assert most - few < 16


def test_an_error_after_the_first_rows_closes_the_envelope(project: Path) -> None:
    overflow = "SELECT abs(-9223372036854775808 + 1000 - i)"
    rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    answer = cfwb("d1", "query", f"{rows} {overflow} FROM n", cwd=project)
    assert answer.status == 1
    assert answer.json["error"]["message"] == "integer overflow"
    assert answer.json["result"][0]["rows"][0] == [9223372036854774809]
