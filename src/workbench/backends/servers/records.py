"""What is kept of the dev servers that cfwb started on a state directory: a folder each, below the user's own state folder.

`start.json` says what is to run, the keeper writes `server.json` and `log.jsonl` and holds `lock`; a file `stay` says that it does
not end with whoever started it. What has ended stays readable until it is started again.
"""

import fcntl
import hashlib
import json
import os
from typing import Any

from workbench.model.bindings import Project
from workbench.model.places import servers_home
from workbench.model.servers import Kept

from .keeper import born


def id_of(project: Project) -> str:
    """What the server of a project is called: the same for the same config and environment."""
    worker = project.workers[0] if project.workers else None
    said = [project.folder] if worker is None else [worker.config_path, worker.environment or ""]
    return hashlib.sha256("\0".join(said).encode("utf-8", "surrogateescape")).hexdigest()[:8]


def folder_of(state_directory: str, id: str) -> str:
    """Where one is kept."""
    return os.path.join(servers_home(state_directory), id)


def all_kept(state_directory: str) -> list[Kept]:
    """Those of a state directory, the running ones first, then the one that was started last."""
    home = servers_home(state_directory)
    try:
        names = sorted(os.listdir(home))
    except OSError:
        return []
    found = [one for name in names if (one := kept(os.path.join(home, name))) is not None]
    found.sort(key=lambda one: one.started, reverse=True)
    return sorted(found, key=lambda one: one.status == "ended")


def kept(folder: str) -> Kept | None:
    """One, by its folder; None where nothing is told of it."""
    start, record = _read(folder, "start.json"), _read(folder, "server.json")
    if start is None or record is None:
        return None
    try:
        status, reason = str(record["status"]), str(record["reason"])
        if status != "ended" and not is_held(folder) and not _left_alone(record):
            status, reason = "ended", reason or "its keeper was killed"
        return Kept(
            os.path.basename(folder),
            str(start["kind"]),
            status,
            record["url"],
            tuple(start["command"]),
            str(start["folder"]),
            int(record["keeper"]),
            record["pid"],
            str(record["started"]),
            record["ended"],
            record["exit_status"],
            None if os.path.exists(os.path.join(folder, "stay")) else start.get("until"),
            reason,
        )
    except (KeyError, TypeError, ValueError):
        return None


def options(folder: str) -> dict[str, Any]:
    """With what it was started, to start it so again."""
    return dict((_read(folder, "start.json") or {}).get("options") or {})


def is_held(folder: str) -> bool:
    """Whether a keeper holds it now."""
    try:
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def _left_alone(record: dict[str, Any]) -> bool:
    """Whether the program goes on although its keeper was killed."""
    pid = record.get("pid")
    if not isinstance(pid, int) or record.get("born") is None:
        return False
    return bool(born(pid) == record["born"])


def _read(folder: str, name: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
