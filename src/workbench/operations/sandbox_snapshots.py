"""Whole disks of sandboxes: snapshots, forks, archives."""

from typing import Annotated, Any

from workbench.model.sandboxes import DiskSnapshot, Sandbox
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .files import pieces
from .outcomes import Written
from .outputs import Output
from .parameters import DryRun, Param
from .parameters import Output as ToFile
from .resolve import State
from .sandbox_files import write_stream
from .sandboxes import LISTED, NewName, OneSandbox, TheSandbox

TheSnapshot = Annotated[str, Param("the snapshot: its id or name", positional=True, metavar="SNAPSHOT")]
SnapshotName = Annotated[str | None, Param("a name for it", metavar="NAME")]
NewNames = Annotated[
    tuple[str, ...], Param("a name for each fork", positional=True, repeat=True, metavar="NAME")
]
OfSnapshot = Annotated[str | None, Param("as in this snapshot (default: as it is now)", metavar="SNAPSHOT")]
DiskArchive = Annotated[Any, Param("the archive (- for standard input)", "file", metavar="FILE")]


@operation(
    "sandboxes.copy",
    effect=WRITES,
    examples=["cfwb sandboxes copy fix-47 try-1 try-2 try-3 try-4"],
    capability="sandboxes",
    fields=LISTED,
)
async def copy_sandbox(
    state: State, sandbox: TheSandbox, names: NewNames, snapshot: OfSnapshot = None
) -> list[Sandbox]:
    """Fork a sandbox into as many as names are given, all at once.

    Each has the whole disk (what was installed, too) and goes its own way from there; processes are not copied.
    """
    return list(await state.backend.sandboxes.fork(sandbox, names, snapshot))


@operation(
    "sandboxes.export",
    effect=READS,
    examples=["cfwb sandboxes export fix-47 --output fix-47.tar.gz"],
    capability="sandboxes",
)
async def export_sandbox(state: State, sandbox: TheSandbox, output: ToFile = None) -> Output | Written:
    """A sandbox's whole disk as an archive, for this or another machine."""
    source = state.backend.sandboxes.export(sandbox)
    if output is not None:
        return Written(output, await write_stream(output, source))
    return Output(("stdout", piece) async for piece in source)


@operation(
    "sandboxes.import",
    effect=WRITES,
    examples=["cfwb sandboxes import fix-47 --file fix-47.tar.gz"],
    capability="sandboxes",
)
async def import_sandbox(state: State, file: DiskArchive, name: NewName = None) -> Sandbox:
    """Make a sandbox of an archive that an export made; it is not started."""
    return await state.backend.sandboxes.import_disk(name, pieces(file))


@operation(
    "sandboxes.snapshots.create",
    effect=WRITES,
    examples=["cfwb sandboxes snapshots create fix-47 --name installed"],
    capability="sandboxes",
)
async def create_snapshot(state: State, sandbox: TheSandbox, name: SnapshotName = None) -> DiskSnapshot:
    """Take a picture of a sandbox's whole disk.

    What runs stands still meanwhile, and goes on. Of a sandbox that is stopped it takes a millisecond, whatever its size.
    """
    return await state.backend.sandboxes.snapshots.create(sandbox, name)


@operation(
    "sandboxes.snapshots.list",
    effect=READS,
    examples=["cfwb sandboxes snapshots list", "cfwb sandboxes snapshots list fix-47"],
    capability="sandboxes",
    fields=("id", "name", "sandbox", "created", "automatic", "layers"),
)
async def list_snapshots(state: State, sandbox: OneSandbox = None) -> list[DiskSnapshot]:
    """Snapshots, the newest first; also those taken when a sandbox went to sleep."""
    return await state.backend.sandboxes.snapshots.list(sandbox)


@operation(
    "sandboxes.snapshots.get",
    effect=READS,
    examples=["cfwb sandboxes snapshots get installed"],
    capability="sandboxes",
)
async def get_snapshot(state: State, snapshot: TheSnapshot) -> DiskSnapshot:
    """One snapshot, with the space it takes."""
    return await state.backend.sandboxes.snapshots.get(snapshot)


@operation(
    "sandboxes.snapshots.restore",
    effect=WRITES,
    examples=["cfwb sandboxes snapshots restore fix-47 installed"],
    capability="sandboxes",
)
async def restore_snapshot(state: State, sandbox: TheSandbox, snapshot: TheSnapshot) -> Sandbox:
    """Put a sandbox's disk back to a snapshot; it is stopped for that.

    What the disk held before is kept as an automatic snapshot.
    """
    return await state.backend.sandboxes.snapshots.restore(sandbox, snapshot)


@operation(
    "sandboxes.snapshots.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes snapshots delete installed --force"],
    capability="sandboxes",
)
async def delete_snapshot(state: State, snapshot: TheSnapshot, dry_run: DryRun = False) -> Removal:
    """Delete a snapshot; sandboxes made from it keep what they have of it."""
    found = await state.backend.sandboxes.snapshots.get(snapshot)
    if not dry_run:
        await state.backend.sandboxes.snapshots.delete(snapshot)
    return Removal([f"snapshot {found.name or found.id} of {found.sandbox}"], 1, dry_run)
