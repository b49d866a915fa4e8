"""Taking away a tree that hostile programs made: of any depth, with folders that nobody may enter, links never followed."""

from __future__ import annotations

import contextlib
import os
import stat

_DEEPEST = 40


def remove(path: str) -> None:
    """Delete a file, a link or a whole tree; nothing where there is nothing. OSError for what cannot go.

    A folder far down is first moved up beside the top one, so that no path and no number of open folders grows with the depth.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
        return
    parent, name = os.path.split(os.path.abspath(path))
    above = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        doomed = [name]
        moved = 0
        while doomed:
            now = doomed.pop()
            far: list[int] = []
            _empty(above, now, 0, above, f"{name}.gone", moved, far)
            doomed += [f"{name}.gone{moved + number}" for number in range(len(far))]
            moved += len(far)
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(now, dir_fd=above)
    finally:
        os.close(above)


def _empty(parent: int, name: str, depth: int, top: int, prefix: str, first: int, far: list[int]) -> None:
    """Everything in a folder, but what is too deep, which is moved to `prefix<number>` in the top folder and noted in `far`."""
    try:
        folder = _enter(parent, name)
    except FileNotFoundError:  # somebody else is at it too
        return
    try:
        os.fchmod(folder, 0o700)
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for entry, is_folder in found:
            with contextlib.suppress(FileNotFoundError):
                if not is_folder:
                    os.unlink(entry, dir_fd=folder)
                elif depth < _DEEPEST:
                    _empty(folder, entry, depth + 1, top, prefix, first, far)
                    os.rmdir(entry, dir_fd=folder)
                else:
                    _open_up(folder, entry)  # moving a folder writes its ".."
                    os.rename(entry, f"{prefix}{first + len(far)}", src_dir_fd=folder, dst_dir_fd=top)
                    far.append(depth)
    finally:
        os.close(folder)


def _enter(parent: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=parent)
    except PermissionError:
        _open_up(parent, name)
        return os.open(name, flags, dir_fd=parent)


def _open_up(parent: int, name: str) -> None:
    """Permission for ourselves on a folder of ours, whatever its own are, without following a link."""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
    finally:
        os.close(handle)
