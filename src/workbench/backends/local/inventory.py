"""Everything that lies in the state directory, as what it is; and starting over with all of it.

Which products keep what where: miniflare's plugins (`getPersistPath` in each), looked up in the one wrangler 4.164.0
brings. A folder that none of them makes is still listed: as a product not known yet where it holds databases as the
emulator makes them, else as foreign, and foreign things are never removed.
"""

import os
from typing import NamedTuple

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal, StateEntry

from . import database, naming
from .measuring import Measure, count_objects, file_size, is_emulators, listing, measure, measure_entry

LEFTOVER = ".deleted-"
"""How a folder begins that is being removed; one that is found is left of a removal that was stopped."""
_MOST_LOOKED_INTO = 500


class Named(NamedTuple):
    """A product whose databases lie in one folder, each named by a hash. kind: of its entries. bound_as: of its bindings."""

    kind: str
    unique_key: str
    noun: str
    bound_as: str = ""


NAMED = {
    "kv": Named("kv", naming.KV, "KV namespace", "kv"),
    "r2": Named("r2", naming.R2, "R2 bucket", "r2"),
    "d1": Named("d1", naming.D1, "D1 database", "d1"),
    "cache": Named("cache", "miniflare-CacheObject", "the Cache API's cache"),
    "secrets-store": Named(
        "secrets_store",
        "miniflare-secrets-store-KVNamespaceObject",
        "secrets store",
        "secrets_store_secret",
    ),
    "images": Named("images", "miniflare-images-KVNamespaceObject", "images", "images"),
}
WHOLE = {
    "observability": ("observability", "traces and logs of the dev server"),
    "flagship": ("flagship", "feature flags"),
    "stream": ("stream", "videos of Stream"),
    "ratelimit": ("ratelimit", "counters of rate limits"),
    "artifacts": ("artifacts", "repositories of Artifacts"),
    "hello-world": ("hello_world", "wrangler's example product"),
    "email": ("email", "e-mail"),
    "queues": ("queue", "messages of queues"),
    "analytics-engine": ("analytics_engine", "data points of Analytics Engine"),
    "pipelines": ("pipeline", "records of pipelines"),
}
"""Products listed as one thing; folder to kind and what it holds."""


class LocalState:
    """The state directory as a whole; see the protocol `StateStore`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._root = os.path.join(project.state_directory, naming.VERSION)

    async def entries(self) -> list[StateEntry]:
        """Everything below `v3`, the products in order of their folders' names. Every file is in exactly one entry."""
        return Inventory(self._project).entries()

    async def delete(self, dry_run: bool = False) -> Removal:
        """Start over: see `starting_over.delete_all`."""
        from .starting_over import delete_all

        return await delete_all(self._project, dry_run=dry_run)


class Inventory:
    """One look at a state directory."""

    def __init__(self, project: Project) -> None:
        self._root = os.path.join(project.state_directory, naming.VERSION)
        self._bindings = [binding for worker in project.workers for binding in worker.bindings]
        self._looked_into = 0

    def entries(self) -> list[StateEntry]:
        found: list[StateEntry] = []
        for entry in listing(self._root):
            if not entry.is_dir(follow_symlinks=False):
                found.append(self._foreign(entry.name, entry))
            elif entry.name in NAMED:
                found += self._named(entry.name, NAMED[entry.name])
            elif entry.name == "do":
                found += self._objects()
            elif entry.name == "workflows":
                found += self._workflows()
            else:
                found.append(self._whole(entry.name))
        return found

    # -- products whose databases are named by a hash

    def _named(self, product: str, what: Named) -> list[StateEntry]:
        folders = {entry.name: entry for entry in listing(os.path.join(self._root, product))}
        databases = self._databases(product, what.unique_key, folders.pop(what.unique_key, None))
        found: list[StateEntry] = []
        bound = self._bound_ids(what.bound_as)
        for name in [*bound, *(name for name in folders if name not in bound)]:
            file = naming.id_from_name(what.unique_key, name)
            blobs = folders.pop(naming.folder_name(name), None)
            group = databases.pop(file, None)
            if group is None and blobs is None:
                continue
            path = f"{product}/{naming.folder_name(name)}"
            note = f"{what.noun} {self._title(what.bound_as, name)}"
            if blobs is not None and not blobs.is_dir(follow_symlinks=False):
                found.append(self._foreign(f"{product}/{blobs.name}", blobs))
                continue
            if group is None:
                note = f"values of {what.noun} {name}, whose database is missing"
            else:
                path = f"{product}/{what.unique_key}/{file}.sqlite"
                note += self._fault(path, group)
            size = (group or Measure()).plus(measure(blobs.path) if blobs else Measure())
            found.append(self._entry(what.kind, path, size, name, name in bound, note))
        for file, group in databases.items():
            found.append(self._nameless(product, what, file, group))
        return found

    def _databases(
        self, product: str, unique_key: str, folder: "os.DirEntry[str] | None"
    ) -> dict[str, Measure]:
        """The databases of a folder with their `-wal` and `-shm`, by the name of the file without its ending."""
        found: dict[str, Measure] = {}
        for entry in listing(folder.path) if folder is not None else []:
            stem = entry.name.partition(".sqlite")[0] if ".sqlite" in entry.name else entry.name
            found[stem] = found.get(stem, Measure()).plus(measure_entry(entry))
        return found

    def _nameless(self, product: str, what: Named, file: str, group: Measure) -> StateEntry:
        path = f"{product}/{what.unique_key}/{file}"
        if file == naming.METADATA.removesuffix(".sqlite"):
            return self._entry("runtime", f"{path}.sqlite", group, None, False, "the runtime's own: alarms")
        if not naming.is_object_id(what.unique_key, file):
            return self._entry("foreign", path, group, None, False, "not the emulator's")
        path += ".sqlite"
        note = f"{what.noun} whose name is not known: no binding has it, and nothing tells it"
        return self._entry(what.kind, path, group, None, False, note + self._fault(path, group))

    def _bound_ids(self, kind: str) -> list[str]:
        ids = [one.resource_id for one in self._bindings if one.kind == kind and one.bound]
        return list(dict.fromkeys(one for one in ids if one is not None))

    def _title(self, kind: str, id: str) -> str:
        """What a person calls it, where a configuration says so."""
        titles = (one.resource_name for one in self._bindings if one.kind == kind and one.resource_id == id)
        return next((title for title in titles if title), id)

    def _fault(self, path: str, group: Measure) -> str:
        """What is wrong with a database, for the end of a note. Only the first 500 are looked into."""
        full = os.path.join(self._root, path)
        size = file_size(full)
        if size is None:
            return "; its main file is missing"
        if size % 512:
            return "; its database is cut short"
        self._looked_into += 1
        if self._looked_into > _MOST_LOOKED_INTO:
            return ""
        try:
            with database.read(full):
                return ""
        except WorkbenchError as error:
            return f"; {error.message}"

    # -- a folder a class, a folder a Workflow

    def _objects(self) -> list[StateEntry]:
        bindings = {one.resource_id: one for one in self._bindings if one.kind == "durable_object"}
        found = []
        for entry in listing(os.path.join(self._root, "do")):
            if not entry.is_dir(follow_symlinks=False):
                found.append(self._foreign(f"do/{entry.name}", entry))
                continue
            objects, cut = count_objects(entry.path)
            note = f"{objects} object{'s' * (objects != 1)}"
            note += f"; {cut} database{'s' * (cut != 1)} cut short" if cut else ""
            binding = bindings.get(entry.name)
            bound = any(
                one.bound
                for one in self._bindings
                if one.kind == "durable_object" and one.resource_id == entry.name
            )
            if binding is None:
                note += "; no configuration names this class"
            elif not bound:
                note += "; no binding, reached through ctx.exports"
            size = measure(entry.path)
            found.append(self._entry("durable_object", f"do/{entry.name}", size, entry.name, bound, note))
        return found

    def _workflows(self) -> list[StateEntry]:
        bound = self._bound_ids("workflow")
        found = []
        for entry in listing(os.path.join(self._root, "workflows")):
            if not entry.is_dir(follow_symlinks=False):
                found.append(self._foreign(f"workflows/{entry.name}", entry))
                continue
            name = entry.name.removeprefix(naming.WORKFLOWS_PREFIX)
            instances, cut = count_objects(entry.path)
            note = f"{instances} instance{'s' * (instances != 1)}"
            note += f"; {cut} cut short" if cut else ""
            size = measure(entry.path)
            found.append(self._entry("workflow", f"workflows/{entry.name}", size, name, name in bound, note))
        return found

    # -- what is listed as one thing

    def _whole(self, name: str) -> StateEntry:
        path = os.path.join(self._root, name)
        size = measure(path)
        if name.startswith(LEFTOVER):
            note = "left of a removal that was stopped; state delete finishes it"
            return self._entry("leftover", name, size, None, False, note)
        if name in WHOLE:
            kind, note = WHOLE[name]
            return self._entry(kind, name, size, None, self._is_bound(kind), note)
        if is_emulators(path):
            note = "a product this version does not know"
            return self._entry("unknown", name, size, name, False, note)
        return self._entry("foreign", name, size, None, False, "not the emulator's")

    def _is_bound(self, kind: str) -> bool:
        return any(one.kind in (kind, f"{kind}_producer") for one in self._bindings)

    def _foreign(self, path: str, entry: "os.DirEntry[str]") -> StateEntry:
        note = "a link, not followed" if entry.is_symlink() else "not the emulator's"
        return self._entry("foreign", path, measure_entry(entry), None, False, note)

    def _entry(
        self, kind: str, path: str, size: Measure, resource: str | None, bound: bool, note: str
    ) -> StateEntry:
        return StateEntry(kind, f"{naming.VERSION}/{path}", size.size, size.files, resource, bound, note)
