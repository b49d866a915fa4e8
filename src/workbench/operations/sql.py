"""What the SQL operations of D1 databases, objects and facets share: they are the same operations on the same interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from workbench.model.errors import UsageError
from workbench.model.sql import Plan, SqlResult
from workbench.model.tagged import to_sql

from . import DESTROYS, READS, WRITES
from .files import read_text, write_pieces
from .outcomes import Written
from .parameters import Output, Param
from .resolve import State
from .results import Document, Rows

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase

Format = Annotated[str, Param("how", choices=("sql", "csv", "json"), metavar="FORMAT")]
Tables = Annotated[tuple[str, ...], Param("only this table; again for more", repeat=True, metavar="TABLE")]
SchemaOnly = Annotated[bool, Param("without the rows", "boolean")]
Counts = Annotated[bool, Param("also count each table's rows", "boolean")]


def statements(sql: str | None, file: Any) -> str:
    """The SQL that was given, as text or as a file. Raises UsageError for none or both."""
    if (sql is None) == (file is None):
        raise UsageError("give either the statements or --file")
    return sql if sql is not None else read_text(file)


async def run(
    state: State,
    database: SqlDatabase,
    sql: str,
    param: tuple[Any, ...],
    read_only: bool,
    limit: int | None = None,
) -> list[SqlResult] | Rows:
    """Run statements with their parameters bound in order."""
    bound = [to_sql(value) for value in param]
    if state.in_pieces and limit is None and await _only_reads(state, database, sql):
        from .sql_rows import as_read

        session = await database.session(read_only=True)
        return as_read(await session.stream(sql, bound or None, state.cancel))
    if state.notice is not None and not read_only and (sentence := await database.may_block(sql)):
        state.notice(sentence)
    return await database.query(sql, bound or None, read_only=read_only, limit=limit, cancel=state.cancel)


async def _only_reads(state: State, database: SqlDatabase, sql: str) -> bool:
    """Whether it is one plain query of a target that gives its rows without waiting."""
    word = sql.lstrip()[:6].lower()
    if state.backend.suspends or not word.startswith(("select", "values", "with")):
        return False
    return [effect for _, _, effect in await database.statements(sql)] == [READS]


async def weighed(
    state: State, database: SqlDatabase, arguments: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """What a query would do at worst, as the target itself would compile it; the arguments hold the statements that were read."""
    text = statements(arguments.get("sql"), arguments.get("file"))
    arguments = arguments | {"sql": text, "file": None}
    if arguments.get("read_only"):
        return READS, arguments
    effects = {effect for _, _, effect in await database.statements(text)}
    return next((one for one in (DESTROYS, WRITES) if one in effects), READS), arguments


async def explain(database: SqlDatabase, sql: str, param: tuple[Any, ...]) -> list[Plan]:
    """The plan of one statement."""
    return await database.explain(sql, [to_sql(value) for value in param] or None)


async def export(
    state: State,
    database: SqlDatabase,
    tables: tuple[str, ...],
    format: str,
    schema_only: bool,
    output: str | None,
) -> Document | Written:
    """A dump as text in pieces, or written to a file."""
    if format == "sql":
        pieces: Iterator[str] = await database.export_sql(list(tables) or None, schema_only)
        media = "application/sql"
    else:
        from .sql_rows import as_csv, as_json

        if len(tables) != 1 or schema_only:
            raise UsageError(f"--format {format} is for the rows of one table", "name it with --table")
        stream = await database_rows(state, database, tables[0])
        pieces = as_csv(stream) if format == "csv" else as_json(stream)
        media = "text/csv" if format == "csv" else "application/json"
    watched = _watched(state, pieces)
    return write_pieces(output, watched) if output is not None else Document(watched, media)


async def database_rows(state: State, database: SqlDatabase, table: str) -> Any:
    """A stream of all rows of a table; its columns are there at once."""
    quoted = '"' + table.replace('"', '""') + '"'
    session = await database.session(read_only=True)
    return await session.stream(f"SELECT * FROM {quoted}", None, state.cancel)


def _watched(state: State, pieces: Iterable[str]) -> Iterator[str]:
    done = 0
    for piece in pieces:
        if state.cancel:
            state.cancel.check()
        done += len(piece)
        if state.progress:
            state.progress(done, None)
        yield piece


__all__ = ["Counts", "Format", "Output", "SchemaOnly", "Tables", "explain", "export", "run", "statements"]
