"""The whole schema is shown, whatever is in it, and what can be edited says how, or why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sql import Sql, drive, new_sql
from workbench.backends.local.sql import schema
from workbench.model.sql import Column, Editable, ForeignKey, Table

SHOP = """
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'nobody', note BLOB);
CREATE TABLE orders(
    id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER REFERENCES customers(id) ON DELETE CASCADE,
    total REAL, vat REAL GENERATED ALWAYS AS (total / 5) STORED, twice REAL AS (total * 2)
);
CREATE TABLE lines(order_id, place, what, PRIMARY KEY(order_id, place),
    FOREIGN KEY(order_id, place) REFERENCES slots(a, b) ON UPDATE SET NULL) WITHOUT ROWID;
CREATE TABLE slots(a INT NOT NULL, b INT NOT NULL, PRIMARY KEY(b, a)) STRICT;
CREATE TABLE loose(a, b);
CREATE TABLE hidden_rowid(rowid TEXT, a);
CREATE TABLE nothing_left(rowid, _rowid_, oid);
CREATE TABLE descending(id INTEGER PRIMARY KEY DESC, a);
CREATE INDEX orders_by_total ON orders(total DESC, customer_id) WHERE total > 10;
CREATE UNIQUE INDEX names ON customers(lower(name));
CREATE VIEW big_orders AS SELECT id, total FROM orders WHERE total > 100;
CREATE TRIGGER log_order AFTER INSERT ON orders BEGIN INSERT INTO loose VALUES(new.id, 'made'); END;
CREATE VIRTUAL TABLE docs USING fts5(title, body);
CREATE VIRTUAL TABLE docs_words USING fts5vocab(docs, row);
CREATE VIRTUAL TABLE index_only USING fts5(x, content='');
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +what);
CREATE TABLE "od""d [na]me;" ("sp ace" TEXT, "é" INT PRIMARY KEY);
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Sql:
    sql = new_sql(tmp_path_factory.mktemp("schema"))
    sql(SHOP)
    sql(
        "INSERT INTO customers(id, name) VALUES(1, 'Ann'), (2, 'Bob'); INSERT INTO orders(customer_id, total) VALUES(1, 250)"
    )
    return sql


@pytest.fixture(scope="module")
def tables(here: Sql) -> dict[str, Table]:
    return {table.name: table for table in drive(here.database.schema(counts=True)).tables}


def test_columns_keys_and_what_is_generated_are_shown(tables: dict[str, Table]) -> None:
    assert tables["orders"].columns == (
        Column("id", "INTEGER", False, None, 1),
        Column("customer_id", "INTEGER", False, None, 0),
        Column("total", "REAL", False, None, 0),
        Column("vat", "REAL", False, None, 0, "stored"),
        Column("twice", "REAL", False, None, 0, "virtual"),
    )
    assert tables["customers"].columns[1] == Column("name", "TEXT", True, "'nobody'", 0)
    assert tables["slots"].strict and not tables["orders"].strict
    assert tables["lines"].without_rowid
    assert [column.name for column in tables['od"d [na]me;'].columns] == ["sp ace", "é"]


def test_foreign_keys_indexes_and_triggers_are_shown(tables: dict[str, Table]) -> None:
    assert tables["orders"].foreign_keys == (
        ForeignKey(("customer_id",), "customers", ("id",), "NO ACTION", "CASCADE"),
    )
    assert tables["lines"].foreign_keys == (
        ForeignKey(("order_id", "place"), "slots", ("a", "b"), "SET NULL", "NO ACTION"),
    )
    (index,) = tables["orders"].indexes
    assert (index.name, index.columns, index.unique, index.partial) == (
        "orders_by_total",
        ("total", "customer_id"),
        False,
        True,
    )
    (names,) = tables["customers"].indexes
    assert (names.columns, names.unique) == ((None,), True)
    (trigger,) = tables["orders"].triggers
    assert trigger.name == "log_order"
    assert "INSERT INTO loose" in trigger.sql


def test_shadows_are_filed_under_their_virtual_table(tables: dict[str, Table]) -> None:
    kinds = {
        name: tables[name].kind
        for name in ("docs", "docs_data", "docs_words", "boxes", "boxes_node", "big_orders")
    }
    assert kinds == {
        "docs": "virtual",
        "docs_data": "shadow",
        "docs_words": "virtual",
        "boxes": "virtual",
        "boxes_node": "shadow",
        "big_orders": "view",
    }
    assert tables["docs_data"].shadow_of == "docs"
    assert tables["boxes_node"].shadow_of == "boxes"
    assert [column.name for column in tables["docs"].columns if not column.hidden] == ["title", "body"]


@pytest.mark.parametrize(
    ("table", "identity"),
    [
        ("customers", ("id",)),
        ("orders", ("id",)),
        ("lines", ("order_id", "place")),
        ("slots", ("b", "a")),
        ("loose", ("rowid",)),
        ("hidden_rowid", ("_rowid_",)),
        ("descending", ("rowid",)),
        ('od"d [na]me;', ("rowid",)),
        ("docs", ("rowid",)),
        ("boxes", ("rowid",)),
    ],
)
def test_every_row_has_a_name(tables: dict[str, Table], table: str, identity: tuple[str, ...]) -> None:
    assert tables[table].identity == identity
    assert tables[table].no_identity == ""


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("big_orders", "a view"),
        ("docs_data", "virtual table docs"),
        ("docs_words", "fts5vocab"),
        ("index_only", "contentless"),
        ("nothing_left", "hide its row id"),
        ("sqlite_sequence", "SQLite"),
    ],
)
def test_where_rows_have_no_name_it_says_why(tables: dict[str, Table], table: str, why: str) -> None:
    assert tables[table].identity == ()
    assert why in tables[table].no_identity


def test_rows_are_counted_in_bounded_time(
    here: Sql, tables: dict[str, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (tables["customers"].rows, tables["loose"].rows, tables["big_orders"].rows) == (2, 1, None)
    large = new_sql(tmp_path, "large")
    large("CREATE TABLE many(a); CREATE TABLE few(a)")
    endless = "(WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i FROM r)"
    monkeypatch.setattr(schema, "quoted", lambda name: endless if name == "many" else name)
    counted = {table.name: table.rows for table in drive(large.database.schema(counts=True)).tables}
    assert counted == {"many": None, "few": 0}
    assert drive(large.database.schema()).tables[0].rows is None


def test_a_broken_view_and_a_module_nobody_has_hide_nothing_else(tmp_path: Path) -> None:
    import apsw

    here = new_sql(tmp_path)
    here("CREATE TABLE fine(a); CREATE VIEW broken AS SELECT * FROM fine; CREATE TABLE later(a)")
    connection = apsw.Connection(here.database.path)
    connection.execute("PRAGMA writable_schema=1").fetchall()
    connection.execute(
        "INSERT INTO sqlite_schema VALUES('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nobody_has_it(x)')"
    )
    connection.execute(
        "UPDATE sqlite_schema SET sql='CREATE VIEW broken AS SELECT * FROM gone' WHERE name='broken'"
    )
    connection.close()
    tables = {table.name: table for table in drive(here.database.schema(counts=True)).tables}
    assert set(tables) == {"fine", "broken", "later", "odd"}
    assert tables["later"].columns == (Column("a", "", False, None, 0),)
    assert "nobody_has_it" in tables["odd"].no_identity
    assert "gone" in tables["broken"].no_identity


def _editable(here: Sql, sql: str) -> Editable:
    return drive(here.database.editable(sql))


def test_cells_are_traced_to_their_tables_through_joins_and_views(here: Sql) -> None:
    joined = _editable(
        here,
        "SELECT o.id, c.id, c.name, o.total * 2, o.vat FROM orders o JOIN customers c ON c.id = o.customer_id",
    )
    # What is computed or generated can't be written.
    assert joined.origins == (("orders", "id"), ("customers", "id"), ("customers", "name"), None, None)
    assert joined.keys == {"orders": (("id", 0),), "customers": (("id", 1),)}
    viewed = _editable(here, "SELECT * FROM big_orders")
    assert viewed.origins == (("orders", "id"), ("orders", "total"))
    assert viewed.keys == {"orders": (("id", 0),)}
    assert drive(here.database.origins("SELECT rowid, a FROM loose")) == [("loose", "rowid"), ("loose", "a")]
    assert _editable(here, "SELECT rowid, * FROM docs").keys == {"docs": (("rowid", 0),)}


@pytest.mark.parametrize(
    ("sql", "table", "why"),
    [
        ("SELECT name FROM customers", "customers", "the column id"),
        ("SELECT * FROM loose", "loose", "the column rowid"),
        ("SELECT a.id, b.id, b.name FROM customers a JOIN customers b", "", "twice"),
        ("SELECT a.id, b.name FROM customers a, customers b WHERE a.id < b.id", "", "twice"),
        ("SELECT id, name FROM customers UNION ALL SELECT id, total FROM orders", "", "compound"),
        ("SELECT id, name FROM customers UNION SELECT id, total FROM orders", "", "compound"),
        ("SELECT count(*) FROM customers", "", "no column"),
        ("SELECT _rowid_, * FROM hidden_rowid", "hidden_rowid", "named rowid"),
        ("SELECT * FROM docs_data", "docs_data", "virtual table"),
        ("DELETE FROM customers", "", "only the rows of a query"),
    ],
)
def test_where_a_row_cannot_be_told_the_grid_says_why(here: Sql, sql: str, table: str, why: str) -> None:
    found = _editable(here, sql)
    assert found.keys == {}
    assert why in found.reasons[table]


def test_a_plan_is_shown_without_running_anything(here: Sql) -> None:
    plans = drive(here.database.explain("DELETE FROM customers WHERE id = :who"))
    assert plans[0].detail == "SEARCH customers USING INTEGER PRIMARY KEY (rowid=?)"
    assert here("SELECT count(*) FROM customers")[0][0]
