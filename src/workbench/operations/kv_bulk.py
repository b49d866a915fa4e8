"""Many KV entries at once, in the JSON file format of wrangler's bulk commands and of our own export."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from workbench.model.errors import Cancelled, WorkbenchError, left_out
from workbench.model.kv import KvValue
from workbench.model.tagged import dumps, text_or_bytes
from workbench.model.text import visible

from . import READS, WRITES, operation
from .files import read_text, write_pieces
from .outcomes import Done, Written
from .parameters import Namespace, Output, Param, Prefix
from .resolve import State
from .results import Document

_WITHOUT_VALUE = ("kv.key_not_found", "kv.value_missing")  # expired meanwhile; its file is gone
BulkFile = Annotated[Any, Param("the JSON file (- for standard input)", "file", metavar="FILE")]


@operation(
    "kv.values.import",
    effect=WRITES,
    examples=[
        "cfwb kv values import --file seed.json --binding CACHE",
        "cfwb kv values export --binding A | cfwb kv values import --binding B -",
    ],
    capability="kv",
)
async def import_values(state: State, file: BulkFile, binding: Namespace = None) -> Done:
    """Write many values from a JSON file, over what was there.

    A list of `{name or key, value, expiration, expiration_ttl, metadata, base64}`, as wrangler's bulk put and as our export
    have it. A value is text, `$bytes`, or base64 where it says so.
    """
    try:
        data = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise WorkbenchError("import.bad_json", f"not JSON: {error}") from None
    if not isinstance(data, list):
        raise WorkbenchError("import.bad_json", "the file is not a list of entries")
    entries = [_entry(row, number) for number, row in enumerate(data, 1)]
    return Done(
        await state.backend.kv.put_many(await state.kv(binding), entries, state.progress, state.cancel)
    )


def _entry(row: Any, number: int) -> KvValue:
    name = row.get("name", row.get("key")) if isinstance(row, dict) else None
    if not isinstance(name, str) or "value" not in row:
        raise WorkbenchError(
            "import.bad_entry", f"entry {number} is not an object with a name (or key) and a value"
        )
    expiration = row.get("expiration")
    if expiration is None and row.get("expiration_ttl") is not None:
        from workbench.model.times import now_ms

        ttl = row["expiration_ttl"]
        if not isinstance(ttl, int) or isinstance(ttl, bool):
            raise WorkbenchError(
                "import.bad_entry", f"entry {number}: expiration_ttl is not a whole number of seconds"
            )
        expiration = now_ms() // 1000 + ttl
    if expiration is not None and (not isinstance(expiration, int) or isinstance(expiration, bool)):
        raise WorkbenchError(
            "import.bad_entry", f"entry {number}: expiration is not a whole number of seconds"
        )
    return KvValue(name, _value(row, number), expiration, row.get("metadata"))


def _value(row: dict[str, Any], number: int) -> bytes:
    from binascii import Error, a2b_base64

    value = row["value"]
    try:
        if isinstance(value, dict) and "$bytes" in value:
            return a2b_base64(value["$bytes"])
        if isinstance(value, str):
            return a2b_base64(value) if row.get("base64") else value.encode("utf-8")
    except (Error, TypeError, UnicodeEncodeError) as error:
        raise WorkbenchError("import.bad_entry", f"entry {number}: {error}") from None
    raise WorkbenchError("import.bad_entry", f"entry {number}: the value is neither text nor $bytes")


@operation(
    "kv.values.export",
    effect=READS,
    examples=[
        "cfwb kv values export --binding CACHE --output cache.json",
        "cfwb kv values export --prefix user/ > users.json",
    ],
    capability="kv",
)
async def export_values(
    state: State, binding: Namespace = None, prefix: Prefix = "", output: Output = None
) -> Document | Written:
    """Every value with its metadata and expiration, as a JSON list.

    An entry a line; `cfwb kv values import` takes it. A key whose value's file is gone, which reads as null, is left out;
    one that can't be read is left out and named when all others are written, and the exit status is 1.
    """
    namespace = await state.kv(binding)
    unread: list[str] = []
    chunks = _lines(state, namespace, prefix, unread)
    if output is None:
        return Document(_then_told(chunks, namespace, unread), "application/json")
    written = write_pieces(output, chunks)
    if unread:
        raise _left_out(namespace, unread, written)
    return written


def _then_told(chunks: Iterator[str], namespace: str, unread: list[str]) -> Iterator[str]:
    """The pieces, and after them what could not be read."""
    yield from chunks
    if unread:
        raise _left_out(namespace, unread)


def _left_out(namespace: str, unread: list[str], written: Written | None = None) -> WorkbenchError:
    return left_out("kv.values_not_read", f"values of {namespace}", unread, "all others are written", written)


def _lines(state: State, namespace: str, prefix: str, unread: list[str]) -> Iterator[str]:
    """The list in pieces: a page of keys, then each value. One that a Worker reads as null is left out.

    unread: gets a line for each key whose value can't be read.
    """
    from .executor import drive

    before, done, cursor = "[\n", 0, None
    while True:
        page = drive(state.backend.kv.list(namespace, prefix, 1000, cursor))
        for key in page.items:
            if state.cancel:
                state.cancel.check()
            try:
                value = drive(state.backend.kv.get(namespace, key.name))
            except Cancelled:
                raise
            except WorkbenchError as error:
                if error.code not in _WITHOUT_VALUE:
                    unread.append(f"{visible(key.name, limit=200)}: {error.message}")
                continue
            done += 1
            yield before + dumps(value._asdict() | {"value": text_or_bytes(value.value)})
            before = ",\n"
            if state.progress:
                state.progress(done, None)
        cursor = page.cursor
        if cursor is None:
            break
    yield "[]\n" if not done else "\n]\n"
