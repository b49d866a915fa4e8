"""Several queries as one transaction, each with its own parameters: what D1's API calls a batch, and an object's a query.

A query may hold several statements; its result is the last one's, and the parameters are the last one's, as the runtime has it.
"""

from collections.abc import Sequence
from time import perf_counter

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.sql import BatchResult, Params

from .errors import SqlError
from .results import figures, refused_write
from .rows import Rows
from .statements import Compiled, Engine, guessed_effect, parts
from .values import Parameters

Query = tuple[str, Params | None]


def only_reads(engine: Engine, queries: Sequence[Query]) -> bool:
    """Whether no statement of any query writes. Nothing runs."""
    try:
        return all(_reads(sql, part) for sql, _ in queries for part in parts(engine, sql))
    except WorkbenchError:  # one that does not compile yet may do so once a query before it has run
        return False


def refuse_writes(engine: Engine, queries: Sequence[Query]) -> None:
    """Raise `sql.read_only` for the first statement that writes."""
    for sql, _ in queries:
        for part in parts(engine, sql):
            if not _reads(sql, part):
                raise refused_write(sql[part[0] : part[1]])


def _reads(sql: str, part: tuple[int, int, Compiled | None]) -> bool:
    begin, end, compiled = part
    return (guessed_effect(sql[begin:end]) if compiled is None else compiled.effect) == "reads"


def run_batch(
    engine: Engine, queries: Sequence[Query], cancel: Cancel | None, *, reading: bool
) -> list[BatchResult]:
    """Run them all or none; a result a query."""
    engine.watch(cancel)
    try:
        engine.trusted("BEGIN" if reading else "BEGIN IMMEDIATE")
        results = [_run(engine, sql, params) for sql, params in queries]
        engine.trusted("COMMIT")
    except BaseException:
        engine.unwatch(cancel)
        if engine.connection.in_transaction:
            engine.trusted("ROLLBACK")
        raise
    engine.unwatch(cancel)
    return results


def _run(engine: Engine, sql: str, params: Params | None) -> BatchResult:
    size = _size(engine)
    before = engine.connection.total_changes()
    engine.connection.set_last_insert_rowid(0)
    statements = parts(engine, sql)
    if not statements:
        raise SqlError("SQL code did not contain a statement.")
    started = perf_counter()
    for begin, end, _ in statements[:-1]:
        compiled = engine.compile(sql[begin:end], sql, begin)
        Rows(engine, compiled, Parameters(None).take(compiled.parameters, compiled.names), sql).take()
    begin, end, known = statements[-1]
    last = known if known and len(statements) == 1 else engine.compile(sql[begin:end], sql, begin)
    parameters = Parameters(params)
    bindings = parameters.take(last.parameters, last.names)
    parameters.finish()
    rows = Rows(engine, last, bindings, sql).take()
    result = figures(engine, last, rows, before, started)
    inserted, size_after = engine.connection.last_insert_rowid(), _size(engine)
    return BatchResult(
        *result,
        last_row_id=inserted or None,
        size_bytes=size_after,
        changed=result.changes > 0 or inserted != 0 or size != size_after,
    )


def _size(engine: Engine) -> int:
    """Bytes in use, as the runtime counts them: pages that are free are not."""
    pages, free, page_size = (
        int(engine.trusted(f"PRAGMA {name}").get or 0)
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_size
