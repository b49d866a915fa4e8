"""What differs between a KV namespace and an R2 bucket, so that the browser is one."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple, Protocol

from rich.cells import cell_len

from workbench.model.kv import KvKey, KvValue
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.r2 import R2Object
from workbench.model.state import Removal
from workbench.model.text import visible
from workbench.screens import when
from workbench.screens.overview import size
from workbench.screens.session import Session
from workbench.screens.when import amount
from workbench.widgets.paging import Entry

PAGE = 500
HEAD = 1 << 20
"""Bytes of an object read to show it; an image is read whole up to IMAGE."""
IMAGE = 16 << 20


class Loaded(NamedTuple):
    """A value to show. total: its whole size; data may be only its head. rows: what else is known of it."""

    key: str
    data: bytes
    total: int
    rows: tuple[tuple[str, str], ...]
    media: str = ""
    expiration: int | None = None
    metadata: Any = None

    @property
    def whole(self) -> bool:
        return len(self.data) == self.total


class Source(Protocol):
    """A namespace or a bucket as the browser sees it. Every call may raise WorkbenchError."""

    noun: str
    product: str

    async def page(self, prefix: str, cursor: str | None, flat: bool) -> tuple[list[Entry], str | None]: ...
    async def count(self, prefix: str) -> int: ...
    async def load(self, key: str) -> Loaded: ...
    async def copy(self, key: str, new_key: str, *, move: bool, cancel: Cancel) -> None: ...
    async def put_text(self, loaded: Loaded | None, key: str, data: bytes, **changes: Any) -> None: ...
    async def put_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None: ...
    async def get_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None: ...
    async def removal(self, keys: list[str], prefixes: list[str]) -> Removal: ...
    async def delete(
        self, keys: list[str], prefixes: list[str], cancel: Cancel, progress: Progress
    ) -> int: ...
    async def keys_under(self, prefix: str, cancel: Cancel) -> list[str]: ...


def in_order(files: list[Entry], prefixes: tuple[str, ...], prefix: str) -> list[Entry]:
    """Keys and folders of one level as one list, in the order of their bytes."""
    folders = [Entry(folder, folder[len(prefix) :], folder=True) for folder in prefixes]
    if not folders:
        return files
    return sorted(files + folders, key=lambda entry: entry.key.encode("utf-8", "surrogatepass"))


def until(expiration: int | None) -> str:
    """When something expires, from now: "in 3 d"."""
    if expiration is None:
        return ""
    left = expiration - when.now()
    return f"in {amount(left)}" if left > 0 else "expired"


def moment(expiration: int) -> str:
    """Unix seconds as a date and a distance."""
    try:
        shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(expiration))
    except (ValueError, OverflowError, OSError):
        shown = str(expiration)
    return f"{shown} ({until(expiration)})"


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _brief(metadata: Any) -> str:
    """Metadata in ten cells."""
    said = visible(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")), limit=9)
    return said if cell_len(said) <= 10 else "{…}"


class _Common:
    """What both ask in the same words. names: the operations' nouns; where: the parameter that names the resource."""

    product: str
    noun: str
    nouns: str
    where: str

    def __init__(self, session: Session, resource: str) -> None:
        self.session, self.resource = session, resource

    async def _call(self, verb: str, **arguments: Any) -> Any:
        return await self.session.call(
            f"{self.product}.{self.nouns}.{verb}", **(arguments | {self.where: self.resource})
        )

    async def copy(self, key: str, new_key: str, *, move: bool, cancel: Cancel) -> None:
        await self._call("move" if move else "copy", key=key, new_key=new_key, cancel=cancel, force=True)

    async def put_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None:
        await self._call("put", key=key, file=path, cancel=cancel, progress=progress, force=True)

    async def removal(self, keys: list[str], prefixes: list[str]) -> Removal:
        """What a deletion would remove."""
        parts = []
        if keys:
            parts.append(await self._call("delete", key=tuple(keys), dry_run=True))
        for prefix in prefixes:
            parts.append(await self._call("delete", prefix=prefix, dry_run=True))
        lines = [line for part in parts for line in part.removed]
        return Removal(lines[:1000], sum(part.total for part in parts), True)

    async def delete(self, keys: list[str], prefixes: list[str], cancel: Cancel, progress: Progress) -> int:
        gone = 0
        watch: dict[str, Any] = {"cancel": cancel, "progress": progress, "force": True}
        if keys:
            gone += (await self._call("delete", key=tuple(keys), **watch)).total
        for prefix in prefixes:
            gone += (await self._call("delete", prefix=prefix, **watch)).total
        return gone

    async def _listed(self, **arguments: Any) -> Page[Any]:
        raise NotImplementedError

    async def keys_under(self, prefix: str, cancel: Cancel) -> list[str]:
        """Every key that begins so."""
        found: list[str] = []
        cursor = None
        while True:
            page = await self._listed(prefix=prefix, limit=1000, cursor=cursor)
            found += [one.key if isinstance(one, R2Object) else one.name for one in page.items]
            cursor = page.cursor
            if cursor is None:
                return found
            cancel.check()


class KvSource(_Common):
    """A KV namespace."""

    product, noun, nouns, where = "kv", "key", "values", "binding"

    async def _listed(self, **arguments: Any) -> Page[Any]:
        page: Page[KvKey] = await self.session.call("kv.keys.list", binding=self.resource, **arguments)
        return page

    async def page(self, prefix: str, cursor: str | None, flat: bool) -> tuple[list[Entry], str | None]:
        if flat:
            page = await self._listed(prefix=prefix, limit=PAGE, cursor=cursor)
        else:
            folder = prefix[: prefix.rfind("/") + 1]
            page = await self.session.ask(
                lambda backend: backend.kv.folders(self.resource, prefix, PAGE, cursor)
            )
            prefix = folder
        cut = 0 if flat else len(prefix)
        files = [
            Entry(
                one.name,
                one.name[cut:] or '""',
                size="" if one.metadata is None else _brief(one.metadata),
                when=until(one.expiration),
                data=one,
            )
            for one in page.items
        ]
        return in_order(files, page.prefixes, prefix), page.cursor

    async def count(self, prefix: str) -> int:
        return await self.session.ask(lambda backend: backend.kv.count(self.resource, prefix))

    async def load(self, key: str) -> Loaded:
        value: KvValue = await self._call("get", key=key)
        rows = [("size", f"{size(len(value.value))}")]
        if value.expiration is not None:
            rows.append(("expires", moment(value.expiration)))
        if value.metadata is not None:
            rows.append(("metadata", pretty(value.metadata)))
        return Loaded(key, value.value, len(value.value), tuple(rows), "", value.expiration, value.metadata)

    async def put_text(self, loaded: Loaded | None, key: str, data: bytes, **changes: Any) -> None:
        """Write a value; metadata and expiration as changed, else as they were."""
        kept = {"metadata": loaded.metadata, "expiration": loaded.expiration} if loaded else {}
        given = {name: value for name, value in (kept | changes).items() if value is not None}
        await self._call("put", key=key, value=data, force=True, **given)

    async def get_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None:
        value: KvValue = await self._call("get", key=key)

        def write() -> None:
            from workbench.operations.files import write_pieces

            write_pieces(path, [value.value])

        await self.session.blocking(write)
        progress(len(value.value), len(value.value))


class R2Source(_Common):
    """An R2 bucket."""

    product, noun, nouns, where = "r2", "object", "objects", "bucket"

    async def _listed(self, **arguments: Any) -> Page[Any]:
        page: Page[R2Object] = await self._call("list", **arguments)
        return page

    async def page(self, prefix: str, cursor: str | None, flat: bool) -> tuple[list[Entry], str | None]:
        folder = "" if flat else prefix[: prefix.rfind("/") + 1]
        delimiter = {} if flat else {"delimiter": "/"}
        page = await self._listed(prefix=prefix, limit=PAGE, cursor=cursor, **delimiter)
        files = [
            Entry(
                one.key,
                one.key[len(folder) :] or '""',
                size=size(one.size),
                when=one.uploaded[:16].replace("T", " "),
                data=one,
            )
            for one in page.items
        ]
        return in_order(files, page.prefixes, folder), page.cursor

    async def count(self, prefix: str) -> int:
        return await self.session.ask(lambda backend: backend.r2.count(self.resource, prefix))

    async def load(self, key: str) -> Loaded:
        """The head of an object, or all of it where it is small or an image."""
        head = await self.session.ask(lambda backend: backend.r2.head(self.resource, key))
        media = str(head.http_metadata.get("contentType") or "")
        wanted = min(head.size, IMAGE if media.startswith("image/") else HEAD)
        data = b""
        if wanted:
            body = await self.session.ask(lambda backend: backend.r2.get(self.resource, key, 0, wanted))
            data = await self.session.blocking(lambda: b"".join(body.chunks))
        rows = [
            ("size", f"{size(head.size)} ({head.size:,} bytes)"),
            ("uploaded", head.uploaded),
            ("etag", head.etag),
        ]
        rows += [(name, str(value)) for name, value in head.http_metadata.items()]
        rows += [(f"custom {name}", value) for name, value in head.custom_metadata.items()]
        rows += [(name, value) for name, value in head.checksums.items()]
        rows += [("version", head.version)] if head.version else []
        return Loaded(key, data, head.size, tuple(rows), media, None, head)

    async def put_text(self, loaded: Loaded | None, key: str, data: bytes, **changes: Any) -> None:
        """Write an object with the metadata it had."""
        head = loaded.metadata if loaded and isinstance(loaded.metadata, R2Object) else None
        names = {
            "contentType": "content_type",
            "contentDisposition": "content_disposition",
            "contentEncoding": "content_encoding",
            "contentLanguage": "content_language",
            "cacheControl": "cache_control",
            "cacheExpiry": "cache_expiry",
        }
        kept: dict[str, Any] = {}
        if head is not None:
            kept = {names[name]: value for name, value in head.http_metadata.items() if name in names}
            if head.custom_metadata:
                kept["custom_metadata"] = head.custom_metadata
        await self._call("put", key=key, value=data, force=True, **kept, **changes)

    async def put_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None:
        from mimetypes import guess_type

        media = guess_type(path)[0]
        more = {"content_type": media} if media else {}
        await self._call("put", key=key, file=path, cancel=cancel, progress=progress, force=True, **more)

    async def get_file(self, key: str, path: str, cancel: Cancel, progress: Progress) -> None:
        await self._call("get", key=key, output=path, cancel=cancel, progress=progress)
