"""SQL over the API: a D1 database, or an object on a dev server's mirror, under the protocol `SqlDatabase`.

What a statement does, and the schema, are found out on an empty copy in memory that is made of the other side's own CREATE
statements: SQLite itself compiles there what would run. What it cannot compile counts as destroying.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import apsw

from workbench.backends.local.sql.database import LocalSqlDatabase
from workbench.backends.local.sql.results import refused_write
from workbench.backends.local.sql.splitter import cut
from workbench.backends.local.sql.statements import Engine, guessed_effect, parts
from workbench.backends.local.sql.values import Parameters
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.sql import BatchResult, Effect, Params, Plan, Row, Schema, SqlResult, SqlValue

from .shapes import whole

LARGEST_EXACT = 2**53 - 1
_SCHEMA = (
    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
    "ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 WHEN 'index' THEN 2 ELSE 3 END, rowid"
)
_NAME = 'SELECT count(*) FROM "{}"'


class Statement(NamedTuple):
    """One statement as it is sent."""

    sql: str
    params: list[Any]

    def body(self) -> dict[str, Any]:
        return {"sql": self.sql, "params": self.params} if self.params else {"sql": self.sql}


Run = Callable[[list[Statement], bool], Awaitable[list[SqlResult]]]
"""Runs statements on the other side, as one call; the flag: they only read, so asking twice is safe."""


class _Copy(LocalSqlDatabase):
    """An empty database in memory with the other side's schema, for compiling only."""

    def __init__(self, made: list[str]) -> None:
        super().__init__(":memory:")
        self._made = made

    def engine(self, *, writable: bool = False, transactions: bool = False) -> Engine:
        connection = apsw.Connection(":memory:")
        for sql in self._made:
            try:
                connection.execute(sql)
            except apsw.Error:
                continue  # a shadow table that its virtual table made already, or a module we lack
        return Engine(connection, transactions=transactions)


class CloudSql:
    """One database. name: for messages. run: how statements get there."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._copied: _Copy | None = None

    async def query(
        self,
        sql: str,
        params: Params | None = None,
        read_only: bool = False,
        limit: int | None = None,
        cancel: Cancel | None = None,
    ) -> list[SqlResult]:
        """Run every statement; a result a statement. limit: rows kept of each (the other side sends them all)."""
        if isinstance(params, dict):
            raise WorkbenchError(
                "sql.bad_parameter", "the API takes parameters by place, not by name", "use ?1, ?2"
            )
        places = [(begin, end) for begin, end in cut(sql) if sql[begin:end].strip(" \t\r\n;")]
        if not places:
            raise WorkbenchError("sql.error", "there is no SQL statement in it")
        if read_only:
            for first, last, effect in await self.statements(sql):
                if effect != "reads":
                    raise refused_write(sql[first:last])
        reads = read_only or all(guessed_effect(sql[begin:end]) == "reads" for begin, end in places)
        if not reads:
            self.changed()
        statements = await self._with_values(
            [sql[begin:end].strip() for begin, end in places], list(params or [])
        )
        results = await self._run(statements, reads)
        return results if limit is None else [one._replace(rows=one.rows[:limit]) for one in results]

    async def batch(
        self, queries: list[tuple[str, Params | None]], read_only: bool = False, cancel: Cancel | None = None
    ) -> list[BatchResult]:
        """Run several queries as one call, each with its own parameters (those of its last statement); a result a query."""
        statements: list[Statement] = []
        last = []  # where each query's last statement is among them
        reads = True
        for sql, params in queries:
            pieces = [sql[begin:end].strip() for begin, end in cut(sql) if sql[begin:end].strip(" \t\r\n;")]
            if not pieces or isinstance(params, dict):
                raise WorkbenchError("sql.error", "a query is SQL with parameters by place")
            for first, end, effect in await self.statements(sql) if read_only else ():
                if effect != "reads":
                    raise refused_write(sql[first:end])
            reads = reads and (read_only or all(guessed_effect(piece) == "reads" for piece in pieces))
            statements += [Statement(piece, []) for piece in pieces[:-1]]
            statements += await self._with_values(pieces[-1:], list(params or []))
            last.append(len(statements) - 1)
        if not reads:
            self.changed()
        results = await self._run(statements, reads)
        return [BatchResult(*results[place], None, None, results[place].changes > 0) for place in last]

    async def _with_values(self, pieces: list[str], values: list[Any]) -> list[Statement]:
        """Each statement with as many of the values as it has parameters.

        The API takes text alone: other values are written into the SQL by SQLite itself, exactly.
        """
        if not values:
            return [Statement(piece, []) for piece in pieces]
        if len(pieces) == 1 and all(isinstance(value, str) for value in values):
            return [Statement(pieces[0], values)]
        parameters = Parameters(values)
        found = []
        with (await self._copy()).using() as engine:
            for piece in pieces:
                compiled = engine.compile(piece)
                taken = parameters.take(compiled.parameters, compiled.names) or ()
                if all(isinstance(value, str) for value in taken):
                    found.append(Statement(piece, list(taken)))
                else:
                    found.append(Statement(_written_out(engine.connection, piece, tuple(taken)), []))
        parameters.finish()
        return found

    async def may_block(self, sql: str) -> str | None:
        """The API waits its turn with the Worker's own statements."""
        return None

    async def session(self, read_only: bool = False) -> "CloudSession":
        """For the console: each statement a call of its own."""
        return CloudSession(self, read_only)

    async def statements(self, sql: str) -> list[tuple[int, int, Effect]]:
        """Where each statement begins and ends and what it does; what does not compile destroys, unless it can only read."""
        found: list[tuple[int, int, Effect]] = []
        with (await self._copy()).using(transactions=True) as engine:
            for begin, end in cut(sql):
                piece = sql[begin:end]
                try:
                    inside = parts(engine, piece)
                except WorkbenchError:
                    indent = len(piece) - len(piece.lstrip())
                    inside = [(indent, len(piece.rstrip()), None)] if piece.strip(" \t\r\n;") else []
                for first, last, compiled in inside:
                    effect = _worst(piece[first:last]) if compiled is None else compiled.effect
                    found.append((begin + first, begin + last, effect))
        return found

    async def explain(self, sql: str, params: Params | None = None) -> list[Plan]:
        """EXPLAIN QUERY PLAN, asked of the other side: it has the figures that a plan is made from."""
        if guessed_effect(sql) == "reads" and sql.lstrip().lower().startswith("explain"):
            text = sql
        else:
            text = "EXPLAIN QUERY PLAN " + sql.lstrip()
        values = [] if isinstance(params, dict) else list(params or [])
        (result,) = await self._run(await self._with_values([text], values), True)
        columns = {name: place for place, name in enumerate(result.columns)}
        return [
            Plan(
                whole(row[columns["id"]]) or 0,
                whole(row[columns["parent"]]) or 0,
                str(row[columns["detail"]]),
            )
            for row in result.rows
        ]

    async def schema(self, counts: bool = False) -> Schema:
        """Everything in it; counts: the rows of each table too, which reads them all."""
        schema = await (await self._copy(fresh=True)).schema()
        names = [
            table.name for table in schema.tables if table.kind in ("table", "virtual") and not table.reserved
        ]
        if not counts or not names:
            return schema
        asked = [Statement(_NAME.format(name.replace('"', '""')), []) for name in names]
        rows = {name: one.rows[0][0] for name, one in zip(names, await self._run(asked, True), strict=True)}
        return Schema(tuple(table._replace(rows=whole(rows.get(table.name))) for table in schema.tables))

    async def import_sql(
        self, chunks: Iterable[str], progress: Progress | None = None, cancel: Cancel | None = None
    ) -> int:
        """Run a .sql file as one call; the number of statements run."""
        text = "".join(chunks)
        results = await self.query(text, cancel=cancel)
        if progress:
            progress(len(text), len(text))
        return len(results)

    async def export_sql(self, tables: list[str] | None = None, schema_only: bool = False) -> Iterator[str]:
        """A dump, where the other side makes one."""
        from .offers import lacks

        raise lacks("d1.transfer")

    async def _copy(self, *, fresh: bool = False) -> _Copy:
        if self._copied is None or fresh:
            (result,) = await self._run([Statement(_SCHEMA, [])], True)
            self._copied = _Copy([row[2] for row in result.rows if isinstance(row[2], str)])
        return self._copied

    def changed(self) -> None:
        """What was known of the schema is known no more."""
        self._copied = None


class CloudRows:
    """A statement's rows, all of them there; implements `RowStream`."""

    def __init__(self, result: SqlResult) -> None:
        self.columns = result.columns
        self._result = result
        self._given = 0

    async def fetch(self, count: int) -> list[Row]:
        rows = self._result.rows[self._given : self._given + count]
        self._given += len(rows)
        return rows

    async def close(self) -> SqlResult | None:
        return self._result._replace(rows=[]) if self._given >= len(self._result.rows) else None


class CloudSession:
    """Statements one after the other, each a call of its own: there is no transaction that lasts. Implements `SqlSession`."""

    in_transaction = False

    def __init__(self, database: CloudSql, read_only: bool) -> None:
        self._database = database
        self._read_only = read_only

    async def stream(self, sql: str, params: Params | None = None, cancel: Cancel | None = None) -> CloudRows:
        (result,) = await self._database.query(sql, params, self._read_only, cancel=cancel)
        return CloudRows(result)

    async def close(self) -> None:
        """Nothing is held."""


def _worst(statement: str) -> Effect:
    """What a statement that does not compile here may do: it can be trusted to read only where its first word says so."""
    return "reads" if guessed_effect(statement) == "reads" else "destroys"


def _written_out(connection: apsw.Connection, sql: str, values: tuple[Any, ...]) -> str:
    """A statement with its values in it, as SQLite writes them. Raises `sql.bad_parameter` for what that would change."""
    for value in values:
        if isinstance(value, float) and float(f"{value:.15g}") != value:
            raise WorkbenchError(
                "sql.bad_parameter",
                f"{value!r} has more digits than can be sent",
                "give it as text, and CAST it",
            )
        if isinstance(value, str) and "\0" in value:
            raise WorkbenchError(
                "sql.bad_parameter", "a text with a NUL character cannot be sent among other values"
            )
    found: list[str] = []

    def keep(cursor: apsw.Cursor, *_: object) -> bool:
        found.append(cursor.expanded_sql)
        return False

    cursor = connection.cursor()
    cursor.exec_trace = keep
    with suppress(apsw.ExecTraceAbort):
        cursor.execute(sql, values)
    return found[0]


def value(given: Any) -> SqlValue:
    """A value of a JSON answer: a list of numbers is a blob."""
    if isinstance(given, list):
        try:
            return bytes(given)
        except (TypeError, ValueError):
            return str(given)
    if isinstance(given, bool):
        return int(given)
    if isinstance(given, dict):
        return str(given)
    return given  # type: ignore[no-any-return]


def result(row: Any) -> SqlResult:
    """A statement's part of an answer of `/raw`: `{"results": {"columns", "rows"}, "meta": {...}}`."""
    found, meta = row.get("results") or {}, row.get("meta") or {}
    return SqlResult(
        [str(name) for name in found.get("columns") or []],
        [tuple(map(value, cells)) for cells in found.get("rows") or []],
        whole(meta.get("rows_read")),
        whole(meta.get("rows_written")),
        whole(meta.get("changes")) or 0,
        float(meta.get("duration") or 0.0),
    )


def rounded(results: list[SqlResult]) -> bool:
    """Whether there is an integer that JSON may not have carried exactly."""
    return any(
        isinstance(cell, int) and abs(cell) > LARGEST_EXACT
        for one in results
        for row in one.rows
        for cell in row
    )
