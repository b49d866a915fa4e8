"""R2 between two targets: a prefix is copied, or compared. Bodies pass through in pieces, whatever their size."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from time import monotonic

from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.page import Page
from workbench.model.r2 import R2Object

from . import READS, operation
from .between import Comparison, CopyReport, Sides, Tally, going_on, listed, named, paired, sides
from .parameters import After, Bucket, From, Prefix, To
from .r2_copies import ToBucket
from .resolve import State

PAGE = 1000
FATAL = ("usage", "cancelled")


async def _sides(state: State, bucket: str | None, to_bucket: str | None) -> Sides:
    return await sides(state, State.bucket, bucket, to_bucket, "--to-bucket names another bucket")


def _objects(state: State, bucket: str, prefix: str, after: str | None) -> AsyncIterator[R2Object]:
    return listed(lambda cursor: state.backend.r2.list(bucket, prefix, "", PAGE, cursor), _key, after)


def _under(
    pair: Sides, prefix: str, after: str | None
) -> AsyncIterator[tuple[R2Object | None, R2Object | None]]:
    """The objects of both sides, side by side."""
    return paired(
        _objects(pair.source, pair.source_id, prefix, after),
        _objects(pair.target, pair.target_id, prefix, after),
        _key,
    )


def _key(one: R2Object) -> str:
    return one.key


async def _first(state: State, bucket: str, key: str) -> Page[R2Object]:
    return await state.backend.r2.list(bucket, key, "", 1, None)


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


async def _differ(pair: Sides, left: R2Object, right: R2Object) -> str:
    """In what two objects differ, or "". Bodies are read only where their ETags cannot tell."""
    if left.size != right.size:
        return "size"
    if left.etag != right.etag:
        if _is_md5(left.etag) and _is_md5(right.etag):
            return "body"
        first = left.etag if _is_md5(left.etag) else await _digest(pair.source, pair.source_id, left.key)
        second = right.etag if _is_md5(right.etag) else await _digest(pair.target, pair.target_id, right.key)
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

    pair = await _sides(state, bucket, to_bucket)
    tally = Tally(state, dry_run)
    last: str | None = after
    live = not dry_run and state.backend.server_running()
    with going_on(lambda: last):
        these = named(pair, [] if only is None else [only], _first, _key)
        async for here, there in _under(pair, prefix, after) if only is None else these:
            if here is None:
                continue
            if state.cancel:
                state.cancel.check()
            what = await _differ(pair, here, there) if there is not None else ""
            if there is not None and not what:
                tally.equal += 1
            else:
                tally.change(here.key, new=there is None, what=what)
                tally.size_bytes += here.size
                if not dry_run:
                    began = monotonic()
                    await _copy_one(pair, here, tally)
                    if live:
                        pause(min(monotonic() - began, 0.002), state.cancel)
            last = here.key
            if dry_run or not here.size:
                tally.step(0)
    return tally.report()


async def _copy_one(pair: Sides, found: R2Object, tally: Tally) -> None:
    """One object, read once and written as it comes; then what is there is compared with what went through."""
    digest = hashlib.md5(usedforsecurity=False)

    def counted(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            tally.step(len(chunk))
            yield chunk

    try:
        body = await pair.source.backend.r2.get(pair.source_id, found.key)
        written = await pair.target.backend.r2.put(
            pair.target_id,
            found.key,
            counted(body.chunks),
            body.object.http_metadata,
            body.object.custom_metadata,
            pair.target.cancel,
        )
        sent = digest.hexdigest()
        if _is_md5(body.object.etag) and body.object.etag != sent:
            tally.problem(f"{found.key}: what was read is not what its ETag says")
            return
        there = await pair.target.backend.r2.head(pair.target_id, found.key)
        arrived = there.etag if _is_md5(there.etag) else await _digest(pair.target, pair.target_id, found.key)
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
    pair = await _sides(state, bucket, to_bucket)
    tally = Tally(state)
    async for here, there in _under(pair, prefix, start_after):
        tally.step()
        if here is None or there is None:
            one = here or there
            assert one is not None
            tally.differ(one.key, "only_from" if there is None else "only_to")
            continue
        what = await _differ(pair, here, there)
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
