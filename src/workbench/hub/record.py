"""A sandbox as it is written down: `sandbox.json` in its folder, replaced as a whole, so that it is always the old one or the new."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from workbench.model.errors import WorkbenchError

FORMAT = 1
FILE = "sandbox.json"


@dataclass
class Record:
    """What is kept of a sandbox.

    id: as the bridge wants it, `[a-z2-7]{1,128}`; short: what its folder and its URLs are called. name: any text, one a hub.
    state: `stopped`, `asleep` (stopped because nobody used it), `running`, `frozen`, `failed` (reason says why).
    limits: `{cpus, memory_bytes, processes, disk_bytes}`, each left out where there is none. network: `none`, `allow` (some
    hosts) or `all`.
    sleep_after: seconds without use, or None for never. features: what each feature keeps, by its name.
    """

    id: str
    short: str
    name: str
    provider: str
    created: str
    unsafe: bool = False
    state: str = "stopped"
    reason: str = ""
    env: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    network: str = "all"
    keep_alive: bool = False
    sleep_after: float | None = None
    origin: str | None = None
    layers: list[str] = field(default_factory=list)
    features: dict[str, Any] = field(default_factory=dict)
    last_used: str | None = None
    started: str | None = None

    def write(self, folder: str) -> None:
        """Put it on disk, durably."""
        path = os.path.join(folder, FILE)
        temporary = f"{path}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT} | asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)


def read(folder: str) -> Record:
    """The record in a folder. Raises OSError, and WorkbenchError for one that is not of this version or is damaged."""
    with open(os.path.join(folder, FILE), encoding="utf-8") as file:
        try:
            found = json.load(file)
        except ValueError as error:
            raise WorkbenchError("sandboxes.record_damaged", f"{folder}/{FILE}: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise WorkbenchError(
            "sandboxes.record_newer", f"{folder}/{FILE} is of a format this version does not know"
        )
    known = {one.name for one in fields(Record)}
    try:
        return Record(**{name: value for name, value in found.items() if name in known})
    except TypeError as error:
        raise WorkbenchError("sandboxes.record_damaged", f"{folder}/{FILE}: {error}") from None
