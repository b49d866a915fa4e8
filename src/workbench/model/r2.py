"""Values of the R2 product."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class R2Bucket(NamedTuple):
    """name: the bucket's own name, which its state is filed under."""

    name: str
    binding: str | None = None
    worker: str | None = None


class R2Object(NamedTuple):
    """An object's head. size: bytes. uploaded: ISO 8601 UTC with milliseconds. checksums: name to hex (md5, sha256, ...)."""

    key: str
    size: int
    etag: str
    uploaded: str
    http_metadata: dict[str, Any]
    custom_metadata: dict[str, str]
    version: str = ""
    checksums: dict[str, str] = {}


class R2Body(NamedTuple):
    """An object being read: `chunks` yields its bytes (or the asked range's) in pieces of at most 1 MiB."""

    object: R2Object
    offset: int
    length: int
    chunks: Iterator[bytes]


class R2Upload(NamedTuple):
    """A multipart upload that was begun and not completed. initiated: ISO 8601, or None where it is not known."""

    key: str
    upload_id: str
    parts: int
    size: int
    http_metadata: dict[str, Any]
    custom_metadata: dict[str, str]
    initiated: str | None = None
