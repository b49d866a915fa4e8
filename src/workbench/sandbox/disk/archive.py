"""A layer as an archive, for elsewhere: tar with extended attributes, compressed with gzip; read with hard bounds.

The first member is `cfwb.json`, what it is; then `top/...` and `usr/...`. What is deleted below is a character device 0, 0, as overlays
have it. An archive is hostile: no name in it leads out, no link is followed, no device is made, nothing is unpacked without bound.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.tar_entry import FOLDER, LONGEST_HEADER, BoundedEntry, folder_below
from workbench.sandbox.disk.disk import PARTS
from workbench.sandbox.disk.merge import DEEPEST, attributes, is_deletion, kept_attribute

FORMAT = 1
_ATTRIBUTE = "SCHILY.xattr."
_MANIFEST = "cfwb.json"


class Bounds(NamedTuple):
    """What an archive may hold: bytes of files, entries, bytes of extended attributes an entry."""

    size: int = 64 << 30
    entries: int = 4_000_000
    attributes: int = 1 << 16


class Manifest(NamedTuple):
    """fingerprint: the base it was made over. architecture: of the machine. about: what else the exporter wanted to say, JSON."""

    fingerprint: str
    architecture: str
    about: dict[str, object]


def _wrong(text: str) -> WorkbenchError:
    return WorkbenchError("sandbox.bad_archive", f"this is not an archive of a sandbox: {text}")


def write(
    layer: str, manifest: Manifest, out: BinaryIO, progress: Callable[[int], None] = lambda size: None
) -> None:
    """Write a layer, quickly rather than small. progress: told the bytes of files so far; may raise to stop."""
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        said = json.dumps({"format": FORMAT, **manifest._asdict()}).encode()
        first = tarfile.TarInfo(_MANIFEST)
        first.size = len(said)
        tar.addfile(first, io.BytesIO(said))
        done = 0
        for part in PARTS:
            if os.path.isdir(os.path.join(layer, part)):
                done = _add(tar, os.path.join(layer, part), part, progress, done, 0)


def _add(
    tar: tarfile.TarFile, path: str, name: str, progress: Callable[[int], None], done: int, depth: int
) -> int:
    if depth > DEEPEST:
        raise WorkbenchError("sandbox.too_deep", f"folders lie more than {DEEPEST} deep in this sandbox")
    found = os.lstat(path)
    entry = tar.gettarinfo(path, name)
    if entry is None:  # a socket: nothing without its process
        return done
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if entry.islnk():  # a second name of a file: with its content, so that no entry leans on another
        entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", found.st_size
    kept = attributes(path).items()
    entry.pax_headers = {_ATTRIBUTE + key: value.decode("utf-8", "surrogateescape") for key, value in kept}
    if entry.isreg():
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            tar.addfile(entry, file)
        done += entry.size
        progress(done)
    elif entry.isdir():
        tar.addfile(entry)
        for each in sorted(os.listdir(path)):
            done = _add(tar, os.path.join(path, each), f"{name}/{each}", progress, done, depth + 1)
    elif entry.issym() or entry.isfifo() or is_deletion(found):
        tar.addfile(entry)
    return done


def read(
    source: BinaryIO,
    folder: str,
    *,
    bounds: Bounds = Bounds(),  # noqa: B008
    owner: int | None = None,
    progress: Callable[[int], None] = lambda size: None,
) -> Manifest:
    """Unpack into an empty folder; `sandbox.bad_archive` or `sandbox.archive_too_large`, and then the folder is the caller's to remove."""
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with (
            gzip.GzipFile(fileobj=source) as packed,
            tarfile.open(fileobj=packed, mode="r|", tarinfo=BoundedEntry) as tar,
        ):
            return _unpack(tar, root, bounds, owner, progress)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError) as problem:
        if isinstance(problem, OSError) and problem.errno in (28, 122):
            raise WorkbenchError("sandbox.disk_full", "there is no room for this archive") from problem
        raise _wrong(str(problem) or type(problem).__name__) from problem
    finally:
        os.close(root)


def _unpack(
    tar: tarfile.TarFile, root: int, bounds: Bounds, owner: int | None, progress: Callable[[int], None]
) -> Manifest:
    manifest = _manifest(tar)
    size = 0
    folders: list[tuple[str, tarfile.TarInfo]] = []
    count = 0
    while (entry := tar.next()) is not None:
        count += 1
        size += entry.size if entry.isreg() else 0
        if size > bounds.size or count > bounds.entries:
            raise WorkbenchError("sandbox.archive_too_large", "this archive holds more than is allowed")
        parts = entry.name.rstrip("/").split("/")
        if parts[0] not in PARTS or len(parts) > DEEPEST or any(part in ("", ".", "..") for part in parts):
            raise _wrong(f"an entry named {entry.name[:200]!r}")
        parent = folder_below(root, parts[:-1], 0o700)
        try:
            _make(tar, entry, parent, parts[-1], bounds, owner)
        finally:
            os.close(parent)
        if entry.isdir():
            folders.append((entry.name, entry))
        tar.members = []  # type: ignore[attr-defined]  # or it remembers every entry it has seen
        progress(size)
    for name, entry in reversed(folders):
        fd = folder_below(root, name.rstrip("/").split("/"), 0o700)
        try:
            os.fchmod(fd, entry.mode & 0o1777)
            os.utime(fd, (entry.mtime, entry.mtime))
        finally:
            os.close(fd)
    return manifest


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != _MANIFEST or not first.isreg() or first.size > LONGEST_HEADER:
        raise _wrong("it does not begin with a manifest")
    content = tar.extractfile(first)
    said = json.loads(content.read() if content is not None else b"")
    if not isinstance(said, dict) or not isinstance(said.get("format"), int):
        raise _wrong("its manifest is unreadable")
    if said["format"] > FORMAT:
        raise WorkbenchError("sandbox.newer_archive", "this archive is of a newer version of cfwb")
    about = said.get("about")
    return Manifest(
        str(said.get("fingerprint", ""))[:64],
        str(said.get("architecture", ""))[:64],
        about if isinstance(about, dict) else {},
    )


def _make(
    tar: tarfile.TarFile, entry: tarfile.TarInfo, parent: int, name: str, bounds: Bounds, owner: int | None
) -> None:
    if entry.isdir():
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        fd = os.open(name, FOLDER, dir_fd=parent)
        _dress(fd, entry, bounds, owner)
    elif entry.isreg():
        fd = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent
        )
        with open(os.dup(fd), "wb") as file:
            content = tar.extractfile(entry)
            while content is not None and (piece := content.read(1 << 20)):
                file.write(piece)
        os.fchmod(fd, entry.mode & 0o1777)
        os.utime(fd, (entry.mtime, entry.mtime))
        _dress(fd, entry, bounds, owner)
        if owner is not None:
            os.chmod(name, entry.mode & 0o1777, dir_fd=parent)
    else:
        if entry.issym():
            os.symlink(entry.linkname, name, dir_fd=parent)
        elif entry.isfifo():
            os.mkfifo(name, entry.mode & 0o777, dir_fd=parent)
        elif entry.ischr() and not entry.devmajor and not entry.devminor:
            os.mknod(name, stat.S_IFCHR, 0, dir_fd=parent)
        else:
            raise _wrong(f"{entry.name[:200]!r} is a device or a hard link")
        if owner is not None:
            os.chown(name, owner, owner, dir_fd=parent, follow_symlinks=False)


def _dress(fd: int, entry: tarfile.TarInfo, bounds: Bounds, owner: int | None) -> None:
    """Attributes of the user's kind and the owner; closes the descriptor."""
    try:
        spent = 0
        for key, value in entry.pax_headers.items():
            name = key.removeprefix(_ATTRIBUTE)
            if name != key and kept_attribute(name):
                content = value.encode("utf-8", "surrogateescape")
                spent += len(key) + len(content)
                if spent > bounds.attributes:
                    raise _wrong("extended attributes without end")
                try:
                    os.setxattr(fd, name, content)
                except OSError as problem:
                    raise _wrong(f"an extended attribute that cannot be: {problem.strerror}") from problem
        if owner is not None:
            os.fchown(fd, owner, owner)
    finally:
        os.close(fd)
