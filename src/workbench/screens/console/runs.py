"""Running statements: one after the other, rows as the grid wants them, stopped by a key, kept in the history."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import Effect, SqlResult
from workbench.widgets.grid_lines import GridLines

from .connection import Connection, Running
from .history import History
from .results import ResultView

if TYPE_CHECKING:
    from .pane import Querying

FIRST_ROWS = 200
UP_FRONT = 1_000
"""A result of at most so many rows is read to its end at once: an open query keeps the emulator from tidying its log."""


class Runs:
    """What the console runs. It tells the console; what is on screen is the console's."""

    def __init__(self, console: Querying, connection: Connection, history: History) -> None:
        self._console, self._connection, self._history = console, connection, history
        self.cancel: Cancel | None = None

    def stop(self) -> bool:
        """Stop what runs; whether anything did."""
        running, self.cancel = self.cancel, None
        if running is not None:
            running.cancel()
        return running is not None

    async def run_all(self, text: str, parts: list[tuple[int, int, Effect]], shift: int = 0) -> None:
        """Run statements of `text` in order, each in a result of its own; the first that fails ends it.

        shift: where `text` begins in the editor.
        """
        wrote = False
        for begin, end, effect in parts:
            view = await self._console.results.add(text[begin:end], begin + shift, shift)
            if not await self._run(view, text, begin, end, effect):
                break
            wrote = wrote or effect != "reads"
        if wrote:
            self._console.wrote()

    async def _run(self, view: ResultView, text: str, begin: int, end: int, effect: Effect) -> bool:
        self.cancel = cancel = Cancel()
        try:
            if effect != "reads":
                note = await self._connection.may_block(text[begin:end])
                if note:
                    self._console.warn(note)
            # Blank out what stands before it, so that SQLite's line and column are those of the editor.
            before = re.sub(r"[^\n]", " ", text[:begin])
            running = await self._connection.start(before + text[begin:end], cancel)
            view.started(running)
            await self._first_rows(view, running)
        except WorkbenchError as error:
            await self._failed(view, error)
            return False
        finally:
            if self.cancel is cancel:
                self.cancel = None
            self._console.show_transaction()
        figures = view.figures
        count = len(view.grid.held) if running.columns else (figures.changes if figures else None)
        await self._history.add(text[begin:end], running.seconds * 1000, count)
        return True

    async def _first_rows(self, view: ResultView, running: Running) -> None:
        """Enough for the screen, then the rest where it is little."""
        if not running.columns:
            view.done(await self._connection.finish(running))
            return
        count = FIRST_ROWS
        while not view.grid.held.ended and len(view.grid.held) < UP_FRONT:
            await self.more(view, count)
            count = min(view.grid.held.batch(), UP_FRONT - len(view.grid.held))
            if view.grid.held.bytes > 4 * 1024 * 1024:
                break

    async def more(self, view: ResultView, count: int) -> None:
        """Fetch rows for a grid. Raises WorkbenchError."""
        async with view.fetching:
            await self._fetch(view, count)

    async def _fetch(self, view: ResultView, count: int) -> None:
        running = view.running
        if running is None or view.grid.held.ended:
            return
        rows = await self._connection.fetch(running, count)
        view.grid.supply(rows, running.ended)
        view.grid_view.supplied()
        if running.ended:
            view.done(await self._connection.finish(running))
        view.draw()

    async def wanted(self, view: ResultView, grid: GridLines, count: int) -> None:
        """The grid asks for rows; by the time it is its turn they may be there."""
        try:
            async with view.fetching:
                if grid.lacking:
                    await self._fetch(view, count)
                else:
                    grid.not_needed()
        except WorkbenchError as error:
            view.failed(error)
            view.grid_view.supplied()
        self._console.show_transaction()

    async def _failed(self, view: ResultView, error: WorkbenchError) -> None:
        view.failed(error)
        offset = getattr(error, "offset", None)
        if offset is not None:
            self._console.mark_error(view, offset)
        await self._history.add(view.sql, None, None, error.message)

    async def quietly(self, sql: str) -> SqlResult | None:
        """Run one statement that a person has seen, without a result of its own. Raises WorkbenchError."""
        self.cancel = cancel = Cancel()
        try:
            running = await self._connection.start(sql, cancel)
            rows = await self._connection.fetch(running, FIRST_ROWS)
            figures = await self._connection.finish(running)
            return figures._replace(rows=rows) if figures is not None else None
        finally:
            self.cancel = None
            self._console.show_transaction()

    async def let_go(self, view: ResultView) -> None:
        """End a result whose tab is closed."""
        running = view.running
        if running is not None and not running.ended:
            running.cancel.cancel()
            with contextlib.suppress(WorkbenchError):
                await self._connection.finish(running)
