"""Durable Objects: the Explorer's routes. What lies inside an object is in `rooms`. (miniflare, local-explorer/resources/do)"""

from __future__ import annotations

import re
from typing import Any

from workbench.model.durable_objects import DoNamespace, DoObject
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page

from .call import Call
from .checks import Check, Either, Fields, ListOf, Number, Text
from .errors import ApiError, invalid
from .replies import Reply, envelope, listed
from .routes import Routes
from .sql import rows_of, run_batch

NAMESPACES = "/workers/durable_objects/namespaces"
NAMESPACE = f"{NAMESPACES}/{{namespace_id}}"
_PAGE = Number(1, optional=True)
_QUERIES = ListOf(Fields({"sql": Text(least=1), "params": ListOf(Check(), optional=True)}))
_FACETS = ListOf(Text(), optional=True, help="a facet of the object, by its path of names, outermost first")

routes = Routes()


@routes.route(
    "GET",
    NAMESPACES,
    "reads",
    "do.namespaces.list",
    query={"page": _PAGE, "per_page": _PAGE},
    name="durable-objects-namespace-list-namespaces",
)
def list_namespaces(call: Call) -> Reply:
    """Classes: those of the config, and those that only the state holds."""
    rows = [_namespace(row) for row in call.run("do.namespaces.list")]
    return listed(rows, {}, call.query.get("page"), call.query.get("per_page"))


def _namespace(row: DoNamespace) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": f"{row.script}_{row.class_name}",
        "script": row.script,
        "class": row.class_name,
        "use_sqlite": row.sqlite is not False,
    }


@routes.route(
    "GET",
    f"{NAMESPACE}/objects",
    "reads",
    "do.objects.list",
    query={
        "limit": Number(10, 10_000, default=1000),
        "cursor": Text(optional=True, help="result_info.cursor of the page before"),
        "after": Text(optional=True, help="the same, as the account API's clients call it"),
    },
    name="durable-objects-namespace-list-objects",
)
def list_objects(call: Call) -> Reply:
    """A page of a class's objects by id, with their names where known. Facets are not among them: they have routes of their own."""
    page: Page[DoObject] = call.run(
        "do.objects.list",
        namespace=call.names["namespace_id"],
        limit=int(call.query["limit"]),
        cursor=call.query.get("cursor") or call.query.get("after") or None,
    )
    info: dict[str, Any] = {"count": len(page.items), "cursor": page.cursor or ""}
    if page.cursor:
        info["cursors"] = {"after": page.cursor}
    return envelope([_object(row) for row in page.items], info)


def _object(row: DoObject) -> dict[str, Any]:
    found: dict[str, Any] = {"id": row.id, "hasStoredData": True}
    return found if row.name is None else found | {"name": row.name}


@routes.route(
    "POST",
    f"{NAMESPACE}/query",
    "asks",
    "do.batches.run",
    json=Either(
        Fields({"durable_object_id": Text(least=1), "queries": _QUERIES, "facets": _FACETS}),
        Fields({"durable_object_name": Text(least=1), "queries": _QUERIES, "facets": _FACETS}),
    ),
    name="durable-objects-namespace-query-sqlite",
)
def query(call: Call) -> Reply:
    """Run SQL on an object, or with `facets` on a facet of it, as one transaction. Without the token it may only read."""
    namespace = call.names["namespace_id"]
    rows: list[DoNamespace] = call.run("do.namespaces.list")
    found = next((row for row in rows if row.id == namespace), None)
    if found is None:
        raise ApiError(404, 10066, f"Durable Object namespace ID '{namespace}' not found.")
    if found.sqlite is False:
        raise invalid(f"Namespace does not use SQLite storage: {namespace}")
    object = _object_of(call, namespace)
    if not call.json["queries"]:
        raise invalid("No queries provided")
    try:
        results = run_batch(
            call,
            "do.batches.run",
            call.json["queries"],
            namespace=namespace,
            object=object,
            facet=call.json.get("facets") or [],
        )
    except WorkbenchError as error:
        if error.code.startswith("sql."):
            raise invalid(_said(error)) from None
        raise
    return envelope(
        [
            {
                "columns": one.columns,
                "rows": rows_of(one),
                "meta": {"rows_read": one.rows_read, "rows_written": one.rows_written},
            }
            for one in results
        ]
    )


def _said(error: WorkbenchError) -> str:
    from .errors import api_error

    return api_error(error).message


def _object_of(call: Call, namespace: str) -> str:
    """The object's id or name as the body has it. Raises ApiError for an id that is none, or another class's."""
    if "durable_object_id" not in call.json:
        return str(call.json["durable_object_name"])
    given: str = call.json["durable_object_id"]
    if not re.fullmatch(r"[0-9a-fA-F]{64}", given):
        raise invalid("Invalid Durable Object ID: must be 64 hex digits")
    id = given.lower()
    if call.run("do.ids.get", name=id, namespace=namespace).id != id:
        raise invalid("Durable Object ID is not valid for this namespace.")
    return id
