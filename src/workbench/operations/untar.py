"""A tar that a sandbox made, into a folder of this machine: nothing of it is written, or points, outside that folder.

`tarfile`'s own filters look at names as strings and can be led out by chains of links (CVE-2025-4517 and its like, open in many Pythons
that we run on). So each folder on the way is opened by descriptor, no link followed, and files are made anew within it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
from typing import BinaryIO

from workbench.model.errors import WorkbenchError
from workbench.model.tar_entry import BoundedEntry, folder_below

_PIECE = 1 << 20
_DEEPEST = 400


def unpack(source: BinaryIO, folder: str) -> int:
    """Unpack into a folder that is there; how many entries. What has a file's name is replaced, folders are joined.

    Raises `file.unsafe_archive` for what leads out, and for devices and pipes; TarError; OSError.
    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    count = 0
    try:
        with tarfile.open(fileobj=source, mode="r:", tarinfo=BoundedEntry) as tar:
            while (entry := tar.next()) is not None:
                count += 1
                _place(tar, entry, root)
                tar.members = []  # type: ignore[attr-defined]  # or it remembers every entry it has seen
    finally:
        os.close(root)
    return count


def _unsafe(entry: tarfile.TarInfo, why: str) -> WorkbenchError:
    return WorkbenchError(
        "file.unsafe_archive", f"the sandbox's archive is not safe: {entry.name[:200]!r} {why}"
    )


def _parts(entry: tarfile.TarInfo, name: str) -> list[str]:
    """A name as its steps down from the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise _unsafe(entry, "leads out of the folder")
    if len(parts) > _DEEPEST:
        raise _unsafe(entry, "lies too deep")
    return parts


def _place(tar: tarfile.TarFile, entry: tarfile.TarInfo, root: int) -> None:
    parts = _parts(entry, entry.name)
    if not parts:
        return
    parent = _opened(entry, root, parts[:-1])
    try:
        _make(tar, entry, root, parent, parts)
    except ValueError as problem:  # a NUL in a link's target
        raise _unsafe(entry, str(problem)) from None
    finally:
        os.close(parent)


def _opened(entry: tarfile.TarInfo, root: int, parts: list[str]) -> int:
    """A descriptor of a folder below, missing ones made; a link on the way is refused."""
    try:
        return folder_below(root, parts)
    except OSError as problem:
        if problem.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise _unsafe(entry, "goes through what is no folder") from None


def _make(tar: tarfile.TarFile, entry: tarfile.TarInfo, root: int, parent: int, parts: list[str]) -> None:
    name = parts[-1]
    if entry.isdir():
        os.close(_opened(entry, parent, [name]))
        return
    if entry.isreg():
        _clear(entry, parent, name)
        made = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent
        )
        with open(made, "wb") as file:
            content = tar.extractfile(entry)
            while content is not None and (piece := content.read(_PIECE)):
                file.write(piece)
            file.flush()
            # As `tarfile`'s filter for data: nothing that gains rights, nothing that others may write.
            os.fchmod(
                made, (entry.mode & 0o755) | 0o600 if entry.mode & 0o100 else (entry.mode & 0o644) | 0o600
            )
            with contextlib.suppress(OverflowError):
                os.utime(made, (entry.mtime, entry.mtime))
    elif entry.issym():
        _check_link(entry, len(parts) - 1)
        _clear(entry, parent, name)
        os.symlink(entry.linkname, name, dir_fd=parent)
    elif entry.islnk():
        first = _parts(entry, entry.linkname)
        holding = _opened(entry, root, first[:-1])
        try:
            if not first or not stat.S_ISREG(
                os.stat(first[-1], dir_fd=holding, follow_symlinks=False).st_mode
            ):
                raise _unsafe(entry, "is a second name of what is no file")
            _clear(entry, parent, name)
            os.link(first[-1], name, src_dir_fd=holding, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(holding)
    else:
        raise _unsafe(entry, "is a device or a pipe")


def _check_link(entry: tarfile.TarInfo, depth: int) -> None:
    """Refuse a link out. depth: how far down its folder lies.

    `..` may only come first: behind a name it would be taken from wherever that name, perhaps another link, leads. So every link
    goes up to a folder within and down from there, and however many are chained, they stay within.
    """
    steps = [part for part in entry.linkname.split("/") if part not in ("", ".")]
    up = next((at for at, part in enumerate(steps) if part != ".."), len(steps))
    if entry.linkname.startswith("/") or up > depth or ".." in steps[up:]:
        raise _unsafe(entry, f"is a link out of the folder, to {entry.linkname[:200]!r}")


def _clear(entry: tarfile.TarInfo, parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        raise _unsafe(entry, "is in the place of a folder") from None
