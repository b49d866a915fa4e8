"""Rows of a table as CSV or JSON text, and back into a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.sql import InvalidText, Row
from workbench.model.tagged import dumps, from_sql, to_sql

from .files import pieces, read_text
from .resolve import State
from .results import Rows

if TYPE_CHECKING:
    from workbench.backends import RowStream, SqlDatabase

MANY = 500  # rows fetched at a time, and rows of one INSERT transaction


def _fetched(stream: RowStream) -> Iterator[list[Row]]:
    """The stream's rows in batches; it never waits (a backend that does is exported elsewhere)."""
    from .executor import drive

    while True:
        rows: list[Row] = drive(stream.fetch(MANY))
        if rows:
            yield rows
        if len(rows) < MANY:
            drive(stream.close())
            return


def as_read(stream: RowStream) -> Rows:
    """A query's result with its rows as they are read, and its figures after them."""
    from .driving import drive

    def batches() -> Iterator[list[Row]]:
        while rows := drive(stream.fetch(MANY)):
            yield rows
            if len(rows) < MANY:
                return

    return Rows(list(stream.columns), batches(), lambda: drive(stream.close()))


def _csv_cell(value: Any) -> Any:
    """NULL is an empty cell without quotes, a blob x'..', a real keeps all its digits."""
    if value is None:
        return ""
    if isinstance(value, InvalidText):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return repr(value) if isinstance(value, float) else value


def as_csv(stream: RowStream) -> Iterator[str]:
    """CSV as RFC 4180 has it, the columns' names first."""

    def text(rows: Iterable[Iterable[Any]]) -> str:
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        return out.getvalue()

    yield text([stream.columns])
    for rows in _fetched(stream):
        yield text([_csv_cell(value) for value in row] for row in rows)


def as_json(stream: RowStream) -> Iterator[str]:
    """A JSON list of objects, a row a line, values as tagged JSON."""
    columns = stream.columns
    before = "[\n"
    fetched = _fetched(stream)
    while True:
        try:
            rows = next(fetched, None)
        except WorkbenchError:
            yield "[]\n" if before == "[\n" else "\n]\n"  # stays JSON; the error is told after it
            raise
        if rows is None:
            break
        lines = [
            dumps({name: from_sql(value) for name, value in zip(columns, row, strict=True)}) for row in rows
        ]
        yield before + ",\n".join(lines)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _text_pieces(file: Any) -> Iterator[str]:
    """A file as UTF-8 text in pieces, a character never cut in two."""
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-8-sig")()
    try:
        for piece in pieces(file):
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise WorkbenchError("file.not_text", f"not UTF-8 text: {error.reason}") from None


async def import_into(state: State, database: SqlDatabase, file: Any, format: str, table: str | None) -> int:
    """Run a .sql file, or insert rows; how many statements or rows."""
    if format == "sql":
        if table is not None:
            raise UsageError("--into is for rows: --format csv or json")
        return await database.import_sql(_text_pieces(file), state.progress, state.cancel)
    if table is None:
        raise UsageError(f"--format {format} needs --into TABLE")
    columns, rows = _read_csv(file) if format == "csv" else _read_json(file)
    return await _insert(state, database, table, columns, rows)


def _read_csv(file: Any) -> tuple[list[str], list[list[Any]]]:
    """CSV's cells are text; an empty one is NULL; the columns' own affinity makes numbers of them, as SQLite's import does."""
    lines = list(csv.reader(io.StringIO(read_text(file), newline="")))
    if not lines:
        raise WorkbenchError("import.empty", "the file is empty: the first line names the columns")
    for number, line in enumerate(lines[1:], 2):
        if line and len(line) != len(lines[0]):
            raise WorkbenchError(
                "import.bad_row", f"row {number} has {len(line)} cells, the first line {len(lines[0])}"
            )
    return lines[0], [[_from_cell(cell) for cell in line] for line in lines[1:] if line]


def _from_cell(cell: str) -> Any:
    if cell == "":
        return None
    if cell.startswith("x'") and cell.endswith("'"):
        try:
            return bytes.fromhex(cell[2:-1])
        except ValueError:
            return cell
    return cell


def _read_json(file: Any) -> tuple[list[str], list[list[Any]]]:
    try:
        data = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise WorkbenchError("import.bad_json", f"not JSON: {error}") from None
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise WorkbenchError("import.bad_json", "the file is not a list of objects")
    columns = list(dict.fromkeys(name for row in data for name in row))
    return columns, [[to_sql(row.get(name)) for name in columns] for row in data]


async def _insert(
    state: State, database: SqlDatabase, table: str, columns: list[str], rows: list[list[Any]]
) -> int:
    """Insert rows, so many values a statement, each a short transaction of its own; a running Worker gets its turn between."""
    from workbench.backends.local.manners import pause

    if not rows or not columns:
        return 0

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    head = f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, columns))}) VALUES "
    one = f"({', '.join('?' * len(columns))})"
    many = max(1, min(MANY, 90 // len(columns)))  # D1 binds at most 100 parameters
    done = 0
    live = state.backend.server_running()
    for start in range(0, len(rows), many):
        if state.cancel:
            state.cancel.check()
        batch = rows[start : start + many]
        try:
            results = await database.query(
                head + ", ".join([one] * len(batch)), [value for row in batch for value in row]
            )
        except WorkbenchError as error:
            hint = f"the {done:,} rows before it are in" if done else error.hint
            raise WorkbenchError(
                error.code, f"rows {start + 1} to {start + len(batch)}: {error.message}", hint
            ) from error
        done += len(batch)
        if state.progress:
            state.progress(done, len(rows))
        if live:
            pause(sum(result.duration_ms for result in results) / 1000, state.cancel)
    return done
