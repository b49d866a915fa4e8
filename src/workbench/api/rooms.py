"""What the original cannot see: an object's facets, and the key-value storage of an object or of a facet, decoded.

A facet is named by the query parameter `facet`, again for one inside it, outermost first. Values are tagged JSON (docs/json.md).
"""

from __future__ import annotations

from typing import Any

from workbench.model.errors import UsageError
from workbench.model.page import Page
from workbench.model.tagged import plain
from workbench.operations.results import to_json

from .call import Call
from .checks import Check, Choice, Number, Text
from .durable_objects import NAMESPACE
from .replies import Reply, envelope
from .routes import Routes

OBJECT = f"{NAMESPACE}/objects/{{object}}"
ENTRY = f"{OBJECT}/storage/{{key*}}"

routes = Routes()


class FacetPath(Check):
    """The parameter `facet`, as often as there are names in the path."""

    def check(self, value: Any, path: tuple[str | int, ...], issues: list[Any]) -> Any:
        return [value] if isinstance(value, str) else value

    def schema(self) -> dict[str, Any]:
        return self._described({"type": "array", "items": {"type": "string"}})


_FACET = {"facet": FacetPath(default=[], help="a facet's name; again for a facet inside it, outermost first")}


def _where(call: Call) -> dict[str, Any]:
    return {"namespace": call.names["namespace_id"], "object": call.names["object"]}


@routes.route("GET", OBJECT, "reads", "do.objects.get", name="cfwb-get-object", added=True)
def get_object(call: Call) -> Reply:
    """One object, by name or id: its name, alarm, and the tree of its facets."""
    return envelope(plain(call.run("do.objects.get", **_where(call))))


@routes.route("DELETE", OBJECT, "writes", "do.objects.delete", name="cfwb-delete-object", added=True)
def delete_object(call: Call) -> Reply:
    """Delete an object: its tables, entries, alarm and facets."""
    return envelope(plain(call.run("do.objects.delete", **_where(call))))


@routes.route("GET", f"{OBJECT}/facets", "reads", "do.facets.list", name="cfwb-list-facets", added=True)
def list_facets(call: Call) -> Reply:
    """The tree of an object's facets, to any depth."""
    found = plain(call.run("do.facets.list", **_where(call)))
    return envelope(found, {"count": len(found)})


@routes.route(
    "DELETE",
    f"{OBJECT}/facets",
    "writes",
    "do.facets.delete",
    query=_FACET,
    name="cfwb-delete-facet",
    added=True,
)
def delete_facet(call: Call) -> Reply:
    """Delete a facet with everything in it and inside it."""
    return envelope(plain(call.run("do.facets.delete", facet=call.query["facet"], **_where(call))))


@routes.route(
    "GET",
    f"{OBJECT}/storage",
    "reads",
    "do.storage.list",
    query=_FACET
    | {
        "prefix": Text(optional=True),
        "limit": Number(1, 1000, whole=True, default=1000),
        "cursor": Text(optional=True, help="result_info.cursor of the page before"),
    },
    name="cfwb-list-storage",
    added=True,
)
def list_entries(call: Call) -> Reply:
    """A page of the key-value entries of an object or a facet, decoded."""
    page: Page[Any] = call.run(
        "do.storage.list",
        facet=call.query["facet"],
        prefix=call.query.get("prefix", ""),
        limit=call.query["limit"],
        cursor=call.query.get("cursor") or None,
        **_where(call),
    )
    return envelope(to_json(page), {"count": len(page.items), "cursor": page.cursor or ""})


@routes.route(
    "GET", ENTRY, "reads", "do.storage.get", query=_FACET, name="cfwb-get-storage-entry", added=True
)
def get_entry(call: Call) -> Reply:
    """One entry, decoded; with the header `accept: application/octet-stream` the bytes as they are stored."""
    entry = call.run("do.storage.get", key=call.names["key"], facet=call.query["facet"], **_where(call))
    if call.headers.get("accept") == "application/octet-stream":
        return Reply(200, {"content-type": "application/octet-stream"}, entry.raw)
    return envelope(to_json(entry))


@routes.route(
    "PUT",
    ENTRY,
    "writes",
    "do.storage.put",
    query=_FACET
    | {"format": Choice("json", "v8", default="json", help="v8: the bytes to store as they are")},
    body="bytes",
    most=4 << 20,
    name="cfwb-put-storage-entry",
    added=True,
)
def put_entry(call: Call) -> Reply:
    """Write an entry, over what was there: the body is the value as (tagged) JSON, which the runtime reads back as it says."""
    if not call.body:
        raise UsageError("the body is the value, as JSON")
    source = "raw_file" if call.query["format"] == "v8" else "file"
    entry = call.run(
        "do.storage.put",
        key=call.names["key"],
        facet=call.query["facet"],
        **_where(call),
        **{source: [call.body]},
    )
    return envelope(to_json(entry))


@routes.route(
    "DELETE", ENTRY, "writes", "do.storage.delete", query=_FACET, name="cfwb-delete-storage-entry", added=True
)
def delete_entry(call: Call) -> Reply:
    """Delete an entry; one that is not there is no error."""
    gone = call.run("do.storage.delete", key=[call.names["key"]], facet=call.query["facet"], **_where(call))
    return envelope(plain(gone))
