"""R2 over its S3 API: bodies of any size, in parts; ranges; unfinished uploads. Used where R2 keys are configured.

Keys: `R2_ACCESS_KEY_ID` and `R2_SECRET_ACCESS_KEY`; `R2_ENDPOINT` names another place than the account's own. A body of up to one part
is one PUT; a longer one is a multipart upload, a part in memory at a time, given up whole when anything fails.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.r2 import R2Body, R2Object, R2Upload
from workbench.model.secrets import Secret

from .api import Api, ApiError
from .shapes import HTTP_HEADERS, moment
from .signing import signed

PART = 16 << 20
"""Bytes of a part: 10,000 of them are 156 GiB."""
_CUSTOM = "x-amz-meta-"


class Keys:
    """R2's own keys. Neither is shown."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        self.access_key = Secret(access_key)
        self.secret_key = Secret(secret_key)


def configured(env: Mapping[str, str] | None = None) -> Keys | None:
    """The keys of the environment, where both are set."""
    env = os.environ if env is None else env
    access, secret = env.get("R2_ACCESS_KEY_ID", "").strip(), env.get("R2_SECRET_ACCESS_KEY", "").strip()
    return Keys(access, secret) if access and secret else None


class S3:
    """endpoint: `https://<account>.r2.cloudflarestorage.com`; the bucket is the first part of the path."""

    def __init__(self, api: Api, endpoint: str, keys: Keys) -> None:
        self._api = api.of("r2")
        self._endpoint = endpoint.rstrip("/")
        self._keys = keys

    async def head(self, bucket: str, key: str) -> R2Object:
        """An object without its body."""
        try:
            answer = await self._ask("HEAD", bucket, key)
        except ApiError as error:
            raise _not_found(error, bucket, key) from None
        return _object(key, answer.headers)

    async def get(self, bucket: str, key: str, offset: int, length: int | None) -> R2Body:
        """An object with its bytes, or a range of them, as they are wanted."""
        head = await self.head(bucket, key)
        wanted = max(0, head.size - offset) if length is None else max(0, min(length, head.size - offset))
        if not wanted:
            return R2Body(head, offset, 0, iter(()))
        # The etag ties the body to the head: an object written over meanwhile is refused, not mixed.
        headers = {"If-Match": f'"{head.etag}"'}
        if wanted != head.size:
            headers["Range"] = f"bytes={offset}-{offset + wanted - 1}"
        url, headers = self._signed("GET", bucket, key, {}, headers | {"Accept-Encoding": "identity"}, b"")
        _, pieces = await self._api.head_and_pieces("GET", url, headers=headers, bare=True)
        return R2Body(head, offset, wanted, pieces)

    async def put(
        self,
        bucket: str,
        key: str,
        chunks: Iterable[bytes],
        http: dict[str, Any],
        custom: dict[str, str],
        cancel: Cancel | None,
    ) -> R2Object:
        """Write an object, in parts where it is longer than one."""
        headers = {HTTP_HEADERS[name]: str(value) for name, value in http.items() if name in HTTP_HEADERS}
        headers |= {_CUSTOM + name: _header(value) for name, value in custom.items()}
        parts = _parts(chunks, cancel)
        first = next(parts, b"")
        if len(first) < PART:
            await self._ask("PUT", bucket, key, headers=headers, content=first, doing=f"writing {key!r}")
        else:
            await self._put_in_parts(bucket, key, headers, first, parts)
        return await self.head(bucket, key)

    async def _put_in_parts(
        self, bucket: str, key: str, headers: dict[str, str], first: bytes, rest: Iterator[bytes]
    ) -> None:
        begun = await self._ask(
            "POST", bucket, key, {"uploads": ""}, headers, b"", doing=f"beginning {key!r}"
        )
        upload = _text(_tree(begun.result), "UploadId")
        try:
            done: list[str] = []
            part: bytes | None = first
            while part:
                where = {"partNumber": str(len(done) + 1), "uploadId": upload}
                sent = await self._ask("PUT", bucket, key, where, {}, part, doing=f"a part of {key!r}")
                done.append(sent.headers["etag"])
                part = next(rest, None)
            listed = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
                for number, etag in enumerate(done, 1)
            )
            body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
            answer = await self._ask(
                "POST", bucket, key, {"uploadId": upload}, {}, body, doing=f"completing {key!r}"
            )
            if b"<Error>" in answer.result:  # S3 may answer 200 and then find that it failed
                raise WorkbenchError(
                    "remote.failed", _text(_tree(answer.result), "Message") or "the upload failed"
                )
        except BaseException:
            with suppress(Exception):
                await self.abort(bucket, key, upload)
            raise

    async def delete(self, bucket: str, keys: list[str]) -> None:
        """Delete up to a thousand objects."""
        import base64
        import hashlib

        listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode()
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = await self._ask(
            "POST",
            bucket,
            "",
            {"delete": ""},
            {"Content-MD5": digest},
            body,
            safe=True,
            doing="deleting objects",
        )
        failed = [_text(error, "Key") for error in _each(_tree(answer.result), "Error")]
        if failed:
            raise WorkbenchError(
                "r2.some_failed", f"{len(failed)} objects were not deleted: {', '.join(failed[:5])}"
            )

    async def uploads(self, bucket: str) -> list[R2Upload]:
        """Unfinished multipart uploads, with their parts counted."""
        found: list[R2Upload] = []
        where = {"uploads": "", "max-uploads": "1000"}
        while True:
            tree = _tree((await self._ask("GET", bucket, "", where)).result)
            for entry in _each(tree, "Upload"):
                key, id = _text(entry, "Key"), _text(entry, "UploadId")
                sizes = await self._part_sizes(bucket, key, id)
                found.append(
                    R2Upload(key, id, len(sizes), sum(sizes), {}, {}, moment(_text(entry, "Initiated")))
                )
            if _text(tree, "IsTruncated") != "true":
                return found
            where |= {
                "key-marker": _text(tree, "NextKeyMarker"),
                "upload-id-marker": _text(tree, "NextUploadIdMarker"),
            }

    async def _part_sizes(self, bucket: str, key: str, upload: str) -> list[int]:
        sizes: list[int] = []
        where = {"uploadId": upload}
        while True:
            tree = _tree((await self._ask("GET", bucket, key, where)).result)
            sizes += [int(_text(part, "Size") or 0) for part in _each(tree, "Part")]
            if _text(tree, "IsTruncated") != "true":
                return sizes
            where["part-number-marker"] = _text(tree, "NextPartNumberMarker")

    async def abort(self, bucket: str, key: str, upload: str) -> None:
        """Drop an upload with its parts."""
        await self._ask("DELETE", bucket, key, {"uploadId": upload}, doing=f"dropping the upload of {key!r}")

    async def _ask(
        self,
        method: str,
        bucket: str,
        key: str,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes = b"",
        *,
        safe: bool | None = None,
        doing: str = "",
    ) -> Any:
        url, headers = self._signed(method, bucket, key, params or {}, headers or {}, content)
        try:
            return await self._api.send(
                method,
                url,
                headers=headers,
                content=content if content or method in ("PUT", "POST") else None,
                safe=safe,
                doing=doing,
                enveloped=False,
                bare=True,
            )
        except ApiError as error:
            raise self._said(error) from None

    def _said(self, error: ApiError) -> ApiError:
        """The error with S3's own words, which come as XML, and without our keys, which it may quote."""
        message = error.message.replace(self._keys.access_key.reveal(), "••••••")
        code = {404: "r2.object_not_found", 403: "remote.not_allowed", 401: "remote.not_authenticated"}
        return ApiError(
            code.get(error.status, error.code),
            message,
            error.hint,
            error.status,
            error.numbers,
            error.request_id,
        )

    def _signed(
        self,
        method: str,
        bucket: str,
        key: str,
        params: dict[str, str],
        headers: dict[str, str],
        content: bytes,
    ) -> tuple[str, dict[str, str]]:
        path = quote(bucket, safe="") + (f"/{quote(key, safe='/-_.~')}" if key else "")
        return signed(
            method,
            f"{self._endpoint}/{path}",
            params,
            headers,
            content,
            self._keys.access_key,
            self._keys.secret_key,
        )


def _parts(chunks: Iterable[bytes], cancel: Cancel | None) -> Iterator[bytes]:
    """Pieces of any size as parts of exactly `PART` bytes, the last one shorter or missing."""
    held = bytearray()
    for piece in chunks:
        if cancel:
            cancel.check()
        held += piece
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


def _object(key: str, headers: Any) -> R2Object:
    http: dict[str, Any] = {
        name: headers[header] for name, header in HTTP_HEADERS.items() if header in headers
    }
    if "cacheExpiry" in http:
        http["cacheExpiry"] = moment(http["cacheExpiry"])
    custom = {
        name[len(_CUSTOM) :]: value for name, value in headers.items() if name.lower().startswith(_CUSTOM)
    }
    return R2Object(
        key,
        int(headers.get("content-length", 0)),
        headers.get("etag", "").strip('"'),
        moment(headers.get("last-modified")) or "",
        http,
        custom,
        headers.get("x-amz-version-id", ""),
    )


def _not_found(error: ApiError, bucket: str, key: str) -> WorkbenchError:
    if error.status != 404:
        return error
    return WorkbenchError("r2.object_not_found", f"there is no object {key!r} in {bucket}", error.hint)


def _header(text: str) -> str:
    """A header's value is ASCII: other text is refused rather than changed."""
    if not text.isascii() or not text.isprintable():
        raise WorkbenchError(
            "r2.bad_metadata", f"custom metadata over the S3 API is ASCII text, not {text!r}"
        )
    return text


def _tree(body: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise WorkbenchError(
            "remote.bad_answer", "the S3 API answered with something that is no XML"
        ) from None


def _each(tree: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [node for node in tree.iter() if node.tag.rpartition("}")[2] == name]


def _text(tree: ElementTree.Element, name: str) -> str:
    return next((node.text or "" for node in _each(tree, name)), "")
