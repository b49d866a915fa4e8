"""Which cells of a query's result come straight from a table, so that a grid can write them back.

SQLite names the table and column behind each result column, also through views and joins; what it does not tell is which
of two rows of the same table a cell came from. So a table counts only where the query looks at it once, and where the
columns that name its rows are in the result.
"""

from workbench.model.sql import Editable, Table

from .authorizer import tables_read
from .schema import read_table
from .statements import Compiled, Engine

_LOOKS = ("SCAN ", "SEARCH ")
_MIXES = ("COMPOUND QUERY", "MERGE (", "LEFT-MOST SUBQUERY", "UNION", "EXCEPT", "INTERSECT", "RECURSIVE STEP")


def editable(engine: Engine, sql: str) -> Editable:
    """See `model.sql.Editable`. Runs nothing but EXPLAIN QUERY PLAN."""
    compiled = engine.compile(sql)
    origins = tuple(compiled.origins)
    if compiled.effect != "reads" or compiled.explain:
        return Editable(origins, {}, {"": "only the rows of a query can be edited"})
    if not any(origins):
        return Editable(origins, {}, {"": "no column comes straight from a table"})
    reason = _mixed(engine, compiled)
    if reason:
        return Editable(origins, {}, {"": reason})
    keys: dict[str, tuple[tuple[str, int], ...]] = {}
    reasons: dict[str, str] = {}
    for name in dict.fromkeys(origin[0] for origin in origins if origin):
        table = read_table(engine, name)
        found = _key(table, origins)
        computed = {column.name for column in table.columns if column.generated} if table else set()
        origins = tuple(None if one and one[0] == name and one[1] in computed else one for one in origins)
        if isinstance(found, str):
            reasons[name] = found
        else:
            keys[name] = found
    return Editable(origins, keys, reasons)


def _mixed(engine: Engine, compiled: Compiled) -> str:
    """Why rows of the result can't be traced to rows of tables, or an empty string."""
    plan = engine.compile("EXPLAIN QUERY PLAN " + compiled.text.lstrip("; \t\r\n"))
    with engine.rules.trusted():
        bindings = (None,) * plan.parameters or None
        lines = [str(row[3]) for row in engine.connection.cursor().execute(plan.text, bindings)]
    if any(line.startswith(_MIXES) for line in lines):
        return "rows of a compound query may come from any of its parts"
    looked = sum(1 for line in lines if line.startswith(_LOOKS) and "CONSTANT ROW" not in line)
    tables = {name.lower() for name in tables_read(compiled.actions) if not _is_view(engine, name)}
    if looked > len(tables):
        return "the query looks at a table twice or through a subquery, so it can't be told which row a cell is from"
    return ""


def _is_view(engine: Engine, name: str) -> bool:
    found = engine.trusted("SELECT 1 FROM sqlite_schema WHERE type='view' AND name=? COLLATE NOCASE", (name,))
    return found.fetchone() is not None


def _key(
    table: Table | None, origins: tuple[tuple[str, str] | None, ...]
) -> tuple[tuple[str, int], ...] | str:
    """Where the identity of the table's rows is in the result, or why it is not."""
    if table is None:
        return "it is no table of this database"
    if not table.identity:
        return table.no_identity
    if table.identity[0] in ("_rowid_", "oid"):
        # SQLite calls both the hidden row id and the column that hides it "rowid".
        return f"a column of {table.name} is named rowid, so its row id can't be told apart in a result"
    places: list[tuple[str, int]] = []
    for column in table.identity:
        at = next(
            (i for i, one in enumerate(origins) if one is not None and _same(one, table.name, column)), None
        )
        if at is None:
            return f"the column {column}, which names a row of {table.name}, is not in the result"
        places.append((column, at))
    return tuple(places)


def _same(origin: tuple[str, str], table: str, column: str) -> bool:
    return origin[0].lower() == table.lower() and origin[1].lower() == column.lower()
