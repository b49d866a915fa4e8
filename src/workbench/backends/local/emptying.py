"""Starting over with an object, a facet or a Workflow's instance: files removed, or emptied in place beside a server.

A running server keeps a removed file open and goes on writing to it, unseen; so while one runs a database is replaced,
in one short transaction, by one that holds only the runtime's own tables, empty. (It must not miss those: an object
that is awake made them once and does not look again.)
"""

import os

import apsw

from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal

from . import alarms, database, storage
from .facets import FacetEntry, path_of
from .lookup import entries_of
from .object_files import Folder

_KEPT = ("_cf_KV", "_cf_METADATA", "_cf_EXTERNALS", "__miniflare_do_name")
_MOST_LINES = 1000
LIVE_NOTE = (
    "A server is running, so the databases are emptied in place. An object that is awake misses its tables until it "
    "starts again: after ten seconds without a request, or with the server."
)
LIVE_ALARM_NOTE = " The server forgets its alarm with its next start."


def remove_object(
    folder: Folder, object: str, *, what: str, live: bool, dry_run: bool, keep_tables: bool = False
) -> Removal:
    """Everything of an object: its alarm, its database, its facets, their index.

    what: what a person calls its database. keep_tables: what is emptied in place keeps its tables without their rows
    (the engine of Workflows needs its own).
    """
    alarm = _has_alarm(folder, object)
    names = sorted(
        folder.of(object), key=lambda name: (name != f"{object}.sqlite", name.endswith(".facets"), name)
    )
    databases = [name for name in names if name.endswith(".sqlite")]
    lines = [f"alarm of {object}"] if alarm else []
    lines += _lines(
        folder, databases if live else names, {f"{object}.sqlite": what} | _facets(folder, object)
    )
    if not dry_run:
        if alarm:
            with database.write(f"{folder.path}/metadata.sqlite") as connection:
                alarms.schedule(connection, object, None, None)
        _go(folder, databases if live else names, live, keep_tables)
    note = (LIVE_NOTE if databases else "") + (LIVE_ALARM_NOTE if alarm else "") if live else ""
    return Removal(lines[:_MOST_LINES], len(lines), dry_run, live and alarm, note)


def remove_facets(
    folder: Folder, object: str, entries: list[FacetEntry], *, live: bool, dry_run: bool
) -> Removal:
    """The databases of these facets; their numbers stay in the index."""
    databases = [f"{object}.{entry.id}.sqlite" for entry in entries if folder.has(object, entry.id)]
    names = [name + end for name in databases for end in ("", "-wal", "-shm") if name + end in folder.names]
    lines = _lines(folder, databases, _facets(folder, object))
    if not dry_run:
        _go(folder, databases if live else names, live)
    return Removal(lines[:_MOST_LINES], len(lines), dry_run, False, LIVE_NOTE if live and databases else "")


def _has_alarm(folder: Folder, object: str) -> bool:
    if "metadata.sqlite" not in folder.names:
        return False
    try:
        with database.read(f"{folder.path}/metadata.sqlite") as connection:
            return bool(alarms.scheduled(connection, object))
    except WorkbenchError:
        return False


def _facets(folder: Folder, object: str) -> dict[str, str]:
    """What a person calls the databases of an object's facets."""
    try:
        entries = entries_of(folder, object)
    except WorkbenchError:  # a damaged index: their files' names have to do
        return {}
    return {
        f"{object}.{entry.id}.sqlite": f"facet {' ▸ '.join(path_of(entries, entry))}" for entry in entries
    }


def _lines(folder: Folder, names: list[str], called: dict[str, str]) -> list[str]:
    """A line a database or index, with its file. A database's `-wal` and `-shm` are part of it."""
    where = "/".join(folder.path.rsplit("/", 2)[1:])
    whole = [name for name in names if not name.endswith(("-wal", "-shm"))]
    return [f"{called.get(name, 'file')} {where}/{name}" for name in whole]


def _go(folder: Folder, names: list[str], live: bool, keep_tables: bool = False) -> None:
    """In the order given: the database before its `-wal`, so that nothing half removed can come back."""
    for name in names:
        path = f"{folder.path}/{name}"
        if live:
            empty_in_place(path, keep_tables)
        else:
            try:
                os.remove(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise WorkbenchError(
                    "state.read_only",
                    f"{path} can't be removed: {error.strerror}",
                    "nothing after it was removed",
                ) from error


def empty_in_place(path: str, keep_tables: bool = False) -> None:
    """Replace what a database holds by the runtime's own tables (or all of them), empty; the object's name is kept."""
    template = apsw.Connection(":memory:")
    try:
        with database.read(path) as connection:
            template.pragma("page_size", connection.pragma("page_size"))
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
            name = storage.object_name(connection)
        for table, sql in rows:
            if table in _KEPT or (keep_tables and not str(table).startswith("sqlite_")):
                template.execute(str(sql))
        if name is not None:
            template.execute("INSERT INTO __miniflare_do_name (id, name) VALUES (1, ?)", (name,))
        with database.translated(path):
            target = database.open_database(path, writable=True, live=True)
            try:
                with target.backup("main", template, "main") as copying:
                    copying.step(-1)
            finally:
                target.close()
    finally:
        template.close()
