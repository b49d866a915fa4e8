"""D1: the Explorer's routes, and the account API's that it lacks. (miniflare, workers/d1 and local-explorer/resources/d1)"""

from __future__ import annotations

import re
from typing import Any

from workbench.model.sql import BatchResult, D1Database

from .call import Call
from .checks import Check, Either, Fields, ListOf, Number, Text
from .errors import INVALID, ApiError
from .replies import Reply, envelope, listed
from .routes import Routes
from .sql import rows_of, run_batch

DATABASE = "/d1/database/{database_id}"
_COMMENT = re.compile(r"^\s*--.*", re.MULTILINE)
_QUERY = Fields({"params": ListOf(Check(), optional=True), "sql": Text()})
_BODY = Either(_QUERY, Fields({"batch": ListOf(_QUERY)}))
_PAGE = Number(1, optional=True)

routes = Routes()


def _database(row: D1Database) -> dict[str, Any]:
    return {"name": row.binding or row.name, "uuid": row.id, "version": "production"}


@routes.route(
    "GET",
    "/d1/database",
    "reads",
    "d1.databases.list",
    query={"name": Text(optional=True, help="only names that hold this"), "page": _PAGE, "per_page": _PAGE},
    name="d1-list-databases",
)
def list_databases(call: Call) -> Reply:
    """D1 databases: those of the config, and those that only the state holds. The name is the binding's."""
    rows = {row["uuid"]: row for row in map(_database, call.run("d1.databases.list"))}
    wanted = call.query.get("name", "").lower()
    found = [row for row in rows.values() if wanted in row["name"].lower()]
    return listed(found, {}, call.query.get("page"), call.query.get("per_page"))


@routes.route("GET", DATABASE, "reads", "d1.databases.list", name="d1-get-database", added=True)
def get_database(call: Call) -> Reply:
    """One database."""
    wanted = call.names["database_id"]
    for row in call.run("d1.databases.list"):
        if row.id == wanted:
            return envelope(_database(row) | {"file_size": row.size_bytes, "num_tables": row.tables})
    raise ApiError(404, 7404, f"The database {wanted} could not be found")


@routes.route("DELETE", DATABASE, "writes", "d1.databases.delete", name="d1-delete-database", added=True)
def delete_database(call: Call) -> Reply:
    """Start a database over: every table goes. One that a config binds stays listed, empty."""
    call.run("d1.databases.delete", database=call.names["database_id"])
    return envelope(None)


@routes.route("POST", f"{DATABASE}/raw", "asks", "d1.batches.run", json=_BODY, name="d1-raw-database-query")
def query_raw(call: Call) -> Reply:
    """Run SQL, one query or a batch, as one transaction; rows as lists. Without the token it may only read."""
    return envelope([_result(one, {"columns": one.columns, "rows": rows_of(one)}) for one in _run(call)])


@routes.route(
    "POST", f"{DATABASE}/query", "asks", "d1.batches.run", json=_BODY, name="d1-query-database", added=True
)
def query(call: Call) -> Reply:
    """Run SQL, one query or a batch, as one transaction; rows as objects. Without the token it may only read."""
    return envelope(
        [_result(one, [dict(zip(one.columns, row)) for row in rows_of(one)]) for one in _run(call)]
    )


def _run(call: Call) -> list[BatchResult]:
    queries = call.json.get("batch", [call.json])
    queries = [one for one in queries if _COMMENT.sub("", one["sql"]).strip()]
    if not queries:
        raise ApiError(500, INVALID, "No SQL statements detected.")
    return run_batch(call, "d1.batches.run", queries, database=call.names["database_id"])


def _result(result: BatchResult, results: Any) -> dict[str, Any]:
    return {
        "success": True,
        "results": results,
        "meta": {
            "served_by": "cfwb",
            "served_by_primary": True,
            "total_attempts": 1,
            "timings": {"sql_duration_ms": result.duration_ms},
            "duration": result.duration_ms,
            "changes": result.changes,
            "last_row_id": result.last_row_id or 0,
            "changed_db": result.changed,
            "size_after": result.size_bytes,
            "rows_read": result.rows_read,
            "rows_written": result.rows_written,
        },
    }
