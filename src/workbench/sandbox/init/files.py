"""Files, for the ops that run in a forked child: here a call may block, and an OSError is the answer."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def described(path: str) -> dict[str, object]:
    """What a path is, not following a link at its end; OSError where it is not."""
    found = os.lstat(path)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return {
        "name": os.path.basename(path.rstrip("/")) or "/",
        "path": path,
        "kind": kind,
        "size": found.st_size,
        "mode": stat.S_IMODE(found.st_mode),
        "modified": found.st_mtime,
        "uid": found.st_uid,
        "gid": found.st_gid,
        "target": os.readlink(path) if kind == "symlink" else None,
    }


def listed(path: str, *, recursive: bool) -> Iterator[dict[str, object]]:
    """What a folder holds, by name; recursive: everything below, links not followed, a folder before what is in it.

    `relative` is the path below the folder. What vanishes meanwhile is left out, a folder below that cannot be read is not
    entered.
    """
    pending = [iter(sorted(os.listdir(path)))]
    places = [path]
    while pending:
        name = next(pending[-1], None)
        if name is None:
            pending.pop()
            places.pop()
            continue
        full = os.path.join(places[-1], name)
        try:
            entry = described(full)
        except OSError:
            continue
        entry["relative"] = os.path.relpath(full, path)
        yield entry
        if recursive and entry["kind"] == "directory":
            try:
                names = sorted(os.listdir(full))
            except OSError:
                continue
            pending.append(iter(names))
            places.append(full)


def opened(path: str) -> int:
    """A regular file for reading; IsADirectoryError or OSError for anything else, without ever waiting on a pipe."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "Is a directory", path)
    raise OSError(22, "Not a regular file", path)


class Writer:
    """A file being put. It gets its name when it is complete (`done`); `drop` leaves nothing.

    mode: permission bits, or None to keep those of the file that is replaced (0644 where there is none).
    """

    def __init__(self, path: str, *, mode: int | None, parents: bool, exclusive: bool) -> None:
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if os.path.islink(path):  # the name stays a link, the file it leads to is replaced
            path = os.path.realpath(path)
        if os.path.isdir(path):
            raise IsADirectoryError(21, "Is a directory", path)
        if exclusive and os.path.lexists(path):
            raise FileExistsError(17, "File exists", path)
        if mode is None:
            mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
        folder = os.path.dirname(path)
        if parents:
            os.makedirs(folder, exist_ok=True)
        self._path = path
        self._exclusive = exclusive
        self._temporary = os.path.join(folder, f".cfwb-{os.getpid()}")
        self._fd = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchmod(self._fd, mode & 0o7777)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def done(self) -> dict[str, object]:
        os.close(self._fd)
        if self._exclusive:
            os.link(self._temporary, self._path)
            os.unlink(self._temporary)
        else:
            os.rename(self._temporary, self._path)
        return described(self._path)

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)


def move(path: str, to: str, *, overwrite: bool) -> dict[str, object]:
    """Rename, or copy and delete where the file system asks for it (a folder of a lower layer)."""
    import shutil

    if not overwrite and os.path.lexists(to):
        raise FileExistsError(17, "File exists", to)
    os.lstat(path)
    shutil.move(path, to)
    return described(to)


def delete(path: str, *, recursive: bool) -> None:
    """A link is deleted, never what it leads to."""
    import shutil

    if os.path.isdir(path) and not os.path.islink(path):
        if recursive:
            shutil.rmtree(path)
        else:
            os.rmdir(path)
    else:
        os.unlink(path)


def make_folder(path: str, *, parents: bool, mode: int) -> dict[str, object]:
    if parents:
        os.makedirs(path, mode=mode, exist_ok=True)
    else:
        os.mkdir(path, mode)
    return described(path)
