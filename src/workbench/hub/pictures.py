"""Snapshots as they are written down: one small JSON file each, beside the layers that they name."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields

from workbench.model.errors import WorkbenchError

FORMAT = 1
_ID = re.compile(r"[a-z2-7]{8}")


@dataclass
class Picture:
    """What is kept of a snapshot.

    layers: of the disk, the newest first. sandbox, origin: the id and the name of what it is a picture of. automatic: made because
    the sandbox went to sleep, or before a restore. options: what a sandbox made from it is like, unless it is said otherwise.
    """

    id: str
    created: str
    sandbox: str
    origin: str
    provider: str
    layers: list[str]
    name: str | None = None
    automatic: bool = False
    options: dict[str, object] = field(default_factory=dict)

    def write(self, folder: str) -> None:
        """Complete or not at all."""
        path = os.path.join(folder, f"{self.id}.json")
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT} | asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)

    def delete(self, folder: str) -> None:
        os.unlink(os.path.join(folder, f"{self.id}.json"))


def read_all(folder: str) -> tuple[list[Picture], list[str]]:
    """(every snapshot there is, what is wrong with the files that make no sense to this version)"""
    found, wrong = [], []
    known = {one.name for one in fields(Picture)}
    for name in sorted(os.listdir(folder)):
        id, extension = os.path.splitext(name)
        if extension != ".json" or not _ID.fullmatch(id):
            continue
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                said = json.load(file)
            if said.pop("format") != FORMAT:
                raise WorkbenchError("snapshots.newer", "it is of a format this version does not know")
            found.append(Picture(**{key: value for key, value in said.items() if key in known}))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, WorkbenchError) as error:
            wrong.append(f"{folder}/{name}: {error}")
    return found, wrong
