"""KV through the API. Sources: the API's pages (storage/kv), miniflare's explorer for the mirror.

Where the two sides differ is in `offers`; here: the mirror has no metadata by key, and of a single write it
drops an expiration, and metadata that JavaScript takes for false; its bulk write keeps both.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvKey, KvNamespace, KvValue
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.state import Removal
from workbench.model.tagged import bytes_tag

from .api import Api, ApiError, join
from .deployed import bound
from .offers import lacks
from .paging import Cursored, Place, next_cursor, numbered, place

ROOT = "/storage/kv/namespaces"
MOST_KEYS = 10_000
"""Entries of one bulk write or deletion."""
MOST_BYTES = 90 << 20
"""Bytes of one bulk write: the API takes 100 MB of JSON."""
LISTED = 1000
_OLDER = "this dev server's API drops an expiration, and metadata that is false or empty: leave --server out"


class CloudKv:
    """The product; see the protocol `Kv`. live: on a dev server's mirror."""

    def __init__(self, api: Api, project: Project, *, live: bool) -> None:
        self._api = api.of("kv")
        self._project = project
        self._live = live

    # --- reading

    async def namespaces(self) -> list[KvNamespace]:
        """Those that the config binds in its order, then the others of the account."""
        rows = (await self._api.get(ROOT)).result if self._live else await numbered(self._api, ROOT)
        titles = {str(row["id"]): str(row.get("title") or row["id"]) for row in rows}
        known = bound(self._project, "kv")
        found = [
            KvNamespace(id, binding.name, binding.name, binding.worker)
            for id, binding in known.items()
            if id in titles or self._live
        ]
        return found + [KvNamespace(id, title) for id, title in titles.items() if id not in known]

    async def list(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]:
        """Keys in order of their UTF-8 bytes, a page of 1000 unless `limit` says otherwise."""
        return await self._keys(namespace, prefix).page(limit, cursor)

    def _keys(self, namespace: str, prefix: str) -> Cursored[KvKey]:
        path = ROOT + join(namespace) + "/keys"
        return Cursored(self._api, path, _keys, {"prefix": prefix or None}, least=10, most=LISTED)

    async def folders(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]:
        """One level of `list`. The API cannot skip what is inside a folder: its keys are read and left out."""
        keys, limit = self._keys(namespace, prefix), LISTED if limit is None else limit
        at = place(cursor)
        found: list[KvKey] = []
        folders: list[str] = []
        while True:
            answer = await keys.fetch(at.cursor, LISTED)
            for number, row in enumerate(answer.result):
                if number < at.skip:
                    continue
                inside, slash, _ = str(row["name"])[len(prefix) :].partition("/")
                folder = prefix + inside + slash if slash else None
                if folder is not None and folder == at.folder:
                    continue
                if len(found) + len(folders) >= limit:
                    return Page(found, Place(at.cursor, number, at.folder).written(), tuple(folders))
                if folder is None:
                    found += _keys([row])
                else:
                    folders.append(folder)
                    at = at._replace(folder=folder)
            after = next_cursor(answer.info)
            if after is None:
                return Page(found, None, tuple(folders))
            at = Place(after, 0, at.folder)

    async def count(self, namespace: str, prefix: str = "") -> int:
        """How many keys there are; every page is read for it."""
        return len(await self._keys(namespace, prefix).all())

    async def get(self, namespace: str, key: str) -> KvValue:
        """A value, exact bytes. Raises `kv.key_not_found`."""
        path = ROOT + join(namespace)
        try:
            answer = await self._api.send("GET", f"{path}/values{join(key)}", enveloped=False)
            if self._live:
                known = await self._find(namespace, key)
                return KvValue(key, answer.result, known.expiration, known.metadata)
            metadata = (await self._api.get(f"{path}/metadata{join(key)}")).result
        except ApiError as error:
            raise _not_found(error, namespace, key) from None
        expiration = answer.headers.get("expiration", "")
        return KvValue(key, answer.result, int(expiration) if expiration.isdecimal() else None, metadata)

    async def value_of(self, namespace: str, key: KvKey) -> KvValue:
        """The value of a listed key, in one request; the rest as the list has it."""
        path = f"{ROOT}{join(namespace)}/values{join(key.name)}"
        try:
            answer = await self._api.send("GET", path, enveloped=False)
        except ApiError as error:
            raise _not_found(error, namespace, key.name) from None
        return KvValue(key.name, answer.result, key.expiration, key.metadata)

    async def _find(self, namespace: str, key: str) -> KvKey:
        """The key's own row of the list: it is the first that begins so."""
        page = await self.list(namespace, key, 1)
        return page.items[0] if page.items and page.items[0].name == key else KvKey(key)

    # --- writing

    async def put(
        self, namespace: str, key: str, value: bytes, expiration: int | None = None, metadata: Any = None
    ) -> None:
        """Write a value, over what was there. expiration: Unix seconds."""
        path = f"{ROOT}{join(namespace)}/values{join(key)}"
        doing = f"writing {key!r}"
        if self._live and (expiration is not None or (metadata is not None and not metadata)):
            # The mirror's write of one key drops an expiration, and metadata that JavaScript takes for false.
            await self._put_bulk(namespace, [KvValue(key, value, expiration, metadata)])
            return
        if metadata is None:
            await self._api.send(
                "PUT",
                path,
                params={"expiration": expiration},
                headers={"Content-Type": "application/octet-stream"},
                content=value,
                doing=doing,
            )
            return
        await self._api.send(
            "PUT",
            path,
            params={"expiration": expiration},
            files={
                "value": ("value", value, "application/octet-stream"),
                "metadata": (None, json.dumps(metadata).encode()),
            },
            doing=doing,
        )

    async def put_many(
        self,
        namespace: str,
        entries: Iterable[KvValue],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Write many: thousands a request on the account, one by one on the mirror. How many were written."""
        total = len(entries) if isinstance(entries, Sequence) else None
        done = 0
        for batch in _batches(entries):
            if cancel:
                cancel.check()
            await self._put_bulk(namespace, batch)
            done += len(batch)
            if progress:
                progress(done, total)
        return done

    async def _put_bulk(self, namespace: str, batch: Sequence[KvValue]) -> None:
        body = [_entry(entry) for entry in batch]
        path = f"{ROOT}{join(namespace)}/bulk"
        try:
            answer = await self._api.send("PUT", path, json_body=body, doing="a bulk write")
        except ApiError as error:
            if not self._is_older(error):
                raise
            await self._put_each(namespace, batch)
            return
        _say_what_failed(answer.result)

    async def _put_each(self, namespace: str, batch: Sequence[KvValue]) -> None:
        """On a dev server that has no bulk write yet."""
        for entry in batch:
            if entry.expiration is not None or (entry.metadata is not None and not entry.metadata):
                raise WorkbenchError("target.not_capable", _OLDER)
            await self.put(namespace, *entry)

    async def delete(self, namespace: str, key: str) -> bool:
        """Delete a key; whether it was there, as far as a list taken before can tell."""
        page = await self.list(namespace, key, 1)
        there = bool(page.items) and page.items[0].name == key
        await self._api.send(
            "DELETE", f"{ROOT}{join(namespace)}/values{join(key)}", doing=f"deleting {key!r}"
        )
        return there

    async def delete_many(
        self,
        namespace: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int:
        """Delete many; how many were asked for, since the API does not say what was there."""
        total = len(keys) if isinstance(keys, Sequence) else None
        names = iter(keys)
        done = 0
        path = f"{ROOT}{join(namespace)}/bulk/delete"
        while batch := list(islice(names, MOST_KEYS)):
            if cancel:
                cancel.check()
            try:
                # A POST, and yet safe to repeat: a key that is gone is deleted again without a word.
                answer = await self._api.send("POST", path, json_body=batch, safe=True, doing="deleting keys")
                _say_what_failed(answer.result)
            except ApiError as error:
                if not self._is_older(error):
                    raise
                for key in batch:
                    await self._api.send(
                        "DELETE", f"{ROOT}{join(namespace)}/values{join(key)}", doing="deleting keys"
                    )
            done += len(batch)
            if progress:
                progress(done, total)
        return done

    def _is_older(self, error: ApiError) -> bool:
        """Whether the dev server has no such route yet: its 404 then bears no number of the API's."""
        return self._live and error.status == 404 and not any(error.numbers)

    async def delete_namespace(self, namespace: str, dry_run: bool = False) -> Removal:
        """The namespace itself goes, with every key (not on the mirror, which cannot do that)."""
        if self._live:
            raise lacks("kv.namespaces.delete")
        page = await self.list(namespace, limit=LISTED)
        total = len(page.items) if page.cursor is None else await self.count(namespace)
        if not dry_run:
            await self._api.send(
                "DELETE", ROOT + join(namespace), doing=f"deleting the namespace {namespace}"
            )
        lines = [f"namespace {namespace}", *(f"key {key.name}" for key in page.items[: LISTED - 1])]
        note = "The namespace itself goes: a Worker that is bound to it cannot be deployed again until it is bound anew."
        return Removal(lines, total + 1, dry_run, note=note)


def _keys(rows: list[Any]) -> list[KvKey]:
    # In one go: lists of keys are long, and a call for each costs as much as all the rest of it.
    return [KvKey(row["name"], row.get("expiration"), row.get("metadata")) for row in rows]


def _not_found(error: ApiError, namespace: str, key: str) -> WorkbenchError:
    """The same words as for a local key that is not there."""
    if error.code not in ("kv.key_not_found", "remote.not_found"):
        return error
    return WorkbenchError("kv.key_not_found", f"there is no key {key!r} in {namespace}", error.hint)


def _entry(entry: KvValue) -> dict[str, Any]:
    """An entry of a bulk write: text as it is, other bytes in base64."""
    row: dict[str, Any] = {"key": entry.name}
    try:
        row["value"] = entry.value.decode("utf-8")
    except UnicodeDecodeError:
        row |= {"value": bytes_tag(entry.value)["$bytes"], "base64": True}
    if entry.expiration is not None:
        row["expiration"] = entry.expiration
    if entry.metadata is not None:
        row["metadata"] = entry.metadata
    return row


def _batches(entries: Iterable[KvValue]) -> Iterator[list[KvValue]]:
    batch: list[KvValue] = []
    size = 0
    for entry in entries:
        weight = len(entry.value) * 4 // 3 + len(entry.name) + 200
        if batch and (len(batch) >= MOST_KEYS or size + weight > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += weight
    if batch:
        yield batch


def _say_what_failed(result: Any) -> None:
    """A bulk request that is accepted may have left some out."""
    failed = result.get("unsuccessful_keys") if isinstance(result, dict) else None
    if failed:
        names = ", ".join(map(repr, failed[:5]))
        raise WorkbenchError(
            "kv.some_failed", f"{len(failed)} keys were not taken: {names}", "doing it again is safe"
        )
