"""The console's session: statements one at a time, rows as they are wanted, BEGIN ... COMMIT by hand.

A query outside a transaction runs on a connection of its own, closed with its stream, so that an open grid never makes a
later write fail for having an old view. Writes and everything inside a transaction share one writing connection. A statement
that writes has all its rows (RETURNING) fetched at once: its lock is gone before the first is shown.
"""

from _thread import allocate_lock
from time import perf_counter
from typing import TYPE_CHECKING

from workbench.backends.local.database import translated
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import Params, Row, SqlResult

from .authorizer import asks_connection, controls_transaction
from .errors import SqlError
from .results import figures, refused_write
from .rows import Rows
from .statements import Compiled, Engine
from .values import Parameters

if TYPE_CHECKING:
    from .database import LocalSqlDatabase


class LocalSqlSession:
    """Not for two threads at the same moment, except that a Cancel may be thrown from any."""

    def __init__(self, database: "LocalSqlDatabase", read_only: bool) -> None:
        self._database = database
        self._read_only = read_only
        self._writer: Engine | None = None
        self._streams: list[LocalRowStream] = []
        self._closed = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction the user began is open: a Worker's writes may fail until it ends."""
        return self._writer is not None and self._writer.connection.in_transaction

    async def stream(
        self, sql: str, params: Params | None = None, cancel: Cancel | None = None
    ) -> "LocalRowStream":
        """Run exactly one statement; its first row is ready, or it is done."""
        if self._closed:
            raise WorkbenchError("sql.session_closed", "this session is closed")
        with translated(self._database.path):
            engine, compiled, own = self._place(sql)
            try:
                parameters = Parameters(params)
                bindings = parameters.take(compiled.parameters, compiled.names)
                parameters.finish()
                stream = LocalRowStream(self._database.path, engine, compiled, own)
                stream.start(bindings, sql, cancel)
            except BaseException:
                if own:
                    engine.close()
                raise
        self._streams.append(stream)
        self._streams = [one for one in self._streams if not one.closed]
        return stream

    def _place(self, sql: str) -> tuple[Engine, Compiled, bool]:
        """The connection the statement belongs on, and whether it is the stream's own."""
        if self._writer is None or not self.in_transaction:
            engine = self._database.engine(transactions=True)
            try:
                compiled = self._one(engine, sql)
                if compiled.effect == "reads" and not self._needs_writer(compiled):
                    return engine, compiled, True
            except BaseException:
                engine.close()
                raise
            engine.close()
            if compiled.effect != "reads" and self._read_only:
                raise refused_write(compiled.text)
        if self._writer is None:
            self._writer = self._database.engine(writable=not self._read_only, transactions=True)
        compiled = self._one(self._writer, sql)
        if self._read_only and compiled.effect != "reads":
            raise refused_write(compiled.text)
        return self._writer, compiled, False

    def _needs_writer(self, compiled: Compiled) -> bool:
        return controls_transaction(compiled.actions) or asks_connection(compiled.actions)

    def _one(self, engine: Engine, sql: str) -> Compiled:
        compiled = engine.compile(sql)
        if compiled.empty:
            raise SqlError("there is no SQL statement in it")
        after = sql[len(compiled.text) :]
        if after and not engine.compile(after, sql, len(compiled.text)).empty:
            raise SqlError("one statement at a time", text=sql, offset=len(compiled.text))
        return compiled

    async def close(self) -> None:
        """Close; an open transaction is rolled back, open streams end."""
        self._closed = True
        for stream in self._streams:
            await stream.close()
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()


class LocalRowStream:
    """The rows of one statement of a session."""

    def __init__(self, path: str, engine: Engine, compiled: Compiled, own: bool) -> None:
        self._path = path
        self._engine = engine
        self._compiled = compiled
        self._own = own
        self._lock = allocate_lock()
        self._ready: list[Row] = []
        self._rows: Rows | None = None
        self._result: SqlResult | None = None
        self._cancel: Cancel | None = None
        self.columns = compiled.columns
        self.closed = False

    def start(self, bindings: object, sql: str, cancel: Cancel | None) -> None:
        self._cancel = cancel
        self._started = perf_counter()
        self._before = self._engine.connection.total_changes()
        self._engine.watch(cancel)
        try:
            self._rows = Rows(self._engine, self._compiled, bindings, sql)  # type: ignore[arg-type]
            if self._compiled.effect != "reads":
                self._ready = self._rows.take()
                self._end()
        finally:
            self._engine.unwatch(cancel)

    async def fetch(self, count: int) -> list[Row]:
        """The next rows; fewer than `count` means the end."""
        with self._lock, translated(self._path):
            if self._ready or self._rows is None:
                rows, self._ready = self._ready[:count], self._ready[count:]
                return rows
            try:
                self._engine.watch(self._cancel)
                try:
                    rows = self._rows.take(count)
                finally:
                    self._engine.unwatch(self._cancel)
            except BaseException:
                self._release()
                raise
            if self._rows.ended:
                self._end()
            return rows

    async def close(self) -> SqlResult | None:
        """End it; its figures where it ran to the end, else None."""
        with self._lock:
            self._release()
            return self._result

    def _end(self) -> None:
        self._result = figures(self._engine, self._compiled, [], self._before, self._started)
        self._release()

    def _release(self) -> None:
        """Let go of the statement's view of the data, and of the connection where it is the stream's own."""
        rows, self._rows = self._rows, None
        if rows is not None:
            rows.close()
            if self._own:
                self._engine.close()
        self.closed = True
