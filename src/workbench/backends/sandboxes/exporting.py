"""The Worker project of a bridge, written into a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from workbench.model.bridges import Exported
from workbench.model.errors import WorkbenchError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What is called otherwise here than there: a .gitignore in the package would be git's own.
_RENAMED = {"gitignore": ".gitignore"}


def export(folder: str, name: str, instance_type: str, max_instances: int) -> Exported:
    """Write it. Raises WorkbenchError where the folder holds anything, or the name is none for a Worker."""
    if not _NAME.fullmatch(name):
        raise WorkbenchError(
            "bridges.bad_name",
            f"{name!r} is no name for a Worker: small letters, digits and dashes, at most 63",
        )
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise WorkbenchError(
            "bridges.folder_in_use", f"{folder} is there and not empty", "give another folder"
        )
    written = []
    for path, content in _files(resources.files(__package__).joinpath("bridge_project")):
        if path == "wrangler.jsonc":
            content = (
                content.replace('"name": "sandbox-bridge"', f'"name": "{name}"')
                .replace('"instance_type": "basic"', f'"instance_type": "{instance_type}"')
                .replace('"max_instances": 10', f'"max_instances": {max_instances}')
            )
        elif path in ("README.md", "package.json"):
            content = content.replace("sandbox-bridge", name)
        target = os.path.join(folder, path)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(content)
        except OSError as error:
            raise WorkbenchError("file.failed", f"{target}: {error.strerror or error}") from error
        written.append(path)
    return Exported(folder, tuple(sorted(written)))


def _files(folder: Traversable, below: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        path = below + _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            yield from _files(entry, f"{path}/")
        elif not entry.name.endswith((".pyc", ".py")):
            yield path, entry.read_text("utf-8")
