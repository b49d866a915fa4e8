"""A database as SQL text that makes the same database again, streamed.

The SQL is what `wrangler d1 execute --file` and `sqlite3` take: the shape of D1's own export (miniflare, dumpSql), and
beyond it row ids that mean something, virtual tables (made again from their rows; their shadows make themselves) and text
that is not UTF-8. The runtime's own tables stay out, as there.
"""

from collections.abc import Iterator

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Row, Table

from .allowed import reserved
from .rows import Rows
from .schema import read_schema
from .statements import Engine
from .values import literal, quoted

_BATCH = 200


def export_sql(engine: Engine, tables: list[str] | None, schema_only: bool) -> Iterator[str]:
    """Pieces of SQL, each whole statements with their line ends. tables: only these, with their indexes and triggers."""
    every = [table for table in read_schema(engine).tables if not _left_out(table)]
    if tables is not None:
        known = {table.name.lower() for table in every}
        for name in tables:
            if name.lower() not in known:
                raise WorkbenchError("sql.table_not_found", f"there is no table {name} in this database")
        wanted = {name.lower() for name in tables}
        every = [table for table in every if table.name.lower() in wanted]
    yield "PRAGMA defer_foreign_keys=TRUE;\n"
    plain = [table for table in every if table.kind == "table" and not table.name.startswith("sqlite_")]
    virtual = [table for table in every if table.kind == "virtual"]
    # All tables before any row: a row may point to a table that was made later.
    for table in plain:
        yield f"{_made(table)};\n"
    for table in () if schema_only else plain:
        yield from _inserts(engine, table)
    for table in virtual:
        yield f"{_made(table)};\n"
        if not schema_only:
            yield from _virtual_rows(engine, table)
    if not schema_only and tables is None:
        yield from _sqlite_tables(engine)
    names = {table.name.lower() for table in every}
    yield from _others(engine, ("index", "view"), names)
    if not schema_only:
        yield from (_rebuild(table) for table in virtual if _option(_flat(table), "content"))
    yield from _others(engine, ("trigger",), names)


def _left_out(table: Table) -> bool:
    return table.kind == "shadow" or (table.reserved and not table.name.startswith("sqlite_"))


def _made(table: Table) -> str:
    return (table.sql or "").rstrip().rstrip(";")


def _inserts(engine: Engine, table: Table, rowid: str = "") -> Iterator[str]:
    """An INSERT a row. The row id is named where a plain INSERT would give another one."""
    columns = [column.name for column in table.columns if not column.generated and not column.hidden]
    if not rowid and table.kind == "table":
        rowid = _rowid_to_keep(engine, table)
    named = [rowid, *columns] if rowid else columns
    if not named:
        return
    head = f"INSERT INTO {quoted(table.name)} ({','.join(quoted(name) for name in named)}) VALUES("
    # A real column called like the alias would win; _rowid_to_keep never gives such an alias.
    picked = ",".join(quoted(name) if name != rowid else name for name in named)
    order = f" ORDER BY {rowid}" if rowid else ""
    for rows in _batches(engine, f"SELECT {picked} FROM {quoted(table.name)}{order}"):
        yield "".join(f"{head}{','.join(map(literal, row))});\n" for row in rows)


def _rowid_to_keep(engine: Engine, table: Table) -> str:
    """The alias of the row id, where ids are not simply 1, 2, 3 ... and no column already says them."""
    if table.without_rowid or (table.identity and len(table.identity) == 1 and _is_rowid(table)):
        return ""
    taken = {column.name.lower() for column in table.columns}
    alias = next((one for one in ("rowid", "_rowid_", "oid") if one not in taken), "")
    if not alias:
        return ""
    row = engine.trusted(f"SELECT min({alias}), max({alias}), count(*) FROM {quoted(table.name)}").fetchone()
    return "" if row is None or row[2] == 0 or (row[0] == 1 and row[1] == row[2]) else alias


def _is_rowid(table: Table) -> bool:
    key = [column for column in table.columns if column.key]
    own_index = any(index.origin == "pk" for index in table.indexes)
    return len(key) == 1 and key[0].type.upper() == "INTEGER" and not own_index


def _virtual_rows(engine: Engine, table: Table) -> Iterator[str]:
    """The rows of a virtual table as it shows them; its shadows follow from them."""
    made = _flat(table)
    if "using fts5vocab" in made:
        return
    if "using fts5" not in made:
        yield from _inserts(engine, table)
        return
    content = _option(made, "content")
    if content is None:
        yield from _inserts(engine, table, "rowid")
    elif content == "":
        yield f"-- {_comment(table.name)} keeps an index without its text, which no export can hold\n"


def _rebuild(table: Table) -> str:
    """A full-text table over another table or view: indexed again when that one is filled."""
    name = quoted(table.name)
    return f"INSERT INTO {name} ({name}) VALUES('rebuild');\n"


def _flat(table: Table) -> str:
    return " ".join((table.sql or "").lower().split())


def _comment(name: str) -> str:
    return name.replace("\r", " ").replace("\n", " ").replace(";", ",").replace("\0", "")


def _option(made: str, name: str) -> str | None:
    """The value of an option of a CREATE VIRTUAL TABLE, or None."""
    import re

    match = re.search(rf"[(,]\s*{name}\s*=\s*('[^']*'|\"[^\"]*\"|[^,)\s]*)", made)
    return match.group(1).strip("'\"") if match else None


def _sqlite_tables(engine: Engine) -> Iterator[str]:
    """The counters of AUTOINCREMENT, and what ANALYZE found."""
    there = {
        row[0]
        for row in engine.trusted("SELECT name FROM sqlite_schema WHERE name GLOB 'sqlite_s*'").fetchall()
    }
    if "sqlite_sequence" in there:
        yield "DELETE FROM sqlite_sequence;\n"
        for row in engine.trusted("SELECT name, seq FROM sqlite_sequence").fetchall():
            yield f"INSERT INTO sqlite_sequence (name,seq) VALUES({literal(row[0])},{literal(row[1])});\n"
    if "sqlite_stat1" in there:
        yield "ANALYZE sqlite_schema;\n"
        for row in engine.trusted("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall():
            if reserved(str(row[0])):
                continue
            yield f"INSERT INTO sqlite_stat1 (tbl,idx,stat) VALUES({','.join(map(literal, row))});\n"


def _others(engine: Engine, kinds: tuple[str, ...], tables: set[str]) -> Iterator[str]:
    """The indexes, views or triggers that belong to these tables and views, in the order they were made."""
    marks = ",".join("?" * len(kinds))
    sql = f"SELECT tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ({marks}) ORDER BY type, rowid"
    for table, made in engine.trusted(sql, kinds).fetchall():
        if str(table).lower() in tables:
            yield f"{str(made).rstrip().rstrip(';')};\n"


def _batches(engine: Engine, sql: str) -> Iterator[list[Row]]:
    """The rows of a query, some hundred at a time."""
    rows = Rows(engine, engine.compile(sql), None, sql)
    while not rows.ended:
        found = rows.take(_BATCH)
        if found:
            yield found
