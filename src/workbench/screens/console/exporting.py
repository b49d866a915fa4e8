"""Asking where a result goes, and writing it there with its progress on the result's line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.operations.executor import drive

from .export import batches, form_of, write

if TYPE_CHECKING:
    from .pane import Querying
    from .results import ResultView


async def export(console: Querying, view: ResultView) -> None:
    """Ask for a file and write every row of a result to it. A query is run again, beside the console, to have them all."""
    from workbench.screens.dialogs import Ask, Confirm

    name = re.sub(r"[^A-Za-z0-9_-]+", "-", console.title).strip("-") or "result"
    asked = Ask(
        "Write the result to a file",
        target=console.session.target,
        label=".csv, .json, .sql or .tsv",
        value=f"{name}-{view.number}.csv",
        check=_problem,
    )
    said = await console.app.push_screen_wait(asked)
    if said is None:
        return
    path = _full(said)
    if await console.session.blocking(lambda: os.path.exists(path)):
        again = Confirm(
            "Overwrite the file?", target=console.session.target, question=path, action="Overwrite"
        )
        if not await console.app.push_screen_wait(again):
            return
    console.runs.cancel = cancel = Cancel()
    try:
        count = await _written(console, view, path, cancel)
        view.say(f"{count:,} rows in {path}")
    except WorkbenchError as error:
        view.say("stopped; no file was written" if error.code == "cancelled" else error.message)
    finally:
        if console.runs.cancel is cancel:
            console.runs.cancel = None


def _full(said: str) -> str:
    return os.path.abspath(os.path.expanduser(said))


def _problem(said: str) -> str:
    try:
        form_of(said)
    except WorkbenchError as error:
        return error.message
    return "" if os.path.isdir(os.path.dirname(_full(said))) else "there is no such folder"


async def _written(console: Querying, view: ResultView, path: str, cancel: Cancel) -> int:
    app = console.app
    table = "result"
    if view.editable is not None:
        tables = {origin[0] for origin in view.editable.origins if origin}
        table = tables.pop() if len(tables) == 1 else table

    def progress(done: int, total: int | None) -> None:
        app.call_from_thread(view.say, f"{done:,} rows written · esc stops")

    held, columns = view.grid.held, view.grid.columns.names
    changed = view.figures is not None and view.figures.changes
    if held.ended and (changed or view.state == "done"):
        rows = [held.rows]
        return await console.session.blocking(lambda: write(path, columns, iter(rows), table, progress))
    if console.connection.in_transaction:
        raise WorkbenchError(
            "sql.transaction_open", "COMMIT or ROLLBACK first: all rows are read again for a file"
        )
    session = await console.connection.apart()

    def work() -> int:
        stream = drive(session.stream(view.sql, None, cancel))
        return write(path, columns, batches(stream, cancel), table, progress)

    try:
        return await console.session.blocking(work)
    finally:
        await console.session.thread(session.close())
