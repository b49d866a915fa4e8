"""Workflows in the emulator's state directory: `workflows/miniflare-workflows-<name>/<hash of the instance id>.sqlite`.

Each instance is an object of the emulator's own engine, read in `workflow_log.py`. A list of them needs every one of their
databases, for only there stands when it was made: what was read is kept until the file is another.
"""

import os

import apsw

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.workflows import Workflow, WorkflowInstance

from . import database, naming
from .manners import server_running
from .object_files import Folder, list_folder
from .workflow_log import holds_instance, read_instance

_MOST_COUNTED = 500
_MOST_KEPT = 50_000
_LARGEST_KEPT = 256 << 10
"""Bytes of a database whose instance is kept: it holds parameters and output."""

_Signature = tuple[int, int, int, int]

LIVE_NOTE = (
    "A server is running, so the instance is emptied in place; one that is under way stays in the server's memory, "
    "and goes on, until the server starts again."
)


class LocalWorkflows:
    """The product of the local backend; see the protocol `Workflows`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._state = project.state_directory
        self._folder = f"{project.state_directory}/v3/workflows"
        self._heads = _Heads()

    async def list(self) -> list[Workflow]:
        """Bound Workflows in the order of the configs, then those that only lie on disk, by name."""
        found: dict[str, Workflow] = {}
        for binding in (one for worker in self._project.workers for one in worker.bindings):
            if binding.kind == "workflow" and binding.resource_id and binding.resource_id not in found:
                found[binding.resource_id] = Workflow(
                    binding.resource_id,
                    binding.detail.get("class_name"),
                    binding.name if binding.bound else None,
                    binding.worker,
                    None,
                    binding.bound,
                )
        for folder in sorted(list_folder(self._folder).names):
            name = folder.removeprefix(naming.WORKFLOWS_PREFIX)
            if (
                folder.startswith(naming.WORKFLOWS_PREFIX)
                and name not in found
                and list_folder(f"{self._folder}/{folder}").ids()
            ):
                found[name] = Workflow(name, bound=False)
        return [one._replace(instances=self._heads.count(self._files(one.name))) for one in found.values()]

    def _files(self, workflow: str) -> Folder:
        if "/" in workflow:
            return Folder("", [])
        return list_folder(f"{self._folder}/{naming.WORKFLOWS_PREFIX}{workflow}")

    async def instances(
        self, workflow: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[WorkflowInstance]:
        """Newest first, without steps. A file that can't be read is an instance of status "unknown"."""
        folder = self._files(workflow)
        heads = sorted((one for id in folder.ids() if (one := self._heads.of(folder, id))), key=_newest_first)
        begin = 0
        if cursor is not None:
            begin = next((at + 1 for at, one in enumerate(heads) if one.id == cursor), len(heads))
        page = heads[begin:] if limit is None else heads[begin : begin + limit]
        more = begin + len(page) < len(heads)
        return Page(page, page[-1].id if page and more else None)

    async def get(self, workflow: str, instance: str) -> WorkflowInstance:
        folder = self._files(workflow)
        file = self._file(folder, workflow, instance)
        with database.read(folder.database(file)) as connection:
            return read_instance(connection, file, steps=True)

    def _file(self, folder: Folder, workflow: str, instance: str) -> str:
        """The file an instance is kept in: a name made of its id, as an object's is; a file's own name is taken too."""
        file = naming.id_from_name(naming.WORKFLOWS_PREFIX + workflow, instance)
        for candidate in (file, instance):
            if folder.has(candidate) and self._heads.of(folder, candidate) is not None:
                return candidate
        ids = folder.ids()
        raise WorkbenchError(
            "workflows.instance_not_found",
            f"the Workflow {workflow} has no instance {instance}",
            f"there are {self._heads.count(folder)}" if ids else "it has never run here",
        )

    async def delete_instance(self, workflow: str, instance: str, dry_run: bool = False) -> Removal:
        """Its file removed, or emptied in place while a server runs (which may still have it in memory)."""
        from .emptying import remove_object

        folder = self._files(workflow)
        file = self._file(folder, workflow, instance)
        live = server_running(self._state)
        what = f"instance {instance}"
        removal = remove_object(folder, file, what=what, live=live, dry_run=dry_run, keep_tables=True)
        if not live:
            return removal
        return removal._replace(needs_restart=True, note=LIVE_NOTE)


class _Heads:
    """Instances without their steps, read again where their file changed. It may be asked from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Signature, WorkflowInstance | None]] = {}

    def of(self, folder: Folder, file: str) -> WorkflowInstance | None:
        """An instance; None where its file was emptied, or never held one."""
        path = folder.database(file)
        signature = _signature(path)
        known = self._known.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        head = _read_head(path, file)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        if signature[0] <= _LARGEST_KEPT:
            self._known[path] = (signature, head)
        return head

    def count(self, folder: Folder) -> int:
        """How many instances; of very many not yet read the files are counted, some of which may have been emptied."""
        ids = folder.ids()
        if len(ids) > _MOST_COUNTED and folder.database(ids[-1]) not in self._known:
            return len(ids)
        return sum(self.of(folder, id) is not None for id in ids)


def _signature(path: str) -> _Signature:
    """Size and time of a database and of its `-wal`, zeros where there is nothing. Nothing is opened."""
    found: list[int] = []
    for name in (path, path + "-wal"):
        try:
            status = os.stat(name)
        except OSError:
            found += [0, 0]
        else:
            # A look at the database may leave an empty `-wal`: that is none.
            found += [status.st_size, status.st_mtime_ns] if status.st_size else [0, 0]
    return (found[0], found[1], found[2], found[3])


def _read_head(path: str, file: str) -> WorkflowInstance | None:
    try:
        with database.read(path) as connection:
            return read_instance(connection, file, steps=False) if holds_instance(connection) else None
    except (WorkbenchError, apsw.Error):
        return WorkflowInstance(file, "unknown", None, None, None)


def _newest_first(instance: WorkflowInstance) -> tuple[bool, str, str]:
    created = instance.created or ""
    return (not created, "".join(chr(0x10FFFF - ord(letter)) for letter in created), instance.id)
