"""Layers: what a sandbox had written when its picture was taken, read-only from then on, shared by all who fork from it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence

from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk.base import ensure
from workbench.sandbox.disk.copying import copy
from workbench.sandbox.disk.disk import Disk
from workbench.sandbox.disk.merge import merge
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.machine import Machine

MOST = 24
"""Layers under one sandbox before they should be made into one: the kernel takes one page of mount options."""

_NAME = re.compile(r"[0-9a-f]{8}")


class Layers:
    """A folder of layers, each named by eight hex digits: `top`, `usr`, `base` (the fingerprint it was made over).

    Which layer belongs to whom is the caller's to know; a layer that somebody lies over is never changed or deleted.
    """

    def __init__(self, folder: str, machine: Machine) -> None:
        self._folder = folder
        self._machine = machine
        machine.make_folder(folder)

    def path(self, name: str) -> str:
        """`sandbox.no_such_layer` where there is none."""
        path = os.path.join(self._folder, name)
        if not _NAME.fullmatch(name) or not os.path.isdir(path):
            raise WorkbenchError("sandbox.no_such_layer", f"there is no layer {name}")
        return path

    def names(self) -> list[str]:
        """All complete layers."""
        return sorted(name for name in os.listdir(self._folder) if not name.startswith("."))

    def take(self, disk: Disk) -> str:
        """The picture of a stopped sandbox: its upper layer becomes the newest layer, in a millisecond; its disk then lies over it.

        Killed in between, the disk knows: until `settled` is told that the new list of layers is written down, `moved` gives the name.
        """
        name = self._fresh()
        _write(os.path.join(disk.folder, "moving"), name)
        os.rename(os.path.join(disk.folder, "up"), os.path.join(self._folder, name))
        self._finish(os.path.join(self._folder, name), disk.base or "")
        remove(os.path.join(disk.folder, "work"))
        disk.layers = (os.path.join(self._folder, name), *disk.layers)
        disk.create(self._machine.owner)
        return name

    def moved(self, disk: Disk) -> str | None:
        """The layer that this disk's upper one has become without it being written down, finished if need be."""
        try:
            with open(os.path.join(disk.folder, "moving")) as file:
                name = file.read(64)
        except FileNotFoundError:
            return None
        path = os.path.join(self._folder, name)
        if not os.path.isdir(path):  # it had not come so far
            self.settled(disk)
            return None
        self._finish(path, disk.base or "")
        return name

    def settled(self, disk: Disk) -> None:
        """Where this disk's layers are listed, the new one is."""
        if os.path.exists(os.path.join(disk.folder, "moving")):
            os.unlink(os.path.join(disk.folder, "moving"))

    def copy(self, disk: Disk) -> str:
        """The picture of a sandbox that goes on (frozen meanwhile, if it lets itself be): its upper layer copied, its disk as it was."""
        name = self._fresh()
        making = os.path.join(self._folder, "." + name)
        try:
            copy(self._machine, os.path.join(disk.folder, "up"), making)
        except BaseException:
            remove(making)
            raise
        self._finish(making, disk.base or "")
        os.rename(making, os.path.join(self._folder, name))
        return name

    def flatten(self, layers: list[str]) -> str:
        """One new layer that shows what these (names, the newest first) show together; they stay. Files are shared, not copied."""
        name = self._fresh()
        making = os.path.join(self._folder, "." + name)
        paths = [self.path(each) for each in layers]
        try:
            os.mkdir(making, 0o700)
            made = ensure(self._machine)
            for part, lowest in (("top", made.part("top")), ("usr", "/usr")):
                parts = [
                    os.path.join(path, part) for path in paths if os.path.isdir(os.path.join(path, part))
                ]
                merge(
                    parts,
                    os.path.join(making, part),
                    link=True,
                    below=[lowest],
                    owner=self._machine.owner,
                )
            self._finish(making, base_of(paths[0]) if paths else "")
        except OSError as problem:
            remove(making)
            raise WorkbenchError(
                "sandbox.not_flattened", f"the layers cannot be made one: {problem}"
            ) from problem
        except BaseException:
            remove(making)
            raise
        os.rename(making, os.path.join(self._folder, name))
        return name

    def delete(self, name: str) -> None:
        """Take it away; first out of sight, so that half of one is never seen."""
        path = os.path.join(self._folder, name)
        if _NAME.fullmatch(name) and os.path.isdir(path):
            gone = os.path.join(self._folder, f".gone-{name}-{secrets.token_hex(4)}")
            os.rename(path, gone)
            remove(gone)

    def sweep(self) -> None:
        """Take away what somebody who was killed has left half done. Nobody else may be at work in the folder."""
        for name in os.listdir(self._folder):
            if name.startswith("."):
                remove(os.path.join(self._folder, name))

    def receive(self) -> tuple[str, str]:
        """(name, folder) of a layer to be filled by somebody else, then `keep`; the folder is hidden until then."""
        name = self._fresh()
        making = os.path.join(self._folder, "." + name)
        os.mkdir(making, 0o700)
        return name, making

    def keep(self, name: str, fingerprint: str) -> None:
        """What was received is complete."""
        making = os.path.join(self._folder, "." + name)
        self._finish(making, fingerprint)
        os.rename(making, os.path.join(self._folder, name))

    def _fresh(self) -> str:
        while True:
            name = secrets.token_hex(4)
            if not any(os.path.lexists(os.path.join(self._folder, each)) for each in (name, "." + name)):
                return name

    def _finish(self, path: str, fingerprint: str) -> None:
        _write(os.path.join(path, "base"), fingerprint)
        if self._machine.owner is not None:
            for each in (path, os.path.join(path, "base")):
                os.chown(each, self._machine.owner, self._machine.owner, follow_symlinks=False)


def base_of(layer: str) -> str:
    """The fingerprint of the base that a layer was made over; empty where that is not known."""
    try:
        with open(os.path.join(layer, "base")) as file:
            return file.read(64)
    except FileNotFoundError:
        return ""


def materialise(disk: Disk, below: Sequence[str], owner: int | None) -> None:
    """Where there are no overlays: the layers, and what lies below them, copied under the upper one, once.

    A layer that was made so is whole itself: nothing below it counts.
    """
    done = os.path.join(disk.folder, "up", "whole")
    if os.path.exists(done):
        return
    top = disk.upper("top")
    making = top + ".new"
    remove(making)
    folders = [top]
    for layer in disk.layers:
        folders.append(os.path.join(layer, "top"))
        if os.path.exists(os.path.join(layer, "whole")):
            break
    else:
        folders += below
    merge(folders, making, link=False, owner=owner)
    remove(top)
    os.rename(making, top)
    _write(done, "")


def _write(path: str, text: str) -> None:
    """Complete or not at all; synced, for it says where data is."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path + ".new", flags, 0o666), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
