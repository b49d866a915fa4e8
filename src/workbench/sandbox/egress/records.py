"""What sandboxes asked for: kept on disk, bounded, and as a live stream.

Requests are written in batches from a task of its own, so no request waits for the disk, and a disk that is full loses records, never
requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator

import aiosqlite

from workbench.model.network import OutboundRequest, Outcome
from workbench.model.page import Page
from workbench.model.times import iso, now_ms

# Kept a sandbox and in all; the oldest go first.
KEPT = 10_000
KEPT_IN_ALL = 100_000
_PATH = 2_048
_BATCH_S = 0.1
_WAITING = 5_000
_COLUMNS = ", ".join(OutboundRequest._fields)


class Entry:
    """A request under way. What is known of it changes until `finish`; sent and received are counted as bytes go by."""

    def __init__(self, records: Records, id: int, sandbox: str, scheme: str, host: str, port: int) -> None:
        self._records = records
        self._id = id
        self._sandbox = sandbox
        self._at = iso(now_ms())
        self._began = time.monotonic()
        self._ended = 0.0
        self.scheme = scheme
        self.host = host
        self.port = port
        self.method = ""
        self.path = ""
        self.rule = ""
        self.note = ""  # the reason of an end that is no failure
        self.status = 0
        self.sent = 0
        self.received = 0
        self.outcome: Outcome = "open"
        self.reason = ""

    def started(self) -> None:
        """Say that it is under way, once method and path are known."""
        self._records.changed(self)

    def count_sent(self, size: int) -> None:
        """So many more bytes went out."""
        self.sent += size

    def count_received(self, size: int) -> None:
        """So many more bytes came back."""
        self.received += size

    def finish(self, outcome: Outcome, reason: str = "") -> None:
        """Say how it ended; only the first time counts."""
        if self.outcome == "open":
            self.outcome, self.reason, self._ended = outcome, reason, time.monotonic()
            self._records.changed(self)

    @property
    def value(self) -> OutboundRequest:
        """As it stands now."""
        return OutboundRequest(
            self._id,
            self._sandbox,
            self._at,
            self.scheme,
            self.method[:32],
            self.host[:255],
            self.port,
            self.path if len(self.path) <= _PATH else self.path[: _PATH - 1] + "…",
            self.status,
            self.sent,
            self.received,
            round(((self._ended or time.monotonic()) - self._began) * 1000, 1),
            self.rule[:200],
            self.outcome,
            self.reason[:500],
        )


class Following:
    """A reader of the live stream. A slow one loses the oldest; `lost` counts them."""

    def __init__(self, sandbox: str | None) -> None:
        self.sandbox = sandbox
        self.lost = 0
        self._waiting: deque[OutboundRequest] = deque(maxlen=1_000)
        self._there = asyncio.Event()

    def offer(self, request: OutboundRequest) -> None:
        if self.sandbox in (None, request.sandbox):
            self.lost += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(request)
            self._there.set()

    async def next(self) -> OutboundRequest:
        """The next one: when it begins (outcome "open"), and again under the same id when it ends."""
        while not self._waiting:
            self._there.clear()
            await self._there.wait()
        return self._waiting.popleft()


class Records:
    """The requests of all sandboxes of a data root."""

    def __init__(self, store: aiosqlite.Connection, last_id: int) -> None:
        self._store = store
        self._last_id = last_id
        self._dirty: dict[int, Entry] = {}
        self._wake = asyncio.Event()
        self._following: set[Following] = set()
        self._writing = asyncio.Lock()
        self._since_pruned = 0
        self._task = asyncio.create_task(self._write_on())

    @classmethod
    async def open(cls, store: aiosqlite.Connection) -> Records:
        """Go on where the store ends."""
        async with store.execute("select coalesce(max(id), 0) from requests") as rows:
            row = await rows.fetchone()
        return cls(store, int(row[0]) if row else 0)

    def begin(self, sandbox: str, scheme: str, host: str, port: int) -> Entry:
        """A new entry; it shows once `started` or `finish` is called."""
        self._last_id += 1
        return Entry(self, self._last_id, sandbox, scheme, host, port)

    def changed(self, entry: Entry) -> None:
        """To be written and shown."""
        value = entry.value
        self._dirty[value.id] = entry
        while len(self._dirty) > _WAITING:  # the disk does not take them
            del self._dirty[next(iter(self._dirty))]
        self._wake.set()
        for following in self._following:
            following.offer(value)

    async def list(
        self, sandbox: str | None = None, *, limit: int = 100, cursor: str | None = None
    ) -> Page[OutboundRequest]:
        """Requests, the newest first. cursor: where the page before ended."""
        await self.flush()
        before = int(cursor) if cursor and cursor.isdigit() else 1 << 62
        limit = max(1, min(limit, 1_000))
        where = "id < ?" if sandbox is None else "sandbox = ? and id < ?"
        values = (before, limit + 1) if sandbox is None else (sandbox, before, limit + 1)
        async with self._store.execute(
            f"select {_COLUMNS} from requests where {where} order by id desc limit ?", values
        ) as rows:
            found = [OutboundRequest(*row) for row in await rows.fetchall()]
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    @contextlib.asynccontextmanager
    async def follow(self, sandbox: str | None = None) -> AsyncIterator[Following]:
        """The live stream, of one sandbox or of all."""
        following = Following(sandbox)
        self._following.add(following)
        try:
            yield following
        finally:
            self._following.discard(following)

    async def flush(self) -> None:
        """Write what has not been written. A disk that refuses loses the records of this batch."""
        async with self._writing:
            batch, self._dirty = self._dirty, {}
            if not batch:
                return
            # One statement is one transaction, whoever else uses this connection.
            columns = ", ".join(f"value ->> {number}" for number in range(len(OutboundRequest._fields)))
            with contextlib.suppress(sqlite3.Error):
                await self._store.execute(
                    f"insert or replace into requests ({_COLUMNS}) select {columns} from json_each(?)",
                    (json.dumps([entry.value for entry in batch.values()]),),
                )
                self._since_pruned += len(batch)
                if self._since_pruned >= KEPT // 10:
                    self._since_pruned = 0
                    await self._prune({entry.value.sandbox for entry in batch.values()})

    async def close(self) -> None:
        """Write the rest and stop."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.flush()

    async def _prune(self, sandboxes: set[str]) -> None:
        for sandbox in sandboxes:
            await self._store.execute(
                "delete from requests where sandbox = ?1 and id <= "
                "(select id from requests where sandbox = ?1 order by id desc limit 1 offset ?2)",
                (sandbox, KEPT),
            )
        await self._store.execute(
            "delete from requests where id <= (select id from requests order by id desc limit 1 offset ?)",
            (KEPT_IN_ALL,),
        )

    async def _write_on(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_BATCH_S)
            self._wake.clear()
            await self.flush()
