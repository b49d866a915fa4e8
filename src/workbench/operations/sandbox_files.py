"""Files, folders, trees and repositories of sandboxes."""

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any, NamedTuple

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.sandboxes import Checkout, FileEvent, SandboxFile
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .files import failed, pieces
from .outcomes import Done, Written
from .outputs import Output
from .parameters import Content, Cursor, DryRun, Limit, Param, Source, one_of
from .parameters import Output as ToFile
from .resolve import State
from .results import LARGEST_BODY, Stream
from .sandboxes import Count, TheSandbox

Path = Annotated[str, Param("the path inside (relative: below /workspace)", positional=True, metavar="PATH")]
Folder = Annotated[str, Param("the folder inside", positional=True, metavar="PATH")]
ToPath = Annotated[str, Param("the new path", positional=True, metavar="NEW_PATH")]
Recursive = Annotated[bool, Param("with everything below", "boolean")]
Mode = Annotated[str | None, Param("permission bits: 755", metavar="BITS")]
Exclude = Annotated[
    tuple[str, ...],
    Param("leave out what this pattern matches; again for more", repeat=True, metavar="PATTERN"),
]
Include = Annotated[
    tuple[str, ...], Param("only what this pattern matches; again for more", repeat=True, metavar="PATTERN")
]
LocalFolder = Annotated[str | None, Param("a folder of this machine", "path", metavar="DIR")]
Archive = Annotated[Any, Param("a tar archive (- for standard input)", "file", metavar="FILE")]
Url = Annotated[str, Param("what git clones", positional=True, metavar="URL")]
Target = Annotated[str | None, Param("the folder inside (default: named after the URL)", metavar="PATH")]
Branch = Annotated[str | None, Param("a branch or tag", metavar="NAME")]
Depth = Annotated[int | None, Param("only so many commits of the history", "integer", metavar="N", minimum=1)]


class FileContent(NamedTuple):
    """A file of a sandbox with its bytes."""

    path: str
    size_bytes: int
    value: bytes


@operation(
    "sandboxes.files.list",
    effect=READS,
    examples=["cfwb sandboxes files list fix-47 src --recursive"],
    capability="sandboxes",
)
async def list_files(
    state: State,
    sandbox: TheSandbox,
    path: Folder = "/workspace",
    recursive: Recursive = False,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Page[SandboxFile]:
    """What a folder in a sandbox holds, in order of names."""
    return await state.backend.sandboxes.files.list(sandbox, path, recursive, limit, cursor)


@operation(
    "sandboxes.files.get",
    effect=READS,
    examples=["cfwb sandboxes files get fix-47 src/app.ts --raw"],
    capability="sandboxes",
)
async def get_file(
    state: State, sandbox: TheSandbox, path: Path, output: ToFile = None
) -> FileContent | Written:
    """A file's bytes; --output writes them to a file of any size."""
    source = state.backend.sandboxes.files.get(sandbox, path)
    if output is not None:
        return Written(output, await write_stream(output, source))
    held = bytearray()
    async for piece in source:
        held += piece
        if len(held) > LARGEST_BODY:
            raise WorkbenchError(
                "sandboxes.too_large_for_json", f"{path} is too large to be shown", "--output FILE writes it"
            )
    return FileContent(path, len(held), bytes(held))


async def write_stream(path: str, source: AsyncIterator[bytes]) -> int:
    """The bytes to a file, which has its name only when it is complete."""
    size, temporary = 0, f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:  # noqa: ASYNC230  (a command has nothing else to do)
            async for piece in source:
                size += file.write(piece)
        os.replace(temporary, path)
    except OSError as error:
        raise failed(error, path) from error
    finally:
        if os.path.exists(temporary):  # noqa: ASYNC240
            os.unlink(temporary)
    return size


@operation(
    "sandboxes.files.put",
    effect=WRITES,
    examples=["cfwb sandboxes files put fix-47 src/app.ts --file app.ts"],
    capability="sandboxes",
)
async def put_file(
    state: State,
    sandbox: TheSandbox,
    path: Path,
    value: Content = None,
    file: Source = None,
    mode: Mode = None,
) -> SandboxFile:
    """Write a file in a sandbox, with the folders it needs."""
    one_of(value=value, file=file)
    if mode is not None and not (mode.isdecimal() and set(mode) <= set("01234567") and len(mode) <= 4):
        raise UsageError(f"--mode wants permission bits such as 755, not {mode!r}")
    content = pieces(file) if value is None else [value.encode() if isinstance(value, str) else bytes(value)]
    bits = int(mode, 8) if mode is not None else None
    return await state.backend.sandboxes.files.put(sandbox, path, content, bits)


@operation(
    "sandboxes.files.create",
    effect=WRITES,
    examples=["cfwb sandboxes files create fix-47 src/lib"],
    capability="sandboxes",
)
async def create_folder(state: State, sandbox: TheSandbox, path: Path) -> SandboxFile:
    """Make a folder in a sandbox, with those above it."""
    return await state.backend.sandboxes.files.create_folder(sandbox, path)


@operation(
    "sandboxes.files.move",
    effect=WRITES,
    examples=["cfwb sandboxes files move fix-47 old.ts new.ts"],
    capability="sandboxes",
)
async def move_file(state: State, sandbox: TheSandbox, path: Path, to: ToPath) -> SandboxFile:
    """Move or rename a file or folder within a sandbox."""
    return await state.backend.sandboxes.files.move(sandbox, path, to)


@operation(
    "sandboxes.files.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes files delete fix-47 node_modules --recursive --force"],
    capability="sandboxes",
)
async def delete_file(
    state: State, sandbox: TheSandbox, path: Path, recursive: Recursive = False, dry_run: DryRun = False
) -> Removal:
    """Delete a file, an empty folder, or (--recursive) a folder with all in it."""
    return await state.backend.sandboxes.files.delete(sandbox, path, recursive, dry_run)


@operation(
    "sandboxes.files.export",
    effect=READS,
    examples=[
        "cfwb sandboxes files export fix-47 src > src.tar",
        "cfwb sandboxes files export fix-47 src --folder ./src --exclude node_modules",
    ],
    capability="sandboxes",
)
async def export_files(
    state: State,
    sandbox: TheSandbox,
    path: Folder = "/workspace",
    exclude: Exclude = (),
    folder: LocalFolder = None,
    output: ToFile = None,
) -> Output | Written | Done:
    """A folder of a sandbox as a tar archive, or into a folder of this machine."""
    source = state.backend.sandboxes.files.export(sandbox, path, exclude)
    if folder is not None:
        from .trees import unpacked

        return Done(await unpacked(source, folder))
    if output is not None:
        return Written(output, await write_stream(output, source))
    return Output(("stdout", piece) async for piece in source)


@operation(
    "sandboxes.files.import",
    effect=WRITES,
    examples=[
        "cfwb sandboxes files import fix-47 --folder . --exclude node_modules",
        "cfwb sandboxes files import fix-47 src --file src.tar",
    ],
    capability="sandboxes",
)
async def import_files(
    state: State,
    sandbox: TheSandbox,
    path: Folder = "/workspace",
    folder: LocalFolder = None,
    file: Archive = None,
    exclude: Exclude = (),
) -> Done:
    """A folder of this machine, or a tar archive, into a folder of a sandbox.

    What is there already stays, or is replaced by what has its name.
    """
    if one_of(folder=folder, file=file) == "file":
        await state.backend.sandboxes.files.import_tree(sandbox, path, pieces(file))
        return Done(1)
    from .trees import Tree

    tree = Tree(str(folder), exclude)
    await state.backend.sandboxes.files.import_tree(sandbox, path, tree)
    return Done(tree.count)


@operation(
    "sandboxes.files.watch",
    effect=READS,
    examples=["cfwb sandboxes files watch fix-47 src --include '*.ts'"],
    capability="sandboxes",
)
async def watch_files(
    state: State,
    sandbox: TheSandbox,
    path: Folder = "/workspace",
    include: Include = (),
    exclude: Exclude = (),
    count: Count = None,
) -> Stream[FileEvent]:
    """What happens to the files below a folder, as it happens."""
    return Stream(state.backend.sandboxes.files.watch(sandbox, path, True, include, exclude), count)


@operation(
    "sandboxes.repositories.create",
    effect=WRITES,
    examples=[
        "cfwb sandboxes repositories create fix-47 https://example.com/shop.git --branch main --depth 1"
    ],
    capability="sandboxes",
)
async def clone_repository(
    state: State,
    sandbox: TheSandbox,
    url: Url,
    target: Target = None,
    branch: Branch = None,
    depth: Depth = None,
) -> Checkout:
    """Clone a git repository into a sandbox."""
    return await state.backend.sandboxes.checkout(sandbox, url, target, branch, depth)
