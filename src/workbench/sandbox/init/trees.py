"""Trees as tar streams, for the ops that run in a forked child."""

from __future__ import annotations

import fnmatch
import os
import tarfile
from collections.abc import Iterable, Sequence
from typing import BinaryIO


def pack(path: str, out: BinaryIO, exclude: Sequence[str]) -> None:
    """A folder (its contents, names relative to it) or one file, as an uncompressed tar with PAX headers.

    exclude: patterns as of the shell, matched on the relative path and on each name in it. Links stay links; sockets are left
    out; what vanishes or cannot be read meanwhile is left out.
    """
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        if not os.path.isdir(path):
            _add(tar, path, os.path.basename(path))
            return
        for folder, folders, files in os.walk(path):
            inside = os.path.relpath(folder, path)
            base = "" if inside == "." else inside + "/"
            folders[:] = sorted(name for name in folders if not _excluded(base + name, exclude))
            for name in folders + sorted(files):
                if not _excluded(base + name, exclude):
                    _add(tar, os.path.join(folder, name), base + name)


def _excluded(relative: str, exclude: Sequence[str]) -> bool:
    name = relative.rsplit("/", 1)[-1]
    return any(fnmatch.fnmatch(relative, each) or fnmatch.fnmatch(name, each) for each in exclude)


def _add(tar: tarfile.TarFile, path: str, name: str) -> None:
    try:
        entry = tar.gettarinfo(path, name)
        if entry is None:
            return
        if entry.isreg():
            with open(path, "rb") as file:
                tar.addfile(entry, _Exactly(file, entry.size))  # type: ignore[arg-type]
        else:
            tar.addfile(entry)
    except FileNotFoundError:
        return
    except PermissionError:
        return


class _Exactly:
    """A file that has the length its header says, whatever it does meanwhile."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        if not data:
            data = bytes(min(size, self._left))
        self._left -= len(data)
        return data


def unpack(path: str, source: BinaryIO) -> dict[str, object]:
    """A tar stream (also compressed with gzip, bzip2 or xz) into a folder, which is made. Gives {files, bytes}.

    Names that lead out of the folder, by `..`, a leading slash or a link on the way, are refused (ValueError), devices too.
    """
    os.makedirs(path, exist_ok=True)
    root = os.path.realpath(path)
    files = size = 0
    with tarfile.open(fileobj=source, mode="r|*") as tar:
        for entry in tar:
            target = _place(root, entry.name)
            if target == root:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            files += 1
            size += entry.size if entry.isreg() else 0
            _make(tar, entry, root, target)
    return {"files": files, "bytes": size}


def _place(root: str, name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise ValueError(f"{name} leads out of the folder")
    target = os.path.join(root, *parts)
    parent = os.path.realpath(os.path.dirname(target))
    if target != root and parent != root and not parent.startswith(root.rstrip("/") + "/"):
        raise ValueError(f"{name} leads out of the folder by a link")
    return target


def _make(tar: tarfile.TarFile, entry: tarfile.TarInfo, root: str, target: str) -> None:
    if entry.isdir():
        if os.path.islink(target) or not os.path.isdir(target):
            _clear(target)
            os.mkdir(target)
        os.chmod(target, (entry.mode & 0o7777) | 0o700)
        return
    _clear(target)
    if entry.issym():
        os.symlink(entry.linkname, target)
    elif entry.islnk():
        os.link(_place(root, entry.linkname), target, follow_symlinks=False)
    elif entry.isreg():
        data = tar.extractfile(entry)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            for piece in _pieces(data):
                file.write(piece)
            os.fchmod(fd, entry.mode & 0o7777)
        os.utime(target, (entry.mtime, entry.mtime))
    elif entry.isfifo():
        os.mkfifo(target, entry.mode & 0o7777)
    else:
        raise ValueError(f"{entry.name} is a device")


def _pieces(data: object) -> Iterable[bytes]:
    while piece := data.read(1 << 16):  # type: ignore[attr-defined]
        yield piece


def _clear(target: str) -> None:
    if os.path.lexists(target):
        if os.path.isdir(target) and not os.path.islink(target):
            raise ValueError(f"{target} is a folder already")
        os.unlink(target)
