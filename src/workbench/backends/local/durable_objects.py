"""Durable Objects in the emulator's state directory: `do/<script>-<Class>/`.

Nothing here needs the server: names, alarms, facets and entries are read from the files themselves. An object without
facets has no index, and none is looked for.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from workbench.model.bindings import Project
from workbench.model.durable_objects import Alarm, DoNamespace, DoObject, Facet, StorageEntry
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.text import visible
from workbench.model.times import iso

from . import alarms, database, lookup, naming, storage
from .manners import server_running
from .object_files import Folder, is_id, list_folder

if TYPE_CHECKING:
    from .sql import LocalSqlDatabase

ALARM_NOTE_LIVE = (
    "The running server keeps its alarms in memory: it goes by this one after its next start, not before."
)
ALARM_NOTE_STOPPED = "The emulator goes by it when it starts."


class LocalDurableObjects:
    """The product of the local backend; see the protocol `DurableObjects`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._state = project.state_directory
        self._folder = f"{project.state_directory}/v3/do"

    # -- classes

    async def namespaces(self) -> list[DoNamespace]:
        """Bound classes in the order of the configs, then those that only lie on disk, by id."""
        found: dict[str, DoNamespace] = {}
        for binding in (one for worker in self._project.workers for one in worker.bindings):
            if binding.kind != "durable_object" or binding.resource_id is None:
                continue
            known = found.get(binding.resource_id)
            if known is not None and (known.sqlite is not None or binding.detail.get("sqlite") is None):
                continue
            class_name = binding.resource_name or binding.name
            found[binding.resource_id] = DoNamespace(
                id=binding.resource_id,
                class_name=class_name,
                script=binding.resource_id[: -len(class_name) - 1],
                binding=known.binding if known else binding.name if binding.bound else None,
                worker=known.worker if known else binding.worker,
                sqlite=binding.detail.get("sqlite"),
                bound=binding.bound or (known is not None and known.bound),
            )
        for name in sorted(list_folder(self._folder).names - found.keys()):
            if self._count(name) is not None:
                script, _, class_name = name.rpartition("-")
                found[name] = DoNamespace(name, class_name, script, bound=False)
        return [one._replace(objects=self._count(one.id)) for one in found.values()]

    def _count(self, namespace: str) -> int | None:
        """How many objects; None where there is no folder, or none that can be listed."""
        try:
            folder = self._list(namespace)
        except WorkbenchError:
            return None
        return len(folder.ids()) if folder.listed else None

    def _list(self, namespace: str) -> Folder:
        return list_folder(self._path(namespace))

    def _place(self, namespace: str, object: str, facets: tuple[str, ...]) -> tuple[Folder, int]:
        """The class's folder, and the number of the object's database or of its facet's."""
        folder = self._list(namespace)
        return folder, lookup.place(folder, namespace, object, facets)

    def _path(self, namespace: str) -> str:
        if "/" in namespace or namespace in ("", ".", ".."):
            raise WorkbenchError("do.namespace_not_found", f"no class has the id {namespace!r}")
        return f"{self._folder}/{namespace}"

    def _legacy(self, namespace: str) -> bool:
        """Whether a config says that the class keeps its storage the old way."""
        bindings = (one for worker in self._project.workers for one in worker.bindings)
        return any(
            one.detail.get("sqlite") is False
            for one in bindings
            if one.kind == "durable_object" and one.resource_id == namespace
        )

    # -- objects

    async def object_id(self, namespace: str, name_or_id: str) -> str:
        """An id of the class, or of a file that is there, as given; of anything else what `idFromName` makes of it."""
        if is_id(name_or_id) and (
            naming.is_object_id(namespace, name_or_id) or self._list(namespace).of(name_or_id)
        ):
            return name_or_id
        return naming.id_from_name(namespace, name_or_id)

    async def object_ids(self, namespace: str) -> list[str]:
        """The ids of all objects, in order: those with files, and those that only the alarms know."""
        folder = self._list(namespace)
        return lookup.with_scheduled(folder.ids(), lookup.schedule(folder))

    async def objects(
        self, namespace: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[DoObject]:
        """In the order of their ids; only the page's own files are opened."""
        folder = self._list(namespace)
        schedule = lookup.schedule(folder)
        ids = lookup.with_scheduled(folder.ids(), schedule)
        if cursor is not None:
            ids = ids[bisect_right(ids, cursor) :]
        page = ids if limit is None else ids[:limit]
        items = [lookup.describe(folder, schedule, id) for id in page]
        return Page(items, page[-1] if page and len(page) < len(ids) else None)

    async def object(self, namespace: str, object: str) -> DoObject:
        """One of them. Raises `do.object_not_found`."""
        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        return lookup.describe(folder, lookup.schedule(folder), object)

    # -- facets

    async def facets(self, namespace: str, object: str) -> tuple[Facet, ...]:
        """The tree of an object's facets, deleted ones included, in the order they were first used."""
        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        return lookup.facet_tree(folder, object)

    async def room(self, namespace: str, object: str) -> Facet:
        """The object's own database (number 0, no name), with its facets inside."""
        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        return lookup.room(folder, object)

    # -- storage

    async def sql(self, namespace: str, object: str, facets: tuple[str, ...] = ()) -> "LocalSqlDatabase":
        """The database, for SQL. An object known only by its facets or its alarm gets one with the first write."""
        from .sql import LocalSqlDatabase

        folder, number = self._place(namespace, object, facets)
        return LocalSqlDatabase(
            folder.database(object, number),
            product="do",
            create=not folder.has(object, number),
            server_running=lambda: server_running(self._state),
        )

    async def storage_list(
        self,
        namespace: str,
        object: str,
        facets: tuple[str, ...] = (),
        prefix: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[StorageEntry]:
        """Entries in the order of their keys' UTF-8 bytes."""
        folder, number = self._place(namespace, object, facets)
        if not folder.has(object, number):
            return Page([])
        with database.read(folder.database(object, number)) as connection:
            return storage.entries(connection, prefix, limit, cursor)

    async def storage_get(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        folder, number = self._place(namespace, object, facets)
        hint = ""
        if folder.has(object, number):
            with database.read(folder.database(object, number)) as connection:
                found = storage.read(connection, key)
                if found is not None:
                    return found
                hint = lookup.list_of(storage.near(connection, key))
        message = f"no entry has the key {visible(key, limit=80)}"
        raise WorkbenchError("do.key_not_found", message, f"did you mean {hint}?" if hint else "")

    async def storage_put(
        self, namespace: str, object: str, key: str, value: Any, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        """Encodes a tagged value. Where the entry already holds just that, its bytes stay as they are."""
        from . import v8

        raw = v8.encode(value)
        folder, number = self._place(namespace, object, facets)
        if folder.has(object, number):
            with database.read(folder.database(object, number)) as connection:
                old = storage.read(connection, key)
            if old is not None and not old.undecoded and v8.says(old.value, raw):
                return old
        return await self.storage_put_raw(namespace, object, key, raw, facets)

    async def storage_put_raw(
        self, namespace: str, object: str, key: str, raw: bytes, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        """Writes bytes as they are; raises `do.key_too_long` or `do.value_too_large` as the platform would."""
        storage.check(key, raw, self._legacy(namespace))
        folder, number = self._place(namespace, object, facets)
        with database.write(
            folder.database(object, number), create=not folder.has(object, number)
        ) as connection:
            storage.write(connection, key, raw)
        return storage.entry(storage.key_bytes(key), raw)

    async def storage_delete(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> bool:
        folder, number = self._place(namespace, object, facets)
        if not folder.has(object, number):
            return False
        with database.write(folder.database(object, number)) as connection:
            return storage.remove(connection, key)

    # -- alarms

    async def alarms(self, namespace: str) -> list[Alarm]:
        """Soonest first."""
        folder = self._list(namespace)
        if naming.METADATA not in folder.names:
            return []
        with database.read(f"{folder.path}/{naming.METADATA}") as connection:
            rows = alarms.scheduled(connection)
        return [Alarm(id, name or lookup.name_of(folder, id), iso(at)) for id, at, name in rows]

    async def set_alarm(self, namespace: str, object: str, scheduled_ms: int | None) -> str:
        """The order of the two writes is the runtime's own: a crash between them leaves an alarm that is put right
        when it fires, never one that is promised and does not fire."""
        if scheduled_ms is not None and not 0 <= scheduled_ms <= alarms.LATEST_MS:
            raise UsageError(f"no alarm can be set for {iso(scheduled_ms)}")
        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        name = lookup.name_of(folder, object)
        if scheduled_ms is not None:
            self._schedule_alarm(folder, object, scheduled_ms, name)
        if folder.has(object):
            with database.write(folder.database(object)) as connection:
                alarms.remember(connection, scheduled_ms)
        elif scheduled_ms is not None:
            with database.write(folder.database(object), create=True) as connection:
                alarms.remember(connection, scheduled_ms)
        if scheduled_ms is None:
            self._schedule_alarm(folder, object, None, name)
        return ALARM_NOTE_LIVE if server_running(self._state) else ALARM_NOTE_STOPPED

    def _schedule_alarm(self, folder: Folder, object: str, at_ms: int | None, name: str | None) -> None:
        path = f"{folder.path}/{naming.METADATA}"
        there = naming.METADATA in folder.names
        if at_ms is None and not there:
            return
        with database.write(path, create=not there) as connection:
            alarms.schedule(connection, object, at_ms, name)

    # -- starting over

    async def delete_object(self, namespace: str, object: str, dry_run: bool = False) -> Removal:
        """The object with its facets and its alarm. Emptied in place while a server runs, files removed otherwise."""
        from .emptying import remove_object

        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        what = f"object {lookup.name_of(folder, object) or ''}".rstrip()
        live = server_running(self._state)
        return remove_object(folder, object, what=what, live=live, dry_run=dry_run)

    async def delete_facet(
        self, namespace: str, object: str, facets: tuple[str, ...], dry_run: bool = False
    ) -> Removal:
        """A facet and those inside it; the index keeps its number, as the runtime leaves it."""
        from .emptying import remove_facets

        folder = self._list(namespace)
        lookup.require(folder, namespace, object)
        if not facets:
            raise UsageError(
                "no facet is named", "An object with all its facets goes by deleting the object."
            )
        gone = lookup.subtree(folder, object, facets)
        return remove_facets(folder, object, gone, live=server_running(self._state), dry_run=dry_run)
