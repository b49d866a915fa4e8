"""What operations give back beside model values, and every result as JSON.

The shapes are contracts (docs/json.md): a field of a model value that is not in them is left out here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.tagged import bytes_tag, plain, text_or_bytes

if TYPE_CHECKING:
    from workbench.model.bindings import Binding
    from workbench.model.durable_objects import StorageEntry
    from workbench.model.kv import KvKey, KvValue
    from workbench.model.r2 import R2Object
    from workbench.model.sql import Row, SqlResult

T = TypeVar("T")
Iterate = Callable[[Any], Iterator[Any]]
"""Makes an ordinary iterator of an asynchronous one, as `driving.Driver.iterate` does."""
LARGEST_BODY = 25 << 20


class Document:
    """A text in pieces (a dump, a script), given as it is unless JSON is asked for. media: its type, `application/sql`.

    Pieces of `application/json` become part of the envelope, others one string.
    """

    def __init__(self, chunks: Iterator[str], media: str = "text/plain") -> None:
        self.chunks = chunks
        self.media = media


class Stream(Generic[T]):
    """Items as they come, which may be for ever. count: end after so many, or None. Closing it ends what gives them.

    items may be asynchronous: who has an event loop iterates `items` itself, any other face says how by `drive_by`.
    """

    def __init__(self, items: Iterator[T] | AsyncIterator[T], count: int | None = None) -> None:
        self.items = items
        self._left = count

    def drive_by(self, iterate: Iterate) -> None:
        """Take asynchronous items through this, which makes an ordinary iterator of them."""
        if not hasattr(self.items, "__next__"):
            self.items = iterate(self.items)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._left == 0:
            self.close()
            raise StopIteration
        item: T = next(self.items)  # type: ignore[arg-type]
        if self._left is not None:
            self._left -= 1
        return item

    def close(self) -> None:
        """End it."""
        close = getattr(self.items, "close", None)
        if close is not None:
            close()


class Rows:
    """One statement's result, its rows in batches as they are read: any number of them fits into memory. figures: what is
    known at the end, None until then."""

    def __init__(self, columns: list[str], batches: Iterator[list[Row]], ended: Callable[[], Any]) -> None:
        self.columns = columns
        self.figures: SqlResult | None = None
        self._batches = batches
        self._ended = ended

    def __iter__(self) -> Iterator[list[Row]]:
        yield from self._batches
        self.figures = self._ended()


class Body:
    """An object's bytes in pieces, with its head; offset and length say which of them. JSON holds them as `value`."""

    def __init__(self, chunks: Iterator[bytes], object: R2Object, offset: int, length: int) -> None:
        self.chunks = chunks
        self.object = object
        self.offset = offset
        self.length = length


def _binding(value: Binding) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": value.name,
        "kind": value.kind,
        "resource_id": value.resource_id,
        "resource_name": value.resource_name,
        "worker": value.worker,
        "mode": value.mode,
    }
    if not value.bound:
        row["bound"] = False
    if "value" in value.detail:
        row["value"] = value.detail["value"]
    return row


def _storage_entry(value: StorageEntry) -> dict[str, Any]:
    row = {"key": value.key, "value": value.value, "size_bytes": value.size_bytes}
    if value.undecoded:
        row["value"] = bytes_tag(value.raw)
        row["undecoded"] = value.undecoded
    return row


def _kv_key(value: KvKey) -> dict[str, Any]:
    return value._asdict()  # text, a number and JSON: nothing to look into, and lists of them are long


def _kv_value(value: KvValue) -> dict[str, Any]:
    return value._asdict() | {"value": text_or_bytes(value.value)}


def _body(value: Body) -> dict[str, Any]:
    if value.length > LARGEST_BODY:
        raise WorkbenchError(
            "r2.too_large_for_json",
            f"{value.length:,} bytes are too many for a JSON value",
            "--output FILE or --raw, or a part by --range",
        )
    row = value.object._asdict()
    if value.length != value.object.size:
        row["range"] = {"offset": value.offset, "length": value.length}
    return row | {"value": text_or_bytes(b"".join(value.chunks))}


def _bytes_as_text(name: str) -> Any:
    """A shape: all fields as they are, the bytes of one as text where they are that."""
    return lambda value: plain(value) | {name: text_or_bytes(getattr(value, name))}


def _of_a_program(value: Any) -> dict[str, Any]:
    from .outputs import whole

    return whole(value)


# By the name of the type, so that a command imports only the model values it handles.
_SHAPES: dict[str, Any] = {
    "Answered": _bytes_as_text("body"),
    "Binding": _binding,
    "Body": _body,
    "FileContent": _bytes_as_text("value"),
    "LogPiece": _bytes_as_text("data"),
    "Output": _of_a_program,
    "CodeOutput": _of_a_program,
    "KvKey": _kv_key,
    "KvValue": _kv_value,
    "StorageEntry": _storage_entry,
}


def to_json(value: Any, fields: tuple[str, ...] = ()) -> Any:
    """A result as JSON-ready data. fields: the only ones to keep of each item. A page gives its items."""
    if isinstance(value, Page):
        value = value.items
    if isinstance(value, list):
        shape = _SHAPES.get(type(value[0]).__name__) if value else None
        return [shape(item) for item in value] if shape else [to_json(item, fields) for item in value]
    shape = _SHAPES.get(type(value).__name__)
    if shape is not None:
        return shape(value)
    if fields:
        return {name: plain(getattr(value, name)) for name in fields}
    return plain(value)


def describe(annotation: Any, fields: tuple[str, ...] = ()) -> str:
    """A return annotation in words."""
    from types import UnionType

    arguments = getattr(annotation, "__args__", ())
    if arguments and getattr(annotation, "__origin__", None) in (list, tuple, Page, Stream):
        return f"a list of {describe(arguments[0], fields)}"
    if isinstance(annotation, UnionType):
        return ", or ".join(describe(part, fields) for part in arguments if part is not Rows)
    if annotation is object:
        return "any JSON"
    names = fields or _fields_shown(annotation)
    if names:
        return "{" + ", ".join(names) + "}"
    return "a text" if annotation is Document else "an object"


def _fields_shown(annotation: Any) -> tuple[str, ...]:
    name = getattr(annotation, "__name__", "")
    fields: tuple[str, ...] = getattr(annotation, "_fields", ())
    if name == "Document":
        return ()
    if name == "Output":
        return ("exit_code", "stdout", "stderr", "timed_out")
    if name == "CodeOutput":
        return ("exit_code", "stdout", "stderr", "results", "exception", "restarted")
    if name == "Body":
        from workbench.model.r2 import R2Object

        return (*R2Object._fields, "value")
    return fields[: {"Binding": 6, "StorageEntry": 3}.get(name, len(fields))]
