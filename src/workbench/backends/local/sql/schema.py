"""The full schema of a database, as SQLite itself tells it."""

from collections.abc import Iterator
from threading import Timer
from time import monotonic

import apsw

from workbench.model.sql import Column, ForeignKey, Index, Row, Schema, Table, Trigger

from .allowed import reserved
from .statements import Engine
from .values import quoted

# What counting may cost, in seconds: all tables, and one of them.
_COUNTING = 0.2
_COUNTING_ONE = 0.08
_GENERATED = {2: "virtual", 3: "stored"}


def read_schema(engine: Engine, counts: bool = False) -> Schema:
    """All tables, views, virtual tables and their shadows in the order they were made; SQLite's own come last.

    A table that SQLite cannot describe (a module it lacks, a broken view) is there without columns, and `no_identity`
    says why.
    """
    sql = {
        _text(name): _text(made)
        for name, made in _rows(
            engine,
            "SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema WHERE type IN ('table','view')",
        )
    }
    listed = {str(row[0]): row for row in _table_list(engine)}
    names = list(sql)
    virtual = [name for name in names if name in listed and listed[name][1] == "virtual"]
    triggers = _triggers(engine)
    deadline = monotonic() + _COUNTING
    tables = []
    for name in names:
        table = _table(engine, name, sql[name], listed.get(name), virtual)
        table = table._replace(triggers=tuple(one for one in triggers if one.table == name))
        if counts and table.kind != "view":
            table = table._replace(rows=count_rows(engine, name, min(deadline, monotonic() + _COUNTING_ONE)))
        tables.append(table)
    tables.sort(key=lambda table: (table.name.startswith("sqlite_"), table.reserved))
    return Schema(tuple(tables))


def read_table(engine: Engine, name: str) -> Table | None:
    """One table or view (without its triggers and count), or None where there is none of that name."""
    found = list(
        _rows(
            engine,
            "SELECT name, sql FROM sqlite_schema WHERE type IN ('table','view') AND name=? COLLATE NOCASE",
            name,
        )
    )
    if not found:
        return None
    real, made = str(found[0][0]), found[0][1]
    listed = next((row for row in _table_list(engine, real)), None)
    return _table(engine, real, made if isinstance(made, str) else None, listed, [])


def _rows(engine: Engine, sql: str, *values: str) -> Iterator[Row]:
    return iter(engine.trusted(sql, values or None).fetchall())


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _table_list(engine: Engine, table: str | None = None) -> Iterator[Row]:
    """name, type, WITHOUT ROWID, STRICT"""
    sql = "SELECT CAST(name AS BLOB), type, wr, strict FROM pragma_table_list"
    where = " WHERE schema='main'" + ("" if table is None else " AND name=?")
    for name, kind, without_rowid, strict in _rows(engine, sql + where, *([] if table is None else [table])):
        yield _text(name), kind, without_rowid, strict


def _triggers(engine: Engine) -> list[Trigger]:
    sql = "SELECT CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema WHERE type='trigger'"
    return [Trigger(_text(name), _text(table), _text(made)) for name, table, made in _rows(engine, sql)]


def _table(engine: Engine, name: str, made: str | None, listed: Row | None, virtual: list[str]) -> Table:
    kind = str(listed[1]) if listed is not None else "table"
    table = Table(
        name,
        kind,  # type: ignore[arg-type]
        columns=(),
        without_rowid=bool(listed and listed[2]),
        strict=bool(listed and listed[3]),
        shadow_of=_owner(name, virtual) if kind == "shadow" else None,
        sql=made or None,
        reserved=reserved(name) or name.startswith("sqlite_"),
    )
    try:
        table = table._replace(
            columns=_columns(engine, name),
            foreign_keys=_foreign_keys(engine, name),
            indexes=_indexes(engine, name) if kind == "table" else (),
        )
    except (apsw.Error, UnicodeDecodeError) as error:
        return table._replace(no_identity=f"SQLite cannot read its columns: {error}")
    identity, reason = _identity(table)
    return table._replace(identity=identity, no_identity=reason)


def _owner(shadow: str, virtual: list[str]) -> str | None:
    """The virtual table whose name it begins with; the longest, where one name begins with another."""
    owners = [name for name in virtual if shadow.lower().startswith(name.lower() + "_")]
    return max(owners, key=len, default=None)


def _columns(engine: Engine, table: str) -> tuple[Column, ...]:
    found = _rows(
        engine, 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', table
    )
    return tuple(
        Column(
            str(name),
            str(type_ or ""),
            bool(not_null),
            default if isinstance(default, str) else None,
            key if isinstance(key, int) else 0,
            _GENERATED.get(hidden if isinstance(hidden, int) else 0, ""),
            hidden == 1,
        )
        for name, type_, not_null, default, key, hidden in found
    )


def _foreign_keys(engine: Engine, table: str) -> tuple[ForeignKey, ...]:
    keys: dict[object, list[Row]] = {}
    sql = 'SELECT id, "from", "to", "table", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
    for row in _rows(engine, sql, table):
        keys.setdefault(row[0], []).append(row)
    return tuple(
        ForeignKey(
            tuple(str(row[1]) for row in rows),
            str(rows[0][3]),
            tuple(None if row[2] is None else str(row[2]) for row in rows),
            str(rows[0][4]),
            str(rows[0][5]),
        )
        for rows in keys.values()
    )


def _indexes(engine: Engine, table: str) -> tuple[Index, ...]:
    sql = (
        'SELECT l.name, l."unique", l.partial, l.origin, m.sql FROM pragma_index_list(?) l'
        " LEFT JOIN sqlite_schema m ON m.type='index' AND m.name=l.name ORDER BY l.seq DESC"
    )
    indexes = []
    for name, unique, partial, origin, made in _rows(engine, sql, table):
        columns = tuple(
            None if cid == -2 else "rowid" if cid == -1 else str(column)
            for cid, column in _rows(
                engine, "SELECT cid, name FROM pragma_index_xinfo(?) WHERE key", str(name)
            )
        )
        indexes.append(
            Index(
                str(name),
                table,
                columns,
                bool(unique),
                bool(partial),
                str(origin),
                made if isinstance(made, str) else None,
            )
        )
    return tuple(indexes)


def _identity(table: Table) -> tuple[tuple[str, ...], str]:
    """How an UPDATE names a row of the table; where it cannot, why."""
    if table.kind == "view":
        return (), "a view has no rows of its own"
    if table.kind == "shadow":
        return (), f"it is kept by the virtual table {table.shadow_of or ''}".rstrip()
    if table.reserved:
        return (), "it belongs to the runtime" if reserved(table.name) else "it belongs to SQLite"
    key = sorted((column for column in table.columns if column.key), key=lambda column: column.key)
    names = tuple(column.name for column in key)
    if table.without_rowid:
        return names, ""
    if table.kind == "virtual":
        return _virtual_identity(table)
    # A rowid table takes NULL in a primary key that is not INTEGER, so then only the rowid names every row.
    if len(key) == 1 and key[0].type.upper() == "INTEGER" and not _descending(table):
        return names, ""
    if key and all(column.not_null for column in key):
        return names, ""
    alias = _rowid(table)
    return (
        ((alias,), "")
        if alias
        else (names, "" if names else "columns named rowid, _rowid_ and oid hide its row id")
    )


def _descending(table: Table) -> bool:
    """INTEGER PRIMARY KEY DESC is, by an old accident, no row id: it has an index of its own."""
    return any(index.origin == "pk" for index in table.indexes)


def _virtual_identity(table: Table) -> tuple[tuple[str, ...], str]:
    made = (table.sql or "").lower()
    if "fts5vocab" in made:
        return (), "fts5vocab only shows what a full-text table holds"
    if (
        "fts5" in made
        and "content" in made
        and ("content=''" in made.replace(" ", "") or 'content=""' in made.replace(" ", ""))
    ):
        return (), "a contentless full-text table keeps no values"
    alias = _rowid(table)
    return ((alias,), "") if alias else ((), "its row id is hidden")


def _rowid(table: Table) -> str:
    taken = {column.name.lower() for column in table.columns}
    return next((alias for alias in ("rowid", "_rowid_", "oid") if alias not in taken), "")


def count_rows(engine: Engine, table: str, deadline: float) -> int | None:
    """The rows of a table, or None when counting takes until `deadline` (monotonic seconds) or fails."""
    if monotonic() >= deadline:
        return None
    # By the clock of a thread: SQLite counts a whole table in one step, in which no progress is told.
    late = Timer(deadline - monotonic(), engine.connection.interrupt)
    late.start()
    try:
        row = engine.trusted(f"SELECT count(*) FROM {quoted(table)}").fetchone()
        return row[0] if row and isinstance(row[0], int) else None
    except apsw.Error:
        return None
    finally:
        late.cancel()
