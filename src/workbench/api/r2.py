"""R2: the Explorer's routes, and the account API's that it lacks. Bodies stream both ways, whatever their size.

Limits and messages: miniflare, workers/r2 and local-explorer/resources/r2.
"""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.r2 import R2Bucket, R2Object

from .call import Call
from .checks import ListOf, Number, Text
from .errors import GENERAL, ApiError, invalid
from .replies import Reply, envelope
from .routes import Routes

LONGEST_KEY = 1024
BUCKET = "/r2/buckets/{bucket_name}"
OBJECT = f"{BUCKET}/objects/{{object_key*}}"
# Headers of an upload that are kept with the object -> what the operation calls them.
KEPT = {
    "content-type": "content_type",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
    "content-language": "content_language",
    "cache-control": "cache_control",
}

routes = Routes()


def checked_key(key: str) -> str:
    """A key that R2 takes. Raises ApiError."""
    if len(key.encode("utf-8", "surrogatepass")) > LONGEST_KEY:
        raise ApiError(400, 10020, "The specified object name is not valid.")
    return key


@routes.route("GET", "/r2/buckets", "reads", "r2.buckets.list", name="r2-list-buckets")
def list_buckets(call: Call) -> Reply:
    """R2 buckets: those of the config, and those that only the state holds."""
    names = sorted(
        {row.name for row in call.run("r2.buckets.list")}, key=lambda name: (name.casefold(), name)
    )
    info = {"count": len(names), "total_count": len(names)}
    return envelope({"buckets": [{"name": name} for name in names]}, info)


@routes.route("GET", BUCKET, "reads", "r2.buckets.list", name="r2-get-bucket", added=True)
def get_bucket(call: Call) -> Reply:
    """One bucket."""
    rows: list[R2Bucket] = call.run("r2.buckets.list")
    if call.names["bucket_name"] not in {row.name for row in rows}:
        raise WorkbenchError("r2.bucket_not_found", "")
    return envelope({"name": call.names["bucket_name"]})


@routes.route(
    "DELETE", BUCKET, "writes", "r2.objects.list", "r2.buckets.delete", name="r2-delete-bucket", added=True
)
def delete_bucket(call: Call) -> Reply:
    """Delete an empty bucket; one that a config binds stays listed."""
    bucket = call.names["bucket_name"]
    if call.run("r2.objects.list", bucket=bucket, limit=1).items:
        raise ApiError(409, 10008, "The bucket you tried to delete is not empty.")
    call.run("r2.buckets.delete", bucket=bucket)
    return envelope({})


@routes.route(
    "GET",
    f"{BUCKET}/objects",
    "reads",
    "r2.objects.list",
    query={
        "prefix": Text(optional=True),
        "delimiter": Text(optional=True, help="fold keys at this into result_info.delimited"),
        "cursor": Text(optional=True, help="result_info.cursor of the page before"),
        "per_page": Number(whole=True, default=1000),
        "start_after": Text(optional=True, help="begin after this key"),
    },
    name="r2-bucket-list-objects",
)
def list_objects(call: Call) -> Reply:
    """A page of a bucket's objects with their metadata, in the order of their keys."""
    limit = call.query["per_page"]
    if not 1 <= limit <= 1000:
        raise ApiError(400, 10022, "MaxKeys params must be positive integer <= 1000.")
    page: Page[R2Object] = call.run(
        "r2.objects.list",
        bucket=call.names["bucket_name"],
        prefix=call.query.get("prefix", ""),
        delimiter=call.query.get("delimiter", ""),
        limit=limit,
        cursor=call.query.get("cursor") or _after(call.query.get("start_after")),
    )
    info: dict[str, Any] = {
        "delimited": list(page.prefixes),
        "is_truncated": "true" if page.cursor else "false",
    }
    if page.cursor:
        info["cursor"] = page.cursor
    return envelope([_object(row) for row in page.items], info)


def _after(key: str | None) -> str | None:
    """The cursor that goes on after a key: the emulator's is the key in base64."""
    from binascii import b2a_base64

    return b2a_base64(key.encode("utf-8", "surrogatepass"), newline=False).decode("ascii") if key else None


def _object(row: R2Object) -> dict[str, Any]:
    return {
        "key": row.key,
        "etag": row.etag,
        "size": row.size,
        "last_modified": row.uploaded,
        "http_metadata": row.http_metadata,
        "custom_metadata": row.custom_metadata,
    }


@routes.route("GET", OBJECT, "reads", "r2.objects.get", "r2.objects.list", name="r2-bucket-get-object")
def get_object(call: Call) -> Reply:
    """An object's bytes, or with the header `cf-metadata-only: true` what is known of it."""
    key, bucket = checked_key(call.names["object_key"]), call.names["bucket_name"]
    if call.headers.get("cf-metadata-only") == "true":
        return envelope(_object(_head(call, key, bucket)))
    body = call.run("r2.objects.get", key=key, bucket=bucket)
    found: R2Object = body.object
    headers = {
        f"x-r2-custom-metadata-{name}": text for name, text in found.custom_metadata.items() if _token(name)
    }
    if found.http_metadata.get("contentType") is not None:
        headers["content-type"] = str(found.http_metadata["contentType"])
    headers |= {
        "content-length": str(found.size),
        "etag": found.etag,
        "last-modified": _http_date(found.uploaded),
    }
    return Reply(200, headers, body.chunks)


def _head(call: Call, key: str, bucket: str) -> R2Object:
    page: Page[R2Object] = call.run("r2.objects.list", bucket=bucket, prefix=key, limit=1)
    if not page.items or page.items[0].key != key:
        raise WorkbenchError("r2.object_not_found", "")
    return page.items[0]


def _token(name: str) -> bool:
    """Whether a text can be part of a header's name (RFC 9110)."""
    return name.isascii() and all(letter.isalnum() or letter in "!#$%&'*+-.^_`|~" for letter in name)


def _http_date(iso: str) -> str:
    from datetime import datetime

    return formatdate(datetime.fromisoformat(iso).timestamp(), usegmt=True)


@routes.route("PUT", OBJECT, "writes", "r2.objects.put", body="pieces", name="r2-bucket-put-object")
def put_object(call: Call) -> Reply:
    """Write an object from the body, of any size; it is stored while it arrives.

    Content-Type, -Disposition, -Encoding, -Language and Cache-Control are kept with it, and `cf-r2-custom-metadata`, a JSON object.
    """
    custom = _custom_metadata(call.headers.get("cf-r2-custom-metadata"))  # the original looks at it first
    written: R2Object = call.run(
        "r2.objects.put",
        key=checked_key(call.names["object_key"]),
        bucket=call.names["bucket_name"],
        file=call.pieces(),
        custom_metadata=custom,
        **{name: call.headers.get(header) for header, name in KEPT.items()},
    )
    return envelope(
        {"key": written.key, "etag": written.etag, "size": written.size, "version": written.version}
    )


def _custom_metadata(header: str | None) -> dict[str, str]:
    if header is None:
        return {}
    try:
        found = json.loads(header)
    except (ValueError, RecursionError):
        raise invalid("Invalid custom metadata JSON") from None
    if isinstance(found, list):
        found = {str(place): value for place, value in enumerate(found)}
    if not isinstance(found, dict):
        raise invalid("Invalid custom metadata JSON")
    if not all(isinstance(value, str) for value in found.values()):
        raise ApiError(400, GENERAL, "Custom metadata is an object whose values are strings.")
    return found


@routes.route("DELETE", OBJECT, "writes", "r2.objects.delete", name="r2-bucket-delete-object")
def delete_object(call: Call) -> Reply:
    """Delete an object; one that is not there is no error."""
    key = checked_key(call.names["object_key"])
    call.run("r2.objects.delete", key=[key], bucket=call.names["bucket_name"])
    return envelope({"key": key})


@routes.route(
    "DELETE",
    f"{BUCKET}/objects",
    "writes",
    "r2.objects.delete",
    json=ListOf(Text()),
    name="r2-bucket-delete-objects",
)
def delete_objects(call: Call) -> Reply:
    """Delete many objects; those that are not there are no error."""
    if not call.json:
        raise invalid("Request body must be a non-empty array of keys")
    keys = [checked_key(key) for key in call.json]
    call.run("r2.objects.delete", key=keys, bucket=call.names["bucket_name"])
    return envelope([{"key": key} for key in keys])
