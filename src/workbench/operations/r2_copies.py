"""R2: an object under another key, in another bucket, on another target."""

from typing import Annotated

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.r2 import R2Object

from . import WRITES, operation
from .between import CopyReport
from .parameters import After, Bucket, From, ObjectKey, Param, Prefix, To, WouldChange
from .r2 import watched
from .resolve import State

NewKey = Annotated[str, Param("the new key", positional=True, metavar="NEW_KEY")]
OldKey = Annotated[str | None, Param("the object's key", positional=True, metavar="KEY", key=True)]
CopyKey = Annotated[str | None, Param("the new key", positional=True, metavar="NEW_KEY")]
ToBucket = Annotated[str | None, Param("into another bucket", metavar="NAME")]


@operation(
    "r2.objects.copy",
    effect=WRITES,
    examples=[
        "cfwb r2 objects copy logo.png archive/logo.png --bucket files",
        "cfwb r2 objects copy --from remote --to local --bucket files --prefix images/ --dry-run",
    ],
    capability="r2",
)
async def copy_object(
    state: State,
    key: OldKey = None,
    new_key: CopyKey = None,
    bucket: Bucket = None,
    to_bucket: ToBucket = None,
    prefix: Prefix = "",
    from_: From = None,
    to: To = None,
    start_after: After = None,
    dry_run: WouldChange = False,
) -> R2Object | CopyReport:
    """Copy an object with its metadata, or a prefix from one target to another.

    With --from or --to everything under --prefix goes over. What is the same on both sides is not written again, so an interrupted
    copy is run once more (or gone on with --start-after). What was written is read back; what only the other side has stays.
    """
    if state.source is not None:
        from .r2_between import copy_prefix

        if new_key is not None or (key is not None and (prefix or start_after)):
            raise UsageError("between targets give either one key, which stays the same, or --prefix")
        return await copy_prefix(state, bucket, to_bucket, prefix, start_after, dry_run, only=key)
    if key is None or new_key is None or prefix or start_after or dry_run:
        raise UsageError(
            "give the key and the new key; or between which targets: --from, --to",
            "--prefix, --start-after and --dry-run are for the latter",
        )
    return await _copy(state, key, new_key, bucket, to_bucket, move=False)


@operation(
    "r2.objects.move",
    effect=WRITES,
    examples=["cfwb r2 objects move a.txt b.txt --bucket files"],
    capability="r2",
)
async def move_object(
    state: State, key: ObjectKey, new_key: NewKey, bucket: Bucket = None, to_bucket: ToBucket = None
) -> R2Object:
    """Rename an object: a copy under the new key, then the old one is gone."""
    return await _copy(state, key, new_key, bucket, to_bucket, move=True)


async def _copy(
    state: State, key: str, new_key: str, bucket: str | None, to_bucket: str | None, *, move: bool
) -> R2Object:
    source = await state.bucket(bucket)
    target = await state.bucket(to_bucket) if to_bucket is not None else source
    if (source, key) == (target, new_key):
        raise WorkbenchError("r2.same_key", f"{key!r} is already there under that key")
    body = await state.backend.r2.get(source, key)
    written = await state.backend.r2.put(
        target,
        new_key,
        watched(state, body.chunks, body.length),
        body.object.http_metadata,
        body.object.custom_metadata,
        state.cancel,
    )
    if move:
        await state.backend.r2.delete(source, key)
    return written
