"""JavaScript values as nodes, `{"type": "Date", "value": 0}`: what the oracle is told and what it says it read."""

from __future__ import annotations

import base64
from typing import Any

Node = dict[str, Any]


def js(value: object) -> Node:
    """The node of a plain Python value: None is null, bytes a Uint8Array, int and float a number."""
    match value:
        case None:
            return {"type": "null"}
        case bool():
            return {"type": "boolean", "value": value}
        case int() | float():
            return {"type": "number", "value": value}
        case str():
            return {"type": "string", "value": value}
        case bytes():
            return {"type": "Uint8Array", "base64": encoded(value)}
        case dict() if isinstance(value.get("type"), str):
            return value
        case dict():
            return {"type": "Object", "entries": [[str(key), js(inner)] for key, inner in value.items()]}
        case list() | tuple():
            entries = [[str(index), js(inner)] for index, inner in enumerate(value)]
            return {"type": "Array", "length": len(value), "entries": entries}
    raise TypeError(f"no JavaScript value for {type(value).__name__}")


def bigint(value: int) -> Node:
    return {"type": "bigint", "value": str(value)}


def catalogue(name: str) -> Node:
    """A value of the Worker's catalogue (`Oracle.catalogue_names`)."""
    return {"type": "catalogue", "name": name}


def plain(node: Node) -> Any:
    """The Python value of a node of the plain kinds; other nodes stay nodes."""
    match node:
        case {"type": "null"}:
            return None
        case {"type": "boolean" | "string", "value": value}:
            return value
        case {"type": "number", "value": value}:
            return float(value) if isinstance(value, str) else value
        case {"type": "ArrayBuffer" | "Uint8Array", "base64": text}:
            return base64.b64decode(text)
        case {"type": "Object", "entries": entries}:
            return {key: plain(inner) for key, inner in entries}
        case {"type": "Array", "entries": entries, "length": length} if len(entries) == length:
            return [plain(inner) for _, inner in entries]
    return node


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
