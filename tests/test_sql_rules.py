"""What SQL may do is what the emulator lets it do, and every refusal says what and why."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.support.oracle import Oracle, OracleError
from tests.support.sql import Sql, drive, new_sql
from workbench.model.errors import WorkbenchError

# What both must judge alike. Each stands alone: a table `t(a)` exists, nothing else does.
ALLOWED = [
    'SELECT "a string by double quotes"',
    "PRAGMA foreign_keys",
    "PRAGMA table_info(t)",
    "SELECT name FROM pragma_table_list",
    "PRAGMA foreign_key_check",
    "PRAGMA quick_check",
    "PRAGMA optimize",
    "PRAGMA case_sensitive_like",
    "EXPLAIN QUERY PLAN SELECT * FROM t",
    "EXPLAIN SELECT 1",
    "SELECT json_group_array(value) FROM json_each('[1,2]')",
    "SELECT '{\"a\":1}' ->> 'a', substring('abc', 2), unixepoch(0), row_number() OVER () FROM t",
    "CREATE VIRTUAL TABLE fts_here USING fts5(x)",
    "CREATE VIRTUAL TABLE rtree_here USING rtree(i, a, b)",
    "INSERT INTO t VALUES(1) ON CONFLICT DO NOTHING RETURNING a",
    "ANALYZE",
    "REINDEX",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 5) SELECT sum(i) FROM r",
]
REFUSED = [
    "ATTACH ':memory:' AS x",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '/tmp/elsewhere.sqlite'",
    "PRAGMA writable_schema = 1",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 3",
    "PRAGMA integrity_check",
    "PRAGMA page_size = 512",
    "PRAGMA foreign_keys = maybe",
    "SELECT sqlite_version()",
    "SELECT load_extension('x')",
    "SELECT median(a) FROM t",
    "SELECT fts5(1)",
    "SELECT * FROM pragma_function_list",
    "CREATE TABLE _cf_mine(a)",
    "CREATE TABLE _CF_mine(a)",
    "ALTER TABLE t RENAME TO _cf_t",
    "CREATE TEMP TABLE x(a)",
    "CREATE VIRTUAL TABLE g USING geopoly(a)",
    "CREATE VIRTUAL TABLE g USING fts3(a)",
    "UPDATE sqlite_master SET sql = ''",
    "DELETE FROM sqlite_schema",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT a",
    "CREATE TABLE wide(" + ",".join(f"c{n}" for n in range(101)) + ")",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_the_emulator_allows_is_allowed(oracle: Oracle, tmp_path: Path, sql: str) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(a)")
    here.results(sql)
    room = oracle.durable_object("Tenant", f"allowed {sql}")
    room.sql("CREATE TABLE t(a)")
    room.sql(sql)


@pytest.mark.parametrize("sql", REFUSED)
def test_what_the_emulator_refuses_is_refused_and_changes_nothing(
    oracle: Oracle, tmp_path: Path, sql: str
) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(a)")
    with pytest.raises(WorkbenchError) as refused:
        here.results(sql)
    assert refused.value.code in ("sql.not_allowed", "sql.error")
    assert here("SELECT name FROM sqlite_schema") == [("t",)]
    room = oracle.durable_object("Tenant", f"refused {sql}")
    room.sql("CREATE TABLE t(a)")
    with pytest.raises(OracleError):
        room.sql(sql)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("ATTACH 'x' AS y", "ATTACH"),
        ("SELECT sqlite_version()", "sqlite_version()"),
        ("PRAGMA journal_mode=DELETE", "journal_mode=DELETE"),
        ("INSERT INTO _cf_KV VALUES('a', x'')", "_cf_KV"),
        ("DROP TABLE _cf_KV", "_cf_KV"),
        ("CREATE INDEX i ON _cf_KV(value)", "_cf_KV"),
        ("UPDATE __miniflare_do_name SET name = 'x'", "__miniflare_do_name"),
        ("INSERT INTO t VALUES(1)", "_cf_KV"),  # by a trigger
        ("CREATE VIRTUAL TABLE g USING geopoly(a)", "geopoly"),
        ("BEGIN", "BEGIN"),
    ],
)
def test_a_refusal_names_what_was_refused(tmp_path: Path, sql: str, named: str) -> None:
    here = _with_the_runtimes_tables(tmp_path)
    with pytest.raises(WorkbenchError) as refused:
        here(sql)
    assert refused.value.code == "sql.not_allowed"
    assert named in refused.value.message
    assert here("SELECT count(*) FROM _cf_KV") == [(1,)]
    assert here("SELECT count(*) FROM t") == [(0,)]


def _with_the_runtimes_tables(folder: Path) -> Sql:
    here = new_sql(folder, "object")
    connection = apsw.Connection(here.database.path)
    connection.execute(
        "PRAGMA journal_mode=WAL; CREATE TABLE _cf_KV(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
        "CREATE TABLE __miniflare_do_name(id INTEGER PRIMARY KEY, name TEXT);"
        "INSERT INTO _cf_KV VALUES('n', x'ff0f'); CREATE TABLE t(a);"
        "CREATE TRIGGER sly AFTER INSERT ON t BEGIN DELETE FROM _cf_KV; END;"
    ).fetchall()
    connection.close()
    return here


def test_the_runtimes_own_tables_can_be_read(tmp_path: Path) -> None:
    assert _with_the_runtimes_tables(tmp_path)("SELECT key, value FROM _cf_KV") == [("n", b"\xff\x0f")]


def test_shadow_tables_of_a_full_text_table_are_not_written(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    here("CREATE VIRTUAL TABLE docs USING fts5(x)")
    with pytest.raises(WorkbenchError, match="docs_data"):
        here("DELETE FROM docs_data")


# The emulator opens no database that holds one of these, so none of them may get in.
BEYOND_LIMITS = {
    "101 columns": "CREATE TABLE v(" + ",".join(f"c{n}" for n in range(101)) + ")",
    "a deep view": "CREATE VIEW v AS SELECT " + "+".join(["1"] * 150),
    "a deep check": "CREATE TABLE v(a CHECK(" + "+".join(["a"] * 150) + "))",
    "a deep index": "CREATE INDEX v ON t(" + "+".join(["a"] * 150) + ")",
    "a deep trigger": "CREATE TRIGGER v AFTER INSERT ON t BEGIN SELECT " + "+".join(["1"] * 150) + "; END",
    "a long compound": "CREATE VIEW v AS " + " UNION ALL ".join(["SELECT 1"] * 10),
    "a long text": f"CREATE VIEW v AS SELECT '{'x' * 150_000}'",
    "many arguments": "CREATE VIEW v AS SELECT max(" + ",".join(["1"] * 130) + ")",
}


@pytest.mark.parametrize("name", BEYOND_LIMITS)
def test_no_definition_gets_in_that_would_lock_the_emulator_out(tmp_path: Path, name: str) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(a)")
    with pytest.raises(WorkbenchError):
        here(BEYOND_LIMITS[name])
    with pytest.raises(WorkbenchError):
        drive(here.database.import_sql([BEYOND_LIMITS[name]]))
    session = drive(here.database.session())
    with pytest.raises(WorkbenchError):
        drive(session.stream(BEYOND_LIMITS[name]))
    drive(session.close())
    assert here("SELECT name FROM sqlite_schema") == [("t",)]


def test_a_column_more_than_the_emulator_takes_cannot_be_added(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(" + ",".join(f"c{n}" for n in range(100)) + ")")
    with pytest.raises(WorkbenchError, match="too many columns"):
        here("ALTER TABLE t ADD COLUMN one_more")
    assert len(here.results("SELECT * FROM t")[0].columns) == 100


@pytest.mark.parametrize("sql", ["ANALYZE", "PRAGMA optimize(0x10002)"])
def test_analyzing_leaves_the_tables_the_emulator_leaves(oracle: Oracle, tmp_path: Path, sql: str) -> None:
    here = new_sql(tmp_path)
    room = oracle.durable_object("Tenant", f"analyzed {sql}")
    for run in (here, room.sql):
        run("CREATE TABLE t(a)")
        run("CREATE INDEX i ON t(a)")
        run("INSERT INTO t VALUES(1), (2)")
        run(sql)
    tables = "SELECT name FROM sqlite_schema WHERE name <> '__miniflare_do_name' ORDER BY name"
    assert [tuple(row) for row in room.sql(tables)] == here(tables)


def test_reading_only_refuses_whatever_writes(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    writing = ["DELETE FROM t", "SELECT 1; INSERT INTO t VALUES(2)", "PRAGMA optimize", "DROP TABLE t"]
    for sql in [*writing, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "REPLACE INTO t VALUES(1)"]:
        with pytest.raises(WorkbenchError) as refused:
            here(sql, read_only=True)
        assert refused.value.code == "sql.read_only"
    assert here("SELECT a FROM t; EXPLAIN DELETE FROM t; SELECT a FROM t", read_only=True) == [(1,)]


@pytest.mark.parametrize(
    ("sql", "effect"),
    [
        ("SELECT * FROM t", "reads"),
        ("EXPLAIN DROP TABLE t", "reads"),
        ("PRAGMA table_info(t)", "reads"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "reads"),
        ("BEGIN", "reads"),
        ("INSERT INTO t(a) VALUES(1)", "writes"),
        ("UPDATE t SET a = 1", "writes"),
        ("CREATE TABLE u(a)", "writes"),
        ("CREATE INDEX i ON t(a)", "writes"),
        ("ALTER TABLE t ADD COLUMN c", "writes"),
        ("ANALYZE", "writes"),
        ("PRAGMA optimize", "writes"),
        ("WITH x AS (SELECT 1) INSERT INTO t(a) SELECT * FROM x", "writes"),
        ("DELETE FROM t", "destroys"),
        ("WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x", "destroys"),
        ("DROP TABLE t", "destroys"),
        ("DROP VIEW v", "destroys"),
        ("ALTER TABLE t DROP COLUMN b", "destroys"),
        ("DELETE FROM not_there_yet", "destroys"),
        ("SELECT * FROM not_there_yet", "reads"),
        ("/* SELECT */ -- SELECT\n DROP TABLE not_there_yet", "destroys"),
    ],
)
def test_what_a_statement_does_is_known_before_it_runs(tmp_path: Path, sql: str, effect: str) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE t(a, b); CREATE VIEW v AS SELECT * FROM t")
    text = f"  {sql} ;"
    assert drive(here.database.statements(text)) == [(2, len(text), effect)]
    assert here("SELECT count(*) FROM sqlite_schema") == [(2,)]
