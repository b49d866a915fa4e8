"""Values keep their types and every bit; errors say where in the text they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.oracle import Oracle
from tests.support.sql import Sql, new_sql
from workbench.backends.local.sql import LocalSqlDatabase
from workbench.backends.local.sql.errors import SqlError
from workbench.backends.local.sql.values import literal
from workbench.model.errors import WorkbenchError
from workbench.model.sql import InvalidText

numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.none() | numbers | texts | st.binary()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Sql:
    sql = new_sql(tmp_path_factory.mktemp("values"))
    sql("CREATE TABLE t(v)")
    return sql


def _same(found: Any, given: Any) -> bool:
    # SQLite keeps no sign of a zero in a table.
    return type(found) is type(given) and found == given


@given(values)
@settings(max_examples=200, deadline=None)
def test_a_parameter_comes_back_as_it_was_given(here: Sql, value: Any) -> None:
    assert _same(here("SELECT ?1", [value])[0][0], value)


@given(values | st.binary().map(InvalidText))
@settings(max_examples=300, deadline=None)
def test_a_value_written_as_sql_is_that_value(here: Sql, value: Any) -> None:
    found = here(f"SELECT {literal(value)}")[0][0]
    if isinstance(value, InvalidText):
        try:
            assert found == value.decode()
        except UnicodeDecodeError:
            assert _same(found, value)
    else:
        assert _same(found, value)


def test_numbers_written_as_sql_are_the_same_numbers_in_the_emulator(oracle: Oracle) -> None:
    room = oracle.durable_object("Tenant", "literals")
    some = [
        0.1,
        1 / 3,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        123456789.123456789,
        1e22,
        1e23,
    ]
    some += [9e15 + 1, 8.41e21, 9.5367431640625e-07, 2**-1074 * 3, 4.35, 0.000001, 6.02214076e23, -1e-7]
    for number in some:
        assert room.sql(f"SELECT {literal(number)}, typeof({literal(number)})") == [[number, "real"]]
    assert room.sql(f"SELECT {literal(float('inf'))} > 1e308") == [[1]]


@given(
    st.lists(st.lists(st.none() | numbers | texts | st.binary(), min_size=3, max_size=3), max_size=6),
    st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_rows_around_text_that_is_not_utf8_are_unchanged(here: Sql, rows: list[list[Any]], at: int) -> None:
    rows = [*rows[:at], [InvalidText(b"\xc3\x28"), b"\xc3\x28", None], *rows[at:]]
    parts = [f"SELECT {','.join(map(literal, row))}" for row in rows]
    found = here(" UNION ALL ".join(parts))
    assert len(found) == len(rows)
    assert all(_same(cell, value) for line, row in zip(found, rows) for cell, value in zip(line, row))


def test_names_of_columns_may_be_twice_the_same_beside_text_that_is_not_utf8(here: Sql) -> None:
    result = here.results('SELECT CAST(x\'ff\' AS TEXT) AS a, 1 AS a, ?1 AS "b""c"', ["p"])[0]
    assert result.columns == ["a", "a", 'b"c']
    assert result.rows == [(InvalidText(b"\xff"), 1, "p")]


def test_what_a_write_returns_can_be_no_text_that_is_not_utf8_and_then_nothing_is_written(here: Sql) -> None:
    before = here("SELECT count(*) FROM t")
    with pytest.raises(SqlError, match="not UTF-8"):
        here("INSERT INTO t VALUES(CAST(x'ff' AS TEXT)) RETURNING v")
    assert here("SELECT count(*) FROM t") == before


def test_parameters_go_to_the_statements_in_turn(here: Sql) -> None:
    results = here.results("SELECT ?; SELECT ?2, ?1; SELECT 'none'; SELECT :a", ["1", "2", "3", "4"])
    assert [result.rows for result in results] == [[("1",)], [("3", "2")], [("none",)], [("4",)]]
    assert here("SELECT :name, @other, $third", {"name": 1, "@other": b"2", ":third": None}) == [
        (1, b"2", None)
    ]


@pytest.mark.parametrize(
    ("sql", "params", "said"),
    [
        ("SELECT ?, ?", [1], "too few values"),
        ("SELECT ?", [1, 2], "too many values"),
        ("SELECT 1", [1], "too many values"),
        ("SELECT :a", {"b": 1}, "no value was given for the parameter a"),
        ("SELECT :a", {"a": 1, "b": 1}, "no statement has the parameter b"),
        ("SELECT ?", {"a": 1}, "no value was given for the parameter 1"),
        ("SELECT ?", [2**63], "64-bit"),
        ("SELECT ?", ["\ud800"], "surrogate"),
        ("SELECT ?", [InvalidText(b"\xff")], "UTF-8"),
        ("SELECT ?", [object()], "cannot be a parameter"),
    ],
)
def test_a_wrong_parameter_is_said_to_be_wrong(here: Sql, sql: str, params: Any, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said) as wrong:
        here(sql, params)
    assert wrong.value.code == "sql.bad_parameter"


@pytest.mark.parametrize(
    ("sql", "line", "column", "said"),
    [
        ("SELECT nothere FROM t", 1, 8, "no such column: nothere"),
        ("SELECT 1;\n\n  SELECT 'é漢😀', from t", 3, 17, 'near "from": syntax error'),
        ("SELECT 1; SELECT 2; SELEC 3", 1, 21, 'near "SELEC": syntax error'),
        ("-- é\nSELECT 1,\n  nope(3)", 3, 3, "no such function: nope"),
        ("SELECT 'a\0b'", 1, 10, "NUL"),
        ("SELECT '\ud800'", 1, 9, "surrogate"),
        ("SELECT 1 +", None, None, "incomplete input"),
        ("INSERT INTO t VALUES(1, 2)", None, None, "table t has 1 columns but 2 values were supplied"),
    ],
)
def test_an_error_says_where_in_the_whole_text_it_is(
    here: Sql, sql: str, line: int | None, column: int | None, said: str
) -> None:
    with pytest.raises(SqlError) as wrong:
        here(sql)
    assert wrong.value.code == "sql.error"
    assert said in wrong.value.message
    assert (wrong.value.line, wrong.value.column) == (line, column)
    if line is not None:
        assert wrong.value.message.endswith(f"(line {line}, column {column})")


def test_a_value_of_25_mib_and_a_table_of_2000_columns_are_read(tmp_path: Path) -> None:
    import apsw

    path = str(tmp_path / "large.sqlite")
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    names = ",".join(f"c{number}" for number in range(2000))
    connection.execute(f"CREATE TABLE wide({names}); CREATE TABLE big(v)")
    connection.execute(f"INSERT INTO wide VALUES({','.join(map(str, range(2000)))})")
    connection.execute("INSERT INTO big VALUES(?)", ("x" * (25 << 20),))
    connection.close()
    here = Sql(LocalSqlDatabase(path))
    assert here("SELECT * FROM wide") == [tuple(range(2000))]
    assert len(here("SELECT v FROM big")[0][0]) == 25 << 20  # type: ignore[arg-type]
    here("UPDATE wide SET c1999 = CAST(x'ff' AS TEXT)")
    assert here("SELECT * FROM wide")[0][1998:] == (1998, InvalidText(b"\xff"))


def test_limit_keeps_so_many_rows_and_writes_still_run_to_their_end(here: Sql) -> None:
    here("DELETE FROM t")
    kept = here("INSERT INTO t SELECT value FROM json_each('[1,2,3,4]') RETURNING v", limit=2)
    assert len(kept) == 2
    assert here("SELECT count(*) FROM t") == [(4,)]
    assert here("SELECT v FROM t ORDER BY v", limit=3) == [(1,), (2,), (3,)]
