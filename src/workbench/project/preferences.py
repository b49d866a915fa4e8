"""What a person set for a project in cfwb itself: a JSON file under the user's configuration folder, by the project's real path.

It is not in the project: a checkout from anywhere must not be able to loosen what its user tightened.
"""

import json
import os
from typing import Any

VERSION = 1


def path() -> str:
    """`$XDG_CONFIG_HOME/cfwb/projects.json`."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(config, "cfwb", "projects.json")


def remote_is_read_only(folder: str) -> bool:
    """Whether the deployed account is only to be read from this project, or from one it lies in."""
    projects = _read().get("projects", {})
    place = os.path.realpath(folder)
    while True:
        settings = projects.get(place)
        if isinstance(settings, dict) and "remote_mode" in settings:
            return bool(settings["remote_mode"] == "read-only")
        above = os.path.dirname(place)
        if above == place:
            return False
        place = above


def set_remote_mode(folder: str, mode: str) -> None:
    """mode: `read-only` or `writable`. The file is replaced whole."""
    data = _read()
    data["version"] = VERSION
    data.setdefault("projects", {}).setdefault(os.path.realpath(folder), {})["remote_mode"] = mode
    os.makedirs(os.path.dirname(path()), mode=0o700, exist_ok=True)
    part = f"{path()}.{os.getpid()}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
    os.replace(part, path())


def _read() -> dict[str, Any]:
    try:
        with open(path(), encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise unreadable(error) from None
    if not isinstance(data, dict) or not isinstance(data.get("projects", {}), dict):
        raise unreadable(ValueError("it is not the object it should be"))
    if data.get("version", VERSION) != VERSION:
        raise unreadable(ValueError("a newer version of cfwb wrote it"))
    return data


def unreadable(error: Exception) -> Exception:
    """Settings that cannot be read are not taken for settings that allow."""
    from workbench.model.errors import WorkbenchError

    why = error.strerror if isinstance(error, OSError) else str(error)
    return WorkbenchError("project.bad_preferences", f"{path()}: {why}", "mend it, or remove it")
