"""One sandbox's folder: its upper layer, and the layers below it."""

from __future__ import annotations

import os
from collections.abc import Sequence

PARTS = ("usr", "etc", "var", "opt", "srv", "home", "root", "workspace")
"""The folders of a sandbox that are kept: each is an overlay of its own."""


class Disk:
    """A folder with `up/<part>` (what this sandbox has written), `work/<part>` and `tmp`, `log`, `init.sock`, `running.json`.

    layers: folders with parts, the newest first, read-only once made.
    """

    def __init__(self, folder: str, layers: Sequence[str] = ()) -> None:
        self.folder = folder
        self.layers = tuple(layers)

    def create(self) -> None:
        """Make what is missing of it."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        for part in PARTS:
            os.makedirs(self.upper(part), exist_ok=True)
            os.makedirs(self.work(part), exist_ok=True)
        for name in ("tmp", "log"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        os.chmod(self.tmp, 0o1777)

    def upper(self, part: str) -> str:
        return os.path.join(self.folder, "up", part)

    def work(self, part: str) -> str:
        return os.path.join(self.folder, "work", part)

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
