"""Tagged JSON of every kind for property tests, and what the runtime must say of such a value."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from tests.support.values import Node
from workbench.backends.local.v8.dates import FURTHEST, from_iso, to_iso
from workbench.model.tagged import bytes_tag, number


def as_javascript_holds_it(text: str) -> str:
    """Two surrogates side by side are one character to JavaScript."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def user_key(name: str) -> str:
    """A property's name in tagged JSON."""
    return "$" + name if name.startswith("$") else name


def _number(value: float) -> Any:
    exact = abs(value) <= 2**53 and value == int(value) and str(value) != "-0.0"
    return int(value) if exact else number(value)


texts = st.text(st.characters(codec=None, exclude_categories=[]), max_size=20).map(as_javascript_holds_it)
whole = st.integers(-(2**53), 2**53)
bigints = st.integers(-(2**200), 2**200).map(lambda n: {"$bigint": str(n)})
_dates = st.integers(-FURTHEST, FURTHEST).map(lambda at: {"$date": to_iso(at)})
_VIEWS = [
    "Int8Array",
    "Uint8ClampedArray",
    "Uint16Array",
    "Float16Array",
    "Int32Array",
    "BigInt64Array",
    "DataView",
]
_typed = st.builds(
    lambda data, kind: bytes_tag(data * 8, kind),
    st.binary(max_size=6),
    st.sampled_from([None, "ArrayBuffer", *_VIEWS]),
)
_regexps = st.builds(
    lambda source, flags: {"$regexp": {"source": source, "flags": "".join(sorted(flags))}},
    st.text("abc[]日", min_size=1, max_size=6).filter(lambda text: text.count("[") == text.count("]") == 0),
    st.sets(st.sampled_from("dgimsuy")),
)
leaves = (
    st.none()
    | st.booleans()
    | whole
    | st.floats().map(_number)
    | texts
    | bigints
    | _dates
    | _typed
    | _regexps
    | (texts | st.booleans() | whole | bigints).map(lambda value: {"$boxed": value})
    | st.sampled_from([{"$undefined": True}, {"$date": None}])
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts.map(user_key), inner, max_size=4)
        | st.lists(st.tuples(inner, inner).map(list), max_size=3).map(lambda pairs: {"$map": pairs})
        | st.lists(inner, max_size=3).map(lambda values: {"$set": values})
        | st.lists(inner | st.just({"$hole": True}), max_size=4)
        | st.dictionaries(st.integers(0, 99_999).map(str), inner, min_size=1, max_size=3).map(
            lambda items: {"$array": {"length": 100_000, "items": items}}
        )
        | st.builds(
            lambda name, message, cause, own: {
                "$error": {"name": name, "message": message, "stack": "at", "cause": cause, "properties": own}
            },
            st.sampled_from(["Error", "TypeError", "MyError"]),
            texts,
            inner,
            st.dictionaries(st.sampled_from(["code", "$$why"]), inner, min_size=1),
        )
    )


values = st.recursive(leaves, _containers, max_leaves=20)


def described(value: Any) -> Node:
    """What the oracle's `describe` must say of a tagged value (without references)."""
    match value:
        case None:
            return {"type": "null"}
        case bool():
            return {"type": "boolean", "value": value}
        case int() | float():
            return {"type": "number", "value": value}
        case str():
            return {"type": "string", "value": value}
        case list():
            items = [[str(at), described(item)] for at, item in enumerate(value) if item != {"$hole": True}]
            return {"type": "Array", "length": len(value), "entries": items}
        case {"$undefined": True}:
            return {"type": "undefined"}
        case {"$number": name}:
            return {"type": "number", "value": name}
        case {"$bigint": digits}:
            return {"type": "bigint", "value": digits}
        case {"$date": said}:
            return {"type": "Date", "value": None if said is None else from_iso(said)}
        case {"$regexp": said}:
            return {"type": "RegExp", **said}
        case {"$map": pairs}:
            return {"type": "Map", "entries": [[described(key), described(item)] for key, item in pairs]}
        case {"$set": items}:
            return {"type": "Set", "values": [described(item) for item in items]}
        case {"$array": {"length": length, "items": items}}:
            return {"type": "Array", "length": length, "entries": _entries(items)}
        case {"$bytes": text, **rest}:
            return _bytes(text, rest.get("type", "Uint8Array"))
        case {"$boxed": inner}:
            kind = {str: "String", bool: "Boolean", dict: "BigInt"}.get(type(inner), "Number")
            return {"type": f"{kind} object", "value": described(inner)}
        case {"$error": said}:
            node = {"type": "Error", "name": said["name"], "message": said["message"], "stack": said["stack"]}
            return node | {"cause": described(said["cause"])}
    return {"type": "Object", "entries": _entries(value)}


def _bytes(text: str, kind: str) -> Node:
    buffer = {"type": "ArrayBuffer", "base64": text}
    assert base64.b64encode(base64.b64decode(text)).decode() == text
    return buffer if kind == "ArrayBuffer" else {"type": kind, "base64": text, "buffer": buffer, "offset": 0}


def _entries(items: dict[str, Any]) -> list[list[Any]]:
    """Array indexes come first, in order; names as they were made."""
    names = {key[1:] if key.startswith("$$") else key: item for key, item in items.items()}
    indexes = sorted((key for key in names if _is_index(key)), key=int)
    ordered = [*indexes, *(key for key in names if not _is_index(key))]
    return [[key, described(names[key])] for key in ordered]


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and str(int(key)) == key and int(key) < 2**32 - 1
