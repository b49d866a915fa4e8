"""Traces and logs of requests that the dev server answered: SQL on the tables `spans` and `logs`."""

from workbench.model.sql import SqlResult

from . import READS, operation
from .parameters import Limit, Sql, SqlFile, SqlParams
from .resolve import State
from .results import Rows
from .sql import run, statements


@operation(
    "traces.query",
    effect=READS,
    examples=[
        "cfwb traces query 'SELECT name, duration_ms, outcome FROM spans WHERE parent_id IS NULL ORDER BY start_ms DESC'",
        "cfwb traces query 'SELECT level, message FROM logs WHERE trace_id = ? ORDER BY seq' --param 4bf92f3577b34da6",
    ],
    capability="traces",
)
async def query(
    state: State, sql: Sql = None, file: SqlFile = None, param: SqlParams = (), limit: Limit = None
) -> list[SqlResult] | Rows:
    """Ask the traces and logs of recent requests, by SQL: a result a statement.

    Tables `spans` (trace_id, span_id, parent_id, service, name, kind, start_ms, duration_ms, outcome, error, attributes) and
    `logs` (trace_id, span_id, seq, ts_ms, level, message, operation); `json(attributes)` reads what a span tells.
    """
    text = statements(sql, file)
    return await run(state, await state.backend.traces.sql(), text, param, True, limit)
