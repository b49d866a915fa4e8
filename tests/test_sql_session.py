"""The console's session: rows at once from any query, stopped at any moment, transactions by hand."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import pytest

from tests.support.sql import Sql, drive, new_sql
from workbench.backends.local.sql import LocalSqlDatabase
from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import InvalidText

ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i, 'row ' || i FROM r"
FOR_EVER = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r"


@pytest.fixture
def here(tmp_path: Path) -> Sql:
    sql = new_sql(tmp_path)
    sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 'a'), (2, 'b'), (3, 'c')")
    return sql


def test_the_first_of_rows_without_end_are_there_at_once_and_the_rest_costs_no_memory(here: Sql) -> None:
    session = drive(here.database.session())
    stream = drive(session.stream(ENDLESS))
    assert drive(stream.fetch(3)) == [(1, "row 1"), (2, "row 2"), (3, "row 3")]
    tracemalloc.start()
    try:
        for _ in range(200):
            assert len(drive(stream.fetch(1000))) == 1000
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert drive(stream.close()) is None
    drive(session.close())


def test_a_stream_read_to_its_end_gives_its_figures(here: Sql) -> None:
    session = drive(here.database.session())
    stream = drive(session.stream("SELECT * FROM t"))
    assert stream.columns == ["id", "v"]
    assert drive(stream.fetch(2)) == [(1, "a"), (2, "b")]
    assert drive(stream.fetch(2)) == [(3, "c")]
    assert drive(stream.fetch(2)) == []
    result = drive(stream.close())
    assert result is not None
    assert result.changes == 0 and result.duration_ms > 0
    drive(session.close())


def test_a_statement_that_gives_no_row_for_ever_is_stopped_from_another_thread(here: Sql) -> None:
    session = drive(here.database.session())
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(Cancelled):
        drive(session.stream(FOR_EVER, cancel=cancel))
    # The session lives on.
    assert drive(drive(session.stream("SELECT count(*) FROM t")).fetch(1)) == [(3,)]
    drive(session.close())


def test_a_stopped_write_leaves_nothing_behind(here: Sql) -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(Cancelled):
        here(f"DELETE FROM t; INSERT INTO t(v) {FOR_EVER}", cancel=cancel)
    assert here("SELECT count(*) FROM t") == [(3,)]


def test_a_stream_that_is_stopped_between_two_pages_ends(here: Sql) -> None:
    session = drive(here.database.session())
    cancel = Cancel()
    stream = drive(session.stream(ENDLESS, cancel=cancel))
    drive(stream.fetch(10))
    cancel.cancel()
    with pytest.raises(Cancelled):
        drive(stream.fetch(10))
    cancel.cancel()
    drive(session.close())


def test_a_transaction_by_hand_is_seen_by_its_session_alone_until_commit(here: Sql) -> None:
    session = drive(here.database.session())
    assert not session.in_transaction
    drive(session.stream("BEGIN"))
    assert session.in_transaction
    drive(session.stream("UPDATE t SET v = 'changed' WHERE id = 1"))
    assert drive(drive(session.stream("SELECT v FROM t WHERE id = 1")).fetch(1)) == [("changed",)]
    assert here("SELECT v FROM t WHERE id = 1") == [("a",)]
    drive(session.stream("SAVEPOINT inner_one"))
    drive(session.stream("DELETE FROM t"))
    drive(session.stream("ROLLBACK TO inner_one"))
    drive(session.stream("COMMIT"))
    assert not session.in_transaction
    assert here("SELECT count(*), min(v) FROM t") == [(3, "b")]
    drive(session.close())


def test_closing_the_session_rolls_an_open_transaction_back(here: Sql) -> None:
    session = drive(here.database.session())
    drive(session.stream("BEGIN"))
    drive(session.stream("DELETE FROM t"))
    drive(session.close())
    assert here("SELECT count(*) FROM t") == [(3,)]


def test_a_transaction_overtaken_by_another_writer_says_what_to_do(here: Sql) -> None:
    session = drive(here.database.session())
    drive(session.stream("BEGIN"))
    assert drive(drive(session.stream("SELECT count(*) FROM t")).fetch(5)) == [(3,)]
    here("DELETE FROM t WHERE id = 1")
    with pytest.raises(WorkbenchError, match="another process has written") as busy:
        drive(session.stream("UPDATE t SET v = 'x'"))
    assert busy.value.code == "state.busy"
    drive(session.stream("ROLLBACK"))
    drive(session.stream("BEGIN IMMEDIATE"))
    drive(session.stream("UPDATE t SET v = 'x'"))
    drive(session.stream("COMMIT"))
    drive(session.close())
    assert here("SELECT DISTINCT v FROM t") == [("x",)]


def test_an_open_grid_makes_no_later_write_fail(here: Sql) -> None:
    session = drive(here.database.session())
    grid = drive(session.stream("SELECT * FROM t"))
    assert len(drive(grid.fetch(1))) == 1
    here("UPDATE t SET v = 'by another process' WHERE id = 2")
    drive(session.stream("UPDATE t SET v = 'ours' WHERE id = 3"))
    # The grid goes on in the view it began with.
    assert drive(grid.fetch(10)) == [(2, "b"), (3, "c")]
    assert here("SELECT v FROM t ORDER BY id") == [("a",), ("by another process",), ("ours",)]
    drive(session.close())


def test_rows_a_write_returns_are_there_after_its_lock_is_gone(here: Sql) -> None:
    session = drive(here.database.session())
    stream = drive(session.stream("UPDATE t SET v = upper(v) RETURNING id, v"))
    here("INSERT INTO t(v) VALUES('no lock in the way')")
    assert drive(stream.fetch(2)) == [(1, "A"), (2, "B")]
    assert drive(stream.fetch(2)) == [(3, "C")]
    result = drive(stream.close())
    assert result is not None and result.changes == 3
    assert drive(drive(session.stream("SELECT changes()")).fetch(1)) == [(3,)]
    drive(session.close())


def test_a_session_runs_one_statement_at_a_time(here: Sql) -> None:
    session = drive(here.database.session())
    with pytest.raises(WorkbenchError, match="one statement at a time"):
        drive(session.stream("SELECT 1; DELETE FROM t"))
    assert drive(drive(session.stream("SELECT 1; -- and a comment")).fetch(1)) == [(1,)]
    drive(session.close())


def test_a_reading_session_writes_nothing_not_even_in_a_transaction(here: Sql) -> None:
    session = drive(here.database.session(read_only=True))
    for sql in ("DELETE FROM t", "BEGIN", "INSERT INTO t VALUES(9, 9)", "COMMIT"):
        if sql in ("BEGIN", "COMMIT"):
            drive(session.stream(sql))
            continue
        with pytest.raises(WorkbenchError) as refused:
            drive(session.stream(sql))
        assert refused.value.code == "sql.read_only"
    drive(session.close())
    assert here("SELECT count(*) FROM t") == [(3,)]


def test_text_that_is_not_utf8_in_the_middle_of_a_stream_is_shown_as_its_bytes(here: Sql) -> None:
    here("INSERT INTO t SELECT value, 'row ' || value FROM json_each('[4,5,6,7]')")
    here("UPDATE t SET v = CAST(x'ff41' AS TEXT) WHERE id = 5; UPDATE t SET v = x'ff41' WHERE id = 6")
    session = drive(here.database.session())
    stream = drive(session.stream("SELECT id, v, 1.0 FROM t -- all of it;"))
    rows = drive(stream.fetch(3)) + drive(stream.fetch(100))
    assert [row[1] for row in rows] == ["a", "b", "c", "row 4", b"\xffA", b"\xffA", "row 7"]
    assert [type(row[1]) for row in rows[4:6]] == [InvalidText, bytes]
    assert all(type(row[2]) is float for row in rows)
    assert stream.columns == ["id", "v", "1.0"]
    drive(session.close())


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    absent = LocalSqlDatabase(str(tmp_path / "absent.sqlite"), product="do")
    with pytest.raises(WorkbenchError) as missing:
        drive(absent.query("SELECT 1"))
    assert missing.value.code == "state.not_found"
    assert not list(tmp_path.iterdir())
