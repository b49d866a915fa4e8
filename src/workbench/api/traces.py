"""Traces and logs of recent requests, by SQL. (miniflare, local-explorer/resources/observability)"""

from __future__ import annotations

import re

from workbench.model.errors import WorkbenchError
from workbench.model.sql import SqlResult

from .call import Call
from .checks import Check, Fields, ListOf, Text
from .errors import ApiError, api_error
from .replies import Reply, envelope
from .routes import Routes
from .sql import cell

MOST_ROWS = 10_000
_ONLY_QUERIES = "Only read-only SELECT/WITH queries are allowed"
_QUERY = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)

routes = Routes()


@routes.route(
    "POST",
    "/local/observability/query",
    "reads",
    "traces.query",
    json=Fields({"sql": Text(), "params": ListOf(Check(), optional=True)}),
    name="observability-query",
)
def query(call: Call) -> Reply:
    """Run one SELECT on the tables `spans` and `logs`; at most 10,000 rows. `json(attributes)` reads what a span tells."""
    if not _QUERY.match(call.json["sql"]):
        raise ApiError(400, 10131, _ONLY_QUERIES)
    try:
        results: list[SqlResult] = call.run(
            "traces.query", sql=call.json["sql"], param=call.json.get("params") or [], limit=MOST_ROWS
        )
    except WorkbenchError as error:
        raise _refused(error) from None
    if len(results) > 1:
        raise ApiError(400, 10131, "Only a single statement is allowed")
    rows = [[cell(value) for value in row] for row in results[0].rows]
    return envelope({"columns": results[0].columns, "rows": rows})


def _refused(error: WorkbenchError) -> Exception:
    if error.code == "traces.none":
        return ApiError(404, 10130, "No traces are kept in this state.", name=error.code)
    if error.code in ("sql.read_only", "sql.not_allowed"):
        return ApiError(400, 10131, _ONLY_QUERIES, name=error.code)
    if error.code.startswith("sql."):
        return ApiError(400, 10131, api_error(error).message, name=error.code)
    return error
