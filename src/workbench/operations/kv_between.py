"""KV between two targets: a prefix is copied, or compared. Both lists are in order, so they are read side by side, a page at a time."""

from collections.abc import AsyncIterator

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.kv import KvKey, KvValue
from workbench.model.page import Page
from workbench.model.times import now_ms

from . import READS, WRITES, operation
from .between import Comparison, CopyReport, Sides, Tally, going_on, listed, named, paired, sides
from .kv import Keys, ToNamespace
from .parameters import After, From, Namespace, Prefix, To, WouldChange
from .resolve import State

PAGE = 1000
BATCH = 100
BATCH_BYTES = 16 << 20
"""Values held at once: a batch ends at either."""
SHORTEST_LIFE = 60
"""Seconds: KV takes no expiration that is nearer."""
_WITHOUT_VALUE = ("kv.key_not_found", "kv.value_missing")  # expired meanwhile; its file is gone


async def _sides(state: State, binding: str | None, to_binding: str | None) -> Sides:
    return await sides(state, State.kv, binding, to_binding, "--to-binding names another namespace")


def _keys(state: State, namespace: str, prefix: str, after: str | None) -> AsyncIterator[KvKey]:
    return listed(lambda cursor: state.backend.kv.list(namespace, prefix, PAGE, cursor), _name, after)


def _name(key: KvKey) -> str:
    return key.name


async def _first(state: State, namespace: str, name: str) -> Page[KvKey]:
    return await state.backend.kv.list(namespace, name, 1)


def _under(
    pair: Sides, prefix: str, start_after: str | None
) -> AsyncIterator[tuple[KvKey | None, KvKey | None]]:
    """The keys of both sides, side by side."""
    return paired(
        _keys(pair.source, pair.source_id, prefix, start_after),
        _keys(pair.target, pair.target_id, prefix, start_after),
        _name,
    )


async def _value(state: State, namespace: str, key: KvKey) -> KvValue | None:
    """A listed key's value; None where it went meanwhile, or reads as null."""
    try:
        return await state.backend.kv.value_of(namespace, key)
    except WorkbenchError as error:
        if error.code in _WITHOUT_VALUE:
            return None
        raise


def _what_differs(left: KvValue, right: KvValue) -> str:
    parts = (
        ("value", left.value == right.value),
        ("metadata", left.metadata == right.metadata),
        ("expiration", left.expiration == right.expiration),
    )
    return ", ".join(name for name, same in parts if not same)


@operation(
    "kv.keys.copy",
    effect=WRITES,
    examples=[
        "cfwb kv keys copy --from remote --to local --binding CACHE --prefix user/ --dry-run",
        "cfwb kv keys copy --from remote --to local --binding CACHE --prefix user/",
    ],
    capability="kv",
)
async def copy_keys(
    state: State,
    key: Keys = (),
    binding: Namespace = None,
    prefix: Prefix = "",
    from_: From = None,
    to: To = None,
    to_binding: ToNamespace = None,
    start_after: After = None,
    dry_run: WouldChange = False,
) -> CopyReport:
    """Copy keys with metadata and expiration from one target to another.

    What is the same on both already is not written again, so an interrupted copy is simply run once more (--start-after skips what it
    had read). What was written is read back. Keys that only the other side has stay.
    """
    if key and (prefix or start_after):
        raise UsageError("give either keys or --prefix")
    pair = await _sides(state, binding, to_binding)
    tally = Tally(state, dry_run)
    batch: list[KvValue] = []
    last: str | None = start_after
    size = 0
    with going_on(lambda: last):
        these = named(pair, key, _first, _name)
        async for here, there in these if key else _under(pair, prefix, start_after):
            if here is None:
                continue
            tally.step()
            value = await _value(pair.source, pair.source_id, here)
            if value is None:
                tally.problem(f"{here.name}: it has no value any more")
                continue
            old = await _value(state, pair.target_id, there) if there is not None else None
            what = _what_differs(value, old) if old is not None else ""
            if old is not None and not what:
                tally.equal += 1
                continue
            if value.expiration is not None and value.expiration < now_ms() // 1000 + SHORTEST_LIFE + 5:
                tally.problem(f"{here.name}: expires within a minute, which KV does not take")
                continue
            tally.change(here.name, new=old is None, what=what)
            tally.size_bytes += len(value.value)
            if dry_run:
                continue
            batch.append(value)
            size += len(value.value)
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                await _write(pair, batch, tally)
                last, batch, size = batch[-1].name, [], 0
        if batch:
            await _write(pair, batch, tally)
    return tally.report()


async def _write(pair: Sides, batch: list[KvValue], tally: Tally) -> None:
    """Write them, and read each back."""
    await pair.target.backend.kv.put_many(pair.target_id, batch, None, pair.target.cancel)
    for value in batch:
        if pair.target.cancel:
            pair.target.cancel.check()
        found = await _read_back(pair, value)
        what = _what_differs(value, found) if found is not None else "it is not there"
        if what:
            tally.problem(f"{value.name}: written, and otherwise when it was read back ({what})")
        else:
            tally.verified += 1


async def _read_back(pair: Sides, value: KvValue) -> KvValue | None:
    """What the other side has now; on the account a second request is made only where there is metadata to be asked for."""
    if value.metadata is None and value.expiration is None:
        return await _value(pair.target, pair.target_id, KvKey(value.name))
    try:
        return await pair.target.backend.kv.get(pair.target_id, value.name)
    except WorkbenchError as error:
        if error.code in _WITHOUT_VALUE:
            return None
        raise


@operation(
    "kv.keys.diff",
    effect=READS,
    examples=["cfwb kv keys diff --from remote --to local --binding CACHE --prefix user/"],
    capability="kv",
)
async def diff_keys(
    state: State,
    binding: Namespace = None,
    prefix: Prefix = "",
    from_: From = None,
    to: To = None,
    to_binding: ToNamespace = None,
    start_after: After = None,
) -> Comparison:
    """What differs between the keys of two targets: values, metadata, expiration."""
    pair = await _sides(state, binding, to_binding)
    tally = Tally(state)
    async for here, there in _under(pair, prefix, start_after):
        tally.step()
        if here is None or there is None:
            key = here or there
            assert key is not None
            tally.differ(key.name, "only_from" if there is None else "only_to")
            continue
        left = await _value(pair.source, pair.source_id, here)
        right = await _value(state, pair.target_id, there)
        if left is None or right is None:
            if left is not right:
                tally.differ(here.name, "different", "one has no value")
            continue
        what = _what_differs(left, right)
        if what:
            tally.differ(here.name, "different", what)
        else:
            tally.equal += 1
    return tally.comparison()
