"""What a statement's run is summed up as, and what is said of one that was refused."""

from time import perf_counter

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Row, SqlResult

from .statements import Compiled, Engine


def refused_write(statement: str) -> WorkbenchError:
    """A statement that writes where only reading was asked for."""
    said = " ".join(statement.split())[:60]
    return WorkbenchError("sql.read_only", f"this would write, and only reading was asked for: {said}")


def figures(
    engine: Engine, compiled: Compiled, rows: list[Row], changes_before: int, started: float
) -> SqlResult:
    """A statement's result. Rows written are the rows changed, triggers' included (the platform counts index entries too,
    and rows read, for which SQLite has no figure)."""
    changes = engine.connection.total_changes() - changes_before
    duration = (perf_counter() - started) * 1000
    return SqlResult(compiled.columns, rows, None, changes, changes, duration)
