"""KV, many keys at once. (miniflare, local-explorer/resources/kv and kv-bulk)"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.model.tagged import dumps

from .call import Call
from .checks import Check, Choice, Fields, Flag, ListOf, Number, Text
from .errors import GENERAL, INVALID, ApiError, invalid
from .kv import NAMESPACE
from .kv_rules import LARGEST, LONGEST_KEY, SHORTEST_LIFE, check_metadata, checked_key, checked_life
from .replies import Reply, envelope
from .routes import Routes

routes = Routes()
_BULK_KEY = Text(most=LONGEST_KEY)


@routes.route(
    "POST",
    f"{NAMESPACE}/bulk/get",
    "reads",
    "kv.values.get",
    json=Fields(
        {
            "keys": ListOf(_BULK_KEY, most=100),
            "type": Choice("text", "json", optional=True, help="json: values parsed"),
            "withMetadata": Flag(optional=True),
        }
    ),
    name="workers-kv-namespace-get-multiple-key-value-pairs",
)
def get_values(call: Call) -> Reply:
    """Values of up to 100 keys as text, or parsed as JSON; null for a key that is not there."""
    keys = call.json["keys"]
    if not keys:
        raise ApiError(400, GENERAL, "You must request a minimum of 1 key")
    found: dict[str, Any] = {}
    size = 0
    for key in keys:
        found[key], length = _one_of_many(call, checked_key(key))
        size += length
    if size > LARGEST:
        raise ApiError(413, GENERAL, f"Total size of request exceeds the limit of {LARGEST >> 20}MB")
    return envelope({"values": found})


def _one_of_many(call: Call, key: str) -> tuple[Any, int]:
    """A value as bulk reads give it, and its length."""
    try:
        row: KvValue = call.run("kv.values.get", key=key, binding=call.names["namespace_id"])
    except WorkbenchError as error:
        if error.code in ("kv.key_not_found", "kv.value_missing"):
            return None, 0
        raise
    text = row.value.decode("utf-8-sig" if row.value[:3] == b"\xef\xbb\xbf" else "utf-8", "replace")
    value: Any = text
    if call.json.get("type") == "json":
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ApiError(
                400, GENERAL, "At least one of the requested keys corresponds to a non-json value"
            ) from None
    if call.json.get("withMetadata"):
        value = {"value": value, "metadata": row.metadata}
        if row.expiration is not None:
            value["expiration"] = row.expiration
    return value, len(text)


@routes.route(
    "PUT",
    f"{NAMESPACE}/bulk",
    "writes",
    "kv.values.import",
    json=ListOf(
        Fields(
            {
                "base64": Flag(default=False),
                "expiration": Number(optional=True),
                "expiration_ttl": Number(SHORTEST_LIFE, optional=True),
                "key": _BULK_KEY,
                "metadata": Check(optional=True),
                "value": Text(most=LARGEST),
            }
        ),
        most=10_000,
    ),
    name="workers-kv-namespace-write-multiple-key-value-pairs",
)
def put_values(call: Call) -> Reply:
    """Write many values, over what was there."""
    entries = _unique([_entry(row) for row in call.json])
    if entries:
        call.run(
            "kv.values.import",
            file=[dumps(list(entries.values())).encode()],
            binding=call.names["namespace_id"],
        )
    return envelope({"successful_key_count": len(entries), "unsuccessful_keys": []})


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    """An entry of a bulk write as the operation takes it, its parts checked in the emulator's order."""
    checked_key(row["key"], INVALID)
    expiration = checked_life(row.get("expiration"), row.get("expiration_ttl"), INVALID)
    if "metadata" in row:
        check_metadata(row["metadata"], INVALID)
    entry: dict[str, Any] = {"key": row["key"], "value": row["value"]}
    if row["base64"]:
        plain = re.sub(r"[\t\n\f\r ]", "", row["value"])
        if not _BASE64.fullmatch(plain):
            raise invalid("Invalid base64 value")
        padded = plain.rstrip("=")
        entry |= {"value": padded + "=" * (-len(padded) % 4), "base64": True}
    return entry | {"expiration": expiration, "metadata": row.get("metadata")}


_BASE64 = re.compile(r"(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}(?:==)?|[A-Za-z\d+/]{3}=?)?")


def _unique(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The entries by key; the same one twice counts once. Raises ApiError for two that differ."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        before = found.setdefault(entry["key"], entry)
        if before is not entry and (_bytes(before), before["expiration"], before["metadata"]) != (
            _bytes(entry),
            entry["expiration"],
            entry["metadata"],
        ):
            raise invalid(
                f'received duplicate key with different values or expiration parameters: "{entry["key"]}"'
            )
    return found


def _bytes(entry: dict[str, Any]) -> bytes:
    value: str = entry["value"]
    return a2b_base64(value) if entry.get("base64") else value.encode("utf-8", "surrogatepass")


def _delete_many(call: Call) -> Reply:
    """Delete many keys with their values; those that are not there count too."""
    keys = list(dict.fromkeys(checked_key(key, INVALID) for key in call.json))
    if keys:
        call.run("kv.values.delete", key=keys, binding=call.names["namespace_id"])
    return envelope({"successful_key_count": len(keys), "unsuccessful_keys": []})


_KEYS = ListOf(_BULK_KEY, most=10_000)
routes.route(
    "POST",
    f"{NAMESPACE}/bulk/delete",
    "writes",
    "kv.values.delete",
    json=_KEYS,
    name="workers-kv-namespace-delete-multiple-key-value-pairs",
)(_delete_many)
routes.route(
    "DELETE",
    f"{NAMESPACE}/bulk",
    "writes",
    "kv.values.delete",
    json=_KEYS,
    name="workers-kv-namespace-delete-multiple-key-value-pairs-deprecated",
    added=True,
)(_delete_many)
