"""Key-value entries of Durable Objects and of their facets."""

import json
from typing import Annotated, Any

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .parameters import Class, Cursor, DryRun, Facets, Key, Limit, Object, Param, Prefix, one_of
from .resolve import State

Keys = Annotated[tuple[str, ...], Param("the keys", positional=True, repeat=True, metavar="KEY", key=True)]
Value = Annotated[Any, Param("the value, as (tagged) JSON", "json", metavar="JSON")]
ValueFile = Annotated[Any, Param("read the JSON from a file (- for standard input)", "file", metavar="FILE")]
RawFile = Annotated[
    Any, Param("a file with the bytes to store as they are (V8 serialisation)", "file", metavar="FILE")
]


@operation(
    "do.storage.list",
    effect=READS,
    examples=["cfwb do storage list --namespace AppRunner --object my-app --facet app"],
    capability="durable_objects",
)
async def list_entries(
    state: State,
    object: Object,
    namespace: Class = None,
    facet: Facets = (),
    prefix: Prefix = "",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Page[StorageEntry]:
    """Entries in the storage of an object or a facet, by key, decoded.

    A value no program can decode is `$bytes`, and `undecoded` says why.
    """
    found, id = await state.object(namespace, object)
    return await state.backend.durable_objects.storage_list(found, id, facet, prefix, limit, cursor)


@operation(
    "do.storage.get",
    effect=READS,
    examples=["cfwb do storage get counter --namespace AppRunner --object my-app --facet app"],
    capability="durable_objects",
)
async def get_entry(
    state: State, key: Key, object: Object, namespace: Class = None, facet: Facets = ()
) -> StorageEntry:
    """One entry, decoded; --raw gives the bytes as they are stored."""
    found, id = await state.object(namespace, object)
    return await state.backend.durable_objects.storage_get(found, id, key, facet)


@operation(
    "do.storage.put",
    effect=WRITES,
    examples=["cfwb do storage put counter --namespace AppRunner --object my-app --facet app --value 100"],
    capability="durable_objects",
)
async def put_entry(
    state: State,
    key: Key,
    object: Object,
    namespace: Class = None,
    facet: Facets = (),
    value: Value = ...,
    file: ValueFile = None,
    raw_file: RawFile = None,
) -> StorageEntry:
    """Write an entry, over what was there.

    The runtime reads back the very value that the JSON says; docs/json.md lists the tags.
    """
    from .files import read_text, read_whole

    one_of(value=None if value is ... else True, file=file, raw_file=raw_file)
    found, id = await state.object(namespace, object)
    if raw_file is not None:
        return await state.backend.durable_objects.storage_put_raw(
            found, id, key, read_whole(raw_file), facet
        )
    if file is not None:
        try:
            value = json.loads(read_text(file))
        except ValueError as error:
            raise WorkbenchError("import.bad_json", f"not JSON: {error}") from None
    return await state.backend.durable_objects.storage_put(found, id, key, value, facet)


@operation(
    "do.storage.delete",
    effect=DESTROYS,
    examples=["cfwb do storage delete counter --namespace AppRunner --object my-app --facet app --force"],
    capability="durable_objects",
)
async def delete_entries(
    state: State,
    key: Keys,
    object: Object,
    namespace: Class = None,
    facet: Facets = (),
    dry_run: DryRun = False,
) -> Removal:
    """Delete entries.

    A key that is not there is not an error, and is not counted.
    """
    found, id = await state.object(namespace, object)
    backend = state.backend.durable_objects
    there = []
    for name in key:
        page = await backend.storage_list(found, id, facet, name, 1)
        if page.items and page.items[0].key == name:
            there.append(name)
    if not dry_run:
        for name in there:
            await backend.storage_delete(found, id, name, facet)
    return Removal([f"entry {name}" for name in there[:1000]], len(there), dry_run)
