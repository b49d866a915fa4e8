"""One sandbox's folder: its upper layer, and the layers below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from workbench.sandbox.disk.remove import remove

PARTS = ("top", "usr")
"""What of a sandbox is kept, each an overlay of its own: everything (`top`, mounted at /) but /usr, and /usr."""


class Disk:
    """A folder with `up/<part>` (what this sandbox has written), `work/<part>`, `tmp`, `log`, `init.sock`, `running.json`, `base`.

    layers: folders with parts, the newest first, read-only once made.
    """

    def __init__(self, folder: str, layers: Sequence[str] = ()) -> None:
        self.folder = folder
        self.layers = tuple(layers)

    def create(self, owner: int | None = None) -> None:
        """Make what is missing of it, for who will run on it: an id, or None for ourselves.

        The folder itself stays ours: what we keep there is written by name, and who could put a link in its place would write as we do.
        """
        folders = [(self.tmp, 0o1777), (self.log, 0o700)]
        for part in PARTS:
            for path in (self.upper(part), self.work(part)):
                folders += [(os.path.dirname(path), 0o700), (path, 0o755)]
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder)
            os.chmod(self.folder, 0o700)
        if (
            owner is not None
        ):  # who may walk through by its group, and nobody else of the machine: /tmp below is open to all
            os.chown(self.folder, os.geteuid(), owner, follow_symlinks=False)
            os.chmod(self.folder, 0o710)
        for path, mode in folders:
            if not os.path.isdir(path):
                os.makedirs(path)
                os.chmod(path, mode)
            if owner is not None and os.lstat(path).st_uid != owner:
                os.chown(path, owner, owner, follow_symlinks=False)

    def clear(self) -> None:
        """Back to what the layers hold. Nothing may run on it."""
        for name in ("up", "work", "tmp"):
            remove(os.path.join(self.folder, name))

    def upper(self, part: str) -> str:
        if part not in PARTS:
            raise ValueError(part)
        return os.path.join(self.folder, "up", part)

    def outside(self, path: str) -> str:
        """Where what this sandbox writes at an absolute path inside lies on the machine; only meant where nothing is isolated."""
        return self.upper("top") + path

    def work(self, part: str) -> str:
        return os.path.join(self.folder, "work", part)

    def below(self, part: str) -> list[str]:
        """The layers' folders of a part, the newest first, those that hold something."""
        found = [os.path.join(layer, part) for layer in self.layers]
        return [path for path in found if os.path.isdir(path) and _holds(path)]

    @property
    def tmp(self) -> str:
        return os.path.join(self.folder, "tmp")

    @property
    def log(self) -> str:
        """Where the init keeps what processes print; written from inside, so never opened from outside by name."""
        return os.path.join(self.folder, "log")

    @property
    def socket(self) -> str:
        return os.path.join(self.folder, "init.sock")

    @property
    def running(self) -> str:
        """Where `Running` is saved."""
        return os.path.join(self.folder, "running.json")

    @property
    def base(self) -> str | None:
        """The fingerprint of the base that it was last started over, or else its newest layer was made over; None for a new one."""
        for folder in (self.folder, *self.layers[:1]):
            try:
                with open(os.path.join(folder, "base")) as file:
                    return file.read(64)
            except FileNotFoundError:
                continue
        return None

    @base.setter
    def base(self, fingerprint: str) -> None:
        path = os.path.join(self.folder, "base")
        with open(path + ".new", "w") as file:
            file.write(fingerprint)
        os.replace(path + ".new", path)

    def changes_system(self) -> bool:
        """Whether it holds changes to /usr, which fit only the base that they were made over."""
        return _holds(self.upper("usr")) or bool(self.below("usr"))

    def link_on_the_way(self, path: str) -> str | None:
        """The first place on an absolute path inside that this sandbox has made a link, or None.

        What is mounted from outside is mounted along such a path before the sandbox's own view holds: a link there could lead out.
        """
        parts = [part for part in path.split("/") if part]
        if not parts or any(part in (".", "..") for part in parts):
            return path
        part, inside = ("usr", parts[1:]) if parts[0] == "usr" else ("top", parts)
        for end in range(1, len(inside) + 1):
            for folder in (self.upper(part), *self.below(part)):
                try:
                    mode = os.lstat(os.path.join(folder, *inside[:end])).st_mode
                except OSError:
                    continue
                if stat.S_ISLNK(mode):
                    return "/".join(["", *parts[: end + (part == "usr")]])
                break
        return None


def _holds(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
