"""`LocalSqlDatabase`: one SQLite file of the state directory under the rules of D1's or an object's SQL.

The same code for a D1 database, a Durable Object and a facet. A call opens its own connection and closes it, so nothing
is held between calls and threads share nothing. A call that only reads opens the file for reading; one that writes is
one `BEGIN IMMEDIATE ... COMMIT`, compiled beforehand so that the lock is held for the writing alone.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

import apsw

from workbench.backends.local.database import open_database, translated
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.sql import BatchResult, Editable, Effect, Params, Plan, Schema, SqlResult

from .errors import SqlError
from .results import figures, refused_write
from .rows import Rows
from .session import LocalSqlSession
from .statements import Compiled, Engine, first_word, guessed_effect, parts
from .values import Bindings, Parameters

_READING_WORDS = ("select", "values", "with", "explain", "pragma", "")


class LocalSqlDatabase:
    """path: the `.sqlite` file. product: "d1" or "do", for messages. create: a missing file reads as an empty database
    and is made by the first write; without it a missing file is `state.not_found`. server_running: asked when it
    matters for a note."""

    def __init__(
        self,
        path: str,
        *,
        product: str = "d1",
        create: bool = False,
        server_running: Callable[[], bool] | None = None,
    ) -> None:
        self.path = path
        self.product = product
        self._create = create
        self._server_running = server_running or (lambda: False)

    # --- connections

    def engine(self, *, writable: bool = False, transactions: bool = False) -> Engine:
        """A new guarded connection; the caller closes it."""
        if not writable and self._create and not os.path.exists(self.path):
            return Engine(apsw.Connection(":memory:"), transactions=transactions)
        connection = open_database(self.path, writable=writable, create=writable and self._create)
        try:
            return Engine(connection, transactions=transactions)
        except BaseException:
            connection.close()
            raise

    @contextmanager
    def using(self, *, writable: bool = False, transactions: bool = False) -> Iterator[Engine]:
        """A guarded connection for one call; errors about the file come out as the family's."""
        with translated(self.path):
            engine = self.engine(writable=writable, transactions=transactions)
            try:
                yield engine
            except UnicodeDecodeError:
                raise SqlError("a name in the schema of this database is not UTF-8") from None
            finally:
                engine.close()

    # --- running

    async def query(
        self,
        sql: str,
        params: Params | None = None,
        read_only: bool = False,
        limit: int | None = None,
        cancel: Cancel | None = None,
    ) -> list[SqlResult]:
        """Run every statement of `sql` as one transaction; a result a statement. limit: rows kept of each.

        Parameters go to the statements in turn, each taking as many as it has; a dict goes by name. BEGIN, COMMIT and
        SAVEPOINT are refused (`sql.not_allowed`), as D1 refuses them. Errors: `sql.error` with the place, `sql.bad_parameter`,
        `sql.read_only`, `cancelled`; whatever happens, all of it is done or nothing.
        """
        parameters = Parameters(params)
        if not any(_likely_writes(sql, begin, end) for begin, end in _cut(sql)):
            with self.using() as engine:
                statements = _parts(engine, sql, read_only)
                if all(_effect(sql, part) == "reads" for part in statements):
                    return _run(engine, sql, statements, parameters, limit, cancel, reading=True)
        if read_only:
            with self.using() as engine:
                _parts(engine, sql, read_only)
        with self.using(writable=True) as engine:
            statements = _parts(engine, sql, read_only)
            return _run(engine, sql, statements, parameters, limit, cancel, reading=False)

    async def batch(
        self, queries: list[tuple[str, Params | None]], read_only: bool = False, cancel: Cancel | None = None
    ) -> list[BatchResult]:
        """Run several queries as one transaction, each with its own parameters; a result a query, of its last statement."""
        from .batches import only_reads, refuse_writes, run_batch

        if not any(_likely_writes(sql, begin, end) for sql, _ in queries for begin, end in _cut(sql)):
            with self.using() as engine:
                if only_reads(engine, queries):
                    return run_batch(engine, queries, cancel, reading=True)
        if read_only:
            with self.using() as engine:
                refuse_writes(engine, queries)
                return run_batch(engine, queries, cancel, reading=True)
        with self.using(writable=True) as engine:
            return run_batch(engine, queries, cancel, reading=False)

    async def session(self, read_only: bool = False) -> LocalSqlSession:
        """A connection kept for the console."""
        return LocalSqlSession(self, read_only)

    async def statements(self, sql: str) -> list[tuple[int, int, Effect]]:
        """Where each statement begins and ends (character offsets) and what it does, without running any.

        What does not compile gets the worst its first word can mean, and the offsets stay right: an editor asks while
        the text is half written.
        """
        with self.using(transactions=True) as engine:
            found: list[tuple[int, int, Effect]] = []
            for begin, end in _cut(sql):
                try:
                    inside = parts(engine, sql[begin:end])
                except WorkbenchError:
                    inside = [(_indent(sql[begin:end]), len(sql[begin:end].rstrip()), None)]
                for first, last, compiled in inside:
                    text = sql[begin + first : begin + last]
                    effect = guessed_effect(text) if compiled is None else compiled.effect
                    found.append((begin + first, begin + last, effect))
            return found

    async def explain(self, sql: str, params: Params | None = None) -> list[Plan]:
        """EXPLAIN QUERY PLAN of the first statement; nothing of it runs."""
        with self.using() as engine:
            statements = _parts(engine, sql, False)
            begin, _, compiled = statements[0]
            text = compiled.text if compiled is not None else sql[begin:]
            if compiled is not None and not compiled.explain:
                text = "EXPLAIN QUERY PLAN " + text.lstrip()
            planned = engine.compile(text)
            # A plan needs no values: parameters that were not given count as NULL.
            bindings = None if params is None else Parameters(params).take(planned.parameters, planned.names)
            if bindings is None and planned.parameters:
                bindings = (None,) * planned.parameters
            rows = Rows(engine, planned, bindings, sql).take()
            return [Plan(row[0], row[1], row[3]) for row in rows]  # type: ignore[arg-type]

    # --- looking

    async def schema(self, counts: bool = False) -> Schema:
        """Everything in it; counts: the rows of each table too, as far as a fifth of a second goes."""
        from .schema import read_schema

        with self.using() as engine:
            return read_schema(engine, counts)

    async def editable(self, sql: str) -> Editable:
        """Which cells of this query's result could be written back, and how their rows are named."""
        from .editing import editable

        with self.using() as engine:
            return editable(engine, sql)

    async def origins(self, sql: str) -> list[tuple[str, str] | None]:
        """For each column of the query's result, the table and column it is read from, or None where it is computed."""
        return list((await self.editable(sql)).origins)

    async def may_block(self, sql: str) -> str | None:
        """A sentence for whoever runs `sql` when it may hold the write lock for more than 5 ms while a server runs.

        Meanwhile the Worker's own writes fail at once, since it waits for no lock. None: nothing to say.
        """
        from .blocking import may_block

        if not self._server_running():
            return None
        with self.using() as engine:
            return may_block(engine, sql)

    # --- whole files

    async def import_sql(
        self, chunks: Iterable[str], progress: Progress | None = None, cancel: Cancel | None = None
    ) -> int:
        """Run a .sql file as one transaction; the number of statements run. progress: characters read."""
        from .importing import import_sql

        with self.using(writable=True) as engine:
            return import_sql(engine, chunks, progress, cancel)

    async def export_sql(self, tables: list[str] | None = None, schema_only: bool = False) -> Iterator[str]:
        """The database as SQL, a piece at a time, all of one moment. tables: only these and what hangs on them."""
        from .exporting import export_sql

        def pieces() -> Iterator[str]:
            with self.using() as engine:
                engine.trusted("BEGIN")
                yield from export_sql(engine, tables, schema_only)

        return pieces()


def _cut(sql: str) -> list[tuple[int, int]]:
    from .splitter import cut

    return cut(sql)


def _indent(piece: str) -> int:
    return len(piece) - len(piece.lstrip())


def _likely_writes(sql: str, begin: int, end: int) -> bool:
    return first_word(sql[begin:end]) not in _READING_WORDS


def _effect(sql: str, part: tuple[int, int, Compiled | None]) -> Effect:
    begin, end, compiled = part
    return guessed_effect(sql[begin:end]) if compiled is None else compiled.effect


def _parts(engine: Engine, sql: str, read_only: bool) -> list[tuple[int, int, Compiled | None]]:
    """The statements of a call, at least one; read_only refuses those that write."""
    statements = parts(engine, sql)
    if not statements:
        raise SqlError("there is no SQL statement in it")
    if read_only:
        for part in statements:
            if _effect(sql, part) != "reads":
                raise refused_write(sql[part[0] : part[1]])
    return statements


def _run(
    engine: Engine,
    sql: str,
    statements: list[tuple[int, int, Compiled | None]],
    parameters: Parameters,
    limit: int | None,
    cancel: Cancel | None,
    reading: bool,
) -> list[SqlResult]:
    results = []
    engine.watch(cancel)
    try:
        engine.trusted("BEGIN" if reading else "BEGIN IMMEDIATE")
        for begin, end, known in statements:
            # One that writes may change what those after it mean, so then each is compiled when its turn comes.
            compiled = (
                known
                if known and (reading or len(statements) == 1)
                else engine.compile(sql[begin:end], sql, begin)
            )
            if reading and compiled.effect != "reads":
                raise refused_write(compiled.text)
            bindings = parameters.take(compiled.parameters, compiled.names)
            results.append(_result(engine, compiled, bindings, sql, limit))
        parameters.finish()
        engine.trusted("COMMIT")
    except BaseException:
        engine.unwatch(cancel)
        if engine.connection.in_transaction:
            engine.trusted("ROLLBACK")
        raise
    engine.unwatch(cancel)
    return results


def _result(engine: Engine, compiled: Compiled, bindings: Bindings, sql: str, limit: int | None) -> SqlResult:
    """Run one statement to its end, or to `limit` rows of one that only reads."""
    started = perf_counter()
    before = engine.connection.total_changes()
    rows = Rows(engine, compiled, bindings, sql)
    kept = rows.take(limit)
    if not rows.ended and compiled.effect != "reads":
        rows.take()
    rows.close()
    return figures(engine, compiled, kept, before, started)
