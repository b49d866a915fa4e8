"""Whether a statement may hold the write lock for long: a Worker's own writes fail at once meanwhile.

A rough estimate that costs microseconds: what a statement looks through, by its plan, and how large that is. Rows of a
table are taken from its largest row id, which SQLite finds without counting.
"""

import apsw

from .authorizer import tables_read
from .statements import Compiled, Engine, parts
from .values import quoted

# About 5 ms of work on an ordinary machine.
_ROWS = 5_000
_PAGES = 64
_WHOLE_FILE = {
    apsw.SQLITE_CREATE_INDEX,
    apsw.SQLITE_DROP_INDEX,
    apsw.SQLITE_DROP_TABLE,
    apsw.SQLITE_DROP_VTABLE,
    apsw.SQLITE_ALTER_TABLE,
    apsw.SQLITE_REINDEX,
    apsw.SQLITE_ANALYZE,
}


def may_block(engine: Engine, sql: str) -> str | None:
    """A sentence when running `sql` may hold the write lock for more than 5 ms, else None."""
    compiled = [one for _, _, one in parts(engine, sql)]
    if all(one is not None and one.effect == "reads" for one in compiled):
        return None
    if any(_heavy(engine, one) for one in compiled if one is not None):
        return (
            "this may hold the database's write lock for more than 5 ms; while it does, the running Worker's own "
            "writes to it fail at once (it waits for no lock), reads go on"
        )
    return None


def _heavy(engine: Engine, compiled: Compiled) -> bool:
    """In a call that writes every statement counts, the reading ones too: it is one transaction."""
    if any(action[0] in _WHOLE_FILE for action in compiled.actions):
        return _pages(engine) > _PAGES
    if compiled.explain:
        return False
    plan = engine.compile("EXPLAIN QUERY PLAN " + compiled.text.lstrip("; \t\r\n"))
    with engine.rules.trusted():
        lines = [
            str(row[3])
            for row in engine.connection.cursor().execute(plan.text, (None,) * plan.parameters or None)
        ]
    if any(line.startswith(("RECURSIVE STEP", "SCAN json")) for line in lines):
        return True
    scans = any(line.startswith("SCAN ") and "CONSTANT ROW" not in line for line in lines)
    # A plan says nothing of a DELETE or UPDATE without WHERE that SQLite does in one sweep.
    sweeps = not lines and any(action[0] == apsw.SQLITE_DELETE for action in compiled.actions)
    if not scans and not sweeps:
        return False
    named = {a[1] for a in compiled.actions if a[0] in (apsw.SQLITE_DELETE, apsw.SQLITE_UPDATE) and a[1]}
    return any(_rows(engine, name) > _ROWS for name in tables_read(compiled.actions) | named)


def _pages(engine: Engine) -> int:
    row = engine.trusted("PRAGMA page_count").fetchone()
    return int(row[0]) if row else 0


def _rows(engine: Engine, table: str) -> int:
    try:
        row = engine.trusted(f"SELECT max(rowid) FROM {quoted(table)}").fetchone()
        return row[0] if row and isinstance(row[0], int) else 0
    except apsw.Error:
        return _ROWS + 1 if _pages(engine) > _PAGES else 0
