"""R2 between two targets: a prefix is copied, or compared. Bodies pass through in pieces, whatever their size."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from time import monotonic
from typing import NamedTuple

from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.r2 import R2Object

from . import READS, operation
from .between import Comparison, CopyReport, Tally, going_on, listed, other, paired, same_place
from .parameters import After, Bucket, From, Prefix, To
from .r2_copies import ToBucket
from .resolve import State

PAGE = 1000
FATAL = ("usage", "cancelled")


class _Sides(NamedTuple):
    source: State
    target: State
    source_bucket: str
    target_bucket: str


async def _sides(state: State, bucket: str | None, to_bucket: str | None) -> _Sides:
    source = other(state)
    found = _Sides(
        source, state, await source.bucket(bucket), await state.bucket(to_bucket if to_bucket else bucket)
    )
    same_place(source, state, found.source_bucket, found.target_bucket, "--to-bucket names another bucket")
    return found


def _objects(state: State, bucket: str, prefix: str, after: str | None) -> AsyncIterator[R2Object]:
    return listed(
        lambda cursor: state.backend.r2.list(bucket, prefix, "", PAGE, cursor), lambda one: one.key, after
    )


def _under(
    sides: _Sides, prefix: str, after: str | None
) -> AsyncIterator[tuple[R2Object | None, R2Object | None]]:
    """The objects of both sides, side by side."""
    return paired(
        _objects(sides.source, sides.source_bucket, prefix, after),
        _objects(sides.target, sides.target_bucket, prefix, after),
        _key,
    )


def _key(one: R2Object) -> str:
    return one.key


async def _one(sides: _Sides, key: str) -> AsyncIterator[tuple[R2Object | None, R2Object | None]]:
    """One object, as both sides list it."""
    found: list[R2Object | None] = []
    for state, bucket in ((sides.source, sides.source_bucket), (sides.target, sides.target_bucket)):
        page = await state.backend.r2.list(bucket, key, "", 1, None)
        found.append(next((one for one in page.items if one.key == key), None))
    yield found[0], found[1]


def _is_md5(etag: str) -> bool:
    """Whether an ETag is the MD5 of the body: that of an object made of parts has a dash in it."""
    return len(etag) == 32 and "-" not in etag


async def _digest(state: State, bucket: str, key: str) -> str:
    """The MD5 of a body, read in pieces."""
    body = await state.backend.r2.get(bucket, key)
    digest = hashlib.md5(usedforsecurity=False)
    for piece in body.chunks:
        if state.cancel:
            state.cancel.check()
        digest.update(piece)
    return digest.hexdigest()


async def _differ(sides: _Sides, left: R2Object, right: R2Object) -> str:
    """In what two objects differ, or "". Bodies are read only where their ETags cannot tell."""
    if left.size != right.size:
        return "size"
    if left.etag != right.etag:
        if _is_md5(left.etag) and _is_md5(right.etag):
            return "body"
        first = (
            left.etag if _is_md5(left.etag) else await _digest(sides.source, sides.source_bucket, left.key)
        )
        second = (
            right.etag if _is_md5(right.etag) else await _digest(sides.target, sides.target_bucket, right.key)
        )
        if first != second:
            return "body"
    # A list that tells of no metadata at all (a dev server's) says nothing of it.
    for name, one, two in (
        ("HTTP metadata", left.http_metadata, right.http_metadata),
        ("custom metadata", left.custom_metadata, right.custom_metadata),
    ):
        if one and two and one != two:
            return name
    return ""


async def copy_prefix(
    state: State,
    bucket: str | None,
    to_bucket: str | None,
    prefix: str,
    after: str | None,
    dry_run: bool,
    only: str | None = None,
) -> CopyReport:
    """Copy every object under a prefix, or only one; see `r2.objects.copy`."""
    from workbench.backends.local.manners import pause

    sides = await _sides(state, bucket, to_bucket)
    tally = Tally(state, dry_run)
    last: str | None = after
    live = not dry_run and state.backend.server_running()
    with going_on(lambda: last):
        pairs = _under(sides, prefix, after) if only is None else _one(sides, only)
        async for here, there in pairs:
            if here is None:
                continue
            if state.cancel:
                state.cancel.check()
            what = await _differ(sides, here, there) if there is not None else ""
            if there is not None and not what:
                tally.equal += 1
            else:
                tally.change(here.key, new=there is None, what=what)
                tally.size_bytes += here.size
                if not dry_run:
                    began = monotonic()
                    await _copy_one(sides, here, tally)
                    if live:
                        pause(min(monotonic() - began, 0.002), state.cancel)
            last = here.key
            if dry_run or not here.size:
                tally.step(0)
    return tally.report()


async def _copy_one(sides: _Sides, found: R2Object, tally: Tally) -> None:
    """One object, read once and written as it comes; then what is there is compared with what went through."""
    digest = hashlib.md5(usedforsecurity=False)

    def counted(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            tally.step(len(chunk))
            yield chunk

    try:
        body = await sides.source.backend.r2.get(sides.source_bucket, found.key)
        written = await sides.target.backend.r2.put(
            sides.target_bucket,
            found.key,
            counted(body.chunks),
            body.object.http_metadata,
            body.object.custom_metadata,
            sides.target.cancel,
        )
        sent = digest.hexdigest()
        if _is_md5(body.object.etag) and body.object.etag != sent:
            tally.problem(f"{found.key}: what was read is not what its ETag says")
            return
        there = await sides.target.backend.r2.head(sides.target_bucket, found.key)
        arrived = (
            there.etag if _is_md5(there.etag) else await _digest(sides.target, sides.target_bucket, found.key)
        )
    except Cancelled:
        raise
    except WorkbenchError as error:
        if error.code in FATAL or not error.code.startswith(("r2.", "target.", "remote.bad_name")):
            raise
        tally.problem(f"{found.key}: {error.message}")
        return
    if (there.size, arrived) != (body.object.size, sent) or written.size != there.size:
        tally.problem(f"{found.key}: written, and another body when it was read back")
    elif (there.http_metadata, there.custom_metadata) != (
        body.object.http_metadata,
        body.object.custom_metadata,
    ):
        tally.problem(f"{found.key}: the body is verified; its metadata is otherwise on the other side")
    else:
        tally.verified += 1


@operation(
    "r2.objects.diff",
    effect=READS,
    examples=["cfwb r2 objects diff --from remote --to local --bucket files --prefix images/"],
    capability="r2",
)
async def diff_objects(
    state: State,
    bucket: Bucket = None,
    prefix: Prefix = "",
    from_: From = None,
    to: To = None,
    to_bucket: ToBucket = None,
    start_after: After = None,
) -> Comparison:
    """What differs between the objects of two targets: bodies, metadata.

    Bodies are compared by their ETags; those of parts, whose ETag says nothing of the body, are read.
    """
    sides = await _sides(state, bucket, to_bucket)
    tally = Tally(state)
    async for here, there in _under(sides, prefix, start_after):
        tally.step()
        if here is None or there is None:
            one = here or there
            assert one is not None
            tally.differ(one.key, "only_from" if there is None else "only_to")
            continue
        what = await _differ(sides, here, there)
        if what:
            tally.differ(here.key, "different", what)
        else:
            tally.equal += 1
            unsaid = bool(here.http_metadata or here.custom_metadata) != bool(
                there.http_metadata or there.custom_metadata
            )
            if unsaid:
                tally.inexact(
                    "one side's list does not tell all metadata, so it was compared where both tell it"
                )
    return tally.comparison()
