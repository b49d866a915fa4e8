"""Finding things in a class's folder: an object, its name, its alarm, a facet by its path; what is missing is said.

One damaged file costs what it holds and nothing else: its object is listed without a name.
"""

from bisect import bisect_left
from collections.abc import Iterable

import apsw

from workbench.model.durable_objects import DoObject, Facet
from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.model.times import iso

from . import alarms, database, facets, naming, storage
from .facets import FacetEntry
from .object_files import Folder

Schedule = dict[str, tuple[int, str | None]]
"""Each object's alarm (milliseconds since 1970), and its name where the scheduler knows it."""


def schedule(folder: Folder) -> Schedule:
    """The alarms of a class; none of a damaged file."""
    path = f"{folder.path}/{naming.METADATA}"
    if not database.exists(path):
        return {}
    try:
        with database.read(path) as connection:
            return {id: (at, name) for id, at, name in alarms.scheduled(connection)}
    except WorkbenchError:
        return {}


def require(folder: Folder, namespace: str, object: str) -> None:
    """Raise `do.object_not_found` unless there is anything of the object."""
    if folder.of(object) or object in schedule(folder):
        return
    raise WorkbenchError("do.object_not_found", f"{namespace} has no object {object}", _hint(folder))


def _hint(folder: Folder) -> str:
    ids = folder.ids()
    if not ids:
        return "no object of this class has ever run here"
    names = [name for name in (name_of(folder, id) for id in ids[:20]) if name]
    few = list_of(names[:5] or ids[:2])
    return f"there are {len(ids)}, for example {few}" if len(ids) > 1 else f"there is only {few}"


def place(folder: Folder, namespace: str, object: str, path: tuple[str, ...]) -> int:
    """The number of the database that an object (0) or a path of facets names; raises where either is not there."""
    require(folder, namespace, object)
    if not path:
        return 0
    entry = _find(entries_of(folder, object), path)
    if not folder.has(object, entry.id):
        raise WorkbenchError("do.facet_not_found", f"the facet {_shown(path)} was deleted")
    return entry.id


def describe(folder: Folder, schedule: Schedule, object: str) -> DoObject:
    """An object as lists show it."""
    at, name = schedule.get(object, (None, None))
    if name is None:
        name = name_of(folder, object)
    return DoObject(object, name, None if at is None else iso(at), _live_facets(folder, object))


def _live_facets(folder: Folder, object: str) -> int:
    if folder.facet_index(object) is None:
        return 0
    try:
        return sum(folder.has(object, entry.id) for entry in entries_of(folder, object))
    except WorkbenchError:
        return sum(name.endswith(".sqlite") for name in folder.of(object)) - folder.has(object)


def facet_tree(folder: Folder, object: str) -> tuple[Facet, ...]:
    """An object's facets, deleted ones included, in the order they were first used."""
    entries = entries_of(folder, object)
    children: dict[int, list[Facet]] = {}
    for entry in reversed(entries):
        inside = tuple(reversed(children.pop(entry.id, [])))
        facet = _facet(folder, object, facets.path_of(entries, entry), entry, inside)
        children.setdefault(entry.parent, []).append(facet)
    return tuple(reversed(children.get(0, [])))


def room(folder: Folder, object: str) -> Facet:
    """The object's own database as the room that its facets lie in: number 0, no name."""
    inside = facet_tree(folder, object)
    return _facet(folder, object, (), FacetEntry(0, 0, ""), inside)._replace(deleted=False)


def with_scheduled(ids: list[str], scheduled: Iterable[str]) -> list[str]:
    """The ids, in order, with those that only the alarms know."""
    extra = [id for id in scheduled if (at := bisect_left(ids, id)) == len(ids) or ids[at] != id]
    return sorted([*ids, *extra]) if extra else ids


def name_of(folder: Folder, object: str) -> str | None:
    """An object's name where the emulator noted it; a damaged file has none."""
    if not folder.has(object):
        return None
    try:
        with database.read(folder.database(object)) as connection:
            return storage.object_name(connection)
    except (WorkbenchError, apsw.Error):
        return None


def entries_of(folder: Folder, object: str) -> list[FacetEntry]:
    """The facet index; empty, and nothing read, where there is none. Raises `do.facet_index`."""
    path = folder.facet_index(object)
    return [] if path is None else facets.read_index(path)


def subtree(folder: Folder, object: str, path: tuple[str, ...]) -> list[FacetEntry]:
    """The entry of a path of facets, and of all facets inside it. Raises `do.facet_not_found`."""
    entries = entries_of(folder, object)
    top = _find(entries, path)
    return [top, *facets.below(entries, top.id)]


def _find(entries: list[FacetEntry], path: tuple[str, ...]) -> FacetEntry:
    """The entry of a path of facets, or `do.facet_not_found` with the names there are at the step that fails."""
    found = facets.find(entries, path)
    if found is not None:
        return found
    reached = next(at for at in range(len(path)) if facets.find(entries, path[: at + 1]) is None)
    above = facets.find(entries, path[:reached])
    names = [entry.name for entry in entries if entry.parent == (above.id if above else 0)]
    where = f"in {_shown(path[:reached])} " if reached else ""
    message = f"the object has no facet {_shown(path[reached : reached + 1])} {where}".rstrip()
    raise WorkbenchError("do.facet_not_found", message, _names_hint(path[reached], names))


def _names_hint(wanted: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    known = list(names)
    near = get_close_matches(wanted, known, 3, 0.5)
    if near:
        return f"did you mean {list_of(near)}?"
    return f"there are {list_of(known[:5])}" if known else "it has never had any"


def list_of(names: Iterable[str]) -> str:
    """Names for a message, made visible."""
    return ", ".join(visible(name, limit=80) for name in names)


def _shown(path: tuple[str, ...]) -> str:
    return " ▸ ".join(visible(name, limit=80) for name in path)


def _facet(
    folder: Folder, object: str, path: tuple[str, ...], entry: FacetEntry, inside: tuple[Facet, ...]
) -> Facet:
    size = tables = keys = 0
    there = folder.has(object, entry.id)
    if there:
        try:
            with database.read(folder.database(object, entry.id)) as connection:
                size, tables, keys = storage.overview(connection)
        except (WorkbenchError, apsw.Error):
            # Shown with nothing in it; opening it says what is wrong with the file.
            pass
    return Facet(entry.name, path, entry.id, entry.parent, size, tables, keys, not there, inside)
