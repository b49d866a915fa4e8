"""`state delete`: the whole state, emptied in place beside a running server, its files removed otherwise.

Foreign files stay. Without a server each product's folder is renamed before it is removed, so that whoever stops it
half-way finds a product complete or gone, and the rest under a name the emulator never reads.
"""

import os
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import apsw

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal, StateEntry

from . import database, naming
from .contained import contained
from .inventory import LEFTOVER, NAMED, WHOLE, Inventory
from .manners import server_running
from .measuring import is_emulators, listing

MOST_LINES = 1000
_BY_THEIR_BACKENDS = ("kv", "r2", "d1", "durable_object", "workflow")
_NOT_EMPTIED_LIVE = ("unknown", "artifacts", "stream", "leftover")


async def delete_all(project: Project, *, dry_run: bool) -> Removal:
    """Everything the emulator keeps below `v3`. The lines are of whole resources, or of what their backends say."""
    contained(os.path.join(project.state_directory, naming.VERSION))
    entries = Inventory(project).entries()
    if server_running(project.state_directory):
        return await _empty_in_place(project, entries, dry_run)
    going = [entry for entry in entries if not _stays(entry)]
    if not dry_run:
        _remove_files(os.path.join(project.state_directory, naming.VERSION))
    lines = [_line(entry) for entry in going]
    return Removal(lines[:MOST_LINES], len(lines), dry_run, False, _about_foreign(entries))


def _line(entry: StateEntry) -> str:
    what = f"{entry.kind.replace('_', ' ')} {entry.resource or entry.path}"
    return f"{what}: {entry.files} file{'s' * (entry.files != 1)}, {entry.size_bytes:,} bytes"


def _stays(entry: StateEntry) -> bool:
    """Foreign things beside the products' folders stay; inside of those everything is the emulator's."""
    return entry.kind == "foreign" and entry.path.count("/") == 1


def _about_foreign(entries: Iterable[StateEntry]) -> str:
    foreign = [entry.path for entry in entries if _stays(entry)]
    return f"Not the emulator's, so it stays: {', '.join(foreign[:5])}." if foreign else ""


# -- without a server


def _remove_files(root: str) -> None:
    import shutil

    for entry in listing(root):
        if not entry.is_dir(follow_symlinks=False) or not _is_a_product(entry):
            continue
        aside = entry.path
        try:
            if not entry.name.startswith(LEFTOVER):
                aside = os.path.join(root, f"{LEFTOVER}{os.urandom(4).hex()}-{entry.name}")
                os.rename(entry.path, aside)
            shutil.rmtree(aside)
        except OSError as error:
            raise WorkbenchError(
                "state.not_removed",
                f"{error.filename or entry.path} can't be removed: {error.strerror}",
                "What was removed before it is gone; the rest is as it was.",
            ) from error


def _is_a_product(entry: "os.DirEntry[str]") -> bool:
    known = entry.name in NAMED or entry.name in WHOLE or entry.name in ("do", "workflows")
    return known or entry.name.startswith(LEFTOVER) or is_emulators(entry.path)


# -- beside a server


async def _empty_in_place(project: Project, entries: list[StateEntry], dry_run: bool) -> Removal:
    removals, notes = await _by_their_backends(project, dry_run)
    lines: list[str] = []
    left: list[str] = []
    for entry in entries:
        if entry.kind in _NOT_EMPTIED_LIVE:
            left.append(entry.path)
        elif entry.kind in _BY_THEIR_BACKENDS:
            lines.append(_line(entry))
        elif entry.kind not in ("runtime", "foreign"):
            lines.append(_line(entry))
            if not dry_run:
                notes += _empty(project, entry)
    needs_restart = any(removal.needs_restart for removal in removals) or bool(left)
    notes = [*(removal.note for removal in removals), *notes[:5], _about_foreign(entries)]
    if left:
        notes.append(
            f"A running server holds these, so they stay until it has stopped: {', '.join(left[:5])}."
        )
    return Removal(lines[:MOST_LINES], len(lines), dry_run, needs_restart, _once(notes))


async def _by_their_backends(project: Project, dry_run: bool) -> tuple[list[Removal], list[str]]:
    """Each product's own way to empty what it knows best: what went, and a sentence for each thing that did not."""
    from . import LocalBackend

    backend = LocalBackend(project)
    kv, r2, d1 = backend.kv, backend.r2, backend.d1
    objects, workflows = backend.durable_objects, backend.workflows
    steps: list[tuple[str, Callable[[], Coroutine[Any, Any, Removal]]]] = []
    for space in await kv.namespaces():
        steps.append((f"the KV namespace {space.id}", partial(kv.delete_namespace, space.id, dry_run)))
    for bucket in await r2.buckets():
        steps.append((f"the R2 bucket {bucket.name}", partial(r2.delete_bucket, bucket.name, dry_run)))
    for one in await d1.databases():
        steps.append((f"the D1 database {one.name}", partial(d1.delete_database, one.id, dry_run)))
    for namespace in await objects.namespaces():
        for id in await objects.object_ids(namespace.id):
            steps.append((f"the object {id}", partial(objects.delete_object, namespace.id, id, dry_run)))
    for flow in await workflows.list():
        for instance in (await workflows.instances(flow.name)).items:
            empty = partial(workflows.delete_instance, flow.name, instance.id, dry_run)
            steps.append((f"the instance {instance.id}", empty))
    removals: list[Removal] = []
    failures: list[str] = []
    for what, step in steps:
        try:
            removals.append(await step())
        except WorkbenchError as error:
            if not error.code.endswith("not_found"):
                failures.append(f"{what} could not be emptied: {error.message}.")
    return removals, failures


def _empty(project: Project, entry: StateEntry) -> list[str]:
    """Delete the rows of a product that has no backend, and then the values they named; what went wrong."""
    path = os.path.join(project.state_directory, entry.path)
    product = os.path.join(project.state_directory, *entry.path.split("/")[:2])
    folder = os.path.join(product, naming.folder_name(entry.resource or ""), "blobs")
    failures: list[str] = []
    for one in [path] if path.endswith(".sqlite") else _databases_below(path):
        try:
            blobs = _empty_database(one)
        except WorkbenchError as error:
            failures.append(f"{entry.path} could not be emptied: {error.message}.")
            continue
        for blob in blobs:
            with suppress(OSError, WorkbenchError):
                os.remove(os.path.join(contained(folder), os.path.basename(blob)))
    return failures


def _databases_below(folder: str) -> list[str]:
    """The databases in the folders of a product, the runtime's own left out."""
    return [
        file.path
        for inner in listing(folder)
        if inner.is_dir(follow_symlinks=False)
        for file in listing(inner.path)
        if file.name.endswith(".sqlite") and file.name != naming.METADATA
    ]


def _empty_database(path: str) -> list[str]:
    """Delete every row but the runtime's own; the ids of the values that the rows named.

    Only those are removed: the server may have written another value's file for a row that is still to come.
    """
    with database.read(path) as connection:
        tables = [
            str(name)
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
            )
            if not str(name).startswith(("sqlite_", "_cf_", "__miniflare_"))
        ]
        with_blobs = [table for table in tables if _has_blobs(connection, table)]
    blobs: list[str] = []
    with database.write(path, live=True) as connection:
        connection.execute("PRAGMA defer_foreign_keys = 1")
        for table in tables:
            if table in with_blobs:
                rows = connection.execute(f"SELECT blob_id FROM {_quoted(table)} WHERE blob_id IS NOT NULL")
                blobs += [str(blob) for (blob,) in rows]
            connection.execute(f"DELETE FROM {_quoted(table)}")
    return blobs


def _has_blobs(connection: apsw.Connection, table: str) -> bool:
    columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return any(name == "blob_id" for (name,) in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _once(notes: list[str]) -> str:
    """The different sentences of the notes, one after the other."""
    sentences = [part.strip().rstrip(".") for note in notes for part in note.split(". ") if part.strip()]
    return " ".join(dict.fromkeys(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences))
