"""D1 databases of the local state: `d1/miniflare-D1DatabaseObject/<hash of the id>.sqlite`.

The emulator files a database under its id (the preview id where there is one, the binding's name where there is none) and
keeps nothing but the user's own tables in it. A file says nothing of its id, so one that no config binds goes by its hash.
"""

import os

import apsw

from workbench.model.bindings import Binding, Project
from workbench.model.errors import WorkbenchError
from workbench.model.sql import D1Database
from workbench.model.state import Removal

from . import naming
from .contained import contained
from .database import exists, open_database, read, translated
from .manners import server_running
from .sql import LocalSqlDatabase

# The user's own: no shadows of virtual tables, nothing of SQLite's or the runtime's.
_TABLES = (
    "SELECT count(*) FROM pragma_table_list WHERE schema='main' AND type IN ('table','virtual')"
    " AND substr(name,1,7)<>'sqlite_' AND lower(substr(name,1,4))<>'_cf_'"
)


class LocalD1:
    """The D1 databases of a project; implements `backends.D1`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = os.path.join(project.state_directory, naming.VERSION, "d1", naming.D1)

    async def databases(self) -> list[D1Database]:
        """Those that configs bind, in their order, a row a binding; then those that only the state holds, by file name.

        size_bytes with the log; None, as the tables, where the emulator has not made it yet. A file that can't be read
        has a size and no tables.
        """
        rows = []
        bound = set()
        for worker in self._project.workers:
            for binding in worker.bindings:
                if binding.kind == "d1" and binding.resource_id is not None and binding.mode == "local":
                    rows.append(self._row(binding))
                    bound.add(self._file_id(binding.resource_id))
        for file_id in self._on_disk():
            if file_id not in bound:
                path = self._path(file_id)
                rows.append(D1Database(file_id, file_id, None, None, _size(path), _tables(path)))
        return rows

    def _row(self, binding: Binding) -> D1Database:
        database = binding.resource_id or ""
        path = self._path(database)
        there = exists(path)
        return D1Database(
            database,
            binding.resource_name or binding.name,
            binding.name,
            binding.worker,
            _size(path) if there else None,
            _tables(path) if there else None,
        )

    async def sql(self, database: str, create: bool = False) -> LocalSqlDatabase:
        """The SQL side of a database, by id or (unbound) by the hash its file is named after.

        One that a config binds reads as empty until it is written to, as the emulator has it. create: one that nothing
        binds and nothing made may be made as well; otherwise it is `d1.database_not_found`.
        """
        path = self._path(database)
        known = create or self._is_bound(database)
        if not known and not exists(path):
            raise _not_found(database, [row.name for row in await self.databases()])
        state = self._project.state_directory
        return LocalSqlDatabase(
            path, product="d1", create=known, server_running=lambda: server_running(state)
        )

    async def delete_database(self, database: str, dry_run: bool = False) -> Removal:
        """Start a database over: its file removed, or, while a server runs, emptied in place, seen by it at once."""
        path = self._path(database)
        if not exists(path):
            if self._is_bound(database):
                return Removal([], 0, dry_run)
            raise _not_found(database, [row.name for row in await self.databases()])
        if server_running(self._project.state_directory):
            return _emptied(path, dry_run)
        return _removed(path, self._project.state_directory, dry_run)

    def _is_bound(self, database: str) -> bool:
        return any(
            binding.kind == "d1" and binding.resource_id == database
            for worker in self._project.workers
            for binding in worker.bindings
        )

    def _file_id(self, database: str) -> str:
        """The name of its file: the hash of its id, or the file's own name where nothing binds it."""
        if not self._is_bound(database) and database in self._on_disk():
            return database
        return naming.object_id(naming.D1, database)

    def _path(self, database: str) -> str:
        return os.path.join(self._folder, self._file_id(database) + ".sqlite")

    def _on_disk(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return sorted(name[:-7] for name in names if name.endswith(".sqlite") and name != naming.METADATA)


def _not_found(database: str, known: list[str]) -> WorkbenchError:
    hint = (
        f"there are: {', '.join(known[:10])}" if known else "the config binds none, and the state holds none"
    )
    return WorkbenchError("d1.database_not_found", f"there is no D1 database {database}", hint)


def _size(path: str) -> int:
    return sum(os.stat(path + end).st_size for end in ("", "-wal") if os.path.exists(path + end))


def _tables(path: str) -> int | None:
    try:
        with read(path) as connection:
            count = connection.execute(_TABLES).get
            return count if isinstance(count, int) else None
    except (WorkbenchError, apsw.Error):
        return None


def _removed(path: str, state_directory: str, dry_run: bool) -> Removal:
    """The file itself first: a log left behind alone means nothing, and SQLite drops it when the file is made again."""
    contained(path)
    files = [path + end for end in ("", "-shm", "-wal") if os.path.exists(path + end)]
    lines = [f"file {os.path.relpath(path, state_directory)}"]  # its -wal and -shm are part of it
    if not dry_run:
        with translated(path):
            for file in files:
                os.remove(file)
    return Removal(lines, len(lines), dry_run)


def _emptied(path: str, dry_run: bool) -> Removal:
    names = _contents(path)
    if not dry_run:
        _empty(path)
    return Removal(names[:1000], len(names), dry_run, False, "the running server sees it empty at once")


def _contents(path: str) -> list[str]:
    """What emptying takes away, a line each."""
    try:
        with read(path) as connection:
            found = connection.execute(
                "SELECT type, CAST(name AS BLOB) FROM sqlite_schema WHERE type IN ('table','view') AND substr(name,1,7)<>'sqlite_'"
            )
            return [f"{kind} {name.decode('utf-8', 'replace')}" for kind, name in found]
    except (WorkbenchError, apsw.Error) as error:
        return [f"the content, which cannot be read: {error}"]


def _empty(path: str) -> None:
    """Put an empty database in its place, in one transaction of SQLite's backup: no file is replaced under the server."""
    connection = open_database(path, writable=True, live=True)
    template = apsw.Connection(":memory:")
    try:
        template.execute(f"PRAGMA page_size={connection.pragma('page_size')}")
        template.execute("CREATE TABLE t(a); DROP TABLE t")  # else there is no page to copy
        with connection.backup("main", template, "main") as copying:
            copying.step(-1)
    finally:
        template.close()
        connection.close()


__all__ = ["LocalD1"]
