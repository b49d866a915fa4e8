"""D1 beside the real emulator: what it writes we read exactly, what we write it reads exactly, server running or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.oracle import Oracle
from tests.support.sql import Sql, drive, project_on
from workbench.backends.local.d1 import LocalD1
from workbench.model.errors import WorkbenchError

ID = "shop-database"

VALUES = [
    "9223372036854775807",
    "-9223372036854775807-1",
    "9007199254740993",
    "0.1",
    "1e300",
    "5e-324",
    "1.7976931348623157e308",
    "9e999",
    "NULL",
    "x''",
    "x'00ff10'",
    "''",
    "'it''s'",
    "'é漢😀'",
    "char(0, 97, 10, 13, 27)",
    "'1'",
    "1.0",
    "CAST(x'ff41' AS TEXT)",
]


def _d1(oracle: Oracle) -> LocalD1:
    return LocalD1(project_on(oracle.state.parent, bound=ID))


def _sql(oracle: Oracle) -> Sql:
    return Sql(drive(_d1(oracle).sql(ID)))


def _described(value: str) -> str:
    """What is behind a value, in words no JSON number can blur."""
    return f"SELECT typeof(v), hex(quote(v)), hex(CAST(v AS BLOB)) FROM (SELECT {value} AS v)"


def test_what_the_emulator_wrote_is_read_exactly(oracle: Oracle) -> None:
    database = oracle.d1()
    database.exec("CREATE TABLE exact(id INTEGER PRIMARY KEY, v)")
    for id, value in enumerate(VALUES):
        database.query(f"INSERT INTO exact VALUES({id}, {value})")
    here = _sql(oracle)
    assert here("SELECT typeof(v), hex(quote(v)), hex(CAST(v AS BLOB)) FROM exact ORDER BY id") == [
        tuple(database.rows(_described(value))[0]) for value in VALUES
    ]
    found = [row[0] for row in here("SELECT v FROM exact ORDER BY id")]
    assert found[:4] == [9223372036854775807, -(2**63), 9007199254740993, 0.1]
    assert found[7:11] == [float("inf"), None, b"", b"\x00\xff\x10"]
    assert found[-4:] == ["\0a\n\r\x1b", "1", 1.0, b"\xff\x41"]
    assert type(found[-2]) is float
    assert type(found[-1]).__name__ == "InvalidText"


def test_what_we_write_while_it_runs_it_reads_exactly(oracle: Oracle) -> None:
    here = _sql(oracle)
    here("CREATE TABLE ours(id INTEGER PRIMARY KEY, v)")
    values = [2**63 - 1, -(2**63), 9007199254740993, 0.1, 5e-324, None, b"", b"\x00\xff", "", "é\0\n😀", -0.0]
    for value in values:
        here("INSERT INTO ours(v) VALUES(?)", [value])
    described = "SELECT typeof(v), quote(v), hex(CAST(v AS BLOB)) FROM ours ORDER BY id"
    assert [tuple(row) for row in oracle.d1().rows(described)] == here(described)
    assert here("SELECT v FROM ours ORDER BY id") == [(value,) for value in values]


def test_a_column_we_add_is_there_for_the_worker_at_once(oracle: Oracle) -> None:
    database = oracle.d1()
    database.exec("CREATE TABLE grows(a)")
    database.query("INSERT INTO grows VALUES(1)")
    here = _sql(oracle)
    here("ALTER TABLE grows ADD COLUMN b DEFAULT 'new'; CREATE INDEX grows_b ON grows(b)")
    assert database.rows("SELECT a, b FROM grows") == [[1, "new"]]
    database.query("UPDATE grows SET b = 'theirs'")
    assert here("SELECT b FROM grows") == [("theirs",)]


def test_one_call_is_one_transaction(oracle: Oracle) -> None:
    here = _sql(oracle)
    here("CREATE TABLE once(id INTEGER PRIMARY KEY)")
    with pytest.raises(WorkbenchError, match=r"UNIQUE constraint failed: once\.id"):
        here("INSERT INTO once VALUES(1); INSERT INTO once VALUES(2); INSERT INTO once VALUES(1)")
    assert oracle.d1().rows("SELECT count(*) FROM once") == [[0]]


def test_a_value_too_long_for_the_emulator_is_refused_and_the_longest_is_read_by_it(oracle: Oracle) -> None:
    here = _sql(oracle)
    here("CREATE TABLE long(v)")
    here("INSERT INTO long VALUES(zeroblob(8388637))")
    assert oracle.d1().rows("SELECT length(v) FROM long") == [[8388637]]
    for sql, params in (("zeroblob(8388638)", None), ("?", [b"x" * 9_000_000])):
        with pytest.raises(WorkbenchError, match="too big"):
            here(f"INSERT INTO long VALUES({sql})", params)
    assert here("SELECT count(*), length(zeroblob(20000000)) FROM long") == [(1, 20_000_000)]


def test_full_text_search_we_fill_is_searched_by_the_worker(oracle: Oracle) -> None:
    here = _sql(oracle)
    here("CREATE VIRTUAL TABLE docs USING fts5(title, body)")
    oracle.d1().query("INSERT INTO docs VALUES('theirs', 'a quick fox')")
    here("INSERT INTO docs VALUES('ours', 'a quick hare')")
    assert oracle.d1().rows("SELECT title FROM docs WHERE docs MATCH 'quick' ORDER BY rowid") == [
        ["theirs"],
        ["ours"],
    ]
    assert here("SELECT title FROM docs WHERE docs MATCH 'fox'") == [("theirs",)]


def test_databases_are_listed_with_their_size_and_tables(oracle: Oracle) -> None:
    _sql(oracle)("CREATE TABLE IF NOT EXISTS listed(a)")
    found = drive(_d1(oracle).databases())
    assert [(row.id, row.name, row.binding, row.worker) for row in found] == [(ID, "shop", "DB", "oracle")]
    assert found[0].size_bytes and found[0].size_bytes > 4096
    assert found[0].tables and found[0].tables >= 1


def test_a_database_without_a_binding_goes_by_its_hash(oracle: Oracle) -> None:
    _sql(oracle)("CREATE TABLE IF NOT EXISTS unbound(a); INSERT INTO unbound VALUES(5)")
    unbound = LocalD1(project_on(oracle.state.parent))
    (row,) = drive(unbound.databases())
    assert len(row.id) == 64
    assert row.binding is None
    assert Sql(drive(unbound.sql(row.id)))("SELECT max(a) FROM unbound") == [(5,)]
    assert Sql(drive(unbound.sql(ID)))("SELECT max(a) FROM unbound") == [(5,)]


def test_a_damaged_database_is_said_to_be_damaged_and_hides_no_other(tmp_path: Path) -> None:
    d1 = LocalD1(project_on(tmp_path, bound=ID))
    Sql(drive(d1.sql(ID)))("CREATE TABLE fine(a); CREATE VIRTUAL TABLE docs USING fts5(x)")
    folder = tmp_path / "v3" / "d1" / "miniflare-D1DatabaseObject"
    (folder / ("0" * 64 + ".sqlite")).write_bytes(b"no database at all, but long enough to look at" * 100)
    whole = Sql(drive(d1.sql("cut", create=True)))
    whole("CREATE TABLE t(a); INSERT INTO t SELECT randomblob(3000) FROM json_each('[1,2,3,4,5,6,7,8,9]')")
    cut = Path(whole.database.path)
    cut.write_bytes(cut.read_bytes()[:9000])
    found = {row.id: row for row in drive(d1.databases())}
    assert found[ID].tables == 2
    assert found["0" * 64].tables is None
    for id, codes in (("0" * 64, {"state.not_a_database"}), (cut.stem, {"state.truncated", "state.damaged"})):
        with pytest.raises(WorkbenchError) as damaged:
            Sql(drive(d1.sql(id)))("SELECT count(*) FROM t WHERE length(a) > 5")
        assert damaged.value.code in codes
        with pytest.raises(WorkbenchError):
            Sql(drive(d1.sql(id)))("CREATE TABLE u(a); INSERT INTO t SELECT 1 FROM t")
    assert Sql(drive(d1.sql(ID)))("SELECT count(*) FROM fine") == [(0,)]


def test_an_unknown_database_names_those_there_are(oracle: Oracle) -> None:
    with pytest.raises(WorkbenchError, match="no D1 database shpo") as missing:
        drive(_d1(oracle).sql("shpo"))
    assert missing.value.code == "d1.database_not_found"
    assert "shop" in missing.value.hint


def test_a_database_never_used_reads_as_empty_and_is_made_as_the_emulator_makes_it(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    state = tmp_path / "fresh"
    d1 = LocalD1(project_on(state, bound=ID))
    here = Sql(drive(d1.sql(ID)))
    assert here("SELECT count(*) FROM sqlite_schema") == [(0,)]
    assert drive(here.database.schema()).tables == ()
    assert drive(d1.databases())[0].size_bytes is None
    assert not state.exists()
    here("CREATE TABLE made(a); INSERT INTO made VALUES('before it ran')")
    running = oracle_factory(state)
    assert running.d1().rows("SELECT a FROM made") == [["before it ran"]]
    running.d1().query("INSERT INTO made VALUES('while it ran')")
    assert here("SELECT count(*) FROM made") == [(2,)]


def test_starting_over_while_it_runs_leaves_it_an_empty_database_it_can_use(
    oracle_factory: Callable[..., Oracle],
) -> None:
    running = oracle_factory()
    running.d1().exec("CREATE TABLE gone(a)")
    running.d1().exec("CREATE VIRTUAL TABLE gone_too USING fts5(x)")
    d1 = LocalD1(project_on(running.state.parent, bound=ID))
    planned = drive(d1.delete_database(ID, dry_run=True))
    assert planned.dry_run
    assert "table gone" in planned.removed
    assert running.d1().rows("SELECT count(*) FROM gone") == [[0]]
    done = drive(d1.delete_database(ID))
    assert done.removed == planned.removed
    assert not done.needs_restart
    assert running.d1().rows("SELECT name FROM sqlite_schema") == []
    running.d1().exec("CREATE TABLE again(a)")
    running.d1().query("INSERT INTO again VALUES(1)")
    assert Sql(drive(d1.sql(ID)))("SELECT a FROM again") == [(1,)]
    running.restart()
    assert running.d1().rows("SELECT a FROM again") == [[1]]
    running.stop()
    removed = drive(d1.delete_database(ID))
    assert any(line.endswith(".sqlite") for line in removed.removed)
    assert not list((running.state / "d1" / "miniflare-D1DatabaseObject").glob("[0-9a-f]*"))
    running.emulator.run()
    assert running.d1().rows("SELECT name FROM sqlite_schema") == []


_WRITES_FOR_EVER = """
import sys
from tests.support.sql import Sql, drive, project_on
from workbench.backends.local.d1 import LocalD1
from pathlib import Path
here = Sql(drive(LocalD1(project_on(Path(sys.argv[1]), bound="shop-database")).sql("shop-database")))
print("ready", flush=True)
change = "UPDATE pair SET n = n + 1, pad = randomblob(200000) WHERE id = "
while True:
    # Both rows or neither, and some weight so that a kill often falls into the writing.
    here(f"{change} 1; {change} 2")
"""


def test_killed_in_the_middle_of_our_writes_it_reads_old_or_new_never_half(oracle: Oracle) -> None:
    here = _sql(oracle)
    here(
        "CREATE TABLE pair(id INTEGER PRIMARY KEY, n, pad); INSERT INTO pair VALUES(1, 0, NULL), (2, 0, NULL)"
    )
    for attempt in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITES_FOR_EVER, str(oracle.state.parent)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.05 + attempt * 0.013)
        child.send_signal(signal.SIGKILL)
        child.wait()
        (first,), (second,) = oracle.d1().rows("SELECT n FROM pair ORDER BY id")
        assert first == second
        assert here("SELECT n FROM pair") == [(first,), (first,)]
        assert oracle.d1().rows("PRAGMA quick_check") == [["ok"]]
    assert first > 0
    oracle.d1().query("UPDATE pair SET n = -1")
    assert here("SELECT DISTINCT n FROM pair") == [(-1,)]
