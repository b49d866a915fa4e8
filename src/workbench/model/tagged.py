"""Tagged JSON: values JSON cannot say, said in JSON (the table is in docs/json.md).

`{"$bytes": base64}`, `{"$text": base64}`, `{"$number": "NaN"}`, `{"$bigint": "12"}`, `{"$date": ISO}`, `{"$map": [[k, v]]}`,
`{"$set": [...]}`, `{"$undefined": true}`, `{"$error": {...}}`, `{"$regexp": ...}`; a user's own key that begins with `$` gets a second one.

What only a stored JavaScript value needs (backends/local/v8):
- `{"$date": null}` an invalid date; `{"$bigint": "0x…"}` one of more than about 3,600 digits;
- `{"$hole": true}` a hole in an array; `{"$array": {"length": N, "items": {index or name: value}}}` an array with few of
  its items, or with properties;
- `{"$bytes": base64, "type": "ArrayBuffer" | "DataView" | "Int16Array" | ...}`, where the view is not all of its buffer or
  the buffer is somebody else's too also `"offset": bytes, "buffer": an ArrayBuffer`; `"max_length"` of a resizable buffer,
  `"tracking": true` of a view that grows with it;
- `{"$regexp": {"source": text, "flags": letters}}`;
- `{"$error": {"name", "message", "stack", "cause", "properties"}}`, as many of them as there are;
- `{"$boxed": value}` for `new Number(7)` and the like;
- `{"$ref": pointer}` an object met before: a JSON pointer into this tagged value ("" is all of it), so cycles can be said.
"""

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any

from .errors import WorkbenchError
from .sql_values import InvalidText, SqlValue

_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "-0": -0.0}


def bytes_tag(data: bytes, kind: str | None = None) -> dict[str, str]:
    """`{"$bytes": base64}`, with `type` for typed arrays other than Uint8Array."""
    tag = {"$bytes": b2a_base64(data, newline=False).decode("ascii")}
    if kind is not None:
        tag["type"] = kind
    return tag


def number(value: float) -> Any:
    """A float as JSON: itself, or `{"$number": ...}` for NaN, the infinities and -0."""
    if value != value:
        return {"$number": "NaN"}
    if value in (float("inf"), float("-inf")):
        return {"$number": "Infinity" if value > 0 else "-Infinity"}
    if value == 0 and str(value)[0] == "-":
        return {"$number": "-0"}
    return value


def special_number(node: dict[str, Any]) -> float:
    """The float of a `{"$number": ...}`."""
    name = node.get("$number")
    if not isinstance(name, str) or name not in _NUMBERS:
        raise WorkbenchError(
            "json.bad_tag",
            f"no number: {json.dumps(node)[:80]}",
            'one of "NaN", "Infinity", "-Infinity", "-0"',
        )
    return _NUMBERS[name]


def from_sql(value: SqlValue) -> Any:
    """A SQLite value as tagged JSON; integers stay exact."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, InvalidText):
        return {"$text": b2a_base64(value, newline=False).decode("ascii")}
    if isinstance(value, bytes):
        return bytes_tag(value)
    return value


def to_sql(value: Any) -> SqlValue:
    """Tagged JSON as a SQLite value (`--param-json`). Booleans become 1 and 0, other JSON its text, as D1 binds them."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        try:
            if "$bytes" in value:
                return a2b_base64(value["$bytes"])
            if "$text" in value:
                return InvalidText(a2b_base64(value["$text"]))
            if "$number" in value:
                return _NUMBERS[value["$number"]]
            if "$bigint" in value:
                return int(value["$bigint"])
        except (KeyError, ValueError, TypeError) as error:
            raise WorkbenchError("json.bad_tag", f"not a tagged value: {json.dumps(value)[:80]}") from error
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value  # type: ignore[no-any-return]


def text_or_bytes(data: bytes) -> Any:
    """Bytes as a string where they are UTF-8, else `{"$bytes": ...}`."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return bytes_tag(data)


def plain(value: Any) -> Any:
    """A model value (NamedTuple, bytes, nested) as JSON-ready data. Dicts are taken as tagged JSON already."""
    if value is None or isinstance(value, str | int | Mapping):
        return value
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes):
        return from_sql(value)
    fields = getattr(value, "_fields", None)
    if fields is not None:
        return {name: plain(item) for name, item in zip(fields, value, strict=True)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON text that any terminal and any parser takes: ASCII only, so lone surrogates and control codes are escapes."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False)
    except ValueError:  # JSON of somebody else's with a NaN in it: rare, so looked for only now
        return json.dumps(_sayable(value), indent=indent, ensure_ascii=True, allow_nan=False)
    except RecursionError:
        raise WorkbenchError(
            "json.too_deep", "a value is nested deeper than JSON can be written here", "--raw gives its bytes"
        ) from None


def _sayable(value: Any) -> Any:
    """The value with its numbers that JSON lacks tagged."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return {name: _sayable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    return value
