"""Folders of this machine and buckets inside a sandbox, each only where it is asked for by name."""

from typing import Annotated

from workbench.model.mounts import SandboxMount
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import from_here
from .parameters import DryRun, Param, Prefix, one_of
from .resolve import State
from .sandboxes import TheSandbox

MountPath = Annotated[str, Param("where, inside: an absolute path", positional=True, metavar="PATH")]
Folder = Annotated[
    str | None, Param("a folder of this machine, read-only unless --writable", "path", metavar="DIR")
]
OfBucket = Annotated[
    str | None, Param("an R2 bucket, kept as a copy both ways: a name or a binding", metavar="NAME")
]
Of = Annotated[
    str,
    Param(
        "whose bucket: of the local state, or of the account", choices=("local", "account"), metavar="WHOSE"
    ),
]
Writable = Annotated[
    bool, Param("the sandbox may write into the folder, or into the account's bucket", "boolean")
]
ReadOnly = Annotated[bool, Param("the sandbox's changes do not reach the bucket", "boolean")]
Restart = Annotated[bool, Param("restart a sandbox that runs: its processes end", "boolean")]
LISTED = ("path", "folder", "bucket", "prefix", "read_only", "files", "problem")


@operation(
    "sandboxes.mounts.create",
    effect=WRITES,
    examples=[
        "cfwb sandboxes mounts create fix-47 /mnt/files --bucket files --prefix images/",
        "cfwb sandboxes mounts create fix-47 /mnt/data --folder ./fixtures --restart",
    ],
    capability="sandboxes",
)
async def create_mount(
    state: State,
    sandbox: TheSandbox,
    path: MountPath,
    folder: Folder = None,
    bucket: OfBucket = None,
    prefix: Prefix = "",
    of: Of = "local",
    writable: Writable = False,
    read_only: ReadOnly = False,
    restart: Restart = False,
) -> SandboxMount:
    """Show a sandbox a folder of this machine, or keep a bucket as a folder in it.

    Never the home folder, nor where the hub keeps its own. A folder is bound when the sandbox starts.
    A bucket is a copy: files that have rested a moment go to the bucket, objects come within seconds. Changed on both sides, the bucket's
    version keeps the name and the other is kept beside it as NAME.conflict-TIME.
    """
    mounts = state.backend.sandboxes.mounts
    if one_of(folder=folder, bucket=bucket) == "folder":
        return await mounts.folder(sandbox, path, from_here(str(folder)), writable, restart)
    read_only = read_only or (of == "account" and not writable)
    return await mounts.bucket(sandbox, path, str(bucket), prefix, read_only, of)


@operation(
    "sandboxes.mounts.list",
    effect=READS,
    examples=["cfwb sandboxes mounts list fix-47"],
    capability="sandboxes",
    fields=LISTED,
)
async def list_mounts(state: State, sandbox: TheSandbox) -> list[SandboxMount]:
    """What is mounted in a sandbox, and how buckets fare."""
    return await state.backend.sandboxes.mounts.list(sandbox)


@operation(
    "sandboxes.mounts.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes mounts delete fix-47 /mnt/files --force"],
    capability="sandboxes",
)
async def delete_mount(
    state: State, sandbox: TheSandbox, path: MountPath, restart: Restart = False, dry_run: DryRun = False
) -> Removal:
    """Take a mount away; the folder or the bucket itself stays.

    Of a bucket the last changes are brought over first, then the copy goes.
    """
    if not dry_run:
        await state.backend.sandboxes.mounts.delete(sandbox, path, restart)
    return Removal([f"what is seen at {path}"], 1, dry_run)
