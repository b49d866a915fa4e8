"""KV: the Explorer's routes, and the account API's that it lacks.

Many keys at once are in `kv_bulk`. (miniflare, local-explorer/resources/kv)
"""

from __future__ import annotations

import json
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvKey, KvNamespace, KvValue
from workbench.model.page import Page

from .call import Call
from .checks import Choice, Number, Text
from .errors import GENERAL, ApiError, invalid
from .forms import read_form
from .kv_rules import check_metadata, check_size, checked_key, checked_length, checked_life
from .replies import Reply, envelope, listed
from .routes import LARGEST_VALUE, Routes

NAMESPACE = "/storage/kv/namespaces/{namespace_id}"
VALUE = f"{NAMESPACE}/values/{{key_name*}}"

routes = Routes()
_PAGE = Number(1, optional=True)


# -- namespaces


def _namespace(row: KvNamespace) -> dict[str, Any]:
    return {"id": row.id, "title": row.binding or row.name}


def _collated(text: str) -> tuple[str, str]:
    """As localeCompare orders plain names: without case first, small letters before capitals."""
    return text.casefold(), text.swapcase()


@routes.route(
    "GET",
    "/storage/kv/namespaces",
    "reads",
    "kv.namespaces.list",
    query={
        "order": Choice("id", "title", optional=True, help="what to sort by"),
        "direction": Choice("asc", "desc", optional=True),
        "page": _PAGE,
        "per_page": _PAGE,
    },
    name="workers-kv-namespace-list-namespaces",
)
def list_namespaces(call: Call) -> Reply:
    """KV namespaces: those of the config, and those that only the state holds."""
    rows = [_namespace(row) for row in call.run("kv.namespaces.list")]
    field = call.query.get("order", "id")
    rows.sort(key=lambda row: _collated(row[field]), reverse=call.query.get("direction") == "desc")
    return listed(rows, {}, call.query.get("page"), call.query.get("per_page"))


@routes.route(
    "GET", NAMESPACE, "reads", "kv.namespaces.list", name="workers-kv-namespace-get-a-namespace", added=True
)
def get_namespace(call: Call) -> Reply:
    """One KV namespace."""
    wanted = call.names["namespace_id"]
    for row in call.run("kv.namespaces.list"):
        if row.id == wanted:
            return envelope(_namespace(row))
    raise WorkbenchError("kv.namespace_not_found", f"no KV namespace has the id {wanted!r}")


@routes.route(
    "DELETE",
    NAMESPACE,
    "writes",
    "kv.namespaces.delete",
    name="workers-kv-namespace-remove-a-namespace",
    added=True,
)
def delete_namespace(call: Call) -> Reply:
    """Start a namespace over: every key and value goes. One that a config binds stays listed, empty."""
    call.run("kv.namespaces.delete", binding=call.names["namespace_id"])
    return envelope({})


# -- keys and values


@routes.route(
    "GET",
    f"{NAMESPACE}/keys",
    "reads",
    "kv.keys.list",
    query={
        "limit": Number(10, 1000, default=1000),
        "prefix": Text(optional=True),
        "cursor": Text(optional=True, help="result_info.cursor of the page before"),
    },
    name="workers-kv-namespace-list-a-namespace'-s-keys",
)
def list_keys(call: Call) -> Reply:
    """A page of a namespace's keys, with expiration and metadata, in the order of their UTF-8 bytes."""
    page: Page[KvKey] = call.run(
        "kv.keys.list",
        binding=call.names["namespace_id"],
        prefix=checked_length(call.query.get("prefix", "")),
        limit=int(call.query["limit"]),
        cursor=call.query.get("cursor") or None,
    )
    rows = [_key(key) for key in page.items]
    return envelope(rows, {"count": len(rows), "cursor": page.cursor or ""})


def _key(key: KvKey) -> dict[str, Any]:
    row: dict[str, Any] = {"name": key.name}
    if key.expiration is not None:
        row["expiration"] = key.expiration
    if key.metadata is not None:
        row["metadata"] = key.metadata
    return row


def _value(call: Call) -> KvValue:
    value: KvValue = call.run(
        "kv.values.get", key=checked_key(call.names["key_name"]), binding=call.names["namespace_id"]
    )
    return value


@routes.route("GET", VALUE, "reads", "kv.values.get", name="workers-kv-namespace-read-key-value-pair")
def get_value(call: Call) -> Reply:
    """A value, its own bytes. Its expiration, where it has one, is in the header `expiration`."""
    value = _value(call)
    headers = {} if value.expiration is None else {"expiration": str(value.expiration)}
    return Reply(200, headers, value.value)


@routes.route(
    "GET",
    f"{NAMESPACE}/metadata/{{key_name*}}",
    "reads",
    "kv.values.get",
    name="workers-kv-namespace-read-the-metadata-for-a-key",
    added=True,
)
def get_metadata(call: Call) -> Reply:
    """The metadata of a key."""
    return envelope(_value(call).metadata)


@routes.route(
    "PUT",
    VALUE,
    "writes",
    "kv.values.put",
    query={
        "expiration": Number(optional=True, help="when it expires, in Unix seconds"),
        "expiration_ttl": Number(optional=True, help="expire so many seconds from now"),
    },
    body="bytes",
    most=LARGEST_VALUE,
    name="workers-kv-namespace-write-key-value-pair-with-metadata",
)
def put_value(call: Call) -> Reply:
    """Write a value over what was there: the body itself, or a form with `value` and (JSON) `metadata`."""
    value, metadata = _given(call)
    expiration = checked_life(call.query.get("expiration"), call.query.get("expiration_ttl"))
    key = checked_key(call.names["key_name"])
    check_metadata(metadata)
    check_size(len(value))
    call.run(
        "kv.values.put",
        key=key,
        binding=call.names["namespace_id"],
        value=value,
        metadata=metadata,
        expiration=expiration,
    )
    return envelope({})


def _given(call: Call) -> tuple[bytes, Any]:
    """The value and its metadata."""
    if "multipart/form-data" not in call.content_type:
        return call.body, None
    try:
        form = read_form(call.content_type, call.body)
    except ValueError as error:
        raise ApiError(500, GENERAL, f"The form can't be read: {error}.") from None
    if "value" not in form:
        raise invalid("Missing value field")
    if "metadata" not in form:
        return form["value"].data, None
    try:
        return form["value"].data, json.loads(form["metadata"].text)
    except (ValueError, RecursionError):
        raise invalid("Invalid metadata JSON") from None


@routes.route(
    "DELETE", VALUE, "writes", "kv.values.delete", name="workers-kv-namespace-delete-key-value-pair"
)
def delete_value(call: Call) -> Reply:
    """Delete a key with its value; one that is not there is no error."""
    key = checked_key(call.names["key_name"])
    call.run("kv.values.delete", key=[key], binding=call.names["namespace_id"])
    return envelope({})
