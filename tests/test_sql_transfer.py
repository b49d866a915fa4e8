"""A database as a file of SQL and back: ours, wrangler's and the sqlite3 shell's files."""

from __future__ import annotations

import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from tests.support.emulator import environment_of_emulator
from tests.support.installation import node_path
from tests.support.oracle import Oracle
from tests.support.sql import Sql, drive, new_sql, project_on
from workbench.backends.local.d1 import LocalD1
from workbench.backends.local.sql import LocalSqlDatabase
from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel

PLAIN = """
CREATE TABLE customers(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, twice AS (id * 2), pic BLOB, score REAL);
INSERT INTO customers(id, name, pic, score) VALUES
    (5, 'a''b' || char(10) || 'c;', x'00ff', 0.1), (9007199254740993, '', x'', 1e300), (7, NULL, NULL, -5e-324);
CREATE TABLE "od""d"(id INTEGER PRIMARY KEY, "sp ace" TEXT, customer REFERENCES customers(id));
INSERT INTO "od""d" VALUES(1, 'é漢😀', 5), (2, 'x', 9007199254740993);
CREATE TABLE early(id INTEGER PRIMARY KEY, later REFERENCES late(id));
CREATE TABLE late(id INTEGER PRIMARY KEY);
INSERT INTO late VALUES(1);
INSERT INTO early VALUES(1, 1);
CREATE TABLE pairs(a TEXT, b, PRIMARY KEY(b, a)) WITHOUT ROWID;
INSERT INTO pairs VALUES('z', 1), ('b', 2);
CREATE TABLE strict_one(a ANY, b INT) STRICT;
INSERT INTO strict_one VALUES(x'01', 1), ('t', 2), (1.0, 3);
CREATE INDEX by_name ON customers(name) WHERE id > 3;
CREATE UNIQUE INDEX by_sum ON "od""d"(id + 1);
CREATE VIEW everyone AS SELECT name FROM customers;
CREATE TRIGGER after_one AFTER INSERT ON customers BEGIN INSERT INTO late VALUES(new.id); SELECT CASE 1 WHEN 1 THEN 2 END; END;
"""
BEYOND_WRANGLER = """
CREATE TABLE loose(a, b);
INSERT INTO loose(rowid, a) VALUES(3, 'three'), (10, CAST(x'ff41' AS TEXT)), (11, char(0, 13, 10) || '\\r');
CREATE VIRTUAL TABLE docs USING fts5(title, body);
INSERT INTO docs(rowid, title, body) VALUES(4, 'hello', 'a world'), (9, 'bye', 'world');
CREATE VIRTUAL TABLE names USING fts5(name, content='customers', content_rowid='id');
INSERT INTO names(names) VALUES('rebuild');
CREATE VIRTUAL TABLE words USING fts5vocab(docs, row);
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +what);
INSERT INTO boxes VALUES(7, 0.1, 2.5, 'aux');
ANALYZE;
"""


def _export(sql: Sql) -> str:
    return "".join(drive(sql.database.export_sql()))


def _pieces(text: str, size: int = 11) -> Iterator[str]:
    for at in range(0, len(text), size):
        yield text[at : at + size]


def _content(sql: Sql) -> dict[str, object]:
    """Everything in it, in words that hide no difference of type."""
    found: dict[str, object] = {
        "schema": sorted(sql("SELECT type, name, tbl_name, sql FROM sqlite_schema"), key=repr)
    }
    for table in drive(sql.database.schema()).tables:
        if table.kind in ("table", "virtual") and "fts5vocab" not in (table.sql or ""):
            rowid = table.identity[0] if table.identity and table.identity[0] == "rowid" else "0"
            found[table.name] = sql(
                f'SELECT {rowid}, * FROM "{table.name.replace(chr(34), chr(34) * 2)}" ORDER BY 1, 2'
            )
    return found


def test_what_was_exported_makes_the_same_database_again(tmp_path: Path) -> None:
    here, there = new_sql(tmp_path, "a"), new_sql(tmp_path, "b")
    here(PLAIN + BEYOND_WRANGLER)
    text = _export(here)
    assert drive(there.database.import_sql(_pieces(text))) > 30
    assert _content(there) == _content(here)
    assert _export(there) == text
    assert there("SELECT title FROM docs WHERE docs MATCH 'world' ORDER BY rowid") == [("hello",), ("bye",)]
    assert there("SELECT what FROM boxes WHERE x1 > 2") == [("aux",)]
    there(
        "INSERT INTO docs(docs) VALUES('integrity-check'); INSERT INTO names(names) VALUES('integrity-check')"
    )


def test_some_tables_or_only_the_schema_can_be_exported(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    here(PLAIN)
    one = "".join(drive(here.database.export_sql(["customers"])))
    assert "by_name" in one and "after_one" in one and "INSERT" in one
    assert "everyone" not in one and "pairs" not in one
    bare = "".join(drive(here.database.export_sql(schema_only=True)))
    assert 'INSERT INTO "customers"' not in bare and "CREATE VIEW everyone" in bare
    with pytest.raises(WorkbenchError, match="no table nope"):
        list(drive(here.database.export_sql(["nope"])))


def _wrangler(oracle: Oracle, folder: Path, *arguments: str) -> None:
    install = Path(oracle.emulator.project)
    from tests.support.emulator import install as installed

    program = installed() / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    done = subprocess.run(
        [str(node_path()), str(program), "d1", *arguments],
        cwd=install,
        env=environment_of_emulator(folder, {}),
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_wranglers_export_is_imported_and_ours_is_executed_by_wrangler(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    running = oracle_factory()
    d1 = LocalD1(project_on(running.state.parent, bound="shop-database"))
    here = Sql(drive(d1.sql("shop-database")))
    # wrangler's own export rounds integers beyond 2^53.
    here(PLAIN.replace("9007199254740993", "900719925474099"))
    before = _content(here)
    running.stop()
    theirs = tmp_path / "theirs.sql"
    _wrangler(running, tmp_path, "export", "shop", "--local", "--output", str(theirs))
    copy = new_sql(tmp_path, "copy")
    drive(copy.database.import_sql([theirs.read_text()]))
    assert _content(copy) == before

    ours = tmp_path / "ours.sql"
    here("UPDATE customers SET id = 9007199254740993 WHERE id = 7;" + BEYOND_WRANGLER)
    before = _content(here)
    ours.write_text(_export(here), newline="")
    drive(d1.delete_database("shop-database"))
    _wrangler(running, tmp_path, "execute", "shop", "--local", "--yes", "--file", str(ours))
    assert _content(here) == before


# As sqlite3 3.40 and later write it, for a database with a full-text table and a row that points forward.
DUMP = """PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent(id));
INSERT INTO child VALUES(1,7);
CREATE TABLE parent(id INTEGER PRIMARY KEY, t);
INSERT INTO parent VALUES(7,unistr('a\\u000ab'));
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','docs','docs',0,'CREATE VIRTUAL TABLE docs USING fts5(x)');
CREATE TABLE IF NOT EXISTS 'docs_data'(id INTEGER PRIMARY KEY, block BLOB);
{data}CREATE TABLE IF NOT EXISTS 'docs_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
{idx}CREATE TABLE IF NOT EXISTS 'docs_content'(id INTEGER PRIMARY KEY, c0);
{content}CREATE TABLE IF NOT EXISTS 'docs_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
{docsize}CREATE TABLE IF NOT EXISTS 'docs_config'(k PRIMARY KEY, v) WITHOUT ROWID;
{config}PRAGMA writable_schema=OFF;
COMMIT;
"""


def test_a_dump_of_the_sqlite3_shell_with_a_full_text_table_is_imported(tmp_path: Path) -> None:
    from workbench.backends.local.sql.values import literal

    source = apsw.Connection(":memory:")
    source.execute(
        "CREATE VIRTUAL TABLE docs USING fts5(x); INSERT INTO docs VALUES('a quick fox'), ('a hare')"
    )
    rows = {
        name: "".join(
            f"INSERT INTO docs_{name} VALUES({','.join(map(literal, row))});\n"
            for row in source.execute(f"SELECT * FROM docs_{name}")
        )
        for name in ("data", "idx", "content", "docsize", "config")
    }
    here = new_sql(tmp_path)
    drive(here.database.import_sql(_pieces(DUMP.format(**rows))))
    assert here("SELECT x FROM docs WHERE docs MATCH 'quick'") == [("a quick fox",)]
    assert here("SELECT t FROM parent") == [("a\nb",)]
    here("INSERT INTO docs(docs) VALUES('integrity-check'); INSERT INTO docs VALUES('a quick hare')")
    assert len(here("SELECT x FROM docs WHERE docs MATCH 'quick'")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "CREATE TABLE a(x);\n\nINSERT INTO a\n VALUS(1);",
            r'near "VALUS": syntax error \(line 4, column 2\)',
        ),
        ("CREATE TABLE a(x);\nINSERT INTO b VALUES(1);", r"no such table: b \(line 2\)"),
        ("CREATE TABLE a(x); ATTACH 'x' AS y", r"ATTACH.* \(line 1\)"),
        ("CREATE TABLE a(x);\nCREATE TABLE _cf_KV(x);", r"_cf_KV.* \(line 2\)"),
        (
            "CREATE TABLE a(x INTEGER PRIMARY KEY); CREATE TABLE b(y REFERENCES a); INSERT INTO b VALUES(3)",
            "a row of b",
        ),
        ("BEGIN; CREATE TABLE a(x); ROLLBACK; -- due to errors", "ROLLBACK"),
        ("CREATE TABLE a(x); INSERT INTO a VALUES(?)", "parameters"),
        ("CREATE TABLE a(x); INSERT INTO a VALUES('open", "unrecognized token"),
        (
            "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','t','t',2,'CREATE TABLE t(a)')",
            "virtual",
        ),
    ],
)
def test_a_file_with_an_error_says_where_and_changes_nothing(tmp_path: Path, text: str, said: str) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE kept(a)")
    with pytest.raises(WorkbenchError, match=said):
        drive(here.database.import_sql([text]))
    assert here("SELECT name FROM sqlite_schema") == [("kept",)]


def test_a_large_file_is_imported_in_flat_memory_with_progress_and_can_be_stopped(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    line = f"INSERT INTO t VALUES('{'x' * 200}');\n"
    chunks = lambda: iter(["CREATE TABLE t(a);\n", *([line * 300] * 200)])  # noqa: E731
    said: list[int] = []
    tracemalloc.start()
    try:
        assert drive(here.database.import_sql(chunks(), lambda done, total: said.append(done))) == 60_001
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert said == sorted(said) and len(said) > 50
    assert here("SELECT count(*) FROM t") == [(60_000,)]
    cancel = Cancel()
    with pytest.raises(Cancelled):
        drive(
            here.database.import_sql(
                iter(["DELETE FROM t;\n", line * 5000]), lambda done, total: cancel.cancel(), cancel
            )
        )
    assert here("SELECT count(*) FROM t") == [(60_000,)]


def test_an_export_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    here("CREATE TABLE a(x); CREATE TABLE b(x); INSERT INTO a VALUES(1); INSERT INTO b VALUES(1)")
    pieces = drive(here.database.export_sql())
    text = next(pieces) + next(pieces)
    here("UPDATE a SET x = 2; UPDATE b SET x = 2; DROP TABLE b")
    text += "".join(pieces)
    assert "VALUES(1)" in text and "VALUES(2)" not in text and text.count("INSERT") == 2


def test_a_long_write_is_announced_while_a_server_runs(tmp_path: Path) -> None:
    here = new_sql(tmp_path)
    many = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000) SELECT i, 'some text' FROM r"
    here(f"CREATE TABLE many(id INTEGER PRIMARY KEY, t); INSERT INTO many {many}; CREATE TABLE few(a)")
    live = LocalSqlDatabase(here.database.path, server_running=lambda: True)
    for sql in (
        "DELETE FROM many",
        "UPDATE many SET t = 1 WHERE t = 2",
        "CREATE INDEX i ON many(t)",
        "INSERT INTO few SELECT t FROM many",
    ):
        assert "write lock" in (drive(live.may_block(sql)) or ""), sql
        assert drive(here.database.may_block(sql)) is None
    for sql in (
        "SELECT * FROM many",
        "DELETE FROM few",
        "UPDATE many SET t = 1 WHERE id = 2",
        "INSERT INTO many VALUES(0, 0)",
        "CREATE TABLE n(a)",
    ):
        assert drive(live.may_block(sql)) is None, sql
