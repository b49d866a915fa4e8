"""What was typed and what was run, kept across starts in a database of our own: `consoles.sqlite` in the user's state folder.

Keyed by the real path of the state directory and the console's place in it. A file that a newer version wrote is left
alone, and one that can't be written costs the history, never the console.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from typing import Any, NamedTuple

from workbench.screens.log import state_home
from workbench.screens.pane import Locator

VERSION = 1
KEPT = 5_000
"""Statements kept of each state directory."""
LONGEST = 1_000_000
"""A longer statement is not kept in the history (its draft is)."""

_TABLES = """
CREATE TABLE entries (id INTEGER PRIMARY KEY, state TEXT NOT NULL, place TEXT NOT NULL, label TEXT NOT NULL,
    at INTEGER NOT NULL, sql TEXT NOT NULL, ms REAL, rows INTEGER, error TEXT);
CREATE INDEX entries_of_state ON entries (state, id);
CREATE TABLE drafts (state TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL, cursor INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (state, place));
"""

log = logging.getLogger("workbench")


class Entry(NamedTuple):
    """A statement that was run. at: Unix seconds; rows: shown or changed; error: SQLite's message or None."""

    sql: str
    label: str
    at: int
    ms: float | None
    rows: int | None
    error: str | None


class History:
    """Of one console. Failures are logged and otherwise pass: they must not stand between a person and their data."""

    def __init__(self, state_directory: str, locator: Locator, path: str | None = None) -> None:
        self._path = path or os.path.join(state_home(), "consoles.sqlite")
        self._state = os.path.realpath(state_directory)
        self._place = json.dumps(locator.identity)
        self._label = locator.label or locator.resource
        self.why_not = ""

    async def add(self, sql: str, ms: float | None, rows: int | None, error: str | None = None) -> None:
        """Keep a statement; the same one run again moves to the front."""
        if len(sql) > LONGEST:
            return
        at = int(time.time())
        await self._write(
            (
                "DELETE FROM entries WHERE state = ? AND place = ? AND sql = ?",
                (self._state, self._place, sql),
            ),
            (
                "INSERT INTO entries (state, place, label, at, sql, ms, rows, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._state, self._place, self._label, at, sql, ms, rows, error),
            ),
            (
                "DELETE FROM entries WHERE state = ? AND id <= (SELECT id FROM entries WHERE state = ?"
                " ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (self._state, self._state, KEPT),
            ),
        )

    async def entries(self, text: str = "", limit: int = 200) -> list[Entry]:
        """The newest that hold the text (any case), those of this console first."""
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = await self._read(
            "SELECT sql, label, at, ms, rows, error FROM entries WHERE state = ? AND sql LIKE ? ESCAPE '\\'"
            " ORDER BY place = ? DESC, id DESC LIMIT ?",
            (self._state, pattern, self._place, limit),
        )
        return [Entry(*row) for row in rows]

    async def save_draft(self, text: str, cursor: int) -> None:
        """Keep what stands in the editor."""
        await self._write(
            (
                "INSERT OR REPLACE INTO drafts (state, place, text, cursor, at) VALUES (?, ?, ?, ?, ?)",
                (self._state, self._place, _sayable(text), cursor, int(time.time())),
            )
        )

    async def draft(self) -> tuple[str, int] | None:
        """What stood in the editor, and where the cursor was."""
        rows = await self._read(
            "SELECT text, cursor FROM drafts WHERE state = ? AND place = ?", (self._state, self._place)
        )
        return (str(rows[0][0]), int(rows[0][1])) if rows else None

    # The file

    async def _write(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        import aiosqlite

        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            async with aiosqlite.connect(self._path, timeout=5, isolation_level=None) as database:
                await database.execute("PRAGMA journal_mode = WAL")
                await database.execute("BEGIN IMMEDIATE")
                if not await self._understood(database, create=True):
                    return
                for sql, values in statements:
                    await database.execute(sql, values)
                await database.execute("COMMIT")
        except (OSError, aiosqlite.Error, UnicodeError) as error:
            self.why_not = f"history can't be kept: {error}"
            log.warning("console history: %s", error)

    async def _read(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        import aiosqlite

        if not await asyncio.to_thread(os.path.exists, self._path):
            return []
        try:
            async with aiosqlite.connect(self._path, timeout=5, isolation_level=None) as database:
                if not await self._understood(database, create=False):
                    return []
                return [tuple(row) for row in await database.execute_fetchall(sql, values)]
        except (OSError, aiosqlite.Error, UnicodeError) as error:
            self.why_not = f"history can't be read: {error}"
            log.warning("console history: %s", error)
            return []

    async def _understood(self, database: object, create: bool) -> bool:
        import aiosqlite

        assert isinstance(database, aiosqlite.Connection)
        row = next(iter(await database.execute_fetchall("PRAGMA user_version")))
        if row[0] == 0 and create:
            for statement in _TABLES.split(";"):
                if statement.strip():
                    await database.execute(statement)
            await database.execute(f"PRAGMA user_version = {VERSION}")
            return True
        if row[0] > VERSION:
            self.why_not = "a newer version of cfwb keeps the history; this one leaves it alone"
        return bool(row[0] == VERSION)


def _sayable(text: str) -> str:
    """Text that SQLite can hold: a lone surrogate becomes its escape, so that nothing else is lost with it."""
    return text.encode("utf-8", "backslashreplace").decode()
