"""Durable Objects through the API: namespaces and their objects; on a dev server's mirror also names and SQL.

Sources: the API's pages (workers/durable_objects), miniflare's explorer. The mirror lists a facet's file as if it were an object
(`<id>.<number>`); those are left out here.
"""

import re
from typing import Any

from workbench.backends.local.naming import id_from_name, is_object_id
from workbench.model.bindings import Project
from workbench.model.durable_objects import Alarm, DoNamespace, DoObject, Facet, StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.sql import SqlResult
from workbench.model.state import Removal

from .api import Api, join
from .offers import lacks
from .paging import Cursored, numbered
from .shapes import whole
from .sql import CloudSql, Statement, value

ROOT = "/workers/durable_objects/namespaces"
_ID = re.compile(r"[0-9a-f]{32}")


class CloudDurableObjects:
    """The product; see the protocol `DurableObjects`. Namespaces go by id: 32 hex digits, or the mirror's `<script>-<Class>`."""

    def __init__(self, api: Api, project: Project, *, live: bool) -> None:
        self._api = api.of("do")
        self._project = project
        self._live = live
        self._ids: dict[str, str] = {}

    async def namespaces(self) -> list[DoNamespace]:
        """All of them; those that the config binds with the binding's name."""
        rows = (await self._api.get(ROOT)).result if self._live else await numbered(self._api, ROOT)
        return [self._namespace(row) for row in rows]

    async def _path(self, namespace: str) -> str:
        """Where a namespace is. The account has ids of its own: `<script>-<Class>`, as a config's bindings have it, is looked up."""
        if self._live or _ID.fullmatch(namespace):
            return ROOT + join(namespace)
        if namespace not in self._ids:
            self._ids = {f"{one.script}-{one.class_name}": one.id for one in await self.namespaces()}
        if namespace not in self._ids:
            raise WorkbenchError(
                "do.namespace_not_found", f"the account has no Durable Object namespace {namespace}"
            )
        return ROOT + join(self._ids[namespace])

    def _namespace(self, row: Any) -> DoNamespace:
        class_name, script = str(row.get("class") or row.get("name")), str(row.get("script") or "")
        binding = next(
            (
                binding
                for worker in self._project.workers
                for binding in worker.bindings
                if binding.kind == "durable_object"
                and binding.resource_id == f"{script}-{class_name}"
                and binding.bound
            ),
            None,
        )
        return DoNamespace(
            str(row["id"]),
            class_name,
            script,
            binding.name if binding else None,
            binding.worker if binding else None,
            row.get("use_sqlite"),
            binding is not None,
        )

    async def object_id(self, namespace: str, name_or_id: str) -> str:
        """An id as it is; a name's id only on the mirror, whose ids are made as the emulator's files are named."""
        if len(name_or_id) == 64 and all(letter in "0123456789abcdef" for letter in name_or_id):
            return name_or_id
        if not self._live:
            raise lacks("do.names", live=False)
        return name_or_id if is_object_id(namespace, name_or_id) else id_from_name(namespace, name_or_id)

    async def objects(
        self, namespace: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[DoObject]:
        """Objects that have stored data, by id. Names only on the mirror; neither side tells of alarms or facets here."""
        page = await (await self._listed(namespace)).page(limit, cursor)
        return page._replace(items=[one for one in page.items if "." not in one.id])

    async def _listed(self, namespace: str) -> Cursored[DoObject]:
        def made(rows: list[Any]) -> list[DoObject]:
            return [DoObject(str(row["id"]), row.get("name"), None, 0) for row in rows]

        return Cursored(self._api, f"{await self._path(namespace)}/objects", made, least=10, most=10_000)

    async def object(self, namespace: str, object: str) -> DoObject:
        """One object. The mirror has it in its list only."""
        if not self._live:
            raise lacks("do.objects.get", live=False)
        found = next((one for one in await (await self._listed(namespace)).all() if one.id == object), None)
        if found is None:
            raise WorkbenchError("do.object_not_found", f"there is no object {object} in {namespace}")
        return found

    async def object_ids(self, namespace: str) -> list[str]:
        """The ids of all of them, in order."""
        return sorted(one.id for one in await (await self._listed(namespace)).all() if "." not in one.id)

    async def sql(self, namespace: str, object: str, facets: tuple[str, ...] = ()) -> CloudSql:
        """An object's SQL database, on the mirror."""
        if facets:
            raise lacks("do.facets", live=self._live)
        if not self._live:
            raise lacks("do.sql", live=False)

        async def run(statements: list[Statement], reads: bool) -> list[SqlResult]:
            body = {"durable_object_id": object, "queries": [statement.body() for statement in statements]}
            answer = await self._api.send(
                "POST", f"{ROOT}{join(namespace)}/query", json_body=body, safe=reads, doing="running SQL"
            )
            return [_result(row) for row in answer.result]

        return CloudSql(run, object)

    async def facets(self, namespace: str, object: str) -> tuple[Facet, ...]:
        raise lacks("do.facets", live=self._live)

    async def room(self, namespace: str, object: str) -> Facet:
        raise lacks("do.facets", live=self._live)

    async def alarms(self, namespace: str) -> list[Alarm]:
        raise lacks("do.alarms", live=self._live)

    async def set_alarm(self, namespace: str, object: str, scheduled_ms: int | None) -> str:
        raise lacks("do.alarms", live=self._live)

    async def storage_list(
        self,
        namespace: str,
        object: str,
        facets: tuple[str, ...] = (),
        prefix: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[StorageEntry]:
        raise lacks("do.storage", live=self._live)

    async def storage_get(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        raise lacks("do.storage", live=self._live)

    async def storage_put(
        self, namespace: str, object: str, key: str, value: Any, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        raise lacks("do.storage", live=self._live)

    async def storage_put_raw(
        self, namespace: str, object: str, key: str, raw: bytes, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        raise lacks("do.storage", live=self._live)

    async def storage_delete(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> bool:
        raise lacks("do.storage", live=self._live)

    async def delete_object(self, namespace: str, object: str, dry_run: bool = False) -> Removal:
        raise lacks("do.objects.delete", live=self._live)

    async def delete_facet(
        self, namespace: str, object: str, facets: tuple[str, ...], dry_run: bool = False
    ) -> Removal:
        raise lacks("do.facets", live=self._live)


def _result(row: Any) -> SqlResult:
    """A statement's part of an answer: `{"columns", "rows", "meta"}`."""
    meta = row.get("meta") or {}
    written = whole(meta.get("rows_written"))
    return SqlResult(
        [str(name) for name in row.get("columns") or []],
        [tuple(map(value, cells)) for cells in row.get("rows") or []],
        whole(meta.get("rows_read")),
        written,
        written or 0,
        0.0,
    )
