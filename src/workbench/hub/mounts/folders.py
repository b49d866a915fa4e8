"""Folders of the machine inside a sandbox: only by name, and never those that would open the machine itself."""

from __future__ import annotations

import os
import posixpath

from workbench.model.errors import WorkbenchError
from workbench.model.places import HubPlaces
from workbench.sandbox.spec import Mount

# Of the machine: the kernel's own views, devices, and where its services keep their sockets.
_NEVER_OUTSIDE = ("/proc", "/sys", "/dev", "/run", "/var/run", "/boot")
# Inside: what the sandbox itself stands on.
_NEVER_INSIDE = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/usr",
    "/etc",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/boot",
)


def _refused(text: str, hint: str = "") -> WorkbenchError:
    return WorkbenchError("mounts.refused", text, hint)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def machine_folder(source: str, target: str, *, writable: bool, places: HubPlaces) -> Mount:
    """A folder (or file) of the machine as a mount, its links followed once, here. Raises WorkbenchError (`mounts.refused`)."""
    if not os.path.isabs(source):
        raise _refused(f"{source!r} is not an absolute path of this machine")
    real = os.path.realpath(source)
    if not os.path.exists(real):
        raise WorkbenchError("mounts.not_found", f"there is no {source} on this machine")
    home = os.path.realpath(os.path.expanduser("~"))
    if _within(home, real):
        raise _refused(
            f"{source} is the home folder or holds it: keys, histories and settings of yours would be inside",
            "name the folder in it that is meant",
        )
    if any(_within(real, each) for each in _NEVER_OUTSIDE):
        raise _refused(f"{source} is the machine's own: devices, sockets and the kernel's settings lie there")
    for own in (places.data, places.runtime, os.path.dirname(places.data)):
        kept = os.path.realpath(own)
        if _within(kept, real) or _within(real, kept):
            raise _refused(f"in {source} the hub keeps its sandboxes, its token or its secrets")
    return Mount(real, inside_path(target), writable)


def still_machine_folder(source: str, target: str, *, writable: bool, places: HubPlaces) -> Mount:
    """The same for one that was agreed on before (`source`: as it was found then). By now a sandbox that may write above it can have
    put a link in its place, which would lead where nobody agreed to."""
    mount = machine_folder(source, target, writable=writable, places=places)
    if mount.source != source:
        raise _refused(
            f"{source} has become a link to {mount.source} since it was mounted",
            "unmount it, and mount what is meant",
        )
    return mount


def inside_path(target: str) -> str:
    """Where something is to appear inside, in one spelling. Raises WorkbenchError."""
    if not target.startswith("/") or "\0" in target:
        raise _refused(f"{target!r} is not an absolute path inside the sandbox")
    path = "/" + posixpath.normpath(target).lstrip("/")
    if path == "/" or any(_within(path, each) for each in _NEVER_INSIDE):
        raise _refused(
            f"nothing can be mounted at {path}: the sandbox itself stands on it", "/workspace/NAME, /mnt/NAME"
        )
    return path
