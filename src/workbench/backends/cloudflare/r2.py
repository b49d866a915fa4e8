"""R2 through the API; large bodies, ranges and multipart uploads over S3 where R2 keys are configured (`r2_s3`).

Sources: the API's pages (r2/buckets/objects), wrangler's `r2 object put`, miniflare's explorer for the mirror. The account API takes
objects of up to 300 MB and a key's slashes as they are; the mirror takes a key as one segment.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.r2 import R2Body, R2Bucket, R2Object, R2Upload
from workbench.model.state import Removal

from .api import Api, ApiError, join
from .deployed import bound
from .offers import lacks
from .paging import Cursored, next_cursor
from .shapes import HTTP_HEADERS, moment, present, whole

if TYPE_CHECKING:
    from .r2_s3 import S3

ROOT = "/r2/buckets"
LARGEST = 300_000_000
"""Bytes of an object that the account API takes."""
IN_MEMORY = 8 << 20
"""Bytes of a body that are kept in memory until it is sent; more of it waits in a file that has no name."""


class CloudR2:
    """The product; see the protocol `R2`. s3: the S3 API, where keys for it are configured."""

    def __init__(self, api: Api, project: Project, *, live: bool, s3: "S3 | None" = None) -> None:
        self._api = api.of("r2")
        self._project = project
        self._live = live
        self._s3 = s3

    # --- reading

    async def buckets(self) -> list[R2Bucket]:
        """Those that the config binds in its order, then the others of the account."""
        rows = await Cursored(self._api, ROOT, _names, size="per_page").all()
        known = bound(self._project, "r2")
        found = [
            R2Bucket(name, one.name, one.worker) for name, one in known.items() if name in rows or self._live
        ]
        return found + [R2Bucket(name) for name in rows if name not in known]

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        delimiter: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[R2Object]:
        """Objects in order of their keys. With a delimiter one level; its folders are the answer's `prefixes`."""
        objects = self._objects(bucket, prefix, delimiter)
        if not delimiter:
            return await objects.page(limit, cursor)
        answer = await objects.fetch(cursor, 1000 if limit is None else limit)
        folders = answer.info.get("delimited") or ()
        return Page(
            [_object(row) for row in answer.result], next_cursor(answer.info), tuple(map(str, folders))
        )

    def _objects(self, bucket: str, prefix: str = "", delimiter: str = "") -> Cursored[R2Object]:
        params: dict[str, Any] = {"prefix": prefix or None, "delimiter": delimiter or None}
        return Cursored(self._api, f"{ROOT}{join(bucket)}/objects", _objects, params, size="per_page")

    async def count(self, bucket: str, prefix: str = "") -> int:
        """How many objects there are; every page is read for it."""
        return len(await self._objects(bucket, prefix).all())

    async def head(self, bucket: str, key: str) -> R2Object:
        """An object without its body. Raises `r2.object_not_found`."""
        if self._s3 is not None:
            return await self._s3.head(bucket, key)
        if self._live:
            try:
                answer = await self._api.get(self._path(bucket, key), headers={"cf-metadata-only": "true"})
            except ApiError as error:
                raise _not_found(error, bucket, key) from None
            return _object(answer.result)
        page = await self._objects(bucket, key).page(1, None)  # it is the first of those that begin so
        if not page.items or page.items[0].key != key:
            raise WorkbenchError("r2.object_not_found", f"there is no object {key!r} in {bucket}")
        return page.items[0]

    async def get(self, bucket: str, key: str, offset: int = 0, length: int | None = None) -> R2Body:
        """An object with its bytes, or a range of them, as they are wanted."""
        if self._s3 is not None:
            return await self._s3.get(bucket, key, offset, length)
        head = await self.head(bucket, key)
        wanted = max(0, head.size - offset) if length is None else max(0, min(length, head.size - offset))
        headers = (
            {} if wanted == head.size or not wanted else {"Range": f"bytes={offset}-{offset + wanted - 1}"}
        )
        try:
            got, pieces = await self._api.head_and_pieces("GET", self._path(bucket, key), headers=headers)
        except ApiError as error:
            raise _not_found(error, bucket, key) from None
        if wanted != head.size and "Content-Range" not in got:
            pieces = _cut(pieces, offset, wanted)
        return R2Body(head, offset, wanted, pieces)

    # --- writing

    async def put(
        self,
        bucket: str,
        key: str,
        chunks: Iterable[bytes],
        http_metadata: dict[str, Any] | None = None,
        custom_metadata: dict[str, str] | None = None,
        cancel: Cancel | None = None,
    ) -> R2Object:
        """Write an object, over what was there. Without S3 its size must be known first, so a long body waits in a file."""
        http = present(http_metadata)
        if self._s3 is not None:
            return await self._s3.put(bucket, key, chunks, http, custom_metadata or {}, cancel)
        headers = self._headers(http, custom_metadata or {})
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            size = _spooled(body, chunks, cancel, None if self._live else LARGEST)
            content: bytes | IO[bytes] = body if size > IN_MEMORY else _whole(body)
            answer = await self._api.send(
                "PUT", self._path(bucket, key), headers=headers, content=content, doing=f"writing {key!r}"
            )
        if self._live:
            return await self.head(bucket, key)
        row = answer.result or {}
        return R2Object(
            key,
            size,
            str(row.get("etag") or ""),
            moment(row.get("uploaded")) or "",
            http,
            {},
            str(row.get("version") or ""),
        )

    def _headers(self, http: dict[str, Any], custom: dict[str, str]) -> dict[str, str]:
        import json

        if self._live:
            if set(http) - {"contentType"}:
                raise lacks("r2.http_metadata")
            found = {"cf-r2-custom-metadata": json.dumps(custom)} if custom else {}
            return found | ({"Content-Type": str(http["contentType"])} if http else {})
        if custom:
            raise lacks("r2.custom_metadata", live=False)
        headers = {HTTP_HEADERS[name]: str(value) for name, value in http.items() if name in HTTP_HEADERS}
        return {"Content-Type": "application/octet-stream"} | headers

    async def delete(self, bucket: str, key: str) -> bool:
        """Delete an object; whether it was there, as far as a look before can tell."""
        try:
            await self.head(bucket, key)
        except WorkbenchError as error:
            if error.code == "r2.object_not_found":
                return False
            raise
        return await self.delete_many(bucket, [key]) > 0

    async def delete_many(
        self,
        bucket: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Delete many: a thousand a request over S3 and on the mirror, a request each on the account API."""
        total = len(keys) if isinstance(keys, Sequence) else None
        names = iter(keys)
        size = 1 if self._s3 is None and not self._live else 1000
        done = 0
        while batch := [name for name, _ in zip(names, range(size), strict=False)]:
            if cancel:
                cancel.check()
            if self._s3 is not None:
                await self._s3.delete(bucket, batch)
            elif self._live:
                await self._api.send(
                    "DELETE", f"{ROOT}{join(bucket)}/objects", json_body=batch, doing="deleting objects"
                )
            else:
                await self._api.send("DELETE", self._path(bucket, batch[0]), doing=f"deleting {batch[0]!r}")
            done += len(batch)
            if progress:
                progress(done, total)
        return done

    async def uploads(self, bucket: str) -> Page[R2Upload]:
        """Multipart uploads that were begun and not completed; S3 only."""
        if self._s3 is None:
            raise lacks("r2.uploads", live=self._live)
        return Page(await self._s3.uploads(bucket))

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload with its parts; S3 only."""
        if self._s3 is None:
            raise lacks("r2.uploads", live=self._live)
        await self._s3.abort(bucket, key, upload_id)

    async def delete_bucket(self, bucket: str, dry_run: bool = False) -> Removal:
        """The bucket itself goes; one that holds objects is refused by the account (not on the mirror)."""
        if self._live:
            raise lacks("r2.buckets.delete")
        page = await self._objects(bucket).page(1000, None)
        if dry_run:
            lines = [f"bucket {bucket}", *(f"object {one.key}" for one in page.items[:999])]
            note = "A bucket that holds objects is not deleted: cfwb r2 objects delete empties it first."
            return Removal(lines, 1 + len(page.items), True, note=note if page.items else "")
        if page.items:
            raise WorkbenchError(
                "r2.bucket_not_empty",
                f"{bucket} still holds objects, so the account does not delete it",
                "cfwb r2 objects delete --prefix P empties it",
            )
        await self._api.send("DELETE", ROOT + join(bucket), doing=f"deleting the bucket {bucket}")
        return Removal([f"bucket {bucket}"], 1, False)

    def _path(self, bucket: str, key: str) -> str:
        if self._live:
            return f"{ROOT}{join(bucket)}/objects{join(key)}"
        if any(part in (".", "..") for part in key.split("/")):
            raise WorkbenchError("remote.bad_name", f"{key!r} cannot be asked for by name through the API")
        return f"{ROOT}{join(bucket)}/objects/{quote(key, safe='/')}"


def _names(rows: list[Any]) -> list[str]:
    return [str(row["name"]) for row in rows]


def _objects(rows: list[Any]) -> list[R2Object]:
    return [_object(row) for row in rows]


def _object(row: Any) -> R2Object:
    return R2Object(
        str(row["key"]),
        whole(row.get("size")) or 0,
        str(row.get("etag") or "").strip('"'),
        moment(row.get("last_modified")) or "",
        present(row.get("http_metadata")),
        {name: str(value) for name, value in present(row.get("custom_metadata")).items()},
        str(row.get("version") or ""),
    )


def _not_found(error: ApiError, bucket: str, key: str) -> WorkbenchError:
    """The same words as for a local object that is not there."""
    if error.code != "r2.object_not_found":
        return error
    return WorkbenchError("r2.object_not_found", f"there is no object {key!r} in {bucket}", error.hint)


def _cut(pieces: Iterator[bytes], offset: int, length: int) -> Iterator[bytes]:
    """The range of a body that was sent whole."""
    at = 0
    for piece in pieces:
        part = piece[max(0, offset - at) : max(0, offset + length - at)]
        at += len(piece)
        if part:
            yield part
        if at >= offset + length:
            break
    if isinstance(pieces, Iterator) and hasattr(pieces, "close"):
        pieces.close()


def _spooled(body: IO[bytes], chunks: Iterable[bytes], cancel: Cancel | None, largest: int | None) -> int:
    """Write the pieces down; how many bytes they are. Raises `r2.object_too_large`."""
    size = 0
    for piece in chunks:
        if cancel:
            cancel.check()
        size += len(piece)
        if largest is not None and size > largest:
            raise WorkbenchError(
                "r2.object_too_large",
                f"the account API takes objects of up to {largest:,} bytes",
                "set R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY: larger ones go over the S3 API",
            )
        body.write(piece)
    return size


def _whole(body: IO[bytes]) -> bytes:
    body.seek(0)
    return body.read()
