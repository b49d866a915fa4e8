"""Traces and logs of requests that the dev server answered: SQL on the tables `spans` and `logs`, and what is asked most."""

import json
from typing import Annotated, Any

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.sql import SqlResult
from workbench.model.state import Removal
from workbench.model.times import iso
from workbench.model.traces import Span, Trace, TraceDetail, TraceLog

from . import DESTROYS, READS, operation
from .parameters import DryRun, Limit, Param, Sql, SqlFile, SqlParams
from .resolve import State
from .results import Rows
from .sql import run, statements

Id = Annotated[str, Param("the trace's id, or the beginning of it", positional=True, metavar="ID")]
Failed = Annotated[bool, Param("only those that failed, or were answered with 500 or above", "boolean")]
USUAL = 100
_HEAD = """
    trace_id, service, name, kind, start_ms, duration_ms, outcome, error, json(attributes),
    (SELECT count(*) FROM spans inner_ WHERE inner_.trace_id = spans.trace_id),
    (SELECT count(*) FROM logs WHERE logs.trace_id = spans.trace_id)"""
_FAILED = """
    AND ((outcome IS NOT NULL AND outcome <> 'ok') OR
        ifnull(json_extract(attributes, '$."http.response.status_code"'), 0) >= 500)"""


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


@operation(
    "traces.list",
    effect=READS,
    examples=["cfwb traces list --limit 20", "cfwb traces list --failed"],
    capability="traces",
)
async def list_traces(state: State, failed: Failed = False, limit: Limit = None) -> list[Trace]:
    """Recent requests that the dev server answered, the newest first.

    Cron triggers, messages and e-mails too: whatever started a Worker. Without --limit the last hundred.
    """
    where = _FAILED if failed else ""
    sql = f"SELECT {_HEAD} FROM spans WHERE parent_id IS NULL {where} ORDER BY start_ms DESC LIMIT ?"
    try:
        rows = await _rows(state, sql, limit or USUAL)
    except WorkbenchError as error:
        if error.code == "traces.none":
            return []
        raise
    return [_trace(row) for row in rows]


@operation(
    "traces.get",
    effect=READS,
    examples=["cfwb traces get 4bf92f3577b34da6"],
    capability="traces",
)
async def get_trace(state: State, id: Id) -> TraceDetail:
    """One request: what its Workers did and how long, and what they logged."""
    found = await _rows(
        state,
        f"SELECT {_HEAD} FROM spans WHERE substr(trace_id, 1, ?) = ? ORDER BY parent_id IS NOT NULL, start_ms LIMIT 1000",
        len(id),
        id,
    )
    if not id or not found:
        raise WorkbenchError("traces.not_found", f"there is no trace {id!r}", "cfwb traces list shows them")
    if len({row[0] for row in found}) > 1:
        raise UsageError(f"several traces begin with {id!r}", "name more of it")
    trace = _trace(found[0])
    begin = found[0][4] or 0
    spans = await _rows(
        state,
        "SELECT span_id, parent_id, service, name, kind, start_ms, duration_ms, outcome, error, json(attributes) "
        "FROM spans WHERE trace_id = ? ORDER BY start_ms, rowid",
        trace.id,
    )
    logs = await _rows(
        state, "SELECT span_id, ts_ms, level, message FROM logs WHERE trace_id = ? ORDER BY seq", trace.id
    )
    return TraceDetail(
        trace,
        tuple(_nested([_span(row, begin) for row in spans])),
        tuple(TraceLog(row[0], (row[1] or begin) - begin, str(row[2]), _said(row[3])) for row in logs),
    )


@operation(
    "traces.delete",
    effect=DESTROYS,
    examples=["cfwb traces delete --dry-run", "cfwb traces delete --force"],
    capability="traces",
)
async def delete_traces(state: State, dry_run: DryRun = False) -> Removal:
    """Delete all traces and logs that are kept."""
    try:
        rows = await _rows(state, "SELECT (SELECT count(*) FROM spans), (SELECT count(*) FROM logs)")
    except WorkbenchError as error:
        if error.code != "traces.none":
            raise
        return Removal([], 0, dry_run)
    spans, logs = (int(count) for count in rows[0])
    if not dry_run:
        await state.backend.traces.clear()
    return Removal([f"{spans:,} spans", f"{logs:,} lines of logs"], spans + logs, dry_run)


async def _rows(state: State, sql: str, *params: Any) -> list[Any]:
    database = await state.backend.traces.sql()
    found = await database.query(sql, list(params), read_only=True, cancel=state.cancel)
    return list(found[0].rows)


def _trace(row: Any) -> Trace:
    id, worker, name, kind, start, duration, outcome, error, attributes, spans, logs = row
    known = _attributes(attributes)
    status = known.get("http.response.status_code")
    url = known.get("url.full")
    if isinstance(url, str) and kind == "http":
        name = f"{known.get('http.request.method') or name} {_path(url)}"
    else:
        more = known.get("faas.cron") or known.get("jsrpc.method") or known.get("cloudflare.queue.name")
        name = f"{name} {more}" if more else name
    return Trace(
        str(id),
        worker,
        str(name or ""),
        kind,
        status if isinstance(status, int) else None,
        iso(start or 0),
        duration,
        outcome,
        error,
        int(spans),
        int(logs),
    )


def _path(url: str) -> str:
    """Path and query of an address."""
    rest = url.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


def _span(row: Any, begin: int) -> Span:
    id, parent, worker, name, kind, start, duration, outcome, error, attributes = row
    return Span(
        str(id),
        parent,
        worker,
        str(name or ""),
        kind,
        (start or begin) - begin,
        duration,
        outcome,
        error,
        _attributes(attributes),
    )


def _attributes(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _nested(spans: list[Span]) -> list[Span]:
    """Each after the one around it; those whose parent is not kept count as outermost."""
    ids = {span.id for span in spans}
    inside: dict[str | None, list[Span]] = {}
    for span in spans:
        inside.setdefault(span.parent if span.parent in ids and span.parent != span.id else None, []).append(
            span
        )
    found: list[Span] = []
    waiting = inside.get(None, [])[::-1]
    while waiting:
        span = waiting.pop()
        found.append(span)
        waiting += inside.pop(span.id, [])[::-1]
    return found


def _said(message: Any) -> str:
    """What was logged, as a console shows it: texts as they are, other values as JSON, a space between two."""
    try:
        found = json.loads(message) if isinstance(message, str) else message
    except ValueError:
        return str(message)
    parts = found if isinstance(found, list) else [found]
    return " ".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts)
