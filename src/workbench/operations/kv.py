"""KV: namespaces, keys, values."""

from typing import Annotated, Any, NamedTuple

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.kv import KvKey, KvNamespace, KvValue
from workbench.model.page import Page
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .parameters import (
    Content,
    Cursor,
    DryRun,
    Key,
    Limit,
    Namespace,
    Param,
    Prefix,
    Source,
    TheNamespace,
    one_of,
)
from .resolve import State

Expiration = Annotated[
    int | None, Param("when it expires, in Unix seconds", "integer", metavar="UNIX", minimum=1)
]
TimeToLive = Annotated[
    int | None, Param("expire so many seconds from now", "integer", metavar="S", minimum=1)
]
Metadata = Annotated[Any, Param("metadata, as JSON", "json", metavar="JSON")]
Folded = Annotated[
    str, Param("one level only: fold keys at / into result_info.prefixes", choices=("/",), metavar="/")
]
ToKey = Annotated[str, Param("the new key", positional=True, metavar="NEW_KEY")]
ToNamespace = Annotated[str | None, Param("into another namespace", metavar="NAME")]
Keys = Annotated[tuple[str, ...], Param("the keys", positional=True, repeat=True, metavar="KEY", key=True)]
UnderPrefix = Annotated[str | None, Param("every key that begins with this", metavar="P", key=True)]


class KvWritten(NamedTuple):
    """A key as it was written. size_bytes: of its value."""

    name: str
    expiration: int | None
    metadata: Any
    size_bytes: int


@operation("kv.namespaces.list", effect=READS, examples=["cfwb kv namespaces list"], capability="kv")
async def list_namespaces(state: State) -> list[KvNamespace]:
    """KV namespaces: those of the config, and those that only the state holds."""
    return await state.backend.kv.namespaces()


@operation(
    "kv.namespaces.delete",
    effect=DESTROYS,
    examples=[
        "cfwb kv namespaces delete CACHE --dry-run",
        "cfwb kv namespaces delete CACHE --force",
    ],
    capability="kv",
)
async def delete_namespace(state: State, binding: TheNamespace, dry_run: DryRun = False) -> Removal:
    """Start a namespace over: every key and value goes.

    While a dev server runs it is emptied in place; otherwise its files are removed.
    """
    return await state.backend.kv.delete_namespace(await state.kv(binding), dry_run=dry_run)


@operation(
    "kv.keys.list",
    effect=READS,
    examples=["cfwb kv keys list --binding CACHE --prefix user/"],
    capability="kv",
)
async def list_keys(
    state: State,
    binding: Namespace = None,
    prefix: Prefix = "",
    delimiter: Folded = "",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Page[KvKey]:
    """Keys of a namespace, in order of their UTF-8 bytes.

    Expired ones are left out, as the emulator does. With --delimiter / one level, and its folders in result_info.prefixes.
    """
    kv = state.backend.kv
    read = kv.folders if delimiter else kv.list
    return await read(await state.kv(binding), prefix, limit, cursor)


@operation(
    "kv.values.get",
    effect=READS,
    examples=[
        "cfwb kv values get user/1 --binding CACHE",
        "cfwb kv values get logo.png --binding CACHE --raw > logo.png",
    ],
    capability="kv",
)
async def get_value(state: State, key: Key, binding: Namespace = None) -> KvValue:
    """One value with its metadata and expiration.

    It is a string where it is UTF-8, else `$bytes`; --raw gives its own bytes.
    """
    return await state.backend.kv.get(await state.kv(binding), key)


@operation(
    "kv.values.put",
    effect=WRITES,
    examples=[
        'cfwb kv values put user/1 --binding CACHE --value \'{"name": "Ann"}\' --metadata \'{"v": 2}\' --ttl 3600',
        "cfwb kv values put logo.png --binding CACHE --file logo.png",
    ],
    capability="kv",
)
async def put_value(
    state: State,
    key: Key,
    binding: Namespace = None,
    value: Content = None,
    file: Source = None,
    metadata: Metadata = None,
    expiration: Expiration = None,
    ttl: TimeToLive = None,
) -> KvWritten:
    """Write a value, over what was there.

    Without --metadata it has none; without --expiration or --ttl it stays.
    """
    from .files import read_whole

    given = value if one_of(value=value, file=file) == "value" else read_whole(file)
    data = given.encode("utf-8") if isinstance(given, str) else bytes(given)
    if ttl is not None:
        if expiration is not None:
            raise UsageError("give only one of --expiration, --ttl")
        from workbench.model.times import now_ms

        expiration = now_ms() // 1000 + ttl
    await state.backend.kv.put(await state.kv(binding), key, data, expiration, metadata)
    return KvWritten(key, expiration, metadata, len(data))


@operation(
    "kv.values.delete",
    effect=DESTROYS,
    examples=[
        "cfwb kv values delete user/1 --binding CACHE --force",
        "cfwb kv values delete --prefix tmp/ --binding CACHE --dry-run",
    ],
    capability="kv",
)
async def delete_values(
    state: State,
    key: Keys = (),
    binding: Namespace = None,
    prefix: UnderPrefix = None,
    dry_run: DryRun = False,
) -> Removal:
    """Delete keys with their values.

    A key that is not there is not an error, and is not counted.
    """
    namespace = await state.kv(binding)
    if bool(key) == bool(prefix):
        raise UsageError("give either keys or --prefix", "to empty the namespace: cfwb kv namespaces delete")
    wanted = (
        [name for name in key if await _exists(state, namespace, name)]
        if key
        else await _under(state, namespace, str(prefix))
    )
    if not dry_run:
        await state.backend.kv.delete_many(namespace, wanted, state.progress, state.cancel)
    return Removal([f"key {name}" for name in wanted[:1000]], len(wanted), dry_run)


async def _exists(state: State, namespace: str, key: str) -> bool:
    page = await state.backend.kv.list(namespace, key, 1)
    return bool(page.items) and page.items[0].name == key


async def _under(state: State, namespace: str, prefix: str) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = await state.backend.kv.list(namespace, prefix, 1000, cursor)
        found += [key.name for key in page.items]
        cursor = page.cursor
        if cursor is None:
            return found
        if state.cancel:
            state.cancel.check()


@operation(
    "kv.values.copy",
    effect=WRITES,
    examples=[
        "cfwb kv values copy user/1 user/2 --binding CACHE",
        "cfwb kv values copy user/1 user/1 --binding CACHE --to-binding BACKUP",
    ],
    capability="kv",
)
async def copy_value(
    state: State, key: Key, new_key: ToKey, binding: Namespace = None, to_binding: ToNamespace = None
) -> KvWritten:
    """Copy a value with its metadata and expiration, over what was there."""
    return await _copy(state, key, new_key, binding, to_binding, move=False)


@operation(
    "kv.values.move",
    effect=WRITES,
    examples=["cfwb kv values move user/1 user/2 --binding CACHE"],
    capability="kv",
)
async def move_value(
    state: State, key: Key, new_key: ToKey, binding: Namespace = None, to_binding: ToNamespace = None
) -> KvWritten:
    """Rename a key, with its value, metadata and expiration."""
    return await _copy(state, key, new_key, binding, to_binding, move=True)


async def _copy(
    state: State, key: str, new_key: str, binding: str | None, to_binding: str | None, *, move: bool
) -> KvWritten:
    source = await state.kv(binding)
    target = await state.kv(to_binding) if to_binding is not None else source
    if (source, key) == (target, new_key):
        raise WorkbenchError("kv.same_key", f"{key!r} is already there under that name")
    value = await state.backend.kv.get(source, key)
    await state.backend.kv.put(target, new_key, value.value, value.expiration, value.metadata)
    if move:
        await state.backend.kv.delete(source, key)
    return KvWritten(new_key, value.expiration, value.metadata, len(value.value))
