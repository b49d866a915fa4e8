"""R2: buckets and objects. Bodies pass through in pieces, whatever their size."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.r2 import R2Bucket, R2Object
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .parameters import (
    Bucket,
    Content,
    Cursor,
    DryRun,
    Limit,
    ObjectKey,
    Output,
    Param,
    Prefix,
    Source,
    TheBucket,
    one_of,
)
from .resolve import State
from .results import Body

Delimiter = Annotated[
    str, Param("fold keys at this into result_info.prefixes, as `/` does folders", metavar="D")
]
Keys = Annotated[
    tuple[str, ...], Param("the objects' keys", positional=True, repeat=True, metavar="KEY", key=True)
]
UnderPrefix = Annotated[str | None, Param("every object whose key begins with this", metavar="P", key=True)]
Range = Annotated[str | None, Param("only some bytes: 0-99, 100- or -50 (the last 50)", metavar="RANGE")]
Custom = Annotated[Any, Param("custom metadata: a JSON object of strings", "json", metavar="JSON")]
ContentType = Annotated[str | None, Param("HTTP metadata: Content-Type", metavar="T")]
Disposition = Annotated[str | None, Param("HTTP metadata: Content-Disposition", metavar="D")]
Encoding = Annotated[str | None, Param("HTTP metadata: Content-Encoding", metavar="E")]
Language = Annotated[str | None, Param("HTTP metadata: Content-Language", metavar="L")]
CacheControl = Annotated[str | None, Param("HTTP metadata: Cache-Control", metavar="C")]
CacheExpiry = Annotated[
    str | None, Param("HTTP metadata: when it expires from caches, ISO 8601", metavar="TIME")
]

LISTED = ("key", "size", "etag", "uploaded", "http_metadata", "custom_metadata")


class Downloaded(NamedTuple):
    """An object, or a range of it, written to a file. size_bytes: of what was written."""

    key: str
    etag: str
    output: str
    size_bytes: int


@operation("r2.buckets.list", effect=READS, examples=["cfwb r2 buckets list"], capability="r2")
async def list_buckets(state: State) -> list[R2Bucket]:
    """R2 buckets: those of the config, and those that only the state holds."""
    return await state.backend.r2.buckets()


@operation(
    "r2.buckets.delete",
    effect=DESTROYS,
    examples=["cfwb r2 buckets delete files --dry-run"],
    capability="r2",
)
async def delete_bucket(state: State, bucket: TheBucket, dry_run: DryRun = False) -> Removal:
    """Start a bucket over: every object and every unfinished upload goes.

    While a dev server runs it is emptied in place; otherwise its files are removed.
    """
    return await state.backend.r2.delete_bucket(await state.bucket(bucket), dry_run=dry_run)


@operation(
    "r2.objects.list",
    effect=READS,
    examples=["cfwb r2 objects list --bucket files --prefix images/ --delimiter /"],
    capability="r2",
    fields=LISTED,
)
async def list_objects(
    state: State,
    bucket: Bucket = None,
    prefix: Prefix = "",
    delimiter: Delimiter = "",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Page[R2Object]:
    """Objects of a bucket, in order of their keys.

    With --delimiter one level, and its folders in result_info.prefixes.
    """
    return await state.backend.r2.list(await state.bucket(bucket), prefix, delimiter, limit, cursor)


def _range(text: str, size: int) -> tuple[int, int]:
    """A range as (offset, length) within an object of that size, as HTTP reads it."""
    first, dash, last = text.removeprefix("bytes=").partition("-")
    if not dash or not (first or last) or not (first + last).isdecimal():
        raise UsageError(f"--range wants 0-99, 100- or -50, not {text!r}")
    if not first:
        length = min(int(last), size)
        return size - length, length
    offset = int(first)
    if offset >= size or (last and int(last) < offset):
        raise WorkbenchError("r2.bad_range", f"the range {text} is outside the object's {size:,} bytes")
    return offset, (min(int(last), size - 1) if last else size - 1) - offset + 1


@operation(
    "r2.objects.get",
    effect=READS,
    examples=[
        "cfwb r2 objects get images/logo.png --bucket files --output logo.png",
        "cfwb r2 objects get log.txt --raw --range -1000",
    ],
    capability="r2",
)
async def get_object(
    state: State, key: ObjectKey, bucket: Bucket = None, range: Range = None, output: Output = None
) -> Body | Downloaded:
    """An object with its metadata, and its body.

    The body goes to --output, or with --raw to standard output, in pieces.
    Without either, JSON holds a body of up to 25 MiB as `value`: a string where it is UTF-8, else `$bytes`.
    """
    name = await state.bucket(bucket)
    if range is None:
        body = await state.backend.r2.get(name, key)
    else:
        head = await state.backend.r2.head(name, key)
        body = await state.backend.r2.get(name, key, *_range(range, head.size))
    chunks = watched(state, body.chunks, body.length)
    if output is None:
        return Body(chunks, body.object, body.offset, body.length)
    from .files import write_pieces

    return Downloaded(key, body.object.etag, output, write_pieces(output, chunks).size_bytes)


def watched(state: State, chunks: Iterable[bytes], total: int | None) -> Iterator[bytes]:
    """Pieces of a body on their way, counted for the progress and stopped by the cancel switch."""
    done = 0
    for chunk in chunks:
        if state.cancel:
            state.cancel.check()
        done += len(chunk)
        if state.progress:
            state.progress(done, total)
        yield chunk


def _custom(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise UsageError("--custom-metadata wants a JSON object whose values are strings")
    return given


@operation(
    "r2.objects.put",
    effect=WRITES,
    examples=["cfwb r2 objects put images/logo.png --bucket files --file logo.png --content-type image/png"],
    capability="r2",
)
async def put_object(
    state: State,
    key: ObjectKey,
    bucket: Bucket = None,
    value: Content = None,
    file: Source = None,
    content_type: ContentType = None,
    content_disposition: Disposition = None,
    content_encoding: Encoding = None,
    content_language: Language = None,
    cache_control: CacheControl = None,
    cache_expiry: CacheExpiry = None,
    custom_metadata: Custom = None,
) -> R2Object:
    """Write an object, over what was there; it streams, so any size will do."""
    from .files import pieces, size_of

    http = {
        "contentType": content_type,
        "contentDisposition": content_disposition,
        "contentEncoding": content_encoding,
        "contentLanguage": content_language,
        "cacheControl": cache_control,
        "cacheExpiry": cache_expiry,
    }
    if one_of(value=value, file=file) == "value":
        file = [value.encode("utf-8") if isinstance(value, str) else bytes(value)]
    return await state.backend.r2.put(
        await state.bucket(bucket),
        key,
        watched(state, pieces(file), size_of(file)),
        {name: text for name, text in http.items() if text is not None},
        _custom(custom_metadata),
        state.cancel,
    )


@operation(
    "r2.objects.delete",
    effect=DESTROYS,
    examples=[
        "cfwb r2 objects delete old.txt --bucket files --force",
        "cfwb r2 objects delete --prefix tmp/ --dry-run",
    ],
    capability="r2",
)
async def delete_objects(
    state: State, key: Keys = (), bucket: Bucket = None, prefix: UnderPrefix = None, dry_run: DryRun = False
) -> Removal:
    """Delete objects.

    A key that is not there is not an error, and is not counted.
    """
    name = await state.bucket(bucket)
    if bool(key) == bool(prefix):
        raise UsageError("give either keys or --prefix", "to empty the bucket: cfwb r2 buckets delete BUCKET")
    wanted = (
        [one for one in key if await _exists(state, name, one)]
        if key
        else await keys_under(state, name, str(prefix))
    )
    if not dry_run:
        await state.backend.r2.delete_many(name, wanted, state.progress, state.cancel)
    return Removal([f"object {one}" for one in wanted[:1000]], len(wanted), dry_run)


async def _exists(state: State, bucket: str, key: str) -> bool:
    page = await state.backend.r2.list(bucket, key, limit=1)
    return bool(page.items) and page.items[0].key == key


async def keys_under(state: State, bucket: str, prefix: str) -> list[str]:
    """Every key of a bucket that begins so."""
    found: list[str] = []
    cursor = None
    while True:
        page = await state.backend.r2.list(bucket, prefix, limit=1000, cursor=cursor)
        found += [one.key for one in page.items]
        cursor = page.cursor
        if cursor is None:
            return found
        if state.cancel:
            state.cancel.check()
