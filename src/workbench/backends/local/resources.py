"""Named things with a database and a folder of values: KV namespaces and R2 buckets on disk, bound or not.

A database's file name is a hash, so its name is known only from a config or from a folder beside it whose name hashes to it.
One that neither knows (it never held a value, or its name has characters a folder can't have) goes by its id.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import apsw

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal

from .blobs import Blobs
from .contained import contained
from .database import exists, read, write
from .faults import translated, unknown_format
from .naming import METADATA, VERSION, blobs_folder, database_path, folder_name, id_from_name, is_object_id

MOST_LISTED = 1000
"""Lines that a Removal holds."""


class Resource:
    """One of them. name: the namespace's id or the bucket's name. path: its database, which need not be there."""

    def __init__(self, product: str, unique_key: str, state_directory: str, name: str) -> None:
        self.name = name
        self.state_directory = state_directory
        self._folder = os.path.join(state_directory, VERSION, product)
        self.nameless = is_object_id(unique_key, name)
        if self.nameless:
            self.path = os.path.join(self._folder, unique_key, name + ".sqlite")
        else:
            self.path = database_path(state_directory, product, unique_key, name)
        self._product = product

    @cached_property
    def blobs(self) -> Blobs:
        """The files of its values."""
        return Blobs(blobs_folder(self.state_directory, self._product, self.name))

    @property
    def exists(self) -> bool:
        return exists(self.path)

    @contextmanager
    def reading(self, table: str) -> Iterator[apsw.Connection | None]:
        """A connection to read from; None where the database or its tables are not there yet.

        Raises `state.newer` where they are others than we know.
        """
        if not self.exists:
            yield None
            return
        with self._of_known_format(), read(self.path) as connection:
            yield connection if _is_there(connection, self.path, table) else None

    @contextmanager
    def writing(self, table: str, schema: tuple[str, ...]) -> Iterator[apsw.Connection]:
        """One transaction; a database that was never used is made as the emulator makes it."""
        if not self.exists or self._is_empty(table):
            with write(self.path, create=True) as connection:
                for statement in schema:
                    connection.execute(statement)
        with self._of_known_format(), write(self.path) as connection:
            yield connection

    def _is_empty(self, table: str) -> bool:
        with read(self.path) as connection:
            return not _is_there(connection, self.path, table)

    @contextmanager
    def _of_known_format(self) -> Iterator[None]:
        try:
            yield
        except apsw.SQLError as error:
            raise unknown_format(self.path, str(error)) from error

    def must_have_a_name(self) -> None:
        """Raise `state.nameless` where values can't be written because the folder they belong to is not known."""
        if self.nameless:
            raise WorkbenchError(
                "state.nameless",
                f"what {self.name} is called is not known, so no value can be written to it",
                "Bind it in the config: its id or name tells where its values belong.",
            )

    def find_values(self, blob_id: str) -> None:
        """Of one without a name: look for the folder that holds its values, knowing one of them."""
        if not self.nameless:
            return
        for name in _folders(self._folder):
            blobs = Blobs(os.path.join(self._folder, name, "blobs"))
            if os.path.exists(blobs.path(blob_id)):
                self.blobs = blobs
                return

    def files(self) -> list[str]:
        """Its files, in the order in which they may go: the rows before the values they name."""
        contained(self.path)
        beside = [self.path + ending for ending in ("", "-wal", "-shm")]
        found = [path for path in beside if os.path.exists(path)]
        # Another name may be made safe in the same way, and share the folder: its values stay.
        if not self.nameless and os.path.basename(os.path.dirname(self.blobs.folder)) == self.name:
            found += [entry.path for entry in _scan(contained(self.blobs.folder))]
        return found

    def remove_files(self) -> None:
        """Remove all of it from the disk; only while no server runs."""
        for path in self.files():
            with translated(path):
                try:
                    os.unlink(path)
                except FileNotFoundError:
                    continue
        for folder in (self.blobs.folder, os.path.dirname(self.blobs.folder)):
            try:
                os.rmdir(folder)
            except OSError:
                return

    def relative(self, path: str) -> str:
        """A path as people read it: from the state's `v3` folder on."""
        return os.path.relpath(path, os.path.join(self.state_directory, VERSION)).replace(os.sep, "/")


def _is_there(connection: apsw.Connection, path: str, table: str) -> bool:
    """Whether the table is there; a database without any is one that the emulator has opened and not used."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if table in names:
        return True
    others = sorted(name for name in names if not name.startswith(("sqlite_", "_cf_", "__miniflare_")))
    if others:
        raise unknown_format(path, f"it has no table {table}, but {others[0]}")
    return False


def names_on_disk(product: str, unique_key: str, state_directory: str, known: set[str]) -> list[str]:
    """What the state holds beyond the known: names, or ids where no name can be found."""
    folder = os.path.join(state_directory, VERSION, product)
    ids = {
        entry.name.removesuffix(".sqlite")
        for entry in _scan(os.path.join(folder, unique_key))
        if entry.name.endswith(".sqlite") and entry.name != METADATA
    }
    ids -= {id_from_name(unique_key, name) for name in known}
    names = []
    taken = {folder_name(name) for name in known}
    for name in _folders(folder):
        id = id_from_name(unique_key, name)
        if id in ids:
            ids.discard(id)
            names.append(name)
        elif name != unique_key and name not in taken and os.path.isdir(os.path.join(folder, name, "blobs")):
            # Values whose database is gone are leftovers, not a namespace.
            continue
    return sorted(names) + sorted(id for id in ids if is_object_id(unique_key, id))


def bound(project: Project, kind: str) -> dict[str, tuple[str, str | None]]:
    """What the configs bind locally: resource id -> (binding's name, Worker), the first that binds it."""
    found: dict[str, tuple[str, str | None]] = {}
    for worker in project.workers:
        for binding in worker.bindings:
            if binding.kind == kind and binding.resource_id and binding.mode == "local" and binding.bound:
                found.setdefault(binding.resource_id, (binding.name, binding.worker))
    return found


def removal(resource: Resource, given: Sequence[str], total: int, *, live: bool, dry_run: bool) -> Removal:
    """What goes, or went, with all of it. given: the things in it, as lines; total: how many those are."""
    lines = list(given[:MOST_LISTED])
    if live:
        return Removal(lines, total, dry_run, note="Emptied in place: a dev server has it open.")
    files = [f"file {resource.relative(path)}" for path in resource.files()]
    databases = [line for line in files if line.endswith(".sqlite")]
    return Removal((databases + lines)[:MOST_LISTED], total + len(databases), dry_run)


def _folders(folder: str) -> Iterator[str]:
    for entry in _scan(folder):
        if entry.is_dir(follow_symlinks=False):
            yield entry.name


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # what may not be listed says so when it is opened
