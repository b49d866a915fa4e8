"""Layers laid over each other on the machine's side, as the kernel's overlay would show them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Sequence

from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk.remove import remove

OPAQUE = "user.overlay.opaque"
_OVERLAYS = "user.overlay."
DEEPEST = 400


def merge(
    layers: Sequence[str], target: str, *, link: bool, below: Sequence[str] = (), owner: int | None = None
) -> None:
    """Lay folders over each other in a new folder, the newest first in `layers`.

    link: files are the same files under a second name (for layers, which nobody writes to); else they are copied.
    below: folders that will lie below the new one: what is deleted of them stays a deletion, everything else deleted is just not there
    (the kernel lists a deletion of nothing).
    owner: the id that copies belong to. `sandbox.too_deep` for a tree that goes further down than any program does.
    """
    os.mkdir(target, 0o755)
    for layer in reversed(layers):
        _lay(layer, target, link, below, owner, 0)


def is_deletion(found: os.stat_result) -> bool:
    """Whether it is how an overlay says that something below is gone: a character device 0, 0."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def is_opaque(path: str) -> bool:
    """Whether a folder hides what lies below it."""
    try:
        return os.getxattr(path, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def attributes(path: str) -> dict[str, bytes]:
    """The user's extended attributes, the overlay's own bookkeeping left out but for `opaque`."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names if kept_attribute(name)}


def kept_attribute(name: str) -> bool:
    """Whether an extended attribute is part of a layer: the user's, and of the overlay's own bookkeeping `opaque` alone."""
    return name == OPAQUE or (name.startswith("user.") and not name.startswith(_OVERLAYS))


def _lay(layer: str, target: str, link: bool, below: Sequence[str], owner: int | None, depth: int) -> None:
    if depth > DEEPEST:
        raise WorkbenchError("sandbox.too_deep", f"folders lie more than {DEEPEST} deep in this sandbox")
    if is_opaque(layer):
        for name in os.listdir(target):
            remove(os.path.join(target, name))
    with os.scandir(layer) as entries:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    for name, status in found:
        source, place = os.path.join(layer, name), os.path.join(target, name)
        if stat.S_ISDIR(status.st_mode):
            if not os.path.isdir(place) or os.path.islink(place):
                remove(place)
                os.mkdir(place, 0o700)
            _lay(source, place, link, [os.path.join(each, name) for each in below], owner, depth + 1)
            continue
        if os.path.lexists(place):
            remove(place)
        if is_deletion(status):
            if any(os.path.lexists(os.path.join(each, name)) for each in below):
                os.mknod(place, stat.S_IFCHR, 0)
        elif link and not stat.S_ISLNK(status.st_mode):
            os.link(source, place, follow_symlinks=False)
        else:
            _copy(source, place, status)
            _give(place, status, owner)
    _dress(layer, target, any(map(os.path.isdir, below)), owner)


def _copy(source: str, place: str, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), place)
    elif stat.S_ISREG(status.st_mode):
        fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as read, open(place, "xb") as write:
            shutil.copyfileobj(read, write, 1 << 20)
        for name, value in attributes(source).items():
            os.setxattr(place, name, value)
        os.chmod(place, stat.S_IMODE(status.st_mode))
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(place, stat.S_IMODE(status.st_mode))


def _give(place: str, status: os.stat_result, owner: int | None) -> None:
    if owner is not None:
        os.chown(place, owner, owner, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(place, stat.S_IMODE(status.st_mode))
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _dress(layer: str, target: str, opaque: bool, owner: int | None) -> None:
    """A folder as the upper of the two is: permissions, times, attributes."""
    status = os.lstat(layer)
    for name, value in attributes(layer).items():
        if name != OPAQUE or opaque:
            with contextlib.suppress(OSError):
                os.setxattr(target, name, value)
    os.chmod(target, stat.S_IMODE(status.st_mode))
    _give(target, status, owner)
