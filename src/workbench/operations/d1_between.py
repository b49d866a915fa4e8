"""D1 between two targets: tables, or the whole database, are copied or compared, row by row, by what names a row."""

from typing import TYPE_CHECKING, Annotated, NamedTuple

from workbench.model.errors import WorkbenchError

from . import READS, WRITES, operation
from .between import Comparison, CopyReport, Tally, other, same_place
from .parameters import Database, From, Param, To, WouldChange
from .resolve import State
from .row_text import TableRow, columns_of, in_pieces, pages, those, written
from .sql import Tables

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase
    from workbench.model.sql import Table

ToDatabase = Annotated[str | None, Param("into another database", metavar="DB")]
OnlyRows = Annotated[
    tuple[str, ...],
    Param("only this row, by the name that diff gives it; again for more", repeat=True, metavar="ROW"),
]
SHOWN = 1000
"""Characters of a value in a report."""
LIVE_ROWS = 25
"""Rows a statement while a dev server runs, with a pause after each: it waits for nobody's lock."""


class _Sides(NamedTuple):
    source: "SqlDatabase"
    target: "SqlDatabase"
    tables: "list[Table]"
    there: "dict[str, Table]"
    beside: "list[Table]"
    """Of the target only."""


async def _sides(
    state: State, database: str | None, to_database: str | None, wanted: tuple[str, ...], *, create: bool
) -> _Sides:
    source = other(state)
    first, second = await source.database(database), await state.database(to_database or database)
    same_place(source, state, first, second, "--to-database names another database")
    left = await source.backend.d1.sql(first)
    right = await state.backend.d1.sql(second, create=create)
    ours = [table for table in (await left.schema()).tables if _copied(table)]
    if wanted and (missing := set(wanted) - {table.name for table in ours}):
        raise WorkbenchError("sql.no_table", f"there is no table {sorted(missing)[0]!r} in {first}")
    try:
        theirs = [table for table in (await right.schema()).tables if _copied(table)]
    except WorkbenchError as error:
        if error.code != "d1.database_not_found":
            raise
        theirs = []
    tables = _parents_first([table for table in ours if not wanted or table.name in wanted])
    names = {table.name for table in tables}
    beside = [] if wanted else [table for table in theirs if table.name not in names]
    return _Sides(left, right, tables, {table.name: table for table in theirs}, beside)


def _copied(table: "Table") -> bool:
    return table.kind == "table" and not table.reserved


def _parents_first(tables: "list[Table]") -> "list[Table]":
    """In an order in which a row's foreign keys find what they name, where there is one."""
    left, found = {table.name: table for table in tables}, []
    while left:
        free = [
            one
            for one in left.values()
            if not any(key.table in left and key.table != one.name for key in one.foreign_keys)
        ] or [next(iter(left.values()))]
        for one in free:
            found.append(left.pop(one.name))
    return found


def _why_not(table: "Table", there: "Table | None") -> str:
    """Why rows of these two cannot be brought together, or ""."""
    if not table.identity:
        return table.no_identity or "its rows cannot be named"
    if there is not None and (columns_of(there), there.identity) != (columns_of(table), table.identity):
        return "the two sides have other columns or another primary key"
    return ""


def _row(table: "Table", row: TableRow) -> str:
    return f"{table.name} {', '.join(row.key)}"


@operation(
    "d1.tables.copy",
    effect=WRITES,
    examples=[
        "cfwb d1 tables copy --from remote --to local --database shop --table customers --dry-run",
        "cfwb d1 tables copy --from remote --to local --database shop",
    ],
    capability="d1",
)
async def copy_tables(
    state: State,
    database: Database = None,
    table: Tables = (),
    from_: From = None,
    to: To = None,
    to_database: ToDatabase = None,
    row: OnlyRows = (),
    dry_run: WouldChange = False,
) -> CopyReport:
    """Copy tables, or the whole database, from one target to another.

    A table that is not there is made, with its indexes and triggers. Rows go over by what names them; those that are the same are not
    written again, so an interrupted copy is simply run once more; those that only the other side has stay. Every value is exact, 64-bit
    integers and blobs too, and what was written is read back.
    """
    sides = await _sides(state, database, to_database, table, create=not dry_run)
    tally = Tally(state, dry_run)
    only = frozenset(row)
    for one in sides.tables:
        if only and not any(name.startswith(f"{one.name} ") for name in only):
            continue
        there = sides.there.get(one.name)
        if why := _why_not(one, there):
            tally.problem(f"{one.name}: not copied: {why}")
            continue
        if there is None:
            tally.change(f"table {one.name}", new=True)
            if not dry_run:
                await _made(sides.target, [one.sql, *(index.sql for index in one.indexes)])
        elif one.sql != there.sql:
            tally.note(f"{one.name} is declared in other words on the other side, and stays so")
        await _copy_rows(state, sides, one, there is not None, tally, only)
        if there is None and not dry_run:
            await _made(sides.target, [trigger.sql for trigger in one.triggers])
            await _verify(sides.target, one, tally)
    return tally.report()


async def _made(database: "SqlDatabase", statements: list[str | None]) -> None:
    for sql in statements:
        if sql:
            await database.query(sql)


async def _verify(database: "SqlDatabase", table: "Table", tally: Tally) -> None:
    """Whether a table that was made is declared as the one it was made from."""
    found = next((one for one in (await database.schema()).tables if one.name == table.name), None)
    if found is not None and found.sql == table.sql and len(found.triggers) == len(table.triggers):
        tally.verified += 1
    else:
        tally.problem(f"table {table.name}: made, and declared otherwise when it was read back")


async def _copy_rows(
    state: State, sides: _Sides, table: "Table", exists: bool, tally: Tally, only: frozenset[str]
) -> None:
    from workbench.backends.local.manners import pause

    live = not tally.dry_run and state.backend.server_running()
    async for page in pages(sides.source, table):
        rows = [row for row in page if not only or _row(table, row) in only]
        if not rows:
            tally.step(0)
            continue
        old = await those(sides.target, table, rows) if exists else {}
        wanted = []
        for row in rows:
            tally.step()
            if (known := old.get(row.key)) == row:
                tally.equal += 1
                continue
            tally.change(_row(table, row), new=known is None)
            tally.size_bytes += row.size
            wanted.append(row)
        if tally.dry_run:
            continue
        for lot in in_pieces(wanted):
            step = LIVE_ROWS if live else len(lot)
            for start in range(0, len(lot), step):
                done = await sides.target.query(
                    written(table, lot[start : start + step]), cancel=state.cancel
                )
                if live:
                    pause(sum(one.duration_ms for one in done) / 1000, state.cancel)
        found = await those(sides.target, table, wanted)
        for row in wanted:
            if found.get(row.key) == row:
                tally.verified += 1
            else:
                tally.problem(f"{_row(table, row)}: written, and otherwise when it was read back")


@operation(
    "d1.tables.diff",
    effect=READS,
    examples=["cfwb d1 tables diff --from remote --to local --database shop --table customers"],
    capability="d1",
)
async def diff_tables(
    state: State,
    database: Database = None,
    table: Tables = (),
    from_: From = None,
    to: To = None,
    to_database: ToDatabase = None,
) -> Comparison:
    """What differs between tables of two targets: rows, by what names them.

    Every value is compared exactly, 64-bit integers and blobs too.
    """
    sides = await _sides(state, database, to_database, table, create=False)
    tally = Tally(state)
    for one in sides.tables:
        there = sides.there.get(one.name)
        if there is None:
            tally.differ(f"table {one.name}", "only_from")
        elif why := _why_not(one, there):
            tally.differ(f"table {one.name}", "different", why)
            tally.inexact(f"the rows of {one.name} were not compared")
        else:
            await _compare(sides, one, tally)
    for one in sides.beside:
        tally.differ(f"table {one.name}", "only_to")
    return tally.comparison()


async def _compare(sides: _Sides, table: "Table", tally: Tally) -> None:
    names = columns_of(table)
    async for rows in pages(sides.source, table):
        found = await those(sides.target, table, rows)
        for row in rows:
            tally.step()
            known = found.get(row.key)
            if known == row:
                tally.equal += 1
            elif known is None:
                tally.differ(_row(table, row), "only_from", "", _shown(names, row))
            else:
                both = zip(names, row.values, known.values, strict=True)
                what = ", ".join(name for name, a, b in both if a != b)
                tally.differ(_row(table, row), "different", what, _shown(names, row), _shown(names, known))
    async for rows in pages(sides.target, table):
        known_here = await those(sides.source, table, rows)
        for row in rows:
            tally.step()
            if row.key not in known_here:
                tally.differ(_row(table, row), "only_to", "", None, _shown(names, row))


def _shown(names: tuple[str, ...], row: TableRow) -> str:
    """A row for reading: a column a line, its value as SQL writes it."""
    return "\n".join(
        f"{name} = {value if len(value) <= SHOWN else value[:SHOWN] + '…'}"
        for name, value in zip(names, row.values, strict=True)
    )
