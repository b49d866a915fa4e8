"""The console's way to its database: one session, used by one thread at a time, through the executor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from workbench.backends.protocol import RowStream, SqlDatabase, SqlSession
from workbench.model.progress import Cancel
from workbench.model.sql import Editable, Effect, Plan, Row, Schema, SqlResult
from workbench.operations.executor import sql_database
from workbench.screens.pane import Locator
from workbench.screens.session import Session

T = TypeVar("T")
NOT_BY_CELL = "over an API the rows are changed by SQL: integers beyond 2^53 are rounded there, so a cell may not name its row"


class ConsoleDatabase(SqlDatabase, Protocol):
    """What a console needs beyond running SQL."""

    async def editable(self, sql: str) -> Editable: ...
    async def may_block(self, sql: str) -> str | None: ...


class Running:
    """A statement that was started: its rows are fetched as they are wanted. seconds: spent on it, waiting left out."""

    def __init__(self, stream: RowStream, cancel: Cancel, seconds: float) -> None:
        self.stream, self.cancel, self.seconds = stream, cancel, seconds
        self.columns = list(stream.columns)
        self.ended = False


class Connection:
    """A database of a session. Everything here raises WorkbenchError and nothing else."""

    def __init__(self, session: Session, locator: Locator) -> None:
        self._session = session
        self._locator = locator
        self._database: ConsoleDatabase | None = None
        self._sql: SqlSession | None = None
        self._lock = asyncio.Lock()
        self.read_only = False
        self._agreed = False
        self.in_transaction = False

    async def database(self) -> ConsoleDatabase:
        """Found at the first use."""
        if self._database is None:
            where: dict[str, Any] = (
                {"database": self._locator.resource}
                if self._locator.kind == "d1"
                else {
                    "namespace": self._locator.resource,
                    "object": self._locator.object,
                    "facets": self._locator.facets,
                }
            )
            product = "d1" if self._locator.kind == "d1" else "do"
            found: Any = await self._session.thread(sql_database(self._session.state, product, **where))
            self._database = found
        assert self._database is not None
        return self._database

    async def _in_turn(self, work: Coroutine[Any, Any, T]) -> T:
        """On the session, one at a time: SQLite connections are not for two threads at once."""
        async with self._lock:
            try:
                return await self._session.thread(work)
            finally:
                self.in_transaction = self._sql is not None and self._sql.in_transaction

    async def sql_session(self) -> SqlSession:
        if self._sql is None:
            database = await self.database()
            only_reads = self.read_only or (self._session.target.kind == "remote" and not self._agreed)
            self._sql = await self._session.thread(database.session(read_only=only_reads))
        return self._sql

    async def _agree(self, sql: str) -> None:
        """On the account: a statement that writes is asked about, and runs on a session that may. Raises `confirmation.refused`."""
        if self._session.target.kind != "remote" or self.read_only:
            return
        writes = any(effect != "reads" for _, _, effect in await self.statements(sql))
        if writes:
            await self._session.agree("d1.query", sql=sql, database=self._locator.resource)
        if writes != self._agreed:
            await self.close()
            self._agreed = writes

    async def start(self, sql: str, cancel: Cancel) -> Running:
        """Run one statement; its first row is ready, or it is done."""
        await self._agree(sql)
        session = await self.sql_session()
        before = time.perf_counter()
        stream = await self._in_turn(session.stream(sql, None, cancel))
        return Running(stream, cancel, time.perf_counter() - before)

    async def fetch(self, running: Running, count: int) -> list[Row]:
        """The next rows; `running.ended` when there are no more."""
        before = time.perf_counter()
        rows = await self._in_turn(running.stream.fetch(count))
        running.seconds += time.perf_counter() - before
        running.ended = len(rows) < count
        return rows

    async def finish(self, running: Running) -> SqlResult | None:
        """End it; its figures where it ran to the end."""
        return await self._in_turn(running.stream.close())

    async def apart(self) -> SqlSession:
        """A session of its own that only reads, for long work beside the console."""
        database = await self.database()
        return await self._session.thread(database.session(read_only=True))

    async def set_read_only(self, read_only: bool) -> None:
        """Refuse writes, or allow them again. Not inside a transaction."""
        await self.close()
        self.read_only = read_only

    async def close(self) -> None:
        """Roll back what is open and let go."""
        session, self._sql = self._sql, None
        if session is not None:
            await self._in_turn(session.close())

    async def statements(self, sql: str) -> list[tuple[int, int, Effect]]:
        database = await self.database()
        return await self._session.thread(database.statements(sql))

    async def schema(self, counts: bool = False) -> Schema:
        database = await self.database()
        return await self._session.thread(database.schema(counts))

    async def explain(self, sql: str) -> list[Plan]:
        database = await self.database()
        return await self._session.thread(database.explain(sql))

    async def editable(self, sql: str) -> Editable:
        """Over an API a row's name may have been rounded on its way, so another row might be written: there SQL writes."""
        if self._session.route != "local":
            return Editable((), {}, {"": NOT_BY_CELL})
        database = await self.database()
        return await self._session.thread(database.editable(sql))

    async def may_block(self, sql: str) -> str | None:
        database = await self.database()
        return await self._session.thread(database.may_block(sql))
