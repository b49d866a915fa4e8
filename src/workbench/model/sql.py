"""Values of every SQL database: a D1 database, an object, a facet."""

from typing import Any, Literal, NamedTuple

from .sql_values import InvalidText, SqlValue

Row = tuple[SqlValue, ...]

Effect = Literal["reads", "writes", "destroys"]


class SqlResult(NamedTuple):
    """What one statement gave. rows_read is None where it is not counted."""

    columns: list[str]
    rows: list[Row]
    rows_read: int | None
    rows_written: int | None
    changes: int
    duration_ms: float


class BatchResult(NamedTuple):
    """What one query of a batch gave: its last statement's rows, and the figures of all of it.

    last_row_id: of the last row it inserted, or None. size_bytes: of the database afterwards, without free pages (None where it is
    not told). changed: whether it changed anything.
    """

    columns: list[str]
    rows: list[Row]
    rows_read: int | None
    rows_written: int | None
    changes: int
    duration_ms: float
    last_row_id: int | None
    size_bytes: int | None
    changed: bool


class Column(NamedTuple):
    """generated: "" or "stored" or "virtual". key: place in the primary key from 1, or 0."""

    name: str
    type: str
    not_null: bool
    default: str | None
    key: int
    generated: str = ""
    hidden: bool = False


class ForeignKey(NamedTuple):
    columns: tuple[str, ...]
    table: str
    references: tuple[str | None, ...]
    on_update: str
    on_delete: str


class Index(NamedTuple):
    name: str
    table: str
    columns: tuple[str | None, ...]
    unique: bool
    partial: bool
    origin: str
    sql: str | None


class Trigger(NamedTuple):
    name: str
    table: str
    sql: str


class Table(NamedTuple):
    """kind: table, view, virtual or shadow. identity: how an UPDATE names a row: the primary key's columns, or
    ("rowid",) (or _rowid_, oid where a column hides it), or () where a row can't be named; `no_identity` then says why."""

    name: str
    kind: Literal["table", "view", "virtual", "shadow"]
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    without_rowid: bool = False
    strict: bool = False
    shadow_of: str | None = None
    identity: tuple[str, ...] = ()
    no_identity: str = ""
    sql: str | None = None
    reserved: bool = False
    rows: int | None = None


class Schema(NamedTuple):
    """reserved tables (`_cf_*`, `sqlite_*`, `__miniflare_*`) are among them, marked."""

    tables: tuple[Table, ...]


class D1Database(NamedTuple):
    """id: what the state is filed under (database_id, or preview id, as the emulator has it)."""

    id: str
    name: str
    binding: str | None = None
    worker: str | None = None
    size_bytes: int | None = None
    tables: int | None = None


class Plan(NamedTuple):
    """A row of EXPLAIN QUERY PLAN."""

    id: int
    parent: int
    detail: str


class Editable(NamedTuple):
    """Which cells of a query's result can be written back.

    origins: for each column the table and column it is read from, or None where it is computed.
    keys: for each table whose rows the result names, its identity columns and the result columns (from 0) that hold them.
        A row whose identity is NULL there (an outer join) is no row of the table.
    reasons: for each other table of `origins` (and for the whole query under ""), why its rows can't be named.
    """

    origins: tuple[tuple[str, str] | None, ...]
    keys: dict[str, tuple[tuple[str, int], ...]]
    reasons: dict[str, str]


Params = list[Any] | dict[str, Any]

__all__ = [
    "BatchResult",
    "Column",
    "D1Database",
    "Editable",
    "Effect",
    "ForeignKey",
    "Index",
    "InvalidText",
    "Params",
    "Plan",
    "Row",
    "Schema",
    "SqlResult",
    "SqlValue",
    "Table",
    "Trigger",
]
