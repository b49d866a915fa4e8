"""What the SQL routes share: batches of queries, which read without the token and write with it; values as the API has them."""

from __future__ import annotations

from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.sql import BatchResult, InvalidText
from workbench.model.tagged import bytes_tag, from_sql

from .call import Call
from .errors import ApiError


def run_batch(call: Call, operation: str, queries: list[dict[str, Any]], **where: Any) -> list[BatchResult]:
    """Run queries as one transaction. Without the token they may only read; ApiError (401) for one that would write."""
    given = [one | {"params": [_parameter(value) for value in one.get("params") or []]} for one in queries]
    try:
        results: list[BatchResult] = call.run(
            operation, queries=given, read_only=not call.authorized, **where
        )
    except WorkbenchError as error:
        if error.code == "sql.read_only" and not call.authorized:
            raise ApiError(
                401, 10000, f"{error.message}: writing needs the token.", name="serve.token_needed"
            ) from None
        raise
    return results


def _parameter(value: Any) -> Any:
    """A parameter as an operation takes it: a list of bytes is a BLOB, as it is where a BLOB is read."""
    if isinstance(value, list) and all(type(one) is int and 0 <= one < 256 for one in value):
        return bytes_tag(bytes(value))
    return value


def rows_of(result: BatchResult) -> list[list[Any]]:
    """Rows as JSON: integers exact, a BLOB as the list of its bytes, what JSON cannot say tagged (docs/json.md)."""
    return [[cell(value) for value in row] for row in result.rows]


def cell(value: Any) -> Any:
    """One value."""
    if isinstance(value, bytes) and not isinstance(value, InvalidText):
        return list(value)
    if value == 0 and isinstance(value, float):
        return value  # JSON can say -0.0
    return from_sql(value)
