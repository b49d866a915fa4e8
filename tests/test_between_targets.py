"""Copying and comparing between the deployed account (a stand-in in front of a real emulator) and a local state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.account import ACCOUNT, StandIn
from tests.support.cli import Answer, cfwb
from tests.support.oracle import Oracle

Command = Callable[..., Answer]
BIG = 9007199254740993  # 2^53 + 1: the first that JSON readers round


@pytest.fixture(scope="module")
def stand_in(oracle: Oracle) -> Iterator[StandIn]:
    with StandIn(oracle) as running:
        yield running


@pytest.fixture
def run(stand_in: StandIn, oracle: Oracle, tmp_path: Path) -> Command:
    """A command whose local state is a fresh folder, and whose account is the stand-in."""
    home = tmp_path / "home"
    home.mkdir()

    def command(*argv: str, **more: str) -> Answer:
        env = stand_in.environment() | {"XDG_CONFIG_HOME": str(home / "config")} | more
        return cfwb(*argv, "--persist-to", str(tmp_path / "state"), cwd=oracle.project, home=home, **env)

    return command


@pytest.fixture
def prefix(oracle: Oracle) -> Iterator[str]:
    name = f"between-{uuid4().hex[:8]}/"
    yield name
    for key in [one["name"] for one in oracle.kv().list(prefix=name)["keys"]]:
        oracle.kv().delete(key)


TO_LOCAL = ("--from", "remote", "--to", "local")
TO_REMOTE = ("--from", "local", "--to", "remote")


def keys(run: Command, prefix: str, *more: str) -> Answer:
    return run("kv", "keys", "copy", *TO_LOCAL, "--binding", "CACHE", "--prefix", prefix, *more)


def test_a_slice_of_production_is_pulled_into_the_local_state(
    run: Command, oracle: Oracle, prefix: str
) -> None:
    for number in range(5):
        oracle.kv().put(f"{prefix}{number}", bytes([number, 255]), metadata={"n": number})
    planned = keys(run, prefix, "--dry-run").result
    assert (planned["created"], planned["dry_run"], planned["verified"]) == (5, True, 0)
    assert planned["changes"][0] == f"+ {prefix}0"
    assert planned["from_target"] == f"remote:{ACCOUNT}" and planned["to_target"].startswith("local:")
    assert run("kv", "keys", "list", "--binding", "CACHE").result == []
    done = keys(run, prefix).result
    assert (done["created"], done["verified"], done["size_bytes"], done["problems"]) == (5, 5, 10, [])
    read = run("kv", "values", "get", f"{prefix}3", "--binding", "CACHE").result
    assert read["value"] == {"$bytes": "A/8="} and read["metadata"] == {"n": 3}


def test_what_is_there_already_is_not_written_again(
    run: Command, oracle: Oracle, stand_in: StandIn, prefix: str
) -> None:
    for number in range(3):
        oracle.kv().put(f"{prefix}{number}", b"1")
    assert keys(run, prefix).result["created"] == 3
    oracle.kv().put(f"{prefix}1", b"2")
    again = keys(run, prefix).result
    assert (again["created"], again["changed"], again["equal"]) == (0, 1, 2)
    assert again["changes"] == [f"~ {prefix}1 (value)"]


def test_a_copy_that_was_interrupted_says_where_to_go_on(
    run: Command, oracle: Oracle, stand_in: StandIn, prefix: str
) -> None:
    names = [f"{prefix}{number:03}" for number in range(120)]
    for name in names:
        oracle.kv().put(name, b"1")
    with stand_in.fault("status", names[110].rpartition("/")[2], times=10, status=403):
        error = keys(run, prefix).error
    assert f"--start-after '{names[99]}'" in error["hint"]
    rest = keys(run, prefix, "--start-after", names[99]).result
    assert (rest["created"], rest["verified"]) == (20, 20)


def test_keys_of_two_targets_are_compared(run: Command, oracle: Oracle, prefix: str) -> None:
    for name, value in (("a", b"1"), ("b", b"1"), ("c", b"1")):
        oracle.kv().put(prefix + name, value)
    for name, value in (("b", "1"), ("c", "2"), ("d", "1")):
        run("kv", "values", "put", prefix + name, "--value", value, "--binding", "CACHE")
    found = run("kv", "keys", "diff", *TO_LOCAL, "--binding", "CACHE", "--prefix", prefix).result
    assert (found["equal"], found["total"], found["exact"]) == (1, 3, True)
    assert [
        (one["name"].removeprefix(prefix), one["state"], one["what"]) for one in found["differences"]
    ] == [
        ("a", "only_from", ""),
        ("c", "different", "value"),
        ("d", "only_to", ""),
    ]


def test_copying_to_the_account_needs_a_word_and_nothing_is_written_without(
    run: Command, oracle: Oracle, stand_in: StandIn, prefix: str
) -> None:
    run("kv", "values", "put", f"{prefix}x", "--value", "1", "--binding", "CACHE")
    copy = ("kv", "keys", "copy", *TO_REMOTE, "--binding", "CACHE", "--prefix", prefix)
    error = run(*copy).error
    assert error["code"] == "confirmation.needed"
    assert ACCOUNT in error["message"] and "KV namespace CACHE" in error["message"]
    assert run(*copy, "--dry-run").result["created"] == 1
    assert oracle.kv().get(f"{prefix}x") is None
    done = run(*copy, "--force")
    assert done.result["verified"] == 1
    assert done.json["target"] == {"kind": "remote", "source": ACCOUNT}  # what was written to
    assert oracle.kv().get(f"{prefix}x") == b"1"
    run("project", "update", "--remote-mode", "read-only")
    assert run(*copy, "--force").error["code"] == "remote.read_only"


def test_objects_go_over_with_their_bodies_checked(run: Command, oracle: Oracle, tmp_path: Path) -> None:
    name = f"between-{uuid4().hex[:8]}/"
    body = bytes(range(256)) * 20_000
    oracle.r2().put(f"{name}big.bin", body)
    oracle.r2().put(f"{name}small.txt", b"hello")
    try:
        where = ("--bucket", "files", "--prefix", name)
        done = run("r2", "objects", "copy", *TO_LOCAL, *where).result
        assert (done["created"], done["verified"], done["problems"]) == (2, 2, [])
        out = tmp_path / "big.bin"
        run("r2", "objects", "get", f"{name}big.bin", "--bucket", "files", "--output", str(out))
        assert out.read_bytes() == body
        again = run("r2", "objects", "copy", *TO_LOCAL, *where).result
        assert (again["created"], again["changed"], again["equal"]) == (0, 0, 2)
        run("r2", "objects", "put", f"{name}small.txt", "--value", "other", "--bucket", "files")
        found = run("r2", "objects", "diff", *TO_LOCAL, *where).result
        assert [(one["state"], one["what"]) for one in found["differences"]] == [("different", "body")]
    finally:
        for key in ("big.bin", "small.txt"):
            oracle.r2().delete(name + key)


def test_a_database_goes_over_with_every_value_exact(run: Command, oracle: Oracle) -> None:
    oracle.d1().query("CREATE TABLE between_parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
    oracle.d1().query(
        "CREATE TABLE between_rows (a TEXT, b INTEGER, v, parent REFERENCES between_parents(id), PRIMARY KEY (a, b)) WITHOUT ROWID"
    )
    oracle.d1().query("CREATE INDEX between_by_value ON between_rows (v)")
    try:
        oracle.d1().query("INSERT INTO between_parents VALUES (1, 'Ann'), (2, 'Bea')")
        oracle.d1().query(
            f"INSERT INTO between_rows VALUES ('x', {BIG}, {BIG}, 1), ('x', 2, x'00ff', 2), ('y', 1, 0.1, 1), ('y', 2, 5.0, NULL), "
            "('z', 1, 'it''s ' || char(0) || ' €', 1), ('z', 2, -9223372036854775808, 1), ('z', 3, NULL, 1)"
        )
        tables = ("--table", "between_rows", "--table", "between_parents", "--database", "shop")
        planned = run("d1", "tables", "copy", *TO_LOCAL, *tables, "--dry-run").result
        assert planned["created"] == 11 and planned["verified"] == 0
        done = run("d1", "tables", "copy", *TO_LOCAL, *tables).result
        assert (done["created"], done["verified"], done["problems"]) == (11, 11, [])
        sql = "SELECT a, b, typeof(v), quote(v), hex(v), parent FROM between_rows ORDER BY a, b"
        here = run("d1", "query", sql, "--database", "shop").result[0]["rows"]
        assert here[0][:3] == ["x", 2, "blob"] and here[1][1] == BIG and here[1][3] == str(BIG)
        assert [row[2:5] for row in here] == [
            row[2:5] for row in oracle.d1().rows(sql.replace("SELECT a, b", "SELECT a, CAST(b AS TEXT)"))
        ]
        assert run("d1", "tables", "diff", *TO_LOCAL, *tables).result["total"] == 0
        run("d1", "query", "UPDATE between_rows SET v = v - 1 WHERE a = 'x' AND b > 2", "--database", "shop")
        run("d1", "query", "DELETE FROM between_rows WHERE a = 'y' AND b = 2", "--database", "shop")
        run("d1", "query", "INSERT INTO between_rows VALUES ('a', 0, 0, NULL)", "--database", "shop")
        found = run("d1", "tables", "diff", *TO_LOCAL, *tables).result
        assert [(one["name"], one["state"], one["what"]) for one in found["differences"]] == [
            (f"between_rows 'x', {BIG}", "different", "v"),
            ("between_rows 'y', 2", "only_from", ""),
            ("between_rows 'a', 0", "only_to", ""),
        ]
        one = run(
            "d1", "tables", "copy", *TO_LOCAL, *tables, "--row", "between_rows 'y', 2", "--dry-run"
        ).result
        assert one["changes"] == ["+ between_rows 'y', 2"]
        again = run("d1", "tables", "copy", *TO_LOCAL, *tables).result
        assert (again["created"], again["changed"], again["verified"]) == (1, 1, 2)
        back = run(
            "d1", "tables", "copy", *TO_REMOTE, "--table", "between_rows", "--database", "shop", "--force"
        ).result
        assert (back["created"], back["verified"], back["problems"]) == (1, 1, [])
    finally:
        oracle.d1().query("DROP TABLE between_rows")
        oracle.d1().query("DROP TABLE between_parents")


def test_a_thing_is_not_copied_onto_itself(run: Command) -> None:
    error = run("kv", "keys", "copy", "--from", "local", "--binding", "CACHE").error
    assert error["code"] == "usage" and "both sides" in error["message"]
    assert run("kv", "keys", "copy", "--from", "moon", "--binding", "CACHE").error["code"] == "usage"
    assert json.loads(run("kv", "keys", "diff", "--binding", "CACHE").out)["error"]["code"] == "usage"


def test_nothing_is_asked_of_the_account_where_neither_side_is_it(
    run: Command, stand_in: StandIn, oracle: Oracle
) -> None:
    before = len(stand_in.requests)
    answer = run("kv", "keys", "diff", "--from", str(oracle.project), "--to", "local", "--binding", "CACHE")
    assert answer.status == 0
    assert len(stand_in.requests) == before


def test_a_server_on_another_state_is_named_by_its_address(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "wrangler.json").write_text((oracle.project / "wrangler.jsonc").read_text().split("\n", 1)[1])
    url = oracle.emulator.url
    line = (
        "kv",
        "keys",
        "diff",
        "--binding",
        "CACHE",
        "--prefix",
        "nothing/",
        "--from",
        "local",
        "--to",
        url,
    )
    found = cfwb(*line, cwd=tmp_path, home=tmp_path / "home").result
    assert (found["from_target"], found["to_target"]) == (
        f"local:{tmp_path}/.wrangler/state",
        f"local:{url}",
    )
    mine = cfwb(*line, cwd=oracle.project, home=tmp_path / "home")
    assert mine.status == 2 and "both sides are cache-namespace" in mine.error["message"]
