"""The listed differences, each as what it may change in a pair of answers; whatever is left after all of them is a failure.

An allowance is given the request and both answers and gives both back, alike in what it is about and untouched in everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .answers import Answer
from .requests import Request

Pair = tuple[Answer, Answer]
Allowance = Callable[[Request, Answer, Answer], Pair]

ALLOWANCES: dict[str, Allowance] = {}
NOT_DRIVEN = {
    "token", "unbound-things", "account-parameters", "needs-a-server", "unknown-things", "sql-parameters", "paths", "kv-form-bytes",
}  # fmt: skip
"""Differences of the list that the run does not meet: other tests are about them."""


def allowance(key: str) -> Callable[[Allowance], Allowance]:
    def keep(function: Allowance) -> Allowance:
        ALLOWANCES[key] = function
        return function

    return keep


def compare(request: Request, theirs: Answer, ours: Answer) -> tuple[str, set[str]]:
    """What differs beyond the list ("" for nothing), and which differences of the list were met."""
    met = set()
    theirs, ours = _by_nature(request, theirs), _by_nature(request, ours)
    for key, allow in ALLOWANCES.items():
        before = (theirs, ours)
        theirs, ours = allow(request, theirs, ours)
        if (theirs, ours) != before:
            met.add(key)
    if theirs == ours:
        return "", met
    return f"{request}\n  theirs: {_shown(theirs)}\n  ours:   {_shown(ours)}", met


def _shown(answer: Answer) -> str:
    return repr(answer)[:1500]


def _by_nature(request: Request, answer: Answer) -> Answer:
    """Without what is never twice the same: times and versions of what was written during the run, how long it took."""
    result = answer.result
    if request.kind == "r2.put" and isinstance(result, dict):
        return answer.with_result(result | {"version": "..."})
    if request.kind == "r2.list" and isinstance(result, list):
        return answer.with_result([row | {"last_modified": "..."} for row in result])
    if request.kind == "r2.object" and isinstance(result, dict):
        return answer.with_result(result | {"last_modified": "..."})
    if request.path == "/local/workers" and isinstance(result, list):
        names = ("isSelf", "name", "bindings")
        return answer.with_result([{name: row.get(name) for name in names} for row in result])
    return answer


# -- SQL


def _of_sql(request: Request) -> bool:
    return request.kind in ("d1", "do.query")


def _results(answer: Answer) -> list[dict[str, Any]]:
    return answer.result if isinstance(answer.result, list) else []


def _map_rows(request: Request, answer: Answer, change: Callable[[Any], Any]) -> Answer:
    found = []
    for one in _results(answer):
        place = one["results"] if request.kind == "d1" else one
        rows = [[change(cell) for cell in row] for row in place["rows"]]
        changed = place | {"rows": rows}
        found.append(one | {"results": changed} if request.kind == "d1" else changed)
    return answer.with_result(found)


@allowance("sql-figures")
def _figures(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if not _of_sql(request) or not _results(theirs) or not _results(ours):
        return theirs, ours
    ignored = (
        "rows_read", "rows_written", "last_row_id", "duration", "timings", "served_by",
    )  # fmt: skip

    def kept(answer: Answer) -> Answer:
        rows = [
            one | {"meta": {name: value for name, value in one["meta"].items() if name not in ignored}}
            for one in _results(answer)
        ]
        return answer.with_result(rows)

    for one in _results(ours):
        assert one["meta"]["rows_read"] is None
    return kept(theirs), kept(ours)


@allowance("exact-integers")
def _integers(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if not _of_sql(request) or not _results(theirs):
        return theirs, ours

    def rounded(cell: Any) -> Any:
        if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) > 2**53 - 1:
            return float(cell)
        return cell

    return _map_rows(request, theirs, rounded), _map_rows(request, ours, rounded)


@allowance("sql-values")
def _values(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if not _of_sql(request) or not _results(theirs) or not _results(ours):
        return theirs, ours

    def plain(cell: Any) -> Any:
        if isinstance(cell, dict) and "$number" in cell:
            return None
        if isinstance(cell, dict) and "$text" in cell:
            import base64

            return base64.b64decode(cell["$text"]).decode("utf-8", "replace")
        if request.kind == "do.query" and isinstance(cell, list):
            return {}
        return cell

    return theirs, _map_rows(request, ours, plain)


@allowance("new-objects")
def _new_objects(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind == "do.query" and ours.status == 404 and "has no object" in ours.message:
        return ours, ours
    return theirs, ours


@allowance("sql-prepared")
def _prepared(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if theirs.message == "A SQL prepared statement can only be executed once at a time.":
        return ours, ours
    counted = theirs.message == "Wrong number of parameter bindings for SQL query."
    if (
        _of_sql(request)
        and counted
        and ours.message.endswith(": SQLITE_ERROR")
        and theirs.status == ours.status
    ):
        return ours, ours
    return theirs, ours


@allowance("sql-refusals")
def _refusals(request: Request, theirs: Answer, ours: Answer) -> Pair:
    refused = "SQL here has the rules of D1" in ours.message
    if _of_sql(request) and theirs.failed and refused and theirs.status == ours.status:
        return theirs, ours._replace(value=theirs.value)
    return theirs, ours


# -- the rest


@allowance("facets")
def _facets(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind != "do.objects" or not isinstance(theirs.result, list):
        return theirs, ours
    objects = [row for row in theirs.result if "." not in row["id"]]
    info = theirs.value["result_info"] | {"count": len(objects)}
    return theirs._replace(value=theirs.value | {"result": objects, "result_info": info}), ours


@allowance("r2-metadata")
def _r2_metadata(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind != "r2.list" or not isinstance(ours.result, list):
        return theirs, ours
    rows = [row | {"http_metadata": {}, "custom_metadata": {}} for row in ours.result]
    return theirs, ours.with_result(rows)


@allowance("r2-custom-metadata")
def _r2_custom(request: Request, theirs: Answer, ours: Answer) -> Pair:
    given = request.headers.get("cf-r2-custom-metadata", "")
    if request.kind == "r2.put" and given == '{"n": 1}' and (theirs.status, ours.status) == (500, 400):
        return ours, ours
    return theirs, ours


@allowance("kv-null-metadata")
def _null_metadata(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind != "kv.keys" or not isinstance(theirs.result, list):
        return theirs, ours
    rows = [
        {name: value for name, value in row.items() if name != "metadata" or value is not None}
        for row in theirs.result
    ]
    return theirs.with_result(rows), ours


@allowance("cursors")
def _cursors(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if "cursor=%21%21" in request.path and ours.status == 400 and "is not a cursor" in ours.message:
        return ours, ours
    return theirs, ours


@allowance("kv-expiration")
def _expiration(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind != "kv.value":
        return theirs, ours
    return theirs, ours._replace(headers={n: v for n, v in ours.headers.items() if n != "expiration"})


@allowance("workflows")
def _workflows(request: Request, theirs: Answer, ours: Answer) -> Pair:
    if request.kind == "workflows.instance":
        if ours.status == 404 and "not valid for this namespace" in theirs.message:
            return ours, ours
        queued = {"queued": "..."}
        return tuple(  # type: ignore[return-value]
            one.with_result(one.result | queued) if isinstance(one.result, dict) else one
            for one in (theirs, ours)
        )
    if request.kind == "workflows" and isinstance(theirs.result, dict):
        counts = {name: n for name, n in theirs.result["instances"].items() if name != "unknown"}
        return theirs.with_result(theirs.result | {"instances": counts}), ours
    if request.kind == "workflows.instances" and theirs.result is not None and ours.result is not None:
        return _instances(theirs), _instances(ours)
    return theirs, ours


def _instances(answer: Answer) -> Answer:
    """In one order, without those that only a look has made."""
    rows = sorted((row for row in answer.result if len(row["id"]) < 64), key=lambda row: str(row["id"]))
    info = answer.value["result_info"]
    counts = {name: n for name, n in info["status_counts"].items() if name != "unknown"}
    info = info | {"status_counts": counts, "total_count": len(rows)}
    return answer._replace(value=answer.value | {"result": rows, "result_info": info})
